//! The records of one tenant, with the same indexes as the table has.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    ops::Bound,
};

use jiff::Timestamp;
use purser_core::{
    ids::{OperationId, OrderId, RealmId},
    ports::{Committed, Expected, HistoryEntry, RecordFilter, StoreError},
    record::{RECORD_VERSION, StateName, SyncRecord},
};

use super::stored;

/// The sort key of a record.
type Place = (OrderId, RealmId);

/// The sort key of an index: by a moment, and then by order.
type Mark = (Timestamp, OrderId);

/// What is stored about the orders of one tenant.
#[derive(Default)]
pub(super) struct Records {
    by_place: BTreeMap<Place, Kept>,
    stories: BTreeMap<OrderId, Vec<HistoryEntry>>,
    by_change: BTreeMap<Mark, BTreeSet<RealmId>>,
    by_due_time: BTreeMap<RealmId, BTreeSet<Mark>>,
    by_wait: BTreeSet<(Mark, RealmId)>,
}

struct Kept {
    record: SyncRecord,
    due_at: Option<Timestamp>,
}

impl Records {
    /// The condition of the port: the expected operation, and no higher fence.
    pub(super) fn is_expected(
        &self,
        record: &SyncRecord,
        expected: &Expected<OperationId>,
    ) -> bool {
        let there = self.by_place.get(&place(record)).map(|kept| &kept.record);
        match expected {
            Expected::Absent => there.is_none(),
            Expected::Is(operation) => {
                there.is_some_and(|it| it.operation == *operation && it.fence <= record.fence)
            }
            Expected::Any => true,
        }
    }

    /// What a write is told whose condition did not hold. One whose answer was lost and that is made
    /// again finds itself.
    pub(super) fn refused(&self, record: &SyncRecord) -> Result<Committed, StoreError> {
        let Some(kept) = self.by_place.get(&place(record)) else {
            return Ok(Committed::Conflict(None));
        };
        let there = known(&kept.record)?;
        if there.operation == record.operation {
            return Ok(Committed::Done);
        }
        Ok(Committed::Conflict(Some(Box::new(there.clone()))))
    }

    pub(super) fn put(&mut self, record: SyncRecord, due_at: Option<Timestamp>) {
        let (order, realm) = place(&record);
        if let Some(before) = self.by_place.remove(&(order, realm.clone())) {
            self.forget(&before);
        }
        let changed = self.by_change.entry(changed(&record)).or_default();
        changed.insert(realm.clone());
        if let Some(at) = due_at {
            let due = self.by_due_time.entry(realm.clone()).or_default();
            due.insert((stored(at), order));
        }
        if let Some(since) = record.open_since() {
            self.by_wait.insert(((stored(since), order), realm.clone()));
        }
        self.by_place
            .insert((order, realm), Kept { record, due_at });
    }

    /// Takes a record that is written over out of the indexes.
    fn forget(&mut self, kept: &Kept) {
        let (order, realm) = place(&kept.record);
        if let Entry::Occupied(mut changed) = self.by_change.entry(changed(&kept.record)) {
            changed.get_mut().remove(&realm);
            if changed.get().is_empty() {
                changed.remove();
            }
        }
        if let Some(at) = kept.due_at
            && let Some(due) = self.by_due_time.get_mut(&realm)
        {
            due.remove(&(stored(at), order));
        }
        if let Some(since) = kept.record.open_since() {
            self.by_wait.remove(&((stored(since), order), realm));
        }
    }

    pub(super) fn tell(&mut self, entry: HistoryEntry) {
        self.stories.entry(entry.order).or_default().push(entry);
    }

    pub(super) fn by_orders(
        &self,
        realm: &RealmId,
        orders: &[OrderId],
    ) -> Result<Vec<SyncRecord>, StoreError> {
        let orders: BTreeSet<OrderId> = orders.iter().copied().collect();
        let places = orders.into_iter().map(|order| (order, realm.clone()));
        let there = places.filter_map(|place| self.by_place.get(&place));
        there.map(|kept| known(&kept.record).cloned()).collect()
    }

    pub(super) fn due(&self, realm: &RealmId, now: Timestamp, limit: u32) -> Vec<OrderId> {
        let all = self.by_due_time.get(realm).into_iter().flatten();
        let due = all.take_while(|(at, _)| *at <= now);
        due.take(limit as usize).map(|(_, order)| *order).collect()
    }

    pub(super) fn next_due(&self, realm: &RealmId) -> Option<Timestamp> {
        let (at, _) = self.by_due_time.get(realm)?.first()?;
        Some(*at)
    }

    /// Newest change first; the next page begins where the one before ended.
    pub(super) fn list(&self, filter: &RecordFilter) -> Result<Vec<SyncRecord>, StoreError> {
        let until = filter.until.map(first_at).into_iter();
        let before = filter.before.map(|(at, order)| (stored(at), order));
        let all = self.changed(filter.since, until.chain(before).min());
        let fitting = all.rev().filter(|record| fits(record, filter));
        let page = fitting.take(filter.limit as usize);
        page.map(|record| known(record).cloned()).collect()
    }

    pub(super) fn count(&self, filter: &RecordFilter) -> u64 {
        let all = self.changed(filter.since, filter.until.map(first_at));
        let fitting = all.filter(|record| fits(record, filter));
        fitting.fold(0, |count, _| count + 1)
    }

    pub(super) fn counts(&self) -> Vec<(StateName, u64)> {
        let counts = by_state(self.by_place.values().map(|kept| &kept.record));
        counts.into_iter().collect()
    }

    pub(super) fn counts_between(&self, bounds: &[Timestamp]) -> Vec<BTreeMap<StateName, u64>> {
        let count = |from, to| by_state(self.changed(Some(from), Some(first_at(to))));
        let spans = bounds.windows(2);
        spans.map(|span| count(span[0], span[1])).collect()
    }

    pub(super) fn oldest_open(&self) -> Option<(OrderId, Timestamp)> {
        let ((since, order), _) = self.by_wait.first()?;
        Some((*order, *since))
    }

    pub(super) fn history(&self, order: OrderId) -> Vec<HistoryEntry> {
        self.stories.get(&order).cloned().unwrap_or_default()
    }

    /// Records by their last change, from a moment on and before a place in the index.
    fn changed(
        &self,
        since: Option<Timestamp>,
        before: Option<Mark>,
    ) -> impl DoubleEndedIterator<Item = &SyncRecord> {
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        let from = first_at(since.unwrap_or(Timestamp::MIN));
        // A range must not end before it begins; one that is empty may.
        let from = before.map_or(from, |before| from.min(before));
        let marks = self.by_change.range((Bound::Included(from), end));
        let places = marks
            .flat_map(|((_, order), realms)| realms.iter().map(|realm| (*order, realm.clone())));
        places.filter_map(|place| self.by_place.get(&place).map(|kept| &kept.record))
    }
}

fn place(record: &SyncRecord) -> Place {
    (record.key.order, record.key.realm.clone())
}

fn changed(record: &SyncRecord) -> Mark {
    (stored(record.updated_at), record.key.order)
}

/// The first place in an index that belongs to a moment.
fn first_at(at: Timestamp) -> Mark {
    (stored(at), OrderId::new(i64::MIN))
}

/// One of a newer version is an error and is never taken for another.
fn known(record: &SyncRecord) -> Result<&SyncRecord, StoreError> {
    let version = record.version;
    if version > RECORD_VERSION {
        return Err(StoreError::Newer(format!(
            "a record of version {version}; this program knows {RECORD_VERSION}"
        )));
    }
    Ok(record)
}

/// Whether a record is one that a filter wants; times and paging are the index's.
fn fits(record: &SyncRecord, filter: &RecordFilter) -> bool {
    let is_wanted = |text: &String| record.search_text().contains(&text.to_lowercase());
    (filter.states.is_empty() || filter.states.contains(&record.state.name()))
        && (!filter.waiting || record.wait.is_some())
        && (filter.orders.is_empty() || filter.orders.contains(&record.key.order))
        && (filter.vendor.is_none() || filter.vendor == record.vendor_name)
        && (filter.code.is_none() || filter.code.as_deref() == record.code())
        && filter.text.as_ref().is_none_or(is_wanted)
}

fn by_state<'a>(records: impl Iterator<Item = &'a SyncRecord>) -> BTreeMap<StateName, u64> {
    let mut counts = BTreeMap::new();
    for record in records {
        *counts.entry(record.state.name()).or_insert(0) += 1;
    }
    counts
}
