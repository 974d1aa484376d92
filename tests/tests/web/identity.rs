//! Who is believed to be whom, and who gets a company: what the way back from Intuit proves.

use http::{Method, StatusCode};
use purser_core::ports::{DocumentKind, Ledger as _};
use purser_simulators::{FaultKind, FaultRule, System, intuit::Role};
use purser_tests::{
    stage::{Scene, Stage},
    visitor::Site,
};
use url::Url;

use crate::support::{
    MALLORY, answers_instead, assert_nobody, assert_nothing_connected, connecting, newcomer,
    problem, subject_of,
};

/// The same address with another value of a parameter; none takes it away.
fn altered(url: &Url, name: &str, value: Option<&str>) -> Url {
    let mut pairs: Vec<_> = url.query_pairs().into_owned().collect();
    pairs.retain(|(known, _)| known != name);
    pairs.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url
}

#[tokio::test(start_paused = true)]
async fn a_connection_counts_only_for_the_person_who_is_signed_in() {
    let (stage, company, mut visitor) = newcomer().await;
    company.admit(&stage, MALLORY, Role::Admin);
    let reply = visitor.connect(MALLORY, &company.realm, false).await;
    let _set_up = reply.expect_to("/set-up");
    assert_eq!(problem(&mut visitor).await, "connect.other_person");
    assert_nothing_connected(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn a_realm_in_the_address_is_not_believed() {
    let (stage, company, mut visitor) = newcomer().await;
    let other = stage.add_company("9130350000000777", "South Harbor", "api@south.example");
    let wrong = [
        Some(other.realm.as_str()),
        Some("1 OR 1=1"),
        Some("../7"),
        None,
    ];
    for realm in wrong {
        let to = connecting(&company, &mut visitor).await;
        let to = altered(&to, "realmId", realm);
        let _set_up = visitor.come_back(&to).await.expect_to("/set-up");
        assert_eq!(problem(&mut visitor).await, "sign_in.refused", "{realm:?}");
        assert_nothing_connected(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_company_that_the_token_does_not_open_is_not_connected() {
    let (stage, company, mut visitor) = newcomer().await;
    let body = r#"{"fault":{"error":[{"code":"3100"}],"type":"AUTHORIZATION"}}"#.to_owned();
    let kind = FaultKind::Status {
        status: 403,
        body: Some(body),
    };
    let rule = FaultRule::next(System::QuickBooks, "*", kind).times(8);
    let to = connecting(&company, &mut visitor).await;
    stage.simulators.faults.add(rule);
    let _set_up = visitor.come_back(&to).await.expect_to("/set-up");
    problem(&mut visitor).await;
    assert_nothing_connected(&stage).await;
}

#[tokio::test(start_paused = true)]
async fn a_company_that_belongs_to_somebody_is_not_taken_and_its_admin_is_named() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let company = stage.company();
    company.admit(&stage, MALLORY, Role::Admin);
    let grant = DocumentKind::QuickBooks;
    let before = stage.store.document(&stage.tenant, grant).await;
    let mut mallory = site.visitor();
    let _set_up = mallory.sign_in(MALLORY).await.expect_to("/set-up");
    let reply = mallory.connect(MALLORY, &company.realm, true).await;
    let _set_up = reply.expect_to("/set-up");
    assert_eq!(problem(&mut mallory).await, "connect.taken");
    let page = mallory.get("/set-up").await;
    let _page = page
        .shows("is connected already, by somebody else")
        .shows(Site::OWNER);
    let after = stage.store.document(&stage.tenant, grant).await;
    assert_eq!(before.expect("the store"), after.expect("the store"));
    assert_eq!(stage.store.tenants().await.expect("the store").len(), 1);
    let home = mallory.call(Method::GET, "/home", None).await;
    assert_eq!(home.expect(StatusCode::CONFLICT).code(), "company.missing");
    let activity = owner.read("/activity").await;
    let events = activity["events"].as_array().expect("events");
    let refused = events
        .iter()
        .find(|event| event["what"] == "connect_refused");
    assert_eq!(refused.expect("it is told")["who"], MALLORY);
    // It stays so while nothing is connected: history and settings are there.
    let ended = owner.submit("/connection/disconnect", &[]).await;
    let _ended = ended.expect_to("/connection?done=disconnected");
    let reply = mallory.connect(MALLORY, &company.realm, true).await;
    let _set_up = reply.expect_to("/set-up");
    assert_eq!(problem(&mut mallory).await, "connect.taken");
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_not_moved_to_another_company_by_choosing_it_at_intuit() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let other = stage.add_company("9130350000000777", "South Harbor", "api@south.example");
    other.admit(&stage, Site::OWNER, Role::Admin);
    let reply = owner.connect(Site::OWNER, &other.realm, false).await;
    let _set_up = reply.expect_to("/set-up");
    assert_eq!(problem(&mut owner).await, "connect.other_company");
    assert_eq!(stage.status().await.realm, Some(stage.realm_id()));
}

#[tokio::test(start_paused = true)]
async fn a_viewer_cannot_connect_the_company_again() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let email = "mate@north-wind.example";
    let mut mate = stage.member(&mut owner, email, "viewer").await;
    stage.company().admit(&stage, email, Role::Admin);
    let refused = mate.submit("/connection/quickbooks", &[]).await;
    let _refused = refused.expect(StatusCode::FORBIDDEN);
    let reply = mate.connect(email, &stage.realm, true).await;
    let _set_up = reply.expect_to("/set-up");
    assert_eq!(problem(&mut mate).await, "connect.taken");
    assert_eq!(mate.read("/me").await["role"], "viewer");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_intuit_has_not_verified_signs_nobody_in() {
    let stage = Stage::new().await;
    let (site, _) = stage.with_owner().await;
    stage.add_person(MALLORY, Role::User);
    let subject = subject_of(MALLORY);
    for verified in ["false", "null", "\"no\"", "0"] {
        let body = format!(
            r#"{{"sub":"{subject}","email":"{}","emailVerified":{verified}}}"#,
            Site::OWNER
        );
        answers_instead(&stage, "GET userinfo", 200, &body);
        let mut mallory = site.visitor();
        let reply = mallory.sign_in(MALLORY).await;
        let reply = reply.expect_to("/sign-in?problem=email");
        assert_nobody(&site, &reply);
    }
    let body = format!(r#"{{"sub":"{subject}"}}"#);
    answers_instead(&stage, "GET userinfo", 200, &body);
    let reply = site.visitor().sign_in(MALLORY).await;
    let _reply = reply.expect_to("/sign-in?problem=email");
}

#[tokio::test(start_paused = true)]
async fn a_person_is_known_by_intuits_name_and_not_by_an_address_that_moves() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    stage.add_person(MALLORY, Role::User);
    // The owner's address belongs to somebody else now.
    let moved = format!(
        r#"{{"sub":"{}","email":"{}","emailVerified":true}}"#,
        subject_of(MALLORY),
        Site::OWNER
    );
    answers_instead(&stage, "GET userinfo", 200, &moved);
    let mut heir = site.visitor();
    let _set_up = heir.sign_in(MALLORY).await.expect_to("/set-up");
    assert_eq!(heir.read("/me").await["email"], Site::OWNER);
    let home = heir.call(Method::GET, "/home", None).await;
    let _missing = home.expect(StatusCode::CONFLICT);
    // And the owner under a new address is still the owner.
    let renamed = format!(
        r#"{{"sub":"{}","email":"new@north-wind.example","emailVerified":true}}"#,
        subject_of(Site::OWNER)
    );
    answers_instead(&stage, "GET userinfo", 200, &renamed);
    let _home = owner.sign_in(Site::OWNER).await.expect_to("/home");
    assert_eq!(owner.read("/me").await["role"], "admin");
}

#[tokio::test(start_paused = true)]
async fn whatever_intuit_answers_wrongly_signs_nobody_in() {
    let other_subject = format!(
        r#"{{"sub":"{}","email":"{}","emailVerified":true}}"#,
        subject_of(MALLORY),
        Site::OWNER
    );
    let tokens = |id_token: &str| {
        format!(
            r#"{{"token_type":"bearer","expires_in":3600,"access_token":"a","refresh_token":"r",
                "x_refresh_token_expires_in":8640000{id_token}}}"#
        )
    };
    let unsigned = "eyJhbGciOiJub25lIiwia2lkIjoiYSJ9.e30.";
    for (route, status, body) in [
        ("GET userinfo", 200, other_subject),
        ("GET userinfo", 401, String::new()),
        ("GET userinfo", 500, String::new()),
        ("GET userinfo", 200, "<html>".to_owned()),
        ("GET jwks", 500, String::new()),
        ("GET jwks", 200, r#"{"keys":[]}"#.to_owned()),
        ("POST token", 500, String::new()),
        ("POST token", 400, r#"{"error":"invalid_grant"}"#.to_owned()),
        ("POST token", 200, "<html>".to_owned()),
        ("POST token", 200, tokens("")),
        ("POST token", 200, tokens(r#","id_token":"""#)),
        (
            "POST token",
            200,
            tokens(&format!(r#","id_token":"{unsigned}""#)),
        ),
    ] {
        // Keys are kept once they were read, so each case has an application of its own.
        let stage = Stage::unconnected(Scene::default());
        stage.add_person(Site::OWNER, Role::Admin);
        answers_instead(&stage, route, status, &body);
        let mut visitor = stage.site().visitor();
        let reply = visitor.sign_in(Site::OWNER).await;
        let to = reply.location();
        assert!(
            to == "/sign-in?problem=refused" || to == "/sign-in?problem=unreachable",
            "{route} {status} {body}: {to}"
        );
        assert_nobody(&visitor.site, &reply);
        let me = visitor.call(Method::GET, "/me", None).await;
        let _out = me.expect(StatusCode::UNAUTHORIZED);
    }
}
