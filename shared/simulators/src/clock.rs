//! The simulators' time.
//!
//! Simulators never ask the operating system for the time themselves; waiting is always
//! `tokio::time::sleep`, so that a paused runtime moves simulated time too.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Says what time it is for the simulated vendors.
pub trait SimulatorClock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The time of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl SimulatorClock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A time that starts at a chosen instant and moves with tokio's clock, also a paused one.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    base: Timestamp,
    origin: Instant,
}

impl TokioClock {
    /// Starts at `base` now.
    pub fn new(base: Timestamp) -> Self {
        Self {
            base,
            origin: Instant::now(),
        }
    }
}

impl SimulatorClock for TokioClock {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.origin.elapsed()).unwrap_or_default();
        self.base.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_tokio_clock_moves_with_a_paused_runtime() {
        let clock = TokioClock::new("2026-01-05T10:00:00Z".parse().unwrap());
        tokio::time::sleep(Duration::from_secs(90)).await;
        let expected: Timestamp = "2026-01-05T10:01:30Z".parse().unwrap();
        assert_eq!(clock.now().as_second(), expected.as_second());
    }
}
