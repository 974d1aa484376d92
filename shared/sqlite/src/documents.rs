//! The documents of the tenants: one row per tenant and kind, with a version.

use purser_core::{
    ids::TenantId,
    ports::{DocumentKind, Expected, Put, StoreError},
    tenant::Stored,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    columns::{from_column, parse, to_column},
    registry,
    stopped::Stopped,
};

/// Every tenant, by name.
pub(crate) fn tenants(connection: &Connection) -> Result<Vec<TenantId>, Stopped> {
    let mut statement = connection.prepare_cached("SELECT name FROM tenants ORDER BY name")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut tenants = Vec::new();
    for name in names {
        tenants.push(parse(&name?, "tenant")?);
    }
    Ok(tenants)
}

/// Notes that a tenant exists.
pub(crate) fn note_tenant(connection: &Connection, tenant: &TenantId) -> Result<(), Stopped> {
    connection
        .prepare_cached("INSERT INTO tenants (name) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([tenant.as_str()])?;
    Ok(())
}

/// Removes everything about a tenant: by foreign keys what belongs to it, by name what only
/// mentions it.
pub(crate) fn remove_tenant(connection: &Connection, tenant: &TenantId) -> Result<(), Stopped> {
    for sql in [
        "DELETE FROM tenants WHERE name = ?1",
        "DELETE FROM mails WHERE tenant = ?1",
        "DELETE FROM messages WHERE tenant = ?1",
        "DELETE FROM queue_groups WHERE tenant = ?1",
        "DELETE FROM deduplications WHERE tenant = ?1",
        "DELETE FROM dead_letters WHERE tenant = ?1",
        "DELETE FROM alarms WHERE tenant = ?1",
    ] {
        connection.execute(sql, [tenant.as_str()])?;
    }
    registry::remove_tenant(connection, tenant)
}

/// One document.
pub(crate) fn get(
    connection: &Connection,
    tenant: &TenantId,
    kind: DocumentKind,
) -> Result<Option<Stored<String>>, Stopped> {
    let (version, body) = row(connection, tenant, kind)?;
    Ok(body.map(|value| Stored { value, version }))
}

/// Writes one document if the stored version is the expected one.
pub(crate) fn put(
    connection: &Connection,
    tenant: &TenantId,
    kind: DocumentKind,
    body: &str,
    expected: &Expected<u64>,
) -> Result<Put, Stopped> {
    let (version, stored) = row(connection, tenant, kind)?;
    let as_expected = match expected {
        Expected::Absent => stored.is_none(),
        Expected::Is(wanted) => stored.is_some() && *wanted == version,
        Expected::Any => true,
    };
    if !as_expected {
        return Ok(Put::Conflict);
    }
    let next = version.saturating_add(1);
    note_tenant(connection, tenant)?;
    connection
        .prepare_cached(
            "INSERT INTO documents (tenant, kind, version, body) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (tenant, kind) DO UPDATE SET version = excluded.version,
             body = excluded.body",
        )?
        .execute(params![
            tenant.as_str(),
            kind.as_str(),
            to_column(next, "the version")?,
            body
        ])?;
    Ok(Put::Done(next))
}

/// Removes one document. Its version stays, so that a writer who read it before cannot overwrite
/// the one that comes after.
pub(crate) fn remove(
    connection: &Connection,
    tenant: &TenantId,
    kind: DocumentKind,
) -> Result<(), Stopped> {
    connection
        .prepare_cached("UPDATE documents SET body = NULL WHERE tenant = ?1 AND kind = ?2")?
        .execute([tenant.as_str(), kind.as_str()])?;
    Ok(())
}

/// The last version and the body, if there is one now.
fn row(
    connection: &Connection,
    tenant: &TenantId,
    kind: DocumentKind,
) -> Result<(u64, Option<String>), Stopped> {
    let mut statement = connection
        .prepare_cached("SELECT version, body FROM documents WHERE tenant = ?1 AND kind = ?2")?;
    let found = statement
        .query_row([tenant.as_str(), kind.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((version, body)) = found else {
        return Ok((0, None));
    };
    let version: Result<u64, StoreError> = from_column(version, "the version");
    Ok((version?, body))
}
