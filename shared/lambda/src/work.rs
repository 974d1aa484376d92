//! The worker's invocations.

use std::collections::BTreeSet;

use lambda_runtime::{Error, LambdaEvent};
use purser_core::{
    ports::{Chance as _, Clock as _, Inbox as _, StoreError},
    usecase::Ports as _,
};
use purser_runtime::{
    deliveries::{self, Fate, ItemFailure, QueueAnswer, QueueEvent, QueueRecord},
    summary,
};

use crate::function::Function;

impl Function {
    /// Handles the messages of one event, and names those that must come again. Once one of a group
    /// must, those behind it must as well, so that their order stays.
    pub async fn work(&self, event: LambdaEvent<QueueEvent>) -> Result<QueueAnswer, Error> {
        self.refresh().await;
        let mut answer = QueueAnswer::default();
        let mut held_up = BTreeSet::new();
        for record in &event.payload.records {
            let is_done = !held_up.contains(record.group()) && self.work_one(record).await;
            if !is_done {
                held_up.insert(record.group().to_owned());
                answer.batch_item_failures.push(ItemFailure {
                    item_identifier: record.message_id.clone(),
                });
            }
        }
        Ok(answer)
    }

    /// Handles one message; false when it must come again.
    async fn work_one(&self, record: &QueueRecord) -> bool {
        let engine = &self.engine;
        let queue = &engine.ports().queue;
        let delivery = record.delivery();
        let group = record.group();
        let now = engine.ports().clock().now();
        let done = match deliveries::deliver(engine, &delivery, now).await {
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
                let wait = engine.policy().backoff;
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
