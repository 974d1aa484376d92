//! Messages of the work queue: each is handled, left to another version of the program, or set aside
//! whole, with a reason that holds nothing of it; and a dead letter comes back as it was.
//!
//! An input is a body, or an event of SQS with bodies in it; `@@order@@` stands for an order.

use purser_core::ports::{Delivery, Inbox as _, Lane, WorkMessage};
use purser_runtime::{
    deliveries::{Fate, QueueEvent, RECEIVES_MAX, deliver},
    handlers::Worked,
};
use purser_tests::stage::Stage;
use serde::Deserialize;
use tokio::runtime::Runtime;

use crate::harness::{Target, World, run, runtime};

const TARGET: Target = Target {
    name: "messages",
    cases: 4_000,
    words: &[
        "@@order@@",
        "\"kind\":\"sync\"",
        "\"kind\":\"end_of_run\"",
        "\"version\":2",
        "north-wind",
        "\"origin\":\"retry\"",
        "\"orders\":[]",
        "\"run\":null",
        "\\\"",
        "Records",
        "body",
        "ApproximateReceiveCount",
        "4711,",
    ],
};

struct Queue {
    runtime: Runtime,
    stage: Stage,
    order: i64,
    sent: u64,
}

impl World for Queue {
    fn build() -> Self {
        let runtime = runtime();
        let mut stage = runtime.block_on(Stage::new());
        let order = stage.add_plain();
        runtime.block_on(stage.run());
        Self {
            runtime,
            stage,
            order,
            sent: 0,
        }
    }

    fn check(&mut self, input: &[u8]) -> String {
        let text = String::from_utf8_lossy(input);
        let text = text.replace("@@order@@", &self.order.to_string());
        let mut outcomes = Vec::new();
        if let Ok(event) = serde_json::from_str::<QueueEvent>(&text) {
            for record in event.records.iter().take(3) {
                let delivery = record.delivery();
                assert_eq!(delivery.body, record.body);
                outcomes.push(self.deliver(&delivery));
            }
        }
        outcomes.push(self.queue(&text));
        let bills = self.stage.bills_of(self.order).len();
        assert_eq!(bills, 1, "the order has one bill, whatever comes");
        outcomes.join(", ")
    }
}

/// What must become of a body, by what it says about itself.
fn expected(body: &str) -> &'static str {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    match serde_json::from_str::<Versioned>(body) {
        Ok(it) if it.version != WorkMessage::VERSION => "left alone",
        Ok(_) => match serde_json::from_str::<WorkMessage>(body) {
            Ok(WorkMessage::Sync { orders, .. }) if orders.len() > WorkMessage::ORDERS_MAX => {
                "set aside"
            }
            Ok(_) => "done",
            Err(_) => "set aside",
        },
        Err(_) => "set aside",
    }
}

impl Queue {
    /// Hands a delivery to the worker.
    fn deliver(&mut self, delivery: &Delivery) -> String {
        let stage = &self.stage;
        let fate = deliver(&stage.engine, delivery, stage.now());
        let fate = self.runtime.block_on(Box::pin(fate));
        let found = match &fate {
            Fate::Done(Worked::Synced(_) | Worked::RunEnded(..)) => "done",
            // Waiting for another version never makes a dead letter of it.
            Fate::Again(_) if delivery.receives + 1 < RECEIVES_MAX => "left alone",
            Fate::Requeue(_) if delivery.receives + 1 >= RECEIVES_MAX => "left alone",
            Fate::SetAside(why) => {
                assert!(!why.contains("panicked"), "{}", delivery.body);
                // The reason is logged, and what stands in a message is not.
                let words = why.replace(|c: char| c.is_ascii_digit(), "");
                let known = [
                    "it is no message at line , column ",
                    "it names more orders than a message may",
                ];
                assert!(known.contains(&words.as_str()), "{why}");
                "set aside"
            }
            other => panic!("{other:?} of {}", delivery.body),
        };
        assert_eq!(
            found,
            expected(&delivery.body),
            "{fate:?} of {}",
            delivery.body
        );
        // What follows from it is worked off.
        self.runtime.block_on(self.stage.drain());
        found.to_owned()
    }

    /// Sends a body through the queue and sees what comes out of it.
    fn queue(&mut self, body: &str) -> String {
        self.sent += 1;
        let name = format!("raw-{}", self.sent);
        let store = self.stage.store.clone();
        let tenant = self.stage.tenant.clone();
        let sent = store.send_raw(&tenant, Lane::Person, &name, body);
        self.runtime.block_on(sent).expect("the queue");
        let delivery = self
            .runtime
            .block_on(self.stage.receive())
            .expect("a message");
        assert_eq!(delivery.body, body, "it comes as it was sent");
        let found = self.deliver(&delivery);
        if found == "set aside" {
            self.bury(&delivery);
        } else {
            // One for another version would come again, for that one.
            let done = store.acknowledge(&delivery.receipt);
            self.runtime.block_on(done).expect("the queue");
        }
        found
    }

    /// Sets a message aside, puts it back, and takes it off the queue.
    fn bury(&mut self, delivery: &Delivery) {
        let store = self.stage.store.clone();
        let stage = &self.stage;
        self.runtime.block_on(async {
            assert!(
                store
                    .bury(&delivery.receipt, "why")
                    .await
                    .expect("the queue")
            );
            let letters = store.dead_letters(1).await.expect("the queue");
            assert_eq!(
                (&letters[0].body, letters[0].why.as_str()),
                (&delivery.body, "why")
            );
            assert!(store.redrive(letters[0].id).await.expect("the queue"));
            let again = stage.receive().await.expect("the message");
            assert_eq!((&again.body, again.receives), (&delivery.body, 1));
            store.acknowledge(&again.receipt).await.expect("the queue");
        });
    }
}

#[test]
fn messages() {
    run::<Queue>(&TARGET);
}
