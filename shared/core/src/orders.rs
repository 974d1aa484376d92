//! What Autotask tells us: purchase orders, their lines and everything they point to.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{
        CurrencyId, LineId, OrderId, OrganisationId, PaymentTermId, ProductId, ResourceId,
        StatusId, TodoId,
    },
    money::Currency,
};

/// The words in the External PO Number that say "a person must act".
pub const ERROR_WORD: &str = "ERROR";

/// An Autotask purchase order. Every field but the id may be absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its number; absent when numbering is off in Autotask.
    pub number: Option<String>,
    /// Its status.
    pub status: Option<StatusId>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it was last submitted.
    pub submitted: Option<Timestamp>,
    /// The External PO Number exactly as stored.
    pub external_number: Option<String>,
    /// The organisation that sells.
    pub vendor: Option<OrganisationId>,
    /// The organisation it is bought for; `None` or organisation 0 means own use.
    pub purchase_for: Option<OrganisationId>,
    /// The general memo.
    pub memo: Option<String>,
    /// Freight, in the vendor's currency.
    pub freight: Option<Decimal>,
    /// The payment term pick-list value.
    pub payment_term: Option<PaymentTermId>,
}

/// What the External PO Number of an order says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalNumber<'a> {
    /// Null, empty or only spaces.
    Blank,
    /// The word ERROR in any letter case.
    Error,
    /// Something else: a number.
    Number(&'a str),
}

impl Order {
    /// Reads the External PO Number.
    pub fn external(&self) -> ExternalNumber<'_> {
        match self.external_number.as_deref().map(str::trim) {
            None | Some("") => ExternalNumber::Blank,
            Some(text) if text.eq_ignore_ascii_case(ERROR_WORD) => ExternalNumber::Error,
            Some(text) => ExternalNumber::Number(text),
        }
    }

    /// The number people know the order by: its number, else its id.
    pub fn display_number(&self) -> String {
        match self.number.as_deref().map(str::trim) {
            Some(number) if !number.is_empty() => number.to_owned(),
            _ => self.id.to_string(),
        }
    }
}

/// One line of a purchase order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Its id; lines are kept in the order of their ids.
    pub id: LineId,
    /// The order it belongs to.
    pub order: OrderId,
    /// What is bought; `None` on a line that only carries a charge.
    pub product: Option<ProductId>,
    /// How many.
    pub quantity: Option<Decimal>,
    /// Cost of one, in the vendor's currency; `None` when the API user may not read costs.
    pub unit_cost: Option<Decimal>,
    /// The line's text.
    pub memo: Option<String>,
}

/// An Autotask product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Its name.
    pub name: String,
    /// Its stock keeping unit.
    pub sku: Option<String>,
    /// The manufacturer's part number.
    pub manufacturer_part_number: Option<String>,
    /// Its description.
    pub description: Option<String>,
}

/// An Autotask organisation, whether vendor or customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// Its currency; `None` means the internal one.
    pub currency: Option<CurrencyId>,
}

/// One row of Autotask's currency table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencyRow {
    /// Its id.
    pub id: CurrencyId,
    /// Its three-letter code.
    pub code: Currency,
    /// Whether it is the internal (home) currency.
    pub internal: bool,
    /// Whether it is in use.
    pub active: bool,
}

/// Autotask's currency table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencyTable {
    /// All rows.
    pub rows: Vec<CurrencyRow>,
}

impl CurrencyTable {
    /// Multi-currency is on when a currency other than the internal one is in use.
    ///
    /// The table can be queried even when the feature is off, so its mere presence says nothing.
    pub fn multi_currency(&self) -> bool {
        self.rows.iter().any(|row| row.active && !row.internal)
    }

    /// The internal currency.
    pub fn internal(&self) -> Option<Currency> {
        self.rows
            .iter()
            .find(|row| row.internal)
            .map(|row| row.code)
    }

    /// The currency of an organisation: its own, or the internal one when it names none.
    pub fn of(&self, organisation: &Organisation) -> Option<Currency> {
        match organisation.currency {
            None => self.internal(),
            Some(id) => self
                .rows
                .iter()
                .find(|row| row.id == id)
                .map(|row| row.code),
        }
    }
}

/// One value of an Autotask pick list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickListValue {
    /// The number stored in the field.
    pub value: i64,
    /// What people see.
    pub label: String,
    /// Whether it may be chosen.
    pub active: bool,
}

/// A person who can be given a to-do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Their id.
    pub id: ResourceId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: Option<String>,
}

/// An open to-do that carries one of our keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    /// Its id.
    pub id: TodoId,
    /// Its text.
    pub text: String,
}

/// The key at the start of a to-do's text, by which it is found again.
pub fn todo_key(order: OrderId) -> String {
    format!("[PO {order}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn order(external: Option<&str>) -> Order {
        Order {
            id: OrderId::new(4711),
            number: None,
            status: None,
            created: None,
            submitted: None,
            external_number: external.map(str::to_owned),
            vendor: None,
            purchase_for: None,
            memo: None,
            freight: None,
            payment_term: None,
        }
    }

    #[test]
    fn blank_is_null_empty_or_spaces_and_error_is_any_case() {
        for blank in [None, Some(""), Some("   "), Some("\t")] {
            assert_eq!(order(blank).external(), ExternalNumber::Blank);
        }
        for error in ["ERROR", "error", " Error "] {
            assert_eq!(order(Some(error)).external(), ExternalNumber::Error);
        }
        assert_eq!(
            order(Some(" 1042 ")).external(),
            ExternalNumber::Number("1042")
        );
        assert_eq!(
            order(Some("ERROR 2")).external(),
            ExternalNumber::Number("ERROR 2")
        );
    }

    #[test]
    fn one_active_foreign_row_turns_multi_currency_on() {
        let row = |id, code: &str, internal, active| CurrencyRow {
            id: CurrencyId::new(id),
            code: code.parse().unwrap(),
            internal,
            active,
        };
        let off = CurrencyTable {
            rows: vec![row(1, "USD", true, true), row(2, "EUR", false, false)],
        };
        assert!(!off.multi_currency());
        let on = CurrencyTable {
            rows: vec![row(1, "USD", true, true), row(2, "EUR", false, true)],
        };
        assert!(on.multi_currency());
        let vendor = |currency| Organisation {
            id: OrganisationId::new(5),
            name: "V".into(),
            currency,
        };
        assert_eq!(on.of(&vendor(None)).unwrap().code(), "USD");
        assert_eq!(
            on.of(&vendor(Some(CurrencyId::new(2)))).unwrap().code(),
            "EUR"
        );
        assert_eq!(on.of(&vendor(Some(CurrencyId::new(9)))), None);
    }
}
