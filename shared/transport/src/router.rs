use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{Request, Response};

use crate::{BoxFuture, SharedTransport, Transport, TransportError, TransportErrorKind};

/// Hands each request to the transport that stands for its host (`host` or `host:port`).
///
/// Used to run clients against simulators in the same process, without a socket.
#[derive(Default)]
pub struct Router {
    routes: BTreeMap<String, SharedTransport>,
}

impl Router {
    /// Sends everything for `authority` (lower case) to `transport`.
    #[must_use]
    pub fn route(mut self, authority: &str, transport: SharedTransport) -> Self {
        self.routes
            .insert(authority.to_ascii_lowercase(), transport);
        self
    }
}

impl Transport for Router {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let authority = request
            .uri()
            .authority()
            .map(|a| a.as_str().to_ascii_lowercase());
        if let Some(transport) = authority.and_then(|a| self.routes.get(&a)) {
            return transport.send(request, timeout);
        }
        let error = TransportError::new(TransportErrorKind::NotSent, request.uri());
        Box::pin(async move { Err(error) })
    }
}
