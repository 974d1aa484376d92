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

use crate::{documents, records, store::SqliteStore};

impl Ledger for SqliteStore {
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.read(documents::tenants).await
    }

    async fn remove_tenant(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |file| documents::remove_tenant(file, &tenant))
            .await
    }

    async fn document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> Result<Option<Stored<String>>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |file| documents::get(file, &tenant, kind))
            .await
    }

    async fn put_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
        body: String,
        expected: Expected<u64>,
    ) -> Result<Put, StoreError> {
        let tenant = tenant.clone();
        self.write(move |file| documents::put(file, &tenant, kind, &body, &expected))
            .await
    }

    async fn remove_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |file| documents::remove(file, &tenant, kind))
            .await
    }

    async fn records(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        orders: &[OrderId],
    ) -> Result<Vec<SyncRecord>, StoreError> {
        let (tenant, realm, orders) = (tenant.clone(), realm.clone(), orders.to_vec());
        self.read(move |file| records::by_orders(file, &tenant, &realm, &orders))
            .await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        self.write(move |file| records::commit(file, &changes))
            .await
    }

    async fn due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>, StoreError> {
        let (tenant, realm) = (tenant.clone(), realm.clone());
        self.read(move |file| records::due(file, &tenant, &realm, now, limit))
            .await
    }

    async fn next_due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let (tenant, realm) = (tenant.clone(), realm.clone());
        self.read(move |file| records::next_due(file, &tenant, &realm))
            .await
    }

    async fn list(
        &self,
        tenant: &TenantId,
        filter: &RecordFilter,
    ) -> Result<Vec<SyncRecord>, StoreError> {
        let (tenant, filter) = (tenant.clone(), filter.clone());
        self.read(move |file| records::list(file, &tenant, &filter))
            .await
    }

    async fn count(&self, tenant: &TenantId, filter: &RecordFilter) -> Result<u64, StoreError> {
        let (tenant, filter) = (tenant.clone(), filter.clone());
        self.read(move |file| records::count(file, &tenant, &filter))
            .await
    }

    async fn counts(&self, tenant: &TenantId) -> Result<Vec<(StateName, u64)>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |file| records::counts(file, &tenant)).await
    }

    async fn counts_between(
        &self,
        tenant: &TenantId,
        bounds: &[Timestamp],
    ) -> Result<Vec<BTreeMap<StateName, u64>>, StoreError> {
        let (tenant, bounds) = (tenant.clone(), bounds.to_vec());
        self.read(move |file| records::counts_between(file, &tenant, &bounds))
            .await
    }

    async fn oldest_open(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<(OrderId, Timestamp)>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |file| records::oldest_open(file, &tenant))
            .await
    }

    async fn history(
        &self,
        tenant: &TenantId,
        order: OrderId,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |file| records::history(file, &tenant, order))
            .await
    }
}
