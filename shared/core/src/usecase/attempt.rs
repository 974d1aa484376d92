//! One attempt over the orders of one message, driven step by step and in bulk where it saves
//! calls: all orders that need the same step take it together.
//!
//! Here is the driver; [`enter`](super::enter) decides whether an order is worked on at all,
//! [`fail`](super::fail) what a failure means for it, [`commit`](super::commit) how it is stored.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    eligibility::{Ineligible, Window},
    failure::Failure,
    ids::{OperationId, OrderId, RealmId, StatusId, TenantId, TraceId},
    notice::Code,
    notice::Notice,
    orders::Order,
    ports::{
        Autotask as _, Expected, HistoryEntry, HistoryEvent, Outside, QuickBooks as _, StoreError,
    },
    protocol::{Holder, Step, next_step},
    record::{Origin, SentAt, StateName, SyncRecord, later},
    settings::Settings,
    tenant::KnownNames,
};

use super::{Engine, Ports, SyncReport, at_work::AtWork, books_cache::SharedBooks};

/// The longest that a reading may take on which a write rests. Not divided by any scale: it is about
/// people, not about waits.
const READING_MAX: Duration = Duration::from_secs(10);

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
    pub(super) began: Timestamp,
    pub(super) deadline: Timestamp,
    /// What it followed from.
    pub(super) trace: Option<TraceId>,
    pub(super) holder: Holder,
    pub(super) autotask: Arc<AutotaskOf<P>>,
    pub(super) quickbooks: Arc<QuickBooksOf<P>>,
    pub(super) books: SharedBooks,
    pub(super) jobs: Vec<Job>,
    /// Says that it is at them, until it is over.
    pub(super) at_work: Option<AtWork<'e, P>>,
    /// Which Autotask names QuickBooks' altered names stand for.
    pub(super) names: KnownNames,
    /// Whether this attempt met a failure that stops the whole tenant.
    pub(super) stopped: bool,
    /// Whether this attempt read the reference data from the start.
    pub(super) books_renewed: bool,
}

/// One order in an attempt.
pub(super) struct Job {
    pub(super) record: SyncRecord,
    pub(super) stored: Stored,
    pub(super) order: Option<Order>,
    pub(super) read_at: Timestamp,
    pub(super) halt: Option<Halt>,
    pub(super) replanned: bool,
    /// When an earlier attempt wrote its record last.
    pub(super) last_written: Timestamp,
    /// When this attempt wrote it last.
    pub(super) written: Option<Timestamp>,
    /// Whether this attempt wrote a state that was not there.
    pub(super) moved: bool,
}

/// What the store holds for an order, as far as this attempt knows.
pub(super) struct Stored {
    pub(super) expected: Expected<OperationId>,
    pub(super) state: StateName,
    pub(super) holds_lease: bool,
}

/// Why an attempt goes no further with an order although a step is left.
pub(super) enum Halt {
    /// Something outside this order's record is waited for.
    Waits(Notice, Option<Timestamp>),
    /// Another attempt holds it or was faster: its record is not ours to write.
    Overtaken(Option<Timestamp>),
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
            last_written: record.updated_at,
            record,
            stored,
            order,
            read_at,
            halt: None,
            replanned: false,
            written: None,
            moved: false,
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
        trace: None,
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
                for index in group {
                    self.jobs[index].halt = Some(Halt::TimeShort);
                }
                continue;
            }
            self.take(step, &group).await?;
        }
        self.leave_all().await?;
        let left_over = self
            .jobs
            .iter()
            .filter(|job| matches!(job.halt, Some(Halt::TimeShort)));
        Ok(SyncReport {
            left_over: left_over.map(Job::id).collect(),
            outcomes: self.jobs.iter().map(Job::outcome).collect(),
            tried: self.tried(),
        })
    }

    async fn take(&mut self, step: Step, group: &[usize]) -> Result<(), StoreError> {
        match step {
            Step::Settle => return self.settle_group(group).await,
            Step::Plan => return self.plan_group(group).await,
            Step::Rest(_) | Step::Done => return Ok(()),
            Step::Verify | Step::WriteBack | Step::MarkError | Step::OpenTodo | Step::CloseTodo => {
            }
        }
        let group = self.hold(group).await?;
        match step {
            _ if group.is_empty() => Ok(()),
            Step::Verify => self.verify_group(&group).await,
            Step::WriteBack => self.write_back_group(&group).await,
            Step::MarkError => self.mark_error_group(&group).await,
            Step::OpenTodo => self.open_todo_group(&group).await,
            Step::CloseTodo => self.close_todo_group(&group).await,
            Step::Settle | Step::Plan | Step::Rest(_) | Step::Done => Ok(()),
        }
    }

    /// Makes the claim of these orders durable before calls that no stored intent precedes, so
    /// that two attempts never write to one order at the same time. Returns those still held.
    async fn hold(&mut self, group: &[usize]) -> Result<Vec<usize>, StoreError> {
        for index in group.iter().copied() {
            let enough = later(self.engine.now(), self.engine.policy.call_timeout);
            let job = &self.jobs[index];
            let lease = job.record.lease.as_ref().filter(|_| job.stored.holds_lease);
            if lease.is_none_or(|lease| lease.until < enough) {
                self.commit(index, Vec::new()).await?;
            }
        }
        let held = group.iter().copied();
        Ok(held.filter(|i| self.jobs[*i].halt.is_none()).collect())
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

    /// Now, by our clock and by QuickBooks'.
    pub(super) fn moment(&self) -> SentAt {
        SentAt {
            local: self.engine.now(),
            server: self.quickbooks.server_now(),
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

    /// Reads the orders of a group again, in one call.
    pub(super) async fn reread(&mut self, group: &[usize]) -> Result<(), Failure> {
        let ids: Vec<_> = group.iter().map(|index| self.jobs[*index].id()).collect();
        let began = self.engine.now();
        let mut orders = self.autotask.orders(&ids).await?;
        let now = self.engine.now();
        if now < began || later(began, READING_MAX) < now {
            // Whoever slept with the answer in the hand does not know how old it is.
            return Err(Failure::new(Code::TimeShort));
        }
        for index in group {
            let job = &mut self.jobs[*index];
            let place = orders.iter().position(|order| order.id == job.id());
            job.order = place.map(|place| orders.swap_remove(place));
            job.read_at = now;
        }
        Ok(())
    }
}
