//! Which JSON members the service knows, and what each may hold.
//!
//! The service refuses unknown members anywhere in a body (2010) and over-long texts (2050). The
//! tables of each entity live in [`super::shapes`].

use serde_json::{Map, Value};

use super::{refusal::Refusal, value::decimal};

/// What one member may hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A string of at most so many characters.
    Text(usize),
    /// A string of decimal digits.
    Id,
    /// `YYYY-MM-DD`.
    Date,
    /// A JSON number.
    Decimal,
    /// `true` or `false`.
    Flag,
    /// `{"value": "...", "name": "..."}`.
    Reference,
    /// An object with a class of its own.
    Object(&'static str, &'static [Member]),
    /// An array of such objects.
    List(&'static str, &'static [Member]),
    /// Decoration of the service that is accepted and ignored, whatever it holds.
    Opaque,
}

/// One known member of a class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member(pub(super) &'static str, pub(super) Shape);

/// Checks `body` against the members of `class`; an unknown member is reported alone, the rest
/// together.
pub(super) fn check(
    class: &str,
    members: &[Member],
    body: &Map<String, Value>,
) -> Result<(), Refusal> {
    let mut found = Vec::new();
    check_members("", class, members, body, &mut found)?;
    Refusal::all(found).map_or(Ok(()), Err)
}

fn check_members(
    path: &str,
    class: &str,
    members: &[Member],
    body: &Map<String, Value>,
    found: &mut Vec<Refusal>,
) -> Result<(), Refusal> {
    for (name, value) in body {
        let Some(member) = members.iter().find(|member| member.0 == name) else {
            let known: Vec<&str> = members.iter().map(|member| member.0).collect();
            return Err(Refusal::unknown_property(name, class, &known));
        };
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        check_value(&path, member.1, value, found)?;
    }
    Ok(())
}

fn check_value(
    path: &str,
    shape: Shape,
    value: &Value,
    found: &mut Vec<Refusal>,
) -> Result<(), Refusal> {
    match shape {
        Shape::Text(max) => check_text(path, max, value, found)?,
        Shape::Id => match value.as_str() {
            Some(id) if is_id(id) => {}
            Some(id) => found.push(Refusal::bad_id(path, id)),
            None => found.push(Refusal::bad_id(path, &value.to_string())),
        },
        Shape::Date => match value.as_str() {
            Some(text) if text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10 => {}
            _ => found.push(Refusal::bad_date(path, &plain(value))),
        },
        Shape::Decimal => {
            if !value.is_number() || decimal(value).is_none() {
                found.push(Refusal::bad_number(path, &plain(value)));
            }
        }
        Shape::Flag => {
            if !value.is_boolean() {
                return Err(Refusal::bad_property(&format!(
                    "{path} should be a boolean"
                )));
            }
        }
        Shape::Reference => check_reference(path, value, found)?,
        Shape::Object(class, members) => {
            let object = value
                .as_object()
                .ok_or_else(|| wrong_kind(path, "an object"))?;
            check_members(path, class, members, object, found)?;
        }
        Shape::List(class, members) => {
            let list = value
                .as_array()
                .ok_or_else(|| wrong_kind(path, "an array"))?;
            for element in list {
                let object = element
                    .as_object()
                    .ok_or_else(|| wrong_kind(path, "an array"))?;
                check_members(path, class, members, object, found)?;
            }
        }
        Shape::Opaque => {}
    }
    Ok(())
}

fn check_text(
    path: &str,
    max: usize,
    value: &Value,
    found: &mut Vec<Refusal>,
) -> Result<(), Refusal> {
    let text = value.as_str().ok_or_else(|| wrong_kind(path, "a string"))?;
    let length = text.chars().count();
    if length > max {
        let element = path.rsplit('.').next().unwrap_or(path);
        found.push(Refusal::bad_length(element, max, length));
    }
    Ok(())
}

fn check_reference(path: &str, value: &Value, found: &mut Vec<Refusal>) -> Result<(), Refusal> {
    const KNOWN: [&str; 3] = ["value", "name", "type"];
    let object = value
        .as_object()
        .ok_or_else(|| wrong_kind(path, "a reference"))?;
    for (name, part) in object {
        if !KNOWN.contains(&name.as_str()) {
            return Err(Refusal::unknown_property(name, "ReferenceType", &KNOWN));
        }
        if !part.is_string() {
            return Err(wrong_kind(&format!("{path}.{name}"), "a string"));
        }
    }
    if object
        .get("value")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        found.push(Refusal::missing(path));
    }
    Ok(())
}

fn wrong_kind(path: &str, wanted: &str) -> Refusal {
    Refusal::bad_property(&format!("{path} should be {wanted}"))
}

/// True for a string of 1 to 19 decimal digits.
pub(super) fn is_id(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Refuses the first text of `body` that ISO-8859-1 cannot hold.
pub(super) fn check_latin1(body: &Map<String, Value>) -> Result<(), Refusal> {
    for (name, value) in body {
        check_latin1_value(name, value)?;
    }
    Ok(())
}

fn check_latin1_value(name: &str, value: &Value) -> Result<(), Refusal> {
    match value {
        Value::String(text) if text.chars().any(|character| u32::from(character) > 0xFF) => {
            Err(Refusal::bad_characters(name))
        }
        Value::Array(list) => list
            .iter()
            .try_for_each(|element| check_latin1_value(name, element)),
        Value::Object(object) => check_latin1(object),
        _ => Ok(()),
    }
}
