//! Reconcile: once a day every linked order is held against the bills of QuickBooks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use crate::{
    books::BillSummary,
    failure::Failure,
    ids::{BillId, OrderId, RealmId, TenantId, TraceId},
    marker::Marker,
    notice::{Code, Notice},
    ports::{
        Change, Committed, Expected, HistoryEvent, Lane, Ledger, Outside, QuickBooks, RecordFilter,
        StoreError,
    },
    protocol::flag,
    record::{BillLink, State, StateName, SyncRecord, earlier, later},
};

use super::{Engine, Ports, attempt::entry};

/// The most bills one reconciliation reads one by one, when changes cannot be asked for.
const VERIFY_MAX: usize = 200;
/// The most records read at once.
const RECORDS_MAX: usize = 100;
/// How often a finding is written when other writes get in between.
const TRIES_MAX: u32 = 5;

/// What a reconciliation found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Orders whose bill was deleted.
    pub gone: Vec<OrderId>,
    /// Orders for which QuickBooks holds another bill of ours beside the linked one.
    pub twice: Vec<OrderId>,
}

/// What is wrong with the bill of a linked order.
enum Finding {
    Gone,
    /// These bills bear its mark, too.
    Others(Vec<BillId>),
}

impl Finding {
    /// What is told, what becomes of the order, and what its history says.
    fn decide(&self, record: &SyncRecord, bill: BillLink) -> (Notice, State, HistoryEvent) {
        let notice = |code| {
            Notice::new(code)
                .with("number", bill.written_number())
                .with("order", record.order_number.as_str())
        };
        match self {
            Self::Gone => {
                let notice = notice(Code::BillDeleted);
                (notice, State::Orphaned { bill }, HistoryEvent::Orphaned)
            }
            Self::Others(others) => {
                let others: Vec<_> = others.iter().map(ToString::to_string).collect();
                let notice = notice(Code::BillTwice)
                    .with("bill", bill.id.as_str())
                    .with("others", others.join(", "));
                let state = State::NeedsPerson {
                    notice: notice.clone(),
                    intent: None,
                    bill: Some(bill),
                };
                (notice, state, HistoryEvent::NeedsPerson)
            }
        }
    }
}

impl<P: Ports> Engine<P> {
    /// Flags linked orders whose bill was deleted since the last time, and those for which another
    /// bill of ours has appeared meanwhile.
    pub async fn reconcile(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        since: Option<Timestamp>,
        trace: &TraceId,
    ) -> Result<Reconciled, Failure> {
        let quickbooks = self
            .ports
            .outside()
            .quickbooks(tenant, Lane::Person)
            .await?;
        let since = since.unwrap_or_else(|| earlier(self.now(), self.policy.reconcile_interval));
        let since = earlier(since, self.policy.reconcile_overlap);
        let changes = quickbooks.changes(since).await?;
        let (gone, standing) = if let Some((changes, _)) = changes {
            (Some(changes.bills_gone), changes.bills)
        } else {
            let until = later(self.now(), self.policy.reconcile_overlap);
            (None, quickbooks.bills_created(since, until).await?.bills)
        };
        let here = (tenant, realm);
        let mut found = Reconciled::default();
        if gone.as_ref().is_none_or(|gone| !gone.is_empty()) {
            found.gone = self.flag_gone(&*quickbooks, here, gone, trace).await?;
        }
        found.twice = self
            .flag_twice(&*quickbooks, here, &standing, trace)
            .await?;
        Ok(found)
    }

    async fn flag_gone(
        &self,
        quickbooks: &impl QuickBooks,
        (tenant, realm): (&TenantId, &RealmId),
        gone: Option<Vec<BillId>>,
        trace: &TraceId,
    ) -> Result<Vec<OrderId>, Failure> {
        let linked = self.linked(tenant, realm).await?;
        let gone = match gone {
            Some(gone) => gone,
            None => verify_each(quickbooks, &linked).await?,
        };
        let mut orders = Vec::new();
        for record in &linked {
            if let Some(bill) = record.bill().filter(|bill| gone.contains(&bill.id)) {
                let order = record.key.order;
                self.flag_linked((tenant, realm), order, &bill.id, &Finding::Gone, trace)
                    .await?;
                orders.push(order);
            }
        }
        Ok(orders)
    }

    async fn flag_twice(
        &self,
        quickbooks: &impl QuickBooks,
        (tenant, realm): (&TenantId, &RealmId),
        standing: &[BillSummary],
        trace: &TraceId,
    ) -> Result<Vec<OrderId>, Failure> {
        let ours = marked(standing, realm);
        let orders: Vec<OrderId> = ours.keys().copied().collect();
        let mut flagged = Vec::new();
        for orders in orders.chunks(RECORDS_MAX) {
            let records = self.ports.store().records(tenant, realm, orders).await?;
            for record in records {
                let (State::Linked { bill }, order) = (&record.state, record.key.order) else {
                    continue;
                };
                let bills = ours.get(&order).map(Vec::as_slice).unwrap_or_default();
                let others = others(quickbooks, bill, bills, (realm, order)).await?;
                if !others.is_empty() {
                    let finding = Finding::Others(others);
                    self.flag_linked((tenant, realm), order, &bill.id, &finding, trace)
                        .await?;
                    flagged.push(order);
                }
            }
        }
        Ok(flagged)
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

    /// Writes a finding down, unless the order is no longer linked to this bill.
    async fn flag_linked(
        &self,
        (tenant, realm): (&TenantId, &RealmId),
        order: OrderId,
        linked: &BillId,
        finding: &Finding,
        trace: &TraceId,
    ) -> Result<(), StoreError> {
        let store = self.ports.store();
        for _ in 0..TRIES_MAX {
            let now = self.now();
            let Some(mut record) = store.records(tenant, realm, &[order]).await?.pop() else {
                return Ok(());
            };
            let bill = match &record.state {
                State::Linked { bill } if bill.id == *linked => bill.clone(),
                _ => return Ok(()),
            };
            let expected = Expected::Is(record.operation.clone());
            let (notice, state, event) = finding.decide(&record, bill);
            // The number in Autotask is right: ERROR must not take its place.
            flag(&mut record, &notice, false);
            record.state = state;
            record.fence += 1;
            record.lease = None;
            record.wait = None;
            record.operation = self.operation();
            record.updated_at = now;
            let detail = json!({ "code": notice.code });
            let line = entry(now, order, event, notice.text(), detail);
            let change = Change {
                due_at: record.due_at(&self.policy),
                record,
                expected,
                history: vec![line.traced(Some(trace))],
                mails: Vec::new(),
            };
            if let Some(Committed::Done) = store.commit(vec![change]).await?.pop() {
                return Ok(());
            }
        }
        Err(StoreError::Unavailable(
            "the record is written by too many at once".to_owned(),
        ))
    }
}

/// The bills that bear our mark, by the order that it names.
fn marked<'a>(
    bills: &'a [BillSummary],
    realm: &RealmId,
) -> BTreeMap<OrderId, Vec<&'a BillSummary>> {
    let mut ours = BTreeMap::<_, Vec<_>>::new();
    for bill in bills {
        if let Some(order) = order_of(bill, realm) {
            ours.entry(order).or_default().push(bill);
        }
    }
    ours
}

fn order_of(bill: &BillSummary, realm: &RealmId) -> Option<OrderId> {
    let marker = Marker::find(bill.note.as_deref()?, realm)?;
    Some(marker.order)
}

/// Which of the bills of an order stand beside the linked one right now: since they were told a
/// person may have deleted either.
async fn others(
    quickbooks: &impl QuickBooks,
    linked: &BillLink,
    bills: &[&BillSummary],
    (realm, order): (&RealmId, OrderId),
) -> Result<Vec<BillId>, Failure> {
    let mut others = Vec::new();
    for bill in bills.iter().filter(|bill| bill.id != linked.id) {
        let now = quickbooks.bill(&bill.id).await?;
        let is_ours = now.is_some_and(|bill| order_of(&bill, realm) == Some(order));
        if is_ours && !others.contains(&bill.id) {
            others.push(bill.id.clone());
        }
    }
    if !others.is_empty() && quickbooks.bill(&linked.id).await?.is_none() {
        others.clear();
    }
    Ok(others)
}

async fn verify_each(
    quickbooks: &impl QuickBooks,
    linked: &[SyncRecord],
) -> Result<Vec<BillId>, Failure> {
    let mut gone = Vec::new();
    for record in linked.iter().take(VERIFY_MAX) {
        let Some(bill) = record.bill() else { continue };
        if quickbooks.bill(&bill.id).await?.is_none() {
            gone.push(bill.id.clone());
        }
    }
    Ok(gone)
}
