use http::Method;
use serde_json::{Value, json};

use super::bench::Bench;
use crate::autotask::{Action, LineSeed, OrderSeed, OrderStatus};

fn condition(op: &str, field: &str, value: impl Into<Value>) -> Value {
    json!([{ "op": op, "field": field, "value": value.into() }])
}

#[tokio::test(start_paused = true)]
async fn a_row_has_every_field_and_the_costs_keep_their_text() {
    let bench = Bench::new();
    let filter = condition("eq", "orderID", bench.order);
    let response = bench
        .send(bench.request(
            &Method::POST,
            "PurchaseOrderItems/query",
            &json!({ "filter": filter }).to_string(),
        ))
        .await
        .unwrap();
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    assert!(text.contains(r#""unitCost":399.990,"#), "{text}");
    assert!(text.contains(r#""userDefinedFields":[]"#));
    assert!(text.contains(r#""projectID":null"#));
    let (_, order) = bench.get(&format!("PurchaseOrders/{}", bench.order)).await;
    assert_eq!(order["item"]["purchaseOrderNumber"], "PO0000001");
    assert_eq!(order["item"]["externalPONumber"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn comparison_operators() {
    let bench = Bench::new();
    let first = bench.order;
    let second = bench.database.add_order(&OrderSeed {
        created: Some("2026-01-06T08:00:00.5Z".parse().unwrap()),
        external_number: Some("Bill 1042".into()),
        ..OrderSeed::submitted(bench.vendor)
    });
    let both = vec![first, second];
    let expected = [
        ("eq", "id", json!(second), vec![second]),
        ("noteq", "id", json!(second), vec![first]),
        ("gt", "ID", json!(first), vec![second]),
        ("gte", "id", json!(first), both.clone()),
        ("lt", "id", json!(second), vec![first]),
        ("lte", "id", json!(second), both.clone()),
        (
            "beginsWith",
            "externalPONumber",
            json!("bill"),
            vec![second],
        ),
        ("endsWith", "externalponumber", json!("42"), vec![second]),
        ("contains", "externalPONumber", json!("L 10"), vec![second]),
        ("eq", "externalPONumber", json!("BILL 1042"), vec![second]),
        ("noteq", "externalPONumber", json!("x"), vec![second]),
        ("exist", "externalPONumber", json!(null), vec![second]),
        ("notExist", "externalPONumber", json!(null), vec![first]),
        ("in", "id", json!([second, first, 1, second]), both.clone()),
        ("notIn", "id", json!([first]), vec![second]),
        ("gte", "createDateTime", json!("2026-01-06"), vec![second]),
        (
            "lt",
            "createDateTime",
            json!("2026-01-06T08:00:00.6"),
            both.clone(),
        ),
        ("eq", "vendorID", json!(bench.vendor), both),
    ];
    for (op, field, value, ids) in expected {
        let found = bench
            .ids("PurchaseOrders", condition(op, field, value))
            .await;
        assert_eq!(found, Ok(ids), "{op} {field}");
    }
}

#[tokio::test(start_paused = true)]
async fn groups_nest_and_the_top_is_joined_by_and() {
    let bench = Bench::new();
    let (a, b) = (
        bench.order,
        bench
            .database
            .add_order(&OrderSeed::submitted(bench.vendor)),
    );
    let group = json!([
        { "op": "OR", "items": [
            { "op": "eq", "field": "id", "value": a },
            { "op": "and", "items": [
                { "op": "eq", "field": "id", "value": b },
                { "op": "eq", "field": "vendorID", "value": bench.vendor },
            ]},
        ]},
        { "op": "gt", "field": "id", "value": 0 },
    ]);
    assert_eq!(bench.ids("PurchaseOrders", group).await, Ok(vec![a, b]));
}

#[tokio::test(start_paused = true)]
async fn a_cleared_field_exists_and_a_never_filled_one_does_not() {
    let bench = Bench::new();
    bench
        .database
        .act(Action::SetNumber {
            order: bench.order,
            number: "ERROR".into(),
        })
        .unwrap();
    bench
        .database
        .act(Action::ClearNumber { order: bench.order })
        .unwrap();
    assert_eq!(
        bench
            .database
            .order(bench.order)
            .unwrap()
            .external_number
            .as_deref(),
        Some("")
    );
    let null = bench.ids(
        "PurchaseOrders",
        json!([{ "op": "notExist", "field": "externalPONumber" }]),
    );
    assert_eq!(null.await, Ok(vec![]));
}

#[tokio::test(start_paused = true)]
async fn oddities_of_filters() {
    let bench = Bench::new();
    let order = bench.order;
    let ids = async |filter| bench.ids("PurchaseOrders", filter).await;
    // An unknown operator drops its condition: everything is returned.
    assert_eq!(ids(condition("ne", "id", order)).await, Ok(vec![order]));
    // A text never matches a key, and says nothing.
    assert_eq!(
        ids(condition("eq", "id", order.to_string())).await,
        Ok(vec![])
    );
    assert_eq!(
        ids(condition("eq", "vendorID", bench.vendor.to_string())).await,
        Ok(vec![])
    );
    // A text in a number field is converted or fails.
    let submitted = bench.status_id(OrderStatus::Submitted);
    assert_eq!(
        ids(condition("eq", "status", submitted.to_string())).await,
        Ok(vec![order])
    );
    let failed = ids(condition("eq", "status", "Submitted"))
        .await
        .unwrap_err();
    assert_eq!(
        failed,
        "Conversion failed when converting varchar 'Submitted' to data type int"
    );
    let failed = ids(condition("eq", "projectID", 1)).await.unwrap_err();
    assert_eq!(
        failed,
        "Unable to find projectID in the PurchaseOrder Entity"
    );
    for strict in [json!("true"), json!(1), json!(null)] {
        let failed = bench
            .ids("Companies", condition("eq", "isActive", strict))
            .await;
        assert!(failed.is_err());
    }
    let hidden = bench
        .ids("Companies", condition("eq", "sicCode", "1"))
        .await;
    assert!(hidden.unwrap_err().contains("not queryable"));
    let udf = json!([{ "op": "eq", "field": "Colour", "value": "x", "udf": true }]);
    assert!(
        bench
            .ids("Companies", udf)
            .await
            .unwrap_err()
            .starts_with("Unable to find")
    );
}

#[tokio::test(start_paused = true)]
async fn more_than_500_or_conditions_fail() {
    let bench = Bench::new();
    let many: Vec<i64> = (1..=500).collect();
    assert!(
        bench
            .ids("Products", condition("in", "id", many))
            .await
            .is_ok()
    );
    let many: Vec<i64> = (1..=501).collect();
    let failed = bench
        .ids("Products", condition("in", "id", many))
        .await
        .unwrap_err();
    assert_eq!(
        failed,
        "Invalid query syntax. Queries are limited to 500 or fewer 'OR' conditions."
    );
    let items: Vec<Value> = (0..501)
        .map(|id| json!({ "op": "eq", "field": "id", "value": id }))
        .collect();
    let group = json!([{ "op": "or", "items": items }]);
    assert!(bench.ids("Products", group).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn malformed_queries_fail() {
    let bench = Bench::new();
    let wrong = [
        json!({}),
        json!({ "filter": {} }),
        json!({ "filter": [{ "field": "id" }] }),
        json!({ "filter": [], "MaxRecords": 0 }),
        json!({ "filter": [], "MaxRecords": 501 }),
        json!({ "filter": [], "IncludeFields": ["nothing"] }),
        json!({ "filter": [{ "op": "in", "field": "id", "value": [] }] }),
        json!({ "filter": [{ "op": "contains", "field": "id", "value": 1 }] }),
    ];
    for body in wrong {
        assert_eq!(
            bench.post("PurchaseOrders/query", body.clone()).await.0,
            500,
            "{body}"
        );
    }
    let mut request = bench.request(&Method::POST, "PurchaseOrders/query", r#"{"filter":[]}"#);
    request.headers_mut().remove("Content-Type");
    assert_eq!(bench.send(request).await.unwrap().status(), 415);
}

#[tokio::test(start_paused = true)]
async fn only_the_fields_that_were_asked_for() {
    let bench = Bench::new();
    let body = json!({ "filter": [], "includefields": ["ID", "status"], "maxrecords": 1 });
    let (_, answer) = bench.post("PurchaseOrders/query", body).await;
    let status = bench.status_id(OrderStatus::Submitted);
    let expected = json!([{ "id": bench.order, "status": status, "userDefinedFields": [] }]);
    assert_eq!(answer["items"], expected);
    let details = json!({
        "count": 1, "requestCount": 1, "prevPageUrl": null, "nextPageUrl": null,
    });
    assert_eq!(answer["pageDetails"], details);
}

fn many(bench: &Bench, count: usize) {
    let seeds: Vec<OrderSeed> = (0..count)
        .map(|_| OrderSeed::submitted(bench.vendor).line(LineSeed::of(bench.product, 1, "1.10")))
        .collect();
    bench.database.add_orders(&seeds);
}

#[tokio::test(start_paused = true)]
async fn pages_follow_the_verb_they_began_with() {
    let bench = Bench::new();
    many(&bench, 1_100);
    let filter = condition("gt", "id", 0);
    let body = json!({ "filter": filter, "IncludeFields": ["id"] });
    let (_, first) = bench.post("PurchaseOrders/query", body.clone()).await;
    let next = first["pageDetails"]["nextPageUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(next.starts_with(&bench.database.zone_url()));
    assert_eq!(bench.get(&next).await.0, 405);
    assert_eq!(bench.post(&next, json!({ "filter": [] })).await.0, 500);
    let mut ids: Vec<i64> = Vec::new();
    let mut page = first;
    loop {
        ids.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].as_i64().unwrap()),
        );
        let Some(next) = page["pageDetails"]["nextPageUrl"]
            .as_str()
            .map(str::to_owned)
        else {
            break;
        };
        page = bench.post(&next, json!({ "filter": filter })).await.1;
    }
    assert_eq!(ids.len(), 1_101);
    assert!(ids.is_sorted());
    assert!(page["pageDetails"]["prevPageUrl"].is_string());
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_get_query() {
    let bench = Bench::new();
    many(&bench, 3);
    let search = r#"{"MaxRecords":2,"filter":[{"op":"exist","field":"id"}]}"#;
    let search: String = url::form_urlencoded::byte_serialize(search.as_bytes()).collect();
    let (_, first) = bench
        .get(&format!("PurchaseOrders/query?search={search}"))
        .await;
    let next = first["pageDetails"]["nextPageUrl"].as_str().unwrap();
    assert_eq!(bench.post(next, json!({ "filter": [] })).await.0, 405);
    let (_, second) = bench.get(next).await;
    assert_eq!(second["pageDetails"]["count"], 2);
    assert_eq!(second["pageDetails"]["nextPageUrl"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn pages_without_ids_are_refused_when_there_are_more() {
    let bench = Bench::new();
    many(&bench, 3);
    let body = json!({ "filter": [], "IncludeFields": ["status"], "MaxRecords": 2 });
    assert_eq!(bench.post("PurchaseOrders/query", body).await.0, 500);
}

#[tokio::test(start_paused = true)]
async fn counting_knows_no_pages() {
    let bench = Bench::new();
    many(&bench, 700);
    let (_, answer) = bench
        .post("PurchaseOrders/query/count", json!({ "filter": [] }))
        .await;
    assert_eq!(answer, json!({ "queryCount": 701 }));
}

#[tokio::test(start_paused = true)]
async fn a_missing_row_is_null_or_404() {
    let bench = Bench::new();
    assert_eq!(
        bench.get("PurchaseOrders/1").await,
        (200, json!({ "item": null }))
    );
    bench
        .database
        .switch(|switches| switches.get_by_id_missing_404 = true);
    assert_eq!(bench.get("PurchaseOrders/1").await.0, 404);
    assert_eq!(
        bench.get("Companies/0").await.1["item"]["companyName"],
        "Example MSP"
    );
}

#[tokio::test(start_paused = true)]
async fn children_are_listed_under_their_parent() {
    let bench = Bench::new();
    let (_, answer) = bench
        .get(&format!("PurchaseOrders/{}/Items", bench.order))
        .await;
    assert_eq!(answer["items"].as_array().unwrap().len(), 2);
    let item = answer["items"][0]["id"].as_i64().unwrap();
    let (_, found) = bench
        .get(&format!("PurchaseOrders/{}/Items/{item}", bench.order))
        .await;
    assert_eq!(found["item"]["id"], item);
    let (_, found) = bench.get(&format!("PurchaseOrders/1/Items/{item}")).await;
    assert_eq!(found["item"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_orders_are_quick() {
    let bench = Bench::new();
    many(&bench, 10_000);
    bench.database.switch(|switches| switches.latency_ms = 0);
    let started = std::time::Instant::now();
    let orders: Vec<i64> = bench
        .database
        .orders()
        .iter()
        .map(|order| order.id)
        .collect();
    for order in orders.iter().take(300) {
        let found = bench
            .ids("PurchaseOrderItems", condition("eq", "orderID", *order))
            .await;
        assert!(!found.unwrap().is_empty());
        assert_eq!(
            bench
                .ids("PurchaseOrders", condition("in", "id", vec![*order]))
                .await
                .unwrap()
                .len(),
            1
        );
    }
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}
