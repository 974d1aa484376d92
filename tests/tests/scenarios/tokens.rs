//! Tokens and secrets while orders are transferred.

use std::time::Duration;

use purser_core::record::State;
use purser_simulators::{autotask::Action, intuit::Rotation};
use purser_tests::stage::Stage;

/// Two days of work, an order every five hours; the access token lives for an hour.
async fn two_days_with(rotation: Rotation) {
    let mut stage = Stage::new().await;
    let tokens = stage.simulators.intuit.tokens();
    tokens
        .change_switches(|switches| switches.rotation = rotation)
        .expect("switches");
    for hour in 0..10 {
        let order = stage.add_plain();
        stage.run().await;
        stage.settle().await;
        stage.assert_billed(order, "799.98").await;
        assert_eq!(
            stage.trouble().await,
            "",
            "{rotation:?} after {hour} rounds"
        );
        stage.wait(Duration::from_hours(5)).await;
    }
    assert_eq!(stage.bills().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_changes_with_every_refresh_is_followed() {
    two_days_with(Rotation::Strict).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_changes_daily_is_followed() {
    two_days_with(Rotation::Daily).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_with_a_day_of_grace_is_followed() {
    two_days_with(Rotation::Grace).await;
}

#[tokio::test(start_paused = true)]
async fn two_processes_share_one_token_that_changes_with_every_refresh() {
    let mut stage = Stage::new().await;
    let tokens = stage.simulators.intuit.tokens();
    tokens
        .change_switches(|switches| switches.rotation = Rotation::Strict)
        .expect("switches");
    for _ in 0..5 {
        stage.wait(Duration::from_hours(2)).await;
        let order = stage.add_plain();
        let other = stage.another_engine();
        stage
            .engine
            .start_now(&stage.tenant)
            .await
            .expect("the store");
        let asked = stage.add_plain();
        stage
            .ask(asked, purser_core::record::Origin::Person, None)
            .await;
        tokio::join!(stage.work_one(&other), stage.scan_due());
        stage.drain().await;
        stage.settle().await;
        for order in [order, asked] {
            stage.assert_billed(order, "799.98").await;
        }
        assert_eq!(stage.trouble().await, "");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unused_connection_is_kept_alive() {
    let mut stage = Stage::new().await;
    stage
        .change_settings(|settings| settings.days_back = Some(0))
        .await;
    let tokens = stage.simulators.intuit.tokens();
    tokens
        .change_switches(|switches| switches.refresh_token_seconds = 10 * 86_400)
        .expect("ok");
    stage.connect().await;
    for _ in 0..30 {
        stage.wait(Duration::from_hours(24)).await;
        stage.live(Duration::from_mins(1)).await;
    }
    stage
        .change_settings(|settings| settings.days_back = Some(30))
        .await;
    let order = stage.add_plain();
    stage.run().await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_ended_in_quickbooks_stops_the_tenant_and_marks_no_order() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.wait(Duration::from_hours(2)).await;
    stage
        .simulators
        .intuit
        .tokens()
        .disconnect(&stage.realm)
        .expect("ended");
    stage.run().await;
    stage.live(Duration::from_hours(2)).await;
    assert!(stage.trouble().await.starts_with("connection.quickbooks"));
    stage.assert_untouched(order, None);
    let calls = stage.simulators.journal.latest();
    stage.live(Duration::from_hours(2)).await;
    let called = stage.simulators.journal.since(calls);
    assert!(
        called.is_empty(),
        "nobody is called until it is connected again: {called:?}"
    );
    stage.connect().await;
    stage.live(Duration::from_mins(20)).await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_invalid_grant_does_not_cost_the_connection() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.wait(Duration::from_hours(2)).await;
    let tokens = std::sync::Arc::clone(stage.simulators.intuit.tokens());
    tokens
        .change_switches(|switches| switches.invalid_grant_outage = true)
        .expect("switches");
    stage.run().await;
    stage.live(Duration::from_mins(2)).await;
    tokens
        .change_switches(|switches| switches.invalid_grant_outage = false)
        .expect("switches");
    stage.live(Duration::from_hours(1)).await;
    assert_eq!(stage.trouble().await, "");
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_opens_the_circuit_before_the_user_is_locked() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.in_autotask(Action::SetSecret {
        secret: "another".to_owned(),
    });
    stage.run().await;
    stage.live(Duration::from_hours(6)).await;
    assert!(
        stage.database.failed_logins() <= 2,
        "{} logins",
        stage.database.failed_logins()
    );
    assert!(!stage.database.is_locked());
    assert_eq!(stage.trouble().await, "connection.autotask_unauthorised");
    stage.assert_untouched(order, None);
    stage.connect().await;
    stage.live(Duration::from_mins(20)).await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn an_expired_password_is_named() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.in_autotask(Action::ExpirePassword {});
    stage.run().await;
    stage.live(Duration::from_hours(1)).await;
    let trouble = stage
        .status()
        .await
        .autotask_broken
        .expect("a broken connection");
    let cause = trouble.notice.cause();
    assert!(cause.contains("password expired"), "{cause}");
    assert!(cause.contains("API-only user"), "{cause}");
    stage.assert_untouched(order, None);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_in_the_middle_of_an_order_loses_nothing() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    let after = purser_tests::stage::Moment::After;
    stage.tap.at(("POST", "/bill", 1), after, |simulators| {
        let database = simulators.autotask.databases().remove(0);
        let action = Action::SetSecret {
            secret: "another".to_owned(),
        };
        database.act(action).expect("they may");
    });
    stage.run().await;
    assert!(matches!(
        stage.record(order).await.state,
        State::Created { .. }
    ));
    assert_eq!(stage.number(order), None);
    assert_eq!(stage.trouble().await, "connection.autotask_unauthorised");
    stage.connect().await;
    stage.live(Duration::from_mins(20)).await;
    stage.assert_billed(order, "799.98").await;
    assert!(!stage.database.is_locked());
}
