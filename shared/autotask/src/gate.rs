//! What all clients of one tenant share inside one process.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use purser_core::{failure::Failure, notice::Code, ports::Lane, tenant::AutotaskCredentials};
use secrecy::ExposeSecret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    quota::{QuotaWindow, age},
    zone::ZoneSlot,
};

/// Calls background work may have under way at one endpoint. Autotask takes three per tracking
/// identifier and endpoint, and frees a slot a little after its answer (vendor page
/// `ThreadLimiting`); one stays for a person.
const BACKGROUND_THREADS: u32 = 2;
/// Calls a person may have under way at one endpoint.
const PERSON_THREADS: u32 = 1;
/// How long background work makes room after a person asked for something, before scaling.
pub(crate) const PERSON_WINDOW: Duration = Duration::from_secs(30);

/// One tenant's shared state: its zone, its threads, its hourly calls and its circuit.
///
/// Make one per tenant and process and give it to the clients of both lanes.
#[derive(Debug, Default)]
pub struct TenantGate {
    threads: Mutex<BTreeMap<(Lane, &'static str), Arc<Semaphore>>>,
    person_at: Mutex<Option<Timestamp>>,
    circuit: Mutex<Option<(u64, Failure)>>,
    hasher: RandomState,
    pub(crate) quota: Mutex<QuotaWindow>,
    /// Held during a lookup, so that only one is under way.
    pub(crate) zone: tokio::sync::Mutex<ZoneSlot>,
}

impl TenantGate {
    /// A gate that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that a person was active at `at`, perhaps in another process (the tenant's stored
    /// `person_active_at`). Calls in the person lane note themselves.
    pub fn note_person(&self, at: Timestamp) {
        let mut last = lock(&self.person_at);
        *last = (*last).max(Some(at));
    }

    /// Lets calls pass again after a refusal, because a person says the cause is gone.
    pub fn close_circuit(&self) {
        *lock(&self.circuit) = None;
    }

    /// A name for one set of credentials that says nothing about them.
    pub(crate) fn key_of(&self, credentials: &AutotaskCredentials, version: u64) -> u64 {
        self.hasher.hash_one((
            &credentials.user,
            credentials.secret.expose_secret(),
            credentials.integration_code.expose_secret(),
            version,
        ))
    }

    /// Fails as the last refused call did, if these credentials were refused.
    pub(crate) fn check_circuit(&self, key: u64) -> Result<(), Failure> {
        match &*lock(&self.circuit) {
            Some((refused, failure)) if *refused == key => Err(failure.clone()),
            _ => Ok(()),
        }
    }

    /// Opens the circuit when the failure says that the credentials are not accepted: every
    /// further login would bring the API user closer to being locked.
    pub(crate) fn watch(&self, key: u64, failure: &Failure) {
        if matches!(
            failure.code(),
            Code::AutotaskUnauthorised | Code::AutotaskIntegrationCode
        ) {
            *lock(&self.circuit) = Some((key, failure.clone()));
        }
    }

    /// Waits for a free thread at this endpoint. `window` is how long a person counts as active.
    pub(crate) async fn enter(
        &self,
        lane: Lane,
        endpoint: &'static str,
        now: Timestamp,
        window: Duration,
    ) -> Result<OwnedSemaphorePermit, Failure> {
        if lane == Lane::Person {
            self.note_person(now);
        }
        let (threads, wanted) = match lane {
            Lane::Person => (PERSON_THREADS, 1),
            // Taking both threads for one call leaves room for one call only.
            Lane::Background if self.is_person_active(now, window) => {
                (BACKGROUND_THREADS, BACKGROUND_THREADS)
            }
            Lane::Background => (BACKGROUND_THREADS, 1),
        };
        let semaphore = self.semaphore(lane, endpoint, threads);
        semaphore
            .acquire_many_owned(wanted)
            .await
            .map_err(|_| Failure::new(Code::AutotaskFailing))
    }

    fn is_person_active(&self, now: Timestamp, window: Duration) -> bool {
        lock(&self.person_at).is_some_and(|at| age(now, at) < window)
    }

    fn semaphore(&self, lane: Lane, endpoint: &'static str, threads: u32) -> Arc<Semaphore> {
        let mut all = lock(&self.threads);
        let made = || Arc::new(Semaphore::new(threads as usize));
        Arc::clone(all.entry((lane, endpoint)).or_insert_with(made))
    }
}

/// A poisoned lock guards plain values only, which are whole at any time.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
