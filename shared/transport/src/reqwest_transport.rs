use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};

use crate::{
    BoxFuture, RESPONSE_BYTES_MAX, Transport, TransportError,
    TransportErrorKind::{Broken, NotSent, Timeout, TooLarge},
};

/// The real network: TLS 1.2 or newer with certificate checks, no redirects, no proxies, no retries.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    /// Builds the one client of a process.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_secs(10))
            .min_tls_version(reqwest::tls::Version::TLS_1_2)
            .user_agent(concat!("purser/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .build()?;
        Ok(Self { client })
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let uri = request.uri().clone();
        let failed = |error: &reqwest::Error| {
            let kind = match error {
                e if e.is_connect() || e.is_builder() => NotSent,
                e if e.is_timeout() => Timeout,
                _ => Broken,
            };
            TransportError::new(kind, &uri)
        };
        let request = reqwest::Request::try_from(request).map_err(|e| failed(&e))?;
        let mut answer = self.client.execute(request).await.map_err(|e| failed(&e))?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|_| TransportError::new(Broken, &uri))?
        {
            if body.len() + chunk.len() > RESPONSE_BYTES_MAX {
                return Err(TransportError::new(TooLarge, &uri));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

impl Transport for HttpTransport {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let uri = request.uri().clone();
        Box::pin(async move {
            match tokio::time::timeout(timeout, self.exchange(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(TransportError::new(Timeout, &uri)),
            }
        })
    }
}
