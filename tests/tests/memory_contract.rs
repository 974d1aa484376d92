//! The contract of the storage ports, run on the store in memory as simulations use it: through a hook
//! that may disturb every call, and here disturbs none.

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
use purser_tests::{
    contract::Arm,
    memory::MemoryStore,
    shaken::{Happening, Shaken},
};

type Store = Shaken<MemoryStore>;

/// The store in memory, with a clock that stands still.
struct MemoryArm {
    store: Store,
    clock: Arc<AtomicI64>,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a time")
}

impl Arm for MemoryArm {
    type Ledger = Store;
    type Outbox = Store;
    type Queue = Store;
    type Inbox = Store;
    type Schedule = Store;
    type Registry = Store;

    async fn start() -> Self {
        let clock = Arc::new(AtomicI64::new(1_790_000_000));
        let reader = Arc::clone(&clock);
        let store = MemoryStore::new(Arc::new(move || at(reader.load(Ordering::SeqCst))));
        let store = Shaken::new(Arc::new(store), Arc::new(|_| Happening::Pass));
        Self { store, clock }
    }

    fn ledger(&self) -> &Store {
        &self.store
    }

    fn outbox(&self) -> &Store {
        &self.store
    }

    fn queue(&self) -> &Store {
        &self.store
    }

    fn inbox(&self) -> &Store {
        &self.store
    }

    fn schedule(&self) -> &Store {
        &self.store
    }

    fn registry(&self) -> &Store {
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
        self.store
            .store()
            .send_raw(tenant, lane, deduplication, body);
        Ok(())
    }
}

purser_tests::contract_suite!(super::MemoryArm);

#[test]
fn every_case_that_is_written_is_listed() {
    purser_tests::contract::assert_all_are_listed(CASES);
}
