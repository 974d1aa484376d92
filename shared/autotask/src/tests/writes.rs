use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use purser_core::{failure::FailureClass, ids::OrderId, notice::Code, ports::Autotask};
use purser_transport::TransportErrorKind;
use serde_json::json;

use super::support::{Answer, Bench, Jumping, errors, threshold, zone};

const ORDER: OrderId = OrderId::new(4711);

fn done() -> Answer {
    Answer::Json(200, json!({"itemId": 4711}))
}

#[tokio::test]
async fn the_number_goes_to_the_collection_with_the_id_in_the_body() {
    let bench = Bench::new(|_, _| done());
    bench
        .client()
        .write_external_number(ORDER, "1042")
        .await
        .unwrap();
    assert_eq!(bench.lines(), ["PATCH PurchaseOrders"]);
    let expected = json!({"id": 4711, "externalPONumber": "1042"});
    assert_eq!(bench.bodies("/PurchaseOrders"), [expected]);
    assert_eq!((bench.meter.calls(), bench.meter.reads()), (3, 2));
}

#[tokio::test]
async fn a_number_over_fifty_characters_is_not_sent() {
    let bench = Bench::new(|_, _| done());
    let client = bench.client();
    client
        .write_external_number(ORDER, &"ü".repeat(50))
        .await
        .unwrap();
    let failure = client
        .write_external_number(ORDER, &"1".repeat(51))
        .await
        .unwrap_err();
    assert_eq!(failure.code(), Code::WriteBackRefused);
    assert_eq!(bench.lines().len(), 1);
}

#[tokio::test]
async fn a_rejected_number_says_why() {
    let bench = Bench::new(|_, _| errors("The order is closed. "));
    let failure = bench
        .client()
        .write_external_number(ORDER, "1")
        .await
        .unwrap_err();
    assert_eq!(failure.code(), Code::WriteBackRefused);
    assert_eq!(failure.notice.words["detail"], "The order is closed");
    assert_eq!(bench.lines().len(), 1);
}

/// A person may have typed a number between two tries: only who reads the order again may write again.
#[tokio::test]
async fn a_number_is_sent_once_whatever_is_answered() {
    for first in [
        Answer::Fails(TransportErrorKind::Broken),
        Answer::Text(200, ""),
        Answer::Json(200, json!({"itemId": 1})),
        Answer::Text(502, "<html>"),
        Answer::Text(503, ""),
    ] {
        let bench = Bench::new(move |_, before| match before {
            0 => first.clone(),
            _ => done(),
        });
        let written = bench.client().write_external_number(ORDER, "1").await;
        let failure = written.unwrap_err();
        assert_eq!(failure.class(), FailureClass::Retry, "{failure}");
        assert_eq!(bench.lines().len(), 1);
    }
}

#[tokio::test]
async fn a_number_that_waited_for_long_before_it_left_is_not_sent() {
    // To find the zone takes three seconds.
    let clock: Arc<OnceLock<Arc<Jumping>>> = Arc::default();
    let bench = Bench::raw({
        let clock = Arc::clone(&clock);
        move |seen, _| {
            if seen.line.ends_with("/zoneInformation") {
                clock.get().unwrap().jump(Duration::from_secs(3));
                zone("webservices3.autotask.net")
            } else if seen.line.ends_with("/ThresholdInformation") {
                threshold(10_000, 100)
            } else {
                done()
            }
        }
    });
    assert!(clock.set(Arc::clone(&bench.clock)).is_ok());
    let client = bench.client();
    let written = client.write_external_number(ORDER, "1").await;
    assert_eq!(written.unwrap_err().code(), Code::TimeShort);
    assert_eq!(bench.lines().len(), 0);
    // Now it is known.
    client.write_external_number(ORDER, "1").await.unwrap();
    assert_eq!(bench.lines().len(), 1);
}
