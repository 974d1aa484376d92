//! The share of QuickBooks' limits that one lane of one tenant may use.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use purser_core::{policy::Policy, ports::Lane, record::later};
use purser_transport::{Pace, Pacer};

/// Spaces the calls of one lane of one tenant; clones share the same windows.
///
/// Intuit allows 500 calls a minute and 10 a second for each realm. The split needs no
/// coordination between processes: background work takes 6/s and 350/min, and what a person waits
/// for 2/s and 100/min. Make one per (tenant, lane) and process, and hand it to every client.
///
/// When QuickBooks asks for quiet, background work that is already under way keeps it, too: what was
/// waiting for its turn does not leave. Who waits at a screen is not made to wait longer for that.
#[derive(Clone, Debug)]
pub struct SharedPacer {
    pacer: Arc<Mutex<Pacer>>,
    /// None where it is never kept.
    quiet: Option<Arc<Mutex<Quiet>>>,
}

/// When quiet was asked for last, and until when.
type Quiet = Option<(Timestamp, Timestamp)>;

impl SharedPacer {
    /// The pacer of a lane; its windows are divided by `policy.scale`.
    pub fn new(lane: Lane, policy: &Policy) -> Self {
        let pace = match lane {
            Lane::Background => Pace {
                per_second: 6,
                per_minute: 350,
            },
            Lane::Person => Pace {
                per_second: 2,
                per_minute: 100,
            },
        };
        Self {
            pacer: Arc::new(Mutex::new(Pacer::new(pace, policy.scale))),
            quiet: (lane == Lane::Background).then(Arc::default),
        }
    }

    /// QuickBooks asked for quiet for so long.
    pub(crate) fn hush(&self, now: Timestamp, wait: Duration) {
        if let Some(quiet) = &self.quiet {
            let mut quiet = lock(quiet);
            // Of two that are under way at once the second may ask for less. A clock that was set back
            // ends what was asked for before.
            let left = quiet.filter(|(since, _)| *since <= now);
            let until = left.map_or(Timestamp::MIN, |(_, until)| until);
            *quiet = Some((now, later(now, wait).max(until)));
        }
    }

    /// How long nothing may leave yet. A clock that was set back ends it.
    pub(crate) fn quiet_left(&self, now: Timestamp) -> Option<Duration> {
        let (since, until) = (*lock(self.quiet.as_ref()?))?;
        let is_quiet = since <= now && now < until;
        is_quiet.then(|| Duration::try_from(now.duration_until(until)).unwrap_or_default())
    }

    /// Books the next start and says how long after `now` it is.
    pub(crate) fn book(&self, now: Timestamp) -> Duration {
        let since_epoch = Duration::try_from(now.as_duration()).unwrap_or_default();
        lock(&self.pacer).book(since_epoch)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
