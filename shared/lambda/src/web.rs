//! The invocations behind the HTTP API: a part of the web application each.

use std::{marker::PhantomData, sync::Arc};

use bytes::Bytes;
use lambda_http::{Body, BoxFuture, Request, RequestExt as _, Response};
use lambda_runtime::Error;
use purser_web::{Web, WebOptions, intuit_origins, part::Part};

use crate::function::{Function, FunctionPorts, trace};

/// One function's part of the web application.
pub struct WebFunction<A> {
    function: Function,
    web: Web<FunctionPorts>,
    part: PhantomData<A>,
}

impl<A: Part + Sync> WebFunction<A> {
    /// Starts the function that answers these operations.
    pub fn start() -> BoxFuture<'static, Result<Self, Error>> {
        Box::pin(async move {
            let part = A::FUNCTION.ok_or("the whole application is no function")?;
            let function = Function::start(part.as_str()).await?;
            let public_url = function.configuration.public_url.clone();
            let options = WebOptions {
                public_url: public_url.ok_or("PURSER_PUBLIC_URL is not set")?,
                intuit_origins: intuit_origins(&function.configuration.endpoints),
                sends_mail: function.mail.is_some(),
                demo: None,
            };
            let web = Web::new(Arc::clone(&function.engine), options);
            Ok(Self {
                function,
                web,
                part: PhantomData,
            })
        })
    }

    /// Answers one request.
    pub fn answer(&self, request: Request) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        Box::pin(async move {
            self.function.refresh().await;
            let trace = request.lambda_context_ref().and_then(trace);
            let (mut parts, body) = request.into_parts();
            // What a person asks for carries it from here to the write-back.
            if let Some(trace) = trace {
                parts.extensions.insert(trace);
            }
            let body = match body {
                Body::Text(text) => Bytes::from(text),
                Body::Binary(bytes) => Bytes::from(bytes),
                _ => Bytes::new(),
            };
            let request = http::Request::from_parts(parts, body);
            let response = Box::pin(self.web.handle_part::<A>(request)).await;
            if response.status().is_server_error() {
                self.function.doubt_secrets();
            }
            Ok(response.map(text_or_bytes))
        })
    }
}

/// Text travels as it is; anything else is encoded on the way.
fn text_or_bytes(body: Bytes) -> Body {
    match String::from_utf8(body.into()) {
        Ok(text) => Body::Text(text),
        Err(error) => Body::Binary(error.into_bytes()),
    }
}
