//! The clock and chance of a real process.

use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use purser_core::{
    ids::{AttemptId, OperationId},
    ports::{Chance, Clock},
};
use rand::Rng as _;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// The operating system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemChance;

impl SystemChance {
    /// A name that nobody can guess: 128 random bits.
    fn name() -> String {
        let mut bytes = [0_u8; 16];
        rand::rng().fill_bytes(&mut bytes);
        BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()
    }
}

impl Chance for SystemChance {
    fn operation(&self) -> OperationId {
        match Self::name().parse() {
            Ok(id) => id,
            Err(_) => unreachable!("base32 is printable"),
        }
    }

    fn attempt(&self) -> AttemptId {
        match Self::name().parse() {
            Ok(id) => id,
            Err(_) => unreachable!("base32 is printable"),
        }
    }

    fn permille(&self) -> u32 {
        rand::rng().next_u32() % 1000
    }
}
