//! `{Entity}/entityInformation/fields`: pick lists (vendor page "Picklists").
//!
//! A pick list value is a string there and a number in the entity's field.

use purser_core::orders::PickListValue;
use serde_json::Value;

use crate::wire::row::{Garbled, Row, field_of, rows_of};

/// The pick list of one field, in the order people see it; `None` when the field has none.
pub(crate) fn pick_list(
    answer: &Value,
    field: &'static str,
) -> Result<Option<Vec<PickListValue>>, Garbled> {
    let fields = field_of(answer, "fields").and_then(Value::as_array);
    for listed in fields.ok_or(Garbled("fields"))? {
        if !listed.is_object() {
            return Err(Garbled("fields"));
        }
        let name = match field_of(listed, "name") {
            Some(Value::String(name)) => name.as_str(),
            // A number names no field that is asked for.
            None | Some(Value::Number(_)) => "",
            Some(_) => return Err(Garbled("name")),
        };
        if name.eq_ignore_ascii_case(field) {
            let rows = rows_of(listed, "picklistValues")?;
            return rows.map(|rows| values(&rows)).transpose();
        }
    }
    Ok(None)
}

fn values(rows: &[Row]) -> Result<Vec<PickListValue>, Garbled> {
    let mut values = Vec::with_capacity(rows.len());
    for row in rows {
        // A value that is not a number cannot stand in a numeric field.
        let Ok(Some(value)) = row.integer("value") else {
            continue;
        };
        values.push(PickListValue {
            value,
            label: row.text("label")?.unwrap_or_default(),
            active: row.flag("isActive")?.unwrap_or(true),
        });
    }
    Ok(values)
}
