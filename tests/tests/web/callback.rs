//! The way to Intuit and back: what a state is worth, how often it counts, and where it ends.

use std::time::Duration;

use http::{Method, StatusCode};
use purser_core::ports::Ledger as _;
use purser_simulators::intuit::Role;
use purser_tests::{
    stage::Stage,
    visitor::{Site, Visitor},
};
use url::Url;

use crate::support::{
    MALLORY, assert_nobody, assert_nothing_connected, connecting, exchanges, newcomer, parameter,
    problem,
};

const LOST: &str = "/sign-in?problem=state";

/// A browser that has set out to sign in and was sent back by Intuit, but has not arrived.
async fn on_the_way_back(site: &Site) -> (Visitor, Url) {
    let mut visitor = site.visitor();
    let begun = visitor.submit("/sign-in", &[]).await;
    let to = visitor.consent(begun.location(), Site::OWNER, None).await;
    (visitor, to)
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
    let mark = parameter(begun.location(), "state");
    let denied = format!("/oauth/callback?error=access_denied&state={mark}");
    let begun = visitor.submit("/connection/quickbooks", &[]).await;
    let mark = parameter(begun.location(), "state");
    let forged = format!("/oauth/callback?code=forged&state={mark}&realmId=1");
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
    let mark = parameter(begun.location(), "state");
    let denied = format!("/oauth/callback?error=access_denied&state={mark}");
    let _set_up = visitor.get(&denied).await.expect_to("/set-up");
    assert_eq!(problem(&mut visitor).await, "connect.denied");
    assert_nothing_connected(&stage).await;
    let mut other = visitor.site.visitor();
    let begun = other.submit("/sign-in", &[]).await;
    let mark = parameter(begun.location(), "state");
    let denied = format!("/oauth/callback?error=access_denied&state={mark}");
    let reply = other.get(&denied).await;
    let _sign_in = reply.expect_to("/sign-in?problem=denied");
    let page = other.get("/sign-in?problem=denied").await;
    let _page = page.shows("The sign-in was cancelled at Intuit.");
}
