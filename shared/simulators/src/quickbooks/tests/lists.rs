use serde_json::{Value, json};

use super::{
    super::{ItemSeed, Kind},
    Desk, REALM, code, detail,
};

#[tokio::test]
async fn items_need_a_type_a_name_and_their_accounts() {
    let desk = Desk::new();
    let account = |id: &str| json!({ "value": id });
    let good = json!({
        "Name": "Cable", "Type": "NonInventory", "ExpenseAccountRef": account(&desk.expense),
    });
    let without = |name: &str| {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(name);
        body
    };
    for name in ["Name", "Type", "ExpenseAccountRef"] {
        assert_eq!(desk.refused("item", without(name)).await, "2020", "{name}");
    }
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    assert_eq!(
        desk.refused("item", with("Type", json!("Thing"))).await,
        "2170"
    );
    assert_eq!(
        desk.refused("item", with("Type", json!("Group"))).await,
        "6000"
    );
    assert_eq!(
        desk.refused("item", with("Name", json!("a:b"))).await,
        "6000"
    );
    assert_eq!(
        desk.refused("item", with("Name", json!("n".repeat(101))))
            .await,
        "2050"
    );
    assert_eq!(
        desk.refused("item", with("PurchaseDesc", json!("n".repeat(1001))))
            .await,
        "2050"
    );
    let wrong = with("ExpenseAccountRef", account(&desk.income));
    assert_eq!(desk.refused("item", wrong).await, "6000");
    assert_eq!(
        desk.refused("item", with("ExpenseAccountRef", account("66")))
            .await,
        "2500"
    );
    assert_eq!(
        desk.refused("item", with("Name", json!("LAPTOP"))).await,
        "6240"
    );
    let (status, answer) = desk.post("item", good.clone()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["Item"]["FullyQualifiedName"], "Cable");
    assert_eq!(answer["Item"]["ExpenseAccountRef"]["name"], "Job Materials");
}

#[tokio::test]
async fn inventory_needs_tracking_and_starts_on_a_day() {
    let desk = Desk::new();
    let asset = super::super::AccountSeed::new("Stock", "Other Current Asset");
    let asset = desk.quickbooks.add_account(REALM, &asset).expect("ok");
    let mut body = json!({
        "Name": "Disk", "Type": "Inventory", "TrackQtyOnHand": true, "QtyOnHand": 0,
        "InvStartDate": "2026-01-12",
        "ExpenseAccountRef": { "value": desk.expense },
        "IncomeAccountRef": { "value": desk.income },
    });
    assert_eq!(desk.refused("item", body.clone()).await, "2020");
    body["AssetAccountRef"] = json!({ "value": asset });
    let (status, answer) = desk.post("item", body.clone()).await;
    assert_eq!(status, 200, "{answer}");
    let mut bill = desk.bill("A");
    bill["Line"][0]["ItemBasedExpenseLineDetail"]["ItemRef"]["value"] =
        answer["Item"]["Id"].clone();
    assert_eq!(desk.refused("bill", bill).await, "6270");
    let path = "ProductAndServicesPrefs.QuantityOnHand";
    desk.quickbooks
        .set_preference(REALM, path, json!(false))
        .expect("ok");
    body["Name"] = json!("Disk 2");
    let (_, answer) = desk.post("item", body).await;
    assert_eq!(code(&answer), "6000");
    assert!(detail(&answer).contains("Track quantity on hand is turned off"));
}

#[tokio::test]
async fn items_stand_in_categories() {
    let desk = Desk::new();
    let body = json!({ "Name": "Hardware", "Type": "Category" });
    let (_, answer) = desk.post("item", body).await;
    let category = answer["Item"]["Id"].clone();
    let mut body = json!({
        "Name": "Laptop", "Type": "NonInventory", "SubItem": true,
        "ExpenseAccountRef": { "value": desk.expense },
    });
    assert_eq!(desk.refused("item", body.clone()).await, "6150");
    body["ParentRef"] = json!({ "value": category });
    let (status, answer) = desk.post("item", body.clone()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["Item"]["FullyQualifiedName"], "Hardware:Laptop");
    body["ParentRef"] = json!({ "value": desk.item });
    assert_eq!(desk.refused("item", body).await, "6000");
}

#[tokio::test]
async fn company_info_and_preferences_are_read() {
    let desk = Desk::new();
    let (status, answer) = desk.get(&format!("companyinfo/{REALM}")).await;
    assert_eq!(status, 200);
    assert_eq!(answer["CompanyInfo"]["CompanyName"], "Northwind IT");
    assert_eq!(answer["CompanyInfo"]["Id"], "1");
    assert_eq!(answer["CompanyInfo"]["Country"], "US");
    let (_, answer) = desk.get("preferences").await;
    let preferences = &answer["Preferences"];
    assert_eq!(preferences["CurrencyPrefs"]["HomeCurrency"]["value"], "USD");
    let warns = json!({ "Name": "WarnDuplicateBillNumber", "Value": "true" });
    let pairs = preferences["OtherPrefs"]["NameValue"]
        .as_array()
        .expect("pairs");
    assert!(pairs.contains(&warns));
    let (_, answer) = desk.query("SELECT * FROM Preferences").await;
    assert!(answer["QueryResponse"]["Preferences"][0].is_object());
    assert_eq!(desk.get("companyinfo/1").await.0, 400);
}

#[tokio::test]
async fn accounts_terms_and_notes_can_be_made() {
    let desk = Desk::new();
    let body = json!({ "Name": "Tools", "AccountType": "Expense" });
    let (_, answer) = desk.post("account", body.clone()).await;
    assert_eq!(answer["Account"]["Classification"], "Expense");
    assert_eq!(desk.refused("account", body).await, "6240");
    assert_eq!(
        desk.refused("account", json!({ "Name": "X" })).await,
        "6010"
    );
    let (_, answer) = desk
        .post("term", json!({ "Name": "Net 9", "DueDays": "9" }))
        .await;
    assert_eq!(answer["Term"]["Type"], "STANDARD");
    assert_eq!(
        desk.refused("term", json!({ "Name": "None" })).await,
        "2020"
    );
    desk.made_bill("A").await;
    let note = |id: &str| {
        json!({
            "Note": "hello",
            "AttachableRef": [{ "EntityRef": { "type": "Bill", "value": id } }],
        })
    };
    assert_eq!(desk.post("attachable", note("1")).await.0, 200);
    assert_eq!(desk.refused("attachable", note("9")).await, "2500");
    assert_eq!(desk.refused("class", json!({ "Name": "X" })).await, "500");
}

#[tokio::test]
async fn classes_and_departments_follow_the_plan() {
    let desk = Desk::new();
    let class = desk.quickbooks.add_class(REALM, "North").expect("ok");
    let department = desk.quickbooks.add_department(REALM, "Shop").expect("ok");
    let mut body = desk.bill("A");
    body["DepartmentRef"] = json!({ "value": department });
    body["Line"][0]["ItemBasedExpenseLineDetail"]["ClassRef"] = json!({ "value": class });
    let set = |path: &str, value: bool| {
        desk.quickbooks
            .set_preference(REALM, path, json!(value))
            .expect("ok");
    };
    for path in [
        "AccountingInfoPrefs.ClassTrackingPerTxnLine",
        "AccountingInfoPrefs.TrackDepartments",
    ] {
        set(path, false);
        assert_eq!(desk.refused("bill", body.clone()).await, "6000");
        set(path, true);
    }
    let (_, answer) = desk.post("bill", body.clone()).await;
    assert_eq!(answer["Bill"]["DepartmentRef"]["name"], "Shop");
    body["DepartmentRef"]["value"] = json!("9");
    let (_, answer) = desk.post("bill", body).await;
    assert!(detail(&answer).contains("Depts element id 9"));
}

#[tokio::test]
async fn change_data_capture_shows_changes_and_deletions() {
    let desk = Desk::new();
    desk.made_bill("A").await;
    desk.made_bill("B").await;
    desk.post(
        "bill?operation=delete",
        json!({ "Id": "1", "SyncToken": "0" }),
    )
    .await;
    let since = "changedSince=2026-01-15T09:00:00-08:00";
    let (status, answer) = desk.get(&format!("cdc?entities=Bill,Term&{since}")).await;
    assert_eq!(status, 200);
    let responses = &answer["CDCResponse"][0]["QueryResponse"];
    let bills = responses[0]["Bill"].as_array().expect("bills");
    assert_eq!(bills.len(), 2);
    let gone = bills
        .iter()
        .find(|bill| bill["Id"] == "1")
        .expect("the deleted one");
    assert_eq!(gone["status"], "Deleted");
    assert!(gone.get("Line").is_none());
    assert_eq!(responses[1], json!({}));
    assert_eq!(
        desk.get("cdc?entities=Bill&changedSince=2025-12-01")
            .await
            .0,
        400
    );
    assert_eq!(
        desk.get(&format!("cdc?entities=TaxCode&{since}")).await.0,
        400
    );
    assert_eq!(
        desk.get(&format!("cdc?entities=Nothing&{since}")).await.0,
        400
    );
    assert_eq!(desk.get("cdc?entities=Bill").await.0, 400);
}

#[tokio::test]
async fn change_data_capture_stops_at_a_thousand_objects() {
    let desk = Desk::new();
    for number in 0..1_005 {
        let seed = ItemSeed::non_inventory(&format!("Item {number}"), &desk.expense);
        desk.quickbooks.add_item(REALM, &seed).expect("ok");
    }
    let since = "changedSince=2026-01-15T09:00:00-08:00";
    let (_, answer) = desk.get(&format!("cdc?entities=Item,Vendor&{since}")).await;
    let responses = &answer["CDCResponse"][0]["QueryResponse"];
    assert_eq!(responses[0]["Item"].as_array().expect("items").len(), 1_000);
    assert_eq!(responses[1], json!({}));
}

#[tokio::test]
async fn a_batch_answers_faults_under_200() {
    let desk = Desk::new();
    let body = json!({ "BatchItemRequest": [
        { "bId": "1", "operation": "create", "Vendor": { "DisplayName": "Fresh" } },
        { "bId": "2", "operation": "create", "Vendor": { "DisplayName": "Acme Supply" } },
        { "bId": "3", "operation": "delete", "Bill": { "Id": "9", "SyncToken": "0" } },
        { "bId": "4", "Query": "SELECT COUNT(*) FROM Vendor" },
        { "bId": "5", "operation": "create", "Invoice": {} },
    ] });
    let (status, answer) = desk.post("batch", body).await;
    assert_eq!(status, 200);
    let answers = &answer["BatchItemResponse"];
    assert_eq!(answers[0]["Vendor"]["DisplayName"], "Fresh");
    assert_eq!(answers[0]["bId"], "1");
    assert_eq!(answers[1]["Fault"]["Error"][0]["code"], "6240");
    assert_eq!(answers[2]["Fault"]["Error"][0]["code"], "610");
    assert_eq!(answers[3]["QueryResponse"]["totalCount"], 2);
    assert_eq!(answers[4]["Fault"]["Error"][0]["code"], "2010");
    assert!(answers[0].get("time").is_none());
}

#[tokio::test]
async fn a_batch_has_limits_and_repeats_by_item() {
    let desk = Desk::new();
    let item = |id: &str| {
        json!({ "bId": id, "operation": "create", "Bill": desk.bill("A"),
                "optionsData": "allowduplicatedocnum" })
    };
    let many: Vec<Value> = (0..31).map(|number| item(&number.to_string())).collect();
    let many = json!({ "BatchItemRequest": many });
    assert_eq!(desk.refused("batch", many).await, "1040");
    let one = json!({ "BatchItemRequest": [item("x")] });
    assert_eq!(desk.post("batch?requestid=r1", one.clone()).await.0, 200);
    assert_eq!(desk.post("batch?requestid=r1", one.clone()).await.0, 200);
    assert_eq!(desk.quickbooks.bills_ever(REALM), 1);
    assert_eq!(desk.post("batch?requestid=r2", one.clone()).await.0, 200);
    assert_eq!(desk.quickbooks.bills_ever(REALM), 2);
    let long = format!("batch?requestid={}", "r".repeat(37));
    assert_eq!(desk.refused(&long, one).await, "2130");
    let wide = json!({ "BatchItemRequest": [item("12345678901")] });
    assert_eq!(desk.refused("batch?requestid=r3", wide).await, "2130");
    assert_eq!(desk.quickbooks.objects(REALM, Kind::Bill).len(), 2);
}
