//! Logs: JSON lines with fixed field names, never with names, amounts, bodies, addresses or
//! secrets; and beside them the documents of `metrics`.
//!
//! A function writes both to standard output, which AWS keeps. The program on one machine writes to
//! standard error, since its standard output is the answer to a person; metrics only when
//! `PURSER_METRICS` is 1.

mod documents;
mod lines;

use std::panic;

use tracing::Subscriber;
use tracing_subscriber::{
    Layer,
    filter::{FilterExt as _, LevelFilter, Targets, filter_fn},
    fmt::{self, MakeWriter},
    layer::{Filter, SubscriberExt as _},
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::metrics::TARGET;
use documents::Documents;
use lines::JsonLines;

/// The name of the variable that switches metrics on for the program on one machine.
pub const METRICS: &str = "PURSER_METRICS";

/// Every name that a field of a log line may have. A test compares what is logged with it.
pub const FIELDS: &[&str] = &[
    "attempt",
    "bill.id",
    "bills",
    "calls.autotask",
    "calls.quickbooks",
    "correlation",
    "duration_ms",
    "eligible",
    "entity",
    "error",
    "event",
    "failed",
    "failure.class",
    "failure.code",
    "in_doubt",
    "lease.generation",
    "left_out",
    "level",
    "mail.id",
    "message",
    "oldest_s",
    "orders",
    "other",
    "outcome",
    "place",
    "po.id",
    "problem",
    "queued",
    "realm.id",
    "realms",
    "reconnect",
    "request.id",
    "run",
    "seen",
    "status",
    "step",
    "target",
    "tenant.id",
    "tenants",
    "timestamp",
    "trace.id",
    "vendor.code",
    "vendor.status",
    "vendor.tid",
    "why",
];

/// Starts logging for the program on one machine, at the level of `PURSER_LOG`, or at `default`; a
/// second call changes nothing.
pub fn start(json: bool, default: &str) {
    let metrics = std::env::var(METRICS).is_ok_and(|value| value == "1");
    let metrics = metrics.then(|| documents(std::io::stderr));
    let registry = tracing_subscriber::registry().with(metrics);
    let started = if json {
        let logs = JsonLines::new(std::io::stderr);
        registry.with(logs.with_filter(wanted(default))).try_init()
    } else {
        let logs = fmt::layer().with_writer(std::io::stderr).with_target(false);
        registry.with(logs.with_filter(wanted(default))).try_init()
    };
    // A test process may have started one already; that one stays.
    drop(started);
}

/// Starts logs and metrics of a function on AWS.
pub fn start_function() {
    let started = both("info", std::io::stdout, std::io::stdout).try_init();
    drop(started);
    panic::set_hook(Box::new(|panicked| {
        // What a panic says may hold anything that was being worked on.
        let place = panicked.location();
        let place = place.map(|place| format!("{}:{}", place.file(), place.line()));
        tracing::error!(place, "the program panicked");
    }));
}

/// Logs and metrics as JSON lines: of a function, and of a test that reads them.
pub fn both<L, M>(default: &str, logs: L, metrics: M) -> impl Subscriber + Send + Sync
where
    L: for<'w> MakeWriter<'w> + Send + Sync + 'static,
    M: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let logs = JsonLines::new(logs).with_filter(wanted(default));
    tracing_subscriber::registry()
        .with(documents(metrics))
        .with(logs)
}

/// Libraries that see requests, answers and events.
const QUIET: [&str; 10] = [
    "lambda_runtime",
    "lambda_runtime_api_client",
    "lambda_http",
    "aws_config",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
];

/// What is logged: everything of the wanted levels but the documents of metrics.
fn wanted<S: Subscriber>(default: &str) -> impl Filter<S> + use<S> {
    let wanted = std::env::var("PURSER_LOG").unwrap_or_default();
    let wanted = wanted.trim();
    let plain = || default.parse::<Targets>().unwrap_or_default();
    let levels = match wanted.parse::<Targets>() {
        Ok(levels) if !wanted.is_empty() => levels,
        _ => plain(),
    };
    // What others log at deeper levels may hold anything: events with cookies, requests with tokens.
    let least = levels.default_level().unwrap_or(LevelFilter::WARN);
    let quiet = least.min(LevelFilter::WARN);
    let levels = levels.with_targets(QUIET.map(|name| (name, quiet)));
    levels.and(filter_fn(|about| about.target() != TARGET))
}

fn documents<S, M>(writer: M) -> impl Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    M: for<'w> MakeWriter<'w> + 'static,
{
    let only = filter_fn(|about| about.target() == TARGET);
    Documents::new(writer).with_filter(only)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
