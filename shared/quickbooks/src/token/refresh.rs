//! One refresh, from the look at the store to the stored answer.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use purser_core::{
    failure::{Failure, FailureClass},
    notice::Code,
    ports::{Clock, Expected, GrantStore, Put},
    tenant::{Grant, Stored},
};
use secrecy::SecretString;

use super::{TokenSource, keep::Unstored, later, same};
use crate::oauth::{OAuthError, Tokens};

/// How often the store is looked at while another process refreshes.
const LOOKS_PER_LEASE: u32 = 60;
/// How often the store is looked at in one refresh before it is left for later.
const LOOKS_MAX: u32 = 200;
/// How often Intuit is asked again with the same refresh token after a failure that may pass.
const REPEATS_MAX: u32 = 2;
const BACKOFF: Duration = Duration::from_secs(1);

/// What a caller needs; a stored token that meets it ends the refresh before it begins.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// Any valid token.
    Usable,
    /// A token that need not be renewed soon; the caller still has a valid one and does not wait.
    Fresh,
    /// A valid token that is not this one.
    OtherThan(&'a SecretString),
    /// A refresh token used after this moment.
    RefreshedSince(Timestamp),
}

impl Wanted<'_> {
    fn may_wait(self) -> bool {
        !matches!(self, Self::Fresh)
    }
}

impl<C: Clock, G: GrantStore> TokenSource<C, G> {
    /// Refreshes unless the store already has what is wanted. The caller holds `flight`.
    pub(super) async fn refresh(&self, wanted: Wanted<'_>) -> Result<SecretString, Failure> {
        let leftover = self.memory().unstored.clone();
        if let Some(leftover) = leftover {
            self.keep(leftover).await?;
        }
        let mut repeats = 0;
        let mut is_doubted = false;
        for _ in 0..LOOKS_MAX {
            let stored = self.load().await?;
            if let Some(token) = self.met(&stored.value, wanted) {
                return Ok(token);
            }
            if let Some(left) = self.doubt_left(&stored.value) {
                return Err(Failure::new(Code::QuickBooksTokenPending).after(Some(left)));
            }
            if let Some(left) = self.others_need(&stored.value) {
                if !wanted.may_wait() {
                    return Err(Failure::new(Code::QuickBooksTokenPending));
                }
                self.clock
                    .sleep((self.lease() / LOOKS_PER_LEASE).min(left))
                    .await;
                continue;
            }
            let Some(held) = self.take(stored).await? else {
                continue;
            };
            let used = held.value.refresh_token.clone();
            match self.oauth.refresh(&used).await {
                Ok(tokens) => self.keep(self.unstored(used, tokens)).await?,
                Err(OAuthError::Failed(failure)) => {
                    self.give_back(held).await;
                    let passes = failure.class() == FailureClass::Retry
                        && failure.code() != Code::QuickBooksThrottled;
                    if !passes || !wanted.may_wait() || repeats == REPEATS_MAX {
                        return Err(failure);
                    }
                    repeats += 1;
                    self.clock
                        .sleep(self.policy.scale_down(BACKOFF * repeats))
                        .await;
                }
                Err(OAuthError::InvalidGrant(answer)) => {
                    if !wanted.may_wait() || is_doubted {
                        self.give_back(held).await;
                        return Err(Failure::new(Code::QuickBooksTokenPending).answered(answer));
                    }
                    is_doubted = true;
                    self.doubt(&used)
                        .await
                        .map_err(|failure| failure.answered(answer))?;
                }
            }
        }
        Err(Failure::new(Code::QuickBooksTokenPending))
    }

    fn unstored(&self, seen: SecretString, tokens: Tokens) -> Unstored {
        Unstored {
            seen,
            tokens,
            received_at: self.clock.now(),
        }
    }

    /// The stored token, when it is what is wanted.
    fn met(&self, grant: &Grant, wanted: Wanted<'_>) -> Option<SecretString> {
        let now = self.clock.now();
        let life = self.life(grant);
        let is_met = match wanted {
            Wanted::Usable => life.as_ref().is_some_and(|life| now < life.ends_at),
            Wanted::Fresh => life.as_ref().is_some_and(|life| now < life.early_at),
            Wanted::OtherThan(stale) => life
                .as_ref()
                .is_some_and(|life| now < life.ends_at && !same(&life.token, stale)),
            Wanted::RefreshedSince(since) => grant.refreshed_at.is_some_and(|at| since < at),
        };
        life.filter(|_| is_met).map(|life| life.token)
    }

    /// How long `invalid_grant` must age before it may be confirmed.
    fn doubt_left(&self, grant: &Grant) -> Option<Duration> {
        let confirm_at = later(grant.doubted_at?, self.policy.token_confirm);
        self.left_until(confirm_at, self.policy.token_confirm)
    }

    /// How long another process may still be refreshing.
    fn others_need(&self, grant: &Grant) -> Option<Duration> {
        self.left_until(grant.refreshing_until?, self.lease() * 2)
    }

    /// Time until `moment`, cut to `longest`: a clock set back must not stop a tenant for good.
    fn left_until(&self, moment: Timestamp, longest: Duration) -> Option<Duration> {
        let left = Duration::try_from(moment.duration_since(self.clock.now())).ok()?;
        (!left.is_zero() && left <= longest).then_some(left)
    }

    /// How long a refresh is announced for: longer than it can take.
    fn lease(&self) -> Duration {
        self.oauth.timeout() * 3 / 2
    }

    /// Announces a refresh; `None` when somebody else wrote first.
    async fn take(&self, stored: Stored<Grant>) -> Result<Option<Stored<Grant>>, Failure> {
        let mut grant = stored.value;
        grant.refreshing_until = Some(later(self.clock.now(), self.lease()));
        let expected = Expected::Is(stored.version);
        match self.store.put_grant(&self.tenant, &grant, expected).await? {
            Put::Conflict => Ok(None),
            Put::Done(version) => {
                // Read again: only what is stored now may be used up.
                let held = self.load().await?;
                Ok(Some(held).filter(|held| held.version == version))
            }
        }
    }

    /// Takes the announcement back. If that fails it runs out by itself.
    async fn give_back(&self, held: Stored<Grant>) {
        let mut grant = held.value;
        grant.refreshing_until = None;
        let _ = self
            .store
            .put_grant(&self.tenant, &grant, Expected::Is(held.version))
            .await;
    }

    /// Finds out what `invalid_grant` for `used` means. `Ok`: look at the store again.
    ///
    /// First it waits until a refresh of another process must be over and stored. Then the doubt is
    /// noted, and only a second refusal `policy.token_confirm` later ends the connection. Just
    /// before that the previous token gets its one chance: not earlier, because a dead token that
    /// is shown again may itself end a grant that only suffers from an outage.
    async fn doubt(&self, used: &SecretString) -> Result<(), Failure> {
        self.clock.sleep(self.policy.token_doubt).await;
        let stored = self.load().await?;
        if !same(&stored.value.refresh_token, used) {
            return Ok(());
        }
        let now = self.clock.now();
        let confirm = SignedDuration::try_from(self.policy.token_confirm).unwrap_or_default();
        let is_confirmed = stored
            .value
            .doubted_at
            .is_some_and(|since| now.duration_since(since) >= confirm);
        if !is_confirmed {
            let mut grant = stored.value;
            grant.refreshing_until = None;
            grant.doubted_at = Some(grant.doubted_at.map_or(now, |since| since.min(now)));
            let put = self
                .store
                .put_grant(&self.tenant, &grant, Expected::Is(stored.version));
            if put.await? == Put::Conflict {
                return Ok(());
            }
            tracing::warn!(tenant.id = %self.tenant, "Intuit refused the refresh token; confirming");
            let pending = Failure::new(Code::QuickBooksTokenPending);
            return Err(pending.after(Some(self.policy.token_confirm)));
        }
        self.last_resort(stored).await
    }

    async fn last_resort(&self, stored: Stored<Grant>) -> Result<(), Failure> {
        let Some(held) = self.take(stored).await? else {
            return Ok(());
        };
        let current = held.value.refresh_token.clone();
        let previous = held.value.previous_refresh_token.clone();
        if let Some(previous) = previous.filter(|previous| !same(previous, &current)) {
            match self.oauth.refresh(&previous).await {
                Ok(tokens) => return self.keep(self.unstored(current, tokens)).await,
                Err(OAuthError::Failed(failure)) => {
                    self.give_back(held).await;
                    return Err(failure);
                }
                Err(OAuthError::InvalidGrant(_)) => {}
            }
        }
        let mut grant = held.value;
        grant.refreshing_until = None;
        grant.revoked = true;
        let put = self
            .store
            .put_grant(&self.tenant, &grant, Expected::Is(held.version));
        if put.await? == Put::Conflict {
            return Ok(());
        }
        self.memory().read = None;
        tracing::warn!(tenant.id = %self.tenant, "Intuit no longer accepts the connection");
        Err(Failure::new(Code::QuickBooksDisconnected))
    }
}
