//! What the order itself lacks.

use purser_simulators::autotask::{LineSeed, OrderSeed};
use purser_tests::stage::Stage;
use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_order_without_lines() {
    let stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    let repair = |stage: &Stage| {
        stage
            .database
            .add_line(order, &LineSeed::of(stage.cast.product, 1, "5.00"));
    };
    refused(stage, order, "order.no_lines", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_without_a_cost() {
    let stage = Stage::new().await;
    let missing = LineSeed {
        unit_cost: None,
        ..LineSeed::of(stage.cast.product, 1, "0")
    };
    let order = stage.add(&stage.empty_order().line(missing));
    // Another order shows that costs can be read.
    stage.add_plain();
    let repair = |stage: &Stage| set_line(stage, order, json!({ "unitCost": 12.5 }));
    refused(stage, order, "order.cost_missing", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_without_a_quantity() {
    let stage = Stage::new().await;
    let order = stage.add_plain();
    set_line(&stage, order, json!({ "quantity": null }));
    let repair = |stage: &Stage| set_line(stage, order, json!({ "quantity": 3 }));
    refused(stage, order, "order.quantity_missing", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_with_a_negative_amount() {
    let stage = Stage::new().await;
    let negative = LineSeed::of(stage.cast.product, 1, "-5.00");
    let order = stage.add(&stage.empty_order().line(negative));
    let repair = |stage: &Stage| set_line(stage, order, json!({ "unitCost": 5 }));
    refused(stage, order, "order.line_negative", repair).await;
}

#[tokio::test(start_paused = true)]
async fn an_amount_that_is_too_large() {
    let stage = Stage::new().await;
    let large = LineSeed::of(stage.cast.product, 1_000, "99999999999.99");
    let order = stage.add(&stage.empty_order().line(large));
    let repair = |stage: &Stage| set_line(stage, order, json!({ "unitCost": 5 }));
    refused(stage, order, "order.amount_too_large", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_cannot_be_read() {
    let stage = Stage::new().await;
    let order = stage.add(&OrderSeed {
        vendor: 999_999,
        ..stage.order()
    });
    let seller = stage.cast.seller;
    let repair = |stage: &Stage| set_order(stage, order, json!({ "vendorID": seller }));
    refused(stage, order, "order.vendor_unreadable", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_customer_that_cannot_be_read() {
    let stage = Stage::new().await;
    let order = stage.add(&OrderSeed {
        purchase_for: Some(999_999),
        ..stage.order()
    });
    let repair = |stage: &Stage| set_order(stage, order, json!({ "purchaseForCompanyID": null }));
    refused(stage, order, "order.customer_unreadable", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_product_that_cannot_be_read() {
    let stage = Stage::new().await;
    let order = of_product(&stage, 999_999);
    let product = stage.cast.product;
    let repair = |stage: &Stage| set_line(stage, order, json!({ "productID": product }));
    refused(stage, order, "order.product_unreadable", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_without_a_product_when_items_are_not_created() {
    let stage = with(refuse_items).await;
    let line = LineSeed {
        unit_cost: Some("5.00".to_owned()),
        ..LineSeed::default()
    };
    let order = stage.add(&stage.empty_order().line(line));
    let product = stage.cast.product;
    let repair = |stage: &Stage| set_line(stage, order, json!({ "productID": product }));
    refused(stage, order, "order.line_without_product", repair).await;
}
