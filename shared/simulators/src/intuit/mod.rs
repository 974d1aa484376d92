//! A stand-in for Intuit's sign-in: discovery, the consent page, tokens, keys and user info.
//!
//! The doubts about the real service (what becomes of an old refresh token) are switches
//! ([`IntuitSwitches`]). Grants and tokens live in a [`TokenTable`], which QuickBooks reads.

mod action;
mod authorize;
mod endpoints;
mod grants;
mod keys;
mod pages;
mod switches;
#[cfg(test)]
mod tests;
mod tokens;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::json;

use self::{
    authorize::Parameters,
    endpoints::{Issuer, json_response},
    keys::SigningKey,
};
pub use self::{
    grants::Role,
    switches::{IntuitSwitches, Rotation},
    tokens::{TokenState, TokenTable},
};
use crate::{
    System,
    exchange::{Call, Context, Exchange, FaultAnswers},
    store::StoreError,
};

/// Intuit's sign-in and token service.
#[derive(Clone)]
pub struct IntuitSimulator {
    context: Context,
    tokens: Arc<TokenTable>,
    key: Arc<SigningKey>,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Discovery { sandbox: bool },
    Authorize,
    Token,
    Revoke,
    Keys,
    UserInfo,
    Unknown,
}

impl Endpoint {
    fn of(path: &str) -> Self {
        match path {
            "/.well-known/openid_configuration" => Self::Discovery { sandbox: false },
            "/.well-known/openid_sandbox_configuration" => Self::Discovery { sandbox: true },
            "/connect/oauth2" => Self::Authorize,
            "/oauth2/v1/tokens/bearer" => Self::Token,
            "/v2/oauth2/tokens/revoke" => Self::Revoke,
            "/op/v1/jwks" => Self::Keys,
            "/v1/openid_connect/userinfo" | "/sandbox/v1/openid_connect/userinfo" => Self::UserInfo,
            _ => Self::Unknown,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Discovery { .. } => "discovery",
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::Revoke => "revoke",
            Self::Keys => "jwks",
            Self::UserInfo => "userinfo",
            Self::Unknown => "unknown",
        }
    }
}

impl IntuitSimulator {
    /// Takes up the grants the store holds.
    pub fn new(context: Context) -> Result<Self, StoreError> {
        let tokens = Arc::new(TokenTable::new(Arc::clone(&context.store))?);
        let key = Arc::new(SigningKey::new(Arc::clone(&context.store)));
        Ok(Self {
            context,
            tokens,
            key,
        })
    }

    /// True for a path this service answers.
    pub fn serves(path: &str) -> bool {
        Endpoint::of(path) != Endpoint::Unknown
    }

    /// The grants and tokens.
    pub fn tokens(&self) -> &Arc<TokenTable> {
        &self.tokens
    }

    /// Answers one request.
    pub async fn handle(&self, request: Request<Bytes>) -> Exchange {
        let endpoint = Endpoint::of(request.uri().path());
        let latency_ms = self.tokens.switches().latency_ms;
        if latency_ms > 0 {
            tokio::time::sleep(Duration::from_millis(latency_ms)).await;
        }
        let call = Call {
            system: System::Intuit,
            route: format!("{} {}", request.method(), endpoint.name()),
            is_write: request.method() == Method::POST,
            is_secret: true,
            request,
            answers: FaultAnswers {
                throttled,
                unauthorised,
            },
        };
        let service = self.clone();
        let effect = move |request: &Request<Bytes>| service.answer(endpoint, request);
        self.context.exchange(call, effect).await
    }

    fn answer(&self, endpoint: Endpoint, request: &Request<Bytes>) -> Response<Bytes> {
        let now = self.context.clock.now();
        let mut response = self.respond(endpoint, request, now);
        let tid = format!("1-{:08x}-signin", now.as_second());
        if let Ok(tid) = HeaderValue::from_str(&tid) {
            response.headers_mut().insert("intuit_tid", tid);
        }
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Ok(date) = HeaderValue::from_str(&date) {
            response.headers_mut().insert(header::DATE, date);
        }
        response
    }

    fn respond(
        &self,
        endpoint: Endpoint,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Response<Bytes> {
        let public_url = &*self.context.public_url;
        let is_post = request.method() == Method::POST;
        let is_get = request.method() == Method::GET;
        let changed = match endpoint {
            Endpoint::Discovery { sandbox } if is_get => {
                return endpoints::discovery(public_url, sandbox);
            }
            Endpoint::Keys if is_get => {
                return json_response(StatusCode::OK, &self.key.key_set());
            }
            Endpoint::UserInfo if is_get => {
                return self
                    .tokens
                    .read(|grants| endpoints::user_info(grants, request, now));
            }
            Endpoint::Authorize if is_get || is_post => {
                let query = request.uri().query().unwrap_or_default();
                let query = Parameters::parse(query.as_bytes());
                let form = is_post.then(|| Parameters::parse(request.body()));
                self.tokens
                    .change(|grants| authorize::answer(grants, &query, form.as_ref(), now))
            }
            Endpoint::Token if is_post => {
                let key = &*self.key;
                let issuer = Issuer { public_url, key };
                self.tokens
                    .change(|grants| endpoints::token(grants, issuer, request, now))
            }
            Endpoint::Revoke if is_post => self
                .tokens
                .change(|grants| endpoints::revoke(grants, request)),
            _ => return json_response(StatusCode::NOT_FOUND, &json!({ "error": "not_found" })),
        };
        changed.unwrap_or_else(|_| {
            json_response(
                StatusCode::INTERNAL_SERVER_ERROR,
                &json!({ "error": "server_error" }),
            )
        })
    }
}

fn throttled(retry_after_seconds: Option<u64>) -> Response<Bytes> {
    let body = json!({ "error": "too_many_requests" });
    let mut response = json_response(StatusCode::TOO_MANY_REQUESTS, &body);
    if let Some(seconds) = retry_after_seconds {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn unauthorised() -> Response<Bytes> {
    json_response(
        StatusCode::UNAUTHORIZED,
        &json!({ "error": "invalid_client" }),
    )
}
