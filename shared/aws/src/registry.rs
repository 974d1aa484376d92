//! The registry: an item per entry, and for each owner pointers to the entries that are theirs.
//!
//! A pointer is written before its entry and is only a hint: it counts when the entry it points to
//! is there, alive and of that owner. So both are read consistently, which no global index allows.

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Entry, EntryKey, EntryKind, Expected, Put, Registry, StoreError},
};

use crate::{
    body::{self, BODY},
    clock::nonce,
    documents::{NONCE, VERSION, own_write, refused_by},
    error::{unavailable, unreadable},
    item::{Item, find_number, get_number, get_text, keyed, number, text},
    keys::{self, ItemKey, SORT, TIME_TO_LIVE},
    store::{AwsStore, Filter, Question},
};

const OWNER: &str = "owner";
const GROUP: &str = "in_group";
const NAME: &str = "name";
const KIND: &str = "kind";
/// When an entry is over, in microseconds.
const EXPIRES: &str = "expires";
/// Names the taking of an entry; it stays for a while, so that a retried taking finds itself.
const TAKEN: &str = "taken";
/// How long an entry that is over keeps its item, in seconds, so that no version is used twice.
const KEPT_AFTER: i64 = 86_400;
/// An entry that is there, was not taken, and whose time is not over.
const ALIVE: &str = "attribute_exists(#body) AND attribute_not_exists(#taken) \
                     AND (attribute_not_exists(#expires) OR #expires > :now)";

impl Registry for AwsStore {
    async fn entry(
        &self,
        key: &EntryKey,
        now: Timestamp,
    ) -> Result<Option<(Entry, u64)>, StoreError> {
        let item = self.item(&keys::entry(key)).await?;
        let Some(item) = item.filter(|item| is_alive(item, now)) else {
            return Ok(None);
        };
        Ok(Some((
            decoded(&item, key.kind)?,
            get_number(&item, VERSION)?,
        )))
    }

    async fn put_entry(
        &self,
        entry: Entry,
        expected: Expected<u64>,
        now: Timestamp,
    ) -> Result<Put, StoreError> {
        if !entry.owner.is_empty() {
            self.point(&entry).await?;
        }
        let nonce = nonce();
        let update = self.entry_update(&entry, &nonce);
        let names = |update: UpdateItemFluentBuilder| {
            update.expression_attribute_values(":now", number(now.as_microsecond()))
        };
        let update = match expected {
            Expected::Absent => names(update).condition_expression(format!("NOT ({ALIVE})")),
            Expected::Is(version) => names(update)
                .condition_expression(format!("{ALIVE} AND version = :expected"))
                .expression_attribute_values(":expected", number(version)),
            Expected::Any => update,
        };
        match update.send().await {
            Ok(answer) => {
                let written = answer.attributes.unwrap_or_default();
                Ok(Put::Done(get_number(&written, VERSION)?))
            }
            Err(error) => {
                let refusal = error.as_service_error();
                let refusal = refusal.filter(|e| e.is_conditional_check_failed_exception());
                match refusal {
                    Some(refusal) => own_write(refused_by(refusal), &nonce),
                    None => Err(unavailable(&error)),
                }
            }
        }
    }

    async fn take_entry(
        &self,
        key: &EntryKey,
        now: Timestamp,
    ) -> Result<Option<Entry>, StoreError> {
        let nonce = nonce();
        let gone_at = now.as_second().saturating_add(KEPT_AFTER);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keyed(&keys::entry(key))))
            .update_expression("SET #taken = :taken, #gone = :gone")
            .condition_expression(ALIVE)
            .expression_attribute_names("#body", BODY)
            .expression_attribute_names("#taken", TAKEN)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_names("#gone", TIME_TO_LIVE)
            .expression_attribute_values(":taken", text(&nonce))
            .expression_attribute_values(":gone", number(gone_at))
            .expression_attribute_values(":now", number(now.as_microsecond()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(answer) => {
                let taken = answer.attributes.unwrap_or_default();
                decoded(&taken, key.kind).map(Some)
            }
            Err(error) => {
                let refusal = error.as_service_error();
                let refusal = refusal.filter(|e| e.is_conditional_check_failed_exception());
                let Some(refusal) = refusal else {
                    return Err(unavailable(&error));
                };
                let there = refused_by(refusal);
                let ours = there.filter(|item| get_text(item, TAKEN).is_ok_and(|by| by == nonce));
                ours.map(|item| decoded(item, key.kind)).transpose()
            }
        }
    }

    async fn group(
        &self,
        kind: EntryKind,
        group: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        let question = Question {
            descending: true,
            filter: Some(alive(now)),
            ..Question::of(keys::group(kind, group)).beginning(&keys::entries(kind))
        };
        let found = self.query(question, limit as usize).await?;
        found.iter().map(|item| decoded(item, kind)).collect()
    }

    async fn owned(
        &self,
        kind: EntryKind,
        owner: &str,
        now: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        if owner.is_empty() {
            return Ok(Vec::new());
        }
        let pointed: Result<Vec<_>, _> = self
            .pointers(kind, owner)
            .await?
            .iter()
            .map(|item| pointed(item, kind))
            .collect();
        let places: Vec<ItemKey> = pointed?.iter().map(keys::entry).collect();
        let items = self.items(&places).await?;
        let there = items.iter().filter(|item| is_alive(item, now));
        let entries: Result<Vec<_>, _> = there.map(|item| decoded(item, kind)).collect();
        let mut entries = entries?;
        entries.retain(|entry| entry.owner == owner);
        entries.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(entries)
    }
}

impl AwsStore {
    fn entry_update(&self, entry: &Entry, nonce: &str) -> UpdateItemFluentBuilder {
        let key = &entry.key;
        let mut set = "SET #body = :body, #owner = :owner, #kind = :kind, #group = :group, \
                       #name = :name, #nonce = :nonce"
            .to_owned();
        let mut removed = "#taken".to_owned();
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keyed(&keys::entry(key))));
        let update = if let Some(at) = entry.expires_at {
            set.push_str(", #expires = :expires, #gone = :gone");
            let gone_at = at.as_second().saturating_add(KEPT_AFTER);
            update
                .expression_attribute_values(":expires", number(at.as_microsecond()))
                .expression_attribute_values(":gone", number(gone_at))
        } else {
            removed.push_str(", #expires, #gone");
            update
        };
        update
            .update_expression(format!("{set} REMOVE {removed} ADD version :one"))
            .expression_attribute_names("#body", BODY)
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_names("#kind", KIND)
            .expression_attribute_names("#group", GROUP)
            .expression_attribute_names("#name", NAME)
            .expression_attribute_names("#nonce", NONCE)
            .expression_attribute_names("#taken", TAKEN)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_names("#gone", TIME_TO_LIVE)
            .expression_attribute_values(":body", body::attribute(&entry.body))
            .expression_attribute_values(":owner", text(&entry.owner))
            .expression_attribute_values(":kind", text(key.kind.as_str()))
            .expression_attribute_values(":group", text(&key.group))
            .expression_attribute_values(":name", text(&key.name))
            .expression_attribute_values(":nonce", text(nonce))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Notes in its owner's partition that there may be such an entry.
    async fn point(&self, entry: &Entry) -> Result<(), StoreError> {
        let mut item = keyed(&keys::pointer(&entry.key, &entry.owner));
        item.insert(GROUP.to_owned(), text(&entry.key.group));
        item.insert(NAME.to_owned(), text(&entry.key.name));
        if let Some(at) = entry.expires_at {
            let gone_at = at.as_second().saturating_add(KEPT_AFTER);
            item.insert(TIME_TO_LIVE.to_owned(), number(gone_at));
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item));
        put.send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    async fn pointers(&self, kind: EntryKind, owner: &str) -> Result<Vec<Item>, StoreError> {
        let question = Question::of(keys::owner(kind, owner));
        self.query(question, usize::MAX).await
    }

    /// Removes the entries that a tenant owns, and every pointer from or to what is the tenant's.
    pub(crate) async fn drop_pointed(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let mut gone = Vec::new();
        for kind in EntryKind::ALL {
            if kind.is_owned_by_tenant() {
                for item in self.pointers(kind, tenant.as_str()).await? {
                    let key = pointed(&item, kind)?;
                    let place = keys::entry(&key);
                    let entry = self.item(&place).await?;
                    // Another tenant may own it by now.
                    let is_owned = |item: &Item| get_text(item, OWNER) == Ok(tenant.as_str());
                    gone.extend(entry.filter(is_owned).map(|_| place));
                    gone.push(keys::pointer(&key, tenant.as_str()));
                }
            }
            if kind.is_grouped_by_tenant() {
                let question = Question::of(keys::tenant(tenant)).beginning(&keys::entries(kind));
                for item in self.query(question, usize::MAX).await? {
                    let entry = decoded(&item, kind)?;
                    if !entry.owner.is_empty() {
                        gone.push(keys::pointer(&entry.key, &entry.owner));
                    }
                }
            }
        }
        self.remove(&gone).await
    }
}

fn is_alive(item: &Item, now: Timestamp) -> bool {
    let ends: Option<i64> = find_number(item, EXPIRES).unwrap_or(None);
    item.contains_key(BODY)
        && !item.contains_key(TAKEN)
        && ends.is_none_or(|ends| ends > now.as_microsecond())
}

fn alive(now: Timestamp) -> Filter {
    let names = [("#body", BODY), ("#taken", TAKEN), ("#expires", EXPIRES)];
    let names = names.map(|(place, name)| (place.to_owned(), name.to_owned()));
    let values = [(":now".to_owned(), number(now.as_microsecond()))];
    Filter {
        expression: ALIVE.to_owned(),
        names: names.into(),
        values: values.into(),
    }
}

/// The entry that a pointer names.
fn pointed(item: &Item, kind: EntryKind) -> Result<EntryKey, StoreError> {
    let named = (get_text(item, GROUP)?, get_text(item, NAME)?);
    Ok(EntryKey::new(kind, named.0, named.1))
}

fn decoded(item: &Item, kind: EntryKind) -> Result<Entry, StoreError> {
    let expires: Option<i64> = find_number(item, EXPIRES)?;
    let expires_at = expires
        .map(Timestamp::from_microsecond)
        .transpose()
        .map_err(|_| unreadable("a moment"))?;
    let key = EntryKey::new(kind, get_text(item, GROUP)?, get_text(item, NAME)?);
    if keys::entry(&key).sort != get_text(item, SORT)? {
        return Err(unreadable("an entry in another's place"));
    }
    Ok(Entry {
        key,
        owner: get_text(item, OWNER)?.to_owned(),
        body: body::read(item)?,
        expires_at,
    })
}
