//! Waiting: longer after each failure, never longer than its limit, never for ever.

use std::time::Duration;

use proptest::prelude::*;
use purser_cases::config;

use crate::{
    notice::{Code, Notice},
    policy::Policy,
    protocol,
    record::Wait,
    testing::{noon, record},
};

fn scale() -> impl Strategy<Value = u32> {
    prop_oneof![Just(1_u32), 1..=3_600_u32, any::<u32>()]
}

fn waits(
    policy: &Policy,
    before: Option<Wait>,
    asked: Option<Duration>,
    (ago, permille): (i64, u32),
) -> Wait {
    let mut record = record();
    record.wait = before;
    let last = noon() - jiff::SignedDuration::from_secs(ago);
    let notice = Notice::new(Code::QuickBooksFailing);
    protocol::wait(
        &record,
        notice,
        asked,
        true,
        (last, noon()),
        (permille, policy),
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn each_wait_is_at_least_as_long_as_the_one_before_and_has_a_limit(
        scale in scale(),
        attempts in prop_oneof![0..=20_u32, any::<u32>()],
    ) {
        let policy = Policy::scaled(scale);
        let wait = policy.backoff_after(attempts);
        let next = policy.backoff_after(attempts.saturating_add(1));
        prop_assert!(policy.backoff <= wait && wait <= next && next <= policy.backoff_max);
        if wait < policy.backoff_max && attempts > 0 {
            prop_assert_eq!(next, (wait * 2).min(policy.backoff_max));
        }
    }

    #[test]
    fn chance_spreads_a_wait_between_half_of_it_and_all_of_it(
        scale in 1..=3_600_u32,
        attempts in 0..=40_u32,
        ago in 0..=10_000_000_i64,
        permille: u32,
        seconds in 0..=1_000_000_u64,
    ) {
        let policy = Policy::scaled(scale);
        let before = (attempts > 0).then(|| Wait {
            notice: Notice::new(Code::QuickBooksFailing),
            not_before: noon(),
            attempts,
            since: noon(),
            counted_seconds: seconds,
        });
        let wait = waits(&policy, before.clone(), None, (ago, permille));
        prop_assert_eq!(wait.attempts, attempts + 1);
        let pause = Duration::try_from(noon().duration_until(wait.not_before)).unwrap();
        let whole = policy.backoff_after(wait.attempts);
        prop_assert!(whole / 2 <= pause && pause <= whole, "{pause:?} of {whole:?}");
        // What counts towards giving up only rises, by an hour at most for each attempt.
        let counted = before.map_or(0, |before| before.counted_seconds);
        prop_assert!((counted..=counted + 3_600).contains(&wait.counted_seconds));
    }

    #[test]
    fn a_wait_that_a_system_asks_for_is_kept_to_the_second(
        seconds in 0..=3_600_u64,
        permille in 0..1_000_u32,
    ) {
        let asked = Duration::from_secs(seconds);
        let wait = waits(&Policy::default(), None, Some(asked), (0, permille));
        let pause = Duration::try_from(noon().duration_until(wait.not_before)).unwrap();
        prop_assert_eq!(pause, asked);
    }

    #[test]
    fn the_times_of_one_send_nest_at_every_scale(scale in scale()) {
        let policy = Policy::scaled(scale);
        prop_assert!(policy.bill_timeout < policy.function_time);
        prop_assert!(policy.function_time < policy.lease);
        prop_assert!(policy.lease < policy.visibility);
        prop_assert!(policy.bill_timeout < policy.settle);
        prop_assert!(policy.send_delay < policy.settle);
        prop_assert!(policy.backoff <= policy.backoff_max);
    }
}
