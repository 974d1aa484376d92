//! QuickBooks' clock, as the `Date` headers of its answers tell it.

use std::sync::atomic::{AtomicI64, Ordering};

use http::{HeaderMap, header::DATE};
use jiff::{SignedDuration, Timestamp};

const UNKNOWN: i64 = i64::MIN;

/// How far QuickBooks' clock is ahead of ours, in milliseconds; unknown before the first answer.
#[derive(Debug)]
pub(crate) struct ServerClock(AtomicI64);

impl ServerClock {
    pub(crate) const fn new() -> Self {
        Self(AtomicI64::new(UNKNOWN))
    }

    /// Learns from an answer received at `now`, and returns the server's time in it.
    pub(crate) fn learn(&self, headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
        let server = server_time(headers)?;
        let ahead = server.as_millisecond().saturating_sub(now.as_millisecond());
        self.0.store(ahead, Ordering::Relaxed);
        Some(server)
    }

    /// QuickBooks' time when ours is `now`.
    pub(crate) fn at(&self, now: Timestamp) -> Option<Timestamp> {
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => None,
            ahead => now.checked_add(SignedDuration::from_millis(ahead)).ok(),
        }
    }
}

fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?.trim();
    // The only form HTTP allows senders today: "Thu, 15 Jan 2026 18:00:00 GMT".
    jiff::fmt::rfc2822::parse(text)
        .ok()
        .map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_learnt_and_nonsense_is_ignored() {
        let clock = ServerClock::new();
        let now: Timestamp = "2026-01-15T17:58:30Z".parse().unwrap();
        assert_eq!(clock.at(now), None);
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Thu, 15 Jan 2026 18:00:00 GMT".parse().unwrap());
        let server = clock.learn(&headers, now).unwrap();
        assert_eq!(server.to_string(), "2026-01-15T18:00:00Z");
        headers.insert(DATE, "yesterday".parse().unwrap());
        assert_eq!(clock.learn(&headers, now), None);
        let later = now.checked_add(SignedDuration::from_secs(10)).unwrap();
        assert_eq!(clock.at(later).unwrap().to_string(), "2026-01-15T18:00:10Z");
    }
}
