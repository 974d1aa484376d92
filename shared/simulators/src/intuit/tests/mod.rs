//! Every rule, driven through the HTTP surface.

mod pages;
mod rotation;

use std::{sync::Arc, time::Duration};

use aws_lc_rs::{rsa::PublicKeyComponents, signature::RSA_PKCS1_2048_8192_SHA256};
use bytes::Bytes;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http::{Request, Response, header};
use serde_json::{Value, json};
use url::{Url, form_urlencoded::Serializer};

use super::{IntuitSimulator, Role, Rotation, TokenState};
use crate::{
    clock::TokioClock,
    control::Controlled,
    exchange::{Context, Exchange},
    fault::Faults,
    journal::Journal,
    store::Store,
};

const BASE: &str = "http://127.0.0.1:4600";
const REALM: &str = "9130350000000001";
const REDIRECT: &str = "https://purser.example.test/oauth/callback";
const SCOPE: &str = "com.intuit.quickbooks.accounting openid profile email";

struct Desk {
    intuit: IntuitSimulator,
    context: Context,
}

impl Desk {
    fn new() -> Self {
        Self::on(Store::memory())
    }

    fn on(store: Store) -> Self {
        let base = "2026-01-15T18:00:00Z".parse().expect("a time");
        let context = Context {
            clock: Arc::new(TokioClock::new(base)),
            store: Arc::new(store),
            journal: Arc::new(Journal::default()),
            faults: Arc::new(Faults::default()),
            public_url: BASE.into(),
        };
        let intuit = IntuitSimulator::new(context.clone()).expect("intuit");
        let tokens = intuit.tokens();
        tokens
            .add_client("client", "secret", &[REDIRECT])
            .expect("a client");
        tokens
            .add_client("other", "word", &[REDIRECT])
            .expect("a client");
        let realms = [
            (REALM, Role::Admin),
            ("77", Role::User),
            ("88", Role::Accountant),
        ];
        tokens
            .add_person("jane@example.test", "Jane Doe", &realms)
            .expect("a person");
        Self { intuit, context }
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        match self.intuit.handle(request).await {
            Exchange::Answer(response) => response,
            other => panic!("no answer: {other:?}"),
        }
    }

    async fn get(&self, path: &str) -> Response<Bytes> {
        self.send(
            Request::get(format!("{BASE}{path}"))
                .body(Bytes::new())
                .expect("ok"),
        )
        .await
    }

    async fn form(
        &self,
        path: &str,
        user: Option<(&str, &str)>,
        form: &[(&str, &str)],
    ) -> (u16, Value) {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = Request::post(format!("{BASE}{path}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some((id, secret)) = user {
            let encoded = BASE64.encode(format!("{id}:{secret}").as_bytes());
            request = request.header(header::AUTHORIZATION, format!("Basic {encoded}"));
        }
        parts(
            &self
                .send(request.body(Bytes::from(body)).expect("a request"))
                .await,
        )
    }

    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        self.form("/oauth2/v1/tokens/bearer", Some(("client", "secret")), form)
            .await
    }

    async fn refresh(&self, token: &str) -> (u16, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    async fn redeem(&self, code: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
        ];
        self.token(&form).await
    }

    /// Sends the consent form and answers where the browser goes.
    async fn consent(&self, changes: &[(&str, &str)]) -> Url {
        let response = self.authorize(changes).await;
        assert_eq!(response.status(), 302);
        let location = response.headers()[header::LOCATION].to_str().expect("text");
        Url::parse(location).expect("a url")
    }

    async fn authorize(&self, changes: &[(&str, &str)]) -> Response<Bytes> {
        let mut form = vec![
            ("client_id", "client"),
            ("response_type", "code"),
            ("scope", SCOPE),
            ("redirect_uri", REDIRECT),
            ("state", "s-1"),
            ("email", "jane@example.test"),
            ("realmId", REALM),
            ("action", "connect"),
        ];
        for (name, value) in changes {
            form.retain(|(known, _)| known != name);
            form.push((*name, *value));
        }
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(format!("{BASE}/connect/oauth2")).body(Bytes::from(body));
        self.send(request.expect("a request")).await
    }

    async fn code(&self) -> String {
        parameter(&self.consent(&[("nonce", "n-1")]).await, "code").expect("a code")
    }

    fn worth(&self, token: &Value) -> TokenState {
        let token = token.as_str().expect("a token");
        self.intuit
            .tokens()
            .state_of(token, self.context.clock.now())
    }

    fn rotate(&self, rotation: Rotation) {
        let tokens = self.intuit.tokens();
        tokens
            .change_switches(|switches| switches.rotation = rotation)
            .expect("switched");
    }

    fn grant(&self) -> String {
        self.intuit
            .tokens()
            .grant(REALM, "client", self.context.clock.now())
            .expect("a grant")
    }
}

fn parts(response: &Response<Bytes>) -> (u16, Value) {
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_slice(response.body()).unwrap_or_default(),
    )
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

async fn hours(count: u64) {
    tokio::time::sleep(Duration::from_secs(count * 3_600)).await;
}

#[tokio::test]
async fn discovery_names_its_own_endpoints() {
    let desk = Desk::new();
    let (status, document) = parts(&desk.get("/.well-known/openid_configuration").await);
    assert_eq!(status, 200);
    assert_eq!(document["issuer"], format!("{BASE}/op/v1"));
    assert_eq!(
        document["token_endpoint"],
        format!("{BASE}/oauth2/v1/tokens/bearer")
    );
    assert!(document.get("code_challenge_methods_supported").is_none());
    let (_, sandbox) = parts(&desk.get("/.well-known/openid_sandbox_configuration").await);
    assert_ne!(document["userinfo_endpoint"], sandbox["userinfo_endpoint"]);
    assert_eq!(desk.get("/op/v2/none").await.status(), 404);
}

#[tokio::test]
async fn a_person_signs_in_and_chooses_a_company() {
    let desk = Desk::new();
    let query = Serializer::new(String::new())
        .extend_pairs([
            ("client_id", "client"),
            ("response_type", "code"),
            ("scope", SCOPE),
            ("redirect_uri", REDIRECT),
            ("state", "<s>"),
        ])
        .finish();
    let page = desk.get(&format!("/connect/oauth2?{query}")).await;
    assert_eq!(page.status(), 200);
    let page = String::from_utf8(page.body().to_vec()).expect("text");
    assert!(page.contains("jane@example.test"), "{page}");
    assert!(
        page.contains("&lt;s&gt;") && !page.contains("<s>"),
        "{page}"
    );
    let page = desk
        .authorize(&[("action", "sign_in"), ("realmId", "")])
        .await;
    assert_eq!(page.status(), 200);
    let page = String::from_utf8(page.body().to_vec()).expect("text");
    assert!(
        page.contains(REALM) && page.contains("only an administrator"),
        "{page}"
    );
    let back = desk.consent(&[]).await;
    assert!(back.as_str().starts_with(REDIRECT));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s-1"));
    assert_eq!(parameter(&back, "realmId").as_deref(), Some(REALM));
    assert!(parameter(&back, "code").is_some());
}

#[tokio::test]
async fn a_refusal_goes_back_with_its_reason() {
    let desk = Desk::new();
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("action", "cancel")], "access_denied"),
        (&[("realmId", "77")], "access_denied"),
        (&[("realmId", "12345")], "access_denied"),
        (&[("scope", "com.intuit.everything")], "invalid_scope"),
        (&[("response_type", "token")], "unsupported_response_type"),
    ];
    for (changes, error) in cases {
        let back = desk.consent(changes).await;
        assert_eq!(parameter(&back, "error").as_deref(), Some(error));
        assert_eq!(parameter(&back, "state").as_deref(), Some("s-1"));
        assert_eq!(parameter(&back, "code"), None);
    }
    let back = desk.consent(&[("realmId", "88")]).await;
    assert!(parameter(&back, "code").is_some());
}

#[tokio::test]
async fn an_unknown_app_or_address_never_sends_the_browser_away() {
    let desk = Desk::new();
    let wrong: [(&str, &str); 4] = [
        ("client_id", "nobody"),
        (
            "redirect_uri",
            "https://purser.example.test/oauth/callback/",
        ),
        ("redirect_uri", "https://evil.test/"),
        ("state", ""),
    ];
    for change in wrong {
        let response = desk.authorize(&[change]).await;
        assert_eq!(response.status(), 400, "{change:?}");
        assert!(!response.headers().contains_key(header::LOCATION));
    }
}

#[tokio::test]
async fn revoking_ends_the_grant_once() {
    let desk = Desk::new();
    let (_, answer) = desk.redeem(&desk.code().await).await;
    let revoke = async |token: &Value, secret: &str, kind: &str| {
        let encoded = BASE64.encode(format!("client:{secret}").as_bytes());
        let request = Request::post(format!("{BASE}/v2/oauth2/tokens/revoke"))
            .header(header::CONTENT_TYPE, kind)
            .header(header::AUTHORIZATION, format!("Basic {encoded}"))
            .body(Bytes::from(json!({ "token": token }).to_string()));
        desk.send(request.expect("a request")).await
    };
    let token = &answer["refresh_token"];
    assert_eq!(
        revoke(token, "wrong", "application/json").await.status(),
        401
    );
    assert_eq!(revoke(token, "secret", "text/plain").await.status(), 400);
    let done = revoke(token, "secret", "application/json").await;
    assert_eq!((done.status().as_u16(), done.body().len()), (200, 0));
    assert_eq!(
        revoke(token, "secret", "application/json").await.status(),
        400
    );
    assert_eq!(desk.worth(&answer["access_token"]), TokenState::Revoked);
    assert_eq!(desk.intuit.tokens().live_grants(REALM), 0);
}

#[tokio::test]
async fn the_identity_token_is_signed_by_a_published_key() {
    let desk = Desk::new();
    let (_, answer) = desk.redeem(&desk.code().await).await;
    let token = text(&answer["id_token"]);
    let (signed, signature) = token.rsplit_once('.').expect("a signature");
    let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).expect("base64");
    let mut pieces = signed.split('.');
    let mut part = || -> Value {
        serde_json::from_slice(&decode(pieces.next().expect("a part"))).expect("json")
    };
    let (head, claims) = (part(), part());
    let (_, keys) = parts(&desk.get("/op/v1/jwks").await);
    let key = &keys["keys"][0];
    assert_eq!((&head["alg"], &head["kid"]), (&json!("RS256"), &key["kid"]));
    let public = PublicKeyComponents {
        n: decode(&text(&key["n"])),
        e: decode(&text(&key["e"])),
    };
    public
        .verify(
            &RSA_PKCS1_2048_8192_SHA256,
            signed.as_bytes(),
            &decode(signature),
        )
        .expect("a good signature");
    assert_eq!(claims["aud"], json!(["client"]));
    assert_eq!(claims["iss"], format!("{BASE}/op/v1"));
    assert_eq!(
        (&claims["realmid"], &claims["nonce"]),
        (&json!(REALM), &json!("n-1"))
    );
    let seconds = claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat");
    assert_eq!(seconds, 3_600);
}

#[tokio::test]
async fn user_info_tells_what_the_scope_allows() {
    let desk = Desk::new();
    let info = async |token: &str| {
        let request = Request::get(format!("{BASE}/v1/openid_connect/userinfo"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Bytes::new());
        parts(&desk.send(request.expect("a request")).await)
    };
    let (_, answer) = desk.redeem(&desk.code().await).await;
    let (status, person) = info(&text(&answer["access_token"])).await;
    assert_eq!(
        (status, &person["email"]),
        (200, &json!("jane@example.test"))
    );
    assert_eq!(person["givenName"], "Jane");
    let back = desk.consent(&[("scope", "openid"), ("realmId", "")]).await;
    assert_eq!(parameter(&back, "realmId"), None);
    let code = parameter(&back, "code").expect("a code");
    let (_, answer) = desk.redeem(&code).await;
    assert_eq!(
        desk.worth(&answer["access_token"]),
        TokenState::Good { realm: None }
    );
    let (_, person) = info(&text(&answer["access_token"])).await;
    assert!(person.get("email").is_none() && person["sub"].is_string());
    assert_eq!(info("nonsense").await.0, 401);
}

#[tokio::test]
async fn secrets_stay_out_of_the_journal_and_grants_survive_a_restart() {
    let name = format!("purser-intuit-{}.db", std::process::id());
    let path = std::env::temp_dir().join(name);
    let desk = Desk::on(Store::open(&path).expect("a store"));
    let token = desk.grant();
    let (_, answer) = desk.refresh(&token).await;
    let entries = desk.context.journal.entries();
    let kept = format!("{entries:?}");
    assert!(!kept.contains(&token) && !kept.contains(&text(&answer["access_token"])));
    assert_eq!(entries[0].route, "POST token");
    let again = IntuitSimulator::new(desk.context.clone()).expect("intuit");
    let access = text(&answer["access_token"]);
    let now = desk.context.clock.now();
    let good = TokenState::Good {
        realm: Some(REALM.to_owned()),
    };
    assert_eq!(again.tokens().state_of(&access, now), good);
    assert_eq!(
        again.tokens().state_of("nonsense", now),
        TokenState::Unknown
    );
    let ended = again
        .act(json!({ "action": "disconnect", "realm": REALM }))
        .expect("done");
    assert_eq!(ended, json!({ "ended": 1 }));
    drop((desk, again));
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}
