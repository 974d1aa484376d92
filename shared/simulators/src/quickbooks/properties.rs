//! Which properties of each entity a query may filter or sort by.

use super::kind::Kind;

/// How a property compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Id,
    Text,
    Reference,
    Date,
    Decimal,
    Flag,
    Time,
}

/// One property a query may name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Property {
    pub(super) path: &'static str,
    pub(super) sort: Sort,
    pub(super) sortable: bool,
}

const fn both(path: &'static str, sort: Sort) -> Property {
    Property {
        path,
        sort,
        sortable: true,
    }
}

const fn filter(path: &'static str, sort: Sort) -> Property {
    Property {
        path,
        sort,
        sortable: false,
    }
}

const COMMON: &[Property] = &[
    filter("Id", Sort::Id),
    both("MetaData.CreateTime", Sort::Time),
    both("MetaData.LastUpdatedTime", Sort::Time),
];

const BILL: &[Property] = &[
    both("VendorRef", Sort::Reference),
    both("APAccountRef", Sort::Reference),
    both("SalesTermRef", Sort::Reference),
    both("TxnDate", Sort::Date),
    both("DueDate", Sort::Date),
    both("DocNumber", Sort::Text),
    both("TotalAmt", Sort::Decimal),
    filter("Balance", Sort::Decimal),
];

const PURCHASE_ORDER: &[Property] = &[
    both("VendorRef", Sort::Reference),
    both("TxnDate", Sort::Date),
    both("DocNumber", Sort::Text),
    both("TotalAmt", Sort::Decimal),
];

const PERSON: &[Property] = &[
    both("DisplayName", Sort::Text),
    both("FullyQualifiedName", Sort::Text),
    both("CompanyName", Sort::Text),
    both("GivenName", Sort::Text),
    both("MiddleName", Sort::Text),
    both("FamilyName", Sort::Text),
    both("Suffix", Sort::Text),
    both("PrintOnCheckName", Sort::Text),
    filter("PrimaryEmailAddr", Sort::Text),
    filter("ParentRef", Sort::Reference),
    filter("Job", Sort::Flag),
    filter("Active", Sort::Flag),
    both("Balance", Sort::Decimal),
];

const ITEM: &[Property] = &[
    both("Name", Sort::Text),
    both("FullyQualifiedName", Sort::Text),
    both("Sku", Sort::Text),
    both("Type", Sort::Text),
    filter("ParentRef", Sort::Reference),
    filter("Active", Sort::Flag),
    both("UnitPrice", Sort::Decimal),
    both("PurchaseCost", Sort::Decimal),
];

const ACCOUNT: &[Property] = &[
    both("Name", Sort::Text),
    both("FullyQualifiedName", Sort::Text),
    both("AcctNum", Sort::Text),
    both("AccountType", Sort::Text),
    both("AccountSubType", Sort::Text),
    both("Classification", Sort::Text),
    filter("ParentRef", Sort::Reference),
    filter("SubAccount", Sort::Flag),
    filter("Active", Sort::Flag),
];

const NAMED: &[Property] = &[
    both("Name", Sort::Text),
    both("FullyQualifiedName", Sort::Text),
    both("Type", Sort::Text),
    both("Code", Sort::Text),
    filter("Active", Sort::Flag),
];

/// Finds a property by its name in any letter case.
pub(super) fn property(kind: Kind, name: &str) -> Option<Property> {
    let own = match kind {
        Kind::Bill => BILL,
        Kind::PurchaseOrder => PURCHASE_ORDER,
        Kind::Vendor | Kind::Customer | Kind::Employee => PERSON,
        Kind::Item => ITEM,
        Kind::Account => ACCOUNT,
        Kind::Class | Kind::Department | Kind::Term | Kind::TaxCode | Kind::CompanyCurrency => {
            NAMED
        }
        Kind::Attachable => &[],
    };
    COMMON
        .iter()
        .chain(own)
        .find(|property| property.path.eq_ignore_ascii_case(name))
        .copied()
}
