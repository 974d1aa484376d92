use serde_json::json;

use super::{
    super::{ItemSeed, PersonSeed, RealmSeed},
    Desk, REALM, amount, code, decimal, detail,
};

#[tokio::test]
async fn a_minimal_bill_is_created_with_every_default_filled() {
    let desk = Desk::new();
    let body = json!({
        "VendorRef": { "value": desk.vendor },
        "Line": [desk.account_line("200.00")],
        "TotalAmt": 1,
    });
    let (status, answer) = desk.post("bill", body).await;
    assert_eq!(status, 200);
    let bill = &answer["Bill"];
    assert_eq!(bill["Id"], "1");
    assert_eq!(bill["SyncToken"], "0");
    assert_eq!(bill["TxnDate"], "2026-01-15");
    assert_eq!(bill["DueDate"], "2026-01-15");
    assert_eq!(amount(&bill["TotalAmt"]), decimal("200"));
    assert_eq!(amount(&bill["Balance"]), decimal("200"));
    assert_eq!(bill["VendorRef"]["name"], "Acme Supply");
    assert_eq!(bill["APAccountRef"]["name"], "Accounts Payable (A/P)");
    let line = &bill["Line"][0];
    assert_eq!(line["Id"], "1");
    assert_eq!(
        line["AccountBasedExpenseLineDetail"]["TaxCodeRef"]["value"],
        "NON"
    );
    assert_eq!(
        line["AccountBasedExpenseLineDetail"]["BillableStatus"],
        "NotBillable"
    );
    assert_eq!(
        line["AccountBasedExpenseLineDetail"]["AccountRef"]["name"],
        "Job Materials"
    );
    assert!(answer["time"].as_str().expect("a time").ends_with("-08:00"));
    assert!(bill.get("DocNumber").is_none());
    let (status, read) = desk.get("bill/1").await;
    assert_eq!((status, &read["Bill"]), (200, bill));
}

#[tokio::test]
async fn the_default_day_is_pacific_and_the_term_sets_the_due_date() {
    let desk = Desk::new();
    let term = desk
        .quickbooks
        .add_term(REALM, "Net 30", 30)
        .expect("a term");
    let mut body = desk.bill("A");
    body.as_object_mut().expect("an object").remove("TxnDate");
    body["SalesTermRef"] = json!({ "value": term });
    let (_, answer) = desk.post("bill", body).await;
    assert_eq!(answer["Bill"]["DueDate"], "2026-02-14");
}

#[tokio::test]
async fn unknown_members_are_refused_however_deep() {
    let desk = Desk::new();
    let mut body = desk.bill("A");
    body["Docnumber"] = json!("A");
    let (status, answer) = desk.post("bill", body).await;
    assert_eq!((status, code(&answer).as_str()), (400, "2010"));
    assert!(detail(&answer).contains("Unrecognized field \"Docnumber\" (class"));
    assert!(detail(&answer).contains("known properties: \"Id\""));
    let mut body = desk.bill("A");
    body["Line"][0]["ItemBasedExpenseLineDetail"]["Quantity"] = json!(1);
    assert_eq!(desk.refused("bill", body).await, "2010");
    let mut body = desk.bill("A");
    body["VendorRef"]["id"] = json!("1");
    assert_eq!(desk.refused("bill", body).await, "2010");
    let mut body = desk.bill("A");
    body["Memo"] = json!("no such member on a bill");
    assert_eq!(desk.refused("bill", body).await, "2010");
}

#[tokio::test]
async fn required_members_and_lengths_are_checked() {
    let desk = Desk::new();
    for missing in ["VendorRef", "Line"] {
        let mut body = desk.bill("A");
        body.as_object_mut().expect("an object").remove(missing);
        let (_, answer) = desk.post("bill", body).await;
        assert_eq!(code(&answer), "2020");
        assert_eq!(answer["Fault"]["Error"][0]["element"], missing);
    }
    for missing in ["Amount", "DetailType", "ItemBasedExpenseLineDetail"] {
        let mut body = desk.bill("A");
        body["Line"][0]
            .as_object_mut()
            .expect("an object")
            .remove(missing);
        assert_eq!(desk.refused("bill", body).await, "2020", "{missing}");
    }
    let (_, answer) = desk.post("bill", desk.bill(&"9".repeat(22))).await;
    assert_eq!(code(&answer), "2050");
    assert_eq!(answer["Fault"]["Error"][0]["element"], "DocNumber");
    assert!(detail(&answer).contains("Min:0 Max:21 supported. Supplied length:22"));
    let mut body = desk.bill("A");
    body["PrivateNote"] = json!("x".repeat(4001));
    assert_eq!(desk.refused("bill", body).await, "2050");
    let mut body = desk.bill("A");
    body["TxnDate"] = json!("15/01/2026");
    assert_eq!(desk.refused("bill", body).await, "2110");
    let mut body = desk.bill("A");
    body["Line"][0]["Amount"] = json!("21.00");
    assert_eq!(desk.refused("bill", body).await, "2090");
    assert_eq!(desk.refused("bill", json!([])).await, "2010");
}

#[tokio::test]
async fn references_must_exist_and_be_active() {
    let desk = Desk::new();
    let mut body = desk.bill("A");
    body["VendorRef"]["value"] = json!("999");
    let (_, answer) = desk.post("bill", body).await;
    assert_eq!(code(&answer), "2500");
    assert!(detail(&answer).ends_with("Names element id 999 not found"));
    let idle = PersonSeed::new("Idle").inactive();
    let idle = desk.quickbooks.add_vendor(REALM, &idle).expect("a vendor");
    let mut body = desk.bill("A");
    body["VendorRef"]["value"] = json!(idle);
    assert_eq!(desk.refused("bill", body).await, "610");
    let customer = desk
        .quickbooks
        .add_customer(REALM, &PersonSeed::new("C"))
        .expect("ok");
    let mut body = desk.bill("A");
    body["VendorRef"]["value"] = json!(customer);
    assert_eq!(desk.refused("bill", body).await, "2500");
    let mut line = desk.account_line("1.00");
    line["AccountBasedExpenseLineDetail"]["AccountRef"]["value"] = json!("55");
    let mut body = desk.bill("A");
    body["Line"] = json!([line]);
    let (_, answer) = desk.post("bill", body).await;
    assert!(detail(&answer).contains("Accounts element id 55 not found"));
}

#[tokio::test]
async fn account_types_are_checked() {
    let desk = Desk::new();
    let mut line = desk.account_line("1.00");
    line["AccountBasedExpenseLineDetail"]["AccountRef"]["value"] = json!(desk.income);
    let mut body = desk.bill("A");
    body["Line"] = json!([line]);
    assert_eq!(desk.refused("bill", body).await, "6430");
    let mut body = desk.bill("A");
    body["APAccountRef"] = json!({ "value": desk.expense });
    assert_eq!(desk.refused("bill", body).await, "6430");
    let mut line = desk.account_line("1.00");
    line["AccountBasedExpenseLineDetail"] = json!({});
    let mut body = desk.bill("A");
    body["Line"] = json!([line]);
    let (_, answer) = desk.post("bill", body).await;
    assert_eq!(code(&answer), "2020");
    assert_eq!(answer["Fault"]["Error"][0]["element"], "AccountRef");
    let mut line = desk.account_line("1.00");
    line["DetailType"] = json!("ItemBasedExpenseLineDetail");
    let mut body = desk.bill("A");
    body["Line"] = json!([line]);
    assert_eq!(desk.refused("bill", body).await, "2010");
}

#[tokio::test]
async fn an_item_must_be_one_that_can_be_bought() {
    let desk = Desk::new();
    let add = |seed: ItemSeed| desk.quickbooks.add_item(REALM, &seed).expect("an item");
    let category = add(ItemSeed {
        name: "Parts".to_owned(),
        item_type: "Category".to_owned(),
        ..ItemSeed::default()
    });
    let sold_only = add(ItemSeed {
        name: "Labour".to_owned(),
        item_type: "Service".to_owned(),
        income_account: Some(desk.income.clone()),
        ..ItemSeed::default()
    });
    let bundle = add(ItemSeed {
        name: "Bundle".to_owned(),
        item_type: "Group".to_owned(),
        ..ItemSeed::default()
    });
    let mut idle = ItemSeed::non_inventory("Old", &desk.expense);
    idle.inactive = true;
    let idle = add(idle);
    for (id, expected) in [
        (category, "6000"),
        (sold_only, "6000"),
        (bundle, "6000"),
        (idle, "610"),
    ] {
        let mut body = desk.bill("A");
        body["Line"][0]["ItemBasedExpenseLineDetail"]["ItemRef"]["value"] = json!(id);
        assert_eq!(desk.refused("bill", body).await, expected);
    }
    let mut body = desk.bill("A");
    body["Line"][0]["ItemBasedExpenseLineDetail"]["ItemRef"]["value"] = json!("77");
    let (_, answer) = desk.post("bill", body).await;
    assert_eq!(code(&answer), "2500");
    assert!(detail(&answer).contains("ItemRef"));
}

#[tokio::test]
async fn a_line_without_an_item_is_a_note_and_its_amount_is_lost() {
    let desk = Desk::new();
    let mut note = desk.item_line("1", "5.00", "5.00");
    note["ItemBasedExpenseLineDetail"]
        .as_object_mut()
        .expect("an object")
        .remove("ItemRef");
    let mut body = desk.bill("A");
    body["Line"] = json!([desk.item_line("1", "3.00", "3.00"), note]);
    let (_, answer) = desk.post("bill", body).await;
    assert_eq!(amount(&answer["Bill"]["TotalAmt"]), decimal("3.00"));
}

#[tokio::test]
async fn amounts_are_quantity_times_price_rounded_half_up() {
    let desk = Desk::new();
    let mut body = desk.bill("A");
    body["Line"] = json!([desk.item_line("128.350", "14.50", "1861.07")]);
    let (_, answer) = desk.post("bill", body.clone()).await;
    assert_eq!(code(&answer), "6070");
    assert!(detail(&answer).ends_with("Supplied value:1861.07"));
    desk.quickbooks
        .change_switches(|switches| switches.amount_check = false)
        .expect("ok");
    assert_eq!(desk.post("bill", body.clone()).await.0, 200);
    desk.quickbooks
        .change_switches(|switches| switches.amount_check = true)
        .expect("ok");
    body["Line"] = json!([desk.item_line("128.350", "14.50", "1861.08")]);
    body["DocNumber"] = json!("B");
    assert_eq!(desk.post("bill", body).await.0, 200);
    let mut body = desk.bill("C");
    body["Line"] = json!([desk.account_line("-1.00")]);
    assert_eq!(desk.refused("bill", body.clone()).await, "2290");
    desk.quickbooks
        .change_switches(|switches| switches.negative_lines = true)
        .expect("ok");
    assert_eq!(desk.refused("bill", body).await, "6000");
    let mut body = desk.bill("D");
    body["Line"] = json!([desk.account_line("33.333333")]);
    assert_eq!(desk.refused("bill", body).await, "2090");
    let mut body = desk.bill("E");
    body["Line"] = json!([desk.account_line("0")]);
    assert_eq!(desk.post("bill", body).await.0, 200);
}

#[tokio::test]
async fn tax_codes_in_the_us_are_tax_or_non() {
    let desk = Desk::new();
    let mut body = desk.bill("A");
    body["Line"][0]["ItemBasedExpenseLineDetail"]["TaxCodeRef"] = json!({ "value": "5" });
    assert_eq!(desk.refused("bill", body.clone()).await, "6100");
    body["Line"][0]["ItemBasedExpenseLineDetail"]["TaxCodeRef"] = json!({ "value": "TAX" });
    assert_eq!(desk.post("bill", body.clone()).await.0, 200);
    body["GlobalTaxCalculation"] = json!("TaxExcluded");
    assert_eq!(desk.refused("bill", body).await, "2170");
}

#[tokio::test]
async fn outside_the_us_every_line_needs_a_tax_code() {
    let desk = Desk::of(RealmSeed::new(REALM, "Nord").in_country("CA", "CAD"));
    let code_id = desk
        .quickbooks
        .add_tax_code(REALM, "HST ON", decimal("13"))
        .expect("ok");
    let (_, answer) = desk.post("bill", desk.bill("A")).await;
    assert_eq!(code(&answer), "6000");
    assert!(detail(&answer).contains("GST/HST rate"));
    let mut body = desk.bill("A");
    body["Line"][0]["ItemBasedExpenseLineDetail"]["TaxCodeRef"] = json!({ "value": code_id });
    let (status, answer) = desk.post("bill", body.clone()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(amount(&answer["Bill"]["TotalAmt"]), decimal("23.73"));
    body["Line"][0]["ItemBasedExpenseLineDetail"]["TaxCodeRef"] = json!({ "value": "NON" });
    body["DocNumber"] = json!("C");
    assert_eq!(desk.refused("bill", body).await, "2500");
    desk.quickbooks
        .change_switches(|switches| switches.tax_required = false)
        .expect("ok");
    assert_eq!(desk.post("bill", desk.bill("B")).await.0, 200);
}

#[tokio::test]
async fn us_companies_take_latin_characters_only() {
    let desk = Desk::new();
    let mut body = desk.bill("A");
    body["PrivateNote"] = json!("caf\u{e9} \u{2013} dash");
    assert_eq!(desk.refused("bill", body.clone()).await, "2040");
    body["PrivateNote"] = json!("caf\u{e9}");
    assert_eq!(desk.post("bill", body).await.0, 200);
    let name = json!({ "DisplayName": "\u{6771}\u{4eac}" });
    assert_eq!(desk.refused("vendor", name.clone()).await, "2040");
    let desk = Desk::of(RealmSeed::new(REALM, "Leeds").in_country("GB", "GBP"));
    assert_eq!(desk.post("vendor", name).await.0, 200);
}

#[tokio::test]
async fn customers_and_billable_lines_follow_the_preferences() {
    let desk = Desk::new();
    let customer = desk
        .quickbooks
        .add_customer(REALM, &PersonSeed::new("Client"))
        .expect("ok");
    let with = |status: &str, customer: Option<&str>| {
        let mut body = desk.bill("A");
        let line = &mut body["Line"][0]["ItemBasedExpenseLineDetail"];
        line["BillableStatus"] = json!(status);
        if let Some(customer) = customer {
            line["CustomerRef"] = json!({ "value": customer });
        }
        body
    };
    assert_eq!(desk.refused("bill", with("Billable", None)).await, "6310");
    assert_eq!(
        desk.refused("bill", with("HasBeenBilled", Some(&customer)))
            .await,
        "2170"
    );
    assert_eq!(
        desk.refused("bill", with("NotBillable", Some("88"))).await,
        "2500"
    );
    let path = "VendorAndPurchasesPrefs.BillableExpenseTracking";
    desk.quickbooks
        .set_preference(REALM, path, json!(false))
        .expect("ok");
    assert_eq!(
        desk.refused("bill", with("Billable", Some(&customer)))
            .await,
        "6320"
    );
    desk.quickbooks
        .set_preference(REALM, path, json!(true))
        .expect("ok");
    let path = "VendorAndPurchasesPrefs.TrackingByCustomer";
    desk.quickbooks
        .set_preference(REALM, path, json!(false))
        .expect("ok");
    let change = |required| {
        desk.quickbooks
            .change_switches(|switches| switches.customer_tracking_required = required)
            .expect("ok");
    };
    change(true);
    assert_eq!(
        desk.refused("bill", with("NotBillable", Some(&customer)))
            .await,
        "6000"
    );
    change(false);
    assert_eq!(
        desk.post("bill", with("Billable", Some(&customer))).await.0,
        200
    );
}

#[tokio::test]
async fn a_number_is_taken_once_per_vendor_while_the_preference_is_on() {
    let desk = Desk::new();
    desk.made_bill("PO-1").await;
    let (status, answer) = desk.post("bill", desk.bill("po-1")).await;
    assert_eq!((status, code(&answer).as_str()), (400, "6140"));
    assert!(detail(&answer).ends_with("DocNumber=PO-1 is assigned to TxnType=Bill with TxnId=1"));
    let allowed = desk
        .post("bill?include=allowduplicatedocnum", desk.bill("PO-1"))
        .await;
    assert_eq!(allowed.0, 200);
    let other = desk
        .quickbooks
        .add_vendor(REALM, &PersonSeed::new("Other"))
        .expect("ok");
    let mut body = desk.bill("PO-1");
    body["VendorRef"]["value"] = json!(other);
    let rule = super::super::DocNumberRule::CompanyWide;
    desk.quickbooks
        .change_switches(|switches| switches.doc_number = rule)
        .expect("ok");
    assert_eq!(desk.refused("bill", body.clone()).await, "6140");
    let rule = super::super::DocNumberRule::SameVendor;
    desk.quickbooks
        .change_switches(|switches| switches.doc_number = rule)
        .expect("ok");
    assert_eq!(desk.post("bill", body).await.0, 200);
    let warns = "OtherPrefs.WarnDuplicateBillNumber";
    desk.quickbooks
        .set_preference(REALM, warns, json!("false"))
        .expect("ok");
    assert_eq!(desk.post("bill", desk.bill("PO-1")).await.0, 200);
}
