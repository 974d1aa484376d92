//! How every store reads what it has stored.

use crate::record::{RECORD_VERSION, SyncRecord};

use super::StoreError;

/// Reads the stored form of a record. One that is well-formed and says what this program does not know
/// was written by a newer one, and is left to that.
///
/// # Errors
///
/// [`StoreError::Newer`], or [`StoreError::Unreadable`] when it is damaged.
pub fn read_record(version: u32, body: &str) -> Result<SyncRecord, StoreError> {
    if version > RECORD_VERSION {
        return Err(StoreError::Newer(format!(
            "a record of version {version}; this program knows {RECORD_VERSION}"
        )));
    }
    serde_json::from_str(body).map_err(|error| {
        if error.is_data() {
            StoreError::Newer("a record that says what this program does not know".to_owned())
        } else {
            StoreError::Unreadable("a record".to_owned())
        }
    })
}
