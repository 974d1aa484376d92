use std::{sync::Arc, time::Duration};

use http::Method;
use purser_transport::{Transport, TransportErrorKind};
use serde_json::{Value, json};

use super::bench::Bench;
use crate::{FaultKind, FaultRule, Simulators, Store, System, TokioClock, WallClock};

const ROUTE: &str = "PATCH PurchaseOrders";

fn arm(bench: &Bench, kind: FaultKind) {
    bench
        .simulators
        .faults
        .add(FaultRule::next(System::Autotask, ROUTE, kind));
}

/// Sends a write; the status and body, or how it failed.
async fn write(bench: &Bench) -> Result<(u16, String), TransportErrorKind> {
    let body = json!({ "id": bench.order, "externalPONumber": "1042" }).to_string();
    let request = bench.request(&Method::PATCH, "PurchaseOrders", &body);
    let response = bench.send(request).await.map_err(|error| error.kind)?;
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    Ok((response.status().as_u16(), text))
}

fn is_written(bench: &Bench) -> bool {
    bench
        .database
        .order(bench.order)
        .unwrap()
        .external_number
        .is_some()
}

#[tokio::test(start_paused = true)]
async fn each_fault_does_what_it_says() {
    use TransportErrorKind::{Broken, Timeout};
    let html = "<html>busy</html>";
    let status = |status| FaultKind::Status {
        status,
        body: Some(html.into()),
    };
    let after = |status| FaultKind::StatusAfter { status, body: None };
    let cases = [
        (status(503), Ok((503, html)), false),
        (after(500), Ok((500, "")), true),
        (FaultKind::DropBefore, Err(Broken), false),
        (FaultKind::DropAfter, Err(Broken), true),
        (FaultKind::TimeoutBefore, Err(Timeout), false),
        (FaultKind::TimeoutAfter, Err(Timeout), true),
        (
            FaultKind::Delay { ms: 500 },
            Ok((200, r#"{"itemId":4001}"#)),
            true,
        ),
        (
            FaultKind::Garbage,
            Ok((200, "<html><body>It works!</body></html>")),
            false,
        ),
        (
            FaultKind::GarbageAfter,
            Ok((200, "<html><body>It works!</body></html>")),
            true,
        ),
        (FaultKind::TruncateAfter, Ok((200, r#"{"itemI"#)), true),
        (FaultKind::Unauthorised, Ok((401, "")), false),
        (FaultKind::Empty, Ok((200, "")), false),
    ];
    for (kind, expected, effect) in cases {
        let bench = Bench::new();
        arm(&bench, kind.clone());
        let expected = expected.map(|(status, body): (u16, &str)| (status, body.to_owned()));
        assert_eq!(write(&bench).await, expected, "{kind:?}");
        assert_eq!(is_written(&bench), effect, "{kind:?}");
        let entry = bench.simulators.journal.entries().pop().unwrap();
        assert_eq!((entry.fault, entry.effect), (Some(kind), effect));
        assert_eq!(write(&bench).await.map(|(status, _)| status), Ok(200));
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_commit_comes_after_the_cut() {
    let bench = Bench::new();
    arm(&bench, FaultKind::LateCommit { ms: 90_000 });
    assert_eq!(write(&bench).await, Err(TransportErrorKind::Broken));
    assert!(!is_written(&bench));
    tokio::time::sleep(Duration::from_secs(91)).await;
    assert!(is_written(&bench));
}

#[tokio::test(start_paused = true)]
async fn a_throttle_says_how_long_to_wait() {
    let bench = Bench::new();
    arm(
        &bench,
        FaultKind::Throttle {
            retry_after_seconds: Some(30),
        },
    );
    let request = bench.request(&Method::PATCH, "PurchaseOrders", "{}");
    let response = bench.send(request).await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "30");
}

#[tokio::test(start_paused = true)]
async fn the_journal_holds_no_secret() {
    let bench = Bench::new();
    write(&bench).await.unwrap();
    let text = serde_json::to_string(&bench.simulators.journal.entries()).unwrap();
    assert!(text.contains("1042") && !text.contains(&bench.secret));
    assert_eq!(bench.simulators.journal.calls(System::Autotask, ROUTE), 1);
}

#[tokio::test(start_paused = true)]
async fn route_names_have_no_ids() {
    let bench = Bench::new();
    bench.get("PurchaseOrders/4001").await;
    bench.post("companies/0/todos", json!({})).await;
    bench
        .post("purchaseorders/query", json!({ "filter": [] }))
        .await;
    bench.get("PurchaseOrders/entityinformation/Fields").await;
    let routes: Vec<String> = bench
        .simulators
        .journal
        .entries()
        .into_iter()
        .map(|entry| entry.route)
        .collect();
    assert_eq!(
        routes,
        [
            "GET PurchaseOrders",
            "POST Companies/ToDos",
            "POST PurchaseOrders/query",
            "GET PurchaseOrders/entityInformation/fields",
        ]
    );
}

#[tokio::test]
async fn what_was_answered_survives_a_restart() {
    let path = std::env::temp_dir().join(format!("purser-autotask-{}.db", std::process::id()));
    let bench = Bench::on(Store::open(&path).unwrap());
    write(&bench).await.unwrap();
    let rows = bench
        .database
        .rows(crate::autotask::Entity::PurchaseOrderItems);
    let user = bench.database.api_user().to_owned();
    drop(bench);
    let clock = Arc::new(WallClock);
    let again = Simulators::new(clock, Store::open(&path).unwrap(), "http://127.0.0.1:1").unwrap();
    let database = again.autotask.database(&user).unwrap();
    assert_eq!(
        database.orders()[0].external_number.as_deref(),
        Some("1042")
    );
    assert_eq!(
        database.rows(crate::autotask::Entity::PurchaseOrderItems),
        rows
    );
    drop((again, database));
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}

#[tokio::test]
async fn served_on_a_socket_a_cut_is_a_closed_connection() {
    let clock = Arc::new(TokioClock::new("2026-01-05T14:00:00Z".parse().unwrap()));
    let simulators = Arc::new(Simulators::new(clock, Store::memory(), "http://x").unwrap());
    let database = simulators
        .autotask
        .add_database(crate::autotask::DatabaseSeed::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(crate::serve(
        Arc::clone(&simulators),
        listener,
        async move {
            let _ = stopped.await;
        },
    ));
    let client = purser_transport::HttpTransport::new().unwrap();
    let ask = async || {
        let user = database.api_user();
        let uri = format!("http://{address}/atservicesrest/v1.0/zoneInformation?user={user}");
        let request = http::Request::get(uri).body(bytes::Bytes::new()).unwrap();
        client.send(request, Duration::from_millis(500)).await
    };
    let zone: Value = serde_json::from_slice(ask().await.unwrap().body()).unwrap();
    assert_eq!(zone["url"], "http://x/webservices3/ATServicesRest/");
    let rule = |kind| FaultRule::next(System::Autotask, "GET zoneInformation", kind);
    simulators.faults.add(rule(FaultKind::DropAfter));
    assert_eq!(ask().await.unwrap_err().kind, TransportErrorKind::Broken);
    simulators.faults.add(rule(FaultKind::TimeoutAfter));
    assert_eq!(ask().await.unwrap_err().kind, TransportErrorKind::Timeout);
    assert_eq!(ask().await.unwrap().status(), 200);
    simulators.faults.add(rule(FaultKind::TimeoutBefore));
    let user = database.api_user();
    let uri = format!("http://{address}/atservicesrest/v1.0/zoneInformation?user={user}");
    let request = http::Request::get(uri).body(bytes::Bytes::new()).unwrap();
    let waiting = client.send(request, Duration::from_mins(1));
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.send(()).unwrap();
        served.await.unwrap().unwrap();
    };
    let (answer, ()) = futures_util::future::join(waiting, stopping).await;
    assert_eq!(answer.unwrap_err().kind, TransportErrorKind::Broken);
}
