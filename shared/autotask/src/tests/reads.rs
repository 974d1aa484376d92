use purser_core::{
    ids::{OrderId, OrganisationId, ProductId, StatusId},
    notice::Code,
    ports::{Autotask, Lane},
};
use serde_json::{Value, json};

use super::support::{Answer, Bench, Seen, errors, items};
use crate::AutotaskClient;

fn ids(range: std::ops::RangeInclusive<i64>) -> Vec<OrderId> {
    range.map(OrderId::new).collect()
}

/// The lower end that the id loop asked for.
fn above(seen: &Seen) -> i64 {
    let filter = seen.body["filter"].as_array().unwrap();
    let above = filter
        .iter()
        .find(|c| c["op"] == "gt" && c["field"] == "id");
    above.map_or(-1, |condition| condition["value"].as_i64().unwrap())
}

#[tokio::test]
async fn pages_follow_the_ids_until_one_is_not_full() {
    let bench = Bench::new(|seen, _| {
        let first = above(seen) + 1;
        let rows: Vec<Value> = (first..1200)
            .take(500)
            .map(|id| json!({"id": id}))
            .collect();
        items(rows)
    });
    let from = "2026-01-01T00:00:00.0005Z".parse().unwrap();
    let orders = bench
        .client()
        .orders_with_status(StatusId::new(7), from)
        .await
        .unwrap();
    assert_eq!(orders.len(), 1200);
    assert!(orders.is_sorted_by_key(|order| order.id));
    assert_eq!(bench.lines(), vec!["POST PurchaseOrders/query"; 3]);
    let body = &bench.bodies("/query")[1];
    assert_eq!(body["MaxRecords"], 500);
    assert!(
        body["IncludeFields"]
            .as_array()
            .unwrap()
            .contains(&json!("externalPONumber"))
    );
    assert_eq!(
        body["filter"],
        json!([
            {"op": "eq", "field": "status", "value": 7},
            {"op": "gte", "field": "createDateTime", "value": "2026-01-01T00:00:00.000Z"},
            {"op": "gt", "field": "id", "value": 499},
        ])
    );
}

#[tokio::test]
async fn a_page_that_never_ends_or_is_out_of_order_is_a_failure() {
    let same: Vec<Value> = (0..500).map(|id| json!({"id": id})).collect();
    let reversed: Vec<Value> = (0..500).rev().map(|id| json!({"id": id})).collect();
    for rows in [same, reversed] {
        let bench = Bench::new(move |_, _| items(rows.clone()));
        let failure = bench.client().currencies().await.unwrap_err();
        assert_eq!(failure.code(), Code::AutotaskFailing);
        assert!(bench.count("/query") <= 4);
    }
    let bench = Bench::new(|seen, _| {
        let first = above(seen) + 1;
        let rows: Vec<Value> = (first..).take(500).map(|id| json!({"id": id})).collect();
        items(rows)
    });
    let failure = bench.client().currencies().await.unwrap_err();
    assert_eq!(failure.code(), Code::AutotaskRefused);
}

#[tokio::test]
async fn a_short_page_that_names_a_next_one_is_not_the_last() {
    let bench = Bench::new(|seen, _| match above(seen) {
        -1 => Answer::Json(
            200,
            json!({"items": [{"id": 1}], "pageDetails": {"nextPageUrl": "https://x/next"}}),
        ),
        _ => items([json!({"id": 2})]),
    });
    assert_eq!(bench.client().orders(&ids(1..=2)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn long_lists_go_in_chunks_and_strangers_and_doubles_are_dropped() {
    let bench = Bench::new(|seen, _| {
        let asked = seen.body["filter"][0]["value"].as_array().unwrap();
        assert!(asked.len() <= 450 && asked.iter().all(Value::is_number));
        let first = &asked[0];
        items([
            json!({"id": 900_001, "orderID": 5_000}),
            json!({"id": 900_000, "orderID": first}),
            json!({"id": 900_000, "orderID": first}),
            json!({"id": 1, "orderID": null}),
        ])
    });
    let mut wanted = ids(1..=1000);
    wanted.extend(ids(1..=1000));
    let lines = bench.client().lines(&wanted).await.unwrap();
    assert_eq!(bench.count("/query"), 3);
    assert_eq!(lines.len(), 1);
    assert!(bench.client().lines(&[]).await.unwrap().is_empty());
    assert_eq!(bench.count("/query"), 3);
}

#[tokio::test]
async fn an_order_is_read_whatever_form_its_fields_have() {
    let bench = Bench::new(|_, _| {
        items([json!({
            "ID": "4711", "PurchaseOrderNumber": "PO1", "Status": "20", "unknown": {"x": 1},
            "createDateTime": "2026-01-05T14:03:22.4171234", "submitDateTime": null,
            "externalPONumber": "", "vendorID": 812, "purchaseForCompanyID": 0,
            "freight": "12.50", "userDefinedFields": [],
        })])
    });
    let orders = bench.client().orders(&[OrderId::new(4711)]).await.unwrap();
    let order = &orders[0];
    assert_eq!(order.status, Some(StatusId::new(20)));
    assert_eq!(
        order.created.unwrap().to_string(),
        "2026-01-05T14:03:22.4171234Z"
    );
    assert_eq!(order.external_number.as_deref(), Some(""));
    assert_eq!(order.purchase_for, Some(OrganisationId::new(0)));
    assert_eq!(order.freight.unwrap().to_string(), "12.50");
    assert_eq!(order.payment_term, None);
}

#[tokio::test]
async fn rows_that_miss_the_condition_are_dropped() {
    let bench = Bench::new(|_, _| {
        items([
            json!({"id": 1, "status": 7, "createDateTime": "2026-01-01T00:00:00Z"}),
            json!({"id": 2, "status": 8, "createDateTime": "2026-01-01T00:00:00Z"}),
            json!({"id": 3, "status": 7, "createDateTime": "2025-12-31T23:59:59.99Z"}),
        ])
    });
    let from = "2026-01-01T00:00:00Z".parse().unwrap();
    let orders = bench
        .client()
        .orders_with_status(StatusId::new(7), from)
        .await
        .unwrap();
    assert_eq!(orders.iter().map(|o| o.id.get()).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn costs_are_exact_and_a_missing_one_is_not_zero() {
    let body = r#"{"items":[
        {"id":1,"orderID":1,"quantity":3,"unitCost":0.1},
        {"id":2,"orderID":1,"quantity":"2","unitCost":1234567890.123456789},
        {"id":3,"orderID":1,"quantity":1,"unitCost":null},
        {"id":4,"orderID":1,"productID":null}]}"#;
    let bench = Bench::new(move |_, _| Answer::Text(200, body));
    let lines = bench.client().lines(&ids(1..=1)).await.unwrap();
    let costs: Vec<_> = lines
        .iter()
        .map(|l| l.unit_cost.map(|c| c.to_string()))
        .collect();
    assert_eq!(costs[0].as_deref(), Some("0.1"));
    assert_eq!(costs[1].as_deref(), Some("1234567890.123456789"));
    assert_eq!((&costs[2], &costs[3]), (&None, &None));
}

#[tokio::test]
async fn products_organisations_and_currencies() {
    let bench = Bench::new(|seen, _| match seen.line.rsplit('/').nth(1).unwrap() {
        "Products" => items([json!({"id": 55, "name": "Firewall", "sku": "FW",
            "manufacturerProductName": "FW-1", "description": null})]),
        "Companies" => items([
            json!({"id": 0, "companyName": "Us"}),
            json!({"id": 812, "companyName": "Acme", "currencyID": 2}),
        ]),
        _ => items([
            json!({"id": 1, "name": "USD", "isInternalCurrency": true, "isActive": true}),
            json!({"id": 2, "name": "EUR", "isInternalCurrency": false, "isActive": true}),
            json!({"id": 3, "name": "Points", "isActive": true}),
        ]),
    });
    let client = bench.client();
    let products = client.products(&[ProductId::new(55)]).await.unwrap();
    assert_eq!(
        products[0].manufacturer_part_number.as_deref(),
        Some("FW-1")
    );
    let asked = [OrganisationId::new(812), OrganisationId::new(0)];
    let organisations = client.organisations(&asked).await.unwrap();
    assert_eq!(organisations[0].name, "Us");
    let table = client.currencies().await.unwrap();
    assert_eq!(table.rows.len(), 2);
    assert!(table.multi_currency());
    assert_eq!(table.of(&organisations[1]).unwrap().code(), "EUR");
}

fn fields(list: &Value) -> Answer {
    Answer::Json(200, json!({"fields": list}))
}

#[tokio::test]
async fn pick_lists_are_numbers_with_labels() {
    let bench = Bench::new(|_, _| {
        fields(&json!([
            {"name": "id", "isPickList": false, "picklistValues": null},
            {"name": "Status", "picklistValues": [
                {"value": "31", "label": "Submitted", "isActive": true},
                {"value": "x", "label": "Broken"},
                {"value": "32", "label": "Alt", "isActive": false, "parentValue": ""}]},
        ]))
    });
    let statuses = bench.client().statuses().await.unwrap();
    assert_eq!(
        bench.lines(),
        ["GET PurchaseOrders/entityInformation/fields"]
    );
    assert_eq!(statuses.len(), 2);
    assert_eq!(
        (statuses[0].value, statuses[0].label.as_str()),
        (31, "Submitted")
    );
    assert!(!statuses[1].active);
    assert!(bench.client().payment_terms().await.unwrap().is_empty());
}

#[tokio::test]
async fn action_types_come_from_the_field_or_from_their_own_table() {
    let listed = json!([{"name": "actionType", "picklistValues":
        [{"value": "1", "label": "Call", "isActive": true}, {"value": "2", "isActive": false}]}]);
    let bench = Bench::new(move |_, _| fields(&listed));
    assert_eq!(bench.client().action_types().await.unwrap().len(), 1);
    let bench = Bench::new(|seen, _| match seen.line.starts_with("GET") {
        true => fields(&json!([{"name": "actionType", "picklistValues": null}])),
        false => items([json!({"id": 3, "name": "Call", "isActive": true})]),
    });
    let types = bench.client().action_types().await.unwrap();
    assert_eq!((types[0].value, types[0].label.as_str()), (3, "Call"));
    assert_eq!(bench.lines()[1], "POST ActionTypes/query");
}

#[tokio::test]
async fn api_users_and_those_who_do_not_work_get_no_to_do() {
    let bench = Bench::new(|seen, _| match seen.line.starts_with("GET") {
        true => fields(&json!([{"name": "licenseType", "picklistValues": [
            {"value": "1", "label": "Professional"},
            {"value": "7", "label": "API User (system) (API-only)"}]}])),
        false => items([
            json!({"id": 1, "firstName": "Ann", "lastName": "Lee", "licenseType": 1,
                "resourceType": "Employee", "email": "ann@msp.example", "isActive": true}),
            json!({"id": 2, "firstName": "B", "licenseType": 7, "resourceType": "Employee"}),
            json!({"id": 3, "firstName": "C", "resourceType": "Equipment"}),
            json!({"id": 4, "firstName": "D", "isActive": false}),
            json!({"id": 5, "firstName": "E", "userName": "API+1@msp.example"}),
            json!({"id": 6, "userName": "frank"}),
        ]),
    });
    let people = bench.client().resources().await.unwrap();
    let names: Vec<_> = people.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["Ann Lee", "frank"]);
}

#[tokio::test]
async fn the_report_says_what_the_user_may_do() {
    let bench = Bench::new(|seen, _| {
        let line = seen.line.as_str();
        if line.ends_with("PurchaseOrders/entityInformation") {
            let info =
                json!({"canQuery": true, "userAccessForQuery": "1", "userAccessForUpdate": 0});
            Answer::Json(200, json!({"info": info}))
        } else if line.ends_with("PurchaseOrderItems/entityInformation") {
            Answer::Json(
                200,
                json!({"info": {"userAccessForQuery": 2, "canUpdate": false}}),
            )
        } else if line.ends_with("/fields") {
            fields(&json!([{"name": "licenseType", "picklistValues": [
                {"value": "7", "label": "API User (API-only)"}]}]))
        } else if line.ends_with("Resources/query") {
            items([json!({"id": 9, "email": "api+1@msp.example", "licenseType": 7})])
        } else {
            items([json!({"id": 1, "orderID": 1, "unitCost": null})])
        }
    });
    let client = AutotaskClient::new(bench.config(Lane::Person));
    let report = client.report().await.unwrap();
    assert_eq!(report.zone_host, "webservices3.autotask.net");
    assert_eq!(report.web_url, "https://ww3.autotask.net/");
    assert!(report.may_read_orders && !report.may_write_orders && report.may_read_lines);
    assert_eq!(report.api_only, Some(true));
    assert_eq!(report.costs_readable, Some(false));
    assert_eq!(report.quota.unwrap().used, 100);
}

#[tokio::test]
async fn a_report_without_permissions_is_still_a_report() {
    let denied = "The logged in Resource does not have the adequate permissions to do this. ";
    let bench = Bench::new(move |_, _| errors(denied));
    let report = bench.client().report().await.unwrap();
    assert!(!report.may_read_orders && !report.may_read_lines);
    assert_eq!((report.api_only, report.costs_readable), (None, None));
}
