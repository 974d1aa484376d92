//! The one writing connection of a process, with group commit.
//!
//! Callers queue their work and then ask for the connection. Whoever gets it runs everything that
//! is queued by then in one transaction, so that many waiting callers share one fsync. Each piece
//! of work has its own savepoint and fails alone; nobody is answered before the commit is durable.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use purser_core::ports::StoreError;
use rusqlite::Connection;

use crate::stopped::Stopped;

/// The writing connection and the work that waits for it.
pub(crate) struct Writer {
    connection: Mutex<Connection>,
    queue: Mutex<Vec<Box<dyn Job>>>,
}

/// A piece of work. It may run more than once: a group that fails is repeated one by one.
trait Job: Send {
    /// Runs it inside the transaction and keeps its value.
    fn run(&mut self, connection: &Connection) -> Result<(), Stopped>;

    /// Answers its caller: with the value of the last run, or with this error.
    fn answer(&mut self, failed: Option<StoreError>);
}

type Answer<T> = Arc<Mutex<Option<Result<T, StoreError>>>>;

struct Work<T, F> {
    run: F,
    value: Option<T>,
    answer: Answer<T>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: Fn(&Connection) -> Result<T, Stopped> + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), Stopped> {
        self.value = Some((self.run)(connection)?);
        Ok(())
    }

    fn answer(&mut self, failed: Option<StoreError>) {
        let outcome = match failed {
            Some(error) => Err(error),
            None => self.value.take().ok_or_else(abandoned),
        };
        *lock(&self.answer) = Some(outcome);
    }
}

impl Writer {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection: Mutex::new(connection),
            queue: Mutex::new(Vec::new()),
        }
    }

    /// Runs work in a transaction and returns once its outcome is durable. Blocks the thread.
    pub(crate) fn write<T, F>(&self, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Stopped> + Send + 'static,
    {
        let answer: Answer<T> = Arc::default();
        let work = Work {
            run,
            value: None,
            answer: Arc::clone(&answer),
        };
        lock(&self.queue).push(Box::new(work));
        let connection = lock(&self.connection);
        if lock(&answer).is_none() {
            let mut group = mem::take(&mut *lock(&self.queue));
            run_group(&connection, &mut group);
        }
        drop(connection);
        lock(&answer).take().unwrap_or_else(|| Err(abandoned()))
    }
}

/// The answer when the thread that ran the group panicked.
fn abandoned() -> StoreError {
    StoreError::Unavailable("the write was abandoned".to_owned())
}

/// A panic elsewhere does not make the value unusable: every group starts with a clean transaction.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a group as a whole failed. Nothing of it is stored.
enum GroupFailure {
    /// It never began.
    NotBegun(StoreError),
    /// SQLite gave the whole transaction up, because of one of them or of their sum.
    Undone(StoreError),
}

fn run_group(connection: &Connection, group: &mut [Box<dyn Job>]) {
    match try_group(connection, group) {
        Ok(outcomes) => {
            for (job, failed) in group.iter_mut().zip(outcomes) {
                job.answer(failed);
            }
        }
        Err(GroupFailure::Undone(_)) if group.len() > 1 => {
            for job in group.iter_mut() {
                run_group(connection, std::slice::from_mut(job));
            }
        }
        Err(GroupFailure::Undone(error) | GroupFailure::NotBegun(error)) => {
            for job in group.iter_mut() {
                job.answer(Some(error.clone()));
            }
        }
    }
}

/// Runs a group in one transaction; tells for each job why it failed, if it did.
fn try_group(
    connection: &Connection,
    group: &mut [Box<dyn Job>],
) -> Result<Vec<Option<StoreError>>, GroupFailure> {
    begin(connection).map_err(|error| GroupFailure::NotBegun(Stopped::from(error).into()))?;
    let mut outcomes = Vec::with_capacity(group.len());
    for job in group.iter_mut() {
        let outcome = run_alone(connection, job.as_mut());
        match outcome {
            Ok(()) => outcomes.push(None),
            Err(error) if connection.is_autocommit() => return Err(GroupFailure::Undone(error)),
            Err(error) => outcomes.push(Some(error)),
        }
    }
    commit(connection).map_err(|error| GroupFailure::Undone(Stopped::from(error).into()))?;
    Ok(outcomes)
}

/// Runs one job inside a savepoint, which a failure takes back.
fn run_alone(connection: &Connection, job: &mut dyn Job) -> Result<(), StoreError> {
    connection
        .execute_batch("SAVEPOINT job")
        .map_err(Stopped::from)?;
    let outcome = job.run(connection);
    let finish = match outcome {
        Ok(()) => "RELEASE job",
        Err(_) if connection.is_autocommit() => "",
        Err(_) => "ROLLBACK TO job; RELEASE job",
    };
    let finished = connection.execute_batch(finish).map_err(Stopped::from);
    outcome.and(finished).map_err(StoreError::from)
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    connection.execute_batch("BEGIN IMMEDIATE")
}

fn commit(connection: &Connection) -> rusqlite::Result<()> {
    let committed = connection.execute_batch("COMMIT");
    if committed.is_err() && !connection.is_autocommit() {
        // The commit's own error is the one to tell; the next group rolls back once more.
        let _rolled_back = connection.execute_batch("ROLLBACK");
    }
    committed
}

#[cfg(test)]
mod tests;
