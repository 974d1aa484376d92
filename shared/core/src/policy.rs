//! Every wait, retry and deadline in one value.

use std::time::Duration;

/// The times the whole program keeps. Made once, from one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What all times are divided by; 1 except against local simulators.
    pub scale: u32,
    /// Longest wait for the answer to a bill create.
    pub bill_timeout: Duration,
    /// Longest wait for the answer to any other call.
    pub call_timeout: Duration,
    /// How long one invocation of the worker may run.
    pub function_time: Duration,
    /// With less than this left, the worker hands the rest on.
    pub function_reserve: Duration,
    /// How long a lease lasts from the write that takes it.
    pub lease: Duration,
    /// How long a received message stays invisible to others.
    pub visibility: Duration,
    /// How long after a send its effect may still appear (QuickBooks' 120 s plus margin); Autotask
    /// names no such time and is given the same.
    pub settle: Duration,
    /// How long a number may still land in an order after it was decided that it is not to be written any
    /// more: the settle time, and what a write may take to leave (2 s for threads, 10 s to connect).
    pub landing: Duration,
    /// An order in doubt for longer than this is told to operators.
    pub doubt_age_max: Duration,
    /// How long after its intent was stored a bill may leave: the settle time counts from then, and
    /// QuickBooks may take 120 s of it.
    pub send_delay: Duration,
    /// How long after that was looked at it may leave at the latest.
    pub send_margin: Duration,
    /// How far around the sends bills are looked for, when QuickBooks' clock is known.
    pub lookup_margin: Duration,
    /// The same, when it is not known.
    pub lookup_margin_unknown_clock: Duration,
    /// The oldest reading of an order that may precede a send or a write-back.
    pub freshness: Duration,
    /// The age at which reference data asks for changes.
    pub books_age: Duration,
    /// The age at which reference data is read anew from the start.
    pub books_age_max: Duration,
    /// First wait after a failure; it doubles with each further one.
    pub backoff: Duration,
    /// The longest such wait.
    pub backoff_max: Duration,
    /// Wait after QuickBooks asks to slow down without saying how long.
    pub throttle_wait: Duration,
    /// How often a tenant in trouble is tried again by itself.
    pub trouble_recheck: Duration,
    /// How often the sweeper runs.
    pub sweep_interval: Duration,
    /// A queued order not touched for this long is queued again by the sweeper.
    pub queued_age_max: Duration,
    /// How long a run may stay open before the sweeper re-arms its tenant.
    pub run_age_max: Duration,
    /// How often a tenant's bills are reconciled.
    pub reconcile_interval: Duration,
    /// How far a reconciliation looks back behind the one before it: QuickBooks may show late what
    /// it had already made, and an order that was being worked on then is passed over.
    pub reconcile_overlap: Duration,
    /// When a manual sync that is still waiting is reported by e-mail.
    pub mail_after: Duration,
    /// The access token is renewed when less than this is left of it.
    pub token_early: Duration,
    /// How long a refresh may be under way before others assume it is over.
    pub token_refresh: Duration,
    /// How long to wait before believing `invalid_grant`.
    pub token_doubt: Duration,
    /// How long until `invalid_grant` is confirmed.
    pub token_confirm: Duration,
    /// An unused refresh token is renewed after this.
    pub token_keep_alive: Duration,
    /// How long a zone address is trusted.
    pub zone_age_max: Duration,
    /// How long pick lists and the status id are trusted.
    pub labels_age_max: Duration,
}

impl Policy {
    /// The policy with every time divided by `scale`; 0 counts as 1.
    pub fn scaled(scale: u32) -> Self {
        let scale = scale.max(1);
        let seconds = |seconds: u64| Duration::from_secs(seconds) / scale;
        // Answers come from real programs, however fast the clock is said to run; so neither they
        // nor the ages of what was read shrink to nothing.
        let answer = |limit: u64| seconds(limit).max(Duration::from_secs(limit.min(2)));
        Self {
            scale,
            bill_timeout: answer(45),
            call_timeout: answer(60),
            function_time: seconds(90).max(Duration::from_secs(8)),
            function_reserve: seconds(60).max(Duration::from_secs(4)),
            lease: seconds(120).max(Duration::from_secs(10)),
            visibility: seconds(540).max(Duration::from_secs(12)),
            settle: seconds(150).max(Duration::from_secs(3)),
            landing: seconds(150).max(Duration::from_secs(3)) + seconds(15).max(answer(2)),
            doubt_age_max: seconds(1800).max(Duration::from_secs(20)),
            send_delay: seconds(150).max(Duration::from_secs(3)) / 6,
            send_margin: seconds(150).max(Duration::from_secs(3)) / 36,
            lookup_margin: Duration::from_mins(5),
            lookup_margin_unknown_clock: Duration::from_hours(26),
            freshness: seconds(30).max(Duration::from_secs(5)),
            books_age: seconds(60).max(Duration::from_secs(2)),
            books_age_max: seconds(24 * 3600).max(Duration::from_mins(1)),
            backoff: seconds(30),
            backoff_max: seconds(15 * 60),
            throttle_wait: seconds(60),
            trouble_recheck: seconds(3600),
            sweep_interval: seconds(300).max(Duration::from_secs(1)),
            queued_age_max: seconds(1800).max(Duration::from_secs(20)),
            run_age_max: seconds(3600).max(Duration::from_secs(30)),
            reconcile_interval: seconds(24 * 3600),
            reconcile_overlap: Duration::from_hours(48),
            mail_after: seconds(120),
            token_early: seconds(600),
            token_refresh: seconds(30),
            token_doubt: seconds(35),
            token_confirm: seconds(300),
            token_keep_alive: seconds(7 * 24 * 3600),
            zone_age_max: seconds(24 * 3600).max(Duration::from_mins(1)),
            labels_age_max: seconds(24 * 3600).max(Duration::from_mins(1)),
        }
    }

    /// A time a person set, divided like all others.
    pub fn scale_down(&self, time: Duration) -> Duration {
        time / self.scale
    }

    /// The wait before attempt `attempts + 1`, before any spreading.
    pub fn backoff_after(&self, attempts: u32) -> Duration {
        let doubled = self
            .backoff
            .saturating_mul(1 << attempts.saturating_sub(1).min(10));
        doubled.min(self.backoff_max)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::scaled(1)
    }
}

/// The guards of the protocol. All are on, except in a test that shows what one of them is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent switch for tests"
)]
pub struct Guards {
    /// The intent is stored before the first send.
    pub intent: bool,
    /// An order held by another attempt is left alone.
    pub lease: bool,
    /// Every write is conditional on the record being as it was read.
    pub fence: bool,
    /// Nothing is sent that could be answered after the lease has passed.
    pub deadline: bool,
    /// A sent create is looked up before it is sent again.
    pub lookup: bool,
    /// "Not there" is believed only after the settle time.
    pub quarantine: bool,
    /// A bill known from an earlier attempt is read before it is linked.
    pub verify: bool,
    /// A new bill for the same order goes out under a new request id.
    pub generation: bool,
    /// In the place of a deleted bill another one is made, and the number of one that was put there by a
    /// person is written, only once the number of the first can no longer land in Autotask; a number in
    /// the place of ERROR only once that cannot.
    pub landing: bool,
}

impl Guards {
    /// All guards on: the only set that production code uses.
    pub const ALL: Self = Self {
        intent: true,
        lease: true,
        fence: true,
        deadline: true,
        lookup: true,
        quarantine: true,
        verify: true,
        generation: true,
        landing: true,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_one_send_nest() {
        for scale in [1, 10, 1000] {
            let policy = Policy::scaled(scale);
            assert!(policy.bill_timeout < policy.function_time, "{scale}");
            assert!(policy.function_time < policy.lease, "{scale}");
            assert!(policy.lease < policy.visibility, "{scale}");
            assert!(policy.bill_timeout < policy.settle, "{scale}");
            let latest = policy.send_delay + policy.send_margin;
            assert!(latest < policy.settle / 5, "{scale}");
        }
        let vendor = Duration::from_mins(2);
        let latest = Policy::default().send_delay + Policy::default().send_margin;
        assert!(latest + vendor < Policy::default().settle);
        assert!(Policy::default().visibility >= 6 * Policy::default().function_time);
    }

    #[test]
    fn backoff_doubles_up_to_its_limit() {
        let policy = Policy::default();
        assert_eq!(policy.backoff_after(1), policy.backoff);
        assert_eq!(policy.backoff_after(2), policy.backoff * 2);
        assert_eq!(policy.backoff_after(50), policy.backoff_max);
    }
}
