//! An order that our own code fails at: it waits, so that it holds up no other, and after a few times in
//! a row a person is told.

use serde_json::json;

use crate::{
    ids::{OrderId, TenantId, TraceId},
    notice::{Code, Notice},
    ports::{Chance as _, Change, Expected, HistoryEvent, Ledger as _, StoreError},
    protocol::{flag, wait},
    record::{RecordKey, State, SyncRecord, Wait},
};

use super::{Engine, Outcome, Ports, attempt::entry, mail};

/// So often in a row an order may make our code fail before a person is told.
pub const DEFECTS_MAX: u32 = 5;

/// The word of the notice that says how often it was.
const TIMES: &str = "times";

/// What was noted about an order that our code failed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// It is tried again later.
    PutOff,
    /// It was so often that a person is told, with this very failure.
    Told,
    /// Nothing is known of its company any more.
    Unknown,
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
        let Some(realm) = self.status(tenant).await?.realm else {
            return Ok(Defect::Unknown);
        };
        let (store, now) = (self.ports.store(), self.now());
        let known = store.records(tenant, &realm, &[order]).await?.pop();
        let expected = known.as_ref().map_or(Expected::Absent, |record| {
            Expected::Is(record.operation.clone())
        });
        let mut record = known.unwrap_or_else(|| {
            let tenant = tenant.clone();
            let key = RecordKey {
                tenant,
                realm,
                order,
            };
            SyncRecord::queued(key, order.to_string(), self.operation(), now)
        });
        let times = defects(&record).saturating_add(1);
        let is_last = times == DEFECTS_MAX;
        let (event, notice) = if is_last {
            give_up(&mut record)
        } else {
            self.put_off(&mut record, times)
        };
        let detail = json!({ "code": notice.code, "times": times });
        let line = entry(now, order, event, notice.text(), detail);
        record.operation = self.operation();
        record.updated_at = now;
        let told = (&Outcome::of(&record), record.is_settled());
        let (mails, told) = mail::due(&mut record, told, now, &self.policy);
        let history = std::iter::once(line).chain(told);
        let change = Change {
            due_at: record.due_at(&self.policy),
            record,
            expected,
            history: history.map(|line| line.traced(trace)).collect(),
            mails,
        };
        // Whoever wrote in between goes on with the order.
        store.commit(vec![change]).await?;
        Ok(if is_last {
            Defect::Told
        } else {
            Defect::PutOff
        })
    }

    /// The lease of the attempt that failed stays: what it sent may still be under way.
    fn put_off(&self, record: &mut SyncRecord, times: u32) -> (HistoryEvent, Notice) {
        let now = self.now();
        let notice = Notice::new(Code::AttemptFailed)
            .with("order", record.order_number.as_str())
            .with(TIMES, times.to_string());
        let asked = self.policy.lease.max(self.policy.backoff_after(times));
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

/// How often in a row it was so far.
fn defects(record: &SyncRecord) -> u32 {
    let notice = record.wait.as_ref().map(|wait| &wait.notice);
    let notice = notice.filter(|notice| notice.code == Code::AttemptFailed);
    let times = notice.and_then(|notice| notice.words.get(TIMES)?.parse().ok());
    times.unwrap_or(0)
}

/// A person must look, at what may exist too. What is over stays as it is.
fn give_up(record: &mut SyncRecord) -> (HistoryEvent, Notice) {
    let notice = Notice::new(Code::OrderDefect).with("order", record.order_number.as_str());
    let (intent, bill) = match record.state.clone() {
        State::Queued => (None, None),
        State::Planned { intent } => (Some(intent), None),
        State::Created { bill } => (None, Some(bill)),
        State::Linked { .. }
        | State::Refused { .. }
        | State::NeedsPerson { .. }
        | State::Orphaned { .. }
        | State::Skipped { .. } => {
            record.wait = None;
            return (HistoryEvent::Waiting, notice);
        }
    };
    record.wait = None;
    flag(record, &notice, true);
    if intent.is_none() && bill.is_none() {
        record.state = State::Refused {
            notice: notice.clone(),
        };
        return (HistoryEvent::Refused, notice);
    }
    record.state = State::NeedsPerson {
        notice: notice.clone(),
        intent,
        bill,
    };
    (HistoryEvent::NeedsPerson, notice)
}
