//! Answers in the shapes the service uses: the entity envelope, the business fault, the gateway
//! fault in lower case, XML when JSON was not asked for, and HTML from the proxy.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::exchange::json_text;

use super::{refusal::Refusal, value::envelope_time};

/// An answer before it is put into the form the client accepts.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Body,
    expired_token: bool,
}

/// What an answer carries.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// JSON text; turned into XML for a client that did not ask for JSON.
    Json(String),
    /// The proxy's own page.
    Html(&'static str),
}

impl Reply {
    /// `{"<member>": value, "time": "..."}` with HTTP 200: creates too.
    pub(super) fn entity(member: &str, value: Value, now: Timestamp) -> Self {
        let mut envelope = json!({ "time": envelope_time(now) });
        envelope[member] = value;
        Self::json(StatusCode::OK, &envelope)
    }

    pub(super) fn fault(refusal: &Refusal, now: Timestamp) -> Self {
        let envelope = json!({ "Fault": refusal.fault(), "time": envelope_time(now) });
        Self::json(refusal.status, &envelope)
    }

    pub(super) fn json(status: StatusCode, body: &Value) -> Self {
        Self {
            status,
            body: Body::Json(json_text(body)),
            expired_token: false,
        }
    }

    pub(super) fn replayed(status: u16, body: String) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        Self {
            status,
            body: Body::Json(body),
            expired_token: false,
        }
    }

    pub(super) fn token_refused(detail: &str, now: Timestamp) -> Self {
        let message = "message=AuthenticationFailed; errorCode=003200; statusCode=401";
        let status = StatusCode::UNAUTHORIZED;
        let mut reply = Self::gateway(
            status,
            "3200",
            message,
            &json!(detail),
            "AUTHENTICATION",
            now,
        );
        reply.expired_token = true;
        reply
    }

    pub(super) fn not_authorized(now: Timestamp) -> Self {
        let message = "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403";
        Self::gateway(
            StatusCode::FORBIDDEN,
            "3100",
            message,
            &Value::Null,
            "SERVICE",
            now,
        )
    }

    pub(super) fn throttled(now: Timestamp) -> Self {
        let message = "message=ThrottleExceeded; errorCode=003001; statusCode=429";
        let detail = json!("ThrottleExceeded");
        Self::gateway(
            StatusCode::TOO_MANY_REQUESTS,
            "3001",
            message,
            &detail,
            "SERVICE",
            now,
        )
    }

    pub(super) fn gateway_timeout() -> Self {
        Self {
            status: StatusCode::GATEWAY_TIMEOUT,
            body: Body::Html(
                "<html><head><title>504 Gateway Time-out</title></head><body><h1>504 Gateway \
                 Time-out</h1></body></html>",
            ),
            expired_token: false,
        }
    }

    fn gateway(
        status: StatusCode,
        code: &str,
        message: &str,
        detail: &Value,
        kind: &str,
        now: Timestamp,
    ) -> Self {
        let body = json!({
            "warnings": null,
            "intuitObject": null,
            "fault": {
                "error": [
                    { "message": message, "detail": detail, "code": code, "element": null },
                ],
                "type": kind,
            },
            "report": null,
            "queryResponse": null,
            "batchItemResponse": [],
            "attachableResponse": [],
            "syncErrorResponse": null,
            "requestId": null,
            "time": now.as_millisecond(),
            "status": null,
            "cdcresponse": [],
        });
        Self::json(status, &body)
    }

    /// The HTTP response, with the headers every answer of the service has.
    pub(super) fn into_response(
        self,
        accepts_json: bool,
        now: Timestamp,
        sequence: u64,
    ) -> Response<Bytes> {
        let (content_type, bytes) = match self.body {
            Body::Json(text) if accepts_json => ("application/json;charset=utf-8", text),
            Body::Json(text) => ("application/xml;charset=utf-8", xml(&text)),
            Body::Html(text) => ("text/html", text.to_owned()),
        };
        let mut builder = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, content_type)
            .header(header::DATE, http_date(now))
            .header(
                "intuit_tid",
                format!("1-{:08x}-{sequence:024x}", now.as_second()),
            )
            .header("QBO-Version", "1996.175")
            .header("Service-Time", "total=62, db=33")
            .header(
                header::CACHE_CONTROL,
                "max-age=0, no-cache, no-store, private",
            );
        if self.expired_token {
            let challenge = "Bearer realm=\"Intuit\", error=\"invalid_token\"";
            builder = builder.header(header::WWW_AUTHENTICATE, challenge);
        }
        builder.body(Bytes::from(bytes)).unwrap_or_default()
    }
}

/// `Tue, 29 Sep 2020 14:51:12 GMT`.
pub(super) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The XML form of an answer: members become elements, arrays repeat theirs.
fn xml(text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>");
    let time = value["time"].as_str().unwrap_or_default();
    out.push_str("<IntuitResponse xmlns=\"http://schema.intuit.com/finance/v3\" time=\"");
    escape(time, &mut out);
    out.push_str("\">");
    if let Value::Object(members) = &value {
        for (name, value) in members.iter().filter(|(name, _)| *name != "time") {
            element(name, value, &mut out);
        }
    }
    out.push_str("</IntuitResponse>");
    out
}

fn element(name: &str, value: &Value, out: &mut String) {
    if let Value::Array(list) = value {
        for one in list {
            element(name, one, out);
        }
        return;
    }
    out.push('<');
    out.push_str(name);
    let attributes = ["type", "code", "element"];
    if let Value::Object(members) = value {
        for (member, text) in members
            .iter()
            .filter(|(m, _)| attributes.contains(&m.as_str()))
        {
            let _ = write!(out, " {member}=\"");
            escape(text.as_str().unwrap_or_default(), out);
            out.push('"');
        }
    }
    out.push('>');
    match value {
        Value::Object(members) => {
            for (member, inner) in members
                .iter()
                .filter(|(m, _)| !attributes.contains(&m.as_str()))
            {
                element(member, inner, out);
            }
        }
        Value::String(text) => escape(text, out),
        Value::Null => {}
        other => out.push_str(&other.to_string()),
    }
    let _ = write!(out, "</{name}>");
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, Reply};

    #[test]
    fn a_client_that_forgets_to_accept_json_gets_xml() {
        let now = "2026-01-15T18:00:00Z".parse().expect("a time");
        let reply = Reply::fault(&Refusal::missing("Line"), now);
        let response = reply.into_response(false, now, 1);
        let text = String::from_utf8(response.body().to_vec()).expect("text");
        assert!(text.contains("<Fault type=\"ValidationFault\">"), "{text}");
        assert!(text.contains("code=\"2020\""), "{text}");
        assert_eq!(response.headers()["date"], "Thu, 15 Jan 2026 18:00:00 GMT");
    }
}
