//! Identifiers as types, so that none can stand in for another.

mod trace;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use trace::TraceId;

/// A text that is not an identifier of the wanted kind.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{text:?} is not {kind}")]
pub struct IdError {
    text: String,
    kind: &'static str,
}

impl IdError {
    fn new(text: &str, kind: &'static str) -> Self {
        Self {
            text: text.chars().take(60).collect(),
            kind,
        }
    }
}

macro_rules! number_id {
    ($($(#[$doc:meta])* $name:ident, $min:literal, $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Takes a number as the outside system gave it.
            pub const fn new(value: i64) -> Self {
                Self(value)
            }

            /// The number itself.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let digits = text.trim();
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(IdError::new(text, $kind));
                }
                match digits.parse::<i64>() {
                    Ok(value) if value >= $min => Ok(Self(value)),
                    _ => Err(IdError::new(text, $kind)),
                }
            }
        }
    )*};
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident, $max:literal, $allowed:expr, $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let allowed: fn(u8) -> bool = $allowed;
                if text.is_empty() || text.len() > $max || !text.bytes().all(allowed) {
                    return Err(IdError::new(text, $kind));
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    )*};
}

number_id! {
    /// An Autotask purchase order.
    OrderId, 1, "an order id (a whole number such as 4711)";
    /// A line of an Autotask purchase order.
    LineId, 0, "a line id";
    /// An Autotask Company record; 0 is the tenant's own organisation.
    OrganisationId, 0, "an organisation id";
    /// An Autotask product.
    ProductId, 0, "a product id";
    /// An Autotask currency row.
    CurrencyId, 0, "a currency id";
    /// A value of the purchase order status pick list.
    StatusId, 0, "a status id";
    /// A value of the payment term pick list.
    PaymentTermId, 0, "a payment term id";
    /// An Autotask to-do.
    TodoId, 0, "a to-do id";
    /// A value of the to-do action type pick list.
    ActionTypeId, 0, "an action type id";
    /// An Autotask resource (a person).
    ResourceId, 0, "a resource id";
}

const fn printable(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

text_id! {
    /// One client business; made when its first connection is added.
    TenantId, 40, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-',
        "a tenant name (lower-case letters, digits and hyphens, 40 at most)";
    /// One QuickBooks company file.
    RealmId, 20, |b| b.is_ascii_digit(), "a QuickBooks company (realm) id (digits only)";
    /// A QuickBooks vendor.
    VendorId, 40, printable, "a vendor id";
    /// A QuickBooks customer.
    CustomerId, 40, printable, "a customer id";
    /// A QuickBooks Item.
    ItemId, 40, printable, "an Item id";
    /// A QuickBooks account.
    AccountId, 40, printable, "an account id";
    /// A QuickBooks term.
    TermId, 40, printable, "a term id";
    /// A QuickBooks tax code.
    TaxCodeId, 40, printable, "a tax code id";
    /// A QuickBooks bill (its `Id`).
    BillId, 40, printable, "a bill id";
    /// The idempotency key in the form QuickBooks takes (`requestid`).
    RequestId, 36, |b| b.is_ascii_alphanumeric(), "a request id";
    /// The nonce of the last write to a record: the optimistic check.
    OperationId, 40, printable, "an operation id";
    /// One try of one person to sync one order.
    AttemptId, 40, printable, "an attempt id";
}

/// The number of a scan run of one tenant; it rises by one with each run.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RunNumber(pub u64);

impl RunNumber {
    /// The run after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for RunNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_is_a_positive_whole_number() {
        assert_eq!(" 4711 ".parse::<OrderId>().unwrap(), OrderId::new(4711));
        for wrong in ["", "0", "-1", "12x", "1.0", "99999999999999999999", "４"] {
            assert!(wrong.parse::<OrderId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tenant_name_cannot_hold_a_path_or_a_space() {
        assert!("north-wind-2".parse::<TenantId>().is_ok());
        for wrong in ["", "A", "a b", "../a", "a_b", &"a".repeat(41)] {
            assert!(wrong.parse::<TenantId>().is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<TenantId>("\"A/B\"").is_err());
    }
}
