//! Reading and writing JSON values without ever passing through a binary float.

use jiff::{Timestamp, tz::TimeZone};
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value, json};

/// The decimal a JSON number (or numeric string) stands for.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    Decimal::from_str_exact(&text)
        .or_else(|_| Decimal::from_scientific(&text))
        .ok()
}

/// A decimal as a JSON number with the same digits.
pub(super) fn number(value: Decimal) -> Value {
    value
        .to_string()
        .parse::<Number>()
        .map_or(Value::Null, Value::Number)
}

/// Money as the service writes it: two decimals.
pub(super) fn money(value: Decimal) -> Value {
    let mut value = value;
    value.rescale(2);
    number(value)
}

/// The text member `name` of `body`.
pub(super) fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

/// The `value` of the reference member `name` of `body`.
pub(super) fn reference<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    body.get(name)
        .and_then(|reference| reference.get("value"))
        .and_then(Value::as_str)
}

/// `{"value": id}`.
pub(super) fn ref_to(id: &str) -> Value {
    json!({ "value": id })
}

/// The value at a dotted path.
pub(super) fn at_path<'a>(body: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let mut value = body.get(parts.next()?)?;
    for part in parts {
        value = value.get(part)?;
    }
    Some(value)
}

/// The zone in which the service keeps its clocks.
pub(super) fn pacific() -> TimeZone {
    TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC)
}

/// `2014-12-31T09:59:18-08:00`, the way `MetaData` times are written.
pub(super) fn meta_time(at: Timestamp) -> String {
    at.to_zoned_datetime(pacific())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

/// `2014-12-31T09:59:17.449-08:00`, the way the envelope's `time` is written.
pub(super) fn envelope_time(at: Timestamp) -> String {
    at.to_zoned_datetime(pacific())
        .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::{decimal, envelope_time, meta_time, money};

    #[test]
    fn numbers_keep_their_digits() {
        let value: serde_json::Value = serde_json::from_str("1861.0750").expect("a number");
        let parsed = decimal(&value).expect("a decimal");
        assert_eq!(parsed.to_string(), "1861.0750");
        assert_eq!(money(parsed.round_dp(2)).to_string(), "1861.08");
    }

    #[test]
    fn times_are_pacific() {
        let at = "2026-01-15T18:00:00.123456Z".parse().expect("a time");
        assert_eq!(meta_time(at), "2026-01-15T10:00:00-08:00");
        assert_eq!(envelope_time(at), "2026-01-15T10:00:00.123-08:00");
    }
}
