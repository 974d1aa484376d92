//! `{Entity}/entityInformation/fields`: pick lists (vendor page "Picklists").
//!
//! A pick list value is a string there and a number in the entity's field.

use purser_core::orders::PickListValue;
use serde_json::Value;

use crate::wire::row::{Garbled, Row};

/// The pick list of one field, in the order people see it; `None` when the field has none.
pub(crate) fn pick_list(
    answer: &Value,
    field: &'static str,
) -> Result<Option<Vec<PickListValue>>, Garbled> {
    let row = Row::of(answer).ok_or(Garbled("fields"))?;
    let fields = row.rows("fields")?.ok_or(Garbled("fields"))?;
    for row in fields {
        let name = row.text("name")?.unwrap_or_default();
        if name.eq_ignore_ascii_case(field) {
            return row
                .rows("picklistValues")?
                .map(|rows| values(&rows))
                .transpose();
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
