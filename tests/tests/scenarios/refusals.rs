//! Every refusal, end to end: ERROR, exactly one to-do at the right place, no bill; a second run
//! writes nothing; once the cause is gone, Retry bills the order and completes the to-do.

mod bills;
mod currencies;
mod items;
mod names;
mod orders;
mod todos;

use std::time::Duration;

use purser_core::settings::SettingsDocument;
use purser_simulators::{
    FaultKind, FaultRule, System,
    autotask::{Entity, LineSeed, OrderSeed},
};
use purser_tests::stage::Stage;
use serde_json::json;

/// Refused, once and for all; then repaired and billed.
pub(super) async fn refused(
    mut stage: Stage,
    order: i64,
    code: &str,
    repair: impl FnOnce(&Stage),
) -> Stage {
    stage.run().await;
    stage.settle().await;
    let todo = stage.assert_refused(order, code).await;
    let writes = stage.simulators.journal.latest();
    stage.live(Duration::from_mins(40)).await;
    stage.run().await;
    assert_eq!(
        stage.assert_refused(order, code).await,
        todo,
        "a second run writes nothing"
    );
    let later = stage.simulators.journal.since(writes);
    assert!(later.iter().all(|call| !call.effect), "{later:?}");
    repair(&stage);
    stage.retry(order).await;
    stage.settle().await;
    let record = stage.record(order).await;
    let total = stage
        .bills_of(order)
        .first()
        .map(|bill| bill["TotalAmt"].to_string());
    let total = total.unwrap_or_else(|| panic!("{code}: {:?}", record.state));
    stage.assert_billed(order, &total).await;
    let todos = stage.todos_of(order);
    assert_eq!(todos.len(), 1, "{todos:?}");
    assert!(todos[0].completed.is_some(), "success completes the to-do");
    stage
}

/// The first line of an order.
pub(super) fn line(stage: &Stage, order: i64) -> i64 {
    let lines = stage.database.lines(order);
    let row = stage.database.rows(Entity::PurchaseOrderItems);
    let first = row
        .iter()
        .find(|row| row["orderID"] == order)
        .or(lines.first());
    first.and_then(|row| row["id"].as_i64()).expect("a line")
}

pub(super) fn set_line(stage: &Stage, order: i64, fields: serde_json::Value) {
    let id = line(stage, order);
    assert!(
        stage
            .database
            .set_fields(Entity::PurchaseOrderItems, id, fields)
    );
}

pub(super) fn set_order(stage: &Stage, order: i64, fields: serde_json::Value) {
    assert!(
        stage
            .database
            .set_fields(Entity::PurchaseOrders, order, fields)
    );
}

pub(super) fn refuse_items(settings: &mut SettingsDocument) {
    settings.missing_item = Some("refuse".to_owned());
    settings.created_item_account = None;
}

pub(super) fn send_numbers(settings: &mut SettingsDocument) {
    settings.number_source = Some("autotask".to_owned());
}

/// A validation fault as QuickBooks words it.
pub(super) fn refusal(route: &str) -> FaultRule {
    refusal_saying(route, "6000", "a person must look at this")
}

/// The same, of this code and in these words.
pub(super) fn refusal_saying(route: &str, code: &str, words: &str) -> FaultRule {
    let body = json!({
        "Fault": {
            "Error": [{
                "Message": "A business validation error has occurred while processing your request",
                "Detail": format!("Business Validation Error: {words}"),
                "code": code,
            }],
            "type": "ValidationFault",
        },
        "time": "2026-03-16T07:00:00.000-07:00",
    });
    let kind = FaultKind::Status {
        status: 400,
        body: Some(body.to_string()),
    };
    FaultRule::next(System::QuickBooks, route, kind)
}

pub(super) async fn with(change: fn(&mut SettingsDocument)) -> Stage {
    let mut stage = Stage::new().await;
    stage.change_settings(change).await;
    stage
}

pub(super) async fn selling(name: &str) -> (Stage, i64) {
    let stage = Stage::new().await;
    let vendor = stage.new_seller(name);
    let order = stage.add(&OrderSeed {
        vendor,
        ..stage.order()
    });
    (stage, order)
}

pub(super) async fn buying(name: &str) -> (Stage, i64) {
    let stage = Stage::new().await;
    let purchase_for = Some(stage.new_buyer(name));
    let order = stage.add(&OrderSeed {
        purchase_for,
        ..stage.order()
    });
    (stage, order)
}

pub(super) fn of_product(stage: &Stage, product: i64) -> i64 {
    stage.add(&stage.empty_order().line(LineSeed::of(product, 2, "10.00")))
}
