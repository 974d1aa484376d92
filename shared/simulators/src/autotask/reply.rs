//! Autotask's answers and its words for refusals.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::exchange::{FaultAnswers, json_answer, json_text_answer, text_answer};

pub(super) const ANSWERS: FaultAnswers = FaultAnswers {
    throttled,
    unauthorised,
};

/// Why a call fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 500 with these texts.
    Errors(Vec<String>),
    /// 401 without a body.
    Unauthorised,
    /// 403 with a text.
    Forbidden(String),
    /// 404 as the web server itself says it.
    NoSuchAddress,
    /// 404 as the interface says it.
    NoSuchResource,
    /// 405.
    NoSuchVerb(String),
    /// 415.
    NotJson,
    /// 429 with a text.
    TooMany(String),
    /// The simulator itself failed.
    Broken,
}

/// The outcome of a call.
pub(super) type Outcome = Result<Value, Refusal>;

impl Refusal {
    pub(super) fn error(text: impl Into<String>) -> Self {
        Self::Errors(vec![text.into()])
    }

    /// A rejected write: the reason, then the general sentence.
    pub(super) fn write(reason: &str, doing: &str) -> Self {
        Self::Errors(vec![
            format!("{reason}. "),
            format!("Error {doing} entity for record number [1]. "),
        ])
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        let message = |status, text: &str| json_answer(status, &json!({ "Message": text }));
        let errors = |status, texts: &[String]| json_answer(status, &json!({ "errors": texts }));
        match self {
            Self::Errors(texts) => errors(StatusCode::INTERNAL_SERVER_ERROR, texts),
            Self::Unauthorised => unauthorised(),
            Self::Forbidden(text) => errors(StatusCode::FORBIDDEN, std::slice::from_ref(text)),
            Self::NoSuchAddress => text_answer(
                StatusCode::NOT_FOUND,
                "text/html",
                "<html><h2>404 - File or directory not found.</h2></html>".into(),
            ),
            Self::NoSuchResource => message(
                StatusCode::NOT_FOUND,
                "No HTTP resource was found that matches the request URI.",
            ),
            Self::NoSuchVerb(verb) => message(
                StatusCode::METHOD_NOT_ALLOWED,
                &format!("The requested resource does not support http method '{verb}'."),
            ),
            Self::NotJson => message(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The request entity's media type is not supported for this resource.",
            ),
            Self::TooMany(text) => {
                errors(StatusCode::TOO_MANY_REQUESTS, std::slice::from_ref(text))
            }
            Self::Broken => text_answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                "text/html",
                "<html><h2>500 - Internal server error.</h2></html>".into(),
            ),
        }
    }
}

pub(super) fn response(outcome: Result<String, Refusal>) -> Response<Bytes> {
    match outcome {
        Ok(body) => json_text_answer(StatusCode::OK, body),
        Err(refusal) => refusal.response(),
    }
}

fn unauthorised() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

fn throttled(retry_after_seconds: Option<u64>) -> Response<Bytes> {
    let text = "The external request threshold has been exceeded.";
    let mut response = Refusal::TooMany(text.into()).response();
    if let Some(seconds) = retry_after_seconds {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
