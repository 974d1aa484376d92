//! The queue as its receiver sees it: one message of a group in flight, hidden for a while.

use std::time::Duration;

use jiff::Timestamp;
use purser_core::{
    ports::{Delivery, Inbox, StoreError},
    record::later,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    columns::{from_column, micros, timestamp},
    engine_lock::EngineLock,
    stopped::Stopped,
    store::SqliteStore,
};

/// The first message of each group. The rest of a group is out of reach until it is handled.
const HEADS: &str = "
    FROM queue_groups AS g
    JOIN messages AS m ON m.id =
        (SELECT min(id) FROM messages WHERE tenant = g.tenant AND lane = g.lane)";

/// A message that was never received is visible whatever the clock says: one that was set back must
/// not hide what was queued before.
const VISIBLE: &str = "(m.visible_at <= ?1 OR m.receives = 0)";

impl Inbox for SqliteStore {
    async fn receive(&self, visibility: Duration) -> Result<Option<Delivery>, StoreError> {
        let now = self.now();
        // An idle receiver asks often; it shall not take turns with the writers for nothing.
        if !self.read(move |file| anything_visible(file, now)).await? {
            return Ok(None);
        }
        let until = later(now, visibility);
        self.write(move |file| receive(file, now, until)).await
    }

    async fn acknowledge(&self, receipt: &str) -> Result<(), StoreError> {
        let now = self.now();
        let Some(receipt) = Receipt::parse(receipt) else {
            return Ok(());
        };
        self.write(move |file| remove(file, receipt, now)).await
    }

    async fn give_back(&self, receipt: &str, delay: Duration) -> Result<(), StoreError> {
        let now = self.now();
        let Some(receipt) = Receipt::parse(receipt) else {
            return Ok(());
        };
        let visible_at = later(now, delay);
        self.write(move |file| show_again(file, receipt, now, visible_at))
            .await
    }
}

impl SqliteStore {
    /// When the next message can be received; in the past when one can be right now.
    pub async fn next_message(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|file| {
            let sql = format!("SELECT min(m.visible_at) {HEADS}");
            let earliest: Option<i64> =
                file.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
            Ok(earliest.map(timestamp).transpose()?)
        })
        .await
    }

    /// How many messages are queued or in flight.
    pub async fn message_count(&self) -> Result<u64, StoreError> {
        self.read(|file| {
            let count: i64 =
                file.query_row("SELECT count(*) FROM messages", [], |row| row.get(0))?;
            Ok(from_column(count, "the count")?)
        })
        .await
    }

    /// Shows every message again that an engine had in flight when it died. Who holds the engine's
    /// lock knows that none is alive; until then only the visibility timeout would tell.
    pub async fn show_abandoned(&self, _held: &EngineLock) -> Result<u64, StoreError> {
        let now = micros(self.now());
        let count = self
            .write(move |file| {
                let sql = "UPDATE messages SET in_flight = 0, visible_at = ?1 WHERE in_flight = 1";
                Ok(file.execute(sql, [now])?)
            })
            .await?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

/// Names one delivery of one message. Neither number is ever used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) message: i64,
    pub(crate) receives: u32,
}

impl Receipt {
    /// Reads a receipt; `None` for what never was one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (message, receives) = text.split_once('.')?;
        Some(Self {
            message: message.parse().ok()?,
            receives: receives.parse().ok()?,
        })
    }

    fn text(self) -> String {
        format!("{}.{}", self.message, self.receives)
    }
}

fn anything_visible(connection: &Connection, now: Timestamp) -> Result<bool, Stopped> {
    let sql = format!("SELECT EXISTS (SELECT 1 {HEADS} WHERE {VISIBLE})");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([micros(now)], |row| row.get(0))?)
}

/// Takes the visible head of the group that was served longest ago, and among groups that never
/// were, the oldest head.
fn receive(
    connection: &Connection,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Delivery>, Stopped> {
    let sql = format!(
        "SELECT m.id, m.receives, m.body, m.tenant, m.lane {HEADS}
         WHERE {VISIBLE} ORDER BY g.served, m.id LIMIT 1"
    );
    let head = connection
        .prepare_cached(&sql)?
        .query_row([micros(now)], |row| {
            let group: (String, String) = (row.get(3)?, row.get(4)?);
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, u32>(1)?,
                row.get::<_, String>(2)?,
                group,
            ))
        })
        .optional()?;
    let Some((message, receives, body, (tenant, lane))) = head else {
        return Ok(None);
    };
    let receives = receives.saturating_add(1);
    connection
        .prepare_cached(
            "UPDATE messages SET in_flight = 1, receives = ?2, visible_at = ?3 WHERE id = ?1",
        )?
        .execute(params![message, receives, micros(until)])?;
    connection
        .prepare_cached(
            "UPDATE queue_groups SET served = (SELECT max(served) + 1 FROM queue_groups)
             WHERE tenant = ?1 AND lane = ?2",
        )?
        .execute([tenant, lane])?;
    let receipt = Receipt { message, receives };
    Ok(Some(Delivery {
        receipt: receipt.text(),
        body,
        receives,
    }))
}

fn remove(connection: &Connection, receipt: Receipt, now: Timestamp) -> Result<(), Stopped> {
    connection
        .prepare_cached(
            "DELETE FROM messages
             WHERE id = ?1 AND receives = ?2 AND in_flight = 1 AND visible_at > ?3",
        )?
        .execute(params![receipt.message, receipt.receives, micros(now)])?;
    Ok(())
}

fn show_again(
    connection: &Connection,
    receipt: Receipt,
    now: Timestamp,
    visible_at: Timestamp,
) -> Result<(), Stopped> {
    connection
        .prepare_cached(
            "UPDATE messages SET in_flight = 0, visible_at = ?4
             WHERE id = ?1 AND receives = ?2 AND in_flight = 1 AND visible_at > ?3",
        )?
        .execute(params![
            receipt.message,
            receipt.receives,
            micros(now),
            micros(visible_at)
        ])?;
    Ok(())
}
