//! Opening the file: what it is, whether it is sound, and how each connection is set up.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use crate::{
    migrations::{self, Identity, STEPS},
    open_error::OpenError,
};

/// The name of the file inside the data directory.
pub const FILE_NAME: &str = "purser.db";

/// Tells the time to the queue. Leases and due times are told by the callers.
pub type StoreClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How to open a file.
#[derive(Clone)]
pub struct OpenOptions {
    /// The clock of the queue; the machine's own unless it is set.
    pub clock: StoreClock,
    /// Whether a missing directory or file is made; else it is [`OpenError::Missing`].
    pub create: bool,
    /// How long to wait for another process that is writing.
    pub busy_timeout: Duration,
    /// The most pages of 4 KiB the file may have; no limit unless it is set. Tests use it to fill
    /// the disk.
    pub pages_max: Option<u32>,
    /// Whether calls work on the file on the thread that polls them, which waits meanwhile, and not on
    /// tokio's blocking threads. For a simulation, in which everything comes in the same order each time.
    pub on_calling_thread: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(Timestamp::now),
            create: true,
            busy_timeout: Duration::from_secs(10),
            pages_max: None,
            on_calling_thread: false,
        }
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOptions")
            .field("create", &self.create)
            .field("busy_timeout", &self.busy_timeout)
            .field("pages_max", &self.pages_max)
            .field("on_calling_thread", &self.on_calling_thread)
            .finish_non_exhaustive()
    }
}

/// An opened file.
pub(crate) struct Opened {
    pub(crate) path: PathBuf,
    pub(crate) writer: Connection,
    pub(crate) watch: Connection,
}

/// Opens the file of a data directory, brings its schema up to date and proves that it can be
/// written.
pub(crate) fn open(data_dir: &Path, options: &OpenOptions) -> Result<Opened, OpenError> {
    let path = data_dir.join(FILE_NAME);
    prepare(data_dir, &path, options.create)?;
    let unclean = left_unclean(&path);
    let mut writer = connect(&path, options.busy_timeout)
        .and_then(|connection| harden(&connection).map(|()| connection))
        .map_err(|error| OpenError::from_sql(&path, &error))?;
    check(&writer, &path, unclean)?;
    if writer.is_readonly("main").unwrap_or(false) {
        return Err(OpenError::ReadOnly { path });
    }
    let watch = set_up(&mut writer, options)
        .and_then(|()| reader(&path, options.busy_timeout))
        .map_err(|error| OpenError::from_sql(&path, &error))?;
    Ok(Opened {
        path,
        writer,
        watch,
    })
}

/// A connection that can only read. It is opened for writing, because readers of a write-ahead log
/// keep their marks in its index.
pub(crate) fn reader(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    let connection = connect(path, busy_timeout)?;
    harden(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_timeout)?;
    Ok(connection)
}

fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

/// Makes the directory and an empty file, both for their owner only.
fn prepare(data_dir: &Path, path: &Path, create: bool) -> Result<(), OpenError> {
    let found = match fs::metadata(path) {
        Ok(metadata) => Some(metadata.is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(OpenError::from_io(path, &error)),
    };
    match (found, create) {
        (Some(true), _) => Ok(()),
        (Some(false), _) => Err(OpenError::NotAFile {
            path: path.to_owned(),
        }),
        (None, false) => Err(OpenError::Missing {
            path: path.to_owned(),
        }),
        (None, true) => {
            create_directory(data_dir).map_err(|error| OpenError::from_io(data_dir, &error))?;
            create_file(path).map_err(|error| OpenError::from_io(path, &error))
        }
    }
}

/// Makes a directory that only its owner may look into; one that is there stays as it is.
pub(crate) fn create_directory(data_dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data_dir)
}

fn create_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    match options.open(path) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        opened => opened.map(drop),
    }
}

/// Lets a file that is about to be made be its owner's only.
pub(crate) fn owner_only(options: &mut fs::OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _same_on_other_systems = options;
}

/// Whether the last user did not close the file, or is still at work.
fn left_unclean(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0)
}

/// Refuses what is not a sound file of this version or an earlier one. Writes nothing.
fn check(connection: &Connection, path: &Path, unclean: bool) -> Result<(), OpenError> {
    let sql = |error| OpenError::from_sql(path, &error);
    match migrations::identify(connection).map_err(sql)? {
        Identity::Foreign => {
            return Err(OpenError::NotPurser {
                path: path.to_owned(),
            });
        }
        Identity::Purser(found) if found > STEPS.len() => {
            return Err(OpenError::NewerVersion {
                path: path.to_owned(),
                found,
                known: STEPS.len(),
            });
        }
        Identity::Fresh | Identity::Purser(_) => {}
    }
    if !unclean {
        return Ok(());
    }
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(sql)?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(OpenError::Corrupt {
        path: path.to_owned(),
        detail: verdict,
    })
}

fn set_up(connection: &mut Connection, options: &OpenOptions) -> rusqlite::Result<()> {
    if let Some(pages) = options.pages_max {
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    migrations::migrate(connection, STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(connection: &Connection, name: &str) -> String {
        let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    /// No kill shows the difference, only a power cut; so the setting itself is held fast.
    #[test]
    fn the_writer_waits_for_the_disk_and_readers_cannot_write() {
        let directory = tempfile::tempdir().unwrap();
        let opened = open(directory.path(), &OpenOptions::default()).unwrap();
        assert_eq!(setting(&opened.writer, "journal_mode"), "wal");
        assert_eq!(setting(&opened.writer, "synchronous"), "2");
        assert_eq!(setting(&opened.writer, "foreign_keys"), "1");
        assert_eq!(setting(&opened.watch, "query_only"), "1");
        assert!(opened.watch.execute("DELETE FROM tenants", []).is_err());
    }
}
