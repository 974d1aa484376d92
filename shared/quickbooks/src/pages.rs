//! Reads all rows of a statement, page by page.

use std::collections::HashSet;

use jiff::Timestamp;
use purser_core::{
    failure::Failure,
    notice::Code,
    ports::{Clock, GrantStore},
};
use serde_json::Value;

use crate::{
    call::Call,
    client::QuickBooksClient,
    query::{PAGE_ROWS, Statement},
};

/// Rows of the page before that are read again: paging is no snapshot, and a row that is deleted
/// between two pages moves those behind it forward, where they would be missed.
const OVERLAP_ROWS: usize = 50;
/// No list of QuickBooks is larger than this; more is a server that repeats itself.
const PAGES_MAX: usize = 300;

/// All rows of a statement, each once.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<Value>,
    /// QuickBooks' clock when it answered the last page.
    pub(crate) server_time: Option<Timestamp>,
}

impl<C: Clock, G: GrantStore> QuickBooksClient<C, G> {
    /// Reads every page of `statement`.
    pub(crate) async fn rows(&self, statement: &Statement) -> Result<Rows, Failure> {
        let mut all = Rows::default();
        let mut seen = HashSet::new();
        let mut start = 1;
        for _ in 0..PAGES_MAX {
            let answer = self.sender.call(&Call::query(statement, start)).await?;
            let unreadable = || Failure::new(Code::QuickBooksFailing).answered(answer.told.clone());
            let page = listed(&answer.body, statement.entity).ok_or_else(unreadable)?;
            let before = all.rows.len();
            for row in page {
                if row_id(row).is_none_or(|id| seen.insert(id)) {
                    all.rows.push(row.clone());
                }
            }
            all.server_time = answer.server_time;
            if page.len() < PAGE_ROWS {
                return Ok(all);
            }
            if all.rows.len() == before {
                break;
            }
            start += PAGE_ROWS - OVERLAP_ROWS;
        }
        // Half a list must never pass for the whole: what is not in it would be created again.
        Err(Failure::new(Code::QuickBooksFailing))
    }
}

/// The rows of one answer; without a hit the array is absent, not empty. `None` when anything else
/// stands there: it must never pass for an empty list.
fn listed<'b>(body: &'b Value, entity: &str) -> Option<&'b [Value]> {
    let response = body.get("QueryResponse")?.as_object()?;
    match response.get(entity) {
        None => Some(&[]),
        Some(rows) => rows.as_array().map(Vec::as_slice),
    }
}

fn row_id(row: &Value) -> Option<String> {
    match row.get("Id")? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_list_is_not_an_empty_one() {
        let bill = json!({ "Id": "1" });
        let rows = |response: Value| {
            let body = json!({ "QueryResponse": response });
            listed(&body, "Bill").map(<[Value]>::len)
        };
        assert_eq!(rows(json!({})), Some(0));
        assert_eq!(
            rows(json!({ "Bill": [bill, bill], "maxResults": 2 })),
            Some(2)
        );
        for odd in [
            json!(null),
            json!([]),
            json!([{}]),
            json!(""),
            json!({ "Bill": null }),
            json!({ "Bill": bill }),
            json!({ "Bill": "none" }),
        ] {
            assert_eq!(rows(odd.clone()), None, "{odd}");
        }
    }
}
