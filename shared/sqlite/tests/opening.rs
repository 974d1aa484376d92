//! What happens when the file is not as it should be.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, File, OpenOptions as FileOptions},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use purser_core::{
    ids::{OrderId, RealmId, RunNumber, TenantId},
    ports::{
        DocumentKind, Expected, Inbox, Lane, Ledger, Message, Outbox, Put, Queue, Schedule,
        StoreError, WorkMessage,
    },
    record::{RecordKey, SyncRecord},
};
use purser_sqlite::{FILE_NAME, OpenError, OpenOptions, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(FILE_NAME);
    (directory, file)
}

fn open(directory: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(directory, OpenOptions::default())
}

fn tenant() -> TenantId {
    "north-wind".parse().unwrap()
}

fn realm() -> RealmId {
    "9130".parse().unwrap()
}

/// The text of an error: one sentence of cause, one of remedy, and the path.
fn text(error: &OpenError, path: &Path) -> String {
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert!(text.ends_with('.') && text.contains(". "), "{text}");
    text
}

#[tokio::test]
async fn a_store_makes_its_directory_and_file_for_their_owner_only() {
    let parent = tempfile::tempdir().unwrap();
    let data_dir = parent.path().join("deep/purser-data");
    let store = open(&data_dir).unwrap();
    assert_eq!(store.tenants().await.unwrap(), []);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data_dir), 0o700);
        for file in fs::read_dir(&data_dir).unwrap() {
            let path = file.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

#[test]
fn a_missing_file_is_not_made_unless_it_is_wanted() {
    let (directory, file) = directory();
    let options = OpenOptions {
        create: false,
        ..OpenOptions::default()
    };
    let error = SqliteStore::open(directory.path(), options).unwrap_err();
    assert!(matches!(error, OpenError::Missing { .. }), "{error:?}");
    text(&error, &file);
    assert!(!file.exists());
}

#[test]
fn another_programs_database_is_refused_and_left_as_it_is() {
    for setup in [
        "CREATE TABLE notes (text TEXT)",
        "PRAGMA application_id = 252006675",
        "PRAGMA user_version = 1",
    ] {
        let (directory, file) = directory();
        let other = Connection::open(&file).unwrap();
        other.execute_batch(setup).unwrap();
        drop(other);
        let before = fs::read(&file).unwrap();
        let error = open(directory.path()).unwrap_err();
        assert!(matches!(error, OpenError::NotPurser { .. }), "{error:?}");
        text(&error, &file);
        assert_eq!(fs::read(&file).unwrap(), before);
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let (directory, file) = directory();
    let garbage = "id,name\n".repeat(2_000);
    fs::write(&file, &garbage).unwrap();
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::NotSqlite { .. }), "{error:?}");
    text(&error, &file);
    assert_eq!(fs::read_to_string(&file).unwrap(), garbage);
}

#[test]
fn an_empty_file_is_taken_as_a_new_one() {
    let (directory, file) = directory();
    File::create(&file).unwrap();
    open(directory.path()).unwrap();
}

#[test]
fn a_directory_in_place_of_the_file_is_refused() {
    let (directory, file) = directory();
    fs::create_dir(&file).unwrap();
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::NotAFile { .. }), "{error:?}");
    text(&error, &file);
}

#[test]
fn a_file_in_place_of_the_directory_is_refused() {
    let (directory, _) = directory();
    let data_dir = directory.path().join("file");
    File::create(&data_dir).unwrap();
    let error = open(&data_dir).unwrap_err();
    assert!(matches!(error, OpenError::Other { .. }), "{error:?}");
    text(&error, &data_dir);
}

#[test]
fn a_newer_file_is_refused_and_left_as_it_is() {
    let (directory, file) = directory();
    drop(open(directory.path()).unwrap());
    let newer = Connection::open(&file).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let before = fs::read(&file).unwrap();
    let error = open(directory.path()).unwrap_err();
    assert!(
        matches!(error, OpenError::NewerVersion { found: 99, .. }),
        "{error:?}"
    );
    assert!(text(&error, &file).contains("format 99"));
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_truncated_file_is_reported_as_damaged() {
    let (directory, file) = directory();
    drop(open(directory.path()).unwrap());
    let length = fs::metadata(&file).unwrap().len();
    let cut = FileOptions::new().write(true).open(&file).unwrap();
    cut.set_len(length / 2).unwrap();
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
    text(&error, &file);
}

#[tokio::test]
async fn damage_is_found_when_the_last_user_did_not_close_the_file() {
    let (directory, file) = directory();
    let store = open(directory.path()).unwrap();
    for number in 0..200 {
        let run = RunNumber(number);
        let at = jiff::Timestamp::UNIX_EPOCH;
        store.arm(&tenant(), run, at).await.unwrap();
    }
    drop(store);
    // Scribble over every page but the first, and leave a log as a crash would.
    let length = fs::metadata(&file).unwrap().len();
    let mut scribbled = FileOptions::new().write(true).open(&file).unwrap();
    scribbled.seek(SeekFrom::Start(4_096)).unwrap();
    let bytes = vec![0xA5; usize::try_from(length - 4_096).unwrap()];
    scribbled.write_all(&bytes).unwrap();
    fs::write(directory.path().join("purser.db-wal"), "torn").unwrap();
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn a_full_disk_writes_nothing_and_says_so() {
    let (directory, _) = directory();
    drop(open(directory.path()).unwrap());
    let options = OpenOptions {
        pages_max: Some(60),
        ..OpenOptions::default()
    };
    let store = SqliteStore::open(directory.path(), options).unwrap();
    let kind = DocumentKind::Settings;
    let put = store
        .put_document(&tenant(), kind, "small".to_owned(), Expected::Absent)
        .await;
    assert_eq!(put, Ok(Put::Done(1)));
    let large = "x".repeat(1_000_000);
    let full = store
        .put_document(&tenant(), kind, large, Expected::Is(1))
        .await;
    assert!(matches!(full, Err(StoreError::Full(_))), "{full:?}");
    let read = store.document(&tenant(), kind).await.unwrap().unwrap();
    assert_eq!((read.value.as_str(), read.version), ("small", 1));
    let small = store
        .put_document(&tenant(), kind, "again".to_owned(), Expected::Is(1))
        .await;
    assert_eq!(small, Ok(Put::Done(2)));
}

#[test]
fn a_disk_that_is_full_at_the_start_is_reported() {
    let (directory, file) = directory();
    let options = OpenOptions {
        pages_max: Some(5),
        ..OpenOptions::default()
    };
    let error = SqliteStore::open(directory.path(), options).unwrap_err();
    assert!(matches!(error, OpenError::Full { .. }), "{error:?}");
    text(&error, &file);
    // Once there is room, the same file is made whole.
    open(directory.path()).unwrap();
}

#[tokio::test]
async fn a_record_of_a_newer_version_is_reported_and_left_alone() {
    let (directory, file) = directory();
    let store = open(directory.path()).unwrap();
    let key = RecordKey {
        tenant: tenant(),
        realm: realm(),
        order: OrderId::new(1),
    };
    let now = jiff::Timestamp::UNIX_EPOCH;
    let record = SyncRecord::queued(key, "PO-1".to_owned(), "first".parse().unwrap(), now);
    let change = purser_core::ports::Change {
        record,
        expected: Expected::Absent,
        due_at: None,
        history: Vec::new(),
        mails: Vec::new(),
    };
    store.commit(vec![change.clone()]).await.unwrap();
    let newer = Connection::open(&file).unwrap();
    let body = r#"{"version":2,"what":"unknown"}"#;
    newer
        .execute("UPDATE records SET version = 2, body = ?1", [body])
        .unwrap();
    let read = store.records(&tenant(), &realm(), &[OrderId::new(1)]).await;
    assert!(matches!(read, Err(StoreError::Newer(_))), "{read:?}");
    let forced = purser_core::ports::Change {
        expected: Expected::Any,
        ..change
    };
    let written = store.commit(vec![forced]).await;
    assert!(matches!(written, Err(StoreError::Newer(_))), "{written:?}");
    let left: String = newer
        .query_row("SELECT body FROM records", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, body);
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_to_date_with_all_it_holds() {
    let (directory, file) = directory();
    let old = Connection::open(&file).unwrap();
    old.execute_batch(include_str!("fixtures/v1.sql")).unwrap();
    drop(old);
    let store = open(directory.path()).unwrap();
    let orders = [OrderId::new(1), OrderId::new(2)];
    let records = store.records(&tenant(), &realm(), &orders).await.unwrap();
    let states: Vec<_> = records.iter().map(|it| it.state.name().as_str()).collect();
    assert_eq!(states, ["queued", "planned"]);
    let document = store.document(&tenant(), DocumentKind::Settings).await;
    assert_eq!(document.unwrap().unwrap().version, 3);
    let history = store.history(&tenant(), OrderId::new(1)).await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(store.unsent(9).await.unwrap().len(), 1);
    let message = Message {
        lane: Lane::Background,
        deduplication: "run-1".to_owned(),
        body: WorkMessage::EndOfRun {
            version: WorkMessage::VERSION,
            tenant: tenant(),
            run: RunNumber(1),
            trace: None,
        },
    };
    store.send(vec![message]).await.unwrap();
    let visibility = std::time::Duration::from_secs(9);
    assert!(store.receive(visibility).await.unwrap().is_some());
}
