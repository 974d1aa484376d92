//! The link between bill and order: verify the bill, write its number, or write ERROR.

use std::time::Duration;

use serde_json::json;

use crate::{
    eligibility::Ineligible,
    failure::{Failure, FailureClass},
    notice::{Code, Notice},
    orders::{ERROR_WORD, ExternalNumber, Order},
    ports::{Autotask, HistoryEvent, QuickBooks, StoreError},
    protocol::{
        flag, forget_late_number, next_generation, note_late_error, note_late_number,
        release_error, unflag, wait_for_landing,
    },
    record::{BillLink, ErrorMark, State, Wait, later},
};

use super::{
    Ports,
    attempt::{Attempt, Halt},
};

/// The oldest reading of an order that counts as "directly before" a write to it. Not divided by any
/// scale: it is about people, not about waits.
const WRITE_AGE_MAX: Duration = Duration::from_secs(2);

impl<P: Ports> Attempt<'_, P> {
    /// Looks whether bills known from earlier attempts still exist.
    pub(super) async fn verify_group(&mut self, group: &[usize]) -> Result<(), StoreError> {
        for index in group.iter().copied() {
            if self.jobs[index].halt.is_some() {
                continue;
            }
            let State::Created { bill } = &self.jobs[index].record.state else {
                continue;
            };
            let bill = bill.clone();
            match self.quickbooks.bill(&bill.id).await {
                Ok(Some(_)) => {
                    let record = &mut self.jobs[index].record;
                    let seen_under = record.fence;
                    let text = format!("The bill {} still exists.", bill.id);
                    let detail = json!({ "bill": bill.id });
                    record.wait = record.wait.take().filter(|wait| !wait.is_doubt());
                    forget_late_number(record, &bill);
                    record.state = State::Created {
                        bill: BillLink { seen_under, ..bill },
                    };
                    let event = self.event(index, HistoryEvent::Verified, text, detail);
                    self.commit(index, vec![event]).await?;
                }
                Ok(None) => self.bill_gone(index, bill).await?,
                Err(failure) => self.fail(index, failure).await?,
            }
        }
        Ok(())
    }

    /// The bill was deleted. With its number in Autotask that is for a person to judge; without, the
    /// order is simply not billed. Another bill is made once that number cannot land there any more.
    async fn bill_gone(&mut self, index: usize, bill: BillLink) -> Result<(), StoreError> {
        // From before the order is read: what it says then may be the last word.
        let (found_at, policy) = (self.moment(), self.engine.policy);
        let record = &mut self.jobs[index].record;
        let earlier = record
            .late_number
            .as_ref()
            .and_then(|late| late.bill.clone());
        let earlier = earlier.filter(|it| it.written_number() != bill.written_number());
        if earlier.is_none() {
            note_late_number(record, &bill, found_at, &policy);
        }
        if let Err(failure) = self.reread(&[index]).await {
            return self.fail(index, failure).await;
        }
        let external = self.jobs[index].order.as_ref().map(Order::external);
        let stands = |it: &BillLink| external == Some(ExternalNumber::Number(it.written_number()));
        if let Some(dead) = [Some(bill.clone()), earlier]
            .into_iter()
            .flatten()
            .find(stands)
        {
            return self.orphan(index, dead).await;
        }
        let guards = self.engine.guards;
        let record = &mut self.jobs[index].record;
        note_late_number(record, &bill, found_at, &policy);
        let pause = wait_for_landing(record, found_at, (&policy, &guards));
        // Also where nothing may be transferred just now: that can change again before the number lands.
        if let Some(pause) = pause {
            return self.rest(index, pause).await;
        }
        let record = &mut self.jobs[index].record;
        record.wait = None;
        record.late_number = None;
        next_generation(record, &guards);
        record.state = State::Queued;
        let text = format!(
            "The bill {} no longer exists; the order is planned anew.",
            bill.id
        );
        let event = self.event(
            index,
            HistoryEvent::Verified,
            text,
            json!({ "bill": bill.id }),
        );
        self.commit(index, vec![event]).await
    }

    /// How long to wait for what may still land in an order.
    fn landing_pause(&self, index: usize) -> Option<Wait> {
        let (policy, guards) = (&self.engine.policy, &self.engine.guards);
        let record = &self.jobs[index].record;
        wait_for_landing(record, self.moment(), (policy, guards))
    }

    /// Nothing more is done for the order before the end of this wait.
    async fn rest(&mut self, index: usize, pause: Wait) -> Result<(), StoreError> {
        let text = pause.notice.text();
        let detail = json!({ "code": pause.notice.code, "until": pause.not_before });
        self.jobs[index].record.wait = Some(pause);
        let event = self.event(index, HistoryEvent::Waiting, text, detail);
        self.commit(index, vec![event]).await
    }

    /// A deleted bill whose number stands in Autotask: told to a person, never made again by itself.
    pub(super) async fn orphan(&mut self, index: usize, bill: BillLink) -> Result<(), StoreError> {
        let record = &mut self.jobs[index].record;
        let notice = Notice::new(Code::BillDeleted).with("number", bill.written_number());
        let notice = notice.with("order", record.order_number.as_str());
        flag(record, &notice, false);
        record.wait = None;
        let detail = json!({ "code": notice.code, "bill": bill.id });
        record.state = State::Orphaned { bill };
        let event = self.event(index, HistoryEvent::Orphaned, notice.text(), detail);
        self.commit(index, vec![event]).await
    }

    /// Re-reads the orders, writes each number that may be written, and reads all of them back.
    pub(super) async fn write_back_group(&mut self, group: &[usize]) -> Result<(), StoreError> {
        // From before the orders are read: what they say then may be the last word.
        let pauses: Vec<_> = group
            .iter()
            .map(|index| self.landing_pause(*index))
            .collect();
        if let Err(failure) = self.reread(group).await {
            return self.fail_group(group, &failure).await;
        }
        let mut written = Vec::new();
        for (place, (index, pause)) in group.iter().copied().zip(pauses).enumerate() {
            if !self.is_current(&group[place..]).await? {
                break;
            }
            let State::Created { bill } = &self.jobs[index].record.state else {
                continue;
            };
            let number = bill.written_number().to_owned();
            match (self.may_write(index, &number), pause) {
                // ERROR, or the number of a bill in whose place this one is, could land over its own.
                (MayWrite::Yes | MayWrite::IsThere, Some(pause)) => self.rest(index, pause).await?,
                (MayWrite::Yes, None) => {
                    if self.write(index, &number).await? {
                        written.push(index);
                    }
                }
                (MayWrite::IsThere, None) => self.linked(index).await?,
                (MayWrite::NotShown, _) => {
                    let number = self.jobs[index].record.order_number.clone();
                    let failure = Failure::new(Code::OrderNotShown).with("order", number);
                    self.fail(index, failure).await?;
                }
                (MayWrite::Foreign, _) => self.number_by_hand(index).await?,
            }
        }
        self.read_back(&written).await
    }

    /// Reads what is left of a group again when its reading is no longer a current one: a person may
    /// write at any moment. False when that failed and the rest waits.
    async fn is_current(&mut self, rest: &[usize]) -> Result<bool, StoreError> {
        let Some(job) = rest.first().map(|index| &self.jobs[*index]) else {
            return Ok(true);
        };
        let now = self.engine.now();
        if job.read_at <= now && now < later(job.read_at, WRITE_AGE_MAX) {
            return Ok(true);
        }
        match self.reread(rest).await {
            Ok(()) => Ok(true),
            Err(failure) => self.fail_group(rest, &failure).await.map(|()| false),
        }
    }

    /// Whether the order is still this attempt's own: whoever slept over the write before may find it
    /// with another one, which decided otherwise.
    fn is_held(&self, index: usize) -> bool {
        let now = self.engine.now();
        let lease = self.jobs[index].record.lease.as_ref();
        let is_ours =
            lease.is_some_and(|lease| lease.owner == self.holder.owner && now < lease.until);
        is_ours || !self.engine.guards.fence
    }

    fn may_write(&self, index: usize, number: &str) -> MayWrite {
        let Some(order) = &self.jobs[index].order else {
            return MayWrite::NotShown;
        };
        match order.external() {
            ExternalNumber::Blank | ExternalNumber::Error => MayWrite::Yes,
            ExternalNumber::Number(there) if there == number => MayWrite::IsThere,
            ExternalNumber::Number(_) => MayWrite::Foreign,
        }
    }

    async fn write(&mut self, index: usize, text: &str) -> Result<bool, StoreError> {
        if !self.is_held(index) {
            self.jobs[index].halt = Some(Halt::Overtaken(None));
            return Ok(false);
        }
        let id = self.jobs[index].id();
        match self.autotask.write_external_number(id, text).await {
            Ok(()) => Ok(true),
            Err(failure) if failure.class() == FailureClass::Refuse => {
                match &self.jobs[index].record.state {
                    State::Created { bill } => {
                        let bill = Some(bill.clone());
                        let detail = failure.notice.words.get("detail").cloned();
                        let detail = detail.unwrap_or_else(|| failure.notice.cause());
                        let notice = Notice::new(Code::WriteBackRefused).with("detail", detail);
                        self.need_person(index, notice, None, bill).await?;
                    }
                    _ => self.fail_quietly(index, failure).await?,
                }
                Ok(false)
            }
            Err(failure) => {
                if text == ERROR_WORD {
                    let now = self.moment();
                    note_late_error(&mut self.jobs[index].record, now);
                }
                self.fail(index, failure).await.map(|()| false)
            }
        }
    }

    /// ERROR could not be written: the to-do still goes out.
    async fn fail_quietly(&mut self, index: usize, failure: Failure) -> Result<(), StoreError> {
        tracing::warn!(po.id = %self.jobs[index].id(), failure.code = %failure.code(), "ERROR was refused");
        self.jobs[index].record.error_mark = ErrorMark::None;
        self.commit(index, Vec::new()).await
    }

    async fn read_back(&mut self, written: &[usize]) -> Result<(), StoreError> {
        let written: Vec<_> = written
            .iter()
            .copied()
            .filter(|index| self.jobs[*index].halt.is_none())
            .collect();
        if written.is_empty() {
            return Ok(());
        }
        if let Err(failure) = self.reread(&written).await {
            return self.fail_group(&written, &failure).await;
        }
        for index in written {
            let external = self.jobs[index].order.as_ref().map(Order::external);
            let is_error = external == Some(ExternalNumber::Error);
            match &self.jobs[index].record.state {
                State::Created { bill } => {
                    let number = bill.written_number();
                    if external == Some(ExternalNumber::Number(number)) {
                        self.linked(index).await?;
                    } else {
                        self.fail(index, Failure::new(Code::WriteBackNotKept))
                            .await?;
                    }
                }
                _ if is_error => self.error_written(index).await?,
                _ => {
                    self.fail(index, Failure::new(Code::WriteBackNotKept))
                        .await?;
                }
            }
        }
        Ok(())
    }

    async fn linked(&mut self, index: usize) -> Result<(), StoreError> {
        let State::Created { bill } = &self.jobs[index].record.state else {
            return Ok(());
        };
        let bill = bill.clone();
        let text = format!("External PO Number now says {}.", bill.written_number());
        let detail = json!({ "bill": bill.id, "number": bill.written_number() });
        let record = &mut self.jobs[index].record;
        record.wait = None;
        record.late_number = None;
        record.state = State::Linked { bill };
        unflag(record);
        let event = self.event(index, HistoryEvent::Linked, text, detail);
        self.commit(index, vec![event]).await
    }

    /// Another number stands there, of a person or of a bill of before: it is never overwritten.
    async fn number_by_hand(&mut self, index: usize) -> Result<(), StoreError> {
        let State::Created { bill } = &self.jobs[index].record.state else {
            return Ok(());
        };
        let bill = bill.clone();
        let record = &self.jobs[index].record;
        let notice = Notice::new(Code::NumberByHand).with("order", record.order_number.as_str());
        let notice = notice.with("bill", bill.written_number());
        self.need_person(index, notice, None, Some(bill)).await
    }

    /// Writes ERROR where the field is blank; a number that is there is left alone.
    pub(super) async fn mark_error_group(&mut self, group: &[usize]) -> Result<(), StoreError> {
        if let Err(failure) = self.reread(group).await {
            return self.fail_group(group, &failure).await;
        }
        let mut written = Vec::new();
        for (place, index) in group.iter().copied().enumerate() {
            if !self.is_current(&group[place..]).await? {
                break;
            }
            let external = self.jobs[index]
                .order
                .as_ref()
                .map(|order| match order.external() {
                    ExternalNumber::Blank => None,
                    ExternalNumber::Error => Some(ERROR_WORD.to_owned()),
                    ExternalNumber::Number(number) => Some(number.to_owned()),
                });
            match external {
                Some(None) => {
                    let now = self.moment();
                    let job = &mut self.jobs[index];
                    if !job.moved {
                        // Whoever owed it before has sent it, maybe, and died over it.
                        note_late_error(&mut job.record, now);
                    }
                    if self.write(index, ERROR_WORD).await? {
                        written.push(index);
                    }
                }
                Some(Some(text)) if text == ERROR_WORD => self.error_written(index).await?,
                Some(Some(number)) => self.error_unwanted(index, number).await?,
                None => {
                    let number = self.jobs[index].record.order_number.clone();
                    let failure = Failure::new(Code::OrderNotShown).with("order", number);
                    self.fail(index, failure).await?;
                }
            }
        }
        self.read_back(&written).await
    }

    async fn error_written(&mut self, index: usize) -> Result<(), StoreError> {
        let record = &mut self.jobs[index].record;
        record.error_mark = ErrorMark::Written;
        record.wait = None;
        let text = "External PO Number now says ERROR.";
        let event = self.event(
            index,
            HistoryEvent::ErrorWritten,
            text,
            serde_json::Value::Null,
        );
        self.commit(index, vec![event]).await
    }

    async fn error_unwanted(&mut self, index: usize, number: String) -> Result<(), StoreError> {
        let record = &mut self.jobs[index].record;
        if matches!(record.state, State::Refused { .. }) {
            return self.skip(index, Ineligible::HasNumber { number }).await;
        }
        let now = self.moment();
        release_error(&mut self.jobs[index].record, now);
        self.commit(index, Vec::new()).await
    }
}

enum MayWrite {
    Yes,
    IsThere,
    Foreign,
    NotShown,
}
