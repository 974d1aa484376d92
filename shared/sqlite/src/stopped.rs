//! Why a piece of work on the file stopped, and what callers are told of it.

use purser_core::ports::StoreError;
use rusqlite::ErrorCode;

/// Why a piece of work stopped.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// SQLite said so.
    Sql(rusqlite::Error),
    /// What is stored, or is to be stored, is not as it must be.
    Store(StoreError),
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Stopped> for StoreError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Sql(error) => from_sql(&error),
            Stopped::Store(error) => error,
        }
    }
}

/// SQLite's messages name tables and codes, never values; they are safe for logs.
fn from_sql(error: &rusqlite::Error) -> StoreError {
    let text = error.to_string();
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => StoreError::Full(text),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Unreadable(text),
            _ => StoreError::Unavailable(text),
        },
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..) => StoreError::Unreadable(text),
        _ => StoreError::Unavailable(text),
    }
}
