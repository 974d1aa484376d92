//! A request, taken apart.

use bytes::Bytes;
use http::{Method, Request, header};

/// What the service reads from a request.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    pub(super) method: Method,
    /// Path segments after `/v3/company/`: the realm first.
    pub(super) segments: Vec<String>,
    pub(super) path: String,
    pub(super) bearer: Option<String>,
    pub(super) accepts_json: bool,
    pub(super) content_type: String,
    pub(super) body: Bytes,
    parameters: Vec<(String, String)>,
}

impl Incoming {
    pub(super) fn new(request: &Request<Bytes>) -> Self {
        let text = |name: header::HeaderName| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let uri = request.uri();
        let parameters = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
        let segments = uri
            .path()
            .strip_prefix("/v3/company/")
            .map(|rest| rest.split('/').map(str::to_owned).collect())
            .unwrap_or_default();
        let media = text(header::CONTENT_TYPE)
            .split(';')
            .next()
            .unwrap_or_default();
        Self {
            method: request.method().clone(),
            segments,
            path: uri.path().to_owned(),
            bearer: text(header::AUTHORIZATION)
                .strip_prefix("Bearer ")
                .map(str::to_owned),
            accepts_json: text(header::ACCEPT)
                .to_ascii_lowercase()
                .contains("application/json"),
            content_type: media.trim().to_ascii_lowercase(),
            body: request.body().clone(),
            parameters,
        }
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn realm(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }

    /// The lower-case entity segment.
    pub(super) fn resource(&self) -> &str {
        self.segments.get(1).map_or("", String::as_str)
    }

    pub(super) fn is_post(&self) -> bool {
        self.method == Method::POST
    }

    /// The text of the query, from the URL or the body.
    pub(super) fn statement(&self) -> String {
        if self.is_post() {
            return String::from_utf8_lossy(&self.body).into_owned();
        }
        self.parameter("query").unwrap_or_default().to_owned()
    }

    /// True for a request that creates, changes or deletes something.
    pub(super) fn is_write(&self) -> bool {
        self.is_post() && self.resource() != "query"
    }

    /// True for the create of a bill.
    pub(super) fn creates_bill(&self) -> bool {
        self.is_post()
            && self.resource() == "bill"
            && self.parameter("operation").is_none()
            && serde_json::from_slice::<serde_json::Value>(&self.body)
                .is_ok_and(|body| body.get("Id").is_none())
    }

    /// The name of the route for faults and the journal.
    pub(super) fn route(&self) -> String {
        let method = self.method.as_str();
        match self.resource() {
            "query" => format!("{method} query {}", entity_of(&self.statement())),
            resource => match self.parameter("operation") {
                Some("delete") => format!("{method} {resource} delete"),
                Some("void") => format!("{method} {resource} void"),
                _ => format!("{method} {resource}"),
            },
        }
    }
}

/// The word after FROM.
fn entity_of(statement: &str) -> &str {
    let mut words = statement.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("from"));
    words.next().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::Incoming;

    fn route(method: &str, uri: &str, body: &'static str) -> String {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Bytes::from_static(body.as_bytes()))
            .expect("a request");
        Incoming::new(&request).route()
    }

    #[test]
    fn routes_have_readable_names() {
        let base = "https://quickbooks.test/v3/company/9";
        assert_eq!(
            route("POST", &format!("{base}/bill?requestid=1"), "{}"),
            "POST bill"
        );
        assert_eq!(
            route("POST", &format!("{base}/bill?operation=delete"), "{}"),
            "POST bill delete"
        );
        assert_eq!(
            route("POST", &format!("{base}/query"), "select * from Bill"),
            "POST query Bill"
        );
        let get = format!("{base}/query?query=select%20*%20from%20Vendor%20where%20Id='1'");
        assert_eq!(route("GET", &get, ""), "GET query Vendor");
        assert_eq!(
            route("GET", &format!("{base}/preferences"), ""),
            "GET preferences"
        );
    }
}
