//! What happens to a history from outside: at each call of a vendor or of the store the plan may have
//! something go wrong, or a person act. And what must hold after each is looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;
use purser_core::{
    orders::ERROR_WORD,
    ports::{Change, Clock as _, Committed, Delivery, Message},
    protocol::is_legal,
    record::{StateName, SyncRecord},
};
use purser_simulators::{FaultKind, FaultRule, Simulators, System};
use purser_transport::{BoxFuture, Transport, TransportError};
use rust_decimal::Decimal;
use serde_json::Value;
use tokio::sync::Notify;

use super::{
    companies::Company,
    labels,
    plan::{Hand, Plan, WireTrouble},
    trial::Trying,
    versions::Versions,
    watch::{Caller, Watch},
};
use crate::{
    shaken::{Happening, StoreTap},
    stage::{Moment, StageClock, amount},
};

/// How long a late request is under way: less than QuickBooks' own limit for one.
const LATE: Duration = Duration::from_secs(100);

/// One order of a history.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderIds {
    /// Whose it is.
    pub(super) company: usize,
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
    pub(super) retries: Vec<OrderIds>,
    /// What each order came to at any time.
    pub(super) totals: BTreeMap<(usize, i64), BTreeSet<Decimal>>,
    /// State, generation and fence of each record as it was written last.
    pub(super) records: BTreeMap<(String, i64), (StateName, u32, u64)>,
    /// Transitions that were written.
    pub(super) transitions: BTreeSet<(StateName, StateName)>,
    /// Disturbances that met a call.
    pub(super) met: u64,
    /// Bills that were entered by hand, by whose they are.
    pub(super) entered: Vec<usize>,
    /// Bills that were deleted, by whose they were.
    pub(super) deleted: Vec<usize>,
    /// Bills that bear our mark because a person copied one, or put one in the place of one.
    pub(super) copies: Vec<String>,
    /// Beyond the bounds: orders that had two live bills at some time.
    pub(super) doubles: BTreeSet<(usize, i64)>,
    /// How often people had to connect again.
    pub(super) reconnected: u64,
    /// Whether the older of two processes had to go before all was done.
    pub(super) outlasted: bool,
    /// What may be written into each order because of a bill that it has or had.
    pub(super) numbers: BTreeSet<(usize, i64, String)>,
    /// How many steps of the story were told.
    pub(super) told: usize,
}

/// The outside of one history.
pub(super) struct Nature {
    pub(super) plan: Plan,
    pub(super) simulators: Arc<Simulators>,
    pub(super) companies: Vec<Company>,
    pub(super) orders: Vec<OrderIds>,
    pub(super) watch: Watch,
    pub(super) versions: Versions,
    pub(super) trying: Trying,
    clocks: Mutex<Vec<Option<StageClock>>>,
    cuts: Vec<Notify>,
    point: AtomicU64,
    creates: AtomicU64,
    numbers: AtomicU64,
    lives: AtomicUsize,
    is_calm: AtomicBool,
    seen: Mutex<Seen>,
}

impl Nature {
    pub(super) fn new(
        plan: Plan,
        simulators: Arc<Simulators>,
        companies: Vec<Company>,
        orders: Vec<OrderIds>,
        watch: Watch,
    ) -> Self {
        let processes = plan.processes;
        Self {
            versions: Versions::new(plan.is_newer),
            trying: Trying::new(plan.trial.clone()),
            plan,
            simulators,
            companies,
            orders,
            watch,
            clocks: Mutex::new(vec![None; processes]),
            cuts: (0..processes).map(|_| Notify::new()).collect(),
            point: AtomicU64::new(0),
            creates: AtomicU64::new(0),
            numbers: AtomicU64::new(0),
            lives: AtomicUsize::new(0),
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

    /// One more life of a process.
    pub(super) fn next_life(&self) -> usize {
        self.lives.fetch_add(1, Ordering::SeqCst)
    }

    /// Whether everything that is planned has been. A create that is still to go wrong is not waited
    /// for: there may be none any more.
    pub(super) fn is_done(&self) -> bool {
        self.trying.is_done() && self.points() > self.plan.last_point()
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
                self.watch.clock_moved(*process);
            }
        }
        Some(point)
    }

    fn wire_trouble(
        &self,
        process: usize,
        (system, request): (System, &Request<Bytes>),
        sends: Option<Sends>,
    ) -> Option<WireTrouble> {
        let point = self.next_point()?;
        let tried = self.trying.wire((process, point), (system, request));
        if tried.is_some() {
            return tried;
        }
        let of_kind = sends.and_then(|sends| {
            let (count, planned) = match sends {
                Sends::Bill => (&self.creates, &self.plan.creates),
                Sends::Number => (&self.numbers, &self.plan.numbers),
            };
            planned.get(&count.fetch_add(1, Ordering::SeqCst))
        });
        let any = self.plan.disturbances.get(&point);
        let trouble = of_kind.or(any.map(|disturbance| &disturbance.wire))?;
        self.seen().met += 1;
        Some(trouble.clone())
    }

    fn store_trouble(&self, process: usize, call: &str) -> Option<Happening> {
        let point = self.next_point()?;
        let tried = self.trying.store((process, point), call);
        if tried.is_some() {
            return tried;
        }
        let disturbance = self.plan.disturbances.get(&point)?;
        self.seen().met += 1;
        Some(disturbance.store)
    }

    /// What the clock of a process says.
    fn time_of(&self, process: usize) -> Option<Timestamp> {
        let clocks = self.clocks.lock().unwrap_or_else(PoisonError::into_inner);
        let clock = clocks.get(process)?.as_ref()?;
        Some(clock.now())
    }

    /// What an order comes to from now on.
    pub(super) fn note_total(&self, ids: OrderIds) {
        let total = self.companies[ids.company].total_of(ids.order);
        let mut seen = self.seen();
        let totals = seen.totals.entry((ids.company, ids.order)).or_default();
        totals.insert(total);
    }

    /// The live bills that bear our mark for an order.
    pub(super) fn bills_of(&self, ids: OrderIds) -> Vec<Value> {
        let realm = &self.companies[ids.company].realm;
        let books = &self.simulators.quickbooks;
        books.live_bills_with_memo(realm, &mark_of(ids))
    }

    /// Whether there is one.
    pub(super) fn has_bill(&self, ids: OrderIds) -> bool {
        let realm = &self.companies[ids.company].realm;
        let books = &self.simulators.quickbooks;
        books.has_live_bill_with_memo(realm, &mark_of(ids))
    }

    /// What must hold at every moment, where a call to this system may have changed it.
    pub(super) fn check(&self, (system, is_read): (System, bool), after: &str) {
        for ids in &self.orders {
            match system {
                System::QuickBooks => self.check_bills(*ids, after),
                System::Autotask if !is_read => self.check_todos(*ids),
                System::Autotask | System::Intuit => {}
            }
        }
    }

    fn check_bills(&self, ids: OrderIds, after: &str) {
        let (bills, order) = (self.bills_of(ids), ids.order);
        let ours = bills.iter().filter(|bill| !self.is_copy(bill)).count();
        if ours > 1 && self.plan.is_beyond {
            self.seen().doubles.insert((ids.company, order));
        } else if ours > 1 {
            self.violate(format!("order {order} has {ours} live bills"));
        }
        for bill in bills {
            let number = bill["DocNumber"].as_str().or(bill["Id"].as_str());
            let number = number.unwrap_or_default().to_owned();
            self.seen().numbers.insert((ids.company, order, number));
            let total = amount(&bill["TotalAmt"]);
            let key = (ids.company, order);
            let is_right = self.seen().totals[&key].contains(&total);
            if !is_right && !self.is_copy(&bill) {
                self.violate(format!("order {order} is billed over {total} {after}"));
            }
        }
    }

    /// What leaves to be written into an order: the number of a bill that is stored as made and not yet as
    /// linked, or ERROR for one that is stored as what a person must look at.
    pub(super) fn check_number(&self, ids: OrderIds, number: &str) {
        let (company, order) = (ids.company, ids.order);
        let key = (self.companies[company].realm.clone(), order);
        let seen = self.seen();
        let state = seen.records.get(&key).map(|(state, ..)| *state);
        let is_right = match number {
            ERROR_WORD => matches!(
                state,
                Some(StateName::Refused | StateName::NeedsPerson | StateName::Orphaned)
            ),
            number => {
                let known = (company, order, number.to_owned());
                state == Some(StateName::Created) && seen.numbers.contains(&known)
            }
        };
        drop(seen);
        if !is_right {
            let state = state.map_or("not stored".to_owned(), |state| format!("{state:?}"));
            self.violate(format!("{number} was written into order {order}: {state}"));
        }
    }

    /// Which order a write to Autotask is about, and what is written into its number.
    fn number_in(&self, user: &str, request: &Request<Bytes>) -> Option<(OrderIds, String)> {
        if request.method() != Method::PATCH || !request.uri().path().ends_with("/PurchaseOrders") {
            return None;
        }
        let body: Value = serde_json::from_slice(request.body()).ok()?;
        let realm = self.watch.keys.realm_of(user);
        let company = self.companies.iter().position(|it| it.realm == realm)?;
        let mut orders = self.orders.iter().filter(|ids| ids.company == company);
        let ids = orders.find(|ids| body["id"].as_i64() == Some(ids.order))?;
        Some((*ids, body["externalPONumber"].as_str()?.to_owned()))
    }

    fn check_todos(&self, ids: OrderIds) {
        let open = self.companies[ids.company].open_todos(ids.order);
        if open > self.plan.todos_most() {
            self.violate(format!("order {} has {open} open to-dos", ids.order));
        }
    }

    /// A record was written: the step from what was written before must be a legal one, and its
    /// numbers never fall.
    fn note(&self, record: &SyncRecord) {
        let order = record.key.order.get();
        let now = (record.state.name(), record.generation, record.fence);
        let key = (record.key.realm.as_str().to_owned(), order);
        let before = self.seen().records.insert(key, now);
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

fn mark_of(ids: OrderIds) -> String {
    format!("AT-PO:{} g", ids.order)
}

/// What a call sends that is made to go wrong by its own number.
#[derive(Clone, Copy)]
enum Sends {
    Bill,
    Number,
}

/// What happens to the store of one process.
pub(super) struct StoreNature {
    pub(super) nature: Arc<Nature>,
    pub(super) process: usize,
}

impl StoreTap for StoreNature {
    fn next(&self, call: &'static str) -> Happening {
        let trouble = self.nature.store_trouble(self.process, call);
        if trouble.is_some_and(|it| !matches!(it, Happening::Late(_) | Happening::Stall(_))) {
            self.nature.watch.store_failed(self.process);
        }
        trouble.unwrap_or(Happening::Pass)
    }

    fn about(&self, what: &dyn fmt::Debug) {
        self.nature.trying.about(self.process, format!("{what:?}"));
    }

    fn was_cut(&self, _: &'static str) {
        self.nature.cuts[self.process].notify_one();
    }

    fn was_committed(&self, change: &Change, outcome: &Committed) {
        if *outcome == Committed::Done {
            self.nature.note(&change.record);
            self.nature.watch.stored(self.process, &change.record);
            self.nature.trying.stored(&change.record);
            if self.nature.versions.stored(self.process, &change.record) {
                let order = change.record.key.order;
                let what = format!("an older process wrote over a newer record of {order}");
                self.nature.violate(what);
            }
        }
    }

    fn is_newer(&self, record: &SyncRecord) -> bool {
        self.nature.versions.is_newer(self.process, record)
    }

    fn sends(&self, messages: &[Message]) {
        self.nature.versions.sent(self.process, messages);
    }

    fn reads(&self, delivery: &mut Delivery) {
        self.nature.versions.reads(self.process, delivery);
        self.nature.trying.reads(self.process, delivery);
    }
}

/// The wire of one process.
pub(super) struct Wire {
    pub(super) nature: Arc<Nature>,
    pub(super) process: usize,
    pub(super) life: usize,
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
        let caller = Caller {
            process: self.process,
            life: self.life,
            now: nature.time_of(self.process).unwrap_or_default(),
        };
        let (wrong, under_way) = nature.watch.leaves(caller, (system, &request));
        let path = request.uri().path().to_owned();
        for what in wrong {
            nature.violate(format!("{what}, by {} {path}", request.method()));
        }
        let user = request.headers().get("username");
        let user = user.and_then(|user| user.to_str().ok()).unwrap_or_default();
        let mut sends = None;
        if let Some((ids, number)) = nature.number_in(user, &request) {
            nature.check_number(ids, &number);
            sends = Some(Sends::Number);
        }
        let is_read = request.method() == Method::GET || path.ends_with("/query");
        let label = labels::of(system, &request);
        if request.method() == Method::POST && path.ends_with("/bill") {
            sends = Some(Sends::Bill);
        }
        let trouble = nature.wire_trouble(self.process, (system, &request), sends);
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
                let late = nature.plan.late_of_the_dead(system, LATE);
                tokio::spawn(async move {
                    tokio::time::sleep(late).await;
                    drop(simulators.send(request, timeout).await);
                });
                nature.die(self.process).await;
                unreachable!("a dead process goes on");
            }
            Some(WireTrouble::Sleep(Moment::Before, time)) if !labels::leaves_at_once(&label) => {
                tokio::time::sleep(*time).await;
            }
            _ => {}
        }
        let after = format!("after {} {path}", request.method());
        let answer = nature.simulators.send(request, timeout).await;
        drop(under_way);
        nature.check((system, is_read), &after);
        match trouble {
            Some(WireTrouble::Die(Moment::After)) => nature.die(self.process).await,
            Some(WireTrouble::Sleep(Moment::After, time)) => tokio::time::sleep(time).await,
            _ => {}
        }
        // Only now the process knows it.
        if let Ok(answer) = &answer {
            nature.watch.answered(caller, (system, &path), answer);
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
