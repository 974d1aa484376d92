//! The command that makes something happen again.

use std::fmt::Write as _;

/// This very program, with the flags it was called with, and no numbers.
pub fn program() -> String {
    let mut words = std::env::args();
    let mut command = words.next().unwrap_or_default();
    for word in words.filter(|word| word.starts_with("--") && word != "--seed") {
        // Writing to memory does not fail.
        let _ = write!(command, " {word}");
    }
    command
}
