//! One order by hand: the form, the preview, the attempt, and where its result goes.

use http::{Method, StatusCode};
use purser_core::{ports::Ledger as _, record::Origin};
use purser_simulators::autotask::{LineSeed, OrderSeed};
use purser_tests::{
    stage::Stage,
    visitor::{Reply, Site, Visitor},
};
use serde_json::{Value, json};

use crate::feature_support::{at_work, writes};

const ANN: &str = "ann@example.com";

async fn opened() -> (Stage, Visitor) {
    let stage = Stage::new().await;
    let (_, visitor) = stage.with_owner().await;
    (stage, visitor)
}

/// Presses a button of the form.
async fn press(visitor: &mut Visitor, button: &str, order: &str, mail_to: &str) -> Reply {
    let fields = [("order", order), ("mail_to", mail_to), ("action", button)];
    visitor.submit("/sync", &fields).await
}

/// Presses Do It Now; answers the page of the attempt.
async fn do_it(visitor: &mut Visitor, order: i64, mail_to: &str) -> String {
    let asked = press(visitor, "run", &order.to_string(), mail_to).await;
    let to = asked.location().to_owned();
    assert!(to.starts_with(&format!("/attempts/{order}/")), "{to}");
    to
}

fn position(page: &Reply, text: &str) -> usize {
    let found = page.body.find(text);
    found.unwrap_or_else(|| panic!("no {text} in {}", page.body))
}

#[tokio::test(start_paused = true)]
async fn the_result_goes_to_whoever_is_signed_in_when_no_address_is_given() {
    let (stage, mut visitor) = opened().await;
    let order = stage.add_plain();
    let form = visitor.get("/sync").await.expect(StatusCode::OK);
    let _form = form.shows(&format!("Empty sends it to {}.", Site::OWNER));
    let attempt = do_it(&mut visitor, order, "  ").await;
    let page = visitor.get(&attempt).await;
    let _page = page.shows(&format!("Goes to {}", Site::OWNER));
    stage.drain().await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].to, Site::OWNER);
    // For programs the same holds, for the person whose session it is.
    let mut mate = stage
        .member(&mut visitor, "mate@north-wind.example", "admin")
        .await;
    let other = stage.add_plain();
    let path = format!("/orders/{other}/sync");
    let asked = mate.call(Method::POST, &path, Some(&json!({}))).await;
    let _asked = asked.expect(StatusCode::ACCEPTED);
    stage.drain().await;
    let mails = stage.mails().await;
    assert_eq!(mails[1].to, "mate@north-wind.example");
}

#[tokio::test(start_paused = true)]
async fn another_address_gets_the_result_when_it_is_given_and_must_be_one() {
    let (stage, mut visitor) = opened().await;
    let order = stage.add_plain();
    let refused = press(&mut visitor, "run", &order.to_string(), "ann at example").await;
    let page = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let _page = page
        .shows("id=\"mail_to-wrong\"")
        .shows("must be an e-mail address")
        .shows("value=\"ann at example\"");
    assert!(stage.find_record(order).await.is_none(), "nothing is asked");
    let attempt = do_it(&mut visitor, order, ANN).await;
    stage.drain().await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].to, ANN);
    let page = visitor.get(&attempt).await;
    let _page = page.shows(&format!("Sent to {ANN}"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stands_in_red_above_the_overview_and_goes_out_by_mail() {
    let (stage, mut visitor) = opened().await;
    let order = stage.add(&stage.empty_order());
    let attempt = do_it(&mut visitor, order, "").await;
    stage.drain().await;
    let page = visitor.get(&attempt).await.expect(StatusCode::OK);
    let red = position(&page, "<div class=\"notice bad\" role=\"alert\">");
    let cause = position(&page, "<strong>Order PO0000001 has no lines.</strong>");
    let remedy = position(
        &page,
        "Add lines in Autotask or cancel the order, then retry.",
    );
    let overview = position(&page, ">Overview</h2>");
    assert!(red < cause && cause < remedy && remedy < overview);
    let style = visitor.get("/assets/app.css").await.body;
    assert!(style.contains(".notice.bad"), "it is red");
    stage.assert_refused(order, "order.no_lines").await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].to, Site::OWNER);
    for words in ["Order PO0000001 has no lines.", "Add lines in Autotask"] {
        assert!(mails[0].text.contains(words), "{:?}", mails[0]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_known_before_the_attempt_stands_in_red_on_the_form() {
    let (stage, company, mut visitor) = at_work().await;
    let order = company.add_order();
    let ended = visitor.submit("/connection/disconnect", &[]).await;
    let _ended = ended.expect_to("/connection?done=disconnected");
    for button in ["run", "preview"] {
        let mut refused = press(&mut visitor, button, &order.to_string(), ANN).await;
        if button == "preview" {
            let to = refused.location().to_owned();
            refused = visitor.get(&to).await;
        }
        let page = refused.expect(StatusCode::CONFLICT);
        let red = position(&page, "<div class=\"notice bad\" role=\"alert\">");
        assert!(red < position(&page, "<form class=\"card\""));
        let _page = page
            .shows("Connect it (on the page Connection,")
            .shows(&format!("value=\"{order}\""))
            .shows(&format!("value=\"{ANN}\""));
    }
    assert!(stage.mails().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_order_is_asked_for_by_its_id() {
    let (stage, mut visitor) = opened().await;
    let before = stage.simulators.journal.latest();
    for wrong in ["", "P2026-0001", "-5", "0", "1.5", "99999999999999999999"] {
        for button in ["run", "preview"] {
            let refused = press(&mut visitor, button, wrong, "").await;
            let page = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
            let _page = page
                .shows("id=\"order-wrong\"")
                .shows("must be the order&#39;s id in Autotask");
        }
    }
    assert_eq!(stage.simulators.journal.latest(), before);
}

#[tokio::test(start_paused = true)]
async fn do_it_now_answers_at_once_with_an_attempt_that_can_be_asked_for() {
    let (stage, mut visitor) = opened().await;
    let order = stage.add_plain();
    let path = format!("/orders/{order}/sync");
    let mail = json!({ "mail_to": ANN });
    let asked = visitor.call(Method::POST, &path, Some(&mail)).await;
    let asked = asked.expect(StatusCode::ACCEPTED).json();
    assert_eq!(asked["status"], "running");
    assert_eq!(asked["joins_running"], false);
    assert_eq!(asked["mail_to"], ANN);
    let attempt = asked["attempt"].as_str().expect("an attempt").to_owned();
    let path = format!("/orders/{order}/attempts/{attempt}");
    assert_eq!(visitor.read(&path).await["status"], "running");
    let page = visitor.get(&format!("/attempts/{order}/{attempt}")).await;
    let _page = page
        .shows("data-poll-seconds=\"2\"")
        .shows("you may leave this page")
        .hides("class=\"notice bad\"");
    stage.drain().await;
    let done = visitor.read(&path).await;
    assert_eq!(done["status"], "final");
    assert_eq!(done["order"]["outcome"], "billed");
    let page = visitor.get(&format!("/attempts/{order}/{attempt}")).await;
    let _page = page.shows("is a bill").hides("data-poll");
    let bill = stage.assert_billed(order, "799.98").await;
    assert_eq!(done["order"]["bill_number"], bill["Id"]);
    let foreign = visitor
        .call(
            Method::GET,
            &format!("/orders/{order}/attempts/unknown"),
            None,
        )
        .await;
    let _foreign = foreign.expect(StatusCode::NOT_FOUND);
}

/// An order with a known product, one that is new, a line without any, and freight.
fn mixed_order(stage: &Stage) -> i64 {
    let new = stage.new_product("Patch Cable 2m");
    let loose = LineSeed {
        product: None,
        ..LineSeed::of(0, 1, "12.50").memo("Odds and ends")
    };
    stage.add(&OrderSeed {
        freight: Some("20.00".to_owned()),
        ..stage.order().line(LineSeed::of(new, 3, "4.10")).line(loose)
    })
}

#[tokio::test(start_paused = true)]
async fn preview_shows_every_line_and_why_it_is_booked_there() {
    let (mut stage, mut visitor) = opened().await;
    let freight = purser_core::settings::Choice::either(&stage.cast.freight.clone());
    stage
        .change_settings(|settings| settings.freight_account = Some(freight))
        .await;
    let order = mixed_order(&stage);
    let shown = visitor.read(&format!("/orders/{order}/preview")).await;
    assert_eq!(shown["preview"], "bill");
    let bill = &shown["bill"];
    assert_eq!(bill["vendor"]["name"], "Ingram Supply");
    assert_eq!(bill["vendor"]["why"], "It has the same name.");
    assert_eq!(bill["customer"]["name"], "Lakeside Clinic");
    assert_eq!(bill["payable_account"], "Accounts Payable (A/P)");
    assert_eq!(bill["total"], "844.78 USD");
    assert_eq!(bill["creates"], json!(["Item Patch Cable 2m"]));
    let lines = bill["lines"].as_array().expect("lines");
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line["item"]["name"].as_str(), line["amount"].as_str()))
        .collect();
    assert_eq!(told.len(), 4, "{lines:#?}");
    assert_eq!(told[0], (Some("Firewall 60F"), Some("799.98")));
    assert_eq!(told[1], (Some("Patch Cable 2m"), Some("12.30")));
    assert_eq!(lines[0]["item"]["why"], "It has the same name.");
    assert_eq!(lines[1]["item"]["action"], "create");
    assert_eq!(lines[2]["account"], "Hardware for Resale");
    assert_eq!(lines[2]["description"], "Odds and ends");
    assert_eq!(lines[3]["account"], "Freight and Delivery");
    let page = press(&mut visitor, "preview", &order.to_string(), ANN).await;
    let page = visitor.get(page.location()).await.expect(StatusCode::OK);
    let _page = page
        .shows("This bill would be made")
        .shows("Nothing has been changed in either system.")
        .shows("844.78 USD")
        .shows("QuickBooks has none of this name, so it will be created.")
        .shows("<h2 id=\"creates-h\">Will be created</h2>")
        .shows("Booked on this account, without an Item")
        .shows(&format!("name=\"mail_to\" value=\"{ANN}\""));
    // And the bill is then just that one.
    do_it(&mut visitor, order, "").await;
    stage.drain().await;
    stage.assert_billed(order, "844.78").await;
}

#[tokio::test(start_paused = true)]
async fn preview_writes_nothing_anywhere() {
    let (stage, mut visitor) = opened().await;
    let order = mixed_order(&stage);
    let (empty, canceled) = (
        stage.add(&stage.empty_order()),
        stage.add(&OrderSeed {
            status: purser_simulators::autotask::OrderStatus::Canceled,
            ..stage.order()
        }),
    );
    let before = (stage.database.orders(), writes(&stage));
    let records = stage.store.counts(&stage.tenant).await.expect("the ledger");
    for (order, kind, told) in [
        (order, "bill", "This bill would be made"),
        (empty, "refused", "has no lines."),
        (canceled, "ineligible", "This order would be left alone"),
    ] {
        let shown = visitor.read(&format!("/orders/{order}/preview")).await;
        assert_eq!(shown["preview"], kind, "{shown}");
        let page = visitor.get(&format!("/sync/preview?order={order}")).await;
        let _page = page.expect(StatusCode::OK).shows(told);
        assert!(stage.find_record(order).await.is_none());
    }
    let after = (stage.database.orders(), writes(&stage));
    assert_eq!(before, after);
    assert_eq!(
        records,
        stage.store.counts(&stage.tenant).await.expect("the ledger")
    );
    assert!(stage.database.todos().is_empty());
    assert!(stage.bills().is_empty());
    assert!(stage.mails().await.is_empty());
    assert_eq!(stage.receive().await, None, "nothing is queued");
}

#[tokio::test(start_paused = true)]
async fn a_viewer_may_preview_and_not_do_it() {
    let (mut stage, mut visitor) = opened().await;
    let order = stage.add_plain();
    let mut viewer = stage
        .member(&mut visitor, "vera@north-wind.example", "viewer")
        .await;
    let page = viewer.get("/sync").await;
    let page = page.shows("value=\"preview\"").hides("Do It Now");
    let form = position(
        &page,
        "<form class=\"card\" method=\"get\" action=\"/sync/preview\"",
    );
    let form = page.body[form..].split("</form>").next();
    let form = form.unwrap_or_default();
    assert!(!form.contains("form_secret"), "no secret in an address");
    let page = viewer.get(&format!("/sync/preview?order={order}")).await;
    let _page = page.shows("This bill would be made").hides("Do It Now");
    let path = format!("/orders/{order}/sync");
    let refused = viewer.call(Method::POST, &path, Some(&json!({}))).await;
    assert_eq!(refused.expect(StatusCode::FORBIDDEN).code(), "role.missing");
    let shown = viewer.read(&format!("/orders/{order}/preview")).await;
    assert_ne!(shown["bill"], Value::Null);
    stage.ask(order, Origin::Person, None).await;
    let page = viewer.get(&format!("/logs/{order}")).await;
    let _page = page.shows(&format!("href=\"/sync/preview?order={order}\""));
}
