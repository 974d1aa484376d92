use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{
        KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    },
};
use serde_json::json;

use super::*;
use crate::testing::{Reply, World, ok};

const ISSUER: &str = "https://oauth.platform.intuit.com/op/v1";
/// The clock of [`World`] stands here: 2026-01-15T18:00:00Z.
const NOW: i64 = 1_768_500_000;

/// Two keys, made once per process: Intuit's, and one that Intuit does not know (yet).
fn pair(index: usize) -> &'static RsaKeyPair {
    static PAIRS: OnceLock<[RsaKeyPair; 2]> = OnceLock::new();
    let make = || RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    &PAIRS.get_or_init(|| [make(), make()])[index]
}

fn modulus(pair: &RsaKeyPair) -> Vec<u8> {
    PublicKeyComponents::<Vec<u8>>::from(pair.public_key()).n
}

fn public(key_id: &str, pair: &RsaKeyPair) -> Value {
    let n = BASE64URL_NOPAD.encode(&modulus(pair));
    json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id, "e": "AQAB", "n": n })
}

fn claims() -> Value {
    json!({
        "sub": "8f3a-1", "aud": ["client"], "iss": ISSUER, "realmid": "4242", "auth_time": NOW - 9,
        "iat": NOW, "exp": NOW + 3_600,
    })
}

/// The good claims with these instead; null takes one out.
fn changed(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name.as_str()] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, v| !v.is_null());
    claims
}

fn encode(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

fn sign_as(
    header: &Value,
    claims: &Value,
    scheme: &'static dyn RsaEncoding,
    pair: &RsaKeyPair,
) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        scheme,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

fn rs256(key_id: &str) -> Value {
    json!({ "alg": "RS256", "kid": key_id })
}

fn signed(claims: &Value) -> String {
    sign_as(&rs256("k1"), claims, &RSA_PKCS1_SHA256, pair(0))
}

/// A world whose key set is `keys`, to be changed at will.
fn world(keys: &Value) -> (World, Arc<Mutex<Reply>>) {
    let world = World::with_token_for(60);
    let reply = Arc::new(Mutex::new(ok(json!({ "keys": keys }).to_string())));
    let answer = Arc::clone(&reply);
    world.network.on_oauth(move |seen| {
        assert_eq!(
            (seen.method.as_str(), seen.path.as_str()),
            ("GET", "/op/v1/jwks")
        );
        assert!(!seen.headers.contains_key("authorization"));
        answer.lock().unwrap().clone()
    });
    (world, reply)
}

fn usual_world() -> World {
    world(&json!([public("k1", pair(0))])).0
}

fn reads(world: &World) -> usize {
    let seen = world.network.seen.lock().unwrap();
    seen.iter().filter(|s| s.path.ends_with("/jwks")).count()
}

async fn verify(
    world: &World,
    token: &str,
    nonce: Option<&str>,
) -> Result<Identity, IdentityError> {
    let outcome = world
        .oauth
        .verify_id_token(&SecretString::from(token), nonce)
        .await;
    if let Err(error) = &outcome {
        let told = format!("{error} {error:?}");
        let mut parts = token.split('.').filter(|part| part.len() > 3);
        assert!(!parts.any(|part| told.contains(part)), "{told}");
    }
    outcome
}

#[tokio::test]
async fn a_good_token_names_the_person_and_the_company() {
    let world = usual_world();
    let identity = verify(&world, &signed(&claims()), None).await.unwrap();
    assert_eq!(
        identity,
        Identity {
            issuer: ISSUER.into(),
            subject: "8f3a-1".into(),
            realm: Some("4242".parse().unwrap()),
        }
    );
    for good in [
        json!({ "aud": "client" }),
        json!({ "exp": NOW - 59 }),
        json!({ "iat": NOW + 300 }),
        json!({ "nbf": NOW }),
    ] {
        let token = signed(&changed(&good));
        assert!(verify(&world, &token, None).await.is_ok(), "{good}");
    }
    for no_realm in [json!(null), json!("42x"), json!(""), json!(4242)] {
        let token = signed(&changed(&json!({ "realmid": no_realm })));
        let identity = verify(&world, &token, None).await.unwrap();
        assert_eq!(identity.realm, None, "{no_realm}");
    }
}

#[tokio::test]
async fn a_nonce_must_be_ours_and_may_be_missing() {
    let world = usual_world();
    let with_nonce = signed(&changed(&json!({ "nonce": "n-1" })));
    assert!(verify(&world, &with_nonce, Some("n-1")).await.is_ok());
    assert!(
        verify(&world, &signed(&claims()), Some("n-1"))
            .await
            .is_ok()
    );
    for other in [None, Some("n-2"), Some(""), Some("n-1 ")] {
        let error = verify(&world, &with_nonce, other).await.unwrap_err();
        assert_eq!(error, IdentityError::Nonce, "{other:?}");
    }
    let mut odd = claims();
    odd["nonce"] = json!(7);
    for nonce in [None, Some("7")] {
        let error = verify(&world, &signed(&odd), nonce).await.unwrap_err();
        assert_eq!(error, IdentityError::Nonce);
    }
    odd["nonce"] = json!(null);
    assert!(verify(&world, &signed(&odd), None).await.is_err());
}

#[tokio::test]
async fn a_token_signed_in_any_other_way_is_refused() {
    let world = usual_world();
    let none = json!({ "alg": "none", "kid": "k1" });
    let hs256 = json!({ "alg": "HS256", "kid": "k1" });
    let message = format!("{}.{}", encode(&hs256), encode(&claims()));
    let public_as_secret = hmac::Key::new(hmac::HMAC_SHA256, &modulus(pair(0)));
    let tag = hmac::sign(&public_as_secret, message.as_bytes());
    let tag = BASE64URL_NOPAD.encode(tag.as_ref());
    let rs384 = json!({ "alg": "RS384", "kid": "k1" });
    let ps256 = json!({ "alg": "PS256", "kid": "k1" });
    let critical = json!({ "alg": "RS256", "kid": "k1", "crit": ["b64"], "b64": false });
    let unsigned = |header: &Value| format!("{}.{}.", encode(header), encode(&claims()));
    for token in [
        unsigned(&none),
        unsigned(&json!({ "alg": "None", "kid": "k1" })),
        unsigned(&json!({ "kid": "k1" })),
        format!("{message}.{tag}"),
        sign_as(&rs384, &claims(), &RSA_PKCS1_SHA384, pair(0)),
        sign_as(&ps256, &claims(), &RSA_PSS_SHA256, pair(0)),
        sign_as(&critical, &claims(), &RSA_PKCS1_SHA256, pair(0)),
    ] {
        let error = verify(&world, &token, None).await.unwrap_err();
        assert_eq!(error, IdentityError::Algorithm, "{token}");
    }
    // The header says RS256, and the signature is something else.
    for token in [
        format!("{}.{}.{tag}", encode(&rs256("k1")), encode(&claims())),
        sign_as(&rs256("k1"), &claims(), &RSA_PKCS1_SHA384, pair(0)),
        sign_as(&rs256("k1"), &claims(), &RSA_PSS_SHA256, pair(0)),
        sign_as(&rs256("k1"), &claims(), &RSA_PKCS1_SHA256, pair(1)),
        unsigned(&rs256("k1")),
    ] {
        let error = verify(&world, &token, None).await.unwrap_err();
        assert_eq!(error, IdentityError::Signature, "{token}");
    }
}

#[tokio::test]
async fn an_altered_token_is_refused() {
    let world = usual_world();
    let good = signed(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("{good}")
    };
    let mut bytes = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    bytes[17] ^= 1;
    let flipped = BASE64URL_NOPAD.encode(&bytes);
    let other = encode(&changed(&json!({ "sub": "8f3a-2" })));
    let spaced = encode(&json!({ "alg": "RS256", "kid": "k1", "typ": "JWT" }));
    for token in [
        format!("{header}.{payload}.{flipped}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}.{}", &signature[..signature.len() - 4]),
        format!("{header}.{other}.{signature}"),
        format!("{spaced}.{payload}.{signature}"),
        format!("{header}.{payload}.{payload}.{signature}"),
    ] {
        let error = verify(&world, &token, None).await.unwrap_err();
        assert_eq!(error, IdentityError::Signature, "{token}");
    }
    for token in [
        String::new(),
        "a.b.c".into(),
        "..".into(),
        format!("{header}.{payload}"),
        format!("{}.{payload}.{signature}", encode(&json!(["RS256"]))),
        signed(&json!("a text")),
    ] {
        let error = verify(&world, &token, None).await.unwrap_err();
        assert_eq!(error, IdentityError::Malformed, "{token}");
    }
}

#[tokio::test]
async fn each_claim_is_checked() {
    let world = usual_world();
    let longest = "x".repeat(256);
    for (change, expected) in [
        (
            json!({ "iss": format!("{ISSUER}/") }),
            IdentityError::Issuer,
        ),
        (
            json!({ "iss": ISSUER.to_uppercase() }),
            IdentityError::Issuer,
        ),
        (json!({ "iss": [ISSUER] }), IdentityError::Issuer),
        (json!({ "iss": null }), IdentityError::Issuer),
        (json!({ "aud": "other" }), IdentityError::Audience),
        (json!({ "aud": ["other"] }), IdentityError::Audience),
        (
            json!({ "aud": ["client", "other"] }),
            IdentityError::Audience,
        ),
        (json!({ "aud": [] }), IdentityError::Audience),
        (json!({ "aud": null }), IdentityError::Audience),
        (json!({ "exp": NOW - 60 }), IdentityError::Expired),
        (json!({ "exp": i64::MIN }), IdentityError::Expired),
        (json!({ "exp": null }), IdentityError::ExpiryMissing),
        (json!({ "exp": "never" }), IdentityError::ExpiryMissing),
        (json!({ "iat": NOW + 301 }), IdentityError::NotYetValid),
        (json!({ "iat": null }), IdentityError::NotYetValid),
        (json!({ "nbf": NOW + 301 }), IdentityError::NotYetValid),
        (json!({ "nbf": "soon" }), IdentityError::NotYetValid),
        (json!({ "sub": "" }), IdentityError::Subject),
        (json!({ "sub": " " }), IdentityError::Subject),
        (json!({ "sub": longest }), IdentityError::Subject),
        (json!({ "sub": 7 }), IdentityError::Subject),
        (json!({ "sub": null }), IdentityError::Subject),
    ] {
        let token = signed(&changed(&change));
        let error = verify(&world, &token, None).await.unwrap_err();
        assert_eq!(error, expected, "{change}");
    }
}

#[tokio::test]
async fn a_token_ends_by_our_clock() {
    let world = usual_world();
    let token = signed(&claims());
    world.clock.advance(Duration::from_secs(3_659));
    assert!(verify(&world, &token, None).await.is_ok());
    world.clock.advance(Duration::from_secs(1));
    let error = verify(&world, &token, None).await.unwrap_err();
    assert_eq!(error, IdentityError::Expired);
}

#[path = "identity/keys_tests.rs"]
mod keys;
