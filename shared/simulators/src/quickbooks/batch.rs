//! Several operations in one request: each stands alone, and faults come under HTTP 200.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    kind::Kind,
    refusal::Refusal,
    reply::{Body, Reply},
    rules::Rules,
    service::{apply, known_answer, query, remember},
    switches::QuickBooksSwitches,
    value::{envelope_time, text},
    world::World,
};

const ITEMS_MAX: usize = 30;
const ITEM_ID_CHARS_MAX: usize = 10;

/// Runs every item and collects the answers under their `bId`.
pub(super) fn run(
    world: &mut World,
    switches: &QuickBooksSwitches,
    body: &Map<String, Value>,
    request_id: Option<&str>,
    now: Timestamp,
) -> Result<Reply, Refusal> {
    if let Some(name) = body.keys().find(|name| *name != "BatchItemRequest") {
        return Err(Refusal::unknown_property(
            name,
            "IntuitBatchRequest",
            &["BatchItemRequest"],
        ));
    }
    let items = body
        .get("BatchItemRequest")
        .and_then(Value::as_array)
        .filter(|items| !items.is_empty())
        .ok_or_else(|| Refusal::missing("BatchItemRequest"))?;
    if items.len() > ITEMS_MAX {
        return Err(Refusal::batch_too_large(ITEMS_MAX));
    }
    let mut answers = Vec::new();
    for item in items {
        let item = item
            .as_object()
            .ok_or_else(|| Refusal::missing("BatchItemRequest"))?;
        let id = text(item, "bId").ok_or_else(|| Refusal::missing("bId"))?;
        if request_id.is_some() && id.chars().count() > ITEM_ID_CHARS_MAX {
            return Err(Refusal::bad_request_id());
        }
        let key = request_id.map(|request_id| format!("{request_id}{id}"));
        let mut answer = run_once(world, switches, item, key.as_deref(), now);
        answer["bId"] = json!(id);
        answers.push(answer);
    }
    let envelope = json!({ "BatchItemResponse": answers, "time": envelope_time(now) });
    Ok(Reply::json(http::StatusCode::OK, &envelope))
}

fn run_once(
    world: &mut World,
    switches: &QuickBooksSwitches,
    item: &Map<String, Value>,
    key: Option<&str>,
    now: Timestamp,
) -> Value {
    if let Some(known) = key.and_then(|key| known_answer(world, switches, key, now)) {
        return without_time(&known.body);
    }
    match run_item(world, switches, item, now) {
        Ok(reply) => {
            if let Some(key) = key {
                remember(world, switches, key, &reply, now);
            }
            match &reply.body {
                Body::Json(body) => without_time(body),
                Body::Html(_) => json!({}),
            }
        }
        Err(refusal) => json!({ "Fault": refusal.fault() }),
    }
}

fn without_time(body: &str) -> Value {
    let mut value: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.remove("time");
    }
    value
}

fn run_item(
    world: &mut World,
    switches: &QuickBooksSwitches,
    item: &Map<String, Value>,
    now: Timestamp,
) -> Result<Reply, Refusal> {
    const KNOWN: [&str; 4] = ["bId", "operation", "optionsData", "Query"];
    if let Some(statement) = text(item, "Query") {
        let rows = query(world, switches, statement, now)?;
        return Ok(Reply::entity("QueryResponse", rows, now));
    }
    let mut entities = item
        .iter()
        .filter(|(name, _)| !KNOWN.contains(&name.as_str()));
    let (name, body) = entities.next().ok_or_else(|| Refusal::missing("Entity"))?;
    let kind = Kind::from_name(name)
        .ok_or_else(|| Refusal::unknown_property(name, "BatchItemRequest", &KNOWN))?;
    let body = body.as_object().ok_or_else(|| Refusal::missing(name))?;
    let operation = text(item, "operation").ok_or_else(|| Refusal::missing("operation"))?;
    let rules = Rules {
        switches,
        now,
        allow_duplicate_number: text(item, "optionsData") == Some("allowduplicatedocnum"),
    };
    apply(world, rules, kind, Some(operation), body)
}
