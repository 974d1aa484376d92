//! Writing: what holds for every entity, before its own rules are asked.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    fields::{Access, Field, FieldType},
    metadata,
    reply::{Outcome, Refusal},
    rules,
    schema::Entity,
    value::{Row, instant, long, time_value},
    world::World,
};

/// How a row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    /// Changes what is named.
    Patch,
    /// Empties what is not named.
    Put,
}

impl Verb {
    fn doing(self) -> &'static str {
        match self {
            Self::Create => "creating",
            Self::Patch | Self::Put => "updating",
        }
    }
}

/// Writes one row of `entity`; `parent` comes from the address.
pub(super) fn write(
    world: &mut World,
    entity: Entity,
    verb: Verb,
    parent: Option<i64>,
    body: &Value,
    now: Timestamp,
) -> Outcome {
    let refuse = |reason: String| Refusal::write(&reason, verb.doing());
    let result = match verb {
        Verb::Create => create(world, entity, parent, body, now),
        Verb::Patch | Verb::Put => update(world, entity, verb, parent, body, now),
    };
    result.map(|id| json!({ "itemId": id })).map_err(refuse)
}

/// Removes one row.
pub(super) fn delete(
    world: &mut World,
    entity: Entity,
    parent: Option<i64>,
    id: &str,
    now: Timestamp,
) -> Outcome {
    let id: i64 = id.parse().map_err(|_| Refusal::NoSuchResource)?;
    let row = world.row(entity, id).filter(|row| {
        let field = entity.parent_field();
        parent.is_none_or(|parent| field.and_then(|f| long(row, f)) == Some(parent))
    });
    if row.is_none() {
        return Err(Refusal::write("The record does not exist", "deleting"));
    }
    world.linger(entity, id, now);
    world.remove(entity, id);
    Ok(json!({ "itemId": id }))
}

fn create(
    world: &mut World,
    entity: Entity,
    parent: Option<i64>,
    body: &Value,
    now: Timestamp,
) -> Result<i64, String> {
    let mut row = accepted(world, entity, body, Verb::Create)?;
    if let (Some(field), Some(parent)) = (entity.parent_field(), parent) {
        match long(&row, field) {
            Some(named) if named == parent => {}
            Some(_) => return Err(format!("The {field} does not match the parent in the URL")),
            None => return Err(missing(field)),
        }
    }
    check_complete(entity, &row)?;
    stamp(world, entity, &mut row, now);
    let id = world.new_id(entity);
    rules::check(world, entity, None, &mut row, now)?;
    world.linger(entity, id, now);
    world.put(entity, id, row);
    rules::follow_up(world, entity, id, now);
    Ok(id)
}

fn update(
    world: &mut World,
    entity: Entity,
    verb: Verb,
    parent: Option<i64>,
    body: &Value,
    now: Timestamp,
) -> Result<i64, String> {
    let id = body
        .as_object()
        .into_iter()
        .flatten()
        .find(|(key, _)| key.eq_ignore_ascii_case("id"));
    let id = id
        .and_then(|(_, id)| id.as_i64())
        .ok_or_else(|| missing("id"))?;
    let before = world.row(entity, id).cloned();
    let before = before.ok_or_else(|| "The record does not exist".to_owned())?;
    let parent_field = entity.parent_field();
    if parent.is_some() && parent_field.and_then(|field| long(&before, field)) != parent {
        return Err("The record does not belong to the parent in the URL".into());
    }
    let changes = accepted(world, entity, body, verb)?;
    let mut row = before.clone();
    if verb == Verb::Put {
        for field in entity
            .fields()
            .iter()
            .filter(|field| field.access == Access::Writable)
        {
            row.insert(field.name.into(), Value::Null);
        }
    }
    row.extend(changes);
    check_complete(entity, &row)?;
    rules::check(world, entity, Some(&before), &mut row, now)?;
    world.linger(entity, id, now);
    world.put(entity, id, row);
    rules::follow_up(world, entity, id, now);
    Ok(id)
}

/// The members of a body that count, with the fields' own names and checked values.
fn accepted(world: &World, entity: Entity, body: &Value, verb: Verb) -> Result<Row, String> {
    let mut row = Row::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        let Some(field) = entity.field(name) else {
            continue;
        };
        let is_open = match field.access {
            Access::Writable => true,
            Access::CreateOnly => verb == Verb::Create,
            Access::ServerOnly => false,
        };
        if field.name == "id" {
            continue;
        }
        if is_open {
            row.insert(field.name.to_owned(), checked(world, entity, field, value)?);
        } else if world.profile.switches().read_only_rejected {
            return Err(format!("The field {} is read-only", field.name));
        }
    }
    Ok(row)
}

/// A value that fits its field.
fn checked(world: &World, entity: Entity, field: &Field, value: &Value) -> Result<Value, String> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let unfit = || format!("Error converting value for the field {}", field.name);
    let value = match (field.kind, value) {
        (FieldType::Text(length), Value::String(text)) => {
            if text.encode_utf16().count() > usize::try_from(length).unwrap_or(usize::MAX) {
                let name = field.name;
                return Err(format!(
                    "String value exceeds maximum length (field:{name})"
                ));
            }
            value.clone()
        }
        (FieldType::Integer, Value::Number(number)) => {
            let fits = number
                .as_i64()
                .is_some_and(|number| i32::try_from(number).is_ok());
            fits.then(|| value.clone()).ok_or_else(unfit)?
        }
        (FieldType::Long, Value::Number(number)) if number.as_i64().is_some() => value.clone(),
        (FieldType::Double, Value::Number(_)) | (FieldType::Boolean, Value::Bool(_)) => {
            value.clone()
        }
        (FieldType::DateTime, Value::String(text)) => time_value(instant(text).ok_or_else(unfit)?),
        _ => return Err(unfit()),
    };
    check_reference(world, entity, field, &value)?;
    Ok(value)
}

fn check_reference(
    world: &World,
    entity: Entity,
    field: &Field,
    value: &Value,
) -> Result<(), String> {
    let Some(id) = value
        .as_i64()
        .filter(|_| field.is_picklist || field.reference.is_some())
    else {
        return Ok(());
    };
    let is_offered = || {
        let choices = metadata::choices(world, entity, field.name);
        choices
            .iter()
            .any(|choice| choice.value == id && choice.is_active)
    };
    let exists = field
        .reference
        .map_or_else(is_offered, |target| world.row(target, id).is_some());
    if exists {
        return Ok(());
    }
    Err(no_such(field.name))
}

/// The vendor's words for a reference to nothing.
pub(super) fn no_such(field: &str) -> String {
    format!("Value does not reference an existing entity for {field} ")
}

fn missing(field: &str) -> String {
    format!("Missing Required Field: {field}")
}

fn check_complete(entity: Entity, row: &Row) -> Result<(), String> {
    let needed = |field: &&Field| field.is_required && field.access != Access::ServerOnly;
    let lacks = |field: &&Field| row.get(field.name).is_none_or(Value::is_null);
    match entity.fields().iter().filter(needed).find(lacks) {
        Some(field) => Err(missing(field.name)),
        None => Ok(()),
    }
}

/// Sets what the server knows about a new row.
fn stamp(world: &World, entity: Entity, row: &mut Row, now: Timestamp) {
    let creator = world.api_resource().map_or(Value::Null, Value::from);
    let named = |name: &str| entity.field(name).is_some();
    for name in ["createDateTime", "createDate", "createdTime"] {
        if named(name) {
            row.insert(name.into(), time_value(now));
        }
    }
    for name in [
        "creatorResourceID",
        "createdByResourceID",
        "receivedByResourceID",
    ] {
        if named(name) {
            row.insert(name.into(), creator.clone());
        }
    }
}
