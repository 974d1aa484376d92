use serde_json::{Value, json};

use super::bench::{Bench, error};
use crate::autotask::{Action, LineSeed, OrderSeed, OrderStatus};

fn new_order(bench: &Bench) -> Value {
    json!({
        "vendorID": bench.vendor, "status": bench.status_id(OrderStatus::New),
        "shipToName": "MSP", "shipToAddress1": "1 Main St",
    })
}

fn new_item(bench: &Bench, order: i64) -> Value {
    json!({
        "orderID": order, "productID": bench.product, "inventoryLocationID": 1,
        "quantity": 2, "unitCost": 12.5,
    })
}

#[tokio::test(start_paused = true)]
async fn an_order_lives_from_new_to_received() {
    let bench = Bench::new();
    let (status, answer) = bench.post("PurchaseOrders", new_order(&bench)).await;
    assert_eq!(status, 200, "{answer}");
    let order = answer["itemId"].as_i64().unwrap();
    let submit = json!({ "id": order, "status": bench.status_id(OrderStatus::Submitted) });
    let (status, answer) = bench.patch("PurchaseOrders", submit.clone()).await;
    assert_eq!(
        (status, error(&answer)),
        (500, "A purchase order without items cannot be submitted. ")
    );
    let items = format!("PurchaseOrders/{order}/Items");
    let (status, answer) = bench.post(&items, new_item(&bench, order)).await;
    assert_eq!(status, 200, "{answer}");
    let item = answer["itemId"].as_i64().unwrap();
    let receiving = format!("PurchaseOrderItems/{item}/Receiving");
    let receive =
        |quantity: i64| json!({ "purchaseOrderItemID": item, "quantityNowReceiving": quantity });
    assert_eq!(bench.post(&receiving, receive(1)).await.0, 500);
    assert_eq!(bench.patch("PurchaseOrders", submit).await.0, 200);
    let row = bench
        .database
        .row(crate::autotask::Entity::PurchaseOrders, order)
        .unwrap();
    assert!(row["submitDateTime"].is_string());
    assert_eq!(bench.post(&items, new_item(&bench, order)).await.0, 500);
    assert_eq!(
        bench
            .patch(&items, json!({ "id": item, "quantity": 3 }))
            .await
            .0,
        200
    );
    assert_eq!(bench.post(&receiving, receive(4)).await.0, 500);
    for (quantity, expected) in [
        (1, OrderStatus::ReceivedPartial),
        (2, OrderStatus::ReceivedFull),
        (-3, OrderStatus::Submitted),
    ] {
        let (status, answer) = bench.post(&receiving, receive(quantity)).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(bench.database.order(order).unwrap().status, Some(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_order_needs_its_fields_a_live_vendor_and_the_state_new() {
    let bench = Bench::new();
    let with = |name: &str, value: Value| {
        let mut order = new_order(&bench);
        order[name] = value;
        order
    };
    let wrong = [
        with("shipToName", Value::Null),
        with("vendorID", json!(99_999)),
        with("status", json!(bench.status_id(OrderStatus::Submitted))),
    ];
    for order in wrong {
        assert_eq!(bench.post("PurchaseOrders", order).await.0, 500);
    }
    let action = Action::SetCompanyActive {
        company: bench.vendor,
        is_active: false,
    };
    bench.database.act(action).unwrap();
    assert_eq!(bench.post("PurchaseOrders", new_order(&bench)).await.0, 500);
}

#[tokio::test(start_paused = true)]
async fn only_the_documented_changes_of_state_are_accepted() {
    use OrderStatus::{Canceled, New, ReceivedFull, ReceivedPartial, Submitted};
    let bench = Bench::new();
    let allowed = [(New, Submitted), (New, Canceled), (Submitted, Canceled)];
    for from in OrderStatus::ALL {
        for to in [New, Submitted, ReceivedPartial, ReceivedFull, Canceled] {
            let seed = OrderSeed {
                status: from,
                ..OrderSeed::submitted(bench.vendor)
            };
            let order = bench
                .database
                .add_order(&seed.line(LineSeed::of(bench.product, 1, "1")));
            let body = json!({ "id": order, "status": bench.status_id(to) });
            let status = bench.patch("PurchaseOrders", body).await.0;
            let is_fine = allowed.contains(&(from, to)) || (from == to && from != Canceled);
            assert_eq!(status == 200, is_fine, "{from:?} {to:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whether_closed_orders_take_a_number_is_switched() {
    let bench = Bench::new();
    let write = async || {
        let body = json!({ "id": bench.order, "externalPONumber": "1" });
        bench.patch("PurchaseOrders", body).await.0
    };
    let receive = Action::ReceiveGoods {
        order: bench.order,
        quantity: None,
    };
    bench.database.act(receive).unwrap();
    assert_eq!(write().await, 200);
    bench
        .database
        .switch(|switches| switches.received_orders_locked = true);
    assert_eq!(write().await, 500);
    bench
        .database
        .act(Action::UndoReceipts { order: bench.order })
        .unwrap();
    bench
        .database
        .act(Action::CancelOrder { order: bench.order })
        .unwrap();
    assert_eq!(write().await, 500);
    bench
        .database
        .switch(|switches| switches.canceled_orders_locked = false);
    assert_eq!(write().await, 200);
}

#[tokio::test(start_paused = true)]
async fn items_belong_to_the_order_in_the_address() {
    let bench = Bench::new();
    let seed = OrderSeed {
        status: OrderStatus::New,
        ..OrderSeed::submitted(bench.vendor)
    };
    let order = bench.database.add_order(&seed);
    let items = format!("PurchaseOrders/{order}/Items");
    let with = |name: &str, value: Value| {
        let mut item = new_item(&bench, order);
        item[name] = value;
        item
    };
    for item in [
        with("orderID", json!(bench.order)),
        with("orderID", Value::Null),
        with("quantity", json!(0)),
        with("quantity", serde_json::from_str("1.5").unwrap()),
        with("unitCost", Value::Null),
        with("unitCost", json!(-1)),
        with("inventoryLocationID", json!(77)),
        with("productID", json!(77)),
    ] {
        assert_eq!(bench.post(&items, item.clone()).await.0, 500, "{item}");
    }
    assert_eq!(
        bench.post(&items, with("productID", Value::Null)).await.0,
        200
    );
    let elsewhere = format!("PurchaseOrders/{}/Items", bench.order);
    let foreign = bench.database.lines(order)[0]["id"].clone();
    assert_eq!(
        bench
            .patch(&elsewhere, json!({ "id": foreign, "memo": "x" }))
            .await
            .0,
        500
    );
}

#[tokio::test(start_paused = true)]
async fn people_change_orders_in_their_own_pages() {
    let bench = Bench::new();
    let line = bench.database.lines(bench.order)[0]["id"].as_i64().unwrap();
    let edit = Action::EditLine {
        line,
        quantity: Some(9),
        unit_cost: Some("1.230".into()),
        memo: None,
    };
    bench.database.act(edit).unwrap();
    let stored = bench.database.lines(bench.order)[0].clone();
    assert_eq!(
        (
            stored["quantity"].to_string(),
            stored["unitCost"].to_string()
        ),
        ("9".into(), "1.230".into())
    );
    let add = Action::AddLine {
        order: bench.order,
        line: LineSeed::of(bench.product, 1, "1"),
    };
    assert!(bench.database.act(add).is_err());
    let part = Action::ReceiveGoods {
        order: bench.order,
        quantity: Some(5),
    };
    bench.database.act(part).unwrap();
    assert_eq!(
        bench.database.order(bench.order).unwrap().status,
        Some(OrderStatus::ReceivedPartial)
    );
    assert!(
        bench
            .database
            .act(Action::CancelOrder { order: bench.order })
            .is_err()
    );
    let all = Action::ReceiveGoods {
        order: bench.order,
        quantity: None,
    };
    bench.database.act(all).unwrap();
    assert_eq!(
        bench.database.order(bench.order).unwrap().status,
        Some(OrderStatus::ReceivedFull)
    );
    let edit = Action::EditLine {
        line,
        quantity: Some(1),
        unit_cost: None,
        memo: None,
    };
    assert!(bench.database.act(edit).is_err());
}
