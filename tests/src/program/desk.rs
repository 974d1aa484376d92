//! One data folder and the commands that are given to it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{Answer, Running, Simulators, purser, run};

/// All waits divided by this, when nothing else is said. With more, what was read would be too old
/// before it is used.
const TIME_SCALE: &str = "100";

/// A person at the keyboard: a data folder, an environment, and files to hand over.
pub struct Desk {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Desk {
    /// An empty desk before these simulators.
    pub fn before(simulators: &Simulators) -> Self {
        let mut desk = Self::alone();
        desk.environment.extend(simulators.environment.clone());
        desk
    }

    /// An empty desk before nothing.
    pub fn alone() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let data = folder.path().join("data").display().to_string();
        let mut environment = BTreeMap::from([("PURSER_DATA".to_owned(), data)]);
        environment.insert("PURSER_TIME_SCALE".to_owned(), TIME_SCALE.to_owned());
        Self {
            folder,
            environment,
        }
    }

    /// A desk with the first company of the simulators connected and its settings saved.
    #[track_caller]
    pub fn connected(simulators: &Simulators) -> Self {
        let desk = Self::before(simulators);
        desk.connect(&simulators.companies[0]);
        desk
    }

    /// Connects a company and saves its settings.
    #[track_caller]
    pub fn connect(&self, company: &Value) {
        self.add(company).exits(0);
        let settings = self.file("settings.json", &company["settings"].to_string());
        let import = [
            "settings",
            "import",
            path(&settings),
            "--tenant",
            text(company, "tenant"),
        ];
        self.purser(&import).exits(0);
    }

    /// Tries to connect a company with all it gives.
    #[track_caller]
    pub fn add(&self, company: &Value) -> Answer {
        let secret = self.file("secret", text(company, "autotask_secret"));
        let token = self.file("token", text(company, "refresh_token"));
        self.purser(&[
            "connection",
            "add",
            text(company, "tenant"),
            "--autotask-user",
            text(company, "autotask_user"),
            "--autotask-secret-file",
            path(&secret),
            "--integration-code",
            text(company, "integration_code"),
            "--realm",
            text(company, "realm"),
            "--refresh-token-file",
            path(&token),
        ])
    }

    /// Tries to enter Autotask credentials alone.
    #[track_caller]
    pub fn add_autotask(&self, company: &Value) -> Answer {
        let secret = self.file("secret", text(company, "autotask_secret"));
        self.purser(&[
            "connection",
            "add",
            text(company, "tenant"),
            "--autotask-user",
            text(company, "autotask_user"),
            "--autotask-secret-file",
            path(&secret),
            "--integration-code",
            text(company, "integration_code"),
        ])
    }

    /// Another value of one variable of the environment; empty removes it.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
        if value.is_empty() {
            self.environment.remove(name);
        }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        PathBuf::from(&self.environment["PURSER_DATA"])
    }

    /// Where a file of the desk is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and tells where it is.
    #[track_caller]
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.path(name);
        fs::write(&file, text).expect("a file can be written");
        file
    }

    /// A command, not yet started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(purser());
        self.prepare(&mut command);
        command.args(args);
        command
    }

    /// Gives a command this desk's environment and nothing else.
    pub fn prepare(&self, command: &mut Command) {
        command
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.folder.path());
        command.stdin(std::process::Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
    }

    /// Runs the program to its end.
    #[track_caller]
    pub fn purser(&self, args: &[&str]) -> Answer {
        run(self.command(args))
    }

    /// Runs the program with `--json`; it must end with `code`.
    #[track_caller]
    pub fn json(&self, args: &[&str], code: i32) -> Value {
        let args = [args, &["--json"]].concat();
        self.purser(&args).exits(code).json()
    }

    /// Starts the program and lets it run.
    pub fn start(&self, args: &[&str]) -> Running {
        Running::start(self.command(args))
    }

    /// Starts `purser serve` and waits until it serves.
    #[track_caller]
    pub fn serve(&self) -> Running {
        let mut serving = self.start(&["serve"]);
        super::wait_until("the engine serves", || {
            serving.must_run();
            serving.stdout().contains("Serving").then_some(())
        });
        serving
    }
}

fn text<'a>(company: &'a Value, field: &str) -> &'a str {
    company[field].as_str().unwrap_or_default()
}

/// A path of the test's own folder, which is always text.
fn path(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}
