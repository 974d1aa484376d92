//! The mails that tell a person what became of the order they asked for.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use crate::{
    ids::{OrderId, RealmId, TenantId, TraceId},
    notice::Notice,
    policy::Policy,
    ports::{Change, Expected, HistoryEntry, HistoryEvent, Ledger as _, Mail, StoreError},
    record::{Request, SyncRecord, later},
};

use super::{Engine, Outcome, OutcomeKind, Ports, attempt::entry, commit::waiting_for};

/// Whether somebody who asked has waited so long that they must hear of it.
pub(super) fn is_overdue(record: &SyncRecord, now: Timestamp, policy: &Policy) -> bool {
    record.request.as_ref().is_some_and(|request| {
        !request.told_waiting && later(request.asked_at, policy.mail_after) <= now
    })
}

/// Takes the mails that are due with this write of the record, and notes them in it.
pub(super) fn due(
    record: &mut SyncRecord,
    (outcome, is_final): (&Outcome, bool),
    now: Timestamp,
    policy: &Policy,
) -> (Vec<Mail>, Vec<HistoryEntry>) {
    let Some(mut request) = record.request.take() else {
        return (Vec::new(), Vec::new());
    };
    if !is_final {
        if request.told_waiting || now < later(request.asked_at, policy.mail_after) {
            record.request = Some(request);
            return (Vec::new(), Vec::new());
        }
        request.told_waiting = true;
        record.request = Some(request.clone());
    }
    let addresses: Vec<_> = request.addresses().collect();
    if addresses.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let told = entry(
        now,
        record.key.order,
        HistoryEvent::Told,
        "The result was put into the outbox.",
        json!({
            "attempt": request.attempt,
            "mail_to": addresses.join(", "),
            "outcome": outcome.outcome,
        }),
    );
    let mail = |to: &str| write(record, outcome, &request, to.to_owned(), now);
    (addresses.into_iter().map(mail).collect(), vec![told])
}

fn write(
    record: &SyncRecord,
    outcome: &Outcome,
    request: &Request,
    to: String,
    now: Timestamp,
) -> Mail {
    let number = &record.order_number;
    let subject = match outcome.outcome {
        OutcomeKind::Billed => format!(
            "Purchase order {number}: billed as {}",
            outcome.bill_number.as_deref().unwrap_or_default()
        ),
        OutcomeKind::Refused => format!("Purchase order {number}: not transferred"),
        OutcomeKind::Waiting => format!("Purchase order {number}: still waiting"),
        OutcomeKind::InDoubt => format!("Purchase order {number}: result not yet known"),
        OutcomeKind::Ineligible => format!("Purchase order {number}: nothing to transfer"),
    };
    let mut text = format!("Purchase order {number} (id {})\n\n", record.key.order);
    for line in [&outcome.cause, &outcome.remedy].into_iter().flatten() {
        text.push_str(line);
        text.push('\n');
    }
    if let Some(bill) = &outcome.bill {
        let _ = writeln!(text, "Bill id in QuickBooks: {bill}");
    }
    if let Some(next) = outcome.next_attempt {
        let _ = writeln!(text, "Next attempt: {next:.0}");
    }
    let _ = writeln!(text, "\nAttempt: {}", request.attempt);
    let one_line = |text: String| text.replace(['\r', '\n'], " ");
    Mail {
        tenant: record.key.tenant.clone(),
        to,
        subject: one_line(subject),
        text,
        written_at: now,
    }
}

impl<P: Ports> Engine<P> {
    /// Tells those who asked for these orders that the whole tenant waits, when that is due.
    pub(super) async fn tell_waiting(
        &self,
        (tenant, realm): (&TenantId, &RealmId),
        orders: &[OrderId],
        (notice, next): (&Notice, Option<Timestamp>),
        trace: Option<&TraceId>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let store = self.ports.store();
        for mut record in store.records(tenant, realm, orders).await? {
            let held = record.lease.as_ref().is_some_and(|lease| now < lease.until);
            if held || !is_overdue(&record, now, &self.policy) {
                continue;
            }
            let expected = Expected::Is(record.operation.clone());
            record.operation = self.operation();
            let outcome = if record.is_settled() {
                // Its old result is not the answer to a wish that nobody has looked at yet.
                Outcome::waiting(record.key.order, &record.order_number, notice, next)
            } else {
                waiting_for(&record, notice, next)
            };
            let told = (&outcome, false);
            let (mails, history) = due(&mut record, told, now, &self.policy);
            let history = history.into_iter().map(|line| line.traced(trace));
            let change = Change {
                due_at: record.due_at(&self.policy),
                record,
                expected,
                history: history.collect(),
                mails,
            };
            // Whoever wrote in between tells instead.
            store.commit(vec![change]).await?;
        }
        Ok(())
    }
}
