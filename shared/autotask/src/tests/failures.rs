use std::time::Duration;

use purser_core::{failure::FailureClass, ids::OrderId, notice::Code, ports::Autotask};
use purser_transport::TransportErrorKind;
use serde_json::json;

use super::support::{Answer, Bench, errors, items, none, threshold, zone};

const ORDERS: &[OrderId] = &[OrderId::new(1)];

#[tokio::test]
async fn what_may_pass_is_tried_three_times() {
    let transient = [
        Answer::Text(503, "<html>"),
        Answer::Text(500, "oops"),
        Answer::Text(200, ""),
        Answer::Text(200, r#"{"items":[{"id":1"#),
        Answer::Json(200, json!({})),
        Answer::Json(200, json!({"items": null})),
        Answer::Json(200, json!({"items": [{"id": null}]})),
        Answer::Json(200, json!({"items": ["x"]})),
        Answer::Text(429, ""),
        errors("Transaction was deadlocked on lock resources"),
        Answer::Fails(TransportErrorKind::NotSent),
        Answer::Fails(TransportErrorKind::Broken),
    ];
    for answer in transient {
        let repeated = answer.clone();
        let bench = Bench::new(move |_, _| repeated.clone());
        let failure = bench.client().orders(ORDERS).await.unwrap_err();
        assert_eq!(failure.class(), FailureClass::Retry);
        assert_eq!(bench.count("/query"), 3);
        let waits = bench.waits();
        assert!(waits[0] >= Duration::from_millis(500) && waits[0] <= Duration::from_secs(1));
        assert!(waits[1] >= Duration::from_secs(1) && waits[1] <= Duration::from_secs(2));
        let bench = Bench::new(move |_, before| match before {
            0 => answer.clone(),
            _ => items([json!({"id": 1})]),
        });
        assert_eq!(bench.client().orders(ORDERS).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_is_definite_is_tried_once() {
    let definite = [
        (errors("Value is wrong. "), Code::AutotaskRefused),
        (
            errors("Unable to find x in the PurchaseOrder Entity"),
            Code::AutotaskBug,
        ),
        (Answer::Text(404, "<html>"), Code::AutotaskBug),
        (
            Answer::Json(405, json!({"Message": "x"})),
            Code::AutotaskBug,
        ),
        (Answer::Text(403, ""), Code::AutotaskPermission),
        (errors("Hourly threshold exceeded"), Code::AutotaskQuota),
    ];
    for (answer, code) in definite {
        let bench = Bench::new(move |_, _| answer.clone());
        let failure = bench.client().orders(ORDERS).await.unwrap_err();
        assert_eq!(failure.code(), code);
        assert_eq!(bench.count("/query"), 1);
        assert!(bench.waits().is_empty());
    }
}

#[tokio::test]
async fn a_short_wait_asked_for_is_kept_and_a_long_one_is_handed_on() {
    let bench = Bench::new(|_, before| match before {
        0 => Answer::RetryAfter(429, "7"),
        _ => none(),
    });
    bench.client().orders(ORDERS).await.unwrap();
    assert_eq!(bench.waits(), [Duration::from_secs(7)]);
    let bench = Bench::new(|_, _| Answer::RetryAfter(429, "90"));
    let failure = bench.client().orders(ORDERS).await.unwrap_err();
    assert_eq!(failure.code(), Code::AutotaskThrottled);
    assert_eq!(failure.retry_after, Some(Duration::from_secs(90)));
    assert!(bench.waits().is_empty());
}

#[tokio::test]
async fn a_call_that_used_up_its_time_is_not_repeated_here() {
    let bench = Bench::new(|_, _| Answer::Fails(TransportErrorKind::Timeout));
    let clock = std::sync::Arc::clone(&bench.clock);
    let slow = Bench {
        fake: Bench::new(move |_, _| {
            clock.jump(Duration::from_mins(1));
            Answer::Fails(TransportErrorKind::Timeout)
        })
        .fake,
        ..bench
    };
    let failure = slow.client().orders(ORDERS).await.unwrap_err();
    assert_eq!(failure.code(), Code::AutotaskUnreachable);
    assert_eq!(slow.count("/query"), 1);
}

#[tokio::test]
async fn no_secret_is_in_a_failure() {
    let leak = "user api+1@msp.example with s3cret-secret and CODE0123456789 is wrong";
    let bench = Bench::new(move |_, _| errors(leak));
    let failure = bench.client().orders(ORDERS).await.unwrap_err();
    let all = format!("{failure:?}{failure}{}", failure.notice.text());
    assert!(!all.contains("s3cret") && !all.contains("CODE012") && !all.contains("api+1"));
    assert_eq!(
        failure.notice.words["detail"],
        "user *** with *** and *** is wrong"
    );
}

#[tokio::test]
async fn our_share_of_the_hour_is_never_exceeded() {
    let bench = Bench::raw(|seen, _| match seen.line.rsplit('/').next().unwrap() {
        "zoneInformation" => zone("webservices3.autotask.net"),
        "ThresholdInformation" => threshold(40, 1),
        _ => none(),
    });
    let client = bench.client();
    for _ in 0..30 {
        let _ = client.orders(ORDERS).await;
        bench.clock.jump(Duration::from_secs(1));
    }
    // 50 % of 40, the reading of the threshold among them.
    assert_eq!(bench.count("/query"), 19);
    let failure = client.orders(ORDERS).await.unwrap_err();
    assert_eq!(failure.code(), Code::AutotaskQuota);
    assert_eq!(failure.retry_after, Some(Duration::from_secs(3600 - 30)));
    assert!(bench.waits().is_empty());
    // How much is used is not asked either, although a reading is due every ten minutes.
    for _ in 0..5 {
        bench.clock.jump(Duration::from_mins(10));
        assert!(client.orders(ORDERS).await.is_err());
    }
    assert_eq!(bench.count("/ThresholdInformation"), 1);
    bench.clock.jump(Duration::from_secs(3600 - 35 - 3000));
    client.orders(ORDERS).await.unwrap();
    assert_eq!(bench.waits(), [Duration::from_secs(5)]);
}

#[tokio::test]
async fn a_crowded_database_is_left_alone_by_background_work() {
    let bench = Bench::raw(|seen, before| match seen.line.rsplit('/').next().unwrap() {
        "zoneInformation" => zone("webservices3.autotask.net"),
        "ThresholdInformation" if before == 0 => threshold(10_000, 9_500),
        "ThresholdInformation" => Answer::Text(500, ""),
        _ => none(),
    });
    let failure = bench.client().orders(ORDERS).await.unwrap_err();
    assert_eq!(failure.code(), Code::AutotaskQuota);
    assert_eq!(failure.retry_after, Some(Duration::from_mins(10)));
    assert_eq!(bench.count("/query"), 0);
    bench.clock.jump(Duration::from_mins(10));
    bench.client().orders(ORDERS).await.unwrap();
    assert_eq!(bench.count("/ThresholdInformation"), 2);
}

#[tokio::test]
async fn every_wait_is_divided_by_the_scale() {
    let bench = Bench::new(|_, before| match before {
        0 => Answer::RetryAfter(429, "7"),
        _ => Answer::RetryAfter(429, "90"),
    });
    let mut config = bench.config(purser_core::ports::Lane::Background);
    config.policy = purser_core::policy::Policy::scaled(10);
    let failure = crate::AutotaskClient::new(config)
        .orders(ORDERS)
        .await
        .unwrap_err();
    assert_eq!(bench.waits(), [Duration::from_millis(700)]);
    assert_eq!(failure.retry_after, Some(Duration::from_secs(9)));
}

#[tokio::test]
async fn a_threshold_of_the_business_is_no_quota() {
    let bench = Bench::new(|_, _| errors("The approval threshold of the vendor is exceeded"));
    let failure = bench.client().orders(ORDERS).await.unwrap_err();
    assert_eq!(failure.code(), Code::AutotaskRefused);
}
