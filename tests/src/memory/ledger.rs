//! The ledger: documents and records behind their port.

use std::collections::BTreeMap;

use jiff::Timestamp;
use purser_core::{
    ids::{OrderId, RealmId, TenantId},
    ports::{
        Change, Committed, DocumentKind, Expected, HistoryEntry, Ledger, Put, RecordFilter,
        StoreError,
    },
    record::{StateName, SyncRecord},
    tenant::Stored,
};

use super::{MemoryStore, Tables, records::Records};

impl Ledger for MemoryStore {
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        Ok(self.tables().partitions.keys().cloned().collect())
    }

    async fn remove_tenant(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.entries.remove_tenant(tenant);
        tables.mails.remove_tenant(tenant);
        tables.partitions.remove(tenant);
        Ok(())
    }

    async fn document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> Result<Option<Stored<String>>, StoreError> {
        let tables = self.tables();
        let partition = tables.partitions.get(tenant);
        Ok(partition.and_then(|partition| partition.documents.get(kind)))
    }

    async fn put_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
        body: String,
        expected: Expected<u64>,
    ) -> Result<Put, StoreError> {
        let mut tables = self.tables();
        Ok(tables.listed(tenant).documents.put(kind, body, &expected))
    }

    async fn remove_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> Result<(), StoreError> {
        if let Some(partition) = self.tables().partitions.get_mut(tenant) {
            partition.documents.remove(kind);
        }
        Ok(())
    }

    async fn records(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        orders: &[OrderId],
    ) -> Result<Vec<SyncRecord>, StoreError> {
        self.of(tenant, |records| records.by_orders(realm, orders))
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        let mut tables = self.tables();
        let changes = changes.into_iter();
        changes.map(|change| tables.commit(change)).collect()
    }

    async fn due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>, StoreError> {
        self.of(tenant, |records| Ok(records.due(realm, now, limit)))
    }

    async fn next_due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.of(tenant, |records| Ok(records.next_due(realm)))
    }

    async fn list(
        &self,
        tenant: &TenantId,
        filter: &RecordFilter,
    ) -> Result<Vec<SyncRecord>, StoreError> {
        self.of(tenant, |records| records.list(filter))
    }

    async fn count(&self, tenant: &TenantId, filter: &RecordFilter) -> Result<u64, StoreError> {
        self.of(tenant, |records| Ok(records.count(filter)))
    }

    async fn counts(&self, tenant: &TenantId) -> Result<Vec<(StateName, u64)>, StoreError> {
        self.of(tenant, |records| Ok(records.counts()))
    }

    async fn counts_between(
        &self,
        tenant: &TenantId,
        bounds: &[Timestamp],
    ) -> Result<Vec<BTreeMap<StateName, u64>>, StoreError> {
        self.of(tenant, |records| Ok(records.counts_between(bounds)))
    }

    async fn oldest_open(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<(OrderId, Timestamp)>, StoreError> {
        self.of(tenant, |records| Ok(records.oldest_open()))
    }

    async fn history(
        &self,
        tenant: &TenantId,
        order: OrderId,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        self.of(tenant, |records| Ok(records.history(order)))
    }
}

impl MemoryStore {
    /// What the records of a tenant answer; one that is not there has none.
    fn of<T>(
        &self,
        tenant: &TenantId,
        ask: impl FnOnce(&Records) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.tables().partitions.get(tenant) {
            Some(partition) => ask(&partition.records),
            None => ask(&Records::default()),
        }
    }
}

impl Tables {
    /// One transaction: the record with its story and its mails, or nothing.
    fn commit(&mut self, change: Change) -> Result<Committed, StoreError> {
        let records = &mut self.listed(&change.record.key.tenant).records;
        if !records.is_expected(&change.record, &change.expected) {
            return records.refused(&change.record);
        }
        records.put(change.record, change.due_at);
        for entry in change.history {
            records.tell(entry);
        }
        for mail in change.mails {
            self.mails.keep(mail);
        }
        Ok(Committed::Done)
    }
}
