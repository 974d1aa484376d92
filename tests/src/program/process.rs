//! Child processes that never outlive their test.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use super::Answer;

/// How long anything may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often a test looks again.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until `find` finds something; fails when that takes too long.
#[track_caller]
pub fn wait_until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A running process; ends with the test however the test ends.
pub struct Running {
    child: Child,
    command: String,
    output: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts a command; what it prints goes to files, so that it never waits for a reader.
    pub fn start(mut command: Command) -> Self {
        let output = tempfile::tempdir().expect("a folder for the output");
        let file = |name| File::create(output.path().join(name)).expect("a file for the output");
        let (stdout, stderr) = (file("stdout"), file("stderr"));
        let line = std::iter::once(command.get_program()).chain(command.get_args());
        let line = line
            .map(OsStr::to_string_lossy)
            .collect::<Vec<_>>()
            .join(" ");
        let child = command.stdout(stdout).stderr(stderr).spawn();
        let child = child.unwrap_or_else(|error| panic!("`{line}` does not start: {error}"));
        Self {
            child,
            command: line,
            output,
        }
    }

    /// Starts a command that reads `text` from standard input.
    pub fn start_reading(mut command: Command, text: &str) -> Self {
        let mut running = Self::start({
            command.stdin(Stdio::piped());
            command
        });
        if let Some(mut stdin) = running.child.stdin.take() {
            // A command that refuses at once need not read.
            let _ = stdin.write_all(text.as_bytes());
        }
        running
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far on standard output.
    pub fn stdout(&self) -> String {
        read(&self.output.path().join("stdout"))
    }

    /// What it printed so far on standard error.
    pub fn stderr(&self) -> String {
        read(&self.output.path().join("stderr"))
    }

    /// Waits for the first whole JSON document on its standard output.
    #[track_caller]
    pub fn first_json(&mut self) -> Value {
        wait_until("the first JSON document is printed", || {
            if let Ok(json) = serde_json::from_str(&self.stdout()) {
                return Some(json);
            }
            self.must_run();
            None
        })
    }

    /// Fails when it has ended.
    #[track_caller]
    pub fn must_run(&mut self) {
        let ended = self.child.try_wait().expect("the state of the process");
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let command = &self.command;
        assert!(
            ended.is_none(),
            "`{command}` ended early: {ended:?}\n{stdout}\n{stderr}"
        );
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("the state of the process")
            .is_some()
    }

    /// Asks it to end (SIGTERM) and waits.
    #[track_caller]
    pub fn terminate(self) -> Answer {
        let pid = self.pid().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(
            told.is_ok_and(|status| status.success()),
            "SIGTERM cannot be sent"
        );
        self.ended()
    }

    /// Kills it (SIGKILL) and waits.
    pub fn kill(mut self) -> Answer {
        self.child.kill().expect("the process can be killed");
        self.ended()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(mut self) -> Answer {
        let status = wait_until("the command ends", || {
            self.child.try_wait().expect("the state of the process")
        });
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let command = self.command.clone();
        Answer {
            command,
            code: status.code(),
            signal: signal(status),
            stdout,
            stderr,
        }
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: Command) -> Answer {
    Running::start(command).ended()
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}
