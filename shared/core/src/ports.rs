//! The ports: what the use cases need from the world, as traits with two adapters each.
//!
//! Conditional writes, leases and versions are part of these contracts, not of one database. Every
//! adapter passes the contract suite in `tests/contract`.

mod autotask;
mod quickbooks;
mod registry;
mod store;
mod stored;

use std::{future::Future, sync::Arc, time::Duration};

use jiff::Timestamp;

pub use autotask::{Autotask, AutotaskReport, NewTodo, Quota};
pub use quickbooks::{Lookup, QuickBooks};
pub use registry::{Entry, EntryKey, EntryKind, Registry};
pub use store::{
    Change, Committed, Delivery, DocumentKind, Expected, GrantStore, HistoryEntry, HistoryEvent,
    Inbox, Ledger, Mail, MailId, Mailer, Message, Outbox, Posted, Put, Queue, RecordFilter,
    Schedule, StoreError, WorkMessage,
};
pub use stored::read_record;

use crate::{
    failure::Failure,
    ids::{AttemptId, OperationId, TenantId, TraceId},
    tenant::CallCounts,
};

/// The one clock.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits. Only adapters and handlers wait; decisions never do.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// The one source of chance.
pub trait Chance: Send + Sync {
    /// A name for one write.
    fn operation(&self) -> OperationId;

    /// A name for one person's attempt.
    fn attempt(&self) -> AttemptId;

    /// A name for everything that follows from one cause, where whoever caused it gave none.
    fn trace(&self) -> TraceId;

    /// A number from 0 to 999, to spread waits.
    fn permille(&self) -> u32;
}

/// Who a call is made for; the vendor's limits are split between the two.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Scans and their orders, and the daily reconciliation.
    Background,
    /// Whatever a person waits for.
    Person,
}

/// Opens the outside systems for one tenant, with that tenant's credentials and no other's.
pub trait Outside: Send + Sync {
    /// The Autotask client.
    type Autotask: Autotask;
    /// The QuickBooks client.
    type QuickBooks: QuickBooks;

    /// Opens Autotask.
    fn autotask(
        &self,
        tenant: &TenantId,
        lane: Lane,
    ) -> impl Future<Output = Result<Arc<Self::Autotask>, Failure>> + Send;

    /// Opens QuickBooks.
    fn quickbooks(
        &self,
        tenant: &TenantId,
        lane: Lane,
    ) -> impl Future<Output = Result<Arc<Self::QuickBooks>, Failure>> + Send;

    /// The calls made for a tenant by this process since this was asked last.
    fn take_calls(&self, tenant: &TenantId) -> CallCounts;
}
