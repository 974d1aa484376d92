//! The filter of a query: what the vendor documents, with its oddities.
//!
//! An unknown operator drops its condition, an unknown field fails, a text never matches a key.

use std::cmp::Ordering;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    fields::{Field, FieldType},
    reply::Refusal,
    schema::Entity,
    value::{Row, decimal, instant},
};

const OR_CONDITIONS_MAX: usize = 500;
const NESTING_MAX: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    BeginsWith,
    EndsWith,
    Contains,
}

/// A value of a condition, read as the field's type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    /// Matches no row at all.
    Nothing,
    Number(Decimal),
    Text(String),
    Boolean(bool),
    Time(Timestamp),
}

#[derive(Debug)]
pub(super) enum Filter {
    And(Vec<Self>),
    Or(Vec<Self>),
    Compare(&'static Field, Comparison, Operand),
    In(&'static Field, Vec<Operand>),
    NotIn(&'static Field, Vec<Operand>),
    Exist(&'static Field),
    NotExist(&'static Field),
}

impl Filter {
    /// Reads the `filter` member of a query.
    pub(super) fn parse(entity: Entity, filter: &Value) -> Result<Self, Refusal> {
        let Value::Array(items) = filter else {
            return Err(Refusal::error(
                "Invalid query syntax. A query needs a filter array.",
            ));
        };
        let filter = Self::And(parse_all(entity, items, 0)?);
        if filter.or_conditions() > OR_CONDITIONS_MAX {
            return Err(Refusal::error(
                "Invalid query syntax. Queries are limited to 500 or fewer 'OR' conditions.",
            ));
        }
        Ok(filter)
    }

    fn or_conditions(&self) -> usize {
        match self {
            Self::And(items) => items.iter().map(Self::or_conditions).sum(),
            Self::Or(items) => items.iter().map(|item| item.or_conditions().max(1)).sum(),
            Self::In(_, values) | Self::NotIn(_, values) => values.len(),
            _ => 0,
        }
    }

    /// The only keys that rows can have in `field`, when the filter says so.
    pub(super) fn keys(&self, field: &str) -> Option<Vec<i64>> {
        let key = |operand: &Operand| match operand {
            Operand::Number(number) => i64::try_from(*number).ok(),
            _ => None,
        };
        match self {
            Self::And(items) => items.iter().find_map(|item| item.keys(field)),
            Self::Compare(f, Comparison::Equal, value) if f.name == field => {
                Some(key(value).into_iter().collect())
            }
            Self::In(f, values) if f.name == field => Some(values.iter().filter_map(key).collect()),
            _ => None,
        }
    }

    /// A bound below all ids, when the filter says so.
    pub(super) fn id_bound(&self) -> Option<i64> {
        match self {
            Self::And(items) => items.iter().filter_map(Self::id_bound).max(),
            Self::Compare(f, Comparison::Greater, Operand::Number(n)) if f.name == "id" => {
                i64::try_from(n.floor()).ok()
            }
            _ => None,
        }
    }

    pub(super) fn matches(&self, row: &Row) -> bool {
        let value = |field: &Field| row.get(field.name).filter(|value| !value.is_null());
        match self {
            Self::And(items) => items.iter().all(|item| item.matches(row)),
            Self::Or(items) => items.iter().any(|item| item.matches(row)),
            Self::Exist(field) => value(field).is_some(),
            Self::NotExist(field) => value(field).is_none(),
            Self::Compare(field, comparison, operand) => {
                value(field).is_some_and(|value| compare(value, *comparison, operand))
            }
            Self::In(field, operands) => value(field).is_some_and(|value| {
                operands
                    .iter()
                    .any(|operand| compare(value, Comparison::Equal, operand))
            }),
            Self::NotIn(field, operands) => value(field).is_some_and(|value| {
                operands
                    .iter()
                    .all(|operand| compare(value, Comparison::NotEqual, operand))
            }),
        }
    }
}

fn parse_all(entity: Entity, items: &[Value], depth: usize) -> Result<Vec<Filter>, Refusal> {
    if depth > NESTING_MAX {
        return Err(Refusal::error(
            "Invalid query syntax. Too many nested groups.",
        ));
    }
    let parsed = items.iter().map(|item| parse_one(entity, item, depth));
    Ok(parsed
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// Reads one condition or group; none when it is dropped.
fn parse_one(entity: Entity, item: &Value, depth: usize) -> Result<Option<Filter>, Refusal> {
    let member = |name: &str| {
        let members = item.as_object().into_iter().flatten();
        members
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    };
    let Some(operator) = member("op").and_then(Value::as_str) else {
        return Err(Refusal::error(
            "Invalid query syntax. A condition needs an operator.",
        ));
    };
    let operator = operator.to_ascii_lowercase();
    if operator == "and" || operator == "or" {
        let Some(items) = member("items").and_then(Value::as_array) else {
            return Err(Refusal::error("Invalid query syntax. A group needs items."));
        };
        let items = parse_all(entity, items, depth + 1)?;
        return Ok(match operator.as_str() {
            _ if items.is_empty() => None,
            "or" => Some(Filter::Or(items)),
            _ => Some(Filter::And(items)),
        });
    }
    let field = find_field(entity, member("field"), member("udf"))?;
    if operator == "exist" || operator == "notexist" {
        let filter = if operator == "exist" {
            Filter::Exist
        } else {
            Filter::NotExist
        };
        return Ok(Some(filter(field)));
    }
    if operator == "in" || operator == "notin" {
        return parse_list(field, &operator, member("value")).map(Some);
    }
    let Some(comparison) = comparison(&operator) else {
        return Ok(None);
    };
    let value = member("value").unwrap_or(&Value::Null);
    check_comparison(field, comparison)?;
    Ok(Some(Filter::Compare(
        field,
        comparison,
        operand(field, value)?,
    )))
}

fn find_field(
    entity: Entity,
    name: Option<&Value>,
    udf: Option<&Value>,
) -> Result<&'static Field, Refusal> {
    let name = name.and_then(Value::as_str).unwrap_or_default();
    let is_udf = udf == Some(&Value::Bool(true));
    match entity.field(name) {
        Some(field) if !is_udf && field.is_queryable => Ok(field),
        Some(field) if !is_udf => Err(Refusal::error(format!(
            "The field {} is not queryable",
            field.name
        ))),
        _ => {
            let entity = entity.singular();
            Err(Refusal::error(format!(
                "Unable to find {name} in the {entity} Entity"
            )))
        }
    }
}

fn parse_list(
    field: &'static Field,
    operator: &str,
    value: Option<&Value>,
) -> Result<Filter, Refusal> {
    let values = match value {
        Some(Value::Array(values)) if !values.is_empty() => values,
        _ => {
            return Err(Refusal::error(
                "Invalid query syntax. The operator needs an array.",
            ));
        }
    };
    let operands: Vec<_> = values
        .iter()
        .map(|value| operand(field, value))
        .collect::<Result<_, _>>()?;
    Ok(if operator == "in" {
        Filter::In(field, operands)
    } else {
        Filter::NotIn(field, operands)
    })
}

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        "eq" => Comparison::Equal,
        "noteq" => Comparison::NotEqual,
        "gt" => Comparison::Greater,
        "gte" => Comparison::GreaterOrEqual,
        "lt" => Comparison::Less,
        "lte" => Comparison::LessOrEqual,
        "beginswith" => Comparison::BeginsWith,
        "endswith" => Comparison::EndsWith,
        "contains" => Comparison::Contains,
        _ => return None,
    })
}

fn check_comparison(field: &Field, comparison: Comparison) -> Result<(), Refusal> {
    use Comparison::{BeginsWith, Contains, EndsWith, Equal, NotEqual};
    let fits = match field.kind {
        FieldType::Text(_) => true,
        FieldType::Boolean => matches!(comparison, Equal | NotEqual),
        _ => !matches!(comparison, BeginsWith | EndsWith | Contains),
    };
    if fits {
        return Ok(());
    }
    Err(Refusal::error(format!(
        "The operator is not valid for the field {}",
        field.name
    )))
}

/// Reads a value as the type of its field.
fn operand(field: &Field, value: &Value) -> Result<Operand, Refusal> {
    let invalid = || {
        Refusal::error(format!(
            "The value is not valid for the field {}",
            field.name
        ))
    };
    let number = |value: &Value| match value {
        Value::Number(number) => decimal(number).map(Operand::Number),
        _ => None,
    };
    match field.kind {
        FieldType::Boolean => value.as_bool().map(Operand::Boolean).ok_or_else(invalid),
        FieldType::Text(_) => value
            .as_str()
            .map(|text| Operand::Text(text.to_lowercase()))
            .ok_or_else(invalid),
        FieldType::DateTime => value
            .as_str()
            .and_then(instant)
            .map(Operand::Time)
            .ok_or_else(invalid),
        FieldType::Long | FieldType::Integer if field.is_key() && value.is_string() => {
            Ok(Operand::Nothing)
        }
        FieldType::Long | FieldType::Integer | FieldType::Double => match value {
            Value::String(text) => {
                let parsed = text.trim().parse::<Decimal>().map(Operand::Number);
                parsed.map_err(|_| {
                    Refusal::error(format!(
                        "Conversion failed when converting varchar '{text}' to data type int"
                    ))
                })
            }
            other => number(other).ok_or_else(invalid),
        },
    }
}

fn compare(value: &Value, comparison: Comparison, operand: &Operand) -> bool {
    let ordering = match (value, operand) {
        (_, Operand::Nothing) => return false,
        (Value::Number(value), Operand::Number(operand)) => {
            decimal(value).map(|value| value.cmp(operand))
        }
        (Value::Bool(value), Operand::Boolean(operand)) => Some(value.cmp(operand)),
        (Value::String(value), Operand::Time(operand)) => {
            instant(value).map(|value| value.cmp(operand))
        }
        (Value::String(value), Operand::Text(operand)) => {
            let value = value.to_lowercase();
            match comparison {
                Comparison::BeginsWith => return value.starts_with(operand),
                Comparison::EndsWith => return value.ends_with(operand),
                Comparison::Contains => return value.contains(operand),
                _ => Some(value.cmp(operand)),
            }
        }
        _ => None,
    };
    ordering.is_some_and(|ordering| match comparison {
        Comparison::Equal => ordering == Ordering::Equal,
        Comparison::NotEqual => ordering != Ordering::Equal,
        Comparison::Greater => ordering == Ordering::Greater,
        Comparison::GreaterOrEqual => ordering != Ordering::Less,
        Comparison::Less => ordering == Ordering::Less,
        Comparison::LessOrEqual => ordering != Ordering::Greater,
        Comparison::BeginsWith | Comparison::EndsWith | Comparison::Contains => false,
    })
}
