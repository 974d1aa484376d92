//! Vendors and customers whose names cannot be used.

use purser_core::settings::SettingsDocument;
use purser_simulators::{
    autotask::OrderSeed,
    quickbooks::{HumanAction, Kind, PersonSeed, QuickBooksSwitches},
};
use purser_tests::stage::{Cast, Stage};
use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_vendors_name_that_a_customer_has() {
    let (stage, order) = selling("Grand Hotel").await;
    stage.add_customer(&PersonSeed::new("Grand Hotel"));
    let seller = stage.cast.seller;
    let repair = |stage: &Stage| set_order(stage, order, json!({ "vendorID": seller }));
    refused(stage, order, "name.taken", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_customers_name_that_a_vendor_has() {
    let (stage, order) = buying(Cast::SELLER).await;
    let repair = |stage: &Stage| set_order(stage, order, json!({ "purchaseForCompanyID": null }));
    refused(stage, order, "name.taken", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_vendors_name_that_an_employee_has() {
    let (stage, order) = selling("Dana Whitfield").await;
    let books = &stage.simulators.quickbooks;
    books
        .add_employee(&stage.realm, "Dana Whitfield")
        .expect("an employee");
    let seller = stage.cast.seller;
    let repair = |stage: &Stage| set_order(stage, order, json!({ "vendorID": seller }));
    refused(stage, order, "name.taken", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_name_is_asked_for_anew_where_quickbooks_repeats_what_it_said() {
    let (stage, order) = selling("Dana Whitfield").await;
    let books = &stage.simulators.quickbooks;
    let employee = books.add_employee(&stage.realm, "Dana Whitfield");
    let id = employee.expect("an employee");
    let keeps = |switches: &mut QuickBooksSwitches| switches.request_id_keeps_faults = true;
    books.change_switches(keeps).expect("switches");
    let repair = |stage: &Stage| {
        stage.in_quickbooks(HumanAction::Rename {
            realm: stage.realm.clone(),
            kind: Kind::Employee,
            id,
            name: "Dana B. Whitfield".to_owned(),
        });
    };
    refused(stage, order, "name.taken", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_whole_company_ends_the_request_id_of_a_name_too() {
    let (mut stage, order) = selling("Dana Whitfield").await;
    let faults = &stage.simulators.faults;
    faults.add(refusal_saying(
        "POST vendor",
        "5030",
        "the plan is too small",
    ));
    stage.run().await;
    assert_eq!(stage.number(order), None, "no ERROR");
    assert_eq!(stage.record(order).await.generation, 2);
    stage.live(Duration::from_mins(90)).await;
    let total = stage.bills_of(order)[0]["TotalAmt"].to_string();
    stage.assert_billed(order, &total).await;
}

#[tokio::test(start_paused = true)]
async fn an_inactive_vendor() {
    let (stage, order) = selling("Ridgeway Parts").await;
    let id = stage.add_vendor(&PersonSeed::new("Ridgeway Parts").inactive());
    let repair = |stage: &Stage| {
        let realm = stage.realm.clone();
        let active = HumanAction::SetActive {
            realm,
            kind: Kind::Vendor,
            id,
            active: true,
        };
        stage.in_quickbooks(active);
        let realm = stage.realm.clone();
        let vendors = stage.simulators.quickbooks.vendors(&realm);
        let ours = vendors.iter().find(|vendor| {
            vendor["DisplayName"]
                .as_str()
                .is_some_and(|name| name.starts_with("Ridgeway"))
        });
        let vendor = ours.expect("the vendor");
        let name = "Ridgeway Parts".to_owned();
        let id = vendor["Id"].as_str().expect("an id").to_owned();
        stage.in_quickbooks(HumanAction::Rename {
            realm,
            kind: Kind::Vendor,
            id,
            name,
        });
    };
    refused(stage, order, "name.inactive", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_company_name_that_two_vendors_have() {
    let (stage, order) = selling("Summit Ltd").await;
    for name in ["Summit North", "Summit South"] {
        let company_name = Some("Summit Ltd".to_owned());
        stage.add_vendor(&PersonSeed {
            company_name,
            ..PersonSeed::new(name)
        });
    }
    let seller = stage.cast.seller;
    let repair = |stage: &Stage| set_order(stage, order, json!({ "vendorID": seller }));
    refused(stage, order, "name.ambiguous", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_name_of_forbidden_characters_only() {
    let (stage, order) = selling(":::").await;
    let seller = stage.cast.seller;
    let repair = |stage: &Stage| set_order(stage, order, json!({ "vendorID": seller }));
    refused(stage, order, "name.empty", repair).await;
}

#[tokio::test(start_paused = true)]
async fn two_names_that_become_one() {
    let (mut stage, first) = buying("Dental: North").await;
    stage.run().await;
    stage.assert_billed(first, "799.98").await;
    let purchase_for = Some(stage.new_buyer("Dental - North"));
    let order = stage.add(&OrderSeed {
        purchase_for,
        ..stage.order()
    });
    let repair = |stage: &Stage| set_order(stage, order, json!({ "purchaseForCompanyID": null }));
    refused(stage, order, "name.collision", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_mapped_vendor_that_is_gone() {
    let mut stage = Stage::new().await;
    let other = stage.add_vendor(&PersonSeed::new("Somebody Else"));
    let seller = stage.cast.seller.to_string();
    let mapped = other.clone();
    let map = move |settings: &mut SettingsDocument| {
        settings.vendor_overrides.insert(seller, mapped);
    };
    stage.change_settings(map).await;
    let active = |stage: &Stage, active| {
        let (realm, id) = (stage.realm.clone(), other.clone());
        let kind = Kind::Vendor;
        stage.in_quickbooks(HumanAction::SetActive {
            realm,
            kind,
            id,
            active,
        });
    };
    active(&stage, false);
    let order = stage.add_plain();
    refused(stage, order, "name.override_missing", |stage| {
        active(stage, true);
    })
    .await;
}
