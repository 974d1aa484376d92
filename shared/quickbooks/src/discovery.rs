//! Where Intuit's sign-in and token service are, from Intuit's own discovery document.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, header::ACCEPT};
use jiff::{SignedDuration, Timestamp};
use purser_core::{failure::Failure, notice::Code, policy::Policy, ports::Clock};
use purser_transport::SharedTransport;
use serde::Deserialize;
use thiserror::Error;
use url::{Host, Url};

/// Intuit's discovery document for production apps.
pub const DISCOVERY_PRODUCTION: &str =
    "https://developer.api.intuit.com/.well-known/openid_configuration";
/// The same for development keys; it differs in the userinfo address only.
pub const DISCOVERY_SANDBOX: &str =
    "https://developer.api.intuit.com/.well-known/openid_sandbox_configuration";
/// The only issuer Intuit has.
const ISSUER: &str = "https://oauth.platform.intuit.com/op/v1";
/// How long a document is trusted. Not scaled: addresses do not change with the clock's speed.
const AGE_MAX: Duration = Duration::from_hours(24);

/// An address that secrets must not be sent to.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is not an https address under intuit.com")]
pub struct UntrustedUrl(String);

/// Reads an address that may be given secrets: https under `intuit.com`, on the usual port.
///
/// With `allow_local` also http or https on a loopback address, for simulators.
pub fn trusted_url(text: &str, allow_local: bool) -> Result<Url, UntrustedUrl> {
    let untrusted = || UntrustedUrl(text.split('?').next().unwrap_or_default().to_owned());
    let url: Url = text.parse().map_err(|_| untrusted())?;
    let is_bare = url.username().is_empty() && url.password().is_none();
    let is_trusted = match url.host() {
        Some(Host::Domain(host)) if host == "intuit.com" || host.ends_with(".intuit.com") => {
            url.scheme() == "https" && url.port().is_none()
        }
        Some(Host::Domain("localhost")) => allow_local,
        Some(Host::Ipv4(address)) => allow_local && address.is_loopback(),
        Some(Host::Ipv6(address)) => allow_local && address.is_loopback(),
        _ => false,
    };
    let is_web = matches!(url.scheme(), "http" | "https");
    if is_bare && is_trusted && is_web {
        Ok(url)
    } else {
        Err(untrusted())
    }
}

/// Intuit's endpoints, each checked by [`trusted_url`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// Where a person is sent to sign in or connect.
    pub authorization_endpoint: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_endpoint: Url,
    /// Where a grant is given back.
    pub revocation_endpoint: Url,
    /// Who signed in.
    pub userinfo_endpoint: Url,
    /// The keys that sign identity tokens.
    pub jwks_uri: Url,
    /// What `iss` of an identity token must be, letter by letter.
    pub issuer: String,
}

#[derive(Deserialize)]
struct DiscoveryWire {
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    issuer: String,
}

impl Discovery {
    /// Reads a document and refuses any address or issuer that is not Intuit's.
    fn read(body: &[u8], allow_local: bool) -> Option<Self> {
        let wire: DiscoveryWire = serde_json::from_slice(body).ok()?;
        let trusted = |text: &str| trusted_url(text, allow_local).ok();
        let is_local = allow_local && trusted(&wire.issuer).is_some();
        if wire.issuer != ISSUER && !is_local {
            return None;
        }
        Some(Self {
            authorization_endpoint: trusted(&wire.authorization_endpoint)?,
            token_endpoint: trusted(&wire.token_endpoint)?,
            revocation_endpoint: trusted(&wire.revocation_endpoint)?,
            userinfo_endpoint: trusted(&wire.userinfo_endpoint)?,
            jwks_uri: trusted(&wire.jwks_uri)?,
            issuer: wire.issuer,
        })
    }
}

/// Reads the document when it is needed and keeps it for a day.
pub(crate) struct DiscoverySource<C> {
    pub(crate) transport: SharedTransport,
    pub(crate) clock: Arc<C>,
    pub(crate) policy: Policy,
    pub(crate) url: Url,
    pub(crate) allow_local: bool,
    pub(crate) cached: Mutex<Option<(Timestamp, Discovery)>>,
}

impl<C: Clock> DiscoverySource<C> {
    /// The endpoints. An old document serves on while Intuit does not give a new one.
    pub(crate) async fn get(&self) -> Result<Discovery, Failure> {
        let now = self.clock.now();
        let cached = self
            .cached
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((read_at, discovery)) = &cached {
            let age_max = SignedDuration::try_from(AGE_MAX).unwrap_or_default();
            if now.duration_since(*read_at).abs() < age_max {
                return Ok(discovery.clone());
            }
        }
        match self.fetch().await {
            Ok(fresh) => {
                let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
                *cached = Some((now, fresh.clone()));
                Ok(fresh)
            }
            Err(failure) => cached.map(|(_, old)| old).ok_or(failure),
        }
    }

    async fn fetch(&self) -> Result<Discovery, Failure> {
        let request = Request::builder()
            .uri(self.url.as_str())
            .header(ACCEPT, "application/json")
            .body(Bytes::new())
            .map_err(|_| Failure::new(Code::QuickBooksBug))?;
        let answer = self.transport.send(request, self.policy.call_timeout).await;
        let answer = answer.map_err(|_| Failure::new(Code::QuickBooksUnreachable))?;
        let discovery = Discovery::read(answer.body(), self.allow_local);
        if let Some(discovery) = discovery.filter(|_| answer.status().is_success()) {
            return Ok(discovery);
        }
        let status = answer.status().as_u16();
        tracing::warn!(status, "Intuit's discovery document cannot be used");
        Err(Failure::new(Code::QuickBooksFailing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_to_intuit_only() {
        for good in [
            DISCOVERY_PRODUCTION,
            "https://quickbooks.api.intuit.com",
            "https://intuit.com/x",
        ] {
            assert!(trusted_url(good, false).is_ok(), "{good}");
        }
        for bad in [
            "http://quickbooks.api.intuit.com",
            "https://intuit.com.evil.test",
            "https://evilintuit.com",
            "https://user:pass@oauth.platform.intuit.com",
            "https://oauth.platform.intuit.com:8443",
            "https://10.0.0.1",
            "http://127.0.0.1:9000",
            "ftp://intuit.com",
            "not an address",
        ] {
            assert!(trusted_url(bad, false).is_err(), "{bad}");
        }
        for local in [
            "http://127.0.0.1:9000",
            "http://localhost:1",
            "http://[::1]:2",
        ] {
            assert!(trusted_url(local, true).is_ok(), "{local}");
        }
        assert!(trusted_url("http://192.168.0.1", true).is_err());
    }

    #[test]
    fn an_altered_document_is_refused() {
        let document = crate::testing::DISCOVERY_DOCUMENT;
        let read = |text: &str| Discovery::read(text.as_bytes(), false);
        assert_eq!(read(document).unwrap().issuer, ISSUER);
        assert!(
            read(&document.replace("oauth.platform.intuit.com/oauth2", "evil.test/oauth2"))
                .is_none()
        );
        assert!(read(&document.replace("op/v1\"", "op/v2\"")).is_none());
        assert!(read("{}").is_none());
    }
}
