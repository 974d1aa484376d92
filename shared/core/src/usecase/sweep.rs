//! Sweep: nothing is forgotten. Queues what is overdue, mends broken chains, reconciles bills.

use jiff::Timestamp;

use crate::{
    failure::Failure,
    ids::{BillId, OrderId, RealmId, TenantId, TraceId},
    ports::{
        Lane, Ledger, Message, Outside, Queue, QuickBooks, RecordFilter, StoreError, WorkMessage,
    },
    record::{Origin, StateName, SyncRecord, earlier, later},
    tenant::TenantStatus,
};

use super::{Engine, Ports};

/// The most orders one sweep queues for one tenant.
const DUE_MAX: u32 = 500;
/// The most bills one reconciliation reads one by one, when changes cannot be asked for.
const VERIFY_MAX: u32 = 200;

impl<P: Ports> Engine<P> {
    /// Sweeps every tenant; one tenant's failure does not stop the others. All that follows
    /// carries `trace`.
    pub async fn sweep(&self, trace: &TraceId) -> Result<(), StoreError> {
        for tenant in self.tenants().await? {
            if let Err(error) = self.sweep_tenant(&tenant, trace).await {
                tracing::error!(tenant.id = %tenant, %error, "the sweep of a tenant failed");
            }
        }
        Ok(())
    }

    /// Sweeps one tenant.
    pub async fn sweep_tenant(&self, tenant: &TenantId, trace: &TraceId) -> Result<(), StoreError> {
        let now = self.now();
        let status = self.status(tenant).await?;
        let Some(realm) = status.realm.clone() else {
            return Ok(());
        };
        if self.settings(tenant).await?.is_none() {
            return Ok(());
        }
        self.mend_chain(tenant).await?;
        if let Some(trouble) = status.blocked(now) {
            let due = self.ports.store().due(tenant, &realm, now, DUE_MAX).await?;
            let told = (&trouble.notice, trouble.recheck_at);
            return self
                .tell_waiting((tenant, &realm), &due, told, Some(trace))
                .await;
        }
        self.queue_due(tenant, &realm, trace).await?;
        self.reconcile_when_due((tenant, &realm), &status, now, trace)
            .await
    }

    /// Queues every order of a tenant whose time has come. Returns how many.
    pub async fn queue_due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        trace: &TraceId,
    ) -> Result<usize, StoreError> {
        let due = self
            .ports
            .store()
            .due(tenant, realm, self.now(), DUE_MAX)
            .await?;
        let version = WorkMessage::VERSION;
        let messages = due.chunks(WorkMessage::ORDERS_MAX).map(|orders| Message {
            lane: Lane::Background,
            deduplication: format!("sweep-{}", self.operation()),
            body: WorkMessage::Sync {
                version,
                tenant: tenant.clone(),
                run: None,
                orders: orders.to_vec(),
                origin: Origin::Sweep,
                trace: Some(trace.clone()),
            },
        });
        let messages: Vec<_> = messages.collect();
        if !messages.is_empty() {
            self.ports.queue().send(messages).await?;
        }
        Ok(due.len())
    }

    async fn reconcile_when_due(
        &self,
        (tenant, realm): (&TenantId, &RealmId),
        status: &TenantStatus,
        now: Timestamp,
        trace: &TraceId,
    ) -> Result<(), StoreError> {
        let last = status.reconciled_at;
        if last.is_some_and(|last| last <= now && now < later(last, self.policy.reconcile_interval))
        {
            return Ok(());
        }
        match self.reconcile(tenant, realm, last, trace).await {
            Ok(gone) => {
                if !gone.is_empty() {
                    tracing::warn!(tenant.id = %tenant, bills = gone.len(), "linked bills are gone");
                }
                let note = |status: &mut TenantStatus| {
                    status.reconciled_at = Some(now);
                    true
                };
                self.update_status(tenant, note).await.map(drop)
            }
            Err(failure) => {
                let settings = self.settings(tenant).await?;
                self.note_failure(tenant, &failure, settings.as_ref()).await
            }
        }
    }

    /// Finds linked bills that were deleted since the last time and flags their orders.
    pub async fn reconcile(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        since: Option<Timestamp>,
        trace: &TraceId,
    ) -> Result<Vec<OrderId>, Failure> {
        let quickbooks = self
            .ports
            .outside()
            .quickbooks(tenant, Lane::Person)
            .await?;
        let since = since.unwrap_or_else(|| earlier(self.now(), self.policy.reconcile_interval));
        let changes = quickbooks
            .changes(earlier(since, self.policy.settle))
            .await?;
        let told = changes.as_ref().map(|(changes, _)| &changes.bills_gone);
        if told.is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let linked = self.linked(tenant, realm).await?;
        let gone = match changes {
            Some((changes, _)) => changes.bills_gone,
            None => self.verify_each(&*quickbooks, &linked).await?,
        };
        let mut orders = Vec::new();
        for record in &linked {
            if let Some(bill) = record.bill().filter(|bill| gone.contains(&bill.id)) {
                self.orphan(tenant, realm, record.key.order, &bill.id, trace)
                    .await?;
                orders.push(record.key.order);
            }
        }
        Ok(orders)
    }

    async fn linked(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
    ) -> Result<Vec<SyncRecord>, StoreError> {
        let mut all = Vec::new();
        let mut filter = RecordFilter {
            states: vec![StateName::Linked],
            limit: 500,
            ..RecordFilter::default()
        };
        loop {
            let page = self.ports.store().list(tenant, &filter).await?;
            let Some(last) = page.last() else {
                return Ok(all);
            };
            filter.before = Some((last.updated_at, last.key.order));
            all.extend(page.into_iter().filter(|record| record.key.realm == *realm));
        }
    }

    async fn verify_each(
        &self,
        quickbooks: &impl QuickBooks,
        linked: &[SyncRecord],
    ) -> Result<Vec<BillId>, Failure> {
        let mut gone = Vec::new();
        for record in linked.iter().take(VERIFY_MAX as usize) {
            let Some(bill) = record.bill() else { continue };
            if quickbooks.bill(&bill.id).await?.is_none() {
                gone.push(bill.id.clone());
            }
        }
        Ok(gone)
    }
}
