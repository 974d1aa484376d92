//! What one command of the program answered.

use std::fmt;

use serde_json::Value;

/// The end of one command.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// As much of an output as a failing test shows, in characters.
const SHOWN_MAX: usize = 4000;

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| text.chars().take(SHOWN_MAX).collect::<String>();
        let Self {
            command,
            code,
            signal,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "`{command}` ended with {code:?} (signal {signal:?})\n--- standard output\n{}\n\
             --- standard error\n{}",
            short(stdout),
            short(stderr)
        )
    }
}

impl Answer {
    /// The same answer, once its exit code is the right one.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "often only the check is wanted"
    )]
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Standard output as the one JSON document it must be.
    #[track_caller]
    pub fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.stdout);
        parsed.unwrap_or_else(|error| panic!("not one JSON document ({error}): {self}"))
    }

    /// The words of an error for people: standard error.
    ///
    /// Every one of `words` must stand there, and there must be a cause and a remedy.
    #[track_caller]
    pub fn complains(&self, words: &[&str]) {
        let lower = self.stderr.to_lowercase();
        let at = lower.find("error: ");
        let at = at.unwrap_or_else(|| panic!("no error is shown: {self}"));
        let shown = &lower[at..];
        for word in words {
            assert!(
                shown.contains(&word.to_lowercase()),
                "{word:?} is not said: {self}"
            );
        }
        let lines: Vec<_> = shown
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        assert_eq!(
            lines.len(),
            2,
            "one line of cause and one of remedy: {self}"
        );
        for line in lines {
            let is_sentence = line.trim_end().ends_with('.');
            assert!(is_sentence, "the line is no sentence: {line:?}\n{self}");
        }
    }

    /// `error.code` of a JSON error, whose cause and remedy must be filled.
    #[track_caller]
    pub fn error_code(&self) -> String {
        let json = self.json();
        let text = |name: &str| json["error"][name].as_str().unwrap_or_default().to_owned();
        for name in ["cause", "remedy"] {
            assert!(
                !text(name).trim().is_empty(),
                "error.{name} is missing: {self}"
            );
        }
        text("code")
    }
}
