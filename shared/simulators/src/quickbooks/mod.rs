//! A stand-in for the QuickBooks Online Accounting API, strict by default.
//!
//! Written from the vendor's reference pages and published recordings: where they leave a doubt
//! there is a switch ([`QuickBooksSwitches`]), and its default is the harsher reading. Each realm
//! is a world of its own. Every effect is in the store before its answer leaves.

mod accounts;
mod actions;
mod batch;
mod bills;
mod incoming;
mod inspect;
mod items;
mod kind;
mod lines;
mod people;
mod profile;
mod properties;
mod refusal;
mod reply;
mod rules;
mod seed;
mod seeds;
mod select;
mod service;
mod shape;
mod shapes;
mod state;
mod statement;
mod switches;
#[cfg(test)]
mod tests;
mod traffic;
mod value;
mod world;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use jiff::Timestamp;

pub use self::{
    actions::HumanAction,
    kind::Kind,
    profile::RealmSeed,
    seeds::{AccountSeed, BillLineSeed, BillSeed, ItemSeed, PersonSeed, SeedError},
    switches::{
        DocNumberRule, NameConflictDetail, QuickBooksSwitches, RequestIdMode, SlowCommitAnswer,
    },
    traffic::Traffic,
};
use self::{incoming::Incoming, refusal::Refusal, reply::Reply, state::State};
use crate::{
    System,
    exchange::{Call, Context, Effect, Exchange, FaultAnswers},
    intuit::{IntuitSimulator, TokenTable},
    store::StoreError,
};

/// QuickBooks Online: all its companies.
#[derive(Clone)]
pub struct QuickBooksSimulator {
    inner: Arc<Inner>,
}

struct Inner {
    context: Context,
    tokens: Arc<TokenTable>,
    state: Mutex<State>,
}

impl QuickBooksSimulator {
    /// Takes up the companies the store holds; `intuit` says which bearer tokens are good.
    pub fn new(context: Context, intuit: &IntuitSimulator) -> Result<Self, StoreError> {
        let tokens = Arc::clone(intuit.tokens());
        let state = Mutex::new(State::load(&context.store)?);
        Ok(Self {
            inner: Arc::new(Inner {
                context,
                tokens,
                state,
            }),
        })
    }

    /// Answers one request to `/v3/company/...`.
    pub async fn handle(&self, request: Request<Bytes>) -> Exchange {
        let incoming = Incoming::new(&request);
        let switches = self.switches();
        let held = self.postpone_held(&switches, &incoming);
        let wait_ms = switches.latency_ms + held.map_or(0, |_| switches.slow_commit_ms);
        if wait_ms > 0 {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        let call = Call {
            system: System::QuickBooks,
            route: incoming.route(),
            is_write: incoming.is_write(),
            is_secret: false,
            request,
            answers: FaultAnswers {
                throttled,
                unauthorised,
            },
        };
        let inner = Arc::clone(&self.inner);
        let effect = move |_: &Request<Bytes>| inner.respond(incoming, held);
        self.inner.context.exchange(call, effect).await
    }

    /// Puts a held create aside at once, so that it commits even if its client leaves.
    fn postpone_held(&self, switches: &QuickBooksSwitches, incoming: &Incoming) -> Option<u64> {
        let held = switches.slow_commit_ms > 0
            && switches.slow_commit_answer == SlowCommitAnswer::Hold
            && incoming.creates_bill();
        held.then(|| {
            let now = self.inner.context.clock.now();
            self.inner
                .lock()
                .postpone(&self.inner.tokens, incoming.clone(), true, now)
        })
    }

    /// The present switches.
    pub fn switches(&self) -> QuickBooksSwitches {
        self.inner.lock().switches.clone()
    }

    /// Changes switches; the change survives a restart.
    pub fn change_switches(
        &self,
        change: impl FnOnce(&mut QuickBooksSwitches),
    ) -> Result<(), StoreError> {
        let mut state = self.inner.lock();
        change(&mut state.switches);
        state.save_switches(&self.inner.context.store)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Computes and commits one answer.
    fn respond(&self, incoming: Incoming, held: Option<u64>) -> Response<Bytes> {
        let now = self.context.clock.now();
        let mut state = self.lock();
        state.settle(now);
        let accepts_json = incoming.accepts_json;
        let late = held.is_none() && state.switches.slow_commit_ms > 0 && incoming.creates_bill();
        let reply = match held {
            Some(number) => state.take_late(number),
            None if late => {
                let number = state.postpone(&self.tokens, incoming, false, now);
                state.take_late(number)
            }
            None => state.answer(&self.tokens, &incoming, now),
        };
        let effect = state.has_changes();
        let reply = match state.save(&self.context.store) {
            Ok(()) => reply,
            Err(_) => Reply::fault(&Refusal::system(StatusCode::INTERNAL_SERVER_ERROR), now),
        };
        let number = state.next_number();
        let mut response = reply.into_response(accepts_json, now, number);
        response.extensions_mut().insert(Effect(effect));
        response
    }
}

fn throttled(retry_after_seconds: Option<u64>) -> Response<Bytes> {
    let now = Timestamp::UNIX_EPOCH;
    let mut response = Reply::throttled(now).into_response(true, now, 0);
    response.headers_mut().remove(header::DATE);
    if let Some(seconds) = retry_after_seconds {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn unauthorised() -> Response<Bytes> {
    let now = Timestamp::UNIX_EPOCH;
    let mut response = Reply::token_refused("Token expired", now).into_response(true, now, 0);
    response.headers_mut().remove(header::DATE);
    response
}
