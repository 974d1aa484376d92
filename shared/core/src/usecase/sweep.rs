//! Sweep: nothing is forgotten. Queues what is overdue, mends broken chains, reconciles bills.

use jiff::Timestamp;

use crate::{
    ids::{RealmId, TenantId, TraceId},
    ports::{Lane, Ledger, Message, Queue, StoreError, WorkMessage},
    record::{Origin, later},
    tenant::TenantStatus,
};

use super::{Engine, Ports, Reconciled};

/// The most orders one sweep queues for one tenant.
const DUE_MAX: u32 = 500;

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
        if status.quiet_until(now).is_some() {
            // It can wait for a later sweep, and whoever asked for quiet gets it.
            return Ok(());
        }
        match self.reconcile(tenant, realm, last, trace).await {
            Ok(found) => {
                let Reconciled { gone, twice, stray } = found;
                let found = [gone.len(), twice.len(), stray.len()];
                if found != [0, 0, 0] {
                    let [gone, twice, stray] = found;
                    tracing::warn!(
                        tenant.id = %tenant,
                        gone,
                        twice,
                        stray,
                        "bills are gone, there twice, or there for orders without one"
                    );
                }
                let note = |status: &mut TenantStatus| {
                    status.reconciled_at = Some(now);
                    true
                };
                self.update_status(tenant, note).await.map(drop)
            }
            Err(failure) => {
                tracing::warn!(
                    tenant.id = %tenant,
                    failure.code = %failure.code(),
                    "bills could not be compared; it is tried again with the next sweep"
                );
                let settings = self.settings(tenant).await?;
                self.note_failure(tenant, &failure, settings.as_ref()).await
            }
        }
    }
}
