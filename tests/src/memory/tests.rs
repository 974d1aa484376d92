//! What the services of AWS do and the contract of the ports leaves open.

use std::sync::atomic::{AtomicI64, Ordering};

use purser_core::{
    ids::{OrderId, RunNumber},
    ports::{
        Committed, DocumentKind, Expected, HistoryEvent, Inbox as _, Lane, Ledger as _, Put,
        Queue as _, RecordFilter, Schedule as _, StoreError,
    },
    record::{RECORD_VERSION, later},
};

use super::*;
use crate::contract::sample::{
    at, change, commit, commit_all, entry, message, new, north, over, realm, record, record_of,
    rewritten, south,
};

const HIDDEN: Duration = Duration::from_secs(40);

/// A store with a clock that stands still, in milliseconds.
fn store() -> (MemoryStore, Arc<AtomicI64>) {
    let clock = Arc::new(AtomicI64::new(1_790_000_000_000));
    let reader = Arc::clone(&clock);
    let now = move || Timestamp::from_millisecond(reader.load(Ordering::SeqCst)).unwrap();
    (MemoryStore::new(Arc::new(now)), clock)
}

fn pass(clock: &AtomicI64, milliseconds: i64) {
    clock.fetch_add(milliseconds, Ordering::SeqCst);
}

async fn send_runs(store: &MemoryStore, runs: &[u64]) {
    let messages = runs.iter();
    let messages = messages.map(|run| message(&north(), Lane::Background, *run));
    store.send(messages.collect()).await.unwrap();
}

async fn receipt(store: &MemoryStore) -> Option<String> {
    let received = store.receive(HIDDEN).await.unwrap();
    received.map(|delivery| delivery.receipt)
}

#[tokio::test]
async fn a_message_given_back_can_be_acknowledged_until_it_is_seen_again() {
    let (store, clock) = store();
    send_runs(&store, &[1, 2]).await;
    let first = receipt(&store).await.unwrap();
    store.give_back(&first, HIDDEN).await.unwrap();
    pass(&clock, 39_999);
    store.acknowledge(&first).await.unwrap();
    assert_eq!(store.message_count(), 1);
    let second = receipt(&store).await.unwrap();
    store.give_back(&second, HIDDEN).await.unwrap();
    pass(&clock, 40_000);
    store.acknowledge(&second).await.unwrap();
    assert_eq!(store.message_count(), 1, "its time was over");
}

#[tokio::test]
async fn an_acknowledgement_that_comes_too_late_removes_nothing_even_if_nobody_else_was_there() {
    let (store, clock) = store();
    send_runs(&store, &[1]).await;
    let slow = receipt(&store).await.unwrap();
    pass(&clock, 40_000);
    store.acknowledge(&slow).await.unwrap();
    store.give_back(&slow, HIDDEN).await.unwrap();
    assert_eq!(store.receive(HIDDEN).await.unwrap().unwrap().receives, 2);
}

#[tokio::test]
async fn a_message_is_hidden_for_whole_seconds_and_no_shorter_than_was_asked() {
    let (store, clock) = store();
    send_runs(&store, &[1]).await;
    let short = Duration::from_millis(1_200);
    assert!(store.receive(short).await.unwrap().is_some());
    pass(&clock, 1_999);
    assert_eq!(receipt(&store).await, None);
    pass(&clock, 1);
    assert!(receipt(&store).await.is_some());
}

#[tokio::test]
async fn a_deduplication_id_is_remembered_for_five_minutes_from_the_first_message() {
    let (store, clock) = store();
    send_runs(&store, &[1]).await;
    pass(&clock, 299_999);
    send_runs(&store, &[1]).await;
    assert_eq!(store.message_count(), 1);
    pass(&clock, 1);
    send_runs(&store, &[1, 1]).await;
    assert_eq!(store.message_count(), 2);
}

#[tokio::test]
async fn whoever_waits_is_told_when_the_next_message_comes() {
    let (store, clock) = store();
    assert_eq!(store.next_message(), None);
    send_runs(&store, &[1, 2]).await;
    let sent_at = store.now();
    pass(&clock, 5_000);
    assert_eq!(store.next_message(), Some(sent_at));
    let first = receipt(&store).await.unwrap();
    assert_eq!(store.next_message(), Some(later(store.now(), HIDDEN)));
    store.acknowledge(&first).await.unwrap();
    assert_eq!(store.next_message(), Some(sent_at), "the second one");
}

#[tokio::test]
async fn an_alarm_goes_off_at_a_whole_second_after_its_moment_and_never_in_the_past() {
    let (store, clock) = store();
    pass(&clock, 300);
    let run = RunNumber(1);
    store
        .arm(&north(), run, Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    assert_eq!(store.next_alarm(), Some(at(1)));
    assert_eq!(store.due_alarms(store.now()), []);
    store.arm(&north(), run, at(60)).await.unwrap();
    assert_eq!(store.next_alarm(), Some(at(61)), "it was moved");
    assert_eq!(store.due_alarms(at(61)), [(north(), run)]);
    assert_eq!(
        store.due_alarms(at(61)),
        [(north(), run)],
        "it may be told twice"
    );
    store.disarm(&north(), run);
    assert!(!store.is_armed(&north(), run).await.unwrap());
    assert_eq!(store.next_alarm(), None);
}

#[tokio::test]
async fn a_removed_document_counts_as_a_version() {
    let (store, _) = store();
    let (tenant, kind) = (north(), DocumentKind::Runs);
    let put = |expected| store.put_document(&tenant, kind, "{}".to_owned(), expected);
    assert_eq!(put(Expected::Absent).await.unwrap(), Put::Done(1));
    store.remove_document(&tenant, kind).await.unwrap();
    store.remove_document(&tenant, kind).await.unwrap();
    assert_eq!(put(Expected::Is(2)).await.unwrap(), Put::Conflict);
    assert_eq!(put(Expected::Absent).await.unwrap(), Put::Done(3));
}

#[tokio::test]
async fn a_refused_write_lists_its_tenant_all_the_same() {
    let (store, _) = store();
    let gone = rewritten(&record(1, "gone"), "late");
    let refused = commit(&store, over(&record(1, "gone"), gone)).await;
    assert_eq!(refused, Committed::Conflict(None));
    assert_eq!(store.tenants().await.unwrap(), [north()]);
}

#[tokio::test]
async fn messages_and_alarms_outlive_their_tenant() {
    let (store, _) = store();
    send_runs(&store, &[1]).await;
    store.arm(&north(), RunNumber(2), at(60)).await.unwrap();
    commit_all(&store, vec![new(record(1, "first"))]).await;
    store.remove_tenant(&north()).await.unwrap();
    assert_eq!(store.tenants().await.unwrap(), []);
    assert!(store.is_armed(&north(), RunNumber(2)).await.unwrap());
    assert_eq!(store.message_count(), 1);
}

#[tokio::test]
async fn a_condition_is_asked_before_the_name_of_a_write() {
    let (store, _) = store();
    for _ in 0..2 {
        let mut forced = change(record(1, "same"), Expected::Any);
        forced.history.push(entry(1, 0, HistoryEvent::Sent));
        commit_all(&store, vec![forced]).await;
    }
    let told = store.history(&north(), OrderId::new(1)).await.unwrap();
    assert_eq!(
        told.len(),
        2,
        "a write without a condition is made each time"
    );
}

#[tokio::test]
async fn a_record_of_a_newer_version_is_told_and_left_alone() {
    let (store, _) = store();
    let mut newer = record(1, "newer");
    newer.version = RECORD_VERSION + 1;
    commit_all(&store, vec![new(newer), new(record(2, "known"))]).await;
    let is_newer = |error| matches!(error, StoreError::Newer(_));
    let orders = [OrderId::new(1)];
    let read = store.records(&north(), &realm(), &orders).await;
    assert!(is_newer(read.unwrap_err()));
    let everything = RecordFilter {
        limit: 10,
        ..RecordFilter::default()
    };
    let listed = store.list(&north(), &everything).await;
    assert!(is_newer(listed.unwrap_err()));
    let batch = vec![
        new(record(3, "a")),
        new(record(1, "b")),
        new(record(4, "c")),
    ];
    assert!(is_newer(store.commit(batch).await.unwrap_err()));
    let orders = [2, 3, 4].map(OrderId::new);
    let made = store.records(&north(), &realm(), &orders).await.unwrap();
    assert_eq!(
        made.len(),
        2,
        "what stood before it in the batch was written"
    );
    assert_eq!(store.count(&north(), &everything).await.unwrap(), 3);
}

#[tokio::test]
async fn a_filter_whose_times_are_crossed_finds_nothing() {
    let (store, _) = store();
    let changes = (1..=3).map(|order| new(record_of(&south(), order, "a")));
    commit_all(&store, changes.collect()).await;
    let crossed = RecordFilter {
        since: Some(at(9)),
        until: Some(at(-9)),
        limit: 10,
        ..RecordFilter::default()
    };
    assert_eq!(store.list(&south(), &crossed).await.unwrap(), []);
    assert_eq!(store.count(&south(), &crossed).await.unwrap(), 0);
}
