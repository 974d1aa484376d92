//! Intuit's token service: exchanging codes and refresh tokens, and giving a grant back.
//!
//! Each request is sent once. Repeating a refresh is decided by [`token`](crate::token), and a code
//! is never exchanged twice: a second try can end the grant of the first.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use bytes::Bytes;
use data_encoding::BASE64;
use http::{
    Request, Response,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use jiff::Timestamp;
use purser_core::{
    failure::{Failure, VendorAnswer},
    notice::Code,
    policy::Policy,
    ports::Clock,
    tenant::AccessToken,
};
use purser_transport::SharedTransport;
use secrecy::{ExposeSecret as _, SecretString};
use url::{Url, form_urlencoded::Serializer};

use self::answer::{error_word, read_tokens};
use crate::{
    discovery::{Discovery, DiscoverySource},
    identity::KeySet,
    verdict::tid,
};

mod answer;

pub(crate) use self::answer::{failure_of, vendor_answer};

/// Everything an [`OAuthClient`] is made from.
pub struct OAuthConfig<C> {
    /// The network, or a simulator.
    pub transport: SharedTransport,
    /// The clock.
    pub clock: Arc<C>,
    /// Timeouts.
    pub policy: Policy,
    /// The discovery document, such as [`DISCOVERY_PRODUCTION`](crate::DISCOVERY_PRODUCTION).
    pub discovery_url: Url,
    /// Whether the document may name loopback addresses (simulators).
    pub allow_local: bool,
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: SecretString,
}

/// The app's registration, as it is now.
#[derive(Clone)]
struct App {
    client_id: String,
    client_secret: SecretString,
}

/// Speaks to Intuit's token service for one app. One per process.
pub struct OAuthClient<C> {
    transport: SharedTransport,
    pub(crate) clock: Arc<C>,
    pub(crate) policy: Policy,
    discovery: DiscoverySource<C>,
    pub(crate) keys: KeySet,
    app: RwLock<App>,
}

/// A complete answer of the token service: both tokens are there.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token, with its end by our clock.
    pub access: AccessToken,
    /// The refresh token to use from now on; the same as before, or a new one.
    pub refresh_token: SecretString,
    /// When the refresh token ends if it is not used.
    pub refresh_expires_at: Option<Timestamp>,
    /// When the refresh token ends whatever happens (five years after consent).
    pub hard_expires_at: Option<Timestamp>,
    /// Who consented, when `openid` was asked for. Says nothing before
    /// [`OAuthClient::verify_id_token`].
    pub id_token: Option<SecretString>,
}

/// Why there are no tokens. Whatever was stored before is still the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// Intuit answered `invalid_grant`: the code or refresh token is not accepted, or Intuit has an
    /// outage that looks the same.
    InvalidGrant(VendorAnswer),
    /// Anything else: wrong client, no answer, or an answer that cannot be read.
    Failed(Failure),
}

impl From<OAuthError> for Failure {
    fn from(error: OAuthError) -> Self {
        match error {
            OAuthError::InvalidGrant(answer) => {
                Self::new(Code::QuickBooksDisconnected).answered(answer)
            }
            OAuthError::Failed(failure) => failure,
        }
    }
}

impl<C: Clock> OAuthClient<C> {
    /// Makes the client; calls nothing.
    pub fn new(config: OAuthConfig<C>) -> Self {
        let discovery = DiscoverySource {
            transport: Arc::clone(&config.transport),
            clock: Arc::clone(&config.clock),
            policy: config.policy,
            url: config.discovery_url,
            allow_local: config.allow_local,
            cached: Mutex::default(),
        };
        Self {
            transport: config.transport,
            clock: config.clock,
            policy: config.policy,
            discovery,
            keys: KeySet::default(),
            app: RwLock::new(App {
                client_id: config.client_id,
                client_secret: config.client_secret,
            }),
        }
    }

    /// Goes on with another registration, after its secret was rotated at Intuit.
    pub fn replace_app(&self, client_id: String, client_secret: SecretString) {
        let kept = self.app.write();
        *kept.unwrap_or_else(PoisonError::into_inner) = App {
            client_id,
            client_secret,
        };
    }

    fn app(&self) -> App {
        let kept = self.app.read();
        kept.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Intuit's endpoints, read at most once a day.
    pub async fn discovery(&self) -> Result<Discovery, Failure> {
        self.discovery.get().await
    }

    /// The app's client id, which identity tokens must name as their audience.
    pub fn client_id(&self) -> String {
        self.app().client_id
    }

    /// The address a person's browser is sent to. `state` must be random, one-time and bound to the
    /// browser: Intuit offers no PKCE, so it is the only guard against forged callbacks.
    ///
    /// `nonce` is for sign-in: [`verify_id_token`](Self::verify_id_token) compares it with the
    /// identity token's, when Intuit puts it there.
    pub async fn authorization_url(
        &self,
        scopes: &str,
        redirect_uri: &str,
        state: &str,
        nonce: Option<&str>,
    ) -> Result<Url, Failure> {
        let mut url = self.discovery().await?.authorization_endpoint;
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id())
            .append_pair("response_type", "code")
            .append_pair("scope", scopes)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", state);
        if let Some(nonce) = nonce {
            url.query_pairs_mut().append_pair("nonce", nonce);
        }
        Ok(url)
    }

    /// How long an exchange may take.
    pub(crate) fn timeout(&self) -> Duration {
        // Answers come from real programs, however fast the clock is said to run.
        (self.policy.token_refresh * 2 / 3).max(Duration::from_secs(2))
    }

    /// Uses a refresh token once. It may be dead afterwards, so the answer must be stored before
    /// anything else happens.
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<Tokens, OAuthError> {
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", refresh_token.expose_secret())
            .finish();
        self.exchange(form).await
    }

    /// Exchanges an authorization code. Call it exactly once for one code.
    pub async fn exchange_code(
        &self,
        code: &SecretString,
        redirect_uri: &str,
    ) -> Result<Tokens, OAuthError> {
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", code.expose_secret())
            .append_pair("redirect_uri", redirect_uri)
            .finish();
        self.exchange(form).await
    }

    /// Gives a grant back by its refresh token. One that Intuit does not know counts as done.
    pub async fn revoke(&self, token: &SecretString) -> Result<(), Failure> {
        let url = self.discovery().await?.revocation_endpoint;
        let body = serde_json::json!({ "token": token.expose_secret() }).to_string();
        let request = self.request(&url, "application/json", body)?;
        let answer = self.send(request).await?;
        match answer.status().as_u16() {
            200..=299 | 400 => Ok(()),
            _ => Err(failure_of(&answer, &self.policy)),
        }
    }

    async fn exchange(&self, form: String) -> Result<Tokens, OAuthError> {
        let url = self
            .discovery()
            .await
            .map_err(OAuthError::Failed)?
            .token_endpoint;
        let request = self
            .request(&url, "application/x-www-form-urlencoded", form)
            .map_err(OAuthError::Failed)?;
        let answer = self.send(request).await.map_err(OAuthError::Failed)?;
        if let Some(tokens) = read_tokens(&answer, self.clock.now()) {
            return Ok(tokens);
        }
        if answer.status().is_client_error()
            && error_word(&answer).as_deref() == Some("invalid_grant")
        {
            return Err(OAuthError::InvalidGrant(vendor_answer(&answer)));
        }
        Err(OAuthError::Failed(failure_of(&answer, &self.policy)))
    }

    fn request(&self, url: &Url, kind: &str, body: String) -> Result<Request<Bytes>, Failure> {
        let app = self.app();
        let pair = format!("{}:{}", app.client_id, app.client_secret.expose_secret());
        let basic = format!("Basic {}", BASE64.encode(pair.as_bytes()));
        let bug = || Failure::new(Code::QuickBooksBug);
        let mut basic = HeaderValue::from_str(&basic).map_err(|_| bug())?;
        basic.set_sensitive(true);
        Request::post(url.as_str())
            .header(AUTHORIZATION, basic)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, kind)
            // Asks for `x_refresh_token_hard_expires_in` (Intuit blog, 12 November 2025).
            .header("x-include-refresh-token-hard-expires-in", "true")
            .body(Bytes::from(body))
            .map_err(|_| bug())
    }

    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let answer = self.transport.send(request, self.timeout()).await;
        let answer = answer.map_err(|_| Failure::new(Code::QuickBooksUnreachable))?;
        tracing::debug!(
            status = answer.status().as_u16(),
            vendor.tid = tid(answer.headers()),
            "Intuit's sign-in service answered"
        );
        Ok(answer)
    }
}

#[cfg(test)]
#[path = "oauth_tests.rs"]
mod tests;
