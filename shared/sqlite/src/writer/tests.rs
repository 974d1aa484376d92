use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use super::*;

type AnyWork = Box<dyn Fn(&Connection) -> Result<i64, Stopped> + Send>;

fn writer() -> Writer {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
        .unwrap();
    Writer::new(connection)
}

fn numbers(writer: &Writer) -> Vec<i64> {
    let connection = lock(&writer.connection);
    let sql = "SELECT number FROM numbers ORDER BY number";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn insert(number: i64) -> impl Fn(&Connection) -> Result<i64, Stopped> + Send + 'static {
    move |connection| {
        connection.execute("INSERT INTO numbers VALUES (?1)", [number])?;
        Ok(number)
    }
}

fn refuse(connection: &Connection) -> Result<i64, Stopped> {
    connection.execute("INSERT INTO numbers VALUES (99)", [])?;
    Err(StoreError::Unreadable("refused".to_owned()).into())
}

/// Queues `jobs` while another one holds the connection, so that they form one group.
fn run_together<F>(writer: &Arc<Writer>, jobs: Vec<F>) -> Vec<Result<i64, StoreError>>
where
    F: Fn(&Connection) -> Result<i64, Stopped> + Send + 'static,
{
    let held = lock(&writer.connection);
    let waiting = jobs.len();
    let threads: Vec<_> = jobs
        .into_iter()
        .map(|job| {
            let writer = Arc::clone(writer);
            thread::spawn(move || writer.write(job))
        })
        .collect();
    while lock(&writer.queue).len() < waiting {
        thread::yield_now();
    }
    drop(held);
    threads.into_iter().map(|it| it.join().unwrap()).collect()
}

#[test]
fn work_that_waits_together_is_committed_together() {
    let writer = Arc::new(writer());
    let changes = Arc::new(AtomicUsize::new(0));
    let jobs = (0..20).map(|number| {
        let changes = Arc::clone(&changes);
        move |connection: &Connection| {
            let earlier: i64 =
                connection.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0))?;
            changes.fetch_max(usize::try_from(earlier).unwrap(), Ordering::SeqCst);
            insert(number)(connection)
        }
    });
    let outcomes = run_together(&writer, jobs.collect());
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(numbers(&writer), (0..20).collect::<Vec<_>>());
    assert_eq!(changes.load(Ordering::SeqCst), 19);
}

#[test]
fn work_that_fails_is_taken_back_alone() {
    let writer = Arc::new(writer());
    let jobs: Vec<AnyWork> = vec![Box::new(insert(1)), Box::new(refuse), Box::new(insert(2))];
    let outcomes = run_together(&writer, jobs);
    assert_eq!(outcomes[0], Ok(1));
    assert!(outcomes[1].is_err());
    assert_eq!(outcomes[2], Ok(2));
    assert_eq!(numbers(&writer), [1, 2]);
}

#[test]
fn a_group_that_sqlite_gives_up_is_repeated_one_by_one() {
    let writer = Arc::new(writer());
    let give_up = |connection: &Connection| {
        connection.execute_batch("ROLLBACK")?;
        Err(StoreError::Full("no room".to_owned()).into())
    };
    let jobs: Vec<AnyWork> = vec![Box::new(insert(1)), Box::new(give_up), Box::new(insert(2))];
    let outcomes = run_together(&writer, jobs);
    assert_eq!(outcomes[0], Ok(1));
    assert_eq!(outcomes[1], Err(StoreError::Full("no room".to_owned())));
    assert_eq!(outcomes[2], Ok(2));
    assert_eq!(numbers(&writer), [1, 2]);
}

#[test]
fn a_panic_in_one_piece_of_work_does_not_stop_the_next() {
    let writer = Arc::new(writer());
    let other = Arc::clone(&writer);
    let broken = thread::spawn(move || {
        other.write(|connection| -> Result<(), Stopped> {
            connection.execute("INSERT INTO numbers VALUES (7)", [])?;
            panic!("a bug");
        })
    });
    assert!(broken.join().is_err());
    assert_eq!(writer.write(insert(1)), Ok(1));
    assert_eq!(numbers(&writer), [1]);
}

#[test]
fn nobody_is_answered_before_the_group_is_committed() {
    let writer = Arc::new(writer());
    let (entered, inside) = mpsc::channel();
    let slow = Arc::clone(&writer);
    let leader = thread::spawn(move || {
        slow.write(move |connection| {
            let _sent = entered.send(());
            thread::sleep(Duration::from_millis(20));
            insert(1)(connection)
        })
    });
    inside.recv().unwrap();
    assert_eq!(writer.write(insert(2)), Ok(2));
    assert_eq!(leader.join().unwrap(), Ok(1));
    assert_eq!(numbers(&writer), [1, 2]);
}
