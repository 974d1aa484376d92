//! Calls to the ledger that are about orders.

use purser_core::{
    eligibility::Ineligible,
    ids::{OrderId, RealmId},
    notice::{Code, Notice},
    ports::{Committed, Expected, HistoryEvent, Ledger, RecordFilter},
    record::{State, StateName, SyncRecord, Wait},
};

use super::{Caller, TenantId};
use crate::contract::sample::{at, change, entry, in_state, mail, operation, record_of};

impl<S: Ledger> Caller<S> {
    /// Each order belongs to one realm: lists do not say which of two comes first.
    fn realm(order: i64) -> RealmId {
        let realm = if order % 3 == 0 { "77" } else { "9130" };
        realm.parse().unwrap()
    }

    fn record(&mut self, tenant: &TenantId, order: i64) -> SyncRecord {
        self.names += 1;
        let name = format!("operation-{}", self.names);
        let dice = &mut self.dice;
        let mut record = record_of(tenant, order, &name);
        record.key.realm = Self::realm(order);
        record.fence = dice.roll(4);
        record.updated_at = at(dice.number(20));
        record.vendor_name = dice.some(|dice| dice.pick(&["Łódź".to_owned(), "Cobalt".to_owned()]));
        let notice = Notice::new(dice.pick(&[Code::StoreBusy, Code::ItemMissing]));
        record.wait = dice.some(|dice| Wait {
            notice: notice.clone(),
            not_before: at(9),
            attempts: 1,
            since: at(dice.number(20)),
            counted_seconds: 0,
        });
        let skipped = State::Skipped {
            reason: Ineligible::Gone,
        };
        let states = [State::Queued, State::Refused { notice }, skipped];
        in_state(&record, dice.pick(&states))
    }

    pub(super) async fn commit(&mut self) {
        let mut changes = Vec::new();
        for _ in 0..=self.dice.roll(3) {
            let (tenant, order) = (self.tenant(), 1 + self.dice.number(8));
            let known = self.operations.entry((tenant.clone(), order)).or_default();
            let expected = match (self.dice.roll(8), known.last()) {
                (0, _) => Expected::Any,
                (1, _) | (_, None) => Expected::Absent,
                (2, Some(_)) => Expected::Is(operation(&self.dice.pick(known))),
                (_, Some(last)) => Expected::Is(operation(last)),
            };
            let mut change = change(self.record(&tenant, order), expected);
            change.due_at = self.dice.some(|dice| at(dice.number(20)));
            for _ in 0..self.dice.roll(3) {
                let seconds = self.dice.number(20);
                change
                    .history
                    .push(entry(order, seconds, HistoryEvent::Sent));
            }
            if self.dice.hits(4) {
                let subject = change.record.operation.to_string();
                change.mails.push(mail(&tenant, &subject));
            }
            changes.push(change);
        }
        // Now and then an earlier change is made again, as after an answer that was lost.
        if self.dice.hits(4) {
            changes.extend(self.last.take());
        }
        self.last = changes.first().cloned();
        if self
            .last
            .as_ref()
            .is_some_and(|it| it.expected == Expected::Any)
        {
            self.last = None;
        }
        let written: Vec<_> = changes.iter().map(|it| it.record.clone()).collect();
        let outcomes = self.store.commit(changes).await.unwrap();
        for (record, outcome) in written.into_iter().zip(&outcomes) {
            if *outcome == Committed::Done {
                let key = (record.key.tenant, record.key.order.get());
                let known = self.operations.entry(key).or_default();
                known.push(record.operation.to_string());
            }
        }
        self.note("commit", outcomes);
    }

    fn filter(&mut self) -> RecordFilter {
        let dice = &mut self.dice;
        let states = [StateName::Queued, StateName::Refused, StateName::Skipped];
        let texts = ["łódź", "PO-3", "item.missing", "%"].map(str::to_owned);
        RecordFilter {
            states: dice.some(|dice| dice.pick(&states)).into_iter().collect(),
            waiting: dice.hits(4),
            orders: dice
                .some(|dice| OrderId::new(dice.number(9)))
                .into_iter()
                .collect(),
            vendor: dice.some(|_| "Cobalt".to_owned()),
            code: dice.some(|_| Code::ItemMissing.as_str().to_owned()),
            text: dice.some(|dice| dice.pick(&texts)),
            since: dice.some(|dice| at(dice.number(20))),
            until: dice.some(|dice| at(dice.number(20))),
            before: dice.some(|dice| (at(dice.number(20)), OrderId::new(dice.number(9)))),
            limit: u32::try_from(dice.roll(6)).unwrap(),
        }
    }

    pub(super) async fn list(&mut self) {
        let (tenant, filter) = (self.tenant(), self.filter());
        let listed = self.store.list(&tenant, &filter).await.unwrap();
        self.note("list", (&filter, listed));
        let count = self.store.count(&tenant, &filter).await.unwrap();
        self.note("count", count);
    }

    pub(super) async fn due(&mut self) {
        let (tenant, realm) = (self.tenant(), Self::realm(self.dice.number(9)));
        let (now, limit) = (at(self.dice.number(25)), u32::try_from(self.dice.roll(5)));
        let due = self.store.due(&tenant, &realm, now, limit.unwrap()).await;
        self.note("due", due.unwrap());
        let next = self.store.next_due(&tenant, &realm).await.unwrap();
        self.note("next due", next);
        let orders: Vec<_> = (1..=9).map(OrderId::new).collect();
        let records = self.store.records(&tenant, &realm, &orders).await;
        self.note("records", records.unwrap());
    }

    pub(super) async fn count(&mut self) {
        let tenant = self.tenant();
        let counts = self.store.counts(&tenant).await.unwrap();
        self.note("counts", counts);
        let mut bounds: Vec<_> = (0..4).map(|_| at(self.dice.number(22))).collect();
        bounds.sort_unstable();
        let spans = self.store.counts_between(&tenant, &bounds).await;
        self.note("counts between", spans.unwrap());
        let open = self.store.oldest_open(&tenant).await.unwrap();
        self.note("oldest open", open.map(|(_, since)| since));
        let order = OrderId::new(self.dice.number(9));
        let story = self.store.history(&tenant, order).await.unwrap();
        self.note("history", story);
    }
}
