//! People act in either system while an order is transferred, or afterwards.

use std::time::Duration;

use purser_core::{
    record::{Origin, State, StateName},
    usecase::Outcome,
};
use purser_simulators::{
    autotask::{Action, LineSeed, OrderSeed, OrderStatus},
    quickbooks::HumanAction,
};
use purser_tests::stage::{Moment, Stage, code_of};
use serde_json::Value;

const CREATE: (&str, &str, u32) = ("POST", "/bill", 1);
const WRITE_BACK: (&str, &str, u32) = ("PATCH", "/PurchaseOrders", 1);

fn in_autotask(simulators: &purser_simulators::Simulators, action: Action) {
    simulators
        .autotask
        .databases()
        .remove(0)
        .act(action)
        .expect("they may");
}

/// A process that sleeps with Autotask's answer in its hand does not take it for a reading of now.
#[tokio::test(start_paused = true)]
async fn a_number_typed_while_a_process_slept_over_its_reading_is_never_overwritten() {
    for nth in 1..=4 {
        let mut stage = Stage::new().await;
        let order = stage.add_plain();
        let query = ("POST", "/PurchaseOrders/query", nth);
        let database = stage.database.clone();
        let types = move |_: &purser_simulators::Simulators| {
            let number = "by hand".to_owned();
            let typed = database.act(Action::SetNumber { order, number });
            typed.expect("they may");
        };
        stage.tap.at(query, Moment::After, types);
        stage
            .tap
            .stall(query, Moment::After, Duration::from_secs(310));
        stage.run().await;
        stage.live(Duration::from_hours(1)).await;
        assert_eq!(stage.number(order).as_deref(), Some("by hand"), "{nth}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bill_deleted_before_the_write_back_is_found_and_made_once_more() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    // The process dies after the create; somebody deletes the bill before the next one looks.
    stage.tap.cut(WRITE_BACK, Moment::Before);
    stage
        .engine
        .start_now(&stage.tenant)
        .await
        .expect("the store");
    tokio::select! {
        () = stage.tap.was_cut() => {}
        () = async { stage.scan_due().await; stage.drain().await } => panic!("no write-back"),
    }
    let bill = stage.bill_of(order);
    stage.delete_bill(&bill);
    stage.restart().await;
    stage.drain().await;
    stage.live(Duration::from_mins(20)).await;
    let second = stage.assert_billed(order, "799.98").await;
    assert_ne!(second["Id"], bill["Id"]);
    assert_eq!(stage.record(order).await.generation, 2);
    assert_eq!(stage.simulators.quickbooks.bills_ever(&stage.realm), 2);
}

#[tokio::test(start_paused = true)]
async fn a_bill_deleted_in_the_very_moment_of_the_write_back_is_flagged() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    let realm = stage.realm.clone();
    stage.tap.at(WRITE_BACK, Moment::Before, move |simulators| {
        let id = simulators.quickbooks.live_bills(&realm)[0]["Id"]
            .as_str()
            .expect("id")
            .to_owned();
        let delete = HumanAction::DeleteBill { realm, id };
        simulators
            .quickbooks
            .act_as_person(delete)
            .expect("they may");
    });
    stage.run().await;
    stage.live(Duration::from_hours(30)).await;
    assert_eq!(stage.record(order).await.state.name(), StateName::Orphaned);
    assert_eq!(stage.bills_of(order).len(), 0);
    stage.assert_one_todo(order, "bill.deleted");
}

#[tokio::test(start_paused = true)]
async fn the_reconciliation_finds_a_deleted_bill_and_never_makes_it_again_by_itself() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    stage.live(Duration::from_mins(10)).await;
    stage.delete_bill(&bill);
    stage.live(Duration::from_hours(26)).await;
    assert_eq!(stage.record(order).await.state.name(), StateName::Orphaned);
    let todo = stage.assert_one_todo(order, "bill.deleted");
    assert_eq!(
        stage.number(order).as_deref(),
        bill["Id"].as_str(),
        "the number stays"
    );
    stage.live(Duration::from_hours(26)).await;
    assert_eq!(stage.todos_of(order), [todo]);
    assert_eq!(stage.bills_of(order).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_asks_for_a_billed_order_learns_at_once_that_its_bill_was_deleted() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    stage.ask(order, Origin::Person, None).await;
    stage.drain().await;
    assert_eq!(stage.record(order).await.state.name(), StateName::Linked);
    stage.delete_bill(&bill);
    stage.ask(order, Origin::Person, None).await;
    stage.drain().await;
    assert_eq!(stage.record(order).await.state.name(), StateName::Orphaned);
    stage.assert_one_todo(order, "bill.deleted");
    assert_eq!(stage.bills_of(order).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_bill_is_made_again_once_its_number_is_cleared() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    stage.delete_bill(&bill);
    stage.live(Duration::from_hours(26)).await;
    stage.in_autotask(Action::ClearNumber { order });
    stage.live(Duration::from_mins(30)).await;
    let second = stage.assert_billed(order, "799.98").await;
    assert_ne!(second["Id"], bill["Id"]);
    assert!(
        stage.todos_of(order)[0].completed.is_some(),
        "success completes the to-do"
    );
}

#[tokio::test(start_paused = true)]
async fn a_bill_deleted_and_cleared_before_anybody_looked_is_made_again() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    stage.delete_bill(&bill);
    stage.in_autotask(Action::ClearNumber { order });
    stage.live(Duration::from_mins(30)).await;
    assert_ne!(stage.assert_billed(order, "799.98").await["Id"], bill["Id"]);
    assert_eq!(stage.simulators.quickbooks.bills_ever(&stage.realm), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cleared_number_of_a_living_bill_is_written_again() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    stage.in_autotask(Action::ClearNumber { order });
    stage.live(Duration::from_mins(30)).await;
    assert_eq!(stage.assert_billed(order, "799.98").await["Id"], bill["Id"]);
    assert_eq!(stage.simulators.quickbooks.bills_ever(&stage.realm), 1);
}

#[tokio::test(start_paused = true)]
async fn a_number_typed_while_the_order_is_planned_stops_the_send() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    // The last bulk read before the create; the order is read once more after it.
    stage.tap.at(
        ("POST", "/PurchaseOrderItems/query", 1),
        Moment::After,
        move |simulators| {
            let number = "BY-HAND-7".to_owned();
            in_autotask(simulators, Action::SetNumber { order, number });
        },
    );
    stage.run().await;
    stage.live(Duration::from_mins(30)).await;
    let bills = stage.bills_of(order);
    if bills.is_empty() {
        stage.assert_untouched(order, Some("BY-HAND-7"));
    } else {
        // Within the time in which one reading of an order is believed.
        assert_eq!(stage.number(order).as_deref(), Some("BY-HAND-7"));
        stage.assert_one_todo(order, "conflict.number_by_hand");
    }
    assert!(bills.len() <= 1);
}

#[tokio::test(start_paused = true)]
async fn a_number_typed_between_plan_and_send_stops_the_send_when_the_reading_is_old() {
    let mut stage = Stage::new().await;
    let vendor = stage.new_seller("Brightline Distribution");
    let order = stage.add(&OrderSeed {
        vendor,
        ..stage.order()
    });
    // Creating the vendor takes longer than one reading is believed.
    let slow = purser_simulators::FaultRule::next(
        purser_simulators::System::QuickBooks,
        "POST vendor",
        purser_simulators::FaultKind::Delay { ms: 40_000 },
    );
    stage.simulators.faults.add(slow);
    stage
        .tap
        .at(("POST", "/vendor", 1), Moment::After, move |simulators| {
            let number = "BY-HAND-7".to_owned();
            in_autotask(simulators, Action::SetNumber { order, number });
        });
    stage.run().await;
    stage.live(Duration::from_mins(30)).await;
    assert_eq!(stage.tap.waiting(), 0);
    stage.assert_untouched(order, Some("BY-HAND-7"));
}

#[tokio::test(start_paused = true)]
async fn a_number_typed_between_create_and_write_back_is_never_overwritten() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.tap.at(CREATE, Moment::After, move |simulators| {
        let number = "BY-HAND-7".to_owned();
        in_autotask(simulators, Action::SetNumber { order, number });
    });
    stage.run().await;
    stage.live(Duration::from_hours(1)).await;
    assert_eq!(stage.number(order).as_deref(), Some("BY-HAND-7"));
    assert_eq!(stage.bills_of(order).len(), 1);
    let record = stage.record(order).await;
    assert_eq!(record.state.name(), StateName::NeedsPerson);
    assert_eq!(code_of(&record), "conflict.number_by_hand");
    stage.assert_one_todo(order, "conflict.number_by_hand");
}

#[tokio::test(start_paused = true)]
async fn a_number_typed_while_the_numbers_of_other_orders_are_written_is_never_overwritten() {
    let mut stage = Stage::new().await;
    // Twelve writes at 0.6 seconds each: the last one comes long after the common reading.
    let database = stage.simulators.autotask.databases().remove(0);
    database.switch(|switches| switches.latency_ms = 600);
    let orders: Vec<_> = (0..12).map(|_| stage.add_plain()).collect();
    let last = orders[11];
    stage.tap.at(WRITE_BACK, Moment::After, move |simulators| {
        let number = "BY-HAND-7".to_owned();
        in_autotask(
            simulators,
            Action::SetNumber {
                order: last,
                number,
            },
        );
    });
    stage.run().await;
    stage.live(Duration::from_hours(1)).await;
    assert_eq!(stage.number(last).as_deref(), Some("BY-HAND-7"));
    assert_eq!(
        code_of(&stage.record(last).await),
        "conflict.number_by_hand"
    );
    for order in &orders[..11] {
        stage.assert_billed(*order, "799.98").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_replaced_by_the_bills_number_settles_the_conflict() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.tap.at(CREATE, Moment::After, move |simulators| {
        let number = "BY-HAND-7".to_owned();
        in_autotask(simulators, Action::SetNumber { order, number });
    });
    stage.run().await;
    let bill = stage.bill_of(order);
    let number = bill["Id"].as_str().expect("an id").to_owned();
    stage.in_autotask(Action::SetNumber { order, number });
    stage.retry(order).await;
    stage.assert_billed(order, "799.98").await;
    assert!(stage.todos_of(order)[0].completed.is_some());
}

/// Something happens at the create; the bill is as the order was planned, and it is linked.
async fn billed_whatever_happens(
    moment: Moment,
    act: fn(i64, i64) -> Action,
) -> (Stage, i64, Value) {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    let line = stage
        .database
        .rows(purser_simulators::autotask::Entity::PurchaseOrderItems);
    let line = line[0]["id"].as_i64().unwrap_or(1);
    let action = act(order, line);
    stage.tap.at(CREATE, moment, move |simulators| {
        in_autotask(simulators, action);
    });
    stage.run().await;
    stage.live(Duration::from_mins(40)).await;
    assert_eq!(stage.tap.waiting(), 0);
    let bill = stage.assert_billed(order, "799.98").await;
    (stage, order, bill)
}

#[tokio::test(start_paused = true)]
async fn goods_received_while_the_bill_is_sent_change_nothing() {
    let receive = |order, _| Action::ReceiveGoods {
        order,
        quantity: None,
    };
    for moment in [Moment::Before, Moment::After] {
        let (stage, order, _) = billed_whatever_happens(moment, receive).await;
        let status = stage.database.order(order).expect("the order").status;
        assert_eq!(status, Some(OrderStatus::ReceivedFull));
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_edited_while_the_bill_is_sent_leaves_the_bill_as_planned() {
    let edit = |_, line| Action::EditLine {
        line,
        quantity: Some(5),
        unit_cost: None,
        memo: None,
    };
    for moment in [Moment::Before, Moment::After] {
        let (stage, _, _) = billed_whatever_happens(moment, edit).await;
        assert_eq!(stage.simulators.quickbooks.bills_ever(&stage.realm), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_canceled_before_its_turn_is_left_alone() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage
        .engine
        .start_now(&stage.tenant)
        .await
        .expect("the store");
    stage.scan_due().await;
    stage.in_autotask(Action::CancelOrder { order });
    stage.drain().await;
    stage.live(Duration::from_mins(30)).await;
    stage.assert_untouched(order, None);
}

#[tokio::test(start_paused = true)]
async fn a_bill_entered_by_hand_with_the_orders_number_is_never_adopted() {
    for source in ["autotask", "quickbooks"] {
        let mut stage = Stage::new().await;
        stage
            .change_settings(|s| s.number_source = Some(source.to_owned()))
            .await;
        let number = Some("PO-42".to_owned());
        let order = stage.add(&OrderSeed {
            number,
            ..stage.order()
        });
        let bill = purser_simulators::quickbooks::BillSeed::new(
            &stage.cast.vendor,
            "PO-42",
            &stage.cast.goods,
            "799.98".parse().expect("an amount"),
        );
        stage.in_quickbooks(HumanAction::EnterBill {
            realm: stage.realm.clone(),
            bill,
        });
        stage.run().await;
        stage.live(Duration::from_mins(30)).await;
        stage.assert_refused(order, "order.number_in_use").await;
        assert_eq!(stage.bills().len(), 1, "only theirs");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_was_billed_is_not_billed_again_by_a_person_or_a_retry() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    for origin in [Origin::Person, Origin::Retry, Origin::Person] {
        stage.ask(order, origin, None).await;
        stage.ask(order, origin, None).await;
        stage.drain().await;
    }
    stage.live(Duration::from_mins(30)).await;
    stage.assert_billed(order, "799.98").await;
    assert_eq!(stage.simulators.quickbooks.bills_ever(&stage.realm), 1);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_asks_during_the_run_gets_the_runs_result() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage
        .engine
        .start_now(&stage.tenant)
        .await
        .expect("the store");
    stage.scan_due().await;
    stage
        .ask(order, Origin::Person, Some("ann@example.com"))
        .await;
    let other = stage.another_engine();
    tokio::join!(stage.work_one(&stage.engine), stage.work_one(&other));
    stage.drain().await;
    stage.live(Duration::from_mins(30)).await;
    stage.assert_billed(order, "799.98").await;
    assert_eq!(stage.simulators.quickbooks.bills_ever(&stage.realm), 1);
    assert_eq!(stage.mails().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_works_although_error_stands() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    stage.assert_refused(order, "order.no_lines").await;
    stage
        .database
        .add_line(order, &LineSeed::of(stage.cast.product, 1, "10.00"));
    assert_eq!(stage.number(order).as_deref(), Some("ERROR"));
    stage.ask(order, Origin::Retry, None).await;
    // While it is queued, whoever looks sees that it runs.
    let asked = stage.record(order).await;
    assert!(asked.request.is_some());
    stage.drain().await;
    stage.assert_billed(order, "10.00").await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_becomes_eligible_by_hand_outside_the_run_waits_for_the_next() {
    let mut stage = Stage::new().await;
    let status = OrderStatus::New;
    let order = stage.add(&OrderSeed {
        status,
        ..stage.order()
    });
    stage.run().await;
    stage.assert_untouched(order, None);
    stage.in_autotask(Action::SubmitOrder { order });
    stage.live(Duration::from_mins(20)).await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_bill_is_linked_as_long_as_it_lives() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    stage.in_quickbooks(HumanAction::EditBillLine {
        realm: stage.realm.clone(),
        id: bill["Id"].as_str().expect("an id").to_owned(),
        line: 1,
        amount: 700.into(),
    });
    stage.live(Duration::from_hours(26)).await;
    let record = stage.record(order).await;
    let State::Linked { .. } = record.state else {
        panic!("{:?}", record.state);
    };
    assert_eq!(Outcome::of(&record).code, None);
    assert_eq!(stage.todos_of(order).len(), 0);
}
