use thiserror::Error;

/// How far a request got before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// No connection was made, so nothing can have been received.
    NotSent,
    /// The time ran out; the request may have had its effect.
    Timeout,
    /// The connection broke after the request may have been sent.
    Broken,
    /// An answer came but is larger than [`RESPONSE_BYTES_MAX`](crate::RESPONSE_BYTES_MAX).
    TooLarge,
}

/// A request without a complete response.
///
/// The text never holds the URL's query, a header or a body.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("exchange with {host} failed: {kind:?}")]
pub struct TransportError {
    /// How far the request got.
    pub kind: TransportErrorKind,
    /// Host (and port) that was asked.
    pub host: String,
}

impl TransportError {
    /// Names the failure of a request to `uri`.
    pub fn new(kind: TransportErrorKind, uri: &http::Uri) -> Self {
        let host = uri.authority().map_or_else(String::new, |a| {
            a.port_u16()
                .map_or_else(|| a.host().to_owned(), |p| format!("{}:{p}", a.host()))
        });
        Self { kind, host }
    }

    /// True when the outside system cannot have acted on the request.
    pub fn nothing_sent(&self) -> bool {
        self.kind == TransportErrorKind::NotSent
    }
}
