//! What is refused when something is wrong inside, asked for too often, or not told enough.

use std::time::Duration;

use http::{Method, StatusCode};
use purser_core::ports::{Entry, EntryKey, EntryKind, Expected, Registry as _};
use purser_simulators::System;
use purser_tests::{
    stage::Stage,
    visitor::{Site, Visitor},
};
use purser_web::{Needs, addresses};
use serde_json::{Value, json};

use crate::{
    addresses::{ask, words},
    feature_support::writes,
};

/// What stands in the store about a session, a person or a member is not what it should be.
async fn spoil(stage: &Stage, entry: Entry, body: &str) {
    let spoilt = Entry {
        body: body.to_owned(),
        ..entry
    };
    let put = stage.store.put_entry(spoilt, Expected::Any, stage.now());
    put.await.expect("the store");
}

/// The session, the membership and the person of the only admin.
async fn entries_of(stage: &Stage, owner: &mut Visitor) -> [Entry; 2] {
    let people = owner.read("/people").await;
    let person = people["members"][0]["person"].as_str().expect("a person");
    let now = stage.now();
    let sessions = stage.store.owned(EntryKind::Session, person, now).await;
    let member = EntryKey::new(EntryKind::Member, stage.tenant.as_str(), person);
    let member = stage.store.entry(&member, now).await.expect("the store");
    let session = sessions.expect("the store").remove(0);
    [session, member.expect("a member").0]
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_about_a_session_or_a_member_lets_nobody_in() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let good = entries_of(&stage, &mut owner).await;
    for entry in &good {
        for body in ["", "{", "{}", "[]", "null", r#"{"role":"owner"}"#] {
            spoil(&stage, entry.clone(), body).await;
            for address in addresses() {
                if !matches!(address.needs, Needs::Role(_)) {
                    continue;
                }
                let reply = ask(&stage, &mut owner.clone(), &address).await;
                let shown = words(&address);
                assert_eq!(
                    reply.status,
                    StatusCode::SERVICE_UNAVAILABLE,
                    "{shown} with {body}: {reply:?}"
                );
                assert!(!reply.body.contains("Ingram"), "{shown}");
            }
            spoil(&stage, entry.clone(), &entry.body).await;
        }
    }
    owner.read("/home").await;
}

#[tokio::test(start_paused = true)]
async fn one_session_may_ask_thirty_times_a_minute_for_what_costs_calls() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let order = stage.add_plain();
    let path = format!("/orders/{order}/preview");
    for _ in 0..30 {
        let preview = owner.call(Method::GET, &path, None).await;
        let _preview = preview.expect(StatusCode::OK);
    }
    let calls = stage.simulators.journal.latest();
    let refused = owner.call(Method::GET, &path, None).await;
    let refused = refused.expect(StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.code(), "request.too_many");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    // Everything that costs calls is counted together, and what costs none is not.
    for (method, path) in [
        (Method::GET, "/settings/choices"),
        (Method::GET, "/connection/check"),
        (Method::POST, "/connection/check"),
        (Method::POST, "/runs"),
        (Method::POST, "/orders/1/retry"),
    ] {
        let refused = owner.call(method, path, None).await;
        let _refused = refused.expect(StatusCode::TOO_MANY_REQUESTS);
    }
    for path in ["/home", "/orders", "/people", "/me"] {
        owner.read(path).await;
    }
    assert_eq!(stage.simulators.journal.latest(), calls, "nobody is asked");
    // Another session of the same person still may, until the company has had its share.
    let mut elsewhere = site.visitor();
    let _home = elsewhere.sign_in(Site::OWNER).await.expect_to("/home");
    let preview = elsewhere.call(Method::GET, &path, None).await;
    let _preview = preview.expect(StatusCode::OK);
    stage.wait(Duration::from_secs(wait)).await;
    let preview = owner.call(Method::GET, &path, None).await;
    let _preview = preview.expect(StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn one_company_may_ask_sixty_times_a_minute_and_others_do_not_wait_for_it() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let order = stage.add_plain();
    let path = format!("/orders/{order}/preview");
    let south = stage.add_company("9130350000000777", "South Harbor", "api@south.example");
    let mut sue = site.visitor();
    south.set_up(&stage, &mut sue, "sue@south.example").await;
    stage.wait(Duration::from_mins(1)).await;
    let mut asked = 0;
    let mut last = None;
    for _ in 0..3 {
        let _home = owner.sign_in(Site::OWNER).await.expect_to("/home");
        for _ in 0..25 {
            let preview = owner.call(Method::GET, &path, None).await;
            asked += u32::from(preview.status == StatusCode::OK);
            last = Some(preview);
        }
    }
    assert_eq!(asked, 60);
    let last = last
        .expect("an answer")
        .expect(StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(last.code(), "request.too_many");
    let order = south.add_order();
    let path = format!("/orders/{order}/preview");
    let preview = sue.call(Method::GET, &path, None);
    let _preview = preview.await.expect(StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn pressing_a_button_many_times_costs_one_order_worth_of_writes() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let order = stage.add_plain();
    let path = format!("/orders/{order}/sync");
    let body = json!({});
    for _ in 0..10 {
        let asked = owner.call(Method::POST, &path, Some(&body)).await;
        let _asked = asked.expect(StatusCode::ACCEPTED);
    }
    stage.drain().await;
    stage.assert_billed(order, "799.98").await;
    let bills = stage
        .simulators
        .journal
        .calls(System::QuickBooks, "POST bill");
    assert!(bills <= 1, "{bills} bills were sent");
    assert!(writes(&stage) <= 3, "{} writes", writes(&stage));
}

#[tokio::test(start_paused = true)]
async fn a_browser_begins_twenty_sign_ins_a_minute_and_all_together_three_hundred() {
    let stage = Stage::new().await;
    let site = stage.site();
    let mut busy = site.visitor();
    for _ in 0..21 {
        let begun = busy.submit("/sign-in", &[]).await;
        let _begun = begun.expect(StatusCode::SEE_OTHER);
    }
    let refused = busy.submit("/sign-in", &[]).await;
    let refused = refused.expect(StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    for _ in 21..300 {
        let begun = site.visitor().submit("/sign-in", &[]).await;
        let _begun = begun.expect(StatusCode::SEE_OTHER);
    }
    let refused = site.visitor().submit("/sign-in", &[]).await;
    let _refused = refused.expect(StatusCode::TOO_MANY_REQUESTS);
    stage.wait(Duration::from_mins(1)).await;
    let begun = busy.submit("/sign-in", &[]).await;
    let _begun = begun.expect(StatusCode::SEE_OTHER);
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_again_and_again_hides_nothing_that_others_did() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let mut mate = stage
        .member(&mut owner, "mate@north-wind.example", "viewer")
        .await;
    let refusals = |told: &[(String, String)]| {
        let refused = told.iter().filter(|(what, _)| what == "role_refused");
        refused.count()
    };
    for (asked, expected) in [(20, 1), (20, 2)] {
        for _ in 0..asked {
            let refused = mate.call(Method::POST, "/runs", None).await;
            let _refused = refused.expect(StatusCode::FORBIDDEN);
        }
        let told = told(&mut owner).await;
        assert_eq!(refusals(&told), expected);
        stage.wait(Duration::from_mins(1)).await;
    }
    for _ in 0..50 {
        mate.call(Method::POST, "/runs", None).await;
        stage.wait(Duration::from_secs(61)).await;
        owner.read("/me").await;
    }
    let told = told(&mut owner).await;
    assert!(refusals(&told) <= 31, "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_people_did_is_paged() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    for number in 0..60 {
        let email = format!("guest{number}@north-wind.example");
        let fields = [("email", email.as_str()), ("role", "viewer")];
        owner.submit("/people", &fields).await;
        let form = [("email", email.as_str())];
        owner.submit("/people/invitations/withdraw", &form).await;
        stage.wait(Duration::from_secs(1)).await;
    }
    let first = owner.read("/activity").await;
    assert_eq!(first["events"].as_array().map(Vec::len), Some(100));
    let next = first["next"].as_str().expect("a next page");
    let page = owner.get("/activity").await;
    let older = format!("/activity?after={next}");
    let _page = page.shows(&older);
    let second = owner.read(&older).await;
    let events = second["events"].as_array().expect("events");
    assert!(second.get("next").is_none());
    let all: std::collections::BTreeSet<_> = first["events"]
        .as_array()
        .expect("events")
        .iter()
        .chain(events)
        .map(|event| format!("{} {}", event["at"], event["text"]))
        .collect();
    assert_eq!(all.len(), 100 + events.len(), "nothing twice");
    assert_eq!(all.len(), 122, "signed in, seated, and 60 times both");
    let _page = owner.get(&older).await.shows("signed in");
}

/// What people did, as the interface tells it: what and who.
async fn told(owner: &mut Visitor) -> Vec<(String, String)> {
    let activity = owner.read("/activity").await;
    let events = activity["events"].as_array().expect("events").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    events
        .map(|event| (text(&event["what"]), text(&event["who"])))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn whatever_matters_to_security_is_told_with_who_did_it() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let email = "mate@north-wind.example";
    let mut mate = stage.member(&mut owner, email, "viewer").await;
    let refused = mate.call(Method::POST, "/runs", None).await;
    let _refused = refused.expect(StatusCode::FORBIDDEN);
    let company = stage.company();
    let mut settings = company.settings();
    settings["days_back"] = json!(7);
    let saved = owner.call(Method::PUT, "/settings", Some(&settings)).await;
    let _saved = saved.expect(StatusCode::OK);
    company.enter_credentials(&mut owner).await;
    let people = owner.read("/people").await;
    let members = people["members"].as_array().expect("members");
    let member = members.iter().find(|member| member["email"] == email);
    let person = member.expect("the mate")["person"]
        .as_str()
        .expect("a name");
    owner
        .submit(&format!("/people/{person}/role"), &[("role", "admin")])
        .await;
    owner
        .submit(&format!("/people/{person}/sessions/end"), &[])
        .await;
    owner.submit(&format!("/people/{person}/remove"), &[]).await;
    let guest = "guest@north-wind.example";
    owner
        .submit("/people", &[("email", guest), ("role", "viewer")])
        .await;
    owner
        .submit("/people/invitations/withdraw", &[("email", guest)])
        .await;
    let ended = owner.submit("/connection/disconnect", &[]).await;
    let _ended = ended.expect_to("/connection?done=disconnected");
    let back = owner.connect(Site::OWNER, &company.realm, false).await;
    let _back = back.expect_to("/connection?done=quickbooks");
    let _out = owner.submit("/sign-out", &[]).await;
    let _home = owner.sign_in(Site::OWNER).await.expect_to("/home");
    let told = told(&mut owner).await;
    for (what, who) in [
        ("signed_in", Site::OWNER),
        ("signed_out", Site::OWNER),
        ("invitation_accepted", email),
        ("role_refused", email),
        ("settings_saved", Site::OWNER),
        ("autotask_connected", Site::OWNER),
        ("quickbooks_connected", Site::OWNER),
        ("disconnected", Site::OWNER),
        ("invited", Site::OWNER),
        ("withdrawn", Site::OWNER),
        ("role_changed", Site::OWNER),
        ("sessions_ended", Site::OWNER),
        ("member_removed", Site::OWNER),
    ] {
        let wanted = (what.to_owned(), who.to_owned());
        assert!(told.contains(&wanted), "no {wanted:?} in {told:?}");
    }
}
