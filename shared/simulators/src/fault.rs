//! Faults that a test places at the nth call of a route.
//!
//! This module only decides which fault a call meets; [`crate::exchange`] carries it out.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::System;

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Answers this status and body; the call has no effect.
    Status {
        /// HTTP status.
        status: u16,
        /// Body as sent; JSON or anything else.
        #[serde(default)]
        body: Option<String>,
    },
    /// The call has its effect, then this status and body are answered.
    StatusAfter {
        /// HTTP status.
        status: u16,
        /// Body as sent; JSON or anything else.
        #[serde(default)]
        body: Option<String>,
    },
    /// The connection is cut; the call has no effect.
    DropBefore,
    /// The call has its effect, then the connection is cut.
    DropAfter,
    /// Nothing is ever answered; the call has no effect.
    TimeoutBefore,
    /// The call has its effect; nothing is ever answered.
    TimeoutAfter,
    /// The call waits, then proceeds as usual.
    Delay {
        /// Milliseconds to wait.
        ms: u64,
    },
    /// The connection is cut now; the effect happens later.
    LateCommit {
        /// Milliseconds until the effect.
        ms: u64,
    },
    /// 200 with a body that is no answer; no effect.
    Garbage,
    /// The call has its effect, then 200 with a body that is no answer.
    GarbageAfter,
    /// The call has its effect, then only half of its answer is sent.
    TruncateAfter,
    /// The vendor's own "too many requests"; no effect.
    Throttle {
        /// Value of the `Retry-After` header, when one is to be sent.
        #[serde(default)]
        retry_after_seconds: Option<u64>,
    },
    /// The vendor's own 401; no effect.
    Unauthorised,
    /// 200 without a body; no effect.
    Empty,
}

/// Where and when a fault happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// The system that is called.
    pub system: System,
    /// Route name, or its beginning followed by `*`.
    pub route: String,
    /// The first call that is hit: 1 is the next one, counted since the rule was added.
    #[serde(default = "one")]
    pub nth: u32,
    /// How many calls in a row are hit; `u32::MAX` is an outage.
    #[serde(default = "one")]
    pub times: u32,
    /// What happens.
    pub kind: FaultKind,
}

fn one() -> u32 {
    1
}

impl FaultRule {
    /// Hits the next call of `route` once.
    pub fn next(system: System, route: &str, kind: FaultKind) -> Self {
        Self {
            system,
            route: route.to_owned(),
            nth: 1,
            times: 1,
            kind,
        }
    }

    /// Hits every call of `system` until the rules are cleared.
    pub fn outage(system: System, kind: FaultKind) -> Self {
        Self {
            times: u32::MAX,
            ..Self::next(system, "*", kind)
        }
    }

    /// Hits the `nth` call instead of the next one.
    #[must_use]
    pub fn at(mut self, nth: u32) -> Self {
        self.nth = nth;
        self
    }

    /// Hits `times` calls in a row.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    fn matches(&self, system: System, route: &str) -> bool {
        self.system == system
            && match self.route.strip_suffix('*') {
                Some(prefix) => route.starts_with(prefix),
                None => route == self.route,
            }
    }
}

#[derive(Debug)]
struct Armed {
    rule: FaultRule,
    seen: u32,
}

impl Armed {
    /// Counts a matching call; true when the rule hits it.
    fn hit(&mut self) -> bool {
        self.seen = self.seen.saturating_add(1);
        self.seen >= self.rule.nth.max(1) && !self.is_spent_before_this()
    }

    fn last(&self) -> u32 {
        self.rule
            .nth
            .max(1)
            .saturating_add(self.rule.times.saturating_sub(1))
    }

    fn is_spent_before_this(&self) -> bool {
        self.rule.times == 0 || (self.last() < u32::MAX && self.seen > self.last())
    }

    fn is_spent(&self) -> bool {
        self.rule.times == 0 || (self.last() < u32::MAX && self.seen >= self.last())
    }
}

/// All rules that are waiting for their call.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Mutex<Vec<Armed>>,
}

impl Faults {
    /// Adds a rule; its counting starts now.
    pub fn add(&self, rule: FaultRule) {
        self.lock().push(Armed { rule, seen: 0 });
    }

    /// Removes every rule.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The rules that can still hit a call.
    pub fn waiting(&self) -> Vec<FaultRule> {
        self.lock().iter().map(|armed| armed.rule.clone()).collect()
    }

    /// Counts a call and returns the fault it meets: that of the oldest rule that hits.
    pub fn take(&self, system: System, route: &str) -> Option<FaultKind> {
        let mut armed = self.lock();
        let mut fault = None;
        for rule in armed.iter_mut() {
            if rule.rule.matches(system, route) && rule.hit() && fault.is_none() {
                fault = Some(rule.rule.kind.clone());
            }
        }
        armed.retain(|rule| !rule.is_spent());
        fault
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_hits_its_nth_call_and_the_following_ones() {
        let faults = Faults::default();
        faults.add(
            FaultRule::next(System::Autotask, "PATCH Orders", FaultKind::Empty)
                .at(2)
                .times(2),
        );
        let hits: Vec<bool> = (0..5)
            .map(|_| faults.take(System::Autotask, "PATCH Orders").is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert!(faults.waiting().is_empty());
    }

    #[test]
    fn a_rule_keeps_to_its_system_and_route() {
        let faults = Faults::default();
        faults.add(FaultRule::next(
            System::Autotask,
            "PATCH Orders",
            FaultKind::Empty,
        ));
        assert_eq!(faults.take(System::QuickBooks, "PATCH Orders"), None);
        assert_eq!(faults.take(System::Autotask, "PATCH Orders/query"), None);
        assert_eq!(
            faults.take(System::Autotask, "PATCH Orders"),
            Some(FaultKind::Empty)
        );
    }

    #[test]
    fn an_outage_lasts_until_cleared() {
        let faults = Faults::default();
        faults.add(FaultRule::outage(System::Intuit, FaultKind::DropBefore));
        for _ in 0..1_000 {
            assert!(faults.take(System::Intuit, "POST token").is_some());
        }
        faults.clear();
        assert_eq!(faults.take(System::Intuit, "POST token"), None);
    }

    #[test]
    fn rules_read_from_json_with_defaults() {
        let rule: FaultRule = serde_json::from_str(
            r#"{"system":"quickbooks","route":"POST bill","kind":{"late_commit":{"ms":500}}}"#,
        )
        .unwrap();
        assert_eq!((rule.nth, rule.times), (1, 1));
        assert_eq!(rule.kind, FaultKind::LateCommit { ms: 500 });
    }
}
