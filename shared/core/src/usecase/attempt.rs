//! One attempt over the orders of one message, driven step by step and in bulk where it saves
//! calls: all orders that need the same step take it together.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use crate::{
    eligibility::{Ineligible, Window},
    failure::{Failure, FailureClass},
    ids::{OperationId, OrderId, RealmId, StatusId, TenantId},
    notice::{Code, Notice, System},
    orders::{ExternalNumber, Order},
    ports::{
        Autotask as _, Chance as _, Change, Committed, Expected, HistoryEntry, HistoryEvent,
        Ledger as _, Outside, StoreError,
    },
    protocol::{
        Holder, Step, claim, flag, is_legal, next_generation, next_step, renew_lease, unflag, wait,
    },
    record::{ErrorMark, Origin, State, StateName, SyncRecord, later},
    settings::Settings,
};

use super::{Engine, Ports, SyncReport, books_cache::SharedBooks, mail};

/// The most rounds one attempt drives; each order needs five at most in one go.
const ROUNDS_MAX: usize = 24;

type AutotaskOf<P> = <<P as Ports>::Outside as Outside>::Autotask;
type QuickBooksOf<P> = <<P as Ports>::Outside as Outside>::QuickBooks;

/// Everything one attempt holds.
pub(super) struct Attempt<'e, P: Ports> {
    pub(super) engine: &'e Engine<P>,
    pub(super) tenant: TenantId,
    pub(super) realm: RealmId,
    pub(super) settings: Settings,
    pub(super) submitted: StatusId,
    pub(super) origin: Origin,
    pub(super) deadline: Timestamp,
    pub(super) holder: Holder,
    pub(super) autotask: Arc<AutotaskOf<P>>,
    pub(super) quickbooks: Arc<QuickBooksOf<P>>,
    pub(super) books: SharedBooks,
    pub(super) jobs: Vec<Job>,
    /// Whether QuickBooks answered other calls of this attempt.
    pub(super) quickbooks_answered: bool,
}

/// One order in an attempt.
pub(super) struct Job {
    pub(super) record: SyncRecord,
    pub(super) stored: Stored,
    pub(super) order: Option<Order>,
    pub(super) read_at: Timestamp,
    pub(super) halt: Option<Halt>,
    pub(super) replanned: bool,
}

/// What the store holds for an order, as far as this attempt knows.
pub(super) struct Stored {
    expected: Expected<OperationId>,
    state: StateName,
    holds_lease: bool,
}

/// Why an attempt goes no further with an order although a step is left.
pub(super) enum Halt {
    /// Something outside this order's record is waited for.
    Waits(Notice, Option<Timestamp>),
    /// It may not be transferred, and its record says all there is to say.
    Ineligible(Ineligible),
    /// There was no time left.
    TimeShort,
}

impl Job {
    pub(super) fn known(record: SyncRecord, order: Option<Order>, read_at: Timestamp) -> Self {
        let expected = Expected::Is(record.operation.clone());
        Self::with(record, order, read_at, expected)
    }

    pub(super) fn new(record: SyncRecord, order: Option<Order>, read_at: Timestamp) -> Self {
        Self::with(record, order, read_at, Expected::Absent)
    }

    fn with(
        record: SyncRecord,
        order: Option<Order>,
        read_at: Timestamp,
        expected: Expected<OperationId>,
    ) -> Self {
        let stored = Stored {
            expected,
            state: record.state.name(),
            holds_lease: false,
        };
        Self {
            record,
            stored,
            order,
            read_at,
            halt: None,
            replanned: false,
        }
    }

    pub(super) fn id(&self) -> OrderId {
        self.record.key.order
    }
}

/// One line of an order's story.
pub(super) fn entry(
    at: Timestamp,
    order: OrderId,
    event: HistoryEvent,
    text: impl Into<String>,
    detail: serde_json::Value,
) -> HistoryEntry {
    HistoryEntry {
        at,
        order,
        event,
        detail,
        text: text.into(),
    }
}

impl<P: Ports> Attempt<'_, P> {
    /// Drives every order as far as it goes now.
    pub(super) async fn run(&mut self) -> Result<SyncReport, StoreError> {
        for index in 0..self.jobs.len() {
            self.enter(index).await?;
        }
        for _ in 0..ROUNDS_MAX {
            let Some((step, group)) = self.next_group() else {
                break;
            };
            if self.is_time_short() && step != Step::WriteBack {
                group
                    .iter()
                    .for_each(|index| self.jobs[*index].halt = Some(Halt::TimeShort));
                continue;
            }
            self.take(step, &group).await?;
        }
        self.release_all().await?;
        let left_over = self
            .jobs
            .iter()
            .filter(|job| matches!(job.halt, Some(Halt::TimeShort)));
        Ok(SyncReport {
            left_over: left_over.map(Job::id).collect(),
            outcomes: self.jobs.iter().map(Job::outcome).collect(),
        })
    }

    async fn take(&mut self, step: Step, group: &[usize]) -> Result<(), StoreError> {
        match step {
            Step::Settle => self.settle_group(group).await,
            Step::Verify => self.verify_group(group).await,
            Step::Plan => self.plan_group(group).await,
            Step::WriteBack => self.write_back_group(group).await,
            Step::MarkError => self.mark_error_group(group).await,
            Step::OpenTodo => self.open_todo_group(group).await,
            Step::CloseTodo => self.close_todo_group(group).await,
            Step::Rest(_) | Step::Done => Ok(()),
        }
    }

    /// The earliest kind of step that is open, with all orders that need it.
    fn next_group(&self) -> Option<(Step, Vec<usize>)> {
        let now = self.engine.now();
        let open = self
            .jobs
            .iter()
            .enumerate()
            .filter(|(_, job)| job.halt.is_none());
        let steps: Vec<_> = open
            .map(|(index, job)| (next_step(&job.record, now, &self.engine.guards), index))
            .filter(|(step, _)| !matches!(step, Step::Rest(_) | Step::Done))
            .collect();
        let first = steps.iter().map(|(step, _)| *step).min()?;
        let group = steps.into_iter().filter(|(step, _)| *step == first);
        Some((first, group.map(|(_, index)| index).collect()))
    }

    pub(super) fn is_time_short(&self) -> bool {
        later(self.engine.now(), self.engine.policy.function_reserve) > self.deadline
    }

    /// Takes the lease in memory and decides whether this order is to be worked on at all.
    async fn enter(&mut self, index: usize) -> Result<(), StoreError> {
        let now = self.engine.now();
        let window = self.window(now);
        let job = &mut self.jobs[index];
        if !claim(
            &mut job.record,
            &self.holder,
            now,
            &self.engine.policy,
            &self.engine.guards,
        ) {
            let until = job.record.lease.as_ref().map(|lease| lease.until);
            job.halt = Some(Halt::Waits(Notice::new(Code::Overtaken), until));
            return Ok(());
        }
        if self.origin.is_person()
            && let Some(wait) = &mut job.record.wait
            && !wait.is_doubt()
        {
            wait.not_before = now;
        }
        if let Some(order) = &job.order {
            job.record.order_number = order.display_number();
            // A person who cleared ERROR took our mark away with it.
            if order.external() == ExternalNumber::Blank
                && job.record.error_mark == ErrorMark::Written
            {
                job.record.error_mark = ErrorMark::None;
            }
        }
        let judged = judge(job, &window, self.origin);
        match judged {
            Judged::GoOn => Ok(()),
            Judged::Reopen => self.reopen(index).await,
            Judged::Skip(reason) => self.skip(index, reason).await,
            Judged::Leave(reason) => {
                let finished = self.jobs[index].record.is_settled();
                if finished {
                    self.jobs[index].halt = Some(Halt::Ineligible(reason));
                }
                self.answer_request(index).await
            }
            Judged::AlreadyDone => self.answer_request(index).await,
        }
    }

    pub(super) fn window(&self, now: Timestamp) -> Window {
        let zone = {
            let books = self
                .books
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            books.company().time_zone.clone()
        };
        Window::new(&self.settings, self.submitted, zone.as_deref(), now)
    }

    /// A settled order that became eligible again starts over from what is known to exist.
    async fn reopen(&mut self, index: usize) -> Result<(), StoreError> {
        let guards = self.engine.guards;
        let job = &mut self.jobs[index];
        let record = &mut job.record;
        record.wait = None;
        record.state = match std::mem::replace(&mut record.state, State::Queued) {
            State::Linked { bill }
            | State::NeedsPerson {
                bill: Some(bill),
                intent: None,
                ..
            } => {
                let bill = crate::record::BillLink {
                    seen_under: 0,
                    ..bill
                };
                State::Created { bill }
            }
            State::NeedsPerson {
                intent: Some(intent),
                ..
            } => {
                let intent = crate::record::Intent {
                    in_doubt: true,
                    ..intent
                };
                State::Planned { intent }
            }
            State::Orphaned { .. } => {
                next_generation(record, &guards);
                State::Queued
            }
            State::Refused { .. } | State::Skipped { .. } | State::NeedsPerson { .. } => {
                State::Queued
            }
            State::Queued => State::Queued,
            State::Planned { intent } => State::Planned { intent },
            State::Created { bill } => State::Created { bill },
        };
        let text = "The order is taken up again.";
        let event = self.event(
            index,
            HistoryEvent::Asked,
            text,
            json!({ "origin": self.origin }),
        );
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
        let record = &mut self.jobs[index].record;
        record.wait = None;
        unflag(record);
        record.state = State::Skipped { reason };
        let event = self.event(index, HistoryEvent::Skipped, text, detail);
        self.commit(index, vec![event]).await
    }

    /// The person who asked is told even when nothing had to be done.
    async fn answer_request(&mut self, index: usize) -> Result<(), StoreError> {
        let record = &self.jobs[index].record;
        if record.request.is_none() || !record.is_settled() {
            return Ok(());
        }
        self.commit(index, Vec::new()).await
    }

    /// The order needs a person; `intent_kept` tells whether something may exist in QuickBooks.
    pub(super) async fn refuse(&mut self, index: usize, notice: Notice) -> Result<(), StoreError> {
        let record = &mut self.jobs[index].record;
        record.wait = None;
        let text = notice.text();
        let detail = json!({ "code": notice.code });
        flag(record, &notice, true);
        record.state = State::Refused { notice };
        let event = self.event(index, HistoryEvent::Refused, text, detail);
        self.commit(index, vec![event]).await
    }

    /// Applies a failure to one order, by its class alone.
    pub(super) async fn fail(&mut self, index: usize, failure: Failure) -> Result<(), StoreError> {
        tracing::warn!(
            tenant.id = %self.tenant,
            po.id = %self.jobs[index].id(),
            failure.class = %failure.class(),
            failure.code = %failure.code(),
            vendor.status = failure.answer.status,
            vendor.code = failure.answer.code.as_deref(),
            vendor.tid = failure.answer.tid.as_deref(),
            "a step failed"
        );
        // What is sent or made already cannot be refused any more: it is tried again.
        let is_open = matches!(self.jobs[index].record.state, State::Queued);
        match failure.class() {
            FailureClass::Refuse if is_open => self.refuse(index, failure.notice).await,
            FailureClass::Replan | FailureClass::Adopt if is_open => {
                self.replan(index, failure).await
            }
            FailureClass::Refuse | FailureClass::Replan | FailureClass::Adopt => {
                self.postpone(index, failure).await
            }
            FailureClass::TenantTrouble | FailureClass::Reconnect => {
                self.stop_tenant(&failure).await
            }
            FailureClass::Retry
            | FailureClass::Refresh
            | FailureClass::InDoubt
            | FailureClass::Bug => {
                let settings = Some(&self.settings);
                self.engine
                    .note_failure(&self.tenant, &failure, settings)
                    .await?;
                self.postpone(index, failure).await
            }
        }
    }

    /// Every order of this attempt would fail alike: all of them wait as they are.
    pub(super) async fn stop_tenant(&mut self, failure: &Failure) -> Result<(), StoreError> {
        self.engine
            .note_failure(&self.tenant, failure, Some(&self.settings))
            .await?;
        let now = self.engine.now();
        let is_trouble = failure.class() == FailureClass::TenantTrouble;
        let next = is_trouble.then(|| later(now, self.engine.policy.trouble_recheck));
        for job in self.jobs.iter_mut().filter(|job| job.halt.is_none()) {
            let step = next_step(&job.record, now, &self.engine.guards);
            if !matches!(step, Step::Done | Step::Rest(_)) {
                job.halt = Some(Halt::Waits(failure.notice.clone(), next));
            }
        }
        Ok(())
    }

    pub(super) async fn fail_group(
        &mut self,
        group: &[usize],
        failure: &Failure,
    ) -> Result<(), StoreError> {
        for index in group {
            if self.jobs[*index].halt.is_none() {
                self.fail(*index, failure.clone()).await?;
            }
        }
        Ok(())
    }

    /// What was known is out of date: once, read and plan again; twice, a person must look.
    async fn replan(&mut self, index: usize, failure: Failure) -> Result<(), StoreError> {
        if self.jobs[index].replanned {
            return self.refuse(index, failure.notice).await;
        }
        self.engine.books.forget(&self.tenant);
        let fresh = self.engine.books.get(
            &self.tenant,
            &*self.quickbooks,
            self.engine.now(),
            &self.engine.policy,
        );
        match fresh.await {
            Ok(books) => self.books = books,
            Err(failure) => return Box::pin(self.fail(index, failure)).await,
        }
        let job = &mut self.jobs[index];
        job.replanned = true;
        job.record.wait = None;
        job.record.state = State::Queued;
        Ok(())
    }

    async fn postpone(&mut self, index: usize, failure: Failure) -> Result<(), StoreError> {
        let now = self.engine.now();
        let permille = self.engine.ports.chance().permille();
        // Autotask answered when the order was read; QuickBooks when it answered another call.
        let counts = match failure.system() {
            Some(System::QuickBooks) => self.quickbooks_answered,
            Some(System::Autotask) | None => true,
        } && failure.retry_after.is_none();
        let record = &mut self.jobs[index].record;
        let pause = wait(
            record,
            failure.notice.clone(),
            failure.retry_after,
            counts,
            (now, permille, &self.engine.policy),
        );
        if pause.counted_seconds >= u64::from(self.settings.give_up_hours) * 3600 {
            return self.give_up(index, &failure.notice).await;
        }
        let text = failure.notice.text();
        let detail = json!({
            "code": failure.notice.code,
            "class": failure.class().to_string(),
            "until": pause.not_before,
            "status": failure.answer.status,
            "vendor_code": failure.answer.code,
            "tid": failure.answer.tid,
        });
        record.wait = Some(pause);
        let event = self.event(index, HistoryEvent::Waiting, text, detail);
        self.commit(index, vec![event]).await
    }

    async fn give_up(&mut self, index: usize, cause: &Notice) -> Result<(), StoreError> {
        let hours = self.settings.give_up_hours.to_string();
        let record = &self.jobs[index].record;
        let notice = Notice::new(Code::GivenUp)
            .with("order", record.order_number.as_str())
            .with("hours", hours)
            .with("cause", cause.cause())
            .with("remedy", cause.remedy());
        match record.state.clone() {
            State::Planned { intent } => self.need_person(index, notice, Some(intent), None).await,
            State::Created { bill } => self.need_person(index, notice, None, Some(bill)).await,
            State::Queued => self.refuse(index, notice).await,
            State::Linked { .. }
            | State::Refused { .. }
            | State::NeedsPerson { .. }
            | State::Orphaned { .. }
            | State::Skipped { .. } => {
                // Only flags are owed: keep trying, nothing else can be lost.
                if let Some(wait) = &mut self.jobs[index].record.wait {
                    wait.counted_seconds = 0;
                }
                self.commit(index, Vec::new()).await
            }
        }
    }

    pub(super) async fn need_person(
        &mut self,
        index: usize,
        notice: Notice,
        intent: Option<crate::record::Intent>,
        bill: Option<crate::record::BillLink>,
    ) -> Result<(), StoreError> {
        let mark_error = notice.code != Code::NumberByHand && notice.code != Code::WriteBackRefused;
        let record = &mut self.jobs[index].record;
        record.wait = None;
        let text = notice.text();
        let detail = json!({ "code": notice.code, "bill": bill.as_ref().map(|bill| &bill.id) });
        flag(record, &notice, mark_error);
        record.state = State::NeedsPerson {
            notice,
            intent,
            bill,
        };
        let event = self.event(index, HistoryEvent::NeedsPerson, text, detail);
        self.commit(index, vec![event]).await
    }

    pub(super) fn event(
        &self,
        index: usize,
        event: HistoryEvent,
        text: impl Into<String>,
        detail: serde_json::Value,
    ) -> HistoryEntry {
        entry(
            self.engine.now(),
            self.jobs[index].id(),
            event,
            text,
            detail,
        )
    }

    /// Writes one record if it is still as this attempt read it. A lost race halts the order here.
    ///
    /// The lease is kept only while a step follows at once.
    pub(super) async fn commit(
        &mut self,
        index: usize,
        history: Vec<HistoryEntry>,
    ) -> Result<(), StoreError> {
        let now = self.engine.now();
        let engine = self.engine;
        let job = &mut self.jobs[index];
        if !is_legal(job.stored.state, job.record.state.name()) {
            tracing::error!(po.id = %job.id(), "an illegal transition was not written");
            job.halt = Some(Halt::Waits(Notice::new(Code::QuickBooksBug), None));
            return Ok(());
        }
        let step = next_step(&job.record, now, &engine.guards);
        let goes_on = job.halt.is_none() && !matches!(step, Step::Done | Step::Rest(_));
        if goes_on {
            renew_lease(&mut job.record, &self.holder, now, &engine.policy);
        } else {
            job.record.lease = None;
        }
        job.record.operation = engine.operation();
        job.record.updated_at = now;
        let (mails, mut told) = mail::due(&mut job.record, now, &engine.policy);
        let mut history = history;
        history.append(&mut told);
        let expected = match engine.guards.fence {
            true => job.stored.expected.clone(),
            false => Expected::Any,
        };
        let change = Change {
            due_at: due_at(&job.record, engine),
            record: job.record.clone(),
            expected,
            history,
            mails,
        };
        match engine.ports.store().commit(vec![change]).await?.pop() {
            Some(Committed::Done) => {
                job.stored.expected = Expected::Is(job.record.operation.clone());
                job.stored.state = job.record.state.name();
                job.stored.holds_lease = goes_on;
            }
            Some(Committed::Conflict(_)) | None => {
                job.stored.holds_lease = false;
                job.halt = Some(Halt::Waits(Notice::new(Code::Overtaken), None));
            }
        }
        Ok(())
    }

    /// Gives back every lease that is still held, so that the next attempt need not wait for it.
    async fn release_all(&mut self) -> Result<(), StoreError> {
        for index in 0..self.jobs.len() {
            if self.jobs[index].stored.holds_lease {
                let halt = self.jobs[index].halt.take();
                self.jobs[index].halt = halt.or(Some(Halt::TimeShort));
                self.commit(index, Vec::new()).await?;
            }
        }
        Ok(())
    }

    /// Reads the orders of a group again, in one call.
    pub(super) async fn reread(&mut self, group: &[usize]) -> Result<(), Failure> {
        let ids: Vec<_> = group.iter().map(|index| self.jobs[*index].id()).collect();
        let mut orders = self.autotask.orders(&ids).await?;
        let now = self.engine.now();
        for index in group {
            let job = &mut self.jobs[*index];
            let place = orders.iter().position(|order| order.id == job.id());
            job.order = place.map(|place| orders.swap_remove(place));
            job.read_at = now;
        }
        Ok(())
    }
}

fn due_at<P: Ports>(record: &SyncRecord, engine: &Engine<P>) -> Option<Timestamp> {
    let due = record.due_at(engine.policy.queued_age_max)?;
    let tell = record
        .request
        .as_ref()
        .filter(|request| !request.told_waiting);
    let tell = tell.map(|request| later(request.asked_at, engine.policy.mail_after));
    Some(tell.map_or(due, |tell| due.min(tell)))
}

enum Judged {
    GoOn,
    Reopen,
    Skip(Ineligible),
    Leave(Ineligible),
    AlreadyDone,
}

/// Decides from the record and the order as it is now whether there is anything to do.
pub(super) fn judge_order(
    order: Option<&Order>,
    record: &SyncRecord,
    window: &Window,
    origin: Origin,
) -> Result<(), Ineligible> {
    let Some(order) = order else {
        return Err(Ineligible::Gone);
    };
    let ours = record.error_mark == ErrorMark::Written || record.request.is_some();
    let origin = if ours && origin != Origin::Scan {
        Origin::Retry
    } else {
        origin
    };
    window.judge(order, origin)
}

fn judge(job: &Job, window: &Window, origin: Origin) -> Judged {
    let record = &job.record;
    let judged = judge_order(job.order.as_ref(), record, window, origin);
    match (&record.state, judged) {
        (State::Queued, Ok(())) => Judged::GoOn,
        // ERROR that we wrote ourselves does not stop what a person has already asked for.
        (State::Queued, Err(Ineligible::MarkedError))
            if record.error_mark == ErrorMark::Written =>
        {
            Judged::GoOn
        }
        (State::Queued, Err(reason)) => Judged::Skip(reason),
        (State::Planned { .. } | State::Created { .. }, _) => Judged::GoOn,
        (State::Linked { bill }, judged) => judge_linked(job, bill.written_number(), judged),
        (
            State::Refused { .. }
            | State::NeedsPerson { .. }
            | State::Orphaned { .. }
            | State::Skipped { .. },
            Ok(()),
        ) if record.is_settled() || origin != Origin::Sweep => Judged::Reopen,
        (
            State::Refused { .. } | State::NeedsPerson { .. },
            Err(reason @ Ineligible::HasNumber { .. }),
        ) => Judged::Skip(reason),
        (_, Err(reason)) => Judged::Leave(reason),
        (_, Ok(())) => Judged::GoOn,
    }
}

fn judge_linked(job: &Job, written: &str, judged: Result<(), Ineligible>) -> Judged {
    let external = job.order.as_ref().map(Order::external);
    match (judged, external) {
        (Ok(()), _) => Judged::Reopen,
        (Err(_), Some(ExternalNumber::Number(number))) if number == written => Judged::AlreadyDone,
        (Err(reason), _) => Judged::Leave(reason),
    }
}
