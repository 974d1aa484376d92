//! The queue while all goes well: order, groups, deduplication.

use std::{sync::Arc, time::Duration};

use purser_core::{
    ids::TenantId,
    ports::{Delivery, Inbox, Lane, Message, Queue, WorkMessage},
};
use tokio::task::JoinSet;

use super::{
    Arm,
    sample::{message, north, south, sync_message, tenant},
};

pub(super) async fn send(arm: &impl Arm, messages: Vec<Message>) {
    arm.queue().send(messages).await.expect("a send");
}

pub(super) async fn receive(arm: &impl Arm) -> Option<Delivery> {
    let received = arm.inbox().receive(arm.visibility()).await;
    received.expect("a receive")
}

pub(super) async fn acknowledge(arm: &impl Arm, delivery: &Delivery) {
    let done = arm.inbox().acknowledge(&delivery.receipt).await;
    done.expect("an acknowledgement");
}

pub(super) fn body(delivery: &Delivery) -> WorkMessage {
    serde_json::from_str(&delivery.body).expect("a work message")
}

/// Receives and handles everything; tells whose and which run each message was.
pub(super) async fn drain(arm: &impl Arm) -> Vec<(TenantId, u64)> {
    let mut handled = Vec::new();
    while let Some(delivery) = receive(arm).await {
        handled.push(told(&delivery));
        acknowledge(arm, &delivery).await;
    }
    handled
}

pub(super) fn told(delivery: &Delivery) -> (TenantId, u64) {
    match body(delivery) {
        WorkMessage::EndOfRun { tenant, run, .. } => (tenant, run.0),
        WorkMessage::Sync { tenant, .. } => (tenant, 0),
    }
}

fn runs(handled: &[(TenantId, u64)]) -> Vec<u64> {
    handled.iter().map(|(_, run)| *run).collect()
}

fn north_run(run: u64) -> Message {
    message(&north(), Lane::Background, run)
}

/// Nothing to do is not an error.
pub async fn an_empty_queue_delivers_nothing(arm: impl Arm) {
    assert_eq!(receive(&arm).await, None);
    send(&arm, Vec::new()).await;
    assert_eq!(receive(&arm).await, None);
}

/// First in, first out, also over several sends.
pub async fn messages_of_a_group_come_in_order(arm: impl Arm) {
    send(&arm, vec![north_run(1), north_run(2)]).await;
    send(&arm, vec![north_run(3)]).await;
    send(&arm, vec![sync_message(&north(), &[7, 8], "orders")]).await;
    assert_eq!(runs(&drain(&arm).await), [1, 2, 3, 0]);
    assert_eq!(receive(&arm).await, None);
}

/// The next message of a group waits until the one before is handled.
pub async fn a_group_delivers_one_message_at_a_time(arm: impl Arm) {
    send(&arm, vec![north_run(1), north_run(2)]).await;
    let first = receive(&arm).await.expect("a message");
    assert_eq!(receive(&arm).await, None);
    acknowledge(&arm, &first).await;
    let second = receive(&arm).await.expect("a message");
    assert_eq!(told(&second).1, 2);
}

/// A tenant in flight holds up no other.
pub async fn groups_do_not_block_each_other(arm: impl Arm) {
    send(
        &arm,
        vec![north_run(1), message(&south(), Lane::Background, 1)],
    )
    .await;
    let first = receive(&arm).await.expect("a message");
    let second = receive(&arm).await.expect("another tenant's message");
    assert_ne!(told(&first).0, told(&second).0);
    assert_eq!(receive(&arm).await, None);
}

/// What a person waits for is not behind a scan.
pub async fn the_lanes_of_a_tenant_are_two_groups(arm: impl Arm) {
    send(&arm, vec![north_run(1), message(&north(), Lane::Person, 2)]).await;
    let both = [receive(&arm).await, receive(&arm).await];
    let mut runs: Vec<_> = both.iter().flatten().map(|it| told(it).1).collect();
    runs.sort_unstable();
    assert_eq!(runs, [1, 2]);
}

/// A tenant with many messages does not delay a tenant with one, as long as two receivers are at
/// work. (That one receiver is fair by itself is more than every queue promises.)
pub async fn a_busy_group_does_not_starve_another(arm: impl Arm) {
    send(&arm, (1..=50).map(north_run).collect()).await;
    send(&arm, vec![message(&south(), Lane::Background, 1)]).await;
    let mut in_hand = receive(&arm).await;
    let mut handled = Vec::new();
    while let Some(first) = in_hand.take() {
        in_hand = receive(&arm).await;
        handled.push(told(&first).0);
        acknowledge(&arm, &first).await;
        if in_hand.is_none() {
            in_hand = receive(&arm).await;
        }
    }
    assert_eq!(handled.len(), 51);
    let place = handled.iter().position(|tenant| *tenant == south());
    assert!(place.is_some_and(|place| place <= 10), "{place:?}");
}

/// Within one send, over several, and until five minutes are over.
pub async fn the_same_deduplication_id_within_five_minutes_is_one_message(arm: impl Arm) {
    send(&arm, vec![north_run(1), north_run(1)]).await;
    arm.advance(Duration::from_secs(290)).await;
    send(&arm, vec![north_run(1)]).await;
    assert_eq!(runs(&drain(&arm).await), [1]);
    arm.advance(Duration::from_secs(20)).await;
    send(&arm, vec![north_run(1)]).await;
    assert_eq!(runs(&drain(&arm).await), [1]);
}

/// Also a message that was handled already is remembered.
pub async fn a_deduplication_id_outlives_its_message(arm: impl Arm) {
    send(&arm, vec![north_run(1)]).await;
    assert_eq!(runs(&drain(&arm).await), [1]);
    send(&arm, vec![north_run(1), north_run(2)]).await;
    assert_eq!(runs(&drain(&arm).await), [2]);
}

/// One tenant's ids can never cost another tenant a message.
pub async fn a_deduplication_id_of_one_tenant_swallows_no_other_tenants_message(arm: impl Arm) {
    send(
        &arm,
        vec![north_run(1), message(&south(), Lane::Background, 1)],
    )
    .await;
    assert_eq!(drain(&arm).await.len(), 2);
}

/// Ten groups of a hundred.
pub async fn a_thousand_messages_come_once_and_in_order(arm: impl Arm) {
    let tenants: Vec<_> = (0..10)
        .map(|number| tenant(&format!("t-{number}")))
        .collect();
    for run in 1..=100 {
        let messages = tenants.iter().map(|it| message(it, Lane::Background, run));
        send(&arm, messages.collect()).await;
    }
    let handled = drain(&arm).await;
    assert_eq!(handled.len(), 1_000);
    for tenant in &tenants {
        let own = handled.iter().filter(|(whose, _)| whose == tenant);
        let runs: Vec<_> = own.map(|(_, run)| *run).collect();
        assert_eq!(runs, (1..=100).collect::<Vec<_>>(), "{tenant}");
    }
}

/// Receivers that ask at the same moment never get the same message.
pub async fn racing_receivers_share_no_message(arm: impl Arm) {
    let arm = Arc::new(arm);
    let tenants = (0..20).map(|number| tenant(&format!("t-{number}")));
    let messages = tenants.map(|it| message(&it, Lane::Background, 1));
    send(&*arm, messages.collect()).await;
    let mut racing = JoinSet::new();
    for _ in 0..30 {
        let arm = Arc::clone(&arm);
        racing.spawn(async move { receive(&*arm).await });
    }
    let received = racing.join_all().await;
    let mut whose: Vec<_> = received.iter().flatten().map(|it| told(it).0).collect();
    whose.sort_unstable();
    let count = whose.len();
    whose.dedup();
    assert_eq!(whose.len(), count, "a message was delivered twice");
}
