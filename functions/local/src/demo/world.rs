//! The demo world: four managed service providers with believable vendors, customers, products and
//! orders, and what the first run over them must come to; and a fifth that nobody has connected yet.
//!
//! Each order is one case that declares its own outcome; the simulators are filled from the same
//! table that [`expected`] is counted from, so the two cannot drift apart. Nothing here knows the
//! rules of the transfer: a wrong expectation shows as a difference after the run.

mod bayside;
mod case;
mod desk;
mod glacier;
mod north_harbor;
mod plain;
mod prairie;
mod thames;

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;
use purser_core::money::MoneyError;
use purser_simulators::{Simulators, StoreError, quickbooks::SeedError};
use serde::{Deserialize, Serialize};

use case::{Case, Outcome};
use desk::Desk;

/// The client id of the app that the demo companies have connected.
pub(crate) const CLIENT_ID: &str = "purser-demo";
/// Its secret; it opens nothing but the simulators.
pub(crate) const CLIENT_SECRET: &str = "purser-demo-secret";
/// What people see of it when they are asked for their consent.
const APP_NAME: &str = "Purser";

/// What is needed to connect one demo company.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Company {
    pub(crate) tenant: String,
    pub(crate) autotask_user: String,
    pub(crate) autotask_secret: String,
    pub(crate) integration_code: String,
    pub(crate) realm: String,
    /// Who may sign in for the company; empty in folders that were made before this was told.
    #[serde(default)]
    pub(crate) owner_email: String,
    pub(crate) refresh_token: String,
    /// A settings document by labels.
    pub(crate) settings: serde_json::Value,
}

/// A company that is ready to be connected by a person, and everything that person has to type.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OpenCompany {
    pub(crate) tenant: String,
    /// The name of the QuickBooks company.
    pub(crate) company: String,
    pub(crate) autotask_user: String,
    pub(crate) autotask_secret: String,
    pub(crate) integration_code: String,
    pub(crate) realm: String,
    /// Who signs in at Intuit.
    pub(crate) owner_email: String,
    pub(crate) owner_name: String,
    /// A suggested settings document by labels.
    pub(crate) settings: serde_json::Value,
}

/// Why the world could not be made.
#[derive(Debug)]
pub(crate) enum WorldError {
    /// A simulator could not store it.
    Store(StoreError),
    /// QuickBooks' rules forbid it.
    Books(SeedError),
    /// A day does not exist in a company's time zone.
    Time(jiff::Error),
    /// A rate is not a number.
    Rate(MoneyError),
}

impl fmt::Display for WorldError {
    /// With the source's text: whoever shows it shows one line only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "store the demo world: {error}"),
            Self::Books(error) => write!(f, "fill the demo's books: {error}"),
            Self::Time(error) => write!(f, "date the demo's orders: {error}"),
            Self::Rate(error) => write!(f, "read the demo's rates: {error}"),
        }
    }
}

impl From<StoreError> for WorldError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SeedError> for WorldError {
    fn from(error: SeedError) -> Self {
        Self::Books(error)
    }
}

impl From<MoneyError> for WorldError {
    fn from(error: MoneyError) -> Self {
        Self::Rate(error)
    }
}

impl From<jiff::Error> for WorldError {
    fn from(error: jiff::Error) -> Self {
        Self::Time(error)
    }
}

/// A company's systems and its settings document, or why they could not be filled.
type Filled = Result<(Desk, serde_json::Value), WorldError>;

/// One company of the world.
struct Definition {
    /// The tenant's name.
    tenant: &'static str,
    /// The feature rows that its settings and lists show, besides those its orders show.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the tests prove that no row is left out")
    )]
    rows: &'static [u32],
    /// Its orders.
    cases: fn() -> Vec<Case>,
    /// Fills everything but the orders and names the settings.
    seed: fn(&Simulators, Timestamp) -> Filled,
}

/// The four currency cases, one company each; most of the world happens in the first.
const DEFINITIONS: [Definition; 4] = [
    north_harbor::DEFINITION,
    prairie::DEFINITION,
    thames::DEFINITION,
    glacier::DEFINITION,
];

/// Fills empty simulators with the demo world.
pub(crate) fn seed(simulators: &Simulators, now: Timestamp) -> Result<Vec<Company>, WorldError> {
    add_app(simulators)?;
    let companies = DEFINITIONS.iter().map(|definition| {
        let (desk, settings) = (definition.seed)(simulators, now)?;
        desk.add_orders(&(definition.cases)(), now)?;
        desk.connect(definition.tenant, settings, now)
    });
    companies.collect()
}

/// Adds the company that a visitor connects by hand to the demo world. Nothing of it is expected of
/// a first run: until somebody connects it, nobody reads its orders.
pub(crate) fn seed_open(
    simulators: &Simulators,
    now: Timestamp,
) -> Result<Vec<OpenCompany>, WorldError> {
    let definition = bayside::DEFINITION;
    let (desk, settings) = (definition.seed)(simulators, now)?;
    desk.add_orders(&(definition.cases)(), now)?;
    Ok(vec![bayside::open(simulators, &desk, settings)?])
}

/// Fills empty simulators with one company and `orders` plain eligible orders.
pub(crate) fn seed_plain(
    simulators: &Simulators,
    now: Timestamp,
    orders: u32,
) -> Result<Vec<Company>, WorldError> {
    add_app(simulators)?;
    let (desk, settings) = plain::seed(simulators)?;
    desk.add_orders(&plain::cases(orders), now)?;
    Ok(vec![desk.connect(plain::TENANT, settings, now)?])
}

/// The app is called back where `purser serve` listens when nothing else is said.
fn add_app(simulators: &Simulators) -> Result<(), WorldError> {
    let callbacks = [
        "http://localhost:8080/oauth/callback",
        "http://127.0.0.1:8080/oauth/callback",
    ];
    let tokens = simulators.intuit.tokens();
    tokens.add_client(CLIENT_ID, CLIENT_SECRET, &callbacks)?;
    tokens.name_client(CLIENT_ID, APP_NAME)?;
    Ok(())
}

/// What the first run over the demo world must come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Expected {
    /// Rows that Autotask returns to the scans.
    pub(crate) seen: u64,
    /// Those that may be transferred.
    pub(crate) eligible: u64,
    /// Those that end with a bill.
    pub(crate) billed: u64,
    /// Those that end with ERROR and a to-do.
    pub(crate) refused: u64,
    /// Those that go on by themselves later: none.
    pub(crate) waiting: u64,
    /// Those that are returned but may not be transferred.
    pub(crate) ineligible: u64,
    /// Every row that is returned.
    pub(crate) orders: Vec<ExpectedOrder>,
}

/// What the first run must make of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExpectedOrder {
    /// Whose order.
    pub(crate) tenant: String,
    /// Its id.
    pub(crate) order: i64,
    /// `billed`, `refused` or `ineligible`.
    pub(crate) outcome: String,
    /// The stable code behind it; none when it is billed.
    pub(crate) code: Option<String>,
}

/// What the first run over the demo world must come to.
pub(crate) fn expected() -> Expected {
    let mut expected = Expected::default();
    for definition in &DEFINITIONS {
        for case in (definition.cases)() {
            expected.count(definition.tenant, &case);
        }
    }
    expected.seen = expected.eligible + expected.ineligible;
    expected
}

impl Expected {
    fn count(&mut self, tenant: &str, case: &Case) {
        let (word, code) = match case.outcome {
            Outcome::Billed => {
                self.billed += 1;
                self.eligible += 1;
                ("billed", None)
            }
            Outcome::Refused(code) => {
                self.refused += 1;
                self.eligible += 1;
                ("refused", Some(code.as_str()))
            }
            Outcome::Ineligible(code) => {
                self.ineligible += 1;
                ("ineligible", Some(code))
            }
            Outcome::Unseen => return,
        };
        self.orders.push(ExpectedOrder {
            tenant: tenant.to_owned(),
            order: case.id,
            outcome: word.to_owned(),
            code: code.map(str::to_owned),
        });
    }
}
