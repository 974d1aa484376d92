//! Several processes: kill -9 at any moment, the engine's lock, rights of another user.
//!
//! Each test runs this very test binary again as a child, told by an environment variable.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use purser_core::{
    ids::{OrderId, TenantId},
    ports::{Change, Committed, Expected, HistoryEntry, HistoryEvent, Ledger, Mail, Outbox},
    record::{RecordKey, SyncRecord},
};
use purser_sqlite::{EngineLock, FILE_NAME, LockError, OpenError, OpenOptions, SqliteStore};
use rusqlite::Connection;
use tokio::task::JoinSet;

const DIRECTORY: &str = "PURSER_TEST_DIRECTORY";
const FIRST_ORDER: &str = "PURSER_TEST_FIRST_ORDER";

/// Starts one of the tests below as another process that works on a directory.
fn child(test: &str, directory: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture", "--ignored"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped());
    command
}

fn child_directory() -> String {
    env::var(DIRECTORY).expect("run by another test of this file, not by hand")
}

fn tenant() -> TenantId {
    "north-wind".parse().unwrap()
}

fn change(order: i64) -> Change {
    let now = jiff::Timestamp::now();
    let key = RecordKey {
        tenant: tenant(),
        realm: "9130".parse().unwrap(),
        order: OrderId::new(order),
    };
    let operation = format!("op-{order}").parse().unwrap();
    Change {
        record: SyncRecord::queued(key, format!("PO-{order}"), operation, now),
        expected: Expected::Absent,
        due_at: Some(now),
        history: vec![HistoryEntry {
            at: now,
            order: OrderId::new(order),
            event: HistoryEvent::Found,
            detail: serde_json::Value::Null,
            text: "Found.".to_owned(),
            trace: None,
        }],
        mails: vec![Mail {
            tenant: tenant(),
            to: "books@example.com".to_owned(),
            subject: format!("{order}"),
            text: "x".repeat(500),
            written_at: now,
        }],
    }
}

/// Commits without end, eight at a time, and tells each number once its commit has returned.
#[tokio::test]
#[ignore = "the other process of a test"]
async fn child_that_commits_without_end() {
    let store = SqliteStore::open(child_directory(), OpenOptions::default()).unwrap();
    let first: i64 = env::var(FIRST_ORDER).unwrap().parse().unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            for round in 0.. {
                let order = first + round * 8 + writer;
                let outcomes = store.commit(vec![change(order)]).await.unwrap();
                assert_eq!(outcomes, [Committed::Done]);
                println!("durable {order}");
            }
        });
    }
    writers.join_all().await;
}

/// Takes the lock, says so and waits to be killed.
#[test]
#[ignore = "the other process of a test"]
fn child_that_holds_the_lock() {
    let _lock = EngineLock::take(child_directory()).unwrap();
    println!("locked");
    thread::sleep(Duration::from_mins(1));
}

/// Says how opening ends for another user.
#[test]
#[ignore = "the other process of a test"]
fn child_that_opens() {
    match SqliteStore::open(child_directory(), OpenOptions::default()) {
        Ok(_) => println!("opened"),
        Err(OpenError::ReadOnly { .. }) => println!("refused: read-only"),
        Err(OpenError::Unreadable { .. }) => println!("refused: unreadable"),
        Err(error) => println!("refused: {error:?}"),
    }
}

/// Reads lines of a child, in which libtest mixes its own.
fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let output = child.stdout.take().unwrap();
    BufReader::new(output).lines().map_while(Result::ok)
}

fn acknowledged(line: &str) -> Option<i64> {
    let (_, number) = line.split_once("durable ")?;
    number.parse().ok()
}

#[tokio::test]
async fn every_acknowledged_commit_survives_kill_nine() {
    let directory = tempfile::tempdir().unwrap();
    let mut durable = Vec::new();
    // Each round goes on in the file that the killed process before it left.
    for round in 1_usize..=5 {
        let mut process = child("child_that_commits_without_end", directory.path())
            .env(FIRST_ORDER, (round * 1_000_000).to_string())
            .spawn()
            .unwrap();
        let mut output = lines(&mut process);
        let wanted = durable.len() + round * 37;
        while durable.len() < wanted {
            let line = output.next().expect("the child goes on until it is killed");
            durable.extend(acknowledged(&line));
        }
        process.kill().unwrap();
        process.wait().unwrap();
        durable.extend(output.filter_map(|line| acknowledged(&line)));
        prove(directory.path(), &durable).await;
    }
}

/// Everything acknowledged is there, each record with its history and mail, and the file is sound.
async fn prove(directory: &Path, durable: &[i64]) {
    let store = SqliteStore::open(directory, OpenOptions::default()).unwrap();
    let orders: Vec<_> = durable.iter().copied().map(OrderId::new).collect();
    let realm = "9130".parse().unwrap();
    let records = store.records(&tenant(), &realm, &orders).await.unwrap();
    assert_eq!(records.len(), orders.len());
    let mails = i64::try_from(store.mails(u32::MAX).await.unwrap().len()).unwrap();
    let file = Connection::open(directory.join(FILE_NAME)).unwrap();
    let count = |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        file.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count("history"), count("records"));
    assert_eq!(mails, count("records"));
    let sound: String = file
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
}

#[test]
fn the_engines_lock_is_held_by_one_process_and_freed_by_its_death() {
    let directory = tempfile::tempdir().unwrap();
    assert!(!purser_sqlite::engine_is_running(directory.path()));
    let mut process = child("child_that_holds_the_lock", directory.path())
        .spawn()
        .unwrap();
    let locked = lines(&mut process).find(|line| line.contains("locked"));
    assert!(locked.is_some());
    assert!(purser_sqlite::engine_is_running(directory.path()));
    let error = EngineLock::take(directory.path()).unwrap_err();
    let LockError::Held { pid, since, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*pid, Some(process.id()));
    assert!(since.is_some());
    let text = error.to_string();
    assert!(
        text.contains(&format!("process {}", process.id())),
        "{text}"
    );
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(!purser_sqlite::engine_is_running(directory.path()));
    let lock = EngineLock::take(directory.path()).unwrap();
    assert!(purser_sqlite::engine_is_running(directory.path()));
    assert!(EngineLock::take(directory.path()).is_err());
    drop(lock);
    EngineLock::take(directory.path()).unwrap();
}

#[test]
fn a_question_about_the_engine_does_not_keep_one_from_starting() {
    let directory = tempfile::tempdir().unwrap();
    drop(EngineLock::take(directory.path()).unwrap());
    let asked = directory.path().to_owned();
    let until = Instant::now() + Duration::from_millis(300);
    let asking = thread::spawn(move || {
        while Instant::now() < until {
            purser_sqlite::engine_is_running(&asked);
            thread::yield_now();
        }
    });
    while !asking.is_finished() {
        drop(EngineLock::take(directory.path()).unwrap());
    }
    asking.join().unwrap();
}

/// Root may do everything; so the child runs as nobody, or the test says that it could not.
#[cfg(unix)]
#[test]
fn a_user_without_rights_is_told_what_is_missing() {
    use std::{fs, os::unix::fs::PermissionsExt, os::unix::process::CommandExt};

    const NOBODY: u32 = 65_534;
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    drop(SqliteStore::open(&data_dir, OpenOptions::default()).unwrap());
    let file = data_dir.join(FILE_NAME);
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let cases = [
        (0o555, 0o444, "refused: read-only"),
        (0o555, 0o000, "refused: unreadable"),
        (0o000, 0o444, "refused: unreadable"),
    ];
    allow(directory.path(), 0o755);
    let privileged = {
        allow(&file, 0o000);
        fs::read(&file).is_ok()
    };
    for (directory_mode, file_mode, expected) in cases {
        allow(&file, file_mode);
        allow(&data_dir, directory_mode);
        let mut command = child("child_that_opens", &data_dir);
        if privileged {
            command.uid(NOBODY).gid(NOBODY);
        }
        let told = command.output();
        allow(&data_dir, 0o755);
        let Ok(told) = told else {
            eprintln!("SKIPPED: this user may read everything and cannot become nobody");
            return;
        };
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(
            told.contains(expected),
            "{directory_mode:o} {file_mode:o}: {told}"
        );
    }
}
