//! Once a day orders are held against the bills of QuickBooks.

use std::time::Duration;

use purser_core::record::{Origin, StateName};
use purser_simulators::{
    FaultKind, FaultRule, System,
    autotask::Action,
    quickbooks::{BillSeed, HumanAction, RequestIdMode},
};
use purser_tests::stage::{Stage, amount};
use serde_json::Value;

/// Another bill with the very note of this one, as a send that QuickBooks carried out far too late
/// leaves it behind, or a person who copies a bill.
fn copy(stage: &Stage, bill: &Value) -> Value {
    let (vendor, goods) = (&stage.cast.vendor, &stage.cast.goods);
    let note = bill["PrivateNote"].as_str().map(str::to_owned);
    let total = amount(&bill["TotalAmt"]);
    let mut seed = BillSeed::new(vendor, "-", goods, total);
    (seed.doc_number, seed.private_note) = (None, note);
    let realm = stage.realm.clone();
    let enter = HumanAction::EnterBill { realm, bill: seed };
    let books = &stage.simulators.quickbooks;
    books.act_as_person(enter).expect("they may");
    let others = books.live_bills(&stage.realm);
    let is_copy =
        |other: &Value| other["Id"] != bill["Id"] && other["PrivateNote"] == bill["PrivateNote"];
    others.into_iter().find(is_copy).expect("a second bill")
}

#[tokio::test(start_paused = true)]
async fn a_second_bill_of_a_linked_order_is_flagged_within_a_day_and_the_number_stays() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    stage.live(Duration::from_hours(30)).await;
    let second = copy(&stage, &bill);
    stage.live(Duration::from_hours(26)).await;
    let record = stage.record(order).await;
    assert_eq!(record.state.name(), StateName::NeedsPerson);
    let todo = stage.assert_one_todo(order, "conflict.bill_twice");
    for id in [&bill["Id"], &second["Id"]] {
        let id = id.as_str().expect("an id");
        assert!(todo.description.contains(id), "{}", todo.description);
    }
    assert_eq!(stage.number(order).as_deref(), bill["Id"].as_str());
    stage.live(Duration::from_hours(26)).await;
    assert_eq!(stage.todos_of(order), [todo], "it is told once");
    // The person deletes what is too many, and says so.
    stage.delete_bill(&second);
    stage.ask(order, Origin::Retry, None).await;
    stage.live(Duration::from_mins(20)).await;
    assert_eq!(stage.assert_billed(order, "799.98").await["Id"], bill["Id"]);
    assert!(stage.todos_of(order)[0].completed.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_second_bill_that_is_gone_before_the_reconciliation_flags_nothing() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    stage.live(Duration::from_hours(2)).await;
    let second = copy(&stage, &bill);
    stage.delete_bill(&second);
    stage.live(Duration::from_hours(50)).await;
    assert_eq!(stage.assert_billed(order, "799.98").await["Id"], bill["Id"]);
    assert!(stage.todos_of(order).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_second_bill_is_found_among_more_bills_than_quickbooks_tells_as_changes() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    let (vendor, goods) = (stage.cast.vendor.clone(), stage.cast.goods.clone());
    // More than QuickBooks tells of as changes: the bills are read instead.
    for number in 0..1100 {
        let total = amount(&bill["TotalAmt"]);
        let seed = BillSeed::new(&vendor, &format!("H-{number}"), &goods, total);
        let realm = stage.realm.clone();
        let enter = HumanAction::EnterBill { realm, bill: seed };
        let books = &stage.simulators.quickbooks;
        books.act_as_person(enter).expect("they may");
    }
    copy(&stage, &bill);
    stage.live(Duration::from_hours(26)).await;
    let record = stage.record(order).await;
    assert_eq!(record.state.name(), StateName::NeedsPerson);
    stage.assert_one_todo(order, "conflict.bill_twice");
}

#[tokio::test(start_paused = true)]
async fn a_bill_that_quickbooks_carries_out_far_too_late_is_found_beside_the_second_one() {
    let mut stage = Stage::new().await;
    let books = &stage.simulators.quickbooks;
    let ignored = books.change_switches(|switches| switches.request_id = RequestIdMode::Ignored);
    ignored.expect("switches");
    let late = FaultKind::LateCommit { ms: 3_000_000 };
    let rule = FaultRule::next(System::QuickBooks, "POST bill", late);
    stage.simulators.faults.add(rule);
    let order = stage.add_plain();
    stage.run().await;
    stage.live(Duration::from_mins(30)).await;
    // Nothing came within the settle time, so it was sent again.
    let bill = stage.assert_billed(order, "799.98").await;
    stage.live(Duration::from_hours(27)).await;
    let todo = stage.assert_one_todo(order, "conflict.bill_twice");
    assert_eq!(stage.bills_of(order).len(), 2);
    for bill in stage.bills_of(order) {
        let id = bill["Id"].as_str().expect("an id");
        assert!(todo.description.contains(id), "{}", todo.description);
    }
    assert_eq!(stage.number(order).as_deref(), bill["Id"].as_str());
}

#[tokio::test(start_paused = true)]
async fn a_copy_in_the_place_of_a_deleted_bill_is_told_and_linked_when_a_person_keeps_it() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    // Its bill goes and comes back as a copy that nobody knows of.
    let second = copy(&stage, &bill);
    stage.delete_bill(&bill);
    stage.live(Duration::from_hours(26)).await;
    let todo = stage.assert_one_todo(order, "conflict.bill_stray");
    let id = second["Id"].as_str().expect("an id");
    assert!(todo.description.contains(id), "{}", todo.description);
    assert_eq!(stage.number(order).as_deref(), bill["Id"].as_str());
    // The person keeps it.
    stage.in_autotask(Action::ClearNumber { order });
    stage.retry(order).await;
    stage.live(Duration::from_mins(20)).await;
    assert_eq!(
        stage.assert_billed(order, "799.98").await["Id"],
        second["Id"]
    );
    assert!(stage.todos_of(order)[0].completed.is_some());
}
