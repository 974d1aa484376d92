//! One company with as many plain eligible orders as are asked for: for measurements and drills.

use purser_simulators::{Simulators, autotask::DatabaseSeed, quickbooks::RealmSeed};
use serde_json::json;

use super::{
    Filled,
    case::{Case, billed},
    desk::{BOOKKEEPER, Desk, GOODS, PAYABLE, TODO_TYPE},
};

/// The tenant's name.
pub(super) const TENANT: &str = "plain-field";

/// The id before that of the first order.
const ORDERS_AFTER: i64 = 10_000;
/// The most lines of one order.
const LINES_MAX: i64 = 4;

const SELLERS: [(i64, &str); 5] = [
    (301, "Cobalt Distribution"),
    (302, "Northgate Networks"),
    (303, "Keystone Components"),
    (304, "Ridgeway Supply"),
    (305, "Summit Hardware"),
];
const BUYERS: [(i64, &str); 4] = [
    (401, "Lakeside Dental Group"),
    (402, "Greenfield Charter School"),
    (403, "Old Mill Bakery"),
    (404, "Pier Nine Seafood"),
];
const PRODUCTS: [(i64, &str); 7] = [
    (501, "Gigabit switch"),
    (502, "Patch cable"),
    (503, "Firewall"),
    (504, "Access point"),
    (505, "Laptop"),
    (506, "Monitor"),
    (507, "Keyboard"),
];
const COSTS: [&str; 3] = ["189.00", "2.15", "74.2550"];

/// The orders; everything about one follows from its place, so that two runs are alike.
pub(super) fn cases(orders: u32) -> Vec<Case> {
    (1..=i64::from(orders)).map(case).collect()
}

fn case(place: i64) -> Case {
    let case = billed(ORDERS_AFTER + place, "a plain order", &[])
        .from(pick(&SELLERS, place).0)
        .buyer(pick(&BUYERS, place / 2).0);
    (0..=place % LINES_MAX).fold(case, |case, line| {
        let product = pick(&PRODUCTS, place + line).0;
        case.line(product, 1 + line * 3, pick(&COSTS, place + line))
    })
}

/// The entry at `place`, counted around.
fn pick<T: Copy>(entries: &[T], place: i64) -> T {
    entries[usize::try_from(place).unwrap_or_default() % entries.len()]
}

pub(super) fn seed(simulators: &Simulators) -> Filled {
    let database = DatabaseSeed {
        api_user: "purser@plain-field.example".to_owned(),
        secret: "demo-secret-plain-field".to_owned(),
        integration_code: "PLAINFIELDDEMOTRACKINGCODEX".to_owned(),
        company_name: "Plain Field IT".to_owned(),
        ..DatabaseSeed::default()
    };
    let realm = RealmSeed::new("9130355001000009", "Plain Field IT, LLC");
    let (desk, accounts) = Desk::open(simulators, database, realm)?;
    desk.sellers(&SELLERS);
    desk.buyers(&BUYERS);
    desk.products(&PRODUCTS);
    desk.vendors(&SELLERS.map(|(_, name)| name))?;
    desk.customers(&BUYERS.map(|(_, name)| name))?;
    desk.items(&accounts, &PRODUCTS.map(|(_, name)| name))?;
    let settings = json!({
        "version": 1,
        "days_back": 30,
        "number_source": "quickbooks",
        "missing_item": "create",
        "created_item_account": GOODS,
        "payable_account": PAYABLE,
        "todo_action_type": TODO_TYPE,
        "todo_resource": BOOKKEEPER,
    });
    Ok((desk, settings))
}
