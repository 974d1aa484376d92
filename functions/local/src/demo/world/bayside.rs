//! Bayside Managed Services: a US company that nobody has connected yet, for a visitor to do so.

use jiff::Timestamp;
use purser_core::notice::Code;
use purser_simulators::{
    Simulators,
    autotask::{DatabaseSeed, LineSeed, OrderStatus},
    intuit::Role,
    quickbooks::{ItemSeed, RealmSeed},
};
use serde_json::json;

use super::{
    Definition, Filled, OpenCompany, WorldError,
    case::{Case, billed, refused, unseen},
    desk::{BOOKKEEPER, Desk, FREIGHT, GOODS, PAYABLE, TODO_TYPE},
    north_harbor,
};

/// The company.
pub(super) const DEFINITION: Definition = Definition {
    tenant: "bayside",
    rows: &[22, 35, 51, 59],
    cases,
    seed,
};

const REALM: &str = "9130355001000005";
const COMPANY: &str = "Bayside Managed Services, Inc.";
const OWNER: (&str, &str) = ("grace@bayside.example", "Grace Holloway");
/// Works in the company but may not connect it.
const EMPLOYEE: (&str, &str) = ("sam@bayside.example", "Sam Porter");
/// Keeps the books of two companies.
const ACCOUNTANT: (&str, &str) = ("priya@ledgerline.example", "Priya Nair");

/// The line whose cost is missing, under an id that stays, so that it can be put right.
const LINE_WITHOUT_COST: i64 = 61_042;

// Organisations that sell.
const HARBORLIGHT: i64 = 301;
const TIDEWATER: i64 = 302;
const LONG_SELLER: i64 = 303;
const MARKUP_SELLER: i64 = 304;

// Organisations that buy.
const MARKET: i64 = 401;
const PEDIATRICS: i64 = 402;
const MARKUP_BUYER: i64 = 403;

// Products.
const NOTEBOOK: i64 = 501;
const DOCK: i64 = 502;
const BATTERY: i64 = 503;
const SETUP: i64 = 504;

/// Longer than the 100 characters of a company name.
const LONG_SELLER_NAME: &str = "Chesapeake Consolidated Wholesale Distributors of Networking, \
    Telephony, Surveillance and Audiovisual Equipment for the Greater Tidewater Region, LLC";
/// What a page would take for its own markup if it were not escaped.
const MARKUP_SELLER_NAME: &str = "Marlow <b>&\"Sons\"</b> Cabling";
const MARKUP_BUYER_NAME: &str = "Café <b>&\"quotes\"</b> Bistro";

/// Fills in what does not matter to the case.
fn usual(case: Case) -> Case {
    case.from(HARBORLIGHT)
        .buyer(MARKET)
        .line(NOTEBOOK, 2, "874.00")
        .line(DOCK, 2, "148.2550")
}

fn cases() -> Vec<Case> {
    let without_cost = LineSeed {
        id: Some(LINE_WITHOUT_COST),
        product: Some(DOCK),
        quantity: 4,
        ..LineSeed::default()
    };
    let charge = LineSeed {
        unit_cost: Some("25.00".to_owned()),
        memo: Some("Rush delivery".to_owned()),
        ..LineSeed::default()
    };
    vec![
        usual(billed(6101, "all names are known", &[31, 33, 41]))
            .freight("32.50")
            .memo("Notebooks for the new checkout lanes"),
        usual(billed(
            6102,
            "the vendor and the customer are created",
            &[46, 47],
        ))
        .from(TIDEWATER)
        .buyer(PEDIATRICS),
        usual(billed(6103, "an Item is created", &[50])).line(BATTERY, 6, "61.75"),
        usual(refused(
            6104,
            Code::CostMissing,
            "a cost is missing until somebody enters it",
            &[39],
        ))
        .add(without_cost),
        usual(refused(
            6105,
            Code::ItemNotPurchasable,
            "an Item is sold but not bought",
            &[54],
        ))
        .line(SETUP, 2, "95.00"),
        usual(billed(
            6106,
            "names that are very long, or look like markup",
            &[46, 47],
        ))
        .from(LONG_SELLER)
        .buyer(MARKUP_BUYER),
        usual(billed(
            6107,
            "a vendor whose name looks like markup, and a charge without a product",
            &[46, 50],
        ))
        .from(MARKUP_SELLER)
        .add(charge),
        usual(billed(6108, "bought for the company's own use", &[45])).buyer(0),
        usual(unseen(6109, "still being written", &[18])).status(OrderStatus::New),
    ]
}

fn seed(simulators: &Simulators, _: Timestamp) -> Filled {
    let database = DatabaseSeed {
        api_user: "purser@bayside.example".to_owned(),
        secret: "demo-secret-bayside".to_owned(),
        integration_code: "BAYSIDEDEMOTRACKINGCODE".to_owned(),
        ci: Some(100_405),
        company_name: "Bayside Managed Services".to_owned(),
        ..DatabaseSeed::default()
    };
    let realm = RealmSeed::new(REALM, COMPANY);
    let (desk, accounts) = Desk::open(simulators, database, realm)?;
    desk.sellers(&[
        (HARBORLIGHT, "Harborlight Distribution"),
        (TIDEWATER, "Tidewater Technology Supply"),
        (LONG_SELLER, LONG_SELLER_NAME),
        (MARKUP_SELLER, MARKUP_SELLER_NAME),
    ]);
    desk.buyers(&[
        (MARKET, "Bayfront Market"),
        (PEDIATRICS, "Annapolis Pediatrics"),
        (MARKUP_BUYER, MARKUP_BUYER_NAME),
    ]);
    desk.products(&[
        (NOTEBOOK, "Notebook 15 inch"),
        (DOCK, "Docking station, USB-C"),
        (BATTERY, "Battery backup, 600 VA"),
        (SETUP, "Setup on site"),
    ]);
    desk.vendors(&["Harborlight Distribution"])?;
    desk.customers(&["Bayfront Market"])?;
    desk.items(&accounts, &["Notebook 15 inch", "Docking station, USB-C"])?;
    // Sold but not bought: it has no expense account.
    desk.item(&ItemSeed {
        name: "Setup on site".to_owned(),
        item_type: "Service".to_owned(),
        income_account: Some(accounts.income.clone()),
        ..ItemSeed::default()
    })?;
    let settings = json!({
        "version": 1,
        "days_back": 30,
        "number_source": "quickbooks",
        "missing_item": "create",
        "created_item_account": GOODS,
        "payable_account": PAYABLE,
        "freight_account": FREIGHT,
        "todo_action_type": TODO_TYPE,
        "todo_resource": BOOKKEEPER,
    });
    Ok((desk, settings))
}

/// Lets people sign in and tells what a visitor needs to connect the company by hand.
pub(super) fn open(
    simulators: &Simulators,
    desk: &Desk,
    settings: serde_json::Value,
) -> Result<OpenCompany, WorldError> {
    let tokens = simulators.intuit.tokens();
    tokens.add_person(OWNER.0, OWNER.1, &[(REALM, Role::Admin)])?;
    tokens.add_person(EMPLOYEE.0, EMPLOYEE.1, &[(REALM, Role::User)])?;
    let both = [
        (north_harbor::REALM, Role::Accountant),
        (REALM, Role::Accountant),
    ];
    tokens.add_person(ACCOUNTANT.0, ACCOUNTANT.1, &both)?;
    let seed = desk.database.seed();
    Ok(OpenCompany {
        tenant: DEFINITION.tenant.to_owned(),
        company: COMPANY.to_owned(),
        autotask_user: seed.api_user,
        autotask_secret: seed.secret,
        integration_code: seed.integration_code,
        realm: desk.realm.clone(),
        owner_email: OWNER.0.to_owned(),
        owner_name: OWNER.1.to_owned(),
        settings,
    })
}
