//! What QuickBooks tells us: the realm, its names and accounts, and its bills.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, BillId, CustomerId, ItemId, TaxCodeId, TermId, VendorId},
    money::{Currency, Money},
    text::Alphabet,
};

mod index;

pub use index::{Books, BooksContent, NameField, NameIndex, Named};

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
}

/// What changed of the bills of a realm since a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillChanges {
    /// Those that were made or edited, and stand.
    pub standing: Vec<BillSummary>,
    /// Those that were deleted.
    pub gone: Vec<BillId>,
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
