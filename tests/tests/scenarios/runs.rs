//! The chain of runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use purser_core::record::later;
use purser_runtime::handlers::{self, ScanEvent};
use purser_simulators::{FaultKind, FaultRule, System};
use purser_tests::{
    shaken::{Happening, Shaken},
    stage::{Scene, Stage},
};
use purser_transport::SharedTransport;

#[tokio::test(start_paused = true)]
async fn nothing_is_transferred_before_the_connection() {
    let mut stage = Stage::unconnected(Scene::default());
    let order = stage.add_plain();
    stage.live(Duration::from_hours(3)).await;
    stage.assert_untouched(order, None);
    assert_eq!(stage.simulators.journal.latest(), 0, "nobody was called");
}

#[tokio::test(start_paused = true)]
async fn the_next_run_is_counted_from_the_end_of_the_previous_one() {
    let mut stage = Stage::new().await;
    stage.add_plain();
    let slow = FaultRule {
        times: 1,
        ..FaultRule::next(
            System::QuickBooks,
            "POST bill",
            FaultKind::Delay { ms: 40_000 },
        )
    };
    stage.simulators.faults.add(slow);
    let began = stage.now();
    stage.run().await;
    let chain = stage.engine.runs(&stage.tenant).await.expect("the store");
    let ended = chain.ended_at.expect("it ended");
    assert!(
        ended >= later(began, Duration::from_secs(40)),
        "the run lasted as long as its work"
    );
    let next = later(ended, Duration::from_mins(15));
    assert_eq!(chain.next_at, Some(next));
    assert_eq!(stage.store.next_alarm().await.expect("alarms"), Some(next));
    stage
        .wait_until(next - jiff::SignedDuration::from_secs(1))
        .await;
    assert!(stage.scan_due().await.is_empty());
    stage.wait_until(next).await;
    assert_eq!(stage.scan_due().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn runs_follow_one_another_by_themselves() {
    let mut stage = Stage::new().await;
    stage.run().await;
    stage.live(Duration::from_hours(2)).await;
    let runs = stage.last_run().await.0;
    assert!((8..=9).contains(&runs), "{runs} runs in two hours");
}

#[tokio::test(start_paused = true)]
async fn the_interval_of_the_settings_is_kept() {
    let mut stage = Stage::new().await;
    stage
        .change_settings(|settings| settings.interval_minutes = Some(60))
        .await;
    stage.run().await;
    let chain = stage.engine.runs(&stage.tenant).await.expect("the store");
    let ended = chain.ended_at.expect("it ended");
    assert_eq!(chain.next_at, Some(later(ended, Duration::from_hours(1))));
}

#[tokio::test(start_paused = true)]
async fn a_second_alarm_for_a_run_does_nothing() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let run = stage.last_run().await;
    let second = stage.add_plain();
    let calls = stage.simulators.journal.latest();
    let event = ScanEvent::new(stage.tenant.clone(), run);
    let scanned = handlers::scan(&stage.engine, &event, None)
        .await
        .expect("the store");
    assert!(scanned.is_none());
    stage.drain().await;
    assert_eq!(
        stage.simulators.journal.latest(),
        calls,
        "nobody was called"
    );
    stage.assert_billed(order, "799.98").await;
    stage.assert_untouched(second, None);
}

#[tokio::test(start_paused = true)]
async fn a_lost_alarm_is_armed_again() {
    let mut stage = Stage::new().await;
    stage.run().await;
    let next = stage.last_run().await.next();
    stage
        .store
        .disarm(&stage.tenant, next)
        .await
        .expect("the store");
    let order = stage.add_plain();
    stage.live(Duration::from_mins(30)).await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn one_bad_order_among_25_stops_no_other() {
    let mut stage = Stage::new().await;
    let orders: Vec<_> = (0..25)
        .map(|place| {
            let order = if place == 7 {
                stage.empty_order()
            } else {
                stage.order()
            };
            stage.add(&order)
        })
        .collect();
    let report = stage.run().await;
    assert_eq!(report.queued.len(), 25);
    for (place, order) in orders.into_iter().enumerate() {
        if place == 7 {
            stage.assert_refused(order, "order.no_lines").await;
        } else {
            stage.assert_billed(order, "799.98").await;
        }
    }
    assert_eq!(stage.bills().len(), 24);
}

#[tokio::test(start_paused = true)]
async fn an_order_and_its_bill_need_no_person() {
    let mut stage = Stage::new().await;
    stage.run().await;
    let order = stage.add_plain();
    stage.live(Duration::from_mins(16)).await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_the_store_failed_is_scanned_when_its_alarm_comes_again() {
    let stage = Stage::new().await;
    let order = stage.add_plain();
    let run = stage.engine.start_now(&stage.tenant).await.expect("a run");
    // The store fails once, at the records of the first orders.
    let is_due = AtomicBool::new(true);
    let fail = move |call: &'static str| match call {
        "records" if is_due.swap(false, Ordering::SeqCst) => Happening::FailBefore,
        _ => Happening::Pass,
    };
    let shaken = Shaken::new(Arc::clone(&stage.store), Arc::new(fail));
    let wire = Arc::clone(&stage.tap) as SharedTransport;
    let (engine, _) = stage.process("scanner", wire, &Arc::new(shaken));
    let event = ScanEvent::new(stage.tenant.clone(), run);
    let first = Box::pin(handlers::scan(&engine, &event, None)).await;
    assert!(first.is_err(), "{first:?}");
    let second = Box::pin(handlers::scan(&engine, &event, None)).await;
    assert!(matches!(second, Ok(Some(_))), "{second:?}");
    let third = Box::pin(handlers::scan(&engine, &event, None)).await;
    assert!(matches!(third, Ok(None)), "{third:?}");
    stage.drain().await;
    stage.assert_billed(order, "799.98").await;
}
