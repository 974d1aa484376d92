//! Reading: queries, pages, counts and single rows.

use http::{Method, Request};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    filter::Filter,
    render,
    reply::{Outcome, Refusal},
    schema::Entity,
    value::{Row, long},
    world::World,
};

const PAGE_ROWS_MAX: usize = 500;

/// Everything a read needs.
pub(super) struct Reader<'a> {
    pub(super) world: &'a World,
    pub(super) public_url: &'a str,
    pub(super) now: Timestamp,
}

/// A query as it was asked.
struct Query {
    filter: Filter,
    include: Option<Vec<String>>,
    rows_max: usize,
}

/// Where the next page goes on; opaque to clients.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Paging {
    page_size: usize,
    after: Option<i64>,
    previous: Vec<Option<i64>>,
    method: String,
    fields: Option<Vec<String>>,
    filter: Value,
}

struct Page<'a> {
    rows: Vec<(i64, &'a Row)>,
    is_last: bool,
}

impl Reader<'_> {
    pub(super) fn item(&self, entity: Entity, id: &str, parent: Option<i64>) -> Outcome {
        let id: i64 = id.parse().map_err(|_| Refusal::NoSuchResource)?;
        let row = self
            .world
            .table(entity)
            .visible(id, self.now)
            .filter(|row| parent.is_none_or(|parent| parent_of(entity, row) == Some(parent)));
        match row {
            Some(row) => Ok(json!({ "item": render::row(self.world, entity, row, None) })),
            None if self.world.profile.switches().get_by_id_missing_404 => {
                Err(Refusal::NoSuchResource)
            }
            None => Ok(json!({ "item": null })),
        }
    }

    pub(super) fn children(&self, entity: Entity, parent: i64) -> Value {
        let table = self.world.table(entity);
        let rows = table
            .children(parent)
            .filter_map(|id| table.visible(id, self.now));
        let items: Vec<Value> = rows
            .map(|row| render::row(self.world, entity, row, None))
            .collect();
        json!({ "pageDetails": page_details(items.len(), PAGE_ROWS_MAX), "items": items })
    }

    pub(super) fn count(&self, entity: Entity, asked: &Value) -> Outcome {
        let query = parse(entity, asked)?;
        let page = self.rows(entity, &query.filter, None, usize::MAX);
        Ok(json!({ "queryCount": page.rows.len() }))
    }

    pub(super) fn query(&self, entity: Entity, method: &Method, asked: &Value) -> Outcome {
        let query = parse(entity, asked)?;
        let paging = Paging {
            page_size: query.rows_max,
            after: None,
            previous: Vec::new(),
            method: method.to_string(),
            fields: query.include.clone(),
            filter: member(asked, "filter").cloned().unwrap_or_default(),
        };
        self.page(entity, &query.filter, &paging)
    }

    /// Continues a query with the verb and, by POST, the filter it began with.
    pub(super) fn next(&self, entity: Entity, request: &Request<bytes::Bytes>) -> Outcome {
        let text = parameter(request, "paging").ok_or(Refusal::NoSuchResource)?;
        let paging: Paging = serde_json::from_str(&text)
            .map_err(|_| Refusal::error("Invalid query syntax. The paging is not valid."))?;
        if paging.method != request.method().as_str() {
            return Err(Refusal::NoSuchVerb(request.method().to_string()));
        }
        if request.method() == Method::POST {
            let body = body(request)?;
            if member(&body, "filter") != Some(&paging.filter) {
                return Err(Refusal::error(
                    "Invalid query syntax. The filter has changed.",
                ));
            }
        }
        let filter = Filter::parse(entity, &paging.filter)?;
        self.page(entity, &filter, &paging)
    }

    fn page(&self, entity: Entity, filter: &Filter, paging: &Paging) -> Outcome {
        let page = self.rows(entity, filter, paging.after, paging.page_size);
        let has_id = paging
            .fields
            .as_ref()
            .is_none_or(|names| names.iter().any(|n| n == "id"));
        if !page.is_last && !has_id {
            return Err(Refusal::error(
                "Invalid query syntax. IncludeFields needs id when there are more rows.",
            ));
        }
        let items: Vec<Value> = page
            .rows
            .iter()
            .map(|(_, row)| render::row(self.world, entity, row, paging.fields.as_deref()))
            .collect();
        let mut details = page_details(items.len(), paging.page_size);
        if let Some((last, _)) = page.rows.last().filter(|_| !page.is_last) {
            let mut previous = paging.previous.clone();
            previous.push(paging.after);
            details["nextPageUrl"] = self.page_url(entity, paging, Some(*last), previous);
        }
        if let Some((before, previous)) = paging.previous.split_last() {
            let previous = previous.to_vec();
            details["prevPageUrl"] = self.page_url(entity, paging, *before, previous);
        }
        Ok(json!({ "items": items, "pageDetails": details }))
    }

    fn page_url(
        &self,
        entity: Entity,
        paging: &Paging,
        after: Option<i64>,
        previous: Vec<Option<i64>>,
    ) -> Value {
        let paging = Paging {
            page_size: paging.page_size,
            after,
            previous,
            method: paging.method.clone(),
            fields: paging.fields.clone(),
            filter: paging.filter.clone(),
        };
        let text = serde_json::to_string(&paging).unwrap_or_default();
        let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let zone = self.world.profile.zone_url(self.public_url);
        Value::String(format!(
            "{zone}V1.0/{}/query/next?paging={text}",
            entity.name()
        ))
    }

    /// Matching rows in the order of their ids, found by an index where the filter allows it.
    fn rows(&self, entity: Entity, filter: &Filter, after: Option<i64>, max: usize) -> Page<'_> {
        let table = self.world.table(entity);
        let matching = |id: i64| {
            let row = table.visible(id, self.now)?;
            let is_past = after.is_none_or(|after| id > after);
            (is_past && self.matches(entity, filter, row)).then_some((id, row))
        };
        let wanted = max.saturating_add(1);
        let parent_keys = entity.parent_field().and_then(|field| filter.keys(field));
        let candidates = filter.keys("id").or_else(|| {
            parent_keys.map(|keys| keys.iter().flat_map(|key| table.children(*key)).collect())
        });
        let mut rows: Vec<_> = if let Some(mut ids) = candidates {
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().filter_map(matching).take(wanted).collect()
        } else {
            let from = after.max(filter.id_bound());
            table
                .ids_after(from)
                .filter_map(matching)
                .take(wanted)
                .collect()
        };
        let is_last = rows.len() <= max;
        rows.truncate(max);
        Page { rows, is_last }
    }

    fn matches(&self, entity: Entity, filter: &Filter, row: &Row) -> bool {
        if render::hides_active(self.world, entity, row) {
            let mut row = row.clone();
            row.insert("isActive".into(), Value::Bool(false));
            return filter.matches(&row);
        }
        filter.matches(row)
    }
}

fn parent_of(entity: Entity, row: &Row) -> Option<i64> {
    entity.parent_field().and_then(|field| long(row, field))
}

fn page_details(count: usize, requested: usize) -> Value {
    json!({
        "count": count,
        "requestCount": requested,
        "prevPageUrl": null,
        "nextPageUrl": null,
    })
}

fn parse(entity: Entity, asked: &Value) -> Result<Query, Refusal> {
    let filter = Filter::parse(entity, member(asked, "filter").unwrap_or(&Value::Null))?;
    let include = match member(asked, "IncludeFields") {
        None | Some(Value::Null) => None,
        Some(Value::Array(names)) => Some(include(entity, names)?),
        Some(_) => {
            return Err(Refusal::error(
                "Invalid query syntax. IncludeFields is a list.",
            ));
        }
    };
    let rows_max = match member(asked, "MaxRecords") {
        None | Some(Value::Null) => PAGE_ROWS_MAX,
        Some(value) => value
            .as_u64()
            .and_then(|rows| usize::try_from(rows).ok())
            .filter(|rows| (1..=PAGE_ROWS_MAX).contains(rows))
            .ok_or_else(|| {
                Refusal::error("Invalid query syntax. MaxRecords must be between 1 and 500.")
            })?,
    };
    Ok(Query {
        filter,
        include,
        rows_max,
    })
}

fn include(entity: Entity, names: &[Value]) -> Result<Vec<String>, Refusal> {
    let field = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        let field = entity.field(name).map(|field| field.name.to_owned());
        field.ok_or_else(|| {
            let entity = entity.singular();
            Refusal::error(format!("Unable to find {name} in the {entity} Entity"))
        })
    };
    names.iter().map(field).collect()
}

/// A member of a request in any letter case.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let members = object.as_object().into_iter().flatten();
    members
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .next()
}

/// The body as JSON.
pub(super) fn body(request: &Request<bytes::Bytes>) -> Result<Value, Refusal> {
    let kind = request.headers().get(http::header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/json") {
        return Err(Refusal::NotJson);
    }
    let body: Value = serde_json::from_slice(request.body())
        .map_err(|_| Refusal::error("The request body is not valid JSON."))?;
    if body.is_object() {
        return Ok(body);
    }
    Err(Refusal::error("The request body is not valid JSON."))
}

/// What a query asks for, from the address or the body.
pub(super) fn asked(request: &Request<bytes::Bytes>) -> Result<Value, Refusal> {
    if request.method() == Method::POST {
        return body(request);
    }
    let search = parameter(request, "search").unwrap_or_default();
    serde_json::from_str(&search)
        .map_err(|_| Refusal::error("Invalid query syntax. The search is not valid JSON."))
}

pub(super) fn parameter(request: &Request<bytes::Bytes>, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.into_owned())
}
