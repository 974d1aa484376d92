//! Orders that a scan leaves alone for what External PO Number says are known all the same.

use std::time::Duration;

use purser_core::{
    eligibility::Ineligible,
    ports::HistoryEvent,
    record::{Origin, State, StateName},
};
use purser_simulators::autotask::{Action, LineSeed, OrderSeed};
use purser_tests::stage::Stage;

fn with_number(stage: &mut Stage, number: &str) -> i64 {
    let external_number = Some(number.to_owned());
    let order = OrderSeed {
        external_number,
        ..stage.order()
    };
    stage.add(&order)
}

fn has_number(number: &str) -> State {
    let number = number.to_owned();
    State::Skipped {
        reason: Ineligible::HasNumber { number },
    }
}

const MARKED: State = State::Skipped {
    reason: Ineligible::MarkedError,
};

#[tokio::test(start_paused = true)]
async fn an_order_with_a_number_or_error_of_a_person_is_known_with_its_reason_and_nothing_is_written()
 {
    let mut stage = Stage::new().await;
    let numbered = with_number(&mut stage, "1042");
    let marked = with_number(&mut stage, "ERROR");
    let report = stage.run().await;
    assert!(report.queued.is_empty());
    assert_eq!(stage.record(numbered).await.state, has_number("1042"));
    assert_eq!(stage.record(marked).await.state, MARKED);
    for (order, sentence) in [
        (numbered, "External PO Number already says 1042."),
        (
            marked,
            "External PO Number says ERROR; clear it or press Retry.",
        ),
    ] {
        let story = stage.history(order).await;
        assert_eq!(story.len(), 1, "{story:?}");
        assert_eq!(
            (story[0].event, story[0].text.as_str()),
            (HistoryEvent::Skipped, sentence)
        );
        let record = stage.record(order).await;
        assert_eq!(record.due_at(stage.engine.policy()), None);
        assert_eq!(record.order_number.get(..2), Some("PO"));
    }
    stage.assert_untouched(numbered, Some("1042"));
    stage.assert_untouched(marked, Some("ERROR"));
    assert!(stage.mails().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_second_scan_writes_nothing_about_an_order_left_alone_and_a_new_number_is_told_once() {
    let mut stage = Stage::new().await;
    let order = with_number(&mut stage, "1042");
    stage.run().await;
    let first = stage.record(order).await;
    stage.live(Duration::from_hours(2)).await;
    assert_eq!(stage.record(order).await, first);
    let number = "1043".to_owned();
    stage.in_autotask(Action::SetNumber { order, number });
    stage.live(Duration::from_hours(2)).await;
    assert_eq!(stage.record(order).await.state, has_number("1043"));
    assert_eq!(stage.history(order).await.len(), 2);
    stage.assert_untouched(order, Some("1043"));
}

#[tokio::test(start_paused = true)]
async fn an_order_left_alone_is_billed_by_the_next_run_once_a_person_clears_its_number() {
    let mut stage = Stage::new().await;
    let orders = ["1042", "ERROR"].map(|number| with_number(&mut stage, number));
    stage.run().await;
    for order in orders {
        stage.in_autotask(Action::ClearNumber { order });
    }
    stage.live(Duration::from_mins(20)).await;
    for order in orders {
        stage.assert_billed(order, "799.98").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_bills_an_order_that_a_person_marked_error_and_not_one_with_a_number() {
    let mut stage = Stage::new().await;
    let numbered = with_number(&mut stage, "1042");
    let marked = with_number(&mut stage, "ERROR");
    stage.run().await;
    stage.retry(numbered).await;
    stage.retry(marked).await;
    stage.assert_billed(marked, "799.98").await;
    stage.assert_untouched(numbered, Some("1042"));
    assert_eq!(stage.record(numbered).await.state, has_number("1042"));
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_an_order_that_a_person_marked_error_can_be_refused_like_any_other() {
    let mut stage = Stage::new().await;
    let order = OrderSeed {
        external_number: Some("ERROR".to_owned()),
        ..stage.empty_order()
    };
    let order = stage.add(&order);
    stage.run().await;
    assert_eq!(stage.record(order).await.state, MARKED);
    stage.retry(order).await;
    stage.assert_refused(order, "order.no_lines").await;
    let line = LineSeed::of(stage.cast.product, 1, "10.00");
    stage.database.add_line(order, &line);
    stage.in_autotask(Action::ClearNumber { order });
    stage.live(Duration::from_mins(20)).await;
    stage.assert_billed(order, "10.00").await;
}

#[tokio::test(start_paused = true)]
async fn a_run_tells_orders_billed_before_and_refused_before_from_those_left_alone() {
    let mut stage = Stage::new().await;
    let billed = [stage.add_plain(), stage.add_plain()];
    let refused = stage.add(&stage.empty_order());
    with_number(&mut stage, "1042");
    let first = stage.run().await.counts;
    assert_eq!((first.eligible, first.billed, first.refused), (3, 0, 0));
    assert_eq!(first.left_alone(), 1);
    stage.assert_refused(refused, "order.no_lines").await;
    let story = stage.history(billed[0]).await.len();
    let second = stage.run().await.counts;
    assert_eq!((second.seen, second.eligible), (4, 0));
    assert_eq!((second.billed, second.refused), (2, 1));
    assert_eq!(second.left_alone(), 1);
    assert_eq!(stage.record(refused).await.state.name(), StateName::Refused);
    assert_eq!(stage.history(billed[0]).await.len(), story);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_autotask_does_not_know_stays_one_row_however_often_it_is_asked_for() {
    let mut stage = Stage::new().await;
    for _ in 0..3 {
        stage.ask(987_654, Origin::Person, None).await;
        stage.drain().await;
    }
    let reason = Ineligible::Gone;
    let now = stage.record(987_654).await.state;
    assert_eq!(now, State::Skipped { reason });
    stage.live(Duration::from_hours(2)).await;
    assert_eq!(stage.record(987_654).await.key.order.get(), 987_654);
}
