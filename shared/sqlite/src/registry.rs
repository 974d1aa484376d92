//! Sessions, people and whatever else belongs to no order, behind their port.

use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Entry, EntryKey, EntryKind, Expected, Put, Registry, StoreError},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    columns::{from_column, micros, timestamp, to_column},
    stopped::Stopped,
    store::SqliteStore,
};

/// Expired entries that one write sweeps away.
const SWEPT_AT_ONCE: u32 = 50;

impl Registry for SqliteStore {
    async fn entry(
        &self,
        key: &EntryKey,
        now: Timestamp,
    ) -> Result<Option<(Entry, u64)>, StoreError> {
        let key = key.clone();
        self.read(move |file| get(file, &key, now)).await
    }

    async fn put_entry(
        &self,
        entry: Entry,
        expected: Expected<u64>,
        now: Timestamp,
    ) -> Result<Put, StoreError> {
        self.write(move |file| {
            sweep(file, now)?;
            if entry.key.kind == EntryKind::SignIn {
                sweep_sign_ins(file, now)?;
            }
            put(file, &entry, &expected, now)
        })
        .await
    }

    async fn take_entry(
        &self,
        key: &EntryKey,
        now: Timestamp,
    ) -> Result<Option<Entry>, StoreError> {
        let key = key.clone();
        self.write(move |file| take(file, &key, now)).await
    }

    async fn group(
        &self,
        kind: EntryKind,
        group: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        let group = group.to_owned();
        self.read(move |file| {
            let sql = "SELECT in_group, name, owner, body, expires_at FROM registry
                       WHERE kind = ?1 AND in_group = ?2
                       AND (expires_at IS NULL OR expires_at > ?3) ORDER BY name DESC LIMIT ?4";
            let parameters = params![kind.as_str(), group, micros(now), limit];
            list(file, kind, sql, parameters)
        })
        .await
    }

    async fn owned(
        &self,
        kind: EntryKind,
        owner: &str,
        now: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        let owner = owner.to_owned();
        self.read(move |file| {
            let sql = "SELECT in_group, name, owner, body, expires_at FROM registry
                       WHERE kind = ?1 AND owner = ?2 AND owner <> ''
                       AND (expires_at IS NULL OR expires_at > ?3) ORDER BY in_group, name";
            list(file, kind, sql, params![kind.as_str(), owner, micros(now)])
        })
        .await
    }
}

/// Removes what is a tenant's, when the tenant goes.
pub(crate) fn remove_tenant(connection: &Connection, tenant: &TenantId) -> Result<(), Stopped> {
    for kind in EntryKind::ALL {
        let column = match (kind.is_grouped_by_tenant(), kind.is_owned_by_tenant()) {
            (true, _) => "in_group",
            (false, true) => "owner",
            (false, false) => continue,
        };
        let sql = format!("DELETE FROM registry WHERE kind = ?1 AND {column} = ?2");
        connection.execute(&sql, [kind.as_str(), tenant.as_str()])?;
    }
    Ok(())
}

fn get(
    connection: &Connection,
    key: &EntryKey,
    now: Timestamp,
) -> Result<Option<(Entry, u64)>, Stopped> {
    let mut statement = connection.prepare_cached(
        "SELECT in_group, name, owner, body, expires_at, version FROM registry
         WHERE kind = ?1 AND in_group = ?2 AND name = ?3
         AND (expires_at IS NULL OR expires_at > ?4)",
    )?;
    let parameters = params![key.kind.as_str(), key.group, key.name, micros(now)];
    let found = statement
        .query_row(parameters, |row| Ok((raw(row)?, row.get::<_, i64>(5)?)))
        .optional()?;
    let Some((raw, version)) = found else {
        return Ok(None);
    };
    let version: Result<u64, StoreError> = from_column(version, "the version");
    Ok(Some((decoded(key.kind, raw)?, version?)))
}

fn put(
    connection: &Connection,
    entry: &Entry,
    expected: &Expected<u64>,
    now: Timestamp,
) -> Result<Put, Stopped> {
    let key = &entry.key;
    let version = get(connection, key, now)?.map(|(_, version)| version);
    let as_expected = match expected {
        Expected::Absent => version.is_none(),
        Expected::Is(wanted) => version == Some(*wanted),
        Expected::Any => true,
    };
    if !as_expected {
        return Ok(Put::Conflict);
    }
    let last: Option<i64> = connection
        .prepare_cached(
            "SELECT version FROM registry WHERE kind = ?1 AND in_group = ?2 AND name = ?3",
        )?
        .query_row(params![key.kind.as_str(), key.group, key.name], |row| {
            row.get(0)
        })
        .optional()?;
    let last: Result<u64, StoreError> = from_column(last.unwrap_or(0), "the version");
    let next = last?.saturating_add(1);
    connection
        .prepare_cached(
            "INSERT INTO registry (kind, in_group, name, owner, version, expires_at, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (kind, in_group, name) DO UPDATE SET owner = excluded.owner,
             version = excluded.version, expires_at = excluded.expires_at,
             body = excluded.body",
        )?
        .execute(params![
            key.kind.as_str(),
            key.group,
            key.name,
            entry.owner,
            to_column(next, "the version")?,
            entry.expires_at.map(micros),
            entry.body,
        ])?;
    Ok(Put::Done(next))
}

/// A taken entry stays as one that expired at the beginning of time, for its version.
fn take(connection: &Connection, key: &EntryKey, now: Timestamp) -> Result<Option<Entry>, Stopped> {
    let found = get(connection, key, now)?;
    if found.is_some() {
        connection
            .prepare_cached(
                "UPDATE registry SET expires_at = ?4, body = '', owner = ''
                 WHERE kind = ?1 AND in_group = ?2 AND name = ?3",
            )?
            .execute(params![key.kind.as_str(), key.group, key.name, micros(now)])?;
    }
    Ok(found.map(|(entry, _)| entry))
}

/// Forgets some of what expired more than a day ago: nobody can hold its version any more.
fn sweep(connection: &Connection, now: Timestamp) -> Result<(), Stopped> {
    const DAY_MICROS: i64 = 86_400_000_000;
    connection
        .prepare_cached(
            "DELETE FROM registry WHERE (kind, in_group, name) IN
             (SELECT kind, in_group, name FROM registry WHERE expires_at < ?1 LIMIT ?2)",
        )?
        .execute(params![
            micros(now).saturating_sub(DAY_MICROS),
            SWEPT_AT_ONCE
        ])?;
    Ok(())
}

/// Forgets some of the sign-ins that are over. Anybody can begin one, so they go at once; each has a
/// name that is never used again, so nobody needs their versions.
fn sweep_sign_ins(connection: &Connection, now: Timestamp) -> Result<(), Stopped> {
    // The plus keeps to the index of names, in which sign-ins stand together.
    connection
        .prepare_cached(
            "DELETE FROM registry WHERE (kind, in_group, name) IN
             (SELECT kind, in_group, name FROM registry
              WHERE kind = ?1 AND +expires_at <= ?2 LIMIT ?3)",
        )?
        .execute(params![
            EntryKind::SignIn.as_str(),
            micros(now),
            SWEPT_AT_ONCE
        ])?;
    Ok(())
}

type Raw = (String, String, String, String, Option<i64>);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
    ))
}

fn decoded(kind: EntryKind, raw: Raw) -> Result<Entry, StoreError> {
    let (group, name, owner, body, expires_at) = raw;
    Ok(Entry {
        key: EntryKey::new(kind, group, name),
        owner,
        body,
        expires_at: expires_at.map(timestamp).transpose()?,
    })
}

fn list(
    connection: &Connection,
    kind: EntryKind,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Entry>, Stopped> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut entries = Vec::new();
    for row in statement.query_map(parameters, raw)? {
        entries.push(decoded(kind, row?)?);
    }
    Ok(entries)
}
