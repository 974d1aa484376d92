use std::future::Future;

use jiff::Timestamp;

use super::{Expected, Put, StoreError};

/// The kinds of entries of the [`Registry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A browser that is signed in. Group: the hash of its secret. Owner: the person.
    Session,
    /// A way to Intuit and back that is under way. Group: the hash of its state.
    SignIn,
    /// Who a person is. Group: the person.
    Person,
    /// What a person may do for a tenant. Group: the tenant. Name and owner: the person.
    Member,
    /// Somebody who may become a member. Group: the tenant. Name and owner: the e-mail address.
    Invitation,
    /// The tenant a realm belongs to. Group: the realm. Owner: the tenant.
    Realm,
    /// A link that makes whoever follows it first an admin. Group: the hash of its secret. Owner:
    /// the tenant.
    AdminLink,
    /// What people did. Group: the tenant. Names sort by time.
    Event,
    /// How often something was done lately. Group: who did it.
    Pace,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Session,
        Self::SignIn,
        Self::Person,
        Self::Member,
        Self::Invitation,
        Self::Realm,
        Self::AdminLink,
        Self::Event,
        Self::Pace,
    ];

    /// Its text, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::SignIn => "sign_in",
            Self::Person => "person",
            Self::Member => "member",
            Self::Invitation => "invitation",
            Self::Realm => "realm",
            Self::AdminLink => "admin_link",
            Self::Event => "event",
            Self::Pace => "pace",
        }
    }

    /// Whether the group of such entries is a tenant, so that they go when it goes.
    pub const fn is_grouped_by_tenant(self) -> bool {
        matches!(self, Self::Member | Self::Invitation | Self::Event)
    }

    /// Whether the owner of such entries is a tenant, so that they go when it goes.
    pub const fn is_owned_by_tenant(self) -> bool {
        matches!(self, Self::Realm | Self::AdminLink)
    }
}

/// Names one entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey {
    /// Its kind.
    pub kind: EntryKind,
    /// The group it belongs to.
    pub group: String,
    /// Its name within the group.
    pub name: String,
}

impl EntryKey {
    /// Names an entry of a group.
    pub fn new(kind: EntryKind, group: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind,
            group: group.into(),
            name: name.into(),
        }
    }

    /// Names the only entry of its group.
    pub fn alone(kind: EntryKind, group: impl Into<String>) -> Self {
        Self::new(kind, group, "-")
    }
}

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub key: EntryKey,
    /// Whose it is, for [`Registry::owned`]; empty when nobody asks so.
    pub owner: String,
    /// Its content.
    pub body: String,
    /// When it is gone by itself.
    pub expires_at: Option<Timestamp>,
}

/// Small things that belong to no order: who may do what, and who is doing it right now.
///
/// An entry whose time is over is never shown, whether it was removed yet or not; for a
/// conditional write it is absent. A write is durable when its call returns.
pub trait Registry: Send + Sync {
    /// One entry with its version.
    fn entry(
        &self,
        key: &EntryKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<(Entry, u64)>, StoreError>> + Send;

    /// Writes an entry if the stored version is the expected one.
    fn put_entry(
        &self,
        entry: Entry,
        expected: Expected<u64>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Put, StoreError>> + Send;

    /// Reads and removes an entry in one step: of all who try, one gets it.
    fn take_entry(
        &self,
        key: &EntryKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Entry>, StoreError>> + Send;

    /// The last `limit` entries of a group by name, the greatest name first.
    fn group(
        &self,
        kind: EntryKind,
        group: &str,
        limit: u32,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Entry>, StoreError>> + Send;

    /// Every entry of an owner.
    fn owned(
        &self,
        kind: EntryKind,
        owner: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Entry>, StoreError>> + Send;
}
