//! The keys that sign identity tokens, read from Intuit when they are needed.
//!
//! An old set does not serve on while Intuit gives no new one, unlike the discovery document: a key
//! may have been taken out because it leaked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::DecodingKey;
use purser_core::{failure::Failure, notice::Code, ports::Clock};
use serde_json::Value;
use url::Url;

use super::IdentityError;
use crate::oauth::{OAuthClient, vendor_answer};

/// How long a set is trusted. Not scaled: keys do not change with the clock's speed.
const AGE_MAX: Duration = Duration::from_hours(1);
/// How soon a sound set is read again because it lacks a key. Anybody can invent key ids.
const UNKNOWN_WAIT: Duration = Duration::from_mins(1);
/// How soon a set is read again after no sound one could be read.
const FAILED_WAIT: Duration = Duration::from_secs(5);

type Keys = Arc<HashMap<String, DecodingKey>>;

/// The last key set, and the last attempt to read one.
#[derive(Default)]
pub(crate) struct KeySet {
    cached: Mutex<Option<(Timestamp, Keys)>>,
    /// Held while a set is read, so that many sign-ins read it once.
    last_read: tokio::sync::Mutex<Option<LastRead>>,
}

struct LastRead {
    at: Timestamp,
    /// Why there is no new set, if there is none.
    failure: Option<Failure>,
}

impl KeySet {
    /// The set, while it may be trusted.
    fn fresh(&self, now: Timestamp) -> Option<Keys> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, keys) = cached.as_ref()?;
        is_within(*read_at, now, AGE_MAX).then(|| Arc::clone(keys))
    }

    fn keep(&self, now: Timestamp, keys: Keys) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        *cached = Some((now, keys));
    }
}

fn is_within(from: Timestamp, now: Timestamp, span: Duration) -> bool {
    // Without a sign: a clock that was set back must not make anything last longer.
    now.duration_since(from).abs() < SignedDuration::try_from(span).unwrap_or_default()
}

impl<C: Clock> OAuthClient<C> {
    /// The key of this id. Reads the set when it is old or lacks the key, and not too often.
    pub(super) async fn signing_key(
        &self,
        url: &Url,
        key_id: &str,
    ) -> Result<DecodingKey, IdentityError> {
        let known = |keys: &Option<Keys>| keys.as_ref()?.get(key_id).cloned();
        if let Some(key) = known(&self.keys.fresh(self.clock.now())) {
            return Ok(key);
        }
        let mut last = self.keys.last_read.lock().await;
        let now = self.clock.now();
        let fresh = self.keys.fresh(now);
        // Another sign-in may have read it while this one waited.
        if let Some(key) = known(&fresh) {
            return Ok(key);
        }
        let wait = if fresh.is_some() {
            UNKNOWN_WAIT
        } else {
            FAILED_WAIT
        };
        if let Some(last) = last.as_ref().filter(|last| is_within(last.at, now, wait)) {
            let failure = last.failure.clone().map(IdentityError::Failed);
            return Err(failure.unwrap_or(IdentityError::KeyUnknown));
        }
        // Noted before it is done: an attempt that is dropped on the way counts too.
        let unanswered = Failure::new(Code::QuickBooksUnreachable);
        let last = last.insert(LastRead {
            at: now,
            failure: Some(unanswered),
        });
        let outcome = self.read_keys(url).await;
        last.failure = outcome.as_ref().err().cloned();
        let keys = outcome?;
        self.keys.keep(now, Arc::clone(&keys));
        known(&Some(keys)).ok_or(IdentityError::KeyUnknown)
    }

    async fn read_keys(&self, url: &Url) -> Result<Keys, Failure> {
        let answer = self.get(url, None).await?;
        let keys = read_set(answer.body()).filter(|_| answer.status().is_success());
        keys.map(Arc::new).ok_or_else(|| {
            let status = answer.status().as_u16();
            tracing::warn!(status, "Intuit's key set cannot be used");
            Failure::new(Code::QuickBooksFailing).answered(vendor_answer(&answer))
        })
    }
}

/// The RSA signing keys of a set by their ids. A set without any is none.
fn read_set(body: &[u8]) -> Option<HashMap<String, DecodingKey>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let all = body.get("keys")?.as_array()?;
    let keys: HashMap<_, _> = all.iter().filter_map(read_key).collect();
    (!keys.is_empty()).then_some(keys)
}

fn read_key(key: &Value) -> Option<(String, DecodingKey)> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let is_for_us = text("kty") == Some("RSA")
        && text("use") == Some("sig")
        && key.get("alg").is_none_or(|alg| alg == "RS256");
    let key_id = text("kid").filter(|id| is_for_us && !id.is_empty())?;
    let key = DecodingKey::from_rsa_components(text("n")?, text("e")?).ok()?;
    Some((key_id.to_owned(), key))
}
