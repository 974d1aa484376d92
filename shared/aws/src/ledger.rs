//! The ledger behind its port.

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

use crate::store::AwsStore;

impl Ledger for AwsStore {
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.list_tenants().await
    }

    async fn remove_tenant(&self, tenant: &TenantId) -> Result<(), StoreError> {
        self.drop_tenant(tenant).await
    }

    async fn document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> Result<Option<Stored<String>>, StoreError> {
        self.get_document(tenant, kind).await
    }

    async fn put_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
        body: String,
        expected: Expected<u64>,
    ) -> Result<Put, StoreError> {
        self.write_document(tenant, kind, &body, &expected).await
    }

    async fn remove_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> Result<(), StoreError> {
        self.drop_document(tenant, kind).await
    }

    async fn records(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        orders: &[OrderId],
    ) -> Result<Vec<SyncRecord>, StoreError> {
        self.read_records(tenant, realm, orders).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        self.write_changes(changes).await
    }

    async fn due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>, StoreError> {
        self.due_orders(tenant, realm, now, limit).await
    }

    async fn next_due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.first_due(tenant, realm).await
    }

    async fn list(
        &self,
        tenant: &TenantId,
        filter: &RecordFilter,
    ) -> Result<Vec<SyncRecord>, StoreError> {
        self.listed(tenant, filter).await
    }

    async fn count(&self, tenant: &TenantId, filter: &RecordFilter) -> Result<u64, StoreError> {
        self.counted(tenant, filter).await
    }

    async fn counts(&self, tenant: &TenantId) -> Result<Vec<(StateName, u64)>, StoreError> {
        self.state_counts(tenant).await
    }

    async fn counts_between(
        &self,
        tenant: &TenantId,
        bounds: &[Timestamp],
    ) -> Result<Vec<BTreeMap<StateName, u64>>, StoreError> {
        self.spans(tenant, bounds).await
    }

    async fn oldest_open(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<(OrderId, Timestamp)>, StoreError> {
        self.longest_open(tenant).await
    }

    async fn history(
        &self,
        tenant: &TenantId,
        order: OrderId,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        self.told(tenant, order).await
    }
}
