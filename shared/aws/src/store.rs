//! One table and how it is called.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, DeleteRequest, KeysAndAttributes, WriteRequest},
};
use purser_core::{ids::TenantId, ports::StoreError};
use rand::Rng as _;

use crate::{
    error::unavailable,
    item::{Item, keyed, text},
    keys::{ItemKey, PARTITION, SORT, TENANTS},
};

/// The most items that one request reads.
const READ_AT_ONCE: usize = 100;
/// Items that are looked at for each one that a filter shall let through.
const READ_FOR_ONE: usize = 4;
/// The most items that one request removes.
const REMOVED_AT_ONCE: usize = 25;
/// How often something is tried again that DynamoDB was too busy for.
pub(crate) const TRIES: u32 = 8;

/// The ledger, the outbox and the registry in one table.
#[derive(Debug)]
pub struct AwsStore {
    pub(crate) client: Client,
    pub(crate) table: String,
    /// Tenants that are known to be listed.
    listed: Mutex<HashSet<TenantId>>,
}

/// A question about one partition, in the order of the table or of one of its indexes.
pub(crate) struct Question<'a> {
    pub(crate) partition: String,
    pub(crate) index: Option<&'a str>,
    /// A condition on the sort key, with its values.
    pub(crate) sort: Option<(&'a str, Vec<(&'static str, AttributeValue)>)>,
    /// A condition on other attributes, with its names and values.
    pub(crate) filter: Option<Filter>,
    pub(crate) descending: bool,
}

/// A condition on attributes that are no keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) expression: String,
    pub(crate) names: HashMap<String, String>,
    pub(crate) values: HashMap<String, AttributeValue>,
}

impl Question<'_> {
    pub(crate) fn of(partition: String) -> Self {
        Self {
            partition,
            index: None,
            sort: None,
            filter: None,
            descending: false,
        }
    }

    /// Only what begins so.
    pub(crate) fn beginning(mut self, with: &str) -> Self {
        let values = vec![(":begin", text(with))];
        self.sort = Some(("begins_with(sk, :begin)", values));
        self
    }
}

impl AwsStore {
    /// The table of that name.
    pub fn new(client: Client, table: String) -> Self {
        Self {
            client,
            table,
            listed: Mutex::default(),
        }
    }

    /// Opens the connection, so that the first real call finds it open.
    pub async fn warm(&self) -> Result<(), StoreError> {
        self.item(&ItemKey::new("warm", "up")).await.map(drop)
    }

    /// One item, as it is now.
    pub(crate) async fn item(&self, key: &ItemKey) -> Result<Option<Item>, StoreError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(keyed(key)))
            .consistent_read(true);
        let answer = get.send().await.map_err(|error| unavailable(&error))?;
        Ok(answer.item)
    }

    /// These items, as they are now; absent ones are left out.
    pub(crate) async fn items(&self, keys: &[ItemKey]) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        for some in keys.chunks(READ_AT_ONCE) {
            let mut wanted: Vec<Item> = some.iter().map(keyed).collect();
            for tries in 0.. {
                let keys = KeysAndAttributes::builder()
                    .set_keys(Some(wanted))
                    .consistent_read(true)
                    .build()
                    .map_err(|error| StoreError::Unavailable(error.to_string()))?;
                let get = self
                    .client
                    .batch_get_item()
                    .request_items(&self.table, keys);
                let answer = get.send().await.map_err(|error| unavailable(&error))?;
                let mut responses = answer.responses.unwrap_or_default();
                found.extend(responses.remove(&self.table).unwrap_or_default());
                let mut rest = answer.unprocessed_keys.unwrap_or_default();
                wanted = rest
                    .remove(&self.table)
                    .map(|rest| rest.keys)
                    .unwrap_or_default();
                if wanted.is_empty() {
                    break;
                }
                pause(tries).await?;
            }
        }
        Ok(found)
    }

    /// Items of one partition in order, until `enough` of them were taken.
    pub(crate) async fn query(
        &self,
        question: Question<'_>,
        enough: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        let take = |item| {
            found.push(item);
            Ok(())
        };
        self.each(question, enough, take).await?;
        Ok(found)
    }

    /// The same, one by one: what is only counted need not be kept.
    pub(crate) async fn each(
        &self,
        question: Question<'_>,
        enough: usize,
        mut take: impl FnMut(Item) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut taken = 0;
        let mut from = None;
        while taken < enough {
            let mut condition = format!("{PARTITION} = :partition");
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .scan_index_forward(!question.descending)
                .set_index_name(question.index.map(str::to_owned))
                .expression_attribute_values(":partition", text(&question.partition))
                .set_exclusive_start_key(from);
            if let Some((sort, values)) = &question.sort {
                condition.push_str(" AND ");
                condition.push_str(sort);
                for (name, value) in values {
                    query = query.expression_attribute_values(*name, value.clone());
                }
            }
            // Without a filter as many are read as are wanted, and no more.
            let wanted = enough - taken;
            match &question.filter {
                Some(filter) => {
                    let some = wanted.saturating_mul(READ_FOR_ONE).max(READ_AT_ONCE);
                    query = query
                        .filter_expression(&filter.expression)
                        .set_limit(i32::try_from(some).ok());
                    for (name, attribute) in &filter.names {
                        query = query.expression_attribute_names(name, attribute);
                    }
                    for (name, value) in &filter.values {
                        query = query.expression_attribute_values(name, value.clone());
                    }
                }
                None => query = query.set_limit(i32::try_from(wanted).ok()),
            }
            let query = query.key_condition_expression(condition);
            let answer = query.send().await.map_err(|error| unavailable(&error))?;
            for item in answer.items.unwrap_or_default().into_iter().take(wanted) {
                take(item)?;
                taken += 1;
            }
            from = answer.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Removes these items.
    pub(crate) async fn remove(&self, keys: &[ItemKey]) -> Result<(), StoreError> {
        for some in keys.chunks(REMOVED_AT_ONCE) {
            let mut requests: Vec<WriteRequest> = some.iter().map(removal).collect();
            for tries in 0.. {
                let write = self
                    .client
                    .batch_write_item()
                    .request_items(&self.table, requests);
                let answer = write.send().await.map_err(|error| unavailable(&error))?;
                let mut rest = answer.unprocessed_items.unwrap_or_default();
                requests = rest.remove(&self.table).unwrap_or_default();
                if requests.is_empty() {
                    break;
                }
                pause(tries).await?;
            }
        }
        Ok(())
    }

    /// Makes sure that a tenant is listed. Costs a write once in a process and tenant.
    pub(crate) async fn list_tenant(&self, tenant: &TenantId) -> Result<(), StoreError> {
        if self.lock().contains(tenant) {
            return Ok(());
        }
        self.put_tenant(tenant).await
    }

    /// Lists a tenant, whether it is known to be listed or not.
    pub(crate) async fn put_tenant(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let key = ItemKey::new(TENANTS, tenant.as_str());
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(keyed(&key)));
        put.send().await.map_err(|error| unavailable(&error))?;
        self.lock().insert(tenant.clone());
        Ok(())
    }

    /// Forgets that a tenant is listed.
    pub(crate) fn unlist(&self, tenant: &TenantId) {
        self.lock().remove(tenant);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<TenantId>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn removal(key: &ItemKey) -> WriteRequest {
    let built = DeleteRequest::builder().set_key(Some(keyed(key))).build();
    match built {
        Ok(request) => WriteRequest::builder().delete_request(request).build(),
        Err(_) => unreachable!("the key is set"),
    }
}

/// The key of an item that was found.
pub(crate) fn key_of(item: &Item) -> Result<ItemKey, StoreError> {
    Ok(ItemKey::new(
        crate::item::get_text(item, PARTITION)?,
        crate::item::get_text(item, SORT)?,
    ))
}

/// Waits before something is tried again, longer each time and by chance; ends the tries.
pub(crate) async fn pause(tries: u32) -> Result<(), StoreError> {
    if tries >= TRIES {
        return Err(StoreError::Unavailable("too busy".to_owned()));
    }
    let most = 10_u64 << tries;
    let wait = rand::rng().next_u64() % most + 1;
    tokio::time::sleep(Duration::from_millis(wait)).await;
    Ok(())
}
