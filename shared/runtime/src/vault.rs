//! The vault: credentials sealed by AES-256-GCM, each under a key of its own, bound to one tenant
//! and one purpose.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why something could not be sealed or opened. Says nothing about the content.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum VaultError {
    /// This process does not hold the master key of this purpose.
    #[error("this program does not hold the {0} key")]
    NoKey(&'static str),
    /// The sealed text is damaged, or was sealed for somebody or something else.
    #[error("a stored secret cannot be opened")]
    Unreadable,
    /// It was sealed with a version of the master key that this process does not hold (yet).
    #[error("a stored secret was sealed with another version of the key")]
    OtherKey,
    /// A master key must be 32 bytes, and one version must be current.
    #[error("a master key is not 32 bytes long, or none is current")]
    BadKey,
}

/// What a secret is for. Each has a master key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Tokens for QuickBooks.
    Intuit,
    /// The Autotask API user.
    Autotask,
}

impl Purpose {
    /// Its name, which is also the name of its key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intuit => "intuit",
            Self::Autotask => "autotask",
        }
    }
}

/// A master key.
#[derive(Clone)]
pub struct MasterKey {
    cipher: Aes256Gcm,
}

impl MasterKey {
    /// Takes 32 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, VaultError> {
        let cipher = Aes256Gcm::new_from_slice(bytes).map_err(|_| VaultError::BadKey)?;
        Ok(Self { cipher })
    }

    /// 32 random bytes for a new key.
    pub fn generate() -> [u8; 32] {
        let mut bytes = [0_u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// The versions of one master key: new secrets are sealed with the current one, old ones are opened
/// with whichever sealed them.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: String,
    keys: BTreeMap<String, MasterKey>,
}

/// The version of a key that has only one.
const FIRST: &str = "1";

impl KeyRing {
    /// Reads a ring from JSON: `{"current":"2","1":"<64 hex digits>","2":"<64 hex digits>"}`.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let mut named: BTreeMap<String, String> =
            serde_json::from_str(text).map_err(|_| VaultError::BadKey)?;
        let current = named.remove("current").ok_or(VaultError::BadKey)?;
        let mut keys = BTreeMap::new();
        for (version, digits) in named {
            let bytes = HEXLOWER_PERMISSIVE.decode(digits.trim().as_bytes());
            keys.insert(
                version,
                MasterKey::new(&bytes.map_err(|_| VaultError::BadKey)?)?,
            );
        }
        if !keys.contains_key(&current) {
            return Err(VaultError::BadKey);
        }
        Ok(Self { current, keys })
    }

    fn current(&self) -> Option<&MasterKey> {
        self.keys.get(&self.current)
    }
}

impl From<MasterKey> for KeyRing {
    fn from(key: MasterKey) -> Self {
        Self {
            current: FIRST.to_owned(),
            keys: BTreeMap::from([(FIRST.to_owned(), key)]),
        }
    }
}

/// The master keys this process was given; a function gets only those it may use. Clones share
/// them, so that a key that was rotated reaches whoever holds one.
#[derive(Clone, Debug, Default)]
pub struct MasterKeys {
    rings: Arc<RwLock<BTreeMap<Purpose, KeyRing>>>,
    /// Whether a version was wanted that is not here.
    missed: Arc<AtomicBool>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    version: u32,
    /// The version of the master key.
    #[serde(default = "first")]
    master: String,
    key_nonce: String,
    key: String,
    nonce: String,
    text: String,
}

fn first() -> String {
    FIRST.to_owned()
}

impl MasterKeys {
    /// These keys.
    pub fn new(rings: impl IntoIterator<Item = (Purpose, KeyRing)>) -> Self {
        Self {
            rings: Arc::new(RwLock::new(rings.into_iter().collect())),
            missed: Arc::default(),
        }
    }

    /// Goes on with other versions of a key.
    pub fn replace(&self, purpose: Purpose, ring: KeyRing) {
        let mut rings = self.rings.write().unwrap_or_else(PoisonError::into_inner);
        rings.insert(purpose, ring);
    }

    /// Whether something could not be opened since this was asked last, because it was sealed with a
    /// version that is not here: it is time to read the keys again.
    pub fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::Relaxed)
    }

    fn ring(&self, purpose: Purpose) -> Result<KeyRing, VaultError> {
        let rings = self.rings.read().unwrap_or_else(PoisonError::into_inner);
        let ring = rings.get(&purpose).cloned();
        ring.ok_or(VaultError::NoKey(purpose.as_str()))
    }

    /// Seals a text for one tenant and one purpose.
    pub fn seal(&self, purpose: Purpose, tenant: &str, text: &[u8]) -> Result<String, VaultError> {
        let ring = self.ring(purpose)?;
        let master = ring.current().ok_or(VaultError::BadKey)?;
        let context = context(purpose, tenant);
        let data_key = MasterKey::generate();
        let (key_nonce, key) = encrypt(&master.cipher, &data_key, &context)?;
        let (nonce, text) = encrypt(&MasterKey::new(&data_key)?.cipher, text, &context)?;
        let envelope = Envelope {
            version: 1,
            master: ring.current,
            key_nonce,
            key,
            nonce,
            text,
        };
        serde_json::to_string(&envelope).map_err(|_| VaultError::Unreadable)
    }

    /// Opens what was sealed for this very tenant and purpose.
    pub fn open(
        &self,
        purpose: Purpose,
        tenant: &str,
        sealed: &str,
    ) -> Result<Vec<u8>, VaultError> {
        let ring = self.ring(purpose)?;
        let context = context(purpose, tenant);
        let envelope: Envelope =
            serde_json::from_str(sealed).map_err(|_| VaultError::Unreadable)?;
        if envelope.version != 1 {
            return Err(VaultError::Unreadable);
        }
        let Some(master) = ring.keys.get(&envelope.master) else {
            self.missed.store(true, Ordering::Relaxed);
            return Err(VaultError::OtherKey);
        };
        let data_key = decrypt(&master.cipher, &envelope.key_nonce, &envelope.key, &context)?;
        let data_key = MasterKey::new(&data_key)?;
        decrypt(&data_key.cipher, &envelope.nonce, &envelope.text, &context)
    }
}

fn context(purpose: Purpose, tenant: &str) -> Vec<u8> {
    format!("purser|v1|{}|{tenant}", purpose.as_str()).into_bytes()
}

fn encrypt(cipher: &Aes256Gcm, text: &[u8], aad: &[u8]) -> Result<(String, String), VaultError> {
    let mut nonce = [0_u8; 12];
    rand::rng().fill_bytes(&mut nonce);
    let payload = Payload { msg: text, aad };
    let sealed = cipher
        .encrypt(&nonce.into(), payload)
        .map_err(|_| VaultError::Unreadable)?;
    Ok((BASE64.encode(&nonce), BASE64.encode(&sealed)))
}

fn decrypt(cipher: &Aes256Gcm, nonce: &str, text: &str, aad: &[u8]) -> Result<Vec<u8>, VaultError> {
    let unreadable = |_| VaultError::Unreadable;
    let nonce = BASE64.decode(nonce.as_bytes()).map_err(unreadable)?;
    let nonce: [u8; 12] = nonce.try_into().map_err(|_| VaultError::Unreadable)?;
    let text = BASE64.decode(text.as_bytes()).map_err(unreadable)?;
    let payload = Payload { msg: &text, aad };
    cipher
        .decrypt(&nonce.into(), payload)
        .map_err(|_| VaultError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(byte: u8) -> KeyRing {
        MasterKey::new(&[byte; 32]).unwrap().into()
    }

    fn keys() -> MasterKeys {
        MasterKeys::new([(Purpose::Intuit, ring(1)), (Purpose::Autotask, ring(2))])
    }

    #[test]
    fn a_rotated_key_opens_what_the_old_one_sealed_and_seals_with_the_new_one() {
        let (old, new) = ("01".repeat(32), "02".repeat(32));
        let only_old = format!(r#"{{"current":"1","1":"{old}"}}"#);
        let keys = MasterKeys::new([(Purpose::Intuit, KeyRing::parse(&only_old).unwrap())]);
        let held_elsewhere = keys.clone();
        let before = keys.seal(Purpose::Intuit, "a", b"one").unwrap();
        let both = format!(r#"{{"current":"2","1":"{old}","2":"{new}"}}"#);
        keys.replace(Purpose::Intuit, KeyRing::parse(&both).unwrap());
        let after = held_elsewhere.seal(Purpose::Intuit, "a", b"two").unwrap();
        assert_eq!(keys.open(Purpose::Intuit, "a", &before).unwrap(), b"one");
        assert_eq!(keys.open(Purpose::Intuit, "a", &after).unwrap(), b"two");
        let late = MasterKeys::new([(Purpose::Intuit, KeyRing::parse(&only_old).unwrap())]);
        let refused = late.open(Purpose::Intuit, "a", &after);
        assert_eq!(refused, Err(VaultError::OtherKey));
        assert!(late.take_missed() && !late.take_missed());
        assert!(!keys.take_missed());
    }

    #[test]
    fn a_ring_needs_whole_keys_and_a_current_one() {
        let key = "ab".repeat(32);
        for wrong in [
            "",
            "{}",
            r#"{"current":"1"}"#,
            r#"{"current":"1","1":"abcd"}"#,
            &format!(r#"{{"1":"{key}"}}"#),
            &format!(r#"{{"current":"2","1":"{key}"}}"#),
        ] {
            assert!(KeyRing::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_was_sealed_for_one_tenant_and_purpose_opens_for_no_other() {
        let keys = keys();
        let sealed = keys.seal(Purpose::Intuit, "a", b"token").unwrap();
        assert!(!sealed.contains("token"));
        assert_eq!(keys.open(Purpose::Intuit, "a", &sealed).unwrap(), b"token");
        assert_eq!(
            keys.open(Purpose::Intuit, "b", &sealed),
            Err(VaultError::Unreadable)
        );
        assert_eq!(
            keys.open(Purpose::Autotask, "a", &sealed),
            Err(VaultError::Unreadable)
        );
        let same_key = MasterKeys::new([(Purpose::Autotask, ring(1))]);
        assert_eq!(
            same_key.open(Purpose::Autotask, "a", &sealed),
            Err(VaultError::Unreadable)
        );
        let no_key = MasterKeys::default();
        assert_eq!(
            no_key.open(Purpose::Intuit, "a", &sealed),
            Err(VaultError::NoKey("intuit"))
        );
    }

    #[test]
    fn a_damaged_envelope_is_refused_and_two_seals_differ() {
        let keys = keys();
        let sealed = keys.seal(Purpose::Intuit, "a", b"token").unwrap();
        assert_ne!(sealed, keys.seal(Purpose::Intuit, "a", b"token").unwrap());
        let mut damaged: serde_json::Value = serde_json::from_str(&sealed).unwrap();
        damaged["text"] = "AAAA".into();
        let damaged = damaged.to_string();
        assert_eq!(
            keys.open(Purpose::Intuit, "a", &damaged),
            Err(VaultError::Unreadable)
        );
        assert_eq!(
            keys.open(Purpose::Intuit, "a", "{}"),
            Err(VaultError::Unreadable)
        );
    }
}
