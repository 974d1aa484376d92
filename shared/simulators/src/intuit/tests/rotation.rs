use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, header};
use serde_json::json;

use super::{BASE, Desk, REALM, hours, parts, text};
use crate::{
    control::Controlled,
    intuit::{Rotation, TokenState},
};

#[tokio::test]
async fn a_code_gives_tokens_once_and_its_second_use_ends_them() {
    let desk = Desk::new();
    let code = desk.code().await;
    let (status, answer) = desk.redeem(&code).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["token_type"], "bearer");
    assert_eq!(answer["expires_in"], 3600);
    assert_eq!(answer["x_refresh_token_expires_in"], 8_640_000);
    assert!(answer.get("x_refresh_token_hard_expires_in").is_none());
    let good = TokenState::Good {
        realm: Some(REALM.to_owned()),
    };
    assert_eq!(desk.worth(&answer["access_token"]), good);
    let (status, again) = desk.redeem(&code).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")));
    assert_eq!(desk.worth(&answer["access_token"]), TokenState::Revoked);
    let refresh = text(&answer["refresh_token"]);
    assert_eq!(desk.refresh(&refresh).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn codes_and_tokens_grow_old() {
    let desk = Desk::new();
    let code = desk.code().await;
    hours(1).await;
    assert_eq!(desk.redeem(&code).await.0, 400);
    let (_, answer) = desk.redeem(&desk.code().await).await;
    hours(1).await;
    assert_eq!(desk.worth(&answer["access_token"]), TokenState::Expired);
    let refresh = text(&answer["refresh_token"]);
    hours(99 * 24).await;
    let (status, answer) = desk.refresh(&refresh).await;
    assert_eq!(status, 200);
    hours(101 * 24).await;
    assert_eq!(desk.refresh(&text(&answer["refresh_token"])).await.0, 400);
}

#[tokio::test]
async fn the_client_must_prove_itself_and_repeat_its_address() {
    let desk = Desk::new();
    let form = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    for user in [None, Some(("client", "wrong")), Some(("nobody", "secret"))] {
        let (status, answer) = desk.form("/oauth2/v1/tokens/bearer", user, &form).await;
        assert_eq!((status, &answer["error"]), (401, &json!("invalid_client")));
    }
    let code = desk.code().await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://purser.example.test/other"),
    ];
    let (status, answer) = desk.token(&form).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    let (_, answer) = desk.token(&[("grant_type", "password")]).await;
    assert_eq!(answer["error"], "unsupported_grant_type");
    let token = desk.grant();
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
    ];
    let other = Some(("other", "word"));
    let (_, answer) = desk.form("/oauth2/v1/tokens/bearer", other, &form).await;
    assert_eq!(answer["error"], "invalid_grant");
}

#[tokio::test(start_paused = true)]
async fn daily_rotation_keeps_the_value_for_a_day_and_then_kills_it() {
    let desk = Desk::new();
    let first = desk.grant();
    let (_, answer) = desk.refresh(&first).await;
    assert_eq!(answer["refresh_token"], first);
    hours(24).await;
    let (_, answer) = desk.refresh(&first).await;
    assert_ne!(answer["refresh_token"], first);
    assert_eq!(desk.refresh(&first).await.0, 400);
    assert_eq!(desk.refresh(&text(&answer["refresh_token"])).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn strict_rotation_kills_at_every_use() {
    let desk = Desk::new();
    desk.rotate(Rotation::Strict);
    let first = desk.grant();
    let (_, answer) = desk.refresh(&first).await;
    let second = text(&answer["refresh_token"]);
    assert_ne!(second, first);
    assert_eq!(desk.refresh(&first).await.0, 400);
    assert_eq!(desk.refresh(&second).await.0, 200);
    let third = desk.grant();
    let (_, answer) = desk.refresh(&third).await;
    let tokens = desk.intuit.tokens();
    tokens
        .change_switches(|switches| switches.reuse_revokes = true)
        .expect("ok");
    assert_eq!(desk.refresh(&third).await.0, 400);
    assert_eq!(desk.refresh(&text(&answer["refresh_token"])).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn grace_lets_the_old_value_work_for_one_more_day() {
    let desk = Desk::new();
    desk.rotate(Rotation::Grace);
    let first = desk.grant();
    hours(24).await;
    let (_, answer) = desk.refresh(&first).await;
    let second = text(&answer["refresh_token"]);
    hours(23).await;
    let (status, answer) = desk.refresh(&first).await;
    assert_eq!(
        (status, text(&answer["refresh_token"])),
        (200, second.clone())
    );
    hours(2).await;
    assert_eq!(desk.refresh(&first).await.0, 400);
    assert_eq!(desk.refresh(&second).await.0, 200);
}

#[tokio::test]
async fn an_outage_refuses_good_tokens_and_leaves_them_good() {
    let desk = Desk::new();
    let token = desk.grant();
    let control: &dyn Controlled = &desk.intuit;
    control
        .change_switches(json!({ "invalid_grant_outage": true }))
        .expect("ok");
    let (status, answer) = desk.refresh(&token).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    control
        .change_switches(json!({ "invalid_grant_outage": false }))
        .expect("ok");
    assert_eq!(desk.refresh(&token).await.0, 200);
    control
        .change_switches(json!({ "nothing": 1 }))
        .expect_err("unknown switch");
}

#[tokio::test]
async fn the_hard_end_is_told_when_asked_for() {
    let desk = Desk::new();
    let token = desk.grant();
    let encoded = BASE64.encode(b"client:secret");
    let request = Request::post(format!("{BASE}/oauth2/v1/tokens/bearer"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, format!("Basic {encoded}"))
        .header("x-include-refresh-token-hard-expires-in", "true")
        .body(Bytes::from(format!(
            "grant_type=refresh_token&refresh_token={token}"
        )));
    let (_, answer) = parts(&desk.send(request.expect("a request")).await);
    let seconds = answer["x_refresh_token_hard_expires_in"]
        .as_i64()
        .expect("a number");
    assert!((157_679_990..=157_680_000).contains(&seconds), "{seconds}");
}
