//! The connection and its page: how it ends and begins again, who may have it, what it offers.

use std::time::Duration;

use http::{Method, StatusCode};
use purser_core::ports::{DocumentKind, Ledger as _};
use purser_simulators::{
    autotask::{Action, DatabaseSeed, Entity},
    intuit::Role,
};
use purser_tests::{
    stage::Stage,
    visitor::{Company, Site, Visitor},
};
use serde_json::{Value, json};

use crate::{
    feature_support::{adopt, at_work, stored, with_quickbooks},
    support::newcomer,
};

const PRIYA: &str = "priya@ledgerline.example";

/// The state of a connection, and the notice that stands beside it.
async fn connection(visitor: &mut Visitor, system: &str) -> (String, Value) {
    let page = visitor.read("/connection").await;
    let all = page["connections"].as_array().expect("connections");
    let found = all.iter().find(|one| one["system"] == system);
    let found = found.expect("the system");
    let state = found["state"].as_str().expect("a state").to_owned();
    (state, found["notice"].clone())
}

/// Both sides are connected again, as a person does it on the page.
async fn reconnect(company: &Company, visitor: &mut Visitor) {
    let connected = visitor.connect(Site::OWNER, &company.realm, false).await;
    let _done = connected.expect_to("/connection?done=quickbooks");
    let entered = company.enter_credentials(visitor).await;
    let _done = entered.expect_to("/connection?done=autotask");
}

#[tokio::test(start_paused = true)]
async fn disconnect_gives_the_permission_back_and_transfer_stops_at_once() {
    let (mut stage, company, mut visitor) = at_work().await;
    let page = visitor.get("/connection/disconnect").await;
    let _page = page
        .expect(StatusCode::OK)
        .shows("Settings and history stay.")
        .shows("The permission is given back at Intuit");
    let order = company.add_order();
    let ended = visitor.submit("/connection/disconnect", &[]).await;
    let _ended = ended.expect_to("/connection?done=disconnected");
    let tokens = stage.simulators.intuit.tokens();
    assert_eq!(tokens.live_grants(&company.realm), 0);
    for kind in [DocumentKind::Autotask, DocumentKind::QuickBooks] {
        assert_eq!(stored(&stage, &stage.tenant, kind).await, None);
    }
    for system in ["Autotask", "QuickBooks"] {
        assert_eq!(connection(&mut visitor, system).await.0, "missing");
    }
    let before = stage.simulators.journal.latest();
    stage.live(Duration::from_hours(3)).await;
    assert_eq!(stage.simulators.journal.latest(), before, "nobody is asked");
    stage.assert_untouched(order, None);
    let _home = visitor.sign_in(Site::OWNER).await.expect_to("/home");
    let page = visitor.get("/home").await.expect(StatusCode::OK);
    let _page = page
        .shows("Not connected")
        .shows("A connection is missing, so nothing is transferred.");
}

#[tokio::test(start_paused = true)]
async fn settings_and_history_survive_a_disconnect_and_reconnecting_goes_on_at_once() {
    let (mut stage, company, mut visitor) = at_work().await;
    let billed = company.add_order();
    stage.run().await;
    let settings = visitor.read("/settings").await;
    let ended = visitor.submit("/connection/disconnect", &[]).await;
    let _ended = ended.expect_to("/connection?done=disconnected");
    assert_eq!(visitor.read("/settings").await, settings);
    let story = visitor.read(&format!("/orders/{billed}")).await;
    assert_eq!(story["order"]["outcome"], "billed");
    let order = company.add_order();
    stage.wait(Duration::from_mins(20)).await;
    reconnect(&company, &mut visitor).await;
    stage.live(Duration::from_secs(30)).await;
    stage.assert_billed(order, "799.98").await;
    stage.assert_billed(billed, "799.98").await;
    assert_eq!(visitor.read("/settings").await, settings);
    assert_eq!(stage.store.tenants().await.expect("the store").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_expired_password_is_named_on_every_page_that_tells_of_the_connection() {
    let (mut stage, company, mut visitor) = at_work().await;
    stage.in_autotask(Action::ExpirePassword {});
    let order = company.add_order();
    stage.live(Duration::from_hours(1)).await;
    let _home = visitor.sign_in(Site::OWNER).await.expect_to("/home");
    let (shown, notice) = connection(&mut visitor, "Autotask").await;
    assert_eq!(shown, "needs_reconnect");
    assert_eq!(notice["code"], "connection.autotask_unauthorised");
    for path in ["/connection", "/home"] {
        let page = visitor.get(path).await.expect(StatusCode::OK);
        let _page = page
            .shows("its password expired (it should be an API-only user)")
            .shows("enter its credentials again");
    }
    let page = visitor.get("/connection/check").await;
    let _page = page
        .expect(StatusCode::OK)
        .shows("Must be put right")
        .shows("its password expired");
    stage.assert_untouched(order, None);
    // A new secret is entered, and the order that waited is billed without any more.
    stage.in_autotask(Action::SetSecret {
        secret: "fresh".to_owned(),
    });
    let seed = company.database.seed();
    let fields = [
        ("user", seed.api_user.as_str()),
        ("secret", "fresh"),
        ("integration_code", seed.integration_code.as_str()),
    ];
    let entered = visitor.submit("/connection/autotask", &fields).await;
    let _done = entered.expect_to("/connection?done=autotask");
    stage.live(Duration::from_mins(1)).await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn a_user_who_is_not_api_only_is_told_before_the_password_expires() {
    let (stage, company, mut visitor) = with_quickbooks().await;
    company.enter_credentials(&mut visitor).await;
    let page = visitor.get("/connection/check").await;
    let _page = page
        .expect(StatusCode::OK)
        .shows("The user is an API-only user.");
    let people = stage.database.rows(Entity::Resources);
    let api_user = people.iter().find(|row| row["licenseType"] == 7);
    let id = api_user.expect("the API user")["id"].as_i64();
    stage.in_autotask(Action::SetFields {
        entity: Entity::Resources,
        id: id.expect("an id"),
        fields: json!({ "licenseType": 1 }),
    });
    let page = visitor.get("/connection/check").await;
    let _page = page
        .shows("The user is not an API-only user, so its password can expire")
        .shows("Use a user with the licence");
}

#[tokio::test(start_paused = true)]
async fn an_accountants_access_connects_and_syncs_by_hand() {
    let (mut stage, company, owner) = newcomer().await;
    company.admit(&stage, PRIYA, Role::Accountant);
    let order = company.add_order();
    let mut priya = owner.site.visitor();
    let _set_up = priya.sign_in(PRIYA).await.expect_to("/set-up");
    let connected = priya.connect(PRIYA, &company.realm, false).await;
    let _done = connected.expect_to("/set-up?done=quickbooks");
    company.enter_credentials(&mut priya).await;
    let settings = company.settings();
    let saved = priya.call(Method::PUT, "/settings", Some(&settings)).await;
    let _saved = saved.expect(StatusCode::OK);
    adopt(&mut stage).await;
    let fields = [("order", order.to_string()), ("action", "run".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, &**value));
    let asked = priya.submit("/sync", &fields).await;
    let page = asked.location().to_owned();
    stage.drain().await;
    stage.assert_billed(order, "799.98").await;
    let page = priya.get(&page).await;
    let _page = page.shows("is a bill").shows(PRIYA);
    let page = priya.get("/help").await;
    let _page = page.shows("<strong>Accountants</strong> can be members");
}

#[tokio::test(start_paused = true)]
async fn a_second_company_is_a_connection_of_its_own() {
    let (mut stage, company, mut visitor) = at_work().await;
    let other = stage.add_company("9130350000000777", "South Harbor", "api@south.example");
    company.admit(&stage, Site::OWNER, Role::Admin);
    let tokens = stage.simulators.intuit.tokens();
    let both = [
        (company.realm.as_str(), Role::Admin),
        (other.realm.as_str(), Role::Admin),
    ];
    tokens
        .add_person(Site::OWNER, "Olivia", &both)
        .expect("Intuit");
    let connected = visitor.connect(Site::OWNER, &other.realm, true).await;
    let _done = connected.expect_to("/set-up?done=quickbooks");
    let companies = visitor.read("/companies").await;
    let all = companies["companies"].as_array().expect("companies");
    assert_eq!(all.len(), 2, "{companies}");
    // The new one begins at its own first step, with settings and credentials of its own.
    assert_eq!(visitor.read("/set-up").await["step"], "autotask");
    let settings = visitor.read("/settings").await;
    assert_eq!(settings["settings"], Value::Null);
    let order = company.add_order();
    stage.run().await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn launch_and_the_settings_link_lead_to_the_same_company() {
    let (_stage, _, mut visitor) = at_work().await;
    let _home = visitor.get("/launch").await.expect_to("/home");
    let page = visitor.get("/home").await.expect(StatusCode::OK);
    let _page = page
        .shows("<h1>North Wind Networks</h1>")
        .shows("href=\"/connection\"");
    let page = visitor.get("/connection").await.expect(StatusCode::OK);
    let _page = page.shows("North Wind Networks");
    let _connection = visitor.get("/reconnect").await.expect_to("/connection");
    // Whoever comes from Intuit without a session ends at the same place after signing in.
    let mut fresh = visitor.site.visitor();
    let _home = fresh.get("/launch").await.expect_to("/home");
    let to = fresh.get("/home").await;
    let _sign_in = to.expect_to("/sign-in?next=%2Fhome");
    let _home = fresh.sign_in(Site::OWNER).await.expect_to("/home");
}

#[tokio::test(start_paused = true)]
async fn the_connection_page_offers_settings_one_order_and_the_logs() {
    let (_stage, _, mut visitor) = at_work().await;
    let page = visitor.get("/connection").await.expect(StatusCode::OK);
    let _page = page
        .shows("<h1>Connection settings and logs</h1>")
        .shows("<a href=\"/settings\">")
        .shows("<strong>Change settings</strong>")
        .shows("<a href=\"/sync\">")
        .shows("<strong>Sync one PO</strong>")
        .shows("<a href=\"/logs\">")
        .shows("<strong>View your logs</strong>");
    for (path, heading) in [
        ("/settings", "<h1>Settings</h1>"),
        ("/sync", "<h1>Sync one PO</h1>"),
        ("/logs", "<h1>Logs</h1>"),
    ] {
        let page = visitor.get(path).await.expect(StatusCode::OK);
        let _page = page.shows(heading);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_ended_at_intuit_is_told_and_made_again_in_one_step() {
    let (mut stage, company, mut visitor) = at_work().await;
    let order = company.add_order();
    let tokens = stage.simulators.intuit.tokens();
    tokens.disconnect(&company.realm).expect("ended");
    stage.live(Duration::from_hours(2)).await;
    let _home = visitor.sign_in(Site::OWNER).await.expect_to("/home");
    let (shown, notice) = connection(&mut visitor, "QuickBooks").await;
    assert_eq!(shown, "needs_reconnect", "{notice}");
    stage.assert_untouched(order, None);
    let page = visitor.get("/disconnected").await.expect(StatusCode::OK);
    let _page = page.shows("Settings and history stay.");
    let connected = visitor.connect(Site::OWNER, &company.realm, false).await;
    let _done = connected.expect_to("/connection?done=quickbooks");
    stage.live(Duration::from_mins(1)).await;
    stage.assert_billed(order, "799.98").await;
}

/// The sealed credentials and the user that people are shown.
async fn connected_as(stage: &Stage) -> (Option<String>, Option<String>) {
    let kind = DocumentKind::Autotask;
    let sealed = stored(stage, &stage.tenant, kind).await;
    (sealed, stage.status().await.autotask_user)
}

#[tokio::test(start_paused = true)]
async fn credentials_of_another_database_are_refused_on_the_form_and_nothing_is_saved() {
    let (mut stage, company, mut visitor) = at_work().await;
    company.add_order();
    stage.run().await;
    let other = stage.add_company("9130350000000777", "South Harbor", "api@south.example");
    let before = connected_as(&stage).await;
    let refused = other.enter_credentials(&mut visitor).await;
    let _page = refused
        .expect(StatusCode::UNPROCESSABLE_ENTITY)
        .shows("These credentials belong to another Autotask database")
        .shows("Enter an API user of the same database")
        .shows("value=\"api@south.example\"")
        .hides(&other.database.seed().secret);
    let body = other.credentials().map(|(name, value)| (name, value));
    let body = json!(
        body.into_iter()
            .collect::<std::collections::BTreeMap<_, _>>()
    );
    let refused = visitor.call(Method::PUT, "/connection/autotask", Some(&body));
    let refused = refused.await.expect(StatusCode::CONFLICT);
    assert_eq!(refused.code(), "connection.autotask_other_database");
    assert_eq!(connected_as(&stage).await, before);
    assert!(stage.scan_due().await.is_empty(), "no run was started");
}

#[tokio::test(start_paused = true)]
async fn another_user_starts_no_run_at_once_unless_the_database_is_known_to_be_the_same() {
    for is_known in [true, false] {
        let (mut stage, company, mut visitor) = at_work().await;
        company.add_order();
        stage.run().await;
        let mut second = stage.add_company("9130350000000777", "Second", "second@x.example");
        let seed = DatabaseSeed {
            api_user: "third@x.example".to_owned(),
            ci: Some(company.database.seed().number()),
            ..DatabaseSeed::default()
        };
        second.database = stage.simulators.autotask.add_database(seed);
        second
            .database
            .switch(|switches| switches.number_untold = !is_known);
        let entered = second.enter_credentials(&mut visitor).await;
        let _done = entered.expect_to("/connection?done=autotask");
        let runs = stage.scan_due().await.len();
        assert_eq!(runs, usize::from(is_known), "known: {is_known}");
    }
}
