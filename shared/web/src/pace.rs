//! How often somebody may ask for what costs calls to the outside systems, and how often it is
//! noted that somebody was refused.

use std::time::Duration;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use purser_core::ports::{Entry, EntryKey, EntryKind, Expected, Put, Registry};
use serde::{Deserialize, Serialize};

use crate::{
    error::WebError,
    session::{add, decode, encode},
};

/// What one session, and what one tenant, may ask for in a minute.
pub(crate) const SESSION_MAX: u32 = 30;
/// See [`SESSION_MAX`].
pub(crate) const TENANT_MAX: u32 = 60;
/// What one browser, and what all browsers together, may begin of ways to Intuit in a minute.
pub(crate) const BROWSER_MAX: u32 = 20;
/// See [`BROWSER_MAX`].
pub(crate) const ALL_BROWSERS_MAX: u32 = 300;
/// How long the same refusal of the same person is not noted again.
const SAME_REFUSAL: SignedDuration = SignedDuration::from_mins(1);
/// How many refusals of one person are noted in an hour.
const REFUSALS_MAX: u32 = 30;
const TRIES_MAX: u32 = 8;

#[derive(Default, Serialize, Deserialize)]
struct Pace {
    since: Timestamp,
    count: u32,
}

/// Counts one wish of somebody, or refuses it with the time to wait.
pub(crate) async fn count(
    registry: &impl Registry,
    who: &str,
    (limit, window): (u32, Duration),
    now: Timestamp,
) -> Result<(), WebError> {
    let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::from_secs(60));
    let key = EntryKey::alone(EntryKind::Pace, who);
    for _ in 0..TRIES_MAX {
        let stored = registry.entry(&key, now).await?;
        let (mut pace, expected) = match &stored {
            Some((entry, version)) => (decode(&entry.body)?, Expected::Is(*version)),
            None => (Pace::default(), Expected::Absent),
        };
        let ends = add(pace.since, window);
        if now >= ends || now < pace.since {
            pace = Pace {
                since: now,
                count: 0,
            };
        }
        if pace.count >= limit {
            return Err(too_many(whole_seconds(ends.duration_since(now))));
        }
        pace.count += 1;
        let entry = Entry {
            key: key.clone(),
            owner: String::new(),
            body: encode(&pace)?,
            expires_at: Some(add(pace.since, window)),
        };
        if let Put::Done(_) = registry.put_entry(entry, expected, now).await? {
            return Ok(());
        }
    }
    // Whoever asks so often at the very same moment asks too often.
    Err(too_many(1))
}

/// Whether a refusal is worth a note: whoever is refused again and again must not push everything
/// else off the page that tells what people did.
pub(crate) async fn is_news(
    registry: &impl Registry,
    who: &str,
    what: &str,
    now: Timestamp,
) -> Result<bool, WebError> {
    let entry = Entry {
        key: EntryKey::alone(EntryKind::Pace, format!("refused:{who}:{what}")),
        owner: String::new(),
        body: String::new(),
        expires_at: Some(add(now, SAME_REFUSAL)),
    };
    if registry.put_entry(entry, Expected::Absent, now).await? == Put::Conflict {
        return Ok(false);
    }
    let who = format!("refusals:{who}");
    let limit = (REFUSALS_MAX, Duration::from_hours(1));
    match count(registry, &who, limit, now).await {
        Ok(()) => Ok(true),
        Err(error) if error.status == StatusCode::TOO_MANY_REQUESTS => Ok(false),
        Err(error) => Err(error),
    }
}

/// Rounded up: who comes back after so long is not sent away again.
fn whole_seconds(wait: SignedDuration) -> u64 {
    let wait = wait.unsigned_abs();
    let part = u64::from(wait.subsec_nanos() > 0);
    (wait.as_secs() + part).max(1)
}

fn too_many(wait: u64) -> WebError {
    let unit = if wait == 1 { "second" } else { "seconds" };
    WebError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "request.too_many",
        "You asked for more than the outside systems can take in a minute.",
        format!("Try again in {wait} {unit}."),
    )
    .after(Some(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_whole_seconds_that_are_enough() {
        for (milliseconds, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_999, 60)] {
            let wait = SignedDuration::from_millis(milliseconds);
            assert_eq!(whole_seconds(wait), seconds, "{milliseconds}");
        }
        assert!(too_many(1).remedy.ends_with("in 1 second."));
        assert!(too_many(2).remedy.ends_with("in 2 seconds."));
    }
}
