//! The state of a tenant: connections, runs, counts, what needs a person; and its set-up.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{LinkView, NoticeView, OrderRow};

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// It works as far as is known.
    Connected,
    /// There is none.
    Missing,
    /// It is no longer accepted; a person must connect again.
    NeedsReconnect,
    /// It asked for a pause.
    Quiet,
}

/// One of the two connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConnectionView {
    /// `Autotask` or `QuickBooks`.
    pub system: &'static str,
    /// How it stands.
    pub state: ConnectionState,
    /// What it is connected to: the company, or the API user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Why it is not connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeView>,
    /// Since when it is as it is, or until when it is quiet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
}

/// The runs of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunsView {
    /// The number of the last run; 0 before the first.
    pub run: u64,
    /// Whether one is under way.
    pub is_running: bool,
    /// Whether automatic transfer is paused (0 days back).
    pub is_paused: bool,
    /// When the last one began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    /// When the next one begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub next_at: Option<Timestamp>,
    /// Orders the last scan saw.
    pub seen: u64,
    /// Those it found eligible.
    pub eligible: u64,
    /// Those that may not be transferred: all it did not find eligible.
    pub ineligible: u64,
    /// Those of them that are billed already.
    pub billed: u64,
    /// Those of them that need a person, who was told.
    pub refused: u64,
    /// Those of them that were left alone.
    pub left_alone: u64,
    /// Why the last run saw nothing, when it could not look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<NoticeView>,
}

/// The order that has been waiting longest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OldestWaiting {
    /// The order.
    pub order: i64,
    /// Since when.
    #[schemars(with = "String")]
    pub since: Timestamp,
}

/// Orders by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// With a bill that is linked.
    pub billed: u64,
    /// That need a person.
    pub refused: u64,
    /// That go on by themselves.
    pub waiting: u64,
    /// That may not be transferred.
    pub ineligible: u64,
}

impl Counts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.billed + self.refused + self.waiting + self.ineligible
    }
}

/// Orders by outcome on the day of their last change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Day {
    /// The day, such as 2026-11-25, in the tenant's time zone.
    pub date: String,
    /// The orders.
    pub counts: Counts,
}

/// Calls against quotas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Calls {
    /// Our calls to Autotask in the last hour.
    pub autotask_last_hour: u64,
    /// Our share of Autotask's hour.
    pub autotask_share: u64,
    /// What Autotask allows all programs together in an hour.
    pub autotask_limit: u64,
    /// Our calls to QuickBooks in the last hour.
    pub quickbooks_last_hour: u64,
    /// What Purser allows itself in an hour (350 a minute).
    pub quickbooks_limit: u64,
    /// Our reads of QuickBooks this month.
    pub quickbooks_reads_month: u64,
    /// What Intuit includes in a month for all companies of this app together.
    pub quickbooks_reads_limit: u64,
}

/// The page people come back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Home {
    /// The company.
    pub company: String,
    /// Whether set-up is complete.
    pub is_set_up: bool,
    /// What stops all transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<NoticeView>,
    /// Autotask and QuickBooks.
    pub connections: Vec<ConnectionView>,
    /// The runs.
    pub runs: RunsView,
    /// Who has been waiting longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_waiting: Option<OldestWaiting>,
    /// The newest orders that need a person, 10 at most.
    pub needs_person: Vec<OrderRow>,
    /// All orders by outcome.
    pub counts: Counts,
    /// The last 30 days, oldest first.
    pub days: Vec<Day>,
    /// Calls against quotas.
    pub calls: Calls,
}

impl Home {
    /// The busiest day's orders, at least 1: what the chart's height stands for.
    pub fn busiest(&self) -> u64 {
        let totals = self.days.iter().map(|day| day.counts.total());
        totals.max().unwrap_or(0).max(1)
    }
}

/// How a finding came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Must be put right.
    Bad,
}

/// One thing the check looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FindingView {
    /// What was looked at.
    pub check: String,
    /// How it came out.
    pub level: Level,
    /// What was found.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Everything that could go wrong later, looked at now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckView {
    /// What was found, the bad ones first.
    pub findings: Vec<FindingView>,
    /// Whether nothing must be put right.
    pub is_good: bool,
}

/// The steps of set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetUpStepName {
    /// Sign in with Intuit.
    SignIn,
    /// Connect the QuickBooks company.
    QuickBooks,
    /// Enter the Autotask API user.
    Autotask,
    /// Choose the settings.
    Settings,
    /// Look everything over and start.
    Review,
    /// Orders are being transferred.
    Running,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Done.
    Done,
    /// Next to do.
    Current,
    /// Not yet.
    Later,
}

/// One step as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetUpStep {
    /// Its name.
    pub name: SetUpStepName,
    /// Its words.
    pub label: &'static str,
    /// How far it is.
    pub state: StepState,
    /// Where it is done, when it can be (again).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<&'static str>,
}

/// Set-up, as far as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetUp {
    /// The step to do next.
    pub step: SetUpStepName,
    /// `Step 1 Complete. Please Configure Settings.` and the like.
    pub heading: &'static str,
    /// All steps.
    pub steps: Vec<SetUpStep>,
    /// The company, once it is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The settings for review: a label and the value in words.
    pub review: Vec<(String, String)>,
    /// What the first run would take, in the review, when Autotask could be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_run: Option<FirstRun>,
    /// The runs, once started.
    pub runs: RunsView,
    /// What became of the first orders.
    pub counts: Counts,
    /// The newest orders, while the first run is watched.
    pub newest: Vec<OrderRow>,
    /// Why the last try to connect did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<NoticeView>,
    /// Whom to ask, when the company belongs to somebody else.
    pub ask: Vec<String>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<LinkView>,
}

/// What the first run would take if it began now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FirstRun {
    /// How many orders.
    pub orders: u64,
    /// The day on which the oldest of them was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<String>,
    /// The numbers of some of them, the oldest first.
    pub numbers: Vec<String>,
}

/// Connection settings and logs: both connections and what can be done with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConnectionPage {
    /// The company.
    pub company: String,
    /// Autotask and QuickBooks.
    pub connections: Vec<ConnectionView>,
    /// The runs.
    pub runs: RunsView,
    /// Whether set-up is complete.
    pub is_set_up: bool,
    /// Whether there is anything to disconnect.
    pub can_disconnect: bool,
}

/// What a disconnect would do, before it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DisconnectForm {
    /// The company.
    pub company: String,
    /// Orders that are still waiting.
    pub waiting: u64,
}
