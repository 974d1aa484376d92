//! Storing one order: a conditional write with its story and its mails, or a race that was lost.

use crate::{
    notice::{Code, Notice},
    ports::{Change, Committed, Expected, HistoryEntry, Ledger as _, StoreError},
    protocol::{Holder, Step, is_legal, next_step, renew_lease},
    record::{State, SyncRecord},
};

use super::{
    Outcome, OutcomeKind, Ports,
    attempt::{Attempt, Halt, Job},
    mail,
};

/// How often one write takes in a person's wish that was noted in between.
const MERGES_MAX: usize = 3;

impl<P: Ports> Attempt<'_, P> {
    /// Writes one record if it is still as this attempt read it. A lost race halts the order here.
    ///
    /// The lease is kept only while a step follows at once.
    pub(super) async fn commit(
        &mut self,
        index: usize,
        history: Vec<HistoryEntry>,
    ) -> Result<(), StoreError> {
        for _ in 0..MERGES_MAX {
            let job = &mut self.jobs[index];
            if !is_legal(job.stored.state, job.record.state.name()) {
                tracing::error!(po.id = %job.id(), "an illegal transition was not written");
                job.halt = Some(Halt::Waits(Notice::new(Code::QuickBooksBug), None));
                return Ok(());
            }
            let (change, goes_on) = self.change(index, history.clone());
            let written = self.engine.ports.store().commit(vec![change]).await?.pop();
            let job = &mut self.jobs[index];
            match written {
                Some(Committed::Done) => {
                    job.stored.expected = Expected::Is(job.record.operation.clone());
                    job.stored.holds_lease = goes_on;
                    job.note_written(self.engine.now());
                    return Ok(());
                }
                Some(Committed::Conflict(Some(found))) if only_asked(job, &found, &self.holder) => {
                    job.stored.expected = Expected::Is(found.operation);
                    job.record.request = found.request;
                }
                Some(Committed::Conflict(_)) | None => break,
            }
        }
        let job = &mut self.jobs[index];
        job.stored.holds_lease = false;
        job.halt = Some(Halt::Overtaken(None));
        Ok(())
    }

    /// The write of one record as it shall be now, and whether a step follows at once.
    fn change(&mut self, index: usize, mut history: Vec<HistoryEntry>) -> (Change, bool) {
        let (engine, now) = (self.engine, self.engine.now());
        let job = &mut self.jobs[index];
        let step = next_step(&job.record, now, &engine.guards);
        let goes_on = job.halt.is_none() && !matches!(step, Step::Done | Step::Rest(_));
        if goes_on {
            renew_lease(&mut job.record, &self.holder, now, &engine.policy);
        } else {
            job.record.lease = None;
        }
        if job.record.state.name() != job.stored.state && !is_under_way(&job.record.state) {
            // It has come to an end without failing.
            job.record.defects = 0;
        }
        job.record.operation = engine.operation();
        job.record.updated_at = now;
        let mut mails = Vec::new();
        if !goes_on {
            // While a step follows at once, the result is better waited for than told of.
            let outcome = job.outcome();
            let told = (&outcome, job.record.is_settled());
            let (due, mut told) = mail::due(&mut job.record, told, now, &engine.policy);
            mails = due;
            history.append(&mut told);
        }
        for line in &mut history {
            line.trace.clone_from(&self.trace);
        }
        let expected = if engine.guards.fence {
            job.stored.expected.clone()
        } else {
            Expected::Any
        };
        let change = Change {
            due_at: job.record.due_at(&engine.policy),
            record: job.record.clone(),
            expected,
            history,
            mails,
        };
        (change, goes_on)
    }

    /// Gives back every lease that is still held, so that the next attempt need not wait for it,
    /// and answers whoever asked for an order that had nothing left to do.
    pub(super) async fn leave_all(&mut self) -> Result<(), StoreError> {
        let now = self.engine.now();
        for index in 0..self.jobs.len() {
            let job = &mut self.jobs[index];
            if matches!(job.halt, Some(Halt::Overtaken(_))) {
                continue;
            }
            let holds = job.stored.holds_lease;
            if holds && job.halt.is_none() {
                job.halt = Some(Halt::TimeShort);
            }
            let asked = job.record.request.is_some() && job.record.is_settled();
            if holds || asked || mail::is_overdue(&job.record, now, &self.engine.policy) {
                self.commit(index, Vec::new()).await?;
            }
        }
        Ok(())
    }
}

/// Whether an order has not come to any end yet.
const fn is_under_way(state: &State) -> bool {
    matches!(
        state,
        State::Queued | State::Planned { .. } | State::Created { .. }
    )
}

/// Whether what was found differs from what we wrote last only by a person's wish: every other
/// attempt would have raised the fence.
fn only_asked(job: &Job, found: &SyncRecord, holder: &Holder) -> bool {
    let ours = found
        .lease
        .as_ref()
        .is_some_and(|lease| lease.owner == holder.owner);
    job.stored.holds_lease
        && ours
        && found.fence == job.record.fence
        && found.state.name() == job.stored.state
}

/// The outcome of an order that waits for something its record does not know.
pub(super) fn waiting_for(
    record: &SyncRecord,
    notice: &Notice,
    next: Option<jiff::Timestamp>,
) -> Outcome {
    let outcome = Outcome::of(record);
    match (outcome.outcome, &record.state) {
        // A number that may still land is looked at no sooner than everything else.
        (OutcomeKind::Waiting, _) | (OutcomeKind::InDoubt, State::Created { .. }) => {
            Outcome::waiting(record.key.order, &record.order_number, notice, next)
        }
        _ => outcome,
    }
}
