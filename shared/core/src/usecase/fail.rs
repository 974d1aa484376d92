//! What a failure means for one order: refused, postponed, given up, or the whole tenant stopped.

use serde_json::json;

use crate::{
    failure::{Failure, FailureClass},
    notice::{Code, Notice},
    ports::{Chance as _, HistoryEvent, StoreError},
    protocol::{Step, flag, next_step, release_error, wait},
    record::{BillLink, ErrorMark, Intent, State, Wait, later},
};

use super::{
    Ports,
    attempt::{Attempt, Halt},
};

impl<P: Ports> Attempt<'_, P> {
    /// The order needs a person, and nothing of ours exists in QuickBooks.
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
                if failure.code() == Code::QuickBooksThrottled && !self.origin.is_person() {
                    self.keep_quiet(index, &failure).await?;
                }
                self.postpone(index, failure).await
            }
        }
    }

    /// QuickBooks asked for quiet: whatever else of this attempt would call it waits too.
    async fn keep_quiet(&mut self, asked: usize, failure: &Failure) -> Result<(), StoreError> {
        let now = self.engine.now();
        let until = failure.retry_after.map(|wait| later(now, wait));
        for index in 0..self.jobs.len() {
            let job = &self.jobs[index];
            let step = next_step(&job.record, now, &self.engine.guards);
            let calls = matches!(step, Step::Plan | Step::Settle | Step::Verify);
            if index == asked || job.halt.is_some() || !calls {
                continue;
            }
            self.postpone(index, failure.clone()).await?;
            let job = &mut self.jobs[index];
            if job.halt.is_none() {
                job.halt = Some(Halt::Waits(failure.notice.clone(), until));
            }
        }
        Ok(())
    }

    /// Every order of this attempt would fail alike: all of them wait as they are.
    pub(super) async fn stop_tenant(&mut self, failure: &Failure) -> Result<(), StoreError> {
        self.engine
            .note_failure(&self.tenant, failure, Some(&self.settings))
            .await?;
        let now = self.engine.now();
        self.stopped = true;
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
        if let Err(failure) = self.renew_books().await {
            return Box::pin(self.fail(index, failure)).await;
        }
        let job = &mut self.jobs[index];
        job.replanned = true;
        job.record.wait = None;
        job.record.state = State::Queued;
        Ok(())
    }

    /// Reads the reference data from the start.
    pub(super) async fn renew_books(&mut self) -> Result<(), Failure> {
        let (engine, now) = (self.engine, self.engine.now());
        engine.books.forget(&self.tenant);
        let fresh = engine
            .books
            .get(&self.tenant, &*self.quickbooks, now, &engine.policy);
        self.books = fresh.await?;
        self.books_renewed = true;
        Ok(())
    }

    async fn postpone(&mut self, index: usize, failure: Failure) -> Result<(), StoreError> {
        let now = self.engine.now();
        let permille = self.engine.ports.chance().permille();
        // An attempt begins only after both systems have answered; our own troubles and waits that
        // a system asks for never lead to giving up.
        let counts = failure.system().is_some() && failure.retry_after.is_none();
        let last = self.jobs[index].last_written;
        let record = &mut self.jobs[index].record;
        let pause = wait(
            record,
            failure.notice.clone(),
            failure.retry_after,
            counts,
            (last, now),
            (permille, &self.engine.policy),
        );
        if pause.counted_seconds >= u64::from(self.settings.give_up_hours) * 3600 {
            return self.give_up(index, &failure.notice, pause).await;
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

    async fn give_up(
        &mut self,
        index: usize,
        cause: &Notice,
        pause: Wait,
    ) -> Result<(), StoreError> {
        let hours = self.settings.give_up_hours.to_string();
        let remedy = if cause.passes() {
            "Wait until that has passed.".to_owned()
        } else {
            cause.remedy()
        };
        let record = &self.jobs[index].record;
        let notice = Notice::new(Code::GivenUp)
            .with("order", record.order_number.as_str())
            .with("hours", hours)
            .with("cause", cause.cause())
            .with("remedy", remedy);
        match record.state.clone() {
            State::Planned { intent } => self.need_person(index, notice, Some(intent), None).await,
            State::Created { bill } => self.need_person(index, notice, None, Some(bill)).await,
            State::Queued => self.refuse(index, notice).await,
            State::Linked { .. }
            | State::Refused { .. }
            | State::NeedsPerson { .. }
            | State::Orphaned { .. }
            | State::Skipped { .. } => {
                // Only flags are owed. The to-do is tried for ever; a mark that could not be
                // written for so long (the order may be gone) is let go.
                let now = self.moment();
                let record = &mut self.jobs[index].record;
                if record.error_mark == ErrorMark::Owed {
                    release_error(record, now);
                }
                record.wait = Some(Wait {
                    counted_seconds: 0,
                    ..pause
                });
                self.commit(index, Vec::new()).await
            }
        }
    }

    pub(super) async fn need_person(
        &mut self,
        index: usize,
        notice: Notice,
        intent: Option<Intent>,
        bill: Option<BillLink>,
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
}
