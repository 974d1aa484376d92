use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::bench::{Bench, error};

async fn together(bench: &Bench, count: usize) -> Vec<(u16, Value)> {
    let calls = (0..count).map(|_| bench.get("PurchaseOrders/4001"));
    futures_util::future::join_all(calls).await
}

#[tokio::test(start_paused = true)]
async fn the_fourth_concurrent_call_of_an_entity_is_refused() {
    let bench = Bench::new();
    let answers = together(&bench, 4).await;
    let refused: Vec<_> = answers
        .iter()
        .filter(|(status, _)| *status == 429)
        .collect();
    assert_eq!(refused.len(), 1);
    assert!(error(&refused[0].1).contains("Thread Threshold Exceeded"));
    assert_eq!(bench.database.traffic().refused_threads, 1);
    bench
        .database
        .switch(|switches| switches.thread_error_as_500 = true);
    let answers = together(&bench, 4).await;
    let failed = answers.iter().find(|(status, _)| *status == 500).unwrap();
    assert!(error(&failed.1).contains("Itgenatr005"));
}

#[tokio::test(start_paused = true)]
async fn entities_are_counted_apart() {
    let bench = Bench::new();
    let (orders, companies) = futures_util::future::join(together(&bench, 3), async {
        let calls = (0..3).map(|_| bench.get("Companies/0"));
        futures_util::future::join_all(calls).await
    })
    .await;
    assert!(
        orders
            .iter()
            .chain(&companies)
            .all(|(status, _)| *status == 200)
    );
}

#[tokio::test(start_paused = true)]
async fn two_steady_threads_are_never_refused() {
    let bench = Bench::new();
    let thread = async || {
        for _ in 0..50 {
            assert_eq!(bench.get("PurchaseOrders/4001").await.0, 200);
        }
    };
    futures_util::future::join(thread(), thread()).await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_hour_is_slow_and_a_full_one_refuses() {
    let bench = Bench::new();
    bench
        .database
        .switch(|switches| switches.hourly_limit = 100);
    let timed = async || {
        let started = Instant::now();
        let (status, answer) = bench.get("ThresholdInformation").await;
        (status, answer, started.elapsed())
    };
    for number in 1..=100u64 {
        let (status, answer, time) = timed().await;
        assert_eq!(status, 200);
        assert_eq!(
            answer,
            json!({
                "externalRequestThreshold": 100, "requestThresholdTimeframe": 60,
                "currentTimeframeRequestCount": number,
            })
        );
        let extra = match number {
            0..50 => 0,
            50..75 => 500,
            _ => 1_000,
        };
        assert_eq!(time, Duration::from_millis(20 + extra), "{number}");
    }
    let (status, answer, _) = timed().await;
    assert_eq!(status, 429);
    assert!(error(&answer).contains("threshold"));
    assert_eq!(bench.database.traffic().refused_hour, 1);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(timed().await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn the_extra_waiting_can_be_scaled() {
    let bench = Bench::new();
    bench.database.switch(|switches| {
        switches.hourly_limit = 2;
        switches.latency_scale_percent = 10;
        switches.latency_ms = 0;
    });
    let started = Instant::now();
    bench.get("ThresholdInformation").await;
    assert_eq!(started.elapsed(), Duration::from_millis(50));
}
