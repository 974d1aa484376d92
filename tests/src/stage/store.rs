//! What a stage needs of its store besides the ports: what a process that lives on it does by itself.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use purser_core::{
    ids::{RunNumber, TenantId},
    ports::{Inbox, Ledger, Outbox, Queue, Registry, Schedule},
};
use purser_sqlite::{EngineLock, OpenOptions, SqliteStore};

/// What time it is for the store.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A store that a stage can be built on.
pub trait StageStore: Ledger + Outbox + Queue + Inbox + Schedule + Registry + 'static {
    /// An empty one; the folder is its own. Asked for in order, it does everything on the stage's own
    /// thread.
    fn opened(folder: &Path, now: Now, in_order: bool) -> Self;

    /// The process that worked on it is dead, and whoever comes next knows it.
    fn owner_died(&self, folder: &Path) -> impl Future<Output = ()> + Send;

    /// Alarms whose time has come.
    fn alarms(&self, now: Timestamp) -> impl Future<Output = Vec<(TenantId, RunNumber)>> + Send;

    /// An alarm has gone off and is gone.
    fn went_off(&self, tenant: &TenantId, run: RunNumber) -> impl Future<Output = ()> + Send;

    /// When the next alarm goes off.
    fn alarm_at(&self) -> impl Future<Output = Option<Timestamp>> + Send;

    /// When the next message can be received.
    fn message_at(&self) -> impl Future<Output = Option<Timestamp>> + Send;
}

impl StageStore for SqliteStore {
    fn opened(folder: &Path, now: Now, in_order: bool) -> Self {
        let options = OpenOptions {
            clock: now,
            on_calling_thread: in_order,
            ..OpenOptions::default()
        };
        Self::open(folder, options).expect("a store")
    }

    async fn owner_died(&self, folder: &Path) {
        let lock = EngineLock::take(folder).expect("the only engine");
        self.show_abandoned(&lock).await.expect("messages");
    }

    async fn alarms(&self, now: Timestamp) -> Vec<(TenantId, RunNumber)> {
        self.due_alarms(now).await.expect("alarms")
    }

    async fn went_off(&self, tenant: &TenantId, run: RunNumber) {
        self.disarm(tenant, run).await.expect("the store");
    }

    async fn alarm_at(&self) -> Option<Timestamp> {
        self.next_alarm().await.expect("alarms")
    }

    async fn message_at(&self) -> Option<Timestamp> {
        self.next_message().await.expect("the queue")
    }
}
