//! Limits: calls per hour and calls at the same time.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{reply::Refusal, switches::AutotaskSwitches};

/// What the limits say about one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admission {
    /// Names the occupied slot.
    pub(super) slot: u64,
    /// Extra waiting because the hour is busy.
    pub(super) extra_wait: Duration,
}

#[derive(Debug)]
struct Slot {
    number: u64,
    free_at: Option<Instant>,
}

/// The calls of one database.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    hour: VecDeque<Timestamp>,
    slots: BTreeMap<(String, String), Vec<Slot>>,
    slots_given: u64,
    pub(super) calls: u64,
    pub(super) refused_threads: u64,
    pub(super) refused_hour: u64,
    pub(super) threads_max: usize,
}

impl Traffic {
    /// Counts a call of `entity` under `code` and gives it a slot, or refuses it.
    pub(super) fn admit(
        &mut self,
        switches: &AutotaskSwitches,
        code: &str,
        entity: &str,
        now: Timestamp,
    ) -> Result<Admission, Refusal> {
        self.calls += 1;
        self.enter_hour(switches, now)?;
        let slot = self.enter_slot(switches, code, entity)?;
        let percent = self.hour.len() * 100 / switches.hourly_limit.max(1);
        let milliseconds = match percent {
            0..50 => 0,
            50..75 => 500,
            _ => 1_000,
        };
        let extra_wait = Duration::from_millis(milliseconds * switches.latency_scale_percent / 100);
        Ok(Admission { slot, extra_wait })
    }

    fn enter_hour(&mut self, switches: &AutotaskSwitches, now: Timestamp) -> Result<(), Refusal> {
        if self.calls_this_hour(now) >= switches.hourly_limit {
            self.refused_hour += 1;
            return Err(Refusal::TooMany(format!(
                "You have exceeded your request threshold of {} requests in 60 minutes.",
                switches.hourly_limit
            )));
        }
        self.hour.push_back(now);
        Ok(())
    }

    /// Calls in the last 60 minutes.
    pub(super) fn calls_this_hour(&mut self, now: Timestamp) -> usize {
        let start = now - SignedDuration::from_hours(1);
        while self.hour.front().is_some_and(|at| *at <= start) {
            self.hour.pop_front();
        }
        self.hour.len()
    }

    fn enter_slot(
        &mut self,
        switches: &AutotaskSwitches,
        code: &str,
        entity: &str,
    ) -> Result<u64, Refusal> {
        let slots = self
            .slots
            .entry((code.to_owned(), entity.to_owned()))
            .or_default();
        let now = Instant::now();
        slots.retain(|slot| slot.free_at.is_none_or(|at| at > now));
        let limit = switches.thread_limit;
        if limit > 0 && slots.len() >= limit {
            self.refused_threads += 1;
            let text = format!(
                "Thread Threshold Exceeded - The Autotask API thread threshold of {limit} threads \
                 has been exceeded. (Itgenatr005)"
            );
            return Err(if switches.thread_error_as_500 {
                Refusal::error(text)
            } else {
                Refusal::TooMany(text)
            });
        }
        self.slots_given += 1;
        slots.push(Slot {
            number: self.slots_given,
            free_at: None,
        });
        self.threads_max = self.threads_max.max(slots.len());
        Ok(self.slots_given)
    }

    /// Frees a slot a little later.
    pub(super) fn leave(&mut self, number: u64, linger: Duration) {
        let free_at = Some(Instant::now() + linger);
        for slot in self
            .slots
            .values_mut()
            .flatten()
            .filter(|slot| slot.number == number)
        {
            slot.free_at = free_at;
        }
    }
}
