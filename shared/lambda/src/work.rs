//! The worker's invocations.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lambda_http::BoxFuture;
use lambda_runtime::{Context, Error, LambdaEvent};
use purser_core::{
    ports::{Chance as _, Clock as _, Inbox as _, StoreError},
    usecase::Ports as _,
};
use purser_runtime::{
    deliveries::{self, Fate, ItemFailure, QueueAnswer, QueueEvent, QueueRecord},
    handlers, summary,
};

use crate::function::Function;

impl Function {
    /// Handles the messages of one event, and names those that must come again. Once one of a group
    /// must, those behind it must as well, so that their order stays.
    pub fn work(
        &self,
        event: LambdaEvent<QueueEvent>,
    ) -> BoxFuture<'_, Result<QueueAnswer, Error>> {
        Box::pin(async move {
            self.refresh().await;
            let deadline = deadline(&event.context);
            let mut answer = QueueAnswer::default();
            let mut held_up = BTreeSet::new();
            for record in &event.payload.records {
                let is_done =
                    !held_up.contains(record.group()) && self.work_one(record, deadline).await;
                if !is_done {
                    held_up.insert(record.group().to_owned());
                    answer.batch_item_failures.push(ItemFailure {
                        item_identifier: record.message_id.clone(),
                    });
                }
            }
            Ok(answer)
        })
    }

    /// Handles one message; false when it must come again.
    async fn work_one(&self, record: &QueueRecord, deadline: Timestamp) -> bool {
        let engine = &self.engine;
        let queue = &engine.ports().queue;
        let delivery = record.delivery();
        let group = record.group();
        let own = handlers::deadline(engine.ports().clock().now(), engine.policy());
        let deadline = own.min(deadline);
        let done = match Box::pin(deliveries::deliver_until(engine, &delivery, deadline)).await {
            Fate::Done(_) => return true,
            Fate::Again(wait) => queue
                .give_back(&delivery.receipt, wait)
                .await
                .map(|()| false),
            Fate::Requeue(_) => {
                let nonce = engine.ports().chance().operation();
                let copy = queue.requeue(group, nonce.as_str(), &delivery.body).await;
                copy.map(|()| true)
            }
            Fate::SetAside(why) => {
                summary::set_aside(&why);
                let aside = queue.set_aside(group, &delivery.body, &why).await;
                aside.map(|()| true)
            }
            Fate::Failed(error) => {
                tracing::warn!(%error, "a message is handled again later");
                if matches!(error, StoreError::Unavailable(_)) {
                    self.doubt_secrets();
                }
                // Longer each time: five tries shall outlast what ails the store.
                let wait = engine.policy().backoff_after(delivery.receives) * 2;
                queue
                    .give_back(&delivery.receipt, wait)
                    .await
                    .map(|()| false)
            }
        };
        done.unwrap_or_else(|error| {
            // It comes back by itself when its time is over.
            tracing::warn!(%error, "a message could not be given back");
            false
        })
    }
}

/// When this invocation is cut off, whatever it is at.
fn deadline(context: &Context) -> Timestamp {
    i64::try_from(context.deadline)
        .ok()
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
        .unwrap_or(Timestamp::MAX)
}
