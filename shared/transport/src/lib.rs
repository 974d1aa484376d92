#![doc = include_str!("../README.md")]

mod error;
mod meter;
mod pacer;
#[cfg(test)]
mod properties;
mod reqwest_transport;
mod retry_after;
mod router;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
pub use error::{TransportError, TransportErrorKind};
pub use http::{Method, Request, Response, StatusCode, header};
pub use meter::Meter;
pub use pacer::{Pace, Pacer};
pub use reqwest_transport::HttpTransport;
pub use retry_after::retry_after;
pub use router::Router;

/// A boxed future, so that [`Transport`] stays usable as a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A transport that can be shared by every client of one process.
pub type SharedTransport = Arc<dyn Transport>;

/// The largest answer that is read, in bytes: 1,000 rows of either outside system fit many times.
pub const RESPONSE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Sends one HTTP request and returns the one complete response, or says how far it got.
///
/// Never retries, never follows a redirect, never changes the request.
pub trait Transport: Send + Sync {
    /// Sends `request` (absolute URI, whole body) and waits at most `timeout` for the whole answer.
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;
}
