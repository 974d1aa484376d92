//! A row as an answer shows it.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    fields::FieldType,
    schema::Entity,
    switches::{AutotaskSwitches, FractionDigits},
    value::{Row, decimal, flag, instant, long, number},
    world::World,
};

/// Shows a row; with `only`, just these fields.
pub(super) fn row(world: &World, entity: Entity, row: &Row, only: Option<&[String]>) -> Value {
    let switches = world.profile.switches();
    let mut shown = Row::new();
    let id = long(row, "id").unwrap_or_default();
    for (position, field) in entity.fields().iter().enumerate() {
        if only.is_some_and(|only| !only.iter().any(|name| name == field.name)) {
            continue;
        }
        let mut value = row.get(field.name).cloned().unwrap_or(Value::Null);
        if let (FieldType::DateTime, Value::String(text)) = (field.kind, &value) {
            value = Value::String(with_fraction(switches, text, id, position));
        }
        shown.insert(field.name.to_owned(), value);
    }
    adjust(world, entity, row, &mut shown);
    shown.insert("userDefinedFields".into(), json!([]));
    if switches.extra_unknown_fields {
        shown.insert("vendorAddition".into(), json!({ "nested": [1, null, "x"] }));
        shown.insert("vendorAdditionCode".into(), json!(17));
    }
    Value::Object(shown)
}

/// Sets what depends on other rows or on the user's rights.
fn adjust(world: &World, entity: Entity, row: &Row, shown: &mut Row) {
    let switches = world.profile.switches();
    let mut set = |name: &str, value: Value| {
        if let Some(place) = shown.get_mut(name) {
            *place = value;
        }
    };
    match entity {
        Entity::PurchaseOrderItems => {
            let order = long(row, "orderID").and_then(|id| world.row(Entity::PurchaseOrders, id));
            let converted = order.and_then(|order| converted(world, order, row.get("unitCost")?));
            set("internalCurrencyUnitCost", converted.unwrap_or(Value::Null));
            if switches.cannot_read_costs {
                set("unitCost", Value::Null);
                set("internalCurrencyUnitCost", Value::Null);
            }
        }
        Entity::PurchaseOrders => {
            let converted = row
                .get("freight")
                .and_then(|freight| converted(world, row, freight));
            set("internalCurrencyFreight", converted.unwrap_or(Value::Null));
        }
        Entity::Products if switches.cannot_read_costs => set("unitCost", Value::Null),
        Entity::Currencies if !switches.multi_currency && !flag(row, "isInternalCurrency") => {
            set("isActive", Value::Bool(false));
        }
        _ => {}
    }
}

/// An amount of an order in the internal currency; none when there is only one currency.
fn converted(world: &World, order: &Row, amount: &Value) -> Option<Value> {
    if !world.profile.switches().multi_currency {
        return None;
    }
    let Value::Number(amount) = amount else {
        return None;
    };
    let vendor = long(order, "vendorID").and_then(|id| world.row(Entity::Companies, id))?;
    let currency = long(vendor, "currencyID").and_then(|id| world.row(Entity::Currencies, id));
    let rate = match currency.and_then(|currency| currency.get("exchangeRate")) {
        Some(Value::Number(rate)) => decimal(rate)?,
        _ => Decimal::ONE,
    };
    let product = decimal(amount)?.checked_mul(rate)?.round_dp(4).normalize();
    Some(number(&product.to_string()))
}

/// The row as filters see it: rights and switches included.
pub(super) fn hides_active(world: &World, entity: Entity, row: &Row) -> bool {
    entity == Entity::Currencies
        && !world.profile.switches().multi_currency
        && !flag(row, "isInternalCurrency")
}

fn with_fraction(switches: &AutotaskSwitches, text: &str, id: i64, position: usize) -> String {
    let Some(time) = instant(text) else {
        return text.to_owned();
    };
    let needed = time.to_string();
    let (seconds, fraction) = match needed.trim_end_matches('Z').split_once('.') {
        Some((seconds, fraction)) => (seconds, fraction),
        None => (needed.trim_end_matches('Z'), ""),
    };
    let digits = match switches.fraction_digits {
        FractionDigits::Needed => 0,
        FractionDigits::Three => 3,
        FractionDigits::Seven => 7,
        FractionDigits::Mixed => {
            (usize::try_from(id.unsigned_abs()).unwrap_or_default() + position) % 8
        }
    };
    match digits.max(fraction.len()) {
        0 => format!("{seconds}Z"),
        digits => format!("{seconds}.{fraction:0<digits$}Z"),
    }
}
