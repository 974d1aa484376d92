//! The queue when a receiver fails: time over, given back, stale, garbage.

use std::time::Duration;

use purser_core::ports::{Inbox, Lane};

use super::{
    Arm,
    queue::{acknowledge, drain, receive, send, told},
    sample::{message, north},
};

const MOMENT: Duration = Duration::from_secs(1);

fn past_visibility(arm: &impl Arm) -> Duration {
    arm.visibility() + MOMENT
}

async fn send_runs(arm: &impl Arm, runs: impl IntoIterator<Item = u64>) {
    let messages = runs
        .into_iter()
        .map(|run| message(&north(), Lane::Background, run));
    send(arm, messages.collect()).await;
}

/// A receiver that died gives its message up, and not before its time.
pub async fn a_message_comes_back_when_its_time_is_over(arm: impl Arm) {
    send_runs(&arm, [1]).await;
    let first = receive(&arm).await.expect("a message");
    let rest = arm.visibility() / 5;
    arm.advance(rest * 4).await;
    assert_eq!(receive(&arm).await, None);
    arm.advance(rest + MOMENT).await;
    let again = receive(&arm).await.expect("the same message");
    assert_eq!(again.body, first.body);
    assert_eq!(again.receives, 2);
}

/// A receiver that was too slow cannot touch what another one has now.
pub async fn a_stale_receipt_does_nothing(arm: impl Arm) {
    send_runs(&arm, [1]).await;
    let slow = receive(&arm).await.expect("a message");
    arm.advance(past_visibility(&arm)).await;
    let current = receive(&arm).await.expect("the same message");
    acknowledge(&arm, &slow).await;
    let given_back = arm.inbox().give_back(&slow.receipt, Duration::ZERO).await;
    given_back.expect("nothing done");
    assert_eq!(receive(&arm).await, None, "it is still in flight");
    arm.advance(past_visibility(&arm)).await;
    let third = receive(&arm).await.expect("it was not removed");
    assert_eq!(third.receives, current.receives + 1);
    acknowledge(&arm, &third).await;
    assert_eq!(receive(&arm).await, None);
}

/// The delay counts from now; its group waits as well.
pub async fn a_message_given_back_comes_again_after_the_delay(arm: impl Arm) {
    send_runs(&arm, [1, 2]).await;
    let first = receive(&arm).await.expect("a message");
    let delay = arm.delay();
    let given_back = arm.inbox().give_back(&first.receipt, delay).await;
    given_back.expect("given back");
    assert_eq!(receive(&arm).await, None);
    arm.advance(delay + MOMENT).await;
    let again = receive(&arm).await.expect("the same message");
    assert_eq!(told(&again).1, 1);
}

/// Giving back is not queueing again.
pub async fn a_message_given_back_keeps_its_place(arm: impl Arm) {
    send_runs(&arm, [1, 2, 3]).await;
    let first = receive(&arm).await.expect("a message");
    let given_back = arm.inbox().give_back(&first.receipt, Duration::ZERO).await;
    given_back.expect("given back");
    let runs: Vec<_> = drain(&arm).await.into_iter().map(|(_, run)| run).collect();
    assert_eq!(runs, [1, 2, 3]);
}

/// However a delivery ended, it counts.
pub async fn receives_are_counted(arm: impl Arm) {
    send_runs(&arm, [1]).await;
    for expected in 1..=5 {
        let delivery = receive(&arm).await.expect("a message");
        assert_eq!(delivery.receives, expected);
        if expected % 2 == 0 {
            arm.advance(past_visibility(&arm)).await;
        } else {
            let receipt = &delivery.receipt;
            let given_back = arm.inbox().give_back(receipt, Duration::ZERO).await;
            given_back.expect("given back");
        }
    }
}

/// A receipt names a delivery and not a message.
pub async fn every_delivery_has_its_own_receipt(arm: impl Arm) {
    send_runs(&arm, [1]).await;
    let first = receive(&arm).await.expect("a message");
    arm.advance(past_visibility(&arm)).await;
    let second = receive(&arm).await.expect("the same message");
    assert_ne!(first.receipt, second.receipt);
}

/// Nonsense harms nothing.
pub async fn a_receipt_that_never_was_does_nothing(arm: impl Arm) {
    send_runs(&arm, [1]).await;
    let delivery = receive(&arm).await.expect("a message");
    let altered = format!("{}9", delivery.receipt);
    for receipt in ["1.", "9223372036854775808.1", "'; --", altered.as_str()] {
        // An adapter may call it an error; it must not remove anything.
        let _refused = arm.inbox().acknowledge(receipt).await;
    }
    arm.advance(past_visibility(&arm)).await;
    assert!(receive(&arm).await.is_some());
}

/// The receiver decides what to do about it; it holds up its group until it is handled.
pub async fn garbage_is_delivered_as_it_is(arm: impl Arm) {
    let garbage = r#"{"kind":"sync","version":99,"what":"🧾"#;
    let sent = arm
        .send_raw(&north(), Lane::Background, "odd", garbage)
        .await;
    sent.expect("a send");
    send_runs(&arm, [1]).await;
    let delivery = receive(&arm).await.expect("a message");
    assert_eq!(delivery.body, garbage);
    assert_eq!(receive(&arm).await, None);
    acknowledge(&arm, &delivery).await;
    assert_eq!(drain(&arm).await.len(), 1);
}
