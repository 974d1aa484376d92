//! What QuickBooks tells us: the realm, its names and accounts, and its bills.

use std::collections::HashMap;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, BillId, CustomerId, ItemId, TaxCodeId, TermId, VendorId},
    money::{Currency, Money},
    text::{Alphabet, match_key},
};

/// One QuickBooks company file as its owner set it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {
    /// Its name.
    pub name: String,
    /// Its country, as QuickBooks writes it (`US`, `USA`, `GB`, ...).
    pub country: String,
    /// Its home currency.
    pub home_currency: Currency,
    /// Whether multi-currency is on.
    pub multi_currency: bool,
    /// Its IANA time zone, when known.
    pub time_zone: Option<String>,
    /// Bills dated on or before this day are refused.
    pub book_close_date: Option<Date>,
    /// The plan as QuickBooks names it, when it does.
    pub plan: Option<String>,
    /// Whether lines may name a customer.
    pub tracks_customers: bool,
}

impl Company {
    /// US companies take no tax code on purchases and Latin letters only.
    pub fn is_us(&self) -> bool {
        matches!(
            self.country.trim().to_ascii_uppercase().as_str(),
            "US" | "USA" | ""
        )
    }

    /// The letters this company accepts.
    pub fn alphabet(&self) -> Alphabet {
        if self.is_us() {
            Alphabet::Latin1
        } else {
            Alphabet::Unicode
        }
    }
}

/// A vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    /// Its id.
    pub id: VendorId,
    /// Its display name.
    pub display_name: String,
    /// Its company name.
    pub company_name: Option<String>,
    /// Whether it may be used.
    pub active: bool,
    /// Its currency; `None` when multi-currency is off.
    pub currency: Option<Currency>,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Its display name.
    pub display_name: String,
    /// Its company name.
    pub company_name: Option<String>,
    /// Whether it may be used.
    pub active: bool,
}

/// What kind of thing an Item is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemKind {
    /// Counted stock.
    Inventory,
    /// Goods that are not counted.
    NonInventory,
    /// A service.
    Service,
    /// A folder for other Items; never on a line.
    Category,
    /// A bundle; never on a bill.
    Group,
    /// A kind we do not know; never used.
    Other(String),
}

/// A QuickBooks product or service record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// Its name.
    pub name: String,
    /// Its name with its categories, colon-joined.
    pub full_name: String,
    /// Its stock keeping unit.
    pub sku: Option<String>,
    /// Its kind.
    pub kind: ItemKind,
    /// Whether it may be used.
    pub active: bool,
    /// The account purchases of it are booked on; without one it cannot be bought.
    pub expense_account: Option<AccountId>,
}

/// What an account is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountKind {
    /// Accounts payable.
    Payable,
    /// Expense, other expense or cost of goods sold.
    Expense,
    /// Anything else, by QuickBooks' word.
    Other(String),
}

/// An account of the chart of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its full name, colon-joined.
    pub name: String,
    /// What it is for.
    pub kind: AccountKind,
    /// Its currency; `None` means the home currency.
    pub currency: Option<Currency>,
    /// Whether it may be used.
    pub active: bool,
}

/// Payment terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Their id.
    pub id: TermId,
    /// Their name.
    pub name: String,
    /// Whether they may be used.
    pub active: bool,
}

/// A tax code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxCode {
    /// Its id.
    pub id: TaxCodeId,
    /// Its name.
    pub name: String,
    /// Whether it may be used.
    pub active: bool,
}

/// A bill as read back from QuickBooks, cut to what decisions need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillSummary {
    /// Its id.
    pub id: BillId,
    /// Its number, when it has one.
    pub number: Option<String>,
    /// Its vendor.
    pub vendor: Option<VendorId>,
    /// Its vendor's name as QuickBooks decorated it.
    pub vendor_name: Option<String>,
    /// Its total, in its own currency.
    pub total: Decimal,
    /// Its private note, where our marker stands.
    pub note: Option<String>,
}

/// Who holds a name in the name space that vendors, customers and employees share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameHolder {
    /// A vendor.
    Vendor(Vendor),
    /// A customer.
    Customer(Customer),
    /// An employee.
    Employee {
        /// Whether they are active.
        active: bool,
    },
}

/// A record that changed, or that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed<T, I> {
    /// New or changed.
    Now(T),
    /// Deleted.
    Gone(I),
}

/// What changed in a realm since a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Vendors.
    pub vendors: Vec<Changed<Vendor, VendorId>>,
    /// Customers.
    pub customers: Vec<Changed<Customer, CustomerId>>,
    /// Items.
    pub items: Vec<Changed<Item, ItemId>>,
    /// Accounts.
    pub accounts: Vec<Changed<Account, AccountId>>,
    /// Terms.
    pub terms: Vec<Changed<Term, TermId>>,
    /// Bills that were deleted.
    pub bills_gone: Vec<BillId>,
}

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

/// A vendor or customer to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewParty {
    /// Its display name, already clean.
    pub display_name: String,
    /// Its company name, already clean.
    pub company_name: String,
    /// Its currency; `None` leaves it to QuickBooks.
    pub currency: Option<Currency>,
}

/// A non-inventory Item to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewItem {
    /// Its name, already clean.
    pub name: String,
    /// Its stock keeping unit.
    pub sku: Option<String>,
    /// The text proposed on purchases.
    pub purchase_description: Option<String>,
    /// The account purchases of it are booked on.
    pub expense_account: AccountId,
}

/// A bill with every value decided, ready to be encoded once and sent unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillDraft {
    /// Its vendor.
    pub vendor: VendorId,
    /// The accounts payable account it credits.
    pub payable_account: AccountId,
    /// Its date.
    pub date: Date,
    /// Its number; `None` leaves it blank.
    pub number: Option<String>,
    /// Its private note, marker included.
    pub note: String,
    /// Its terms.
    pub term: Option<TermId>,
    /// Its currency, and home units for one unit of it; `None` when multi-currency is off.
    pub currency: Option<(Currency, Decimal)>,
    /// Its lines.
    pub lines: Vec<BillLine>,
    /// The sum of its lines.
    pub total: Money,
    /// True outside the US, where QuickBooks wants to know that amounts are without tax.
    pub amounts_exclude_tax: bool,
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    /// Its text.
    pub description: Option<String>,
    /// Its amount: quantity × unit cost to the cent.
    pub amount: Decimal,
    /// What it is booked on.
    pub target: LineTarget,
    /// The customer it was bought for.
    pub customer: Option<CustomerId>,
    /// The tax code; only outside the US.
    pub tax_code: Option<TaxCodeId>,
}

/// What a bill line is booked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineTarget {
    /// An Item, with quantity and unit cost.
    Item {
        /// The Item.
        item: ItemId,
        /// How many.
        quantity: Decimal,
        /// Cost of one.
        unit_cost: Decimal,
    },
    /// An expense account.
    Account(AccountId),
}

/// What QuickBooks answered to a bill that it created (or had created for the same request id).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedBill {
    /// The bill.
    pub bill: BillSummary,
    /// Its currency, when QuickBooks names it.
    pub currency: Option<Currency>,
}
