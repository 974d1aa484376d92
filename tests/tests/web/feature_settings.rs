//! The settings page: what it asks, what it offers, and what becomes of mistakes.

use http::StatusCode;
use purser_core::ports::DocumentKind;
use purser_simulators::{
    FaultKind, FaultRule, System,
    autotask::{Action, ResourceSeed},
    quickbooks::{AccountSeed, HumanAction, Kind, RealmSeed},
};
use purser_tests::{
    stage::{Scene, Stage},
    visitor::{Reply, Visitor},
};
use serde_json::Value;

use crate::feature_support::{Form, send, settings_form, stored, with, with_both};

/// A connected company with settings, and its admin.
async fn opened() -> (Stage, Visitor, Form) {
    let stage = Stage::new().await;
    let (_, visitor) = stage.with_owner().await;
    let form = settings_form(&stage.company());
    (stage, visitor, form)
}

/// The part of the page that is one section.
fn section<'p>(page: &'p Reply, heading: &str) -> &'p str {
    let begin = page.body.find(&format!("\">{heading}</h2>"));
    let rest = &page.body[begin.unwrap_or_else(|| panic!("no section {heading}"))..];
    rest.split("</section>").next().unwrap_or_default()
}

/// A pick list as the page offers it: its labels.
fn labels(page: &Reply, name: &str) -> Vec<String> {
    let begin = page.body.find(&format!("<select id=\"{name}\""));
    let rest = &page.body[begin.unwrap_or_else(|| panic!("no list {name}"))..];
    let list = rest.split("</select>").next().unwrap_or_default();
    let options = list.split("<option").skip(2);
    let label = |option: &str| {
        let text = option.split('>').nth(1).unwrap_or_default();
        text.split("</option").next().unwrap_or_default().to_owned()
    };
    options.map(label).collect()
}

fn assert_asks(page: &Reply, heading: &str, fields: &[(&str, bool)]) {
    let section = section(page, heading);
    for (name, is_required) in fields {
        let begin = section.find(&format!("id=\"{name}\" name=\"{name}\""));
        let rest = &section[begin.unwrap_or_else(|| panic!("no {name} in {heading}"))..];
        let tag = rest.split('>').next().unwrap_or_default();
        assert_eq!(tag.contains(" required"), *is_required, "{tag}");
        assert!(
            section.contains(&format!("for=\"{name}\"")),
            "{name} has a label"
        );
        assert!(
            section.contains(&format!("id=\"{name}-hint\"")),
            "{name} is explained"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_settings_page_asks_for_everything_in_sections() {
    let (_stage, mut visitor, _) = opened().await;
    let page = visitor.get("/settings").await.expect(StatusCode::OK);
    assert_asks(
        &page,
        "Overview",
        &[
            ("days_back", true),
            ("created_from", false),
            ("number_source", true),
        ],
    );
    assert_asks(
        &page,
        "Matching",
        &[
            ("item_match", false),
            ("missing_item", true),
            ("created_item_account", false),
            ("vendor_overrides", false),
            ("customer_overrides", false),
        ],
    );
    assert_asks(
        &page,
        "Other accounts",
        &[("payable_account", true), ("freight_account", false)],
    );
    assert_asks(
        &page,
        "Errors",
        &[
            ("todo_action_type", true),
            ("todo_resource", true),
            ("digest_to", false),
        ],
    );
    assert_asks(
        &page,
        "Timing and limits",
        &[
            ("interval_minutes", false),
            ("bill_date", false),
            ("time_zone", false),
            ("give_up_hours", false),
            ("autotask_share_percent", false),
            ("submitted_status", false),
        ],
    );
    assert!(!page.body.contains("purchase_tax_code"), "a US company");
}

#[tokio::test(start_paused = true)]
async fn a_company_outside_the_us_is_asked_for_its_tax_code() {
    let scene = Scene {
        realm: RealmSeed::new("9130350000000001", "North Wind").in_country("GB", "GBP"),
        ..Scene::default()
    };
    let mut stage = Stage::unconnected(scene);
    let books = &stage.simulators.quickbooks;
    books
        .add_tax_code(&stage.realm, "20.0% S", "20".parse().expect("a rate"))
        .expect("a tax code");
    stage.connect().await;
    let (_, mut visitor) = stage.with_owner().await;
    let page = visitor.get("/settings").await.expect(StatusCode::OK);
    assert_asks(&page, "Other accounts", &[("purchase_tax_code", true)]);
    assert!(labels(&page, "purchase_tax_code").contains(&"20.0% S".to_owned()));
    let form = settings_form(&stage.company());
    let refused = send(&mut visitor, "/settings", &form).await;
    let page = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let _page = page.shows("id=\"purchase_tax_code-wrong\"");
}

#[tokio::test(start_paused = true)]
async fn the_item_choice_makes_its_account_a_second_required_field() {
    let (stage, mut visitor, form) = opened().await;
    let page = visitor.get("/settings").await;
    assert!(
        section(&page, "Matching").contains("data-show-when=\"missing_item=create\""),
        "it is only shown with that choice"
    );
    let before = stored(&stage, &stage.tenant, DocumentKind::Settings).await;
    let without = with(form.clone(), "created_item_account", "");
    let refused = send(&mut visitor, "/settings", &without).await;
    let page = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let _page = page
        .shows("id=\"created_item_account-wrong\"")
        .shows("is required when missing Items are created");
    let after = stored(&stage, &stage.tenant, DocumentKind::Settings).await;
    assert_eq!(before, after);
    let refusing = with(without, "missing_item", "refuse");
    let saved = send(&mut visitor, "/settings", &refusing).await;
    assert!(saved.status.is_redirection(), "{saved:?}");
}

#[tokio::test(start_paused = true)]
async fn accounts_to_choose_from_are_those_of_quickbooks_right_now() {
    let (stage, mut visitor, form) = opened().await;
    let books = &stage.simulators.quickbooks;
    let add = |name, kind| {
        let account = books.add_account(&stage.realm, &AccountSeed::new(name, kind));
        account.expect("an account")
    };
    let creditors = add("Trade Creditors", "Accounts Payable");
    add("Old Creditors", "Accounts Payable");
    add("Shipping", "Expense");
    add("Current Account", "Bank");
    let page = visitor.get("/settings").await;
    let payable = labels(&page, "payable_account");
    assert_eq!(
        payable,
        ["Accounts Payable (A/P)", "Old Creditors", "Trade Creditors"]
    );
    let expense = labels(&page, "freight_account");
    assert_eq!(
        expense,
        ["Freight and Delivery", "Hardware for Resale", "Shipping"]
    );
    // One is closed while the page is open: it can no longer be chosen.
    stage.in_quickbooks(HumanAction::SetActive {
        realm: stage.realm.clone(),
        kind: Kind::Account,
        id: creditors.clone(),
        active: false,
    });
    let chosen = with(form, "payable_account", &creditors);
    let refused = send(&mut visitor, "/settings", &chosen).await;
    let page = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let page = page.shows("id=\"payable_account-wrong\"");
    assert!(!labels(&page, "payable_account").contains(&"Trade Creditors".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn action_types_and_people_are_those_of_autotask_right_now() {
    let (stage, mut visitor, _) = opened().await;
    stage.database.add_action_type("Retired type", false);
    stage.database.add_action_type("Invoice query", true);
    let leaver = stage
        .database
        .add_resource(&ResourceSeed::person("Lee", "Former"));
    stage
        .database
        .add_resource(&ResourceSeed::person("Nia", "Newcomer"));
    stage.in_autotask(Action::SetResourceActive {
        resource: leaver,
        is_active: false,
    });
    let page = visitor.get("/settings").await;
    let types = labels(&page, "todo_action_type");
    assert!(types.contains(&"Invoice query".to_owned()), "{types:?}");
    assert!(!types.contains(&"Retired type".to_owned()), "{types:?}");
    let people = labels(&page, "todo_resource");
    assert!(people.contains(&"Nia Newcomer".to_owned()), "{people:?}");
    assert!(!people.contains(&"Lee Former".to_owned()), "{people:?}");
    let choices = visitor.read("/settings/choices").await;
    let told = choices["todo_resource"].as_array().expect("people");
    assert_eq!(told.len(), people.len(), "the API user is in neither");
}

#[tokio::test(start_paused = true)]
async fn who_hears_of_errors_is_required() {
    let (stage, mut visitor, form) = opened().await;
    let before = stored(&stage, &stage.tenant, DocumentKind::Settings).await;
    for name in [
        "days_back",
        "number_source",
        "missing_item",
        "payable_account",
        "todo_action_type",
        "todo_resource",
    ] {
        let form = with(form.clone(), name, " ");
        let refused = send(&mut visitor, "/settings", &form).await;
        let page = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
        let _page = page
            .shows("One field needs another look.")
            .shows(&format!("id=\"{name}-wrong\""))
            .shows("is required");
        let after = stored(&stage, &stage.tenant, DocumentKind::Settings).await;
        assert_eq!(before, after, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn mistakes_stand_beside_their_fields_and_what_was_typed_stays() {
    let (stage, mut visitor, form) = opened().await;
    let before = visitor.read("/settings").await;
    let wrong = [
        ("days_back", "400"),
        ("interval_minutes", "soon"),
        ("digest_to", "nobody<at>x"),
        ("time_zone", "Mars/Olympus"),
        ("vendor_overrides", "29683512 to 58"),
        ("todo_resource", "999999"),
    ];
    let form = wrong
        .iter()
        .fold(form, |form, (name, value)| with(form, name, value));
    let refused = send(&mut visitor, "/settings", &form).await;
    let page = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    // What cannot even be read is told first; then everything else at once.
    let page = page
        .shows("id=\"interval_minutes-wrong\"")
        .shows("must be a whole number")
        .shows("id=\"vendor_overrides-wrong\"")
        .shows("value=\"400\"")
        .shows("value=\"nobody&#60;at&#62;x\"")
        .shows("29683512 to 58</textarea>")
        .hides("nobody<at>");
    let _page = page.shows("href=\"#interval_minutes\">Minutes between runs</a>");
    let readable = with(form, "interval_minutes", "15");
    let readable = with(readable, "vendor_overrides", "");
    let refused = send(&mut visitor, "/settings", &readable).await;
    let page = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let mut page = page.shows("4 fields need another look.");
    for name in ["days_back", "digest_to", "time_zone", "todo_resource"] {
        page = page.shows(&format!("id=\"{name}-wrong\""));
        assert!(page.body.contains(&format!("href=\"#{name}\"")));
    }
    assert_eq!(visitor.read("/settings").await, before);
    assert!(stage.mails().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn settings_say_so_when_a_system_cannot_be_read_and_store_nothing() {
    let (stage, mut visitor, form) = opened().await;
    let before = visitor.read("/settings").await;
    let outage = FaultRule::next(System::QuickBooks, "*", FaultKind::DropBefore);
    stage.simulators.faults.add(outage.times(u32::MAX));
    let page = visitor.get("/settings").await;
    let _page = page
        .shows("QuickBooks cannot be reached.")
        .shows("Check connection");
    let refused = send(&mut visitor, "/settings", &with(form, "days_back", "7")).await;
    assert!(!refused.status.is_redirection(), "{refused:?}");
    let _page = refused.shows("QuickBooks cannot be reached.");
    stage.simulators.faults.clear();
    assert_eq!(visitor.read("/settings").await, before);
}

#[tokio::test(start_paused = true)]
async fn settings_can_be_saved_by_admins_only_and_read_by_viewers() {
    let (stage, mut visitor, form) = opened().await;
    let mut viewer = stage
        .member(&mut visitor, "vera@north-wind.example", "viewer")
        .await;
    let page = viewer.get("/settings").await.expect(StatusCode::OK);
    let _page = page
        .shows("Only an admin can change settings.")
        .hides(">Save</button>");
    let refused = send(&mut viewer, "/settings", &with(form, "days_back", "7")).await;
    let _refused = refused.expect(StatusCode::FORBIDDEN);
    assert_eq!(
        viewer.read("/settings").await["settings"]["days_back"],
        Value::from(30)
    );
    // Before anything is saved, the form holds the usual values.
    let (_stage, _, mut first) = with_both().await;
    let page = first.get("/settings").await;
    let _page = page
        .shows("required value=\"30\"")
        .shows("name=\"seen\" value=\"0\"");
}
