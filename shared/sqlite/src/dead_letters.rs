//! Messages set aside because they can never succeed, until a person puts them back.

use jiff::Timestamp;
use purser_core::{ids::TenantId, ports::StoreError};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    columns::{from_column, micros, parse, timestamp, to_column},
    inbox::Receipt,
    queue::{self, Letter},
    stopped::Stopped,
    store::SqliteStore,
};

/// A message that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Names it.
    pub id: u64,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its body, as it was received.
    pub body: String,
    /// How often it was received.
    pub receives: u32,
    /// Why it was set aside, for people.
    pub why: String,
    /// When it was first queued.
    pub sent_at: Timestamp,
    /// When it was set aside.
    pub buried_at: Timestamp,
}

impl SqliteStore {
    /// Sets a received message aside, so that its group goes on. False, and nothing done, when the
    /// delivery is no longer current.
    pub async fn bury(&self, receipt: &str, why: &str) -> Result<bool, StoreError> {
        let now = self.now();
        let Some(receipt) = Receipt::parse(receipt) else {
            return Ok(false);
        };
        let why = why.to_owned();
        self.write(move |file| bury(file, receipt, &why, now)).await
    }

    /// The messages set aside, newest first.
    pub async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        self.read(move |file| dead_letters(file, limit)).await
    }

    /// Puts a message back at the end of its group. False when it is not there.
    pub async fn redrive(&self, id: u64) -> Result<bool, StoreError> {
        let now = self.now();
        self.write(move |file| redrive(file, id, now)).await
    }
}

fn bury(
    connection: &Connection,
    receipt: Receipt,
    why: &str,
    now: Timestamp,
) -> Result<bool, Stopped> {
    let copied = connection
        .prepare_cached(
            "INSERT INTO dead_letters
                 (tenant, lane, deduplication, sent_at, buried_at, receives, why, body)
             SELECT tenant, lane, deduplication, sent_at, ?3, receives, ?4, body FROM messages
             WHERE id = ?1 AND receives = ?2 AND in_flight = 1 AND visible_at > ?3",
        )?
        .execute(params![receipt.message, receipt.receives, micros(now), why])?;
    if copied == 0 {
        return Ok(false);
    }
    connection
        .prepare_cached("DELETE FROM messages WHERE id = ?1")?
        .execute([receipt.message])?;
    Ok(true)
}

fn dead_letters(connection: &Connection, limit: u32) -> Result<Vec<DeadLetter>, Stopped> {
    let mut statement = connection.prepare_cached(
        "SELECT id, tenant, body, receives, why, sent_at, buried_at FROM dead_letters
         ORDER BY id DESC LIMIT ?1",
    )?;
    let mut rows = statement.query([limit])?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next()? {
        letters.push(DeadLetter {
            id: from_column(row.get(0)?, "the dead letter")?,
            tenant: parse(&row.get::<_, String>(1)?, "tenant")?,
            body: row.get(2)?,
            receives: row.get(3)?,
            why: row.get(4)?,
            sent_at: timestamp(row.get(5)?)?,
            buried_at: timestamp(row.get(6)?)?,
        });
    }
    Ok(letters)
}

fn redrive(connection: &Connection, id: u64, now: Timestamp) -> Result<bool, Stopped> {
    let letter = connection
        .prepare_cached(
            "DELETE FROM dead_letters WHERE id = ?1 RETURNING tenant, lane, deduplication, body",
        )?
        .query_row([to_column(id, "the dead letter")?], |row| {
            Ok(Letter {
                tenant: row.get(0)?,
                lane: row.get(1)?,
                deduplication: row.get(2)?,
                body: row.get(3)?,
            })
        })
        .optional()?;
    match letter {
        Some(letter) => queue::append(connection, &letter, now).map(|()| true),
        None => Ok(false),
    }
}
