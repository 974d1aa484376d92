//! Small conversions between JSON values and what the rules reason about.

use std::str::FromStr;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

/// One row: camel-case field names with their values.
pub(super) type Row = Map<String, Value>;

pub(super) fn long(row: &Row, name: &str) -> Option<i64> {
    row.get(name).and_then(Value::as_i64)
}

pub(super) fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.get(name).and_then(Value::as_str)
}

pub(super) fn flag(row: &Row, name: &str) -> bool {
    row.get(name).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn time(row: &Row, name: &str) -> Option<Timestamp> {
    text(row, name).and_then(instant)
}

/// Reads an instant as the vendor does: with or without time, fraction and zone, UTC by default.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let local = match text.parse::<DateTime>() {
        Ok(local) => local,
        Err(_) => text
            .parse::<Date>()
            .ok()?
            .to_datetime(jiff::civil::Time::midnight()),
    };
    TimeZone::UTC.to_timestamp(local).ok()
}

/// The decimal value of a JSON number's own text.
pub(super) fn decimal(number: &Number) -> Option<Decimal> {
    let text = number.to_string();
    Decimal::from_str(&text)
        .or_else(|_| Decimal::from_scientific(&text))
        .ok()
}

/// A JSON number with exactly this text, or null when it is none.
pub(super) fn number(text: &str) -> Value {
    serde_json::from_str::<Number>(text.trim()).map_or(Value::Null, Value::Number)
}

pub(super) fn time_value(time: Timestamp) -> Value {
    Value::String(time.to_string())
}
