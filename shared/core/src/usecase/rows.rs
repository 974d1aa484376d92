//! The rows that a scan writes: one for each new order it found, and one for each that it leaves
//! alone for what External PO Number says, so that people find it and read why.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::json;

use crate::{
    eligibility::Ineligible,
    ids::{OrderId, RealmId, RunNumber, TenantId, TraceId},
    orders::Order,
    ports::{Change, Expected, HistoryEvent, Ledger, StoreError},
    record::{RecordKey, State, SyncRecord},
    tenant::RunCounts,
};

use super::{Engine, Ports, attempt::entry};

/// How many records are written in one batch.
const BATCH: usize = 100;

/// The orders that a scan found, as it judged them.
pub(super) struct Found<'a> {
    /// Whose they are, and which company's.
    pub(super) key: (&'a TenantId, &'a RealmId),
    /// The run that found them.
    pub(super) run: RunNumber,
    /// What the scan followed from.
    pub(super) trace: &'a TraceId,
    /// Those that may be transferred.
    pub(super) eligible: Vec<Order>,
    /// Those that may not, each with the reason.
    pub(super) left_alone: Vec<(Order, Ineligible)>,
}

impl<P: Ports> Engine<P> {
    /// Writes a row for each order that has none, and returns those that have something to do now.
    pub(super) async fn write_rows(
        &self,
        found: &Found<'_>,
        counts: &mut RunCounts,
        now: Timestamp,
    ) -> Result<Vec<OrderId>, StoreError> {
        let left_alone = found.left_alone.iter().map(|(order, _)| order);
        let ids: Vec<_> = found
            .eligible
            .iter()
            .chain(left_alone)
            .map(|o| o.id)
            .collect();
        let (tenant, realm) = found.key;
        let (known, newer) = self.known_rows((tenant, realm), &ids).await?;
        let known: HashMap<_, _> = known.into_iter().map(|r| (r.key.order, r)).collect();
        let is_ours = |order: &&Order| !newer.contains(&order.id);
        let mut queued = Vec::with_capacity(found.eligible.len());
        let mut changes = Vec::new();
        for order in found.eligible.iter().filter(is_ours) {
            match known.get(&order.id) {
                Some(record) if rests(record, now) => {}
                Some(_) => queued.push(order.id),
                None => {
                    changes.push(self.new_row(found, order, now));
                    queued.push(order.id);
                }
            }
        }
        let left_alone = found.left_alone.iter();
        for (order, reason) in left_alone.filter(|(order, _)| is_ours(&order)) {
            let record = known.get(&order.id);
            count_known(counts, record);
            changes.extend(self.left_alone_row(found, (order, reason), record, now));
        }
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(BATCH));
            // A conflict means that somebody else wrote the row a moment ago: it is there.
            self.ports
                .store()
                .commit(std::mem::replace(&mut changes, rest))
                .await?;
        }
        Ok(queued)
    }

    /// The records of these orders, and which orders have one that only a newer version of the program
    /// can read: such a row is left to that one, and stops no other.
    async fn known_rows(
        &self,
        (tenant, realm): (&TenantId, &RealmId),
        ids: &[OrderId],
    ) -> Result<(Vec<SyncRecord>, HashSet<OrderId>), StoreError> {
        let store = self.ports.store();
        match store.records(tenant, realm, ids).await {
            Err(StoreError::Newer(_)) => {}
            read => return read.map(|known| (known, HashSet::new())),
        }
        let (mut known, mut newer) = (Vec::new(), HashSet::new());
        for id in ids {
            match store.records(tenant, realm, &[*id]).await {
                Ok(one) => known.extend(one),
                Err(StoreError::Newer(_)) => {
                    newer.insert(*id);
                }
                Err(error) => return Err(error),
            }
        }
        Ok((known, newer))
    }

    fn new_row(&self, found: &Found<'_>, order: &Order, now: Timestamp) -> Change {
        let record = self.fresh(found, order, now);
        let detail = json!({ "run": found.run });
        let text = "The scan found the order.";
        let line = entry(now, order.id, HistoryEvent::Found, text, detail);
        Change {
            due_at: record.due_at(&self.policy),
            record,
            expected: Expected::Absent,
            history: vec![line.traced(Some(found.trace))],
            mails: Vec::new(),
        }
    }

    fn fresh(&self, found: &Found<'_>, order: &Order, now: Timestamp) -> SyncRecord {
        let (tenant, realm) = found.key;
        let key = RecordKey {
            tenant: tenant.clone(),
            realm: realm.clone(),
            order: order.id,
        };
        let mut record = SyncRecord::queued(key, order.display_number(), self.operation(), now);
        record.run = Some(found.run);
        record
    }

    /// The row of an order that carries a number or ERROR: new, or told anew when its reason has
    /// changed. Nothing is written when it says the same already, and to no row that anything else
    /// is about.
    fn left_alone_row(
        &self,
        found: &Found<'_>,
        (order, reason): (&Order, &Ineligible),
        known: Option<&SyncRecord>,
        now: Timestamp,
    ) -> Option<Change> {
        if !matches!(
            reason,
            Ineligible::HasNumber { .. } | Ineligible::MarkedError
        ) {
            return None;
        }
        let (mut record, expected) = match known {
            None => (self.fresh(found, order, now), Expected::Absent),
            Some(known) if is_told_otherwise(known, reason, now) => {
                (known.clone(), Expected::Is(known.operation.clone()))
            }
            Some(_) => return None,
        };
        record.state = State::Skipped {
            reason: reason.clone(),
        };
        record.order_number = order.display_number();
        record.operation = self.operation();
        record.updated_at = now;
        let detail = json!({ "code": reason.code(), "run": found.run });
        let line = entry(now, order.id, HistoryEvent::Skipped, reason.text(), detail);
        Some(Change {
            due_at: record.due_at(&self.policy),
            record,
            expected,
            history: vec![line.traced(Some(found.trace))],
            mails: Vec::new(),
        })
    }
}

/// Counts an order that may not be transferred because Purser has dealt with it already.
fn count_known(counts: &mut RunCounts, record: Option<&SyncRecord>) {
    match record.map(|record| &record.state) {
        Some(State::Linked { .. }) => counts.billed += 1,
        Some(State::Refused { .. } | State::NeedsPerson { .. } | State::Orphaned { .. }) => {
            counts.refused += 1;
        }
        Some(
            State::Queued | State::Planned { .. } | State::Created { .. } | State::Skipped { .. },
        )
        | None => {}
    }
}

/// An order that waits, or that somebody works on, is left to the sweeper.
fn rests(record: &SyncRecord, now: Timestamp) -> bool {
    let waits = record
        .wait
        .as_ref()
        .is_some_and(|wait| now < wait.not_before);
    let held = record.lease.as_ref().is_some_and(|lease| now < lease.until);
    waits || held
}

/// Whether a row that nobody holds or has asked for gives another reason.
fn is_told_otherwise(record: &SyncRecord, reason: &Ineligible, now: Timestamp) -> bool {
    let held = record.lease.as_ref().is_some_and(|lease| now < lease.until);
    let is_at_rest = record.is_settled() && record.request.is_none() && !held;
    is_at_rest && matches!(&record.state, State::Skipped { reason: told } if told != reason)
}
