//! That what is looked at in a history can be found wrong.

use std::sync::Arc;

use jiff::Timestamp;
use purser_core::{ids::OrderId, record::SyncRecord};
use purser_simulators::{
    System,
    autotask::Entity,
    quickbooks::{BillSeed, HumanAction},
};
use serde_json::json;

use super::{Nature, Plan, nature::OrderIds, set_up, verdict};
use crate::memory::MemoryStore;

/// The seeds of the histories that a gate lives.
const SEEDS: u64 = 10_000;

async fn nature() -> (Arc<Nature>, OrderIds) {
    let plan = Plan {
        clocks: Vec::new(),
        ..Plan::of(1)
    };
    let (_stage, nature) = set_up::<MemoryStore>(plan).await;
    let ids = nature.orders[0];
    (nature, ids)
}

fn enter(nature: &Nature, ids: OrderIds, total: &str) {
    let company = &nature.companies[ids.company];
    let cast = &company.cast;
    let total = total.parse().expect("a total");
    let bill = BillSeed {
        private_note: Some(format!("AT-PO:{} g1 01234567", ids.order)),
        ..BillSeed::new(&cast.vendor, "by hand", &cast.goods, total)
    };
    let realm = company.realm.clone();
    let entered = HumanAction::EnterBill { realm, bill };
    let books = &nature.simulators.quickbooks;
    books.act_as_person(entered).expect("they may");
}

fn wrong(nature: &Nature) -> Vec<String> {
    nature.seen().violations.clone()
}

#[tokio::test(start_paused = true)]
async fn a_bill_over_another_total_than_the_lines_of_its_order_is_noticed() {
    let (nature, ids) = nature().await;
    let total = nature.companies[ids.company].total_of(ids.order);
    enter(&nature, ids, &total.to_string());
    nature.check((System::QuickBooks, true), "now");
    assert_eq!(wrong(&nature), [""; 0]);
    let (nature, ids) = self::nature().await;
    enter(
        &nature,
        ids,
        &(total + rust_decimal::Decimal::new(1, 2)).to_string(),
    );
    nature.check((System::QuickBooks, true), "now");
    assert!(wrong(&nature)[0].contains("is billed over"));
}

#[tokio::test(start_paused = true)]
async fn a_second_bill_of_an_order_is_noticed() {
    let (nature, ids) = nature().await;
    let total = nature.companies[ids.company].total_of(ids.order);
    for _ in 0..2 {
        enter(&nature, ids, &total.to_string());
    }
    nature.check((System::QuickBooks, true), "now");
    assert!(wrong(&nature)[0].contains("has 2 live bills"));
}

#[tokio::test(start_paused = true)]
async fn a_second_open_todo_of_an_order_is_noticed() {
    let (nature, ids) = nature().await;
    let database = &nature.companies[ids.company].database;
    let todo = json!({ "activityDescription": format!("[PO {}] twice", ids.order) });
    database.add_row(Entity::CompanyToDos, None, todo.clone());
    nature.check((System::Autotask, false), "now");
    assert_eq!(wrong(&nature), [""; 0]);
    database.add_row(Entity::CompanyToDos, None, todo);
    nature.check((System::Autotask, false), "now");
    assert!(wrong(&nature)[0].contains("has 2 open to-dos"));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_logged_in_a_history_is_noticed() {
    let (nature, ids) = nature().await;
    assert_eq!(nature.watch.leaked(), [""; 0]);
    let total = nature.companies[ids.company].total_of(ids.order);
    let _logging = tracing::dispatcher::set_default(&super::canary::log());
    tracing::info!(vendor = "Ingram Supply", "a bill over {total}");
    assert!(!nature.watch.leaked().is_empty());
}

#[test]
fn an_order_that_nobody_would_find_again_is_not_stored() {
    let key = purser_core::record::RecordKey {
        tenant: "north".parse().expect("a tenant"),
        realm: "913".parse().expect("a realm"),
        order: OrderId::new(1),
    };
    let operation = "operation00000001".parse().expect("an operation");
    let queued = SyncRecord::queued(key, "P1".to_owned(), operation, Timestamp::UNIX_EPOCH);
    assert!(!verdict::is_stored(None, false));
    assert!(!verdict::is_stored(None, true));
    assert!(!verdict::is_stored(Some(&queued), false));
    assert!(verdict::is_stored(Some(&queued), true));
}

#[test]
fn one_history_in_four_has_three_companies_and_some_meet_each_special_case() {
    let plans: Vec<_> = (0..SEEDS).map(Plan::of).collect();
    let count = |is: fn(&Plan) -> bool| plans.iter().filter(|plan| is(plan)).count();
    assert!(count(|plan| plan.companies == 3) >= plans.len() / 4);
    assert!(count(|plan| plan.is_newer) > 500);
    assert!(count(|plan| plan.hourly < 1_000) > 500);
    assert!(count(|plan| plan.orders.len() > 10) > 200);
}
