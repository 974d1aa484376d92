//! Thames Managed Services: a British company with several currencies on both sides.
//!
//! Lines need a purchase tax code, foreign bills an exchange rate and the accounts payable account
//! of their currency.

use jiff::{Timestamp, ToSpan};
use purser_core::{money::decimal_from_text, notice::Code};
use purser_simulators::{
    Simulators,
    autotask::DatabaseSeed,
    quickbooks::{PersonSeed, RealmSeed},
};
use serde_json::json;

use super::{
    Definition, Filled, WorldError,
    case::{Age, Case, billed, refused, unseen},
    desk::{BOOKKEEPER, Desk, FREIGHT, GOODS, PAYABLE, TODO_TYPE},
};

/// The company.
pub(super) const DEFINITION: Definition = Definition {
    tenant: "thames-managed",
    rows: &[40, 55, 60],
    cases,
    seed,
};

/// Calendar days back.
const DAYS_BACK: i64 = 30;
/// The tax code of purchases.
const TAX_CODE: &str = "20.0% S";
/// An id that Autotask's currency list does not hold.
const NO_CURRENCY: i64 = 99;

// Organisations that sell.
const SEVERN: i64 = 301;
const RHEIN: i64 = 302;
const DANUBE: i64 = 303;
const HUDSON: i64 = 304;
const HELVETIA: i64 = 305;
const NOWHERE: i64 = 306;
const TOKYO: i64 = 307;
const SEINE: i64 = 308;

// Organisations that buy.
const SURGERY: i64 = 401;
const DESIGN: i64 = 402;

// Products.
const PHONE: i64 = 501;
const HEADSET: i64 = 502;
const CHARGER: i64 = 503;

fn usual(case: Case) -> Case {
    case.from(SEVERN)
        .buyer(SURGERY)
        .line(PHONE, 6, "84.1250")
        .line(HEADSET, 6, "39.90")
}

fn cases() -> Vec<Case> {
    vec![
        usual(billed(
            6101,
            "the home currency, with a tax code on each line",
            &[40, 55],
        )),
        usual(billed(
            6102,
            "a vendor in EUR on both sides, with freight",
            &[55, 60],
        ))
        .from(RHEIN)
        .freight("12.345"),
        usual(refused(
            6103,
            Code::CurrencyMismatch,
            "EUR in Autotask, GBP in books",
            &[39, 56],
        ))
        .from(DANUBE),
        usual(refused(
            6104,
            Code::CurrencyMismatch,
            "GBP in Autotask, EUR in books",
            &[56],
        ))
        .from(SEINE),
        usual(billed(
            6105,
            "a vendor in USD that is created, with its A/P account",
            &[46, 60],
        ))
        .from(HUDSON),
        usual(billed(6106, "the created vendor in USD again", &[46, 60])).from(HUDSON),
        usual(refused(
            6107,
            Code::RateMissing,
            "no exchange rate for CHF",
            &[60],
        ))
        .from(HELVETIA),
        usual(refused(
            6108,
            Code::CurrencyUnknown,
            "a currency that is not listed",
            &[56],
        ))
        .from(NOWHERE),
        usual(billed(
            6109,
            "names in letters of other alphabets stay as they are",
            &[46, 47],
        ))
        .from(TOKYO)
        .buyer(DESIGN)
        .line(CHARGER, 2, "17.50"),
        usual(billed(
            6111,
            "created on the first day of the window",
            &[19],
        ))
        .created(Age::MiddayOf(DAYS_BACK)),
        usual(unseen(6112, "created the day before the window", &[19]))
            .created(Age::MiddayOf(DAYS_BACK + 1)),
    ]
}

fn seed(simulators: &Simulators, now: Timestamp) -> Filled {
    let database = DatabaseSeed {
        api_user: "purser@thames-managed.example".to_owned(),
        secret: "demo-secret-thames-managed".to_owned(),
        integration_code: "THAMESMANAGEDDEMOTRACKINGID".to_owned(),
        zone_name: "UK".to_owned(),
        zone_path: "webservices16".to_owned(),
        ci: Some(100_403),
        company_name: "Thames Managed Services".to_owned(),
        internal_currency: "GBP".to_owned(),
        ..DatabaseSeed::default()
    };
    let realm = RealmSeed {
        time_zone: "Europe/London".to_owned(),
        ..RealmSeed::new("9130355001000003", "Thames Managed Services Ltd")
    };
    let realm = realm.in_country("GB", "GBP").with_multi_currency();
    let (desk, accounts) = Desk::open(simulators, database, realm)?;
    autotask(&desk);
    desk.books.add_tax_code(&desk.realm, TAX_CODE, 20.into())?;
    desk.vendors(&["Severn Components Ltd", "Danube Systems"])?;
    for (name, currency) in [
        ("Rhein Netzwerk GmbH", "EUR"),
        ("Seine Informatique SARL", "EUR"),
        ("Helvetia Optik AG", "CHF"),
    ] {
        desk.vendor(&PersonSeed::new(name).in_currency(currency))?;
    }
    desk.customers(&["Riverside Surgery"])?;
    desk.items(&accounts, &["Desk phone", "Headset, two ears"])?;
    rates(&desk, now)?;
    let settings = json!({
        "version": 1,
        "days_back": DAYS_BACK,
        "number_source": "quickbooks",
        "missing_item": "create",
        "created_item_account": GOODS,
        "payable_account": PAYABLE,
        "freight_account": FREIGHT,
        "purchase_tax_code": TAX_CODE,
        "todo_action_type": TODO_TYPE,
        "todo_resource": BOOKKEEPER,
    });
    Ok((desk, settings))
}

fn autotask(desk: &Desk) {
    let euro = desk.database.add_currency("EUR", "0.85000");
    let dollar = desk.database.add_currency("USD", "0.76000");
    let franc = desk.database.add_currency("CHF", "0.91000");
    desk.sellers(&[
        (SEVERN, "Severn Components Ltd"),
        (TOKYO, "東京電機 K.K."),
        (SEINE, "Seine Informatique SARL"),
    ]);
    desk.foreign_seller(RHEIN, "Rhein Netzwerk GmbH", euro);
    desk.foreign_seller(DANUBE, "Danube Systems", euro);
    desk.foreign_seller(HUDSON, "Hudson Valley Parts", dollar);
    desk.foreign_seller(HELVETIA, "Helvetia Optik AG", franc);
    desk.foreign_seller(NOWHERE, "Nowhere Trading", NO_CURRENCY);
    desk.buyers(&[
        (SURGERY, "Riverside Surgery"),
        (DESIGN, "Łódź Design Ω Ltd"),
    ]);
    desk.products(&[
        (PHONE, "Desk phone"),
        (HEADSET, "Headset, two ears"),
        (CHARGER, "Ladegerät für Headset – 充電器"),
    ]);
}

/// Rates since well before the window; there is none for the Swiss franc.
fn rates(desk: &Desk, now: Timestamp) -> Result<(), WorldError> {
    let today = now.to_zoned_datetime(desk.zone.clone()).date();
    let since = today.checked_sub((DAYS_BACK * 3).days())?;
    for (currency, rate) in [("EUR", "0.8534"), ("USD", "0.7612")] {
        let rate = decimal_from_text(rate)?;
        desk.books
            .add_exchange_rate(&desk.realm, currency, since, rate)?;
    }
    Ok(())
}
