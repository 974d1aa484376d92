//! Logs: JSON lines with fixed field names, on standard error, never with names, amounts, bodies,
//! addresses or secrets.

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Starts logging at the level of `PURSER_LOG`, or at `default`; a second call changes nothing.
pub fn start(json: bool, default: &str) {
    let filter = EnvFilter::try_from_env("PURSER_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let registry = tracing_subscriber::registry().with(filter);
    let started = if json {
        let layer = fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(std::io::stderr);
        registry.with(layer).try_init()
    } else {
        registry
            .with(fmt::layer().with_writer(std::io::stderr).with_target(false))
            .try_init()
    };
    // A test process may have started one already; that one stays.
    drop(started);
}
