//! Sessions: their cookie, what is stored of it, and when they end.

use std::time::Duration;

use http::{Method, StatusCode};
use purser_tests::{
    stage::Stage,
    visitor::{Reply, Site},
};

use crate::support::is_in;

/// The attributes of a cookie that was set, in small letters.
fn attributes(reply: &Reply, name: &str) -> Vec<String> {
    let cookies = reply.set_cookies();
    let cookie = cookies.iter().find(|set| set.starts_with(name));
    let cookie = cookie.unwrap_or_else(|| panic!("no {name} in {cookies:?}"));
    let parts = cookie.split(';').skip(1);
    parts.map(|part| part.trim().to_lowercase()).collect()
}

fn has(attributes: &[String], wanted: &str) -> bool {
    attributes.iter().any(|attribute| attribute == wanted)
}

#[tokio::test(start_paused = true)]
async fn both_cookies_are_out_of_reach_of_scripts_other_sites_and_plain_connections() {
    let stage = Stage::new().await;
    let (site, _) = stage.with_owner().await;
    let mut visitor = site.visitor();
    let begun = visitor.submit("/sign-in", &[]).await;
    let to = visitor.consent(begun.location(), Site::OWNER, None).await;
    let back = visitor.come_back(&to).await;
    let [session, browser] = site.cookie_names();
    for (reply, name) in [(&begun, browser), (&back, session)] {
        assert!(name.starts_with("__Host-"));
        let set = attributes(reply, name);
        for wanted in ["secure", "httponly", "samesite=lax", "path=/"] {
            assert!(has(&set, wanted), "{name}: {set:?}");
        }
        assert!(!set.iter().any(|one| one.starts_with("domain")), "{set:?}");
    }
    assert!(has(&attributes(&back, session), "max-age=43200"));
    assert!(has(&attributes(&begun, browser), "max-age=600"));
}

#[tokio::test(start_paused = true)]
async fn on_this_machine_cookies_go_without_the_prefix_that_plain_http_cannot_have() {
    let stage = Stage::new().await;
    let (_, _) = stage.with_owner().await;
    let site = stage.site_at("http://127.0.0.1:8080");
    let mut visitor = site.visitor();
    let back = visitor.sign_in(Site::OWNER).await.expect_to("/home");
    let set = attributes(&back, "purser-session");
    for wanted in ["httponly", "samesite=lax", "path=/"] {
        assert!(has(&set, wanted), "{set:?}");
    }
    assert!(!has(&set, "secure"), "{set:?}");
    assert!(is_in(&mut visitor).await);
}

#[tokio::test(start_paused = true)]
async fn the_store_holds_no_secret_of_a_session_a_link_or_a_way_to_intuit() {
    let stage = Stage::new().await;
    let (site, owner) = stage.with_owner().await;
    let mut other = site.visitor();
    let begun = other.submit("/sign-in", &[]).await;
    let url: url::Url = begun.location().parse().expect("an address");
    let mark = url.query_pairs().find(|(name, _)| name == "state");
    let (_, mark) = mark.expect("a state");
    let tenants = [
        stage.tenant.clone(),
        "without-admin".parse().expect("a tenant"),
    ];
    let links = purser_web::admin_links(&*stage.store, &tenants, stage.now()).await;
    let links = links.expect("the store");
    assert_eq!(links.len(), 1, "one tenant has an admin");
    let secrets = owner.cookies.values().chain(other.cookies.values());
    let secrets = secrets
        .cloned()
        .chain([mark.into_owned(), links[0].1.clone()]);
    let disk = stage.disk();
    let holds = |text: &str| disk.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("signed_in"), "the dump is the store");
    for secret in secrets {
        // 256 bits as text.
        assert_eq!(secret.len(), 43, "{secret}");
        assert!(!holds(&secret), "{secret} is on the disk");
    }
}

#[tokio::test(start_paused = true)]
async fn every_session_has_a_secret_of_its_own() {
    let stage = Stage::new().await;
    let (site, _) = stage.with_owner().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..8 {
        let mut visitor = site.visitor();
        let _home = visitor.sign_in(Site::OWNER).await.expect_to("/home");
        for cookie in visitor.cookies.values() {
            assert!(seen.insert(cookie.clone()), "{cookie} was there before");
        }
        assert!(seen.insert(visitor.form_secret().await));
    }
}

#[tokio::test(start_paused = true)]
async fn signing_in_again_makes_a_new_session_and_ends_the_old_one() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let mut old = owner.clone();
    let _home = owner.sign_in(Site::OWNER).await.expect_to("/home");
    let [session, _] = site.cookie_names();
    assert_ne!(old.cookies[session], owner.cookies[session]);
    assert!(is_in(&mut owner).await);
    assert!(!is_in(&mut old).await);
}

#[tokio::test(start_paused = true)]
async fn a_cookie_that_was_planted_before_the_sign_in_never_becomes_a_session() {
    let stage = Stage::new().await;
    let (site, _) = stage.with_owner().await;
    let [session, _] = site.cookie_names();
    let planted = "a".repeat(43);
    let mut victim = site.visitor();
    victim.cookies.insert(session.to_owned(), planted.clone());
    let _home = victim.sign_in(Site::OWNER).await.expect_to("/home");
    assert_ne!(victim.cookies[session], planted);
    let mut attacker = site.visitor();
    attacker.cookies.insert(session.to_owned(), planted);
    assert!(!is_in(&mut attacker).await);
}

#[tokio::test(start_paused = true)]
async fn signing_out_ends_the_session_at_once_for_whoever_holds_its_cookie() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let mut thief = owner.clone();
    let out = owner.submit("/sign-out", &[]).await;
    let out = out.expect_to("/sign-in?done=signed-out");
    let [session, _] = site.cookie_names();
    assert!(has(&attributes(&out, session), "max-age=0"), "{out:?}");
    assert!(!owner.cookies.contains_key(session));
    assert!(!is_in(&mut thief).await);
    let page = thief.get("/home").await;
    let _sign_in = page.expect_to("/sign-in?next=%2Fhome");
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_after_half_an_hour_in_which_nobody_used_it() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    stage.wait(Duration::from_mins(29)).await;
    assert!(is_in(&mut owner).await);
    stage.wait(Duration::from_mins(29)).await;
    assert!(is_in(&mut owner).await, "it was used in between");
    stage.wait(Duration::from_mins(31)).await;
    assert!(!is_in(&mut owner).await);
    stage.wait(Duration::from_secs(1)).await;
    assert!(!is_in(&mut owner).await, "trying does not bring it back");
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_after_twelve_hours_however_busy_it_is() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    for _ in 0..35 {
        stage.wait(Duration::from_mins(20)).await;
        assert!(is_in(&mut owner).await);
    }
    stage.wait(Duration::from_mins(19)).await;
    assert!(is_in(&mut owner).await);
    stage.wait(Duration::from_mins(2)).await;
    assert!(!is_in(&mut owner).await, "12 hours are over");
}

#[tokio::test(start_paused = true)]
async fn a_person_ends_all_sessions_of_their_own() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let mut elsewhere = site.visitor();
    let _home = elsewhere.sign_in(Site::OWNER).await.expect_to("/home");
    let mut mate = stage
        .member(&mut owner, "mate@north-wind.example", "viewer")
        .await;
    let ended = owner.submit("/account/sessions/end", &[]).await;
    let _out = ended.expect_to("/sign-in?done=signed-out");
    assert!(!is_in(&mut owner).await);
    assert!(!is_in(&mut elsewhere).await);
    assert!(is_in(&mut mate).await, "other people stay signed in");
}

#[tokio::test(start_paused = true)]
async fn an_admin_ends_the_sessions_of_a_member_at_this_company_and_no_others() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let email = "mate@north-wind.example";
    let mut mate = stage.member(&mut owner, email, "viewer").await;
    let mut elsewhere = site.visitor();
    let _home = elsewhere.sign_in(email).await.expect_to("/home");
    // A company of their own, which the member looks at in a third browser.
    let south = stage.add_company("9130350000000777", "South Harbor", "api@south.example");
    south.admit(&stage, email, purser_simulators::intuit::Role::Admin);
    let mut third = site.visitor();
    let _home = third.sign_in(email).await.expect_to("/home");
    let connected = third.connect(email, &south.realm, true).await;
    let _done = connected.expect_to("/set-up?done=quickbooks");
    let people = owner.read("/people").await;
    let members = people["members"].as_array().expect("members");
    let member = members.iter().find(|member| member["email"] == email);
    let member = member.expect("the mate");
    assert_eq!(member["sessions"], 2);
    let person = member["person"].as_str().expect("a person");
    let path = format!("/people/{person}/sessions/end");
    let ended = owner.submit(&path, &[]).await;
    let _ended = ended.expect_to("/people?done=ended");
    assert!(!is_in(&mut mate).await);
    assert!(!is_in(&mut elsewhere).await);
    assert!(is_in(&mut owner).await);
    assert!(is_in(&mut third).await, "what they do elsewhere goes on");
    let people = owner.read("/people").await;
    let members = people["members"].as_array().expect("members");
    let member = members.iter().find(|member| member["email"] == email);
    assert_eq!(member.expect("the mate")["sessions"], 0);
    let _companies = mate.sign_in(email).await.expect_to("/companies");
    let here = [("tenant", stage.tenant.as_str())];
    let _home = mate.submit("/companies", &here).await;
    assert_eq!(mate.read("/me").await["role"], "viewer");
}

#[tokio::test(start_paused = true)]
async fn who_is_removed_or_made_a_viewer_loses_the_right_with_the_next_request() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let mut mate = stage
        .member(&mut owner, "mate@north-wind.example", "admin")
        .await;
    let people = mate.read("/people").await;
    let members = people["members"].as_array().expect("members");
    let you = members.iter().find(|member| member["is_you"] == true);
    let person = you.expect("themselves")["person"].as_str().expect("a name");
    let _runs = mate
        .call(Method::POST, "/runs", None)
        .await
        .expect(StatusCode::ACCEPTED);
    let path = format!("/people/{person}/role");
    let changed = owner.submit(&path, &[("role", "viewer")]);
    let _changed = changed.await.expect_to("/people?done=role");
    let refused = mate.call(Method::POST, "/runs", None).await;
    assert_eq!(refused.expect(StatusCode::FORBIDDEN).code(), "role.missing");
    let removed = owner.submit(&format!("/people/{person}/remove"), &[]).await;
    let _removed = removed.expect_to("/people?done=removed");
    let refused = mate.call(Method::GET, "/home", None).await;
    assert_eq!(
        refused.expect(StatusCode::CONFLICT).code(),
        "company.missing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_link_keeps_its_filter_over_the_sign_in() {
    let stage = Stage::new().await;
    let (site, _) = stage.with_owner().await;
    let mut visitor = site.visitor();
    let sent = visitor.get("/logs?outcome=refused&text=a%26b").await;
    let to = "/sign-in?next=%2Flogs%3Foutcome%3Drefused%26text%3Da%2526b";
    let sent = sent.expect_to(to);
    let page = visitor.get(sent.location()).await;
    let next = "/logs?outcome=refused&text=a%26b";
    let begun = visitor.submit("/sign-in", &[("next", next)]).await;
    let to = visitor.consent(begun.location(), Site::OWNER, None).await;
    let _logs = visitor.come_back(&to).await.expect_to(next);
    assert!(page.body.contains("text=a%26b"), "{page:?}");
    let long = format!("/logs?text={}", "x".repeat(600));
    let sent = site.visitor().get(&long).await;
    let _sent = sent.expect_to("/sign-in?next=%2Flogs");
}
