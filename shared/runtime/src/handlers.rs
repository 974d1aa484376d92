//! Handlers: a plain event in, a use case, a plain answer out. The functions on AWS and the program
//! on one machine run the same ones with the same event JSON.

use jiff::Timestamp;
use purser_core::{
    ids::{RunNumber, TenantId, TraceId},
    policy::Policy,
    ports::{Chance as _, Clock as _, Lane, Message, Queue as _, StoreError, WorkMessage},
    record::later,
    usecase::{Engine, Ports, RunStart, ScanReport, SyncReport, SyncRequest},
};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;

use crate::summary;

/// The event that starts one run of one tenant; the payload of its one-time alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanEvent {
    /// The version of this form; 1.
    pub version: u32,
    /// Whose run.
    pub tenant: TenantId,
    /// Which run.
    pub run: RunNumber,
}

impl ScanEvent {
    /// The event of one run.
    pub fn new(tenant: TenantId, run: RunNumber) -> Self {
        Self {
            version: 1,
            tenant,
            run,
        }
    }
}

/// What became of a work message.
#[derive(Debug)]
pub enum Worked {
    /// Its orders' states are stored: it may be acknowledged.
    Synced(SyncReport),
    /// Its orders were queued again, each by itself: it may be acknowledged.
    TakenApart,
    /// Its only order makes our code fail: it waits, and its state says so. It may be acknowledged.
    PutOff,
    /// A run ended: it may be acknowledged.
    RunEnded(TenantId, RunNumber),
    /// It, or the record it is about, was written by another version of the program: that is left to
    /// that one.
    NewerVersion,
    /// It can never be understood: it belongs among the dead letters.
    Poison(String),
}

/// Handles the event of the scanner. A second event for the same run does nothing.
///
/// All that follows carries `trace`, or a new one.
pub async fn scan<P: Ports>(
    engine: &Engine<P>,
    event: &ScanEvent,
    trace: Option<TraceId>,
) -> Result<Option<ScanReport>, StoreError> {
    let trace = engine.trace(trace);
    // Lines of every level need these fields, so the span is there at every level.
    let span = tracing::error_span!(
        "scan", tenant.id = %event.tenant, run = event.run.0, trace.id = %trace
    );
    scan_run(engine, event, &trace).instrument(span).await
}

async fn scan_run<P: Ports>(
    engine: &Engine<P>,
    event: &ScanEvent,
    trace: &TraceId,
) -> Result<Option<ScanReport>, StoreError> {
    match engine.claim_run(&event.tenant, event.run).await? {
        RunStart::Repeated => Ok(None),
        RunStart::Claimed => {
            let began = now(engine);
            let scanned = engine.scan(&event.tenant, event.run, trace).await;
            if scanned.is_err() {
                // What it had queued is queued again, and an order is billed once all the same. If
                // even this fails, the run counts as lost after a while.
                drop(engine.give_run_back(&event.tenant, event.run).await);
            }
            let calls = engine.note_calls(&event.tenant).await;
            let known = calls.as_ref().copied().unwrap_or_default();
            summary::scanned(&scanned, known, (began, now(engine)));
            calls.and(scanned).map(Some)
        }
    }
}

/// Handles one work message, in the time that one machine gives to it from `started`.
pub async fn work<P: Ports>(
    engine: &Engine<P>,
    body: &str,
    started: Timestamp,
) -> Result<Worked, StoreError> {
    work_until(engine, body, deadline(started, engine.policy())).await
}

/// Handles one work message. An error means that it must not be acknowledged.
///
/// What would come too close to the deadline is handed on as a message of its own.
pub async fn work_until<P: Ports>(
    engine: &Engine<P>,
    body: &str,
    deadline: Timestamp,
) -> Result<Worked, StoreError> {
    let message = match read_message(body) {
        Ok(message) => message,
        Err(worked) => return Ok(worked),
    };
    let trace = engine.trace(message.trace().cloned());
    let span = tracing::error_span!("work", tenant.id = %message.tenant(), trace.id = %trace);
    let carry_out = async {
        let worked = carry_out(engine, message, deadline, trace).await;
        worked.inspect_err(summary::unfinished)
    };
    carry_out.instrument(span).await
}

async fn carry_out<P: Ports>(
    engine: &Engine<P>,
    message: WorkMessage,
    deadline: Timestamp,
    trace: TraceId,
) -> Result<Worked, StoreError> {
    match message {
        WorkMessage::EndOfRun { tenant, run, .. } => {
            engine.end_run(&tenant, run).await?;
            Ok(Worked::RunEnded(tenant, run))
        }
        WorkMessage::Sync {
            tenant,
            run,
            orders,
            origin,
            ..
        } => {
            if orders.len() > WorkMessage::ORDERS_MAX {
                return Ok(Worked::Poison(
                    "it names more orders than a message may".to_owned(),
                ));
            }
            let request = SyncRequest {
                tenant,
                run,
                orders,
                origin,
                deadline,
                trace: Some(trace),
            };
            let began = now(engine);
            let report = engine.sync(request.clone()).await?;
            let calls = engine.note_calls(&request.tenant).await;
            let known = calls.as_ref().copied().unwrap_or_default();
            summary::synced(&report, known, (began, now(engine)));
            hand_on(engine, &request, &report).await?;
            calls.map(|_| Worked::Synced(report))
        }
    }
}

fn now<P: Ports>(engine: &Engine<P>) -> Timestamp {
    engine.ports().clock().now()
}

/// When the handling of a message that started then must be over. A function has a limit of its own
/// besides.
pub fn deadline(started: Timestamp, policy: &Policy) -> Timestamp {
    later(started, policy.function_time + policy.function_reserve)
}

pub(crate) fn read_message(body: &str) -> Result<WorkMessage, Worked> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    // The place alone: what stands there may be anything, and this is logged.
    let poison = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        Worked::Poison(format!("it is no message at line {line}, column {column}"))
    };
    let versioned: Versioned = serde_json::from_str(body).map_err(poison)?;
    if versioned.version != WorkMessage::VERSION {
        return Err(Worked::NewerVersion);
    }
    serde_json::from_str(body).map_err(poison)
}

/// Orders there was no time for get a message of their own before this one is acknowledged.
async fn hand_on<P: Ports>(
    engine: &Engine<P>,
    request: &SyncRequest,
    report: &SyncReport,
) -> Result<(), StoreError> {
    if report.left_over.is_empty() {
        return Ok(());
    }
    let nonce = engine.ports().chance().operation();
    let lane = if request.origin.is_person() {
        Lane::Person
    } else {
        Lane::Background
    };
    let message = Message {
        lane,
        deduplication: format!("rest-{nonce}"),
        body: WorkMessage::Sync {
            version: WorkMessage::VERSION,
            tenant: request.tenant.clone(),
            run: request.run,
            orders: report.left_over.clone(),
            origin: request.origin,
            trace: request.trace.clone(),
        },
    };
    engine.ports().queue().send(vec![message]).await
}
