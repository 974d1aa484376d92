//! The store itself: one file, one writing connection, a few reading ones.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use purser_core::ports::StoreError;
use rusqlite::Connection;
use tokio::task::spawn_blocking;

use crate::{
    open::{self, OpenOptions, Opened, StoreClock},
    open_error::OpenError,
    readers::Readers,
    stopped::Stopped,
    writer::{Writer, lock},
};

/// Every storage port on one SQLite file. Cheap to clone; all clones share the connections.
///
/// All work on the file runs on tokio's blocking threads, so a call never blocks the runtime, and a
/// paused clock does not run ahead while a call is under way. Calls need a tokio runtime. Opened
/// otherwise ([`OpenOptions::on_calling_thread`]), a call is done when it has been polled once.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    clock: StoreClock,
    writer: Writer,
    readers: Readers,
    watch: Mutex<Connection>,
    on_calling_thread: bool,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.inner.path)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the file in a data directory, and makes both when they are missing. Blocks the thread;
    /// meant for the start of a program.
    pub fn open(data_dir: impl AsRef<Path>, options: OpenOptions) -> Result<Self, OpenError> {
        let opened = open::open(data_dir.as_ref(), &options)?;
        let Opened {
            path,
            writer,
            watch,
        } = opened;
        Ok(Self {
            inner: Arc::new(Inner {
                readers: Readers::new(path.clone(), options.busy_timeout),
                path,
                clock: options.clock,
                writer: Writer::new(writer),
                watch: Mutex::new(watch),
                on_calling_thread: options.on_calling_thread,
            }),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// A number that differs from the one before whenever anybody, in this process or another, has
    /// committed a change in between. For commands that wait for the engine: cheap to ask often.
    pub async fn data_version(&self) -> Result<i64, StoreError> {
        self.blocking(|inner| {
            let watch = lock(&inner.watch);
            watch
                .pragma_query_value(None, "data_version", |row| row.get(0))
                .map_err(|error| Stopped::from(error).into())
        })
        .await
    }

    /// Now, by the clock that was given at opening.
    pub(crate) fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }

    /// Runs work on a reading connection.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Stopped> + Send + 'static,
    {
        self.blocking(move |inner| inner.readers.read(work)).await
    }

    /// Runs work on the writing connection; its outcome is durable when this returns. The work may
    /// run more than once.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Stopped> + Send + 'static,
    {
        self.blocking(move |inner| inner.writer.write(work)).await
    }

    async fn blocking<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    {
        if self.inner.on_calling_thread {
            return work(&self.inner);
        }
        let inner = Arc::clone(&self.inner);
        match spawn_blocking(move || work(&inner)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Unavailable("its thread stopped".to_owned())),
        }
    }
}
