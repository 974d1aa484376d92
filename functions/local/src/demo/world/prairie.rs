//! Prairie Tech Partners: a US company with several currencies in QuickBooks and one in Autotask.
//!
//! Autotask's numbers are sent, missing Items are refused, freight has no account, and the books
//! are closed up to ten days ago.

use jiff::{Timestamp, ToSpan};
use purser_core::notice::Code;
use purser_simulators::{
    Simulators,
    autotask::{DatabaseSeed, LineSeed},
    quickbooks::{BillSeed, PersonSeed, RealmSeed},
};
use serde_json::json;

use super::{
    Definition, Filled, WorldError,
    case::{Age, Case, billed, refused, unseen},
    desk::{Accounts, BOOKKEEPER, Desk, PAYABLE, TODO_TYPE},
};

/// The company.
pub(super) const DEFINITION: Definition = Definition {
    tenant: "prairie-tech",
    rows: &[36, 52, 57],
    cases,
    seed,
};

/// Calendar days back.
const DAYS_BACK: i64 = 14;
/// The books are closed up to the day so many days ago.
const CLOSED_DAYS_AGO: i64 = 10;
/// A number that a bill of the same vendor bears already.
const NUMBER_OF_VENDOR: &str = "LD-77120";
/// A number that a bill of another vendor bears already.
const NUMBER_OF_OTHER: &str = "R-2024-118";

// Organisations that sell.
const LAKESHORE: i64 = 301;
const MAPLE: i64 = 302;
const DAKOTA: i64 = 303;
const RIVERFRONT: i64 = 304;

// Organisations that buy.
const LIBRARY: i64 = 401;

// Products.
const LAPTOP: i64 = 501;
const BAG: i64 = 502;
const DOCK: i64 = 503;

fn cases() -> Vec<Case> {
    let mut cases = numbers();
    cases.extend(rest());
    cases
}

fn usual(case: Case) -> Case {
    case.from(LAKESHORE)
        .buyer(LIBRARY)
        .line(LAPTOP, 3, "912.00")
        .line(BAG, 3, "28.45")
}

fn numbers() -> Vec<Case> {
    vec![
        usual(billed(
            5201,
            "Autotask's number, home currency at rate 1",
            &[36, 38, 57],
        )),
        usual(refused(
            5202,
            Code::NumberInUse,
            "a bill of the vendor has the number",
            &[37, 39],
        ))
        .number(NUMBER_OF_VENDOR),
        usual(refused(
            5203,
            Code::NumberInUse,
            "another vendor's bill has the number",
            &[37],
        ))
        .number(NUMBER_OF_OTHER),
        usual(billed(5204, "a number of 21 characters", &[36])).number("PTP-2026-LIBRARY-0042"),
        usual(refused(
            5205,
            Code::NumberTooLong,
            "a number of 22 characters",
            &[37],
        ))
        .number("PTP-2026-LIBRARY-00042"),
        usual(billed(5206, "no number: the order's id is sent", &[36])).number(""),
        usual(billed(
            5207,
            "a number of spaces: the order's id is sent",
            &[36],
        ))
        .number("  "),
        usual(refused(
            5208,
            Code::NumberInUse,
            "an order of this very run bears the number, but for capitals",
            &[37],
        ))
        .from(RIVERFRONT)
        .number("po0005201"),
    ]
}

fn rest() -> Vec<Case> {
    let charge = LineSeed {
        quantity: 1,
        unit_cost: Some("45.00".to_owned()),
        memo: Some("Imaging and asset tags".to_owned()),
        ..LineSeed::default()
    };
    vec![
        usual(refused(
            5211,
            Code::CurrencyForeignVendor,
            "a vendor in CAD",
            &[57, 61],
        ))
        .from(MAPLE),
        usual(billed(
            5212,
            "a vendor that is created in the home currency",
            &[46, 57],
        ))
        .from(DAKOTA),
        usual(refused(
            5221,
            Code::ItemMissing,
            "an Item is missing",
            &[39, 52],
        ))
        .line(DOCK, 3, "164.00"),
        usual(refused(
            5222,
            Code::LineWithoutProduct,
            "a line without a product",
            &[52],
        ))
        .add(charge),
        usual(billed(
            5223,
            "freight is left out: it has no account",
            &[43],
        ))
        .freight("31.00"),
        usual(refused(
            5224,
            Code::BooksClosed,
            "the bill's day is closed",
            &[39],
        ))
        .created(Age::MiddayOf(CLOSED_DAYS_AGO + 2)),
        usual(billed(
            5225,
            "an old order with a bill after the closed days",
            &[19, 43],
        ))
        .created(Age::MiddayOf(DAYS_BACK))
        .submitted(Age::Days(2)),
        usual(unseen(5226, "created the day before the window", &[19]))
            .created(Age::MiddayOf(DAYS_BACK + 1)),
    ]
}

fn seed(simulators: &Simulators, now: Timestamp) -> Filled {
    let database = DatabaseSeed {
        api_user: "purser@prairie-tech.example".to_owned(),
        secret: "demo-secret-prairie-tech".to_owned(),
        integration_code: "PRAIRIETECHDEMOTRACKINGCODE".to_owned(),
        ci: Some(100_402),
        company_name: "Prairie Tech Partners".to_owned(),
        ..DatabaseSeed::default()
    };
    let realm = RealmSeed {
        time_zone: "America/Chicago".to_owned(),
        ..RealmSeed::new("9130355001000002", "Prairie Tech Partners, Inc.")
    };
    let (desk, accounts) = Desk::open(simulators, database, realm.with_multi_currency())?;
    desk.sellers(&[
        (LAKESHORE, "Lakeshore Distribution"),
        (MAPLE, "Maple Leaf Components"),
        (DAKOTA, "Dakota Office Supply"),
        (RIVERFRONT, "Riverfront Properties"),
    ]);
    desk.buyers(&[(LIBRARY, "Dodge County Library")]);
    desk.products(&[
        (LAPTOP, "Laptop 14 inch"),
        (BAG, "Laptop bag"),
        (DOCK, "Docking station"),
    ]);
    books(&desk, &accounts)?;
    close_books(&desk, now)?;
    let settings = json!({
        "version": 1,
        "days_back": DAYS_BACK,
        "number_source": "autotask",
        "missing_item": "refuse",
        "payable_account": PAYABLE,
        "todo_action_type": TODO_TYPE,
        "todo_resource": BOOKKEEPER,
    });
    Ok((desk, settings))
}

fn books(desk: &Desk, accounts: &Accounts) -> Result<(), WorldError> {
    let lakeshore = desk.vendor(&PersonSeed::new("Lakeshore Distribution"))?;
    let landlord = desk.vendor(&PersonSeed::new("Riverfront Properties"))?;
    desk.vendor(&PersonSeed::new("Maple Leaf Components").in_currency("CAD"))?;
    desk.customers(&["Dodge County Library"])?;
    desk.items(accounts, &["Laptop 14 inch", "Laptop bag"])?;
    for (vendor, number, dollars) in [
        (lakeshore, NUMBER_OF_VENDOR, 482),
        (landlord, NUMBER_OF_OTHER, 2_100),
    ] {
        let bill = BillSeed::new(&vendor, number, &accounts.goods, dollars.into());
        desk.books.add_bill(&desk.realm, &bill)?;
    }
    Ok(())
}

fn close_books(desk: &Desk, now: Timestamp) -> Result<(), WorldError> {
    let today = now.to_zoned_datetime(desk.zone.clone()).date();
    let closed = today.checked_sub(CLOSED_DAYS_AGO.days())?.to_string();
    let place = "AccountingInfoPrefs.BookCloseDate";
    Ok(desk
        .books
        .set_preference(&desk.realm, place, json!(closed))?)
}
