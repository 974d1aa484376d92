//! The `/_simulator` endpoints, by which tests drive and check simulators in another process.
//!
//! The words of one system (its switches, its people's actions, its audit view) belong to that
//! system; this module only carries them.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use thiserror::Error;

use crate::{Simulators, System, exchange::json_answer, fault::FaultRule};

/// A control request that a simulator cannot carry out.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct ControlError(pub String);

impl From<serde_json::Error> for ControlError {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// What each simulator offers to the control endpoints.
pub trait Controlled {
    /// The present switches.
    fn switches(&self) -> Value;
    /// Changes the switches that are named in `changes` and leaves the others.
    fn change_switches(&self, changes: Value) -> Result<(), ControlError>;
    /// Carries out something that a person or the outside world does.
    fn act(&self, action: Value) -> Result<Value, ControlError>;
    /// Everything a test checks at the end.
    fn world(&self) -> Value;
}

/// The outcome of one control request.
type Outcome = Result<Value, ControlError>;

/// Answers a request under `/_simulator`.
pub(crate) fn handle(simulators: &Simulators, request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path().trim_end_matches('/');
    let outcome = match (
        request.method(),
        path.rsplit('/').next().unwrap_or_default(),
    ) {
        (&Method::GET, "faults") => serialised(&simulators.faults.waiting()),
        (&Method::POST, "faults") => add_faults(simulators, request.body()),
        (&Method::DELETE, "faults") => {
            simulators.faults.clear();
            Ok(json!({}))
        }
        (&Method::GET, "journal") => serialised(&simulators.journal.since(since(request))),
        (&Method::DELETE, "journal") => {
            simulators.journal.clear();
            Ok(json!({}))
        }
        (&Method::GET, "counts") => serialised(&simulators.journal.counts()),
        (&Method::GET, "switches") => Ok(gathered(simulators, |system| system.switches())),
        (&Method::PUT, "switches") => change_switches(simulators, request.body()),
        (&Method::POST, "action") => act(simulators, request.body()),
        (&Method::GET, "world") => Ok(gathered(simulators, |system| system.world())),
        _ => {
            return json_answer(
                StatusCode::NOT_FOUND,
                &json!({ "error": "no such endpoint" }),
            );
        }
    };
    match outcome {
        Ok(body) => json_answer(StatusCode::OK, &body),
        Err(error) => json_answer(StatusCode::BAD_REQUEST, &json!({ "error": error.0 })),
    }
}

fn serialised(value: &impl serde::Serialize) -> Outcome {
    Ok(serde_json::to_value(value)?)
}

fn add_faults(simulators: &Simulators, body: &Bytes) -> Outcome {
    let rules: Vec<FaultRule> = match serde_json::from_slice(body)? {
        Value::Array(rules) => serde_json::from_value(Value::Array(rules))?,
        rule => vec![serde_json::from_value(rule)?],
    };
    for rule in rules {
        simulators.faults.add(rule);
    }
    Ok(json!({}))
}

fn since(request: &Request<Bytes>) -> u64 {
    let query = request.uri().query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "since")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0)
}

fn gathered(simulators: &Simulators, view: impl Fn(&dyn Controlled) -> Value) -> Value {
    let mut all = serde_json::Map::new();
    for system in System::ALL {
        all.insert(
            system.name().to_owned(),
            view(simulators.controlled(system)),
        );
    }
    Value::Object(all)
}

fn change_switches(simulators: &Simulators, body: &Bytes) -> Outcome {
    let changes: std::collections::BTreeMap<System, Value> = serde_json::from_slice(body)?;
    for (system, changes) in changes {
        simulators.controlled(system).change_switches(changes)?;
    }
    Ok(gathered(simulators, |system| system.switches()))
}

fn act(simulators: &Simulators, body: &Bytes) -> Outcome {
    let mut action: Value = serde_json::from_slice(body)?;
    let system = action
        .as_object_mut()
        .and_then(|action| action.remove("system"))
        .ok_or_else(|| ControlError("an action names its system".into()))?;
    let system: System = serde_json::from_value(system)?;
    simulators.controlled(system).act(action)
}
