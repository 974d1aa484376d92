use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing::{Dispatch, dispatcher::with_default};

use super::*;
use crate::metrics::{Measured, Metric};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }
}

/// The log lines and the documents that an action leaves.
pub(super) fn kept(levels: &str, action: impl FnOnce()) -> (Vec<Value>, Vec<Value>) {
    let (logs, metrics) = (Kept::default(), Kept::default());
    let subscriber = || {
        let (logs, metrics) = (logs.clone(), metrics.clone());
        both(levels, move || logs.clone(), move || metrics.clone())
    };
    // With two alive, none decides for the other's thread what is wanted.
    let _other = Dispatch::new(subscriber());
    with_default(&Dispatch::new(subscriber()), action);
    (logs.lines(), metrics.lines())
}

#[test]
fn a_line_has_the_fields_of_its_event_and_of_every_span_around_it_side_by_side() {
    let (lines, _) = kept("info", || {
        let outer = tracing::error_span!("scan", tenant.id = "north", run = 1);
        let _outer = outer.enter();
        let inner =
            tracing::error_span!("order", po.id = 7, run = 2, outcome = tracing::field::Empty);
        let _inner = inner.enter();
        inner.record("outcome", "billed");
        tracing::warn!(
            po.id = 8,
            attempt = Some(3_u64),
            bill.id = None::<u64>,
            "said"
        );
    });
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    let mut line = line.clone();
    let at = line.as_object_mut().unwrap().remove("timestamp").unwrap();
    assert!(
        at.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(),
        "{at}"
    );
    let expected = serde_json::json!({
        "level": "WARN",
        "target": "purser_runtime::telemetry::tests",
        "message": "said",
        "tenant.id": "north",
        "run": 2,
        "po.id": 8,
        "outcome": "billed",
        "attempt": 3,
    });
    assert_eq!(line, expected);
}

#[test]
fn whatever_is_logged_stays_one_line() {
    let (lines, _) = kept("info", || {
        tracing::info!(why = "a\n{\"level\":\"ERROR\"}\r\n", "two\nlines");
        tracing::info!(duration_ms = 5_i128, status = -1, failed = true, "kinds");
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0]["message"], "two\nlines");
    let [ms, status, failed] = ["duration_ms", "status", "failed"].map(|name| &lines[1][name]);
    assert_eq!(
        (ms, status, failed),
        (&5.into(), &(-1).into(), &true.into())
    );
}

#[test]
fn metrics_are_written_at_every_level_and_never_into_the_log() {
    for levels in ["off", "trace"] {
        let (lines, documents) = kept(levels, || {
            Measured::default().with(Metric::OrdersBilled, 2).emit();
            tracing::error!("said");
        });
        assert_eq!(lines.len(), usize::from(levels == "trace"), "{lines:?}");
        let [document] = &documents[..] else {
            panic!("{documents:?}");
        };
        assert_eq!(document["OrdersBilled"], 2);
        assert_eq!(document["function"], "local");
    }
}

#[test]
fn the_names_of_fields_are_listed_once_and_in_order() {
    assert!(FIELDS.is_sorted_by(|one, next| one < next), "{FIELDS:?}");
}
