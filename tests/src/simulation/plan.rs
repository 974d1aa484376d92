//! What a seed decides: the company and its orders, and everything that goes wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use purser_core::{
    policy::Guards,
    settings::{Choice, SettingsDocument},
};
use purser_simulators::{FaultKind, System, quickbooks::RequestIdMode};

use super::{stories::Story, trial::Trial};
use crate::{
    dice::Dice,
    shaken::Happening,
    stage::{Cast, Moment},
};

/// QuickBooks shows a bill this long after it was sent, or there is none: what is promised holds for
/// that, and a seed stays within it. The settle time is a little longer.
const SHOWN_WITHIN: Duration = Duration::from_secs(140);

/// How long things go wrong.
const TROUBLED: Duration = Duration::from_mins(50);

/// Longer than everything that sleeps or is late.
const RESTS: Duration = Duration::from_mins(14);

/// How late a write of records may have its effect after it failed.
const LATE_WRITE: Duration = Duration::from_secs(110);

/// The points at which something may go wrong: so many calls of vendors and store a history has at
/// least when nothing does.
const POINTS: u64 = 140;

/// What an order needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Every name is known.
    Known,
    /// Vendor, customer and Item must be created.
    New,
    /// Its product has no Item, and Items are not created: ERROR and a to-do.
    Refused,
}

/// What goes wrong with a call of a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireTrouble {
    /// The vendor or the network.
    Fault(FaultKind),
    /// The process dies at this moment of the call.
    Die(Moment),
    /// The process sleeps before it sends, or before it reads the answer.
    Sleep(Moment, Duration),
}

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hand {
    /// Empties External PO Number.
    ClearNumber,
    /// Deletes the bill.
    DeleteBill,
    /// Types a number of their own.
    TypeNumber,
    /// Enters the bill by hand, under the number of the order.
    EnterBill,
    /// Deletes the bill that was entered by hand.
    DeleteEntered,
    /// Enters a bill with the memo of ours, and without a number.
    CopyBill,
    /// Enters a bill with the mark of the order, as a send leaves it that QuickBooks carries out when
    /// nobody expects it any more.
    EnterMarked,
    /// Deletes that copy, or the bill with the mark.
    DeleteCopy,
    /// Deletes our bill and enters a copy of it, with its memo and number.
    ReplaceBill,
    /// The same with a copy over another total.
    ReplaceBillByAnother,
    /// Enters the Item that the product of a refused order lacks.
    EnterItem,
    /// Changes the cost of the line.
    EditLine,
    /// Notes that the goods have arrived: its status is Submitted no more.
    ReceiveGoods,
    /// Calls the order off.
    CancelOrder,
    /// Presses Retry.
    Retry,
}

/// What happens at one point.
#[derive(Clone, Debug)]
pub struct Disturbance {
    /// When the point is a call of a vendor.
    pub wire: WireTrouble,
    /// When it is a call of the store.
    pub store: Happening,
}

/// One history before it begins.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is made of.
    pub seed: u64,
    /// How many companies there are; the orders are dealt out to them in turn.
    pub companies: usize,
    /// How many calls an hour Autotask takes from all together.
    pub hourly: usize,
    /// Whether QuickBooks is slower than what is promised holds for.
    pub is_beyond: bool,
    /// Whether the second process is of a newer version: what it writes the first one does not know.
    pub is_newer: bool,
    /// What request ids are worth.
    pub mode: RequestIdMode,
    /// The orders.
    pub orders: Vec<Shape>,
    /// How many processes work side by side.
    pub processes: usize,
    /// How long a new bill is missing from queries.
    pub query_lag: Duration,
    /// How long every answer takes.
    pub latency: Duration,
    /// Whether bills bear the numbers of the orders.
    pub numbers_of_orders: bool,
    /// The guards of the protocol; all of them, unless it is shown that histories notice one that is
    /// missing.
    pub guards: Guards,
    /// What goes wrong, by the number of the call.
    pub disturbances: BTreeMap<u64, Disturbance>,
    /// What goes wrong with the creates of bills, by the number of the create: that is where bills are
    /// made twice.
    pub creates: BTreeMap<u64, WireTrouble>,
    /// The same for the writes of External PO Number.
    pub numbers: BTreeMap<u64, WireTrouble>,
    /// What people do, by the number of the call, and with which order.
    pub hands: BTreeMap<u64, (usize, Hand)>,
    /// How far the clock of each process is off, in seconds, from which call on.
    pub clocks: Vec<(u64, usize, i64)>,
    /// What people wait for with the first order, and then do.
    pub story: Option<Story>,
    /// What is tried on purpose.
    pub trial: Trial,
    /// How long nothing happens before it begins.
    pub rest: Duration,
    /// How long things go wrong.
    pub troubled: Duration,
    /// When the orders have been at their ends for so long, nobody sleeps any more and nothing is late.
    pub rests: Duration,
    /// How long nothing goes wrong afterwards before it is looked how everything ended.
    pub calm: Duration,
}

impl Plan {
    /// What a seed decides: one of 50 tells a story, one of 250 that of a number or of ERROR that comes
    /// late, the others leave all to chance.
    pub fn of(seed: u64) -> Self {
        if seed % 50 == 7 {
            let stories = Story::all();
            let place = usize::try_from(seed / 50).unwrap_or(0) % stories.len();
            return stories[place].plan(seed);
        }
        if seed % 250 == 32 {
            let late = Dice::stream(seed, 4).roll(SHOWN_WITHIN.as_secs());
            let stories = Story::of_late_writes(Duration::from_secs(1 + late));
            return stories[usize::from(seed % 500 > 250)].plan(seed);
        }
        Self::by_chance(seed)
    }

    /// One company in which nothing happens.
    pub(super) fn calm() -> Self {
        Self {
            seed: 1,
            companies: 1,
            hourly: 10_000,
            is_beyond: false,
            is_newer: false,
            mode: RequestIdMode::Ignored,
            orders: Vec::new(),
            processes: 1,
            query_lag: Duration::ZERO,
            latency: Duration::ZERO,
            numbers_of_orders: false,
            guards: Guards::ALL,
            disturbances: BTreeMap::new(),
            creates: BTreeMap::new(),
            numbers: BTreeMap::new(),
            hands: BTreeMap::new(),
            clocks: Vec::new(),
            story: None,
            trial: Trial::default(),
            rest: Duration::ZERO,
            troubled: TROUBLED,
            rests: RESTS,
            calm: Duration::from_mins(20),
        }
    }

    pub(super) fn by_chance(seed: u64) -> Self {
        let mut dice = Dice::stream(seed, 1);
        let modes = [
            RequestIdMode::Ignored,
            RequestIdMode::Racy,
            RequestIdMode::Honoured,
        ];
        let shapes = [Shape::Known, Shape::Known, Shape::New];
        // Items are created or not for a whole company.
        let refuses = dice.hits(5);
        let count = 1 + dice.roll(3);
        let orders = (0..count)
            .map(|_| match refuses {
                true => dice.pick(&[Shape::Known, Shape::Refused]),
                false => dice.pick(&shapes),
            })
            .collect();
        let mut plan = Self {
            seed,
            mode: dice.pick(&modes),
            orders,
            processes: 1 + usize::from(dice.hits(2)),
            query_lag: Duration::from_secs(dice.pick(&[0, 0, 0, 2, 30, 100])),
            latency: Duration::from_millis(dice.pick(&[0, 20, 300, 2_000])),
            numbers_of_orders: dice.hits(3),
            ..Self::calm()
        };
        for _ in 0..dice.roll(7) {
            let disturbance = Disturbance {
                wire: wire(&mut dice, plan.latest_commit()),
                store: store(&mut dice),
            };
            plan.disturbances.insert(dice.roll(POINTS), disturbance);
        }
        if dice.hits(2) {
            for _ in 0..=dice.roll(2) {
                let latest = plan.latest_commit();
                plan.creates.insert(dice.roll(3), create(&mut dice, latest));
            }
        }
        if dice.hits(3) {
            plan.add_hands(&mut dice, count);
        }
        if dice.hits(6) {
            let process = usize::try_from(dice.roll(2)).unwrap_or(0);
            let off = dice.pick(&[-600, -200, -100, 100, 200, 600]);
            plan.clocks.push((dice.roll(POINTS), process, off));
        }
        plan.add_company(&mut Dice::stream(seed, 2), refuses);
        plan.add_ends(&mut Dice::stream(seed, 3), count);
        plan
    }

    /// What dice of their own decide, so that the histories of before stay what they were: companies
    /// beside the first, many orders at once, an Autotask that takes little, a deploy under way.
    fn add_company(&mut self, dice: &mut Dice, refuses: bool) {
        // A few more than one in four, for those seeds that are told what to do.
        if self.seed % 4 == 1 || self.seed % 100 == 8 {
            self.companies = 3;
            while self.orders.len() < 3 {
                let is_new = !refuses && dice.hits(3);
                let shape = if is_new { Shape::New } else { Shape::Known };
                self.orders.push(shape);
            }
        }
        if dice.hits(25) {
            let more = 10 + dice.place(20);
            self.orders.extend(vec![Shape::Known; more]);
            self.latency = Duration::ZERO;
        }
        if dice.hits(12) {
            self.hourly = dice.pick(&[150, 400]);
        }
        self.is_newer = self.processes > 1 && dice.hits(5);
    }

    /// What the settings of its companies say, beside what all say.
    pub fn wishes(&self, settings: &mut SettingsDocument) {
        if self.orders.contains(&Shape::Refused) {
            settings.missing_item = Some("refuse".to_owned());
            settings.created_item_account = None;
        }
        if self.numbers_of_orders {
            settings.number_source = Some("autotask".to_owned());
        }
        if self.has_freight() {
            settings.freight_account = Some(Choice::either(Cast::FREIGHT_ACCOUNT));
        }
    }

    /// Whether the orders of one history in five cost freight, which is booked.
    pub(super) fn has_freight(&self) -> bool {
        self.seed % 5 == 3
    }

    /// The number of the last call at which something is planned by its number.
    pub(super) fn last_point(&self) -> u64 {
        let disturbance = self.disturbances.keys().last().copied();
        let hand = self.hands.keys().last().copied();
        let clock = self.clocks.iter().map(|(point, ..)| *point).max();
        [disturbance, hand, clock]
            .into_iter()
            .flatten()
            .max()
            .unwrap_or(0)
    }

    /// Whether nothing runs in the night: what three of four do, and one works on through it.
    pub(super) fn is_off_at_night(&self) -> bool {
        self.seed % 4 != 2
    }

    /// Whether nothing that people do and no limit makes its orders wait.
    pub(super) fn rests_soon(&self) -> bool {
        let is_left_alone = self.hands.is_empty() && self.story.is_none();
        let is_slow = self.is_beyond || self.hourly < 1_000 || !self.trial.forgives().is_zero();
        is_left_alone && !is_slow
    }

    /// How late the request of a process has its effect that died meanwhile, at most so late.
    pub(super) fn late_of_the_dead(&self, system: System, most: Duration) -> Duration {
        // Only QuickBooks is slower than promised.
        if self.is_beyond && system == System::QuickBooks {
            most + Duration::from_secs(self.seed % 3_500)
        } else {
            most.min(self.latest_commit())
        }
    }

    /// How many to-dos of an order may be open at once. Whether one that was sent may still appear is
    /// judged by the clocks of the processes: where they differ by minutes there may be two, until both
    /// are completed together.
    pub(super) fn todos_most(&self) -> usize {
        let processes = self.processes;
        let is_moved = |(_, process, _): &(u64, usize, i64)| *process < processes;
        if self.clocks.iter().any(is_moved) {
            2
        } else {
            1
        }
    }

    /// How late a create may have its effect.
    pub fn latest_commit(&self) -> Duration {
        SHOWN_WITHIN.saturating_sub(self.query_lag + self.latency)
    }

    fn add_hands(&mut self, dice: &mut Dice, count: u64) {
        let hands = [
            Hand::ClearNumber,
            Hand::DeleteBill,
            Hand::TypeNumber,
            Hand::EnterBill,
            Hand::EditLine,
            Hand::Retry,
        ];
        for _ in 0..=dice.roll(3) {
            let order = usize::try_from(dice.roll(count)).unwrap_or(0);
            self.hands
                .insert(dice.roll(2 * POINTS), (order, dice.pick(&hands)));
        }
    }

    /// One history in ten has an order that is received or called off at some point.
    fn add_ends(&mut self, dice: &mut Dice, count: u64) {
        if dice.hits(10) {
            let order = usize::try_from(dice.roll(count)).unwrap_or(0);
            let hand = dice.pick(&[Hand::ReceiveGoods, Hand::CancelOrder]);
            self.hands.insert(dice.roll(2 * POINTS), (order, hand));
        }
    }

    /// What people do with one order.
    pub fn hands_on(&self, order: usize) -> BTreeSet<Hand> {
        let hands = self.hands.values();
        let hands = hands.filter(|(on, _)| *on == order);
        hands.map(|(_, hand)| *hand).collect()
    }
}

fn wire(dice: &mut Dice, latest: Duration) -> WireTrouble {
    match dice.roll(10) {
        0..=5 => WireTrouble::Fault(fault(dice, latest)),
        6 | 7 => WireTrouble::Die(dice.pick(&[Moment::Before, Moment::After, Moment::Late])),
        _ => WireTrouble::Sleep(dice.pick(&[Moment::Before, Moment::After]), nap(dice)),
    }
}

/// The worst that can happen to a create: it has its effect, now or later, and nobody hears of it.
fn create(dice: &mut Dice, latest: Duration) -> WireTrouble {
    let late = late(dice, latest);
    let time = nap(dice);
    let gateway = FaultKind::StatusAfter {
        status: 504,
        body: None,
    };
    dice.pick(&[
        WireTrouble::Fault(late),
        WireTrouble::Fault(FaultKind::DropAfter),
        WireTrouble::Fault(FaultKind::TimeoutAfter),
        WireTrouble::Fault(FaultKind::GarbageAfter),
        WireTrouble::Fault(gateway),
        WireTrouble::Die(Moment::After),
        WireTrouble::Die(Moment::Late),
        WireTrouble::Die(Moment::Late),
        WireTrouble::Sleep(Moment::After, time),
    ])
}

fn late(dice: &mut Dice, latest: Duration) -> FaultKind {
    FaultKind::LateCommit {
        ms: 1_000 * (1 + dice.roll(latest.as_secs().min(119))),
    }
}

fn fault(dice: &mut Dice, latest: Duration) -> FaultKind {
    let status = |status| FaultKind::Status { status, body: None };
    let after = |status| FaultKind::StatusAfter { status, body: None };
    let throttle = |retry_after_seconds| FaultKind::Throttle {
        retry_after_seconds,
    };
    let late = late(dice, latest);
    dice.pick(&[
        FaultKind::DropBefore,
        FaultKind::DropAfter,
        FaultKind::TimeoutBefore,
        FaultKind::TimeoutAfter,
        late.clone(),
        late,
        throttle(Some(30)),
        throttle(None),
        status(500),
        status(503),
        after(500),
        after(504),
        FaultKind::Garbage,
        FaultKind::GarbageAfter,
        FaultKind::TruncateAfter,
        FaultKind::Empty,
    ])
}

fn store(dice: &mut Dice) -> Happening {
    let time = nap(dice);
    dice.pick(&[
        Happening::FailBefore,
        Happening::FailAfter,
        Happening::FailLate(time.min(LATE_WRITE)),
        Happening::FailHalfway,
        Happening::CutBefore,
        Happening::CutAfter,
        Happening::CutAfter,
        Happening::CutHalfway,
        Happening::Late(time),
        Happening::Stall(time),
    ])
}

/// Shorter and longer than a lease, and longer than everything.
fn nap(dice: &mut Dice) -> Duration {
    Duration::from_secs(dice.pick(&[5, 40, 110, 130, 160, 310, 700]))
}
