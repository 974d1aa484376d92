//! Sealed secrets, log lines and messages of other versions: see the README of `purser-cases`.

use data_encoding::BASE64;
use proptest::{prelude::*, sample::select};
use purser_cases::{config, text};
use purser_core::ports::WorkMessage;
use serde_json::Value;

use crate::{
    handlers::{Worked, read_message},
    vault::{KeyRing, MasterKey, MasterKeys, Purpose, VaultError},
};

fn keys() -> MasterKeys {
    let ring = |byte| -> KeyRing { MasterKey::new(&[byte; 32]).unwrap().into() };
    // One key for both purposes: nothing but the purpose tells them apart.
    MasterKeys::new([(Purpose::Intuit, ring(1)), (Purpose::Autotask, ring(1))])
}

fn purpose() -> impl Strategy<Value = Purpose> {
    select(vec![Purpose::Intuit, Purpose::Autotask])
}

fn tenant() -> impl Strategy<Value = String> {
    "[a-z0-9|-]{1,12}"
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_secret_opens_for_its_own_tenant_and_purpose_alone(
        secret in proptest::collection::vec(any::<u8>(), 0..120),
        mut tenants in (tenant(), tenant()),
        purposes in (purpose(), purpose()),
        is_own: bool,
    ) {
        if is_own {
            tenants.1.clone_from(&tenants.0);
        }
        let keys = keys();
        let sealed = keys.seal(purposes.0, &tenants.0, &secret).unwrap();
        let opened = keys.open(purposes.1, &tenants.1, &sealed);
        if tenants.0 == tenants.1 && purposes.0 == purposes.1 {
            prop_assert_eq!(opened, Ok(secret.clone()));
        } else {
            prop_assert_eq!(opened, Err(VaultError::Unreadable));
        }
        prop_assert_eq!(keys.open(purposes.0, &tenants.0, &sealed), Ok(secret.clone()));
        // Nothing of it is seen, and nobody sees that two are the same.
        if secret.len() > 5 {
            prop_assert!(!sealed.contains(&BASE64.encode(&secret)[..8]), "{sealed}");
        }
        prop_assert_ne!(keys.seal(purposes.0, &tenants.0, &secret).unwrap(), sealed);
    }

    #[test]
    fn a_sealed_secret_with_any_bit_changed_is_refused(
        secret in proptest::collection::vec(any::<u8>(), 0..40),
        member in select(vec!["key_nonce", "key", "nonce", "text"]),
        place: prop::sample::Index,
        bit in 0..8_u8,
    ) {
        let keys = keys();
        let sealed = keys.seal(Purpose::Intuit, "north", &secret).unwrap();
        let mut envelope: Value = serde_json::from_str(&sealed).unwrap();
        let mut bytes = BASE64.decode(envelope[member].as_str().unwrap().as_bytes()).unwrap();
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        envelope[member] = BASE64.encode(&bytes).into();
        let opened = keys.open(Purpose::Intuit, "north", &envelope.to_string());
        prop_assert_eq!(opened, Err(VaultError::Unreadable));
    }

    #[test]
    fn what_is_no_sealed_secret_is_refused_without_a_sound(
        text in text(40),
        cut: prop::sample::Index,
    ) {
        let keys = keys();
        prop_assert!(keys.open(Purpose::Intuit, "north", &text).is_err());
        let sealed = keys.seal(Purpose::Intuit, "north", text.as_bytes()).unwrap();
        let half = &sealed[..cut.index(sealed.len())];
        prop_assert!(keys.open(Purpose::Intuit, "north", half).is_err());
        prop_assert!(KeyRing::parse(&text).is_err());
    }

    #[test]
    fn a_message_of_another_version_is_left_to_that_one_and_no_other_is(
        version in prop_oneof![0..4_u64, any::<u64>()],
        is_end: bool,
        more in text(12),
    ) {
        let known = u64::from(WorkMessage::VERSION);
        let mut body = serde_json::json!({
            "kind": if is_end { "end_of_run" } else { "sync" },
            "version": version,
            "tenant": "north-wind",
            "run": 7,
        });
        if !is_end {
            body["orders"] = serde_json::json!([4711]);
            body["origin"] = "scan".into();
        }
        let read = read_message(&body.to_string());
        if version == known {
            prop_assert!(read.is_ok());
        } else if u32::try_from(version).is_ok() {
            prop_assert!(matches!(read, Err(Worked::NewerVersion)), "{read:?}");
        } else {
            prop_assert!(matches!(read, Err(Worked::Poison(_))), "{read:?}");
        }
        // A later version may look like anything, as long as it tells which one it is.
        body["version"] = 2.into();
        body["kind"] = more.as_str().into();
        body["more"] = more.as_str().into();
        prop_assert!(matches!(read_message(&body.to_string()), Err(Worked::NewerVersion)));
        body["version"] = known.into();
        let read = read_message(&body.to_string());
        prop_assert!(matches!(read, Err(Worked::Poison(_))), "{read:?}");
    }

    #[test]
    fn what_is_no_message_is_set_aside_and_its_words_stay_out_of_the_log(text in text(40)) {
        match read_message(&text) {
            Err(Worked::Poison(why)) => {
                let known = why.trim_matches(|c: char| c.is_ascii_digit());
                prop_assert!(known.starts_with("it is no message at line "), "{why}");
                let words = why.replace(|c: char| c.is_ascii_digit(), "");
                prop_assert_eq!(words, "it is no message at line , column ");
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
