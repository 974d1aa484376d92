//! All companies, who is let through to them, and how they reach the store.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    incoming::Incoming,
    profile::Profile,
    refusal::Refusal,
    reply::Reply,
    service::serve,
    switches::QuickBooksSwitches,
    traffic::Meter,
    world::{Dirty, Record, Replay, World},
};
use crate::{
    intuit::{TokenState, TokenTable},
    store::{Change, Store, StoreError},
};

const PROFILES: &str = "quickbooks.profile";
const RECORDS: &str = "quickbooks.record";
const REPLAYS: &str = "quickbooks.replay";
const SWITCHES: &str = "quickbooks.switches";

/// A bill create whose commit comes later than its request.
#[derive(Debug)]
struct Pending {
    number: u64,
    due: Timestamp,
    incoming: Incoming,
    wanted: bool,
}

/// One company with what surrounds it.
#[derive(Debug)]
pub(super) struct Company {
    pub(super) world: World,
    pub(super) meter: Meter,
}

impl Company {
    pub(super) fn new(profile: Profile) -> Self {
        Self {
            world: World::new(profile),
            meter: Meter::default(),
        }
    }
}

/// Everything the simulator remembers.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) switches: QuickBooksSwitches,
    pub(super) companies: BTreeMap<String, Company>,
    pending: Vec<Pending>,
    late: BTreeMap<u64, Reply>,
    sequence: u64,
    reads: u64,
}

impl State {
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut state = Self::default();
        for (_, json) in store.load(SWITCHES)? {
            state.switches = parse(SWITCHES, &json)?;
        }
        for (realm, json) in store.load(PROFILES)? {
            state
                .companies
                .insert(realm, Company::new(parse(PROFILES, &json)?));
        }
        for (key, json) in store.load(RECORDS)? {
            let record: Record = parse(RECORDS, &json)?;
            if let Some(company) = state.of_key(&key) {
                company.world.put(record);
            }
        }
        for (key, json) in store.load(REPLAYS)? {
            let replay: Replay = parse(REPLAYS, &json)?;
            if let Some((_, id)) = key.split_once('/')
                && let Some(company) = state.of_key(&key)
            {
                company.world.replays.insert(id.to_owned(), replay);
            }
        }
        for company in state.companies.values_mut() {
            company.world.dirty.clear();
        }
        Ok(state)
    }

    fn of_key(&mut self, key: &str) -> Option<&mut Company> {
        let (realm, _) = key.split_once('/')?;
        self.companies.get_mut(realm)
    }

    /// A number for the next answer.
    pub(super) fn next_number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Answers a request, its token and the limits included.
    pub(super) fn answer(
        &mut self,
        tokens: &TokenTable,
        incoming: &Incoming,
        now: Timestamp,
    ) -> Reply {
        if let Some(refused) = self.refuse(tokens, incoming, now) {
            return refused;
        }
        let switches = self.switches.clone();
        match self.companies.get_mut(incoming.realm()) {
            Some(company) => serve(&mut company.world, &switches, incoming, now),
            None => Reply::not_authorized(now),
        }
    }

    /// What the gateway says before the company is asked; `None` lets the request through.
    fn refuse(
        &mut self,
        tokens: &TokenTable,
        incoming: &Incoming,
        now: Timestamp,
    ) -> Option<Reply> {
        let Some(bearer) = incoming.bearer.as_deref().filter(|token| !token.is_empty()) else {
            return Some(Reply::token_refused("Malformed bearer token", now));
        };
        let realm = match tokens.state_of(bearer, now) {
            TokenState::Unknown => {
                return Some(Reply::token_refused("Token is not valid", now));
            }
            TokenState::Expired => return Some(Reply::token_refused("Token expired", now)),
            TokenState::Revoked => return Some(Reply::token_refused("Token revoked", now)),
            TokenState::Good { realm } => realm,
        };
        if incoming.segments.len() < 2 {
            return Some(Reply::fault(&Refusal::unsupported(&incoming.path), now));
        }
        let company = self
            .companies
            .get_mut(incoming.realm())
            .filter(|company| realm.as_deref() == Some(&company.world.profile.realm))
            .filter(|company| !company.world.profile.user_removed);
        let Some(company) = company else {
            return Some(Reply::not_authorized(now));
        };
        let is_batch = incoming.resource() == "batch";
        if !company.meter.admit(&self.switches, is_batch, now) {
            return Some(Reply::throttled(now));
        }
        if incoming.is_write() {
            company.meter.traffic.writes += 1;
        } else {
            let limit = self.switches.reads_per_month;
            if self.switches.month_exhausted || (limit > 0 && self.reads >= limit) {
                company.meter.traffic.throttled += 1;
                return Some(Reply::throttled(now));
            }
            self.reads += 1;
            company.meter.traffic.reads += 1;
        }
        if company.world.profile.subscription_ended {
            return Some(Reply::fault(&Refusal::subscription_ended(), now));
        }
        None
    }

    /// Puts a bill create aside until its commit is due, if the gateway lets it through.
    ///
    /// A refusal is kept under the number like a late answer.
    pub(super) fn postpone(
        &mut self,
        tokens: &TokenTable,
        incoming: Incoming,
        wanted: bool,
        now: Timestamp,
    ) -> u64 {
        let number = self.next_number();
        if let Some(refused) = self.refuse(tokens, &incoming, now) {
            self.late.insert(number, refused);
            return number;
        }
        let delay = i64::try_from(self.switches.slow_commit_ms).unwrap_or(i64::MAX);
        let due = now + SignedDuration::from_millis(delay);
        self.pending.push(Pending {
            number,
            due,
            incoming,
            wanted,
        });
        number
    }

    /// Commits every postponed create that is due by `now`.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let (due, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|one| one.due <= now);
        self.pending = waiting;
        let switches = self.switches.clone();
        for one in due {
            let Some(company) = self.companies.get_mut(one.incoming.realm()) else {
                continue;
            };
            let reply = serve(&mut company.world, &switches, &one.incoming, one.due);
            if one.wanted {
                self.late.insert(one.number, reply);
            }
        }
    }

    /// The answer of a postponed create that was held for its client.
    pub(super) fn take_late(&mut self, number: u64) -> Reply {
        self.late
            .remove(&number)
            .unwrap_or_else(Reply::gateway_timeout)
    }

    /// True when an object changed since the last time.
    pub(super) fn has_changes(&self) -> bool {
        let mut dirty = self
            .companies
            .values()
            .flat_map(|company| &company.world.dirty);
        dirty.any(|one| matches!(one, Dirty::Record(..)))
    }

    /// Writes everything that changed since the last time.
    pub(super) fn save(&mut self, store: &Store) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        for (realm, company) in &mut self.companies {
            let dirty = std::mem::take(&mut company.world.dirty);
            if store.is_durable() {
                let world = &company.world;
                changes.extend(dirty.iter().filter_map(|one| change(realm, world, one)));
            }
        }
        store.commit(&changes)
    }

    pub(super) fn save_switches(&self, store: &Store) -> Result<(), StoreError> {
        let json = serde_json::to_string(&self.switches).unwrap_or_default();
        store.commit(&[Change::Put {
            kind: SWITCHES.to_owned(),
            id: "all".to_owned(),
            json,
        }])
    }
}

fn change(realm: &str, world: &World, dirty: &Dirty) -> Option<Change> {
    let (kind, id, json) = match dirty {
        Dirty::Profile => (
            PROFILES,
            realm.to_owned(),
            serde_json::to_string(&world.profile).ok()?,
        ),
        Dirty::Record(kind, id) => {
            let record = world.record(*kind, *id)?;
            let key = format!("{realm}/{}/{id}", kind.name());
            (RECORDS, key, serde_json::to_string(record).ok()?)
        }
        Dirty::Replay(id) => {
            let replay = world.replays.get(id)?;
            (
                REPLAYS,
                format!("{realm}/{id}"),
                serde_json::to_string(replay).ok()?,
            )
        }
    };
    Some(Change::Put {
        kind: kind.to_owned(),
        id,
        json,
    })
}

fn parse<T: serde::de::DeserializeOwned>(kind: &str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|source| StoreError::Document {
        kind: kind.to_owned(),
        source,
    })
}
