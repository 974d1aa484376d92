//! The compiled program as its users meet it: processes, files, exit codes and what stands on
//! standard output; the simulators are another process too, driven over `/_simulator`.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod answer;
mod binary;
mod desk;
mod process;
mod simulators;

pub use answer::Answer;
pub use binary::purser;
pub use desk::Desk;
pub use process::{Running, run, wait_until};
pub use simulators::Simulators;
