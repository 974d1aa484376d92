//! The deterministic simulation: production clients, handlers and use cases between the simulators of
//! both vendors and a store, on one thread, under a clock that moves only when nothing else can. One
//! seed is one history: which orders there are, when calls fail and how, when processes die and sleep,
//! whose clock goes wrong, and what people do meanwhile.
//!
//! First everything that the plan has goes wrong, and it is looked at every call that there are never
//! two bills for an order. Then nothing goes wrong any more, and every order must come to its end.

mod beyond;
mod canary;
#[cfg(test)]
mod checks;
mod companies;
mod exhaustive;
mod hands;
mod keys;
mod kinds;
mod labels;
mod limits;
mod nature;
mod plan;
mod points;
mod process;
mod sends;
mod stories;
mod trial;
mod verdict;
mod versions;
mod watch;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use companies::Company;
use futures_util::future::join_all;
use keys::Keys;
use nature::Nature;
use process::Process;
use purser_core::{
    ids::OrderId,
    policy::Guards,
    record::{Origin, StateName},
};

use tracing::instrument::WithSubscriber as _;
use watch::Watch;

pub use exhaustive::{Life, take_away};
pub use kinds::Kind;
pub use plan::{Plan, Shape};
pub use points::{Fault, Point};
pub use stories::Story;
pub use trial::{Call, Trial};

use purser_simulators::{autotask::AutotaskSwitches, quickbooks::QuickBooksSwitches};

use crate::stage::{Scene, Stage, StageStore};

/// What is not at its end by then takes a night; where two versions are at work, and neither people nor
/// a limit make an order wait, the deploy is over first. Who of the two receives a message is chance, and
/// the older one puts it off for five minutes each time.
const EVENING: Duration = Duration::from_hours(1);
/// How long nothing runs at night.
const NIGHT: Duration = Duration::from_hours(20);
/// How often it is looked whether everything is at rest.
const LOOKS: Duration = Duration::from_secs(30);
/// How long it may take afterwards until every order is at its end: what was given back for the night
/// is taken up again in the morning.
const CALM_MAX: Duration = Duration::from_hours(40);

/// How many calls at once Autotask takes at one endpoint.
const THREADS_MAX: usize = 3;

/// What became of a history.
#[derive(Debug, Default)]
pub struct History {
    /// What must not be; nothing in a good one.
    pub violations: Vec<String>,
    /// How many calls of vendors and store there were.
    pub points: u64,
    /// How many of the planned disturbances met a call.
    pub met: u64,
    /// How many things people did.
    pub hands: u64,
    /// The states that the orders ended in.
    pub ends: Vec<StateName>,
    /// The transitions that were written.
    pub transitions: BTreeSet<(StateName, StateName)>,
    /// How long it took after things stopped going wrong, in minutes.
    pub minutes: u64,
    /// How many companies there were.
    pub companies: usize,
    /// The most calls that were under way at one endpoint of Autotask at once.
    pub threads: usize,
    /// How often all processes together made more calls in a second than QuickBooks takes.
    pub crowded: u64,
    /// How often a process met what only a newer one knows.
    pub unknown: u64,
    /// Whether the older of two processes had to go before all was done.
    pub outlasted: bool,
    /// How often people had to connect again.
    pub reconnected: u64,
    /// Beyond the bounds: orders that had two live bills at some time.
    pub doubles: usize,
    /// The calls until the end of the order, where they are kept.
    pub calls: Vec<Call>,
    /// Each call while things went wrong, where that is to be told.
    pub told: Vec<String>,
    /// What was tried on purpose and met a call: its place in the trial, and the number of the call.
    pub tried: Vec<(usize, u64)>,
}

/// Lives one history on a store that is new.
///
/// # Panics
///
/// When a history cannot even be set up.
pub async fn live<S: StageStore>(plan: Plan) -> History {
    canary::take();
    passed::<S>(plan).with_subscriber(canary::log()).await
}

async fn passed<S: StageStore>(plan: Plan) -> History {
    let (stage, nature) = set_up::<S>(plan).await;
    tokio::time::sleep(nature.plan.rest).await;
    for company in &nature.companies {
        let started = stage.engine.start_now(&company.tenant);
        started.await.expect("an empty store");
    }
    let minutes = pass(&stage, &nature).await;
    verdict::judge(&stage, &nature).await;
    verdict::judge_rest(&stage, &nature, minutes).await;
    for what in nature.watch.leaked() {
        nature.violate(what);
    }
    if nature.watch.threads_max() > THREADS_MAX {
        nature.violate("more calls at once at an endpoint of Autotask than it takes".to_owned());
    }
    let mut ends = Vec::new();
    for ids in &nature.orders {
        let company = &nature.companies[ids.company];
        let record = company.find_record(&stage, ids.order).await;
        ends.extend(record.map(|record| record.state.name()));
    }
    let points = nature.points();
    let mut seen = nature.seen();
    History {
        violations: std::mem::take(&mut seen.violations),
        points,
        met: seen.met,
        hands: seen.done.len() as u64,
        ends,
        transitions: std::mem::take(&mut seen.transitions),
        minutes,
        companies: nature.companies.len(),
        threads: nature.watch.threads_max(),
        crowded: nature.watch.crowded(),
        unknown: nature.versions.met(),
        outlasted: seen.outlasted,
        reconnected: seen.reconnected,
        doubles: seen.doubles.len(),
        calls: nature.trying.calls(),
        told: nature.trying.told(),
        tried: nature.trying.met(),
    }
}

async fn set_up<S: StageStore>(plan: Plan) -> (Stage<S>, Arc<Nature>) {
    let scene = Scene {
        in_order: true,
        ..Scene::default()
    };
    let mut stage = Stage::<S>::connected(scene).await;
    if plan.guards != Guards::ALL {
        stage.without(|guards| *guards = plan.guards).await;
    }
    let mut document = stage.settings.clone();
    plan.wishes(&mut document);
    if document != stage.settings {
        stage.import(document).await;
    }
    let mut companies = vec![Company::first(&stage, &plan)];
    for place in 1..plan.companies {
        companies.push(Company::another(&stage, place, &plan).await);
    }
    let shapes = plan.orders.iter().copied().enumerate();
    let orders = shapes.map(|order| {
        let company = order.0 % companies.len();
        companies[company].add(company, order, plan.seed)
    });
    let orders: Vec<_> = orders.collect();
    // Nobody reads in a history what was said.
    stage.simulators.journal.keep_bodies(false);
    let books = &stage.simulators.quickbooks;
    let switched = books.change_switches(|switches| {
        switches.request_id = plan.mode;
        switches.query_lag_ms = millis(plan.query_lag);
        switches.latency_ms = millis(plan.latency);
    });
    switched.expect("switches");
    let watch = watched(&stage, &companies, &plan);
    let simulators = Arc::clone(&stage.simulators);
    let nature = Nature::new(plan, simulators, companies, orders, watch);
    for ids in &nature.orders {
        nature.note_total(*ids);
    }
    (stage, Arc::new(nature))
}

/// The vendors' limits are on, and everything that is looked at knows the companies.
fn watched<S: StageStore>(stage: &Stage<S>, companies: &[Company], plan: &Plan) -> Watch {
    let strict = AutotaskSwitches::default();
    let books = QuickBooksSwitches::default();
    let limited = stage.simulators.quickbooks.change_switches(|switches| {
        switches.requests_per_minute = books.requests_per_minute;
        switches.requests_per_second = books.requests_per_second;
    });
    limited.expect("switches");
    let mut keys = Keys::default();
    for company in companies {
        company.database.switch(|switches| {
            switches.hourly_limit = plan.hourly;
            switches.thread_limit = strict.thread_limit;
        });
        let seed = company.database.seed();
        keys.add(&company.realm, &seed.api_user, &seed.secret);
    }
    let watch = Watch::new(Arc::clone(&stage.simulators), keys, plan.hourly / 2);
    for company in companies {
        watch.tell(company);
    }
    watch
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The troubled time, and then the calm one until everything is at its end. Answers how many minutes
/// the calm one took.
async fn pass<S: StageStore>(stage: &Stage<S>, nature: &Arc<Nature>) -> u64 {
    let troubled = lives(stage, nature);
    tokio::select! {
        biased;
        () = rests(stage, nature) => {}
        _ = tokio::time::timeout(nature.plan.troubled, troubled) => {}
    }
    nature.calm_down();
    let mut is_night_over = false;
    let began = stage.now();
    let gone = || Duration::try_from(began.duration_until(stage.now())).unwrap_or_default();
    loop {
        let is_stopped = mend(stage, nature, gone()).await;
        if (gone() >= nature.plan.calm && !is_stopped && is_over(stage, nature).await)
            || gone() > CALM_MAX
        {
            if gone() > CALM_MAX {
                nature.violate("it does not come to rest".to_owned());
            }
            return gone().as_secs() / 60;
        }
        let is_evening = gone() > EVENING;
        if is_evening && nature.plan.rests_soon() && nature.versions.end() {
            nature.seen().outlasted = true;
        } else if is_evening && !is_night_over && nature.plan.is_off_at_night() {
            is_night_over = true;
            tokio::time::sleep(NIGHT).await;
        }
        let calm = lives(stage, nature);
        drop(tokio::time::timeout(nature.plan.calm, calm).await);
    }
}

/// Waits until everything that is planned has been, and the orders are at their ends for so long that
/// nobody sleeps any more and nothing is late.
async fn rests<S: StageStore>(stage: &Stage<S>, nature: &Nature) {
    let mut calm = Duration::ZERO;
    while calm < nature.plan.rests {
        tokio::time::sleep(LOOKS).await;
        let is_at_rest = nature.is_done() && is_over(stage, nature).await;
        calm = if is_at_rest {
            calm + LOOKS
        } else {
            Duration::ZERO
        };
    }
}

/// People connect again where they must. Answers whether something else stops the transfer, which it
/// may not, unless that was tried and the product is still to find out that it is over.
async fn mend<S: StageStore>(stage: &Stage<S>, nature: &Nature, gone: Duration) -> bool {
    let mut is_stopped = false;
    for company in &nature.companies {
        let trouble = company.trouble(stage).await;
        if trouble.starts_with("connection.") {
            nature.seen().reconnected += 1;
            if !nature.plan.trial.may_end_a_connection() {
                nature.violate("a connection was given up that is good".to_owned());
            }
            company.connect(stage).await;
        } else if !trouble.is_empty() {
            is_stopped = true;
            if gone >= nature.plan.trial.forgives() {
                nature.violate(format!("the transfer is stopped by {trouble}"));
            }
        }
    }
    is_stopped
}

async fn lives<S: StageStore>(stage: &Stage<S>, nature: &Arc<Nature>) {
    let processes: Vec<_> = (0..nature.plan.processes)
        .map(|place| Process {
            stage,
            nature,
            place,
        })
        .collect();
    let lives = join_all(processes.iter().map(Process::run));
    tokio::join!(
        lives,
        press_retry(stage, nature),
        stories::tell(stage, nature)
    );
}

/// A person presses Retry now and then.
async fn press_retry<S: StageStore>(stage: &Stage<S>, nature: &Nature) {
    loop {
        tokio::time::sleep(Duration::from_secs(7)).await;
        let pressed = std::mem::take(&mut nature.seen().retries);
        for ids in pressed {
            let (tenant, order) = (&nature.companies[ids.company].tenant, ids.order);
            let order = OrderId::new(order);
            let asked = stage.engine.ask(tenant, order, Origin::Retry, None, None);
            // An order that nobody has met yet cannot be retried.
            drop(Box::pin(asked).await);
        }
    }
}

async fn is_over<S: StageStore>(stage: &Stage<S>, nature: &Nature) -> bool {
    if !stories::is_told(nature) {
        return false;
    }
    for (place, ids) in nature.orders.iter().enumerate() {
        let company = &nature.companies[ids.company];
        let number = company.number(ids.order);
        let is_blank = number.is_none_or(|number| number.trim().is_empty());
        // One that was received or called off is taken up by no run.
        let is_run = is_blank && !nature.has_left(place);
        match company.find_record(stage, ids.order).await {
            // An order whose number was cleared is taken up again by the next run, unless a person is
            // asked for something else.
            Some(record) if is_run && record.state.name() != StateName::NeedsPerson => {
                return false;
            }
            // A bill that was deleted is missed within a day.
            Some(record) if verdict::misses_bill(&record, nature, *ids) => return false,
            Some(record) if record.is_settled() && verdict::is_final(record.state.name()) => {}
            Some(_) => return false,
            // Nobody has met it yet: the chain of runs may have to be mended first.
            None if is_run => return false,
            None => {}
        }
    }
    // What came too late is found by the next reconciliation.
    if nature.plan.is_beyond && !verdict::is_well(stage, nature).await {
        return false;
    }
    stage.store.message_at().await.is_none()
}
