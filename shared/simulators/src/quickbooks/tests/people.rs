use serde_json::{Value, json};

use super::{
    super::{HumanAction, Kind, NameConflictDetail, PersonSeed},
    Desk, REALM, code, detail,
};

#[tokio::test]
async fn vendors_get_their_defaults() {
    let desk = Desk::new();
    let (status, answer) = desk
        .post("vendor", json!({ "DisplayName": " New Co " }))
        .await;
    assert_eq!(status, 200);
    let vendor = &answer["Vendor"];
    assert_eq!(vendor["DisplayName"], "New Co");
    assert_eq!(vendor["PrintOnCheckName"], "New Co");
    assert_eq!(vendor["Active"], true);
    assert_eq!(vendor["CurrencyRef"]["name"], "United States Dollar");
    let (_, answer) = desk
        .post("vendor", json!({ "GivenName": "Ann", "FamilyName": "Lee" }))
        .await;
    assert_eq!(answer["Vendor"]["DisplayName"], "Ann Lee");
    assert_eq!(
        desk.refused("vendor", json!({ "CompanyName": "X" })).await,
        "6080"
    );
}

#[tokio::test]
async fn names_are_one_space_for_vendors_customers_and_employees() {
    let desk = Desk::new();
    let customer = desk
        .quickbooks
        .add_customer(REALM, &PersonSeed::new("Shared"))
        .expect("ok");
    desk.quickbooks
        .add_employee(REALM, "Eve Worker")
        .expect("ok");
    let (_, answer) = desk
        .post("vendor", json!({ "DisplayName": "  sHARED " }))
        .await;
    assert_eq!(code(&answer), "6240");
    assert_eq!(
        detail(&answer),
        format!("The name supplied already exists. : Id={customer}")
    );
    assert_eq!(
        desk.refused("customer", json!({ "DisplayName": "acme   supply" }))
            .await,
        "6240"
    );
    assert_eq!(
        desk.refused("vendor", json!({ "DisplayName": "EVE worker" }))
            .await,
        "6240"
    );
    let wordings = [
        (NameConflictDetail::Null, "exists. : null"),
        (
            NameConflictDetail::OtherEntity,
            "is already using this name",
        ),
        (NameConflictDetail::Localized, "Ce nom existe"),
    ];
    for (wording, text) in wordings {
        desk.quickbooks
            .change_switches(|switches| switches.name_conflict = wording)
            .expect("ok");
        let (_, answer) = desk
            .post("vendor", json!({ "DisplayName": "Shared" }))
            .await;
        assert_eq!(code(&answer), "6240");
        assert!(detail(&answer).contains(text), "{answer}");
    }
}

#[tokio::test]
async fn names_have_limits_and_forbidden_characters() {
    let desk = Desk::new();
    for name in ["a:b", "a\tb", "a\nb"] {
        assert_eq!(
            desk.refused("vendor", json!({ "DisplayName": name })).await,
            "6000"
        );
    }
    let long = |count: usize| "n".repeat(count);
    assert_eq!(
        desk.refused("vendor", json!({ "DisplayName": long(501) }))
            .await,
        "2050"
    );
    assert_eq!(
        desk.post("vendor", json!({ "DisplayName": long(500) }))
            .await
            .0,
        200
    );
    let body = json!({ "DisplayName": "Z", "CompanyName": long(101) });
    assert_eq!(desk.refused("vendor", body).await, "2050");
    let body = json!({ "DisplayName": "Z", "PrimaryEmailAddr": { "Address": "nobody" } });
    assert_eq!(desk.refused("vendor", body).await, "2210");
    let body = json!({ "DisplayName": "Z", "WebAddr": { "URI": "not a url" } });
    assert_eq!(desk.refused("vendor", body).await, "2200");
    let body = json!({ "DisplayName": "Z", "TermRef": { "value": "44" } });
    assert_eq!(desk.refused("vendor", body).await, "2500");
}

#[tokio::test]
async fn an_inactive_name_is_marked_freed_and_hidden() {
    let desk = Desk::new();
    let body = json!({
        "Id": desk.vendor, "SyncToken": "0", "sparse": true, "Active": false,
    });
    let (status, answer) = desk.post("vendor", body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["Vendor"]["DisplayName"], "Acme Supply (deleted)");
    let (_, found) = desk.query("SELECT * FROM Vendor").await;
    assert_eq!(found["QueryResponse"], json!({}));
    let all = "SELECT * FROM Vendor WHERE Active IN (true, false)";
    let (_, found) = desk.query(all).await;
    assert_eq!(found["QueryResponse"]["Vendor"][0]["Active"], false);
    let (status, _) = desk
        .post("vendor", json!({ "DisplayName": "Acme Supply" }))
        .await;
    assert_eq!(status, 200);
    let action = HumanAction::SetActive {
        realm: REALM.to_owned(),
        kind: Kind::Vendor,
        id: desk.vendor.clone(),
        active: true,
    };
    desk.quickbooks
        .act_as_person(action)
        .expect_err("the name is taken");
    assert_eq!(desk.get(&format!("vendor/{}", desk.vendor)).await.0, 200);
}

#[tokio::test]
async fn a_reactivated_name_loses_its_mark_and_renames_show_in_bills() {
    let desk = Desk::new();
    desk.made_bill("A").await;
    let realm = || REALM.to_owned();
    let id = || desk.vendor.clone();
    let act = |action| desk.quickbooks.act_as_person(action).expect("done");
    let kind = Kind::Vendor;
    act(HumanAction::SetActive {
        realm: realm(),
        kind,
        id: id(),
        active: false,
    });
    act(HumanAction::SetActive {
        realm: realm(),
        kind,
        id: id(),
        active: true,
    });
    let vendor = desk
        .quickbooks
        .object(REALM, kind, &desk.vendor)
        .expect("a vendor");
    assert_eq!(vendor["DisplayName"], "Acme Supply");
    act(HumanAction::Rename {
        realm: realm(),
        kind,
        id: id(),
        name: "Acme II".to_owned(),
    });
    let bill = desk.quickbooks.bill(REALM, "1").expect("a bill");
    assert_eq!(bill["VendorRef"]["name"], "Acme II");
}

#[tokio::test]
async fn a_sparse_update_keeps_and_a_full_update_clears() {
    let desk = Desk::new();
    let body = json!({ "DisplayName": "Q", "AcctNum": "77", "CompanyName": "Q Ltd" });
    let (_, answer) = desk.post("vendor", body).await;
    let id = answer["Vendor"]["Id"].clone();
    let body = json!({ "Id": id, "SyncToken": "0", "sparse": true, "CompanyName": "Q Limited" });
    let (_, answer) = desk.post("vendor", body).await;
    assert_eq!(answer["Vendor"]["AcctNum"], "77");
    let body = json!({ "Id": id, "SyncToken": "1", "DisplayName": "Q" });
    let (_, answer) = desk.post("vendor", body.clone()).await;
    assert_eq!(answer["Vendor"].get("AcctNum"), None::<&Value>);
    assert_eq!(desk.refused("vendor", body).await, "5010");
}

#[tokio::test]
async fn sub_customers_have_a_path_and_a_depth() {
    let desk = Desk::new();
    let body = json!({ "DisplayName": "Orphan", "Job": true });
    assert_eq!(desk.refused("customer", body).await, "6150");
    let mut parent = desk
        .quickbooks
        .add_customer(REALM, &PersonSeed::new("Top"))
        .expect("ok");
    for level in 1..=4 {
        let body = json!({
            "DisplayName": format!("Level {level}"),
            "Job": true,
            "ParentRef": { "value": parent },
        });
        let (status, answer) = desk.post("customer", body).await;
        assert_eq!(status, 200, "{answer}");
        parent = answer["Customer"]["Id"].as_str().expect("an id").to_owned();
    }
    let (_, answer) = desk.get(&format!("customer/{parent}")).await;
    assert_eq!(
        answer["Customer"]["FullyQualifiedName"],
        "Top:Level 1:Level 2:Level 3:Level 4"
    );
    let body = json!({ "DisplayName": "Deep", "ParentRef": { "value": parent } });
    assert_eq!(desk.refused("customer", body).await, "6180");
}
