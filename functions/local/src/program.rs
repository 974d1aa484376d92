//! The program put together: configuration, data folder, keys, store, clients, engine.

use std::{path::Path, sync::Arc};

use purser_core::{
    ids::{OrderId, TenantId},
    ports::{Ledger as _, RecordFilter},
    usecase::Engine,
};
use purser_runtime::{
    adapters::{OneStore, SystemChance, SystemClock},
    configuration::{Configuration, ConfigurationError},
    connections::Connections,
    outside::LiveOutside,
};
use purser_sqlite::{
    EngineLock, FILE_NAME, LockError, OpenError, OpenOptions, SqliteStore, engine_is_running,
};
use purser_transport::HttpTransport;

use crate::{exit::ProgramError, keys};

/// The adapters of one machine.
pub(crate) type LocalPorts = OneStore<SystemClock, SystemChance, SqliteStore>;

/// Everything one command works with.
pub(crate) struct Program {
    pub(crate) configuration: Configuration,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) engine: Arc<Engine<LocalPorts>>,
    lock: Option<EngineLock>,
}

/// Whether a command may become the engine of the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It must be the engine, or it fails.
    Engine,
    /// It is the engine when there is no other; else it works beside it.
    EngineIfFree,
    /// It works beside whatever engine there is.
    Beside,
}

impl Program {
    /// Puts the program together over the data folder of the configuration.
    pub(crate) fn open(configuration: Configuration, role: Role) -> Result<Self, ProgramError> {
        refuse_hurried_vendors(&configuration)?;
        let folder = configuration.data.clone();
        let lock = take_lock(&folder, role)?;
        let is_new = !folder.join(FILE_NAME).exists();
        let store =
            SqliteStore::open(&folder, OpenOptions::default()).map_err(|error| unopened(&error))?;
        let store = Arc::new(store);
        let keys = keys::open(&folder, is_new)?;
        let transport = HttpTransport::new().map_err(|error| {
            ProgramError::wrong(
                "tls",
                format!("The network could not be prepared: {error}."),
                "Make sure that the system's certificates are installed.",
            )
        })?;
        let connections = Arc::new(Connections::new(Arc::clone(&store), keys));
        let outside = LiveOutside::new(
            Arc::new(transport),
            Arc::new(SystemClock),
            configuration.policy,
            (
                configuration.endpoints.clone(),
                configuration.intuit_app.clone(),
            ),
            (Arc::clone(&store), connections),
        );
        let ports = LocalPorts {
            clock: SystemClock,
            chance: SystemChance,
            store: Arc::clone(&store),
            outside,
        };
        let name = purser_core::ports::Chance::operation(&SystemChance).to_string();
        let mut engine = Engine::new(ports, configuration.policy, name);
        if lock.is_some() {
            engine = engine.only_engine();
        }
        Ok(Self {
            configuration,
            store,
            engine: Arc::new(engine),
            lock,
        })
    }

    /// Whether this process is the engine.
    pub(crate) const fn is_engine(&self) -> bool {
        self.lock.is_some()
    }

    /// What the engine of a data folder does first: messages its dead predecessor held come back.
    pub(crate) async fn take_over(&self) -> Result<(), ProgramError> {
        if let Some(lock) = &self.lock {
            self.store.show_abandoned(lock).await?;
        }
        Ok(())
    }

    /// Whether another process is the engine right now.
    pub(crate) fn engine_is_elsewhere(&self) -> bool {
        self.lock.is_none() && engine_is_running(&self.configuration.data)
    }

    /// The tenant that is meant: the one named, or the only one.
    pub(crate) async fn tenant(&self, named: Option<&TenantId>) -> Result<TenantId, ProgramError> {
        let tenants = self.store.tenants().await?;
        let known = || {
            tenants
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        match (named, tenants.as_slice()) {
            (Some(named), _) if tenants.contains(named) => Ok(named.clone()),
            (_, []) => Err(ProgramError::wrong(
                "no_tenant",
                "There is no tenant yet.",
                "Add one with `purser connection add`, or run `purser demo`.",
            )),
            (Some(named), _) => Err(ProgramError::wrong(
                "unknown_tenant",
                format!("There is no tenant called {named}."),
                format!("Name one of: {}.", known()),
            )),
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(ProgramError::wrong(
                "which_tenant",
                "There is more than one tenant.",
                format!("Say which one is meant with --tenant: {}.", known()),
            )),
        }
    }
}

impl Program {
    /// The tenants that are meant: the one named, or all.
    pub(crate) async fn tenants(
        &self,
        named: Option<&TenantId>,
    ) -> Result<Vec<TenantId>, ProgramError> {
        let tenants = self.store.tenants().await?;
        if named.is_some() || tenants.is_empty() {
            return self.tenant(named).await.map(|tenant| vec![tenant]);
        }
        Ok(tenants)
    }

    /// The tenant whose order is meant: the one named, the only one, or the only one that knows it.
    pub(crate) async fn tenant_of(
        &self,
        named: Option<&TenantId>,
        order: OrderId,
    ) -> Result<TenantId, ProgramError> {
        let tenants = self.store.tenants().await?;
        if named.is_some() || tenants.len() < 2 {
            return self.tenant(named).await;
        }
        let filter = RecordFilter {
            orders: vec![order],
            limit: 1,
            ..RecordFilter::default()
        };
        let mut known = Vec::new();
        for tenant in &tenants {
            if !self.store.list(tenant, &filter).await?.is_empty() {
                known.push(tenant);
            }
        }
        match known.as_slice() {
            [only] => Ok((*only).clone()),
            [] => {
                let mut error = match self.tenant(None).await {
                    Ok(tenant) => return Ok(tenant),
                    Err(error) => error,
                };
                error.cause =
                    format!("There is more than one tenant, and none has worked on order {order}.");
                Err(error)
            }
            _ => self.tenant(None).await,
        }
    }
}

/// Divided waits are for simulators only, also when nothing names the vendors' own endpoints.
fn refuse_hurried_vendors(configuration: &Configuration) -> Result<(), ProgramError> {
    if configuration.time_scale == 1 || configuration.endpoints.are_local() {
        return Ok(());
    }
    Err(ProgramError::wrong(
        "configuration",
        "PURSER_TIME_SCALE is only for local simulators, and the vendors' own endpoints are in use.",
        "Remove PURSER_TIME_SCALE, or point every endpoint at a loopback address.",
    ))
}

fn take_lock(folder: &Path, role: Role) -> Result<Option<EngineLock>, ProgramError> {
    if role == Role::Beside {
        return Ok(None);
    }
    match EngineLock::take(folder) {
        Ok(lock) => Ok(Some(lock)),
        Err(LockError::Held { .. }) if role == Role::EngineIfFree => Ok(None),
        Err(error) => {
            let (cause, remedy) = two_sentences(&error.to_string());
            Err(ProgramError::wrong("engine_lock", cause, remedy))
        }
    }
}

fn unopened(error: &OpenError) -> ProgramError {
    let (cause, remedy) = two_sentences(&error.to_string());
    ProgramError::wrong("data_file", cause, remedy)
}

/// Splits "Cause. Remedy." after the first sentence.
fn two_sentences(text: &str) -> (String, String) {
    match text.split_once(". ") {
        Some((cause, remedy)) => (format!("{cause}."), remedy.to_owned()),
        None => (text.to_owned(), String::new()),
    }
}

/// The configuration of the environment, as a program error when it is wrong.
pub(crate) fn configuration() -> Result<Configuration, ProgramError> {
    Configuration::from_env().map_err(|error: ConfigurationError| {
        ProgramError::wrong(
            "configuration",
            error.to_string() + ".",
            format!("Correct or remove {}.", error.variable),
        )
    })
}
