//! Our share of the hourly calls. It only counts and computes; the client waits and calls.
//!
//! The vendor allows 10,000 calls per rolling hour to one database, by all integrations together,
//! and refuses everybody beyond that. We count our own calls and never take more than our share.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;
use purser_core::ports::{Lane, Quota};

/// The vendor's documented limit, until the tenant's own was read.
const LIMIT: u32 = 10_000;
/// The vendor's documented window, in minutes.
const WINDOW_MINUTES: u32 = 60;
/// Above this use of the whole database, in percent, background work stands still.
const CROWDED_PERCENT: u64 = 90;

/// The rules one admission is judged by. Times are already divided by the scale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuotaRules {
    pub(crate) lane: Lane,
    /// Our share in percent.
    pub(crate) share_percent: u8,
    /// One minute.
    pub(crate) minute: Duration,
    /// How long a reading of the threshold is good for.
    pub(crate) reading_age_max: Duration,
}

/// The calls of this process to one tenant's database, and what the database last said.
#[derive(Debug, Default)]
pub(crate) struct QuotaWindow {
    calls: VecDeque<Timestamp>,
    reading: Option<(Quota, Timestamp)>,
    asked_at: Option<Timestamp>,
}

impl QuotaWindow {
    /// Whether the threshold should be read now; says yes once and then not for a while.
    pub(crate) fn claim_reading(&mut self, now: Timestamp, rules: &QuotaRules) -> bool {
        let is_due = self
            .asked_at
            .is_none_or(|at| age(now, at) >= rules.reading_age_max);
        if is_due {
            self.asked_at = Some(now);
        }
        is_due
    }

    /// Stores what the database said.
    pub(crate) fn store(&mut self, quota: Quota, now: Timestamp) {
        self.reading = Some((quota, now));
        self.asked_at = Some(now);
    }

    /// Counts one call that was sent.
    pub(crate) fn count(&mut self, now: Timestamp) {
        self.calls.push_back(now);
    }

    /// Lets a call pass, or says how long to wait.
    pub(crate) fn admit(&mut self, now: Timestamp, rules: &QuotaRules) -> Result<(), Duration> {
        self.admit_within_share(now, rules)?;
        match self.crowded_until(now, self.limit(), rules) {
            Some(wait) if rules.lane == Lane::Background => Err(wait),
            _ => Ok(()),
        }
    }

    fn limit(&self) -> u64 {
        u64::from(self.reading.map_or(LIMIT, |(q, _)| q.limit))
    }

    /// Lets a call pass that our share of the hour still holds, however crowded the database is.
    pub(crate) fn admit_within_share(
        &mut self,
        now: Timestamp,
        rules: &QuotaRules,
    ) -> Result<(), Duration> {
        let minutes = self
            .reading
            .map_or(WINDOW_MINUTES, |(q, _)| q.window_minutes);
        let window = rules.minute.saturating_mul(minutes);
        while self.calls.front().is_some_and(|at| age(now, *at) >= window) {
            self.calls.pop_front();
        }
        let own = self.calls.len() as u64;
        let share = (self.limit() * u64::from(rules.share_percent.min(100)) / 100).max(1);
        let Some(oldest) = self.calls.front().filter(|_| own >= share) else {
            return Ok(());
        };
        Err(window.saturating_sub(age(now, *oldest)))
    }

    fn crowded_until(&self, now: Timestamp, limit: u64, rules: &QuotaRules) -> Option<Duration> {
        let (quota, at) = self.reading?;
        let since = self
            .calls
            .iter()
            .rev()
            .take_while(|call| **call > at)
            .count() as u64;
        let used = u64::from(quota.used) + since;
        let wait = rules.reading_age_max.saturating_sub(age(now, at));
        // An old reading says nothing: usage falls as the hour rolls on.
        (used * 100 > limit * CROWDED_PERCENT && !wait.is_zero()).then_some(wait)
    }
}

/// How long ago `then` was; a clock that went back counts as no time at all.
pub(crate) fn age(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn rules(lane: Lane, share_percent: u8) -> QuotaRules {
        QuotaRules {
            lane,
            share_percent,
            minute: Duration::from_mins(1),
            reading_age_max: Duration::from_mins(10),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn own_calls_of_the_rolling_hour_stay_below_the_share() {
        let mut window = QuotaWindow::default();
        let rules = rules(Lane::Person, 1);
        for second in 0..100 {
            assert!(window.admit(at(second), &rules).is_ok());
            window.count(at(second));
        }
        assert_eq!(
            window.admit(at(100), &rules),
            Err(Duration::from_secs(3500))
        );
        assert!(window.admit(at(3600), &rules).is_ok());
    }

    #[test]
    fn a_crowded_database_stops_background_work_until_the_next_reading() {
        let mut window = QuotaWindow::default();
        let quota = Quota {
            limit: 1000,
            used: 900,
            window_minutes: 60,
        };
        window.store(quota, at(0));
        let background = rules(Lane::Background, 50);
        assert!(window.admit(at(1), &background).is_ok());
        window.count(at(1));
        assert_eq!(
            window.admit(at(2), &background),
            Err(Duration::from_secs(598))
        );
        assert!(window.admit(at(2), &rules(Lane::Person, 50)).is_ok());
        assert!(!window.claim_reading(at(599), &background));
        assert!(window.claim_reading(at(600), &background));
        assert!(!window.claim_reading(at(601), &background));
        assert!(window.admit(at(600), &background).is_ok());
    }
}
