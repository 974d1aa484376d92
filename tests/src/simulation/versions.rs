//! A deploy under way: the second process is of a newer version, and what it has written the first one
//! does not know. The store holds what this version writes; the first process is shown it as if it
//! were of the next version. A deploy is over at some time: then both processes know everything.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use purser_core::{
    ports::{Delivery, Lane, Message, WorkMessage},
    record::{RecordKey, SyncRecord},
};
use serde_json::{Value, json};

/// The process that is of the newer version; it knows everything.
const NEWER: usize = 1;

#[derive(Debug, Default)]
struct Written {
    records: BTreeSet<RecordKey>,
    messages: BTreeSet<String>,
    /// How often the first process was shown something that it does not know.
    met: u64,
}

/// What the newer process has written.
#[derive(Debug, Default)]
pub(super) struct Versions {
    is_on: AtomicBool,
    written: Mutex<Written>,
}

impl Versions {
    pub(super) fn new(is_on: bool) -> Self {
        Self {
            is_on: AtomicBool::new(is_on),
            written: Mutex::default(),
        }
    }

    fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// The older process is replaced by one of the newer version. Answers whether there was one.
    pub(super) fn end(&self) -> bool {
        self.is_on.swap(false, Ordering::Relaxed)
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record was stored. One that the newer process has written is never to be written by the
    /// other one. Answers whether it was.
    pub(super) fn stored(&self, process: usize, record: &SyncRecord) -> bool {
        if !self.is_on() {
            return false;
        }
        let mut written = self.written();
        if process == NEWER {
            written.records.insert(record.key.clone());
            return false;
        }
        written.records.contains(&record.key)
    }

    /// Whether a process does not know this record.
    pub(super) fn is_newer(&self, process: usize, record: &SyncRecord) -> bool {
        if !self.is_on() || process == NEWER {
            return false;
        }
        let mut written = self.written();
        let is_newer = written.records.contains(&record.key);
        written.met += u64::from(is_newer);
        is_newer
    }

    /// A process sends messages.
    pub(super) fn sent(&self, process: usize, messages: &[Message]) {
        if self.is_on() && process == NEWER {
            let bodies = messages
                .iter()
                .map(|message| json!(message.body).to_string());
            self.written().messages.extend(bodies);
        }
    }

    /// A process reads a delivery.
    pub(super) fn reads(&self, process: usize, delivery: &mut Delivery) {
        if !self.is_on() || process == NEWER {
            return;
        }
        let Ok(mut body) = serde_json::from_str::<Value>(&delivery.body) else {
            return;
        };
        let mut written = self.written();
        if written.messages.contains(&body.to_string()) {
            written.met += 1;
            body["version"] = json!(WorkMessage::VERSION + 1);
            delivery.body = body.to_string();
        }
    }

    /// The copy of a message that is queued in its place when it was given back too often.
    pub(super) fn copy(body: &str, nonce: u64) -> Option<Message> {
        let mut body: Value = serde_json::from_str(body).ok()?;
        body["version"] = json!(WorkMessage::VERSION);
        let body: WorkMessage = serde_json::from_value(body).ok()?;
        let lane = match &body {
            WorkMessage::Sync { origin, .. } if origin.is_person() => Lane::Person,
            _ => Lane::Background,
        };
        Some(Message {
            lane,
            deduplication: format!("copy-{nonce}"),
            body,
        })
    }

    /// How often something was met that was not known.
    pub(super) fn met(&self) -> u64 {
        self.written().met
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use purser_core::ids::{OrderId, RunNumber};

    use super::*;

    fn record() -> SyncRecord {
        let key = RecordKey {
            tenant: "north".parse().expect("a tenant"),
            realm: "913".parse().expect("a realm"),
            order: OrderId::new(1),
        };
        let operation = "operation00000001".parse().expect("an operation");
        SyncRecord::queued(key, "P1".to_owned(), operation, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn an_older_process_that_writes_over_a_newer_record_is_noticed() {
        let versions = Versions::new(true);
        assert!(!versions.stored(0, &record()));
        assert!(!versions.is_newer(0, &record()));
        assert!(!versions.stored(NEWER, &record()));
        assert!(versions.is_newer(0, &record()));
        assert!(!versions.is_newer(NEWER, &record()));
        assert!(versions.stored(0, &record()));
        assert!(versions.end() && !versions.end());
        assert!(!versions.is_newer(0, &record()) && !versions.stored(0, &record()));
        assert!(!Versions::default().stored(0, &record()));
    }

    #[test]
    fn only_the_older_process_reads_a_message_as_newer_and_its_copy_is_the_first_one() {
        let versions = Versions::new(true);
        let body = WorkMessage::EndOfRun {
            version: WorkMessage::VERSION,
            tenant: "north".parse().expect("a tenant"),
            run: RunNumber(7),
            trace: None,
        };
        let message = Message {
            lane: Lane::Background,
            deduplication: "1".to_owned(),
            body,
        };
        versions.sent(NEWER, std::slice::from_ref(&message));
        let first = json!(message.body).to_string();
        let mut delivery = Delivery {
            receipt: "1".to_owned(),
            body: first.clone(),
            receives: 1,
        };
        versions.reads(NEWER, &mut delivery);
        assert_eq!(delivery.body, first);
        versions.reads(0, &mut delivery);
        assert!(
            delivery.body.contains(r#""version":2"#),
            "{}",
            delivery.body
        );
        let copy = Versions::copy(&delivery.body, 1).expect("a message");
        assert_eq!(copy.body, message.body);
    }
}
