//! What is sent to be created: a bill only after its intent was stored and before its deadline, and
//! the same bytes whenever the same request id is used.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use purser_core::{
    policy::Policy,
    record::{State, SyncRecord, later},
};

/// An intent as one process stored it last.
#[derive(Clone, Debug)]
struct Stored {
    body: String,
    /// When it was stored, and when the lease ends, by the clock of the process.
    at: Timestamp,
    lease: Option<Timestamp>,
}

/// The intents that were stored and the requests that were sent.
#[derive(Debug, Default)]
pub(super) struct Sends {
    stored: BTreeMap<(usize, String), Stored>,
    sent: BTreeMap<(String, String), Bytes>,
}

impl Sends {
    /// A process has stored a record.
    pub(super) fn stored(&mut self, process: usize, record: &SyncRecord) {
        let State::Planned { intent } = &record.state else {
            return;
        };
        let stored = Stored {
            body: intent.body.clone(),
            at: intent.last_sent.local,
            lease: record.lease.as_ref().map(|lease| lease.until),
        };
        let key = (process, intent.request_id.as_str().to_owned());
        self.stored.insert(key, stored);
    }

    /// A process sends something to be created, at this moment of its own clock. Answers what is
    /// wrong with that.
    pub(super) fn sent(
        &mut self,
        (process, now): (usize, Timestamp),
        (realm, id): (&str, &str),
        (is_bill, body): (bool, &Bytes),
    ) -> Vec<String> {
        let key = (realm.to_owned(), id.to_owned());
        let before = self.sent.entry(key).or_insert_with(|| body.clone());
        let mut wrong = Vec::new();
        if before != body {
            wrong.push(format!("request id {id} was used for other bytes"));
        }
        if is_bill {
            wrong.extend(self.judge(process, now, (id, body)));
        }
        wrong
    }

    fn judge(&self, process: usize, now: Timestamp, (id, body): (&str, &Bytes)) -> Vec<String> {
        let Some(stored) = self.stored.get(&(process, id.to_owned())) else {
            return vec![format!("bill {id} was sent before its intent was stored")];
        };
        let policy = Policy::default();
        let (latest, answered) = (
            later(stored.at, policy.send_delay + policy.send_margin),
            later(now, policy.bill_timeout),
        );
        let conditions = [
            (
                stored.body.as_bytes() == body.as_ref(),
                "in other bytes than its intent has",
            ),
            (now <= latest, "too long after its intent was stored"),
            (
                stored.lease.is_some_and(|lease| answered <= lease),
                "too late for its lease",
            ),
        ];
        let failed = conditions.into_iter().filter(|(is_met, _)| !is_met);
        failed
            .map(|(_, why)| {
                let waited = stored.at.duration_until(now).as_secs();
                format!("bill {id} was sent {why}: {waited} s after it")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ID: &str = "request-1";

    fn now() -> Timestamp {
        "2026-03-16T14:00:00Z".parse().expect("a moment")
    }

    fn with_intent(body: &str) -> Sends {
        let stored = Stored {
            body: body.to_owned(),
            at: now(),
            lease: Some(later(now(), Policy::default().lease)),
        };
        Sends {
            stored: BTreeMap::from([((0, ID.to_owned()), stored)]),
            sent: BTreeMap::new(),
        }
    }

    fn send(sends: &mut Sends, after: u64, (id, body): (&str, &'static str)) -> Vec<String> {
        let at = later(now(), Duration::from_secs(after));
        sends.sent(
            (0, at),
            ("1", id),
            (true, &Bytes::from_static(body.as_bytes())),
        )
    }

    #[test]
    fn a_bill_that_follows_its_intent_at_once_is_right() {
        assert_eq!(send(&mut with_intent("{}"), 1, (ID, "{}")), [""; 0]);
    }

    #[test]
    fn a_bill_without_an_intent_is_noticed() {
        let wrong = send(&mut Sends::default(), 0, (ID, "{}"));
        assert!(wrong[0].contains("before its intent"), "{wrong:?}");
    }

    #[test]
    fn a_bill_that_is_sent_late_is_noticed() {
        let wrong = send(&mut with_intent("{}"), 30, (ID, "{}"));
        assert!(wrong[0].contains("too long after"), "{wrong:?}");
        let wrong = send(&mut with_intent("{}"), 76, (ID, "{}"));
        assert!(wrong[1].contains("its lease"), "{wrong:?}");
    }

    #[test]
    fn other_bytes_under_one_request_id_are_noticed() {
        let mut sends = with_intent("{}");
        assert_eq!(send(&mut sends, 0, (ID, "{}")), [""; 0]);
        let wrong = send(&mut sends, 0, (ID, "{ }"));
        assert!(wrong[0].contains("other bytes"), "{wrong:?}");
        assert!(wrong[1].contains("its intent has"), "{wrong:?}");
    }
}
