//! Who may do what: people, members of tenants, invitations, one-time links, and what they did.

mod invitations;
mod rights;

use jiff::{SignedDuration, Timestamp};
use purser_core::{
    ids::TenantId,
    ports::{Entry, EntryKey, EntryKind, Expected, Put, Registry, StoreError},
};
use serde::{Deserialize, Serialize};

use crate::{
    secret,
    session::{add, decode, encode},
    view::FieldChange,
};

pub use invitations::name_owner;

/// How long a one-time link stands.
const LINK_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How long it is kept what people did.
const EVENT_LIFE: SignedDuration = SignedDuration::from_hours(400 * 24);
/// The events that can be paged through.
const EVENTS_READ_MAX: u32 = 5_000;
/// The most members and invitations of one tenant.
pub(crate) const PEOPLE_MAX: u32 = 200;

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May look.
    Viewer,
    /// May look and change.
    Admin,
}

impl Role {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Admin => "admin",
        }
    }

    /// The role with this word.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "viewer" => Some(Self::Viewer),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// Who a person is, as of the last sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    pub(crate) signed_in_at: Timestamp,
}

/// What a person may do for one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) role: Role,
    pub(crate) since: Timestamp,
}

/// Something a person did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) changes: Vec<StoredChange>,
}

/// One changed field, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredChange {
    pub(crate) field: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl From<StoredChange> for FieldChange {
    fn from(change: StoredChange) -> Self {
        Self {
            field: change.field,
            from: change.from,
            to: change.to,
        }
    }
}

/// The key of a person: issuer and subject, which never change, and nothing else.
pub(crate) fn person_key(issuer: &str, subject: &str) -> String {
    secret::hashed(&format!("{issuer}\n{subject}"))
}

/// The people in one registry.
pub(crate) struct Directory<'r, R> {
    pub(crate) registry: &'r R,
    pub(crate) now: Timestamp,
}

impl<R: Registry> Directory<'_, R> {
    async fn put<T: Serialize>(
        &self,
        key: EntryKey,
        owner: &str,
        value: &T,
        expected: Expected<u64>,
    ) -> Result<Put, StoreError> {
        self.put_until(key, (owner, None), value, expected).await
    }

    async fn put_until<T: Serialize>(
        &self,
        key: EntryKey,
        (owner, expires_at): (&str, Option<Timestamp>),
        value: &T,
        expected: Expected<u64>,
    ) -> Result<Put, StoreError> {
        let entry = Entry {
            key,
            owner: owner.to_owned(),
            body: encode(value)?,
            expires_at,
        };
        self.registry.put_entry(entry, expected, self.now).await
    }

    /// Notes who signed in.
    pub(crate) async fn note_person(&self, key: &str, person: &Person) -> Result<(), StoreError> {
        let entry = EntryKey::alone(EntryKind::Person, key);
        self.put(entry, "", person, Expected::Any).await.map(drop)
    }

    pub(crate) async fn person(&self, key: &str) -> Result<Option<Person>, StoreError> {
        let key = EntryKey::alone(EntryKind::Person, key);
        let found = self.registry.entry(&key, self.now).await?;
        found.map(|(entry, _)| decode(&entry.body)).transpose()
    }

    /// What a person may do for a tenant.
    pub(crate) async fn role(
        &self,
        tenant: &TenantId,
        person: &str,
    ) -> Result<Option<Role>, StoreError> {
        let key = EntryKey::new(EntryKind::Member, tenant.as_str(), person);
        let found = self.registry.entry(&key, self.now).await?;
        let member: Option<Member> = found.map(|(entry, _)| decode(&entry.body)).transpose()?;
        Ok(member.map(|member| member.role))
    }

    /// Makes somebody a member, or changes what they may do.
    pub(crate) async fn set_role(
        &self,
        tenant: &TenantId,
        person: &str,
        role: Role,
    ) -> Result<(), StoreError> {
        let key = EntryKey::new(EntryKind::Member, tenant.as_str(), person);
        let before = self.registry.entry(&key, self.now).await?;
        let before: Option<Member> = before.map(|(entry, _)| decode(&entry.body)).transpose()?;
        let since = before.map_or(self.now, |member| member.since);
        let member = Member { role, since };
        self.put(key, person, &member, Expected::Any)
            .await
            .map(drop)
    }

    /// The members of a tenant.
    pub(crate) async fn members(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<(String, Member)>, StoreError> {
        let group = self
            .registry
            .group(EntryKind::Member, tenant.as_str(), PEOPLE_MAX, self.now);
        let mut members = Vec::new();
        for entry in group.await? {
            members.push((entry.key.name, decode(&entry.body)?));
        }
        Ok(members)
    }

    /// The e-mail addresses of a tenant's admins.
    pub(crate) async fn admins(&self, tenant: &TenantId) -> Result<Vec<String>, StoreError> {
        let mut admins = Vec::new();
        for (person, member) in self.members(tenant).await? {
            if member.role == Role::Admin {
                admins.extend(self.person(&person).await?.map(|person| person.email));
            }
        }
        admins.sort();
        Ok(admins)
    }

    /// The tenants a person is a member of, by name.
    pub(crate) async fn tenants(&self, person: &str) -> Result<Vec<(TenantId, Role)>, StoreError> {
        let owned = self
            .registry
            .owned(EntryKind::Member, person, self.now)
            .await?;
        let mut tenants = Vec::new();
        for entry in owned {
            let member: Member = decode(&entry.body)?;
            if let Ok(tenant) = entry.key.group.parse::<TenantId>() {
                tenants.push((tenant, member.role));
            }
        }
        tenants.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(tenants)
    }

    /// Makes a one-time link for a tenant and gives its secret.
    pub(crate) async fn make_link(&self, tenant: &TenantId) -> Result<String, StoreError> {
        let link = secret::random();
        let key = EntryKey::alone(EntryKind::AdminLink, secret::hashed(&link));
        let expires_at = Some(add(self.now, LINK_LIFE));
        self.put_until(
            key,
            (tenant.as_str(), expires_at),
            &tenant,
            Expected::Absent,
        )
        .await?;
        Ok(link)
    }

    /// The tenant of a link that was not used yet.
    pub(crate) async fn link(&self, link: &str) -> Result<Option<TenantId>, StoreError> {
        let key = EntryKey::alone(EntryKind::AdminLink, secret::hashed(link));
        let found = self.registry.entry(&key, self.now).await?;
        found.map(|(entry, _)| decode(&entry.body)).transpose()
    }

    /// Uses a link: of all who try, one gets its tenant.
    pub(crate) async fn use_link(&self, link: &str) -> Result<Option<TenantId>, StoreError> {
        let key = EntryKey::alone(EntryKind::AdminLink, secret::hashed(link));
        let taken = self.registry.take_entry(&key, self.now).await?;
        taken.map(|entry| decode(&entry.body)).transpose()
    }

    /// Notes what somebody did, for the tenant's people and, without names, in the log.
    pub(crate) async fn note(
        &self,
        tenant: &TenantId,
        who: &str,
        what: &'static str,
        text: impl Into<String>,
    ) -> Result<(), StoreError> {
        let event = Event {
            at: self.now,
            who: who.to_owned(),
            what: what.to_owned(),
            text: text.into(),
            changes: Vec::new(),
        };
        self.note_event(tenant, event).await
    }

    pub(crate) async fn note_event(
        &self,
        tenant: &TenantId,
        event: Event,
    ) -> Result<(), StoreError> {
        tracing::info!(tenant.id = %tenant, event = %event.what, "a person acted");
        let name = format!("{:020}-{}", self.now.as_microsecond(), secret::short());
        let key = EntryKey::new(EntryKind::Event, tenant.as_str(), name);
        let expires_at = Some(add(self.now, EVENT_LIFE));
        self.put_until(key, ("", expires_at), &event, Expected::Any)
            .await
            .map(drop)
    }

    /// What people did, newest first.
    pub(crate) async fn events(
        &self,
        tenant: &TenantId,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let page = self.events_after(tenant, None, limit).await?;
        Ok(page.into_iter().map(|(_, event)| event).collect())
    }

    /// The same, each event with its name, from after the one of this name on.
    pub(crate) async fn events_after(
        &self,
        tenant: &TenantId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, Event)>, StoreError> {
        let read = if after.is_some() {
            EVENTS_READ_MAX
        } else {
            limit
        };
        let group = self
            .registry
            .group(EntryKind::Event, tenant.as_str(), read, self.now);
        let events = group.await?.into_iter();
        let older = events.filter(|entry| after.is_none_or(|after| *entry.key.name < *after));
        older
            .take(limit as usize)
            .map(|entry| Ok((entry.key.name, decode(&entry.body)?)))
            .collect()
    }
}

/// A one-time link for each tenant that has no admin yet: who follows it becomes one.
pub async fn admin_links(
    registry: &impl Registry,
    tenants: &[TenantId],
    now: Timestamp,
) -> Result<Vec<(TenantId, String)>, StoreError> {
    let directory = Directory { registry, now };
    let mut links = Vec::new();
    for tenant in tenants {
        if !directory.has_admin(tenant, None).await? {
            links.push((tenant.clone(), directory.make_link(tenant).await?));
        }
    }
    Ok(links)
}
/// A signed-in admin of a tenant for measurements, as the cookie header of a plain http address.
#[doc(hidden)]
pub async fn bench_session(
    registry: &impl Registry,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<String, StoreError> {
    let directory = Directory { registry, now };
    let person = person_key("bench", "bench");
    let known = Person {
        email: "dana@north-harbor.example".to_owned(),
        name: None,
        signed_in_at: now,
    };
    directory.note_person(&person, &known).await?;
    directory.set_role(tenant, &person, Role::Admin).await?;
    let who = crate::session::SignedIn {
        person,
        email: known.email,
        name: None,
    };
    let (_, secret) = crate::session::begin(registry, who, Some(tenant.clone()), now).await?;
    Ok(format!("purser-session={secret}"))
}
