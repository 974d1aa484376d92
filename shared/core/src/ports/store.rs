use std::{collections::BTreeMap, future::Future, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    failure::Failure,
    ids::{OperationId, OrderId, RealmId, RunNumber, TenantId, TraceId},
    ports::Lane,
    record::{Origin, StateName, SyncRecord},
    tenant::{Grant, Stored},
};

/// Why the store did not do what was asked. A condition that was not met is not an error.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// It did not answer in time; the write may or may not have happened.
    #[error("the store did not answer: {0}")]
    Unavailable(String),
    /// There is no room left; nothing was written.
    #[error("the disk is full: {0}")]
    Full(String),
    /// What is stored cannot be read.
    #[error("stored data cannot be read: {0}")]
    Unreadable(String),
    /// It was written by a newer version of the program, and is left alone.
    #[error("stored by a newer version of Purser: {0}")]
    Newer(String),
}

impl From<StoreError> for Failure {
    fn from(_: StoreError) -> Self {
        Self::new(crate::notice::Code::StoreBusy)
    }
}

/// What a conditional write expects to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected<T> {
    /// Nothing.
    Absent,
    /// Exactly this version.
    Is(T),
    /// Anything. Only tests that switch the fence off use this.
    Any,
}

/// The outcome of a conditional write of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// Written; this is its version now.
    Done(u64),
    /// Not written: something else is there.
    Conflict,
}

/// The kinds of documents a tenant has, one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// [`TenantStatus`](crate::tenant::TenantStatus).
    Status,
    /// [`Settings`](crate::settings::Settings).
    Settings,
    /// Sealed [`AutotaskCredentials`](crate::tenant::AutotaskCredentials).
    Autotask,
    /// Sealed [`Grant`].
    QuickBooks,
    /// [`RunChain`](crate::tenant::RunChain).
    Runs,
    /// [`Labels`](crate::tenant::Labels).
    Labels,
    /// [`KnownNames`](crate::tenant::KnownNames).
    Names,
    /// [`Usage`](crate::tenant::Usage).
    Usage,
}

impl DocumentKind {
    /// Its text, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Settings => "settings",
            Self::Autotask => "autotask",
            Self::QuickBooks => "quickbooks",
            Self::Runs => "runs",
            Self::Labels => "labels",
            Self::Names => "names",
            Self::Usage => "usage",
        }
    }
}

/// What happened to an order, for its story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// Which order.
    pub order: OrderId,
    /// What.
    pub event: HistoryEvent,
    /// What was behind it: ids, codes, and in `text` words for people.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub detail: serde_json::Value,
    /// One sentence for people.
    pub text: String,
    /// What it followed from, as log lines name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

impl HistoryEntry {
    /// Names what it followed from.
    #[must_use]
    pub fn traced(self, trace: Option<&TraceId>) -> Self {
        let trace = trace.cloned();
        Self { trace, ..self }
    }
}

/// The kinds of events in an order's story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name says what happened")]
pub enum HistoryEvent {
    Found,
    Asked,
    Planned,
    Sent,
    Created,
    Adopted,
    Verified,
    Linked,
    Refused,
    NeedsPerson,
    Waiting,
    Skipped,
    Orphaned,
    ErrorWritten,
    TodoOpened,
    TodoRewritten,
    TodoCompleted,
    Told,
}

/// A mail to be sent, stored with the change it tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Whose it is.
    pub tenant: TenantId,
    /// To whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// When it was written.
    pub written_at: Timestamp,
}

/// Names a stored mail.
pub type MailId = u64;

/// One conditional write of one record, with what is stored in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record as it shall be.
    pub record: SyncRecord,
    /// The operation of the record as it was read.
    pub expected: Expected<OperationId>,
    /// When the sweeper should look at it (the index of the store).
    pub due_at: Option<Timestamp>,
    /// What to add to its story.
    pub history: Vec<HistoryEntry>,
    /// Mails to keep for sending.
    pub mails: Vec<Mail>,
}

/// The outcome of one conditional write of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Written, now or by an earlier try of the same operation.
    Done,
    /// Not written: this is there instead (`None`: nothing).
    Conflict(Option<Box<SyncRecord>>),
}

/// Which records to list, newest change first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Only these states; all when empty.
    pub states: Vec<StateName>,
    /// Only records that wait.
    pub waiting: bool,
    /// Only these orders; all when empty.
    pub orders: Vec<OrderId>,
    /// Only orders of this vendor, by its name in Autotask.
    pub vendor: Option<String>,
    /// Only records with this [`SyncRecord::code`].
    pub code: Option<String>,
    /// Only records whose [`SyncRecord::search_text`] holds this, whatever the capitals.
    pub text: Option<String>,
    /// Only records changed at or after this moment.
    pub since: Option<Timestamp>,
    /// Only records changed before this moment.
    pub until: Option<Timestamp>,
    /// Only records changed before this moment, or at it with a smaller order id: for paging.
    pub before: Option<(Timestamp, OrderId)>,
    /// At most this many.
    pub limit: u32,
}

/// The ledger and every document of the tenants.
///
/// A write is durable when its call returns. A conditional write that fails tells what is there.
/// Each change of a batch stands or falls by itself.
pub trait Ledger: Send + Sync {
    /// Every tenant, by name.
    fn tenants(&self) -> impl Future<Output = Result<Vec<TenantId>, StoreError>> + Send;

    /// Removes everything stored about a tenant.
    fn remove_tenant(
        &self,
        tenant: &TenantId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// One document as JSON text.
    fn document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> impl Future<Output = Result<Option<Stored<String>>, StoreError>> + Send;

    /// Writes a document if the stored version is the expected one.
    fn put_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
        body: String,
        expected: Expected<u64>,
    ) -> impl Future<Output = Result<Put, StoreError>> + Send;

    /// Removes a document, whatever its version.
    fn remove_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The records of these orders; absent ones are left out.
    fn records(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        orders: &[OrderId],
    ) -> impl Future<Output = Result<Vec<SyncRecord>, StoreError>> + Send;

    /// Writes records, each with its history and mails in one transaction, each only if it is as
    /// expected and its stored fence is not higher. The outcomes stand in the order of the changes.
    fn commit(
        &self,
        changes: Vec<Change>,
    ) -> impl Future<Output = Result<Vec<Committed>, StoreError>> + Send;

    /// Orders whose `due_at` has come, earliest first.
    fn due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        now: Timestamp,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<OrderId>, StoreError>> + Send;

    /// The earliest `due_at` of a tenant.
    fn next_due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Records of a tenant, newest change first.
    fn list(
        &self,
        tenant: &TenantId,
        filter: &RecordFilter,
    ) -> impl Future<Output = Result<Vec<SyncRecord>, StoreError>> + Send;

    /// How many records fit a filter; its limit and paging do not count.
    fn count(
        &self,
        tenant: &TenantId,
        filter: &RecordFilter,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// How many records a tenant has in each state.
    fn counts(
        &self,
        tenant: &TenantId,
    ) -> impl Future<Output = Result<Vec<(StateName, u64)>, StoreError>> + Send;

    /// How many records of each state were changed last in each span between two neighbouring
    /// moments of `bounds` (which rise): the first included, the second not.
    fn counts_between(
        &self,
        tenant: &TenantId,
        bounds: &[Timestamp],
    ) -> impl Future<Output = Result<Vec<BTreeMap<StateName, u64>>, StoreError>> + Send;

    /// Since when the order has been waiting that waits longest, by [`SyncRecord::open_since`].
    fn oldest_open(
        &self,
        tenant: &TenantId,
    ) -> impl Future<Output = Result<Option<(OrderId, Timestamp)>, StoreError>> + Send;

    /// The story of one order, oldest first.
    fn history(
        &self,
        tenant: &TenantId,
        order: OrderId,
    ) -> impl Future<Output = Result<Vec<HistoryEntry>, StoreError>> + Send;
}

/// Mails waiting to be sent.
pub trait Outbox: Send + Sync {
    /// Keeps a mail that belongs to no record.
    fn keep(&self, mail: Mail) -> impl Future<Output = Result<MailId, StoreError>> + Send;

    /// Mails not yet sent, oldest first.
    fn unsent(
        &self,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<(MailId, Mail)>, StoreError>> + Send;

    /// Notes that a mail was sent.
    fn sent(
        &self,
        id: MailId,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// All kept mails, newest first, with the time they were sent.
    fn mails(
        &self,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<(MailId, Mail, Option<Timestamp>)>, StoreError>> + Send;
}

/// What became of an attempt to hand a mail over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It is on its way.
    Sent,
    /// It will never be taken.
    Refused,
    /// This one was not taken now, for instance because of who it goes to; others may be.
    Deferred,
    /// None was taken now: the way out itself is closed.
    Later,
}

/// The way out for mails.
pub trait Mailer: Send + Sync {
    /// Hands one mail over.
    fn post(&self, mail: &Mail) -> impl Future<Output = Posted> + Send;
}

/// What a worker is asked to do. A hint: the ledger is the truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum WorkMessage {
    /// Sync these orders, 25 at most.
    Sync {
        /// The version of this form; 1.
        version: u32,
        /// Whose orders.
        tenant: TenantId,
        /// The run that found them.
        run: Option<RunNumber>,
        /// The orders.
        orders: Vec<OrderId>,
        /// Who asked.
        origin: Origin,
        /// What it followed from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId>,
    },
    /// All orders of a run were queued before this message.
    EndOfRun {
        /// The version of this form; 1.
        version: u32,
        /// Whose run.
        tenant: TenantId,
        /// Which run.
        run: RunNumber,
        /// What it followed from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId>,
    },
}

impl WorkMessage {
    /// The version this code writes and reads.
    pub const VERSION: u32 = 1;
    /// The most orders one message names.
    pub const ORDERS_MAX: usize = 25;

    /// Whose message it is.
    pub const fn tenant(&self) -> &TenantId {
        match self {
            Self::Sync { tenant, .. } | Self::EndOfRun { tenant, .. } => tenant,
        }
    }

    /// What it followed from, when its sender said so.
    pub const fn trace(&self) -> Option<&TraceId> {
        match self {
            Self::Sync { trace, .. } | Self::EndOfRun { trace, .. } => trace.as_ref(),
        }
    }
}

/// A message to be queued. Messages of one tenant and lane are handled one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its lane; with the tenant it forms the group.
    pub lane: Lane,
    /// Two messages with the same id within five minutes are one. An economy, never a guarantee.
    pub deduplication: String,
    /// Its content.
    pub body: WorkMessage,
}

/// The queue, as its senders see it.
pub trait Queue: Send + Sync {
    /// Queues messages, in order within each group.
    fn send(&self, messages: Vec<Message>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Names this very delivery.
    pub receipt: String,
    /// The body as JSON text.
    pub body: String,
    /// How often it was received, this time included.
    pub receives: u32,
}

/// The queue, as its receiver sees it.
pub trait Inbox: Send + Sync {
    /// Takes the next message whose group has none in flight, and hides it for `visibility`.
    fn receive(
        &self,
        visibility: Duration,
    ) -> impl Future<Output = Result<Option<Delivery>, StoreError>> + Send;

    /// Removes a handled message. Does nothing when the delivery is no longer current.
    fn acknowledge(&self, receipt: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Shows a message again after `delay`.
    fn give_back(
        &self,
        receipt: &str,
        delay: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// One-time alarms that start a tenant's next run.
pub trait Schedule: Send + Sync {
    /// Arms the alarm of a run. Arming the same run again moves it.
    fn arm(
        &self,
        tenant: &TenantId,
        run: RunNumber,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether the alarm of this run is armed.
    fn is_armed(
        &self,
        tenant: &TenantId,
        run: RunNumber,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Where grants are kept, sealed.
pub trait GrantStore: Send + Sync {
    /// The grant of a tenant.
    fn grant(
        &self,
        tenant: &TenantId,
    ) -> impl Future<Output = Result<Option<Stored<Grant>>, StoreError>> + Send;

    /// Writes it if the stored version is the expected one.
    fn put_grant(
        &self,
        tenant: &TenantId,
        grant: &Grant,
        expected: Expected<u64>,
    ) -> impl Future<Output = Result<Put, StoreError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"{"kind":"end_of_run","version":1,"tenant":"north","run":7}"#;

    #[test]
    fn a_message_without_a_trace_is_read_and_written_as_before_there_were_traces() {
        let message: WorkMessage = serde_json::from_str(BEFORE).unwrap();
        assert_eq!(message.trace(), None);
        assert_eq!(serde_json::to_string(&message).unwrap(), BEFORE);
    }

    #[test]
    fn a_message_keeps_the_trace_that_it_was_given() {
        let text = BEFORE.replace('}', r#","trace":"1-5759e988-bd862e3fe1be46a994272793"}"#);
        let message: WorkMessage = serde_json::from_str(&text).unwrap();
        let trace = message.trace().map(TraceId::as_str);
        assert_eq!(trace, Some("1-5759e988-bd862e3fe1be46a994272793"));
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
        let wrong = BEFORE.replace('}', r#","trace":"ann@example.com"}"#);
        assert!(serde_json::from_str::<WorkMessage>(&wrong).is_err());
    }
}
