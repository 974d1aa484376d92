//! Reference data by id and by the names it is looked up by.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, TermId},
    text::match_key,
};

use super::{Account, Changed, Changes, Company, Customer, Item, TaxCode, Term, Vendor};

/// The reference data of one realm, indexed by the names it is looked up by.
#[derive(Clone, Debug)]
pub struct Books {
    company: Company,
    vendors: NameIndex<Vendor>,
    customers: NameIndex<Customer>,
    items: NameIndex<Item>,
    accounts: HashMap<AccountId, Account>,
    terms: HashMap<TermId, Term>,
    tax_codes: Vec<TaxCode>,
    /// Changes up to this moment (QuickBooks' clock) are in here.
    pub as_of: Timestamp,
}

/// Everything a fresh [`Books`] is built from.
#[derive(Clone, Debug)]
pub struct BooksContent {
    /// The realm's set-up.
    pub company: Company,
    /// All vendors, inactive ones included.
    pub vendors: Vec<Vendor>,
    /// All customers, inactive ones included.
    pub customers: Vec<Customer>,
    /// All Items, inactive ones included.
    pub items: Vec<Item>,
    /// All accounts, inactive ones included.
    pub accounts: Vec<Account>,
    /// All terms.
    pub terms: Vec<Term>,
    /// All tax codes.
    pub tax_codes: Vec<TaxCode>,
    /// When reading began, by QuickBooks' clock.
    pub as_of: Timestamp,
}

/// A record that is found by one of several names.
pub trait Named: Clone {
    /// Its id, as text.
    fn id_text(&self) -> &str;
    /// The names it answers to, each with the field it stands in.
    fn names(&self) -> Vec<(NameField, &str)>;
}

/// The field a name was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NameField {
    /// `DisplayName` of a vendor or customer, `Name` of an Item.
    Name,
    /// `CompanyName`.
    CompanyName,
    /// `Sku` of an Item.
    Sku,
}

impl Named for Vendor {
    fn id_text(&self) -> &str {
        self.id.as_str()
    }

    fn names(&self) -> Vec<(NameField, &str)> {
        party_names(&self.display_name, self.company_name.as_deref())
    }
}

impl Named for Customer {
    fn id_text(&self) -> &str {
        self.id.as_str()
    }

    fn names(&self) -> Vec<(NameField, &str)> {
        party_names(&self.display_name, self.company_name.as_deref())
    }
}

impl Named for Item {
    fn id_text(&self) -> &str {
        self.id.as_str()
    }

    fn names(&self) -> Vec<(NameField, &str)> {
        let mut names = vec![(NameField::Name, self.name.as_str())];
        if self.full_name != self.name {
            names.push((NameField::Name, self.full_name.as_str()));
        }
        names.extend(self.sku.as_deref().map(|sku| (NameField::Sku, sku)));
        names
    }
}

fn party_names<'a>(display: &'a str, company: Option<&'a str>) -> Vec<(NameField, &'a str)> {
    let mut names = vec![(NameField::Name, display)];
    names.extend(company.map(|company| (NameField::CompanyName, company)));
    names
}

/// Records by id and by the match key of each of their names.
#[derive(Clone, Debug)]
pub struct NameIndex<T> {
    by_id: HashMap<String, T>,
    ids_by_key: HashMap<(NameField, String), Vec<String>>,
}

impl<T: Named> NameIndex<T> {
    fn new(records: Vec<T>) -> Self {
        let mut index = Self {
            by_id: HashMap::new(),
            ids_by_key: HashMap::new(),
        };
        for record in records {
            index.put(record);
        }
        index
    }

    fn put(&mut self, record: T) {
        self.remove(record.id_text().to_owned().as_str());
        for (field, name) in record.names() {
            let ids = self.ids_by_key.entry((field, match_key(name))).or_default();
            if !ids.iter().any(|id| id == record.id_text()) {
                ids.push(record.id_text().to_owned());
            }
        }
        self.by_id.insert(record.id_text().to_owned(), record);
    }

    fn remove(&mut self, id: &str) {
        let Some(old) = self.by_id.remove(id) else {
            return;
        };
        for (field, name) in old.names() {
            if let Some(ids) = self.ids_by_key.get_mut(&(field, match_key(name))) {
                ids.retain(|other| other != id);
            }
        }
    }

    /// The record with this id.
    pub fn get(&self, id: &str) -> Option<&T> {
        self.by_id.get(id)
    }

    /// Every record that answers to `name` in `field`.
    pub fn named(&self, field: NameField, name: &str) -> Vec<&T> {
        let ids = self.ids_by_key.get(&(field, match_key(name)));
        ids.into_iter()
            .flatten()
            .filter_map(|id| self.by_id.get(id))
            .collect()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl Books {
    /// Indexes freshly read reference data.
    pub fn new(content: BooksContent) -> Self {
        Self {
            company: content.company,
            vendors: NameIndex::new(content.vendors),
            customers: NameIndex::new(content.customers),
            items: NameIndex::new(content.items),
            accounts: content
                .accounts
                .into_iter()
                .map(|a| (a.id.clone(), a))
                .collect(),
            terms: content
                .terms
                .into_iter()
                .map(|t| (t.id.clone(), t))
                .collect(),
            tax_codes: content.tax_codes,
            as_of: content.as_of,
        }
    }

    /// Takes in what changed up to `as_of` (QuickBooks' clock).
    pub fn apply(&mut self, changes: Changes, as_of: Timestamp) {
        apply_all(&mut self.vendors, changes.vendors);
        apply_all(&mut self.customers, changes.customers);
        apply_all(&mut self.items, changes.items);
        for change in changes.accounts {
            match change {
                Changed::Now(account) => drop(self.accounts.insert(account.id.clone(), account)),
                Changed::Gone(id) => drop(self.accounts.remove(&id)),
            }
        }
        for change in changes.terms {
            match change {
                Changed::Now(term) => drop(self.terms.insert(term.id.clone(), term)),
                Changed::Gone(id) => drop(self.terms.remove(&id)),
            }
        }
        self.as_of = as_of;
    }

    /// Remembers a vendor that was just created or read.
    pub fn learn_vendor(&mut self, vendor: Vendor) {
        self.vendors.put(vendor);
    }

    /// Remembers a customer that was just created or read.
    pub fn learn_customer(&mut self, customer: Customer) {
        self.customers.put(customer);
    }

    /// Remembers an Item that was just created or read.
    pub fn learn_item(&mut self, item: Item) {
        self.items.put(item);
    }

    /// The realm's set-up.
    pub const fn company(&self) -> &Company {
        &self.company
    }

    /// Its vendors.
    pub const fn vendors(&self) -> &NameIndex<Vendor> {
        &self.vendors
    }

    /// Its customers.
    pub const fn customers(&self) -> &NameIndex<Customer> {
        &self.customers
    }

    /// Its Items.
    pub const fn items(&self) -> &NameIndex<Item> {
        &self.items
    }

    /// One account.
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> Vec<&Account> {
        let mut all: Vec<_> = self.accounts.values().collect();
        all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        all
    }

    /// The active term whose name matches `name`, when there is exactly one.
    pub fn term_named(&self, name: &str) -> Option<&Term> {
        let key = match_key(name);
        let mut found = self
            .terms
            .values()
            .filter(|t| t.active && match_key(&t.name) == key);
        found.next().filter(|_| found.next().is_none())
    }

    /// All tax codes.
    pub fn tax_codes(&self) -> &[TaxCode] {
        &self.tax_codes
    }
}

fn apply_all<T: Named, I: ToString>(index: &mut NameIndex<T>, changes: Vec<Changed<T, I>>) {
    for change in changes {
        match change {
            Changed::Now(record) => index.put(record),
            Changed::Gone(id) => index.remove(&id.to_string()),
        }
    }
}
