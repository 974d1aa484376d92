//! One call as an HTTP request.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use jiff::Timestamp;
use purser_core::{failure::Failure, notice::Code, record::later, tenant::AutotaskCredentials};
use secrecy::ExposeSecret;
use serde_json::Value;
use url::Url;

const INTEGRATION_CODE: HeaderName = HeaderName::from_static("apiintegrationcode");
const USER_NAME: HeaderName = HeaderName::from_static("username");
const SECRET: HeaderName = HeaderName::from_static("secret");

/// One call to one endpoint, relative to the zone.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The entity whose threads it takes.
    pub(crate) endpoint: &'static str,
    /// The address below the zone's base.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// Where it must leave soon or not at all.
    pub(crate) leaves: Option<Leaves>,
}

/// When something was decided on, and how soon after that it must leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaves {
    pub(crate) decided_at: Timestamp,
    pub(crate) within: Duration,
}

impl Leaves {
    /// Whether it is too late. A clock that went back cannot tell.
    pub(crate) fn is_late(&self, now: Timestamp) -> bool {
        now < self.decided_at || later(self.decided_at, self.within) < now
    }
}

impl Call {
    /// A query; always by POST, because a long address is answered with 404.
    pub(crate) fn query(entity: &'static str, body: Value) -> Self {
        Self::with_body(Method::POST, entity, format!("{entity}/query"), body)
    }

    /// A read of metadata.
    pub(crate) fn get(entity: &'static str, path: String) -> Self {
        Self {
            method: Method::GET,
            endpoint: thread_key(entity),
            path,
            body: None,
            leaves: None,
        }
    }

    /// A write to a collection.
    pub(crate) fn with_body(
        method: Method,
        entity: &'static str,
        path: String,
        body: Value,
    ) -> Self {
        Self {
            method,
            endpoint: thread_key(entity),
            path,
            body: Some(body),
            leaves: None,
        }
    }

    /// Whether it changes nothing.
    pub(crate) fn is_read(&self) -> bool {
        self.method == Method::GET || self.path.ends_with("/query")
    }

    /// The request, with the credentials in headers marked sensitive.
    pub(crate) fn request(
        &self,
        base: &Url,
        credentials: &AutotaskCredentials,
    ) -> Result<Request<Bytes>, Failure> {
        let url = base.join(&self.path).map_err(|_| Code::AutotaskBug)?;
        let body = match &self.body {
            Some(body) => Bytes::from(body.to_string()),
            None => Bytes::new(),
        };
        let code = credentials.integration_code.expose_secret();
        Request::builder()
            .method(self.method.clone())
            .uri(url.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                INTEGRATION_CODE,
                sensitive(code, Code::AutotaskIntegrationCode)?,
            )
            .header(
                USER_NAME,
                sensitive(&credentials.user, Code::AutotaskUserUnknown)?,
            )
            .header(
                SECRET,
                sensitive(
                    credentials.secret.expose_secret(),
                    Code::AutotaskUnauthorised,
                )?,
            )
            .body(body)
            .map_err(|_| Failure::new(Code::AutotaskBug))
    }
}

/// To-dos are written under Companies and queried by their own name; which of the two the vendor
/// counts them under is not documented, so both share the threads of one.
fn thread_key(entity: &'static str) -> &'static str {
    if entity == crate::wire::todo::ENTITY {
        crate::wire::organisation::ENTITY
    } else {
        entity
    }
}

/// A credential that cannot stand in a header cannot be right either.
fn sensitive(text: &str, wrong: Code) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| Failure::new(wrong))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The lookup of the zone, which carries no credentials.
pub(crate) fn lookup_request(url: &Url) -> Result<Request<Bytes>, Failure> {
    Request::builder()
        .method(Method::GET)
        .uri(url.as_str())
        .header(header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|_| Failure::new(Code::AutotaskBug))
}
