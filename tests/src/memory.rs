//! The storage ports in memory, as DynamoDB, SQS FIFO and EventBridge Scheduler keep them.
//!
//! One seed must be one history: no thread, no file, no chance, no clock but the one that is given.
//! What the ports leave open is decided as `purser-aws` and the services behind it decide it, and not
//! as SQLite does:
//!
//! - A condition is asked first and the name of a write afterwards: a write that finds itself is done.
//! - A tenant is listed before its first write is judged, so one whose write was refused is listed.
//! - A removed document keeps its version; a removed tenant keeps nothing, but its messages and
//!   alarms stay where they are.
//! - A receipt is good until its message can be seen again, also after the message was given back.
//! - Times of messages and alarms are whole seconds, and an alarm never lies in the past.
//!
//! A call is done when it is first polled, and nothing ever fails: that answers are lost or late, and
//! batches done by half, is the business of [`Shaken`](crate::shaken::Shaken).

#[cfg(test)]
mod agreement;
mod documents;
mod ledger;
mod outbox;
mod queue;
mod records;
mod registry;
mod schedule;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use purser_core::ids::TenantId;

use self::{
    documents::Documents, outbox::Mails, queue::Fifo, records::Records, registry::Entries,
    schedule::Alarms,
};

/// Tells the time to queue and alarms. Leases and due times are told by the callers.
pub type MemoryClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Every storage port in memory.
pub struct MemoryStore {
    clock: MemoryClock,
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    partitions: BTreeMap<TenantId, Partition>,
    mails: Mails,
    entries: Entries,
    queue: Fifo,
    alarms: Alarms,
}

/// What is stored about one tenant; that it is there lists the tenant.
#[derive(Default)]
struct Partition {
    documents: Documents,
    records: Records,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(clock: MemoryClock) -> Self {
        Self {
            clock,
            tables: Mutex::default(),
        }
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    /// The partition of a tenant, from now on there if it was not.
    fn listed(&mut self, tenant: &TenantId) -> &mut Partition {
        if !self.partitions.contains_key(tenant) {
            self.partitions.insert(tenant.clone(), Partition::default());
        }
        match self.partitions.get_mut(tenant) {
            Some(partition) => partition,
            None => unreachable!("it was made"),
        }
    }
}

/// A moment as the table keeps it: to the microsecond.
fn stored(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// SQS counts in whole seconds, and shows nothing earlier than was asked.
fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}
