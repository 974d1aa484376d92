//! Changes of a JSON value that leave it JSON.

use serde_json::{Value, json};

/// Changes one place of a value; `dice` gives random numbers.
pub(crate) fn change(value: &mut Value, texts: (&str, &str), dice: &mut impl FnMut() -> u64) {
    let mut left = below(dice, places(value));
    if let Some(place) = find(value, &mut left) {
        change_here(place, texts, dice);
    }
}

fn below(dice: &mut impl FnMut() -> u64, limit: usize) -> usize {
    usize::try_from(dice() % limit.max(1) as u64).unwrap_or(0)
}

/// How many values there are, this one included.
fn places(value: &Value) -> usize {
    1 + match value {
        Value::Object(members) => members.values().map(places).sum(),
        Value::Array(rows) => rows.iter().map(places).sum(),
        _ => 0,
    }
}

/// The value of this number, counted from the outside.
fn find<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Object(members) => members.values_mut().find_map(|member| find(member, left)),
        Value::Array(rows) => rows.iter_mut().find_map(|row| find(row, left)),
        _ => None,
    }
}

fn change_here(value: &mut Value, (word, number): (&str, &str), dice: &mut impl FnMut() -> u64) {
    match (below(dice, 9), &mut *value) {
        (0, _) => *value = Value::Null,
        (1, _) => *value = Value::from(word),
        (2, _) => *value = serde_json::from_str(number).unwrap_or_else(|_| json!(number)),
        (3, _) => *value = json!([value.clone(), value.clone()]),
        (4, _) => *value = json!({ "value": value.clone(), word: number }),
        // A number as a text, and a text as what it says.
        (5, Value::String(text)) => {
            *value = serde_json::from_str(text).unwrap_or_else(|_| json!(text.repeat(40)));
        }
        (5, _) => *value = Value::from(value.to_string()),
        (_, Value::Object(members)) if !members.is_empty() => {
            let place = below(dice, members.len());
            let name = members.keys().nth(place).cloned().unwrap_or_default();
            let member = members.remove(&name);
            let renamed = match below(dice, 4) {
                0 => return,
                1 => name.to_ascii_lowercase(),
                2 => name.to_ascii_uppercase(),
                _ => word.to_owned(),
            };
            members.insert(renamed, member.unwrap_or_default());
        }
        (_, Value::Array(rows)) if !rows.is_empty() => {
            let place = below(dice, rows.len());
            match below(dice, 3) {
                0 => drop(rows.remove(place)),
                1 => rows.push(rows[place].clone()),
                _ => rows.swap(place, 0),
            }
        }
        (_, Value::String(text)) => text.push_str(word),
        (_, other) => *other = serde_json::from_str(number).unwrap_or(Value::Null),
    }
}

#[test]
fn changes_reach_every_place_and_leave_json() {
    let mut dice = (1_u64..).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20);
    let mut next = || dice.next().unwrap_or(0);
    let first = json!({ "a": [1, { "b": "x" }], "c": null, "d": "5" });
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..2_000 {
        let mut value = first.clone();
        change(&mut value, ("word", "1e400"), &mut next);
        let text = value.to_string();
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
        seen.insert(text);
    }
    assert!(seen.len() > 60, "{}", seen.len());
}
