//! Stand-in for the Autotask REST interface, version 1.0.
//!
//! Several databases live in one simulator; each is one Autotask customer with one API user. The
//! interface is strict: what the vendor does not document as accepted is rejected.

mod action;
mod database;
mod fields;
mod filter;
mod metadata;
mod profile;
mod query;
mod render;
mod reply;
mod route;
mod rules;
mod schema;
mod seed;
mod service;
mod switches;
#[cfg(test)]
mod tests;
mod traffic;
mod value;
mod world;
mod write;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

pub use self::{
    action::Action,
    database::{Database, OrderView, TodoView, TrafficView},
    profile::{DatabaseSeed, OrderStatus},
    schema::Entity,
    seed::{CompanySeed, LineSeed, OrderSeed, ProductSeed, ResourceSeed},
    switches::{AutotaskSwitches, FractionDigits, InventoryPermission},
};
use self::{
    profile::Profile,
    reply::Refusal,
    route::Route,
    value::Row,
    world::{DATABASE_KIND, ROW_KIND, World},
};
use crate::{Call, Context, ControlError, Controlled, Exchange, StoreError, System};

/// The databases by the lower-case name of their API user.
type Worlds = BTreeMap<String, World>;

/// Stand-in for Autotask PSA.
#[derive(Clone)]
pub struct AutotaskSimulator {
    context: Context,
    worlds: Arc<Mutex<Worlds>>,
}

/// A place among the calls that run at the same time; left when dropped.
struct Permit {
    worlds: Arc<Mutex<Worlds>>,
    key: String,
    slot: u64,
    linger: Duration,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut worlds = self.worlds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(world) = worlds.get_mut(&self.key) {
            world.traffic.leave(self.slot, self.linger);
        }
    }
}

impl AutotaskSimulator {
    /// Loads what the store holds.
    pub fn new(context: Context) -> Result<Self, StoreError> {
        let mut worlds = Worlds::new();
        for (key, json) in context.store.load(DATABASE_KIND)? {
            let profile: Profile = read(DATABASE_KIND, &json)?;
            worlds.insert(key, World::new(profile));
        }
        for (key, json) in context.store.load(ROW_KIND)? {
            let mut parts = key.split('\n');
            let world = parts.next().and_then(|key| worlds.get_mut(key));
            let entity = parts.next().and_then(Entity::from_segment);
            let id = parts.next().and_then(|id| id.parse().ok());
            if let (Some(world), Some(entity), Some(id)) = (world, entity, id) {
                let row: Row = read(ROW_KIND, &json)?;
                world.restore(entity, id, row);
            }
        }
        let worlds = Arc::new(Mutex::new(worlds));
        Ok(Self { context, worlds })
    }

    /// Makes a database with company 0, one currency, an administrator, the API user and the usual
    /// small lists; one with the same API user is replaced.
    pub fn add_database(&self, seed: DatabaseSeed) -> Database {
        let key = seed.api_user.to_lowercase();
        let profile = Profile {
            seed,
            ..Profile::default()
        };
        self.remove_rows(&key);
        self.lock().insert(key.clone(), World::new(profile));
        let database = Database::new(self.clone(), key);
        database.lay_foundation();
        database
    }

    /// Takes the rows of a database that is replaced out of the store.
    fn remove_rows(&self, key: &str) {
        let exists = self.lock().contains_key(key);
        if exists {
            Database::new(self.clone(), key.to_owned()).change(|world, _| world.clear());
        }
    }

    /// The database of an API user.
    pub fn database(&self, api_user: &str) -> Option<Database> {
        let key = api_user.to_lowercase();
        let exists = self.lock().contains_key(&key);
        exists.then(|| Database::new(self.clone(), key))
    }

    /// All databases.
    pub fn databases(&self) -> Vec<Database> {
        let keys: Vec<String> = self.lock().keys().cloned().collect();
        keys.into_iter()
            .map(|key| Database::new(self.clone(), key))
            .collect()
    }

    /// Carries out one request.
    pub async fn handle(&self, request: Request<Bytes>) -> Exchange {
        let route = Route::parse(request.uri().path());
        let latency_ms = self.latency_ms(&request);
        let part = Duration::from_millis(latency_ms / 4);
        pause(part).await;
        let (permit, refusal) = match service::admit(self, &route, &request) {
            Ok(None) => (None, None),
            Ok(Some((key, admission))) => {
                let permit = Permit {
                    worlds: Arc::clone(&self.worlds),
                    key,
                    slot: admission.slot,
                    linger: part,
                };
                pause(part * 2 + admission.extra_wait).await;
                (Some(permit), None)
            }
            Err(refusal) => (None, Some(refusal)),
        };
        let exchange = self.exchange(route, request, refusal).await;
        drop(permit);
        pause(part).await;
        exchange
    }

    async fn exchange(
        &self,
        route: Route,
        request: Request<Bytes>,
        refusal: Option<Refusal>,
    ) -> Exchange {
        let method = request.method();
        let call = Call {
            system: System::Autotask,
            route: route.name(method),
            is_write: route
                .resource
                .as_ref()
                .is_some_and(|what| what.is_write(method)),
            is_secret: false,
            answers: reply::ANSWERS,
            request,
        };
        let simulator = self.clone();
        let effect = move |request: &Request<Bytes>| {
            let outcome = match refusal {
                Some(refusal) => Err(refusal),
                None => service::serve(&simulator, &route, request),
            };
            reply::response(outcome)
        };
        self.context.exchange(call, effect).await
    }

    fn latency_ms(&self, request: &Request<Bytes>) -> u64 {
        let key = service::header(request, "username")
            .unwrap_or_default()
            .to_lowercase();
        self.lock()
            .get(&key)
            .map_or(0, |world| world.profile.switches().latency_ms)
    }

    fn lock(&self) -> MutexGuard<'_, Worlds> {
        self.worlds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores what has changed; the answer may leave only afterwards.
    fn commit(&self, world: &mut World) -> Result<(), StoreError> {
        let store = &self.context.store;
        let changes = world.changes(store.is_durable())?;
        store.commit(&changes)
    }

    /// The database an action or a change of switches names, or the only one.
    fn named(&self, named: Option<&Value>) -> Result<Database, ControlError> {
        match named.and_then(Value::as_str) {
            Some(name) => self.database(name),
            None => match self.databases().as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            },
        }
        .ok_or_else(|| ControlError("no such database; name one of several".into()))
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

fn read<T: serde::de::DeserializeOwned>(kind: &str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|source| StoreError::Document {
        kind: kind.into(),
        source,
    })
}

impl Controlled for AutotaskSimulator {
    fn switches(&self) -> Value {
        let all = self.databases().into_iter().map(|database| {
            let switches = serde_json::to_value(database.switches()).unwrap_or_default();
            (database.api_user().to_owned(), switches)
        });
        Value::Object(all.collect())
    }

    /// Changes the database that `database` names, or all.
    fn change_switches(&self, mut changes: Value) -> Result<(), ControlError> {
        let name = changes
            .as_object_mut()
            .and_then(|changes| changes.remove("database"));
        let databases = match name {
            Some(name) => vec![self.named(Some(&name))?],
            None => self.databases(),
        };
        for database in databases {
            let mut merged = serde_json::to_value(database.switches())?;
            if let (Value::Object(merged), Value::Object(changes)) = (&mut merged, &changes) {
                merged.extend(changes.clone());
            }
            database.set_switches(serde_json::from_value(merged)?);
        }
        Ok(())
    }

    fn act(&self, mut action: Value) -> Result<Value, ControlError> {
        let Some(members) = action.as_object_mut() else {
            return Err(ControlError("an action is an object".into()));
        };
        if members.get("action").and_then(Value::as_str) == Some("add_database") {
            members.remove("action");
            let database = self.add_database(serde_json::from_value(action)?);
            return Ok(json!({ "database": database.api_user() }));
        }
        let database = self.named(members.remove("database").as_ref())?;
        database.act(Action::from_json(action)?)
    }

    fn world(&self) -> Value {
        let all = self.databases().into_iter();
        Value::Object(
            all.map(|db| (db.api_user().to_owned(), db.audit()))
                .collect(),
        )
    }
}
