//! The to-do and the log entry of a refusal.

use std::time::Duration;

use purser_simulators::autotask::{Action, LineSeed};
use purser_tests::stage::Stage;
use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_new_cause_rewrites_the_open_todo() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    let first = stage.assert_refused(order, "order.no_lines").await;
    let negative = LineSeed::of(stage.cast.product, 1, "-5.00");
    stage.database.add_line(order, &negative);
    stage.retry(order).await;
    let second = stage.assert_refused(order, "order.line_negative").await;
    assert_eq!(second.id, first.id);
    set_line(&stage, order, json!({ "unitCost": 5 }));
    stage.retry(order).await;
    stage.assert_billed(order, "5.00").await;
    assert!(stage.todos_of(order)[0].completed.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_refused_for_the_same_cause_opens_no_second_todo() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    let first = stage.assert_refused(order, "order.no_lines").await;
    for _ in 0..3 {
        stage.retry(order).await;
        let again = stage.assert_refused(order, "order.no_lines").await;
        assert_eq!(again, first);
    }
}

#[tokio::test(start_paused = true)]
async fn a_todo_that_a_person_completed_is_opened_anew_by_a_new_refusal() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    let first = stage.assert_refused(order, "order.no_lines").await;
    stage.in_autotask(Action::CompleteTodo { todo: first.id });
    stage.live(Duration::from_mins(40)).await;
    assert_eq!(
        stage.todos_of(order).len(),
        1,
        "no second one while nothing is tried"
    );
    stage
        .database
        .add_line(order, &LineSeed::of(stage.cast.product, 1, "-5.00"));
    stage.retry(order).await;
    let open = stage.open_todo(order);
    assert!(open.description.contains("order.line_negative"), "{open:?}");
}

#[tokio::test(start_paused = true)]
async fn a_todo_that_a_person_completed_is_opened_anew_by_the_same_refusal() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    let first = stage.assert_refused(order, "order.no_lines").await;
    stage.in_autotask(Action::CompleteTodo { todo: first.id });
    stage.retry(order).await;
    let again = stage.open_todo(order);
    assert_ne!(again.id, first.id);
    assert!(again.description.contains("order.no_lines"), "{again:?}");
    assert_eq!(stage.todos_of(order).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_refusal_is_in_the_log_with_the_words_of_the_todo() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    let todo = stage.assert_refused(order, "order.no_lines").await;
    let record = stage.record(order).await;
    let notice = record.notice().expect("a notice");
    assert!(todo.description.contains(&notice.cause()));
    assert!(todo.description.contains(&notice.remedy()));
    let story = stage.history(order).await;
    let refused = story
        .iter()
        .find(|entry| entry.event == purser_core::ports::HistoryEvent::Refused);
    let refused = refused.expect("the refusal is told");
    assert_eq!(refused.text, notice.text());
    assert_eq!(refused.detail["code"], "order.no_lines");
}
