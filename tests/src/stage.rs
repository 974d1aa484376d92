//! The stage: one company's Autotask and QuickBooks as simulators, and around them the production
//! clients, handlers and store, in one process under a paused clock.
//!
//! A test seeds orders, lets runs and time pass, lets people act, and looks at what both systems
//! and the ledger hold. Nothing here decides anything that the program decides.

#![expect(
    clippy::missing_panics_doc,
    reason = "whatever fails here fails the test"
)]

mod cast;
mod looks;
mod memory;
mod play;
mod ports;
mod store;
mod tap;

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use purser_core::{
    ids::{RealmId, TenantId},
    policy::{Guards, Policy},
    ports::{Ledger, Outbox, Queue, Schedule},
    settings::SettingsDocument,
    tenant::AutotaskCredentials,
    usecase::Engine,
};
use purser_runtime::{
    configuration::{Endpoints, IntuitApp},
    connect::{self, NewGrant},
    connections::Connections,
    outside::LiveOutside,
    settings,
    vault::{MasterKey, MasterKeys, Purpose},
};
use purser_simulators::{
    Simulators, Store, TokioClock,
    autotask::{Database, DatabaseSeed},
    quickbooks::RealmSeed,
};
use purser_sqlite::SqliteStore;
use purser_transport::SharedTransport;
use secrecy::SecretString;
use tempfile::TempDir;
use url::Url;

pub use cast::Cast;
pub use looks::{amount, code_of};
pub use play::days_before;
pub use ports::{StageChance, StageClock, StagePorts};
pub use store::{Now, StageStore};
pub use tap::{Moment, Tap};

/// The app that the company has connected.
pub const CLIENT_ID: &str = "stage";
/// Its secret; it opens nothing but the simulators.
const CLIENT_SECRET: &str = "stage-secret";
/// The address the simulators give themselves; nothing listens there.
pub const BASE: &str = "http://127.0.0.1:1";
/// A Monday, in the morning in New York.
const BEGIN: &str = "2026-03-16T14:00:00Z";
/// The company.
const REALM: &str = "9130350000000001";
/// As many calls as no test makes.
const UNLIMITED: usize = 1_000_000_000;

/// What a stage is built from.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The company in QuickBooks.
    pub realm: RealmSeed,
    /// The database in Autotask.
    pub database: DatabaseSeed,
    /// Foreign currencies that Autotask knows, with their rates.
    pub currencies: Vec<(&'static str, &'static str)>,
    /// When it begins.
    pub begin: Timestamp,
    /// Whether the store has no threads of its own, so that one seed is one history.
    pub in_order: bool,
}

impl Default for Scene {
    /// A company in the US with US dollars only.
    fn default() -> Self {
        Self {
            realm: RealmSeed::new(REALM, "North Wind Networks"),
            database: DatabaseSeed::default(),
            currencies: Vec::new(),
            begin: time(BEGIN),
            in_order: false,
        }
    }
}

impl Scene {
    /// Both systems know currencies: US dollars at home and euros.
    #[must_use]
    pub fn with_currencies() -> Self {
        let scene = Self::default();
        Self {
            realm: scene.realm.with_multi_currency(),
            currencies: vec![("EUR", "0.92")],
            ..scene
        }
    }
}

/// Reads a moment.
pub fn time(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// The stage.
pub struct Stage<S: StageStore = SqliteStore> {
    /// Both vendors and Intuit.
    pub simulators: Arc<Simulators>,
    /// The Autotask database.
    pub database: Database,
    /// The wire between the clients and the simulators.
    pub tap: Arc<Tap>,
    /// The store.
    pub store: Arc<S>,
    /// The engine.
    pub engine: Arc<Engine<StagePorts<S>>>,
    /// The tenant.
    pub tenant: TenantId,
    /// The company.
    pub realm: String,
    /// Who and what is in it.
    pub cast: Cast,
    /// The settings as they were imported last.
    pub settings: SettingsDocument,
    guards: Guards,
    clock: StageClock,
    right: TokioClock,
    chance: StageChance,
    keys: MasterKeys,
    engines: u32,
    swept_at: Option<Timestamp>,
    folder: TempDir,
}

impl Stage {
    /// A connected US company with plain settings.
    pub async fn new() -> Self {
        Self::of(Scene::default()).await
    }

    /// A connected company with plain settings; the simulators' limits are lifted.
    pub async fn of(scene: Scene) -> Self {
        Self::connected(scene).await
    }

    /// Both systems are there, and nobody has connected them.
    pub fn unconnected(scene: Scene) -> Self {
        Self::built(scene)
    }
}

impl<S: StageStore> Stage<S> {
    /// A connected company on any store.
    pub async fn connected(scene: Scene) -> Self {
        let mut stage = Self::built(scene);
        stage.connect().await;
        let settings = stage.settings.clone();
        stage.import(settings).await;
        stage
    }

    fn built(scene: Scene) -> Self {
        let right = TokioClock::new(scene.begin);
        let clock = StageClock::new(right);
        let simulators = Simulators::new(Arc::new(right), Store::memory(), BASE);
        let simulators = Arc::new(simulators.expect("empty simulators"));
        let realm = scene.realm.realm.clone();
        let books = &simulators.quickbooks;
        books.add_realm(scene.realm).expect("a company");
        let tokens = simulators.intuit.tokens();
        tokens
            .add_client(CLIENT_ID, CLIENT_SECRET, &[])
            .expect("an app");
        let database = simulators.autotask.add_database(scene.database);
        for (name, rate) in scene.currencies {
            database.add_currency(name, rate);
        }
        Self::lift_limits(&simulators, &database);
        let cast = Cast::enter(&simulators, &database, &realm);
        let folder = folder();
        let now = Arc::new(move || purser_simulators::SimulatorClock::now(&right));
        let store = Arc::new(S::opened(folder.path(), now, scene.in_order));
        let tap = Arc::new(Tap::new(Arc::clone(&simulators)));
        let chance = StageChance::default();
        let keys = keys();
        let wire = Arc::clone(&tap) as SharedTransport;
        let engine = engine((&clock, &chance), wire, (&store, &keys), "engine-1");
        Self {
            settings: cast.settings(),
            tenant: "north-wind".parse().expect("a tenant"),
            simulators,
            database,
            tap,
            store,
            engine: Arc::new(engine.only_engine()),
            realm,
            cast,
            guards: Guards::ALL,
            clock,
            right,
            chance,
            keys,
            engines: 1,
            swept_at: None,
            folder,
        }
    }

    /// Connects both sides with what is right at the moment.
    pub async fn connect(&mut self) {
        let seed = self.database.seed();
        let credentials = AutotaskCredentials {
            user: seed.api_user,
            secret: SecretString::from(seed.secret),
            integration_code: SecretString::from(seed.integration_code),
        };
        let tokens = self.simulators.intuit.tokens();
        let token = tokens
            .grant(&self.realm, CLIENT_ID, self.now())
            .expect("a grant");
        let grant = NewGrant {
            realm: self.realm_id(),
            refresh_token: SecretString::from(token),
        };
        let outside = self.outside();
        let connected = connect::connect(
            &self.engine,
            outside,
            &self.tenant,
            Some(credentials),
            Some(grant),
        );
        Box::pin(connected).await.expect("a connection");
    }

    /// Imports settings.
    pub async fn import(&mut self, document: SettingsDocument) {
        let imported = settings::import(&self.engine, &self.tenant, &document);
        Box::pin(imported).await.expect("good settings");
        self.settings = document;
    }

    /// Changes the settings and imports them.
    pub async fn change_settings(&mut self, change: impl FnOnce(&mut SettingsDocument)) {
        let mut document = self.settings.clone();
        change(&mut document);
        self.import(document).await;
    }

    /// A new process over the same data: the old one is dead, and the new one knows it.
    pub async fn restart(&mut self) {
        self.store.owner_died(self.folder.path()).await;
        self.engine = Arc::new(self.another_engine().only_engine());
    }

    /// A new process that cannot know whether the old one is dead: it waits for leases.
    pub fn restart_elsewhere(&mut self) {
        self.engine = Arc::new(self.another_engine());
    }

    /// One more engine with clients of its own over the same data.
    pub fn another_engine(&mut self) -> Engine<StagePorts<S>> {
        self.engines += 1;
        let name = format!("engine-{}", self.engines);
        let clock = (&self.clock, &self.chance);
        let wire = Arc::clone(&self.tap) as SharedTransport;
        let engine = engine(clock, wire, (&self.store, &self.keys), &name);
        engine.with_guards(self.guards)
    }

    /// A process of its own, over a wire and a store of its own, with a clock that it can be told to
    /// go wrong.
    pub fn process<T>(
        &self,
        name: &str,
        wire: SharedTransport,
        store: &Arc<T>,
    ) -> (Engine<StagePorts<T>>, StageClock)
    where
        T: Ledger + Outbox + Queue + Schedule + 'static,
    {
        let clock = StageClock::new(self.right);
        let engine = engine((&clock, &self.chance), wire, (store, &self.keys), name);
        (engine.with_guards(self.guards), clock)
    }

    /// Takes guards of the protocol away, to show that the tests notice; starts a new process.
    pub async fn without(&mut self, remove: impl FnOnce(&mut Guards)) {
        remove(&mut self.guards);
        self.restart().await;
    }

    /// The clients.
    pub fn outside(&self) -> &LiveOutside<StageClock, S> {
        use purser_core::usecase::Ports as _;
        self.engine.ports().outside()
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        use purser_core::ports::Clock as _;
        self.clock.now()
    }

    /// Every byte of the files of the store, as somebody finds them who takes the disk.
    pub fn disk(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).expect("a folder");
        let files = files.map(|file| file.expect("a file").path());
        files
            .filter(|path| path.is_file())
            .flat_map(|path| std::fs::read(path).expect("a file"))
            .collect()
    }

    /// Lifts the limits of both systems, which only some tests are about.
    pub(crate) fn lift_limits(simulators: &Simulators, database: &Database) {
        let lifted = simulators.quickbooks.change_switches(|switches| {
            switches.requests_per_minute = 0;
            switches.requests_per_second = 0;
        });
        lifted.expect("switches");
        database.switch(|switches| {
            switches.hourly_limit = UNLIMITED;
            switches.thread_limit = 0;
        });
    }

    /// The company's id.
    pub fn realm_id(&self) -> RealmId {
        self.realm.parse().expect("a realm")
    }
}

/// The clients and use cases of one process.
pub(crate) fn engine<S: Ledger + Outbox + Queue + Schedule + 'static>(
    (clock, chance): (&StageClock, &StageChance),
    transport: SharedTransport,
    (store, keys): (&Arc<S>, &MasterKeys),
    name: &str,
) -> Engine<StagePorts<S>> {
    let policy = Policy::default();
    let base: Url = BASE.parse().expect("an address");
    let app = IntuitApp {
        client_id: CLIENT_ID.to_owned(),
        client_secret: SecretString::from(CLIENT_SECRET),
    };
    let connections = Arc::new(Connections::new(Arc::clone(store), keys.clone()));
    let outside = LiveOutside::new(
        transport,
        Arc::new(clock.clone()),
        policy,
        (Endpoints::local(&base), Some(app)),
        (Arc::clone(store), connections),
    );
    let ports = StagePorts {
        clock: clock.clone(),
        chance: chance.clone(),
        store: Arc::clone(store),
        outside,
    };
    Engine::new(ports, policy, name.to_owned())
}

fn keys() -> MasterKeys {
    let key = |byte| MasterKey::new(&[byte; 32]).expect("a key").into();
    MasterKeys::new([(Purpose::Intuit, key(1)), (Purpose::Autotask, key(2))])
}

/// In memory where the system has a folder for that: these stores need not outlive anything.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    folder.expect("a folder")
}
