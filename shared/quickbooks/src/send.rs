//! Repeats what may be repeated: reads, and creates of names under their unchanged request id.
//!
//! A stale token is renewed once. What may pass by itself is tried three times with growing, spread
//! waits. A bill never comes here: see [`bills`](crate::bills).

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use purser_core::{
    failure::{Failure, FailureClass},
    notice::Code,
    ports::{Clock, GrantStore},
};

use crate::{
    call::Call,
    exchange::{Answer, Exchange},
    token::TokenSource,
};

/// How often one call is sent, the first time included.
const TRIES_MAX: u32 = 3;
/// The first wait; it doubles.
const BACKOFF: Duration = Duration::from_millis(500);
/// A longer wait that QuickBooks asks for is handed to the caller instead of slept.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Sends calls under the tenant's current access token.
pub(crate) struct Sender<C, G> {
    pub(crate) exchange: Exchange<C>,
    pub(crate) tokens: Arc<TokenSource<C, G>>,
}

impl<C: Clock, G: GrantStore> Sender<C, G> {
    /// Sends `call` until it succeeds, is refused, or has been tried often enough.
    pub(crate) async fn call(&self, call: &Call) -> Result<Answer, Failure> {
        let started = self.exchange.clock.now();
        let mut token = self.tokens.access_token().await?;
        let mut is_renewed = false;
        let mut tries = 1;
        loop {
            let failure = match self.exchange.once(call, &token).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match failure.class() {
                FailureClass::Refresh if is_renewed => {
                    // A fresh token refused is Intuit's trouble: a dead grant shows at the refresh.
                    return Err(Failure::new(Code::QuickBooksTokenPending).answered(failure.answer));
                }
                FailureClass::Refresh => {
                    is_renewed = true;
                    token = self.tokens.renew(&token).await?;
                }
                FailureClass::Retry if tries < TRIES_MAX => {
                    match self.wait_before(tries + 1, &failure, started) {
                        Some(wait) => self.exchange.clock.sleep(wait).await,
                        None => return Err(failure),
                    }
                    tries += 1;
                }
                _ => return Err(doubtful_refusal(call, failure, tries)),
            }
        }
    }

    /// The wait before try number `next`; `None` when it is better to come back later.
    fn wait_before(&self, next: u32, failure: &Failure, started: Timestamp) -> Option<Duration> {
        let policy = &self.exchange.policy;
        let now = self.exchange.clock.now();
        let spent = Duration::try_from(now.duration_since(started)).unwrap_or_default();
        // A worker has little time: no new try once a quarter of a call's longest wait is spent.
        if spent > policy.call_timeout / 4 {
            return None;
        }
        if let Some(asked) = failure.retry_after {
            return (asked <= policy.scale_down(WAIT_MAX)).then_some(asked);
        }
        let longest = policy.scale_down(BACKOFF) * (1 << (next - 2));
        // Half fixed, half spread, so that callers that failed together do not return together.
        Some(longest / 2 + longest / 2 * spread_permille(now) / 1000)
    }
}

/// A 6000 on a repetition may be QuickBooks' way to say that the first one is being worked on
/// (quickbooks-ruby 344): later the name is looked up before it is created again.
fn doubtful_refusal(call: &Call, failure: Failure, tries: u32) -> Failure {
    let is_6000 = failure.answer.code.as_deref() == Some("6000");
    if tries > 1 && !call.is_read() && is_6000 {
        return Failure::new(Code::QuickBooksFailing).answered(failure.answer);
    }
    failure
}

/// A number from 0 to 999 out of the clock's fractions: spread needs no secrecy.
fn spread_permille(now: Timestamp) -> u32 {
    let mixed = now.as_nanosecond().unsigned_abs() / 1000;
    u32::try_from(mixed.wrapping_mul(2_654_435_761) % 1000).unwrap_or_default()
}
