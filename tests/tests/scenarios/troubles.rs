//! Outages and the troubles of a whole tenant: no ERROR, no to-do, fields stay as they are.

use std::time::Duration;

use purser_core::record::Origin;
use purser_simulators::{
    FaultKind, FaultRule, System,
    autotask::Entity,
    quickbooks::{HumanAction, Kind},
};
use purser_tests::stage::Stage;
use serde_json::json;

/// A company that gets a mail when its transfer stops.
async fn told() -> Stage {
    let mut stage = Stage::new().await;
    let to = Some("ann@example.com".to_owned());
    stage
        .change_settings(|settings| settings.digest_to = to)
        .await;
    stage
}

/// What Autotask refuses, in words that nobody here knows.
fn refused(words: &str) -> FaultKind {
    let body = Some(format!(r#"{{"errors":["{words}"]}}"#));
    FaultKind::Status { status: 500, body }
}

fn unavailable() -> FaultKind {
    FaultKind::Status {
        status: 503,
        body: None,
    }
}

async fn outage(kind: FaultKind, system: System, time: Duration) {
    let mut stage = Stage::new().await;
    let orders = [stage.add_plain(), stage.add(&stage.empty_order())];
    stage.simulators.faults.add(FaultRule::outage(system, kind));
    stage.run().await;
    stage.live(time).await;
    for order in orders {
        stage.assert_untouched(order, None);
    }
    stage.simulators.faults.clear();
    stage.live(Duration::from_hours(2)).await;
    stage.assert_billed(orders[0], "799.98").await;
    stage.assert_refused(orders[1], "order.no_lines").await;
    assert_eq!(stage.trouble().await, "");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_quickbooks_writes_no_error_and_no_todo() {
    outage(unavailable(), System::QuickBooks, Duration::from_hours(5)).await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_autotask_writes_no_error_and_no_todo() {
    outage(unavailable(), System::Autotask, Duration::from_hours(5)).await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_more_than_a_day_writes_no_error_either() {
    outage(
        FaultKind::TimeoutBefore,
        System::QuickBooks,
        Duration::from_hours(40),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn throttling_for_hours_writes_no_error_and_no_todo() {
    let throttle = FaultKind::Throttle {
        retry_after_seconds: Some(60),
    };
    for system in [System::QuickBooks, System::Autotask] {
        outage(throttle.clone(), system, Duration::from_hours(3)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_after_the_scan_writes_no_error_and_no_todo() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage
        .engine
        .start_now(&stage.tenant)
        .await
        .expect("the store");
    stage.scan_due().await;
    stage
        .simulators
        .faults
        .add(FaultRule::outage(System::QuickBooks, unavailable()));
    stage.drain().await;
    stage.live(Duration::from_hours(6)).await;
    stage.assert_untouched(order, None);
    stage.simulators.faults.clear();
    stage.live(Duration::from_hours(1)).await;
    stage.assert_billed(order, "799.98").await;
}

/// Something stops the whole tenant; nothing is written; once it is mended, work goes on by itself.
async fn stopped(code: &str, stop: impl FnOnce(&Stage), mend: impl FnOnce(&Stage)) {
    let mut stage = Stage::new().await;
    stop(&stage);
    let order = stage.add_plain();
    stage.run().await;
    stage.live(Duration::from_hours(3)).await;
    assert_eq!(stage.trouble().await, code);
    stage.assert_untouched(order, None);
    mend(&stage);
    stage.live(Duration::from_hours(2)).await;
    stage.assert_billed(order, "799.98").await;
    assert_eq!(stage.trouble().await, "", "{code} is over");
}

#[tokio::test(start_paused = true)]
async fn unreadable_costs_stop_the_tenant_and_mark_no_order() {
    let readable = |stage: &Stage, readable: bool| {
        stage
            .database
            .switch(|switches| switches.cannot_read_costs = !readable);
    };
    let code = "tenant.costs_unreadable";
    stopped(
        code,
        |stage| readable(stage, false),
        |stage| readable(stage, true),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_inactive_payable_account_stops_the_tenant_and_marks_no_order() {
    let active = |stage: &Stage, active| {
        let (realm, id) = (stage.realm.clone(), stage.cast.payable.clone());
        let kind = Kind::Account;
        stage.in_quickbooks(HumanAction::SetActive {
            realm,
            kind,
            id,
            active,
        });
    };
    let code = "tenant.account_unusable";
    stopped(
        code,
        |stage| active(stage, false),
        |stage| active(stage, true),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_ended_subscription_stops_the_tenant_and_marks_no_order() {
    let ended = |stage: &Stage, ended| {
        let realm = stage.realm.clone();
        stage.in_quickbooks(HumanAction::EndSubscription { realm, ended });
    };
    let code = "tenant.subscription_ended";
    stopped(
        code,
        |stage| ended(stage, true),
        |stage| ended(stage, false),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_too_small_stops_the_tenant_and_marks_no_order() {
    let body = json!({
        "Fault": {
            "Error": [{
                "Message": "Feature Not Supported Error",
                "Detail": "The requested feature is not supported by this QuickBooks subscription",
                "code": "5030",
            }],
            "type": "ValidationFault",
        },
    });
    let kind = FaultKind::Status {
        status: 400,
        body: Some(body.to_string()),
    };
    let rule = FaultRule {
        times: u32::MAX,
        ..FaultRule::next(System::QuickBooks, "POST bill", kind)
    };
    let stop = |stage: &Stage| stage.simulators.faults.add(rule);
    stopped("tenant.plan_too_small", stop, |stage| {
        stage.simulators.faults.clear();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn foreign_labels_stop_the_tenant_until_it_chooses_its_status_once() {
    let mut stage = Stage::new().await;
    stage
        .database
        .switch(|switches| switches.localized_status_labels = true);
    let order = stage.add_plain();
    stage.run().await;
    stage.live(Duration::from_hours(2)).await;
    assert_eq!(stage.trouble().await, "tenant.status_unknown");
    stage.assert_untouched(order, None);
    let chosen = purser_core::settings::Choice::either("Übermittelt");
    stage
        .change_settings(|settings| settings.submitted_status = Some(chosen))
        .await;
    assert_eq!(stage.trouble().await, "", "new settings are tried at once");
    stage.live(Duration::from_mins(20)).await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn a_trouble_is_told_once_by_mail() {
    let mut stage = told().await;
    stage
        .database
        .switch(|switches| switches.cannot_read_costs = true);
    stage.add_plain();
    stage.run().await;
    stage.live(Duration::from_hours(8)).await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].text.contains("tenant.costs_unreadable"));
}

/// Whatever the words are in: without a way to read orders nothing is transferred, and that is told.
#[tokio::test(start_paused = true)]
async fn what_autotask_refuses_before_any_order_stops_the_transfer_and_is_told() {
    let mut stage = told().await;
    let order = stage.add_plain();
    let refusal = refused("Diesem Benutzer fehlt die Berechtigung.");
    let rule = FaultRule::outage(System::Autotask, refusal);
    let route = "POST PurchaseOrders/query".to_owned();
    stage.simulators.faults.add(FaultRule { route, ..rule });
    stage.run().await;
    stage.live(Duration::from_hours(8)).await;
    assert_eq!(stage.trouble().await, "tenant.reading_refused");
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(
        mails[0].text.contains("fehlt die Berechtigung"),
        "{mails:?}"
    );
    let runs = stage.engine.runs(&stage.tenant).await.expect("the store");
    assert!(runs.stopped.is_some(), "a run that saw nothing says so");
    stage.assert_untouched(order, None);

    stage.simulators.faults.clear();
    stage.live(Duration::from_hours(2)).await;
    stage.assert_billed(order, "799.98").await;
    assert_eq!(stage.trouble().await, "");
    let runs = stage.engine.runs(&stage.tenant).await.expect("the store");
    assert_eq!(runs.stopped, None);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_comes_once_is_tried_again_soon_and_told_to_nobody() {
    let mut stage = told().await;
    let order = stage.add_plain();
    let refusal = refused("Der Vorgang ist zurzeit gesperrt.");
    let rule = FaultRule::next(System::Autotask, "POST PurchaseOrders/query", refusal);
    stage.simulators.faults.add(rule);
    stage.run().await;
    assert_eq!(stage.trouble().await, "tenant.reading_refused");
    stage.live(Duration::from_mins(25)).await;
    stage.assert_billed(order, "799.98").await;
    assert_eq!(stage.trouble().await, "");
    assert_eq!(stage.mails().await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_keeps_runs_from_looking_is_told_once_after_hours() {
    let mut stage = told().await;
    let order = stage.add_plain();
    let outage = FaultRule::outage(System::Autotask, unavailable());
    stage.simulators.faults.add(outage);
    stage.run().await;
    stage.live(Duration::from_hours(3)).await;
    assert_eq!(stage.mails().await.len(), 0, "it may pass");
    stage.live(Duration::from_hours(20)).await;
    let mails = stage.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let runs = stage.engine.runs(&stage.tenant).await.expect("the store");
    assert!(runs.stopped.is_some_and(|stopped| stopped.is_told));

    stage.simulators.faults.clear();
    stage.live(Duration::from_hours(1)).await;
    stage.assert_billed(order, "799.98").await;
    let runs = stage.engine.runs(&stage.tenant).await.expect("the store");
    assert_eq!(runs.stopped, None);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_stops_no_other_order() {
    let mut stage = Stage::new().await;
    let bad = stage.add_plain();
    let good = [stage.add_plain(), stage.add_plain()];
    let line = stage.database.lines(bad)[0]["id"].as_i64();
    let line = line.expect("a line");
    let set = |stage: &Stage, cost: serde_json::Value| {
        let fields = json!({ "unitCost": cost });
        let database = &stage.database;
        assert!(database.set_fields(Entity::PurchaseOrderItems, line, fields));
    };
    set(&stage, json!("much"));
    stage.run().await;
    stage.live(Duration::from_mins(30)).await;
    for order in good {
        stage.assert_billed(order, "799.98").await;
    }
    stage.assert_untouched(bad, None);
    let waits = stage.record(bad).await.wait.expect("it waits").notice;
    assert_eq!(waits.code.as_str(), "wait.autotask_row");
    assert!(waits.text().contains("unitCost"), "{}", waits.text());
    // A day later its people are told what to correct.
    stage.live(Duration::from_hours(30)).await;
    let todo = stage.assert_refused(bad, "waiting.given_up").await;
    assert!(todo.description.contains("Correct that field"), "{todo:?}");
    set(&stage, json!(399.99));
    stage.retry(bad).await;
    stage.assert_billed(bad, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn a_person_who_asks_after_mending_need_not_wait() {
    let mut stage = Stage::new().await;
    stage
        .database
        .switch(|switches| switches.cannot_read_costs = true);
    let order = stage.add_plain();
    stage.run().await;
    assert_eq!(stage.trouble().await, "tenant.costs_unreadable");
    stage
        .database
        .switch(|switches| switches.cannot_read_costs = false);
    stage.ask(order, Origin::Person, None).await;
    stage.drain().await;
    stage.assert_billed(order, "799.98").await;
    assert_eq!(stage.trouble().await, "");
}

#[tokio::test(start_paused = true)]
async fn quickbooks_is_left_alone_by_every_order_once_it_asked_for_quiet() {
    let mut stage = Stage::new().await;
    let mut orders = Vec::new();
    for place in 0..3 {
        let mut order = stage.order();
        order.vendor = stage.new_seller(&format!("Brightline {place}"));
        orders.push(stage.add(&order));
    }
    let kind = FaultKind::Throttle {
        retry_after_seconds: None,
    };
    let rule = FaultRule::next(System::QuickBooks, "POST vendor", kind);
    stage.simulators.faults.add(rule);
    stage.run().await;
    stage.live_until_settled(&orders).await;
    for order in orders {
        stage.assert_billed(order, "799.98").await;
    }
    let calls = stage.simulators.journal.entries().into_iter();
    let calls: Vec<_> = calls
        .filter(|call| call.system == System::QuickBooks)
        .collect();
    let place = calls.iter().position(|call| call.status == Some(429));
    let [refused, next] = &calls[place.expect("a refusal")..][..2] else {
        panic!("nothing was called again");
    };
    let waited = refused.ended_at.duration_until(next.started_at);
    assert!(waited.as_secs() >= 60, "{waited}: {next:?}");
}

#[tokio::test(start_paused = true)]
async fn the_vendors_limits_are_never_overrun() {
    let mut stage = Stage::new().await;
    let books = &stage.simulators.quickbooks;
    let limits = |switches: &mut purser_simulators::quickbooks::QuickBooksSwitches| {
        switches.requests_per_minute = 500;
        switches.requests_per_second = 10;
    };
    books.change_switches(limits).expect("switches");
    stage.database.switch(|switches| {
        switches.thread_limit = 3;
        switches.hourly_limit = 10_000;
    });
    let seed = stage.order();
    let orders = stage.database.add_orders(&vec![seed; 120]);
    stage.run().await;
    stage.settle().await;
    assert_eq!(stage.bills().len(), orders.len());
    let traffic = stage.database.traffic();
    assert_eq!((traffic.refused_threads, traffic.refused_hour), (0, 0));
    let throttled = stage.simulators.journal.entries().into_iter();
    assert_eq!(throttled.filter(|call| call.status == Some(429)).count(), 0);
}
