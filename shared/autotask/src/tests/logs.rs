//! Nothing personal is in a log line.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};

use purser_core::{ids::OrderId, ports::Autotask};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use super::support::{Answer, Bench, errors, items};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("purser_autotask")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_line_holds_step_status_and_duration_and_nothing_else() {
    let lines = Lines::default();
    // With a single subscriber alive, tracing asks the thread that comes by a line first whether
    // it is wanted at all, which may be another test's. With two it asks the subscribers.
    let _other = tracing::Dispatch::new(Lines::default());
    let _guard = tracing::subscriber::set_default(lines.clone());
    let bench = Bench::new(|_, before| match before {
        0 => errors("deadlock near s3cret-secret of Acme"),
        1 => Answer::Text(200, "s3cret-secret"),
        _ => items([serde_json::json!({"id": 1, "generalMemo": "Acme", "freight": 77.25})]),
    });
    bench.client().orders(&[OrderId::new(1)]).await.unwrap();
    let text = lines.0.lock().unwrap().clone();
    assert!(
        text.contains("step=\"PurchaseOrders\" status=200 duration_ms="),
        "{text}"
    );
    for personal in [
        "s3cret", "CODE012", "api+1", "Acme", "77.25", "http", "user=",
    ] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
}
