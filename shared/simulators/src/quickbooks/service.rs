//! One company's resources: which request does what.

use http::Method;
use jiff::{SignedDuration, Timestamp, civil::Date};
use serde_json::{Map, Value, json};

use super::{
    accounts, bills,
    incoming::Incoming,
    items,
    kind::Kind,
    people,
    refusal::Refusal,
    reply::Reply,
    rules::{Rules, check_body},
    select,
    shape::is_id,
    statement,
    switches::{QuickBooksSwitches, RequestIdMode},
    value::{meta_time, number},
    world::{Dirty, Record, Replay, World},
};

/// The longest request id.
const REQUEST_ID_CHARS_MAX: usize = 50;

/// Answers one request that was let through.
pub(super) fn serve(
    world: &mut World,
    switches: &QuickBooksSwitches,
    incoming: &Incoming,
    now: Timestamp,
) -> Reply {
    if incoming.is_write() {
        return write_once(world, switches, incoming, now);
    }
    read(world, switches, incoming, now).unwrap_or_else(|refusal| Reply::fault(&refusal, now))
}

/// Does a write, or repeats the answer its request id already had.
fn write_once(
    world: &mut World,
    switches: &QuickBooksSwitches,
    incoming: &Incoming,
    now: Timestamp,
) -> Reply {
    let request_id = incoming.parameter("requestid").filter(|id| !id.is_empty());
    let max = if incoming.resource() == "batch" {
        36
    } else {
        REQUEST_ID_CHARS_MAX
    };
    if request_id.is_some_and(|id| id.chars().count() > max) {
        return Reply::fault(&Refusal::bad_request_id(), now);
    }
    if let Some(replay) = request_id.and_then(|id| known_answer(world, switches, id, now)) {
        return Reply::replayed(replay.status, replay.body.clone());
    }
    let reply =
        write(world, switches, incoming, now).unwrap_or_else(|refusal| Reply::fault(&refusal, now));
    if let Some(id) = request_id {
        remember(world, switches, id, &reply, now);
    }
    reply
}

/// The kept answer of a request id, as far as the switch lets it be known yet.
pub(super) fn known_answer<'a>(
    world: &'a World,
    switches: &QuickBooksSwitches,
    id: &str,
    now: Timestamp,
) -> Option<&'a Replay> {
    let replay = world.replays.get(id)?;
    let race = i64::try_from(switches.request_id_race_ms).unwrap_or(i64::MAX);
    match switches.request_id {
        RequestIdMode::Honoured => Some(replay),
        RequestIdMode::Racy => {
            let age = now.duration_since(replay.committed);
            (age >= SignedDuration::from_millis(race)).then_some(replay)
        }
        RequestIdMode::Ignored => None,
    }
}

pub(super) fn remember(
    world: &mut World,
    switches: &QuickBooksSwitches,
    id: &str,
    reply: &Reply,
    now: Timestamp,
) {
    let super::reply::Body::Json(body) = &reply.body else {
        return;
    };
    let failed = !reply.status.is_success() || body.contains("\"Fault\":{");
    if (failed && !switches.request_id_keeps_faults) || world.replays.contains_key(id) {
        return;
    }
    let kept = Replay {
        committed: now,
        status: reply.status.as_u16(),
        body: body.clone(),
    };
    world.replays.insert(id.to_owned(), kept);
    world.dirty.insert(Dirty::Replay(id.to_owned()));
}

fn write(
    world: &mut World,
    switches: &QuickBooksSwitches,
    incoming: &Incoming,
    now: Timestamp,
) -> Result<Reply, Refusal> {
    if incoming.content_type != "application/json" {
        return Err(Refusal::unsupported_media_type());
    }
    if incoming.segments.len() != 2 {
        return Err(Refusal::unsupported(&incoming.path));
    }
    let body: Value = serde_json::from_slice(&incoming.body)
        .map_err(|_| Refusal::bad_property("Unexpected character in the request body"))?;
    let Value::Object(body) = body else {
        return Err(Refusal::bad_property(
            "The request body should be an object",
        ));
    };
    if incoming.resource() == "batch" {
        let id = incoming.parameter("requestid").filter(|id| !id.is_empty());
        return super::batch::run(world, switches, &body, id, now);
    }
    let kind = Kind::from_segment(incoming.resource())
        .ok_or_else(|| Refusal::unsupported(&incoming.path))?;
    let include = incoming.parameter("include").unwrap_or_default();
    let rules = Rules {
        switches,
        now,
        allow_duplicate_number: include == "allowduplicatedocnum",
    };
    let operation = if include == "void" {
        Some("void")
    } else {
        incoming.parameter("operation")
    };
    apply(world, rules, kind, operation, &body)
}

/// Carries out one operation of a POST or of a batch item.
pub(super) fn apply(
    world: &mut World,
    rules: Rules<'_>,
    kind: Kind,
    operation: Option<&str>,
    body: &Map<String, Value>,
) -> Result<Reply, Refusal> {
    let is_transaction = matches!(kind, Kind::Bill | Kind::PurchaseOrder);
    match operation {
        None => {}
        Some("update") if body.contains_key("Id") => {}
        Some("update") => return Err(Refusal::missing("Id")),
        Some("create") if !body.contains_key("Id") => {}
        Some("delete") if is_transaction => {
            let id = bills::delete(world, rules, kind, body)?;
            let gone = json!({ "status": "Deleted", "domain": "QBO", "Id": id.to_string() });
            return Ok(Reply::entity(kind.name(), gone, rules.now));
        }
        Some("void") => return Err(Refusal::system(http::StatusCode::OK)),
        Some(other) => return Err(Refusal::unsupported(other)),
    }
    let id = match kind {
        Kind::Bill | Kind::PurchaseOrder => bills::save(world, rules, kind, body)?,
        Kind::Vendor | Kind::Customer => people::save(world, rules, kind, body)?,
        Kind::Item => items::save(world, rules, body)?,
        Kind::Account => accounts::save(world, rules, body)?,
        Kind::Term => accounts::save_term(world, rules, body)?,
        Kind::Attachable => save_attachable(world, rules, body)?,
        Kind::Class | Kind::CompanyCurrency | Kind::Department | Kind::Employee | Kind::TaxCode => {
            return Err(Refusal::unsupported(&format!("write of {}", kind.name())));
        }
    };
    let record = world
        .get(kind, &id.to_string())
        .ok_or_else(Refusal::not_found)?;
    Ok(Reply::entity(kind.name(), world.render(record), rules.now))
}

fn save_attachable(
    world: &mut World,
    rules: Rules<'_>,
    sent: &Map<String, Value>,
) -> Result<u64, Refusal> {
    check_body(world, rules, Kind::Attachable, sent)?;
    if sent.contains_key("Id") {
        return Err(Refusal::unsupported("update of Attachable"));
    }
    if !sent.contains_key("Note") && !sent.contains_key("FileName") {
        return Err(Refusal::missing("Note"));
    }
    let links = sent
        .get("AttachableRef")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for link in &links {
        let entity = &link["EntityRef"];
        let kind = entity["type"].as_str().and_then(Kind::from_name);
        let id = entity["value"].as_str().unwrap_or_default();
        if kind.and_then(|kind| world.get(kind, id)).is_none() {
            return Err(Refusal::bad_reference("Txns", id));
        }
    }
    Ok(world.add(Kind::Attachable, sent.clone(), rules.now))
}

fn read(
    world: &World,
    switches: &QuickBooksSwitches,
    incoming: &Incoming,
    now: Timestamp,
) -> Result<Reply, Refusal> {
    if incoming.resource() == "query" {
        if incoming.is_post() && incoming.content_type != "application/text" {
            return Err(Refusal::unsupported_media_type());
        }
        let rows = query(world, switches, &incoming.statement(), now)?;
        return Ok(Reply::entity("QueryResponse", rows, now));
    }
    if incoming.method != Method::GET {
        return Err(Refusal::unsupported(incoming.method.as_str()));
    }
    let segments: Vec<&str> = incoming
        .segments
        .iter()
        .skip(1)
        .map(String::as_str)
        .collect();
    match segments.as_slice() {
        ["preferences"] => Ok(Reply::entity(
            "Preferences",
            world.profile.preferences_body(),
            now,
        )),
        ["companyinfo", realm] if *realm == world.profile.realm => Ok(Reply::entity(
            "CompanyInfo",
            world.profile.company_info_body(),
            now,
        )),
        ["companyinfo", _] => Err(Refusal::not_found()),
        ["cdc"] => changes(world, switches, incoming, now),
        ["exchangerate"] => exchange_rate(world, incoming, now),
        [segment, id] => {
            let kind =
                Kind::from_segment(segment).ok_or_else(|| Refusal::unsupported(&incoming.path))?;
            if !is_id(id) {
                return Err(Refusal::bad_id("Id", id));
            }
            let record = world.get(kind, id).ok_or_else(Refusal::not_found)?;
            Ok(Reply::entity(kind.name(), world.render(record), now))
        }
        _ => Err(Refusal::unsupported(&format!(
            "Could not find resource for relative : {}",
            incoming.path
        ))),
    }
}

/// Runs one query statement.
pub(super) fn query(
    world: &World,
    switches: &QuickBooksSwitches,
    text: &str,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let statement = statement::parse(text)?;
    select::run(world, &statement, |record| {
        is_visible(switches, record, now)
    })
}

/// A new bill stays out of queries for the time the switch says.
fn is_visible(switches: &QuickBooksSwitches, record: &Record, now: Timestamp) -> bool {
    let lag = i64::try_from(switches.query_lag_ms).unwrap_or(i64::MAX);
    record.kind != Kind::Bill
        || now.duration_since(record.created) >= SignedDuration::from_millis(lag)
}

/// Change data capture.
fn changes(
    world: &World,
    switches: &QuickBooksSwitches,
    incoming: &Incoming,
    now: Timestamp,
) -> Result<Reply, Refusal> {
    const OBJECTS_MAX: usize = 1000;
    let since = incoming
        .parameter("changedSince")
        .ok_or_else(|| Refusal::missing("changedSince"))?;
    let since = select::time(since).ok_or_else(|| Refusal::bad_date("changedSince", since))?;
    if now.duration_since(since) > SignedDuration::from_hours(30 * 24) {
        return Err(Refusal::business(
            "changedSince can look back 30 days at most.",
        ));
    }
    let names = incoming
        .parameter("entities")
        .filter(|names| !names.is_empty());
    let names = names.ok_or_else(|| Refusal::missing("entities"))?;
    let mut left = OBJECTS_MAX;
    let mut responses = Vec::new();
    for name in names.split(',').map(str::trim) {
        let kind = Kind::from_name(name)
            .filter(|kind| kind.is_captured())
            .ok_or_else(|| Refusal::bad_choice("entities", name))?;
        let mut found: Vec<&Record> = world
            .all(kind)
            .filter(|record| record.updated.as_second() >= since.as_second())
            .filter(|record| is_visible(switches, record, now))
            .collect();
        found.sort_by_key(|record| (record.updated, record.id));
        found.truncate(left);
        left -= found.len();
        let rows: Vec<Value> = found
            .into_iter()
            .map(|record| changed(world, record))
            .collect();
        responses.push(if rows.is_empty() {
            json!({})
        } else {
            let count = rows.len();
            json!({ name: rows, "startPosition": 1, "maxResults": count })
        });
    }
    let body = json!([{ "QueryResponse": responses }]);
    Ok(Reply::entity("CDCResponse", body, now))
}

fn changed(world: &World, record: &Record) -> Value {
    if !record.deleted {
        return world.render(record);
    }
    json!({
        "status": "Deleted",
        "domain": "QBO",
        "Id": record.id.to_string(),
        "MetaData": { "LastUpdatedTime": meta_time(record.updated) },
    })
}

fn exchange_rate(world: &World, incoming: &Incoming, now: Timestamp) -> Result<Reply, Refusal> {
    if !world.profile.multi_currency() {
        return Err(Refusal::not_in_plan(
            "Multicurrency is turned off for this company.",
        ));
    }
    let currency = incoming
        .parameter("sourcecurrencycode")
        .ok_or_else(|| Refusal::missing("sourcecurrencycode"))?;
    let today = now.to_zoned_datetime(super::value::pacific()).date();
    let day: Date = match incoming.parameter("asofdate") {
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::bad_date("asofdate", text))?,
        None => today,
    };
    let home = world.profile.home_currency();
    let rate = if currency == home {
        json!(1)
    } else {
        let rate = world
            .profile
            .rate(currency, day)
            .ok_or_else(Refusal::not_found)?;
        number(rate.home_units)
    };
    let body = json!({
        "SourceCurrencyCode": currency,
        "TargetCurrencyCode": home,
        "Rate": rate,
        "AsOfDate": day.to_string(),
        "domain": "QBO",
        "sparse": false,
        "MetaData": { "LastUpdatedTime": meta_time(now) },
    });
    Ok(Reply::entity("ExchangeRate", body, now))
}
