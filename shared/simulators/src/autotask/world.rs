//! The rows of one database, their indexes and what has changed since the last commit.
//!
//! Whether a change is allowed is decided elsewhere; this module only keeps rows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    profile::Profile,
    schema::Entity,
    traffic::Traffic,
    value::{Row, long},
};
use crate::{Change, StoreError};

pub(super) const ROW_KIND: &str = "autotask.row";
pub(super) const DATABASE_KIND: &str = "autotask.database";

/// An older state that reads still see.
#[derive(Debug)]
struct Stale {
    until: Timestamp,
    row: Option<Row>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    rows: BTreeMap<i64, Row>,
    children: BTreeMap<i64, BTreeSet<i64>>,
    stale: BTreeMap<i64, Stale>,
    latest_id: i64,
}

impl Table {
    pub(super) fn get(&self, id: i64) -> Option<&Row> {
        self.rows.get(&id)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (i64, &Row)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row as reads see it now.
    pub(super) fn visible(&self, id: i64, now: Timestamp) -> Option<&Row> {
        match self.stale.get(&id) {
            Some(stale) if stale.until > now => stale.row.as_ref(),
            _ => self.rows.get(&id),
        }
    }

    /// Ids greater than `after` that reads may see, in order.
    pub(super) fn ids_after(&self, after: Option<i64>) -> impl Iterator<Item = i64> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        let deleted = self.stale.keys().filter(|id| !self.rows.contains_key(id));
        let deleted: Vec<i64> = deleted
            .copied()
            .filter(|id| after.is_none_or(|after| *id > after))
            .collect();
        let mut live = self
            .rows
            .range((from, Unbounded))
            .map(|(id, _)| *id)
            .peekable();
        let mut deleted = deleted.into_iter().peekable();
        std::iter::from_fn(move || match (live.peek(), deleted.peek()) {
            (Some(a), Some(b)) if b < a => deleted.next(),
            (None, _) => deleted.next(),
            _ => live.next(),
        })
    }

    pub(super) fn children(&self, parent: i64) -> impl Iterator<Item = i64> {
        self.children.get(&parent).into_iter().flatten().copied()
    }
}

/// One database.
#[derive(Debug)]
pub(super) struct World {
    pub(super) profile: Profile,
    pub(super) traffic: Traffic,
    tables: BTreeMap<Entity, Table>,
    dirty: BTreeSet<(Entity, i64)>,
    is_profile_dirty: bool,
}

impl World {
    pub(super) fn new(profile: Profile) -> Self {
        let tables = Entity::ALL
            .into_iter()
            .map(|entity| (entity, Table::default()))
            .collect();
        Self {
            profile,
            traffic: Traffic::default(),
            tables,
            dirty: BTreeSet::new(),
            is_profile_dirty: true,
        }
    }

    pub(super) fn key(&self) -> String {
        self.profile.seed.api_user.to_lowercase()
    }

    pub(super) fn table(&self, entity: Entity) -> &Table {
        static EMPTY: Table = Table {
            rows: BTreeMap::new(),
            children: BTreeMap::new(),
            stale: BTreeMap::new(),
            latest_id: 0,
        };
        self.tables.get(&entity).unwrap_or(&EMPTY)
    }

    pub(super) fn row(&self, entity: Entity, id: i64) -> Option<&Row> {
        self.table(entity).get(id)
    }

    /// The profile, which is then stored with the next commit.
    pub(super) fn profile_mut(&mut self) -> &mut Profile {
        self.is_profile_dirty = true;
        &mut self.profile
    }

    /// An id for a new row, far from the ids of other entities.
    pub(super) fn new_id(&self, entity: Entity) -> i64 {
        let first = match entity {
            Entity::PurchaseOrders => 4_000,
            Entity::PurchaseOrderItems => 9_000,
            Entity::CompanyToDos => 29_684_000,
            Entity::Resources => 29_682_880,
            Entity::Companies => 300,
            Entity::Products => 50,
            _ => 0,
        };
        self.table(entity).latest_id.max(first) + 1
    }

    /// Inserts or replaces a row at once.
    pub(super) fn put(&mut self, entity: Entity, id: i64, mut row: Row) {
        row.insert("id".into(), Value::from(id));
        self.unlink(entity, id);
        let parent = entity.parent_field().and_then(|field| long(&row, field));
        let table = self.tables.entry(entity).or_default();
        if let Some(parent) = parent {
            table.children.entry(parent).or_default().insert(id);
        }
        table.latest_id = table.latest_id.max(id);
        table.rows.insert(id, row);
        self.dirty.insert((entity, id));
    }

    /// Removes a row at once.
    pub(super) fn remove(&mut self, entity: Entity, id: i64) {
        self.unlink(entity, id);
        if let Some(table) = self.tables.get_mut(&entity) {
            table.rows.remove(&id);
        }
        self.dirty.insert((entity, id));
    }

    /// Removes all rows.
    pub(super) fn clear(&mut self) {
        for (entity, table) in std::mem::take(&mut self.tables) {
            self.dirty
                .extend(table.rows.into_keys().map(|id| (entity, id)));
        }
    }

    /// Lets reads see the present state of a row for a while; called before a write.
    pub(super) fn linger(&mut self, entity: Entity, id: i64, now: Timestamp) {
        let lag_ms = self.profile.switches().read_after_write_lag_ms;
        if lag_ms == 0 {
            return;
        }
        let lag = SignedDuration::from_millis(i64::try_from(lag_ms).unwrap_or(i64::MAX));
        let table = self.tables.entry(entity).or_default();
        table.stale.retain(|_, stale| stale.until > now);
        let until = now.checked_add(lag).unwrap_or(Timestamp::MAX);
        let row = table.rows.get(&id).cloned();
        table.stale.entry(id).or_insert(Stale { until, row }).until = until;
    }

    fn unlink(&mut self, entity: Entity, id: i64) {
        let Some(field) = entity.parent_field() else {
            return;
        };
        let Some(table) = self.tables.get_mut(&entity) else {
            return;
        };
        let parent = table.rows.get(&id).and_then(|row| long(row, field));
        if let Some(children) = parent.and_then(|parent| table.children.get_mut(&parent)) {
            children.remove(&id);
        }
    }

    /// Takes a row from the store.
    pub(super) fn restore(&mut self, entity: Entity, id: i64, row: Row) {
        self.put(entity, id, row);
        self.dirty.remove(&(entity, id));
    }

    /// What has to be stored now.
    pub(super) fn changes(&mut self, is_durable: bool) -> Result<Vec<Change>, StoreError> {
        let dirty = std::mem::take(&mut self.dirty);
        let is_profile_dirty = std::mem::take(&mut self.is_profile_dirty);
        if !is_durable {
            return Ok(Vec::new());
        }
        let key = self.key();
        let mut changes = Vec::new();
        if is_profile_dirty {
            changes.push(put(DATABASE_KIND, key.clone(), &self.profile)?);
        }
        for (entity, id) in dirty {
            let row_key = format!("{key}\n{}\n{id}", entity.name());
            changes.push(match self.row(entity, id) {
                Some(row) => put(ROW_KIND, row_key, row)?,
                None => Change::Delete {
                    kind: ROW_KIND.into(),
                    id: row_key,
                },
            });
        }
        Ok(changes)
    }
}

fn put(kind: &str, id: String, document: &impl serde::Serialize) -> Result<Change, StoreError> {
    let json = serde_json::to_string(document).map_err(|source| StoreError::Document {
        kind: kind.into(),
        source,
    })?;
    Ok(Change::Put {
        kind: kind.into(),
        id,
        json,
    })
}
