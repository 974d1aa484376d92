//! Settings: a document as people write it, parsed into a type that cannot hold nonsense.

use std::collections::BTreeMap;

use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::ids::{
    AccountId, ActionTypeId, CustomerId, OrganisationId, ResourceId, StatusId, TaxCodeId, VendorId,
};

mod document;
mod parse;

#[cfg(test)]
mod tests;

pub use document::{Choice, SettingsDocument};
pub use parse::{Choices, FieldError, is_mail_address};

/// The longest window, in days.
pub const DAYS_BACK_MAX: u16 = 365;

/// A value chosen from a pick list, with the label it had when it was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen<Id> {
    /// What is stored and sent.
    pub id: Id,
    /// What people saw.
    pub label: String,
}

/// Who numbers the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberSource {
    /// No number is sent; the bill's own number or id is written back.
    Quickbooks,
    /// The order's number is sent.
    Autotask,
}

/// By what a product is matched to an Item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemMatch {
    /// The product's name and the Item's name.
    Name,
    /// The product's SKU and the Item's SKU.
    Sku,
    /// The product's manufacturer part number and the Item's name.
    ManufacturerPartNumber,
}

/// What happens when QuickBooks has no Item for a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MissingItem {
    /// Create a non-inventory Item on this expense account.
    Create(Chosen<AccountId>),
    /// Refuse the order.
    Refuse,
}

/// Which date the bill bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillDate {
    /// The day the order was submitted; the day it was created when it never was.
    Submitted,
    /// The day the order was created.
    Created,
    /// The day of the transfer.
    Today,
}

/// The settings of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How many calendar days back an order may have been created; 0 pauses.
    pub days_back: u16,
    /// The first day an order may have been created on, however many days back are looked at.
    #[serde(default)]
    pub created_from: Option<Date>,
    /// Who numbers the bill.
    pub number_source: NumberSource,
    /// Minutes between the end of one run and the start of the next, 1 to 60.
    pub interval_minutes: u8,
    /// The status that means Submitted, when it is not found by that label.
    pub submitted_status: Option<Chosen<StatusId>>,
    /// The tenant's time zone; `None` takes the one of the QuickBooks company.
    pub time_zone: Option<String>,
    /// Which date the bill bears.
    pub bill_date: BillDate,
    /// By what a product is matched.
    pub item_match: ItemMatch,
    /// What happens when there is no Item.
    pub missing_item: MissingItem,
    /// The accounts payable account a bill credits.
    pub payable_account: Chosen<AccountId>,
    /// The account freight is booked on; `None` leaves freight out.
    pub freight_account: Option<Chosen<AccountId>>,
    /// The tax code of each line; only outside the US.
    pub purchase_tax_code: Option<Chosen<TaxCodeId>>,
    /// The action type of error to-dos.
    pub todo_action_type: Chosen<ActionTypeId>,
    /// Who gets error to-dos.
    pub todo_resource: Chosen<ResourceId>,
    /// Hours after which a waiting order becomes an error, 1 to 168.
    pub give_up_hours: u8,
    /// The share of Autotask's hourly calls that may be used, in percent, 5 to 90.
    pub autotask_share_percent: u8,
    /// Where a digest of new refusals goes; `None` sends none.
    pub digest_to: Option<String>,
    /// Autotask organisations with a QuickBooks vendor of their own.
    pub vendor_overrides: BTreeMap<OrganisationId, VendorId>,
    /// Autotask organisations with a QuickBooks customer of their own.
    pub customer_overrides: BTreeMap<OrganisationId, CustomerId>,
}

impl Settings {
    /// The tenant's time zone: the one set, else the company's, else UTC.
    pub fn zone(&self, company_zone: Option<&str>) -> TimeZone {
        let name = self.time_zone.as_deref().or(company_zone);
        name.and_then(|name| TimeZone::get(name).ok())
            .unwrap_or(TimeZone::UTC)
    }

    /// The expense account for created Items and for lines without a product.
    pub fn creation_account(&self) -> Option<&AccountId> {
        match &self.missing_item {
            MissingItem::Create(account) => Some(&account.id),
            MissingItem::Refuse => None,
        }
    }
}
