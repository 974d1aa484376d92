//! Fakes for this crate's tests: a scripted network, a store in memory, and a clock that jumps.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header::HeaderMap};
use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    policy::Policy,
    ports::{Clock, Expected, GrantStore, Lane, Put, StoreError},
    tenant::{AccessToken, Grant, Stored},
};
use purser_transport::{BoxFuture, Meter, Transport, TransportError, TransportErrorKind};
use secrecy::SecretString;

use crate::{
    Config, OAuthClient, OAuthConfig, QuickBooksClient, SharedPacer, TokenConfig, TokenSource,
};

pub(crate) const DISCOVERY_DOCUMENT: &str = r#"{
    "issuer": "https://oauth.platform.intuit.com/op/v1",
    "authorization_endpoint": "https://appcenter.intuit.com/connect/oauth2",
    "token_endpoint": "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
    "userinfo_endpoint": "https://accounts.platform.intuit.com/v1/openid_connect/userinfo",
    "revocation_endpoint": "https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
    "jwks_uri": "https://oauth.platform.intuit.com/op/v1/jwks"
}"#;

/// A clock that stands still until somebody sleeps.
pub(crate) struct JumpClock(AtomicI64);

impl JumpClock {
    pub(crate) fn advance(&self, time: Duration) {
        self.0
            .fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn set_back(&self, time: Duration) {
        self.0
            .fetch_sub(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for JumpClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }

    async fn sleep(&self, time: Duration) {
        self.advance(time);
        // The longer one sleeps, the more turns the others have.
        for _ in 0..=time.as_secs().min(100) {
            tokio::task::yield_now().await;
        }
    }
}

/// A request as the network saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) timeout: Duration,
}

/// What the network does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Answer(u16, String),
    Headers(u16, String, Vec<(&'static str, String)>),
    Broken(TransportErrorKind),
}

pub(crate) fn ok(body: impl Into<String>) -> Reply {
    Reply::Answer(200, body.into())
}

pub(crate) fn fault(status: u16, code: &str) -> Reply {
    let body = format!(
        r#"{{"Fault":{{"Error":[{{"Message":"m","Detail":"why {code}","code":"{code}"}}],"type":"ValidationFault"}}}}"#
    );
    Reply::Answer(status, body)
}

type Handler = Box<dyn FnMut(&Seen) -> Reply + Send>;

/// Random numbers that a seed reproduces; always 0 until there is one.
#[derive(Default)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    pub(crate) fn load(&self, seed: u64) {
        self.0
            .store(seed.wrapping_mul(2).wrapping_add(1), Ordering::SeqCst);
    }

    pub(crate) fn below(&self, limit: u64) -> u64 {
        let state = self.0.load(Ordering::SeqCst);
        if state == 0 {
            return 0;
        }
        let next = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_041);
        self.0.store(next | 1, Ordering::SeqCst);
        (next >> 33) % limit
    }

    async fn pause(&self) {
        for _ in 0..=self.below(6) {
            tokio::task::yield_now().await;
        }
    }
}

/// A network that does as it is told, and remembers everything.
#[derive(Default)]
pub(crate) struct Network {
    pub(crate) seen: Mutex<Vec<Seen>>,
    /// How long answers take, in turns of the others.
    pub(crate) dice: Dice,
    /// Replies of QuickBooks, in order.
    pub(crate) script: Mutex<VecDeque<Reply>>,
    /// Decides replies of QuickBooks when the script is empty.
    pub(crate) quickbooks: Mutex<Option<Handler>>,
    /// Decides replies of the token service.
    pub(crate) oauth: Mutex<Option<Handler>>,
}

impl Network {
    pub(crate) fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().unwrap().extend(replies);
    }

    pub(crate) fn on_quickbooks(&self, handler: impl FnMut(&Seen) -> Reply + Send + 'static) {
        *self.quickbooks.lock().unwrap() = Some(Box::new(handler));
    }

    pub(crate) fn on_oauth(&self, handler: impl FnMut(&Seen) -> Reply + Send + 'static) {
        *self.oauth.lock().unwrap() = Some(Box::new(handler));
    }

    /// The requests to QuickBooks itself.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|s| s.host.starts_with("quickbooks.api"))
            .cloned()
            .collect()
    }

    /// The requests to the token endpoint.
    pub(crate) fn refreshes(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|s| s.path.ends_with("/tokens/bearer"))
            .cloned()
            .collect()
    }

    fn reply(&self, seen: &Seen) -> Reply {
        if seen.path.contains(".well-known") {
            return ok(DISCOVERY_DOCUMENT);
        }
        if seen.host.starts_with("quickbooks.api") {
            if let Some(reply) = self.script.lock().unwrap().pop_front() {
                return reply;
            }
            let mut handler = self.quickbooks.lock().unwrap();
            return handler
                .as_mut()
                .map_or_else(|| panic!("unexpected {seen:?}"), |h| h(seen));
        }
        let mut handler = self.oauth.lock().unwrap();
        handler
            .as_mut()
            .map_or_else(|| panic!("unexpected {seen:?}"), |h| h(seen))
    }
}

impl Transport for Network {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let uri = request.uri().clone();
            let seen = Seen {
                method: request.method().to_string(),
                host: uri.host().unwrap_or_default().to_owned(),
                path: uri.path().to_owned(),
                query: uri.query().unwrap_or_default().to_owned(),
                headers: request.headers().clone(),
                body: String::from_utf8(request.body().to_vec()).unwrap(),
                timeout,
            };
            self.seen.lock().unwrap().push(seen.clone());
            // Others run while a request and its answer are on their way.
            self.dice.pause().await;
            let reply = self.reply(&seen);
            self.dice.pause().await;
            match reply {
                Reply::Broken(kind) => Err(TransportError::new(kind, &uri)),
                Reply::Answer(status, body) => Ok(response(status, body, &[])),
                Reply::Headers(status, body, headers) => Ok(response(status, body, &headers)),
            }
        })
    }
}

fn response(status: u16, body: String, headers: &[(&'static str, String)]) -> Response<Bytes> {
    let mut response = Response::builder()
        .status(status)
        .header("intuit_tid", "1-tid");
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response.body(Bytes::from(body)).unwrap()
}

/// A store of one grant.
#[derive(Default)]
pub(crate) struct Store {
    /// How long it takes, in turns of the others.
    pub(crate) dice: Dice,
    pub(crate) grant: Mutex<Option<Stored<Grant>>>,
    /// So many of the next writes fail, without effect.
    pub(crate) writes_down: AtomicU32,
    /// Reads fail while this is not 0.
    pub(crate) reads_down: AtomicU32,
}

impl Store {
    pub(crate) fn set(&self, grant: Grant) {
        let mut stored = self.grant.lock().unwrap();
        let version = stored.as_ref().map_or(1, |stored| stored.version + 1);
        *stored = Some(Stored {
            value: grant,
            version,
        });
    }

    pub(crate) fn get(&self) -> Grant {
        self.grant.lock().unwrap().as_ref().unwrap().value.clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Grant)) {
        let mut grant = self.get();
        change(&mut grant);
        self.set(grant);
    }
}

impl GrantStore for Store {
    async fn grant(&self, _: &TenantId) -> Result<Option<Stored<Grant>>, StoreError> {
        self.dice.pause().await;
        if self.reads_down.load(Ordering::SeqCst) > 0 {
            return Err(StoreError::Unavailable("down".into()));
        }
        Ok(self.grant.lock().unwrap().clone())
    }

    async fn put_grant(
        &self,
        _: &TenantId,
        grant: &Grant,
        expected: Expected<u64>,
    ) -> Result<Put, StoreError> {
        self.dice.pause().await;
        let down = self.writes_down.load(Ordering::SeqCst);
        if down > 0 {
            self.writes_down.store(down - 1, Ordering::SeqCst);
            return Err(StoreError::Unavailable("down".into()));
        }
        let mut stored = self.grant.lock().unwrap();
        let version = stored.as_ref().map_or(0, |stored| stored.version);
        if expected != Expected::Is(version) {
            return Ok(Put::Conflict);
        }
        *stored = Some(Stored {
            value: grant.clone(),
            version: version + 1,
        });
        Ok(Put::Done(version + 1))
    }
}

/// Everything a test needs, wired together.
pub(crate) struct World {
    pub(crate) network: Arc<Network>,
    pub(crate) clock: Arc<JumpClock>,
    pub(crate) store: Arc<Store>,
    pub(crate) oauth: Arc<OAuthClient<JumpClock>>,
    pub(crate) tokens: Arc<TokenSource<JumpClock, Store>>,
    pub(crate) meter: Arc<Meter>,
}

impl World {
    /// A connected tenant whose access token has `minutes` left.
    pub(crate) fn with_token_for(minutes: i64) -> Self {
        let network = Arc::new(Network::default());
        let start: Timestamp = "2026-01-15T18:00:00Z".parse().unwrap();
        let clock = Arc::new(JumpClock(AtomicI64::new(start.as_millisecond())));
        let store = Arc::new(Store::default());
        store.set(grant(start, minutes));
        let oauth = Arc::new(OAuthClient::new(OAuthConfig {
            transport: network.clone(),
            clock: clock.clone(),
            policy: Policy::default(),
            discovery_url: crate::DISCOVERY_PRODUCTION.parse().unwrap(),
            allow_local: false,
            client_id: "client".into(),
            client_secret: SecretString::from("s3cret"),
        }));
        let tokens = another_source(&clock, &store, &oauth);
        Self {
            network,
            clock,
            store,
            oauth,
            tokens,
            meter: Arc::default(),
        }
    }

    /// A token source as another process would have it.
    pub(crate) fn another_process(&self) -> Arc<TokenSource<JumpClock, Store>> {
        another_source(&self.clock, &self.store, &self.oauth)
    }

    pub(crate) fn client(&self) -> QuickBooksClient<JumpClock, Store> {
        let policy = Policy::default();
        QuickBooksClient::new(Config {
            transport: self.network.clone(),
            clock: self.clock.clone(),
            policy,
            base_url: crate::PRODUCTION.parse().unwrap(),
            tenant: "north-wind".parse().unwrap(),
            realm: "4242".parse().unwrap(),
            tokens: self.tokens.clone(),
            pacer: SharedPacer::new(Lane::Background, &policy),
            meter: self.meter.clone(),
        })
    }
}

fn another_source(
    clock: &Arc<JumpClock>,
    store: &Arc<Store>,
    oauth: &Arc<OAuthClient<JumpClock>>,
) -> Arc<TokenSource<JumpClock, Store>> {
    Arc::new(TokenSource::new(TokenConfig {
        tenant: "north-wind".parse().unwrap(),
        realm: "4242".parse().unwrap(),
        store: store.clone(),
        oauth: oauth.clone(),
        clock: clock.clone(),
        policy: Policy::default(),
    }))
}

fn grant(now: Timestamp, minutes: i64) -> Grant {
    let left = jiff::SignedDuration::from_mins(minutes);
    Grant {
        realm: "4242".parse().unwrap(),
        refresh_token: SecretString::from("R0"),
        previous_refresh_token: None,
        access: Some(AccessToken {
            token: SecretString::from("A0"),
            expires_at: now + left,
        }),
        refresh_expires_at: None,
        hard_expires_at: None,
        refreshing_until: None,
        refreshed_at: Some(now + left - jiff::SignedDuration::from_mins(60)),
        doubted_at: None,
        revoked: false,
    }
}

/// A token answer.
pub(crate) fn tokens(refresh: &str, access: &str) -> Reply {
    ok(format!(
        r#"{{"token_type":"bearer","expires_in":3600,"refresh_token":"{refresh}",
            "x_refresh_token_expires_in":8726400,"access_token":"{access}"}}"#
    ))
}

/// The refresh token a request used.
pub(crate) fn used(seen: &Seen) -> String {
    let pairs = url::form_urlencoded::parse(seen.body.as_bytes());
    pairs
        .into_owned()
        .find(|(name, _)| name == "refresh_token")
        .map(|(_, value)| value)
        .unwrap()
}
