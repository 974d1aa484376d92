//! Opens the outside systems for a tenant, with that tenant's own credentials.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use purser_autotask::{AutotaskClient, TenantGate};
use purser_core::{
    failure::Failure,
    ids::{RealmId, TenantId},
    notice::Code,
    policy::Policy,
    ports::{Clock, DocumentKind, GrantStore as _, Lane, Ledger, Outside},
    settings::Settings,
    tenant::{AutotaskCredentials, CallCounts, TenantStatus},
    usecase::load,
};
use purser_quickbooks::{
    OAuthClient, OAuthConfig, QuickBooksClient, SharedPacer, TokenConfig, TokenSource,
};
use purser_transport::{Meter, SharedTransport};

use crate::{
    configuration::{Endpoints, IntuitApp},
    connections::{Connections, not_connected},
    metrics::Measured,
};

/// The share of Autotask's hour used until settings say otherwise, in percent.
const SHARE_DEFAULT: u8 = 50;

/// The client of QuickBooks as this runtime builds it.
pub type QuickBooksOf<C, L> = QuickBooksClient<C, Connections<L>>;

/// Counts of the calls this process made.
#[derive(Debug, Default)]
pub struct Meters {
    tenants: Mutex<HashMap<TenantId, TenantMeters>>,
}

/// Counts of the calls this process made for one tenant.
#[derive(Clone, Debug, Default)]
struct TenantMeters {
    autotask: Arc<Meter>,
    quickbooks: Arc<Meter>,
    /// What was taken into account already.
    taken: CallCounts,
}

/// The calls to one system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Calls {
    /// All of them.
    pub calls: u64,
    /// Those that only read.
    pub reads: u64,
}

impl Meters {
    fn tenants(&self) -> MutexGuard<'_, HashMap<TenantId, TenantMeters>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, tenant: &TenantId) -> TenantMeters {
        self.tenants().entry(tenant.clone()).or_default().clone()
    }

    /// Calls to Autotask, for all tenants.
    pub fn autotask(&self) -> Calls {
        self.sum(|meters| &meters.autotask)
    }

    /// Calls to QuickBooks, for all tenants.
    pub fn quickbooks(&self) -> Calls {
        self.sum(|meters| &meters.quickbooks)
    }

    fn sum(&self, which: impl Fn(&TenantMeters) -> &Arc<Meter>) -> Calls {
        let mut sum = Calls::default();
        for meters in self.tenants().values() {
            sum.calls += which(meters).calls();
            sum.reads += which(meters).reads();
        }
        sum
    }

    /// What was called for a tenant since this was asked last.
    fn take(&self, tenant: &TenantId) -> CallCounts {
        let mut tenants = self.tenants();
        let Some(meters) = tenants.get_mut(tenant) else {
            return CallCounts::default();
        };
        let now = CallCounts {
            autotask: meters.autotask.calls(),
            quickbooks: meters.quickbooks.calls(),
            quickbooks_reads: meters.quickbooks.reads(),
        };
        let before = std::mem::replace(&mut meters.taken, now);
        CallCounts {
            autotask: now.autotask.saturating_sub(before.autotask),
            quickbooks: now.quickbooks.saturating_sub(before.quickbooks),
            quickbooks_reads: now.quickbooks_reads.saturating_sub(before.quickbooks_reads),
        }
    }
}

/// Everything the clients of one process share.
pub struct LiveOutside<C, L> {
    transport: SharedTransport,
    clock: Arc<C>,
    policy: Policy,
    endpoints: Endpoints,
    oauth: Option<Arc<OAuthClient<C>>>,
    ledger: Arc<L>,
    connections: Arc<Connections<L>>,
    meters: Meters,
    gates: Mutex<HashMap<TenantId, Arc<TenantGate>>>,
    sources: Mutex<HashMap<TenantId, Source<C, L>>>,
}

/// The clients of one tenant's realm. They are kept, because they learn QuickBooks' clock.
struct Source<C, L> {
    realm: RealmId,
    tokens: Arc<TokenSource<C, Connections<L>>>,
    background: Arc<QuickBooksOf<C, L>>,
    person: Arc<QuickBooksOf<C, L>>,
}

impl<C, L> Clone for Source<C, L> {
    fn clone(&self) -> Self {
        Self {
            realm: self.realm.clone(),
            tokens: Arc::clone(&self.tokens),
            background: Arc::clone(&self.background),
            person: Arc::clone(&self.person),
        }
    }
}

impl<C: Clock + 'static, L: Ledger + 'static> LiveOutside<C, L> {
    /// Prepares the way out; nothing is called yet.
    pub fn new(
        transport: SharedTransport,
        clock: Arc<C>,
        policy: Policy,
        (endpoints, app): (Endpoints, Option<IntuitApp>),
        (ledger, connections): (Arc<L>, Arc<Connections<L>>),
    ) -> Self {
        let oauth = app.map(|app| {
            Arc::new(OAuthClient::new(OAuthConfig {
                transport: Arc::clone(&transport),
                clock: Arc::clone(&clock),
                policy,
                discovery_url: endpoints.intuit_discovery.clone(),
                allow_local: endpoints.allow_local,
                client_id: app.client_id,
                client_secret: app.client_secret,
            }))
        });
        Self {
            transport,
            clock,
            policy,
            endpoints,
            oauth,
            ledger,
            connections,
            meters: Meters::default(),
            gates: Mutex::default(),
            sources: Mutex::default(),
        }
    }

    /// What was called so far.
    pub const fn meters(&self) -> &Meters {
        &self.meters
    }

    /// The clock all clients share.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// The sealed credentials.
    pub const fn connections(&self) -> &Arc<Connections<L>> {
        &self.connections
    }

    /// A client for credentials that are not stored yet, to try them.
    pub fn autotask_with(
        &self,
        tenant: &TenantId,
        gate: Arc<TenantGate>,
        credentials: AutotaskCredentials,
        (version, lane, share_percent): (u64, Lane, u8),
    ) -> AutotaskClient<C> {
        AutotaskClient::new(purser_autotask::Config {
            transport: Arc::clone(&self.transport),
            clock: Arc::clone(&self.clock),
            policy: self.policy,
            credentials,
            credentials_version: version,
            zone_url: self.endpoints.autotask_zone.clone(),
            allow_local: self.endpoints.allow_local,
            lane,
            share_percent,
            meter: self.meters.of(tenant).autotask,
            gate,
        })
    }

    fn gate(&self, tenant: &TenantId) -> Arc<TenantGate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(tenant.clone()).or_default())
    }

    /// The OAuth client of the app, once its registration is configured.
    pub fn oauth(&self) -> Result<Arc<OAuthClient<C>>, Failure> {
        let missing = || Failure::new(Code::QuickBooksClientRefused);
        self.oauth.as_ref().map(Arc::clone).ok_or_else(missing)
    }

    fn source(&self, tenant: &TenantId, realm: &RealmId) -> Result<Source<C, L>, Failure> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = sources.get(tenant).filter(|source| source.realm == *realm) {
            return Ok(source.clone());
        }
        let tokens = Arc::new(TokenSource::new(TokenConfig {
            tenant: tenant.clone(),
            realm: realm.clone(),
            clock: Arc::clone(&self.clock),
            policy: self.policy,
            oauth: self.oauth()?,
            store: Arc::clone(&self.connections),
        }));
        let client = |lane| {
            Arc::new(QuickBooksClient::new(purser_quickbooks::Config {
                transport: Arc::clone(&self.transport),
                clock: Arc::clone(&self.clock),
                policy: self.policy,
                base_url: self.endpoints.quickbooks.clone(),
                tenant: tenant.clone(),
                realm: realm.clone(),
                tokens: Arc::clone(&tokens),
                pacer: SharedPacer::new(lane, &self.policy),
                meter: self.meters.of(tenant).quickbooks,
            }))
        };
        let source = Source {
            realm: realm.clone(),
            background: client(Lane::Background),
            person: client(Lane::Person),
            tokens,
        };
        sources.insert(tenant.clone(), source.clone());
        Ok(source)
    }

    /// What proves that an access token is good for a realm.
    pub fn proof(&self, tenant: &TenantId, realm: &RealmId) -> purser_quickbooks::Proof<C> {
        purser_quickbooks::Proof {
            transport: Arc::clone(&self.transport),
            clock: Arc::clone(&self.clock),
            policy: self.policy,
            base_url: self.endpoints.quickbooks.clone(),
            tenant: tenant.clone(),
            realm: realm.clone(),
        }
    }

    /// Forgets the shared state of a tenant, after its connection was removed or replaced.
    pub fn forget(&self, tenant: &TenantId) {
        self.gates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(tenant);
        self.sources
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(tenant);
    }

    /// The tenant's tokens, to keep an unused connection alive.
    pub async fn keep_alive(&self, tenant: &TenantId) -> Result<(), Failure> {
        let Some(grant) = self.connections.grant(tenant).await? else {
            return Ok(());
        };
        let now = self.clock.now();
        let used = grant.value.refreshed_at;
        let due = used.map(|used| purser_core::record::later(used, self.policy.token_keep_alive));
        if grant.value.revoked || due.is_some_and(|due| now < due) {
            return Ok(());
        }
        self.source(tenant, &grant.value.realm)?
            .tokens
            .keep_alive()
            .await
    }
}

impl<C: Clock + 'static, L: Ledger + 'static> Outside for LiveOutside<C, L> {
    type Autotask = AutotaskClient<C>;
    type QuickBooks = QuickBooksOf<C, L>;

    async fn autotask(
        &self,
        tenant: &TenantId,
        lane: Lane,
    ) -> Result<Arc<Self::Autotask>, Failure> {
        let stored = self
            .connections
            .autotask(tenant)
            .await?
            .ok_or_else(not_connected)?;
        let settings = load::<Settings>(&*self.ledger, tenant, DocumentKind::Settings).await?;
        let share = settings.map_or(SHARE_DEFAULT, |settings| {
            settings.value.autotask_share_percent
        });
        let gate = self.gate(tenant);
        let status = load::<TenantStatus>(&*self.ledger, tenant, DocumentKind::Status).await?;
        if status.is_none_or(|status| status.value.autotask_broken.is_none()) {
            // A person mended the user and had the connection checked, perhaps elsewhere.
            gate.close_circuit();
        }
        let client = self.autotask_with(tenant, gate, stored.value, (stored.version, lane, share));
        Ok(Arc::new(client))
    }

    async fn quickbooks(
        &self,
        tenant: &TenantId,
        lane: Lane,
    ) -> Result<Arc<Self::QuickBooks>, Failure> {
        let grant = self
            .connections
            .grant(tenant)
            .await?
            .ok_or_else(not_connected)?;
        let source = self.source(tenant, &grant.value.realm)?;
        Ok(match lane {
            Lane::Background => source.background,
            Lane::Person => source.person,
        })
    }

    fn take_calls(&self, tenant: &TenantId) -> CallCounts {
        let calls = self.meters.take(tenant);
        if !calls.is_zero() {
            Measured::default().called(calls).emit();
        }
        calls
    }
}
