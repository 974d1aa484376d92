//! Vendors, customers, employees, Items, accounts, terms and tax codes.

use purser_core::books::{Account, AccountKind, Customer, Item, ItemKind, TaxCode, Term, Vendor};
use serde::Deserialize;

use super::{Reference, currency, flag, text};

/// A vendor.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct VendorWire {
    #[serde(deserialize_with = "text")]
    id: Option<String>,
    #[serde(deserialize_with = "text")]
    display_name: Option<String>,
    #[serde(deserialize_with = "text")]
    company_name: Option<String>,
    #[serde(deserialize_with = "flag")]
    active: Option<bool>,
    currency_ref: Option<Reference>,
}

impl VendorWire {
    /// In our words; `None` when it has no id or name.
    pub(crate) fn into_vendor(self, multi_currency: bool) -> Option<Vendor> {
        Some(Vendor {
            id: self.id?.parse().ok()?,
            display_name: self.display_name?,
            company_name: self.company_name,
            active: self.active.unwrap_or(true),
            currency: currency(self.currency_ref.as_ref()).filter(|_| multi_currency),
        })
    }
}

/// A customer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct CustomerWire {
    #[serde(deserialize_with = "text")]
    id: Option<String>,
    #[serde(deserialize_with = "text")]
    display_name: Option<String>,
    #[serde(deserialize_with = "text")]
    company_name: Option<String>,
    #[serde(deserialize_with = "flag")]
    active: Option<bool>,
}

impl CustomerWire {
    /// In our words; `None` when it has no id or name.
    pub(crate) fn into_customer(self) -> Option<Customer> {
        Some(Customer {
            id: self.id?.parse().ok()?,
            display_name: self.display_name?,
            company_name: self.company_name,
            active: self.active.unwrap_or(true),
        })
    }
}

/// An employee, of whom only the taken name matters.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct EmployeeWire {
    #[serde(deserialize_with = "flag")]
    active: Option<bool>,
}

impl EmployeeWire {
    /// Whether they are active.
    pub(crate) fn is_active(&self) -> bool {
        self.active.unwrap_or(true)
    }
}

/// An Item.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct ItemWire {
    #[serde(deserialize_with = "text")]
    id: Option<String>,
    #[serde(deserialize_with = "text")]
    name: Option<String>,
    #[serde(deserialize_with = "text")]
    fully_qualified_name: Option<String>,
    #[serde(deserialize_with = "text")]
    sku: Option<String>,
    #[serde(rename = "Type", deserialize_with = "text")]
    kind: Option<String>,
    #[serde(deserialize_with = "flag")]
    active: Option<bool>,
    expense_account_ref: Option<Reference>,
}

impl ItemWire {
    /// In our words; `None` when it has no id or name.
    pub(crate) fn into_item(self) -> Option<Item> {
        let name = self.name?;
        Some(Item {
            id: self.id?.parse().ok()?,
            full_name: self.fully_qualified_name.unwrap_or_else(|| name.clone()),
            name,
            sku: self.sku,
            kind: item_kind(self.kind.as_deref()),
            active: self.active.unwrap_or(true),
            expense_account: self.expense_account_ref.and_then(|account| account.id()),
        })
    }
}

fn item_kind(kind: Option<&str>) -> ItemKind {
    match kind.unwrap_or_default() {
        "Inventory" => ItemKind::Inventory,
        "NonInventory" => ItemKind::NonInventory,
        "Service" => ItemKind::Service,
        "Category" => ItemKind::Category,
        "Group" => ItemKind::Group,
        other => ItemKind::Other(other.to_owned()),
    }
}

/// An account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct AccountWire {
    #[serde(deserialize_with = "text")]
    id: Option<String>,
    #[serde(deserialize_with = "text")]
    name: Option<String>,
    #[serde(deserialize_with = "text")]
    fully_qualified_name: Option<String>,
    #[serde(deserialize_with = "text")]
    account_type: Option<String>,
    #[serde(deserialize_with = "flag")]
    active: Option<bool>,
    currency_ref: Option<Reference>,
}

impl AccountWire {
    /// In our words; `None` when it has no id or name.
    pub(crate) fn into_account(self) -> Option<Account> {
        Some(Account {
            id: self.id?.parse().ok()?,
            name: self.fully_qualified_name.or(self.name)?,
            kind: account_kind(self.account_type.as_deref()),
            currency: currency(self.currency_ref.as_ref()),
            active: self.active.unwrap_or(true),
        })
    }
}

fn account_kind(kind: Option<&str>) -> AccountKind {
    match kind.unwrap_or_default() {
        "Accounts Payable" => AccountKind::Payable,
        "Expense" | "Other Expense" | "Cost of Goods Sold" => AccountKind::Expense,
        other => AccountKind::Other(other.to_owned()),
    }
}

/// Terms.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct TermWire {
    #[serde(deserialize_with = "text")]
    id: Option<String>,
    #[serde(deserialize_with = "text")]
    name: Option<String>,
    #[serde(deserialize_with = "flag")]
    active: Option<bool>,
}

impl TermWire {
    /// In our words; `None` when they have no id or name.
    pub(crate) fn into_term(self) -> Option<Term> {
        let active = self.active.unwrap_or(true);
        Some(Term {
            id: self.id?.parse().ok()?,
            name: self.name?,
            active,
        })
    }
}

/// A tax code.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct TaxCodeWire {
    #[serde(deserialize_with = "text")]
    id: Option<String>,
    #[serde(deserialize_with = "text")]
    name: Option<String>,
    #[serde(deserialize_with = "flag")]
    active: Option<bool>,
}

impl TaxCodeWire {
    /// In our words; `None` when it has no id or name.
    pub(crate) fn into_tax_code(self) -> Option<TaxCode> {
        let active = self.active.unwrap_or(true);
        Some(TaxCode {
            id: self.id?.parse().ok()?,
            name: self.name?,
            active,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_from_what_quickbooks_writes() {
        let vendor: VendorWire = serde_json::from_str(
            r#"{"Id":"56","DisplayName":"Bob's","Balance":0,"CurrencyRef":{"value":"EUR","name":"Euro"},
                "Vendor1099":false,"Unknown":{"a":[1.5]}}"#,
        )
        .unwrap();
        let same = vendor.clone().into_vendor(false).unwrap();
        assert!(same.active && same.currency.is_none() && same.company_name.is_none());
        assert_eq!(
            vendor.into_vendor(true).unwrap().currency.unwrap().code(),
            "EUR"
        );
        let item: ItemWire = serde_json::from_str(
            r#"{"Id":19,"Name":"Hose","FullyQualifiedName":"Garden:Hose","Type":"NonInventory",
                "Active":false,"Sku":" ","ExpenseAccountRef":{"value":"80"}}"#,
        )
        .unwrap();
        let item = item.into_item().unwrap();
        assert_eq!(
            (item.id.as_str(), item.full_name.as_str()),
            ("19", "Garden:Hose")
        );
        assert_eq!(
            (item.kind, item.active, item.sku),
            (ItemKind::NonInventory, false, None)
        );
        assert_eq!(item.expense_account.unwrap().as_str(), "80");
    }

    #[test]
    fn account_types_become_what_an_account_is_for() {
        for (text, kind) in [
            ("Accounts Payable", AccountKind::Payable),
            ("Expense", AccountKind::Expense),
            ("Other Expense", AccountKind::Expense),
            ("Cost of Goods Sold", AccountKind::Expense),
            ("Bank", AccountKind::Other("Bank".into())),
        ] {
            assert_eq!(account_kind(Some(text)), kind);
        }
    }

    #[test]
    fn a_record_without_id_or_name_is_left_out() {
        let term = |text: &str| serde_json::from_str::<TermWire>(text).unwrap().into_term();
        assert!(term(r#"{"Id":"1","Name":"Net 30"}"#).unwrap().active);
        assert!(term(r#"{"Id":"1"}"#).is_none());
        assert!(term(r#"{"Name":"Net 30","Id":null}"#).is_none());
    }
}
