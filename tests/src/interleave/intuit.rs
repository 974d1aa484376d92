//! Intuit's token service as strict as its documents can be read.

use std::hash::{Hash, Hasher};

use serde_json::json;

use super::{Rotation, world::HOUR};

const DAY: i64 = 24 * HOUR;

/// A value of the refresh token. Its number is its place: a later one is newer.
#[derive(Clone)]
struct Value {
    /// When it is no longer accepted, once there is a newer one.
    dies_at: Option<i64>,
    /// The processes that were answered with it, a bit for each.
    takers: u8,
    /// A fault kept it from everybody who could have stored it.
    is_lost: bool,
    /// The store said once that it holds it.
    is_stored: bool,
}

#[derive(Clone, Hash)]
struct Access {
    ends_at: i64,
    is_stored: bool,
}

/// The grant as Intuit knows it.
#[derive(Clone)]
pub(super) struct Intuit {
    rotation: Rotation,
    values: Vec<Value>,
    access: Vec<Access>,
    /// Somebody showed a dead token where that ends the grant.
    is_ended: bool,
    pub(super) requests: u32,
}

/// What a refresh gave: the numbers of both tokens.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    refresh: usize,
    access: usize,
}

impl Intuit {
    /// A grant whose first tokens are stored; the access token ends at `ends_at`.
    pub(super) fn new(rotation: Rotation, ends_at: i64) -> Self {
        Self {
            rotation,
            values: vec![Value {
                dies_at: None,
                takers: 0,
                is_lost: false,
                is_stored: true,
            }],
            access: vec![Access {
                ends_at,
                is_stored: true,
            }],
            is_ended: false,
            requests: 0,
        }
    }

    pub(super) fn accepts(&self, number: usize, now: i64) -> bool {
        let value = self.values.get(number);
        let is_alive = |value: &Value| value.dies_at.is_none_or(|dies_at| now < dies_at);
        !self.is_ended && value.is_some_and(is_alive)
    }

    /// Uses the refresh token `number`; `None` is `invalid_grant`.
    pub(super) fn refresh(
        &mut self,
        number: usize,
        taker: Option<usize>,
        now: i64,
    ) -> Option<Pair> {
        if !self.accepts(number, now) {
            self.is_ended |= self.rotation == Rotation::Harsh;
            return None;
        }
        let newest = self.values.len() - 1;
        let refresh = match self.rotation {
            Rotation::Same => number,
            Rotation::Echo if number != newest => newest,
            _ => {
                let is_graceful = matches!(self.rotation, Rotation::Grace | Rotation::Echo);
                let life = if is_graceful { DAY } else { 0 };
                self.values[newest].dies_at = Some(now + life);
                self.values.push(Value {
                    dies_at: None,
                    takers: 0,
                    is_lost: true,
                    is_stored: false,
                });
                newest + 1
            }
        };
        if let Some(taker) = taker {
            self.values[refresh].takers |= 1 << taker;
            self.values[refresh].is_lost = false;
        }
        self.access.push(Access {
            // Nobody can ever use one that nobody was given.
            ends_at: taker.map_or(i64::MIN, |_| now + HOUR),
            is_stored: false,
        });
        Some(Pair {
            refresh,
            access: self.access.len() - 1,
        })
    }

    /// The process is no more: what it was given and had not stored is lost.
    pub(super) fn forget(&mut self, process: usize) {
        let gone = 1 << process;
        for value in &mut self.values {
            let was_given = value.takers & gone != 0;
            value.takers &= !gone;
            value.is_lost |= was_given && value.takers == 0 && !value.is_stored;
        }
    }

    /// The store said that it holds the refresh token.
    pub(super) fn note_acknowledged(&mut self, refresh: usize) {
        self.values[refresh].is_stored = true;
    }

    /// The store holds the access token.
    pub(super) fn note_stored(&mut self, access: usize) {
        self.access[access].is_stored = true;
    }

    /// Whether a fault keeps from us whatever is still accepted.
    pub(super) fn is_beyond_us(&self, now: i64) -> bool {
        let mut numbers = 0..self.values.len();
        numbers.all(|number| self.values[number].is_lost || !self.accepts(number, now))
    }

    /// Whether a token is accepted that somebody was given and has not stored yet.
    pub(super) fn is_awaited(&self, now: i64) -> bool {
        (0..self.values.len()).any(|number| {
            let value = &self.values[number];
            !value.is_lost && !value.is_stored && self.accepts(number, now)
        })
    }

    /// Whether a fault kept any value from us.
    pub(super) fn lost_any(&self) -> bool {
        self.values.iter().any(|value| value.is_lost)
    }

    pub(super) fn is_good(&self, access: usize, now: i64) -> bool {
        let access = self.access.get(access);
        access.is_some_and(|access| now < access.ends_at)
    }

    pub(super) fn was_stored(&self, access: usize) -> bool {
        let access = self.access.get(access);
        access.is_some_and(|access| access.is_stored)
    }

    /// Who was given what need not be told apart here: each process knows what it was told.
    pub(super) fn add_to(&self, now: i64, hasher: &mut impl Hasher) {
        for value in &self.values {
            let dies_at = value.dies_at.map(|dies_at| dies_at.max(now));
            (dies_at, value.is_lost, value.is_stored).hash(hasher);
        }
        self.access.hash(hasher);
        self.is_ended.hash(hasher);
        self.requests.hash(hasher);
    }
}

/// The answer to a refresh, as Intuit writes it.
pub(super) fn written(pair: Option<Pair>) -> (u16, String) {
    let Some(Pair { refresh, access }) = pair else {
        return (400, json!({"error": "invalid_grant"}).to_string());
    };
    let body = json!({
        "token_type": "bearer",
        "access_token": access_name(access),
        "expires_in": 3600,
        "refresh_token": refresh_name(refresh),
        "x_refresh_token_expires_in": 8_726_400,
    });
    (200, body.to_string())
}

pub(super) fn refresh_name(number: usize) -> String {
    format!("R{number}")
}

pub(super) fn access_name(number: usize) -> String {
    format!("A{number}")
}

/// The number in the name of a token.
pub(super) fn number_of(name: &str) -> usize {
    let digits = name.get(1..).and_then(|digits| digits.parse().ok());
    digits.expect("a token that this Intuit gave")
}
