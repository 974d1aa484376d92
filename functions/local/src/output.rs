//! What a person or a program reads: words or JSON on standard output, errors on standard error.

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::exit::ProgramError;

/// The way out to the reader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a person watches and long work should show how far it is.
    pub(crate) fn shows_progress(self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }

    /// Prints a value as JSON, or as the words made from it.
    pub(crate) fn show<T: Serialize>(self, value: &T, words: impl FnOnce(&T) -> String) {
        if self.json {
            Self::line(&serde_json::to_string_pretty(value).unwrap_or_default());
        } else {
            Self::line(words(value).trim_end());
        }
    }

    /// Prints a line of words; nothing in JSON mode.
    pub(crate) fn say(self, line: &str) {
        if !self.json {
            Self::line(line);
        }
    }

    fn line(line: &str) {
        // A reader that went away is no error of ours.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }

    /// Prints an error: cause and remedy.
    pub(crate) fn error(self, error: &ProgramError) {
        if self.json {
            let value = serde_json::json!({ "error": error });
            Self::line(&serde_json::to_string_pretty(&value).unwrap_or_default());
        } else {
            let _ = writeln!(
                std::io::stderr().lock(),
                "error: {}\n  {}",
                error.cause,
                error.remedy
            );
        }
    }
}

/// Columns aligned by the longest cell of each; long cells are cut.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    const CELL_MAX: usize = 60;
    let cut = |cell: &str| cell.chars().take(CELL_MAX).collect::<String>();
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cut(cell).chars().count());
        }
    }
    let line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| {
            let cell = cut(cell);
            let pad = width.saturating_sub(cell.chars().count());
            format!("{cell}{}", " ".repeat(pad))
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut text = line(header.iter().map(|cell| (*cell).to_owned()).collect());
    for row in rows {
        text.push('\n');
        text.push_str(&line(row.clone()));
    }
    text
}
