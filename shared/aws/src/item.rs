//! Attributes of items, read and written.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use purser_core::ports::StoreError;

use crate::{
    error::unreadable,
    keys::{ItemKey, PARTITION, SORT},
};

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[expect(clippy::needless_pass_by_value, reason = "numbers are small")]
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An item of nothing but its key.
pub(crate) fn keyed(key: &ItemKey) -> Item {
    Item::from([
        (PARTITION.to_owned(), text(&key.partition)),
        (SORT.to_owned(), text(&key.sort)),
    ])
}

pub(crate) fn get_text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or_else(|| missing(name))
}

pub(crate) fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, StoreError> {
    find_number(item, name)?.ok_or_else(|| missing(name))
}

pub(crate) fn find_number<T: std::str::FromStr>(
    item: &Item,
    name: &str,
) -> Result<Option<T>, StoreError> {
    let Some(value) = item.get(name) else {
        return Ok(None);
    };
    let parsed = value.as_n().ok().and_then(|text| text.parse().ok());
    parsed.map(Some).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> StoreError {
    unreadable(format!("an item without a usable {name}"))
}
