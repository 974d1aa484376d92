//! Deliveries of the work queue: what becomes of each, whichever queue it came from.

use std::{collections::HashMap, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use jiff::Timestamp;
use purser_core::{
    ports::{Chance as _, Delivery, Lane, Message, Queue as _, StoreError, WorkMessage},
    usecase::{Defect, Engine, Ports},
};
use serde::{Deserialize, Serialize};

use crate::{
    handlers::{self, Worked},
    summary,
};

/// A message received so often is set aside; the dead-letter queue of a stack counts the same.
pub const RECEIVES_MAX: u32 = 5;

/// Why a message is set aside whose handling panicked.
const PANICKED: &str = "its handling panicked";

/// What becomes of a delivery.
#[derive(Debug)]
pub enum Fate {
    /// It was handled: it is acknowledged.
    Done(Worked),
    /// It is shown again after this time.
    Again(Duration),
    /// The same, but it was received so often that a fresh copy is queued in its place.
    Requeue(Duration),
    /// It can never be handled: it is kept among the dead letters, with the reason.
    SetAside(String),
    /// The store did not do its part.
    Failed(StoreError),
}

/// Handles a delivery. A panic costs no other order more than a wait: a message of several is taken
/// apart, and once the leases of the attempt that died are over, the one that panics fails alone. It is
/// put off each time; at the fifth time its message is set aside and a person is told.
pub async fn deliver<P: Ports>(engine: &Engine<P>, delivery: &Delivery, now: Timestamp) -> Fate {
    let deadline = handlers::deadline(now, engine.policy());
    deliver_until(engine, delivery, deadline).await
}

/// The same for a function, which must be over by a moment of its own.
pub async fn deliver_until<P: Ports>(
    engine: &Engine<P>,
    delivery: &Delivery,
    deadline: Timestamp,
) -> Fate {
    let work = AssertUnwindSafe(handlers::work_until(engine, &delivery.body, deadline));
    let policy = engine.policy();
    let is_last = delivery.receives >= RECEIVES_MAX;
    match work.catch_unwind().await {
        // A message that another version of the program wrote is left to that one.
        Ok(Ok(Worked::NewerVersion)) => left_alone(delivery, policy.sweep_interval),
        // So is such a record. It is stored, so that the sweeper of either version finds it.
        Ok(Err(StoreError::Newer(_))) => match alone(engine, &delivery.body).await {
            Ok(true) => Fate::Done(Worked::TakenApart),
            Ok(false) if is_sync(&delivery.body) => Fate::Done(Worked::NewerVersion),
            Ok(false) => left_alone(delivery, policy.sweep_interval),
            Err(error) => Fate::Failed(error),
        },
        Ok(Ok(Worked::Poison(why))) => Fate::SetAside(why),
        Ok(Ok(worked)) => Fate::Done(worked),
        Ok(Err(error)) => Fate::Failed(error),
        Err(_panic) => match panicked(engine, &delivery.body).await {
            Ok(Panicked::Stored(worked)) => Fate::Done(worked),
            Ok(Panicked::SetAside) => Fate::SetAside(PANICKED.to_owned()),
            Ok(Panicked::NoOrder) if is_last => Fate::SetAside(PANICKED.to_owned()),
            Ok(Panicked::NoOrder) => Fate::Again(policy.lease),
            Err(error) => Fate::Failed(error),
        },
    }
}

/// A message for another version of the program is never counted out: deploys take what they take.
fn left_alone(delivery: &Delivery, wait: Duration) -> Fate {
    if delivery.receives + 1 < RECEIVES_MAX {
        Fate::Again(wait)
    } else {
        Fate::Requeue(wait)
    }
}

/// What was done about a message whose handling panicked.
enum Panicked {
    /// What it was about is stored, or queued once more.
    Stored(Worked),
    /// The same, and the message is kept for whoever looks after Purser.
    SetAside,
    /// It is about no order, or every order would fail alike.
    NoOrder,
}

/// An order by itself is put off, so that nothing behind its message waits for it; several are queued
/// each by itself.
async fn panicked<P: Ports>(engine: &Engine<P>, body: &str) -> Result<Panicked, StoreError> {
    summary::panicked();
    if alone(engine, body).await? {
        return Ok(Panicked::Stored(Worked::TakenApart));
    }
    let message = serde_json::from_str(body);
    let Ok(WorkMessage::Sync {
        tenant,
        orders,
        trace,
        ..
    }) = message
    else {
        return Ok(Panicked::NoOrder);
    };
    let [order] = orders.as_slice() else {
        return Ok(Panicked::NoOrder);
    };
    let noted = engine.note_defect(&tenant, *order, trace.as_ref()).await?;
    Ok(match noted {
        Defect::PutOff => Panicked::Stored(Worked::PutOff),
        Defect::Told => Panicked::SetAside,
        Defect::Common => Panicked::NoOrder,
    })
}

/// Whether it is about orders.
fn is_sync(body: &str) -> bool {
    matches!(serde_json::from_str(body), Ok(WorkMessage::Sync { .. }))
}

/// Queues each order of a message by itself, so that one of them stops no other. False when it names
/// one only, or none.
async fn alone<P: Ports>(engine: &Engine<P>, body: &str) -> Result<bool, StoreError> {
    let message = serde_json::from_str(body);
    let Ok(WorkMessage::Sync {
        version,
        tenant,
        run,
        orders,
        origin,
        trace,
    }) = message
    else {
        return Ok(false);
    };
    if orders.len() < 2 {
        return Ok(false);
    }
    let lane = if origin.is_person() {
        Lane::Person
    } else {
        Lane::Background
    };
    let nonce = engine.ports().chance().operation();
    let alone = orders.iter().map(|order| Message {
        lane,
        deduplication: format!("alone-{nonce}-{order}"),
        body: WorkMessage::Sync {
            version,
            tenant: tenant.clone(),
            run,
            orders: vec![*order],
            origin,
            trace: trace.clone(),
        },
    });
    engine.ports().queue().send(alone.collect()).await?;
    Ok(true)
}

/// The event of a queue, as SQS gives it to a function.
#[derive(Clone, Debug, Deserialize)]
pub struct QueueEvent {
    /// The deliveries.
    #[serde(rename = "Records")]
    pub records: Vec<QueueRecord>,
}

/// One delivery in such an event.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueRecord {
    /// Names the message.
    pub message_id: String,
    /// Names this very delivery.
    pub receipt_handle: String,
    /// The body.
    pub body: String,
    /// What SQS says about it.
    #[serde(default)]
    pub attributes: HashMap<String, String>,
}

impl QueueRecord {
    /// The delivery, with how often it was received; a count that is missing is taken for the first.
    pub fn delivery(&self) -> Delivery {
        let count = self.attributes.get("ApproximateReceiveCount");
        Delivery {
            receipt: self.receipt_handle.clone(),
            body: self.body.clone(),
            receives: count.and_then(|count| count.parse().ok()).unwrap_or(1),
        }
    }

    /// The group it came from.
    pub fn group(&self) -> &str {
        let group = self.attributes.get("MessageGroupId");
        group.map_or("", String::as_str)
    }
}

/// What SQS is told about an event: everything not named here was handled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueAnswer {
    /// What was not.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// One message that was not handled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// Its [`QueueRecord::message_id`].
    pub item_identifier: String,
}
