//! Which orders are transferred.

use std::time::Duration;

use jiff::SignedDuration;
use purser_core::{
    eligibility::Ineligible,
    record::{Origin, State, StateName},
};
use purser_simulators::{
    autotask::{Action, OrderSeed, OrderStatus},
    quickbooks::RealmSeed,
};
use purser_tests::stage::{Scene, Stage, days_before, time};

#[tokio::test(start_paused = true)]
async fn an_order_is_transferred_only_when_all_three_conditions_hold() {
    let mut stage = Stage::new().await;
    let mut cases = Vec::new();
    for case in 0..8_u8 {
        let mut order = stage.order();
        if case & 1 == 0 {
            order.status = OrderStatus::New;
        }
        if case & 2 == 0 {
            order.created = Some(days_before(stage.now(), 32));
        }
        if case & 4 == 0 {
            order.external_number = Some("BY-HAND-7".to_owned());
        }
        cases.push((case, stage.add(&order), order.external_number));
    }
    stage.run().await;
    stage.live(Duration::from_mins(40)).await;
    for (case, order, number) in cases {
        if case == 7 {
            stage.assert_billed(order, "799.98").await;
        } else {
            stage.assert_untouched(order, number.as_deref());
        }
    }
    assert_eq!(stage.bills().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_submitted_orders_are_transferred() {
    let mut stage = Stage::new().await;
    let all = OrderStatus::ALL.map(|status| {
        let order = OrderSeed {
            status,
            ..stage.order()
        };
        (status, stage.add(&order))
    });
    let report = stage.run().await;
    assert_eq!(report.queued.len(), 1);
    for (status, order) in all {
        if status == OrderStatus::Submitted {
            stage.assert_billed(order, "799.98").await;
        } else {
            stage.assert_untouched(order, None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_window_is_whole_days_of_the_companys_time_zone() {
    // 02:00 on the 17th in New Zealand, where summer time is UTC+13.
    let scene = Scene {
        realm: RealmSeed {
            time_zone: "Pacific/Auckland".to_owned(),
            ..Scene::default().realm
        },
        begin: time("2026-03-16T13:00:00Z"),
        ..Scene::default()
    };
    let mut stage = Stage::of(scene).await;
    stage
        .change_settings(|settings| settings.days_back = Some(3))
        .await;
    let created = |text| OrderSeed {
        created: Some(time(text)),
        ..stage.order()
    };
    // Three days before the 17th is the 14th, which begins at 11:00 UTC on the 13th.
    let first = stage.add(&created("2026-03-13T11:00:00Z"));
    let before = stage.add(&created("2026-03-13T10:59:59Z"));
    stage.run().await;
    stage.assert_billed(first, "799.98").await;
    stage.assert_untouched(before, None);
}

#[tokio::test(start_paused = true)]
async fn a_time_zone_in_settings_goes_before_the_companys() {
    let mut stage = Stage::new().await;
    let honolulu = |settings: &mut purser_core::settings::SettingsDocument| {
        settings.days_back = Some(1);
        settings.time_zone = Some("Pacific/Honolulu".to_owned());
    };
    stage.change_settings(honolulu).await;
    // The 16th, 04:00 in Honolulu: the 15th begins at 10:00 UTC.
    let created = |text| OrderSeed {
        created: Some(time(text)),
        ..stage.order()
    };
    let first = stage.add(&created("2026-03-15T10:00:00Z"));
    let before = stage.add(&created("2026-03-15T09:59:59Z"));
    stage.run().await;
    stage.assert_billed(first, "799.98").await;
    stage.assert_untouched(before, None);
}

#[tokio::test(start_paused = true)]
async fn a_number_that_is_null_empty_or_spaces_is_blank() {
    let mut stage = Stage::new().await;
    let orders = [None, Some(""), Some("   ")].map(|number| {
        let external_number = number.map(str::to_owned);
        stage.add(&OrderSeed {
            external_number,
            ..stage.order()
        })
    });
    stage.run().await;
    for order in orders {
        stage.assert_billed(order, "799.98").await;
    }
}

#[tokio::test(start_paused = true)]
async fn zero_days_pause_the_transfer_and_more_days_resume_it() {
    let mut stage = Stage::new().await;
    stage
        .change_settings(|settings| settings.days_back = Some(0))
        .await;
    let order = stage.add_plain();
    assert!(stage.run().await.paused);
    stage.live(Duration::from_hours(1)).await;
    assert!(stage.last_run().await.0 >= 4, "runs go on while paused");
    stage.assert_untouched(order, None);
    stage
        .change_settings(|settings| settings.days_back = Some(5))
        .await;
    stage.live(Duration::from_mins(20)).await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_carries_a_number_is_not_transferred_again() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let number = stage.number(order);
    let calls = stage.simulators.journal.latest();
    stage.live(Duration::from_hours(2)).await;
    assert_eq!(stage.number(order), number);
    stage.assert_billed(order, "799.98").await;
    let writes = stage.simulators.journal.since(calls);
    assert!(
        writes
            .iter()
            .all(|call| !call.effect || call.route.contains("token"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_marked_error_is_left_alone_until_a_person_clears_it() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    stage.assert_refused(order, "order.no_lines").await;
    let story = stage.history(order).await.len();
    stage.live(Duration::from_hours(2)).await;
    stage.assert_refused(order, "order.no_lines").await;
    assert_eq!(stage.history(order).await.len(), story, "nothing was tried");
    let line = purser_simulators::autotask::LineSeed::of(stage.cast.product, 1, "10.00");
    stage.database.add_line(order, &line);
    stage.in_autotask(Action::ClearNumber { order });
    stage.live(Duration::from_mins(20)).await;
    stage.assert_billed(order, "10.00").await;
    let todos = stage.todos_of(order);
    assert_eq!(todos.len(), 1);
    assert!(todos[0].completed.is_some(), "success completes the to-do");
}

#[tokio::test(start_paused = true)]
async fn error_written_by_a_person_is_not_blank_in_any_letter_case() {
    let mut stage = Stage::new().await;
    for word in ["ERROR", "error", " Error "] {
        let external_number = Some(word.to_owned());
        let order = stage.add(&OrderSeed {
            external_number,
            ..stage.order()
        });
        stage.run().await;
        stage.assert_untouched(order, Some(word));
        let now = stage.record(order).await.state;
        let reason = Ineligible::MarkedError;
        assert_eq!(now, State::Skipped { reason }, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_leaves_the_window_half_done_is_finished() {
    let mut stage = Stage::new().await;
    stage
        .change_settings(|settings| settings.days_back = Some(1))
        .await;
    let order = OrderSeed {
        created: Some(stage.now() - SignedDuration::from_hours(30)),
        ..stage.order()
    };
    let order = stage.add(&order);
    let outage = purser_simulators::FaultRule::outage(
        purser_simulators::System::QuickBooks,
        purser_simulators::FaultKind::DropAfter,
    );
    let creates = purser_simulators::FaultRule {
        route: "POST bill".to_owned(),
        ..outage
    };
    stage.simulators.faults.add(creates);
    stage.run().await;
    assert_eq!(stage.record(order).await.state.name(), StateName::Planned);
    stage.simulators.faults.clear();
    // The next day it is too old; what exists is still linked.
    stage.wait(Duration::from_hours(16)).await;
    stage.live(Duration::from_mins(30)).await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn a_manual_sync_ignores_window_and_pause_and_needs_submitted() {
    let mut stage = Stage::new().await;
    stage
        .change_settings(|settings| settings.days_back = Some(0))
        .await;
    let created = Some(days_before(stage.now(), 300));
    let old = stage.add(&OrderSeed {
        created,
        ..stage.order()
    });
    let new = stage.add(&OrderSeed {
        status: OrderStatus::New,
        ..stage.order()
    });
    let external_number = Some("BY-HAND-7".to_owned());
    let numbered = stage.add(&OrderSeed {
        external_number,
        ..stage.order()
    });
    for order in [old, new, numbered] {
        stage.ask(order, Origin::Person, None).await;
    }
    stage.drain().await;
    stage.assert_billed(old, "799.98").await;
    stage.assert_untouched(new, None);
    stage.assert_untouched(numbered, Some("BY-HAND-7"));
    for (order, code) in [
        (new, "ineligible.not_submitted"),
        (numbered, "ineligible.has_number"),
    ] {
        let State::Skipped { reason } = stage.record(order).await.state else {
            panic!("order {order} is not skipped");
        };
        assert_eq!(reason.code(), code);
    }
}
