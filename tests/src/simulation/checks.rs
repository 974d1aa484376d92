//! That what is looked at in a history can be found wrong.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use purser_core::{
    ids::OrderId,
    record::{StateName, SyncRecord},
};
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

#[tokio::test(start_paused = true)]
async fn a_defect_that_the_product_caught_is_noticed() {
    let (nature, _) = nature().await;
    let _logging = tracing::dispatcher::set_default(&super::canary::log());
    for line in [
        "the handling of a message panicked",
        "an illegal transition was not written",
    ] {
        tracing::error!("{line}");
        let found = nature.watch.leaked();
        assert!(found.iter().any(|it| it.contains(line)), "{found:?}");
    }
    assert_eq!(nature.watch.leaked(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_number_that_leaves_too_early_or_is_no_bills_is_noticed() {
    let (nature, ids) = nature().await;
    nature.check_number(ids, "ERROR");
    assert!(wrong(&nature)[0].contains("not stored"));
    let (nature, ids) = self::nature().await;
    let total = nature.companies[ids.company].total_of(ids.order);
    enter(&nature, ids, &total.to_string());
    nature.check((System::QuickBooks, true), "now");
    let realm = nature.companies[ids.company].realm.clone();
    let store_as = |state| {
        let key = (realm.clone(), ids.order);
        nature.seen().records.insert(key, (state, 1, 1));
    };
    store_as(StateName::Created);
    nature.check_number(ids, "by hand");
    assert_eq!(wrong(&nature), [""; 0]);
    nature.check_number(ids, "1042");
    assert_eq!(wrong(&nature).len(), 1);
    nature.check_number(ids, "ERROR");
    assert_eq!(wrong(&nature).len(), 2);
    store_as(StateName::Planned);
    nature.check_number(ids, "by hand");
    assert_eq!(wrong(&nature).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_at_rest_or_comes_to_rest_late_is_noticed() {
    let plan = || Plan {
        clocks: Vec::new(),
        hands: BTreeMap::new(),
        hourly: 10_000,
        ..Plan::of(1)
    };
    let (stage, nature) = set_up::<MemoryStore>(plan()).await;
    verdict::judge_rest(&stage, &nature, 20).await;
    assert_eq!(wrong(&nature), [""; 0]);
    verdict::judge_rest(&stage, &nature, 140).await;
    assert!(wrong(&nature)[0].contains("after 140 minutes"));
    // An order that is queued, and its message.
    let (stage, nature) = set_up::<MemoryStore>(plan()).await;
    let tenant = &nature.companies[0].tenant;
    stage.engine.start_now(tenant).await.expect("the store");
    // An alarm goes off within a minute of its time.
    stage.wait(Duration::from_mins(2)).await;
    let scanned = stage.scan_due().await;
    assert_eq!(scanned[0].queued.len(), 1, "{scanned:?}");
    verdict::judge_rest(&stage, &nature, 20).await;
    let all = wrong(&nature).join(", ");
    assert!(all.contains("left in the queue"), "{all}");
    assert!(all.contains("still to be swept"), "{all}");
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
