use std::sync::Arc;

use purser_core::{policy::Policy, ports::Lane, tenant::AutotaskCredentials};
use purser_transport::{Meter, SharedTransport};
use url::Url;

use crate::gate::TenantGate;

/// Where the zone of an API user is asked for, unless `PURSER_AUTOTASK_ZONE_URL` says otherwise.
///
/// Any zone host answers the lookup (vendor page "How to: Use the zoneInformation call").
pub const DEFAULT_ZONE_URL: &str = "https://webservices.autotask.net/";

/// Everything one client needs: one tenant, one lane, one set of credentials.
pub struct Config<C> {
    /// The way out.
    pub transport: SharedTransport,
    /// The one clock; also the only place that waits.
    pub clock: Arc<C>,
    /// Times: call timeout, age of the zone, and the scale of every wait.
    pub policy: Policy,
    /// The API user. Sent only to hosts that passed the check, in headers marked sensitive.
    pub credentials: AutotaskCredentials,
    /// The version of the stored credentials. It must rise whenever a person enters them, even if
    /// they are the same: only then does a client call again after Autotask refused them.
    pub credentials_version: u64,
    /// Where the zone is asked for: an origin, or an address that already names
    /// `atservicesrest` or `zoneInformation`.
    pub zone_url: Url,
    /// Whether loopback addresses without TLS are taken too (simulators only).
    pub allow_local: bool,
    /// Who the calls are made for.
    pub lane: Lane,
    /// Our own share of the database's hourly calls, in percent (1 to 100).
    pub share_percent: u8,
    /// Counts every call that was sent.
    pub meter: Arc<Meter>,
    /// What the clients of this tenant share inside the process.
    pub gate: Arc<TenantGate>,
}
