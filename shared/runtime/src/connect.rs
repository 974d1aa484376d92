//! Connecting a tenant: both sides are tried live before anything is stored.

use std::sync::Arc;

use purser_autotask::TenantGate;
use purser_core::{
    failure::Failure,
    ids::{RealmId, TenantId},
    notice::Code,
    ports::{Autotask as _, Clock, DocumentKind, Expected, GrantStore as _, Lane, Ledger},
    tenant::{AutotaskCredentials, TenantStatus},
    usecase::{Engine, Ports, load, update},
};
use purser_quickbooks::{connect_with_refresh_token, prove_realm};
use secrecy::SecretString;

use crate::outside::LiveOutside;

/// The share of the hour a trial may use, in percent.
const TRIAL_SHARE: u8 = 50;

/// The QuickBooks side of a new connection.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// The realm.
    pub realm: RealmId,
    /// A refresh token for it.
    pub refresh_token: SecretString,
}

/// Why a connection was not made. Nothing was stored.
#[derive(Debug)]
pub enum ConnectError {
    /// Another tenant is connected to this realm.
    RealmTaken(TenantId),
    /// A side refused or could not be reached.
    Failed {
        /// What happened.
        failure: Failure,
        /// The refresh token that replaced the given one, when Intuit gave a new one before the
        /// failure: the old one may be dead.
        replaced: Option<SecretString>,
    },
}

impl From<Failure> for ConnectError {
    fn from(failure: Failure) -> Self {
        Self::Failed {
            failure,
            replaced: None,
        }
    }
}

impl From<purser_core::ports::StoreError> for ConnectError {
    fn from(error: purser_core::ports::StoreError) -> Self {
        Failure::from(error).into()
    }
}

/// What was connected.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Connected {
    /// The tenant.
    pub tenant: TenantId,
    /// The host of the Autotask zone, when that side was connected now.
    pub zone_host: Option<String>,
    /// The name of the QuickBooks company, when that side was connected now.
    pub company: Option<String>,
}

/// Tries the given sides and stores them. Whatever stopped the tenant before is cleared.
pub async fn connect<C, L, P>(
    engine: &Engine<P>,
    outside: &LiveOutside<C, L>,
    tenant: &TenantId,
    autotask: Option<AutotaskCredentials>,
    grant: Option<NewGrant>,
) -> Result<Connected, ConnectError>
where
    C: Clock + 'static,
    L: Ledger + 'static,
    P: Ports,
{
    if let Some(grant) = &grant {
        refuse_taken(engine, tenant, &grant.realm).await?;
    }
    let zone_host = match &autotask {
        Some(credentials) => {
            // A gate of its own: old credentials that were refused must not stop the new ones.
            let gate = Arc::new(TenantGate::default());
            let limits = (0, Lane::Person, TRIAL_SHARE);
            let trial = outside.autotask_with(tenant, gate, credentials.clone(), limits);
            Some(trial.report().await?.zone_host)
        }
        None => None,
    };
    let company = match &grant {
        Some(grant) => Some(connect_quickbooks(outside, tenant, grant).await?),
        None => None,
    };
    if let Some(credentials) = &autotask {
        outside
            .connections()
            .put_autotask(tenant, credentials)
            .await?;
    }
    outside.forget(tenant);
    let realm = grant.map(|grant| grant.realm);
    note(engine, tenant, realm, (autotask.is_some(), company.clone())).await?;
    engine.clear_trouble(tenant).await?;
    Ok(Connected {
        tenant: tenant.clone(),
        zone_host,
        company,
    })
}

/// A realm that belongs to one tenant cannot be taken by another.
async fn refuse_taken<P: Ports>(
    engine: &Engine<P>,
    tenant: &TenantId,
    realm: &RealmId,
) -> Result<(), ConnectError> {
    for other in engine.ports().store().tenants().await? {
        let status = engine.status(&other).await?;
        if other != *tenant && status.realm.as_ref() == Some(realm) {
            return Err(ConnectError::RealmTaken(other));
        }
    }
    Ok(())
}

async fn connect_quickbooks<C: Clock + 'static, L: Ledger + 'static>(
    outside: &LiveOutside<C, L>,
    tenant: &TenantId,
    new: &NewGrant,
) -> Result<String, ConnectError> {
    let oauth = outside.oauth()?;
    let clock = outside.clock();
    let token = &new.refresh_token;
    let grant = connect_with_refresh_token(&oauth, clock, tenant, &new.realm, token).await?;
    let replaced = Some(grant.refresh_token.clone());
    let failed = |failure| ConnectError::Failed {
        failure,
        replaced: replaced.clone(),
    };
    let Some(access) = grant.access.clone() else {
        return Err(failed(Failure::new(Code::QuickBooksDisconnected)));
    };
    let proof = outside.proof(tenant, &new.realm);
    let company = prove_realm(proof, &access.token).await.map_err(failed)?;
    let stored = outside
        .connections()
        .put_grant(tenant, &grant, Expected::Any)
        .await;
    stored.map_err(|error| failed(error.into()))?;
    Ok(company)
}

async fn note<P: Ports>(
    engine: &Engine<P>,
    tenant: &TenantId,
    realm: Option<RealmId>,
    (autotask, company): (bool, Option<String>),
) -> Result<(), ConnectError> {
    let note = |status: &mut TenantStatus| {
        if autotask {
            status.autotask_broken = None;
        }
        if let Some(realm) = &realm {
            status.realm = Some(realm.clone());
            status.company_name.clone_from(&company);
            status.quickbooks_broken = None;
            status.quickbooks_quiet_until = None;
        }
        true
    };
    engine.update_status(tenant, note).await?;
    Ok(())
}

/// Ends a tenant's connections: the grant is revoked at Intuit, both secrets are removed, settings
/// and history stay.
pub async fn disconnect<C, L, P>(
    engine: &Engine<P>,
    outside: &LiveOutside<C, L>,
    tenant: &TenantId,
) -> Result<(), Failure>
where
    C: Clock + 'static,
    L: Ledger + 'static,
    P: Ports,
{
    if let Some(grant) = outside.connections().grant(tenant).await? {
        let oauth = outside.oauth()?;
        if let Err(failure) = oauth.revoke(&grant.value.refresh_token).await {
            tracing::warn!(tenant.id = %tenant, failure.code = %failure.code(), "the grant was not revoked");
        }
    }
    let store = engine.ports().store();
    store
        .remove_document(tenant, DocumentKind::QuickBooks)
        .await?;
    store
        .remove_document(tenant, DocumentKind::Autotask)
        .await?;
    outside.forget(tenant);
    if load::<TenantStatus>(store, tenant, DocumentKind::Status)
        .await?
        .is_some()
    {
        let clear = |status: &mut TenantStatus| {
            let realm = status.realm.take();
            *status = TenantStatus::default();
            realm.is_some()
        };
        update(store, tenant, DocumentKind::Status, clear).await?;
    }
    Ok(())
}
