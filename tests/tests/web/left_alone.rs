//! Orders that a run leaves alone stand in the logs with their reason, and a promised mail is told
//! truly.

use std::time::Duration;

use http::StatusCode;
use purser_core::record::Origin;
use purser_simulators::{FaultKind, FaultRule, System, autotask::OrderSeed};
use purser_tests::{
    stage::Stage,
    visitor::{Site, Visitor},
};

const ANN: &str = "ann@example.com";

fn with_number(stage: &Stage, number: &str) -> i64 {
    stage.add(&OrderSeed {
        external_number: Some(number.to_owned()),
        ..stage.order()
    })
}

/// Presses Do It Now; answers the address of the attempt.
async fn do_it(visitor: &mut Visitor, order: i64, mail_to: &str) -> String {
    let order = order.to_string();
    let fields = [("order", &*order), ("mail_to", mail_to), ("action", "run")];
    let asked = visitor.submit("/sync", &fields).await;
    asked.location().to_owned()
}

#[tokio::test(start_paused = true)]
async fn orders_with_a_number_or_error_of_a_person_stand_in_the_logs_with_their_reason() {
    let mut stage = Stage::new().await;
    let numbered = with_number(&stage, "OLD-1042");
    let marked = with_number(&stage, "ERROR");
    stage.run().await;
    let (_, mut visitor) = stage.with_owner().await;
    let list = visitor.get("/logs?outcome=ineligible").await;
    let _list = list
        .expect(StatusCode::OK)
        .shows(&format!("href=\"/logs/{numbered}\""))
        .shows(&format!("href=\"/logs/{marked}\""))
        .shows("External PO Number already says OLD-1042.")
        .shows("External PO Number says ERROR; clear it or press Retry.")
        .shows(&format!("formaction=\"/logs/{marked}/retry\""))
        .hides(&format!("formaction=\"/logs/{numbered}/retry\""));
    let found = visitor.get("/logs?text=old-1042").await;
    let _found = found.shows(&format!("href=\"/logs/{numbered}\""));
    let file = visitor.get("/logs/export").await.expect(StatusCode::OK);
    let _file = file
        .shows("ineligible.has_number")
        .shows("ineligible.marked_error");
    let home = visitor.read("/home").await;
    assert_eq!(home["counts"]["ineligible"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_from_the_logs_bills_an_order_that_a_person_marked_error() {
    let mut stage = Stage::new().await;
    let marked = with_number(&stage, "ERROR");
    stage.run().await;
    let (_, mut visitor) = stage.with_owner().await;
    let pressed = visitor.submit(&format!("/logs/{marked}/retry"), &[]).await;
    let _pressed = pressed.expect_to(&format!("/logs/{marked}?done=retry"));
    stage.drain().await;
    stage.assert_billed(marked, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn home_tells_orders_billed_before_from_those_left_alone() {
    let mut stage = Stage::new().await;
    stage.add_plain();
    stage.add(&stage.empty_order());
    with_number(&stage, "OLD-1042");
    stage.run().await;
    let (_, mut visitor) = stage.with_owner().await;
    let page = visitor.get("/home").await.expect(StatusCode::OK);
    let _page = page.shows("3 orders: 2 to transfer, 1 left alone");
    stage.run().await;
    let page = visitor.get("/home").await.expect(StatusCode::OK);
    let _page = page.shows("3 orders: 0 to transfer, 1 already billed, 1 needs you, 1 left alone");
    let runs = visitor.read("/home").await["runs"].clone();
    assert_eq!(
        (&runs["ineligible"], &runs["billed"]),
        (&3.into(), &1.into())
    );
    assert_eq!(
        (&runs["refused"], &runs["left_alone"]),
        (&1.into(), &1.into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_retry_before_the_result_does_not_take_the_promised_mail_away() {
    let stage = Stage::new().await;
    let order = stage.add_plain();
    let (_, mut visitor) = stage.with_owner().await;
    let attempt = do_it(&mut visitor, order, ANN).await;
    let pressed = visitor.submit(&format!("/logs/{order}/retry"), &[]).await;
    let _pressed = pressed.expect_to(&format!("/logs/{order}?done=retry"));
    let page = visitor.get(&attempt).await;
    let _page = page.shows(&format!("Goes to {ANN}"));
    stage.drain().await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].to, ANN);
    let page = visitor.get(&attempt).await;
    let _page = page.shows(&format!("Sent to {ANN}"));
    let name = attempt.rsplit('/').next().expect("an attempt");
    let told = visitor
        .read(&format!("/orders/{order}/attempts/{name}"))
        .await;
    assert_eq!(told["mail"], "sent");
}

#[tokio::test(start_paused = true)]
async fn each_of_two_promised_mails_is_sent_and_told_on_its_own_page() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    let (_, mut visitor) = stage.with_owner().await;
    let first = do_it(&mut visitor, order, ANN).await;
    let second = do_it(&mut visitor, order, "").await;
    stage.drain().await;
    assert_eq!(stage.mails().await.len(), 2);
    for (attempt, to) in [(first, ANN), (second, Site::OWNER)] {
        let page = visitor.get(&attempt).await;
        let _page = page.shows(&format!("Sent to {to}"));
        // What comes later takes nothing back.
        stage.ask(order, Origin::Retry, None).await;
        let page = visitor.get(&attempt).await;
        let _page = page.shows(&format!("Sent to {to}"));
        stage.drain().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_relay_the_page_says_that_the_mail_is_kept() {
    let stage = Stage::new().await;
    let order = stage.add_plain();
    let (site, owner) = stage.with_owner().await;
    drop((site, owner));
    let mut visitor = stage.site_without_relay().visitor();
    let _home = visitor.sign_in(Site::OWNER).await.expect_to("/home");
    let attempt = do_it(&mut visitor, order, ANN).await;
    let page = visitor.get(&attempt).await;
    let _page = page.shows(&format!("Goes to {ANN}"));
    stage.drain().await;
    let page = visitor.get(&attempt).await;
    let _page = page
        .hides("Sent to")
        .shows(&format!("Written to {ANN} and kept in the outbox"));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_could_not_look_says_so_and_not_that_all_is_well() {
    let mut stage = Stage::new().await;
    let before = stage.add_plain();
    stage.run().await;
    stage.assert_billed(before, "799.98").await;
    let (_, mut visitor) = stage.with_owner().await;
    let order = stage.add_plain();
    let unavailable = FaultKind::Status {
        status: 503,
        body: None,
    };
    let outage = FaultRule::outage(System::Autotask, unavailable);
    stage.simulators.faults.add(outage);
    stage.live(Duration::from_mins(25)).await;
    let page = visitor.get("/home").await.expect(StatusCode::OK);
    let _page = page
        .shows("Nothing: it could not look.")
        .shows("new ones could not be looked for")
        .hides("Nothing needs you")
        .hides("0 to transfer");
    stage.simulators.faults.clear();
    stage.live(Duration::from_hours(1)).await;
    stage.assert_billed(order, "799.98").await;
    let _home = visitor.sign_in(Site::OWNER).await.expect_to("/home");
    let page = visitor.get("/home").await.expect(StatusCode::OK);
    let _page = page.shows("Nothing needs you");
}
