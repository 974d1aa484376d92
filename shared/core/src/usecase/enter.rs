//! Entering an order: the claim, and whether there is anything to do for it at all.

use serde_json::json;

use crate::{
    eligibility::{Ineligible, Window},
    notice::Code,
    orders::{ExternalNumber, Order},
    ports::{Expected, HistoryEvent, QuickBooks as _, StoreError},
    protocol::{claim, link_to, note_late_error, note_replaced, release_error, unflag},
    record::{BillLink, ErrorMark, Intent, Origin, State, SyncRecord},
};

use super::{
    Ports,
    attempt::{Attempt, Halt, Job},
    reconcile::{rivals, still_standing},
};

enum Judged {
    /// Linked, and a person asks: see whether its bill still exists.
    LookAgain,
    /// Whatever its record says is next.
    GoOn,
    /// It starts over from what is known to exist.
    Reopen,
    /// It may not be transferred any more, and its record says so from now on.
    Skip(Ineligible),
    /// It may not be transferred; its record stays as it is.
    Leave(Ineligible),
}

impl<P: Ports> Attempt<'_, P> {
    /// Takes the lease in memory and decides whether this order is to be worked on at all.
    pub(super) async fn enter(&mut self, index: usize) -> Result<(), StoreError> {
        let (engine, now) = (self.engine, self.engine.now());
        let window = self.window(now);
        let job = &mut self.jobs[index];
        let (policy, guards) = (&engine.policy, &engine.guards);
        if !claim(&mut job.record, &self.holder, now, policy, guards) {
            let until = job.record.lease.as_ref().map(|lease| lease.until);
            job.halt = Some(Halt::Overtaken(until));
            return Ok(());
        }
        if self.origin.is_person()
            && let Some(wait) = &mut job.record.wait
            && !wait.is_doubt()
        {
            wait.not_before = now;
        }
        if self.stop_another(index).await? {
            return Ok(());
        }
        match judge(&self.jobs[index], &window, self.origin) {
            Judged::GoOn => Ok(()),
            Judged::Reopen => self.reopen(index).await,
            Judged::Skip(reason) => self.skip(index, reason).await,
            Judged::LookAgain => self.look_again(index).await,
            Judged::Leave(reason) => {
                let job = &mut self.jobs[index];
                if job.record.is_settled() {
                    job.halt = Some(Halt::Ineligible(reason));
                }
                Ok(())
            }
        }
    }

    /// A person asks for an order whose bill is linked: whether the bill is still there.
    async fn look_again(&mut self, index: usize) -> Result<(), StoreError> {
        let State::Linked { bill } = self.jobs[index].record.state.clone() else {
            return Ok(());
        };
        match self.quickbooks.bill(&bill.id).await {
            Ok(None) => self.orphan(index, bill).await,
            // Still there, or not to be told right now: the daily reconciliation looks again.
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }

    /// Whether a person who was asked to decide between bills has: one of them stands at most, and one
    /// that nobody expected is only kept when the order does not say otherwise. The one that stands is
    /// the order's from now on.
    async fn is_decided(&mut self, index: usize) -> bool {
        let record = &self.jobs[index].record;
        let Some(rivals) = rivals(record) else {
            return true;
        };
        let is_stray = record.notice().map(|notice| notice.code) == Some(Code::BillStray);
        let Ok(standing) = still_standing(&*self.quickbooks, record, &rivals).await else {
            // Not to be told right now: the person asks again.
            return false;
        };
        let kept = match standing.as_slice() {
            [] => None,
            [bill] => Some(link_to(bill, record)),
            _ => return false,
        };
        let (now, policy) = (self.moment(), self.engine.policy);
        let job = &mut self.jobs[index];
        let is_kept = |kept: &BillLink| match job.order.as_ref().map(Order::external) {
            Some(ExternalNumber::Blank) => true,
            Some(ExternalNumber::Number(number)) => number == kept.written_number(),
            Some(ExternalNumber::Error) | None => false,
        };
        if is_stray && !kept.as_ref().is_none_or(is_kept) {
            return false;
        }
        let State::NeedsPerson {
            notice,
            bill,
            intent,
        } = &mut job.record.state
        else {
            return true;
        };
        let is_same = |kept: &BillLink| bill.as_ref().is_some_and(|bill| bill.id == kept.id);
        // The number of a bill that was still in doubt was never sent.
        let before = bill.clone().filter(|_| intent.is_none());
        if notice.code == Code::BillTwice && !kept.as_ref().is_some_and(is_same) {
            // What was sent is over with: a lookup for it need not see what stands instead.
            *intent = None;
        }
        if kept.is_some() {
            *bill = kept;
        }
        note_replaced(&mut job.record, before.as_ref(), now, &policy);
        true
    }

    /// A settled order that became eligible again starts over from what is known to exist.
    async fn reopen(&mut self, index: usize) -> Result<(), StoreError> {
        if !self.is_decided(index).await {
            return Ok(());
        }
        let now = self.moment();
        let job = &mut self.jobs[index];
        let external = job.order.as_ref().map(Order::external);
        let record = &mut job.record;
        record.wait = None;
        if record.error_mark == ErrorMark::Owed {
            // It was sent, maybe, and not answered.
            note_late_error(record, now);
        }
        if external == Some(ExternalNumber::Blank) {
            // Whoever cleared ERROR took our mark away with it.
            record.error_mark = ErrorMark::None;
        }
        let unseen = |bill: BillLink| State::Created {
            bill: BillLink {
                seen_under: 0,
                ..bill
            },
        };
        record.state = match std::mem::replace(&mut record.state, State::Queued) {
            State::NeedsPerson {
                bill: Some(bill), ..
            } if external == Some(ExternalNumber::Number(bill.written_number())) => unseen(bill),
            // The bill of an orphaned one is looked for once more: that is where another is made.
            State::Linked { bill }
            | State::Orphaned { bill }
            | State::NeedsPerson {
                bill: Some(bill),
                intent: None,
                ..
            } => unseen(bill),
            State::NeedsPerson {
                intent: Some(intent),
                ..
            } => State::Planned {
                intent: Intent {
                    in_doubt: true,
                    ..intent
                },
            },
            State::Queued
            | State::Refused { .. }
            | State::Skipped { .. }
            | State::NeedsPerson { .. } => State::Queued,
            unfinished @ (State::Planned { .. } | State::Created { .. }) => unfinished,
        };
        let detail = json!({ "origin": self.origin });
        let text = "The order is taken up again.";
        let event = self.event(index, HistoryEvent::Asked, text, detail);
        self.commit(index, vec![event]).await
    }

    /// The order may not be transferred (any more): nothing is written outside but its own to-do.
    pub(super) async fn skip(
        &mut self,
        index: usize,
        reason: Ineligible,
    ) -> Result<(), StoreError> {
        let is_new = matches!(self.jobs[index].stored.expected, Expected::Absent);
        if is_new && self.jobs[index].record.request.is_none() {
            self.jobs[index].halt = Some(Halt::Ineligible(reason));
            return Ok(());
        }
        let text = reason.text();
        let detail = json!({ "code": reason.code() });
        let now = self.moment();
        let record = &mut self.jobs[index].record;
        record.wait = None;
        release_error(record, now);
        unflag(record);
        record.state = State::Skipped { reason };
        let event = self.event(index, HistoryEvent::Skipped, text, detail);
        self.commit(index, vec![event]).await
    }
}

/// Decides from the record and the order as it is now whether it may be transferred.
pub(super) fn judge_order(
    order: Option<&Order>,
    record: &SyncRecord,
    window: &Window,
    origin: Origin,
) -> Result<(), Ineligible> {
    let Some(order) = order else {
        return Err(Ineligible::Gone);
    };
    // What a person asked for stays asked for when the sweeper carries it on. ERROR that landed late says
    // nothing about an order that is worked on again.
    let is_late = record.error_mark == ErrorMark::None && record.has_our_error();
    let ours = record.has_our_error() || record.request.is_some();
    let origin = if is_late || (ours && origin != Origin::Scan) {
        Origin::Retry
    } else {
        origin
    };
    window.judge(order, origin)
}

fn judge(job: &Job, window: &Window, origin: Origin) -> Judged {
    let record = &job.record;
    let asked = origin.is_person() || record.is_freshly_asked();
    match (
        &record.state,
        judge_order(job.order.as_ref(), record, window, origin),
    ) {
        // ERROR that we wrote ourselves does not stop what a person has already asked for.
        (State::Queued, Err(Ineligible::MarkedError)) if record.has_our_error() => Judged::GoOn,
        (State::Queued, Err(reason))
        | (State::Refused { .. }, Err(reason @ Ineligible::HasNumber { .. })) => {
            Judged::Skip(reason)
        }
        (State::Queued, Ok(())) | (State::Planned { .. } | State::Created { .. }, _) => {
            Judged::GoOn
        }
        (State::Linked { .. }, Ok(())) => Judged::Reopen,
        (State::Linked { bill }, Err(Ineligible::HasNumber { number }))
            if number == bill.written_number() =>
        {
            if asked {
                Judged::LookAgain
            } else {
                Judged::GoOn
            }
        }
        (State::NeedsPerson { .. }, Err(Ineligible::HasNumber { number })) => {
            judge_numbered(record, number, asked)
        }
        // The goods of a billed order arrive, and its status changes: what is known to exist is still to
        // be decided on.
        (
            State::NeedsPerson { bill, intent, .. },
            Err(Ineligible::NotSubmitted | Ineligible::Gone),
        ) if asked && (bill.is_some() || intent.is_some()) => {
            match job.order.as_ref().map(Order::external) {
                Some(ExternalNumber::Number(number)) => {
                    judge_numbered(record, number.to_owned(), asked)
                }
                _ => Judged::Reopen,
            }
        }
        // Only a person reopens these: by asking, or by clearing the ERROR that we wrote.
        (State::Refused { .. } | State::NeedsPerson { .. }, Ok(())) => {
            let cleared = origin == Origin::Scan && record.error_mark == ErrorMark::Written;
            if asked || cleared {
                Judged::Reopen
            } else {
                Judged::GoOn
            }
        }
        (State::Orphaned { .. } | State::Skipped { .. }, Ok(())) => {
            if asked || origin == Origin::Scan {
                Judged::Reopen
            } else {
                Judged::GoOn
            }
        }
        (_, Err(reason)) => Judged::Leave(reason),
    }
}

/// A person entered a number while the order waited for them: it may say what they decided.
fn judge_numbered(record: &SyncRecord, number: String, asked: bool) -> Judged {
    let is_the_bill = record
        .bill()
        .is_some_and(|bill| bill.written_number() == number);
    let code = record.notice().map(|notice| notice.code);
    // A bill of ours that is known, or that may yet be found, is not lost sight of.
    let has_bill = match code {
        Some(Code::OrderAnother) => true,
        Some(Code::GivenUp | Code::OrderDefect) => {
            !matches!(record.state, State::NeedsPerson { intent: None, .. })
        }
        _ => false,
    } || record.bill().is_some();
    match (is_the_bill, has_bill) {
        // Its number stood there all the time: that says nothing about the other bill.
        (true, _) if matches!(code, Some(Code::BillTwice | Code::BillStray)) && !asked => {
            Judged::GoOn
        }
        (true, _) => Judged::Reopen,
        // That number is what the person was asked about: our bill still exists.
        (false, true) if asked => Judged::Reopen,
        (false, true) => Judged::Leave(Ineligible::HasNumber { number }),
        (false, false) => Judged::Skip(Ineligible::HasNumber { number }),
    }
}
