//! The ports of the product, each call of which waits until the schedule lets it go on.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Clock, Expected, GrantStore, Put, StoreError},
    tenant::{Grant, Stored},
};
use purser_transport::{BoxFuture, Transport, TransportError, TransportErrorKind};
use url::form_urlencoded;

use super::{
    intuit::number_of,
    world::{Answer, Op, Stage, World, milliseconds, moment},
};

/// Where processes and schedule meet.
#[derive(Clone)]
pub(super) struct Desk(Arc<Mutex<World>>);

impl Desk {
    pub(super) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a worker comes again, as a new process or as the old one.
    pub(super) async fn rest(&self, time: Duration, anew: bool) {
        self.ask(Op::Rest(milliseconds(time), anew)).await;
    }

    /// Asks the outside, and waits.
    async fn ask(&self, op: Op) -> Answer {
        let mut op = Some(op);
        poll_fn(|_| {
            let mut world = self.world();
            if let Some(op) = op.take() {
                world.ask(op);
                return Poll::Pending;
            }
            let worker = world.current;
            match std::mem::replace(&mut world.stages[worker], Stage::Idle) {
                Stage::Answered { answer, .. } => Poll::Ready(answer),
                stage => {
                    world.stages[worker] = stage;
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Clock for Desk {
    fn now(&self) -> Timestamp {
        moment(self.world().now)
    }

    async fn sleep(&self, time: Duration) {
        self.ask(Op::Sleep(milliseconds(time))).await;
    }
}

fn down() -> StoreError {
    StoreError::Unavailable("down".into())
}

impl GrantStore for Desk {
    async fn grant(&self, _: &TenantId) -> Result<Option<Stored<Grant>>, StoreError> {
        match self.ask(Op::Read).await {
            Answer::Read(Some(stored)) => Ok(Some(stored)),
            _ => Err(down()),
        }
    }

    async fn put_grant(
        &self,
        _: &TenantId,
        grant: &Grant,
        expected: Expected<u64>,
    ) -> Result<Put, StoreError> {
        match self.ask(Op::Write(Box::new(grant.clone()), expected)).await {
            Answer::Write(Some(put)) => Ok(put),
            _ => Err(down()),
        }
    }
}

/// Where Intuit's endpoints are. Every process has read it before.
const DISCOVERY: &str = r#"{
    "issuer": "https://oauth.platform.intuit.com/op/v1",
    "authorization_endpoint": "https://appcenter.intuit.com/connect/oauth2",
    "token_endpoint": "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
    "userinfo_endpoint": "https://accounts.platform.intuit.com/v1/openid_connect/userinfo",
    "revocation_endpoint": "https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
    "jwks_uri": "https://oauth.platform.intuit.com/op/v1/jwks"
}"#;

impl Transport for Desk {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let uri = request.uri();
            if uri.path().contains(".well-known") {
                return Ok(response(200, DISCOVERY));
            }
            let failed = |kind| TransportError::new(kind, uri);
            let number = shown(&request).ok_or_else(|| failed(TransportErrorKind::NotSent))?;
            let timeout = milliseconds(timeout);
            match self.ask(Op::Request { number, timeout }).await {
                Answer::Request(Ok((status, body))) => Ok(response(status, &body)),
                Answer::Request(Err(kind)) => Err(failed(kind)),
                _ => Err(failed(TransportErrorKind::Broken)),
            }
        })
    }
}

fn response(status: u16, body: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *response.status_mut() = status.try_into().expect("a status");
    response
}

/// The number of the refresh token that a request shows, when it is one to refresh.
fn shown(request: &Request<Bytes>) -> Option<usize> {
    let pairs = || form_urlencoded::parse(request.body());
    let value = |wanted: &str| pairs().find(|(name, _)| name == wanted);
    let is_refresh = value("grant_type").is_some_and(|(_, kind)| kind == "refresh_token")
        && request.uri().path() == "/oauth2/v1/tokens/bearer"
        && request.headers().contains_key(http::header::AUTHORIZATION);
    let (_, token) = value("refresh_token").filter(|_| is_refresh)?;
    Some(number_of(&token))
}
