//! Connecting a tenant: both sides are tried live before anything is stored.

use std::sync::Arc;

use purser_autotask::{AutotaskClient, TenantGate};
use purser_core::{
    failure::Failure,
    ids::{RealmId, TenantId},
    notice::Code,
    ports::{
        Autotask as _, AutotaskReport, Clock, DocumentKind, Expected, GrantStore as _, Lane,
        Ledger, StoreError,
    },
    record::StateName,
    tenant::{AutotaskCredentials, AutotaskDatabase, TenantStatus},
    usecase::{Engine, Ports, load, update},
};
use purser_quickbooks::{Tokens, connect_with_refresh_token, first_grant, prove_realm};
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
    /// Whether the tenant's work may go on at once: it works for the same API user as before, or
    /// for a database that is known to be the one its history is from.
    #[serde(skip)]
    pub goes_on: bool,
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
    let report = match &autotask {
        Some(credentials) => Some(try_autotask(outside, tenant, credentials).await?),
        None => None,
    };
    let place = match autotask.as_ref().zip(report.as_ref()) {
        Some((credentials, report)) => {
            Some(refuse_other_database(engine, outside, tenant, (credentials, report)).await?)
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
    if place.as_ref().is_some_and(|place| place.is_another) {
        // Labels of the database that was left.
        let store = engine.ports().store();
        store.remove_document(tenant, DocumentKind::Labels).await?;
    }
    outside.forget(tenant);
    let goes_on = place.as_ref().is_none_or(|place| place.goes_on);
    let database = place.and_then(|place| place.database);
    let quickbooks = grant.map(|grant| grant.realm).zip(company.clone());
    let user = autotask.map(|credentials| credentials.user);
    let noted = user
        .zip(report.clone())
        .map(|(user, report)| (user, report, database));
    note(engine, tenant, noted, quickbooks).await?;
    engine.clear_trouble(tenant).await?;
    Ok(Connected {
        tenant: tenant.clone(),
        zone_host: report.map(|report| report.zone_host),
        company,
        goes_on,
    })
}

/// Which database new credentials lead to, beside what was known before.
struct Place {
    /// What is known of it from now on.
    database: Option<AutotaskDatabase>,
    /// Whether it is known to be another one than before.
    is_another: bool,
    /// See [`Connected::goes_on`].
    goes_on: bool,
}

/// A tenant's records name orders by their ids, which mean nothing in another Autotask database:
/// there the number of a bill would be written on an order that has nothing to do with it. Where
/// one of the two is not known nothing is compared, and without records there is nothing to mix.
async fn refuse_other_database<C, L, P>(
    engine: &Engine<P>,
    outside: &LiveOutside<C, L>,
    tenant: &TenantId,
    (credentials, report): (&AutotaskCredentials, &AutotaskReport),
) -> Result<Place, ConnectError>
where
    C: Clock + 'static,
    L: Ledger + 'static,
    P: Ports,
{
    // What cannot be unsealed any more must not keep anybody from entering it again.
    let stored = outside.connections().autotask(tenant).await;
    let stored = stored.ok().flatten().map(|stored| stored.value);
    let before = match engine.status(tenant).await?.autotask_database {
        Some(known) => Some(known),
        None => match &stored {
            Some(stored) => database_of(outside, tenant, stored).await,
            None => None,
        },
    };
    let now = report.database.clone();
    let is_known = before.is_some() && now.is_some();
    let is_another = is_known && before != now;
    let counts = engine.ports().store().counts(tenant).await?;
    // Orders that were only seen left nothing in either system.
    let was_at_work = |state: &StateName| !matches!(state, StateName::Queued | StateName::Skipped);
    let has_history = counts
        .iter()
        .any(|(state, count)| *count > 0 && was_at_work(state));
    if is_another && has_history {
        return Err(Failure::new(Code::AutotaskOtherDatabase).into());
    }
    let same_user = stored.is_some_and(|stored| is_same(&stored.user, &credentials.user));
    Ok(Place {
        database: if has_history { before.or(now) } else { now },
        is_another,
        goes_on: !has_history || same_user || is_known,
    })
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// The database of the credentials stored so far. Only their user's name is sent, so that this
/// works when their secret is no longer accepted; that it may fail stops nothing.
async fn database_of<C: Clock + 'static, L: Ledger + 'static>(
    outside: &LiveOutside<C, L>,
    tenant: &TenantId,
    credentials: &AutotaskCredentials,
) -> Option<AutotaskDatabase> {
    let found = trial(outside, tenant, credentials).database().await;
    found.ok().flatten()
}

/// Asks Autotask what these credentials may do, before they are stored.
async fn try_autotask<C: Clock + 'static, L: Ledger + 'static>(
    outside: &LiveOutside<C, L>,
    tenant: &TenantId,
    credentials: &AutotaskCredentials,
) -> Result<AutotaskReport, Failure> {
    trial(outside, tenant, credentials).report().await
}

/// A client for a trial. It has a gate of its own: old credentials that were refused must not stop
/// the new ones.
fn trial<C: Clock + 'static, L: Ledger + 'static>(
    outside: &LiveOutside<C, L>,
    tenant: &TenantId,
    credentials: &AutotaskCredentials,
) -> AutotaskClient<C> {
    let gate = Arc::new(TenantGate::default());
    let limits = (0, Lane::Person, TRIAL_SHARE);
    outside.autotask_with(tenant, gate, credentials.clone(), limits)
}

/// The tenant that is connected to a realm, if there is one.
pub async fn tenant_of_realm<P: Ports>(
    engine: &Engine<P>,
    realm: &RealmId,
) -> Result<Option<TenantId>, StoreError> {
    for tenant in engine.ports().store().tenants().await? {
        if engine.status(&tenant).await?.realm.as_ref() == Some(realm) {
            return Ok(Some(tenant));
        }
    }
    Ok(None)
}

/// Proves that tokens are good for a realm, and gives the company's name.
///
/// A realm id from an address is worth nothing by itself.
pub async fn prove_tokens<C: Clock + 'static, L: Ledger + 'static>(
    outside: &LiveOutside<C, L>,
    tenant: &TenantId,
    realm: &RealmId,
    tokens: &Tokens,
) -> Result<String, Failure> {
    let proof = outside.proof(tenant, realm);
    prove_realm(proof, &tokens.access.token).await
}

/// Stores the tokens of a consent whose realm was proven. Whatever stopped the tenant before is
/// cleared.
pub async fn store_tokens<C, L, P>(
    engine: &Engine<P>,
    outside: &LiveOutside<C, L>,
    tenant: &TenantId,
    (realm, company): (RealmId, String),
    tokens: Tokens,
) -> Result<(), Failure>
where
    C: Clock + 'static,
    L: Ledger + 'static,
    P: Ports,
{
    let grant = first_grant(realm.clone(), tokens, outside.clock().now());
    outside
        .connections()
        .put_grant(tenant, &grant, Expected::Any)
        .await?;
    outside.forget(tenant);
    note(engine, tenant, None, Some((realm, company))).await?;
    engine.clear_trouble(tenant).await?;
    Ok(())
}

/// A realm that belongs to one tenant cannot be taken by another.
async fn refuse_taken<P: Ports>(
    engine: &Engine<P>,
    tenant: &TenantId,
    realm: &RealmId,
) -> Result<(), ConnectError> {
    match tenant_of_realm(engine, realm).await? {
        Some(other) if other != *tenant => Err(ConnectError::RealmTaken(other)),
        _ => Ok(()),
    }
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
    autotask: Option<(String, AutotaskReport, Option<AutotaskDatabase>)>,
    quickbooks: Option<(RealmId, String)>,
) -> Result<(), StoreError> {
    let note = |status: &mut TenantStatus| {
        if let Some((user, report, database)) = &autotask {
            status.autotask_broken = None;
            status.autotask_user = Some(user.clone());
            status.autotask_database.clone_from(database);
            status.autotask_web_url = Some(report.web_url.clone()).filter(|url| !url.is_empty());
        }
        if let Some((realm, company)) = &quickbooks {
            status.realm = Some(realm.clone());
            status.company_name = Some(company.clone());
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
            let before = std::mem::take(status);
            // Links and times of the history stay readable, and whose orders it tells of is known.
            status.autotask_database = before.autotask_database;
            status.autotask_web_url = before.autotask_web_url;
            status.company_name = before.company_name;
            status.company_time_zone = before.company_time_zone;
            realm.is_some()
        };
        update(store, tenant, DocumentKind::Status, clear).await?;
    }
    Ok(())
}
