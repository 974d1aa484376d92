//! Reconcile: once a day orders are held against the bills of QuickBooks. The bill of a linked order
//! must still be there, and no bill of ours may stand there that nobody knows of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use crate::{
    books::BillSummary,
    eligibility::Ineligible,
    failure::Failure,
    ids::{BillId, OrderId, RealmId, TenantId, TraceId},
    marker::Marker,
    notice::{Code, Notice},
    ports::{
        Change, Committed, Expected, HistoryEvent, Lane, Ledger, Outside, QuickBooks, RecordFilter,
        StoreError,
    },
    protocol::{flag, link_to, note_replaced},
    record::{BillLink, Intent, SentAt, State, StateName, SyncRecord, earlier, later},
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
    /// Orders that are not linked, and for which QuickBooks holds a bill of ours all the same.
    pub stray: Vec<OrderId>,
}

/// What is wrong with the bills of an order that is at its end.
enum Finding {
    /// The linked one was deleted.
    Gone(BillLink),
    /// Beside the linked one these bear its mark, too.
    Twice(BillLink, Vec<BillId>),
    /// It is linked to none of these, which bear its mark.
    Stray(BillLink, Vec<BillId>),
}

impl Finding {
    /// What is told, what becomes of the order, and what its history says. Nothing, when the order is
    /// no longer what was found.
    fn decide(&self, record: &SyncRecord) -> Option<(Notice, State, HistoryEvent)> {
        let notice = |code, bill: &BillLink| {
            Notice::new(code)
                .with("number", bill.written_number())
                .with("order", record.order_number.as_str())
                .with("bill", bill.id.as_str())
        };
        let is_of =
            |bill: &BillLink, held: Option<&BillLink>| held.is_some_and(|held| held.id == bill.id);
        let needs_person = |notice: Notice, bill: &BillLink, intent: Option<&Intent>| {
            let state = State::NeedsPerson {
                notice: notice.clone(),
                intent: intent.cloned(),
                bill: Some(bill.clone()),
            };
            (notice, state, HistoryEvent::NeedsPerson)
        };
        match self {
            Self::Gone(bill) if is_of(bill, linked(record)) => {
                let notice = notice(Code::BillDeleted, bill);
                let state = State::Orphaned { bill: bill.clone() };
                Some((notice, state, HistoryEvent::Orphaned))
            }
            Self::Twice(bill, others) if is_of(bill, held(record)) => {
                let notice = notice(Code::BillTwice, bill).with("others", listed(others));
                // What was sent is still to be held against what was made.
                Some(needs_person(notice, bill, intent(record)))
            }
            Self::Stray(bill, bills) if may_stray(record) || is_asked(record) => {
                let notice = notice(Code::BillStray, bill).with("bills", listed(bills));
                Some(needs_person(notice, bill, None))
            }
            Self::Gone(_) | Self::Twice(..) | Self::Stray(..) => None,
        }
    }
}

const fn linked(record: &SyncRecord) -> Option<&BillLink> {
    match &record.state {
        State::Linked { bill } => Some(bill),
        _ => None,
    }
}

const fn intent(record: &SyncRecord) -> Option<&Intent> {
    match &record.state {
        State::NeedsPerson { intent, .. } => intent.as_ref(),
        _ => None,
    }
}

/// Whether a person is asked about the bill of an order.
fn is_asked(record: &SyncRecord) -> bool {
    held(record).is_some() && linked(record).is_none()
}

/// The bill of an order that is at its end, beside which there must be no other.
fn held(record: &SyncRecord) -> Option<&BillLink> {
    match &record.state {
        State::NeedsPerson {
            notice,
            bill: Some(bill),
            ..
        } => {
            let is_another = matches!(notice.code, Code::OrderAnother | Code::BillStray);
            (!is_another).then_some(bill)
        }
        _ => linked(record),
    }
}

/// The bills between which a person is asked to decide.
pub(super) fn rivals(record: &SyncRecord) -> Option<Vec<BillId>> {
    let State::NeedsPerson { notice, .. } = &record.state else {
        return None;
    };
    let words: &[&str] = match notice.code {
        Code::BillTwice => &["bill", "others"],
        Code::BillStray | Code::SeveralBills => &["bills"],
        _ => return None,
    };
    let words = words.iter().filter_map(|word| notice.words.get(*word));
    let ids = words.flat_map(|ids| ids.split(", "));
    Some(ids.filter_map(|id| id.parse().ok()).collect())
}

fn listed(bills: &[BillId]) -> String {
    let bills: Vec<_> = bills.iter().map(ToString::to_string).collect();
    bills.join(", ")
}

/// Whether an order rests without a bill, so that one of ours is a stray. While it is worked on its
/// bill is looked for in any case, and a person who is asked about other things decides first.
fn may_stray(record: &SyncRecord) -> bool {
    match &record.state {
        State::Refused { .. } | State::Skipped { .. } | State::Orphaned { .. } => true,
        State::NeedsPerson { notice, .. } => notice.code == Code::BillStray,
        State::Queued | State::Planned { .. } | State::Created { .. } | State::Linked { .. } => {
            false
        }
    }
}

impl<P: Ports> Engine<P> {
    /// Flags linked orders whose bill was deleted since the last time, and orders for which another
    /// bill of ours has appeared meanwhile, or one although they have none.
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
            .quickbooks(tenant, Lane::Background)
            .await?;
        let now = self.now();
        let since = since.unwrap_or_else(|| earlier(now, self.policy.reconcile_interval));
        // A clock that ran ahead must not make it pass over what happened meanwhile.
        let since = earlier(since.min(now), self.policy.reconcile_overlap);
        let (gone, standing) = if let Some(changes) = quickbooks.bill_changes(since).await? {
            (Some(changes.gone), changes.standing)
        } else {
            let until = later(now, self.policy.reconcile_overlap);
            (None, quickbooks.bills_created(since, until).await?.bills)
        };
        let here = (tenant, realm);
        let mut found = Reconciled::default();
        if gone.as_ref().is_none_or(|gone| !gone.is_empty()) {
            found.gone = self.flag_gone(&*quickbooks, here, gone, trace).await?;
        }
        self.flag_standing(&*quickbooks, here, (&standing, &mut found), trace)
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
                let finding = Finding::Gone(bill.clone());
                self.flag_found(quickbooks, (tenant, realm), (order, &finding), trace)
                    .await?;
                orders.push(order);
            }
        }
        Ok(orders)
    }

    async fn flag_standing(
        &self,
        quickbooks: &impl QuickBooks,
        (tenant, realm): (&TenantId, &RealmId),
        (standing, found): (&[BillSummary], &mut Reconciled),
        trace: &TraceId,
    ) -> Result<(), Failure> {
        let ours = marked(standing, realm);
        let orders: Vec<OrderId> = ours.keys().copied().collect();
        let mut unread = None;
        for orders in orders.chunks(RECORDS_MAX) {
            let records = self.ports.store().records(tenant, realm, orders).await?;
            for record in records {
                let order = record.key.order;
                let bills = ours.get(&order).map(Vec::as_slice).unwrap_or_default();
                let finding = match judge_standing(quickbooks, &record, bills).await {
                    Ok(Some(finding)) => finding,
                    Ok(None) => continue,
                    // One bill that cannot be read must not hide those of other orders.
                    Err(failure) if failure.code() == Code::QuickBooksFailing => {
                        unread = unread.or(Some(failure));
                        continue;
                    }
                    Err(failure) => return Err(failure),
                };
                self.flag_found(quickbooks, (tenant, realm), (order, &finding), trace)
                    .await?;
                match finding {
                    Finding::Stray(..) => found.stray.push(order),
                    Finding::Gone(_) | Finding::Twice(..) => found.twice.push(order),
                }
            }
        }
        unread.map_or(Ok(()), Err)
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

    /// Writes a finding down, unless the order has gone on since.
    async fn flag_found(
        &self,
        quickbooks: &impl QuickBooks,
        (tenant, realm): (&TenantId, &RealmId),
        (order, finding): (OrderId, &Finding),
        trace: &TraceId,
    ) -> Result<(), StoreError> {
        let store = self.ports.store();
        for _ in 0..TRIES_MAX {
            let Some(mut record) = store.records(tenant, realm, &[order]).await?.pop() else {
                return Ok(());
            };
            let Some((notice, state, event)) = finding.decide(&record) else {
                return Ok(());
            };
            let now = self.now();
            let found_at = SentAt {
                local: now,
                server: quickbooks.server_now(),
            };
            let expected = Expected::Is(record.operation.clone());
            // What stands in Autotask stays: the number of a bill, ERROR, or what a person typed.
            flag(&mut record, &notice, false);
            let before = record.bill().cloned();
            record.state = state;
            note_replaced(&mut record, before.as_ref(), found_at, &self.policy);
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

/// Those of some bills that stand right now and bear the mark of this order.
pub(super) async fn still_standing(
    quickbooks: &impl QuickBooks,
    record: &SyncRecord,
    ids: &[BillId],
) -> Result<Vec<BillSummary>, Failure> {
    let (realm, order) = (&record.key.realm, record.key.order);
    let mut standing = Vec::new();
    for id in ids {
        let bill = quickbooks.bill(id).await?;
        standing.extend(bill.filter(|bill| order_of(bill, realm) == Some(order)));
    }
    Ok(standing)
}

/// What is wrong with bills of ours right now: since they were told a person may have deleted some.
async fn judge_standing(
    quickbooks: &impl QuickBooks,
    record: &SyncRecord,
    bills: &[&BillSummary],
) -> Result<Option<Finding>, Failure> {
    let held = held(record);
    if held.is_none() && !may_stray(record) {
        return Ok(None);
    }
    let mut told = rivals(record).unwrap_or_default();
    told.retain(|id| held.is_none_or(|held| held.id != *id));
    let mut news: Vec<_> = bills.iter().map(|bill| bill.id.clone()).collect();
    news.retain(|id| !told.contains(id) && held.is_none_or(|held| held.id != *id));
    news.sort_unstable();
    news.dedup();
    let news = still_standing(quickbooks, record, &news).await?;
    if news.is_empty() {
        return Ok(None);
    }
    // Whoever was asked about others, which may be older than what is looked at, is asked about all.
    let mut others = still_standing(quickbooks, record, &told).await?;
    others.extend(news);
    if let (State::Skipped { reason }, [only]) = (&record.state, others.as_slice())
        && let Ineligible::HasNumber { number } = reason
        && number == link_to(only, record).written_number()
    {
        // The order names this very bill: only another one under its number is too many.
        let id = only.id.clone();
        let same = quickbooks.bills_numbered(std::slice::from_ref(number));
        let is_ours = |it: &BillSummary| order_of(it, &record.key.realm) == Some(record.key.order);
        let mut same = same.await?;
        same.retain(|bill| bill.id != id && is_ours(bill));
        if same.is_empty() {
            return Ok(None);
        }
        others.extend(same);
    }
    let ids = others.iter().map(|bill| bill.id.clone()).collect();
    if let Some(held) = held {
        if quickbooks.bill(&held.id).await?.is_some() {
            return Ok(Some(Finding::Twice(held.clone(), ids)));
        }
        if !is_asked(record) {
            // A linked one that is gone is found as such.
            return Ok(None);
        }
    }
    let stray = |first| Finding::Stray(link_to(first, record), ids);
    Ok(others.first().map(stray))
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
