//! What is allowed to be written in each entity, and what follows from it.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    metadata::API_LICENSE,
    profile::OrderStatus,
    schema::Entity,
    value::{Row, decimal, flag, long, time, time_value},
    world::World,
    write::no_such,
};

type Verdict = Result<(), String>;

/// Judges the row `after`; `before` is none when it is new.
pub(super) fn check(
    world: &mut World,
    entity: Entity,
    before: Option<&Row>,
    after: &mut Row,
    now: Timestamp,
) -> Verdict {
    match (entity, before) {
        (Entity::PurchaseOrders, None) => new_order(world, after),
        (Entity::PurchaseOrders, Some(before)) => changed_order(world, before, after, now),
        (Entity::PurchaseOrderItems, _) => item(world, before, after),
        (Entity::PurchaseOrderItemReceiving, _) => receipt(world, after, now),
        (Entity::CompanyToDos, _) => todo(world, after, now),
        (Entity::Currencies, _) => exchange_rate(after),
        _ => Ok(()),
    }
}

/// Carries out what another row's change brings about.
pub(super) fn follow_up(world: &mut World, entity: Entity, id: i64, now: Timestamp) {
    if entity != Entity::PurchaseOrderItemReceiving {
        return;
    }
    let receipt = world.row(entity, id);
    let item = receipt.and_then(|receipt| long(receipt, "purchaseOrderItemID"));
    let item = item.and_then(|item| world.row(Entity::PurchaseOrderItems, item));
    if let Some(order) = item.and_then(|item| long(item, "orderID")) {
        settle_received(world, order, now);
    }
}

fn order_status(world: &World, order: &Row) -> Option<OrderStatus> {
    long(order, "status").and_then(|id| world.profile.status(id))
}

fn new_order(world: &mut World, order: &mut Row) -> Verdict {
    if order_status(world, order) != Some(OrderStatus::New) {
        return Err("A new purchase order must have the status New".into());
    }
    let vendor = long(order, "vendorID").and_then(|id| world.row(Entity::Companies, id));
    if !vendor.is_some_and(|vendor| flag(vendor, "isActive")) {
        return Err(no_such("vendorID"));
    }
    let number = next_number(world);
    order.insert("purchaseOrderNumber".into(), number);
    Ok(())
}

/// The next automatic number; blank when numbering is off.
pub(super) fn next_number(world: &mut World) -> Value {
    if world.profile.switches().numbering_off {
        return Value::String(String::new());
    }
    let profile = world.profile_mut();
    profile.orders_numbered += 1;
    Value::String(format!("PO{:07}", profile.orders_numbered))
}

fn changed_order(world: &World, before: &Row, after: &mut Row, now: Timestamp) -> Verdict {
    let (Some(from), Some(to)) = (order_status(world, before), order_status(world, after)) else {
        return Err(no_such("status"));
    };
    let switches = world.profile.switches();
    let is_locked = match from {
        OrderStatus::Canceled => switches.canceled_orders_locked,
        OrderStatus::ReceivedPartial | OrderStatus::ReceivedFull => switches.received_orders_locked,
        OrderStatus::New | OrderStatus::Submitted => false,
    };
    if is_locked {
        return Err("The purchase order cannot be edited in its status".into());
    }
    match (from, to) {
        _ if from == to => {}
        (OrderStatus::New, OrderStatus::Submitted) => {
            let id = long(before, "id").unwrap_or_default();
            if world
                .table(Entity::PurchaseOrderItems)
                .children(id)
                .next()
                .is_none()
            {
                return Err("A purchase order without items cannot be submitted".into());
            }
            after.insert("submitDateTime".into(), time_value(now));
        }
        (OrderStatus::New | OrderStatus::Submitted, OrderStatus::Canceled) => {
            after.insert("cancelDateTime".into(), time_value(now));
        }
        _ => return Err("The status cannot be changed to this value".into()),
    }
    Ok(())
}

fn item(world: &World, before: Option<&Row>, after: &Row) -> Verdict {
    let order = long(after, "orderID").and_then(|id| world.row(Entity::PurchaseOrders, id));
    let status = order
        .and_then(|order| order_status(world, order))
        .ok_or_else(|| no_such("orderID"))?;
    let is_open = match status {
        OrderStatus::New => true,
        OrderStatus::Submitted | OrderStatus::ReceivedPartial => before.is_some(),
        OrderStatus::ReceivedFull | OrderStatus::Canceled => false,
    };
    if !is_open {
        let doing = if before.is_some() {
            "updated"
        } else {
            "created"
        };
        return Err(format!(
            "Purchase order items cannot be {doing} in this order status"
        ));
    }
    if long(after, "quantity").is_none_or(|quantity| quantity < 1) {
        return Err("The quantity must be greater than zero".into());
    }
    let cost = after
        .get("unitCost")
        .and_then(Value::as_number)
        .and_then(decimal);
    if cost.is_none_or(|cost| cost.is_sign_negative() && !cost.is_zero()) {
        return Err("The unit cost must not be negative".into());
    }
    Ok(())
}

/// Pieces of an item that have come.
pub(super) fn received(world: &World, item: i64) -> i64 {
    let table = world.table(Entity::PurchaseOrderItemReceiving);
    let receipts = table.children(item).filter_map(|id| table.get(id));
    receipts
        .filter_map(|receipt| long(receipt, "quantityNowReceiving"))
        .sum()
}

fn receipt(world: &World, receipt: &mut Row, now: Timestamp) -> Verdict {
    let item_id = long(receipt, "purchaseOrderItemID").unwrap_or_default();
    let item = world
        .row(Entity::PurchaseOrderItems, item_id)
        .ok_or_else(|| no_such("purchaseOrderItemID"))?;
    let order = long(item, "orderID").and_then(|id| world.row(Entity::PurchaseOrders, id));
    let status = order.and_then(|order| order_status(world, order));
    let quantity = long(receipt, "quantityNowReceiving").unwrap_or_default();
    let is_open = match status {
        Some(OrderStatus::Submitted | OrderStatus::ReceivedPartial) => true,
        Some(OrderStatus::ReceivedFull) => quantity < 0,
        _ => false,
    };
    if !is_open {
        return Err("Items can be received only in a submitted purchase order".into());
    }
    let previously = received(world, item_id);
    let open = long(item, "quantity").unwrap_or_default() - previously - quantity;
    if quantity == 0 || open < 0 || previously + quantity < 0 {
        return Err("The quantity to receive is not valid".into());
    }
    receipt.insert("quantityPreviouslyReceived".into(), Value::from(previously));
    receipt.insert("quantityBackOrdered".into(), Value::from(open));
    receipt
        .entry("receiveDate")
        .or_insert_with(|| time_value(now));
    Ok(())
}

/// Sets the order's state by what has come.
pub(super) fn settle_received(world: &mut World, order_id: i64, now: Timestamp) {
    let Some(mut order) = world.row(Entity::PurchaseOrders, order_id).cloned() else {
        return;
    };
    let items = world.table(Entity::PurchaseOrderItems);
    let open = |id: i64| {
        let quantity = items
            .get(id)
            .and_then(|item| long(item, "quantity"))
            .unwrap_or_default();
        (received(world, id), quantity)
    };
    let pieces: Vec<(i64, i64)> = items.children(order_id).map(open).collect();
    let status = if pieces.iter().all(|(came, _)| *came == 0) {
        OrderStatus::Submitted
    } else if pieces.iter().all(|(came, quantity)| came >= quantity) {
        OrderStatus::ReceivedFull
    } else {
        OrderStatus::ReceivedPartial
    };
    let status = world.profile.status_id(status);
    if long(&order, "status") != Some(status) {
        order.insert("status".into(), Value::from(status));
        world.linger(Entity::PurchaseOrders, order_id, now);
        world.put(Entity::PurchaseOrders, order_id, order);
    }
}

fn todo(world: &World, todo: &mut Row, now: Timestamp) -> Verdict {
    for foreign in ["contactID", "contractID", "opportunityID", "ticketID"] {
        if todo.get(foreign).is_some_and(|value| !value.is_null()) {
            return Err(no_such(foreign));
        }
    }
    let assignee =
        long(todo, "assignedToResourceID").and_then(|id| world.row(Entity::Resources, id));
    let can_own = assignee.is_some_and(|resource| {
        flag(resource, "isActive") && long(resource, "licenseType") != Some(API_LICENSE)
    });
    if !can_own {
        return Err(no_such("assignedToResourceID"));
    }
    let (Some(start), Some(end)) = (time(todo, "startDateTime"), time(todo, "endDateTime")) else {
        return Err("Error converting value for the field startDateTime".into());
    };
    if end < start {
        return Err("The end date and time must not be before the start".into());
    }
    todo.insert("lastModifiedDate".into(), time_value(now));
    Ok(())
}

fn exchange_rate(currency: &Row) -> Verdict {
    let rate = currency
        .get("exchangeRate")
        .and_then(Value::as_number)
        .and_then(decimal);
    let fits = rate.is_some_and(|rate| {
        rate.is_sign_positive()
            && !rate.is_zero()
            && rate.normalize().scale() <= 5
            && rate < rust_decimal::Decimal::from(1_000_000)
    });
    fits.then_some(())
        .ok_or_else(|| "The exchange rate is not valid".into())
}
