//! What becomes of settings: saved, dropped, opened again, used, carried elsewhere, told of.

use http::{Method, StatusCode};
use purser_core::ports::DocumentKind;
use purser_simulators::quickbooks::AccountSeed;
use purser_tests::{
    stage::Stage,
    visitor::{Reply, Site, Visitor},
};
use serde_json::{Value, json};

use crate::feature_support::{Form, at_work, send, settings_form, stored, with, with_both};

const MATE: &str = "mate@north-wind.example";

/// The version of the settings that a page was filled from.
fn seen(page: &Reply) -> String {
    let (_, rest) = page
        .body
        .split_once("name=\"seen\" value=\"")
        .expect("a version");
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// Opens the page and fills it in, without saving.
async fn filled(visitor: &mut Visitor, form: &Form, days: &str) -> Form {
    let page = visitor.get("/settings").await.expect(StatusCode::OK);
    let form = with(form.clone(), "days_back", days);
    with(form, "seen", &seen(&page))
}

async fn days_back(visitor: &mut Visitor) -> Value {
    visitor.read("/settings").await["settings"]["days_back"].clone()
}

#[tokio::test(start_paused = true)]
async fn cancel_drops_what_was_typed() {
    let (stage, company, mut visitor) = at_work().await;
    let before = stored(&stage, &stage.tenant, DocumentKind::Settings).await;
    let wrong = with(settings_form(&company), "days_back", "400");
    let page = send(&mut visitor, "/settings", &wrong).await;
    let _page = page
        .shows("value=\"400\"")
        .shows("href=\"/settings?done=cancelled\">Cancel</a>");
    let page = visitor.get("/settings?done=cancelled").await;
    let _page = page
        .expect(StatusCode::OK)
        .shows("Nothing was changed.")
        .shows("required value=\"30\"")
        .hides("value=\"400\"");
    let after = stored(&stage, &stage.tenant, DocumentKind::Settings).await;
    assert_eq!(before, after);
    // During set-up Cancel goes back to the step that is next.
    let (_stage, _, mut first) = with_both().await;
    let page = first.get("/settings").await;
    let _page = page.shows("href=\"/set-up\">Cancel</a>");
}

#[tokio::test(start_paused = true)]
async fn save_stores_the_settings_and_the_page_shows_them_again() {
    let (stage, company, mut visitor) = at_work().await;
    let cast = &company.cast;
    let mapping = format!("{} = {}", cast.seller, cast.vendor);
    let filled = [
        ("days_back", "45"),
        ("number_source", "autotask"),
        ("item_match", "sku"),
        ("missing_item", "refuse"),
        ("freight_account", &cast.freight),
        ("vendor_overrides", &mapping),
        ("digest_to", "books@north-wind.example"),
        ("interval_minutes", "20"),
        ("bill_date", "today"),
        ("time_zone", "America/Chicago"),
        ("give_up_hours", "48"),
        ("autotask_share_percent", "25"),
    ];
    let form = filled
        .iter()
        .fold(settings_form(&company), |form, (name, value)| {
            with(form, name, value)
        });
    let saved = send(&mut visitor, "/settings", &form).await;
    let _saved = saved.expect_to("/settings?done=saved");
    let document = stored(&stage, &stage.tenant, DocumentKind::Settings).await;
    let document = document.expect("settings");
    for word in ["45", "America/Chicago", "books@north-wind.example"] {
        assert!(document.contains(word), "{document}");
    }
    // From the connection page, as the settings link leads there.
    let page = visitor.get("/connection").await;
    let _page = page.shows("<a href=\"/settings\">");
    let page = visitor.get("/settings?done=saved").await;
    let page = page.shows("Saved. The settings apply from the next order on.");
    for shown in [
        "value=\"45\"",
        "value=\"autotask\" checked",
        "value=\"sku\" selected",
        "value=\"refuse\" checked",
        &format!("{mapping}</textarea>"),
        "value=\"books@north-wind.example\"",
        "value=\"20\"",
        "value=\"today\" selected",
        "value=\"America/Chicago\"",
        "value=\"48\"",
        "value=\"25\"",
    ] {
        assert!(page.body.contains(shown), "{shown}");
    }
    // What the page shows, saved as it stands, changes nothing.
    let again = send(&mut visitor, "/settings", &form).await;
    let _saved = again.expect_to("/settings?done=saved");
    let after = stored(&stage, &stage.tenant, DocumentKind::Settings).await;
    assert_eq!(after, Some(document));
}

#[tokio::test(start_paused = true)]
async fn saved_settings_are_used_by_the_next_run_and_by_a_sync_by_hand() {
    let (mut stage, company, mut visitor) = at_work().await;
    let first = company.add_order();
    stage.run().await;
    let account = AccountSeed::new("Trade Creditors", "Accounts Payable");
    let books = &stage.simulators.quickbooks;
    let other = books.add_account(&stage.realm, &account);
    let other = other.expect("an account");
    let form = with(settings_form(&company), "payable_account", &other);
    let saved = send(&mut visitor, "/settings", &form).await;
    let _saved = saved.expect_to("/settings?done=saved");
    let (by_hand, by_run) = (company.add_order(), company.add_order());
    let path = format!("/orders/{by_hand}/sync");
    let asked = visitor.call(Method::POST, &path, Some(&json!({}))).await;
    let _asked = asked.expect(StatusCode::ACCEPTED);
    stage.drain().await;
    stage.run().await;
    for (order, account) in [
        (first, &company.cast.payable),
        (by_hand, &other),
        (by_run, &other),
    ] {
        let bill = stage.assert_billed(order, "799.98").await;
        assert_eq!(bill["APAccountRef"]["value"], account.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_admins_who_edit_at_once_the_second_is_told_before_anything_is_lost() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let mut mate = stage.member(&mut owner, MATE, "admin").await;
    let form = settings_form(&stage.company());
    let mine = filled(&mut owner, &form, "10").await;
    let theirs = filled(&mut mate, &form, "20").await;
    let saved = send(&mut mate, "/settings", &theirs).await;
    assert!(saved.status.is_redirection(), "{saved:?}");
    // A mistake in between does not hide it.
    let wrong = with(mine.clone(), "days_back", "400");
    let page = send(&mut owner, "/settings", &wrong).await;
    assert_eq!(seen(&page), seen_of(&mine));
    let refused = send(&mut owner, "/settings", &mine).await;
    let page = refused.expect(StatusCode::CONFLICT);
    let page = page
        .shows(&format!(
            "After you opened this page, {MATE} saved the settings."
        ))
        .shows("value=\"10\"");
    assert_eq!(days_back(&mut owner).await, 20);
    // Who saves again knows what they do.
    let knowing = with(mine, "seen", &seen(&page));
    let saved = send(&mut owner, "/settings", &knowing).await;
    assert!(saved.status.is_redirection(), "{saved:?}");
    assert_eq!(days_back(&mut owner).await, 10);
}

fn seen_of(form: &Form) -> String {
    let found = form.iter().find(|(name, _)| *name == "seen");
    found.expect("a version").1.clone()
}

#[tokio::test(start_paused = true)]
async fn a_second_click_on_save_is_no_conflict() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let form = settings_form(&stage.company());
    let form = filled(&mut owner, &form, "10").await;
    for _ in 0..2 {
        let saved = send(&mut owner, "/settings", &form).await;
        assert!(saved.status.is_redirection(), "{saved:?}");
    }
    let history = owner.read("/settings/history").await;
    assert_eq!(history["changes"].as_array().expect("changes").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn settings_are_exported_and_imported_into_another_connection() {
    let (stage, company, mut visitor) = at_work().await;
    let changed = with(settings_form(&company), "days_back", "21");
    send(&mut visitor, "/settings", &changed).await;
    let file = visitor.get("/settings/export").await.expect(StatusCode::OK);
    assert_eq!(
        file.header("content-disposition"),
        format!(
            "attachment; filename=\"purser-settings-{}.json\"",
            stage.tenant
        )
    );
    let document = file.body.clone();
    for secret in company.credentials() {
        assert!(!document.contains(&secret.1), "no secret leaves");
    }
    // The same company after a new start: connected, without settings.
    let (_fresh, _, mut other) = with_both().await;
    let page = other.get("/settings/transfer").await;
    let _page = page.shows("Nothing to export: no settings are saved yet.");
    let imported = other
        .submit("/settings/transfer", &[("document", &document)])
        .await;
    let _review = imported.expect_to("/set-up?done=imported");
    assert_eq!(
        other.read("/settings").await,
        visitor.read("/settings").await
    );
}

#[tokio::test(start_paused = true)]
async fn a_document_that_cannot_be_used_is_named_and_imports_nothing() {
    let (_stage, _, mut visitor) = at_work().await;
    let before = visitor.read("/settings").await;
    let mut wrong = before["settings"].clone();
    wrong["days_back"] = json!(999);
    wrong["payable_account"] = json!({ "label": "No such account" });
    let wrong = wrong.to_string();
    for (document, told) in [
        ("not JSON", "It cannot be read"),
        ("[]", "It cannot be read"),
        (r#"{"version":1,"surprise":true}"#, "surprise"),
        (wrong.as_str(), "2 fields need another look."),
        ("", "It cannot be read"),
    ] {
        let refused = visitor
            .submit("/settings/transfer", &[("document", document)])
            .await;
        let page = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
        let _page = page.shows(told);
    }
    assert_eq!(visitor.read("/settings").await, before);
}

#[tokio::test(start_paused = true)]
async fn the_history_of_settings_tells_who_changed_what() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let mut mate = stage.member(&mut owner, MATE, "admin").await;
    let form = settings_form(&stage.company());
    send(
        &mut owner,
        "/settings",
        &with(form.clone(), "days_back", "10"),
    )
    .await;
    let mut saved = with(form, "days_back", "0");
    saved = with(saved, "number_source", "autotask");
    send(&mut mate, "/settings", &saved).await;
    let history = owner.read("/settings/history").await;
    let changes = history["changes"].as_array().expect("changes");
    assert_eq!(changes.len(), 2, "{history}");
    assert_eq!(changes[0]["who"], MATE, "newest first");
    assert_eq!(changes[1]["who"], Site::OWNER);
    assert_eq!(
        changes[1]["changes"],
        json!([{ "field": "Days back", "from": "30", "to": "10" }])
    );
    let page = mate.get("/settings/history").await.expect(StatusCode::OK);
    let _page = page
        .shows(MATE)
        .shows(Site::OWNER)
        .shows("0 (automatic transfer is paused)")
        .shows("The order&#39;s number in Autotask");
}
