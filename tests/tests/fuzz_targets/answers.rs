//! Clients before a vendor whose next answers are the input.
//!
//! The first line of an input says what is asked and the status of the answer, header lines follow
//! up to an empty line, and the rest is the body.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use purser_core::usecase::{Engine, Ports as _};
use purser_runtime::outside::LiveOutside;
use purser_simulators::Simulators;
use purser_tests::{
    memory::MemoryStore,
    stage::{Scene, Stage, StageClock, StagePorts},
};
use purser_transport::{BoxFuture, Transport, TransportError};
use rust_decimal::Decimal;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::harness::runtime;

/// An input as an answer.
pub(crate) struct Script {
    pub(crate) asked: String,
    pub(crate) status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

impl Script {
    /// Reads an input; `None` when no answer of HTTP could be it.
    pub(crate) fn read(input: &[u8]) -> Option<Self> {
        let end = input.iter().position(|byte| *byte == b'\n')?;
        let (first, rest) = (std::str::from_utf8(&input[..end]).ok()?, &input[end + 1..]);
        let (asked, status) = first.trim().split_once(' ')?;
        let status = StatusCode::from_u16(status.parse().ok()?).ok()?;
        let mut headers = Vec::new();
        let mut body = rest;
        while let Some(end) = body.iter().position(|byte| *byte == b'\n') {
            let line = &body[..end];
            body = &body[end + 1..];
            if line.is_empty() {
                break;
            }
            let at = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(&line[..at]);
            let value = HeaderValue::from_bytes(line[at + 1..].trim_ascii());
            headers.extend(name.ok().zip(value.ok()));
        }
        Some(Self {
            asked: asked.to_owned(),
            status,
            headers,
            body: Bytes::copy_from_slice(body),
        })
    }

    /// The body as JSON, when it is.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(self.body.clone());
        *response.status_mut() = self.status;
        response
            .headers_mut()
            .extend(self.headers.iter().cloned().map(|(n, v)| (Some(n), v)));
        response
    }
}

/// A wire on which the calls of one kind are answered by a script.
struct Wire {
    simulators: Arc<Simulators>,
    /// Whether a path is one of those calls.
    is_scripted: fn(&str) -> bool,
    script: Mutex<Option<Response<Bytes>>>,
}

impl Transport for Wire {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        match script
            .as_ref()
            .filter(|_| (self.is_scripted)(request.uri().path()))
        {
            Some(answer) => {
                let answer = answer.clone();
                Box::pin(async { Ok(answer) })
            }
            None => self.simulators.send(request, timeout),
        }
    }
}

/// A stage whose clients are answered by a script.
pub(crate) struct Scripted {
    pub(crate) runtime: Runtime,
    pub(crate) stage: Stage<MemoryStore>,
    wire: Arc<Wire>,
    engine: Engine<StagePorts<MemoryStore>>,
}

impl Scripted {
    pub(crate) fn new(is_scripted: fn(&str) -> bool) -> Self {
        let runtime = runtime();
        let stage = runtime.block_on(Stage::connected(Scene::default()));
        let wire = Arc::new(Wire {
            simulators: Arc::clone(&stage.simulators),
            is_scripted,
            script: Mutex::default(),
        });
        let (engine, _) = stage.process("scripted", Arc::clone(&wire) as _, &stage.store);
        Self {
            runtime,
            stage,
            wire,
            engine,
        }
    }

    /// From now on the calls are answered like this.
    pub(crate) fn answer(&self, script: &Script) {
        let mut answer = self
            .wire
            .script
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *answer = Some(script.response());
    }

    pub(crate) fn outside(&self) -> &LiveOutside<StageClock, MemoryStore> {
        self.engine.ports().outside()
    }
}

/// A number by its text alone: exactly, and without any of the program's own reading.
pub(crate) fn exact(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let (base, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let mut number = Decimal::from_str_exact(base).ok()?.normalize();
    for _ in 0..exponent.parse::<i32>().ok()?.unsigned_abs().min(60) {
        let ten = Decimal::TEN;
        let next = match exponent.starts_with('-') {
            true => number.checked_div(ten)?,
            false => number.checked_mul(ten)?,
        };
        // A digit that fell off makes it another number.
        let back = match exponent.starts_with('-') {
            true => next.checked_mul(ten)?,
            false => next.checked_div(ten)?,
        };
        if back != number {
            return None;
        }
        number = next;
    }
    Some(number)
}

#[test]
fn numbers_are_read_by_their_text() {
    let read = |text: &str| exact(&serde_json::from_str(text).expect("JSON"));
    assert_eq!(read("12.50e-1"), Some(Decimal::new(125, 2)));
    assert_eq!(read("\" 1e2 \""), Some(Decimal::ONE_HUNDRED));
    assert_eq!(read("1e-40"), None);
    assert_eq!(read("1e40"), None);
    assert_eq!(read("\"1,5\""), None);
    assert_eq!(read("0e99"), Some(Decimal::ZERO));
}
