//! The way to Intuit and back: what a state is worth, what is believed, and who gets a company.

use std::time::Duration;

use http::{Method, StatusCode};
use purser_core::ports::{DocumentKind, Ledger as _};
use purser_simulators::{FaultKind, FaultRule, System, intuit::Role};
use purser_tests::{
    stage::{Scene, Stage},
    visitor::{Company, Reply, Site, Visitor},
};
use sha2::{Digest as _, Sha256};
use url::Url;

/// Somebody whom nobody invited.
const MALLORY: &str = "mallory@elsewhere.example";
const LOST: &str = "/sign-in?problem=state";

/// A parameter of an address.
fn parameter(url: &str, name: &str) -> String {
    let url: Url = url.parse().expect("an address");
    let found = url.query_pairs().find(|(known, _)| known == name);
    let (_, value) = found.unwrap_or_else(|| panic!("no {name} in {url}"));
    value.into_owned()
}

/// The same address with another value of a parameter; none takes it away.
fn altered(url: &Url, name: &str, value: Option<&str>) -> Url {
    let mut pairs: Vec<_> = url.query_pairs().into_owned().collect();
    pairs.retain(|(known, _)| known != name);
    pairs.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url
}

fn exchanges(stage: &Stage) -> u64 {
    stage.simulators.journal.calls(System::Intuit, "POST token")
}

/// Nobody was signed in by this answer.
fn assert_nobody(site: &Site, reply: &Reply) {
    let [session, _] = site.cookie_names();
    let cookies = reply.set_cookies();
    assert!(
        !cookies.iter().any(|set| set.starts_with(session)),
        "{cookies:?}"
    );
}

/// The next call of this kind is answered like this, after its effect.
fn answers_instead(stage: &Stage, route: &str, status: u16, body: &str) {
    let body = Some(body.to_owned());
    let kind = FaultKind::StatusAfter { status, body };
    let rule = FaultRule::next(System::Intuit, route, kind);
    stage.simulators.faults.add(rule);
}

/// A browser that has set out to sign in and was sent back by Intuit, but has not arrived.
async fn on_the_way_back(site: &Site) -> (Visitor, Url) {
    let mut visitor = site.visitor();
    let begun = visitor.submit("/sign-in", &[]).await;
    let to = visitor.consent(begun.location(), Site::OWNER, None).await;
    (visitor, to)
}

/// A stage that nobody has connected, and a browser signed in by its future admin.
async fn newcomer() -> (Stage, Company, Visitor) {
    let stage = Stage::unconnected(Scene::default());
    let company = stage.company();
    company.admit(&stage, Site::OWNER, Role::Admin);
    let mut visitor = stage.site().visitor();
    let _set_up = visitor.sign_in(Site::OWNER).await.expect_to("/set-up");
    (stage, company, visitor)
}

/// The same browser, which has set out to connect and was sent back by Intuit.
async fn connecting(company: &Company, visitor: &mut Visitor) -> Url {
    let begun = visitor.submit("/connection/quickbooks", &[]).await;
    let realm = Some(company.realm.as_str());
    visitor.consent(begun.location(), Site::OWNER, realm).await
}

/// No company is stored at all.
async fn assert_nothing_connected(stage: &Stage) {
    assert!(stage.store.tenants().await.expect("the store").is_empty());
}

/// What the set-up page says about the last try to connect.
async fn problem(visitor: &mut Visitor) -> String {
    let set_up = visitor.read("/set-up").await;
    let code = set_up["problem"]["code"].as_str();
    code.unwrap_or_else(|| panic!("{set_up}")).to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_way_back_counts_once() {
    let stage = Stage::new().await;
    let (site, _) = stage.with_owner().await;
    let (mut visitor, to) = on_the_way_back(&site).await;
    let mut copy = visitor.clone();
    let _home = visitor.come_back(&to).await.expect_to("/home");
    let before = exchanges(&stage);
    let replayed = copy.come_back(&to).await.expect_to(LOST);
    assert_nobody(&site, &replayed);
    // Who is signed in meanwhile stays so: pressing Back must not look like an attack.
    let cookies = visitor.cookies.clone();
    let again = visitor.come_back(&to).await.expect_to("/home");
    assert_nobody(&site, &again);
    assert_eq!(visitor.cookies, cookies);
    assert_eq!(exchanges(&stage), before);
}

#[tokio::test(start_paused = true)]
async fn a_way_back_counts_only_in_the_browser_that_set_out() {
    let stage = Stage::new().await;
    let (site, _) = stage.with_owner().await;
    stage.add_person(MALLORY, Role::User);
    // An attacker who sends a link with a code of their own would sign a victim in as themselves.
    let (_, to) = on_the_way_back(&site).await;
    let before = exchanges(&stage);
    let mut fresh = site.visitor();
    let mut busy = site.visitor();
    busy.submit("/sign-in", &[]).await;
    for victim in [&mut fresh, &mut busy] {
        let reply = victim.come_back(&to).await.expect_to(LOST);
        assert_nobody(&site, &reply);
    }
    assert_eq!(exchanges(&stage), before);
}

#[tokio::test(start_paused = true)]
async fn a_way_back_counts_for_ten_minutes() {
    let stage = Stage::new().await;
    let (site, _) = stage.with_owner().await;
    let (mut slow, to) = on_the_way_back(&site).await;
    stage.wait(Duration::from_secs(10 * 60 - 1)).await;
    let _home = slow.come_back(&to).await.expect_to("/home");
    let (mut slower, to) = on_the_way_back(&site).await;
    stage.wait(Duration::from_mins(10)).await;
    let before = exchanges(&stage);
    let reply = slower.come_back(&to).await.expect_to(LOST);
    assert_nobody(&site, &reply);
    assert_eq!(exchanges(&stage), before);
}

#[tokio::test(start_paused = true)]
async fn a_state_cannot_be_guessed_and_is_never_used_again() {
    let stage = Stage::new().await;
    let site = stage.site();
    let before = exchanges(&stage);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..8 {
        let begun = site.visitor().submit("/sign-in", &[]).await;
        for name in ["state", "nonce"] {
            let value = parameter(begun.location(), name);
            assert_eq!(value.len(), 43, "256 bits");
            assert!(seen.insert(value), "{name} was there before");
        }
    }
    for path in ["", "?code=a", "?code=a&state=", "?code=a&state=unknown"] {
        let path = format!("/oauth/callback{path}");
        let reply = site.visitor().get(&path).await.expect_to(LOST);
        assert_nobody(&site, &reply);
    }
    assert_eq!(exchanges(&stage), before);
}

#[tokio::test(start_paused = true)]
async fn a_connection_counts_only_in_the_session_that_began_it() {
    let (stage, company, mut visitor) = newcomer().await;
    let to = connecting(&company, &mut visitor).await;
    // The same browser, the same person, another session.
    let _out = visitor.submit("/sign-out", &[]).await;
    let signed_out = visitor.clone().come_back(&to).await;
    let _lost = signed_out.expect_to(LOST);
    let _set_up = visitor.sign_in(Site::OWNER).await.expect_to("/set-up");
    let to = connecting(&company, &mut visitor).await;
    let _set_up = visitor.sign_in(Site::OWNER).await.expect_to("/set-up");
    let before = exchanges(&stage);
    let _home = visitor.come_back(&to).await.expect_to("/home");
    assert_eq!(exchanges(&stage), before);
    assert_nothing_connected(&stage).await;
    assert_eq!(
        stage.simulators.intuit.tokens().live_grants(&stage.realm),
        0
    );
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
async fn of_two_ways_back_at_once_one_exchanges_the_code() {
    let stage = Stage::new().await;
    let (site, _) = stage.with_owner().await;
    let (mut visitor, to) = on_the_way_back(&site).await;
    let mut copy = visitor.clone();
    let before = exchanges(&stage);
    let (one, other) = tokio::join!(visitor.come_back(&to), copy.come_back(&to));
    let mut places = [one.location(), other.location()];
    places.sort_unstable();
    assert_eq!(places, ["/home", LOST]);
    assert_eq!(exchanges(&stage), before + 1);
}

#[tokio::test(start_paused = true)]
async fn of_two_connections_at_once_one_exchanges_the_code_and_its_grant_lives() {
    let (stage, company, mut visitor) = newcomer().await;
    let to = connecting(&company, &mut visitor).await;
    let mut copy = visitor.clone();
    let before = exchanges(&stage);
    let (one, other) = tokio::join!(visitor.come_back(&to), copy.come_back(&to));
    let mut places = [one.location(), other.location()];
    places.sort_unstable();
    assert_eq!(places, ["/home", "/set-up?done=quickbooks"]);
    assert_eq!(exchanges(&stage), before + 1);
    assert_eq!(
        stage.simulators.intuit.tokens().live_grants(&stage.realm),
        1
    );
    assert_eq!(stage.store.tenants().await.expect("the store").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_way_back_ends_at_a_clean_address_without_a_page() {
    let (_stage, company, mut visitor) = newcomer().await;
    let site = visitor.site.clone();
    let signed_in = on_the_way_back(&site).await;
    let connected = connecting(&company, &mut visitor).await;
    let begun = visitor.submit("/connection/quickbooks", &[]).await;
    let state = parameter(begun.location(), "state");
    let denied = format!("/oauth/callback?error=access_denied&state={state}");
    let begun = visitor.submit("/connection/quickbooks", &[]).await;
    let state = parameter(begun.location(), "state");
    let forged = format!("/oauth/callback?code=forged&state={state}&realmId=1");
    let (mut other, to) = signed_in;
    let mut replies = vec![
        other.come_back(&to).await,
        other.come_back(&to).await,
        visitor.come_back(&connected).await,
        visitor.get(&denied).await,
        visitor.get(&forged).await,
        site.visitor().get("/oauth/callback?code=a&state=b").await,
    ];
    for path in [
        "/oauth/callback?error=%3Cscript%3E&state=a",
        "/oauth/callback",
    ] {
        replies.push(site.visitor().get(path).await);
    }
    for reply in replies {
        assert_eq!(reply.status, StatusCode::FOUND, "{reply:?}");
        assert_eq!(reply.body, "");
        let to = reply.location();
        assert!(to.starts_with('/') && !to.starts_with("//"), "{to}");
        for secret in ["code=", "state=", "realmId", "script"] {
            assert!(!to.contains(secret), "{to}");
        }
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
    }
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
async fn intuit_is_told_the_configured_return_address_whatever_a_request_says() {
    let stage = Stage::new().await;
    let site = stage.site();
    let visitor = site.visitor();
    let mut asked = 0;
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=http"),
        ("x-forwarded-proto", "http"),
        ("x-original-url", "https://evil.example/"),
        ("referer", "https://purser.example/sign-in"),
    ] {
        let request = visitor
            .request(&Method::POST, "/sign-in?redirect_uri=https://evil.example/")
            .header("origin", site.origin())
            .header("content-type", "application/x-www-form-urlencoded")
            .header(name, value)
            .body("next=/home".into());
        let reply = visitor.clone().send(request.expect("a request")).await;
        let told = parameter(reply.location(), "redirect_uri");
        assert_eq!(told, "https://purser.example/oauth/callback", "{name}");
        asked += 1;
    }
    assert_eq!(asked, 5);
    for host in [
        "evil.example",
        "purser.example.evil.example",
        "purser.example:444",
    ] {
        let request = http::Request::post("/sign-in")
            .header("host", host)
            .header("origin", site.origin())
            .body(bytes::Bytes::new());
        let reply = visitor.clone().send(request.expect("a request")).await;
        let _refused = reply.expect(StatusCode::MISDIRECTED_REQUEST);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_goes_on_only_to_a_page_of_ours() {
    let stage = Stage::new().await;
    let (site, _) = stage.with_owner().await;
    for (next, expected) in [
        ("/logs?outcome=refused", "/logs?outcome=refused"),
        ("https://evil.example/", "/home"),
        ("//evil.example/", "/home"),
        ("/\\evil.example", "/home"),
        ("/x\r\nset-cookie: a=b", "/home"),
        ("javascript:alert(1)", "/home"),
    ] {
        let mut visitor = site.visitor();
        let begun = visitor.submit("/sign-in", &[("next", next)]).await;
        let to = visitor.consent(begun.location(), Site::OWNER, None).await;
        let _there = visitor.come_back(&to).await.expect_to(expected);
    }
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

/// Intuit's name for a person, as the simulator makes it.
fn subject_of(email: &str) -> String {
    let digest = Sha256::digest(email.as_bytes());
    let bytes = digest.iter().take(16);
    bytes.map(|byte| format!("{byte:02x}")).collect()
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

#[tokio::test(start_paused = true)]
async fn each_way_asks_for_exactly_what_it_needs() {
    let (_stage, _, mut visitor) = newcomer().await;
    let begun = visitor.submit("/connection/quickbooks", &[]).await;
    let scope = parameter(begun.location(), "scope");
    assert_eq!(
        scope,
        "com.intuit.quickbooks.accounting openid profile email"
    );
    let _out = visitor.submit("/sign-out", &[]).await;
    let begun = visitor.submit("/sign-in", &[]).await;
    assert_eq!(parameter(begun.location(), "scope"), "openid profile email");
    assert_eq!(parameter(begun.location(), "response_type"), "code");
    for name in ["client_secret", "prompt", "login_hint"] {
        assert!(!begun.location().contains(name));
    }
}

#[tokio::test(start_paused = true)]
async fn a_consent_that_is_cancelled_changes_nothing_and_says_so() {
    let (stage, _, mut visitor) = newcomer().await;
    let begun = visitor.submit("/connection/quickbooks", &[]).await;
    let state = parameter(begun.location(), "state");
    let denied = format!("/oauth/callback?error=access_denied&state={state}");
    let _set_up = visitor.get(&denied).await.expect_to("/set-up");
    assert_eq!(problem(&mut visitor).await, "connect.denied");
    assert_nothing_connected(&stage).await;
    let mut other = visitor.site.visitor();
    let begun = other.submit("/sign-in", &[]).await;
    let state = parameter(begun.location(), "state");
    let denied = format!("/oauth/callback?error=access_denied&state={state}");
    let reply = other.get(&denied).await;
    let _sign_in = reply.expect_to("/sign-in?problem=denied");
    let page = other.get("/sign-in?problem=denied").await;
    let _page = page.shows("The sign-in was cancelled at Intuit.");
}
