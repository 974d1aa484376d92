//! One engine per data directory, by a lock of the operating system that no crash leaves behind.

use std::{
    fmt,
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use jiff::Timestamp;
use thiserror::Error;

use crate::{open, open_error::OpenError};

/// The name of the locked file inside the data directory.
const LOCK_NAME: &str = "engine.lock";

/// [`engine_is_running`] shares the lock for an instant; an engine that starts just then tries again.
const TRIES: u32 = 500;
const TRY_AGAIN: Duration = Duration::from_millis(2);

/// The right to be the engine of a data directory, until it is dropped or the process ends.
#[derive(Debug)]
pub struct EngineLock {
    file: File,
    path: PathBuf,
}

/// Why the lock was not taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another engine has it.
    #[error(
        "Another engine{} is already working on {}. Stop it first, or name another data directory.",
        Holder { pid: *.pid, since: *.since }, .data_dir.display()
    )]
    Held {
        /// The data directory.
        data_dir: PathBuf,
        /// Its process, where the system lets us read it.
        pid: Option<u32>,
        /// When it started.
        since: Option<Timestamp>,
    },
    /// The file could not be made or locked.
    #[error(transparent)]
    File(OpenError),
}

/// The words about the other engine.
struct Holder {
    pid: Option<u32>,
    since: Option<Timestamp>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, self.since) {
            (Some(pid), Some(since)) => write!(f, " (process {pid}, since {since:.0})"),
            (Some(pid), None) => write!(f, " (process {pid})"),
            (None, _) => Ok(()),
        }
    }
}

impl EngineLock {
    /// Takes the lock, and makes the data directory when it is missing. Blocks the thread
    /// for an instant.
    pub fn take(data_dir: impl AsRef<Path>) -> Result<Self, LockError> {
        let data_dir = data_dir.as_ref();
        let path = data_dir.join(LOCK_NAME);
        let failed = |error: io::Error| LockError::File(OpenError::from_io(&path, &error));
        open::create_directory(data_dir).map_err(failed)?;
        let mut file = open_file(&path).map_err(failed)?;
        if !try_lock(&file).map_err(failed)? {
            let (pid, since) = read_holder(&mut file);
            return Err(LockError::Held {
                data_dir: data_dir.to_owned(),
                pid,
                since,
            });
        }
        write_holder(&mut file).map_err(failed)?;
        Ok(Self { file, path })
    }

    /// The locked file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for EngineLock {
    /// Closing the file would free the lock too, but not while a child process that was just forked
    /// still has it open.
    fn drop(&mut self) {
        let _freed_by_closing_otherwise = self.file.unlock();
    }
}

/// Whether an engine holds the lock of a data directory. When in doubt it says no: who wants to
/// be the engine must take the lock anyway.
pub fn engine_is_running(data_dir: impl AsRef<Path>) -> bool {
    let Ok(file) = File::open(data_dir.as_ref().join(LOCK_NAME)) else {
        return false;
    };
    let shared = file.try_lock_shared();
    if shared.is_ok() {
        let _freed_by_closing_otherwise = file.unlock();
    }
    matches!(shared, Err(TryLockError::WouldBlock))
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open::owner_only(&mut options);
    options.open(path)
}

/// False when another engine holds the lock. Who only asks shares it, and an engine never does; so
/// when it can be shared but not taken, somebody is asking, and will be done in a moment.
fn try_lock(file: &File) -> io::Result<bool> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        match file.try_lock_shared() {
            Ok(()) => file.unlock()?,
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        thread::sleep(TRY_AGAIN);
    }
    Ok(false)
}

fn write_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{} {}", std::process::id(), Timestamp::now())?;
    file.flush()
}

fn read_holder(file: &mut File) -> (Option<u32>, Option<Timestamp>) {
    let mut text = String::new();
    if file.take(200).read_to_string(&mut text).is_err() {
        return (None, None);
    }
    let mut words = text.split_whitespace();
    let pid = words.next().and_then(|word| word.parse().ok());
    let since = words.next().and_then(|word| word.parse().ok());
    (pid, since)
}
