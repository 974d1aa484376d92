//! Glacier Systems: a Canadian company with several currencies in Autotask and one in QuickBooks,
//! so that nothing may be transferred at all.

use jiff::Timestamp;
use purser_simulators::{Simulators, autotask::DatabaseSeed, quickbooks::RealmSeed};
use serde_json::json;

use super::{
    Definition, Filled,
    case::{Case, unseen},
    desk::{BOOKKEEPER, Desk, GOODS, PAYABLE, TODO_TYPE},
};

/// The company.
pub(super) const DEFINITION: Definition = Definition {
    tenant: "glacier-systems",
    rows: &[58],
    cases,
    seed,
};

/// The tax code of purchases.
const TAX_CODE: &str = "HST ON";

// Organisations that sell.
const FUNDY: i64 = 301;
const RAINIER: i64 = 302;

// Organisations that buy.
const MARINA: i64 = 401;

// Products.
const ROUTER: i64 = 501;

fn cases() -> Vec<Case> {
    vec![
        unseen(7001, "even an order in the home currency stays", &[58])
            .from(FUNDY)
            .buyer(MARINA)
            .line(ROUTER, 2, "310.00"),
        unseen(7002, "an order in a foreign currency stays", &[58])
            .from(RAINIER)
            .buyer(MARINA)
            .line(ROUTER, 1, "229.00"),
    ]
}

fn seed(simulators: &Simulators, _: Timestamp) -> Filled {
    let database = DatabaseSeed {
        api_user: "purser@glacier-systems.example".to_owned(),
        secret: "demo-secret-glacier-systems".to_owned(),
        integration_code: "GLACIERSYSTEMSDEMOTRACKINGI".to_owned(),
        ci: Some(100_404),
        company_name: "Glacier Systems".to_owned(),
        internal_currency: "CAD".to_owned(),
        ..DatabaseSeed::default()
    };
    let realm = RealmSeed {
        time_zone: "America/Halifax".to_owned(),
        ..RealmSeed::new("9130355001000004", "Glacier Systems Inc.")
    };
    let realm = realm.in_country("CA", "CAD");
    let (desk, accounts) = Desk::open(simulators, database, realm)?;
    let dollar = desk.database.add_currency("USD", "1.37000");
    desk.sellers(&[(FUNDY, "Fundy Networks")]);
    desk.foreign_seller(RAINIER, "Rainier Wireless", dollar);
    desk.buyers(&[(MARINA, "Chester Marina")]);
    desk.products(&[(ROUTER, "Router, four ports")]);
    desk.books.add_tax_code(&desk.realm, TAX_CODE, 13.into())?;
    desk.vendors(&["Fundy Networks", "Rainier Wireless"])?;
    desk.customers(&["Chester Marina"])?;
    desk.items(&accounts, &["Router, four ports"])?;
    let settings = json!({
        "version": 1,
        "days_back": 30,
        "number_source": "quickbooks",
        "missing_item": "create",
        "created_item_account": GOODS,
        "payable_account": PAYABLE,
        "purchase_tax_code": TAX_CODE,
        "todo_action_type": TODO_TYPE,
        "todo_resource": BOOKKEEPER,
    });
    Ok((desk, settings))
}
