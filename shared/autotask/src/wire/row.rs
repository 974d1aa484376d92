//! One JSON object, read by field name in any letter case.
//!
//! Answers are camelCase today and were `PascalCase` before; numbers sometimes come as strings.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use purser_core::money::decimal_from_text;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::Value;
use thiserror::Error;

/// What is less than this is a trace that is left over of a sum of doubles: no cent depends on it.
const TRACE: f64 = 1e-9;

/// Part of an answer that is there but cannot be read. Names the field, never its value.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("unreadable field {0}")]
pub(crate) struct Garbled(pub(crate) &'static str);

/// One field of an object by its name in any letter case, unless it is absent or null. Where two differ
/// by that only, the last one counts.
pub(crate) fn field_of<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let fields = value.as_object()?.iter();
    let mut same = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    same.next_back()
        .map(|(_, value)| value)
        .filter(|value| !value.is_null())
}

/// The elements of an array field of an object, of which an answer may have thousands: only they are
/// copied. `None` when it is absent or null.
pub(crate) fn rows_of(value: &Value, field: &'static str) -> Result<Option<Vec<Row>>, Garbled> {
    let Some(value) = field_of(value, field) else {
        return Ok(None);
    };
    let elements = value.as_array().ok_or(Garbled(field))?;
    let rows: Option<Vec<Row>> = elements.iter().map(Row::of).collect();
    rows.ok_or(Garbled(field)).map(Some)
}

/// One object of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Row(BTreeMap<String, Value>);

impl Row {
    /// The object in `value`, if it is one.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let lower = |(key, value): (&String, &Value)| (key.to_ascii_lowercase(), value.clone());
        value
            .as_object()
            .map(|o| Self(o.iter().map(lower).collect()))
    }

    /// The field, unless it is absent or null.
    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        self.0
            .get(&field.to_ascii_lowercase())
            .filter(|value| !value.is_null())
    }

    /// An exact decimal from the number's text, never by way of floating point.
    pub(crate) fn decimal(&self, field: &'static str) -> Result<Option<Decimal>, Garbled> {
        let text = match self.get(field) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(_) => return Err(Garbled(field)),
        };
        decimal_from_text(&text)
            .map(Some)
            .map_err(|_| Garbled(field))
    }

    /// As [`Self::decimal`], but a trace of so many decimals that it cannot be kept is nothing.
    pub(crate) fn amount(&self, field: &'static str) -> Result<Option<Decimal>, Garbled> {
        let exact = self.decimal(field);
        let is_trace = match self.get(field) {
            Some(Value::Number(number)) => number.as_f64().is_some_and(|it| it.abs() < TRACE),
            _ => false,
        };
        match exact {
            Err(_) if is_trace => Ok(Some(Decimal::ZERO)),
            exact => exact,
        }
    }

    /// A whole number.
    pub(crate) fn integer(&self, field: &'static str) -> Result<Option<i64>, Garbled> {
        let Some(decimal) = self.decimal(field)? else {
            return Ok(None);
        };
        let whole = decimal
            .fract()
            .is_zero()
            .then(|| decimal.to_i64())
            .flatten();
        whole.ok_or(Garbled(field)).map(Some)
    }

    /// The row's id, which must be there.
    pub(crate) fn id(&self) -> Result<i64, Garbled> {
        self.integer("id")?.ok_or(Garbled("id"))
    }

    /// A text exactly as stored; a number is taken as its text.
    pub(crate) fn text(&self, field: &'static str) -> Result<Option<String>, Garbled> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(Garbled(field)),
        }
    }

    /// A yes or no.
    pub(crate) fn flag(&self, field: &'static str) -> Result<Option<bool>, Garbled> {
        let text = match self.get(field) {
            None => return Ok(None),
            Some(Value::Bool(flag)) => return Ok(Some(*flag)),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text.trim().to_ascii_lowercase(),
            Some(_) => return Err(Garbled(field)),
        };
        match text.as_str() {
            "" => Ok(None),
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(Garbled(field)),
        }
    }

    /// An instant: RFC 3339 with any fraction, UTC when no zone is written.
    pub(crate) fn time(&self, field: &'static str) -> Result<Option<Timestamp>, Garbled> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => read_time(text.trim()).ok_or(Garbled(field)).map(Some),
            Some(_) => Err(Garbled(field)),
        }
    }
}

fn read_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let civil: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

/// An instant as Autotask takes it: UTC with milliseconds.
pub(crate) fn write_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Row {
        Row::of(&serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn names_are_read_in_any_case_and_numbers_as_strings() {
        let row = row(r#"{"ID":"47","UnitCost":"0.10","Quantity":2.0,"name":null,"x":""}"#);
        assert_eq!(row.id(), Ok(47));
        assert_eq!(
            row.decimal("unitCost").unwrap().unwrap().to_string(),
            "0.10"
        );
        assert_eq!(row.integer("quantity"), Ok(Some(2)));
        assert_eq!(row.text("name"), Ok(None));
        assert_eq!(row.text("x"), Ok(Some(String::new())));
        assert_eq!(row.decimal("x"), Ok(None));
    }

    #[test]
    fn decimals_keep_every_digit() {
        let row = row(r#"{"a":0.1,"b":399.9900,"c":12345678901234567.89,"d":1e2,"e":{},"f":"x"}"#);
        let text = |field| row.decimal(field).unwrap().unwrap().to_string();
        assert_eq!(text("a"), "0.1");
        assert_eq!(text("b"), "399.9900");
        assert_eq!(text("c"), "12345678901234567.89");
        assert_eq!(text("d"), "100");
        assert_eq!(row.decimal("e"), Err(Garbled("e")));
        assert_eq!(row.decimal("f"), Err(Garbled("f")));
        assert_eq!(row.integer("a"), Err(Garbled("a")));
    }

    #[test]
    fn a_trace_of_a_sum_of_doubles_is_no_amount() {
        let row =
            row(r#"{"a":-2.842170943040401E-14,"b":0.12345678901234567890123456789,"c":12.5}"#);
        assert_eq!(row.decimal("a"), Err(Garbled("a")));
        assert_eq!(row.amount("a"), Ok(Some(Decimal::ZERO)));
        assert_eq!(row.amount("b"), Err(Garbled("b")));
        assert_eq!(row.amount("c"), row.decimal("c"));
        assert_eq!(row.amount("d"), Ok(None));
    }

    #[test]
    fn dates_come_with_any_fraction_and_with_or_without_zone() {
        let expected: Timestamp = "2026-01-05T14:03:22Z".parse().unwrap();
        for text in [
            "2026-01-05T14:03:22Z",
            "2026-01-05T14:03:22",
            "2026-01-05T14:03:22.0Z",
            "2026-01-05T14:03:22.0000000",
            "2026-01-05T15:03:22+01:00",
        ] {
            let row = row(&format!(r#"{{"t":"{text}"}}"#));
            assert_eq!(row.time("t"), Ok(Some(expected)), "{text}");
        }
        let day = row(r#"{"t":"2026-01-05","u":"soon"}"#);
        assert_eq!(
            day.time("t").unwrap().unwrap().to_string(),
            "2026-01-05T00:00:00Z"
        );
        assert_eq!(day.time("u"), Err(Garbled("u")));
        assert_eq!(write_time(expected), "2026-01-05T14:03:22.000Z");
    }

    #[test]
    fn flags_come_as_words_and_numbers() {
        let row = row(r#"{"a":true,"b":"False","c":1,"d":"","e":"maybe"}"#);
        assert_eq!(row.flag("a"), Ok(Some(true)));
        assert_eq!(row.flag("b"), Ok(Some(false)));
        assert_eq!(row.flag("c"), Ok(Some(true)));
        assert_eq!(row.flag("d"), Ok(None));
        assert_eq!(row.flag("e"), Err(Garbled("e")));
    }
}
