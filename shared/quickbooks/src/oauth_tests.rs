use super::*;
use crate::testing::{Reply, World, fault, ok, tokens};

fn refresh_token() -> SecretString {
    SecretString::from("R0")
}

#[tokio::test]
async fn a_refresh_is_a_form_with_basic_credentials() {
    let world = World::with_token_for(60);
    world.network.on_oauth(|_| tokens("R1", "A1"));
    let answer = world
        .oauth
        .refresh(&SecretString::from("R+0/="))
        .await
        .unwrap();
    assert_eq!(answer.refresh_token.expose_secret(), "R1");
    assert_eq!(answer.access.expires_at.to_string(), "2026-01-15T19:00:00Z");
    assert_eq!(
        answer.refresh_expires_at.unwrap().to_string(),
        "2026-04-26T18:00:00Z"
    );
    assert_eq!(answer.hard_expires_at, None);
    let seen = &world.network.refreshes()[0];
    assert_eq!(
        seen.body,
        "grant_type=refresh_token&refresh_token=R%2B0%2F%3D"
    );
    assert_eq!(seen.headers["authorization"], "Basic Y2xpZW50OnMzY3JldA==");
    assert_eq!(
        seen.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(
        seen.headers["x-include-refresh-token-hard-expires-in"],
        "true"
    );
    assert_eq!((seen.method.as_str(), seen.query.as_str()), ("POST", ""));
}

#[tokio::test]
async fn discovery_is_read_once_a_day() {
    let world = World::with_token_for(60);
    world.network.on_oauth(|_| tokens("R1", "A1"));
    let reads = || {
        let seen = world.network.seen.lock().unwrap();
        seen.iter()
            .filter(|s| s.path.contains(".well-known"))
            .count()
    };
    for _ in 0..3 {
        world.oauth.refresh(&refresh_token()).await.unwrap();
    }
    assert_eq!(reads(), 1);
    world.clock.advance(Duration::from_hours(25));
    world.oauth.refresh(&refresh_token()).await.unwrap();
    assert_eq!(reads(), 2);
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let world = World::with_token_for(60);
    for body in [
        r#"{"access_token":"A1","expires_in":3600}"#,
        r#"{"access_token":"A1","refresh_token":"","expires_in":3600}"#,
        r#"{"refresh_token":"R1","expires_in":3600}"#,
        r#"{"access_token":"A1","refresh_token":"R1"}"#,
        r#"{"access_token":"A1","refresh_token":"R1","expires_in":0}"#,
        r#"{"access_token":"A1","refresh_token":"R1","expires_in":3600,"error":"x"}"#,
        r#"{"access_token":"A 1\n","refresh_token":"R1","expires_in":3600}"#,
        r#"{"access_token":"A1","refresh_token":"R1","expires_in":3600,"token_type":"mac"}"#,
        r#"{"access_token":"A1","refresh"#,
        "<html></html>",
        "",
    ] {
        world.network.on_oauth(move |_| ok(body));
        let error = world.oauth.refresh(&refresh_token()).await.unwrap_err();
        let OAuthError::Failed(failure) = error else {
            panic!("{body}: {error:?}")
        };
        assert_eq!(failure.code(), Code::QuickBooksFailing, "{body}");
    }
}

#[tokio::test]
async fn errors_are_told_apart() {
    let world = World::with_token_for(60);
    for (status, body, expected) in [
        (
            401,
            r#"{"error":"invalid_client"}"#,
            Code::QuickBooksClientRefused,
        ),
        (
            400,
            r#"{"error":"unsupported_grant_type"}"#,
            Code::QuickBooksBug,
        ),
        (500, r#"{"error":"invalid_grant"}"#, Code::QuickBooksFailing),
        (503, "<html>down</html>", Code::QuickBooksFailing),
        (429, "", Code::QuickBooksThrottled),
        (403, "<html>blocked</html>", Code::QuickBooksFailing),
    ] {
        world
            .network
            .on_oauth(move |_| Reply::Answer(status, body.into()));
        let error = world.oauth.refresh(&refresh_token()).await.unwrap_err();
        assert_eq!(Failure::from(error).code(), expected, "{status} {body}");
    }
    let refused = r#"{"error":"invalid_grant","error_description":"Token invalid"}"#;
    world
        .network
        .on_oauth(move |_| Reply::Answer(400, refused.into()));
    let error = world
        .oauth
        .exchange_code(&refresh_token(), "https://x.test/cb")
        .await
        .unwrap_err();
    assert!(matches!(error, OAuthError::InvalidGrant(_)), "{error:?}");
    assert_eq!(Failure::from(error).code(), Code::QuickBooksDisconnected);
}

#[tokio::test]
async fn revoking_what_is_already_gone_is_done() {
    let world = World::with_token_for(60);
    for (status, is_done) in [(200, true), (400, true), (401, false), (503, false)] {
        world
            .network
            .on_oauth(move |_| Reply::Answer(status, String::new()));
        let outcome = world.oauth.revoke(&refresh_token()).await;
        assert_eq!(outcome.is_ok(), is_done, "{status}");
    }
    let seen = world.network.seen.lock().unwrap();
    assert_eq!(seen.last().unwrap().body, r#"{"token":"R0"}"#);
}

#[tokio::test]
async fn a_bare_refresh_token_becomes_a_grant_and_proves_its_realm() {
    let world = World::with_token_for(60);
    world.network.on_oauth(|_| tokens("R1", "A1"));
    let tenant = "north-wind".parse().unwrap();
    let realm: purser_core::ids::RealmId = "4242".parse().unwrap();
    let clock = &*world.clock;
    let given = refresh_token();
    let grant =
        crate::connect_with_refresh_token(&world.oauth, clock, &tenant, &realm, &given).await;
    let grant = grant.unwrap();
    assert_eq!(grant.refresh_token.expose_secret(), "R1");
    assert_eq!(grant.realm, realm);
    let token = grant.access.unwrap().token;
    let prove = || {
        let proof = crate::Proof {
            transport: world.network.clone(),
            clock: world.clock.clone(),
            policy: Policy::default(),
            base_url: crate::PRODUCTION.parse().unwrap(),
            tenant: "north-wind".parse().unwrap(),
            realm: realm.clone(),
        };
        crate::prove_realm(proof, &token)
    };
    world.network.script([
        ok(r#"{"CompanyInfo":{"CompanyName":"Larry's Bakery","Id":"1"}}"#),
        fault(403, "3100"),
    ]);
    assert_eq!(prove().await.unwrap(), "Larry's Bakery");
    assert_eq!(prove().await.unwrap_err().code(), Code::QuickBooksForbidden);
    assert_eq!(
        world.network.calls()[0].path,
        "/v3/company/4242/companyinfo/4242"
    );
}

#[tokio::test]
async fn the_sign_in_address_carries_the_state_and_the_nonce() {
    let world = World::with_token_for(60);
    let scope = "com.intuit.quickbooks.accounting";
    let address = async |nonce| {
        let url = world
            .oauth
            .authorization_url(scope, "https://x.test/cb?", "s&t", nonce);
        String::from(url.await.unwrap())
    };
    let plain = "https://appcenter.intuit.com/connect/oauth2?client_id=client&response_type=code\
         &scope=com.intuit.quickbooks.accounting&redirect_uri=https%3A%2F%2Fx.test%2Fcb%3F&state=s%26t";
    assert_eq!(address(None).await, plain);
    assert_eq!(address(Some("n=1")).await, format!("{plain}&nonce=n%3D1"));
}
