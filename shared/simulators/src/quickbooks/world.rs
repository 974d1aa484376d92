//! One company: its objects, its indexes and what has changed since the last commit.
//!
//! The world knows how objects are stored and found; whether a write is allowed is decided by the
//! rule modules before they call [`World::put`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    kind::Kind,
    profile::{Profile, currency_name},
    refusal::Refusal,
    value::{meta_time, reference, text},
};

/// One stored object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) id: u64,
    pub(super) sync: u64,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) deleted: bool,
    /// The business members, without identity, version and times.
    pub(super) body: Map<String, Value>,
}

impl Record {
    pub(super) fn is_active(&self) -> bool {
        self.body.get("Active") != Some(&Value::Bool(false))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        text(&self.body, name)
    }

    pub(super) fn reference(&self, name: &str) -> Option<&str> {
        reference(&self.body, name)
    }

    /// The name by which other objects mention this one.
    fn shown_name(&self) -> Option<&str> {
        match self.kind {
            Kind::Vendor | Kind::Customer | Kind::Employee => self.text("DisplayName"),
            Kind::Item | Kind::Account | Kind::Class | Kind::Department => self
                .text("FullyQualifiedName")
                .or_else(|| self.text("Name")),
            _ => self.text("Name"),
        }
    }
}

/// An answer kept for a request id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Replay {
    pub(super) committed: Timestamp,
    pub(super) status: u16,
    pub(super) body: String,
}

/// What must be written to the store before the answer leaves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dirty {
    Profile,
    Record(Kind, u64),
    Replay(String),
}

/// One company.
#[derive(Debug)]
pub(super) struct World {
    pub(super) profile: Profile,
    pub(super) replays: BTreeMap<String, Replay>,
    pub(super) dirty: BTreeSet<Dirty>,
    records: BTreeMap<Kind, BTreeMap<u64, Record>>,
    ids: BTreeMap<u8, u64>,
    names: BTreeMap<String, (Kind, u64)>,
    items: BTreeMap<String, u64>,
    numbers: BTreeMap<String, BTreeSet<u64>>,
}

/// Upper and lower case, outer blanks and repeated blanks make no difference between names.
pub(super) fn name_key(name: &str) -> String {
    name.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

impl World {
    pub(super) fn new(profile: Profile) -> Self {
        Self {
            profile,
            replays: BTreeMap::new(),
            dirty: BTreeSet::from([Dirty::Profile]),
            records: BTreeMap::new(),
            ids: BTreeMap::new(),
            names: BTreeMap::new(),
            items: BTreeMap::new(),
            numbers: BTreeMap::new(),
        }
    }

    pub(super) fn next_id(&mut self, kind: Kind) -> u64 {
        let last = self.ids.entry(kind.family()).or_insert(0);
        *last += 1;
        *last
    }

    /// The objects of `kind`, deleted ones included.
    pub(super) fn all(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Record> {
        self.records
            .get(&kind)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// The objects of `kind` that are not deleted.
    pub(super) fn live(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Record> {
        self.all(kind).filter(|record| !record.deleted)
    }

    pub(super) fn get(&self, kind: Kind, id: &str) -> Option<&Record> {
        let id: u64 = id.parse().ok()?;
        self.records
            .get(&kind)?
            .get(&id)
            .filter(|record| !record.deleted)
    }

    /// The object with an id, deleted or not.
    pub(super) fn record(&self, kind: Kind, id: u64) -> Option<&Record> {
        self.records.get(&kind)?.get(&id)
    }

    /// The active object a reference names, or the refusal the service gives.
    pub(super) fn referenced(&self, kind: Kind, id: &str) -> Result<&Record, Refusal> {
        let record = self
            .get(kind, id)
            .ok_or_else(|| Refusal::bad_reference(kind.reference_family(), id))?;
        if record.is_active() {
            Ok(record)
        } else {
            Err(Refusal::not_found())
        }
    }

    /// Makes a new object.
    pub(super) fn add(&mut self, kind: Kind, body: Map<String, Value>, now: Timestamp) -> u64 {
        let id = self.next_id(kind);
        self.put(Record {
            kind,
            id,
            sync: 0,
            created: now,
            updated: now,
            deleted: false,
            body,
        });
        id
    }

    /// Gives an object a new body and the next version.
    pub(super) fn change(&mut self, kind: Kind, id: u64, body: Map<String, Value>, now: Timestamp) {
        if let Some(old) = self.records.get(&kind).and_then(|records| records.get(&id)) {
            let record = Record {
                sync: old.sync + 1,
                updated: now,
                body,
                ..old.clone()
            };
            self.put(record);
        }
    }

    pub(super) fn delete(&mut self, kind: Kind, id: u64, now: Timestamp) {
        if let Some(old) = self.records.get(&kind).and_then(|records| records.get(&id)) {
            let record = Record {
                sync: old.sync + 1,
                updated: now,
                deleted: true,
                ..old.clone()
            };
            self.put(record);
        }
    }

    /// Stores a record and keeps the indexes in step.
    pub(super) fn put(&mut self, record: Record) {
        let (kind, id) = (record.kind, record.id);
        let last = self.ids.entry(kind.family()).or_insert(0);
        *last = id.max(*last);
        if let Some(old) = self.records.get(&kind).and_then(|records| records.get(&id)) {
            let old = old.clone();
            self.unindex(&old);
        }
        self.index(&record);
        self.dirty.insert(Dirty::Record(kind, id));
        self.records.entry(kind).or_default().insert(id, record);
    }

    fn index(&mut self, record: &Record) {
        if record.deleted {
            return;
        }
        let id = record.id;
        if record.kind == Kind::Bill {
            if let Some(number) = record.text("DocNumber") {
                self.numbers
                    .entry(number.to_lowercase())
                    .or_default()
                    .insert(id);
            }
        } else if record.is_active() && record.kind.is_person() {
            if let Some(name) = record.text("DisplayName") {
                self.names.insert(name_key(name), (record.kind, id));
            }
        } else if record.is_active()
            && record.kind == Kind::Item
            && let Some(name) = record.text("FullyQualifiedName")
        {
            self.items.insert(name_key(name), id);
        }
    }

    fn unindex(&mut self, record: &Record) {
        let id = record.id;
        if let Some(number) = record.text("DocNumber").map(str::to_lowercase)
            && let Some(ids) = self.numbers.get_mut(&number)
            && record.kind == Kind::Bill
        {
            ids.remove(&id);
        }
        if let Some(key) = record.text("DisplayName").map(name_key)
            && self.names.get(&key) == Some(&(record.kind, id))
        {
            self.names.remove(&key);
        }
        if let Some(key) = record.text("FullyQualifiedName").map(name_key)
            && record.kind == Kind::Item
            && self.items.get(&key) == Some(&id)
        {
            self.items.remove(&key);
        }
    }

    /// Who holds a name among vendors, customers and employees.
    pub(super) fn name_holder(&self, name: &str) -> Option<(Kind, u64)> {
        self.names.get(&name_key(name)).copied()
    }

    /// The active item with a fully qualified name.
    pub(super) fn item_named(&self, name: &str) -> Option<u64> {
        self.items.get(&name_key(name)).copied()
    }

    /// The live bills that carry a document number.
    pub(super) fn bills_numbered(&self, number: &str) -> impl Iterator<Item = &Record> {
        let ids = self.numbers.get(&number.to_lowercase());
        let bills = self.records.get(&Kind::Bill);
        ids.into_iter()
            .flatten()
            .filter_map(move |id| bills.and_then(|bills| bills.get(id)))
    }

    /// The accounts payable accounts of a currency.
    pub(super) fn payable_accounts(&self, currency: &str) -> Vec<&Record> {
        self.live(Kind::Account)
            .filter(|account| account.is_active())
            .filter(|account| account.text("AccountType") == Some("Accounts Payable"))
            .filter(|account| self.currency_of(account) == currency)
            .collect()
    }

    /// The currency of an account or name: its own, or the company's.
    pub(super) fn currency_of<'a>(&'a self, record: &'a Record) -> &'a str {
        record
            .reference("CurrencyRef")
            .unwrap_or_else(|| self.profile.home_currency())
    }

    /// The object as the service shows it.
    pub(super) fn render(&self, record: &Record) -> Value {
        let mut body = record.body.clone();
        self.decorate(record.kind, &mut body);
        body.remove("PurchaseRate");
        body.insert("domain".to_owned(), json!("QBO"));
        body.insert("sparse".to_owned(), json!(false));
        body.insert("Id".to_owned(), json!(record.id.to_string()));
        body.insert("SyncToken".to_owned(), json!(record.sync.to_string()));
        let times = json!({
            "CreateTime": meta_time(record.created),
            "LastUpdatedTime": meta_time(record.updated),
        });
        body.insert("MetaData".to_owned(), times);
        Value::Object(body)
    }

    /// Writes the present names into every reference.
    fn decorate(&self, kind: Kind, body: &mut Map<String, Value>) {
        for (member, value) in body.iter_mut() {
            match value {
                Value::Array(list) => {
                    for element in list.iter_mut().filter_map(Value::as_object_mut) {
                        self.decorate(kind, element);
                    }
                }
                Value::Object(object) if member.ends_with("Ref") => {
                    self.name_reference(kind, member, object);
                }
                Value::Object(object) => self.decorate(kind, object),
                _ => {}
            }
        }
    }

    fn name_reference(&self, kind: Kind, member: &str, reference: &mut Map<String, Value>) {
        let Some(id) = text(reference, "value").map(str::to_owned) else {
            return;
        };
        let name = match member {
            "CurrencyRef" => Some(currency_name(&id).to_owned()),
            "VendorRef" | "PrefVendorRef" => self.name_of(Kind::Vendor, &id),
            "CustomerRef" => self.name_of(Kind::Customer, &id),
            "ItemRef" => self.name_of(Kind::Item, &id),
            "ClassRef" => self.name_of(Kind::Class, &id),
            "DepartmentRef" => self.name_of(Kind::Department, &id),
            "ParentRef" => self.name_of(kind, &id),
            _ if member.ends_with("AccountRef") => self.name_of(Kind::Account, &id),
            _ => None,
        };
        reference.remove("name");
        if let Some(name) = name {
            reference.insert("name".to_owned(), Value::String(name));
        }
    }

    fn name_of(&self, kind: Kind, id: &str) -> Option<String> {
        self.get(kind, id)
            .and_then(Record::shown_name)
            .map(str::to_owned)
    }
}
