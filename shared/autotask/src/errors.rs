//! What Autotask's refusals mean.
//!
//! The vendor answers most of its "no" with 500 and a list of texts, so the status alone says
//! little: 500 with texts is permanent unless they speak of threads, thresholds, locks or
//! timeouts; 5xx without them is trouble of a machine in between.

use purser_core::{
    failure::{Failure, VendorAnswer},
    notice::Code,
};
use purser_transport::{
    StatusCode, TransportError, TransportErrorKind, header::HeaderMap, retry_after,
};
use serde_json::Value;

use crate::wire::row::{Garbled, Row, field_of};

/// Whether a call that failed can have had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Certainly not: nothing was sent, or the answer is a definite no.
    Nothing,
    /// It may have.
    Possible,
}

/// A failure and whether the call can have had its effect.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) failure: Failure,
    pub(crate) effect: Effect,
}

impl Fault {
    /// A failure of a call that was certainly without effect.
    pub(crate) fn nothing(failure: impl Into<Failure>) -> Self {
        Self {
            failure: failure.into(),
            effect: Effect::Nothing,
        }
    }

    /// A failure of a call that may have had its effect.
    pub(crate) fn possible(failure: impl Into<Failure>) -> Self {
        Self {
            failure: failure.into(),
            effect: Effect::Possible,
        }
    }

    /// Its code.
    pub(crate) fn code(&self) -> Code {
        self.failure.code()
    }
}

impl From<Garbled> for Fault {
    /// An answer that cannot be read is never "no rows": it is read again.
    fn from(_: Garbled) -> Self {
        Self::possible(Code::AutotaskFailing)
    }
}

impl From<&TransportError> for Fault {
    fn from(error: &TransportError) -> Self {
        match error.kind {
            TransportErrorKind::NotSent => Self::nothing(Code::AutotaskUnreachable),
            TransportErrorKind::Timeout | TransportErrorKind::Broken => {
                Self::possible(Code::AutotaskUnreachable)
            }
            TransportErrorKind::TooLarge => Self::possible(Code::AutotaskFailing),
        }
    }
}

/// What a complete answer outside 2xx means. `redact` takes credentials out of the vendor's texts.
pub(crate) fn classify(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    redact: &dyn Fn(&str) -> String,
) -> Fault {
    let parsed = serde_json::from_slice::<Value>(body).ok();
    let texts = parsed.as_ref().and_then(error_texts);
    let has_texts = texts.is_some();
    let texts = texts.unwrap_or_else(|| parsed.as_ref().map(message).unwrap_or_default());
    let all = texts.join(" ").to_ascii_lowercase();
    let code = code_of(status, has_texts, &all);
    let mut failure = Failure::new(code).answered(VendorAnswer {
        status: Some(status.as_u16()),
        code: all.contains(THREAD_CODE).then(|| "Itgenatr005".to_owned()),
        tid: None,
    });
    failure = failure.after(retry_after(headers));
    let detail = redact(&shown(&texts));
    if !detail.is_empty() {
        failure = failure.with("detail", detail);
    }
    let is_definite = status.is_client_error() || (status.as_u16() == 500 && has_texts);
    // "Timed out" is the server's word for not knowing either.
    if is_definite && code != Code::AutotaskFailing {
        Fault::nothing(failure)
    } else {
        Fault::possible(failure)
    }
}

/// The texts of `{"errors":[...]}`; `None` when there is no such list or nothing in it.
pub(crate) fn error_texts(body: &Value) -> Option<Vec<String>> {
    let texts: Vec<String> = field_of(body, "errors")?
        .as_array()?
        .iter()
        .filter_map(text_of)
        .collect();
    (!texts.is_empty()).then_some(texts)
}

fn text_of(element: &Value) -> Option<String> {
    let text = match element {
        Value::String(text) => text.clone(),
        Value::Object(_) => {
            let row = Row::of(element)?;
            ["message", "errorMessage", "detail", "code"]
                .into_iter()
                .find_map(|field| row.get(field)?.as_str().map(str::to_owned))?
        }
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

fn message(body: &Value) -> Vec<String> {
    let text = Row::of(body).and_then(|row| row.text("message").ok().flatten());
    text.into_iter().collect()
}

/// The vendor's texts as people see them, without the ballast it adds to each.
fn shown(texts: &[String]) -> String {
    let clean = texts
        .iter()
        .map(|text| text.trim().trim_end_matches('.').trim_end())
        .filter(|text| !text.is_empty() && !is_generic(text));
    clean.collect::<Vec<_>>().join("; ")
}

fn is_generic(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.starts_with("error ") && text.contains("entity for record number [")
}

/// The vendor's code for "more than three calls to one endpoint at once", in lower case.
const THREAD_CODE: &str = "itgenatr005";

fn code_of(status: StatusCode, has_texts: bool, texts: &str) -> Code {
    let number = status.as_u16();
    if number == 401 {
        return Code::AutotaskUnauthorised;
    }
    if let Some(code) = limit_code(texts) {
        return code;
    }
    match number {
        429 if speaks_of_the_hour(texts) => Code::AutotaskQuota,
        429 => Code::AutotaskThrottled,
        403 => match text_code(texts) {
            Some(Code::AutotaskIntegrationCode) => Code::AutotaskIntegrationCode,
            _ => Code::AutotaskPermission,
        },
        408 => Code::AutotaskFailing,
        404 | 500 if has_texts => text_code(texts).unwrap_or(Code::AutotaskRefused),
        404 | 405 | 414 | 415 => Code::AutotaskBug,
        400..=499 => text_code(texts).unwrap_or(Code::AutotaskRefused),
        _ => Code::AutotaskFailing,
    }
}

fn limit_code(texts: &str) -> Option<Code> {
    let is_thread = texts.contains("thread") && texts.contains("exceed");
    if texts.contains(THREAD_CODE) || texts.contains("thread threshold") || is_thread {
        return Some(Code::AutotaskThrottled);
    }
    // Businesses have thresholds of their own, for approvals for instance.
    let is_about_calls = ["request", "hour", "api"]
        .iter()
        .any(|word| texts.contains(word));
    (texts.contains("threshold") && is_about_calls).then_some(Code::AutotaskQuota)
}

fn speaks_of_the_hour(texts: &str) -> bool {
    [
        "hour",
        "60 minutes",
        "60-minute",
        "request limit",
        "requests limit",
    ]
    .iter()
    .any(|word| texts.contains(word))
}

/// What the texts themselves say, if they say something we know.
fn text_code(texts: &str) -> Option<Code> {
    let says = |words: &[&str]| words.iter().any(|word| texts.contains(word));
    if says(&["integrationcode", "integration code"]) {
        Some(Code::AutotaskIntegrationCode)
    } else if says(&["zone information could not be determined"]) {
        Some(Code::AutotaskUserUnknown)
    } else if says(&["adequate permission", "permission"]) {
        Some(Code::AutotaskPermission)
    } else if says(&LOGIN_TEXTS) {
        Some(Code::AutotaskUnauthorised)
    } else if says(&["timeout", "timed out", "deadlock"]) || speaks_of_a_lock(texts) {
        Some(Code::AutotaskFailing)
    } else if says(&[
        "conversion failed",
        "invalid query syntax",
        "support http method",
    ]) || (says(&["unable to find "]) && says(&[" entity"]))
    {
        Some(Code::AutotaskBug)
    } else {
        None
    }
}

/// A wrong user name on a data call is answered with 500 and a text, not with 401.
const LOGIN_TEXTS: [&str; 6] = [
    "invalid username",
    "invalid user name",
    "username or password",
    "user name or password",
    "not authenticated",
    "authentication failed",
];

fn speaks_of_a_lock(texts: &str) -> bool {
    // As a word: "Block Hour Contract" is none.
    texts
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| matches!(word, "lock" | "locks" | "locked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Fault {
        let status = StatusCode::from_u16(status).unwrap();
        classify(status, &HeaderMap::new(), body.as_bytes(), &|text| {
            text.replace("s3cret", "***")
        })
    }

    fn errors(text: &str) -> String {
        serde_json::json!({ "errors": [text] }).to_string()
    }

    /// Without an effect for certain.
    fn no(status: u16, body: &str, code: Code) {
        expect(status, body, code, Effect::Nothing);
    }

    /// Perhaps with an effect.
    fn doubt(status: u16, body: &str) {
        expect(status, body, Code::AutotaskFailing, Effect::Possible);
    }

    fn expect(status: u16, body: &str, code: Code, effect: Effect) {
        let fault = judged(status, body);
        assert_eq!(fault.code(), code, "{status} {body}");
        assert_eq!(fault.effect, effect, "{status} {body}");
        assert_eq!(fault.failure.answer.status, Some(status));
    }

    const HTML: &str = "<html>x</html>";

    #[test]
    fn every_shape_of_a_definite_no_has_its_code() {
        let permission = "The logged in Resource does not have the adequate permissions.";
        let threads = "Thread Threshold Exceeded - the thread threshold of 3 threads";
        no(401, "", Code::AutotaskUnauthorised);
        no(403, "", Code::AutotaskPermission);
        no(500, &errors(permission), Code::AutotaskPermission);
        no(
            500,
            &errors("IntegrationCode is invalid."),
            Code::AutotaskIntegrationCode,
        );
        no(429, "", Code::AutotaskThrottled);
        no(429, &errors("10000 requests per hour"), Code::AutotaskQuota);
        no(500, &errors("Itgenatr005"), Code::AutotaskThrottled);
        no(500, &errors(threads), Code::AutotaskThrottled);
        no(
            500,
            &errors("Request threshold exceeded"),
            Code::AutotaskQuota,
        );
        no(404, HTML, Code::AutotaskBug);
        no(404, r#"{"Message":"No HTTP resource"}"#, Code::AutotaskBug);
        no(404, &errors("No such to-do"), Code::AutotaskRefused);
        no(405, r#"{"Message":"x"}"#, Code::AutotaskBug);
        no(
            500,
            &errors("Unable to find x in the Y Entity"),
            Code::AutotaskBug,
        );
        no(
            500,
            &errors("Conversion failed when converting"),
            Code::AutotaskBug,
        );
        no(500, &errors("Block Hour is wrong"), Code::AutotaskRefused);
        no(400, "", Code::AutotaskRefused);
        no(422, &errors("no"), Code::AutotaskRefused);
    }

    #[test]
    fn what_may_pass_leaves_the_effect_open() {
        doubt(500, &errors("was deadlocked on lock"));
        doubt(500, &errors("Execution Timeout Expired"));
        doubt(500, HTML);
        doubt(500, "");
        doubt(500, r#"{"errors":[]}"#);
        doubt(500, r#"{"errors":"text"}"#);
        doubt(503, &errors("busy"));
        doubt(302, "");
        doubt(408, "");
    }

    #[test]
    fn the_text_shown_is_the_reason_without_ballast_or_secrets() {
        let body = r#"{"errors":[{"message":"Value s3cret does not reference a taskType . "},
            "String value exceeds maximum length (field:x). ",
            "Error updating entity for record number [1]. "]}"#;
        let fault = judged(500, body);
        assert_eq!(fault.code(), Code::AutotaskRefused);
        assert_eq!(
            fault.failure.notice.words["detail"],
            "Value *** does not reference a taskType; \
             String value exceeds maximum length (field:x)"
        );
        assert!(fault.failure.notice.text().contains("(field:x)."));
    }

    #[test]
    fn the_wait_asked_for_is_kept() {
        let mut headers = HeaderMap::new();
        headers.insert("Retry-After", "7".parse().unwrap());
        let fault = classify(StatusCode::TOO_MANY_REQUESTS, &headers, b"", &str::to_owned);
        assert_eq!(
            fault.failure.retry_after,
            Some(std::time::Duration::from_secs(7))
        );
    }
}
