//! Writing records: each with its history and mails at once, or not at all.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use purser_core::{
    ids::{OperationId, TenantId},
    ports::{Change, Committed, Expected, HistoryEntry, StoreError, read_record},
    record::{RecordKey, SyncRecord},
};

use crate::{
    body::{self, BODY},
    clock::rising,
    error::{unavailable, unreadable},
    item::{Item, get_number, keyed, number, text},
    keys::{self, CHANGED, DUE, ItemKey, OPEN},
    store::{AwsStore, pause},
};

/// Attributes that lists are filtered by; they stand in the index beside the key.
pub(crate) const LISTED: [&str; 6] = ["order_id", "state", "waiting", "vendor", "code", "search"];
/// Records that are written side by side.
const SIDE_BY_SIDE: usize = 8;

impl AwsStore {
    /// Writes changes: those of one record in their order, different records side by side.
    pub(crate) async fn write_changes(
        &self,
        changes: Vec<Change>,
    ) -> Result<Vec<Committed>, StoreError> {
        let mut by_record: HashMap<RecordKey, Vec<(usize, Change)>> = HashMap::new();
        let count = changes.len();
        for (index, change) in changes.into_iter().enumerate() {
            let key = change.record.key.clone();
            by_record.entry(key).or_default().push((index, change));
        }
        let written = stream::iter(by_record.into_values().map(|of_one| async move {
            let mut outcomes = Vec::new();
            for (index, change) in of_one {
                outcomes.push((index, self.write_change(&change).await?));
            }
            Ok::<_, StoreError>(outcomes)
        }));
        let written: Vec<Vec<_>> = written.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        let mut outcomes: Vec<Option<Committed>> = (0..count).map(|_| None).collect();
        for (index, outcome) in written.into_iter().flatten() {
            outcomes[index] = Some(outcome);
        }
        let all: Option<Vec<_>> = outcomes.into_iter().collect();
        all.ok_or_else(|| unreadable("an outcome that is missing"))
    }

    async fn write_change(&self, change: &Change) -> Result<Committed, StoreError> {
        let record = &change.record;
        self.list_tenant(&record.key.tenant).await?;
        let refused = if change.history.is_empty() && change.mails.is_empty() {
            self.put_alone(change).await?
        } else {
            self.put_together(change).await?
        };
        let Some(there) = refused else {
            return Ok(Committed::Done);
        };
        let Some(there) = there else {
            return Ok(Committed::Conflict(None));
        };
        let there = decode(&there, &record.key.tenant)?;
        // A write whose answer was lost and that was tried again finds itself.
        if there.operation == record.operation {
            return Ok(Committed::Done);
        }
        Ok(Committed::Conflict(Some(Box::new(there))))
    }

    /// `None`: written. Else what is there.
    async fn put_alone(&self, change: &Change) -> Result<Option<Option<Item>>, StoreError> {
        let (condition, values) = condition(&change.expected, change.record.fence);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(change)?))
            .set_condition_expression(condition)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                    Ok(Some(refusal.item().cloned()))
                }
                _ => Err(unavailable(&error)),
            },
        }
    }

    /// The same, with history and mails in one transaction.
    async fn put_together(&self, change: &Change) -> Result<Option<Option<Item>>, StoreError> {
        let mut writes = vec![self.conditional(change)?];
        for entry in &change.history {
            let item = story(&change.record.key.tenant, entry)?;
            writes.push(self.write(item)?);
        }
        for mail in &change.mails {
            writes.push(self.write(crate::outbox::unsent(rising(), mail)?)?);
        }
        for tries in 0.. {
            let transaction = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.clone()));
            match transaction.send().await {
                Ok(_) => return Ok(None),
                Err(error) => match cancelled(&error) {
                    Some(Cancelled::ByCondition(there)) => return Ok(Some(there)),
                    Some(Cancelled::ByAnother) => pause(tries).await?,
                    None => return Err(unavailable(&error)),
                },
            }
        }
        unreachable!("the tries end")
    }

    fn conditional(&self, change: &Change) -> Result<TransactWriteItem, StoreError> {
        let (condition, values) = condition(&change.expected, change.record.fence);
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item(change)?))
            .set_condition_expression(condition)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = put.build().map_err(|error| unreadable(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    pub(crate) fn write(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = put.build().map_err(|error| unreadable(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// Why a transaction did not happen.
pub(crate) enum Cancelled {
    /// The first condition did not hold for what is there.
    ByCondition(Option<Item>),
    /// Something else was at work on the same items, or there was too much of it.
    ByAnother,
}

pub(crate) fn cancelled(error: &SdkError<TransactWriteItemsError>) -> Option<Cancelled> {
    let refusal = error.as_service_error()?;
    if refusal.is_transaction_in_progress_exception() {
        return Some(Cancelled::ByAnother);
    }
    let TransactWriteItemsError::TransactionCanceledException(refusal) = refusal else {
        return None;
    };
    let reasons = refusal.cancellation_reasons();
    let failed = reasons
        .iter()
        .find(|r| r.code() == Some("ConditionalCheckFailed"));
    if let Some(failed) = failed {
        return Some(Cancelled::ByCondition(failed.item().cloned()));
    }
    let is_busy = |code: &str| code == "TransactionConflict" || code == "ThrottlingError";
    let busy = reasons.iter().filter_map(|r| r.code()).any(is_busy);
    busy.then_some(Cancelled::ByAnother)
}

type Values = HashMap<String, aws_sdk_dynamodb::types::AttributeValue>;

/// The condition of the port: the expected operation, and no higher fence.
fn condition(expected: &Expected<OperationId>, fence: u64) -> (Option<String>, Option<Values>) {
    match expected {
        Expected::Absent => (Some("attribute_not_exists(pk)".to_owned()), None),
        Expected::Is(operation) => {
            let values = Values::from([
                (":operation".to_owned(), text(operation.as_str())),
                (":fence".to_owned(), number(fence)),
            ]);
            let condition = "operation = :operation AND fence <= :fence";
            (Some(condition.to_owned()), Some(values))
        }
        Expected::Any => (None, None),
    }
}

/// A record as an item: its body, and what is asked for.
fn item(change: &Change) -> Result<Item, StoreError> {
    let record = &change.record;
    let content = serde_json::to_string(record).map_err(|_| unreadable("a record"))?;
    let order = record.key.order;
    let mut item = keyed(&keys::record(&record.key));
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(BODY, body::attribute(&content));
    set("version", number(record.version));
    set("operation", text(record.operation.as_str()));
    set("fence", number(record.fence));
    set("order_id", number(order.get()));
    set("state", text(record.state.name().as_str()));
    set("search", text(record.search_text()));
    set(CHANGED, text(keys::changed(record.updated_at, order)));
    if record.wait.is_some() {
        set("waiting", number(1));
    }
    if let Some(vendor) = &record.vendor_name {
        set("vendor", text(vendor));
    }
    if let Some(code) = record.code() {
        set("code", text(code));
    }
    if let Some(at) = change.due_at {
        set(DUE, text(keys::due(&record.key.realm, at, order)));
    }
    if let Some(since) = record.open_since() {
        set(OPEN, text(keys::changed(since, order)));
    }
    Ok(item)
}

/// An entry of a story as an item.
fn story(tenant: &TenantId, entry: &HistoryEntry) -> Result<Item, StoreError> {
    let content = serde_json::to_string(entry).map_err(|_| unreadable("an entry of a story"))?;
    let sort = format!("{}{:020}", keys::history(entry.order), rising());
    let mut item = keyed(&ItemKey::new(keys::tenant(tenant), sort));
    item.insert(BODY.to_owned(), body::attribute(&content));
    Ok(item)
}

/// The record of an item. One of a newer version is an error and is never taken for another.
pub(crate) fn decode(item: &Item, tenant: &TenantId) -> Result<SyncRecord, StoreError> {
    let version: u32 = get_number(item, "version")?;
    let record = read_record(version, &body::read(item)?)?;
    if record.key.tenant != *tenant {
        let order = record.key.order;
        return Err(unreadable(format!(
            "the record of order {order} is in another's place"
        )));
    }
    Ok(record)
}
