//! What was asked and answered, for tests to check.
//!
//! Entries are bounded, counters are not. Headers are never kept, nor the query of an address;
//! calls that carry secrets are recorded without bodies.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::Serialize;

use crate::{System, fault::FaultKind};

const ENTRIES_DEFAULT: usize = 20_000;

/// All kept bodies together.
const BODY_BYTES_MAX: usize = 128 * 1024 * 1024;

/// One call.
#[derive(Clone, Debug, Serialize)]
pub struct JournalEntry {
    /// Running number, starting with 1.
    pub number: u64,
    /// The system that was called.
    pub system: System,
    /// Route name.
    pub route: String,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// The `requestid` of a QuickBooks call.
    pub request_id: Option<String>,
    /// Body of the request, when bodies are kept.
    pub request_body: String,
    /// Status that was sent; none when the connection was cut or stayed silent.
    pub status: Option<u16>,
    /// Body that was sent, when bodies are kept.
    pub response_body: String,
    /// When the call arrived.
    pub started_at: Timestamp,
    /// When the answer left, or when it was decided that none leaves.
    pub ended_at: Timestamp,
    /// The injected fault.
    pub fault: Option<FaultKind>,
    /// True when the call changed something.
    pub effect: bool,
}

impl JournalEntry {
    fn body_bytes(&self) -> usize {
        self.request_body.len() + self.response_body.len()
    }
}

/// Numbers of one system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SystemCounts {
    /// Calls that only read.
    pub reads: u64,
    /// Calls that could change something.
    pub writes: u64,
    /// Both.
    pub total: u64,
}

/// Numbers of everything.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// Per system.
    pub systems: BTreeMap<System, SystemCounts>,
    /// Per system and route.
    pub routes: BTreeMap<System, BTreeMap<String, u64>>,
}

#[derive(Debug)]
struct Inner {
    entries: VecDeque<JournalEntry>,
    entries_max: usize,
    body_bytes: usize,
    keep_bodies: bool,
    recorded: u64,
    counts: Counts,
}

/// The calls of all systems.
#[derive(Debug)]
pub struct Journal {
    inner: Mutex<Inner>,
}

impl Default for Journal {
    fn default() -> Self {
        Self::bounded(ENTRIES_DEFAULT)
    }
}

impl Journal {
    /// Keeps at most `entries_max` calls.
    pub fn bounded(entries_max: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                entries: VecDeque::new(),
                entries_max,
                body_bytes: 0,
                keep_bodies: true,
                recorded: 0,
                counts: Counts::default(),
            }),
        }
    }

    /// Says whether bodies are kept; switch off for very long runs.
    pub fn keep_bodies(&self, keep: bool) {
        self.lock().keep_bodies = keep;
    }

    /// Counts a call when it arrives.
    pub fn count(&self, system: System, route: &str, is_write: bool) {
        let mut inner = self.lock();
        let counts = inner.counts.systems.entry(system).or_default();
        counts.total += 1;
        if is_write {
            counts.writes += 1;
        } else {
            counts.reads += 1;
        }
        let routes = inner.counts.routes.entry(system).or_default();
        match routes.get_mut(route) {
            Some(count) => *count += 1,
            None => drop(routes.insert(route.to_owned(), 1)),
        }
    }

    /// Keeps a finished call and gives it its number.
    pub fn record(&self, mut entry: JournalEntry) -> u64 {
        let mut inner = self.lock();
        inner.recorded += 1;
        entry.number = inner.recorded;
        if !inner.keep_bodies {
            entry.request_body.clear();
            entry.response_body.clear();
        }
        inner.body_bytes += entry.body_bytes();
        inner.entries.push_back(entry);
        while inner.entries.len() > inner.entries_max || inner.body_bytes > BODY_BYTES_MAX {
            let Some(oldest) = inner.entries.pop_front() else {
                break;
            };
            inner.body_bytes -= oldest.body_bytes();
        }
        inner.recorded
    }

    /// The kept calls with a number greater than `number`.
    pub fn since(&self, number: u64) -> Vec<JournalEntry> {
        let inner = self.lock();
        inner
            .entries
            .iter()
            .filter(|entry| entry.number > number)
            .cloned()
            .collect()
    }

    /// All kept calls.
    pub fn entries(&self) -> Vec<JournalEntry> {
        self.since(0)
    }

    /// The number of the latest call.
    pub fn latest(&self) -> u64 {
        self.lock().recorded
    }

    /// All counters.
    pub fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    /// How often a route was called.
    pub fn calls(&self, system: System, route: &str) -> u64 {
        let inner = self.lock();
        inner
            .counts
            .routes
            .get(&system)
            .and_then(|routes| routes.get(route))
            .copied()
            .unwrap_or(0)
    }

    /// Forgets calls and counters.
    pub fn clear(&self) {
        let mut inner = self.lock();
        inner.entries.clear();
        inner.body_bytes = 0;
        inner.counts = Counts::default();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> JournalEntry {
        JournalEntry {
            number: 0,
            system: System::Autotask,
            route: "POST PurchaseOrders/query".into(),
            method: "POST".into(),
            path: "/".into(),
            request_id: None,
            request_body: "{}".into(),
            status: Some(200),
            response_body: "{}".into(),
            started_at: Timestamp::UNIX_EPOCH,
            ended_at: Timestamp::UNIX_EPOCH,
            fault: None,
            effect: false,
        }
    }

    #[test]
    fn the_oldest_entries_leave_and_numbers_go_on() {
        let journal = Journal::bounded(2);
        for _ in 0..3 {
            journal.record(entry());
        }
        let numbers: Vec<u64> = journal.entries().iter().map(|e| e.number).collect();
        assert_eq!(numbers, [2, 3]);
        assert_eq!(journal.since(2).len(), 1);
    }

    #[test]
    fn the_bodies_together_are_bounded_too() {
        let journal = Journal::default();
        for _ in 0..4 {
            journal.record(JournalEntry {
                response_body: "x".repeat(BODY_BYTES_MAX / 2 - 2),
                ..entry()
            });
        }
        assert_eq!(journal.entries().len(), 2);
        assert_eq!(journal.latest(), 4);
    }

    #[test]
    fn bodies_can_be_left_out() {
        let journal = Journal::default();
        journal.keep_bodies(false);
        journal.record(entry());
        assert_eq!(journal.entries()[0].request_body, "");
    }

    #[test]
    fn reads_and_writes_are_counted_apart() {
        let journal = Journal::default();
        journal.count(System::Autotask, "POST A/query", false);
        journal.count(System::Autotask, "PATCH A", true);
        let counts = journal.counts().systems[&System::Autotask];
        assert_eq!((counts.reads, counts.writes, counts.total), (1, 1, 2));
        assert_eq!(journal.calls(System::Autotask, "PATCH A"), 1);
    }
}
