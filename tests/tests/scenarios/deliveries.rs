//! What becomes of a message that is not handled like any other.

use std::time::Duration;

use purser_core::{
    ports::{Delivery, Inbox as _, StoreError, read_record},
    record::{ErrorMark, Origin, State},
};
use purser_runtime::{
    deliveries::{Fate, QueueEvent, RECEIVES_MAX, deliver},
    handlers::Worked,
};
use purser_tests::stage::{Moment, Stage, code_of};

fn delivery(body: &str, receives: u32) -> Delivery {
    Delivery {
        receipt: "receipt".to_owned(),
        body: body.to_owned(),
        receives,
    }
}

async fn fate(stage: &Stage, delivery: &Delivery) -> Fate {
    Box::pin(deliver(&stage.engine, delivery, stage.now())).await
}

/// Handles what is queued; what must come again does.
async fn handle_all(stage: &Stage) -> usize {
    let mut taken_apart = 0;
    while let Some(delivery) = stage.receive().await {
        let receipt = &delivery.receipt;
        match fate(stage, &delivery).await {
            Fate::Done(worked) => {
                taken_apart += usize::from(matches!(worked, Worked::TakenApart));
                stage.store.acknowledge(receipt).await.expect("the queue");
            }
            Fate::Again(wait) => {
                stage
                    .store
                    .give_back(receipt, wait)
                    .await
                    .expect("the queue");
            }
            other => panic!("{other:?}"),
        }
    }
    taken_apart
}

#[tokio::test(start_paused = true)]
async fn a_message_of_a_newer_version_is_left_alone_however_often_it_comes() {
    let stage = Stage::new().await;
    let newer = r#"{"kind":"sync","version":2,"tenant":"north-wind","what":"nobody knows yet"}"#;
    for receives in 1..RECEIVES_MAX - 1 {
        let fate = fate(&stage, &delivery(newer, receives)).await;
        assert!(matches!(fate, Fate::Again(_)), "{fate:?}");
    }
    // A copy begins to count anew before the queue would give it up.
    for receives in RECEIVES_MAX - 1..=RECEIVES_MAX {
        let fate = fate(&stage, &delivery(newer, receives)).await;
        assert!(matches!(fate, Fate::Requeue(_)), "{fate:?}");
    }
    assert!(stage.bills().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_record_of_a_newer_version_is_left_to_the_program_that_wrote_it() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage
        .engine
        .start_now(&stage.tenant)
        .await
        .expect("the store");
    stage.scan_due().await;
    let file = rusqlite::Connection::open(stage.file()).expect("the file");
    let changed = file
        .execute("UPDATE records SET version = version + 99", [])
        .expect("a record");
    assert_eq!(changed, 1);
    let message = stage.receive().await.expect("a message");
    let fate = fate(&stage, &message).await;
    assert!(matches!(fate, Fate::Done(Worked::NewerVersion)), "{fate:?}");
    let receipt = &message.receipt;
    stage.store.acknowledge(receipt).await.expect("the queue");
    assert!(stage.bills().is_empty());
    assert_eq!(stage.number(order), None);
    // Other orders are found and billed meanwhile.
    let others: Vec<_> = (0..3).map(|_| stage.add_plain()).collect();
    live_minutes(&mut stage, 40, |_| {}).await;
    for order in others {
        stage.assert_billed(order, "799.98").await;
    }
    assert_eq!(stage.number(order), None);
    // The newer program is gone again: this one goes on where it was.
    file.execute(
        "UPDATE records SET version = version - 99 WHERE version > 99",
        [],
    )
    .expect("a record");
    stage.live(Duration::from_hours(1)).await;
    stage.assert_billed(order, "799.98").await;
}

#[test]
fn a_record_that_says_what_this_program_does_not_know_is_one_of_a_newer_version() {
    for body in [
        r#"{"version":1}"#,
        r#"{"version":1,"state":{"state":"new"}}"#,
    ] {
        let read = read_record(1, body);
        assert!(matches!(read, Err(StoreError::Newer(_))), "{read:?}");
    }
    let read = read_record(1, r#"{"version":"#);
    assert!(matches!(read, Err(StoreError::Unreadable(_))), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_nobody_understands_is_set_aside_with_its_reason() {
    let stage = Stage::new().await;
    let orders: Vec<_> = (1..=26).map(|order: u32| order.to_string()).collect();
    let too_many = format!(
        r#"{{"kind":"sync","version":1,"tenant":"north-wind","orders":[{}],"run":1,"origin":"scan"}}"#,
        orders.join(",")
    );
    for body in ["", "[]", r#"{"version":1}"#, &too_many] {
        let fate = fate(&stage, &delivery(body, 1)).await;
        assert!(matches!(fate, Fate::SetAside(_)), "{body}: {fate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_one_order_costs_the_others_no_more_than_a_wait() {
    let mut stage = Stage::new().await;
    let orders: Vec<_> = (0..3).map(|_| stage.add_plain()).collect();
    let second_bill = ("POST", "/bill", 2);
    stage
        .tap
        .at(second_bill, Moment::Before, |_| panic!("a defect"));
    stage
        .engine
        .start_now(&stage.tenant)
        .await
        .expect("the store");
    stage.scan_due().await;
    assert_eq!(handle_all(&stage).await, 1, "one message was taken apart");
    stage.live(Duration::from_mins(30)).await;
    for order in &orders {
        stage.assert_billed(*order, "799.98").await;
    }
    assert_eq!(stage.simulators.quickbooks.bills_ever(&stage.realm), 3);
}

/// What came of the messages of some hours.
#[derive(Debug, Default)]
struct Hours {
    /// How many were set aside.
    set_aside: usize,
    /// The longest that a message kept those behind it waiting.
    held_up: Duration,
}

/// Lives like a running engine, runs, sweeps and messages, for `minutes`; each five minutes `does`.
async fn live_minutes(stage: &mut Stage, minutes: u64, mut does: impl FnMut(&mut Stage)) -> Hours {
    let mut hours = Hours::default();
    for _ in 0..minutes / 5 {
        does(stage);
        stage.scan_due().await;
        let trace = stage.engine.trace(None);
        stage.engine.sweep(&trace).await.expect("the store");
        while let Some(delivery) = stage.receive().await {
            let (receipt, store) = (&delivery.receipt, &stage.store);
            match fate(stage, &delivery).await {
                Fate::Done(_) => store.acknowledge(receipt).await,
                Fate::SetAside(why) => {
                    assert_eq!(why, "its handling panicked");
                    hours.set_aside += 1;
                    store.acknowledge(receipt).await
                }
                Fate::Again(wait) => {
                    hours.held_up = hours.held_up.max(wait);
                    store.give_back(receipt, wait).await
                }
                other => panic!("{other:?}"),
            }
            .expect("the queue");
        }
        stage.wait(Duration::from_mins(5)).await;
    }
    hours
}

#[tokio::test(start_paused = true)]
async fn an_order_that_panics_every_time_holds_up_no_other_and_a_person_is_told_once() {
    let mut stage = Stage::new().await;
    let bad = stage.add_plain();
    stage
        .tap
        .defect("/PurchaseOrderItems/query", bad.to_string());
    let start = stage.engine.start_now(&stage.tenant);
    start.await.expect("the store");
    let mut good = Vec::new();
    let hours = live_minutes(&mut stage, 8 * 60, |stage| {
        // A run comes every 15 minutes.
        for order in good.iter().rev().skip(4) {
            assert_eq!(stage.bills_of(*order).len(), 1, "order {order} waits");
        }
        if good.len() < 60 {
            good.push(stage.add_plain());
        }
    })
    .await;
    assert_eq!(hours.set_aside, 1);
    assert_eq!(hours.held_up, Duration::ZERO);
    assert_eq!(stage.bills().len(), 60);
    let record = stage.record(bad).await;
    assert_eq!(code_of(&record), "order.defect");
    assert!(record.is_settled(), "{record:?}");
    assert_eq!(stage.number(bad).as_deref(), Some("ERROR"));
    let todo = stage.open_todo(bad);
    assert!(todo.description.contains("support bundle"), "{todo:?}");

    // The next version does better.
    stage.tap.clear();
    stage.retry(bad).await;
    stage.assert_billed(bad, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_panics_at_its_send_is_put_off_and_billed_once_after_retry() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.tap.defect("/bill", format!("AT-PO:{order} g"));
    let start = stage.engine.start_now(&stage.tenant);
    start.await.expect("the store");
    let hours = live_minutes(&mut stage, 2 * 60, |_| {}).await;
    assert_eq!(hours.set_aside, 1);
    let record = stage.record(order).await;
    assert_eq!(code_of(&record), "order.defect");
    assert!(
        matches!(
            &record.state,
            State::NeedsPerson {
                intent: Some(_),
                ..
            }
        ),
        "{record:?}"
    );
    // Nobody is to enter by hand what may be there.
    let todo = stage.open_todo(order);
    assert!(todo.description.contains("needs a decision"), "{todo:?}");
    stage.tap.clear();
    stage.retry(order).await;
    stage.live(Duration::from_mins(30)).await;
    stage.assert_billed(order, "799.98").await;
    assert_eq!(stage.simulators.quickbooks.bills_ever(&stage.realm), 1);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_panics_at_its_write_back_is_told_although_its_bill_is_seen_each_time() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.tap.defect("/PurchaseOrders", order.to_string());
    let start = stage.engine.start_now(&stage.tenant);
    start.await.expect("the store");
    let hours = live_minutes(&mut stage, 3 * 60, |_| {}).await;
    assert_eq!(hours.set_aside, 1);
    let record = stage.record(order).await;
    assert_eq!(code_of(&record), "order.defect");
    assert!(record.bill().is_some(), "{record:?}");
    assert_eq!(record.error_mark, ErrorMark::Owed, "that panics, too");
    stage.tap.clear();
    live_minutes(&mut stage, 60, |_| {}).await;
    let todo = stage.open_todo(order);
    assert!(todo.description.contains("needs a decision"), "{todo:?}");
    stage.retry(order).await;
    stage.live(Duration::from_mins(30)).await;
    stage.assert_billed(order, "799.98").await;
    assert_eq!(stage.simulators.quickbooks.bills_ever(&stage.realm), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wish_whose_attempt_panics_is_kept_and_answered_when_it_was_too_often() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    stage.assert_refused(order, "order.no_lines").await;
    let before = stage.mails().await.len();
    stage.tap.defect("/PurchaseOrders/query", order.to_string());
    let ann = Some("ann@example.com");
    stage.ask(order, Origin::Retry, ann).await;
    let hours = live_minutes(&mut stage, 10, |_| {}).await;
    assert_eq!(hours.set_aside, 0);
    assert!(stage.record(order).await.request.is_some(), "it is kept");
    let hours = live_minutes(&mut stage, 3 * 60, |_| {}).await;
    assert_eq!(hours.set_aside, 1);
    let mails = stage.mails().await.split_off(before);
    let last = mails.last().expect("a mail");
    assert!(last.text.contains("fault in Purser"), "{last:?}");
    assert!(!last.text.contains("has no lines"), "{last:?}");
    // The next version does better, also by itself when the fault was over before that.
    stage.tap.clear();
    stage.ask(order, Origin::Retry, ann).await;
    stage.tap.defect("/PurchaseOrders/query", order.to_string());
    live_minutes(&mut stage, 10, |_| {}).await;
    stage.tap.clear();
    live_minutes(&mut stage, 30, |_| {}).await;
    let mails = stage.mails().await;
    let last = mails.last().expect("a mail");
    assert!(last.text.contains("has no lines"), "{last:?}");
    assert_eq!(stage.record(order).await.request, None);
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_any_order_is_looked_at_is_held_against_none() {
    let mut stage = Stage::new().await;
    let orders: Vec<_> = (0..3).map(|_| stage.add_plain()).collect();
    stage.tap.defect("/preferences", "");
    let start = stage.engine.start_now(&stage.tenant);
    start.await.expect("the store");
    live_minutes(&mut stage, 4 * 60, |_| {}).await;
    for order in &orders {
        assert_eq!(stage.record(*order).await.defects, 0);
        stage.assert_untouched(*order, None);
    }
    stage.tap.clear();
    stage.live(Duration::from_hours(2)).await;
    for order in &orders {
        stage.assert_billed(*order, "799.98").await;
    }
}

#[test]
fn the_event_of_sqs_is_read_with_its_count_and_group() {
    let event = r#"{"Records":[{"messageId":"m","receiptHandle":"r","body":"{}","attributes":
        {"ApproximateReceiveCount":"3","MessageGroupId":"north-wind#background"},
        "eventSource":"aws:sqs"}]}"#;
    let event: QueueEvent = serde_json::from_str(event).expect("an event");
    let record = &event.records[0];
    assert_eq!(record.group(), "north-wind#background");
    assert_eq!(record.delivery().receives, 3);
}
