//! The log of errors: Retry, what it shows meanwhile, who may use it, and help.

use std::time::Duration;

use http::{Method, StatusCode};
use purser_core::record::Origin;
use purser_simulators::{
    intuit::Role,
    quickbooks::{AccountSeed, HumanAction, ItemSeed, Kind},
};
use purser_tests::{
    stage::Stage,
    visitor::{Site, Visitor},
};
use serde_json::{Value, json};

/// A company with one order that is refused because its Item cannot be bought.
async fn refused() -> (Stage, Visitor, i64, String) {
    let mut stage = Stage::new().await;
    let (_, visitor) = stage.with_owner().await;
    let books = &stage.simulators.quickbooks;
    let income = AccountSeed::new("Sales", "Income");
    let income = books.add_account(&stage.realm, &income);
    let item = stage.add_item(&ItemSeed {
        name: "Licence".to_owned(),
        item_type: "Service".to_owned(),
        income_account: Some(income.expect("an account")),
        ..ItemSeed::default()
    });
    let product = stage.new_product("Licence");
    let line = purser_simulators::autotask::LineSeed::of(product, 1, "50.00");
    let mut order = stage.order();
    order.lines = vec![line];
    let order = stage.add(&order);
    stage.run().await;
    stage.assert_refused(order, "item.not_purchasable").await;
    (stage, visitor, order, item)
}

async fn story(visitor: &mut Visitor, order: i64) -> Value {
    visitor.read(&format!("/orders/{order}")).await
}

#[tokio::test(start_paused = true)]
async fn after_retry_the_entry_shows_running_until_a_moment_that_is_told() {
    let (stage, mut visitor, order, _) = refused().await;
    let page = visitor.get("/logs").await.expect(StatusCode::OK);
    let _page = page
        .shows("Needs you</span>")
        .shows(&format!("formaction=\"/logs/{order}/retry\""));
    let pressed = visitor.submit(&format!("/logs/{order}/retry"), &[]).await;
    let to = format!("/logs/{order}?done=retry");
    let _pressed = pressed.expect_to(&to);
    for path in [to.as_str(), "/logs"] {
        let page = visitor.get(path).await.expect(StatusCode::OK);
        let _page = page
            .shows("<span class=\"badge running\">")
            .shows("data-poll");
    }
    // A worker takes it: the entry tells until when that worker ends at the latest.
    let entry = story(&mut visitor, order).await;
    assert_eq!(entry["order"]["is_running"], true);
    let delivery = stage.receive().await.expect("it is queued");
    let during = async {
        let mut other = visitor.clone();
        for _ in 0..10_000 {
            let shown = story(&mut other, order).await;
            if shown["order"]["running_until"] != Value::Null {
                let page = other.get("/logs").await;
                return (shown, page);
            }
            stage.wait(Duration::from_millis(5)).await;
        }
        panic!("nobody saw it at work");
    };
    let (_worked, (shown, page)) = tokio::join!(stage.work(&stage.engine, &delivery), during);
    let until = shown["order"]["running_until"].as_str().expect("a moment");
    let until: jiff::Timestamp = until.parse().expect("a moment");
    let left = stage.now().duration_until(until).unsigned_abs();
    assert!(left <= stage.engine.policy().lease, "{left:?}");
    let _page = page.shows("at the latest</small>");
    assert!(stage.record(order).await.lease.is_none(), "it is over");
    let entry = story(&mut visitor, order).await;
    assert_eq!(entry["order"]["is_running"], false);
    assert_eq!(entry["order"]["outcome"], "refused");
}

#[tokio::test(start_paused = true)]
async fn retry_after_mending_makes_the_bill_although_error_stands() {
    let (stage, mut visitor, order, item) = refused().await;
    let books = &stage.simulators.quickbooks;
    let (realm, kind) = (stage.realm.clone(), Kind::Item);
    stage.in_quickbooks(HumanAction::Rename {
        realm,
        kind,
        id: item,
        name: "Licence, only sold".to_owned(),
    });
    let mended = ItemSeed::non_inventory("Licence", &stage.cast.goods);
    books.add_item(&stage.realm, &mended).expect("an item");
    stage.wait(Duration::from_secs(10)).await;
    let path = format!("/orders/{order}/retry");
    let asked = visitor.call(Method::POST, &path, None).await;
    let asked = asked.expect(StatusCode::ACCEPTED).json();
    assert_eq!(asked["status"], "running");
    stage.drain().await;
    stage.assert_billed(order, "50").await;
    let page = visitor.get(&format!("/logs/{order}")).await;
    let _page = page.shows("Billed").hides(">Retry</button>");
    assert!(stage.mails().await.is_empty(), "a retry sends no mail");
}

#[tokio::test(start_paused = true)]
async fn done_leaves_the_log_for_the_connection_page() {
    let (_stage, mut visitor, ..) = refused().await;
    let page = visitor.get("/logs").await;
    let _page = page.shows("href=\"/connection\">Done</a>");
    let page = visitor.get("/connection").await.expect(StatusCode::OK);
    let _page = page.shows("View your logs");
}

#[tokio::test(start_paused = true)]
async fn the_log_is_open_to_people_who_have_no_todo() {
    let (stage, mut owner, order, _) = refused().await;
    assert_eq!(stage.open_todo(order).assignee, Some(stage.cast.bookkeeper));
    // An admin who is nobody in Autotask mends and retries.
    let mut mate = stage
        .member(&mut owner, "mate@north-wind.example", "admin")
        .await;
    let page = mate.get("/logs").await.expect(StatusCode::OK);
    let _page = page.shows("item.not_purchasable");
    let pressed = mate.submit(&format!("/logs/{order}/retry"), &[]).await;
    assert!(pressed.status.is_redirection());
    stage.drain().await;
    // A viewer reads everything and presses nothing.
    let mut viewer = stage
        .member(&mut owner, "vera@north-wind.example", "viewer")
        .await;
    for path in ["/logs".to_owned(), format!("/logs/{order}")] {
        let page = viewer.get(&path).await.expect(StatusCode::OK);
        let _page = page
            .shows("not set up for purchasing")
            .hides(">Retry</button>");
    }
    let bundle = viewer.get(&format!("/logs/{order}/support")).await;
    let _bundle = bundle.expect(StatusCode::OK);
    for path in [format!("/logs/{order}/retry"), "/logs/retry".to_owned()] {
        let refused = viewer.submit(&path, &[]).await;
        let _refused = refused.expect(StatusCode::FORBIDDEN);
    }
    stage.add_person("stranger@elsewhere.example", Role::User);
    let mut stranger = owner.site.visitor();
    stranger.sign_in("stranger@elsewhere.example").await;
    let _set_up = stranger.get("/logs").await.expect_to("/set-up");
}

#[tokio::test(start_paused = true)]
async fn the_support_bundle_holds_the_whole_story_and_no_secret() {
    let (mut stage, mut visitor, order, _) = refused().await;
    stage
        .change_settings(|settings| settings.digest_to = Some("digest@north-wind.example".into()))
        .await;
    stage
        .ask(order, Origin::Person, Some("ann@example.com"))
        .await;
    stage.drain().await;
    let page = visitor.get(&format!("/logs/{order}")).await;
    let _page = page.shows(&format!("href=\"/logs/{order}/support\" download"));
    let file = visitor.get(&format!("/logs/{order}/support")).await;
    let file = file.expect(StatusCode::OK);
    assert_eq!(
        file.header("content-disposition"),
        format!("attachment; filename=\"purser-support-{order}.json\"")
    );
    let bundle = file.json();
    assert_eq!(bundle["story"]["order"]["order"], order);
    assert_eq!(
        bundle["story"]["order"]["notice"]["code"],
        "item.not_purchasable"
    );
    let history = bundle["story"]["history"].as_array().expect("a history");
    assert_eq!(history.len(), stage.history(order).await.len());
    assert_eq!(bundle["settings"]["days_back"], 30);
    assert_eq!(bundle["connections"].as_array().expect("both").len(), 2);
    let seed = stage.database.seed();
    let session = visitor.cookies.values().cloned();
    let secrets = [
        seed.secret,
        seed.integration_code,
        purser_tests::stage::CLIENT_ID.to_owned() + "-secret",
        "ann@example.com".to_owned(),
        "digest@north-wind.example".to_owned(),
        Site::OWNER.to_owned(),
        "refresh_token".to_owned(),
        "access_token".to_owned(),
    ];
    for secret in secrets.into_iter().chain(session) {
        assert!(!file.body.contains(&secret), "{secret} is in the bundle");
    }
}

#[tokio::test(start_paused = true)]
async fn every_order_with_the_same_cause_is_retried_at_once() {
    let (stage, mut visitor, other, _) = refused().await;
    let orders: Vec<i64> = (0..3).map(|_| stage.add(&stage.empty_order())).collect();
    stage.engine.start_now(&stage.tenant).await.expect("a run");
    stage.scan_due().await;
    stage.drain().await;
    let page = visitor.get(&format!("/logs/{}", orders[0])).await;
    let _page = page
        .shows("2 other orders have the same cause")
        .shows("href=\"/logs?code=order.no_lines\"");
    let page = visitor.get("/logs?code=order.no_lines").await;
    let _page = page
        .shows("Retry all with this cause")
        .hides("item.not_purchasable");
    for order in &orders {
        let line = purser_simulators::autotask::LineSeed::of(stage.cast.product, 1, "10.00");
        stage.database.add_line(*order, &line);
    }
    let fields = [("code", "order.no_lines")];
    let pressed = visitor.submit("/logs/retry", &fields).await;
    let _pressed = pressed.expect_to("/logs?done=retries");
    stage.drain().await;
    for order in &orders {
        stage.assert_billed(*order, "10").await;
    }
    let asked = stage.history(other).await;
    let retried = asked
        .iter()
        .filter(|entry| entry.detail["attempt"].is_string());
    assert_eq!(retried.count(), 0, "another cause is left alone");
    let pressed = visitor.submit("/logs/retry", &fields).await;
    let _pressed = pressed.expect_to("/logs?done=none");
    let wrong = json!({ "code": "no.such.cause" });
    let refused = visitor
        .call(Method::POST, "/orders/retry", Some(&wrong))
        .await;
    let _refused = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(start_paused = true)]
async fn the_story_is_complete_with_request_ids_and_links_pinned_to_the_company() {
    let mut stage = Stage::new().await;
    let (_, mut visitor) = stage.with_owner().await;
    let empty = stage.add(&stage.empty_order());
    let billed = stage.add_plain();
    stage.run().await;
    let told = story(&mut visitor, billed).await;
    let bill = stage.assert_billed(billed, "799.98").await;
    let sent = stage.simulators.journal.entries().into_iter();
    let mut sent = sent.filter(|entry| entry.route == "POST bill" && entry.effect);
    let sent = sent.next().and_then(|entry| entry.request_id);
    if let Some(id) = sent {
        assert_eq!(told["request_id"], id);
    }
    assert_ne!(told["request_id"], Value::Null, "{told}");
    let history = told["history"].as_array().expect("a history");
    let events: Vec<_> = history
        .iter()
        .map(|entry| entry["event"].as_str().expect("an event"))
        .collect();
    for event in ["found", "planned", "created", "linked"] {
        assert!(events.contains(&event), "{events:?}");
    }
    assert_eq!(history.len(), stage.history(billed).await.len());
    let link = told["order"]["bill"]["url"].as_str().expect("a link");
    let id = bill["Id"].as_str().expect("an id");
    assert!(link.contains(&format!("bill%3FtxnId%3D{id}")), "{link}");
    assert!(
        link.ends_with(&format!("deeplinkcompanyid={}", stage.realm)),
        "{link}"
    );
    let told = story(&mut visitor, empty).await;
    let links = told["links"].to_string();
    let todo = stage.open_todo(empty).id;
    assert!(
        links.contains(&format!("Code=OpenToDo&ToDoID={todo}")),
        "{links}"
    );
    let page = visitor.get(&format!("/logs/{empty}")).await;
    let _page = page
        .shows("has no lines.")
        .shows("Add lines in Autotask")
        .shows("To-do in Autotask")
        .shows("rel=\"noopener noreferrer\"");
}
