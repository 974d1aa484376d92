//! The ports of the stage: SQLite, the production clients, a clock that moves only when told to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use purser_core::{
    ids::{AttemptId, OperationId, TraceId},
    ports::{Chance, Clock},
};
use purser_runtime::adapters::OneStore;
use purser_simulators::{SimulatorClock as _, TokioClock};
use purser_sqlite::SqliteStore;

/// The simulators' own clock, as the program's clock. Clocks of programs go wrong, so it can be off.
#[derive(Clone, Debug)]
pub struct StageClock {
    right: TokioClock,
    /// Milliseconds that are added.
    off: Arc<AtomicI64>,
}

impl StageClock {
    /// A clock that is right.
    pub fn new(right: TokioClock) -> Self {
        Self {
            right,
            off: Arc::default(),
        }
    }

    /// From now on it is off by so many seconds.
    pub fn put_off(&self, seconds: i64) {
        self.off.store(seconds * 1_000, Ordering::SeqCst);
    }
}

impl Clock for StageClock {
    fn now(&self) -> Timestamp {
        self.right.now() + SignedDuration::from_millis(self.off.load(Ordering::SeqCst))
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Chance that gives the same numbers in every run, and never the same name twice.
#[derive(Clone, Debug, Default)]
pub struct StageChance(Arc<AtomicU64>);

impl StageChance {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    fn name<T: std::str::FromStr>(&self, kind: &str) -> T {
        let name = format!("{kind}{:08}", self.next());
        name.parse().unwrap_or_else(|_| panic!("{name} is a name"))
    }
}

impl Chance for StageChance {
    fn operation(&self) -> OperationId {
        self.name("operation")
    }

    fn attempt(&self) -> AttemptId {
        self.name("attempt")
    }

    fn trace(&self) -> TraceId {
        TraceId::of(self.next().into())
    }

    fn permille(&self) -> u32 {
        // Multiplying by a prime spreads neighbours; the remainder always fits.
        u32::try_from(self.next().wrapping_mul(617) % 1000).unwrap_or(0)
    }
}

/// One engine's ports.
pub type StagePorts<S = SqliteStore> = OneStore<StageClock, StageChance, S>;
