//! North Harbor IT: a US company without other currencies, where most of the world happens.
//!
//! QuickBooks assigns the numbers, missing Items are created, and freight has an account.

mod names;
mod orders;

use jiff::Timestamp;
use purser_simulators::{
    Simulators,
    autotask::DatabaseSeed,
    quickbooks::{ItemSeed, PersonSeed, RealmSeed},
};
use serde_json::json;

use super::{
    Definition, Filled, WorldError,
    case::Case,
    desk::{Accounts, BOOKKEEPER, Desk, FREIGHT, GOODS, PAYABLE, TODO_TYPE, known_as},
};

/// The company.
pub(super) const DEFINITION: Definition = Definition {
    tenant: "north-harbor",
    // Its settings hold the days back (22 to 24), the accounts (35, 51) and the pace (25 to 27).
    rows: &[22, 23, 24, 25, 26, 27, 35, 51, 59],
    cases,
    seed,
};

/// Its realm.
pub(super) const REALM: &str = "9130355001000001";
/// Calendar days back.
const DAYS_BACK: i64 = 30;

// Organisations that sell.
const COBALT: i64 = 301;
const NORTHGATE: i64 = 302;
const FAIRLINE: i64 = 303;
const O_BRIEN: i64 = 304;
const KEYSTONE: i64 = 305;
const LODZ: i64 = 306;
const MERIDIAN: i64 = 307;
const LONG_SELLER: i64 = 308;
const WHITFIELD: i64 = 309;
const RIDGEWAY: i64 = 310;
const SUMMIT: i64 = 311;
const BLUEFIN: i64 = 312;
const JUNIPER: i64 = 313;
const NIHON: i64 = 314;
const CASTLE: i64 = 315;

// Organisations that buy.
const LAKESIDE: i64 = 401;
const HOTEL: i64 = 402;
const SCHOOL: i64 = 403;
const BEAUMONT: i64 = 404;
const DENTAL_COLON: i64 = 405;
const DENTAL_DASH: i64 = 406;
const LONG_BUYER: i64 = 407;
const BAKERY: i64 = 408;
const CLINIC: i64 = 409;
const SEAFOOD: i64 = 410;

// Products.
const SWITCH: i64 = 501;
const CABLE: i64 = 502;
const FIREWALL: i64 = 503;
const RACK: i64 = 504;
const SHELF_COLON: i64 = 505;
const SHELF_DASH: i64 = 506;
const DOCK: i64 = 507;
const INSTALLATION: i64 = 508;
const LAPTOPS: i64 = 509;
const BUNDLE: i64 = 510;
const LONG_PRODUCT: i64 = 511;
const ARM: i64 = 512;
const KEYBOARD: i64 = 513;
const MOUSE_MAT: i64 = 514;
const SCREW: i64 = 515;
const ACCESS_POINT: i64 = 516;
const SENSOR: i64 = 517;

/// Longer than the 100 characters of a company name, shorter than the 500 of a display name.
const LONG_SELLER_NAME: &str = "Consolidated Coastal Cabling, Conduit, Connector and Cabinet \
    Supply Company of Greater Casco Bay and the Surrounding Midcoast Counties, Incorporated";

/// Longer than the 100 characters of an Item's name.
const LONG_PRODUCT_NAME: &str = "Uninterruptible power supply, rack mounted, 3000 VA, pure sine \
    wave, extended run time, with network management card and a spare battery pack";

fn cases() -> Vec<Case> {
    let mut cases = orders::cases();
    cases.extend(names::cases());
    cases
}

/// Longer than the 500 characters of a display name.
fn long_buyer_name() -> String {
    let parishes = ["St. Anne", "St. Brigid", "St. Columba", "St. Dominic"];
    let mut name = "Friends of the United Parishes of".to_owned();
    for parish in parishes.iter().cycle().take(44) {
        name.push(' ');
        name.push_str(parish);
    }
    name
}

fn seed(simulators: &Simulators, _: Timestamp) -> Filled {
    let database = DatabaseSeed {
        api_user: "purser@north-harbor.example".to_owned(),
        secret: "demo-secret-north-harbor".to_owned(),
        integration_code: "NORTHHARBORDEMOTRACKINGCODE".to_owned(),
        ci: Some(100_401),
        company_name: "North Harbor IT".to_owned(),
        ..DatabaseSeed::default()
    };
    let realm = RealmSeed::new(REALM, "North Harbor IT, LLC");
    let (desk, accounts) = Desk::open(simulators, database, realm)?;
    autotask(&desk);
    // Autotask's other term, Net 30 days, is called Net 30 here and so matches nothing.
    for (name, days) in [("Due on receipt", 0), ("Net 30", 30)] {
        desk.books.add_term(&desk.realm, name, days)?;
    }
    let (bluefin, juniper) = vendors(&desk)?;
    customers(&desk)?;
    items(&desk, &accounts)?;
    let settings = json!({
        "version": 1,
        "days_back": DAYS_BACK,
        "number_source": "quickbooks",
        "missing_item": "create",
        "created_item_account": GOODS,
        "payable_account": PAYABLE,
        "freight_account": FREIGHT,
        "todo_action_type": TODO_TYPE,
        "todo_resource": BOOKKEEPER,
        "vendor_overrides": { BLUEFIN.to_string(): bluefin, JUNIPER.to_string(): juniper },
    });
    Ok((desk, settings))
}

fn autotask(desk: &Desk) {
    desk.sellers(&[
        (COBALT, "Cobalt Distribution"),
        (NORTHGATE, " NORTHGATE   Networks"),
        (FAIRLINE, "Fairline Wholesale Inc."),
        (O_BRIEN, "O'Brien & Sons \"Quick\" Cabling"),
        (KEYSTONE, "Keystone Components"),
        (LODZ, "Łódź Łącza – Café Networks"),
        (MERIDIAN, "Meridian: Wholesale: East"),
        (LONG_SELLER, LONG_SELLER_NAME),
        (WHITFIELD, "Dana Whitfield"),
        (RIDGEWAY, "Ridgeway Supply"),
        (SUMMIT, "Summit Hardware"),
        (BLUEFIN, "Bluefin Telecom"),
        (JUNIPER, "Juniper Point Leasing"),
        (NIHON, "日本電気商会"),
        (CASTLE, "Castle & Wren Printing"),
    ]);
    desk.buyers(&[
        (LAKESIDE, "Lakeside Dental Group"),
        (HOTEL, "Harbor View Hotel"),
        (SCHOOL, "Greenfield Charter School"),
        (BEAUMONT, "Beaumont & D'Arcy LLP"),
        (DENTAL_COLON, "Harbor Dental: East"),
        (DENTAL_DASH, "Harbor Dental - East"),
        (LONG_BUYER, &long_buyer_name()),
        (BAKERY, "Old Mill Bakery"),
        (CLINIC, "St. Brendan\u{2019}s Clinic"),
        (SEAFOOD, "Pier Nine Seafood"),
    ]);
    desk.products(&[
        (SWITCH, "Gigabit switch, 24 ports"),
        (CABLE, "Patch cable Cat6, 2 m"),
        (FIREWALL, "Firewall FX-60"),
        (RACK, "Rack 19\": 12U, 'quiet'"),
        (SHELF_COLON, "Shelf: 1U"),
        (SHELF_DASH, "Shelf - 1U"),
        (DOCK, "USB dock, first edition"),
        (INSTALLATION, "Installation on site"),
        (LAPTOPS, "Laptops"),
        (BUNDLE, "New starter kit"),
        (LONG_PRODUCT, LONG_PRODUCT_NAME),
        (ARM, "Monitor arm"),
        (KEYBOARD, "Keyboard, wireless"),
        (MOUSE_MAT, "Mouse mat"),
        (SCREW, "Rack screw M6"),
        (ACCESS_POINT, "Access point, outdoor"),
        (SENSOR, "Zähler für Größe µ – Ω sensor"),
    ]);
}

/// Answers the vendors that settings map two organisations to; the second is inactive.
fn vendors(desk: &Desk) -> Result<(String, String), WorldError> {
    desk.vendors(&[
        "Cobalt Distribution",
        "Northgate Networks",
        "O'Brien & Sons \"Quick\" Cabling",
        "Pier Nine Seafood",
    ])?;
    desk.vendor(&known_as(
        "Fairline, main account",
        "Fairline Wholesale Inc.",
    ))?;
    desk.vendor(&known_as("Summit, Portland branch", "Summit Hardware"))?;
    desk.vendor(&known_as("Summit, Bangor branch", "Summit Hardware"))?;
    desk.vendor(&PersonSeed::new("Ridgeway Supply").inactive())?;
    desk.books.add_employee(&desk.realm, "Dana Whitfield")?;
    let bluefin = desk.vendor(&PersonSeed::new("Bluefin Wholesale Accounts"))?;
    let juniper = desk.vendor(&PersonSeed::new("JPL Finance").inactive())?;
    Ok((bluefin, juniper))
}

fn customers(desk: &Desk) -> Result<(), WorldError> {
    desk.customers(&[
        "Lakeside Dental Group",
        "Harbor View Hotel",
        "St. Brendan's Clinic",
    ])?;
    desk.customer(&PersonSeed::new("Old Mill Bakery").inactive())?;
    // Sells now and then, and was entered as a customer only.
    desk.sellers(&[(names::HOTEL_AS_SELLER, "Harbor View Hotel")]);
    Ok(())
}

fn items(desk: &Desk, accounts: &Accounts) -> Result<(), WorldError> {
    desk.items(accounts, &["Gigabit switch, 24 ports", "Rack screw M6"])?;
    let category = |name: &str| ItemSeed {
        name: name.to_owned(),
        item_type: "Category".to_owned(),
        ..ItemSeed::default()
    };
    let inside = |name: &str, category: &str| ItemSeed {
        parent: Some(category.to_owned()),
        ..ItemSeed::non_inventory(name, &accounts.goods)
    };
    let cabling = desk.item(&category("Cabling"))?;
    desk.item(&inside("Patch cable Cat6, 2 m", &cabling))?;
    let mounts = desk.item(&category("Mounts"))?;
    let spares = desk.item(&category("Spares"))?;
    desk.item(&inside("Monitor arm", &mounts))?;
    desk.item(&inside("Monitor arm", &spares))?;
    desk.item(&category("Laptops"))?;
    desk.item(&ItemSeed {
        name: "New starter kit".to_owned(),
        item_type: "Group".to_owned(),
        ..ItemSeed::default()
    })?;
    desk.item(&ItemSeed {
        inactive: true,
        ..ItemSeed::non_inventory("USB dock, first edition", &accounts.goods)
    })?;
    // Sold but not bought: it has no expense account.
    desk.item(&ItemSeed {
        name: "Installation on site".to_owned(),
        item_type: "Service".to_owned(),
        income_account: Some(accounts.income.clone()),
        ..ItemSeed::default()
    })?;
    desk.item(&ItemSeed {
        name: "Access point, outdoor".to_owned(),
        item_type: "Inventory".to_owned(),
        expense_account: Some(accounts.goods.clone()),
        income_account: Some(accounts.income.clone()),
        asset_account: Some(accounts.stock.clone()),
        ..ItemSeed::default()
    })?;
    Ok(())
}
