//! What the queue, the alarms and the watch of this store do beyond their ports.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use purser_core::{
    ids::{RunNumber, TenantId},
    ports::{DocumentKind, Expected, Inbox, Lane, Ledger, Message, Queue, Schedule, WorkMessage},
};
use purser_sqlite::{EngineLock, OpenOptions, SqliteStore};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const VISIBILITY: Duration = Duration::from_mins(9);

struct Bench {
    store: SqliteStore,
    clock: Arc<AtomicI64>,
    directory: TempDir,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn bench() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(AtomicI64::new(1_000));
    let reader = Arc::clone(&clock);
    let options = OpenOptions {
        clock: Arc::new(move || at(reader.load(Ordering::SeqCst))),
        ..OpenOptions::default()
    };
    let store = SqliteStore::open(directory.path(), options).unwrap();
    Bench {
        store,
        clock,
        directory,
    }
}

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

fn message(run: u64) -> Message {
    Message {
        lane: Lane::Background,
        deduplication: format!("run-{run}"),
        body: WorkMessage::EndOfRun {
            version: WorkMessage::VERSION,
            tenant: tenant("north"),
            run: RunNumber(run),
            trace: None,
        },
    }
}

#[tokio::test]
async fn a_buried_message_lets_its_group_go_on_and_can_be_put_back() {
    let Bench {
        store,
        clock,
        directory: _kept,
    } = bench();
    store.send(vec![message(1), message(2)]).await.unwrap();
    let first = store.receive(VISIBILITY).await.unwrap().unwrap();
    assert!(store.bury(&first.receipt, "it panicked").await.unwrap());
    assert!(!store.bury(&first.receipt, "again").await.unwrap());
    let second = store.receive(VISIBILITY).await.unwrap().unwrap();
    store.acknowledge(&second.receipt).await.unwrap();
    let letters = store.dead_letters(10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].body, first.body);
    assert_eq!(letters[0].why, "it panicked");
    assert_eq!((letters[0].receives, letters[0].buried_at), (1, at(1_000)));
    clock.fetch_add(1, Ordering::SeqCst);
    assert!(store.redrive(letters[0].id).await.unwrap());
    assert!(!store.redrive(letters[0].id).await.unwrap());
    let again = store.receive(VISIBILITY).await.unwrap().unwrap();
    assert_eq!((again.body, again.receives), (first.body, 1));
    assert_eq!(store.dead_letters(10).await.unwrap(), []);
}

#[tokio::test]
async fn one_receiver_alone_takes_the_groups_in_turn() {
    let Bench {
        store,
        directory: _kept,
        ..
    } = bench();
    store.send((1..=50).map(message).collect()).await.unwrap();
    let mut lonely = message(1);
    if let WorkMessage::EndOfRun { tenant: whose, .. } = &mut lonely.body {
        *whose = tenant("south");
    }
    store.send(vec![lonely]).await.unwrap();
    for place in 1..=10 {
        let delivery = store.receive(VISIBILITY).await.unwrap().unwrap();
        store.acknowledge(&delivery.receipt).await.unwrap();
        if delivery.body.contains("south") {
            return;
        }
        assert!(place < 10, "the other tenant waits behind ten messages");
    }
}

#[tokio::test]
async fn a_clock_set_back_does_not_hide_what_was_queued_before() {
    let Bench {
        store,
        clock,
        directory: _kept,
    } = bench();
    clock.store(10_000, Ordering::SeqCst);
    store.send(vec![message(1)]).await.unwrap();
    clock.store(6_400, Ordering::SeqCst);
    assert!(store.receive(VISIBILITY).await.unwrap().is_some());
}

#[tokio::test]
async fn the_next_message_tells_when_to_ask_again() {
    let Bench {
        store,
        directory: _kept,
        ..
    } = bench();
    assert_eq!(store.next_message().await.unwrap(), None);
    store.send(vec![message(1), message(2)]).await.unwrap();
    assert_eq!(store.next_message().await.unwrap(), Some(at(1_000)));
    let first = store.receive(VISIBILITY).await.unwrap().unwrap();
    assert_eq!(store.next_message().await.unwrap(), Some(at(1_540)));
    let delay = Duration::from_secs(30);
    store.give_back(&first.receipt, delay).await.unwrap();
    assert_eq!(store.next_message().await.unwrap(), Some(at(1_030)));
    assert_eq!(store.message_count().await.unwrap(), 2);
}

#[tokio::test]
async fn a_new_engine_takes_over_what_the_dead_one_had_in_flight() {
    let Bench {
        store, directory, ..
    } = bench();
    store.send(vec![message(1)]).await.unwrap();
    let dead = store.receive(VISIBILITY).await.unwrap().unwrap();
    assert_eq!(store.receive(VISIBILITY).await.unwrap(), None);
    let lock = EngineLock::take(directory.path()).unwrap();
    assert_eq!(store.show_abandoned(&lock).await.unwrap(), 1);
    let again = store.receive(VISIBILITY).await.unwrap().unwrap();
    assert_eq!(again.receives, 2);
    store.acknowledge(&dead.receipt).await.unwrap();
    assert_eq!(store.message_count().await.unwrap(), 1);
}

#[tokio::test]
async fn alarms_come_in_order_and_stay_until_they_are_disarmed() {
    let Bench {
        store,
        directory: _kept,
        ..
    } = bench();
    let (north, south) = (tenant("north"), tenant("south"));
    assert_eq!(store.next_alarm().await.unwrap(), None);
    store.arm(&north, RunNumber(1), at(30)).await.unwrap();
    store.arm(&south, RunNumber(7), at(20)).await.unwrap();
    store.arm(&north, RunNumber(2), at(90)).await.unwrap();
    let due = [(south.clone(), RunNumber(7)), (north.clone(), RunNumber(1))];
    for _ in 0..2 {
        assert_eq!(store.due_alarms(at(30)).await.unwrap(), due);
    }
    store.arm(&south, RunNumber(7), at(60)).await.unwrap();
    assert_eq!(store.next_alarm().await.unwrap(), Some(at(30)));
    store.disarm(&north, RunNumber(1)).await.unwrap();
    assert_eq!(store.next_alarm().await.unwrap(), Some(at(60)));
    assert!(!store.is_armed(&north, RunNumber(1)).await.unwrap());
}

#[tokio::test]
async fn a_removed_tenant_takes_its_messages_and_alarms_along() {
    let Bench {
        store,
        directory: _kept,
        ..
    } = bench();
    let north = tenant("north");
    store.send(vec![message(1), message(2)]).await.unwrap();
    store.arm(&north, RunNumber(1), at(1)).await.unwrap();
    let first = store.receive(VISIBILITY).await.unwrap().unwrap();
    store.bury(&first.receipt, "odd").await.unwrap();
    store.remove_tenant(&north).await.unwrap();
    assert_eq!(store.message_count().await.unwrap(), 0);
    assert_eq!(store.next_alarm().await.unwrap(), None);
    assert_eq!(store.dead_letters(9).await.unwrap(), []);
}

#[tokio::test]
async fn the_data_version_moves_with_every_change_of_anybody_and_only_then() {
    let Bench {
        store, directory, ..
    } = bench();
    let other = SqliteStore::open(directory.path(), OpenOptions::default()).unwrap();
    let start = store.data_version().await.unwrap();
    store.tenants().await.unwrap();
    assert_eq!(store.receive(VISIBILITY).await.unwrap(), None);
    assert_eq!(store.data_version().await.unwrap(), start);
    store.send(vec![message(1)]).await.unwrap();
    let own = store.data_version().await.unwrap();
    assert_ne!(own, start);
    other.send(vec![message(2)]).await.unwrap();
    assert_ne!(store.data_version().await.unwrap(), own);
}

#[tokio::test]
async fn a_second_user_of_the_file_sees_every_committed_change() {
    let Bench {
        store, directory, ..
    } = bench();
    let other = SqliteStore::open(directory.path(), OpenOptions::default()).unwrap();
    let (north, kind) = (tenant("north"), DocumentKind::Settings);
    for round in 1..=20 {
        let (writer, reader) = match round % 2 {
            0 => (&store, &other),
            _ => (&other, &store),
        };
        let body = round.to_string();
        let put = writer.put_document(&north, kind, body.clone(), Expected::Any);
        put.await.unwrap();
        let read = reader.document(&north, kind).await.unwrap().unwrap();
        assert_eq!((read.value, read.version), (body, round));
    }
}

/// A paused clock runs ahead only while nothing is under way; a call is under way until it returns.
#[tokio::test(start_paused = true)]
async fn a_paused_clock_stands_still_during_a_call_and_runs_ahead_in_a_sleep() {
    let Bench {
        store,
        directory: _kept,
        ..
    } = bench();
    let north = tenant("north");
    let begin = Instant::now();
    let alarm = tokio::spawn(async move {
        sleep(Duration::from_hours(1)).await;
        Instant::now()
    });
    for run in 1..=50 {
        store.send(vec![message(run)]).await.unwrap();
        store.tenants().await.unwrap();
        let delivery = store.receive(VISIBILITY).await.unwrap().unwrap();
        store.acknowledge(&delivery.receipt).await.unwrap();
        store.arm(&north, RunNumber(run), at(1)).await.unwrap();
    }
    assert_eq!(begin.elapsed(), Duration::ZERO);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(begin.elapsed(), Duration::from_mins(1));
    assert_eq!(alarm.await.unwrap() - begin, Duration::from_hours(1));
}
