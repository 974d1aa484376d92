//! Where everything stands in the table. Each access pattern of the README is one function here.

use jiff::Timestamp;
use purser_core::{
    ids::{OrderId, RealmId, TenantId},
    ports::{DocumentKind, EntryKey, EntryKind, MailId},
    record::RecordKey,
};

/// The partition key of every item.
pub(crate) const PARTITION: &str = "pk";
/// The sort key of every item.
pub(crate) const SORT: &str = "sk";
/// Sorts records by their last change (index [`CHANGED_INDEX`]).
pub(crate) const CHANGED: &str = "changed";
/// Sorts records by when the sweeper looks at them (index [`DUE_INDEX`]).
pub(crate) const DUE: &str = "due";
/// Sorts records by how long somebody waits for them (index [`OPEN_INDEX`]).
pub(crate) const OPEN: &str = "open";
/// The name of the index over [`CHANGED`].
pub(crate) const CHANGED_INDEX: &str = "by_change";
/// The name of the index over [`DUE`].
pub(crate) const DUE_INDEX: &str = "by_due_time";
/// The name of the index over [`OPEN`].
pub(crate) const OPEN_INDEX: &str = "by_wait";
/// When DynamoDB removes an item by itself, in seconds.
pub(crate) const TIME_TO_LIVE: &str = "ttl";

/// The partition that names every tenant.
pub(crate) const TENANTS: &str = "tenants";
/// The partition of mails that wait.
pub(crate) const UNSENT: &str = "mails#unsent";
/// The partition of mails that were sent.
pub(crate) const SENT: &str = "mails#sent";

/// The key of one item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ItemKey {
    /// The partition.
    pub(crate) partition: String,
    /// The place in it.
    pub(crate) sort: String,
}

impl ItemKey {
    pub(crate) fn new(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self {
            partition: partition.into(),
            sort: sort.into(),
        }
    }
}

/// Everything of one tenant but pointers and mails.
pub(crate) fn tenant(tenant: &TenantId) -> String {
    format!("tenant#{tenant}")
}

pub(crate) fn document(of: &TenantId, kind: DocumentKind) -> ItemKey {
    ItemKey::new(tenant(of), format!("document#{}", kind.as_str()))
}

pub(crate) fn record(key: &RecordKey) -> ItemKey {
    let sort = format!("record#{}#{}", number(key.order), key.realm);
    ItemKey::new(tenant(&key.tenant), sort)
}

/// Where the story of an order begins.
pub(crate) fn history(order: OrderId) -> String {
    format!("history#{}#", number(order))
}

/// Sorts by change and then by order, as lists do.
pub(crate) fn changed(at: Timestamp, order: OrderId) -> String {
    format!("{}#{}", moment(at), number(order))
}

/// Sorts the due orders of one realm by time.
pub(crate) fn due(realm: &RealmId, at: Timestamp, order: OrderId) -> String {
    format!("{realm}#{}#{}", moment(at), number(order))
}

pub(crate) fn mail(partition: &str, id: MailId) -> ItemKey {
    ItemKey::new(partition, format!("{id:020}"))
}

/// Where an entry of the registry stands: with its tenant when it goes with it.
pub(crate) fn entry(key: &EntryKey) -> ItemKey {
    ItemKey::new(
        group(key.kind, &key.group),
        format!("{}{}", entries(key.kind), key.name),
    )
}

/// The partition of a group of entries.
pub(crate) fn group(kind: EntryKind, group: &str) -> String {
    if kind.is_grouped_by_tenant() {
        format!("tenant#{group}")
    } else {
        format!("{}#{group}", kind.as_str())
    }
}

/// Where the entries of a kind begin in their partition.
pub(crate) fn entries(kind: EntryKind) -> String {
    format!("entry#{}#", kind.as_str())
}

/// The partition of pointers to the entries of one owner.
pub(crate) fn owner(kind: EntryKind, owner: &str) -> String {
    format!("owner#{}#{owner}", kind.as_str())
}

/// A pointer to an entry, in its owner's partition.
pub(crate) fn pointer(key: &EntryKey, owned_by: &str) -> ItemKey {
    // The length tells where the group ends, whatever it holds.
    let sort = format!("{}#{}#{}", key.group.len(), key.group, key.name);
    ItemKey::new(owner(key.kind, owned_by), sort)
}

/// A number that sorts as text. Order ids are positive.
fn number(order: OrderId) -> String {
    format!("{:020}", order.get())
}

/// A moment that sorts as text, to the microsecond.
pub(crate) fn moment(at: Timestamp) -> String {
    format!("{:020}", at.as_microsecond().max(0))
}
