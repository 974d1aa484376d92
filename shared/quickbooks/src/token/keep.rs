//! Storing what Intuit answered, before anybody uses it.

use std::time::Duration;

use jiff::Timestamp;
use purser_core::{
    failure::Failure,
    notice::Code,
    ports::{Clock, Expected, GrantStore, Put, StoreError},
    tenant::Grant,
};
use secrecy::SecretString;

use super::{TokenSource, same};
use crate::oauth::Tokens;

/// How often a write is tried before the caller is told; about ten seconds.
const TRIES_MAX: u32 = 6;
const BACKOFF: Duration = Duration::from_millis(300);

/// Tokens that Intuit gave and the store has not taken yet.
#[derive(Clone)]
pub(super) struct Unstored {
    /// The refresh token that was stored when the exchange began.
    pub(super) seen: SecretString,
    pub(super) tokens: Tokens,
    pub(super) received_at: Timestamp,
}

enum Kept {
    /// The store holds them, or holds something better.
    Yes,
    /// Somebody else wrote in between.
    Again,
    /// The tenant disconnected or chose another realm: nobody wants them.
    Unwanted,
}

impl<C: Clock, G: GrantStore> TokenSource<C, G> {
    /// Keeps `unstored` in memory at once, and then in the store.
    ///
    /// Fails with `StoreBusy` when the store does not take it; it stays in memory, unused, and is
    /// offered again with the next call.
    pub(super) async fn keep(&self, unstored: Unstored) -> Result<(), Failure> {
        self.memory().unstored = Some(unstored.clone());
        let mut failure = Failure::new(Code::StoreBusy);
        for attempt in 0..TRIES_MAX {
            match self.store_once(&unstored).await {
                Ok(Kept::Yes | Kept::Unwanted) => {
                    self.memory().unstored = None;
                    return Ok(());
                }
                Ok(Kept::Again) => {}
                Err(error) => {
                    tracing::warn!(tenant.id = %self.tenant, "a renewed token could not be stored yet");
                    failure = error.into();
                    let wait = self.policy.scale_down(BACKOFF * (1 << attempt));
                    self.clock.sleep(wait).await;
                }
            }
        }
        tracing::error!(
            tenant.id = %self.tenant,
            "a renewed token is in memory only; if this process ends, the tenant may have to \
             connect again"
        );
        Err(failure)
    }

    /// Stores what an earlier call had to leave in memory, unless somebody is at it.
    pub(super) async fn store_leftover(&self) {
        if self.memory().unstored.is_none() {
            return;
        }
        let Ok(_flight) = self.flight.try_lock() else {
            return;
        };
        let leftover = self.memory().unstored.clone();
        if let Some(leftover) = leftover {
            // A failure was logged, and the tokens stay where they are.
            let _ = self.keep(leftover).await;
        }
    }

    async fn store_once(&self, unstored: &Unstored) -> Result<Kept, StoreError> {
        let stored = self.store.grant(&self.tenant).await?;
        let Some(stored) = stored.filter(|stored| stored.value.realm == self.realm) else {
            return Ok(Kept::Unwanted);
        };
        let Some(grant) = merged(&stored.value, unstored) else {
            return Ok(Kept::Yes);
        };
        let expected = Expected::Is(stored.version);
        match self.store.put_grant(&self.tenant, &grant, expected).await? {
            Put::Done(_) => Ok(Kept::Yes),
            Put::Conflict => Ok(Kept::Again),
        }
    }
}

/// The grant to write, given what is stored now; `None` when nothing needs to be written.
fn merged(stored: &Grant, unstored: &Unstored) -> Option<Grant> {
    let Unstored {
        seen,
        tokens,
        received_at,
    } = unstored;
    let is_seen = same(&stored.refresh_token, seen);
    let is_same_value = same(&stored.refresh_token, &tokens.refresh_token);
    let mut grant = stored.clone();
    if is_seen || is_same_value {
        let known_until = stored.access.as_ref().map(|access| access.expires_at);
        if is_same_value && known_until >= Some(tokens.access.expires_at) {
            // A write whose answer was lost, or another process with the same value.
            return None;
        }
        if !is_same_value {
            grant.previous_refresh_token = Some(stored.refresh_token.clone());
        }
        grant.refresh_token = tokens.refresh_token.clone();
        grant.access = Some(tokens.access.clone());
        grant.refresh_expires_at = tokens.refresh_expires_at.or(stored.refresh_expires_at);
        grant.hard_expires_at = tokens.hard_expires_at.or(stored.hard_expires_at);
        grant.refreshing_until = None;
        grant.refreshed_at = Some(*received_at);
        grant.doubted_at = None;
        grant.revoked = false;
        return Some(grant);
    }
    // Another process used the same refresh token. Theirs is in use already; ours is kept in case
    // it was the later one.
    let is_twin = stored
        .previous_refresh_token
        .as_ref()
        .is_some_and(|p| same(p, seen));
    is_twin.then(|| {
        grant.previous_refresh_token = Some(tokens.refresh_token.clone());
        grant
    })
}
