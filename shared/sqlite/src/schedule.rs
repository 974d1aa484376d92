//! Alarms that start a tenant's next run. An alarm stays until somebody disarms it, so that a crash
//! between its firing and the claim of the run loses nothing.

use jiff::Timestamp;
use purser_core::{
    ids::{RunNumber, TenantId},
    ports::{Schedule, StoreError},
};
use rusqlite::{Connection, params};

use crate::{
    columns::{from_column, micros, parse, timestamp, to_column},
    stopped::Stopped,
    store::SqliteStore,
};

impl Schedule for SqliteStore {
    async fn arm(
        &self,
        tenant: &TenantId,
        run: RunNumber,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (tenant, run) = (tenant.clone(), to_column(run.0, "the run")?);
        self.write(move |file| arm(file, &tenant, run, at)).await
    }

    async fn is_armed(&self, tenant: &TenantId, run: RunNumber) -> Result<bool, StoreError> {
        let (tenant, run) = (tenant.clone(), to_column(run.0, "the run")?);
        self.read(move |file| is_armed(file, &tenant, run)).await
    }
}

impl SqliteStore {
    /// Alarms whose time has come, earliest first. They stay until they are disarmed.
    pub async fn due_alarms(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(TenantId, RunNumber)>, StoreError> {
        self.read(move |file| due_alarms(file, now)).await
    }

    /// When the next alarm goes off; in the past when one has.
    pub async fn next_alarm(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|file| {
            let mut statement = file.prepare_cached("SELECT min(at) FROM alarms")?;
            let earliest: Option<i64> = statement.query_row([], |row| row.get(0))?;
            Ok(earliest.map(timestamp).transpose()?)
        })
        .await
    }

    /// Removes an alarm, once its run was claimed or is not wanted.
    pub async fn disarm(&self, tenant: &TenantId, run: RunNumber) -> Result<(), StoreError> {
        let (tenant, run) = (tenant.clone(), to_column(run.0, "the run")?);
        self.write(move |file| {
            file.prepare_cached("DELETE FROM alarms WHERE tenant = ?1 AND run = ?2")?
                .execute(params![tenant.as_str(), run])?;
            Ok(())
        })
        .await
    }
}

fn arm(connection: &Connection, tenant: &TenantId, run: i64, at: Timestamp) -> Result<(), Stopped> {
    connection
        .prepare_cached(
            "INSERT INTO alarms (tenant, run, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (tenant, run) DO UPDATE SET at = excluded.at",
        )?
        .execute(params![tenant.as_str(), run, micros(at)])?;
    Ok(())
}

fn is_armed(connection: &Connection, tenant: &TenantId, run: i64) -> Result<bool, Stopped> {
    let mut statement = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM alarms WHERE tenant = ?1 AND run = ?2)")?;
    Ok(statement.query_row(params![tenant.as_str(), run], |row| row.get(0))?)
}

fn due_alarms(
    connection: &Connection,
    now: Timestamp,
) -> Result<Vec<(TenantId, RunNumber)>, Stopped> {
    let mut statement = connection
        .prepare_cached("SELECT tenant, run FROM alarms WHERE at <= ?1 ORDER BY at, tenant, run")?;
    let mut rows = statement.query([micros(now)])?;
    let mut alarms = Vec::new();
    while let Some(row) = rows.next()? {
        let tenant = parse(&row.get::<_, String>(0)?, "tenant")?;
        let run = from_column(row.get(1)?, "the run")?;
        alarms.push((tenant, RunNumber(run)));
    }
    Ok(alarms)
}
