use serde_json::{Value, json};

use super::bench::{Bench, START};
use crate::autotask::{CompanySeed, Entity, FractionDigits, LineSeed, OrderSeed, OrderStatus};

fn active() -> Value {
    json!([{ "op": "eq", "field": "isActive", "value": true }])
}

#[tokio::test(start_paused = true)]
async fn dates_have_as_many_digits_as_switched() {
    let bench = Bench::new();
    let path = format!("PurchaseOrders/{}", bench.order);
    for (digits, expected) in [
        (FractionDigits::Needed, START.to_owned()),
        (FractionDigits::Three, START.replace('Z', ".000Z")),
        (FractionDigits::Seven, START.replace('Z', ".0000000Z")),
    ] {
        bench
            .database
            .switch(|switches| switches.fraction_digits = digits);
        let (_, answer) = bench.get(&path).await;
        assert_eq!(answer["item"]["createDateTime"], expected);
    }
}

#[tokio::test(start_paused = true)]
async fn hidden_costs_are_null_and_unknown_fields_may_appear() {
    let bench = Bench::new();
    bench.database.switch(|switches| {
        switches.cannot_read_costs = true;
        switches.extra_unknown_fields = true;
    });
    let (_, answer) = bench
        .get(&format!("PurchaseOrders/{}/Items", bench.order))
        .await;
    assert_eq!(answer["items"][0]["unitCost"], Value::Null);
    assert!(answer["items"][0]["vendorAddition"].is_object());
    let (_, product) = bench.get(&format!("Products/{}", bench.product)).await;
    assert_eq!(product["item"]["unitCost"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn currencies_convert_and_can_be_switched_off() {
    let bench = Bench::new();
    let euro = bench.database.add_currency("EUR", "1.5");
    let vendor = CompanySeed {
        currency_id: Some(euro),
        ..CompanySeed::vendor("Also")
    };
    let vendor = bench.database.add_company(&vendor);
    let line = LineSeed::of(bench.product, 1, "10.01");
    let order = OrderSeed {
        freight: Some("3".into()),
        ..OrderSeed::submitted(vendor)
    }
    .line(line);
    let order = bench.database.add_order(&order);
    let (_, items) = bench.get(&format!("PurchaseOrders/{order}/Items")).await;
    assert_eq!(
        items["items"][0]["internalCurrencyUnitCost"].to_string(),
        "15.015"
    );
    assert_eq!(bench.ids("Currencies", active()).await, Ok(vec![1, euro]));
    bench
        .database
        .switch(|switches| switches.multi_currency = false);
    assert_eq!(bench.ids("Currencies", active()).await, Ok(vec![1]));
    let (_, items) = bench.get(&format!("PurchaseOrders/{order}/Items")).await;
    assert_eq!(items["items"][0]["internalCurrencyUnitCost"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn fields_are_described_with_text_values_of_picklists() {
    let bench = Bench::new();
    let status = async || {
        let (_, answer) = bench.get("PurchaseOrders/entityInformation/fields").await;
        let fields = answer["fields"].as_array().unwrap().clone();
        let named = |field: &&Value| {
            field["name"]
                .as_str()
                .unwrap()
                .eq_ignore_ascii_case("status")
        };
        fields.iter().find(named).unwrap().clone()
    };
    let field = status().await;
    let submitted = &field["picklistValues"][1];
    assert_eq!(submitted["label"], "Submitted");
    assert_eq!(
        submitted["value"],
        bench.status_id(OrderStatus::Submitted).to_string()
    );
    assert_eq!(field["dataType"], "integer");
    bench.database.switch(|switches| {
        switches.localized_status_labels = true;
        switches.pascal_case_field_names = true;
    });
    let field = status().await;
    assert_eq!(field["name"], "Status");
    assert_eq!(field["picklistValues"][1]["label"], "Übermittelt");
    let (_, answer) = bench.get("PurchaseOrders/entityInformation").await;
    assert_eq!(answer["info"]["name"], "PurchaseOrder");
    assert_eq!(answer["info"]["canDelete"], false);
    assert_eq!(answer["info"]["supportsWebhookCallouts"], false);
    let (_, todo) = bench
        .get("Companies/0/ToDos/entityInformation/fields")
        .await;
    assert!(todo.to_string().contains("Phone Call"));
}

#[tokio::test(start_paused = true)]
async fn resources_include_users_of_the_interface() {
    let bench = Bench::new();
    let (_, answer) = bench
        .post("Resources/query", json!({ "filter": active() }))
        .await;
    let licenses: Vec<i64> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| resource["licenseType"].as_i64().unwrap())
        .collect();
    assert!(licenses.contains(&7) && licenses.contains(&1));
    assert!(bench.database.row(Entity::Resources, 4).is_some());
}
