//! What the page of one order shows of its story: plans as lines, and no more than a page holds.
//! The interface and the support bundle have everything.

use serde_json::Value;

use super::words::with_cents;
use crate::view::StoryEntry;

/// Entries that the page shows, the newest ones.
const ENTRIES_MAX: usize = 60;
/// Lines of a plan that the page shows.
const LINES_MAX: usize = 40;
/// Bytes of one text that the page shows.
const TEXT_MAX: usize = 2_000;
/// Bytes of all details that the page shows; newer ones go first.
const DETAILS_MAX: usize = 20_000;
/// What stands where something is left out.
const ELSEWHERE: &str = "The rest is in the support bundle.";

/// The newest entries with what is shown of them, and how many older ones there are.
pub(super) fn shown(entries: &mut [StoryEntry], details: &[Value]) -> usize {
    let older = entries.len().saturating_sub(ENTRIES_MAX);
    let mut room = DETAILS_MAX;
    for (entry, detail) in entries.iter_mut().zip(details).skip(older).rev() {
        let words = in_words(detail);
        let size: usize = words
            .iter()
            .map(|(name, text)| weight(name) + weight(text))
            .sum();
        if size <= room {
            room -= size;
            entry.shown = words;
        } else {
            entry.shown = vec![("details".to_owned(), ELSEWHERE.to_owned())];
        }
    }
    older
}

/// Bytes in HTML, where a quotation mark takes five.
fn weight(text: &str) -> usize {
    let marks = text
        .bytes()
        .filter(|byte| matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'&'));
    text.len() + 4 * marks.count()
}

fn in_words(detail: &Value) -> Vec<(String, String)> {
    let Value::Object(members) = detail else {
        return Vec::new();
    };
    let mut words = Vec::new();
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            "plan" => words.extend(plan(value)),
            _ => words.push((name.replace('_', " "), cut(flat(value)))),
        }
    }
    words
}

/// A value of a detail as one text.
pub(super) fn flat(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn cut(text: String) -> String {
    let end = text
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= TEXT_MAX);
    match end {
        Some(end) => format!("{} … {ELSEWHERE}", &text[..end]),
        None => text,
    }
}

/// A plan as people read it.
fn plan(plan: &Value) -> Vec<(String, String)> {
    let mut words = Vec::new();
    let mut say = |name: &str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            words.push((name.to_owned(), text));
        }
    };
    say("vendor", name_of(&plan["vendor"]));
    say("customer", name_of(&plan["customer"]));
    say("bill date", plan["date"].as_str().map(str::to_owned));
    say("number", plan["number"].as_str().map(str::to_owned));
    say("terms", plan["term"][1].as_str().map(str::to_owned));
    let lines = plan["lines"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for (index, line) in lines.iter().enumerate().take(LINES_MAX) {
        say(
            &format!("line {}", index + 1),
            Some(line_of(line, &plan["items"])),
        );
    }
    if lines.len() > LINES_MAX {
        say(
            "more lines",
            Some(format!("{}. {ELSEWHERE}", lines.len() - LINES_MAX)),
        );
    }
    let total = &plan["total"];
    say(
        "total",
        Some(format!(
            "{} {}",
            flat(&total["amount"]),
            flat(&total["currency"])
        )),
    );
    words
}

/// The name of a record that is used, or of one that is created.
fn name_of(party: &Value) -> Option<String> {
    let new = &party["new"];
    let known = [&party["name"], &new["display_name"], &new["name"]];
    let name = known.into_iter().find_map(Value::as_str)?;
    Some(match party["action"] == "create" {
        true => format!("{name} (created)"),
        false => name.to_owned(),
    })
}

fn line_of(line: &Value, items: &Value) -> String {
    let target = &line["target"];
    let item = target["index"]
        .as_u64()
        .and_then(|at| usize::try_from(at).ok());
    let name = item.and_then(|at| name_of(&items[at]));
    let what = name.or_else(|| line["description"].as_str().map(str::to_owned));
    let what = what.unwrap_or_default();
    let amount = flat(&line["amount"]);
    match (target["quantity"].as_str(), target["unit_cost"].as_str()) {
        (Some(quantity), Some(cost)) => {
            let cost = cost.parse().map_or_else(|_| cost.to_owned(), with_cents);
            format!("{quantity} × {what} at {cost} = {amount}")
        }
        _ => format!("{what} = {amount}"),
    }
}
