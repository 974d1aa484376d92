//! Random names that nobody can guess, and what is stored of them.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use rand::Rng as _;
use sha2::{Digest, Sha256};

/// 256 random bits as text.
pub(crate) fn random() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    BASE64URL_NOPAD.encode(&bytes)
}

/// A short random name, for correlation and ordering.
pub(crate) fn short() -> String {
    let mut bytes = [0_u8; 8];
    rand::rng().fill_bytes(&mut bytes);
    HEXLOWER.encode(&bytes)
}

/// What is stored of a secret: who reads the store cannot use it.
pub(crate) fn hashed(secret: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}

/// Compares two secrets by their hashes, so that the time taken tells nothing about them.
pub(crate) fn same(one: &str, other: &str) -> bool {
    Sha256::digest(one.as_bytes()) == Sha256::digest(other.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_names_are_long_enough_for_their_purpose_and_never_the_same() {
        assert_eq!((random().len(), short().len()), (43, 16));
        assert_ne!(random(), random());
        assert_ne!(short(), short());
        assert!(short().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_secret_is_stored_as_its_sha_256_and_is_the_same_only_as_itself() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hashed(""), empty);
        assert!(same("a", "a"));
        assert!(!same("a", "b"));
    }
}
