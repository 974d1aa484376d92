//! Queries: complete or a failure.
//!
//! Pages are taken by the vendor's own advice: ask again for ids above the last one until fewer
//! rows come than were asked for. There is no address to trust and no state to lose.

use std::collections::{BTreeMap, BTreeSet};

use purser_core::{notice::Code, ports::Clock};
use serde_json::{Value, json};

use crate::{
    client::AutotaskClient,
    errors::Fault,
    request::Call,
    wire::row::{Garbled, Row, field_of, rows_of},
};

/// The most rows of one page the vendor gives.
pub(crate) const ROWS_MAX: usize = 500;
/// The most pages of one query: 100,000 rows are no answer to any question we ask.
const PAGES_MAX: usize = 200;
/// The most ids of one `in` list. The vendor takes 500 conditions joined by OR in one query, and
/// other conditions count too.
const IDS_MAX: usize = 450;

/// One question to one entity.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) entity: &'static str,
    pub(crate) fields: &'static [&'static str],
    /// Conditions joined by AND; numbers as JSON numbers, since a string finds nothing.
    pub(crate) filter: Vec<Value>,
}

impl Query {
    fn call(&self, rows: usize, after: Option<i64>) -> Call {
        let mut filter = self.filter.clone();
        filter.extend(after.map(|id| json!({"op": "gt", "field": "id", "value": id})));
        let body = json!({
            "MaxRecords": rows,
            "IncludeFields": self.fields,
            "filter": filter,
        });
        Call::query(self.entity, body)
    }
}

struct Page {
    rows: BTreeMap<i64, Row>,
    last: Option<i64>,
    is_full: bool,
}

impl<C: Clock> AutotaskClient<C> {
    /// All rows, by rising id, each once.
    pub(crate) async fn rows(&self, query: &Query) -> Result<Vec<Row>, Fault> {
        let mut rows = BTreeMap::new();
        let mut last = None;
        for _ in 0..PAGES_MAX {
            let call = query.call(ROWS_MAX, last);
            let page = self.call(&call, |answer| read_page(answer, last)).await?;
            rows.extend(page.rows);
            if !page.is_full {
                return Ok(rows.into_values().collect());
            }
            last = page.last;
        }
        let failure = purser_core::failure::Failure::new(Code::AutotaskRefused);
        Err(Fault::nothing(
            failure.with("detail", "more than 100,000 rows"),
        ))
    }

    /// The first rows, at most `count`.
    pub(crate) async fn sample(&self, query: &Query, count: usize) -> Result<Vec<Row>, Fault> {
        let call = query.call(count, None);
        let page = self.call(&call, |answer| read_page(answer, None)).await?;
        Ok(page.rows.into_values().collect())
    }

    /// All rows whose `field` is one of `ids`, by rising id. Rows nobody asked for are dropped:
    /// a condition the vendor does not understand is left out without a word.
    pub(crate) async fn rows_in(
        &self,
        entity: &'static str,
        fields: &'static [&'static str],
        field: &'static str,
        ids: impl IntoIterator<Item = i64> + Send,
    ) -> Result<Vec<Row>, Fault> {
        let ids: BTreeSet<i64> = ids.into_iter().collect();
        let all: Vec<i64> = ids.iter().copied().collect();
        let mut rows = BTreeMap::new();
        for chunk in all.chunks(IDS_MAX) {
            let query = Query {
                entity,
                fields,
                filter: vec![json!({"op": "in", "field": field, "value": chunk})],
            };
            for row in self.rows(&query).await? {
                if row.integer(field)?.is_some_and(|id| ids.contains(&id)) {
                    rows.insert(row.id()?, row);
                }
            }
        }
        Ok(rows.into_values().collect())
    }
}

/// Reads a page that was to hold rows with ids above `after`.
fn read_page(answer: &Value, after: Option<i64>) -> Result<Page, Garbled> {
    let items = rows_of(answer, "items")?.ok_or(Garbled("items"))?;
    let details = field_of(answer, "pageDetails").and_then(Row::of);
    let has_next = match details {
        Some(details) => details
            .text("nextPageUrl")?
            .is_some_and(|url| !url.is_empty()),
        None => false,
    };
    let is_full = items.len() >= ROWS_MAX || (has_next && !items.is_empty());
    let mut rows = BTreeMap::new();
    let mut last = after;
    for row in items {
        let id = row.id()?;
        // The next page starts above the last id, so a full page has to be in order, and one that
        // starts again below it would go on for ever.
        if is_full && last.is_some_and(|last| id < last) {
            return Err(Garbled("id"));
        }
        last = last.max(Some(id));
        rows.insert(id, row);
    }
    if is_full && last == after {
        return Err(Garbled("id"));
    }
    Ok(Page {
        rows,
        last,
        is_full,
    })
}
