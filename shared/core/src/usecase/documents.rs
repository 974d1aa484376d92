//! Typed access to a tenant's documents, with conditional updates.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    ids::TenantId,
    ports::{DocumentKind, Expected, Ledger, Put, StoreError},
    tenant::Stored,
};

/// How often a conditional update is tried before giving up.
const TRIES_MAX: u32 = 20;

/// Reads a document.
pub async fn load<D: DeserializeOwned>(
    ledger: &impl Ledger,
    tenant: &TenantId,
    kind: DocumentKind,
) -> Result<Option<Stored<D>>, StoreError> {
    let Some(stored) = ledger.document(tenant, kind).await? else {
        return Ok(None);
    };
    let value = serde_json::from_str(&stored.value)
        .map_err(|error| StoreError::Unreadable(format!("{}: {error}", kind.as_str())))?;
    Ok(Some(Stored {
        value,
        version: stored.version,
    }))
}

/// Writes a document whatever is there.
pub async fn store<D: Serialize>(
    ledger: &impl Ledger,
    tenant: &TenantId,
    kind: DocumentKind,
    document: &D,
) -> Result<(), StoreError> {
    ledger
        .put_document(tenant, kind, encode(kind, document)?, Expected::Any)
        .await
        .map(drop)
}

/// Reads, changes and writes a document; repeats when somebody else wrote in between.
///
/// `change` returns false to leave the document as it is. Returns the document and whether it was
/// changed.
pub async fn update<D: Serialize + DeserializeOwned + Default + Send>(
    ledger: &impl Ledger,
    tenant: &TenantId,
    kind: DocumentKind,
    mut change: impl FnMut(&mut D) -> bool + Send,
) -> Result<(D, bool), StoreError> {
    for _ in 0..TRIES_MAX {
        let stored = load::<D>(ledger, tenant, kind).await?;
        let (mut document, expected) = match stored {
            Some(stored) => (stored.value, Expected::Is(stored.version)),
            None => (D::default(), Expected::Absent),
        };
        if !change(&mut document) {
            return Ok((document, false));
        }
        let body = encode(kind, &document)?;
        if let Put::Done(_) = ledger.put_document(tenant, kind, body, expected).await? {
            return Ok((document, true));
        }
    }
    Err(StoreError::Unavailable(format!(
        "{} is written by too many at once",
        kind.as_str()
    )))
}

fn encode<D: Serialize>(kind: DocumentKind, document: &D) -> Result<String, StoreError> {
    serde_json::to_string(document)
        .map_err(|error| StoreError::Unreadable(format!("{}: {error}", kind.as_str())))
}
