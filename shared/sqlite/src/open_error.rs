//! Why a file could not be opened, in words for the person at the keyboard.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a file could not be opened. Each text is one sentence of cause and one of remedy.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is no file, and none was to be made.
    #[error(
        "There is no data file at {}. Start Purser once to make it, or name another data \
         directory.", .path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is a directory or another thing that is no file.
    #[error(
        "{} is not a file. Move it away, or name another data directory.", .path.display()
    )]
    NotAFile {
        /// What stands in the file's place.
        path: PathBuf,
    },
    /// It is a file, but not of SQLite.
    #[error(
        "{} is not a SQLite database. Move it away or restore a backup, or name another data \
         directory.", .path.display()
    )]
    NotSqlite {
        /// The file.
        path: PathBuf,
    },
    /// It belongs to another program.
    #[error(
        "{} is a database of another program, and was left as it is. Move it away, or name another \
         data directory.", .path.display()
    )]
    NotPurser {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "{} was written by a newer Purser (format {found}; this one knows {known}), and was left as \
         it is. Install the newer version, or name another data directory.", .path.display()
    )]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: usize,
        /// The newest format this program knows.
        known: usize,
    },
    /// It is damaged.
    #[error(
        "{} is damaged ({detail}). Stop Purser, keep a copy of the file and restore a backup.",
        .path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        detail: String,
    },
    /// This user may not read it.
    #[error(
        "{} cannot be read by this user. Give its owner's rights to this user, or name another \
         data directory.", .path.display()
    )]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
    },
    /// It can be read but not written.
    #[error(
        "{} cannot be written. Make it and its directory writable for this user, or name another \
         data directory.", .path.display()
    )]
    ReadOnly {
        /// The file or directory.
        path: PathBuf,
    },
    /// There is no room.
    #[error(
        "The disk that holds {} is full. Free some space and start again; nothing was lost.",
        .path.display()
    )]
    Full {
        /// The file or directory.
        path: PathBuf,
    },
    /// Another process did not let go of it in time.
    #[error(
        "Another process is writing to {} and did not finish in time. Wait a moment and try \
         again.", .path.display()
    )]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Anything else the system said.
    #[error(
        "{} cannot be opened ({detail}). Check the disk and the path, or name another data \
         directory.", .path.display()
    )]
    Other {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

impl OpenError {
    /// What the operating system's error means for this path.
    pub(crate) fn from_io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Unreadable { path },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Other {
                path,
                detail: error.to_string(),
            },
        }
    }

    /// What SQLite's error means for this path.
    pub(crate) fn from_sql(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotSqlite { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, detail },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::Unreadable { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            _ => Self::Other { path, detail },
        }
    }
}
