//! Currencies that do not fit.

use jiff::civil::date;
use purser_simulators::{
    autotask::{Action, CompanySeed, Entity, OrderSeed},
    quickbooks::{HumanAction, Kind, PersonSeed},
};
use purser_tests::stage::{Scene, Stage};

use super::*;

fn euro_rate(stage: &Stage) {
    let rate = "1.0850".parse().expect("a rate");
    let books = &stage.simulators.quickbooks;
    books
        .add_exchange_rate(&stage.realm, "EUR", date(2026, 1, 1), rate)
        .expect("a rate");
}

async fn in_euros() -> (Stage, i64) {
    let stage = Stage::of(Scene::with_currencies()).await;
    let rows = stage.database.rows(Entity::Currencies);
    let place = rows
        .iter()
        .position(|row| row["name"] == "EUR")
        .expect("euros");
    let currency_id = rows[place]["id"].as_i64().or(i64::try_from(place + 1).ok());
    let seller = CompanySeed {
        currency_id,
        ..CompanySeed::vendor("Rhein Netzwerk")
    };
    let vendor = stage.database.add_company(&seller);
    stage.add_vendor(&PersonSeed::new("Rhein Netzwerk").in_currency("EUR"));
    let order = stage.add(&OrderSeed {
        vendor,
        ..stage.order()
    });
    (stage, order)
}

#[tokio::test(start_paused = true)]
async fn a_currency_that_autotask_does_not_list() {
    let stage = Stage::of(Scene::with_currencies()).await;
    let currency_id = Some(77);
    let seller = CompanySeed {
        currency_id,
        ..CompanySeed::vendor("Nowhere Trading")
    };
    let vendor = stage.database.add_company(&seller);
    let order = stage.add(&OrderSeed {
        vendor,
        ..stage.order()
    });
    let currency = None;
    let repair = |stage: &Stage| {
        stage.in_autotask(Action::SetCompanyCurrency {
            company: vendor,
            currency,
        });
    };
    refused(stage, order, "currency.unknown", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_day_without_an_exchange_rate() {
    let (stage, order) = in_euros().await;
    refused(stage, order, "currency.rate_missing", euro_rate).await;
}

#[tokio::test(start_paused = true)]
async fn a_currency_without_a_payable_account() {
    let (stage, order) = in_euros().await;
    euro_rate(&stage);
    let payable = stage
        .simulators
        .quickbooks
        .payable_account(&stage.realm, "EUR");
    let payable = payable.expect("an account");
    let active = |stage: &Stage, active| {
        let (realm, id) = (stage.realm.clone(), payable.clone());
        let kind = Kind::Account;
        stage.in_quickbooks(HumanAction::SetActive {
            realm,
            kind,
            id,
            active,
        });
    };
    active(&stage, false);
    refused(stage, order, "currency.no_payable_account", |stage| {
        active(stage, true);
    })
    .await;
}
