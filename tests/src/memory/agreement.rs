//! Whatever is called in whatever order, the store in memory and SQLite give the same answers.
//!
//! Left out is what they do on purpose differently: see the module above.

mod ledger;
mod others;

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::atomic::{AtomicI64, Ordering},
};

use purser_core::ports::{Change, Inbox, Ledger, Outbox, Queue, Registry, Schedule};
use purser_sqlite::{OpenOptions, SqliteStore};

use super::*;
use crate::contract::sample::{at, north, south};
use crate::dice::Dice;

/// Histories that are compared, and how long each is.
const SEEDS: u64 = 15;
const CALLS: usize = 300;

/// Somebody who uses a store by chance and notes what it answers.
struct Caller<S> {
    store: S,
    clock: Arc<AtomicI64>,
    dice: Dice,
    names: u64,
    /// The operations that each order was written by, as far as the caller knows.
    operations: BTreeMap<(TenantId, i64), Vec<String>>,
    last: Option<Change>,
    versions: BTreeMap<String, Vec<u64>>,
    receipts: Vec<String>,
    mails: Vec<u64>,
    notes: Vec<String>,
}

impl<S> Caller<S> {
    fn new(store: S, clock: Arc<AtomicI64>, seed: u64) -> Self {
        Self {
            store,
            clock,
            dice: Dice::new(seed),
            names: 0,
            operations: BTreeMap::new(),
            last: None,
            versions: BTreeMap::new(),
            receipts: Vec::new(),
            mails: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn note(&mut self, call: &str, answer: impl Debug) {
        self.notes.push(format!("{call}: {answer:?}"));
    }

    fn tenant(&mut self) -> TenantId {
        self.dice.pick(&[north(), south()])
    }

    fn now(&self) -> Timestamp {
        at(self.clock.load(Ordering::SeqCst))
    }
}

impl<S: Ledger + Outbox + Queue + Inbox + Schedule + Registry> Caller<S> {
    async fn call_often(mut self) -> Vec<String> {
        for _ in 0..CALLS {
            match self.dice.roll(16) {
                0..=3 => self.commit().await,
                4 => self.list().await,
                5 => self.due().await,
                6 => self.count().await,
                7 | 8 => self.document().await,
                9 | 10 => self.entry().await,
                11 => self.send().await,
                12 | 13 => self.receive().await,
                14 => self.outbox().await,
                _ => self.pass_time().await,
            }
        }
        self.notes
    }
}

fn clock() -> (Arc<AtomicI64>, MemoryClock) {
    let clock = Arc::new(AtomicI64::new(0));
    let reader = Arc::clone(&clock);
    (clock, Arc::new(move || at(reader.load(Ordering::SeqCst))))
}

async fn in_memory(seed: u64) -> Vec<String> {
    let (clock, reader) = clock();
    let caller = Caller::new(MemoryStore::new(reader), clock, seed);
    caller.call_often().await
}

async fn on_disk(seed: u64) -> Vec<String> {
    let (clock, reader) = clock();
    let folder = crate::stage::folder();
    let options = OpenOptions {
        clock: reader,
        ..OpenOptions::default()
    };
    let store = SqliteStore::open(folder.path(), options).unwrap();
    Caller::new(store, clock, seed).call_often().await
}

#[tokio::test]
async fn whatever_is_called_memory_and_disk_give_the_same_answers() {
    for seed in 0..SEEDS {
        let (memory, disk) = (in_memory(seed).await, on_disk(seed).await);
        for (call, (ours, theirs)) in memory.iter().zip(&disk).enumerate() {
            assert_eq!(ours, theirs, "seed {seed}, answer {call}");
        }
        assert_eq!(memory.len(), disk.len(), "seed {seed}");
    }
}

#[tokio::test]
async fn the_same_calls_give_the_same_answers_again() {
    assert_eq!(in_memory(7).await, in_memory(7).await);
    assert_ne!(in_memory(7).await, in_memory(8).await);
}
