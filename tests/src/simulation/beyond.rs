//! Histories in which QuickBooks is slower than what is promised holds for: a create has its effect up
//! to an hour later, or a bill is missing from queries for a quarter of an hour, and request ids are
//! ignored or known too late. Then a second bill cannot be ruled out. It must be found, and a person
//! told.

use std::time::Duration;

use purser_simulators::{FaultKind, quickbooks::RequestIdMode};

use super::plan::{Plan, WireTrouble};
use crate::dice::Dice;

/// Later than Purser waits.
const LATE_MIN: u64 = 180;
const LATE_MAX: u64 = 3_600;

impl Plan {
    /// What a seed decides beyond the bounds.
    pub fn beyond(seed: u64) -> Self {
        let mut plan = Self::by_chance(seed);
        let mut dice = Dice::stream(seed, 3);
        plan.is_beyond = true;
        plan.mode = dice.pick(&[RequestIdMode::Ignored, RequestIdMode::Racy]);
        if dice.hits(3) {
            plan.query_lag = Duration::from_secs(dice.pick(&[200, 400, 1_000]));
        }
        let late = 1_000 * (LATE_MIN + dice.roll(LATE_MAX - LATE_MIN));
        let lost = dice.pick(&[
            FaultKind::LateCommit { ms: late },
            FaultKind::LateCommit { ms: late },
            FaultKind::DropAfter,
        ]);
        let create = dice.roll(2);
        plan.creates.insert(create, WireTrouble::Fault(lost));
        plan
    }
}
