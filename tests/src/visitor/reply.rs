//! An answer of the application, with what tests ask about it.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde_json::Value;

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as text.
    pub body: String,
}

impl Reply {
    pub(super) fn of(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).expect("a text"),
        }
    }

    /// A header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("a text"))
    }

    /// Where the answer sends the browser.
    pub fn location(&self) -> &str {
        let location = self.header(header::LOCATION.as_str());
        assert!(!location.is_empty(), "no redirect: {self:?}");
        location
    }

    /// The cookies that are set, with their attributes.
    pub fn set_cookies(&self) -> Vec<String> {
        let all = self.headers.get_all(header::SET_COOKIE).iter();
        all.map(|value| value.to_str().expect("a text").to_owned())
            .collect()
    }

    /// The answer, which must have this status.
    #[must_use]
    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The same, and sends the browser to exactly this place.
    #[must_use]
    #[track_caller]
    pub fn expect_to(self, to: &str) -> Self {
        assert!(self.status.is_redirection(), "{self:?}");
        assert_eq!(self.location(), to, "{self:?}");
        self
    }

    /// Its body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of an error of the JSON interface.
    #[track_caller]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().expect("a code").to_owned()
    }

    /// The page must hold this text.
    #[must_use]
    #[track_caller]
    pub fn shows(self, text: &str) -> Self {
        assert!(self.body.contains(text), "no {text} in {}", self.body);
        self
    }

    /// The page must not hold this text.
    #[must_use]
    #[track_caller]
    pub fn hides(self, text: &str) -> Self {
        assert!(!self.body.contains(text), "{text} in {}", self.body);
        self
    }
}
