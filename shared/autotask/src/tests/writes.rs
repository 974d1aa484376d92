use purser_core::{ids::OrderId, notice::Code, ports::Autotask};
use purser_transport::TransportErrorKind;
use serde_json::json;

use super::support::{Answer, Bench, errors};

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

#[tokio::test]
async fn the_same_number_may_be_written_again() {
    for first in [
        Answer::Fails(TransportErrorKind::Broken),
        Answer::Text(200, ""),
        Answer::Json(200, json!({"itemId": 1})),
        Answer::Text(502, "<html>"),
    ] {
        let bench = Bench::new(move |_, before| match before {
            0 => first.clone(),
            _ => done(),
        });
        bench
            .client()
            .write_external_number(ORDER, "1")
            .await
            .unwrap();
        assert_eq!(bench.lines().len(), 2);
    }
}
