//! Documents: one item per tenant and kind. A removed one keeps its item without a body, so that no
//! version is ever used twice.

use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use purser_core::{
    ids::TenantId,
    ports::{DocumentKind, Expected, Put, StoreError},
    tenant::Stored,
};

use crate::{
    body::{self, BODY},
    clock::nonce,
    error::unavailable,
    item::{Item, get_number, get_text, keyed, number, text},
    keys::{self, ItemKey, SORT, TENANTS},
    store::{AwsStore, Question, key_of},
};

/// The attribute of a version.
pub(crate) const VERSION: &str = "version";
/// The attribute that names the write an item comes from.
pub(crate) const NONCE: &str = "nonce";

impl AwsStore {
    pub(crate) async fn list_tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let listed = self
            .query(Question::of(TENANTS.to_owned()), usize::MAX)
            .await?;
        let names = listed.iter().map(|item| get_text(item, SORT));
        names
            .map(|name| {
                let name = name?;
                name.parse()
                    .map_err(|_| crate::error::unreadable("a tenant's name"))
            })
            .collect()
    }

    pub(crate) async fn get_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> Result<Option<Stored<String>>, StoreError> {
        let item = self.item(&keys::document(tenant, kind)).await?;
        let Some(item) = item.filter(|item| item.contains_key(BODY)) else {
            return Ok(None);
        };
        Ok(Some(Stored {
            value: body::read(&item)?,
            version: get_number(&item, VERSION)?,
        }))
    }

    pub(crate) async fn write_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
        content: &str,
        expected: &Expected<u64>,
    ) -> Result<Put, StoreError> {
        match expected {
            // A new tenant, or one that was removed and comes back.
            Expected::Absent => self.put_tenant(tenant).await?,
            _ => self.list_tenant(tenant).await?,
        }
        let key = keys::document(tenant, kind);
        let nonce = nonce();
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keyed(&key)))
            .update_expression("SET #body = :body, nonce = :nonce ADD version :one")
            .expression_attribute_names("#body", BODY)
            .expression_attribute_values(":body", body::attribute(content))
            .expression_attribute_values(":nonce", text(&nonce))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = match expected {
            Expected::Absent => update.condition_expression("attribute_not_exists(#body)"),
            Expected::Is(version) => update
                .condition_expression("attribute_exists(#body) AND version = :expected")
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
                let Some(refusal) = refusal.filter(|e| e.is_conditional_check_failed_exception())
                else {
                    return Err(unavailable(&error));
                };
                own_write(refused_by(refusal), &nonce)
            }
        }
    }

    pub(crate) async fn drop_document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keyed(&keys::document(tenant, kind))))
            .update_expression("REMOVE #body ADD version :one")
            .condition_expression("attribute_exists(#body)")
            .expression_attribute_names("#body", BODY)
            .expression_attribute_values(":one", number(1));
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(refusal) if refusal.is_conditional_check_failed_exception() => Ok(()),
                _ => Err(unavailable(&error)),
            },
        }
    }

    /// Removes what is a tenant's; its name last, so that a removal that was cut short can be seen.
    pub(crate) async fn drop_tenant(&self, tenant: &TenantId) -> Result<(), StoreError> {
        self.unlist(tenant);
        self.drop_pointed(tenant).await?;
        self.drop_mails(tenant).await?;
        loop {
            let some = self.query(Question::of(keys::tenant(tenant)), 500).await?;
            if some.is_empty() {
                break;
            }
            let some: Result<Vec<ItemKey>, _> = some.iter().map(key_of).collect();
            self.remove(&some?).await?;
        }
        self.remove(&[ItemKey::new(TENANTS, tenant.as_str())])
            .await?;
        self.unlist(tenant);
        Ok(())
    }
}

/// The item that a condition was held against, when there is one.
pub(crate) fn refused_by(
    refusal: &aws_sdk_dynamodb::operation::update_item::UpdateItemError,
) -> Option<&Item> {
    use aws_sdk_dynamodb::operation::update_item::UpdateItemError as Refusal;
    match refusal {
        Refusal::ConditionalCheckFailedException(refusal) => refusal.item(),
        _ => None,
    }
}

/// A write whose answer was lost and that was tried again finds itself.
pub(crate) fn own_write(there: Option<&Item>, nonce: &str) -> Result<Put, StoreError> {
    match there {
        Some(item) if get_text(item, NONCE).is_ok_and(|known| known == nonce) => {
            Ok(Put::Done(get_number(item, VERSION)?))
        }
        _ => Ok(Put::Conflict),
    }
}
