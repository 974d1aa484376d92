//! One request to QuickBooks as data: where it goes, what it carries, what must come back.

use bytes::Bytes;
use http::{
    Method, Request,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use purser_core::ids::{RealmId, RequestId};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use crate::{query::Statement, verdict::Operation};

/// Released 16 December 2024; since August 2025 lower ones are served as this one.
const MINOR_VERSION: &str = "75";

/// What a body must hold besides HTTP 2xx to count as a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// One of these members.
    Member(&'static [&'static str]),
    /// This record, with an `Id`.
    Record(&'static str),
}

impl Expected {
    /// Whether `body` holds what was expected.
    pub(crate) fn is_in(self, body: &Value) -> bool {
        match self {
            Self::Member(names) => names.iter().any(|name| body.get(name).is_some()),
            Self::Record(name) => match body.get(name).and_then(|record| record.get("Id")) {
                Some(Value::String(id)) => !id.is_empty(),
                Some(Value::Number(_)) => true,
                _ => false,
            },
        }
    }
}

/// One request. The same call is the same bytes, however often it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    pub(crate) expected: Expected,
    segments: Vec<String>,
    parameters: Vec<(&'static str, String)>,
    body: Option<(&'static str, Bytes)>,
}

impl Call {
    /// Reads `path`, whose parts are escaped here.
    pub(crate) fn get(path: &[&str], expected: Expected) -> Self {
        Self {
            operation: Operation::Read,
            expected,
            segments: path.iter().map(|part| (*part).to_owned()).collect(),
            parameters: Vec::new(),
            body: None,
        }
    }

    /// Reads one page. By POST, so that no name ever stands in an address.
    pub(crate) fn query(statement: &Statement, start: usize) -> Self {
        let body = Bytes::from(statement.page(start));
        Self {
            body: Some(("application/text", body)),
            ..Self::get(&["query"], Expected::Member(&["QueryResponse"]))
        }
    }

    /// Creates a record; `request_id` makes QuickBooks answer a repetition as the first time.
    pub(crate) fn create(
        operation: Operation,
        path: &'static str,
        record: &'static str,
        body: String,
        request_id: &RequestId,
    ) -> Self {
        Self {
            operation,
            parameters: vec![("requestid", request_id.as_str().to_owned())],
            body: Some(("application/json", Bytes::from(body))),
            ..Self::get(&[path], Expected::Record(record))
        }
    }

    /// Adds a query parameter.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    /// Whether it reads only: a GET or a query.
    pub(crate) fn is_read(&self) -> bool {
        self.operation == Operation::Read
    }

    /// The request as it is sent; `None` when the address or token cannot stand in HTTP.
    pub(crate) fn request(
        &self,
        base: &Url,
        realm: &RealmId,
        token: &SecretString,
    ) -> Option<Request<Bytes>> {
        let mut url = base.clone();
        url.path_segments_mut()
            .ok()?
            .pop_if_empty()
            .extend(["v3", "company", realm.as_str()])
            .extend(&self.segments);
        url.query_pairs_mut()
            .append_pair("minorversion", MINOR_VERSION)
            .extend_pairs(&self.parameters);
        let mut bearer =
            HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok()?;
        bearer.set_sensitive(true);
        let method = if self.body.is_some() {
            Method::POST
        } else {
            Method::GET
        };
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(AUTHORIZATION, bearer)
            // Without it QuickBooks answers in XML.
            .header(ACCEPT, "application/json");
        if let Some((content_type, _)) = &self.body {
            request = request.header(CONTENT_TYPE, *content_type);
        }
        let body = self
            .body
            .as_ref()
            .map(|(_, body)| body.clone())
            .unwrap_or_default();
        request.body(body).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_carries_version_id_and_headers() {
        let base: Url = "https://quickbooks.api.intuit.com".parse().unwrap();
        let realm = "42".parse().unwrap();
        let id = "abc123".parse().unwrap();
        let call = Call::create(Operation::CreateBill, "bill", "Bill", "{}".into(), &id);
        let request = call
            .request(&base, &realm, &SecretString::from("t0ken"))
            .unwrap();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(
            request.uri().to_string(),
            "https://quickbooks.api.intuit.com/v3/company/42/bill?minorversion=75&requestid=abc123"
        );
        assert_eq!(request.headers()["accept"], "application/json");
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.headers()["authorization"], "Bearer t0ken");
        assert!(!format!("{request:?}").contains("t0ken"));
    }

    #[test]
    fn an_id_cannot_change_the_path_and_a_token_cannot_add_a_header() {
        let base: Url = "http://127.0.0.1:9000/".parse().unwrap();
        let realm = "42".parse().unwrap();
        let call = Call::get(&["bill", "../7?x#y"], Expected::Record("Bill"));
        let request = call
            .request(&base, &realm, &SecretString::from("t"))
            .unwrap();
        assert_eq!(request.uri().path(), "/v3/company/42/bill/..%2F7%3Fx%23y");
        assert!(
            call.request(&base, &realm, &SecretString::from("a\r\nb: c"))
                .is_none()
        );
    }

    #[test]
    fn a_record_without_an_id_is_not_what_was_expected() {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let expected = Expected::Record("Bill");
        assert!(expected.is_in(&read(r#"{"Bill":{"Id":"1"}}"#)));
        for wrong in [
            r#"{"Bill":{}}"#,
            r#"{"Bill":{"Id":""}}"#,
            "{}",
            r#"{"Vendor":{"Id":"1"}}"#,
        ] {
            assert!(!expected.is_in(&read(wrong)), "{wrong}");
        }
    }
}
