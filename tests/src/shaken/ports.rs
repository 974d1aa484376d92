//! The ports, each call by way of the hook.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use purser_core::{
    ids::{OrderId, RealmId, RunNumber, TenantId},
    ports::{
        Change, Committed, Delivery, DocumentKind, Entry, EntryKey, EntryKind, Expected,
        HistoryEntry, Inbox, Ledger, Mail, MailId, Message, Outbox, Put, Queue, RecordFilter,
        Registry, Schedule, StoreError,
    },
    record::{StateName, SyncRecord},
    tenant::Stored,
};

use super::{Happening, Shaken, newer, unavailable};

impl<S: Ledger + 'static> Ledger for Shaken<S> {
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.call("tenants", self.store.tenants()).await
    }

    async fn remove_tenant(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let effect = self.store.remove_tenant(tenant);
        self.call("remove_tenant", effect).await
    }

    async fn document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> Result<Option<Stored<String>>, StoreError> {
        self.tap.about(&kind);
        let effect = self.store.document(tenant, kind);
        self.call("document", effect).await
    }

    async fn put_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
        body: String,
        expected: Expected<u64>,
    ) -> Result<Put, StoreError> {
        self.tap.about(&kind);
        let effect = self.store.put_document(tenant, kind, body, expected);
        self.call("put_document", effect).await
    }

    async fn remove_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> Result<(), StoreError> {
        self.tap.about(&kind);
        let effect = self.store.remove_document(tenant, kind);
        self.call("remove_document", effect).await
    }

    async fn records(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        orders: &[OrderId],
    ) -> Result<Vec<SyncRecord>, StoreError> {
        let effect = self.store.records(tenant, realm, orders);
        self.known(self.call("records", effect).await?)
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        if let Some(change) = changes.first() {
            self.tap.about(&change.record.state.name());
        }
        let happening = self.tap.next("commit");
        if let Happening::FailLate(time) = happening {
            let late = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                drop(late.written(changes).await);
            });
            return Err(unavailable("commit"));
        }
        let effect = |changes| self.written(changes);
        let outcomes = self
            .happen_batch((happening, "commit"), changes, effect)
            .await?;
        let is_newer = |outcome: &Committed| matches!(outcome, Committed::Conflict(Some(found)) if self.tap.is_newer(found));
        if outcomes.iter().any(is_newer) {
            return Err(newer());
        }
        Ok(outcomes)
    }

    async fn due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>, StoreError> {
        let effect = self.store.due(tenant, realm, now, limit);
        self.call("due", effect).await
    }

    async fn next_due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let effect = self.store.next_due(tenant, realm);
        self.call("next_due", effect).await
    }

    async fn list(
        &self,
        tenant: &TenantId,
        filter: &RecordFilter,
    ) -> Result<Vec<SyncRecord>, StoreError> {
        let effect = self.store.list(tenant, filter);
        self.known(self.call("list", effect).await?)
    }

    async fn count(&self, tenant: &TenantId, filter: &RecordFilter) -> Result<u64, StoreError> {
        self.call("count", self.store.count(tenant, filter)).await
    }

    async fn counts(&self, tenant: &TenantId) -> Result<Vec<(StateName, u64)>, StoreError> {
        self.call("counts", self.store.counts(tenant)).await
    }

    async fn counts_between(
        &self,
        tenant: &TenantId,
        bounds: &[Timestamp],
    ) -> Result<Vec<BTreeMap<StateName, u64>>, StoreError> {
        let effect = self.store.counts_between(tenant, bounds);
        self.call("counts_between", effect).await
    }

    async fn oldest_open(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<(OrderId, Timestamp)>, StoreError> {
        let effect = self.store.oldest_open(tenant);
        self.call("oldest_open", effect).await
    }

    async fn history(
        &self,
        tenant: &TenantId,
        order: OrderId,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let effect = self.store.history(tenant, order);
        self.call("history", effect).await
    }
}

impl<S: Outbox> Outbox for Shaken<S> {
    async fn keep(&self, mail: Mail) -> Result<MailId, StoreError> {
        self.call("keep", self.store.keep(mail)).await
    }

    async fn unsent(&self, limit: u32) -> Result<Vec<(MailId, Mail)>, StoreError> {
        self.call("unsent", self.store.unsent(limit)).await
    }

    async fn sent(&self, id: MailId, at: Timestamp) -> Result<(), StoreError> {
        self.call("sent", self.store.sent(id, at)).await
    }

    async fn mails(
        &self,
        limit: u32,
    ) -> Result<Vec<(MailId, Mail, Option<Timestamp>)>, StoreError> {
        self.call("mails", self.store.mails(limit)).await
    }
}

impl<S: Queue> Queue for Shaken<S> {
    async fn send(&self, messages: Vec<Message>) -> Result<(), StoreError> {
        self.tap.sends(&messages);
        let effect = |messages| self.store.send(messages);
        self.call_batch("send", messages, effect).await
    }
}

impl<S: Inbox> Inbox for Shaken<S> {
    async fn receive(&self, visibility: Duration) -> Result<Option<Delivery>, StoreError> {
        let effect = self.store.receive(visibility);
        let mut delivery = self.call("receive", effect).await?;
        if let Some(delivery) = &mut delivery {
            self.tap.reads(delivery);
        }
        Ok(delivery)
    }

    async fn acknowledge(&self, receipt: &str) -> Result<(), StoreError> {
        let effect = self.store.acknowledge(receipt);
        self.call("acknowledge", effect).await
    }

    async fn give_back(&self, receipt: &str, delay: Duration) -> Result<(), StoreError> {
        let effect = self.store.give_back(receipt, delay);
        self.call("give_back", effect).await
    }
}

impl<S: Schedule> Schedule for Shaken<S> {
    async fn arm(
        &self,
        tenant: &TenantId,
        run: RunNumber,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.call("arm", self.store.arm(tenant, run, at)).await
    }

    async fn is_armed(&self, tenant: &TenantId, run: RunNumber) -> Result<bool, StoreError> {
        let effect = self.store.is_armed(tenant, run);
        self.call("is_armed", effect).await
    }
}

impl<S: Registry> Registry for Shaken<S> {
    async fn entry(
        &self,
        key: &EntryKey,
        now: Timestamp,
    ) -> Result<Option<(Entry, u64)>, StoreError> {
        self.call("entry", self.store.entry(key, now)).await
    }

    async fn put_entry(
        &self,
        entry: Entry,
        expected: Expected<u64>,
        now: Timestamp,
    ) -> Result<Put, StoreError> {
        let effect = self.store.put_entry(entry, expected, now);
        self.call("put_entry", effect).await
    }

    async fn take_entry(
        &self,
        key: &EntryKey,
        now: Timestamp,
    ) -> Result<Option<Entry>, StoreError> {
        let effect = self.store.take_entry(key, now);
        self.call("take_entry", effect).await
    }

    async fn group(
        &self,
        kind: EntryKind,
        group: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        let effect = self.store.group(kind, group, limit, now);
        self.call("group", effect).await
    }

    async fn owned(
        &self,
        kind: EntryKind,
        owner: &str,
        now: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        self.call("owned", self.store.owned(kind, owner, now)).await
    }
}
