//! The program is killed again and again in the middle of its work and started again at once: every
//! order still ends with exactly one live bill to the cent, and its number is written back.
//!
//! `PURSER_KILL_SEED` replays a run that failed; the seed is printed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    reason = "a run that failed is replayed by its seed"
)]

use std::{collections::BTreeMap, time::Duration};

use purser_tests::{
    dice::Dice,
    program::{Desk, Running, Simulators},
};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

/// How many orders there are.
const ORDERS: u64 = 400;
/// How often the program is killed.
const KILLS: u32 = 20;
/// A vendor and a product that QuickBooks does not have yet come with every so many orders.
const NEW_NAMES_EVERY: u64 = 16;

/// The dice of a seed that the environment gives, or of chance.
fn dice() -> Dice {
    let given = std::env::var("PURSER_KILL_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let now = jiff::Timestamp::now().as_nanosecond().unsigned_abs();
    let seed = given.unwrap_or_else(|| u64::try_from(now % 1_000_000_007).unwrap());
    println!("replay with PURSER_KILL_SEED={seed}");
    Dice::new(seed)
}

/// Fills Autotask with orders and tells each one's total.
fn orders(simulators: &Simulators, dice: &mut Dice) -> BTreeMap<i64, Decimal> {
    let mut totals = BTreeMap::new();
    let (mut vendor, mut product) = (301, 501);
    for place in 0..ORDERS {
        if place.is_multiple_of(NEW_NAMES_EVERY) {
            let company = json!({ "name": format!("New Seller {place}") });
            vendor = simulators.in_autotask("create_company", json!({ "company": company }));
            let named = json!({ "name": format!("New Product {place}") });
            product = simulators.in_autotask("create_product", json!({ "product": named }));
        }
        let mut total = Decimal::ZERO;
        let lines = (0..=dice.roll(3)).map(|line| {
            let cost = Decimal::new(i64::try_from(dice.roll(5_000_000)).unwrap(), 4);
            let quantity = i64::try_from(1 + dice.roll(40)).unwrap();
            let amount = Decimal::from(quantity) * cost;
            total += amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            let product = if line == 0 {
                product
            } else {
                501 + i64::try_from(line).unwrap()
            };
            json!({ "product": product, "quantity": quantity, "unit_cost": cost.to_string() })
        });
        let lines: Vec<_> = lines.collect();
        let seller = if place.is_multiple_of(3) {
            301 + i64::try_from(place % 5).unwrap()
        } else {
            vendor
        };
        let order = json!({ "vendor": seller, "purchase_for": 401, "lines": lines });
        let id = simulators.in_autotask("create_order", json!({ "order": order }));
        totals.insert(id, total);
    }
    totals
}

/// Kills the program at random moments of its work, each time starting it again at once.
fn kill_again_and_again(desk: &Desk, dice: &mut Dice) {
    let start = |time: u32| -> Running {
        let command: &[&str] = if time.is_multiple_of(2) {
            &["run", "--once"]
        } else {
            &["serve"]
        };
        desk.start(command)
    };
    let mut killed = 0;
    for time in 0..KILLS {
        let running = start(time);
        std::thread::sleep(Duration::from_millis(40 + dice.roll(500)));
        let ended = running.kill();
        if ended.signal.is_some() {
            killed += 1;
        } else {
            // It was faster than the kill; it must have ended well.
            assert!(matches!(ended.code, Some(0 | 4)), "{ended}");
        }
    }
    println!("killed {killed} of {KILLS} times");
    assert!(
        killed > KILLS / 2,
        "the program was killed in the middle of its work"
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
    let mut dice = dice();
    let simulators = Simulators::plain(0);
    let desk = Desk::connected(&simulators);
    let totals = orders(&simulators, &mut dice);
    kill_again_and_again(&desk, &mut dice);
    let began = bills_by_id(&simulators).len();
    println!("{began} of {ORDERS} orders had a bill when the last run began");
    assert!(
        began > KILLS as usize,
        "the program got somewhere between the kills"
    );
    let last = desk.json(&["run", "--once", "--settle"], 0);
    assert_eq!(last["duplicates"], 0);

    let world = simulators.autotask();
    let mut bills = bills_by_id(&simulators);
    let books = simulators.books();
    assert_eq!(
        books["bills_ever"], ORDERS,
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
    the_ledger_is_whole(&desk);
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

fn the_ledger_is_whole(desk: &Desk) {
    let logs = desk.json(&["logs", "--limit", "10000"], 0);
    let logs = logs.as_array().unwrap();
    assert_eq!(logs.len() as u64, ORDERS);
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
