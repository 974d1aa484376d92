//! Sessions: an opaque cookie, of which only a hash is stored; 30 minutes idle, 12 hours in all.

use jiff::{SignedDuration, Timestamp};
use purser_core::{
    ids::TenantId,
    ports::{Entry, EntryKey, EntryKind, Expected, Put, Registry, StoreError},
};
use serde::{Deserialize, Serialize};

use crate::{secret, view::NoticeView};

/// A session that is not used for so long ends.
const IDLE: SignedDuration = SignedDuration::from_mins(30);
/// A session ends after so long whatever happens.
const ABSOLUTE: SignedDuration = SignedDuration::from_hours(12);
/// How often the use of a session is noted.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How often a write is tried when another gets in between.
const TRIES_MAX: u32 = 5;

/// What is stored about a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The hash of its secret: its name in the store.
    #[serde(skip)]
    pub(crate) id: String,
    /// Who is signed in.
    pub(crate) person: String,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    /// The company that is looked at.
    pub(crate) tenant: Option<TenantId>,
    /// What forms of this session must carry.
    pub(crate) form_secret: String,
    pub(crate) created_at: Timestamp,
    pub(crate) seen_at: Timestamp,
    /// Why the last try to connect did not succeed, until the next one.
    #[serde(default)]
    pub(crate) problem: Option<Problem>,
}

/// Why a company could not be connected, and whom to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    pub(crate) code: String,
    pub(crate) cause: String,
    pub(crate) remedy: String,
    pub(crate) ask: Vec<String>,
}

impl Problem {
    pub(crate) fn notice(&self) -> NoticeView {
        NoticeView {
            code: self.code.clone(),
            cause: self.cause.clone(),
            remedy: self.remedy.clone(),
            link: None,
        }
    }
}

impl Session {
    /// When it ends whatever happens.
    pub(crate) fn ends_at(&self) -> Timestamp {
        add(self.created_at, ABSOLUTE)
    }

    pub(crate) fn expires_at(&self) -> Timestamp {
        self.ends_at().min(add(self.seen_at, IDLE))
    }

    fn key(id: &str) -> EntryKey {
        EntryKey::alone(EntryKind::Session, id)
    }

    fn entry(&self) -> Result<Entry, StoreError> {
        Ok(Entry {
            key: Self::key(&self.id),
            owner: self.person.clone(),
            body: encode(self)?,
            expires_at: Some(self.expires_at()),
        })
    }
}

/// Somebody who has just proven who they are.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) person: String,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
}

/// Begins a session and gives the secret of its cookie.
pub(crate) async fn begin(
    registry: &impl Registry,
    who: SignedIn,
    tenant: Option<TenantId>,
    now: Timestamp,
) -> Result<(Session, String), StoreError> {
    let cookie = secret::random();
    let session = Session {
        id: secret::hashed(&cookie),
        person: who.person,
        email: who.email,
        name: who.name,
        tenant,
        form_secret: secret::random(),
        created_at: now,
        seen_at: now,
        problem: None,
    };
    let put = registry
        .put_entry(session.entry()?, Expected::Absent, now)
        .await?;
    match put {
        Put::Done(_) => Ok((session, cookie)),
        Put::Conflict => Err(StoreError::Unavailable("a session exists".to_owned())),
    }
}

/// The session of a cookie, when it has one that has not ended; its use is noted.
pub(crate) async fn find(
    registry: &impl Registry,
    cookie: &str,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let id = secret::hashed(cookie);
    let Some((entry, version)) = registry.entry(&Session::key(&id), now).await? else {
        return Ok(None);
    };
    let mut session: Session = decode(&entry.body)?;
    session.id = id;
    if now < session.created_at || session.expires_at() <= now {
        return Ok(None);
    }
    if now.duration_since(session.seen_at) >= NOTED_EVERY {
        session.seen_at = now;
        // Whoever wrote in between has noted it as well, or ended the session.
        registry
            .put_entry(session.entry()?, Expected::Is(version), now)
            .await?;
    }
    Ok(Some(session))
}

/// Changes a session; one that ended meanwhile stays ended.
pub(crate) async fn change(
    registry: &impl Registry,
    id: &str,
    now: Timestamp,
    change: impl Fn(&mut Session) + Send,
) -> Result<(), StoreError> {
    for _ in 0..TRIES_MAX {
        let Some((entry, version)) = registry.entry(&Session::key(id), now).await? else {
            return Ok(());
        };
        let mut session: Session = decode(&entry.body)?;
        id.clone_into(&mut session.id);
        change(&mut session);
        let put = registry
            .put_entry(session.entry()?, Expected::Is(version), now)
            .await?;
        if let Put::Done(_) = put {
            return Ok(());
        }
    }
    Err(StoreError::Unavailable(
        "the session is written by too many at once".to_owned(),
    ))
}

/// Ends a session at once.
pub(crate) async fn end(
    registry: &impl Registry,
    id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    registry.take_entry(&Session::key(id), now).await.map(drop)
}

/// The sessions of a person; with a company, only those that look at it.
async fn open(
    registry: &impl Registry,
    person: &str,
    company: Option<&TenantId>,
    now: Timestamp,
) -> Result<Vec<Entry>, StoreError> {
    let mut open = registry.owned(EntryKind::Session, person, now).await?;
    if company.is_some() {
        open.retain(|entry| {
            let session = decode::<Session>(&entry.body);
            session.is_ok_and(|session| session.tenant.as_ref() == company)
        });
    }
    Ok(open)
}

/// Ends every session of a person; with a company, only those that look at it.
pub(crate) async fn end_all(
    registry: &impl Registry,
    person: &str,
    company: Option<&TenantId>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut ended = 0;
    for entry in open(registry, person, company, now).await? {
        ended += u64::from(registry.take_entry(&entry.key, now).await?.is_some());
    }
    Ok(ended)
}

/// How many sessions of a person look at a company.
pub(crate) async fn count(
    registry: &impl Registry,
    person: &str,
    company: &TenantId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let sessions = open(registry, person, Some(company), now).await?;
    Ok(sessions.len() as u64)
}

pub(crate) fn add(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable(error.to_string()))
}

pub(crate) fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Unreadable(format!("an entry: column {}", error.column())))
}

#[cfg(test)]
mod tests;
