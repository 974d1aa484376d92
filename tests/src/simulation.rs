//! The deterministic simulation: production clients, handlers and use cases between the simulators of
//! both vendors and a store, on one thread, under a clock that moves only when nothing else can. One
//! seed is one history: which orders there are, when calls fail and how, when processes die and sleep,
//! whose clock goes wrong, and what people do meanwhile.
//!
//! First everything that the plan has goes wrong, and it is looked at every call that there are never
//! two bills for an order. Then nothing goes wrong any more, and every order must come to its end.

mod nature;
mod plan;
mod process;
mod verdict;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::join_all;
use nature::{Nature, OrderIds};
use process::Process;
use purser_core::{
    ids::OrderId,
    policy::Guards,
    record::{Origin, StateName},
};

pub use plan::{Plan, Shape};

use crate::stage::{Scene, Stage, StageStore};

/// How long things go wrong.
const TROUBLED: Duration = Duration::from_mins(50);
/// How long it may take afterwards until every order is at its end: what was given back for the night
/// is taken up again in the morning.
const CALM_MAX: Duration = Duration::from_hours(40);

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
}

/// Lives one history on a store that is new.
///
/// # Panics
///
/// When a history cannot even be set up.
pub async fn live<S: StageStore>(plan: Plan) -> History {
    let (mut stage, nature) = set_up::<S>(plan).await;
    stage
        .engine
        .start_now(&stage.tenant)
        .await
        .expect("an empty store");
    let minutes = pass(&mut stage, &nature).await;
    verdict::judge(&stage, &nature).await;
    let mut ends = Vec::new();
    for ids in &nature.orders {
        let record = stage.find_record(ids.order).await;
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
    }
}

async fn set_up<S: StageStore>(plan: Plan) -> (Stage<S>, Arc<Nature>) {
    let mut stage = Stage::<S>::connected(Scene::default()).await;
    if plan.guards != Guards::ALL {
        stage.without(|guards| *guards = plan.guards).await;
    }
    let refuses = plan.orders.contains(&Shape::Refused);
    if refuses || plan.numbers_of_orders {
        let of_orders = plan.numbers_of_orders;
        let change = |settings: &mut purser_core::settings::SettingsDocument| {
            if refuses {
                settings.missing_item = Some("refuse".to_owned());
                settings.created_item_account = None;
            }
            if of_orders {
                settings.number_source = Some("autotask".to_owned());
            }
        };
        stage.change_settings(change).await;
    }
    let orders = plan
        .orders
        .iter()
        .enumerate()
        .map(|(place, shape)| add(&stage, *shape, place))
        .collect();
    let books = &stage.simulators.quickbooks;
    let switched = books.change_switches(|switches| {
        switches.request_id = plan.mode;
        switches.query_lag_ms = millis(plan.query_lag);
        switches.latency_ms = millis(plan.latency);
    });
    switched.expect("switches");
    let nature = Nature::new(
        plan,
        (Arc::clone(&stage.simulators), stage.database.clone()),
        stage.realm.clone(),
        (stage.cast.vendor.clone(), stage.cast.goods.clone()),
        orders,
    );
    (stage, Arc::new(nature))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn add<S: StageStore>(stage: &Stage<S>, shape: Shape, place: usize) -> OrderIds {
    let mut order = stage.order();
    if shape != Shape::Known {
        order.lines[0].product = Some(stage.new_product(&format!("Access Point AX{place}")));
    }
    if shape == Shape::New {
        order.vendor = stage.new_seller(&format!("Brightline Distribution {place}"));
        order.purchase_for = Some(stage.new_buyer(&format!("Harbor Dental {place}")));
    }
    let order = stage.add(&order);
    let line = stage.database.lines(order)[0]["id"]
        .as_i64()
        .expect("a line");
    OrderIds { order, line }
}

/// The troubled time, and then the calm one until everything is at its end. Answers how many minutes
/// the calm one took.
async fn pass<S: StageStore>(stage: &mut Stage<S>, nature: &Arc<Nature>) -> u64 {
    {
        let stage = &*stage;
        let lives = lives(stage, nature);
        drop(tokio::time::timeout(TROUBLED, lives).await);
    }
    nature.calm_down();
    let began = stage.now();
    loop {
        let trouble = stage.trouble().await;
        if trouble.starts_with("connection.") {
            stage.connect().await;
        } else if !trouble.is_empty() {
            nature.violate(format!("the transfer is stopped by {trouble}"));
        }
        {
            let stage = &*stage;
            let lives = lives(stage, nature);
            drop(tokio::time::timeout(Duration::from_mins(20), lives).await);
        }
        let gone = Duration::try_from(began.duration_until(stage.now())).unwrap_or_default();
        if is_over(stage, nature).await || gone > CALM_MAX {
            return gone.as_secs() / 60;
        }
    }
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
    tokio::join!(lives, press_retry(stage, nature));
}

/// A person presses Retry now and then.
async fn press_retry<S: StageStore>(stage: &Stage<S>, nature: &Nature) {
    loop {
        tokio::time::sleep(Duration::from_secs(7)).await;
        let pressed = std::mem::take(&mut nature.seen().retries);
        for order in pressed {
            let order = OrderId::new(order);
            let asked = stage
                .engine
                .ask(&stage.tenant, order, Origin::Retry, None, None);
            // An order that nobody has met yet cannot be retried.
            drop(Box::pin(asked).await);
        }
    }
}

async fn is_over<S: StageStore>(stage: &Stage<S>, nature: &Nature) -> bool {
    for ids in &nature.orders {
        match stage.find_record(ids.order).await {
            // A number that was cleared is written again by the next run.
            Some(record)
                if record.state.name() == StateName::Linked
                    && stage
                        .number(ids.order)
                        .is_none_or(|number| number.trim().is_empty()) =>
            {
                return false;
            }
            // A bill that was deleted is missed within a day.
            Some(record) if verdict::misses_bill(&record, nature) => return false,
            Some(record) if record.is_settled() && verdict::is_final(record.state.name()) => {}
            Some(_) => return false,
            None if stage.number(ids.order).is_none() => return false,
            None => {}
        }
    }
    stage.store.message_at().await.is_none()
}
