//! Answers: a view as a page or as JSON, a redirect, a file; and the headers that all of them bear.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{page::Page, view::Frame};

/// What an operation answers.
pub(crate) enum Answer {
    /// A view, with the section and title of its page.
    View(Box<Shown>),
    /// Something was done: JSON for programs; browsers are sent on to a page.
    Done {
        status: StatusCode,
        json: Vec<u8>,
        then: String,
    },
    /// A way to another page, also for programs.
    Redirect(StatusCode, String),
    /// A file.
    File {
        media_type: &'static str,
        name: Option<String>,
        body: Bytes,
    },
}

/// A view that is to be shown.
pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) section: &'static str,
    view: Box<dyn View>,
}

/// Something that has a page and a JSON form.
trait View: Send {
    fn html(&self, frame: &Frame) -> Option<String>;
    fn json(&self) -> Option<Vec<u8>>;
}

impl<T: Page + Serialize + Send> View for T {
    fn html(&self, frame: &Frame) -> Option<String> {
        Page::html(self, frame).ok()
    }

    fn json(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok()
    }
}

impl Answer {
    /// Shows a view.
    pub(crate) fn show<V: Page + Serialize + Send + 'static>(
        (title, section): (&'static str, &'static str),
        view: V,
    ) -> Self {
        Self::show_as(StatusCode::OK, (title, section), view)
    }

    /// Shows a view under another status.
    pub(crate) fn show_as<V: Page + Serialize + Send + 'static>(
        status: StatusCode,
        (title, section): (&'static str, &'static str),
        view: V,
    ) -> Self {
        Self::View(Box::new(Shown {
            status,
            title,
            section,
            view: Box::new(view),
        }))
    }

    /// Tells that something was done.
    pub(crate) fn done(status: StatusCode, view: &impl Serialize, then: impl Into<String>) -> Self {
        Self::Done {
            status,
            json: serde_json::to_vec(view).unwrap_or_default(),
            then: then.into(),
        }
    }

    /// Sends a browser on.
    pub(crate) fn to(path: impl Into<String>) -> Self {
        Self::Redirect(StatusCode::SEE_OTHER, path.into())
    }

    /// The answer as it goes out, without the headers of [`seal`].
    pub(crate) fn respond(
        self,
        wants_json: bool,
        frame: impl FnOnce(&Shown) -> Frame,
    ) -> Response<Bytes> {
        match self {
            Self::View(shown) if wants_json => {
                let body = shown.view.json();
                body.map_or_else(broken, |body| json(shown.status, body))
            }
            Self::View(shown) => {
                let page = shown.view.html(&frame(&shown));
                page.map_or_else(broken, |page| html(shown.status, page))
            }
            Self::Done {
                status, json: body, ..
            } if wants_json => json(status, body),
            Self::Done { then, .. } => redirect(StatusCode::SEE_OTHER, &then),
            Self::Redirect(status, to) => redirect(status, &to),
            Self::File {
                media_type,
                name,
                body,
            } => file(media_type, name.as_deref(), body),
        }
    }
}

fn broken() -> Response<Bytes> {
    let text = "Something went wrong inside Purser. Try again.";
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    set(
        response.headers_mut(),
        header::CONTENT_TYPE,
        "text/plain; charset=utf-8",
    );
    response
}

fn html(status: StatusCode, page: String) -> Response<Bytes> {
    with_body(status, "text/html; charset=utf-8", Bytes::from(page))
}

pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    with_body(status, "application/json; charset=utf-8", Bytes::from(body))
}

fn with_body(status: StatusCode, media_type: &str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    set(response.headers_mut(), header::CONTENT_TYPE, media_type);
    response
}

fn redirect(status: StatusCode, to: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    set(response.headers_mut(), header::LOCATION, to);
    set(
        response.headers_mut(),
        header::CONTENT_TYPE,
        "text/plain; charset=utf-8",
    );
    response
}

fn file(media_type: &str, name: Option<&str>, body: Bytes) -> Response<Bytes> {
    let mut response = with_body(StatusCode::OK, media_type, body);
    if let Some(name) = name {
        let disposition = format!("attachment; filename=\"{name}\"");
        set(
            response.headers_mut(),
            header::CONTENT_DISPOSITION,
            &disposition,
        );
    }
    response
}

pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Puts the headers on an answer that every answer bears.
pub(crate) fn seal(response: &mut Response<Bytes>, form_action: &str, correlation: &str) {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self' {form_action}; object-src 'none'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (
            header::STRICT_TRANSPORT_SECURITY,
            "max-age=63072000; includeSubDomains",
        ),
        (header::CACHE_CONTROL, "no-cache, no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        set(headers, name, value);
    }
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=()",
        ),
        ("x-correlation-id", correlation),
    ] {
        set(headers, HeaderName::from_static(name), value);
    }
}
