//! Runs a parsed query on one company.

use std::cmp::Ordering;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    kind::Kind,
    properties::{Property, Sort, property},
    refusal::Refusal,
    statement::{Condition, Literal, Operator, Order, Statement},
    value::{at_path, decimal, pacific},
    world::{Record, World},
};

/// The value of `QueryResponse`.
///
/// `visible` says which records queries can see yet.
pub(super) fn run(
    world: &World,
    statement: &Statement,
    visible: impl Fn(&Record) -> bool,
) -> Result<Value, Refusal> {
    if let Some(single) = singleton(world, statement) {
        return Ok(single);
    }
    let kind = Kind::from_name(&statement.entity).ok_or_else(|| {
        Refusal::query_invalid(&format!(
            "invalid context declaration: {}",
            statement.entity
        ))
    })?;
    let terms = terms(kind, &statement.conditions)?;
    let order = sorting(kind, &statement.order)?;
    let asks_for_inactive = terms.iter().any(|term| term.property.path == "Active");
    let mut rows: Vec<&Record> = candidates(world, kind, &terms)
        .into_iter()
        .filter(|record| !record.deleted && visible(record))
        .filter(|record| asks_for_inactive || record.is_active())
        .filter(|record| terms.iter().all(|term| term.matches(record)))
        .collect();
    if statement.count {
        return Ok(json!({ "totalCount": rows.len() }));
    }
    arrange(kind, &mut rows, &order);
    let page: Vec<Value> = rows
        .into_iter()
        .skip(statement.start - 1)
        .take(statement.rows)
        .map(|record| world.render(record))
        .collect();
    if page.is_empty() {
        return Ok(json!({}));
    }
    let rows = page.len();
    let mut response = Map::new();
    response.insert(kind.name().to_owned(), Value::Array(page));
    response.insert("startPosition".to_owned(), json!(statement.start));
    response.insert("maxResults".to_owned(), json!(rows));
    Ok(Value::Object(response))
}

fn singleton(world: &World, statement: &Statement) -> Option<Value> {
    let body = match statement.entity.as_str() {
        "CompanyInfo" => world.profile.company_info_body(),
        "Preferences" => world.profile.preferences_body(),
        _ => return None,
    };
    if statement.count {
        return Some(json!({ "totalCount": 1 }));
    }
    Some(json!({ statement.entity.as_str(): [body], "startPosition": 1, "maxResults": 1 }))
}

/// A condition with its values parsed for the property.
struct Term {
    property: Property,
    operator: Operator,
    values: Vec<Operand>,
}

enum Operand {
    Text(String),
    Flag(bool),
    Date(Date),
    Decimal(Decimal),
    Time(Timestamp),
}

fn terms(kind: Kind, conditions: &[Condition]) -> Result<Vec<Term>, Refusal> {
    conditions
        .iter()
        .map(|condition| {
            let property = known(kind, &condition.property)?;
            check_operator(property, condition)?;
            let values = condition
                .values
                .iter()
                .map(|literal| operand(property, literal))
                .collect::<Result<_, _>>()?;
            Ok(Term {
                property,
                operator: condition.operator,
                values,
            })
        })
        .collect()
}

fn known(kind: Kind, name: &str) -> Result<Property, Refusal> {
    property(kind, name).ok_or_else(|| {
        Refusal::query_invalid(&format!(
            "Property {name} not found for Entity {}",
            kind.name()
        ))
    })
}

fn check_operator(property: Property, condition: &Condition) -> Result<(), Refusal> {
    let allowed = match condition.operator {
        Operator::Equal | Operator::In => true,
        Operator::Like => property.sort == Sort::Text,
        _ => matches!(
            property.sort,
            Sort::Date | Sort::Decimal | Sort::Time | Sort::Text
        ),
    };
    if allowed {
        return Ok(());
    }
    Err(Refusal::query_invalid(&format!(
        "operator {:?} is not supported for property {}",
        condition.operator, property.path
    )))
}

fn operand(property: Property, literal: &Literal) -> Result<Operand, Refusal> {
    let operand = match (property.sort, literal) {
        (Sort::Flag, Literal::Flag(flag)) => Some(Operand::Flag(*flag)),
        (Sort::Text | Sort::Id | Sort::Reference, Literal::Text(text)) => {
            Some(Operand::Text(text.to_lowercase()))
        }
        (Sort::Date, Literal::Text(text)) => text.parse().ok().map(Operand::Date),
        (Sort::Decimal, Literal::Text(text)) => text.parse().ok().map(Operand::Decimal),
        (Sort::Time, Literal::Text(text)) => time(text).map(Operand::Time),
        _ => None,
    };
    operand.ok_or_else(|| {
        Refusal::query_invalid(&format!("invalid value for property {}", property.path))
    })
}

/// An instant: with an offset, or as Pacific time without one, or the start of a Pacific day.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let local = text
        .parse::<jiff::civil::DateTime>()
        .ok()
        .or_else(|| text.parse::<Date>().ok().map(|day| day.at(0, 0, 0, 0)))?;
    local
        .to_zoned_datetime(pacific())
        .ok()
        .map(|zoned| zoned.timestamp())
}

impl Term {
    fn matches(&self, record: &Record) -> bool {
        if self.operator == Operator::Like {
            return self.matches_pattern(record);
        }
        self.values.iter().any(|value| {
            compare(self.property, record, value).is_some_and(|order| match self.operator {
                Operator::Equal | Operator::In => order == Ordering::Equal,
                Operator::Less => order == Ordering::Less,
                Operator::Greater => order == Ordering::Greater,
                Operator::LessOrEqual => order != Ordering::Greater,
                Operator::GreaterOrEqual => order != Ordering::Less,
                Operator::Like => false,
            })
        })
    }

    fn matches_pattern(&self, record: &Record) -> bool {
        let Some(found) = text_of(self.property, record) else {
            return false;
        };
        let found = found.to_lowercase();
        self.values.iter().any(|value| match value {
            Operand::Text(pattern) => is_like(&found, pattern),
            _ => false,
        })
    }
}

fn compare(property: Property, record: &Record, wanted: &Operand) -> Option<Ordering> {
    match wanted {
        Operand::Text(text) if property.sort == Sort::Id => Some(record.id.to_string().cmp(text)),
        Operand::Text(text) => {
            text_of(property, record).map(|found| found.to_lowercase().cmp(text))
        }
        Operand::Flag(flag) => Some(flag_of(property, record).cmp(flag)),
        Operand::Date(day) => text_of(property, record)?
            .parse::<Date>()
            .ok()
            .map(|found| found.cmp(day)),
        Operand::Decimal(number) => {
            decimal(at_path(&record.body, property.path)?).map(|found| found.cmp(number))
        }
        Operand::Time(at) => Some(time_of(property, record).cmp(&at.as_second())),
    }
}

fn text_of(property: Property, record: &Record) -> Option<&str> {
    if property.sort == Sort::Reference {
        return record.reference(property.path);
    }
    if property.path == "PrimaryEmailAddr" {
        return at_path(&record.body, "PrimaryEmailAddr.Address")?.as_str();
    }
    at_path(&record.body, property.path)?.as_str()
}

fn flag_of(property: Property, record: &Record) -> bool {
    let default = property.path == "Active";
    at_path(&record.body, property.path)
        .and_then(Value::as_bool)
        .unwrap_or(default)
}

/// Times are shown, and so compared, to the second.
fn time_of(property: Property, record: &Record) -> i64 {
    if property.path == "MetaData.CreateTime" {
        record.created.as_second()
    } else {
        record.updated.as_second()
    }
}

/// `%` stands for any run of characters.
fn is_like(found: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('%');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = found.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Uses an index where the statement allows it, else every record of the kind.
fn candidates<'a>(world: &'a World, kind: Kind, terms: &[Term]) -> Vec<&'a Record> {
    for term in terms {
        if !matches!(term.operator, Operator::Equal | Operator::In) {
            continue;
        }
        let texts = || {
            term.values.iter().filter_map(|value| match value {
                Operand::Text(text) => Some(text.as_str()),
                _ => None,
            })
        };
        if term.property.sort == Sort::Id {
            let mut found: Vec<&Record> = texts().filter_map(|id| world.get(kind, id)).collect();
            found.sort_by_key(|record| record.id);
            found.dedup_by_key(|record| record.id);
            return found;
        }
        if kind == Kind::Bill && term.property.path == "DocNumber" {
            let mut found: Vec<&Record> = texts()
                .flat_map(|number| world.bills_numbered(number))
                .collect();
            found.sort_by_key(|record| record.id);
            found.dedup_by_key(|record| record.id);
            return found;
        }
    }
    world.all(kind).collect()
}

fn sorting(kind: Kind, order: &[Order]) -> Result<Vec<(Property, bool)>, Refusal> {
    order
        .iter()
        .map(|order| {
            let property = known(kind, &order.property)?;
            if !property.sortable {
                return Err(Refusal::query_invalid(&format!(
                    "property {} is not sortable",
                    property.path
                )));
            }
            Ok((property, order.descending))
        })
        .collect()
}

/// Without ORDERBY transactions come newest first and list entries by name.
fn arrange(kind: Kind, rows: &mut [&Record], order: &[(Property, bool)]) {
    rows.sort_by(|a, b| {
        for (property, descending) in order {
            let sorted = compare_records(*property, a, b);
            let sorted = if *descending {
                sorted.reverse()
            } else {
                sorted
            };
            if sorted != Ordering::Equal {
                return sorted;
            }
        }
        if kind.family() == 0 {
            return b.id.cmp(&a.id);
        }
        let name = |record: &Record| {
            record
                .text("DisplayName")
                .or_else(|| record.text("Name"))
                .map(str::to_lowercase)
        };
        name(a).cmp(&name(b)).then(a.id.cmp(&b.id))
    });
}

fn compare_records(property: Property, a: &Record, b: &Record) -> Ordering {
    match property.sort {
        Sort::Time => time_of(property, a).cmp(&time_of(property, b)),
        Sort::Decimal => {
            let number = |record: &Record| at_path(&record.body, property.path).and_then(decimal);
            number(a).cmp(&number(b))
        }
        _ => {
            let text = |record: &Record| text_of(property, record).map(str::to_lowercase);
            text(a).cmp(&text(b))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_like, time};

    #[test]
    fn like_knows_only_the_percent_sign() {
        assert!(is_like("acme ltd", "acme%"));
        assert!(is_like("acme ltd", "%me%td"));
        assert!(is_like("acme", "acme"));
        assert!(!is_like("acme", "acm"));
        assert!(!is_like("acme", "a_me"));
        assert!(!is_like("ab", "ab%b"));
    }

    #[test]
    fn times_without_an_offset_are_pacific() {
        let with = time("2026-01-15T10:00:00-08:00").expect("a time");
        assert_eq!(time("2026-01-15T10:00:00"), Some(with));
        assert_eq!(time("2026-01-15T18:00:00Z"), Some(with));
        assert!(time("2026-01-15").is_some());
        assert_eq!(time("yesterday"), None);
    }
}
