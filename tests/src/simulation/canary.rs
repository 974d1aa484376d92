//! What a history logs, and whether any of it must not be: a name, an amount, a secret or a token.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt::{Debug, Write as _},
    sync::OnceLock,
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

thread_local! {
    static LINES: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The log of a thread, to live a history under. There is one for all threads, so that histories side
/// by side do not each have it announced to every place that logs.
pub(super) fn log() -> Dispatch {
    static LOG: OnceLock<Dispatch> = OnceLock::new();
    LOG.get_or_init(|| Dispatch::new(Log)).clone()
}

/// What this thread has logged since it was asked last.
pub(super) fn take() -> String {
    LINES.take()
}

/// Everything that Purser logs at any level, and what others log that is not for their developers.
struct Log;

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to memory does not fail.
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

fn write(record: impl FnOnce(&mut Fields<'_>)) {
    LINES.with_borrow_mut(|lines| {
        record(&mut Fields(lines));
        lines.push('\n');
    });
}

impl Subscriber for Log {
    fn enabled(&self, about: &Metadata<'_>) -> bool {
        about.target().starts_with("purser") || *about.level() <= Level::INFO
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        write(|fields| span.record(fields));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        write(|fields| values.record(fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        write(|fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What must not be in a log, with what it is.
#[derive(Debug, Default)]
pub(super) struct Canaries(BTreeSet<(String, &'static str)>);

impl Canaries {
    /// One more. What is too short to be recognised is no canary.
    pub(super) fn add(&mut self, what: &'static str, text: impl Into<String>) {
        let text = text.into();
        if text.len() >= 5 {
            self.0.insert((text, what));
        }
    }

    /// An amount. A whole number is no canary: a log holds many of those.
    pub(super) fn add_amount(&mut self, amount: &str) {
        if amount.contains('.') && !amount.ends_with(".00") {
            self.add("an amount", amount);
        }
    }

    /// Keeps the tokens of a request to Intuit or its answer, or of a header.
    pub(super) fn add_tokens(&mut self, text: &str) {
        for name in ["access_token", "refresh_token"] {
            // In JSON or in a form.
            for part in text.split(name).skip(1) {
                if !part.starts_with(['"', '=']) {
                    continue;
                }
                let value = part.trim_start_matches(['"', ':', '=', ' ']);
                let end = value.find(['"', '&', ',', '}']).unwrap_or(value.len());
                self.add("a token", &value[..end]);
            }
        }
    }

    /// What of it a log holds, each kind once, without the secret itself.
    pub(super) fn found_in(&self, log: &str) -> BTreeSet<String> {
        let found = self.0.iter().filter(|(text, _)| log.contains(text));
        found
            .map(|(text, what)| {
                let line = log.lines().find(|line| line.contains(text));
                let line = line.unwrap_or_default().replace(text, "...");
                format!("{what} is in the log: {line}")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use tracing::instrument::WithSubscriber as _;

    use super::*;

    #[tokio::test]
    async fn a_name_in_any_field_of_any_line_is_noticed() {
        let mut canaries = Canaries::default();
        canaries.add("a name", "Ingram Supply");
        canaries.add_tokens(r#"{"access_token":"opaque-1","x":1}"#);
        canaries.add_tokens("grant_type=refresh_token&refresh_token=opaque-2");
        take();
        async { tracing::info!(orders = 2, "nothing of it") }
            .with_subscriber(log())
            .await;
        assert_eq!(canaries.found_in(&take()), BTreeSet::new());
        let lines = async {
            tracing::debug!(vendor = "by Ingram Supply", "a bill");
            tracing::trace!("opaque-1");
            let _span = tracing::info_span!("call", bearer = "opaque-2");
        };
        lines.with_subscriber(log()).await;
        let found = canaries.found_in(&take());
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found.iter().all(|line| !line.contains("opaque")),
            "{found:?}"
        );
    }
}
