//! `{Entity}/entityInformation` (vendor page `REST_EntityInformationCall`).

use serde_json::Value;

use crate::wire::row::{Garbled, Row};

/// What the API user may do with one entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Access {
    /// Whether it may be queried.
    pub(crate) query: bool,
    /// Whether it may be updated.
    pub(crate) update: bool,
}

/// Reads the access; what is not said counts as not allowed.
pub(crate) fn read(answer: &Value) -> Result<Access, Garbled> {
    let row = Row::of(answer).ok_or(Garbled("info"))?;
    let info = row.get("info").and_then(Row::of).ok_or(Garbled("info"))?;
    let allowed = |user: &'static str, entity: &'static str| -> Result<bool, Garbled> {
        let entity = info.flag(entity)?;
        let user = info.text(user)?.map(|level| is_some_access(&level));
        Ok(entity.unwrap_or(true) && user.or(entity).unwrap_or(false))
    };
    Ok(Access {
        query: allowed("userAccessForQuery", "canQuery")?,
        update: allowed("userAccessForUpdate", "canUpdate")?,
    })
}

/// 0 None, 1 All, 2 Restricted; as numbers or as words.
fn is_some_access(level: &str) -> bool {
    let level = level.trim();
    !(level.is_empty() || level == "0" || level.eq_ignore_ascii_case("none"))
}
