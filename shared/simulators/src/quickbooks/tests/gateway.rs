use std::time::Duration;

use http::HeaderValue;
use serde_json::{Value, json};

use super::{
    super::{HumanAction, RealmSeed},
    Desk, REALM, code, parts,
};
use crate::control::Controlled;

#[tokio::test(start_paused = true)]
async fn a_token_must_be_known_and_young() {
    let desk = Desk::new();
    let mut request = desk.request("GET", "preferences", "");
    request
        .headers_mut()
        .insert("authorization", HeaderValue::from_static("Bearer nonsense"));
    let response = desk.send(request).await;
    assert_eq!(response.status(), 401);
    let challenge = "Bearer realm=\"Intuit\", error=\"invalid_token\"";
    assert_eq!(response.headers()["www-authenticate"], challenge);
    let (_, body) = parts(&response);
    assert_eq!(body["fault"]["error"][0]["code"], "3200");
    assert_eq!(body["fault"]["type"], "AUTHENTICATION");
    assert!(body["time"].is_number());
    assert_eq!(desk.get("preferences").await.0, 200);
    tokio::time::sleep(Duration::from_secs(3_601)).await;
    assert_eq!(desk.get("preferences").await.0, 401);
    let mut request = desk.request("GET", "preferences", "");
    request.headers_mut().remove("authorization");
    assert_eq!(desk.send(request).await.status(), 401);
}

#[tokio::test]
async fn a_token_opens_only_its_own_company() {
    let desk = Desk::new();
    desk.quickbooks
        .add_realm(RealmSeed::new("42", "Other"))
        .expect("a realm");
    let mut request = desk.request("GET", "preferences", "");
    *request.uri_mut() = "http://127.0.0.1:4600/v3/company/42/preferences"
        .parse()
        .expect("a uri");
    let (status, body) = parts(&desk.send(request).await);
    assert_eq!(
        (status, &body["fault"]["error"][0]["code"]),
        (403, &json!("3100"))
    );
    let action = HumanAction::RemoveUser {
        realm: REALM.to_owned(),
        removed: true,
    };
    desk.quickbooks.act_as_person(action).expect("removed");
    assert_eq!(desk.get("preferences").await.0, 403);
}

#[tokio::test]
async fn an_ended_grant_and_an_ended_subscription_stop_everything() {
    let desk = Desk::new();
    let end = |ended| {
        let action = HumanAction::EndSubscription {
            realm: REALM.to_owned(),
            ended,
        };
        desk.quickbooks.act_as_person(action).expect("done");
    };
    end(true);
    assert_eq!(desk.refused("bill", desk.bill("A")).await, "6190");
    end(false);
    assert_eq!(desk.get("preferences").await.0, 200);
    desk.intuit
        .tokens()
        .disconnect(REALM)
        .expect("disconnected");
    let (status, body) = desk.get("preferences").await;
    assert_eq!(
        (status, &body["fault"]["error"][0]["detail"]),
        (401, &json!("Token revoked"))
    );
}

#[tokio::test]
async fn answers_carry_the_services_headers_and_the_asked_form() {
    let desk = Desk::new();
    let mut request = desk.request("GET", "preferences", "");
    let response = desk.send(request.clone()).await;
    assert_eq!(response.headers()["date"], "Thu, 15 Jan 2026 18:00:00 GMT");
    assert!(
        response.headers()["intuit_tid"]
            .to_str()
            .expect("text")
            .starts_with("1-")
    );
    assert!(response.headers().contains_key("service-time"));
    request
        .headers_mut()
        .insert("accept", HeaderValue::from_static("*/*"));
    let response = desk.send(request).await;
    assert_eq!(
        response.headers()["content-type"],
        "application/xml;charset=utf-8"
    );
    let mut request = desk.request("POST", "bill", "{}");
    request
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("text/plain"));
    assert_eq!(desk.send(request).await.status(), 415);
    assert_eq!(code(&desk.get("invoice/1").await.1), "500");
    assert_eq!(code(&desk.get("bill/1.5").await.1), "2030");
    assert_eq!(code(&desk.get("bill/1/5").await.1), "500");
    assert_eq!(code(&desk.get("bill/77").await.1), "610");
}

#[tokio::test(start_paused = true)]
async fn requests_are_limited_per_second_and_minute() {
    let desk = Desk::new();
    let change = |second, minute| {
        desk.quickbooks
            .change_switches(|switches| {
                switches.requests_per_second = second;
                switches.requests_per_minute = minute;
            })
            .expect("switched");
    };
    change(10, 15);
    let mut codes = Vec::new();
    for _ in 0..11 {
        codes.push(desk.get("preferences").await.0);
    }
    assert_eq!((codes[9], codes[10]), (200, 429));
    tokio::time::sleep(Duration::from_millis(1_001)).await;
    for _ in 0..5 {
        assert_eq!(desk.get("preferences").await.0, 200);
    }
    let (status, body) = desk.get("preferences").await;
    assert_eq!(
        (status, &body["fault"]["error"][0]["code"]),
        (429, &json!("3001"))
    );
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(desk.get("preferences").await.0, 200);
    change(0, 0);
    desk.post("bill", desk.bill("A")).await;
    let traffic = desk.quickbooks.traffic(REALM);
    assert_eq!(
        (traffic.reads, traffic.writes, traffic.throttled),
        (16, 1, 2)
    );
}

#[tokio::test]
async fn the_months_reads_can_be_used_up_while_writes_go_on() {
    let desk = Desk::new();
    desk.quickbooks
        .change_switches(|switches| switches.reads_per_month = 2)
        .expect("ok");
    for expected in [200, 200, 429] {
        assert_eq!(desk.get("preferences").await.0, expected);
    }
    assert_eq!(desk.post("bill", desk.bill("A")).await.0, 200);
    desk.quickbooks
        .change_switches(|switches| {
            switches.reads_per_month = 0;
            switches.month_exhausted = true;
        })
        .expect("ok");
    assert_eq!(desk.query("SELECT * FROM Bill").await.0, 429);
}

#[tokio::test]
async fn tests_in_another_process_drive_it_by_json() {
    let desk = Desk::new();
    let control: &dyn Controlled = &desk.quickbooks;
    control
        .change_switches(json!({ "doc_number": "off", "latency_ms": 0 }))
        .expect("ok");
    control
        .change_switches(json!({ "no_such": 1 }))
        .expect_err("unknown switch");
    assert_eq!(control.switches()["doc_number"], "off");
    desk.made_bill("A").await;
    desk.made_bill("A").await;
    let action = json!({ "action": "delete_bill", "realm": REALM, "id": "1" });
    assert_eq!(control.act(action).expect("done"), json!({ "id": "1" }));
    let world: Value = control.world();
    assert_eq!(world[REALM]["bills"].as_array().expect("bills").len(), 1);
    assert_eq!(world[REALM]["bills_ever"], 2);
}
