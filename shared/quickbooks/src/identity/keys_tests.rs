//! Which keys are taken, and how often they are read.

use purser_transport::TransportErrorKind;

use super::*;

fn by(key_id: &str, index: usize) -> String {
    sign_as(&rs256(key_id), &claims(), &RSA_PKCS1_SHA256, pair(index))
}

/// Good for longer than the tests' clock runs.
fn lasting(key_id: &str) -> String {
    let claims = changed(&json!({ "exp": NOW + 1_000_000 }));
    sign_as(&rs256(key_id), &claims, &RSA_PKCS1_SHA256, pair(0))
}

fn set(keys: &Value) -> Reply {
    ok(json!({ "keys": keys }).to_string())
}

#[tokio::test]
async fn a_token_must_name_its_key() {
    let world = usual_world();
    for header in [
        json!({ "alg": "RS256" }),
        json!({ "alg": "RS256", "kid": "" }),
        json!({ "alg": "RS256", "kid": 1 }),
    ] {
        let token = sign_as(&header, &claims(), &RSA_PKCS1_SHA256, pair(0));
        let error = verify(&world, &token, None).await.unwrap_err();
        assert_eq!(error, IdentityError::KeyMissing, "{header}");
    }
    assert_eq!(reads(&world), 0);
    let own = public("mine", pair(1));
    let header = json!({ "alg": "RS256", "kid": "mine", "jwk": own, "jku": "https://x.test/" });
    let token = sign_as(&header, &claims(), &RSA_PKCS1_SHA256, pair(1));
    let error = verify(&world, &token, None).await.unwrap_err();
    assert_eq!(error, IdentityError::KeyUnknown);
}

#[tokio::test]
async fn only_rsa_signing_keys_are_taken() {
    let with = |name: &str, value: Value| {
        let mut key = public("k1", pair(0));
        key[name] = value;
        key
    };
    let odd = [
        with("use", json!("enc")),
        with("use", json!(null)),
        with("kty", json!("oct")),
        with("alg", json!("RS512")),
        with("n", json!("not base64!")),
        with("kid", json!(7)),
        json!("no key"),
    ];
    for key in &odd {
        let (world, _) = world(&json!([key, public("k2", pair(1))]));
        assert!(verify(&world, &by("k2", 1), None).await.is_ok(), "{key}");
        let error = verify(&world, &by("k1", 0), None).await.unwrap_err();
        assert_eq!(error, IdentityError::KeyUnknown, "{key}");
    }
}

#[tokio::test]
async fn keys_are_read_once_an_hour() {
    let world = usual_world();
    for _ in 0..3 {
        assert!(verify(&world, &lasting("k1"), None).await.is_ok());
    }
    assert_eq!(reads(&world), 1);
    world.clock.advance(Duration::from_mins(59));
    assert!(verify(&world, &lasting("k1"), None).await.is_ok());
    assert_eq!(reads(&world), 1);
    world.clock.advance(Duration::from_mins(1));
    assert!(verify(&world, &lasting("k1"), None).await.is_ok());
    assert_eq!(reads(&world), 2);
}

#[tokio::test]
async fn many_sign_ins_read_the_keys_once() {
    let world = Arc::new(usual_world());
    world.network.dice.load(7);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let world = Arc::clone(&world);
        tasks.spawn(async move { verify(&world, &signed(&claims()), None).await.is_ok() });
    }
    assert!(tasks.join_all().await.into_iter().all(|is_good| is_good));
    assert_eq!(reads(&world), 1);
}

#[tokio::test]
async fn a_new_key_is_found_and_a_removed_one_forgotten() {
    let (world, reply) = world(&json!([public("k1", pair(0))]));
    assert!(verify(&world, &by("k1", 0), None).await.is_ok());
    world.clock.advance(Duration::from_mins(5));
    *reply.lock().unwrap() = set(&json!([public("k2", pair(1))]));
    // The new key is found at once, long before the hour is over.
    assert!(verify(&world, &by("k2", 1), None).await.is_ok());
    assert_eq!(reads(&world), 2);
    let error = verify(&world, &by("k1", 0), None).await.unwrap_err();
    assert_eq!((error, reads(&world)), (IdentityError::KeyUnknown, 2));
}

#[tokio::test]
async fn invented_key_ids_cause_one_reading_a_minute() {
    let world = usual_world();
    assert!(verify(&world, &signed(&claims()), None).await.is_ok());
    let forge = async |from: u32| {
        for number in from..from + 20 {
            let token = by(&format!("forged-{number}"), 1);
            let error = verify(&world, &token, None).await.unwrap_err();
            assert_eq!(error, IdentityError::KeyUnknown);
        }
    };
    // The set was read a moment ago.
    forge(0).await;
    assert_eq!(reads(&world), 1);
    world.clock.advance(Duration::from_mins(1));
    forge(20).await;
    assert_eq!(reads(&world), 2);
    world.clock.advance(Duration::from_secs(59));
    forge(40).await;
    assert_eq!(reads(&world), 2);
    // Good sign-ins go on undisturbed.
    assert!(verify(&world, &signed(&claims()), None).await.is_ok());
    assert_eq!(reads(&world), 2);
}

#[tokio::test]
async fn nobody_signs_in_without_fresh_keys() {
    let (world, reply) = world(&json!([public("k1", pair(0))]));
    let good = reply.lock().unwrap().clone();
    assert!(verify(&world, &lasting("k1"), None).await.is_ok());
    world.clock.advance(Duration::from_hours(1));
    for (bad, expected) in [
        (
            Reply::Broken(TransportErrorKind::NotSent),
            Code::QuickBooksUnreachable,
        ),
        (
            Reply::Answer(503, "<html>down</html>".into()),
            Code::QuickBooksFailing,
        ),
        (ok(r#"{"keys":[]}"#), Code::QuickBooksFailing),
        (ok("{}"), Code::QuickBooksFailing),
    ] {
        let before = reads(&world);
        *reply.lock().unwrap() = bad;
        for _ in 0..3 {
            let error = verify(&world, &lasting("k1"), None).await.unwrap_err();
            let IdentityError::Failed(failure) = error else {
                panic!("{error:?}")
            };
            assert_eq!(failure.code(), expected);
        }
        assert_eq!(reads(&world), before + 1);
        world.clock.advance(Duration::from_secs(5));
    }
    *reply.lock().unwrap() = good;
    assert!(verify(&world, &lasting("k1"), None).await.is_ok());
}

#[tokio::test]
async fn an_unknown_key_in_an_outage_is_no_verdict() {
    let (world, reply) = world(&json!([public("k1", pair(0))]));
    assert!(verify(&world, &signed(&claims()), None).await.is_ok());
    world.clock.advance(Duration::from_mins(1));
    *reply.lock().unwrap() = Reply::Broken(TransportErrorKind::NotSent);
    for _ in 0..3 {
        let error = verify(&world, &by("k2", 1), None).await.unwrap_err();
        assert!(matches!(error, IdentityError::Failed(_)), "{error:?}");
        assert!(verify(&world, &signed(&claims()), None).await.is_ok());
    }
    assert_eq!(reads(&world), 2);
}
