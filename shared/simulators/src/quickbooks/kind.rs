//! The kinds of object a company holds.

use serde::{Deserialize, Serialize};

use super::{
    shape::Member,
    shapes::{ACCOUNT, ATTACHABLE, BILL, CUSTOMER, ITEM, PURCHASE_ORDER, TERM, VENDOR},
};

/// A kind of stored object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// An account of the chart of accounts.
    Account,
    /// A note or file on a transaction.
    Attachable,
    /// A bill.
    Bill,
    /// A class.
    Class,
    /// A currency the company uses next to its own.
    CompanyCurrency,
    /// A customer, job or project.
    Customer,
    /// A department ("Location").
    Department,
    /// An employee.
    Employee,
    /// A product, service, category or bundle.
    Item,
    /// A purchase order of QuickBooks itself.
    PurchaseOrder,
    /// A tax code.
    TaxCode,
    /// Payment terms.
    Term,
    /// A vendor.
    Vendor,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Account,
        Self::Attachable,
        Self::Bill,
        Self::Class,
        Self::CompanyCurrency,
        Self::Customer,
        Self::Department,
        Self::Employee,
        Self::Item,
        Self::PurchaseOrder,
        Self::TaxCode,
        Self::Term,
        Self::Vendor,
    ];

    /// The name in bodies and queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "Account",
            Self::Attachable => "Attachable",
            Self::Bill => "Bill",
            Self::Class => "Class",
            Self::CompanyCurrency => "CompanyCurrency",
            Self::Customer => "Customer",
            Self::Department => "Department",
            Self::Employee => "Employee",
            Self::Item => "Item",
            Self::PurchaseOrder => "PurchaseOrder",
            Self::TaxCode => "TaxCode",
            Self::Term => "Term",
            Self::Vendor => "Vendor",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind whose lower-case name is a path segment.
    pub(super) fn from_segment(segment: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().to_ascii_lowercase() == segment)
    }

    /// Kinds with one identifier counter.
    pub(super) fn family(self) -> u8 {
        match self {
            Self::Bill | Self::PurchaseOrder => 0,
            Self::Vendor | Self::Customer | Self::Employee => 1,
            Self::Account => 2,
            Self::Item => 3,
            Self::Term => 4,
            Self::Class => 5,
            Self::Department => 6,
            Self::TaxCode => 7,
            Self::CompanyCurrency => 8,
            Self::Attachable => 9,
        }
    }

    /// True for the kinds that share one index of names.
    pub(super) fn is_person(self) -> bool {
        self.family() == 1
    }

    /// The family name in the text of fault 2500.
    pub(super) fn reference_family(self) -> &'static str {
        match self {
            Self::Account => "Accounts",
            Self::Vendor | Self::Customer | Self::Employee => "Names",
            Self::Class => "Klasses",
            Self::Department => "Depts",
            Self::Item => "Line.ItemBasedExpenseLineDetail.ItemRef",
            Self::Term => "Terms",
            Self::TaxCode => "TaxCodes",
            Self::Bill | Self::PurchaseOrder | Self::Attachable | Self::CompanyCurrency => "Txns",
        }
    }

    /// The members a write may carry; `None` when the kind is read only here.
    pub(super) fn members(self) -> Option<&'static [Member]> {
        match self {
            Self::Account => Some(ACCOUNT),
            Self::Attachable => Some(ATTACHABLE),
            Self::Bill => Some(BILL),
            Self::Customer => Some(CUSTOMER),
            Self::Item => Some(ITEM),
            Self::PurchaseOrder => Some(PURCHASE_ORDER),
            Self::Term => Some(TERM),
            Self::Vendor => Some(VENDOR),
            Self::Class
            | Self::CompanyCurrency
            | Self::Department
            | Self::Employee
            | Self::TaxCode => None,
        }
    }

    /// True for the kinds that change-data-capture reports.
    pub(super) fn is_captured(self) -> bool {
        !matches!(self, Self::TaxCode)
    }
}
