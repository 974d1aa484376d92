//! The clock and chance of a real process, and the ports of one that keeps everything in one store.

use std::{sync::Arc, time::Duration};

use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use purser_core::{
    ids::{AttemptId, OperationId, TraceId},
    ports::{Chance, Clock, Ledger, Outbox, Queue, Schedule},
    usecase::Ports,
};
use rand::Rng as _;

use crate::outside::LiveOutside;

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

    fn trace(&self) -> TraceId {
        let mut bytes = [0_u8; 16];
        rand::rng().fill_bytes(&mut bytes);
        TraceId::of(u128::from_be_bytes(bytes))
    }

    fn permille(&self) -> u32 {
        rand::rng().next_u32() % 1000
    }
}

/// The ports of an engine whose ledger, queue and alarms are one store, with live clients.
pub struct OneStore<C: Clock, H, S: Ledger> {
    /// The clock, which the clients go by, too.
    pub clock: C,
    /// Chance.
    pub chance: H,
    /// The store.
    pub store: Arc<S>,
    /// The clients.
    pub outside: LiveOutside<C, S>,
}

impl<C, H, S> Ports for OneStore<C, H, S>
where
    C: Clock + 'static,
    H: Chance + 'static,
    S: Ledger + Outbox + Queue + Schedule + 'static,
{
    type Clock = C;
    type Chance = H;
    type Store = S;
    type Queue = S;
    type Schedule = S;
    type Outside = LiveOutside<C, S>;

    fn clock(&self) -> &C {
        &self.clock
    }

    fn chance(&self) -> &H {
        &self.chance
    }

    fn store(&self) -> &S {
        &self.store
    }

    fn queue(&self) -> &S {
        &self.store
    }

    fn schedule(&self) -> &S {
        &self.store
    }

    fn outside(&self) -> &Self::Outside {
        &self.outside
    }
}
