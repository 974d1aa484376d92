//! The web application of one machine: a socket on 127.0.0.1 in front of the same handlers that the
//! functions run.

use std::{io, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::State,
    serve::ListenerExt as _,
};
use http::{Request, Response, StatusCode};
use purser_core::ports::Ledger as _;
use purser_web::{Web, WebOptions, intuit_origins, view::DemoHint};
use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;

use crate::{
    exit::ProgramError,
    program::{LocalPorts, Program},
};

/// The port people find it at when nothing else is said.
pub(crate) const PORT: u16 = 8080;
/// What is read of a body; the application itself takes less and says so.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A socket that nobody is served on yet.
pub(crate) struct Door {
    listener: TcpListener,
    port: u16,
}

impl Door {
    /// Takes a port. When none was asked for and the usual one is taken, takes a free one.
    pub(crate) async fn open(port: Option<u16>) -> Result<Self, ProgramError> {
        let listener = match TcpListener::bind(("127.0.0.1", port.unwrap_or(PORT))).await {
            Err(error) if port.is_none() && error.kind() == io::ErrorKind::AddrInUse => {
                TcpListener::bind(("127.0.0.1", 0)).await
            }
            other => other,
        };
        let unusable = |error: io::Error| {
            ProgramError::wrong(
                "port",
                format!(
                    "The web application cannot listen on port {} at 127.0.0.1: {error}.",
                    port.unwrap_or(PORT)
                ),
                "Choose another port.",
            )
        };
        let listener = listener.map_err(unusable)?;
        let port = listener.local_addr().map_err(unusable)?.port();
        Ok(Self { listener, port })
    }

    /// The address for browsers on this machine.
    pub(crate) fn url(&self, host: &str) -> Result<Url, ProgramError> {
        let url = format!("http://{host}:{}/", self.port);
        url.parse().map_err(|error| {
            ProgramError::wrong(
                "port",
                format!("{url} is no address: {error}."),
                "Choose another port.",
            )
        })
    }

    /// Serves the application until the answer is dropped.
    pub(crate) fn serve(self, program: &Program, url: &Url, demo: Option<DemoHint>) -> Served {
        let options = WebOptions {
            public_url: url.clone(),
            intuit_origins: intuit_origins(&program.configuration.endpoints),
            sends_mail: program.configuration.mail.is_some(),
            demo,
        };
        let web = Arc::new(Web::new(Arc::clone(&program.engine), options));
        let service = Router::new().fallback(answer).with_state(web);
        // Without this each small answer waits for the browser's acknowledgement.
        let listener = self.listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection may be slow");
            }
        });
        let task = tokio::spawn(async move { axum::serve(listener, service).await });
        Served { task }
    }
}

/// The application as long as it is served.
pub(crate) struct Served {
    task: JoinHandle<io::Result<()>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(web): State<Arc<Web<LocalPorts>>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    // What is too large for this server is so for the application, whose answer has its headers.
    let body = to_bytes(body, BODY_BYTES_MAX).await;
    let body = body.unwrap_or_else(|_| Bytes::from(vec![0; BODY_BYTES_MAX]));
    let request = Request::from_parts(parts, body);
    // To its end, also when the browser leaves: what is under way with a vendor is not left in the middle.
    let handled = tokio::spawn(async move { web.handle(request).await });
    let stopped = match handled.await {
        Ok(answer) => return answer.map(Body::from),
        Err(stopped) => stopped,
    };
    if let Ok(panic) = stopped.try_into_panic() {
        std::panic::resume_unwind(panic);
    }
    // The program ends.
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
}

/// One-time links for tenants that nobody can look after in the browser yet.
pub(crate) async fn links(program: &Program, url: &Url) -> Result<Vec<String>, ProgramError> {
    let tenants = program.store.tenants().await?;
    let now = jiff::Timestamp::now();
    let links = purser_web::admin_links(&*program.store, &tenants, now).await?;
    let shown = links
        .into_iter()
        .map(|(tenant, secret)| format!("{tenant}: {url}link/{secret}"));
    Ok(shown.collect())
}
