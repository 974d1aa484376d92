//! What a person who asked is told by e-mail.

use std::time::Duration;

use purser_core::record::Origin;
use purser_simulators::{FaultKind, FaultRule, System};
use purser_tests::stage::Stage;

const ANN: &str = "ann@example.com";

#[tokio::test(start_paused = true)]
async fn a_success_is_told_once_to_the_alternate_address() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.ask(order, Origin::Person, Some(ANN)).await;
    stage.drain().await;
    stage.live(Duration::from_mins(40)).await;
    let bill = stage.assert_billed(order, "799.98").await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].to, ANN);
    let number = bill["Id"].as_str().expect("an id");
    assert!(
        mails[0].subject.ends_with(&format!("billed as {number}")),
        "{:?}",
        mails[0]
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_once_with_cause_and_remedy() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.ask(order, Origin::Person, Some(ANN)).await;
    stage.drain().await;
    stage.live(Duration::from_mins(40)).await;
    let todo = stage.assert_refused(order, "order.no_lines").await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].subject.ends_with("not transferred"));
    let cause = mails[0].text.lines().nth(2).expect("a cause");
    assert!(
        todo.description.contains(cause),
        "the same words everywhere: {cause}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_that_may_not_be_transferred_is_told_too() {
    let mut stage = Stage::new().await;
    let external_number = Some("BY-HAND-7".to_owned());
    let order = purser_simulators::autotask::OrderSeed {
        external_number,
        ..stage.order()
    };
    let order = stage.add(&order);
    stage.ask(order, Origin::Person, Some(ANN)).await;
    stage.drain().await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(
        mails[0].text.contains("already says BY-HAND-7"),
        "{:?}",
        mails[0]
    );
}

const BOB: &str = "bob@example.com";

#[tokio::test(start_paused = true)]
async fn a_later_wish_without_an_address_keeps_the_promise_of_an_earlier_one() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.ask(order, Origin::Person, Some(ANN)).await;
    stage.ask(order, Origin::Retry, None).await;
    stage.drain().await;
    stage.live(Duration::from_mins(40)).await;
    stage.assert_billed(order, "799.98").await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].to, ANN);
}

#[tokio::test(start_paused = true)]
async fn everyone_who_was_promised_the_result_is_told_once() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    for to in [Some(ANN), Some(BOB), None, Some("Ann@Example.com")] {
        stage.ask(order, Origin::Person, to).await;
    }
    stage.drain().await;
    stage.live(Duration::from_mins(40)).await;
    stage.assert_billed(order, "799.98").await;
    let mut to: Vec<_> = stage
        .mails()
        .await
        .into_iter()
        .map(|mail| mail.to)
        .collect();
    to.sort();
    assert_eq!(to, ["Ann@Example.com", BOB]);
    // The next wish owes them nothing.
    stage.retry(order).await;
    assert_eq!(stage.mails().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_promise_is_kept_when_the_later_wish_comes_while_the_order_waits() {
    let (mut stage, order) = outage_of(System::QuickBooks, "POST bill").await;
    stage.ask(order, Origin::Retry, None).await;
    stage.drain().await;
    stage.simulators.faults.clear();
    stage.live_until_settled(&[order]).await;
    stage.assert_billed(order, "799.98").await;
    let mails = stage.mails().await;
    let last = mails.last().expect("a mail");
    assert_eq!(last.to, ANN);
    assert!(last.subject.contains("billed as"), "{last:?}");
}

async fn outage_of(system: System, route: &str) -> (Stage, i64) {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    let outage = FaultRule {
        route: route.to_owned(),
        ..FaultRule::outage(
            system,
            FaultKind::Status {
                status: 503,
                body: None,
            },
        )
    };
    stage.simulators.faults.add(outage);
    stage.ask(order, Origin::Person, Some(ANN)).await;
    stage.drain().await;
    (stage, order)
}

/// Not before two minutes; then once that it waits, and once how it ended.
async fn told_twice(mut stage: Stage, order: i64) {
    assert_eq!(stage.mails().await.len(), 0);
    stage.live(Duration::from_mins(30)).await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let waited = ["still waiting", "result not yet known"];
    assert!(
        waited.iter().any(|words| mails[0].subject.ends_with(words)),
        "{:?}",
        mails[0]
    );
    let late = mails[0]
        .written_at
        .duration_since(stage.record(order).await.seen_at);
    assert!((120..=600).contains(&late.as_secs()), "after {late:?}");
    stage.simulators.faults.clear();
    stage.live_until_settled(&[order]).await;
    stage.live(Duration::from_hours(1)).await;
    stage.assert_billed(order, "799.98").await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert!(mails[1].subject.contains("billed as"), "{:?}", mails[1]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_two_minutes_is_told_once_and_then_the_end() {
    let (stage, order) = outage_of(System::QuickBooks, "POST bill").await;
    told_twice(stage, order).await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_while_nothing_answers_is_told_too() {
    let (stage, order) = outage_of(System::Autotask, "*").await;
    told_twice(stage, order).await;
}

#[tokio::test(start_paused = true)]
async fn new_refusals_are_told_in_one_digest_when_settings_say_so() {
    let mut stage = Stage::new().await;
    stage
        .change_settings(|settings| settings.digest_to = Some(ANN.to_owned()))
        .await;
    let orders = [
        stage.add(&stage.empty_order()),
        stage.add(&stage.empty_order()),
    ];
    stage.run().await;
    stage.live(Duration::from_hours(1)).await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    for order in orders {
        assert!(
            mails[0].text.contains(&format!("(id {order})")),
            "{:?}",
            mails[0]
        );
    }
}
