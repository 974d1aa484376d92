//! The signing key of identity tokens: kept in the simulators' own store, shown in the key set.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::store::{Change, Store, StoreError};

const KEY: &str = "intuit.key";

/// The one key of a simulator; it outlives the process when the store does.
pub(super) struct SigningKey {
    store: Arc<Store>,
    pair: Mutex<Option<Arc<RsaKeyPair>>>,
}

impl SigningKey {
    /// Reads or makes the key only when it is needed first: making one takes its time.
    pub(super) fn new(store: Arc<Store>) -> Self {
        let pair = Mutex::default();
        Self { store, pair }
    }

    /// The key, or nothing when it can be neither made nor stored.
    fn pair(&self) -> Option<Arc<RsaKeyPair>> {
        let mut kept = self.pair.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            *kept = self.load_or_make().ok().flatten().map(Arc::new);
        }
        kept.clone()
    }

    fn load_or_make(&self) -> Result<Option<RsaKeyPair>, StoreError> {
        let stored = self.store.load(KEY)?.pop();
        if let Some(pair) = stored.and_then(|(_, json)| decoded(&json)) {
            return Ok(Some(pair));
        }
        let Some(pkcs8) = made() else {
            return Ok(None);
        };
        self.store.commit(&[Change::Put {
            kind: KEY.to_owned(),
            id: "all".to_owned(),
            json: json!({ "pkcs8": BASE64.encode(pkcs8) }).to_string(),
        }])?;
        Ok(RsaKeyPair::from_pkcs8(pkcs8).ok())
    }

    /// The JSON Web Key Set.
    pub(super) fn key_set(&self) -> Value {
        let Some(key) = self.pair() else {
            return json!({ "keys": [] });
        };
        let parts = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
        json!({
            "keys": [{
                "kty": "RSA",
                "e": BASE64URL_NOPAD.encode(&parts.e),
                "n": BASE64URL_NOPAD.encode(&parts.n),
                "use": "sig",
                "kid": key_id(&key),
                "alg": "RS256",
            }],
        })
    }

    /// A signed token (RS256) with these claims.
    pub(super) fn sign(&self, claims: &Value) -> Option<String> {
        let key = self.pair()?;
        let header = json!({ "kid": key_id(&key), "alg": "RS256" });
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .ok()?;
        Some(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
    }
}

/// A new key as PKCS#8: made once in each process, so that many simulators start as fast as one.
fn made() -> Option<&'static [u8]> {
    static MADE: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    let make = || {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
        let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
        Some(der.as_ref().to_vec())
    };
    MADE.get_or_init(make).as_deref()
}

/// The key of a stored document; nothing when it cannot be read.
fn decoded(json: &str) -> Option<RsaKeyPair> {
    let document: Value = serde_json::from_str(json).ok()?;
    let pkcs8 = BASE64.decode(document["pkcs8"].as_str()?.as_bytes()).ok()?;
    RsaKeyPair::from_pkcs8(&pkcs8).ok()
}

fn key_id(key: &RsaKeyPair) -> String {
    let der = key.public_key().as_der();
    let digest = der.map(|der| HEXLOWER.encode(&Sha256::digest(der.as_ref())));
    format!(
        "OPENIDSSIGNKEY-{}",
        digest.unwrap_or_default().get(..12).unwrap_or_default()
    )
}
