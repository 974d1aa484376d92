//! The tokens of one tenant's connection: one refresh at a time, stored before use, never lost to a
//! race, and never given up because of one answer.
//!
//! In this process one refresh is under way at most. Across processes `refreshing_until` in the
//! stored grant saves double refreshes, and the conditional write is what makes them harmless.
//! While a token is still valid nobody waits for its successor.
//!
//! One hole remains: a process that dies between Intuit's answer and the write. Intuit then knows a
//! refresh token that nobody has. The old one is tried again for as long as Intuit's grace lasts;
//! without grace the tenant must connect again. For the same reason a future of this module should
//! be polled to its end: dropping it while Intuit answers is such a death.

mod keep;
mod refresh;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use keep::Unstored;
use purser_core::{
    failure::Failure,
    ids::{RealmId, TenantId},
    notice::Code,
    policy::Policy,
    ports::{Clock, GrantStore},
    tenant::{AccessToken, Grant, Stored},
};
use refresh::Wanted;
use secrecy::{ExposeSecret as _, SecretString};

use crate::oauth::OAuthClient;

/// How long a token read from the store is used without looking again, so that a process notices
/// when its tenant was disconnected or connected anew.
const MEMORY: std::time::Duration = std::time::Duration::from_mins(1);

/// Everything a [`TokenSource`] is made from.
pub struct TokenConfig<C, G> {
    /// Whose tokens.
    pub tenant: TenantId,
    /// The realm they must be for: a grant for another one is never used.
    pub realm: RealmId,
    /// Where the grant is kept.
    pub store: Arc<G>,
    /// Intuit's token service.
    pub oauth: Arc<OAuthClient<C>>,
    /// The clock.
    pub clock: Arc<C>,
    /// When to renew, and how long to doubt.
    pub policy: Policy,
}

/// Hands out access tokens of one tenant and realm. Make one per process and share it.
pub struct TokenSource<C, G> {
    tenant: TenantId,
    realm: RealmId,
    store: Arc<G>,
    oauth: Arc<OAuthClient<C>>,
    clock: Arc<C>,
    policy: Policy,
    /// Held by the one refresh of this process.
    flight: tokio::sync::Mutex<()>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// The last token read from the store: when it was read, and how its life divides.
    read: Option<(Timestamp, Life)>,
    /// Tokens that Intuit gave and the store has not taken yet.
    unstored: Option<Unstored>,
    /// After a failed early refresh: no other one before this.
    quiet_until: Option<Timestamp>,
}

/// An access token with the moments that matter.
#[derive(Clone)]
struct Life {
    token: SecretString,
    /// From here on it should be renewed, while it is still used.
    early_at: Timestamp,
    /// From here on it is not sent any more.
    ends_at: Timestamp,
}

impl<C: Clock, G: GrantStore> TokenSource<C, G> {
    /// Makes the source; reads nothing yet.
    pub fn new(config: TokenConfig<C, G>) -> Self {
        Self {
            tenant: config.tenant,
            realm: config.realm,
            store: config.store,
            oauth: config.oauth,
            clock: config.clock,
            policy: config.policy,
            flight: tokio::sync::Mutex::new(()),
            memory: Mutex::default(),
        }
    }

    /// A token that is good for a while; renewed when less than `policy.token_early` is left.
    ///
    /// Fails with `NotConnected`, `QuickBooksDisconnected` (revoked), `QuickBooksTokenPending` (in
    /// doubt or under way), `QuickBooksClientRefused`, `StoreBusy`, or a failure that may pass.
    pub async fn access_token(&self) -> Result<SecretString, Failure> {
        self.store_leftover().await;
        let now = self.clock.now();
        let remembered = self.remembered(now);
        if let Some(life) = remembered.as_ref().filter(|life| now < life.early_at) {
            return Ok(life.token.clone());
        }
        let stored = match self.load().await {
            Ok(stored) => stored,
            Err(failure) => {
                // A store that is down does not make a valid token invalid.
                let valid = remembered.filter(|_| failure.code() == Code::StoreBusy);
                return valid.map(|life| life.token).ok_or(failure);
            }
        };
        match self.life(&stored.value).filter(|life| now < life.ends_at) {
            Some(life) if now < life.early_at => Ok(life.token),
            Some(life) => Ok(self.renew_early(life.token).await),
            None => {
                let _flight = self.flight.lock().await;
                self.refresh(Wanted::Usable).await
            }
        }
    }

    /// A token other than `stale`, which QuickBooks refused although it should be valid.
    ///
    /// Fails as [`access_token`](Self::access_token) does.
    pub async fn renew(&self, stale: &SecretString) -> Result<SecretString, Failure> {
        self.memory().read = None;
        let _flight = self.flight.lock().await;
        self.refresh(Wanted::OtherThan(stale)).await
    }

    /// Uses the refresh token if it was not used for `policy.token_keep_alive`: Intuit forgets it
    /// after 100 idle days, and a revoked grant is noticed early.
    pub async fn keep_alive(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        let since = earlier(now, self.policy.token_keep_alive);
        let _flight = self.flight.lock().await;
        self.refresh(Wanted::RefreshedSince(since)).await.map(drop)
    }

    /// A token that is valid right now, without any refresh.
    ///
    /// Fails with `AccessTokenStale` when there is none.
    pub(crate) async fn usable_token(&self) -> Result<SecretString, Failure> {
        let now = self.clock.now();
        if let Some(life) = self.remembered(now) {
            return Ok(life.token);
        }
        let stored = self.load().await?;
        let life = self.life(&stored.value).filter(|life| now < life.ends_at);
        life.map(|life| life.token)
            .ok_or_else(|| Failure::new(Code::AccessTokenStale))
    }

    /// Renews while `valid` lasts; whatever goes wrong, `valid` serves on.
    async fn renew_early(&self, valid: SecretString) -> SecretString {
        let Ok(_flight) = self.flight.try_lock() else {
            return valid;
        };
        let now = self.clock.now();
        if self.memory().quiet_until.is_some_and(|until| now < until) {
            return valid;
        }
        match self.refresh(Wanted::Fresh).await {
            Ok(token) => token,
            Err(failure) => {
                self.memory().quiet_until = Some(later(now, self.policy.token_confirm));
                tracing::info!(
                    tenant.id = %self.tenant,
                    failure.code = %failure,
                    "an early renewal did not succeed; the old access token is still valid"
                );
                valid
            }
        }
    }

    /// The stored grant, when it is one that may be used for this realm.
    async fn load(&self) -> Result<Stored<Grant>, Failure> {
        let stored = self.store.grant(&self.tenant).await?;
        let stored = stored.filter(|stored| stored.value.realm == self.realm);
        let Some(stored) = stored else {
            *self.memory() = Memory::default();
            return Err(Failure::new(Code::NotConnected));
        };
        if stored.value.revoked {
            self.memory().read = None;
            return Err(Failure::new(Code::QuickBooksDisconnected));
        }
        self.memory().read = self
            .life(&stored.value)
            .map(|life| (self.clock.now(), life));
        Ok(stored)
    }

    fn remembered(&self, now: Timestamp) -> Option<Life> {
        let memory = self.memory();
        let (read_at, life) = memory.read.as_ref()?;
        let age = now.duration_since(*read_at).abs();
        let age_max = SignedDuration::try_from(self.policy.scale_down(MEMORY)).unwrap_or_default();
        (age < age_max && now < life.ends_at).then(|| life.clone())
    }

    fn life(&self, grant: &Grant) -> Option<Life> {
        let AccessToken { token, expires_at } = grant.access.clone()?;
        // A token that lives shorter than usual is renewed in its last quarter, not at once.
        let quarter = grant.refreshed_at.and_then(|since| {
            std::time::Duration::try_from(expires_at.duration_since(since))
                .ok()
                .map(|life| life / 4)
        });
        let early = quarter.map_or(self.policy.token_early, |q| q.min(self.policy.token_early));
        Some(Life {
            token,
            early_at: earlier(expires_at, early),
            ends_at: earlier(expires_at, early / 20),
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn earlier(at: Timestamp, by: std::time::Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

fn later(at: Timestamp, by: std::time::Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "token_edges_tests.rs"]
mod edges_tests;
