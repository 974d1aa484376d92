//! The registry: entries by group, and by owner.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Entry, EntryKey, EntryKind, Expected, Put, Registry, StoreError},
};

use super::{MemoryStore, stored};

#[derive(Default)]
pub(super) struct Entries {
    entries: BTreeMap<EntryKey, Kept>,
    by_owner: BTreeMap<(EntryKind, String), BTreeSet<EntryKey>>,
}

struct Kept {
    entry: Entry,
    version: u64,
    /// One that was taken keeps its version, too.
    is_taken: bool,
}

impl Kept {
    fn is_alive(&self, now: Timestamp) -> bool {
        let ends = self.entry.expires_at;
        !self.is_taken && ends.is_none_or(|ends| stored(ends) > stored(now))
    }
}

impl Entries {
    fn alive(&self, key: &EntryKey, now: Timestamp) -> Option<&Kept> {
        self.entries.get(key).filter(|kept| kept.is_alive(now))
    }

    fn put(&mut self, entry: Entry, expected: &Expected<u64>, now: Timestamp) -> Put {
        let alive = self.alive(&entry.key, now);
        let is_expected = match expected {
            Expected::Absent => alive.is_none(),
            Expected::Is(version) => alive.is_some_and(|kept| kept.version == *version),
            Expected::Any => true,
        };
        if !is_expected {
            return Put::Conflict;
        }
        let before = self.remove(&entry.key);
        let version = before.map_or(0, |kept| kept.version) + 1;
        if !entry.owner.is_empty() {
            let owned = (entry.key.kind, entry.owner.clone());
            let of_owner = self.by_owner.entry(owned).or_default();
            of_owner.insert(entry.key.clone());
        }
        let kept = Kept {
            entry,
            version,
            is_taken: false,
        };
        self.entries.insert(kept.entry.key.clone(), kept);
        Put::Done(version)
    }

    fn take(&mut self, key: &EntryKey, now: Timestamp) -> Option<Entry> {
        let kept = self.entries.get_mut(key);
        let kept = kept.filter(|kept| kept.is_alive(now))?;
        kept.is_taken = true;
        Some(kept.entry.clone())
    }

    fn remove(&mut self, key: &EntryKey) -> Option<Kept> {
        let kept = self.entries.remove(key)?;
        let owned = (key.kind, kept.entry.owner.clone());
        if let Some(of_owner) = self.by_owner.get_mut(&owned) {
            of_owner.remove(key);
        }
        Some(kept)
    }

    /// The entries of a group by name, alive or not.
    fn group(&self, kind: EntryKind, group: &str) -> impl DoubleEndedIterator<Item = &Kept> {
        let first = EntryKey::new(kind, group, "");
        // No text stands between a text and the same with a zero behind it.
        let end = EntryKey::new(kind, format!("{group}\0"), "");
        let all = (Bound::Included(first), Bound::Excluded(end));
        self.entries.range(all).map(|(_, kept)| kept)
    }

    /// The entries of an owner by name, alive or not.
    fn owned(&self, kind: EntryKind, owner: &str) -> impl Iterator<Item = &Kept> {
        let keys = self.by_owner.get(&(kind, owner.to_owned()));
        let keys = keys.into_iter().flatten();
        keys.filter_map(|key| self.entries.get(key))
    }

    pub(super) fn remove_tenant(&mut self, tenant: &TenantId) {
        let mut gone: Vec<EntryKey> = Vec::new();
        let key = |kept: &Kept| kept.entry.key.clone();
        for kind in EntryKind::ALL {
            if kind.is_grouped_by_tenant() {
                gone.extend(self.group(kind, tenant.as_str()).map(key));
            }
            if kind.is_owned_by_tenant() {
                gone.extend(self.owned(kind, tenant.as_str()).map(key));
            }
        }
        for key in gone {
            self.remove(&key);
        }
    }
}

impl Registry for MemoryStore {
    async fn entry(
        &self,
        key: &EntryKey,
        now: Timestamp,
    ) -> Result<Option<(Entry, u64)>, StoreError> {
        let tables = self.tables();
        let kept = tables.entries.alive(key, now);
        Ok(kept.map(|kept| (kept.entry.clone(), kept.version)))
    }

    async fn put_entry(
        &self,
        entry: Entry,
        expected: Expected<u64>,
        now: Timestamp,
    ) -> Result<Put, StoreError> {
        Ok(self.tables().entries.put(entry, &expected, now))
    }

    async fn take_entry(
        &self,
        key: &EntryKey,
        now: Timestamp,
    ) -> Result<Option<Entry>, StoreError> {
        Ok(self.tables().entries.take(key, now))
    }

    async fn group(
        &self,
        kind: EntryKind,
        group: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        let tables = self.tables();
        let last_first = tables.entries.group(kind, group).rev();
        let alive = last_first.filter(|kept| kept.is_alive(now));
        let page = alive.take(limit as usize);
        Ok(page.map(|kept| kept.entry.clone()).collect())
    }

    async fn owned(
        &self,
        kind: EntryKind,
        owner: &str,
        now: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        let tables = self.tables();
        let all = tables.entries.owned(kind, owner);
        let alive = all.filter(|kept| kept.is_alive(now));
        Ok(alive.map(|kept| kept.entry.clone()).collect())
    }
}
