use serde_json::{Value, json};

use super::*;
use crate::{
    books::Books,
    orders::{PickListValue, Resource},
    testing::{books, content},
};

fn complete() -> Value {
    json!({
        "days_back": 30,
        "number_source": "autotask",
        "missing_item": "create",
        "created_item_account": "Cost of goods sold",
        "payable_account": "ap",
        "todo_action_type": "General",
        "todo_resource": "Ann Reed",
    })
}

fn parse_in(books: &Books, document: Value) -> Result<Settings, Vec<FieldError>> {
    let value = |value, label: &str, active| PickListValue {
        value,
        label: label.to_owned(),
        active,
    };
    let statuses = [value(2, "Submitted", true), value(3, "Old", false)];
    let action_types = [
        value(5, "General", true),
        value(6, "Twice", true),
        value(7, "twice", true),
    ];
    let resources = [Resource {
        id: ResourceId::new(7),
        name: "Ann Reed".to_owned(),
        email: None,
    }];
    let choices = Choices {
        books,
        statuses: &statuses,
        action_types: &action_types,
        resources: &resources,
    };
    let document: SettingsDocument = serde_json::from_value(document).unwrap();
    document.parse(&choices)
}

fn parse(document: Value) -> Result<Settings, Vec<FieldError>> {
    parse_in(&books(), document)
}

fn with(field: &str, value: Value) -> Value {
    let mut document = complete();
    document[field] = value;
    document
}

fn wrong(document: Value) -> Vec<&'static str> {
    let errors = parse(document).unwrap_err();
    errors.iter().map(|error| error.field).collect()
}

#[test]
fn a_document_with_only_the_required_fields_has_these_defaults() {
    let settings = parse(complete()).unwrap();
    assert_eq!(
        (settings.interval_minutes, settings.give_up_hours),
        (15, 24)
    );
    assert_eq!(settings.autotask_share_percent, 50);
    assert_eq!(settings.bill_date, BillDate::Submitted);
    assert_eq!(settings.item_match, ItemMatch::Name);
    assert_eq!(settings.submitted_status, None);
    assert_eq!(settings.todo_resource.id, ResourceId::new(7));
    assert_eq!(settings.creation_account().unwrap().as_str(), "exp");
}

#[test]
fn each_required_field_is_named_when_it_is_missing() {
    for field in [
        "days_back",
        "number_source",
        "missing_item",
        "payable_account",
        "todo_action_type",
        "todo_resource",
    ] {
        assert_eq!(wrong(with(field, Value::Null)), [field]);
    }
    assert_eq!(wrong(json!({})).len(), 6, "all at once");
}

#[test]
fn the_account_for_created_items_goes_with_create_and_only_with_it() {
    let field = "created_item_account";
    assert_eq!(wrong(with(field, Value::Null)), [field]);
    assert_eq!(wrong(with("missing_item", json!("refuse"))), [field]);
    let mut refuse = with("missing_item", json!("refuse"));
    refuse[field] = Value::Null;
    assert_eq!(parse(refuse).unwrap().missing_item, MissingItem::Refuse);
}

#[test]
fn values_out_of_range_or_unknown_are_refused_by_field() {
    for (field, value) in [
        ("version", json!(2)),
        ("days_back", json!(-1)),
        ("days_back", json!(366)),
        ("interval_minutes", json!(0)),
        ("interval_minutes", json!(61)),
        ("give_up_hours", json!(169)),
        ("autotask_share_percent", json!(4)),
        ("number_source", json!("both")),
        ("item_match", json!("colour")),
        ("bill_date", json!("yesterday")),
        ("missing_item", json!("maybe")),
        ("payable_account", json!("exp")),
        ("payable_account", json!({ "id": "nope" })),
        ("freight_account", json!("ap")),
        ("submitted_status", json!("Old")),
        ("todo_action_type", json!("Twice")),
        ("todo_resource", json!("Nobody")),
        ("time_zone", json!("Mars/Olympus")),
        ("created_from", json!("26 November")),
        ("digest_to", json!("ann@localhost")),
        ("purchase_tax_code", json!("20%")),
        ("vendor_overrides", json!({ "10": "v9" })),
        ("customer_overrides", json!({ "x": "c1" })),
    ] {
        assert_eq!(wrong(with(field, value.clone())), [field], "{value}");
    }
    let unknown = serde_json::from_value::<SettingsDocument>(json!({ "day_back": 3 }));
    assert!(unknown.unwrap_err().to_string().contains("day_back"));
    for choice in [json!({}), json!({ "name": "x" }), json!(true)] {
        let document = json!({ "payable_account": choice });
        assert!(serde_json::from_value::<SettingsDocument>(document).is_err());
    }
}

#[test]
fn a_choice_is_an_id_a_label_or_both() {
    let account = |choice| {
        parse(with("payable_account", choice))
            .unwrap()
            .payable_account
    };
    for choice in [
        json!("ap"),
        json!(" accounts  PAYABLE "),
        json!({ "id": "ap" }),
        json!({ "label": "Accounts Payable" }),
        json!({ "id": "ap", "label": "an old label" }),
    ] {
        let chosen = account(choice);
        assert_eq!(
            (chosen.id.as_str(), chosen.label.as_str()),
            ("ap", "Accounts Payable")
        );
    }
    assert_eq!(
        parse(with("todo_action_type", json!(6)))
            .unwrap()
            .todo_action_type
            .label,
        "Twice"
    );
}

#[test]
fn days_back_zero_is_a_value_and_not_a_gap() {
    assert_eq!(parse(with("days_back", json!(0))).unwrap().days_back, 0);
}

#[test]
fn outside_the_us_a_tax_code_is_required() {
    let mut content = content();
    content.company.country = "AU".to_owned();
    content.tax_codes.push(crate::books::TaxCode {
        id: "7".parse().unwrap(),
        name: "GST".to_owned(),
        active: true,
    });
    let books = Books::new(content);
    let missing = parse_in(&books, complete()).unwrap_err();
    assert_eq!(missing[0].field, "purchase_tax_code");
    let settings = parse_in(&books, with("purchase_tax_code", json!("gst"))).unwrap();
    assert_eq!(settings.purchase_tax_code.unwrap().id.as_str(), "7");
}

#[test]
fn what_is_exported_imports_as_the_same_settings() {
    let mut document = complete();
    document["freight_account"] = json!("Freight");
    document["submitted_status"] = json!("Submitted");
    document["time_zone"] = json!("Europe/Berlin");
    document["digest_to"] = json!("books@example.com");
    document["created_from"] = json!("2026-11-26");
    document["vendor_overrides"] = json!({ "10": "v1" });
    let settings = parse(document).unwrap();
    let exported = serde_json::to_value(SettingsDocument::from(&settings)).unwrap();
    assert_eq!(parse(exported).unwrap(), settings);
    let stored = serde_json::to_string(&settings).unwrap();
    assert_eq!(serde_json::from_str::<Settings>(&stored).unwrap(), settings);
}

#[test]
fn the_zone_is_the_one_set_then_the_companys_then_utc() {
    let mut settings = parse(complete()).unwrap();
    let name = |settings: &Settings, company| {
        let zone = settings.zone(company);
        zone.iana_name().unwrap_or("none").to_owned()
    };
    assert_eq!(name(&settings, Some("America/Chicago")), "America/Chicago");
    assert_eq!(name(&settings, Some("nowhere")), "UTC");
    settings.time_zone = Some("Europe/Berlin".to_owned());
    assert_eq!(name(&settings, Some("America/Chicago")), "Europe/Berlin");
}
