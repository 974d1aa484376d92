//! The mails that tell a person what became of the order they asked for.

use jiff::Timestamp;
use serde_json::json;

use crate::{
    policy::Policy,
    ports::{HistoryEntry, HistoryEvent, Mail},
    record::{Request, SyncRecord, later},
};

use super::{Outcome, OutcomeKind, attempt::entry};

/// Takes the mails that are due with this write of the record, and notes them in it.
pub(super) fn due(
    record: &mut SyncRecord,
    now: Timestamp,
    policy: &Policy,
) -> (Vec<Mail>, Vec<HistoryEntry>) {
    let Some(mut request) = record.request.take() else {
        return (Vec::new(), Vec::new());
    };
    let is_final = record.is_settled();
    if !is_final {
        let overdue = later(request.asked_at, policy.mail_after) <= now;
        if !overdue || request.told_waiting {
            record.request = Some(request);
            return (Vec::new(), Vec::new());
        }
        request.told_waiting = true;
        record.request = Some(request.clone());
    }
    let Some(to) = request.mail_to.clone() else {
        return (Vec::new(), Vec::new());
    };
    let told = entry(
        now,
        record.key.order,
        HistoryEvent::Told,
        "The result was put into the outbox.",
        json!({ "attempt": request.attempt }),
    );
    (vec![write(record, &request, to, now)], vec![told])
}

fn write(record: &SyncRecord, request: &Request, to: String, now: Timestamp) -> Mail {
    let outcome = Outcome::of(record);
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
        text.push_str(&format!("Bill id in QuickBooks: {bill}\n"));
    }
    if let Some(next) = outcome.next_attempt {
        text.push_str(&format!("Next attempt: {next:.0}\n"));
    }
    text.push_str(&format!("\nAttempt: {}\n", request.attempt));
    let one_line = |text: String| text.replace(['\r', '\n'], " ");
    Mail {
        tenant: record.key.tenant.clone(),
        to,
        subject: one_line(subject),
        text,
        written_at: now,
    }
}
