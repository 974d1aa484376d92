//! Set-up, step by step: from the address that a customer is given to the first run.

use std::time::Duration;

use http::StatusCode;
use purser_core::ports::DocumentKind;
use purser_simulators::{System, intuit::Role};
use purser_tests::{
    stage::Stage,
    visitor::{Site, Visitor},
};

use crate::{
    feature_support::{
        adopt, next_alarm, send, settings_form, step, stored, with, with_both, with_quickbooks,
        with_settings,
    },
    support::{assert_nothing_connected, newcomer, parameter, problem},
};

const SAM: &str = "sam@north-wind.example";
const STEP_1: &str = "Step 1 Complete. Please Configure Settings.";
const STEP_2: &str = "Step 2 Complete. Review your settings and connect.";

#[tokio::test(start_paused = true)]
async fn who_is_no_admin_at_intuit_cannot_connect_and_reads_what_to_do() {
    let (stage, company, visitor) = newcomer().await;
    company.admit(&stage, SAM, Role::User);
    let mut sam = visitor.site.visitor();
    let _set_up = sam.sign_in(SAM).await.expect_to("/set-up");
    let page = sam.get("/set-up").await;
    let _page = page.shows("You must be an admin of the company");
    let refused = sam.connect(SAM, &company.realm, false).await;
    let _set_up = refused.expect_to("/set-up");
    assert_eq!(problem(&mut sam).await, "connect.denied");
    let page = sam.get("/set-up").await;
    let _page = page
        .shows("The connection was not granted at Intuit")
        .shows("Connect as an administrator of the company.");
    assert_nothing_connected(&stage).await;
    assert_eq!(
        stage.simulators.intuit.tokens().live_grants(&company.realm),
        0
    );
    // Once they are an admin, the same page goes on.
    company.admit(&stage, SAM, Role::Admin);
    let connected = sam.connect(SAM, &company.realm, false).await;
    let _done = connected.expect_to("/set-up?done=quickbooks");
}

#[tokio::test(start_paused = true)]
async fn purser_needs_no_other_app() {
    let (mut stage, company, mut visitor) = newcomer().await;
    let order = company.add_order();
    company.set_up(&stage, &mut visitor, Site::OWNER).await;
    adopt(&mut stage).await;
    stage.live(Duration::from_mins(1)).await;
    stage.assert_billed(order, "799.98").await;
    let systems: std::collections::BTreeSet<_> = stage
        .simulators
        .journal
        .entries()
        .into_iter()
        .map(|entry| entry.system)
        .collect();
    assert_eq!(
        systems,
        [System::Autotask, System::QuickBooks, System::Intuit].into()
    );
}

#[tokio::test(start_paused = true)]
async fn the_address_that_a_customer_is_given_opens_the_first_step() {
    let stage = Stage::unconnected(purser_tests::stage::Scene::default());
    stage.add_person(Site::OWNER, Role::Admin);
    let mut visitor = stage.site().visitor();
    let _sign_in = visitor.get("/").await.expect_to("/sign-in");
    let page = visitor.get("/sign-in").await.expect(StatusCode::OK);
    let _page = page.shows("Sign in with Intuit");
    let _set_up = visitor.sign_in(Site::OWNER).await.expect_to("/set-up");
    for path in ["/", "/launch"] {
        let _home = visitor.get(path).await.expect_to("/home");
    }
    let _set_up = visitor.get("/home").await.expect_to("/set-up");
    let page = visitor.get("/set-up").await.expect(StatusCode::OK);
    let _page = page
        .shows("<h1>Connect your QuickBooks company</h1>")
        .shows("Connect to QuickBooks</button>");
}

#[tokio::test(start_paused = true)]
async fn sign_in_goes_to_the_authorisation_page_that_intuit_itself_names() {
    let stage = Stage::unconnected(purser_tests::stage::Scene::default());
    let mut visitor = stage.site().visitor();
    let begun = visitor.submit("/sign-in", &[]).await;
    let to = begun.location();
    let page = format!("{}/connect/oauth2?", purser_tests::stage::BASE);
    assert!(to.starts_with(&page), "{to}");
    assert_eq!(
        parameter(to, "client_id"),
        purser_tests::stage::CLIENT_ID,
        "the app's own id"
    );
    assert_eq!(
        stage
            .simulators
            .journal
            .calls(System::Intuit, "GET discovery"),
        1,
        "the address is looked up"
    );
}

#[tokio::test(start_paused = true)]
async fn consent_stores_the_tokens_and_the_company() {
    let (stage, company, mut visitor) = with_quickbooks().await;
    let grant = stored(&stage, &stage.tenant, DocumentKind::QuickBooks).await;
    assert!(grant.is_some(), "the grant is stored");
    let status = stage.status().await;
    assert_eq!(status.realm, Some(stage.realm_id()));
    assert_eq!(status.company_name.as_deref(), Some("North Wind Networks"));
    let tokens = stage.simulators.intuit.tokens();
    assert_eq!(tokens.live_grants(&company.realm), 1);
    assert_eq!(visitor.read("/me").await["role"], "admin");
    let page = visitor.get("/set-up?done=quickbooks").await;
    let _page = page
        .shows("QuickBooks is connected. Now enter your Autotask credentials.")
        .shows("Set-up of North Wind Networks");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_autotask_accepts_are_saved_and_never_shown_again() {
    let (stage, company, mut visitor) = with_quickbooks().await;
    let entered = company.enter_credentials(&mut visitor).await;
    let _done = entered.expect_to("/set-up?done=autotask");
    let sealed = stored(&stage, &stage.tenant, DocumentKind::Autotask).await;
    assert!(sealed.is_some());
    let page = visitor.get("/connection/autotask").await;
    let seed = stage.database.seed();
    let page = page.shows(&format!("value=\"{}\"", seed.api_user));
    for secret in [&seed.secret, &seed.integration_code] {
        assert!(!page.body.contains(secret.as_str()));
        let disk = stage.disk();
        let holds = disk
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!holds, "a secret is on the disk as it is");
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_autotask_refuses_show_why_and_save_nothing() {
    let (stage, company, mut visitor) = with_quickbooks().await;
    for (field, cause, remedy) in [
        (
            "secret",
            "Autotask refused the API user",
            "Check the user in Autotask under Resources",
        ),
        (
            "integration_code",
            "Autotask does not accept the integration code.",
            "Copy the tracking identifier of the API user",
        ),
        (
            "user",
            "Autotask knows no API user of this name.",
            "Check the user name (it looks like an e-mail address)",
        ),
    ] {
        let form = with(company.credentials().into(), field, "wrong@x.example");
        let refused = send(&mut visitor, "/connection/autotask", &form).await;
        let page = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
        let page = page
            .shows(cause)
            .shows(remedy)
            .hides(&company.database.seed().secret);
        let user = form.iter().find(|(name, _)| *name == "user");
        let user = &user.expect("a user").1;
        let _page = page.shows(&format!("value=\"{user}\""));
        let sealed = stored(&stage, &stage.tenant, DocumentKind::Autotask).await;
        assert_eq!(sealed, None, "{field}");
        assert_eq!(stage.status().await.autotask_user, None, "{field}");
        assert_eq!(step(&mut visitor).await, "autotask", "{field}");
    }
    assert!(!stage.database.is_locked(), "three tries lock nobody");
}

#[tokio::test(start_paused = true)]
async fn empty_credentials_are_named_field_by_field_without_asking_autotask() {
    let (stage, _, mut visitor) = with_quickbooks().await;
    let before = stage.simulators.journal.latest();
    let refused = visitor.submit("/connection/autotask", &[("user", " ")]);
    let page = refused.await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let _page = page
        .shows("3 fields need another look.")
        .shows("id=\"user-wrong\"")
        .shows("id=\"secret-wrong\"")
        .shows("id=\"integration_code-wrong\"");
    assert_eq!(stage.simulators.journal.latest(), before);
    let sealed = stored(&stage, &stage.tenant, DocumentKind::Autotask).await;
    assert_eq!(sealed, None);
}

/// The first step is done, however often the page is loaded.
async fn reload(visitor: &mut Visitor, heading: &str) {
    for _ in 0..2 {
        let page = visitor.get("/set-up").await.expect(StatusCode::OK);
        let _page = page.shows(heading);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_is_safe_after_every_step_and_shows_the_next_one() {
    let (mut stage, company, mut visitor) = newcomer().await;
    reload(&mut visitor, "Connect your QuickBooks company").await;
    visitor.connect(Site::OWNER, &company.realm, false).await;
    adopt(&mut stage).await;
    reload(&mut visitor, "Now enter your Autotask credentials.").await;
    // Whoever sends a form again by reloading changes nothing for the worse.
    for _ in 0..2 {
        let entered = company.enter_credentials(&mut visitor).await;
        let _done = entered.expect_to("/set-up?done=autotask");
        reload(&mut visitor, STEP_1).await;
    }
    for _ in 0..2 {
        let saved = send(&mut visitor, "/settings", &settings_form(&company)).await;
        let _done = saved.expect_to("/set-up?done=saved");
        reload(&mut visitor, STEP_2).await;
    }
    for _ in 0..2 {
        let started = visitor.submit("/set-up/start", &[]).await;
        let _done = started.expect_to("/set-up?done=started");
        reload(&mut visitor, "Connected. Orders are being transferred.").await;
    }
    assert_eq!(stage.scan_due().await.len(), 1, "one run was started");
    stage.drain().await;
    assert_eq!(stage.last_run().await.0, 1);
}

#[tokio::test(start_paused = true)]
async fn step_1_is_complete_and_links_to_settings_that_open() {
    let (_stage, company, mut visitor) = with_both().await;
    assert_eq!(step(&mut visitor).await, "settings");
    let page = visitor.get("/set-up").await;
    let _page = page
        .shows(&format!("<h1>{STEP_1}</h1>"))
        .shows("href=\"/settings\">Configure settings</a>");
    let page = visitor.get("/settings").await.expect(StatusCode::OK);
    let _page = page
        .shows("You look everything over before anything is transferred.")
        .shows("Accounts Payable (A/P)")
        .shows(&format!("value=\"{}\"", company.cast.payable));
}

#[tokio::test(start_paused = true)]
async fn step_2_shows_the_saved_settings_for_review() {
    let (_stage, company, mut visitor) = with_settings().await;
    assert_eq!(step(&mut visitor).await, "review");
    let page = visitor.get("/set-up").await;
    let page = page
        .shows(&format!("<h1>{STEP_2}</h1>"))
        .shows("<td>30</td>")
        .shows("<td>QuickBooks assigns them</td>")
        .shows("<td>Create the Item</td>")
        .shows("<td>Olivia Bennett</td>")
        .shows("<td>Accounting follow-up</td>")
        .shows("Hardware for Resale")
        .shows("href=\"/settings\">Change settings</a>");
    let id = company.cast.bookkeeper;
    let _page = page.hides(&format!("<td>{id}</td>"));
}

#[tokio::test(start_paused = true)]
async fn the_review_says_what_the_first_run_takes_and_older_orders_can_be_left_out() {
    let (stage, company, mut visitor) = with_settings().await;
    let page = visitor.get("/set-up").await;
    let _page = page.shows("No order in Autotask waits for a bill right now.");
    for _ in 0..10 {
        company.add_order();
    }
    let page = visitor.get("/set-up").await;
    let _page = page
        .shows("<strong>10 orders become bills</strong> as soon as you connect")
        .shows("and 2 more")
        .shows("Were any of these entered in QuickBooks by hand?");
    let tomorrow = stage.now() + jiff::SignedDuration::from_hours(48);
    let day = tomorrow.to_string()[..10].to_owned();
    let form = with(settings_form(&company), "created_from", &day);
    let saved = send(&mut visitor, "/settings", &form).await;
    let _review = saved.expect_to("/set-up?done=saved");
    let page = visitor.get("/set-up").await;
    let _page = page
        .shows("No order in Autotask waits for a bill right now.")
        .shows(&format!("<td>{day}</td>"));
    let outage = purser_simulators::FaultKind::Status {
        status: 500,
        body: None,
    };
    let rule = purser_simulators::FaultRule::next(purser_simulators::System::Autotask, "*", outage);
    stage.simulators.faults.add(rule.times(50));
    let page = visitor.get("/set-up").await.expect(StatusCode::OK);
    let _page = page.shows("cannot be told right now");
}

#[tokio::test(start_paused = true)]
async fn settings_may_be_changed_any_number_of_times_before_connect() {
    let (stage, company, mut visitor) = with_settings().await;
    let form = settings_form(&company);
    for days in ["7", "90", "0", "45"] {
        let page = visitor.get("/settings").await;
        let _page = page.expect(StatusCode::OK);
        let changed = with(form.clone(), "days_back", days);
        let saved = send(&mut visitor, "/settings", &changed).await;
        let _review = saved.expect_to("/set-up?done=saved");
        let page = visitor.get("/set-up").await;
        let _page = page.shows(STEP_2).shows(&format!("<td>{days}"));
    }
    assert_eq!(next_alarm(&stage).await, None, "nothing is started yet");
    let page = visitor.get("/settings").await;
    let _page = page.shows("value=\"45\"");
}

#[tokio::test(start_paused = true)]
async fn connect_starts_the_first_scan_at_once() {
    let (mut stage, company, mut visitor) = with_settings().await;
    let order = company.add_order();
    let started = visitor.submit("/set-up/start", &[]).await;
    let _done = started.expect_to("/set-up?done=started");
    assert_eq!(next_alarm(&stage).await, Some(stage.now()), "now");
    stage.live(Duration::from_secs(30)).await;
    stage.assert_billed(order, "799.98").await;
    let page = visitor.get("/set-up").await;
    let _page = page.shows("1 order seen: 1 to transfer");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_scanned_before_connect() {
    let (mut stage, company, mut visitor) = newcomer().await;
    let order = company.add_order();
    let scans = |stage: &Stage| {
        let journal = &stage.simulators.journal;
        journal.calls(System::Autotask, "POST PurchaseOrders/query")
    };
    visitor.connect(Site::OWNER, &company.realm, false).await;
    adopt(&mut stage).await;
    for path in ["/set-up/start", "/runs"] {
        let refused = visitor.submit(path, &[]).await;
        let page = refused.expect(StatusCode::CONFLICT);
        let _page = page.shows("Set-up is not complete");
    }
    company.enter_credentials(&mut visitor).await;
    send(&mut visitor, "/settings", &settings_form(&company)).await;
    let before = scans(&stage);
    stage.live(Duration::from_hours(2)).await;
    assert_eq!(scans(&stage), before, "nobody looked for orders");
    stage.assert_untouched(order, None);
    assert_eq!(stage.bills().len(), 0);
}
