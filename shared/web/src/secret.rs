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
