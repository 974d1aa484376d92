//! Whether an order that was read is the order its record is about.
//!
//! The ledger names orders by their ids, which mean nothing in another Autotask database. Once a
//! bill was sent for an order, nothing may be written for another order with the same id.
//!
//! The rule: when both moments of creation are known they alone decide, to the second, because
//! Autotask lets nobody change them; a renamed vendor or a changed number is then still the same
//! order. When one of them is not known, number and vendor must both differ: one alone is changed
//! by people.

use serde_json::json;

use crate::{
    failure::Failure,
    notice::{Code, Notice},
    orders::{ExternalNumber, Order},
    ports::{Autotask, HistoryEvent, StoreError},
    record::{ErrorMark, State, SyncRecord, Todo},
    text::match_key,
};

use super::{
    Ports,
    attempt::{Attempt, Halt},
};

impl<P: Ports> Attempt<'_, P> {
    /// Stops an order that is another one than its record is about; else notes what identifies it.
    /// True when the order is to be left alone.
    pub(super) async fn stop_another(&mut self, index: usize) -> Result<bool, StoreError> {
        let Some(order) = self.jobs[index].order.clone() else {
            return Ok(false);
        };
        match self.is_another(&order, &self.jobs[index].record).await {
            Ok(true) => self.leave_another(index).await.map(|()| true),
            Ok(false) => {
                note_order(&mut self.jobs[index].record, &order);
                Ok(false)
            }
            Err(failure) => {
                // Not to know is no reason to write: it is looked at again with the next run.
                self.jobs[index].halt = Some(Halt::Waits(failure.notice, None));
                Ok(true)
            }
        }
    }

    async fn is_another(&self, order: &Order, record: &SyncRecord) -> Result<bool, Failure> {
        if !has_bill(record) {
            return Ok(false);
        }
        if let (Some(known), Some(read)) = (record.order_created, order.created) {
            return Ok(known.as_second() != read.as_second());
        }
        if order.display_number() == record.order_number {
            return Ok(false);
        }
        let (Some(known), Some(vendor)) = (&record.vendor_name, order.vendor) else {
            return Ok(false);
        };
        let read = self.autotask.organisations(&[vendor]).await?;
        let differs = |name: &str| match_key(name) != match_key(known);
        Ok(read.first().is_some_and(|vendor| differs(&vendor.name)))
    }

    /// Only told in the log: neither a number nor a mark nor a to-do is written for it.
    async fn leave_another(&mut self, index: usize) -> Result<(), StoreError> {
        let record = &mut self.jobs[index].record;
        if record
            .notice()
            .is_some_and(|n| n.code == Code::OrderAnother)
        {
            return Ok(());
        }
        let notice = Notice::new(Code::OrderAnother).with("order", record.key.order.to_string());
        let (intent, bill) = match &record.state {
            State::Planned { intent } => (Some(intent.clone()), None),
            State::NeedsPerson { intent, bill, .. } => (intent.clone(), bill.clone()),
            _ => (None, record.bill().cloned()),
        };
        record.wait = None;
        record.error_mark = ErrorMark::None;
        // One that is open belongs to the order that was billed, and is closed with it.
        if matches!(record.todo, Todo::Owed { .. } | Todo::Closing { .. }) {
            record.todo = Todo::None;
        }
        let text = notice.text();
        let detail = json!({ "code": notice.code, "bill": bill.as_ref().map(|bill| &bill.id) });
        record.state = State::NeedsPerson {
            notice,
            intent,
            bill,
        };
        let event = self.event(index, HistoryEvent::NeedsPerson, text, detail);
        self.commit(index, vec![event]).await
    }
}

/// Whether something of ours exists in QuickBooks for it, or may.
fn has_bill(record: &SyncRecord) -> bool {
    match &record.state {
        State::Planned { .. } | State::Created { .. } | State::Linked { .. } => true,
        State::NeedsPerson { intent, bill, .. } => intent.is_some() || bill.is_some(),
        State::Queued | State::Refused { .. } | State::Orphaned { .. } | State::Skipped { .. } => {
            false
        }
    }
}

fn note_order(record: &mut SyncRecord, order: &Order) {
    record.order_number = order.display_number();
    // Records from before this was kept learn it from an order that shows their bill's number.
    let is_proven = record
        .bill()
        .is_some_and(|bill| order.external() == ExternalNumber::Number(bill.written_number()));
    let learns = record.order_created.is_none() && is_proven;
    if !has_bill(record) || learns {
        record.order_created = order.created;
    }
}
