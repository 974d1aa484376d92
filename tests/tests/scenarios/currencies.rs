//! The four cases of multi-currency.

use std::time::Duration;

use jiff::civil::date;
use purser_simulators::{
    autotask::{CompanySeed, Entity, OrderSeed},
    quickbooks::PersonSeed,
};
use purser_tests::stage::{Scene, Stage};

/// A seller in Autotask with a currency of its own.
fn seller(stage: &Stage, name: &str, currency: &str) -> i64 {
    let rows = stage.database.rows(Entity::Currencies);
    let row = rows
        .iter()
        .find(|row| row["name"] == currency)
        .expect("the currency");
    let currency_id = row["id"].as_i64().or_else(|| {
        rows.iter()
            .position(|other| other == row)
            .and_then(|place| i64::try_from(place + 1).ok())
    });
    stage.database.add_company(&CompanySeed {
        currency_id,
        ..CompanySeed::vendor(name)
    })
}

fn rate(stage: &Stage, currency: &str, rate: &str) {
    let rate = rate.parse().expect("a rate");
    let books = &stage.simulators.quickbooks;
    let since = date(2026, 1, 1);
    books
        .add_exchange_rate(&stage.realm, currency, since, rate)
        .expect("a rate");
}

async fn euros() -> (Stage, i64) {
    let stage = Stage::of(Scene::with_currencies()).await;
    stage.add_vendor(&PersonSeed::new("Rhein Netzwerk").in_currency("EUR"));
    let rhein = seller(&stage, "Rhein Netzwerk", "EUR");
    rate(&stage, "EUR", "1.0850");
    (stage, rhein)
}

#[tokio::test(start_paused = true)]
async fn both_off_is_the_plain_case() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    assert_eq!(
        bill["CurrencyRef"]["value"].as_str().unwrap_or("USD"),
        "USD"
    );
    let sent = stage.simulators.journal.entries();
    let create = sent
        .iter()
        .find(|call| call.route == "POST bill")
        .expect("a create");
    assert!(!create.request_body.contains("CurrencyRef"));
}

#[tokio::test(start_paused = true)]
async fn both_on_a_foreign_vendor_with_one_currency_is_billed_at_the_days_rate() {
    let (mut stage, rhein) = euros().await;
    let order = stage.add(&OrderSeed {
        vendor: rhein,
        ..stage.order()
    });
    let home = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    assert_eq!(bill["CurrencyRef"]["value"], "EUR");
    assert_eq!(
        purser_tests::stage::amount(&bill["ExchangeRate"]),
        "1.0850".parse().expect("a rate")
    );
    let payable = stage
        .simulators
        .quickbooks
        .payable_account(&stage.realm, "EUR");
    assert_eq!(bill["APAccountRef"]["value"].as_str(), payable.as_deref());
    let bill = stage.assert_billed(home, "799.98").await;
    assert_eq!(bill["CurrencyRef"]["value"], "USD");
}

#[tokio::test(start_paused = true)]
async fn both_on_a_new_foreign_vendor_is_created_in_its_currency() {
    let (mut stage, _) = euros().await;
    let donau = seller(&stage, "Donau Systems", "EUR");
    let order = stage.add(&OrderSeed {
        vendor: donau,
        ..stage.order()
    });
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    assert_eq!(bill["CurrencyRef"]["value"], "EUR");
    let vendors = stage.simulators.quickbooks.vendors(&stage.realm);
    let made = vendors
        .iter()
        .find(|vendor| vendor["DisplayName"] == "Donau Systems");
    assert_eq!(made.expect("a vendor")["CurrencyRef"]["value"], "EUR");
}

#[tokio::test(start_paused = true)]
async fn both_on_and_different_is_refused() {
    let (mut stage, _) = euros().await;
    stage.add_vendor(&PersonSeed::new("Donau Systems"));
    let donau = seller(&stage, "Donau Systems", "EUR");
    let order = stage.add(&OrderSeed {
        vendor: donau,
        ..stage.order()
    });
    stage.run().await;
    stage.assert_refused(order, "currency.mismatch").await;
}

#[tokio::test(start_paused = true)]
async fn autotask_off_quickbooks_on_books_the_home_currency_at_rate_one() {
    let scene = Scene {
        currencies: Vec::new(),
        ..Scene::with_currencies()
    };
    let mut stage = Stage::of(scene).await;
    let known = stage.add_plain();
    let seller = stage.new_seller("Brightline Distribution");
    let new = stage.add(&OrderSeed {
        vendor: seller,
        ..stage.order()
    });
    stage.run().await;
    for order in [known, new] {
        let bill = stage.assert_billed(order, "799.98").await;
        assert_eq!(bill["CurrencyRef"]["value"], "USD");
        let rate = purser_tests::stage::amount(&bill["ExchangeRate"]);
        assert_eq!(rate, "1".parse().expect("a rate"));
    }
}

#[tokio::test(start_paused = true)]
async fn autotask_off_refuses_a_foreign_vendor_of_quickbooks() {
    let scene = Scene {
        currencies: Vec::new(),
        ..Scene::with_currencies()
    };
    let mut stage = Stage::of(scene).await;
    stage.add_vendor(&PersonSeed::new("Maple Leaf Components").in_currency("CAD"));
    let seller = stage.new_seller("Maple Leaf Components");
    let order = stage.add(&OrderSeed {
        vendor: seller,
        ..stage.order()
    });
    stage.run().await;
    stage.assert_refused(order, "currency.foreign_vendor").await;
}

#[tokio::test(start_paused = true)]
async fn autotask_on_quickbooks_off_transfers_nothing_and_says_why() {
    let scene = Scene {
        realm: Scene::default().realm,
        ..Scene::with_currencies()
    };
    let mut stage = Stage::of(scene).await;
    let order = stage.add_plain();
    stage.run().await;
    stage.live(Duration::from_hours(3)).await;
    stage.assert_untouched(order, None);
    assert_eq!(stage.trouble().await, "tenant.quickbooks_currency_off");
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_quickbooks_makes_in_another_currency_is_refused() {
    let (mut stage, _) = euros().await;
    let ignore = |switches: &mut purser_simulators::quickbooks::QuickBooksSwitches| {
        switches.currency_ignored = true;
    };
    stage
        .simulators
        .quickbooks
        .change_switches(ignore)
        .expect("switches");
    let donau = seller(&stage, "Donau Systems", "EUR");
    let order = stage.add(&OrderSeed {
        vendor: donau,
        ..stage.order()
    });
    stage.run().await;
    stage.assert_refused(order, "currency.ignored").await;
    stage.live(Duration::from_mins(40)).await;
    stage.assert_refused(order, "currency.ignored").await;
}
