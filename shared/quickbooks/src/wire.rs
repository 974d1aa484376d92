//! Exactly what QuickBooks writes, read tolerantly, and turned into our words at once.
//!
//! Every member is optional, unknown ones are ignored, ids come as text or number, and decimals are
//! read from the number's text. No type of these modules leaves the crate.

mod bill;
mod company;
mod lists;

pub(crate) use bill::BillWire;
pub(crate) use company::{CompanyInfoWire, PreferencesWire, RateWire, single};
pub(crate) use lists::{
    AccountWire, CustomerWire, EmployeeWire, ItemWire, TaxCodeWire, TermWire, VendorWire,
};
use purser_core::money::{Currency, decimal_from_text};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// Reads one record. A member that is null counts as absent; `None` when it has another form.
pub(crate) fn read<T: DeserializeOwned>(record: &Value) -> Option<T> {
    serde_json::from_value(without_nulls(record)).ok()
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name.clone(), without_nulls(member)))
            .collect(),
        Value::Array(rows) => rows.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// A reference to another record; `name` is decoration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reference {
    #[serde(deserialize_with = "text")]
    pub(crate) value: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(crate) name: Option<String>,
}

impl Reference {
    /// The id it points to, when it is one of ours.
    pub(crate) fn id<T: std::str::FromStr>(&self) -> Option<T> {
        self.value.as_deref()?.parse().ok()
    }
}

/// A currency reference as a currency.
pub(crate) fn currency(reference: Option<&Reference>) -> Option<Currency> {
    reference?.id()
}

/// A text that may come as a number or not at all; blank counts as absent.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    })
}

/// A flag that may come as text.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::Bool(flag)) => Some(flag),
        Some(Value::String(text)) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    })
}

/// A decimal from a number's text (`0`, `0.00`, `1e2`), never by way of a float; `None` when it
/// cannot be read exactly.
pub(crate) fn decimal<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| exactly(&value)))
}

/// The same where a number that is passed over would make another one wrong: what is there and
/// cannot be read exactly makes its record unreadable.
pub(crate) fn exact_decimal<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    let unreadable = || serde::de::Error::custom("not an exact number");
    let value = Option::<Value>::deserialize(deserializer)?;
    let exact = value.map(|value| exactly(&value).ok_or_else(unreadable));
    exact.transpose()
}

fn exactly(number: &Value) -> Option<Decimal> {
    let text = match number {
        Value::Number(number) => &number.to_string(),
        Value::String(text) => text,
        _ => return None,
    };
    decimal_from_text(text).ok()
}
