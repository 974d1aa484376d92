//! The queue as its senders see it: groups, order, deduplication.

use std::time::Duration;

use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Lane, Message, Queue, StoreError},
    record::earlier,
};
use rusqlite::{Connection, params};

use crate::{
    columns::{micros, to_json},
    stopped::Stopped,
    store::SqliteStore,
};

/// How long a deduplication id is remembered.
const DEDUPLICATION: Duration = Duration::from_mins(5);

impl Queue for SqliteStore {
    async fn send(&self, messages: Vec<Message>) -> Result<(), StoreError> {
        let now = self.now();
        let letters = messages
            .iter()
            .map(Letter::from_message)
            .collect::<Result<Vec<_>, _>>()?;
        self.write(move |file| send(file, &letters, now)).await
    }
}

impl SqliteStore {
    /// Queues a body as it is, whatever it says: for messages that another version wrote and for
    /// tests of bad ones.
    pub async fn send_raw(
        &self,
        tenant: &TenantId,
        lane: Lane,
        deduplication: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let letter = Letter {
            tenant: tenant.as_str().to_owned(),
            lane: lane_name(lane).to_owned(),
            deduplication: deduplication.to_owned(),
            body: body.to_owned(),
        };
        self.write(move |file| send(file, std::slice::from_ref(&letter), now))
            .await
    }
}

/// A message as it is kept.
pub(crate) struct Letter {
    pub(crate) tenant: String,
    pub(crate) lane: String,
    pub(crate) deduplication: String,
    pub(crate) body: String,
}

impl Letter {
    fn from_message(message: &Message) -> Result<Self, StoreError> {
        Ok(Self {
            tenant: message.body.tenant().as_str().to_owned(),
            lane: lane_name(message.lane).to_owned(),
            deduplication: message.deduplication.clone(),
            body: to_json(&message.body, "a work message")?,
        })
    }
}

const fn lane_name(lane: Lane) -> &'static str {
    match lane {
        Lane::Background => "background",
        Lane::Person => "person",
    }
}

fn send(connection: &Connection, letters: &[Letter], now: Timestamp) -> Result<(), Stopped> {
    connection
        .prepare_cached("DELETE FROM deduplications WHERE sent_at <= ?1")?
        .execute([micros(earlier(now, DEDUPLICATION))])?;
    for letter in letters {
        if is_new(connection, letter, now)? {
            append(connection, letter, now)?;
        }
    }
    Ok(())
}

/// Remembers the deduplication id; false when it is remembered already.
fn is_new(connection: &Connection, letter: &Letter, now: Timestamp) -> Result<bool, Stopped> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO deduplications (tenant, lane, id, sent_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            letter.tenant,
            letter.lane,
            letter.deduplication,
            micros(now)
        ])?;
    Ok(inserted > 0)
}

/// Puts a message at the end of its group.
pub(crate) fn append(
    connection: &Connection,
    letter: &Letter,
    now: Timestamp,
) -> Result<(), Stopped> {
    connection
        .prepare_cached(
            "INSERT INTO queue_groups (tenant, lane) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?
        .execute([&letter.tenant, &letter.lane])?;
    connection
        .prepare_cached(
            "INSERT INTO messages (tenant, lane, deduplication, sent_at, visible_at, body)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
        )?
        .execute(params![
            letter.tenant,
            letter.lane,
            letter.deduplication,
            micros(now),
            letter.body
        ])?;
    Ok(())
}
