#![doc = include_str!("../README.md")]

mod columns;
mod dead_letters;
mod documents;
mod engine_lock;
mod inbox;
mod ledger;
mod migrations;
mod open;
mod open_error;
mod outbox;
mod queue;
mod readers;
mod records;
mod registry;
mod schedule;
mod stopped;
mod store;
mod writer;

pub use dead_letters::DeadLetter;
pub use engine_lock::{EngineLock, LockError, engine_is_running};
pub use open::{FILE_NAME, OpenOptions, StoreClock};
pub use open_error::OpenError;
pub use store::SqliteStore;
