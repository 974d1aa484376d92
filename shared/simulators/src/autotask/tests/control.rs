use http::Method;
use serde_json::{Value, json};

use super::bench::{Bench, PUBLIC};
use crate::{FaultKind, autotask::OrderStatus};

async fn control(bench: &Bench, method: Method, path: &str, body: Value) -> (u16, Value) {
    bench
        .call(method, &format!("{PUBLIC}/_simulator/{path}"), body)
        .await
}

#[tokio::test(start_paused = true)]
async fn faults_are_added_and_cleared() {
    let bench = Bench::new();
    let rules = json!([
        { "system": "autotask", "route": "PATCH *", "nth": 2, "kind": "drop_after" },
        { "system": "quickbooks", "route": "*", "kind": { "status": { "status": 503 } } },
    ]);
    assert_eq!(control(&bench, Method::POST, "faults", rules).await.0, 200);
    let one =
        json!({ "system": "intuit", "route": "*", "times": 3, "kind": { "delay": { "ms": 5 } } });
    assert_eq!(control(&bench, Method::POST, "faults", one).await.0, 200);
    let waiting = bench.simulators.faults.waiting();
    assert_eq!(waiting.len(), 3);
    assert_eq!(waiting[2].kind, FaultKind::Delay { ms: 5 });
    assert_eq!(
        control(&bench, Method::DELETE, "faults", json!(null))
            .await
            .0,
        200
    );
    assert!(bench.simulators.faults.waiting().is_empty());
    assert_eq!(
        control(&bench, Method::POST, "faults", json!({})).await.0,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn switches_are_changed_one_by_one() {
    let bench = Bench::new();
    let change = json!({ "autotask": { "numbering_off": true, "thread_limit": 7 } });
    let (status, all) = control(&bench, Method::PUT, "switches", change).await;
    assert_eq!(status, 200, "{all}");
    let switches = bench.database.switches();
    assert!(switches.numbering_off);
    assert_eq!((switches.thread_limit, switches.hourly_limit), (7, 10_000));
    let wrong = json!({ "autotask": { "nonsense": 1 } });
    assert_eq!(control(&bench, Method::PUT, "switches", wrong).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn people_act_and_the_world_is_seen() {
    let bench = Bench::new();
    let act = async |body: Value| control(&bench, Method::POST, "action", body).await;
    let order = bench.order;
    let done = act(json!({
        "system": "autotask", "action": "set_number", "order": order, "number": "ERROR",
    }))
    .await;
    assert_eq!(done, (200, json!({ "id": order })));
    let made = act(json!({
        "system": "autotask", "database": bench.database.api_user(), "action": "create_order",
        "order": { "vendor": bench.vendor, "status": "new", "lines": [
            { "product": bench.product, "quantity": 3, "unit_cost": "1.50" },
        ]},
    }))
    .await;
    assert_eq!(made.0, 200, "{}", made.1);
    let made = bench
        .database
        .order(made.1["id"].as_i64().unwrap())
        .unwrap();
    assert_eq!(made.status, Some(OrderStatus::New));
    assert_eq!(
        act(json!({ "system": "autotask", "action": "expire_password" }))
            .await
            .0,
        200
    );
    assert_eq!(
        act(json!({ "system": "autotask", "action": "dance" }))
            .await
            .0,
        400
    );
    assert_eq!(act(json!({ "action": "dance" })).await.0, 400);
    let (_, world) = control(&bench, Method::GET, "world", json!(null)).await;
    let seen = &world["autotask"][bench.database.api_user()];
    assert_eq!(seen["orders"][0]["external_number"], "ERROR");
    assert_eq!(seen["counts"]["orders"], 2);
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_and_listed() {
    let bench = Bench::new();
    bench.get("PurchaseOrders/4001").await;
    bench.patch("PurchaseOrders", json!({ "id": 4001 })).await;
    let (_, counts) = control(&bench, Method::GET, "counts", json!(null)).await;
    let expected = json!({ "reads": 1, "writes": 1, "total": 2 });
    assert_eq!(counts["systems"]["autotask"], expected);
    assert_eq!(counts["routes"]["autotask"]["PATCH PurchaseOrders"], 1);
    let (_, journal) = control(&bench, Method::GET, "journal?since=1", json!(null)).await;
    assert_eq!(journal.as_array().unwrap().len(), 1);
    assert_eq!(journal[0]["effect"], true);
    assert_eq!(
        control(&bench, Method::GET, "nonsense", json!(null))
            .await
            .0,
        404
    );
}
