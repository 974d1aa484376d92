use std::time::Duration;

use serde_json::json;

use super::{
    super::{QuickBooksSimulator, RealmSeed, RequestIdMode, SlowCommitAnswer},
    Desk, REALM,
};
use crate::{intuit::IntuitSimulator, store::Store};

fn switch(desk: &Desk, change: impl FnOnce(&mut super::super::QuickBooksSwitches)) {
    desk.quickbooks.change_switches(change).expect("switched");
}

#[tokio::test(start_paused = true)]
async fn the_same_request_id_gives_the_same_bytes_and_no_second_bill() {
    let desk = Desk::new();
    let body = desk.bill("A").to_string();
    let send = || desk.send(desk.request("POST", "bill?requestid=abc", &body));
    let first = send().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let second = send().await;
    assert_eq!(first.body(), second.body());
    assert_eq!(desk.quickbooks.bills_ever(REALM), 1);
    let entries = desk.context.journal.entries();
    assert_eq!(
        entries.iter().map(|entry| entry.effect).collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!(entries[0].request_id.as_deref(), Some("abc"));
    let vendor = json!({ "DisplayName": "Repeat" });
    for _ in 0..2 {
        assert_eq!(desk.post("vendor?requestid=v", vendor.clone()).await.0, 200);
    }
}

#[tokio::test]
async fn request_ids_have_a_length_and_faults_are_not_kept() {
    let desk = Desk::new();
    let long = format!("bill?requestid={}", "x".repeat(51));
    assert_eq!(desk.refused(&long, desk.bill("A")).await, "2130");
    let mut wrong = desk.bill("A");
    wrong["VendorRef"]["value"] = json!("99");
    assert_eq!(
        desk.refused("bill?requestid=f", wrong.clone()).await,
        "2500"
    );
    assert_eq!(desk.post("bill?requestid=f", desk.bill("A")).await.0, 200);
    switch(&desk, |switches| switches.request_id_keeps_faults = true);
    assert_eq!(desk.refused("bill?requestid=g", wrong).await, "2500");
    assert_eq!(
        desk.refused("bill?requestid=g", desk.bill("B")).await,
        "2500"
    );
}

#[tokio::test(start_paused = true)]
async fn a_racy_request_id_is_known_only_after_a_while() {
    let desk = Desk::new();
    switch(&desk, |switches| switches.request_id = RequestIdMode::Racy);
    let path = "bill?requestid=r&include=allowduplicatedocnum";
    desk.post(path, desk.bill("A")).await;
    desk.post(path, desk.bill("A")).await;
    assert_eq!(desk.quickbooks.bills_ever(REALM), 2);
    tokio::time::sleep(Duration::from_secs(3)).await;
    desk.post(path, desk.bill("A")).await;
    assert_eq!(desk.quickbooks.bills_ever(REALM), 2);
    switch(&desk, |switches| {
        switches.request_id = RequestIdMode::Ignored;
    });
    desk.post(path, desk.bill("A")).await;
    assert_eq!(desk.quickbooks.bills_ever(REALM), 3);
}

#[tokio::test(start_paused = true)]
async fn a_slow_commit_answers_504_and_the_bill_appears_later() {
    let desk = Desk::new();
    switch(&desk, |switches| switches.slow_commit_ms = 90_000);
    let response = desk
        .send(desk.request("POST", "bill", &desk.bill("A").to_string()))
        .await;
    assert_eq!(response.status(), 504);
    assert!(desk.quickbooks.live_bills(REALM).is_empty());
    tokio::time::sleep(Duration::from_secs(91)).await;
    let bills = desk.quickbooks.live_bills(REALM);
    assert_eq!(bills.len(), 1);
    assert_eq!(
        bills[0]["MetaData"]["CreateTime"],
        "2026-01-15T10:01:30-08:00"
    );
}

#[tokio::test(start_paused = true)]
async fn a_held_request_is_answered_at_its_commit_even_when_the_client_has_gone() {
    let desk = Desk::new();
    switch(&desk, |switches| {
        switches.slow_commit_ms = 30_000;
        switches.slow_commit_answer = SlowCommitAnswer::Hold;
    });
    let body = desk.bill("A");
    let impatient = tokio::time::timeout(Duration::from_secs(10), desk.post("bill", body)).await;
    assert!(impatient.is_err());
    assert!(desk.quickbooks.live_bills(REALM).is_empty());
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(desk.quickbooks.live_bills(REALM).len(), 1);
    let (status, answer) = desk.post("bill", desk.bill("B")).await;
    assert_eq!((status, &answer["Bill"]["DocNumber"]), (200, &json!("B")));
}

#[tokio::test(start_paused = true)]
async fn a_new_bill_may_be_missing_from_queries_for_a_while() {
    let desk = Desk::new();
    switch(&desk, |switches| switches.query_lag_ms = 20_000);
    desk.made_bill("A").await;
    let statement = "SELECT * FROM Bill WHERE DocNumber = 'A'";
    assert_eq!(desk.query(statement).await.1["QueryResponse"], json!({}));
    assert_eq!(desk.get("bill/1").await.0, 200);
    tokio::time::sleep(Duration::from_secs(21)).await;
    assert_eq!(
        desk.query(statement).await.1["QueryResponse"]["maxResults"],
        1
    );
}

#[tokio::test]
async fn everything_answered_survives_a_restart() {
    let name = format!("purser-quickbooks-{}.db", std::process::id());
    let path = std::env::temp_dir().join(name);
    let open = || Store::open(&path).expect("a store");
    let desk = Desk::on(RealmSeed::new(REALM, "Durable"), open());
    let body = desk.bill("A").to_string();
    let request = || desk.request("POST", "bill?requestid=one", &body);
    let first = desk.send(request()).await;
    let intuit = IntuitSimulator::new(desk.context.clone()).expect("intuit");
    let again = QuickBooksSimulator::new(desk.context.clone(), &intuit).expect("quickbooks");
    assert_eq!(again.live_bills(REALM), desk.quickbooks.live_bills(REALM));
    assert_eq!(again.switches(), desk.quickbooks.switches());
    let crate::Exchange::Answer(second) = again.handle(request()).await else {
        panic!("no answer")
    };
    assert_eq!(first.body(), second.body());
    assert_eq!(again.bills_ever(REALM), 1);
    drop((desk, again));
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}
