//! Looking into a company from outside the API, without being counted.

use serde_json::{Value, json};

use super::{
    QuickBooksSimulator,
    kind::Kind,
    traffic::Traffic,
    world::{Record, World},
};

fn with_memo<'w>(world: &'w World, part: &str) -> impl Iterator<Item = &'w Record> {
    let has_part = move |memo: &str| memo.contains(part);
    let bills = world.live(Kind::Bill);
    bills.filter(move |bill| bill.text("PrivateNote").is_some_and(has_part))
}

impl QuickBooksSimulator {
    /// The realm ids.
    pub fn realms(&self) -> Vec<String> {
        self.inner.lock().companies.keys().cloned().collect()
    }

    /// Every bill that is not deleted, oldest first, as the API shows it.
    pub fn live_bills(&self, realm: &str) -> Vec<Value> {
        self.objects(realm, Kind::Bill)
    }

    /// Every bill that is not deleted and has this in its memo, oldest first.
    pub fn live_bills_with_memo(&self, realm: &str, part: &str) -> Vec<Value> {
        self.look(realm, |world| {
            with_memo(world, part)
                .map(|bill| world.render(bill))
                .collect::<Vec<_>>()
        })
        .unwrap_or_default()
    }

    /// Whether there is such a bill.
    pub fn has_live_bill_with_memo(&self, realm: &str, part: &str) -> bool {
        self.look(realm, |world| with_memo(world, part).next().is_some())
            .unwrap_or_default()
    }

    /// One bill, unless it is deleted.
    pub fn bill(&self, realm: &str, id: &str) -> Option<Value> {
        self.object(realm, Kind::Bill, id)
    }

    /// Every vendor, the inactive ones too.
    pub fn vendors(&self, realm: &str) -> Vec<Value> {
        self.objects(realm, Kind::Vendor)
    }

    /// Every customer, the inactive ones too.
    pub fn customers(&self, realm: &str) -> Vec<Value> {
        self.objects(realm, Kind::Customer)
    }

    /// Every item, the inactive ones too.
    pub fn items(&self, realm: &str) -> Vec<Value> {
        self.objects(realm, Kind::Item)
    }

    /// Every object of a kind that is not deleted.
    pub fn objects(&self, realm: &str, kind: Kind) -> Vec<Value> {
        self.look(realm, |world| {
            world
                .live(kind)
                .map(|record| world.render(record))
                .collect::<Vec<_>>()
        })
        .unwrap_or_default()
    }

    /// One object, unless it is deleted.
    pub fn object(&self, realm: &str, kind: Kind, id: &str) -> Option<Value> {
        self.look(realm, |world| {
            world.get(kind, id).map(|record| world.render(record))
        })
        .flatten()
    }

    /// How many bills were ever made, deleted ones included.
    pub fn bills_ever(&self, realm: &str) -> usize {
        self.look(realm, |world| world.all(Kind::Bill).count())
            .unwrap_or_default()
    }

    /// The id of the only accounts payable account of a currency.
    pub fn payable_account(&self, realm: &str, currency: &str) -> Option<String> {
        self.look(realm, |world| {
            match world.payable_accounts(currency).as_slice() {
                [account] => Some(account.id.to_string()),
                _ => None,
            }
        })
        .flatten()
    }

    /// Reads, writes and refusals of a company so far.
    pub fn traffic(&self, realm: &str) -> Traffic {
        let state = self.inner.lock();
        state
            .companies
            .get(realm)
            .map(|company| company.meter.traffic)
            .unwrap_or_default()
    }

    fn look<T>(&self, realm: &str, look: impl FnOnce(&World) -> T) -> Option<T> {
        let now = self.inner.context.clock.now();
        let mut state = self.inner.lock();
        state.settle(now);
        // A late commit that cannot be stored now is tried again with the next answer.
        let _ = state.save(&self.inner.context.store);
        state
            .companies
            .get(realm)
            .map(|company| look(&company.world))
    }

    /// All companies with what tests check at the end.
    pub(super) fn audit(&self) -> Value {
        let mut audit = serde_json::Map::new();
        for realm in self.realms() {
            let view = json!({
                "bills": self.live_bills(&realm),
                "bills_ever": self.bills_ever(&realm),
                "vendors": self.vendors(&realm),
                "customers": self.customers(&realm),
                "items": self.items(&realm),
                "traffic": self.traffic(&realm),
            });
            audit.insert(realm, view);
        }
        Value::Object(audit)
    }
}
