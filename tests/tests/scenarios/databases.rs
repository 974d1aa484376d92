//! Two Autotask databases: the same order id means two orders, and nothing of one reaches the other.

use std::time::Duration;

use purser_core::{
    ids::OrderId,
    ports::{Change, Committed, DocumentKind, Expected, Ledger as _},
    record::{State, StateName, SyncRecord},
    tenant::AutotaskCredentials,
};
use purser_runtime::connect::{self, ConnectError, Connected};
use purser_simulators::autotask::{
    Action, CompanySeed, Database, DatabaseSeed, LineSeed, OrderSeed,
};
use purser_tests::{
    stage::{Moment, Scene, Stage, code_of},
    visitor::Company,
};
use secrecy::SecretString;

/// Another database with an order of the same id: another vendor, number, amount and moment.
async fn another(stage: &mut Stage, order: i64) -> Company {
    stage.wait(Duration::from_hours(1)).await;
    let other = stage.add_company("9130350000000777", "South Harbor", "api@south.example");
    add_foreign(&other, order);
    other
}

fn add_foreign(other: &Company, order: i64) {
    let vendor = CompanySeed::vendor("Southern Supplies");
    let vendor = other.database.add_company(&vendor);
    let foreign = OrderSeed {
        id: Some(order),
        number: Some("SOUTH-1".to_owned()),
        ..OrderSeed::submitted(vendor)
    };
    let line = LineSeed::of(other.cast.product, 1, "12.34");
    other.database.add_order(&foreign.line(line));
}

fn credentials(database: &Database) -> AutotaskCredentials {
    let seed = database.seed();
    AutotaskCredentials {
        user: seed.api_user,
        secret: SecretString::from(seed.secret),
        integration_code: SecretString::from(seed.integration_code),
    }
}

async fn enter(stage: &Stage, database: &Database) -> Result<Connected, ConnectError> {
    let given = Some(credentials(database));
    let connected = connect::connect(&stage.engine, stage.outside(), &stage.tenant, given, None);
    Box::pin(connected).await
}

async fn sealed(stage: &Stage) -> Option<String> {
    let kind = DocumentKind::Autotask;
    let stored = stage.store.document(&stage.tenant, kind).await;
    stored.expect("the store").map(|document| document.value)
}

async fn assert_refused(stage: &Stage, database: &Database) {
    let (status, before) = (stage.status().await, sealed(stage).await);
    let Err(ConnectError::Failed { failure, .. }) = enter(stage, database).await else {
        panic!("the other database was taken");
    };
    assert_eq!(
        failure.code().as_str(),
        "connection.autotask_other_database"
    );
    assert_eq!(sealed(stage).await, before);
    assert_eq!(stage.status().await, status, "nothing is saved");
}

/// Autotask tells of no database which one it is.
async fn untold() -> Stage {
    let mut scene = Scene::default();
    scene.database.switches.number_untold = true;
    Stage::of(scene).await
}

async fn forget(stage: &Stage) {
    let forget = |status: &mut purser_core::tenant::TenantStatus| {
        status.autotask_database = None;
        true
    };
    let forgotten = stage.engine.update_status(&stage.tenant, forget).await;
    forgotten.expect("the store");
}

async fn change(stage: &Stage, order: i64, change: impl FnOnce(&mut SyncRecord)) {
    let mut record = stage.record(order).await;
    let expected = Expected::Is(record.operation.clone());
    change(&mut record);
    record.operation = "fixture-1".parse().expect("an operation");
    let change = Change {
        due_at: None,
        record,
        expected,
        history: Vec::new(),
        mails: Vec::new(),
    };
    let written = stage.store.commit(vec![change]).await;
    assert_eq!(written.expect("the store"), [Committed::Done]);
}

#[tokio::test(start_paused = true)]
async fn credentials_of_another_database_are_refused_and_nothing_is_saved() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let other = another(&mut stage, order).await;
    assert_refused(&stage, &other.database).await;
    stage.live(Duration::from_hours(1)).await;
    stage.assert_billed(order, "799.98").await;
    stage.database = other.database;
    stage.assert_untouched_number(order);
}

#[tokio::test(start_paused = true)]
async fn a_disconnected_company_still_belongs_to_the_database_of_its_history() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let ended = connect::disconnect(&stage.engine, stage.outside(), &stage.tenant).await;
    ended.expect("the end");
    let other = another(&mut stage, order).await;
    assert_refused(&stage, &other.database).await;
    let back = enter(&stage, &stage.database).await.expect("the same one");
    assert!(back.goes_on);
}

#[tokio::test(start_paused = true)]
async fn a_database_nobody_noted_is_learnt_from_the_stored_user_and_from_work() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    forget(&stage).await;
    let other = another(&mut stage, order).await;
    assert_refused(&stage, &other.database).await;
    stage.live(Duration::from_hours(25)).await;
    stage.run().await;
    assert!(stage.status().await.autotask_database.is_some());
}

#[tokio::test(start_paused = true)]
async fn another_user_of_the_same_database_and_a_moved_database_are_taken() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let number = stage.database.seed().number();
    let second = stage.simulators.autotask.add_database(DatabaseSeed {
        api_user: "second@msp.example".to_owned(),
        ci: Some(number),
        ..DatabaseSeed::default()
    });
    assert!(enter(&stage, &second).await.expect("the same").goes_on);
    let moved = "webservices6".to_owned();
    stage
        .database
        .switch(|switches| switches.moved_to_zone = Some(moved));
    let back = enter(&stage, &stage.database).await.expect("the same");
    assert!(back.goes_on);
    stage.run().await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn without_any_order_the_database_may_be_changed() {
    let mut stage = Stage::new().await;
    let seen = stage.add(&OrderSeed {
        external_number: Some("1042".to_owned()),
        ..stage.order()
    });
    stage.run().await;
    let record = stage.record(seen).await;
    assert_eq!(
        record.state.name(),
        StateName::Skipped,
        "seen, and left alone"
    );
    let other = stage.add_company("9130350000000777", "South Harbor", "api@south.example");
    let taken = enter(&stage, &other.database).await.expect("taken");
    assert!(taken.goes_on, "there is nothing to mix");
    let first = std::mem::replace(&mut stage.database, other.database);
    stage.cast = other.cast;
    let order = stage.add_plain();
    stage.run().await;
    assert!(stage.find_record(order).await.is_some());
    assert_refused(&stage, &first).await;
}

#[tokio::test(start_paused = true)]
async fn a_billed_order_that_is_another_one_now_gets_no_number_and_needs_a_person() {
    let mut stage = untold().await;
    let order = stage.add_plain();
    stage.run().await;
    let other = another(&mut stage, order).await;
    let taken = enter(&stage, &other.database).await.expect("taken");
    assert!(!taken.goes_on, "nobody knows whether it is the same");
    let own = std::mem::replace(&mut stage.database, other.database.clone());
    stage.run().await;
    stage.live(Duration::from_hours(1)).await;
    stage.retry(order).await;
    stage.drain().await;
    stage.assert_untouched_number(order);
    let record = stage.record(order).await;
    assert_eq!(record.state.name(), StateName::NeedsPerson);
    assert_eq!(code_of(&record), "order.another");
    assert_eq!(stage.bills_of(order).len(), 1, "the bill stays as it is");
    // With the first database again, the order is what it was.
    forget(&stage).await;
    assert!(enter(&stage, &own).await.is_ok());
    stage.database = own;
    // Whatever a person typed meanwhile, the bill is not lost sight of.
    let shown = stage.database.order(order).expect("the order");
    let written = shown.external_number;
    stage.in_autotask(Action::SetNumber {
        order,
        number: "1042 paid".to_owned(),
    });
    stage.retry(order).await;
    stage.live(Duration::from_hours(1)).await;
    assert!(stage.record(order).await.bill().is_some());
    let number = written.expect("the bill's number");
    stage.in_autotask(Action::SetNumber { order, number });
    stage.retry(order).await;
    stage.live(Duration::from_hours(1)).await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn a_bill_whose_number_was_not_written_yet_is_not_written_on_another_order() {
    let mut stage = untold().await;
    let order = stage.add_plain();
    let lost = ("PATCH", "/PurchaseOrders", 1);
    stage.tap.at(lost, Moment::Before, |simulators| {
        let database = simulators.autotask.databases().remove(0);
        database.switch(|switches| switches.hourly_limit = 0);
    });
    stage.run().await;
    let record = stage.record(order).await;
    assert_eq!(record.state.name(), StateName::Created, "{record:?}");
    let other = another(&mut stage, order).await;
    assert!(enter(&stage, &other.database).await.is_ok());
    stage.database = other.database;
    stage.live(Duration::from_hours(2)).await;
    stage.assert_untouched_number(order);
    assert_eq!(code_of(&stage.record(order).await), "order.another");
}

#[tokio::test(start_paused = true)]
async fn an_older_record_takes_number_and_vendor_together_for_another_order() {
    let mut stage = untold().await;
    let order = stage.add_plain();
    stage.run().await;
    change(&stage, order, |record| record.order_created = None).await;
    let other = another(&mut stage, order).await;
    assert!(enter(&stage, &other.database).await.is_ok());
    stage.database = other.database;
    stage.run().await;
    stage.assert_untouched_number(order);
    assert_eq!(code_of(&stage.record(order).await), "order.another");
}

#[tokio::test(start_paused = true)]
async fn a_cleared_number_is_written_again_on_an_order_that_people_changed() {
    for is_older in [false, true] {
        let mut stage = Stage::new().await;
        let order = stage.add_plain();
        stage.run().await;
        let before = stage.record(order).await;
        assert!(before.order_created.is_some());
        // An older record knows nothing of the moment; a newer one is not misled by either text.
        change(&stage, order, |record| {
            record.order_number = "OLD-1".to_owned();
            if is_older {
                record.order_created = None;
            } else {
                record.vendor_name = Some("Old name".to_owned());
            }
        })
        .await;
        stage.in_autotask(Action::ClearNumber { order });
        stage.run().await;
        stage.assert_billed(order, "799.98").await;
        let record = stage.record(order).await;
        assert!(matches!(record.state, State::Linked { .. }), "{record:?}");
        assert_eq!(record.key.order, OrderId::new(order));
    }
}
