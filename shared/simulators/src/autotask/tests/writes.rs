use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::bench::{Bench, error};
use crate::autotask::{Action, OrderSeed, OrderStatus};

#[tokio::test(start_paused = true)]
async fn a_patch_changes_what_it_names_and_answers_the_id() {
    let bench = Bench::new();
    let body = json!({ "id": bench.order, "ExternalPONumber": "1042" });
    let answer = bench.patch("PurchaseOrders", body).await;
    assert_eq!(answer, (200, json!({ "itemId": bench.order })));
    let order = bench.database.order(bench.order).unwrap();
    assert_eq!(order.external_number.as_deref(), Some("1042"));
    assert_eq!(order.status, Some(OrderStatus::Submitted));
    let body = json!({ "id": bench.order, "externalPONumber": null });
    assert_eq!(bench.patch("PurchaseOrders", body).await.0, 200);
    assert_eq!(
        bench.database.order(bench.order).unwrap().external_number,
        None
    );
}

#[tokio::test(start_paused = true)]
async fn a_put_empties_what_it_does_not_name() {
    let bench = Bench::new();
    bench
        .database
        .act(Action::SetNumber {
            order: bench.order,
            number: "7".into(),
        })
        .unwrap();
    let status = bench.status_id(OrderStatus::Submitted);
    let body = json!({
        "id": bench.order, "status": status, "shipToName": "x", "shipToAddress1": "y",
    });
    assert_eq!(bench.call(Method::PUT, "PurchaseOrders", body).await.0, 200);
    assert_eq!(
        bench.database.order(bench.order).unwrap().external_number,
        None
    );
    let body = json!({ "id": bench.order, "externalPONumber": "8" });
    let (status, answer) = bench.call(Method::PUT, "PurchaseOrders", body).await;
    assert_eq!(status, 500);
    assert!(error(&answer).starts_with("Missing Required Field"));
}

#[tokio::test(start_paused = true)]
async fn unknown_and_read_only_members_are_ignored() {
    let bench = Bench::new();
    let body = json!({ "id": bench.order, "externalPoNo": "1", "vendorID": 0, "purchaseOrderNumber": "x" });
    assert_eq!(bench.patch("PurchaseOrders", body.clone()).await.0, 200);
    let order = bench.database.order(bench.order).unwrap();
    assert_eq!(order.external_number, None);
    assert_eq!(order.vendor, Some(bench.vendor));
    bench
        .database
        .switch(|switches| switches.read_only_rejected = true);
    assert_eq!(bench.patch("PurchaseOrders", body).await.0, 500);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_write_gives_the_reason_and_a_general_sentence() {
    let bench = Bench::new();
    let body = json!({ "id": bench.order, "externalPONumber": "x".repeat(51) });
    let (status, answer) = bench.patch("PurchaseOrders", body).await;
    assert_eq!(status, 500);
    let errors = json!([
        "String value exceeds maximum length (field:externalPONumber). ",
        "Error updating entity for record number [1]. ",
    ]);
    assert_eq!(answer["errors"], errors);
    let body = json!({ "id": bench.order, "externalPONumber": "x".repeat(50) });
    assert_eq!(bench.patch("PurchaseOrders", body).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn values_of_the_wrong_type_or_to_nothing_are_rejected() {
    let bench = Bench::new();
    let wrong = [
        json!({ "externalPONumber": "1" }),
        json!({ "id": 1, "externalPONumber": "1" }),
        json!({ "id": bench.order, "externalPONumber": 1042 }),
        json!({ "id": bench.order, "freight": "12.5" }),
        json!({ "id": bench.order, "showTaxCategory": "true" }),
        json!({ "id": bench.order, "shippingDate": "soon" }),
        json!({ "id": bench.order, "purchaseForCompanyID": 99_999 }),
        json!({ "id": bench.order, "status": null }),
        json!({ "id": bench.order, "status": 1 }),
    ];
    for body in wrong {
        let (status, answer) = bench.patch("PurchaseOrders", body.clone()).await;
        assert_eq!(status, 500, "{body}");
        assert_eq!(answer["errors"].as_array().unwrap().len(), 2, "{body}");
    }
    let body = json!({ "id": bench.order, "purchaseForCompanyID": 99_999 });
    let (_, answer) = bench.patch("PurchaseOrders", body).await;
    assert_eq!(
        error(&answer),
        "Value does not reference an existing entity for purchaseForCompanyID . "
    );
    let body = json!({ "id": bench.order, "purchaseForCompanyID": 0 });
    assert_eq!(bench.patch("PurchaseOrders", body).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_object_is_rejected() {
    let bench = Bench::new();
    for body in ["", "[]", "{", "null"] {
        let request = bench.request(&Method::PATCH, "PurchaseOrders", body);
        assert_eq!(bench.send(request).await.unwrap().status(), 500, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_may_lag_behind_a_write() {
    let bench = Bench::new();
    bench
        .database
        .switch(|switches| switches.read_after_write_lag_ms = 5_000);
    let path = format!("PurchaseOrders/{}", bench.order);
    let body = json!({ "id": bench.order, "externalPONumber": "1042" });
    bench.patch("PurchaseOrders", body).await;
    assert_eq!(
        bench.get(&path).await.1["item"]["externalPONumber"],
        Value::Null
    );
    assert_eq!(
        bench
            .database
            .order(bench.order)
            .unwrap()
            .external_number
            .as_deref(),
        Some("1042")
    );
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(bench.get(&path).await.1["item"]["externalPONumber"], "1042");
}

#[tokio::test(start_paused = true)]
async fn the_exchange_rate_is_all_that_changes_in_a_currency() {
    let bench = Bench::new();
    let euro = bench.database.add_currency("EUR", "1.1");
    let set = async |rate: Value| {
        bench
            .patch("Currencies", json!({ "id": euro, "exchangeRate": rate }))
            .await
            .0
    };
    assert_eq!(set(json!(0)).await, 500);
    let fine: Value = serde_json::from_str("1.123456").unwrap();
    assert_eq!(set(fine).await, 500);
    let fine: Value = serde_json::from_str("1.12345").unwrap();
    assert_eq!(set(fine).await, 200);
}

#[tokio::test(start_paused = true)]
async fn numbering_can_be_off() {
    let bench = Bench::new();
    bench
        .database
        .switch(|switches| switches.numbering_off = true);
    let order = bench
        .database
        .add_order(&OrderSeed::submitted(bench.vendor));
    assert_eq!(
        bench.database.order(order).unwrap().number.as_deref(),
        Some("")
    );
}
