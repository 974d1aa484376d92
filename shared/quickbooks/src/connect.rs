//! Making a first grant, and proving that it belongs to the realm it is said to be for.

use std::sync::Arc;

use jiff::Timestamp;
use purser_core::{
    failure::Failure,
    ids::{RealmId, TenantId},
    notice::Code,
    policy::Policy,
    ports::{Clock, Lane},
    tenant::Grant,
};
use purser_transport::{Meter, SharedTransport};
use secrecy::SecretString;
use url::Url;

use crate::{
    call::{Call, Expected},
    exchange::Exchange,
    oauth::{OAuthClient, Tokens},
    pace::SharedPacer,
    server_clock::ServerClock,
    wire::{self, CompanyInfoWire},
};

/// The first grant for `realm`, made of the tokens of one exchange. Store it before its first use.
pub fn first_grant(realm: RealmId, tokens: Tokens, now: Timestamp) -> Grant {
    Grant {
        realm,
        refresh_token: tokens.refresh_token,
        previous_refresh_token: None,
        access: Some(tokens.access),
        refresh_expires_at: tokens.refresh_expires_at,
        hard_expires_at: tokens.hard_expires_at,
        refreshing_until: None,
        refreshed_at: Some(now),
        doubted_at: None,
        revoked: false,
    }
}

/// Makes a grant of a bare refresh token, by one refresh.
///
/// The given token may be dead afterwards: store the grant at once. Fails with
/// `QuickBooksDisconnected` when Intuit does not accept the token.
pub async fn connect_with_refresh_token<C: Clock>(
    oauth: &OAuthClient<C>,
    clock: &C,
    tenant: &TenantId,
    realm: &RealmId,
    refresh_token: &SecretString,
) -> Result<Grant, Failure> {
    let mut tokens = oauth.refresh(refresh_token).await?;
    tokens.id_token = None;
    tracing::info!(tenant.id = %tenant, "a refresh token was taken into use");
    Ok(first_grant(realm.clone(), tokens, clock.now()))
}

/// What [`prove_realm`] needs besides the token.
pub struct Proof<C> {
    /// The network, or a simulator.
    pub transport: SharedTransport,
    /// The clock.
    pub clock: Arc<C>,
    /// Timeouts.
    pub policy: Policy,
    /// Where QuickBooks is; see [`Config::base_url`](crate::Config::base_url).
    pub base_url: Url,
    /// Whose connection it will be.
    pub tenant: TenantId,
    /// The realm to prove.
    pub realm: RealmId,
}

/// Reads the company's name with a fresh access token.
///
/// A realm id from an address is worth nothing by itself: a wrong one gives `QuickBooksForbidden`.
/// Fails with `AccessTokenStale` when the token is not accepted at all.
pub async fn prove_realm<C: Clock>(
    proof: Proof<C>,
    access_token: &SecretString,
) -> Result<String, Failure> {
    let pacer = SharedPacer::new(Lane::Person, &proof.policy);
    let exchange = Exchange {
        transport: proof.transport,
        clock: proof.clock,
        policy: proof.policy,
        base_url: proof.base_url,
        tenant: proof.tenant,
        realm: proof.realm.clone(),
        pacer,
        meter: Arc::new(Meter::default()),
        server_clock: ServerClock::new(),
    };
    let expected = Expected::Member(&["CompanyInfo", "QueryResponse"]);
    let call = Call::get(&["companyinfo", proof.realm.as_str()], expected);
    let answer = exchange.once(&call, access_token).await?;
    let info: CompanyInfoWire = wire::single(&answer.body, "CompanyInfo")
        .and_then(wire::read)
        .ok_or_else(|| Failure::new(Code::QuickBooksFailing))?;
    Ok(info.company_name.or(info.legal_name).unwrap_or_default())
}
