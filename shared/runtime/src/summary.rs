//! The summary of what a handler did: one log line for each order and attempt, and the metrics.

use std::time::Duration;

use jiff::Timestamp;
use purser_core::{
    failure::FailureClass,
    ids::OrderId,
    notice::Code,
    ports::StoreError,
    tenant::CallCounts,
    usecase::{Health, Outcome, OutcomeKind, ScanReport, SyncReport, Tried},
};

use crate::metrics::{Measured, Metric};

/// Tells of a scan that was claimed.
pub(crate) fn scanned(
    scanned: &Result<ScanReport, StoreError>,
    calls: CallCounts,
    (began, ended): (Timestamp, Timestamp),
) {
    let measured = Measured::default().with(Metric::ScansStarted, 1);
    let report = match scanned {
        Ok(report) => report,
        Err(error) => {
            tracing::error!(%error, "a scan was not finished");
            let failed = measured.with(Metric::ScansFailed, 1);
            return failed.store_failed().emit();
        }
    };
    let code = report.stopped.as_ref().map(|notice| notice.code);
    tracing::info!(
        seen = report.counts.seen,
        eligible = report.counts.eligible,
        queued = report.queued.len(),
        failure.code = code.map(Code::as_str),
        failure.class = code.map(|code| tracing::field::display(code.class())),
        calls.autotask,
        calls.quickbooks,
        duration_ms = milliseconds(between(began, ended)),
        "a scan ended"
    );
    match code {
        Some(code) => measured
            .with(Metric::ScansFailed, 1)
            .failed(code.class())
            .emit(),
        None => measured.emit(),
    }
}

/// Tells of the orders of a message: a line for each, one for the message, and the metrics.
pub(crate) fn synced(
    report: &SyncReport,
    calls: CallCounts,
    (began, ended): (Timestamp, Timestamp),
) {
    let both = || report.outcomes.iter().zip(&report.tried);
    let alone = (report.outcomes.len() == 1).then_some(calls);
    for (outcome, tried) in both() {
        tell(outcome, tried, alone);
    }
    tracing::info!(
        orders = report.outcomes.len(),
        left_out = report.left_over.len(),
        calls.autotask,
        calls.quickbooks,
        duration_ms = milliseconds(between(began, ended)),
        "a work message was handled"
    );
    measure(both(), &report.left_over).emit();
}

/// Tells that a message could not be handled because of our own store.
pub(crate) fn unfinished(error: &StoreError) {
    tracing::error!(%error, "a work message was not finished");
    Measured::default().store_failed().emit();
}

/// Tells that the handling of a message panicked; what the panic said may be anybody's business.
pub(crate) fn panicked() {
    tracing::error!("the handling of a message panicked");
    Measured::default().failed(FailureClass::Bug).emit();
}

/// Tells that a message was set aside. Whoever does so calls this, once.
pub fn set_aside(why: &str) {
    tracing::error!(why, "a message that cannot be handled was set aside");
    let measured = Measured::default().with(Metric::DeadLettersSetAside, 1);
    measured.emit();
}

/// Tells what a sweep saw of the tenants it reached.
pub fn swept(known: &[Health], failed: usize) {
    let in_doubt = known.iter().map(|health| health.in_doubt_too_long).sum();
    let reconnect = known.iter().filter(|health| health.needs_reconnect).count();
    let oldest = known.iter().filter_map(|health| health.oldest_open).max();
    let oldest = oldest.unwrap_or_default();
    tracing::info!(
        tenants = known.len(),
        failed,
        in_doubt,
        reconnect,
        oldest_s = oldest.as_secs(),
        "a sweep ended"
    );
    Measured::default()
        .with(Metric::InDoubtTooLong, in_doubt)
        .with(Metric::TenantsNeedReconnect, reconnect as u64)
        .with(Metric::OldestOpenAgeSeconds, oldest.as_secs())
        .with(Metric::SweepsFailed, failed as u64)
        .emit();
}

/// The one line about an order and an attempt. Calls are known only of an order that was alone.
fn tell(outcome: &Outcome, tried: &Tried, calls: Option<CallCounts>) {
    let class = code(outcome).map(Code::class);
    tracing::info!(
        po.id = %outcome.order,
        outcome = outcome.outcome.as_str(),
        failure.code = outcome.code.as_deref(),
        failure.class = class.map(tracing::field::display),
        bill.id = tried.bill.as_ref().map(tracing::field::display),
        attempt = tried.attempt,
        calls.autotask = calls.map(|calls| calls.autotask),
        calls.quickbooks = calls.map(|calls| calls.quickbooks),
        duration_ms = milliseconds(tried.took),
        "an order was attempted"
    );
}

fn measure<'o>(
    orders: impl Iterator<Item = (&'o Outcome, &'o Tried)>,
    left_over: &[OrderId],
) -> Measured {
    let [mut billed, mut refused, mut waiting, mut in_doubt] = [0; 4];
    let mut measured = Measured::default();
    for (outcome, tried) in orders {
        if tried.attempt.is_some() {
            measured = measured.with(Metric::AttemptDuration, milliseconds(tried.took));
        }
        // An order that stays where it was, or that another attempt or message goes on with, is
        // counted there.
        let goes_on_elsewhere =
            left_over.contains(&outcome.order) || code(outcome) == Some(Code::Overtaken);
        let place = match outcome.outcome {
            OutcomeKind::Billed if tried.moved => &mut billed,
            OutcomeKind::Refused if tried.moved => &mut refused,
            OutcomeKind::Waiting if !goes_on_elsewhere => &mut waiting,
            OutcomeKind::InDoubt if !goes_on_elsewhere => &mut in_doubt,
            OutcomeKind::Billed
            | OutcomeKind::Refused
            | OutcomeKind::Waiting
            | OutcomeKind::InDoubt
            | OutcomeKind::Ineligible => continue,
        };
        *place += 1;
        if let Some(class) = code(outcome).map(Code::class) {
            measured = measured.failed(class);
        }
    }
    measured
        .with(Metric::OrdersBilled, billed)
        .with(Metric::OrdersRefused, refused)
        .with(Metric::OrdersWaiting, waiting)
        .with(Metric::OrdersInDoubt, in_doubt)
}

fn code(outcome: &Outcome) -> Option<Code> {
    outcome.code.as_deref().and_then(Code::from_text)
}

fn between(began: Timestamp, ended: Timestamp) -> Duration {
    Duration::try_from(began.duration_until(ended)).unwrap_or_default()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
