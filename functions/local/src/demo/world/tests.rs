//! The table of cases is consistent, covers the features, and reaches the simulators.

mod open;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use purser_core::{eligibility::Ineligible, notice::Code, settings::SettingsDocument};
use purser_simulators::{
    Simulators, Store, WallClock,
    autotask::{Database, OrderStatus},
};
use purser_transport::{Request, Transport as _};
use serde_json::{Value, json};

use super::{
    Company, DEFINITIONS, Definition, Outcome, bayside, case::Age, expected, seed, seed_plain,
};

/// The feature rows that the world must show.
const ROWS: std::ops::RangeInclusive<u32> = 18..=61;

fn simulators() -> Simulators {
    Simulators::new(Arc::new(WallClock), Store::memory(), "http://127.0.0.1:9").unwrap()
}

/// The companies that the demo connects, and the one that it leaves to visitors.
fn definitions() -> impl Iterator<Item = &'static Definition> {
    DEFINITIONS.iter().chain([&bayside::DEFINITION])
}

#[test]
fn every_case_is_told_apart_and_says_what_it_shows() {
    let mut shown = BTreeSet::new();
    for definition in definitions() {
        let mut ids = BTreeSet::new();
        for case in (definition.cases)() {
            let place = format!("{} {}", definition.tenant, case.id);
            assert!(ids.insert(case.id), "{place} is there twice");
            assert!(
                shown.insert((definition.tenant, case.shows)),
                "{place} shows a case again"
            );
            assert!(!case.rows.is_empty(), "{place} names no row");
            assert!(case.rows.iter().all(|row| ROWS.contains(row)), "{place}");
            assert_eq!(case.order.id, Some(case.id), "{place}");
            assert!(case.order.vendor > 0, "{place} has no vendor");
            let is_empty = case.outcome == Outcome::Refused(Code::NoLines);
            assert_eq!(case.order.lines.is_empty(), is_empty, "{place}");
        }
    }
}

#[test]
fn every_feature_row_is_shown_by_a_case() {
    let named: BTreeSet<u32> = DEFINITIONS
        .iter()
        .flat_map(|definition| {
            let cases = (definition.cases)().into_iter();
            let of_cases = cases.flat_map(|case| case.rows.iter().copied());
            definition.rows.iter().copied().chain(of_cases)
        })
        .collect();
    let missing: Vec<u32> = ROWS.filter(|row| !named.contains(row)).collect();
    assert!(missing.is_empty(), "no case shows the rows {missing:?}");
}

#[test]
fn what_is_expected_adds_up_and_names_codes_that_exist() {
    let expected = expected();
    assert_eq!(expected.seen, expected.orders.len() as u64);
    assert_eq!(expected.seen, expected.eligible + expected.ineligible);
    assert_eq!(expected.eligible, expected.billed + expected.refused);
    assert_eq!(expected.waiting, 0);
    let number = String::new();
    let left_alone = [
        Ineligible::MarkedError.code(),
        Ineligible::HasNumber { number }.code(),
    ];
    for order in &expected.orders {
        let code = order.code.as_deref();
        match (order.outcome.as_str(), code) {
            ("billed", None) => {}
            ("refused", Some(code)) => {
                let class = Code::from_text(code).unwrap().class();
                assert_eq!(
                    class,
                    purser_core::failure::FailureClass::Refuse,
                    "{order:?}"
                );
            }
            ("ineligible", Some(code)) => assert!(left_alone.contains(&code), "{order:?}"),
            _ => panic!("{order:?}"),
        }
    }
    let of = |tenant| {
        expected
            .orders
            .iter()
            .filter(move |order| order.tenant == tenant)
    };
    assert_eq!(of("glacier-systems").count(), 0);
    for tenant in ["north-harbor", "prairie-tech", "thames-managed"] {
        assert!(of(tenant).count() > 0, "{tenant}");
    }
}

#[test]
fn a_boundary_is_at_midday_whatever_the_time_and_the_zone() {
    for zone in ["America/New_York", "Europe/London", "Pacific/Kiritimati"] {
        let zone = TimeZone::get(zone).unwrap();
        for now in [
            "2026-03-08T04:59:59Z",
            "2026-03-29T23:30:00Z",
            "2026-11-01T05:00:00Z",
        ] {
            let now: Timestamp = now.parse().unwrap();
            let at = Age::MiddayOf(30).before(now, &zone).unwrap();
            let (at, now) = [at, now].map(|t| t.to_zoned_datetime(zone.clone())).into();
            assert_eq!(at.hour(), 12);
            assert_eq!((now.date() - at.date()).get_days(), 30);
        }
    }
}

#[test]
fn the_world_connects_four_companies_with_settings_that_can_be_read() {
    let simulators = simulators();
    let companies = seed(&simulators, Timestamp::now()).unwrap();
    assert_eq!(companies.len(), DEFINITIONS.len());
    assert_eq!(simulators.quickbooks.realms().len(), DEFINITIONS.len());
    let mut realms = BTreeSet::new();
    for (company, definition) in companies.iter().zip(&DEFINITIONS) {
        assert_eq!(company.tenant, definition.tenant);
        assert!(realms.insert(company.realm.clone()));
        let settings: SettingsDocument = serde_json::from_value(company.settings.clone()).unwrap();
        assert!(settings.days_back.is_some());
        assert!(!company.refresh_token.is_empty());
        assert_eq!(company.integration_code.len(), 27);
        assert_eq!(
            company.owner_email,
            format!("owner@{}.example", company.tenant)
        );
        let database = simulators
            .autotask
            .database(&company.autotask_user)
            .unwrap();
        assert_eq!(database.orders().len(), (definition.cases)().len());
    }
}

#[tokio::test]
async fn autotask_returns_the_orders_that_are_expected_to_be_seen() {
    let simulators = simulators();
    let now = Timestamp::now();
    let companies = seed(&simulators, now).unwrap();
    let mut expected_of: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for order in expected().orders {
        expected_of
            .entry(order.tenant)
            .or_default()
            .push(order.order);
    }
    // Nothing is listed for the tenant whose currencies contradict each other.
    for company in companies
        .iter()
        .filter(|company| expected_of.contains_key(&company.tenant))
    {
        let mut expected = expected_of[&company.tenant].clone();
        expected.sort_unstable();
        let days = company.settings["days_back"].as_i64().unwrap();
        assert_eq!(listed(&simulators, company, days, now).await, expected);
    }
}

/// Asks for submitted orders the way the scan does.
async fn listed(
    simulators: &Simulators,
    company: &Company,
    days_back: i64,
    now: Timestamp,
) -> Vec<i64> {
    let database = simulators
        .autotask
        .database(&company.autotask_user)
        .unwrap();
    // Half a day before midday of the first day: its midnight, but for an hour of summer time.
    let zone = DEFINITIONS
        .iter()
        .zip(["America/New_York", "America/Chicago", "Europe/London"]);
    let zone = zone.into_iter().find(|(d, _)| d.tenant == company.tenant);
    let zone = TimeZone::get(zone.unwrap().1).unwrap();
    let midday = Age::MiddayOf(days_back).before(now, &zone).unwrap();
    let start = midday - SignedDuration::from_hours(11);
    let filter = json!({ "MaxRecords": 500, "filter": [
        { "op": "eq", "field": "status", "value": submitted(&database) },
        { "op": "gte", "field": "createDateTime", "value": start.to_string() },
    ]});
    let uri = format!("{}V1.0/PurchaseOrders/query", database.zone_url());
    let request = Request::post(uri)
        .header("ApiIntegrationCode", &company.integration_code)
        .header("UserName", &company.autotask_user)
        .header("Secret", &company.autotask_secret)
        .header("Content-Type", "application/json")
        .body(filter.to_string().into())
        .unwrap();
    let answer = simulators
        .send(request, Duration::from_secs(10))
        .await
        .unwrap();
    let answer: Value = serde_json::from_slice(answer.body()).unwrap();
    let items = answer["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    let mut ids: Vec<i64> = items
        .iter()
        .map(|item| item["id"].as_i64().unwrap())
        .collect();
    ids.sort_unstable();
    ids
}

fn submitted(database: &Database) -> i64 {
    let mut states = OrderStatus::ALL.iter();
    let place = states.position(|status| *status == OrderStatus::Submitted);
    database.seed().status_ids[place.unwrap()]
}

#[test]
fn plain_orders_are_as_many_as_asked_for() {
    let simulators = simulators();
    let companies = seed_plain(&simulators, Timestamp::now(), 40).unwrap();
    assert_eq!(companies.len(), 1);
    let database = simulators
        .autotask
        .database(&companies[0].autotask_user)
        .unwrap();
    let orders = database.orders();
    assert_eq!(orders.len(), 40);
    let lines: BTreeSet<usize> = orders.iter().map(|o| database.lines(o.id).len()).collect();
    assert_eq!(lines, BTreeSet::from([1, 2, 3, 4]));
}
