//! Durable memory of the simulators: one table of documents.
//!
//! A simulator keeps its world in its own structures and writes each changed document through,
//! in one transaction, before the answer leaves.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, params};
use thiserror::Error;

/// The store failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database file cannot be read or written.
    #[error("use the simulator store")]
    Database(#[from] rusqlite::Error),
    /// A stored document does not fit the simulator.
    #[error("read a stored {kind} document")]
    Document {
        /// Kind of the document.
        kind: String,
        /// What does not fit.
        source: serde_json::Error,
    },
}

/// One change of the stored documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Inserts or replaces a document.
    Put {
        /// Kind of the document, such as `autotask.order`.
        kind: String,
        /// Key, unique within the kind.
        id: String,
        /// The document.
        json: String,
    },
    /// Removes a document.
    Delete {
        /// Kind of the document.
        kind: String,
        /// Key, unique within the kind.
        id: String,
    },
}

/// One SQLite file, or nothing at all.
#[derive(Debug)]
pub struct Store {
    connection: Option<Mutex<Connection>>,
}

impl Store {
    /// Opens or creates the file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS document (
                kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL,
                PRIMARY KEY (kind, id)) WITHOUT ROWID, STRICT;",
        )?;
        Ok(Self {
            connection: Some(Mutex::new(connection)),
        })
    }

    /// Keeps nothing: the world is gone with the process.
    pub fn memory() -> Self {
        Self { connection: None }
    }

    /// False when changes need not even be written down.
    pub fn is_durable(&self) -> bool {
        self.connection.is_some()
    }

    /// Applies all changes or none; they are on disk when this returns.
    pub fn commit(&self, changes: &[Change]) -> Result<(), StoreError> {
        let Some(connection) = &self.connection else {
            return Ok(());
        };
        if changes.is_empty() {
            return Ok(());
        }
        let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        for change in changes {
            match change {
                Change::Put { kind, id, json } => transaction
                    .prepare_cached("INSERT OR REPLACE INTO document VALUES (?1, ?2, ?3)")?
                    .execute(params![kind, id, json])?,
                Change::Delete { kind, id } => transaction
                    .prepare_cached("DELETE FROM document WHERE kind = ?1 AND id = ?2")?
                    .execute(params![kind, id])?,
            };
        }
        Ok(transaction.commit()?)
    }

    /// All documents of a kind with their keys, in the order of the keys as text.
    pub fn load(&self, kind: &str) -> Result<Vec<(String, String)>, StoreError> {
        let Some(connection) = &self.connection else {
            return Ok(Vec::new());
        };
        let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection
            .prepare_cached("SELECT id, json FROM document WHERE kind = ?1 ORDER BY id")?;
        let rows = statement.query_map(params![kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(id: &str, json: &str) -> Change {
        Change::Put {
            kind: "thing".into(),
            id: id.into(),
            json: json.into(),
        }
    }

    #[test]
    fn documents_survive_a_restart() {
        let path =
            std::env::temp_dir().join(format!("purser-simulators-{}.db", std::process::id()));
        let store = Store::open(&path).unwrap();
        store.commit(&[put("1", "{}"), put("2", "[]")]).unwrap();
        let delete = Change::Delete {
            kind: "thing".into(),
            id: "1".into(),
        };
        store.commit(&[delete, put("2", "[1]")]).unwrap();
        drop(store);
        let store = Store::open(&path).unwrap();
        assert_eq!(
            store.load("thing").unwrap(),
            [("2".to_owned(), "[1]".to_owned())]
        );
        assert!(store.load("other").unwrap().is_empty());
        drop(store);
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
    }

    #[test]
    fn memory_keeps_nothing() {
        let store = Store::memory();
        store.commit(&[put("1", "{}")]).unwrap();
        assert!(!store.is_durable());
        assert!(store.load("thing").unwrap().is_empty());
    }
}
