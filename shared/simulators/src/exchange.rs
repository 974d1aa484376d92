//! One call from arrival to answer: fault, effect, journal.
//!
//! Every simulator sends its calls through [`Context::exchange`], so that faults and the journal
//! work the same way everywhere.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use jiff::Timestamp;

use crate::{
    System,
    clock::SimulatorClock,
    fault::{FaultKind, Faults},
    journal::{Journal, JournalEntry},
    store::Store,
};

/// What every simulator shares.
#[derive(Clone)]
pub struct Context {
    /// The time.
    pub clock: Arc<dyn SimulatorClock>,
    /// Durable memory.
    pub store: Arc<Store>,
    /// Record of all calls.
    pub journal: Arc<Journal>,
    /// Faults to inject.
    pub faults: Arc<Faults>,
    /// Base address without a trailing slash, such as `http://127.0.0.1:4600`.
    pub public_url: Arc<str>,
}

/// How a call ends for the caller.
#[derive(Debug)]
pub enum Exchange {
    /// A complete answer.
    Answer(Response<Bytes>),
    /// The connection is cut without an answer.
    Cut,
    /// Nothing is ever answered.
    Silence,
}

/// Put into an answer's extensions by a simulator whose success cannot be read from the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect(pub bool);

/// The vendor's own words for faults that have them.
#[derive(Clone, Copy, Debug)]
pub struct FaultAnswers {
    /// "Too many requests", with `Retry-After` when given.
    pub throttled: fn(Option<u64>) -> Response<Bytes>,
    /// "Not signed in".
    pub unauthorised: fn() -> Response<Bytes>,
}

/// A call that has been recognised.
#[derive(Debug)]
pub struct Call {
    /// The system that is called.
    pub system: System,
    /// Route name for faults and the journal.
    pub route: String,
    /// True when the call can change something.
    pub is_write: bool,
    /// True when the bodies hold secrets and must not be kept.
    pub is_secret: bool,
    /// The request as it came.
    pub request: Request<Bytes>,
    /// The vendor's words.
    pub answers: FaultAnswers,
}

/// The parts of a call that the journal keeps.
struct Note {
    entry: JournalEntry,
    is_write: bool,
    is_secret: bool,
}

impl Note {
    fn new(call: &Call, started_at: Timestamp, fault: Option<FaultKind>) -> Self {
        let uri = call.request.uri();
        let entry = JournalEntry {
            number: 0,
            system: call.system,
            route: call.route.clone(),
            method: call.request.method().to_string(),
            path: uri.path().to_owned(),
            request_id: uri.query().and_then(request_id),
            request_body: kept(call.request.body(), call.is_secret),
            status: None,
            response_body: String::new(),
            started_at,
            ended_at: started_at,
            fault,
            effect: false,
        };
        Self {
            entry,
            is_write: call.is_write,
            is_secret: call.is_secret,
        }
    }

    fn effect(&mut self, answer: &Response<Bytes>) {
        let success = answer.status().is_success();
        let effect = answer
            .extensions()
            .get::<Effect>()
            .map_or(success, |effect| effect.0);
        self.entry.effect = self.is_write && effect;
    }

    fn finish(mut self, context: &Context, exchange: Exchange) -> Exchange {
        if let Exchange::Answer(answer) = &exchange {
            self.entry.status = Some(answer.status().as_u16());
            self.entry.response_body = kept(answer.body(), self.is_secret);
        }
        self.entry.ended_at = context.clock.now();
        context.journal.record(self.entry);
        exchange
    }
}

fn kept(body: &Bytes, is_secret: bool) -> String {
    match std::str::from_utf8(body) {
        _ if is_secret => String::new(),
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}

fn request_id(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name.eq_ignore_ascii_case("requestid"))
        .map(|(_, value)| value.into_owned())
}

impl Context {
    /// Carries out one call.
    ///
    /// `effect` decides the answer and, for a write, has changed and stored the world when it
    /// returns; it takes its system's lock itself and must not wait for anything else. It is run
    /// at most once, possibly after the caller has gone.
    pub async fn exchange<F>(&self, call: Call, effect: F) -> Exchange
    where
        F: FnOnce(&Request<Bytes>) -> Response<Bytes> + Send + 'static,
    {
        self.journal.count(call.system, &call.route, call.is_write);
        let fault = self.faults.take(call.system, &call.route);
        let mut note = Note::new(&call, self.clock.now(), fault.clone());
        let fault = match fault {
            Some(FaultKind::Delay { ms }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                None
            }
            Some(FaultKind::LateCommit { ms }) => {
                self.commit_later(ms, call, note, effect);
                return Exchange::Cut;
            }
            other => other,
        };
        if let Some(exchange) = fault.as_ref().and_then(|fault| before(fault, &call)) {
            return note.finish(self, exchange);
        }
        let answer = effect(&call.request);
        note.effect(&answer);
        note.finish(self, after(fault, answer))
    }

    fn commit_later<F>(&self, ms: u64, call: Call, mut note: Note, effect: F)
    where
        F: FnOnce(&Request<Bytes>) -> Response<Bytes> + Send + 'static,
    {
        let context = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            note.effect(&effect(&call.request));
            note.finish(&context, Exchange::Cut);
        });
    }
}

/// How the call ends when the fault comes before the effect.
fn before(fault: &FaultKind, call: &Call) -> Option<Exchange> {
    let exchange = match fault {
        FaultKind::Status { status, body } => {
            Exchange::Answer(status_answer(*status, body.clone()))
        }
        FaultKind::DropBefore => Exchange::Cut,
        FaultKind::TimeoutBefore => Exchange::Silence,
        FaultKind::Garbage => Exchange::Answer(garbage()),
        FaultKind::Empty => Exchange::Answer(Response::new(Bytes::new())),
        FaultKind::Throttle {
            retry_after_seconds,
        } => Exchange::Answer((call.answers.throttled)(*retry_after_seconds)),
        FaultKind::Unauthorised => Exchange::Answer((call.answers.unauthorised)()),
        FaultKind::StatusAfter { .. }
        | FaultKind::DropAfter
        | FaultKind::TimeoutAfter
        | FaultKind::Delay { .. }
        | FaultKind::LateCommit { .. }
        | FaultKind::GarbageAfter
        | FaultKind::TruncateAfter => return None,
    };
    Some(exchange)
}

/// How the call ends when the effect has happened.
fn after(fault: Option<FaultKind>, answer: Response<Bytes>) -> Exchange {
    match fault {
        Some(FaultKind::StatusAfter { status, body }) => {
            Exchange::Answer(status_answer(status, body))
        }
        Some(FaultKind::DropAfter) => Exchange::Cut,
        Some(FaultKind::TimeoutAfter) => Exchange::Silence,
        Some(FaultKind::GarbageAfter) => Exchange::Answer(garbage()),
        Some(FaultKind::TruncateAfter) => Exchange::Answer(truncated(answer)),
        _ => Exchange::Answer(answer),
    }
}

fn truncated(answer: Response<Bytes>) -> Response<Bytes> {
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let half = body.slice(..body.len() / 2);
    Response::from_parts(parts, half)
}

fn garbage() -> Response<Bytes> {
    text_answer(
        StatusCode::OK,
        "text/html",
        "<html><body>It works!</body></html>".into(),
    )
}

fn status_answer(status: u16, body: Option<String>) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = body.unwrap_or_default();
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok();
    let kind = if is_json {
        "application/json"
    } else {
        "text/html"
    };
    text_answer(status, kind, body)
}

pub(crate) fn text_answer(status: StatusCode, kind: &str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    if let Ok(value) = header::HeaderValue::from_str(kind) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

pub(crate) fn json_answer(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    json_text_answer(status, json_text(body))
}

/// The text of a value. To write it as a whole is faster than the value's own way, which is piece by
/// piece through a formatter.
pub(crate) fn json_text(body: &serde_json::Value) -> String {
    serde_json::to_string(body).unwrap_or_else(|_| body.to_string())
}

/// An answer that is JSON already.
pub(crate) fn json_text_answer(status: StatusCode, body: String) -> Response<Bytes> {
    text_answer(status, "application/json; charset=utf-8", body)
}
