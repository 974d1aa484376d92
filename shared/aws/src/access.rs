//! How the services of AWS are reached: where, as whom, and by which HTTP client.

use std::{fmt, time::Duration};

use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, RuntimeComponents, SharedCredentialsProvider,
    http::{HttpRequest, HttpResponse},
    timeout::TimeoutConfig,
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;

/// How long one try of a call may take.
const ATTEMPT_TIME: Duration = Duration::from_secs(5);
/// How long a call may take with all its tries. Without a limit a silent service would use up the
/// time that the function needs to say so.
const CALL_TIME: Duration = Duration::from_secs(15);
/// How long a connection may take to open.
const CONNECT_TIME: Duration = Duration::from_secs(3);

/// Why the services cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A variable that Lambda sets is missing.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The HTTP client cannot be made.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// Where the services are and as whom they are called.
pub struct Access {
    /// The region.
    pub region: String,
    /// As whom.
    pub credentials: Credentials,
    /// Another address for every service, as an emulator has.
    pub endpoint: Option<String>,
}

impl Access {
    /// The access that Lambda gives a function in its
    /// [environment](https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html). The
    /// credentials are those of its role, and valid as long as the process lives. Other sources, as
    /// profiles and instance metadata, are not looked at: a function has none.
    pub fn of_environment(read: impl Fn(&str) -> Option<String>) -> Result<Self, AccessError> {
        let wanted = |name| read(name).ok_or(AccessError::Missing(name));
        let credentials = Credentials::new(
            wanted("AWS_ACCESS_KEY_ID")?,
            wanted("AWS_SECRET_ACCESS_KEY")?,
            read("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        Ok(Self {
            region: wanted("AWS_REGION")?,
            credentials,
            endpoint: read("AWS_ENDPOINT_URL"),
        })
    }

    /// What the clients of the services are made of; they share one pool of connections.
    pub fn configuration(self) -> Result<SdkConfig, AccessError> {
        let times = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIME)
            .operation_attempt_timeout(ATTEMPT_TIME)
            .operation_timeout(CALL_TIME);
        let mut configuration = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region))
            .credentials_provider(SharedCredentialsProvider::new(self.credentials))
            .timeout_config(times.build())
            .http_client(Http::new()?);
        configuration.set_endpoint_url(self.endpoint);
        Ok(configuration.build())
    }
}

/// The HTTP client of the calls to the vendors, for the calls to AWS as well: the SDK's own brings
/// HTTP/2 and a second pool, which makes every package a fifth of a megabyte larger.
#[derive(Clone)]
struct Http(reqwest::Client);

impl Http {
    fn new() -> Result<Self, reqwest::Error> {
        // The SDK follows, repeats and ends calls itself.
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIME)
            .min_tls_version(reqwest::tls::Version::TLS_1_2)
            .build()?;
        Ok(Self(client))
    }

    async fn exchange(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request
            .try_into_http1x()
            .map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        let body = body.bytes().ok_or_else(|| {
            ConnectorError::user("no call of this program streams its body".into())
        })?;
        let request = http::Request::from_parts(parts, body.to_vec());
        let request = request.try_into().map_err(failed)?;
        let mut response = self.0.execute(request).await.map_err(failed)?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            *headers = std::mem::take(response.headers_mut());
        }
        let body = SdkBody::from(response.bytes().await.map_err(failed)?);
        let answer = answer
            .body(body)
            .map_err(|error| ConnectorError::user(error.into()))?;
        HttpResponse::try_from(answer).map_err(|error| ConnectorError::user(error.into()))
    }
}

/// Why there is no answer, in the terms by which the SDK decides whether to try again.
fn failed(error: reqwest::Error) -> ConnectorError {
    if error.is_builder() {
        ConnectorError::user(error.into())
    } else if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Http")
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().exchange(request))
    }
}

impl HttpClient for Http {
    /// The times are those of [`Access::configuration`] for every service.
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
