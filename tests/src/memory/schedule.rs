//! Alarms. One that has gone off stays until somebody disarms it, as an event does that EventBridge
//! Scheduler has not delivered yet; whoever plays the scheduler may deliver it more than once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use purser_core::{
    ids::{RunNumber, TenantId},
    ports::{Schedule, StoreError},
};

use super::MemoryStore;

type Alarm = (TenantId, RunNumber);

#[derive(Default)]
pub(super) struct Alarms {
    armed: BTreeMap<Alarm, Timestamp>,
    by_time: BTreeSet<(Timestamp, Alarm)>,
}

impl Alarms {
    fn arm(&mut self, alarm: Alarm, at: Timestamp) {
        self.disarm(&alarm);
        self.by_time.insert((at, alarm.clone()));
        self.armed.insert(alarm, at);
    }

    fn disarm(&mut self, alarm: &Alarm) {
        if let Some(at) = self.armed.remove(alarm) {
            self.by_time.remove(&(at, alarm.clone()));
        }
    }
}

impl Schedule for MemoryStore {
    async fn arm(
        &self,
        tenant: &TenantId,
        run: RunNumber,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let at = whole_second(at, self.now());
        self.tables().alarms.arm((tenant.clone(), run), at);
        Ok(())
    }

    async fn is_armed(&self, tenant: &TenantId, run: RunNumber) -> Result<bool, StoreError> {
        let tables = self.tables();
        Ok(tables.alarms.armed.contains_key(&(tenant.clone(), run)))
    }
}

impl MemoryStore {
    /// Alarms whose time has come, earliest first. They stay until they are disarmed.
    pub fn due_alarms(&self, now: Timestamp) -> Vec<(TenantId, RunNumber)> {
        let tables = self.tables();
        let due = tables.alarms.by_time.iter();
        let due = due.take_while(|(at, _)| *at <= now);
        due.map(|(_, alarm)| alarm.clone()).collect()
    }

    /// When the next alarm goes off; in the past when one has.
    pub fn next_alarm(&self) -> Option<Timestamp> {
        let tables = self.tables();
        tables.alarms.by_time.first().map(|(at, _)| *at)
    }

    /// Removes an alarm, once it was delivered or is not wanted.
    pub fn disarm(&self, tenant: &TenantId, run: RunNumber) {
        self.tables().alarms.disarm(&(tenant.clone(), run));
    }
}

/// A schedule counts in whole seconds and goes off when the last one is full.
fn whole_second(at: Timestamp, now: Timestamp) -> Timestamp {
    let second = at.as_second().max(now.as_second()).saturating_add(1);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}
