//! The share of QuickBooks' limits that one lane of one tenant may use.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use purser_core::{policy::Policy, ports::Lane};
use purser_transport::{Pace, Pacer};

/// Spaces the calls of one lane of one tenant; clones share the same windows.
///
/// Intuit allows 500 calls a minute and 10 a second for each realm. The split needs no
/// coordination between processes: background work takes 6/s and 350/min, and what a person waits
/// for 2/s and 100/min. Make one per (tenant, lane) and process, and hand it to every client.
#[derive(Clone, Debug)]
pub struct SharedPacer(Arc<Mutex<Pacer>>);

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
        Self(Arc::new(Mutex::new(Pacer::new(pace, policy.scale))))
    }

    /// Books the next start and says how long after `now` it is.
    pub(crate) fn book(&self, now: Timestamp) -> Duration {
        let since_epoch = Duration::try_from(now.as_duration()).unwrap_or_default();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .book(since_epoch)
    }
}
