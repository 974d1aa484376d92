//! The vault: credentials sealed by AES-256-GCM, each under a key of its own, bound to one tenant
//! and one purpose.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use data_encoding::BASE64;
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
    /// A master key must be 32 bytes.
    #[error("a master key is not 32 bytes long")]
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

/// The master keys this process was given; a function gets only those it may use.
#[derive(Clone, Debug, Default)]
pub struct MasterKeys {
    /// For tokens.
    pub intuit: Option<MasterKey>,
    /// For Autotask's secrets.
    pub autotask: Option<MasterKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    version: u32,
    key_nonce: String,
    key: String,
    nonce: String,
    text: String,
}

impl MasterKeys {
    fn key(&self, purpose: Purpose) -> Result<&MasterKey, VaultError> {
        let key = match purpose {
            Purpose::Intuit => self.intuit.as_ref(),
            Purpose::Autotask => self.autotask.as_ref(),
        };
        key.ok_or(VaultError::NoKey(purpose.as_str()))
    }

    /// Seals a text for one tenant and one purpose.
    pub fn seal(&self, purpose: Purpose, tenant: &str, text: &[u8]) -> Result<String, VaultError> {
        let master = self.key(purpose)?;
        let context = context(purpose, tenant);
        let data_key = MasterKey::generate();
        let (key_nonce, key) = encrypt(&master.cipher, &data_key, &context)?;
        let (nonce, text) = encrypt(&MasterKey::new(&data_key)?.cipher, text, &context)?;
        let envelope = Envelope {
            version: 1,
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
        let master = self.key(purpose)?;
        let context = context(purpose, tenant);
        let envelope: Envelope =
            serde_json::from_str(sealed).map_err(|_| VaultError::Unreadable)?;
        if envelope.version != 1 {
            return Err(VaultError::Unreadable);
        }
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

    fn keys() -> MasterKeys {
        let key = |byte| Some(MasterKey::new(&[byte; 32]).unwrap());
        MasterKeys {
            intuit: key(1),
            autotask: key(2),
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
        let same_key = MasterKeys {
            autotask: keys.intuit.clone(),
            ..MasterKeys::default()
        };
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
