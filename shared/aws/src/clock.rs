//! Numbers that rise, so that what is written later also sorts later.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use rand::Rng as _;

/// Low bits that tell apart what two processes write in the same microsecond.
const CHANCE_BITS: u32 = 12;

static LAST: AtomicU64 = AtomicU64::new(0);

/// A number of the present moment, greater than any this process made before.
pub(crate) fn rising() -> u64 {
    let now = u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(0);
    let chance = u64::from(rand::rng().next_u32()) & ((1 << CHANCE_BITS) - 1);
    let wanted = (now << CHANCE_BITS) | chance;
    let next = |last: u64| Some(wanted.max(last + 1));
    match LAST.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
        Ok(last) | Err(last) => wanted.max(last + 1),
    }
}

/// A name for one write, so that a write that is tried again is recognised.
pub(crate) fn nonce() -> String {
    let mut bytes = [0_u8; 12];
    rand::rng().fill_bytes(&mut bytes);
    data_encoding::BASE32_NOPAD.encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_later_is_greater_and_fits() {
        let mut last = 0;
        for _ in 0..10_000 {
            let next = rising();
            assert!(next > last);
            last = next;
        }
        assert!(i64::try_from(last).is_ok());
        assert_ne!(nonce(), nonce());
    }
}
