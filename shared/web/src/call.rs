//! One request, read: what is asked for, by whom, with which input.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use jiff::Timestamp;
use purser_core::ids::TraceId;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{error::WebError, view::FieldProblem};

/// The largest body that is read, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest text of one field, in characters.
const TEXT_MAX: usize = 4_000;
/// The longest path, with its query, that a sign-in goes on at.
pub(crate) const PATH_MAX: usize = 500;
/// Where the JSON interface begins.
pub(crate) const API: &str = "/api/v1";

/// One request.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path as it was asked for.
    pub(crate) path: String,
    /// The path with its query.
    pub(crate) target: String,
    /// Whether it came to the JSON interface.
    pub(crate) is_api: bool,
    /// Whether the answer is JSON.
    pub(crate) wants_json: bool,
    pub(crate) query: Fields,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The variable parts of the path.
    pub(crate) parameters: Vec<(&'static str, String)>,
    /// Names this request in the log and in an error's answer.
    pub(crate) correlation: String,
    /// What the request is a part of, when the function that serves it was told. A request itself
    /// cannot choose it.
    pub(crate) trace: Option<TraceId>,
    pub(crate) now: Timestamp,
}

/// Names and values, in the order in which they were sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

impl Fields {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of this name, when it is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    fn object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        for (name, value) in &self.0 {
            if name != "form_secret" {
                object.insert(name.clone(), Value::String(value.clone()));
            }
        }
        object
    }
}

impl Call {
    pub(crate) fn read(request: Request<Bytes>, correlation: String, now: Timestamp) -> Self {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let is_api = path == API || path.starts_with("/api/");
        let accept = text_header(&parts.headers, header::ACCEPT.as_str());
        let wants_json = is_api
            || accept
                .is_some_and(|text| text.contains("application/json") && !text.contains("html"));
        Self {
            query: Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()),
            method: parts.method,
            target: parts
                .uri
                .path_and_query()
                .map_or_else(|| path.clone(), ToString::to_string),
            path,
            is_api,
            wants_json,
            headers: parts.headers,
            body,
            parameters: Vec::new(),
            correlation,
            trace: parts.extensions.get().cloned(),
            now,
        }
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        text_header(&self.headers, name)
    }

    /// A cookie's value. Several `Cookie` headers count as one (HTTP/2 splits them).
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let all = self.headers.get_all(header::COOKIE).into_iter();
        let pairs = all.filter_map(|value| value.to_str().ok());
        let pairs = pairs.flat_map(|text| text.split(';'));
        pairs
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// A variable part of the path.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// A variable part of the path as an identifier; one that is none does not exist.
    pub(crate) fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, WebError> {
        let text = self.parameter(name);
        text.parse().map_err(|_| WebError::not_found())
    }

    /// Whether this request changes something.
    pub(crate) fn is_mutation(&self) -> bool {
        self.method != Method::GET && self.method != Method::HEAD
    }

    fn media_type(&self) -> &str {
        let text = self
            .header(header::CONTENT_TYPE.as_str())
            .unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim()
    }

    /// The body of a form.
    pub(crate) fn form(&self) -> Fields {
        if self.media_type() == "application/x-www-form-urlencoded" {
            Fields::parse(&self.body)
        } else {
            Fields::default()
        }
    }

    /// What a body may be: JSON at the interface, a form from a page, and never too large.
    pub(crate) fn check_body(&self) -> Result<(), WebError> {
        if self.body.len() > BODY_BYTES_MAX {
            return Err(WebError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "request.too_large",
                "The request is larger than 64 kilobytes.",
                "Send less; nothing was changed.",
            ));
        }
        if !self.is_mutation() || self.body.is_empty() {
            return Ok(());
        }
        let wanted = match self.is_api {
            true => "application/json",
            false => "application/x-www-form-urlencoded",
        };
        if self.media_type().eq_ignore_ascii_case(wanted) {
            return Ok(());
        }
        Err(WebError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request.media_type",
            format!("The body must be {wanted}."),
            "Set the header Content-Type; nothing was changed.",
        ))
    }

    /// The input, from JSON or from a form; unknown fields are refused.
    pub(crate) fn input<T: DeserializeOwned>(&self) -> Result<T, WebError> {
        let value = if self.is_api {
            if self.body.is_empty() {
                Value::Object(Map::new())
            } else {
                serde_json::from_slice(&self.body)
                    .map_err(|error| WebError::malformed(json_words(&error)))?
            }
        } else {
            Value::Object(self.form().object())
        };
        let Value::Object(object) = &value else {
            return Err(WebError::malformed("The body must be a JSON object."));
        };
        bounded(object)?;
        serde_json::from_value(value).map_err(|error| field_error(&error))
    }
}

/// The reason without what was sent.
fn json_words(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!("The body is not JSON: line {line}, column {column}.")
}

fn field_error(error: &serde_json::Error) -> WebError {
    let text = error.to_string();
    // Serde names the field between backticks, but in some errors the value.
    let is_named = text.starts_with("unknown field") || text.starts_with("missing field");
    let field = text.split('`').nth(1).filter(|_| is_named);
    let field = field.unwrap_or("body").to_owned();
    let message = match text.split_once(',') {
        Some((first, _)) => first.to_owned(),
        None => text,
    };
    WebError::field(&field, message)
}

fn bounded(object: &Map<String, Value>) -> Result<(), WebError> {
    let mut problems = Vec::new();
    for (field, value) in object {
        let is_long = value
            .as_str()
            .is_some_and(|text| text.chars().count() > TEXT_MAX && field != "document");
        let is_dirty = value.as_str().is_some_and(|text| text.contains('\0'));
        if is_long || is_dirty {
            problems.push(FieldProblem {
                field: field.clone(),
                message: format!("must be a text of at most {TEXT_MAX} characters"),
            });
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(WebError::wrong(problems)),
    }
}

fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::input;

    fn refused<T: DeserializeOwned + std::fmt::Debug>(body: Value) -> (String, String) {
        let error = serde_json::from_value::<T>(body).unwrap_err();
        let error = field_error(&error);
        let problem = error.fields.first().unwrap();
        (problem.field.clone(), problem.message.clone())
    }

    #[test]
    fn the_field_that_is_wrong_is_named_and_never_its_value() {
        let (field, message) = refused::<input::ChangeRole>(json!({"role": "admin", "x": 1}));
        assert_eq!((&*field, &*message), ("x", "unknown field `x`"));
        let (field, _) = refused::<input::ChangeRole>(json!({}));
        assert_eq!(field, "role");
        for value in [json!(7), json!(true), json!([]), json!(null)] {
            let (field, _) = refused::<input::ChangeRole>(json!({ "role": value }));
            assert_eq!(field, "body", "{value}");
        }
    }

    #[test]
    fn a_text_has_an_end_and_no_null() {
        let of = |text: String| json!({ "email": text, "document": "x".repeat(TEXT_MAX + 1) });
        let checked = |value: Value| bounded(value.as_object().unwrap());
        assert!(checked(of("\u{1f6d2}".repeat(TEXT_MAX))).is_ok());
        for text in ["x".repeat(TEXT_MAX + 1), "a\0b".to_owned()] {
            let error = checked(of(text)).unwrap_err();
            assert_eq!(error.fields.len(), 1);
            assert_eq!(error.fields[0].field, "email");
        }
    }
}
