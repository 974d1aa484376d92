//! The program is killed again and again in the middle of its work and started again at once, while
//! orders keep coming and vendors fail: every order still ends with exactly one live bill to the cent,
//! and its number is written back.
//!
//! `PURSER_KILLS` is how often; `PURSER_SEED`, which is printed, decides orders, faults and moments.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    reason = "a run that failed is replayed by its seed"
)]

use std::{collections::BTreeMap, fs, time::Duration};

use purser_tests::{
    dice::Dice,
    program::{Desk, Simulators},
};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

/// How many orders wait before the first start.
const ORDERS_FIRST: u64 = 200;
/// How many come before each start, so that the last kills find work as the first ones do.
const ORDERS_EACH: u64 = 10;
/// How often the program is killed unless the environment says otherwise.
const KILLS: u64 = 20;
/// A kill comes so many milliseconds after the start, and up to so many more.
const MOMENT_MIN: u64 = 40;
const MOMENT_MAX: u64 = 800;
/// How far the program has come by then is up to the machine. When too few kills met it at work, more
/// follow, later ones: up to so many times as many in all.
const ROUNDS_MAX: u64 = 4;
/// A vendor and a product that QuickBooks does not have yet come with every so many orders.
const NEW_NAMES_EVERY: u64 = 16;

/// A number that the environment gives.
fn given(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// The dice of a seed that the environment gives, or of chance.
fn dice(kills: u64) -> Dice {
    let now = jiff::Timestamp::now().as_nanosecond().unsigned_abs();
    let chance = || u64::try_from(now % 1_000_000_007).unwrap();
    let seed = given("PURSER_SEED").unwrap_or_else(chance);
    println!("replay with PURSER_SEED={seed} PURSER_KILLS={kills}");
    Dice::new(seed)
}

/// The orders so far: each one's total, and whose name came last.
struct Orders {
    totals: BTreeMap<i64, Decimal>,
    vendor: i64,
    product: i64,
}

impl Orders {
    const fn none() -> Self {
        Self {
            totals: BTreeMap::new(),
            vendor: 301,
            product: 501,
        }
    }

    /// Fills Autotask with more orders.
    fn come(&mut self, more: u64, simulators: &Simulators, dice: &mut Dice) {
        for _ in 0..more {
            let place = self.totals.len() as u64;
            if place.is_multiple_of(NEW_NAMES_EVERY) {
                let company = json!({ "name": format!("New Seller {place}") });
                let company = json!({ "company": company });
                self.vendor = simulators.in_autotask("create_company", company);
                let product = json!({ "name": format!("New Product {place}") });
                let product = json!({ "product": product });
                self.product = simulators.in_autotask("create_product", product);
            }
            let vendor = if place.is_multiple_of(3) {
                301 + i64::try_from(place % 5).unwrap()
            } else {
                self.vendor
            };
            let (lines, total) = lines(self.product, dice);
            let order = json!({ "vendor": vendor, "purchase_for": 401, "lines": lines });
            let id = simulators.in_autotask("create_order", json!({ "order": order }));
            self.totals.insert(id, total);
        }
    }
}

/// The lines of an order, and their total to the cent.
fn lines(first: i64, dice: &mut Dice) -> (Vec<Value>, Decimal) {
    let mut total = Decimal::ZERO;
    let lines = (0..=dice.roll(3)).map(|line| {
        let cost = Decimal::new(dice.number(5_000_000), 4);
        let quantity = 1 + dice.number(40);
        let amount = Decimal::from(quantity) * cost;
        total += amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        let product = if line == 0 {
            first
        } else {
            501 + i64::try_from(line).unwrap()
        };
        json!({ "product": product, "quantity": quantity, "unit_cost": cost.to_string() })
    });
    let lines = lines.collect();
    (lines, total)
}

/// One of the next calls of a vendor goes wrong.
fn a_fault(simulators: &Simulators, dice: &mut Dice) {
    let kind = dice.pick(&[
        json!("drop_before"),
        json!("drop_after"),
        json!("truncate_after"),
        json!({ "status": { "status": 503 } }),
        json!({ "status_after": { "status": 500 } }),
    ]);
    let system = dice.pick(&["autotask", "quickbooks"]);
    let nth = 1 + dice.roll(20);
    simulators.fault(&json!({ "system": system, "route": "*", "nth": nth, "kind": kind }));
}

/// How many orders stand between intent and link, by the file that a killed program left. It is read
/// from a copy, because whoever opens the file itself cleans up after the dead.
fn in_flight(desk: &Desk) -> u64 {
    let copy = tempfile::tempdir().unwrap();
    for name in ["purser.db", "purser.db-wal"] {
        let from = desk.data().join(name);
        if from.exists() {
            fs::copy(from, copy.path().join(name)).unwrap();
        }
    }
    let file = rusqlite::Connection::open(copy.path().join("purser.db")).unwrap();
    let sql = "SELECT count(*) FROM records WHERE state IN ('planned', 'created')";
    let found: i64 = file.query_row(sql, [], |row| row.get(0)).unwrap();
    u64::try_from(found).unwrap()
}

/// Kills the program at random moments of its work, each time starting it again at once.
fn kill_again_and_again(
    kills: u64,
    simulators: &Simulators,
    desk: &Desk,
    orders: &mut Orders,
    dice: &mut Dice,
) {
    let (mut killed, mut hit, mut halfway) = (0, 0, 0);
    let mut starts = 0;
    // A program that was faster than its kill does not count.
    let is_enough = |killed: u64, hit: u64| killed >= kills && hit > kills / 8;
    while starts < kills * ROUNDS_MAX && !is_enough(killed, hit) {
        orders.come(ORDERS_EACH, simulators, dice);
        if dice.hits(3) {
            a_fault(simulators, dice);
        }
        let command: &[&str] = if starts.is_multiple_of(2) {
            &["run", "--once"]
        } else {
            &["serve"]
        };
        let longest = MOMENT_MAX * (1 + starts / kills);
        let running = desk.start(command);
        std::thread::sleep(Duration::from_millis(MOMENT_MIN + dice.roll(longest)));
        let ended = running.kill();
        if ended.signal.is_some() {
            killed += 1;
            let flying = in_flight(desk);
            hit += u64::from(flying > 0);
            halfway += flying;
        } else {
            // It was faster than the kill; it must have ended well.
            assert!(matches!(ended.code, Some(0 | 4)), "{ended}");
        }
        starts += 1;
    }
    println!(
        "killed {killed} of {starts} times; {hit} kills left orders between intent and link, \
         {halfway} in all"
    );
    assert!(
        is_enough(killed, hit),
        "it was killed in the middle of its work, and kills hit orders in flight"
    );
}

fn bills_by_id(simulators: &Simulators) -> BTreeMap<String, Value> {
    let bills = simulators.books()["bills"].as_array().cloned().unwrap();
    let by_id = bills
        .into_iter()
        .map(|bill| (bill["Id"].as_str().unwrap().to_owned(), bill));
    by_id.collect()
}

#[test]
fn every_order_ends_with_one_right_bill_however_often_the_program_is_killed() {
    let kills = given("PURSER_KILLS").unwrap_or(KILLS);
    let mut dice = dice(kills);
    let simulators = Simulators::plain(0);
    let desk = Desk::connected(&simulators);
    let mut orders = Orders::none();
    orders.come(ORDERS_FIRST, &simulators, &mut dice);
    kill_again_and_again(kills, &simulators, &desk, &mut orders, &mut dice);
    simulators.mend();
    let (totals, began) = (orders.totals, bills_by_id(&simulators).len());
    let all = totals.len();
    println!("{began} of {all} orders had a bill when the last run began");
    assert!(
        began as u64 > kills,
        "the program got somewhere between the kills"
    );
    let last = desk.json(&["run", "--once", "--settle"], 0);
    assert_eq!(last["duplicates"], 0);

    let world = simulators.autotask();
    let mut bills = bills_by_id(&simulators);
    let books = simulators.books();
    assert_eq!(
        books["bills_ever"], all,
        "no bill was made twice, not even for a moment"
    );
    for order in world["orders"].as_array().unwrap() {
        let id = order["id"].as_i64().unwrap();
        let number = order["external_number"].as_str();
        let number = number.unwrap_or_else(|| panic!("order {id} was lost: {order}"));
        let bill = bills.remove(number);
        let bill = bill.unwrap_or_else(|| panic!("order {id} shows {number}, no bill of its own"));
        let total: Decimal = bill["TotalAmt"].to_string().parse().unwrap();
        assert_eq!(total, totals[&id], "the total of order {id}");
        let note = bill["PrivateNote"].as_str().unwrap();
        let name = order["number"].as_str().unwrap();
        assert!(
            note.contains(&format!("Autotask PO {name}")),
            "{note} for {name}"
        );
    }
    assert!(bills.is_empty(), "bills without an order: {bills:?}");
    assert_eq!(world["orders"].as_array().unwrap().len(), totals.len());
    assert_eq!(
        world["todos"],
        json!([]),
        "there is nothing for a person to do"
    );
    names_are_made_once(&books);
    the_ledger_is_whole(&desk, all);
    println!("{all} orders, each with one right bill: 0 duplicates, 0 lost, 0 stuck");
}

fn names_are_made_once(books: &Value) {
    for (list, field) in [("vendors", "DisplayName"), ("items", "Name")] {
        let mut names: Vec<_> = books[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one[field].to_string())
            .collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{list} that were made twice");
    }
}

fn the_ledger_is_whole(desk: &Desk, all: usize) {
    let logs = desk.json(&["logs", "--limit", "10000"], 0);
    let logs = logs.as_array().unwrap();
    assert_eq!(logs.len(), all);
    let unbilled: Vec<_> = logs
        .iter()
        .filter(|one| one["outcome"] != "billed")
        .collect();
    assert!(unbilled.is_empty(), "{unbilled:?}");
    let file = rusqlite::Connection::open(desk.data().join("purser.db")).unwrap();
    let sound: String = file
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
}
