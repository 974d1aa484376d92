//! What happens to a history from outside: at each call of a vendor or of the store the plan may have
//! something go wrong, or a person act. And what must hold after each is looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use purser_core::{
    ports::{Change, Committed},
    protocol::is_legal,
    record::{StateName, SyncRecord},
};
use purser_simulators::{
    FaultKind, FaultRule, Simulators, System,
    autotask::{Action, Database},
    quickbooks::{BillSeed, HumanAction},
};
use purser_transport::{BoxFuture, Transport, TransportError};
use serde_json::Value;
use tokio::sync::Notify;

use super::plan::{Hand, Plan, WireTrouble};
use crate::{
    shaken::{Happening, StoreTap},
    stage::{Moment, StageClock, amount},
};

/// How long a late request is under way: less than QuickBooks' own limit for one.
const LATE: Duration = Duration::from_secs(100);

/// One order of a history.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderIds {
    pub(super) order: i64,
    pub(super) line: i64,
}

/// What a history has brought about so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What must not be.
    pub(super) violations: Vec<String>,
    /// What people did, and with which order.
    pub(super) done: Vec<(usize, Hand)>,
    /// Orders whose Retry was pressed.
    pub(super) retries: Vec<i64>,
    /// State, generation and fence of each record as it was written last.
    pub(super) records: BTreeMap<i64, (StateName, u32, u64)>,
    /// Transitions that were written.
    pub(super) transitions: BTreeSet<(StateName, StateName)>,
    /// Disturbances that met a call.
    pub(super) met: u64,
    /// Bills that were entered by hand.
    pub(super) entered: usize,
    /// How many deletions there were.
    pub(super) deleted: usize,
}

/// The outside of one history.
pub(super) struct Nature {
    pub(super) plan: Plan,
    pub(super) simulators: Arc<Simulators>,
    pub(super) database: Database,
    pub(super) realm: String,
    pub(super) vendor: String,
    pub(super) account: String,
    pub(super) orders: Vec<OrderIds>,
    clocks: Mutex<Vec<Option<StageClock>>>,
    cuts: Vec<Notify>,
    point: AtomicU64,
    creates: AtomicU64,
    is_calm: AtomicBool,
    seen: Mutex<Seen>,
}

impl Nature {
    pub(super) fn new(
        plan: Plan,
        (simulators, database): (Arc<Simulators>, Database),
        realm: String,
        (vendor, account): (String, String),
        orders: Vec<OrderIds>,
    ) -> Self {
        let processes = plan.processes;
        Self {
            plan,
            simulators,
            database,
            realm,
            vendor,
            account,
            orders,
            clocks: Mutex::new(vec![None; processes]),
            cuts: (0..processes).map(|_| Notify::new()).collect(),
            point: AtomicU64::new(0),
            creates: AtomicU64::new(0),
            is_calm: AtomicBool::new(false),
            seen: Mutex::default(),
        }
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock that a process goes by from now on.
    pub(super) fn set_clock(&self, process: usize, clock: StageClock) {
        let mut clocks = self.clocks.lock().unwrap_or_else(PoisonError::into_inner);
        clocks[process] = Some(clock);
    }

    /// How many calls there were.
    pub(super) fn points(&self) -> u64 {
        self.point.load(Ordering::SeqCst)
    }

    /// Nothing goes wrong any more.
    pub(super) fn calm_down(&self) {
        self.is_calm.store(true, Ordering::SeqCst);
    }

    /// Waits until a process dies.
    pub(super) async fn died(&self, process: usize) {
        self.cuts[process].notified().await;
    }

    async fn die(&self, process: usize) {
        self.cuts[process].notify_one();
        std::future::pending::<()>().await;
    }

    /// One more call; people act and clocks go wrong as planned. Answers its number, unless nothing
    /// goes wrong any more.
    fn next_point(&self) -> Option<u64> {
        let point = self.point.fetch_add(1, Ordering::SeqCst);
        if self.is_calm.load(Ordering::SeqCst) {
            return None;
        }
        if let Some((order, hand)) = self.plan.hands.get(&point) {
            self.act(*order, *hand);
        }
        for (from, process, off) in &self.plan.clocks {
            let clocks = self.clocks.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Some(clock)) = clocks.get(*process).filter(|_| *from == point) {
                clock.put_off(*off);
            }
        }
        Some(point)
    }

    fn wire_trouble(&self, is_create: bool) -> Option<WireTrouble> {
        let point = self.next_point()?;
        let of_create = is_create.then(|| self.creates.fetch_add(1, Ordering::SeqCst));
        let of_create = of_create.and_then(|create| self.plan.creates.get(&create));
        let any = self.plan.disturbances.get(&point);
        let trouble = of_create.or(any.map(|disturbance| &disturbance.wire))?;
        self.seen().met += 1;
        Some(trouble.clone())
    }

    fn store_trouble(&self) -> Option<Happening> {
        let disturbance = self.plan.disturbances.get(&self.next_point()?)?;
        self.seen().met += 1;
        Some(disturbance.store)
    }

    /// The live bills that bear our mark for an order.
    pub(super) fn bills_of(&self, order: i64) -> Vec<Value> {
        let mark = format!("AT-PO:{order} g");
        let bills = self.simulators.quickbooks.live_bills(&self.realm);
        let ours = |bill: &Value| {
            bill["PrivateNote"]
                .as_str()
                .is_some_and(|note| note.contains(&mark))
        };
        bills.into_iter().filter(ours).collect()
    }

    /// A person acts, if they can.
    fn act(&self, order: usize, hand: Hand) {
        let OrderIds { order: id, line } = self.orders[order];
        let is_done = match hand {
            Hand::ClearNumber => self.database.act(Action::ClearNumber { order: id }).is_ok(),
            Hand::TypeNumber => {
                let number = "by hand".to_owned();
                let action = Action::SetNumber { order: id, number };
                self.database.act(action).is_ok()
            }
            Hand::EditLine => {
                let edit = Action::EditLine {
                    line,
                    quantity: None,
                    unit_cost: Some("400.01".to_owned()),
                    memo: None,
                };
                self.database.act(edit).is_ok()
            }
            Hand::DeleteBill => self.delete(id),
            Hand::EnterBill => self.enter(id),
            Hand::Retry => {
                self.seen().retries.push(id);
                true
            }
        };
        if is_done {
            self.seen().done.push((order, hand));
        }
    }

    fn delete(&self, order: i64) -> bool {
        let bills = self.bills_of(order);
        let Some(id) = bills.first().and_then(|bill| bill["Id"].as_str()) else {
            return false;
        };
        let (realm, id) = (self.realm.clone(), id.to_owned());
        let action = HumanAction::DeleteBill { realm, id };
        let is_done = self.simulators.quickbooks.act_as_person(action).is_ok();
        self.seen().deleted += usize::from(is_done);
        is_done
    }

    fn enter(&self, order: i64) -> bool {
        let Some(number) = self.database.order(order).and_then(|order| order.number) else {
            return false;
        };
        let total = "799.98".parse().expect("a total");
        let bill = BillSeed::new(&self.vendor, &number, &self.account, total);
        let realm = self.realm.clone();
        let action = HumanAction::EnterBill { realm, bill };
        let is_done = self.simulators.quickbooks.act_as_person(action).is_ok();
        self.seen().entered += usize::from(is_done);
        is_done
    }

    /// What must hold at every moment.
    pub(super) fn check(&self, after: &str) {
        for ids in &self.orders {
            let bills = self.bills_of(ids.order);
            if bills.len() > 1 {
                self.violate(format!(
                    "order {} has {} live bills",
                    ids.order,
                    bills.len()
                ));
            }
            for bill in bills {
                let total = amount(&bill["TotalAmt"]).to_string();
                if !["799.98", "800.02"].contains(&total.as_str()) {
                    self.violate(format!(
                        "order {} is billed over {total} {after}",
                        ids.order
                    ));
                }
            }
        }
    }

    /// A record was written: the step from what was written before must be a legal one, and its
    /// numbers never fall.
    fn note(&self, record: &SyncRecord) {
        let order = record.key.order.get();
        let now = (record.state.name(), record.generation, record.fence);
        let before = self.seen().records.insert(order, now);
        let (from, generation, fence) = before.unwrap_or((StateName::Queued, 0, 0));
        self.seen().transitions.insert((from, now.0));
        if !is_legal(from, now.0) {
            self.violate(format!("order {order} went from {from:?} to {:?}", now.0));
        }
        if now.1 < generation || now.2 < fence {
            self.violate(format!("order {order} went back in generation or fence"));
        }
    }

    pub(super) fn violate(&self, what: String) {
        let mut seen = self.seen();
        if !seen.violations.contains(&what) {
            seen.violations.push(what);
        }
    }
}

/// What happens to the store of one process.
pub(super) struct StoreNature {
    pub(super) nature: Arc<Nature>,
    pub(super) process: usize,
}

impl StoreTap for StoreNature {
    fn next(&self, _: &'static str) -> Happening {
        self.nature.store_trouble().unwrap_or(Happening::Pass)
    }

    fn was_cut(&self, _: &'static str) {
        self.nature.cuts[self.process].notify_one();
    }

    fn was_committed(&self, change: &Change, outcome: &Committed) {
        if *outcome == Committed::Done {
            self.nature.note(&change.record);
        }
    }
}

/// The wire of one process.
pub(super) struct Wire {
    pub(super) nature: Arc<Nature>,
    pub(super) process: usize,
}

fn system(path: &str) -> System {
    if path.starts_with("/v3/") {
        System::QuickBooks
    } else if path.to_ascii_lowercase().contains("atservicesrest") {
        System::Autotask
    } else {
        System::Intuit
    }
}

impl Wire {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let (nature, system) = (&self.nature, system(request.uri().path()));
        let is_create = request.method() == Method::POST && request.uri().path().ends_with("/bill");
        let trouble = nature.wire_trouble(is_create);
        match &trouble {
            // Autotask that says "not signed in" needs a person each time: that is told elsewhere.
            Some(WireTrouble::Fault(kind))
                if *kind != FaultKind::Unauthorised || system == System::QuickBooks =>
            {
                let rule = FaultRule::next(system, "*", kind.clone());
                nature.simulators.faults.add(rule);
            }
            Some(WireTrouble::Die(Moment::Before)) => nature.die(self.process).await,
            Some(WireTrouble::Die(Moment::Late)) => {
                let simulators = Arc::clone(&nature.simulators);
                let late = LATE.min(nature.plan.latest_commit());
                tokio::spawn(async move {
                    tokio::time::sleep(late).await;
                    drop(simulators.send(request, timeout).await);
                });
                nature.die(self.process).await;
                unreachable!("a dead process goes on");
            }
            // Between the last look at the clock and the send there is no moment to sleep for long.
            Some(WireTrouble::Sleep(Moment::Before, time)) if !is_create => {
                tokio::time::sleep(*time).await;
            }
            _ => {}
        }
        let called = format!("after {} {}", request.method(), request.uri().path());
        let answer = nature.simulators.send(request, timeout).await;
        nature.check(&called);
        match trouble {
            Some(WireTrouble::Die(Moment::After)) => nature.die(self.process).await,
            Some(WireTrouble::Sleep(Moment::After, time)) => tokio::time::sleep(time).await,
            _ => {}
        }
        answer
    }
}

impl Transport for Wire {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request, timeout))
    }
}
