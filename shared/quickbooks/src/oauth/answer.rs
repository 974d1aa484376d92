//! Reading what Intuit's sign-in service answers: tokens, errors, and the numbers for support.

use bytes::Bytes;
use http::Response;
use jiff::{SignedDuration, Timestamp};
use purser_core::{
    failure::{Failure, VendorAnswer},
    notice::Code,
    policy::Policy,
    tenant::AccessToken,
};
use purser_transport::retry_after;
use secrecy::SecretString;
use serde_json::Value;

use super::Tokens;
use crate::verdict::tid;

/// What support asks for, from an answer of the sign-in service.
pub(crate) fn vendor_answer(answer: &Response<Bytes>) -> VendorAnswer {
    VendorAnswer {
        status: Some(answer.status().as_u16()),
        code: error_word(answer),
        tid: tid(answer.headers()),
    }
}

/// The `error` member, when it is a plain word.
pub(super) fn error_word(answer: &Response<Bytes>) -> Option<String> {
    let body: Value = serde_json::from_slice(answer.body()).ok()?;
    let word = body.get("error")?.as_str()?;
    let is_plain = word.len() <= 40 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    is_plain.then(|| word.to_owned())
}

/// What an answer means that is not what was asked for.
pub(crate) fn failure_of(answer: &Response<Bytes>, policy: &Policy) -> Failure {
    let asked = retry_after(answer.headers()).map(|wait| policy.scale_down(wait));
    let word = error_word(answer);
    let (code, wait) = match (answer.status().as_u16(), word.as_deref()) {
        (429, _) => (
            Code::QuickBooksThrottled,
            asked.or(Some(policy.throttle_wait)),
        ),
        (400..=499, Some("invalid_client" | "unauthorized_client")) => {
            (Code::QuickBooksClientRefused, None)
        }
        (401, None) => (Code::QuickBooksClientRefused, None),
        (400..=499, Some(_)) => (Code::QuickBooksBug, None),
        _ => (Code::QuickBooksFailing, asked),
    };
    Failure::new(code)
        .answered(vendor_answer(answer))
        .after(wait)
}

/// Reads tokens strictly: an answer that lacks one, or that names an error, is none.
///
/// node-quickbooks 171: an error body taken for an answer stored two empty tokens.
pub(super) fn read_tokens(answer: &Response<Bytes>, now: Timestamp) -> Option<Tokens> {
    let body: Value = serde_json::from_slice(answer.body()).ok()?;
    if !answer.status().is_success() || body.get("error").is_some_and(|error| !error.is_null()) {
        return None;
    }
    let token = |name: &str| {
        let text = body.get(name)?.as_str()?;
        let is_sound = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        is_sound.then(|| SecretString::from(text))
    };
    let after = |name: &str| {
        let seconds = match body.get(name)? {
            Value::Number(number) => number.as_i64()?,
            Value::String(text) => text.parse().ok()?,
            _ => return None,
        };
        let life = SignedDuration::from_secs(seconds);
        now.checked_add(life).ok().filter(|_| seconds > 0)
    };
    let kind = body
        .get("token_type")
        .and_then(Value::as_str)
        .unwrap_or("bearer");
    Some(Tokens {
        access: AccessToken {
            token: token("access_token")?,
            expires_at: after("expires_in")?,
        },
        refresh_token: token("refresh_token")?,
        refresh_expires_at: after("x_refresh_token_expires_in"),
        hard_expires_at: after("x_refresh_token_hard_expires_in"),
        id_token: token("id_token"),
    })
    .filter(|_| kind.eq_ignore_ascii_case("bearer"))
}
