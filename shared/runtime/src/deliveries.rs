//! Deliveries of the work queue: what becomes of each, whichever queue it came from.

use std::{collections::HashMap, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use jiff::Timestamp;
use purser_core::{
    ids::{OrderId, TenantId, TraceId},
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
    let fate = match work.catch_unwind().await {
        // A message that another version of the program wrote is left to that one.
        Ok(Ok(Worked::NewerVersion)) => return left_alone(delivery, policy.sweep_interval),
        Ok(Ok(Worked::Poison(why))) => return Fate::SetAside(why),
        Ok(Ok(worked)) => return Fate::Done(worked),
        Ok(Err(StoreError::Newer(_))) => left_to_newer(engine, delivery).await,
        Ok(Err(error)) => return Fate::Failed(error),
        Err(_panic) => panicked(engine, delivery).await,
    };
    fate.unwrap_or_else(Fate::Failed)
}

/// A message for another version of the program is never counted out: deploys take what they take.
fn left_alone(delivery: &Delivery, wait: Duration) -> Fate {
    if delivery.receives + 1 < RECEIVES_MAX {
        Fate::Again(wait)
    } else {
        Fate::Requeue(wait)
    }
}

/// Leaves a record to the version that wrote it. It is stored, so that the sweeper of either finds it.
async fn left_to_newer<P: Ports>(
    engine: &Engine<P>,
    delivery: &Delivery,
) -> Result<Fate, StoreError> {
    Ok(match take_apart(engine, &delivery.body).await? {
        Parts::Queued => Fate::Done(Worked::TakenApart),
        Parts::Alone { .. } => Fate::Done(Worked::NewerVersion),
        Parts::None => left_alone(delivery, engine.policy().sweep_interval),
    })
}

/// An order by itself is put off, so that nothing behind its message waits for it.
async fn panicked<P: Ports>(engine: &Engine<P>, delivery: &Delivery) -> Result<Fate, StoreError> {
    summary::panicked();
    let defect = match take_apart(engine, &delivery.body).await? {
        Parts::Queued => return Ok(Fate::Done(Worked::TakenApart)),
        Parts::Alone {
            tenant,
            order,
            trace,
        } => engine.note_defect(&tenant, order, trace.as_ref()).await?,
        Parts::None => Defect::Common,
    };
    let set_aside = || Fate::SetAside("its handling panicked".to_owned());
    Ok(match defect {
        Defect::PutOff => Fate::Done(Worked::PutOff),
        Defect::Told => set_aside(),
        Defect::Common if delivery.receives >= RECEIVES_MAX => set_aside(),
        Defect::Common => Fate::Again(engine.policy().lease),
    })
}

/// What a message was taken apart into, so that none of its orders stops another.
enum Parts {
    /// Each of its orders is queued by itself.
    Queued,
    /// It is about this order alone.
    Alone {
        tenant: TenantId,
        order: OrderId,
        trace: Option<TraceId>,
    },
    /// It is about no order.
    None,
}

async fn take_apart<P: Ports>(engine: &Engine<P>, body: &str) -> Result<Parts, StoreError> {
    let Ok(WorkMessage::Sync {
        version,
        tenant,
        run,
        orders,
        origin,
        trace,
    }) = serde_json::from_str(body)
    else {
        return Ok(Parts::None);
    };
    match *orders.as_slice() {
        [] => return Ok(Parts::None),
        [order] => {
            return Ok(Parts::Alone {
                tenant,
                order,
                trace,
            });
        }
        _ => {}
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
    Ok(Parts::Queued)
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
