//! The use cases: what the functions and the program do, generic over the ports.
//!
//! Each either asks `core` to decide or carries out one decision; none knows HTTP, a database or
//! a function runtime.

mod ask;
mod at_work;
mod attempt;
mod books_cache;
mod commit;
mod defect;
mod documents;
mod ensure;
mod enter;
mod facts;
mod fail;
mod health;
mod identity;
mod link;
mod mail;
mod names;
mod preview;
mod reconcile;
mod rows;
mod run;
mod scan;
mod send;
mod settle;
mod sweep;
mod sync;
mod todos;
mod tried;
mod trouble;

#[cfg(test)]
mod tests;

use std::sync::Mutex;

use jiff::Timestamp;

pub use ask::{Asked, RetryFilter};
pub use books_cache::BooksCache;
pub use defect::{DEFECTS_MAX, Defect};
pub use documents::{load, store, update};
pub use health::Health;
pub use preview::Preview;
pub use reconcile::Reconciled;
pub use run::RunStart;
pub use scan::{ScanReport, Scanned};
pub use sync::{Outcome, OutcomeKind, SyncReport, SyncRequest};
pub use tried::Tried;

use crate::{
    policy::{Guards, Policy},
    ports::{Chance, Clock, Ledger, Outbox, Outside, Queue, Schedule},
    protocol::Holder,
};

/// One choice of adapter for every port.
pub trait Ports: Send + Sync + 'static {
    /// The clock.
    type Clock: Clock;
    /// Chance.
    type Chance: Chance;
    /// The ledger and the outbox.
    type Store: Ledger + Outbox;
    /// The queue.
    type Queue: Queue;
    /// The alarms.
    type Schedule: Schedule;
    /// The outside systems.
    type Outside: Outside;

    /// The clock.
    fn clock(&self) -> &Self::Clock;
    /// Chance.
    fn chance(&self) -> &Self::Chance;
    /// The ledger and the outbox.
    fn store(&self) -> &Self::Store;
    /// The queue.
    fn queue(&self) -> &Self::Queue;
    /// The alarms.
    fn schedule(&self) -> &Self::Schedule;
    /// The outside systems.
    fn outside(&self) -> &Self::Outside;
}

/// The use cases over one set of ports.
pub struct Engine<P: Ports> {
    ports: P,
    policy: Policy,
    guards: Guards,
    name: String,
    only: bool,
    books: BooksCache,
    /// What attempts are at right now.
    busy: Mutex<at_work::Busy>,
}

impl<P: Ports> Engine<P> {
    /// An engine called `name`; its leases carry that name.
    pub fn new(ports: P, policy: Policy, name: String) -> Self {
        let books = BooksCache::default();
        Self {
            ports,
            policy,
            guards: Guards::ALL,
            name,
            only: false,
            books,
            busy: Mutex::default(),
        }
    }

    /// Declares that no other engine can be alive on this store, so that leases of others are dead.
    #[must_use]
    pub fn only_engine(mut self) -> Self {
        self.only = true;
        self
    }

    /// Replaces the guards; only tests do.
    #[must_use]
    pub fn with_guards(mut self, guards: Guards) -> Self {
        self.guards = guards;
        self
    }

    /// The ports.
    pub const fn ports(&self) -> &P {
        &self.ports
    }

    /// The policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    fn now(&self) -> Timestamp {
        self.ports.clock().now()
    }

    fn holder(&self) -> Holder {
        let nonce = self.ports.chance().operation();
        Holder {
            owner: format!("{}/{nonce}", self.name),
            only_engine: self.only.then(|| format!("{}/", self.name)),
        }
    }
}
