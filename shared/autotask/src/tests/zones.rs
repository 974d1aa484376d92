use std::time::Duration;

use purser_core::{
    ids::OrderId,
    notice::Code,
    ports::{Autotask, Lane},
};
use serde_json::json;

use super::support::{Answer, Bench, Seen, errors, items, none, threshold, zone};
use crate::AutotaskClient;

const ORDERS: &[OrderId] = &[OrderId::new(1)];

fn is_lookup(seen: &Seen) -> bool {
    seen.line.ends_with("/zoneInformation")
}

#[tokio::test]
async fn the_lookup_carries_no_credentials_and_data_calls_carry_all_three() {
    let bench = Bench::new(|_, _| none());
    bench.client().orders(ORDERS).await.unwrap();
    let seen = bench.fake.seen.lock().unwrap();
    let names = ["ApiIntegrationCode", "UserName", "Secret"];
    assert!(
        names
            .iter()
            .all(|name| !seen[0].headers.contains_key(*name))
    );
    assert_eq!(seen[0].host, "webservices.autotask.net");
    for call in &seen[1..] {
        assert_eq!(call.host, "webservices3.autotask.net");
        assert!(names.iter().all(|name| call.headers[*name].is_sensitive()));
    }
    assert_eq!(bench.meter.calls(), 3);
    assert_eq!(bench.meter.reads(), 3);
}

#[tokio::test]
async fn the_zone_is_asked_for_once_a_day_by_both_lanes_together() {
    let bench = Bench::new(|_, _| none());
    bench.client().orders(ORDERS).await.unwrap();
    let person = AutotaskClient::new(bench.config(Lane::Person));
    person.orders(ORDERS).await.unwrap();
    assert_eq!(bench.count("/zoneInformation"), 1);
    bench.clock.jump(Duration::from_hours(25));
    person.orders(ORDERS).await.unwrap();
    assert_eq!(bench.count("/zoneInformation"), 2);
}

#[tokio::test]
async fn an_old_zone_serves_while_the_lookup_is_down() {
    let bench = Bench::raw(|seen, before| match is_lookup(seen) {
        true if before == 0 => zone("webservices3.autotask.net"),
        true => Answer::Text(503, ""),
        false => none(),
    });
    let client = AutotaskClient::new(bench.config(Lane::Person));
    client.orders(ORDERS).await.unwrap();
    bench.clock.jump(Duration::from_hours(25));
    client.orders(ORDERS).await.unwrap();
}

#[tokio::test]
async fn no_secret_goes_to_a_strange_host() {
    for host in ["evil.example", "autotask.net.evil.example", "127.0.0.1"] {
        let bench = Bench::raw(move |seen, _| match is_lookup(seen) {
            true => zone(host),
            false => none(),
        });
        let failure = bench.client().orders(ORDERS).await.unwrap_err();
        assert_eq!(failure.code(), Code::AutotaskHostRefused);
        assert!(bench.fake.seen.lock().unwrap().iter().all(is_lookup));
    }
    let bench = Bench::new(|_, _| none());
    let mut config = bench.config(Lane::Background);
    config.zone_url = "http://webservices.autotask.net/".parse().unwrap();
    let failure = AutotaskClient::new(config)
        .orders(ORDERS)
        .await
        .unwrap_err();
    assert_eq!(failure.code(), Code::AutotaskHostRefused);
    assert!(bench.fake.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_simulator_on_loopback_needs_the_switch() {
    let bench = Bench::raw(|seen, _| {
        let url = "http://127.0.0.1:4010/ATServicesRest/";
        match is_lookup(seen) {
            true => Answer::Json(200, json!({"url": url, "webUrl": "http://127.0.0.1:4010"})),
            false => none(),
        }
    });
    let mut config = bench.config(Lane::Background);
    config.zone_url = "http://localhost:4010".parse().unwrap();
    config.allow_local = true;
    AutotaskClient::new(config).orders(ORDERS).await.unwrap();
    assert_eq!(bench.count("/query"), 1);
}

#[tokio::test]
async fn an_unknown_user_is_told_so_at_once() {
    let bench = Bench::raw(|_, _| errors("Zone information could not be determined"));
    let failure = bench.client().orders(ORDERS).await.unwrap_err();
    assert_eq!(failure.code(), Code::AutotaskUserUnknown);
    assert_eq!(bench.fake.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_moved_zone_is_found_and_the_call_repeated_once() {
    let bench = Bench::raw(|seen, before| match is_lookup(seen) {
        true if before == 0 => zone("webservices6.autotask.net"),
        true => zone("webservices29.autotask.net"),
        false if seen.host == "webservices6.autotask.net" => Answer::Text(401, ""),
        false => items([json!({"id": 1})]),
    });
    let client = AutotaskClient::new(bench.config(Lane::Person));
    assert_eq!(client.orders(ORDERS).await.unwrap().len(), 1);
    assert_eq!(bench.count("/zoneInformation"), 2);
    assert_eq!(bench.count("/query"), 2);
    assert_eq!(client.orders(ORDERS).await.unwrap().len(), 1);
    assert_eq!(bench.count("/query"), 3);
}

#[tokio::test]
async fn a_refused_login_is_one_more_lookup_and_then_silence() {
    let bench = Bench::raw(|seen, _| match is_lookup(seen) {
        true => zone("webservices3.autotask.net"),
        false => Answer::Text(401, ""),
    });
    let client = bench.client();
    let person = AutotaskClient::new(bench.config(Lane::Person));
    for _ in 0..5 {
        let failure = client.orders(ORDERS).await.unwrap_err();
        assert_eq!(failure.code(), Code::AutotaskUnauthorised);
        assert_eq!(failure.answer.status, Some(401));
        assert!(person.statuses().await.is_err());
        assert!(bench.client().report().await.is_err());
    }
    assert_eq!(bench.count("/zoneInformation"), 2);
    assert_eq!(bench.fake.seen.lock().unwrap().len(), 3, "one login in all");
}

#[tokio::test]
async fn a_login_refused_in_both_zones_ends_too() {
    let bench = Bench::raw(|seen, before| match is_lookup(seen) {
        true if before % 2 == 0 => zone("webservices6.autotask.net"),
        true => zone("webservices29.autotask.net"),
        false => Answer::Text(401, ""),
    });
    let client = AutotaskClient::new(bench.config(Lane::Person));
    for _ in 0..5 {
        let failure = client.orders(ORDERS).await.unwrap_err();
        assert_eq!(failure.code(), Code::AutotaskUnauthorised);
    }
    assert_eq!(bench.count("/zoneInformation"), 2);
    assert_eq!(bench.count("/query"), 2);
}

#[tokio::test]
async fn a_failed_second_lookup_sends_no_secret_until_one_succeeds() {
    let bench = Bench::raw(|seen, before| match is_lookup(seen) {
        true if (1..=3).contains(&before) => Answer::Text(503, ""),
        true => zone("webservices3.autotask.net"),
        false => Answer::Text(401, ""),
    });
    let client = AutotaskClient::new(bench.config(Lane::Person));
    let first = client.orders(ORDERS).await.unwrap_err();
    assert_eq!(first.code(), Code::AutotaskFailing);
    let second = client.orders(ORDERS).await.unwrap_err();
    assert_eq!(second.code(), Code::AutotaskUnauthorised);
    assert_eq!(bench.count("/query"), 1);
}

#[tokio::test]
async fn entering_credentials_again_closes_the_circuit() {
    let bench = Bench::raw(|seen, before| match is_lookup(seen) {
        true => zone("webservices3.autotask.net"),
        false if seen.line.ends_with("/ThresholdInformation") => threshold(10_000, 1),
        false if before < 1 => errors("IntegrationCode is invalid."),
        false => none(),
    });
    let client = AutotaskClient::new(bench.config(Lane::Person));
    for _ in 0..3 {
        let failure = client.orders(ORDERS).await.unwrap_err();
        assert_eq!(failure.code(), Code::AutotaskIntegrationCode);
    }
    assert_eq!(bench.count("/query"), 1);
    let mut config = bench.config(Lane::Person);
    config.credentials_version = 2;
    AutotaskClient::new(config).orders(ORDERS).await.unwrap();
    assert!(client.orders(ORDERS).await.is_err());
    bench.gate.close_circuit();
    client.orders(ORDERS).await.unwrap();
}
