//! Reading records. A record of a newer version is an error and is never taken for another one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use purser_core::{
    ids::{OrderId, RealmId, TenantId},
    ports::{HistoryEntry, RecordFilter, StoreError, read_record},
    record::{RecordKey, StateName, SyncRecord},
};
use rusqlite::{Connection, OptionalExtension, Params, params, types::Value};

use crate::{
    columns::{from_column, from_json, micros, timestamp, to_json},
    stopped::Stopped,
};

const SELECT_KNOWN: &str = "SELECT version, body FROM records";

/// The record of one key.
pub(super) fn one(connection: &Connection, key: &RecordKey) -> Result<Option<SyncRecord>, Stopped> {
    let records = by_orders(connection, &key.tenant, &key.realm, &[key.order])?;
    Ok(records.into_iter().next())
}

/// The records of these orders, by order.
pub(crate) fn by_orders(
    connection: &Connection,
    tenant: &TenantId,
    realm: &RealmId,
    orders: &[OrderId],
) -> Result<Vec<SyncRecord>, Stopped> {
    let sql = format!(
        "{SELECT_KNOWN} WHERE tenant = ?1 AND realm = ?2
         AND order_id IN (SELECT value FROM json_each(?3)) ORDER BY order_id"
    );
    let orders = to_json(&orders, "a list of orders")?;
    let parameters = params![tenant.as_str(), realm.as_str(), orders];
    let records = decoded(connection, &sql, parameters, tenant)?;
    // The rows were found by their columns; a body that names another realm is damaged.
    match records.iter().find(|record| record.key.realm != *realm) {
        Some(record) => Err(misplaced(record.key.order).into()),
        None => Ok(records),
    }
}

/// The condition of a filter without its paging, and the values it needs.
fn condition(tenant: &TenantId, filter: &RecordFilter) -> Result<(String, Vec<Value>), Stopped> {
    let mut wanted = "tenant = ?".to_owned();
    let mut values = vec![Value::from(tenant.as_str().to_owned())];
    if filter.waiting {
        wanted.push_str(" AND waiting = 1");
    }
    if !filter.states.is_empty() {
        let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
        wanted.push_str(" AND state IN (SELECT value FROM json_each(?))");
        values.push(to_json(&states, "a list of states")?.into());
    }
    if !filter.orders.is_empty() {
        wanted.push_str(" AND order_id IN (SELECT value FROM json_each(?))");
        values.push(to_json(&filter.orders, "a list of orders")?.into());
    }
    if let Some(vendor) = &filter.vendor {
        wanted.push_str(" AND vendor = ?");
        values.push(vendor.clone().into());
    }
    if let Some(code) = &filter.code {
        wanted.push_str(" AND code = ?");
        values.push(code.clone().into());
    }
    if let Some(text) = &filter.text {
        // `instr` knows no wildcards, so whatever a person types is looked for as it is.
        wanted.push_str(" AND instr(search, ?) > 0");
        values.push(text.to_lowercase().into());
    }
    if let Some(since) = filter.since {
        wanted.push_str(" AND updated_at >= ?");
        values.push(micros(since).into());
    }
    if let Some(until) = filter.until {
        wanted.push_str(" AND updated_at < ?");
        values.push(micros(until).into());
    }
    Ok((wanted, values))
}

/// How many records fit a filter.
pub(crate) fn count(
    connection: &Connection,
    tenant: &TenantId,
    filter: &RecordFilter,
) -> Result<u64, Stopped> {
    let (wanted, values) = condition(tenant, filter)?;
    let sql = format!("SELECT count(*) FROM records WHERE {wanted}");
    let mut statement = connection.prepare_cached(&sql)?;
    let values = rusqlite::params_from_iter(values);
    let count: i64 = statement.query_row(values, |row| row.get(0))?;
    Ok(from_column(count, "the count")?)
}

/// Records of a tenant, newest change first. The inner select runs on an index alone.
pub(crate) fn list(
    connection: &Connection,
    tenant: &TenantId,
    filter: &RecordFilter,
) -> Result<Vec<SyncRecord>, Stopped> {
    let (mut wanted, mut values) = condition(tenant, filter)?;
    if let Some((before, order)) = filter.before {
        wanted.push_str(" AND (updated_at, order_id) < (?, ?)");
        values.extend([micros(before).into(), order.get().into()]);
    }
    values.push(i64::from(filter.limit).into());
    let sql = format!(
        "{SELECT_KNOWN} WHERE id IN (
             SELECT id FROM records WHERE {wanted}
             ORDER BY updated_at DESC, order_id DESC LIMIT ?
         ) ORDER BY updated_at DESC, order_id DESC"
    );
    decoded(connection, &sql, rusqlite::params_from_iter(values), tenant)
}

/// Orders whose time has come, earliest first.
pub(crate) fn due(
    connection: &Connection,
    tenant: &TenantId,
    realm: &RealmId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<OrderId>, Stopped> {
    let mut statement = connection.prepare_cached(
        "SELECT order_id FROM records WHERE tenant = ?1 AND realm = ?2 AND due_at <= ?3
         ORDER BY due_at, order_id LIMIT ?4",
    )?;
    let parameters = params![tenant.as_str(), realm.as_str(), micros(now), limit];
    let orders = statement.query_map(parameters, |row| row.get(0).map(OrderId::new))?;
    Ok(orders.collect::<Result<_, _>>()?)
}

/// The earliest due time.
pub(crate) fn next_due(
    connection: &Connection,
    tenant: &TenantId,
    realm: &RealmId,
) -> Result<Option<Timestamp>, Stopped> {
    let mut statement = connection.prepare_cached(
        "SELECT min(due_at) FROM records
         WHERE tenant = ?1 AND realm = ?2 AND due_at IS NOT NULL",
    )?;
    let earliest: Option<i64> =
        statement.query_row([tenant.as_str(), realm.as_str()], |row| row.get(0))?;
    Ok(earliest.map(timestamp).transpose()?)
}

/// How many records there are in each state that has any.
pub(crate) fn counts(
    connection: &Connection,
    tenant: &TenantId,
) -> Result<Vec<(StateName, u64)>, Stopped> {
    let mut statement = connection
        .prepare_cached("SELECT state, count(*) FROM records WHERE tenant = ?1 GROUP BY state")?;
    let rows = statement.query_map([tenant.as_str()], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    let mut counts = Vec::new();
    for row in rows {
        let (name, count) = row?;
        counts.push((state_name(&name)?, from_column(count, "the count")?));
    }
    counts.sort_unstable_by_key(|(state, _)| *state);
    Ok(counts)
}

/// How many records of each state were changed last in each span between two moments.
pub(crate) fn counts_between(
    connection: &Connection,
    tenant: &TenantId,
    bounds: &[Timestamp],
) -> Result<Vec<BTreeMap<StateName, u64>>, Stopped> {
    // One counter for each state needs no sorting, unlike a group.
    let counters = StateName::ALL.map(|state| {
        let state = state.as_str();
        format!("count(*) FILTER (WHERE state = '{state}')")
    });
    let sql = format!(
        "SELECT {} FROM records WHERE tenant = ?1 AND updated_at >= ?2 AND updated_at < ?3",
        counters.join(", ")
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut spans = Vec::new();
    for span in bounds.windows(2) {
        let parameters = params![tenant.as_str(), micros(span[0]), micros(span[1])];
        let counted = statement.query_row(parameters, |row| {
            let counts = (0..StateName::ALL.len()).map(|index| row.get::<_, i64>(index));
            counts.collect::<Result<Vec<_>, _>>()
        })?;
        let mut counts = BTreeMap::new();
        for (state, count) in StateName::ALL.into_iter().zip(counted) {
            if count > 0 {
                counts.insert(state, from_column(count, "the count")?);
            }
        }
        spans.push(counts);
    }
    Ok(spans)
}

/// The order that has been waiting longest.
pub(crate) fn oldest_open(
    connection: &Connection,
    tenant: &TenantId,
) -> Result<Option<(OrderId, Timestamp)>, Stopped> {
    let mut statement = connection.prepare_cached(
        "SELECT order_id, open_since FROM records WHERE tenant = ?1 AND open_since IS NOT NULL
         ORDER BY open_since LIMIT 1",
    )?;
    let found = statement
        .query_row([tenant.as_str()], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let Some((order, since)) = found else {
        return Ok(None);
    };
    Ok(Some((OrderId::new(order), timestamp(since)?)))
}

/// The story of one order, in the order in which it was written.
pub(crate) fn history(
    connection: &Connection,
    tenant: &TenantId,
    order: OrderId,
) -> Result<Vec<HistoryEntry>, Stopped> {
    let mut statement = connection.prepare_cached(
        "SELECT body FROM history WHERE tenant = ?1 AND order_id = ?2 ORDER BY id",
    )?;
    let rows = statement.query_map(params![tenant.as_str(), order.get()], |row| {
        row.get::<_, String>(0)
    })?;
    let mut entries = Vec::new();
    for body in rows {
        entries.push(from_json(&body?, "an entry of the history")?);
    }
    Ok(entries)
}

fn decoded(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    tenant: &TenantId,
) -> Result<Vec<SyncRecord>, Stopped> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(parameters, |row| {
        Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut records = Vec::new();
    for row in rows {
        let (version, body) = row?;
        records.push(decode(version, &body, tenant)?);
    }
    Ok(records)
}

fn decode(version: u32, body: &str, tenant: &TenantId) -> Result<SyncRecord, StoreError> {
    let record = read_record(version, body)?;
    if record.key.tenant != *tenant {
        return Err(misplaced(record.key.order));
    }
    Ok(record)
}

/// The body of a row names another owner than its columns.
fn misplaced(order: OrderId) -> StoreError {
    StoreError::Unreadable(format!("the record of order {order} is in another's place"))
}

fn state_name(text: &str) -> Result<StateName, StoreError> {
    let known = StateName::ALL.into_iter().find(|it| it.as_str() == text);
    known.ok_or_else(|| StoreError::Newer("a record in a state this program lacks".to_owned()))
}
