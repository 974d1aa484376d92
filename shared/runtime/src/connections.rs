//! Where the tenants' credentials are kept, sealed, and how a tenant comes to be.

use std::sync::Arc;

use jiff::Timestamp;
use purser_core::{
    failure::Failure,
    ids::{RealmId, TenantId},
    notice::Code,
    ports::{DocumentKind, Expected, GrantStore, Ledger, Put, StoreError},
    tenant::{AccessToken, AutotaskCredentials, Grant, Stored},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::vault::{MasterKeys, Purpose, VaultError};

/// The sealed side of the ledger.
pub struct Connections<L> {
    ledger: Arc<L>,
    keys: MasterKeys,
}

#[derive(Serialize, Deserialize)]
struct CredentialsText {
    user: String,
    secret: String,
    integration_code: String,
}

#[derive(Serialize, Deserialize)]
struct GrantText {
    realm: RealmId,
    refresh_token: String,
    previous_refresh_token: Option<String>,
    access_token: Option<String>,
    access_expires_at: Option<Timestamp>,
    refresh_expires_at: Option<Timestamp>,
    hard_expires_at: Option<Timestamp>,
    refreshing_until: Option<Timestamp>,
    refreshed_at: Option<Timestamp>,
    doubted_at: Option<Timestamp>,
    revoked: bool,
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn unreadable(error: impl ToString) -> StoreError {
    StoreError::Unreadable(error.to_string())
}

/// What cannot be opened yet will be, once this process has read the key again.
fn unopened(error: VaultError) -> StoreError {
    match error {
        VaultError::OtherKey => StoreError::Unavailable(error.to_string()),
        _ => unreadable(error),
    }
}

impl<L: Ledger> Connections<L> {
    /// Credentials of `ledger`, opened with these keys.
    pub fn new(ledger: Arc<L>, keys: MasterKeys) -> Self {
        Self { ledger, keys }
    }

    /// The Autotask credentials of a tenant.
    pub async fn autotask(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<Stored<AutotaskCredentials>>, StoreError> {
        let Some(sealed) = self.ledger.document(tenant, DocumentKind::Autotask).await? else {
            return Ok(None);
        };
        let text = self
            .keys
            .open(Purpose::Autotask, tenant.as_str(), &sealed.value);
        let text: CredentialsText =
            serde_json::from_slice(&text.map_err(unopened)?).map_err(unreadable)?;
        let value = AutotaskCredentials {
            user: text.user,
            secret: SecretString::from(text.secret),
            integration_code: SecretString::from(text.integration_code),
        };
        Ok(Some(Stored {
            value,
            version: sealed.version,
        }))
    }

    /// Stores the Autotask credentials of a tenant.
    pub async fn put_autotask(
        &self,
        tenant: &TenantId,
        credentials: &AutotaskCredentials,
    ) -> Result<(), StoreError> {
        let text = CredentialsText {
            user: credentials.user.clone(),
            secret: credentials.secret.expose_secret().to_owned(),
            integration_code: credentials.integration_code.expose_secret().to_owned(),
        };
        let text = serde_json::to_vec(&text).map_err(unreadable)?;
        let sealed = self.keys.seal(Purpose::Autotask, tenant.as_str(), &text);
        let sealed = sealed.map_err(unreadable)?;
        let kind = DocumentKind::Autotask;
        self.ledger
            .put_document(tenant, kind, sealed, Expected::Any)
            .await
            .map(drop)
    }
}

impl<L: Ledger> GrantStore for Connections<L> {
    async fn grant(&self, tenant: &TenantId) -> Result<Option<Stored<Grant>>, StoreError> {
        let Some(sealed) = self
            .ledger
            .document(tenant, DocumentKind::QuickBooks)
            .await?
        else {
            return Ok(None);
        };
        let text = self
            .keys
            .open(Purpose::Intuit, tenant.as_str(), &sealed.value);
        let text: GrantText =
            serde_json::from_slice(&text.map_err(unopened)?).map_err(unreadable)?;
        let access = text.access_token.zip(text.access_expires_at);
        let value = Grant {
            realm: text.realm,
            refresh_token: SecretString::from(text.refresh_token),
            previous_refresh_token: text.previous_refresh_token.map(SecretString::from),
            access: access.map(|(token, expires_at)| AccessToken {
                token: SecretString::from(token),
                expires_at,
            }),
            refresh_expires_at: text.refresh_expires_at,
            hard_expires_at: text.hard_expires_at,
            refreshing_until: text.refreshing_until,
            refreshed_at: text.refreshed_at,
            doubted_at: text.doubted_at,
            revoked: text.revoked,
        };
        Ok(Some(Stored {
            value,
            version: sealed.version,
        }))
    }

    async fn put_grant(
        &self,
        tenant: &TenantId,
        grant: &Grant,
        expected: Expected<u64>,
    ) -> Result<Put, StoreError> {
        let exposed = |secret: &SecretString| secret.expose_secret().to_owned();
        let text = GrantText {
            realm: grant.realm.clone(),
            refresh_token: exposed(&grant.refresh_token),
            previous_refresh_token: grant.previous_refresh_token.as_ref().map(exposed),
            access_token: grant.access.as_ref().map(|access| exposed(&access.token)),
            access_expires_at: grant.access.as_ref().map(|access| access.expires_at),
            refresh_expires_at: grant.refresh_expires_at,
            hard_expires_at: grant.hard_expires_at,
            refreshing_until: grant.refreshing_until,
            refreshed_at: grant.refreshed_at,
            doubted_at: grant.doubted_at,
            revoked: grant.revoked,
        };
        let text = serde_json::to_vec(&text).map_err(unreadable)?;
        let sealed = self
            .keys
            .seal(Purpose::Intuit, tenant.as_str(), &text)
            .map_err(unreadable)?;
        self.ledger
            .put_document(tenant, DocumentKind::QuickBooks, sealed, expected)
            .await
    }
}

/// The failure of a tenant that is not connected.
pub fn not_connected() -> Failure {
    Failure::new(Code::NotConnected)
}
