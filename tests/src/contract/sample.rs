//! Things to store, with meaningful defaults.

use jiff::Timestamp;
use purser_core::{
    ids::{OperationId, OrderId, RealmId, RunNumber, TenantId},
    ports::{
        Change, Committed, Expected, HistoryEntry, HistoryEvent, Lane, Ledger, Mail, Message,
        WorkMessage,
    },
    record::{Origin, RecordKey, State, SyncRecord},
};

pub(crate) fn tenant(name: &str) -> TenantId {
    name.parse().expect("a tenant name")
}

pub(crate) fn north() -> TenantId {
    tenant("north-wind")
}

pub(crate) fn south() -> TenantId {
    tenant("south-sea")
}

pub(crate) fn realm() -> RealmId {
    "9130".parse().expect("a realm id")
}

pub(crate) fn operation(name: &str) -> OperationId {
    name.parse().expect("an operation id")
}

/// Seconds after an arbitrary morning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("a time")
}

/// A record of the tenant `north`, just found.
pub(crate) fn record(order: i64, written_by: &str) -> SyncRecord {
    record_of(&north(), order, written_by)
}

pub(crate) fn record_of(tenant: &TenantId, order: i64, written_by: &str) -> SyncRecord {
    let key = RecordKey {
        tenant: tenant.clone(),
        realm: realm(),
        order: OrderId::new(order),
    };
    SyncRecord::queued(key, format!("PO-{order}"), operation(written_by), at(0))
}

/// The next version of a record: by another operation, under the next lease.
pub(crate) fn rewritten(record: &SyncRecord, written_by: &str) -> SyncRecord {
    SyncRecord {
        operation: operation(written_by),
        fence: record.fence + 1,
        ..record.clone()
    }
}

pub(crate) fn in_state(record: &SyncRecord, state: State) -> SyncRecord {
    SyncRecord {
        state,
        ..record.clone()
    }
}

pub(crate) fn change(record: SyncRecord, expected: Expected<OperationId>) -> Change {
    Change {
        record,
        expected,
        due_at: None,
        history: Vec::new(),
        mails: Vec::new(),
    }
}

pub(crate) fn new(record: SyncRecord) -> Change {
    change(record, Expected::Absent)
}

pub(crate) fn over(before: &SyncRecord, record: SyncRecord) -> Change {
    change(record, Expected::Is(before.operation.clone()))
}

/// Commits one change and tells its outcome.
pub(crate) async fn commit(ledger: &impl Ledger, change: Change) -> Committed {
    let mut outcomes = ledger.commit(vec![change]).await.expect("a commit");
    assert_eq!(outcomes.len(), 1, "one outcome for one change");
    outcomes.remove(0)
}

/// Commits changes that nothing stands against.
pub(crate) async fn commit_all(ledger: &impl Ledger, changes: Vec<Change>) {
    let outcomes = ledger.commit(changes).await.expect("a commit");
    assert!(outcomes.iter().all(|outcome| *outcome == Committed::Done));
}

/// The stored record of an order of the tenant `north`.
pub(crate) async fn stored(ledger: &impl Ledger, order: i64) -> Option<SyncRecord> {
    let orders = [OrderId::new(order)];
    let records = ledger.records(&north(), &realm(), &orders).await;
    records.expect("records").into_iter().next()
}

pub(crate) fn entry(order: i64, seconds: i64, event: HistoryEvent) -> HistoryEntry {
    HistoryEntry {
        at: at(seconds),
        order: OrderId::new(order),
        event,
        detail: serde_json::json!({"bill": "145", "total": "12.50"}),
        text: format!("{event:?} at {seconds} seconds."),
        trace: None,
    }
}

pub(crate) fn mail(tenant: &TenantId, subject: &str) -> Mail {
    Mail {
        tenant: tenant.clone(),
        to: "books@example.com".to_owned(),
        subject: subject.to_owned(),
        text: "Line one.\nLine two: Łódź & \"Söhne\".".to_owned(),
        written_at: at(0),
    }
}

/// A message that ends a run; its run number tells it from others.
pub(crate) fn message(tenant: &TenantId, lane: Lane, run: u64) -> Message {
    Message {
        lane,
        deduplication: format!("run-{run}"),
        body: WorkMessage::EndOfRun {
            version: WorkMessage::VERSION,
            tenant: tenant.clone(),
            run: RunNumber(run),
            trace: None,
        },
    }
}

/// A message that names orders.
pub(crate) fn sync_message(tenant: &TenantId, orders: &[i64], deduplication: &str) -> Message {
    Message {
        lane: Lane::Background,
        deduplication: deduplication.to_owned(),
        body: WorkMessage::Sync {
            version: WorkMessage::VERSION,
            tenant: tenant.clone(),
            run: None,
            orders: orders.iter().copied().map(OrderId::new).collect(),
            origin: Origin::Sweep,
            trace: None,
        },
    }
}
