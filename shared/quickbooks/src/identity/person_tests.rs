use purser_transport::TransportErrorKind;
use serde_json::json;

use super::*;
use crate::testing::{Reply, World, ok};

async fn ask(world: &World, reply: Reply) -> Result<Person, Failure> {
    world.network.on_oauth(move |_| reply.clone());
    world.oauth.user_info(&SecretString::from("A1")).await
}

async fn told(world: &World, body: Value) -> Person {
    ask(world, ok(body.to_string())).await.unwrap()
}

#[tokio::test]
async fn a_person_has_a_subject_an_address_and_a_name() {
    let world = World::with_token_for(60);
    let body = json!({
        "sub": "8f3a-1", "email": "jane@example.test", "emailVerified": true,
        "givenName": "Jane", "familyName": "Doe", "phoneNumber": "+1 555 0100",
        "address": { "locality": "Springfield" },
    });
    assert_eq!(
        told(&world, body).await,
        Person {
            subject: "8f3a-1".into(),
            email: Some("jane@example.test".into()),
            email_verified: true,
            name: Some("Jane Doe".into()),
        }
    );
    let seen = world.network.seen.lock().unwrap();
    let seen = seen.last().unwrap();
    assert_eq!(
        (seen.method.as_str(), seen.host.as_str(), seen.path.as_str()),
        (
            "GET",
            "accounts.platform.intuit.com",
            "/v1/openid_connect/userinfo"
        )
    );
    assert_eq!((seen.query.as_str(), seen.body.as_str()), ("", ""));
    assert_eq!(seen.headers["authorization"], "Bearer A1");
    assert!(seen.headers["authorization"].is_sensitive());
}

#[tokio::test]
async fn an_address_is_verified_only_when_it_is_said_so() {
    let world = World::with_token_for(60);
    for (email, verified, expected) in [
        (json!("j@x.test"), json!(true), (true, true)),
        (json!("j@x.test"), json!("true"), (true, true)),
        (json!(" j@x.test "), json!(true), (true, true)),
        (json!("j@x.test"), json!(false), (true, false)),
        (json!("j@x.test"), json!("false"), (true, false)),
        (json!("j@x.test"), json!("yes"), (true, false)),
        (json!("j@x.test"), json!(1), (true, false)),
        (json!("j@x.test"), json!(null), (true, false)),
        (
            json!("j@x.test\r\nBcc: k@x.test"),
            json!(true),
            (false, false),
        ),
        (json!("<j@x.test>"), json!(true), (false, false)),
        (json!("jane"), json!(true), (false, false)),
        (json!(["j@x.test"]), json!(true), (false, false)),
        (json!(null), json!(true), (false, false)),
    ] {
        let body = json!({ "sub": "s", "email": email, "emailVerified": verified });
        let person = told(&world, body.clone()).await;
        let seen = (person.email.is_some(), person.email_verified);
        assert_eq!(seen, expected, "{body}");
    }
}

#[tokio::test]
async fn a_name_is_one_visible_line() {
    let world = World::with_token_for(60);
    let long = "x".repeat(300);
    for (given, family, expected) in [
        (json!("  Jane "), json!("\tDoe\n"), Some("Jane Doe")),
        (json!("Ja\u{0}ne\u{1b}[31m"), json!(null), Some("Jane[31m")),
        (json!("Jane\u{202e}eoD"), json!(""), Some("JaneeoD")),
        (json!(null), json!("Doe"), Some("Doe")),
        (json!("Zoë"), json!("李"), Some("Zoë 李")),
        (json!(7), json!({ "a": 1 }), None),
        (json!(" \n "), json!("\u{7f}"), None),
        (json!(long), json!("Doe"), Some(&long[..200])),
    ] {
        let body = json!({ "sub": "s", "givenName": given, "familyName": family });
        let person = told(&world, body.clone()).await;
        assert_eq!(person.name.as_deref(), expected, "{body}");
    }
}

#[tokio::test]
async fn whoever_cannot_be_read_is_nobody() {
    let world = World::with_token_for(60);
    let long = "x".repeat(256);
    for body in [
        json!({ "email": "j@x.test", "emailVerified": true }),
        json!({ "sub": "" }),
        json!({ "sub": " " }),
        json!({ "sub": 7 }),
        json!({ "sub": null }),
        json!({ "sub": ["s"] }),
        json!({ "sub": "a\nb" }),
        json!({ "sub": long }),
        json!([{ "sub": "s" }]),
        json!("s"),
    ] {
        let failure = ask(&world, ok(body.to_string())).await.unwrap_err();
        assert_eq!(failure.code(), Code::QuickBooksFailing, "{body}");
    }
    let good = r#"{"sub":"s"}"#;
    for (status, body, expected) in [
        (401, r#"{"error":"invalid_token"}"#, Code::AccessTokenStale),
        (401, good, Code::AccessTokenStale),
        (302, good, Code::QuickBooksFailing),
        (403, "<html>blocked</html>", Code::QuickBooksFailing),
        (429, "", Code::QuickBooksThrottled),
        (500, good, Code::QuickBooksFailing),
        (200, "<html>hello</html>", Code::QuickBooksFailing),
        (200, r#"{"sub":"#, Code::QuickBooksFailing),
        (200, "", Code::QuickBooksFailing),
    ] {
        let reply = Reply::Answer(status, body.into());
        let failure = ask(&world, reply).await.unwrap_err();
        assert_eq!(failure.code(), expected, "{status} {body}");
        assert_eq!(failure.answer.status, Some(status));
    }
    let reply = Reply::Broken(TransportErrorKind::NotSent);
    let failure = ask(&world, reply).await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksUnreachable);
}
