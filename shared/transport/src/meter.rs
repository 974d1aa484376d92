use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the calls of one client to one outside system.
#[derive(Debug, Default)]
pub struct Meter {
    calls: AtomicU64,
    reads: AtomicU64,
}

impl Meter {
    /// Counts one call that was sent.
    pub fn count(&self, is_read: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.reads.fetch_add(u64::from(is_read), Ordering::Relaxed);
    }

    /// All calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Those of them that only read.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }
}
