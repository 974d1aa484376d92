//! The store in memory as the store of a stage.

use std::path::Path;

use jiff::Timestamp;
use purser_core::ids::{RunNumber, TenantId};

use super::{Now, StageStore};
use crate::memory::MemoryStore;

impl StageStore for MemoryStore {
    fn opened(_: &Path, now: Now, _: bool) -> Self {
        Self::new(now)
    }

    /// Nobody can know that a function is dead: its message comes back when its time is over.
    async fn owner_died(&self, _: &Path) {}

    async fn alarms(&self, now: Timestamp) -> Vec<(TenantId, RunNumber)> {
        self.due_alarms(now)
    }

    async fn went_off(&self, tenant: &TenantId, run: RunNumber) {
        self.disarm(tenant, run);
    }

    async fn alarm_at(&self) -> Option<Timestamp> {
        self.next_alarm()
    }

    async fn message_at(&self) -> Option<Timestamp> {
        self.next_message()
    }
}
