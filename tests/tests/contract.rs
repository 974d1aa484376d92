//! The contract of the storage ports, run on SQLite.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Lane, StoreError},
};
use purser_sqlite::{OpenOptions, SqliteStore};
use purser_tests::contract::Arm;
use tempfile::TempDir;

/// SQLite in a directory of its own, with a clock that stands still.
struct SqliteArm {
    store: SqliteStore,
    clock: Arc<AtomicI64>,
    _directory: TempDir,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a time")
}

impl Arm for SqliteArm {
    type Ledger = SqliteStore;
    type Outbox = SqliteStore;
    type Queue = SqliteStore;
    type Inbox = SqliteStore;
    type Schedule = SqliteStore;
    type Registry = SqliteStore;

    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(AtomicI64::new(1_790_000_000));
        let reader = Arc::clone(&clock);
        let options = OpenOptions {
            clock: Arc::new(move || at(reader.load(Ordering::SeqCst))),
            ..OpenOptions::default()
        };
        let store = SqliteStore::open(directory.path(), options).expect("a store");
        Self {
            store,
            clock,
            _directory: directory,
        }
    }

    fn ledger(&self) -> &SqliteStore {
        &self.store
    }

    fn outbox(&self) -> &SqliteStore {
        &self.store
    }

    fn queue(&self) -> &SqliteStore {
        &self.store
    }

    fn inbox(&self) -> &SqliteStore {
        &self.store
    }

    fn schedule(&self) -> &SqliteStore {
        &self.store
    }

    fn registry(&self) -> &SqliteStore {
        &self.store
    }

    fn now(&self) -> Timestamp {
        at(self.clock.load(Ordering::SeqCst))
    }

    async fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).expect("a short time");
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn send_raw(
        &self,
        tenant: &TenantId,
        lane: Lane,
        deduplication: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        self.store.send_raw(tenant, lane, deduplication, body).await
    }
}

purser_tests::contract_suite!(super::SqliteArm);

#[test]
fn every_case_that_is_written_is_listed() {
    purser_tests::contract::assert_all_are_listed(CASES);
}
