//! The documents of [`metrics`](crate::metrics), each written as a line of its own.

use std::{fmt::Debug, io::Write as _};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context};

/// Writes the document of each event that carries one.
pub(super) struct Documents<W> {
    writer: W,
}

impl<W> Documents<W> {
    pub(super) const fn new(writer: W) -> Self {
        Self { writer }
    }
}

#[derive(Default)]
struct Document(Option<String>);

impl Visit for Document {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "document" {
            self.0 = Some(format!("{value}\n"));
        }
    }
}

impl<S, W> Layer<S> for Documents<W>
where
    S: Subscriber,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut document = Document::default();
        event.record(&mut document);
        if let Some(line) = document.0 {
            // A metric that cannot be written is no reason to stop working.
            drop(self.writer.make_writer().write_all(line.as_bytes()));
        }
    }
}
