//! `CompanyToDos` (vendor page `CompanyToDosEntity`): queried by their own name, written only
//! under their organisation.

use jiff::{SignedDuration, Timestamp};
use purser_core::{
    ids::{OrderId, TodoId},
    orders::{Todo, todo_key},
    ports::NewTodo,
};
use serde_json::{Value, json};

use crate::wire::row::{Garbled, Row, write_time};

/// The entity's name in addresses.
pub(crate) const ENTITY: &str = "CompanyToDos";

/// Where to-dos of the tenant's own organisation are written.
pub(crate) const COLLECTION: &str = "Companies/0/ToDos";

/// What is asked for.
pub(crate) const FIELDS: &[&str] = &["id", "companyID", "completedDate", "activityDescription"];

/// The longest text of a to-do, in characters.
const TEXT_MAX: usize = 32_000;

/// How long the entry in the calendar is.
const LENGTH: SignedDuration = SignedDuration::from_mins(30);

/// Reads one to-do if it is open and belongs to organisation 0.
pub(crate) fn read_open(row: &Row) -> Result<Option<Todo>, Garbled> {
    let is_ours = row.integer("companyID")?.is_none_or(|company| company == 0);
    let is_open = row
        .get("completedDate")
        .is_none_or(|v| v.as_str() == Some(""));
    let id = TodoId::new(row.id()?);
    let text = row.text("activityDescription")?.unwrap_or_default();
    Ok((is_ours && is_open).then_some(Todo { id, text }))
}

/// Whether the text holds the key of one of these orders.
pub(crate) fn names_one_of(text: &str, orders: &[OrderId]) -> bool {
    orders.iter().any(|order| text.contains(&todo_key(*order)))
}

/// The body that creates a to-do; the organisation is required in it although the address names it.
pub(crate) fn create_body(todo: &NewTodo) -> Value {
    let end = todo.start.checked_add(LENGTH).unwrap_or(todo.start);
    json!({
        "companyID": 0,
        "actionType": todo.action_type.get(),
        "assignedToResourceID": todo.resource.get(),
        "startDateTime": write_time(todo.start),
        "endDateTime": write_time(end),
        "activityDescription": cut(&todo.text),
    })
}

/// The body that replaces the text.
pub(crate) fn rewrite_body(id: TodoId, text: &str) -> Value {
    json!({ "id": id.get(), "activityDescription": cut(text) })
}

/// The body that completes: there is no flag, the date alone does it.
pub(crate) fn complete_body(id: TodoId, at: Timestamp) -> Value {
    json!({ "id": id.get(), "completedDate": write_time(at) })
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}
