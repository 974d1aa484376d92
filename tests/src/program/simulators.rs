//! The simulators in a process of their own, and their control endpoints.

use std::{collections::BTreeMap, path::Path, process::Command, time::Duration};

use bytes::Bytes;
use http::{Method, Request};
use purser_transport::{HttpTransport, Transport as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{Running, purser};

/// How long a control call may take.
const CALL: Duration = Duration::from_secs(20);

/// Simulators of one plain company, or of the demo world.
pub struct Simulators {
    /// Where they answer.
    pub url: String,
    /// What a program needs to speak to them.
    pub environment: BTreeMap<String, String>,
    /// The companies and their credentials.
    pub companies: Vec<Value>,
    process: Option<Running>,
    http: HttpTransport,
    runtime: Runtime,
    state: Option<TempDir>,
}

impl Simulators {
    /// One plain company with this many eligible orders, without the vendors' limits.
    #[track_caller]
    pub fn plain(orders: u32) -> Self {
        let simulators = Self::start(&["--no-limits", "--plain", &orders.to_string()]);
        simulators.switch(&json!({ "autotask": { "latency_ms": 0 } }));
        simulators
    }

    /// One plain company with this many eligible orders and the vendors' limits.
    #[track_caller]
    pub fn limited(orders: u32) -> Self {
        Self::start(&["--plain", &orders.to_string()])
    }

    /// The demo world without the vendors' limits.
    #[track_caller]
    pub fn demo_world() -> Self {
        Self::start(&["--no-limits"])
    }

    /// The simulators of a demo folder, in a process of their own, without the vendors' limits; the
    /// demo joins them.
    #[track_caller]
    pub fn of_demo(data: &Path) -> Self {
        let mut process = Running::start(command(data, &["--no-limits"]));
        let told = process.first_json();
        Self::at(&told, Some(process), None)
    }

    #[track_caller]
    fn start(options: &[&str]) -> Self {
        let state = tempfile::tempdir().expect("a folder for the simulators");
        let mut process = Running::start(command(state.path(), options));
        let told = process.first_json();
        Self::at(&told, Some(process), Some(state))
    }

    fn at(told: &Value, process: Option<Running>, state: Option<TempDir>) -> Self {
        Self {
            url: told["url"].as_str().unwrap_or_default().to_owned(),
            environment: environment(told),
            companies: told["companies"].as_array().cloned().unwrap_or_default(),
            process,
            http: HttpTransport::new().expect("a transport"),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            state,
        }
    }

    /// Ends the process; nothing answers any more.
    pub fn stop(&mut self) {
        drop(self.process.take());
    }

    /// Starts them again over the same state, at the same address.
    #[track_caller]
    pub fn start_again(&mut self) {
        let port = self.url.rsplit(':').next().unwrap_or_default().to_owned();
        let options = ["--no-limits", "--port", &port];
        let state = self
            .state
            .as_ref()
            .expect("simulators with a folder of their own");
        let mut process = Running::start(command(state.path(), &options));
        process.first_json();
        self.process = Some(process);
        self.http = HttpTransport::new().expect("a transport without dead connections");
    }

    #[track_caller]
    fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/_simulator/{path}", self.url))
            .body(Bytes::from(text))
            .expect("a control request");
        let answer = self.runtime.block_on(self.http.send(request, CALL));
        let answer = answer.unwrap_or_else(|error| panic!("{path}: {error}"));
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(answer.status().is_success(), "{path} with {body}: {text}");
        serde_json::from_str(&text).expect("a JSON answer")
    }

    /// Everything there is.
    #[track_caller]
    pub fn world(&self) -> Value {
        self.call(Method::GET, "world", &Value::Null)
    }

    /// The only company's side in Autotask.
    #[track_caller]
    pub fn autotask(&self) -> Value {
        only(&self.world()["autotask"])
    }

    /// The only company's books.
    #[track_caller]
    pub fn books(&self) -> Value {
        only(&self.world()["quickbooks"])
    }

    /// External PO Number of one order of the only company.
    #[track_caller]
    pub fn external_number(&self, order: i64) -> Option<String> {
        let orders = self.autotask()["orders"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let found = orders.into_iter().find(|one| one["id"] == order);
        let found = found.unwrap_or_else(|| panic!("there is no order {order}"));
        found["external_number"].as_str().map(str::to_owned)
    }

    /// A person acts in Autotask; answers the id of what was made or changed.
    #[track_caller]
    pub fn in_autotask(&self, action: &str, members: Value) -> i64 {
        let answer = self.act("autotask", action, members);
        answer["id"].as_i64().unwrap_or_default()
    }

    /// A person acts in QuickBooks.
    #[track_caller]
    pub fn in_quickbooks(&self, action: &str, mut members: Value) -> Value {
        members["realm"] = self.companies[0]["realm"].clone();
        self.act("quickbooks", action, members)
    }

    /// The person disconnects the app at Intuit.
    #[track_caller]
    pub fn revoke(&self) {
        self.act(
            "intuit",
            "disconnect",
            json!({ "realm": self.companies[0]["realm"] }),
        );
    }

    #[track_caller]
    fn act(&self, system: &str, action: &str, mut members: Value) -> Value {
        members["system"] = json!(system);
        members["action"] = json!(action);
        self.call(Method::POST, "action", &members)
    }

    /// Lets something go wrong.
    #[track_caller]
    pub fn fault(&self, rule: &Value) {
        self.call(Method::POST, "faults", rule);
    }

    /// Nothing goes wrong any more.
    #[track_caller]
    pub fn mend(&self) {
        self.call(Method::DELETE, "faults", &Value::Null);
    }

    /// Changes switches.
    #[track_caller]
    pub fn switch(&self, changes: &Value) {
        self.call(Method::PUT, "switches", changes);
    }

    /// Forgets the calls so far.
    #[track_caller]
    pub fn forget_calls(&self) {
        self.call(Method::DELETE, "journal", &Value::Null);
    }

    /// The calls since the last [`Self::forget_calls`].
    #[track_caller]
    pub fn calls(&self) -> Vec<Value> {
        let journal = self.call(Method::GET, "journal?since=0", &Value::Null);
        journal.as_array().cloned().unwrap_or_default()
    }
}

fn command(state: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(purser());
    command.args(["simulators", "--json"]);
    if !options.contains(&"--port") {
        command.args(["--port", "0"]);
    }
    command.args(options).arg("--state").arg(state);
    command.env_clear().env("PURSER_DATA", state.join("unused"));
    command
}

fn environment(told: &Value) -> BTreeMap<String, String> {
    let pairs = told["environment"].as_object().into_iter().flatten();
    pairs
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

#[track_caller]
fn only(systems: &Value) -> Value {
    let all = systems.as_object().expect("systems by name");
    assert_eq!(all.len(), 1, "exactly one is expected");
    all.values().next().cloned().unwrap_or_default()
}
