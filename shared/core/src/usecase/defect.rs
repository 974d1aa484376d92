//! An order that our own code fails at: it waits, so that it holds up no other, and after a few times in
//! a row a person is told.

use serde_json::json;

use crate::{
    ids::{OrderId, TenantId, TraceId},
    notice::{Code, Notice},
    ports::{Chance as _, Change, Committed, Expected, HistoryEvent, Ledger as _, StoreError},
    protocol::{flag, wait},
    record::{State, SyncRecord, Wait},
};

use super::{Engine, Outcome, OutcomeKind, Ports, attempt::entry, mail};

/// So often in a row an order may make our code fail before a person is told.
pub const DEFECTS_MAX: u32 = 5;

/// What was noted about an order that our code failed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// It is tried again later.
    PutOff,
    /// It was so often that it is told, with this very failure.
    Told,
    /// It failed before any order was looked at, so that it says nothing about this one.
    Common,
}

impl<P: Ports> Engine<P> {
    /// Notes that an attempt at one order ended because of a defect of ours, at a place that nobody
    /// foresaw. Whatever it had sent is found by what it had stored before, as after a crash.
    pub async fn note_defect(
        &self,
        tenant: &TenantId,
        order: OrderId,
        trace: Option<&TraceId>,
    ) -> Result<Defect, StoreError> {
        let was_at_it = self.was_at(tenant, order);
        let realm = self.status(tenant).await?.realm;
        let Some(realm) = realm.filter(|_| was_at_it) else {
            return Ok(Defect::Common);
        };
        let (store, now) = (self.ports.store(), self.now());
        let Some(mut record) = store.records(tenant, &realm, &[order]).await?.pop() else {
            return Ok(Defect::Common);
        };
        let expected = Expected::Is(record.operation.clone());
        record.defects = record.defects.saturating_add(1);
        let is_last = record.defects == DEFECTS_MAX;
        let given_up = is_last.then(|| give_up(&mut record)).flatten();
        let (event, notice) = given_up.unwrap_or_else(|| self.put_off(&mut record, is_last));
        let detail = json!({ "code": notice.code, "times": record.defects });
        let line = entry(now, order, event, notice.text(), detail);
        record.operation = self.operation();
        let outcome = told_of(&record, &notice);
        let told = (&outcome, is_last && record.is_settled());
        let (mails, told) = mail::due(&mut record, told, now, &self.policy);
        let history = std::iter::once(line).chain(told);
        let change = Change {
            due_at: record.due_at(&self.policy),
            record,
            expected,
            history: history.map(|line| line.traced(trace)).collect(),
            mails,
        };
        let written = store.commit(vec![change]).await?.pop();
        // Whoever wrote in between goes on with the order.
        let is_told = is_last && written == Some(Committed::Done);
        Ok(if is_told {
            Defect::Told
        } else {
            Defect::PutOff
        })
    }

    /// The lease of the attempt that failed stays: what it sent may still be under way.
    fn put_off(&self, record: &mut SyncRecord, is_last: bool) -> (HistoryEvent, Notice) {
        let code = if is_last {
            Code::OrderDefect
        } else {
            Code::AttemptFailed
        };
        let notice = Notice::new(code).with("order", record.order_number.as_str());
        if record.is_settled() && record.request.is_none() {
            // Nothing is left to do for it but what the next run finds.
            return (HistoryEvent::Waiting, notice);
        }
        let now = self.now();
        let asked = self
            .policy
            .lease
            .max(self.policy.backoff_after(record.defects));
        let pace = (self.ports.chance().permille(), &self.policy);
        let since = (record.updated_at, now);
        let pause = wait(record, notice.clone(), Some(asked), false, since, pace);
        let before = record.wait.as_ref().map(|wait| wait.not_before);
        record.wait = Some(Wait {
            not_before: before.map_or(pause.not_before, |at| at.max(pause.not_before)),
            ..pause
        });
        (HistoryEvent::Waiting, notice)
    }
}

/// What whoever asked for it is told. The old result of an order that was at its end is no answer.
fn told_of(record: &SyncRecord, notice: &Notice) -> Outcome {
    let outcome = Outcome::of(record);
    match record.state {
        State::Queued | State::Planned { .. } | State::Created { .. } => outcome,
        _ if record.notice() == Some(notice) => outcome,
        _ if notice.code == Code::OrderDefect => Outcome {
            outcome: OutcomeKind::Refused,
            ..Outcome::waiting(record.key.order, &record.order_number, notice, None)
        },
        _ => Outcome::waiting(
            record.key.order,
            &record.order_number,
            notice,
            record.wait.as_ref().map(|wait| wait.not_before),
        ),
    }
}

/// A person must look, at what may exist too. `None` for what is over: that stays as it is.
fn give_up(record: &mut SyncRecord) -> Option<(HistoryEvent, Notice)> {
    let notice = Notice::new(Code::OrderDefect).with("order", record.order_number.as_str());
    let (intent, bill) = match record.state.clone() {
        State::Queued => (None, None),
        State::Planned { intent } => (Some(intent), None),
        State::Created { bill } => (None, Some(bill)),
        State::Linked { .. }
        | State::Refused { .. }
        | State::NeedsPerson { .. }
        | State::Orphaned { .. }
        | State::Skipped { .. } => return None,
    };
    record.wait = None;
    flag(record, &notice, true);
    let told = notice.clone();
    if intent.is_none() && bill.is_none() {
        record.state = State::Refused { notice };
        return Some((HistoryEvent::Refused, told));
    }
    record.state = State::NeedsPerson {
        notice,
        intent,
        bill,
    };
    Some((HistoryEvent::NeedsPerson, told))
}
