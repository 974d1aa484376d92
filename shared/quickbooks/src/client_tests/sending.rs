use std::time::Duration;

use purser_core::{
    books::{NewItem, NewParty},
    failure::FailureClass,
    ids::RequestId,
    notice::Code,
    ports::{Clock as _, QuickBooks as _},
};
use purser_transport::TransportErrorKind;
use secrecy::SecretString;
use serde_json::json;

use super::{bill, empty, realm};
use crate::testing::{Reply, World, fault, ok, tokens};

fn id() -> RequestId {
    "0123456789abcdef".parse().unwrap()
}

fn party() -> NewParty {
    NewParty {
        display_name: "Acme".into(),
        company_name: "Acme".into(),
        currency: None,
    }
}

#[tokio::test]
async fn names_are_created_again_only_under_the_same_request_id() {
    let world = World::with_token_for(60);
    world.network.script([
        Reply::Broken(TransportErrorKind::Timeout),
        ok("{\"Vendor\":{\"DisplayName\":\"Ac"),
        ok(r#"{"Vendor":{"Id":"9","DisplayName":"Acme"}}"#),
    ]);
    let vendor = world.client().create_vendor(&party(), &id()).await.unwrap();
    assert_eq!(vendor.id.as_str(), "9");
    let calls = world.network.calls();
    assert_eq!(calls.len(), 3);
    for call in &calls {
        assert_eq!(call.query, "minorversion=75&requestid=0123456789abcdef");
        assert_eq!(call.body, calls[0].body);
    }
    assert_eq!((world.meter.calls(), world.meter.reads()), (3, 0));
}

#[tokio::test]
async fn a_refused_name_says_whose_and_why() {
    let world = World::with_token_for(60);
    let client = world.client();
    world
        .network
        .script([fault(400, "2050"), fault(400, "6240"), fault(400, "6000")]);
    let failure = client.create_customer(&party(), &id()).await.unwrap_err();
    assert_eq!(failure.code(), Code::CustomerRefused);
    assert_eq!(failure.notice.words["name"], "Acme");
    assert_eq!(failure.notice.words["detail"], "why 2050");
    let failure = client.create_vendor(&party(), &id()).await.unwrap_err();
    assert_eq!(failure.code(), Code::NameInUse);
    let item = NewItem {
        name: "Hose".into(),
        sku: None,
        purchase_description: None,
        expense_account: "80".parse().unwrap(),
    };
    let failure = client.create_item(&item, &id()).await.unwrap_err();
    assert_eq!(failure.code(), Code::ItemRefused);
    // The same on a repetition may be an echo of the first one: look again later.
    world.network.script([
        Reply::Broken(TransportErrorKind::Broken),
        fault(400, "6000"),
    ]);
    let failure = client.create_item(&item, &id()).await.unwrap_err();
    assert_eq!(failure.class(), FailureClass::Retry);
}

#[tokio::test]
async fn a_stale_token_is_renewed_once_and_the_call_repeated_once() {
    let world = World::with_token_for(60);
    world.network.on_oauth(|_| tokens("R1", "A1"));
    world.network.script([
        fault(401, "3200"),
        ok(r#"{"Vendor":{"Id":"9","DisplayName":"Acme"}}"#),
    ]);
    let client = world.client();
    client.create_vendor(&party(), &id()).await.unwrap();
    let calls = world.network.calls();
    assert_eq!(calls[0].headers["authorization"], "Bearer A0");
    assert_eq!(calls[1].headers["authorization"], "Bearer A1");
    assert_eq!(calls[0].query, calls[1].query);
    world
        .network
        .script([fault(401, "3200"), fault(401, "3200")]);
    world.network.on_oauth(|_| tokens("R2", "A2"));
    let failure = client.items_named("x").await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksTokenPending);
    assert_eq!(world.network.calls().len(), 4);
}

#[tokio::test]
async fn reads_are_tried_three_times_and_long_waits_are_left_to_the_caller() {
    let world = World::with_token_for(60);
    let client = world.client();
    world
        .network
        .on_quickbooks(|_| Reply::Broken(TransportErrorKind::NotSent));
    let failure = client.items_named("x").await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksUnreachable);
    assert_eq!(world.network.calls().len(), 3);
    assert_eq!(world.meter.calls(), 0, "what was never sent does not count");
    let started = world.clock.now();
    world.network.on_quickbooks(|_| fault(429, "3001"));
    let failure = client.items_named("x").await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksThrottled);
    assert_eq!(failure.retry_after, Some(Duration::from_mins(1)));
    assert_eq!(world.network.calls().len(), 4);
    assert!(world.clock.now().duration_since(started).as_secs() < 2);
    world.clock.advance(Duration::from_mins(1));
    world.network.script([
        Reply::Headers(429, String::new(), vec![("retry-after", "2".into())]),
        empty(),
    ]);
    assert!(client.items_named("x").await.unwrap().is_empty());
}

#[tokio::test]
async fn nothing_leaves_in_the_background_while_quickbooks_wants_quiet() {
    let world = World::with_token_for(60);
    let client = world.client();
    world.network.script([fault(429, "3001")]);
    for name in ["x", "y"] {
        let failure = client.items_named(name).await.unwrap_err();
        assert_eq!(failure.code(), Code::QuickBooksThrottled);
        assert_eq!(world.network.calls().len(), 1);
    }
    world.clock.advance(Duration::from_secs(50));
    let failure = client.items_named("x").await.unwrap_err();
    assert!(failure.retry_after.unwrap() <= Duration::from_secs(10));
    assert_eq!(world.network.calls().len(), 1);
    world.clock.advance(Duration::from_secs(10));
    world.network.on_quickbooks(|_| empty());
    client.items_named("x").await.unwrap();
    // A clock that is set back does not make the quiet longer.
    world.network.script([fault(429, "3001")]);
    client.items_named("x").await.unwrap_err();
    world.clock.set_back(Duration::from_mins(10));
    client.items_named("x").await.unwrap();
}

#[tokio::test]
async fn a_call_that_took_its_time_is_not_repeated() {
    let world = World::with_token_for(60);
    let clock = world.clock.clone();
    world.network.on_quickbooks(move |_| {
        clock.advance(Duration::from_mins(1));
        Reply::Broken(TransportErrorKind::Timeout)
    });
    assert!(world.client().items_named("x").await.is_err());
    assert_eq!(world.network.calls().len(), 1);
}

#[tokio::test]
async fn background_calls_keep_to_six_a_second() {
    let world = World::with_token_for(60);
    world.network.on_quickbooks(|_| empty());
    let client = world.client();
    let started = world.clock.now();
    for _ in 0..13 {
        client.items_named("x").await.unwrap();
    }
    assert_eq!(world.clock.now().duration_since(started).as_secs(), 2);
}

#[tokio::test]
async fn a_bill_is_sent_once_with_its_own_deadline() {
    let world = World::with_token_for(60);
    let created = json!({ "Bill": bill(151), "time": "x" }).to_string();
    world.network.script([ok(created)]);
    let created = world
        .client()
        .create_bill("{\"a\":1}", &id())
        .await
        .unwrap();
    assert_eq!(created.bill.id.as_str(), "151");
    assert_eq!(created.bill.vendor.unwrap().as_str(), "56");
    let calls = world.network.calls();
    assert_eq!((calls[0].body.as_str(), calls.len()), ("{\"a\":1}", 1));
    assert_eq!(calls[0].timeout, Duration::from_secs(45));
    assert_eq!(calls[0].query, "minorversion=75&requestid=0123456789abcdef");
    assert_eq!((world.meter.calls(), world.meter.reads()), (1, 0));
}

#[tokio::test]
async fn a_bill_that_the_pace_holds_up_for_long_does_not_leave() {
    let world = World::with_token_for(60);
    let client = world.client();
    let created = ok(json!({ "Bill": bill(151) }).to_string());
    world.network.script(vec![created; 8]);
    for _ in 0..7 {
        // The seventh waits for a part of a second, and leaves.
        client.create_bill("{}", &id()).await.unwrap();
    }
    world.clock.set_back(Duration::from_mins(2));
    let failure = client.create_bill("{}", &id()).await.unwrap_err();
    assert_eq!(failure.code(), Code::TimeShort);
    assert_eq!(world.network.calls().len(), 7, "it was sent");
}

#[tokio::test]
async fn whatever_does_not_prove_the_opposite_leaves_a_bill_in_doubt() {
    for reply in [
        Reply::Broken(TransportErrorKind::Timeout),
        Reply::Broken(TransportErrorKind::Broken),
        Reply::Broken(TransportErrorKind::TooLarge),
        Reply::Answer(500, String::new()),
        Reply::Answer(502, "<html>".into()),
        Reply::Answer(400, "<html>".into()),
        Reply::Answer(401, String::new()),
        ok("{\"Bill\":{\"Id\":\"1\",\"Tot"),
        ok("{}"),
        ok(r#"{"Bill":{"TotalAmt":1}}"#),
        ok(r#"{"Bill":{"Id":"1"}}"#),
        fault(200, "6000"),
        fault(400, "600"),
        fault(400, "10000"),
    ] {
        let world = World::with_token_for(60);
        world.network.script([reply.clone()]);
        let failure = world.client().create_bill("{}", &id()).await.unwrap_err();
        assert_eq!(failure.code(), Code::OutcomeUnknown, "{reply:?}");
        assert_eq!(world.network.calls().len(), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn a_definite_no_to_a_bill_is_told_as_such() {
    for (reply, code) in [
        (
            Reply::Broken(TransportErrorKind::NotSent),
            Code::QuickBooksUnreachable,
        ),
        (fault(400, "6140"), Code::DocNumberInUse),
        (fault(400, "610"), Code::ReferenceGone),
        (fault(400, "6000"), Code::BillRefused),
        (fault(429, "3001"), Code::QuickBooksThrottled),
        (fault(403, "3100"), Code::QuickBooksForbidden),
    ] {
        let world = World::with_token_for(60);
        world.network.script([reply]);
        let failure = world.client().create_bill("{}", &id()).await.unwrap_err();
        assert_eq!(failure.code(), code);
        assert_eq!(world.network.calls().len(), 1);
    }
}

#[tokio::test]
async fn closed_books_are_named_with_their_day() {
    let world = World::with_token_for(60);
    world.network.on_quickbooks(|seen| realm(seen, "US"));
    let client = world.client();
    world.network.script([fault(400, "6210")]);
    let failure = client.create_bill("{}", &id()).await.unwrap_err();
    assert_eq!(failure.notice.words["date"], "the closing date");
    client.books().await.unwrap();
    world.network.script([fault(400, "6200")]);
    let failure = client.create_bill("{}", &id()).await.unwrap_err();
    assert_eq!(failure.code(), Code::BooksClosed);
    assert_eq!(failure.notice.words["date"], "2025-12-31");
}

#[tokio::test]
async fn a_stale_token_stops_a_bill_and_renewing_is_the_callers_step() {
    let world = World::with_token_for(60);
    world.network.on_oauth(|_| tokens("R1", "A1"));
    let client = world.client();
    world.network.script([
        fault(401, "3200"),
        ok(json!({ "Bill": bill(1) }).to_string()),
    ]);
    let failure = client.create_bill("{}", &id()).await.unwrap_err();
    assert_eq!(failure.class(), FailureClass::Refresh);
    assert!(world.network.refreshes().is_empty());
    client.renew().await.unwrap();
    client.create_bill("{}", &id()).await.unwrap();
    assert_eq!(
        world.network.calls()[1].headers["authorization"],
        "Bearer A1"
    );
    let expired = World::with_token_for(-5);
    let failure = expired.client().create_bill("{}", &id()).await.unwrap_err();
    assert_eq!(failure.class(), FailureClass::Refresh);
    assert!(
        expired.network.calls().is_empty(),
        "nothing is sent without a valid token"
    );
    expired.network.on_oauth(|_| tokens("R1", "A1"));
    expired.client().prepare().await.unwrap();
    assert_eq!(expired.network.refreshes().len(), 1);
}

#[tokio::test]
async fn no_failure_tells_a_secret() {
    let world = World::with_token_for(60);
    world
        .network
        .on_oauth(|_| Reply::Answer(500, r#"{"error":"R0 A0 s3cret"}"#.into()));
    world.network.script([fault(401, "3200")]);
    let failure = world.client().items_named("Canary Ltd").await.unwrap_err();
    let told = format!("{failure} {failure:?}");
    for secret in ["R0", "A0", "s3cret", "Canary"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    assert!(!format!("{:?}", SecretString::from("A0")).contains("A0"));
}
