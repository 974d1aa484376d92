//! How values of the domain stand in columns, both ways.

use jiff::Timestamp;
use purser_core::ports::StoreError;
use serde::{Serialize, de::DeserializeOwned};

/// A number as SQLite keeps it.
pub(crate) fn to_column(value: u64, what: &str) -> Result<i64, StoreError> {
    i64::try_from(value)
        .map_err(|_| StoreError::Unreadable(format!("{what} {value} is too large to be kept")))
}

/// A number as it was kept.
pub(crate) fn from_column(value: i64, what: &str) -> Result<u64, StoreError> {
    u64::try_from(value)
        .map_err(|_| StoreError::Unreadable(format!("{what} {value} is below zero")))
}

/// A time as SQLite keeps it: whole microseconds, which sort as the times do.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A time as it was kept.
pub(crate) fn timestamp(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros)
        .map_err(|_| StoreError::Unreadable(format!("{micros} microseconds is no time")))
}

/// A value as JSON text.
pub(crate) fn to_json<T: Serialize>(value: &T, what: &str) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|_| StoreError::Unreadable(format!("{what} has no JSON form")))
}

/// A value from JSON text. The error tells the place, never the content: it may be logged.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        StoreError::Unreadable(format!("{what} at line {line}, column {column}"))
    })
}

/// A name that must parse, such as a tenant's.
pub(crate) fn parse<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Unreadable(format!("a stored {what} is none")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_value_is_reported_by_place_and_not_by_content() {
        let error = from_json::<u32>("\"Blue Hill Dental\"", "a record").unwrap_err();
        assert!(!error.to_string().contains("Dental"), "{error}");
        assert!(error.to_string().contains("line 1"), "{error}");
    }

    #[test]
    fn a_number_beyond_the_columns_range_is_an_error_and_not_another_number() {
        assert!(to_column(u64::MAX, "the fence").is_err());
        assert!(from_column(-1, "the fence").is_err());
    }
}
