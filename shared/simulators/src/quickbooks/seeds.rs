//! What a company can be filled with.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use thiserror::Error;

use super::refusal::Refusal;
use crate::store::StoreError;

/// Why something could not be put into a company.
#[derive(Debug, Error)]
pub enum SeedError {
    /// No company has this realm id.
    #[error("find realm {0}")]
    UnknownRealm(String),
    /// The company has no such object.
    #[error("find {0} {1}")]
    UnknownObject(&'static str, String),
    /// The rules of the service forbid it.
    #[error("put it into the company: {0}")]
    Refused(String),
    /// The store failed.
    #[error("store the change")]
    Store(#[from] StoreError),
}

impl From<Refusal> for SeedError {
    fn from(refusal: Refusal) -> Self {
        let texts: Vec<String> = refusal
            .errors
            .iter()
            .map(|error| format!("{} {}: {}", error.code, error.message, error.detail))
            .collect();
        Self::Refused(texts.join("; "))
    }
}

/// An account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccountSeed {
    /// Its name.
    pub name: String,
    /// Its type, for example `Expense`.
    pub account_type: String,
    /// ISO code, when it is not the home currency.
    pub currency: Option<String>,
}

impl AccountSeed {
    /// An account in the home currency.
    #[must_use]
    pub fn new(name: &str, account_type: &str) -> Self {
        let account_type = account_type.to_owned();
        Self {
            name: name.to_owned(),
            account_type,
            currency: None,
        }
    }
}

/// A vendor, customer or employee.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PersonSeed {
    /// The display name.
    pub name: String,
    /// The company name, when it has one.
    pub company_name: Option<String>,
    /// ISO code, when it is not the home currency.
    pub currency: Option<String>,
    /// Id of the payment terms.
    pub term: Option<String>,
    /// Id of the parent customer.
    pub parent: Option<String>,
    /// True for one that was made inactive.
    pub inactive: bool,
}

impl PersonSeed {
    /// An active one in the home currency.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Gives it a currency.
    #[must_use]
    pub fn in_currency(mut self, currency: &str) -> Self {
        self.currency = Some(currency.to_owned());
        self
    }

    /// Makes it inactive.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        self.inactive = true;
        self
    }
}

/// A product or service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ItemSeed {
    /// Its name.
    pub name: String,
    /// `NonInventory`, `Service`, `Inventory`, `Category` or `Group`.
    pub item_type: String,
    /// Id of the account for purchases.
    pub expense_account: Option<String>,
    /// Id of the account for sales.
    pub income_account: Option<String>,
    /// Id of the stock account (inventory only).
    pub asset_account: Option<String>,
    /// Stock-keeping unit.
    pub sku: Option<String>,
    /// Id of the category.
    pub parent: Option<String>,
    /// First day of stock keeping (inventory only).
    pub starts: Option<String>,
    /// True for one that was made inactive.
    pub inactive: bool,
}

impl ItemSeed {
    /// A non-inventory item that is bought into `expense_account`.
    #[must_use]
    pub fn non_inventory(name: &str, expense_account: &str) -> Self {
        Self {
            name: name.to_owned(),
            item_type: "NonInventory".to_owned(),
            expense_account: Some(expense_account.to_owned()),
            ..Self::default()
        }
    }
}

/// One line of a bill: of an item or of an account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct BillLineSeed {
    /// Id of the item; without one the line is of an account.
    pub item: Option<String>,
    /// Id of the account.
    pub account: Option<String>,
    /// The line's amount.
    pub amount: Decimal,
    /// The line's text.
    pub description: Option<String>,
}

/// A bill as a person enters it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct BillSeed {
    /// Id of the vendor.
    pub vendor: String,
    /// The bill number.
    pub doc_number: Option<String>,
    /// The day of the bill; today when absent.
    pub date: Option<Date>,
    /// The memo.
    pub private_note: Option<String>,
    /// Home units per foreign unit, for a foreign vendor.
    pub exchange_rate: Option<Decimal>,
    /// Its lines.
    pub lines: Vec<BillLineSeed>,
}

impl BillSeed {
    /// A bill of one account line.
    #[must_use]
    pub fn new(vendor: &str, doc_number: &str, account: &str, amount: Decimal) -> Self {
        let account = Some(account.to_owned());
        Self {
            vendor: vendor.to_owned(),
            doc_number: Some(doc_number.to_owned()),
            lines: vec![BillLineSeed {
                account,
                amount,
                ..BillLineSeed::default()
            }],
            ..Self::default()
        }
    }
}
