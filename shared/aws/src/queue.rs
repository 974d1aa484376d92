//! The queue: SQS FIFO, a group for each tenant and lane.

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{MessageAttributeValue, MessageSystemAttributeName, SendMessageBatchRequestEntry},
};
use purser_core::{
    ids::TenantId,
    ports::{Delivery, Inbox, Lane, Message, Queue, StoreError},
};
use sha2::{Digest as _, Sha256};

use crate::{
    clock::nonce,
    error::{unavailable, unreadable},
};

/// The most messages that one request sends.
const SENT_AT_ONCE: usize = 10;
/// The attribute that says why a message was set aside.
const REASON: &str = "reason";
/// The longest such reason, in characters.
const REASON_MAX: usize = 200;

/// The work queue as a function may use it. A function that was given no queue cannot queue.
#[derive(Clone, Debug)]
pub struct AwsQueue {
    client: Client,
    url: Option<String>,
    dead_letters: Option<String>,
}

impl AwsQueue {
    /// The queue at one address, and the one that messages are set aside in.
    pub fn new(client: Client, url: Option<String>, dead_letters: Option<String>) -> Self {
        Self {
            client,
            url,
            dead_letters,
        }
    }

    fn url(&self) -> Result<&str, StoreError> {
        let missing = || StoreError::Unavailable("this function was given no queue".to_owned());
        self.url.as_deref().ok_or_else(missing)
    }

    /// Queues a body as it is, whatever it says: for messages that another version wrote.
    pub async fn send_raw(
        &self,
        tenant: &TenantId,
        lane: Lane,
        deduplication: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        self.requeue(&group(tenant, lane), deduplication, body)
            .await
    }

    /// Queues a body at the end of a group that it was received from.
    pub async fn requeue(
        &self,
        group: &str,
        deduplication: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        let send = self
            .client
            .send_message()
            .queue_url(self.url()?)
            .message_group_id(group)
            .message_deduplication_id(hashed(group, deduplication))
            .message_body(body);
        send.send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    /// Sets a message aside among the dead letters and says why. The caller acknowledges it.
    pub async fn set_aside(&self, group: &str, body: &str, why: &str) -> Result<(), StoreError> {
        let missing = || StoreError::Unavailable("there is no dead-letter queue".to_owned());
        let url = self.dead_letters.as_deref().ok_or_else(missing)?;
        let why: String = why.chars().take(REASON_MAX).collect();
        let reason = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(why)
            .build()
            .map_err(|error| unreadable(error.to_string()))?;
        let send = self
            .client
            .send_message()
            .queue_url(url)
            .message_group_id(group)
            .message_deduplication_id(hashed(group, &nonce()))
            .message_attributes(REASON, reason)
            .message_body(body);
        send.send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    /// Sends up to ten messages of any groups, in their order.
    async fn send_some(&self, messages: &[Message]) -> Result<(), StoreError> {
        let entries: Result<Vec<_>, _> = messages.iter().enumerate().map(entry).collect();
        let send = self
            .client
            .send_message_batch()
            .queue_url(self.url()?)
            .set_entries(Some(entries?));
        let answer = send.send().await.map_err(|error| unavailable(&error))?;
        // Sent again, those that did arrive are recognised by their deduplication ids.
        match answer.failed().first() {
            Some(failed) => Err(StoreError::Unavailable(failed.code().to_owned())),
            None => Ok(()),
        }
    }
}

impl Queue for AwsQueue {
    async fn send(&self, messages: Vec<Message>) -> Result<(), StoreError> {
        for some in messages.chunks(SENT_AT_ONCE) {
            self.send_some(some).await?;
        }
        Ok(())
    }
}

impl Inbox for AwsQueue {
    async fn receive(&self, visibility: Duration) -> Result<Option<Delivery>, StoreError> {
        let receive = self
            .client
            .receive_message()
            .queue_url(self.url()?)
            .max_number_of_messages(1)
            .visibility_timeout(whole_seconds(visibility))
            // A request whose answer was lost and that is tried again gets the same message.
            .receive_request_attempt_id(nonce())
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let answer = receive.send().await.map_err(|error| unavailable(&error))?;
        let Some(message) = answer.messages.unwrap_or_default().pop() else {
            return Ok(None);
        };
        let receives = message
            .attributes()
            .and_then(|known| known.get(&MessageSystemAttributeName::ApproximateReceiveCount))
            .and_then(|count| count.parse().ok());
        match (message.receipt_handle, message.body, receives) {
            (Some(receipt), Some(body), Some(receives)) => Ok(Some(Delivery {
                receipt,
                body,
                receives,
            })),
            _ => Err(unreadable("a message without receipt, body or count")),
        }
    }

    async fn acknowledge(&self, receipt: &str) -> Result<(), StoreError> {
        let delete = self
            .client
            .delete_message()
            .queue_url(self.url()?)
            .receipt_handle(receipt);
        unless_stale(delete.send().await)
    }

    async fn give_back(&self, receipt: &str, delay: Duration) -> Result<(), StoreError> {
        let change = self
            .client
            .change_message_visibility()
            .queue_url(self.url()?)
            .receipt_handle(receipt)
            .visibility_timeout(whole_seconds(delay));
        unless_stale(change.send().await)
    }
}

/// The group of a tenant's messages in one lane.
pub(crate) fn group(tenant: &TenantId, lane: Lane) -> String {
    let lane = match lane {
        Lane::Background => "background",
        Lane::Person => "person",
    };
    format!("{tenant}#{lane}")
}

/// A deduplication id that no other group shares, whatever the scope the queue was given.
fn hashed(group: &str, deduplication: &str) -> String {
    let digest = Sha256::digest(format!("{group}\n{deduplication}"));
    data_encoding::HEXLOWER.encode(&digest)
}

fn entry((index, message): (usize, &Message)) -> Result<SendMessageBatchRequestEntry, StoreError> {
    let group = group(message.body.tenant(), message.lane);
    let body = serde_json::to_string(&message.body).map_err(|_| unreadable("a work message"))?;
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_deduplication_id(hashed(&group, &message.deduplication))
        .message_group_id(group)
        .message_body(body)
        .build()
        .map_err(|error| unreadable(error.to_string()))
}

/// SQS counts in whole seconds; a message is never shown earlier than was asked.
fn whole_seconds(time: Duration) -> i32 {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

/// A receipt that is no longer current does nothing.
fn unless_stale<A, E, R>(answer: Result<A, SdkError<E, R>>) -> Result<(), StoreError>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    const STALE: [&str; 4] = [
        "ReceiptHandleIsInvalid",
        "MessageNotInflight",
        "InvalidParameterValue",
        "AWS.SimpleQueueService.MessageNotInflight",
    ];
    match answer {
        Ok(_) => Ok(()),
        Err(error) => {
            let code = error
                .as_service_error()
                .and_then(ProvideErrorMetadata::code);
            if code.is_some_and(|code| STALE.contains(&code)) {
                return Ok(());
            }
            Err(unavailable(&error))
        }
    }
}
