//! How the program ends: its exit code, and the words of an error.

use std::fmt;

use purser_core::{
    failure::{Failure, FailureClass},
    notice::Code,
    ports::StoreError,
};
use serde::Serialize;

/// The exit codes of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All well.
    Ok = 0,
    /// Some orders were refused.
    Refused = 1,
    /// Wrong use or configuration.
    Wrong = 2,
    /// An outside system cannot be reached.
    Unreachable = 3,
    /// Some orders are still waiting.
    Waiting = 4,
}

/// What went wrong: one sentence of cause, one of remedy.
#[derive(Debug, Serialize)]
pub(crate) struct ProgramError {
    #[serde(skip)]
    pub(crate) exit: Exit,
    pub(crate) code: String,
    pub(crate) cause: String,
    pub(crate) remedy: String,
}

impl ProgramError {
    pub(crate) fn wrong(code: &str, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (cause, remedy) = (cause.into(), remedy.into());
        Self {
            exit: Exit::Wrong,
            code: code.to_owned(),
            cause,
            remedy,
        }
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.cause, self.remedy)
    }
}

impl From<Failure> for ProgramError {
    fn from(failure: Failure) -> Self {
        let exit = match failure.class() {
            FailureClass::Retry | FailureClass::Refresh | FailureClass::InDoubt => {
                match failure.code() {
                    Code::StoreBusy => Exit::Wrong,
                    _ => Exit::Unreachable,
                }
            }
            FailureClass::Refuse | FailureClass::Adopt | FailureClass::Replan => Exit::Refused,
            FailureClass::TenantTrouble | FailureClass::Reconnect | FailureClass::Bug => {
                Exit::Wrong
            }
        };
        Self {
            exit,
            code: failure.code().as_str().to_owned(),
            cause: failure.notice.cause(),
            // A command that failed is not tried again by itself.
            remedy: match failure.class() {
                FailureClass::Retry => "Try the command again in a moment.".to_owned(),
                _ => failure.notice.remedy(),
            },
        }
    }
}

impl From<StoreError> for ProgramError {
    fn from(error: StoreError) -> Self {
        let remedy = match &error {
            StoreError::Unavailable(_) => {
                "Check the data folder and the space on its disk, and start again; what was under way is \
                 looked up first."
            }
            StoreError::Full(_) => "Make room on the disk and start again; nothing was lost.",
            StoreError::Unreadable(_) => {
                "Restore the data folder, key files included, from a backup."
            }
            StoreError::Newer(_) => "Use the newer version of Purser that wrote it.",
        };
        let mut cause = error.to_string();
        if let Some(first) = cause.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        Self::wrong("store", format!("{cause}."), remedy)
    }
}
