//! Writing records: conditional, fenced, each with its history and mails.

mod read;

use purser_core::{
    ids::OperationId,
    ports::{Change, Committed, Expected, HistoryEntry, StoreError},
    record::SyncRecord,
};
use rusqlite::{Connection, params};

pub(crate) use self::read::{
    by_orders, count, counts, counts_between, due, history, list, next_due, oldest_open,
};
use crate::{
    columns::{micros, to_column, to_json},
    documents::note_tenant,
    outbox,
    stopped::Stopped,
};

/// Writes each change that finds what it expects. An error stops them all.
pub(crate) fn commit(
    connection: &Connection,
    changes: &[Change],
) -> Result<Vec<Committed>, Stopped> {
    changes
        .iter()
        .map(|change| commit_one(connection, change))
        .collect()
}

fn commit_one(connection: &Connection, change: &Change) -> Result<Committed, Stopped> {
    let stored = read::one(connection, &change.record.key)?;
    match judge(stored.as_ref(), &change.record, &change.expected) {
        Verdict::Repeated => Ok(Committed::Done),
        Verdict::Refused => Ok(Committed::Conflict(stored.map(Box::new))),
        Verdict::Accepted => {
            write(connection, change)?;
            Ok(Committed::Done)
        }
    }
}

/// What becomes of a write.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It stands there already: an earlier try succeeded.
    Repeated,
    /// Something else is there.
    Refused,
    /// It may be written.
    Accepted,
}

fn judge(
    stored: Option<&SyncRecord>,
    record: &SyncRecord,
    expected: &Expected<OperationId>,
) -> Verdict {
    let Some(stored) = stored else {
        return match expected {
            Expected::Is(_) => Verdict::Refused,
            Expected::Absent | Expected::Any => Verdict::Accepted,
        };
    };
    if stored.operation == record.operation {
        return Verdict::Repeated;
    }
    let accepted = match expected {
        Expected::Absent => false,
        Expected::Is(operation) => stored.operation == *operation && stored.fence <= record.fence,
        Expected::Any => true,
    };
    if accepted {
        Verdict::Accepted
    } else {
        Verdict::Refused
    }
}

fn write(connection: &Connection, change: &Change) -> Result<(), Stopped> {
    note_tenant(connection, &change.record.key.tenant)?;
    upsert(connection, change)?;
    for entry in &change.history {
        add_history(connection, &change.record, entry)?;
    }
    for mail in &change.mails {
        outbox::keep(connection, mail)?;
    }
    Ok(())
}

fn upsert(connection: &Connection, change: &Change) -> Result<(), Stopped> {
    let record = &change.record;
    connection
        .prepare_cached(
            "INSERT INTO records (tenant, realm, order_id, version, operation, fence, state,
                                  waiting, due_at, updated_at, body, vendor, search, open_since,
                                  code)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             ON CONFLICT (tenant, order_id, realm) DO UPDATE SET
                 version = excluded.version, operation = excluded.operation,
                 fence = excluded.fence, state = excluded.state, waiting = excluded.waiting,
                 due_at = excluded.due_at, updated_at = excluded.updated_at,
                 body = excluded.body, vendor = excluded.vendor, search = excluded.search,
                 open_since = excluded.open_since, code = excluded.code",
        )?
        .execute(params![
            record.key.tenant.as_str(),
            record.key.realm.as_str(),
            record.key.order.get(),
            record.version,
            record.operation.as_str(),
            to_column(record.fence, "the fence")?,
            record.state.name().as_str(),
            record.wait.is_some(),
            change.due_at.map(micros),
            micros(record.updated_at),
            to_json(record, "a record")?,
            record.vendor_name,
            record.search_text(),
            record.open_since().map(micros),
            record.code(),
        ])?;
    Ok(())
}

fn add_history(
    connection: &Connection,
    record: &SyncRecord,
    entry: &HistoryEntry,
) -> Result<(), Stopped> {
    let body: Result<String, StoreError> = to_json(entry, "an entry of the history");
    connection
        .prepare_cached("INSERT INTO history (tenant, order_id, body) VALUES (?1, ?2, ?3)")?
        .execute(params![
            record.key.tenant.as_str(),
            entry.order.get(),
            body?
        ])?;
    Ok(())
}
