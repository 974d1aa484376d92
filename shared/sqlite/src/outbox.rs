//! Mails that wait to be sent, and those that were.

use jiff::Timestamp;
use purser_core::ports::{Mail, MailId, Outbox, StoreError};
use rusqlite::{Connection, params};

use crate::{
    columns::{from_column, from_json, micros, timestamp, to_column, to_json},
    stopped::Stopped,
    store::SqliteStore,
};

type SentMail = (MailId, Mail, Option<Timestamp>);

impl Outbox for SqliteStore {
    async fn keep(&self, mail: Mail) -> Result<MailId, StoreError> {
        self.write(move |file| keep(file, &mail)).await
    }

    async fn unsent(&self, limit: u32) -> Result<Vec<(MailId, Mail)>, StoreError> {
        let mails = self.read(move |file| select(file, UNSENT, limit)).await?;
        Ok(mails.into_iter().map(|(id, mail, _)| (id, mail)).collect())
    }

    async fn sent(&self, id: MailId, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |file| note_sent(file, id, at)).await
    }

    async fn mails(&self, limit: u32) -> Result<Vec<SentMail>, StoreError> {
        self.read(move |file| select(file, NEWEST, limit)).await
    }
}

const UNSENT: &str =
    "SELECT id, body, sent_at FROM mails WHERE sent_at IS NULL ORDER BY id LIMIT ?1";
const NEWEST: &str = "SELECT id, body, sent_at FROM mails ORDER BY id DESC LIMIT ?1";

/// Keeps a mail, inside the transaction of the change it tells of.
pub(crate) fn keep(connection: &Connection, mail: &Mail) -> Result<MailId, Stopped> {
    connection
        .prepare_cached("INSERT INTO mails (tenant, body) VALUES (?1, ?2)")?
        .execute([mail.tenant.as_str(), &to_json(mail, "a mail")?])?;
    Ok(from_column(connection.last_insert_rowid(), "the mail")?)
}

fn note_sent(connection: &Connection, id: MailId, at: Timestamp) -> Result<(), Stopped> {
    connection
        .prepare_cached("UPDATE mails SET sent_at = ?2 WHERE id = ?1 AND sent_at IS NULL")?
        .execute(params![to_column(id, "the mail")?, micros(at)])?;
    Ok(())
}

fn select(connection: &Connection, sql: &str, limit: u32) -> Result<Vec<SentMail>, Stopped> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([limit], |row| {
        let body: String = row.get(1)?;
        Ok((row.get::<_, i64>(0)?, body, row.get::<_, Option<i64>>(2)?))
    })?;
    let mut mails = Vec::new();
    for row in rows {
        let (id, body, sent_at) = row?;
        let sent_at = sent_at.map(timestamp).transpose()?;
        mails.push((
            from_column(id, "the mail")?,
            from_json(&body, "a mail")?,
            sent_at,
        ));
    }
    Ok(mails)
}
