//! What every write shares: the context of a rule, and the merge of an update with what is stored.

use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value};

use super::{
    kind::Kind,
    refusal::Refusal,
    shape::{check, check_latin1},
    switches::QuickBooksSwitches,
    value::{pacific, text},
    world::{Record, World},
};

/// Members that belong to the service; what a client sends in them is ignored.
const SERVICE_MEMBERS: [&str; 7] = [
    "Id",
    "SyncToken",
    "domain",
    "sparse",
    "MetaData",
    "status",
    "V4IDPseudonym",
];

/// What a rule may look at besides the world.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) switches: &'a QuickBooksSwitches,
    pub(super) now: Timestamp,
    /// `include=allowduplicatedocnum` was sent.
    pub(super) allow_duplicate_number: bool,
}

impl Rules<'_> {
    /// Today where the service runs.
    pub(super) fn today(&self) -> Date {
        self.now.to_zoned_datetime(pacific()).date()
    }
}

/// Checks members, lengths and characters of a body.
pub(super) fn check_body(
    world: &World,
    rules: Rules<'_>,
    kind: Kind,
    body: &Map<String, Value>,
) -> Result<(), Refusal> {
    let members = kind
        .members()
        .ok_or_else(|| Refusal::unsupported(&format!("write of {}", kind.name())))?;
    check(kind.name(), members, body)?;
    if world.profile.is_us() && rules.switches.latin1_only {
        check_latin1(body)?;
    }
    Ok(())
}

/// The stored object an update or delete names, if its `SyncToken` is the present one.
pub(super) fn versioned<'a>(
    world: &'a World,
    kind: Kind,
    body: &Map<String, Value>,
) -> Result<&'a Record, Refusal> {
    let id = text(body, "Id").ok_or_else(|| Refusal::missing("Id"))?;
    let token = text(body, "SyncToken").ok_or_else(|| Refusal::missing("SyncToken"))?;
    let record = world.get(kind, id).ok_or_else(Refusal::not_found)?;
    if token == record.sync.to_string() {
        Ok(record)
    } else {
        Err(Refusal::stale())
    }
}

/// The body after an update: a sparse one keeps what was not sent, a full one clears it.
///
/// Members the service fills itself (`kept`) survive a full update.
pub(super) fn merged(
    old: Option<&Record>,
    sent: &Map<String, Value>,
    kept: &[&str],
) -> Map<String, Value> {
    let sparse = sent.get("sparse") == Some(&Value::Bool(true));
    let mut body = match old {
        Some(record) if sparse => record.body.clone(),
        Some(record) => record
            .body
            .iter()
            .filter(|(name, _)| kept.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        None => Map::new(),
    };
    for (name, value) in sent {
        if !SERVICE_MEMBERS.contains(&name.as_str()) {
            body.insert(name.clone(), value.clone());
        }
    }
    body
}

/// Puts `value` where the client sent none.
pub(super) fn default(body: &mut Map<String, Value>, name: &str, value: Value) {
    if !body.contains_key(name) {
        body.insert(name.to_owned(), value);
    }
}
