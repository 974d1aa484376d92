//! The signing key of identity tokens: made anew in each process, shown in the key set.

use std::sync::OnceLock;

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The process's one key, or nothing when the machine cannot make one.
fn key() -> Option<&'static RsaKeyPair> {
    static KEY: OnceLock<Option<RsaKeyPair>> = OnceLock::new();
    KEY.get_or_init(|| RsaKeyPair::generate(KeySize::Rsa2048).ok())
        .as_ref()
}

fn key_id(key: &RsaKeyPair) -> String {
    let der = key.public_key().as_der();
    let digest = der.map(|der| HEXLOWER.encode(&Sha256::digest(der.as_ref())));
    format!(
        "OPENIDSSIGNKEY-{}",
        digest.unwrap_or_default().get(..12).unwrap_or_default()
    )
}

/// The JSON Web Key Set.
pub(super) fn key_set() -> Value {
    let Some(key) = key() else {
        return json!({ "keys": [] });
    };
    let parts = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
    json!({
        "keys": [{
            "kty": "RSA",
            "e": BASE64URL_NOPAD.encode(&parts.e),
            "n": BASE64URL_NOPAD.encode(&parts.n),
            "use": "sig",
            "kid": key_id(key),
            "alg": "RS256",
        }],
    })
}

/// A signed token (RS256) with these claims.
pub(super) fn sign(claims: &Value) -> Option<String> {
    let key = key()?;
    let header = json!({ "kid": key_id(key), "alg": "RS256" });
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
