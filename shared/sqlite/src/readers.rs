//! A small pool of reading connections. Readers never wait for a writer, nor a writer for them.

use std::{
    path::PathBuf,
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use purser_core::ports::StoreError;
use rusqlite::Connection;

use crate::{open, stopped::Stopped, writer::lock};

/// The most reading connections of one process.
const READERS_MAX: usize = 4;

/// Reading connections, opened when they are first needed and then kept.
pub(crate) struct Readers {
    path: PathBuf,
    busy_timeout: Duration,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    open: usize,
}

/// A connection on loan; comes back when dropped, also by a panic.
struct Loan<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut pool = lock(&self.readers.pool);
        match self.connection.take() {
            Some(connection) => pool.idle.push(connection),
            None => pool.open = pool.open.saturating_sub(1),
        }
        drop(pool);
        self.readers.returned.notify_one();
    }
}

impl Readers {
    pub(crate) fn new(path: PathBuf, busy_timeout: Duration) -> Self {
        Self {
            path,
            busy_timeout,
            pool: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    /// Runs work on a reading connection. Blocks the thread.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Stopped>,
    ) -> Result<T, StoreError> {
        let mut loan = self.borrow();
        let connection = match loan.connection.take() {
            Some(connection) => connection,
            None => open::reader(&self.path, self.busy_timeout).map_err(Stopped::from)?,
        };
        let connection = loan.connection.insert(connection);
        work(connection).map_err(StoreError::from)
    }

    /// An idle connection, or the right to open one.
    fn borrow(&self) -> Loan<'_> {
        let mut pool = lock(&self.pool);
        loop {
            if let Some(connection) = pool.idle.pop() {
                return Loan {
                    readers: self,
                    connection: Some(connection),
                };
            }
            if pool.open < READERS_MAX {
                pool.open += 1;
                return Loan {
                    readers: self,
                    connection: None,
                };
            }
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}
