//! The table as the functions find it. Deployed stacks get the same from `infra`; a test compares.

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, LocalSecondaryIndex,
        Projection, ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
    },
};
use purser_core::ports::StoreError;

use crate::{
    error::unavailable,
    keys::{
        CHANGED, CHANGED_INDEX, DUE, DUE_INDEX, OPEN, OPEN_INDEX, PARTITION, SORT, TIME_TO_LIVE,
    },
    records::LISTED,
};

/// Makes an empty table with its indexes, for tests and for machines without a stack.
pub async fn create_table(client: &Client, name: &str) -> Result<(), StoreError> {
    let attributes = [PARTITION, SORT, CHANGED, DUE, OPEN].map(attribute);
    let create = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes.into()))
        .set_key_schema(Some(key_schema(SORT)))
        .local_secondary_indexes(index(CHANGED_INDEX, CHANGED, &LISTED))
        .local_secondary_indexes(index(DUE_INDEX, DUE, &[]))
        .local_secondary_indexes(index(OPEN_INDEX, OPEN, &[]));
    create.send().await.map_err(|error| unavailable(&error))?;
    let specification = TimeToLiveSpecification::builder()
        .attribute_name(TIME_TO_LIVE)
        .enabled(true)
        .build()
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let expiry = client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(specification);
    expiry.send().await.map_err(|error| unavailable(&error))?;
    Ok(())
}

fn attribute(name: &str) -> AttributeDefinition {
    let built = AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build();
    match built {
        Ok(attribute) => attribute,
        Err(_) => unreachable!("both members are set"),
    }
}

fn key_schema(sort: &str) -> Vec<KeySchemaElement> {
    let element = |name: &str, kind: KeyType| {
        let built = KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build();
        match built {
            Ok(element) => element,
            Err(_) => unreachable!("both members are set"),
        }
    };
    vec![
        element(PARTITION, KeyType::Hash),
        element(sort, KeyType::Range),
    ]
}

/// An index of the same partitions in another order: read consistently, unlike a global one.
fn index(name: &str, sort: &str, included: &[&str]) -> LocalSecondaryIndex {
    let projection = if included.is_empty() {
        Projection::builder().projection_type(ProjectionType::KeysOnly)
    } else {
        let names = included.iter().map(|&name| name.to_owned()).collect();
        Projection::builder()
            .projection_type(ProjectionType::Include)
            .set_non_key_attributes(Some(names))
    };
    let built = LocalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(key_schema(sort)))
        .projection(projection.build())
        .build();
    match built {
        Ok(index) => index,
        Err(_) => unreachable!("all members are set"),
    }
}
