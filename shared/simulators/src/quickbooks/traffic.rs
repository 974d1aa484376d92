//! Counts requests per company and says when there are too many.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::switches::QuickBooksSwitches;

/// What a company was asked so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Reads that were let through: GET and queries.
    pub reads: u64,
    /// Writes that were let through.
    pub writes: u64,
    /// Requests that were refused with 429.
    pub throttled: u64,
}

#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) traffic: Traffic,
    requests: VecDeque<Timestamp>,
    batches: VecDeque<Timestamp>,
}

impl Meter {
    /// Counts a request, or refuses it.
    pub(super) fn admit(
        &mut self,
        switches: &QuickBooksSwitches,
        is_batch: bool,
        now: Timestamp,
    ) -> bool {
        let minute = now - SignedDuration::from_secs(60);
        let second = now - SignedDuration::from_secs(1);
        for times in [&mut self.requests, &mut self.batches] {
            while times.front().is_some_and(|at| *at <= minute) {
                times.pop_front();
            }
        }
        let recent = self
            .requests
            .iter()
            .rev()
            .take_while(|at| **at > second)
            .count();
        let full = |limit: usize, used: usize| limit > 0 && used >= limit;
        let refused = full(switches.requests_per_minute, self.requests.len())
            || full(switches.requests_per_second, recent)
            || (is_batch && full(switches.batches_per_minute, self.batches.len()));
        if refused {
            self.traffic.throttled += 1;
            return false;
        }
        self.requests.push_back(now);
        if is_batch {
            self.batches.push_back(now);
        }
        true
    }
}
