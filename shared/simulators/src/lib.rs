#![doc = include_str!("../README.md")]

pub mod autotask;
pub mod clock;
pub mod control;
pub mod exchange;
pub mod fault;
pub mod intuit;
pub mod journal;
pub mod quickbooks;
mod serve;
pub mod store;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use purser_transport::{
    BoxFuture, RESPONSE_BYTES_MAX, Transport, TransportError, TransportErrorKind,
};
use serde::{Deserialize, Serialize};

pub use crate::{
    clock::{SimulatorClock, TokioClock, WallClock},
    control::{ControlError, Controlled},
    exchange::{Call, Context, Effect, Exchange, FaultAnswers},
    fault::{FaultKind, FaultRule, Faults},
    journal::{Journal, JournalEntry},
    serve::serve,
    store::{Change, Store, StoreError},
};

/// The simulated systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// Autotask PSA.
    Autotask,
    /// QuickBooks Online's accounting API.
    QuickBooks,
    /// Intuit's sign-in.
    Intuit,
}

impl System {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Autotask, Self::QuickBooks, Self::Intuit];

    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Autotask => "autotask",
            Self::QuickBooks => "quickbooks",
            Self::Intuit => "intuit",
        }
    }
}

/// All simulators with what they share.
pub struct Simulators {
    /// Autotask PSA.
    pub autotask: autotask::AutotaskSimulator,
    /// QuickBooks Online's accounting API.
    pub quickbooks: quickbooks::QuickBooksSimulator,
    /// Intuit's sign-in.
    pub intuit: intuit::IntuitSimulator,
    /// Record of all calls.
    pub journal: Arc<Journal>,
    /// Faults to inject.
    pub faults: Arc<Faults>,
    /// The time all of them live in.
    pub clock: Arc<dyn SimulatorClock>,
}

impl Simulators {
    /// Loads what `store` holds; `public_url` is the address they name when asked for one.
    pub fn new(
        clock: Arc<dyn SimulatorClock>,
        store: Store,
        public_url: &str,
    ) -> Result<Self, StoreError> {
        let context = Context {
            clock,
            store: Arc::new(store),
            journal: Arc::new(Journal::default()),
            faults: Arc::new(Faults::default()),
            public_url: public_url.trim_end_matches('/').into(),
        };
        let intuit = intuit::IntuitSimulator::new(context.clone())?;
        Ok(Self {
            autotask: autotask::AutotaskSimulator::new(context.clone())?,
            quickbooks: quickbooks::QuickBooksSimulator::new(context.clone(), &intuit)?,
            intuit,
            journal: context.journal,
            faults: context.faults,
            clock: context.clock,
        })
    }

    /// Carries out one HTTP request.
    pub async fn handle(&self, request: Request<Bytes>) -> Exchange {
        match target(request.uri().path()) {
            Some(Target::Autotask) => self.autotask.handle(request).await,
            Some(Target::QuickBooks) => self.quickbooks.handle(request).await,
            Some(Target::Intuit) => self.intuit.handle(request).await,
            Some(Target::Control) => Exchange::Answer(control::handle(self, &request)),
            None => Exchange::Answer(exchange::text_answer(
                StatusCode::NOT_FOUND,
                "text/html",
                "<h1>404 - File or directory not found.</h1>".into(),
            )),
        }
    }

    pub(crate) fn controlled(&self, system: System) -> &dyn Controlled {
        match system {
            System::Autotask => &self.autotask,
            System::QuickBooks => &self.quickbooks,
            System::Intuit => &self.intuit,
        }
    }
}

enum Target {
    Autotask,
    QuickBooks,
    Intuit,
    Control,
}

/// Finds the system by the path; an Autotask path may begin with the name of its zone.
fn target(path: &str) -> Option<Target> {
    let path = path.to_ascii_lowercase();
    let under = |prefix: &str| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut segments = path.split('/').skip(1);
    let first = segments.next();
    if first == Some("atservicesrest") || segments.next() == Some("atservicesrest") {
        return Some(Target::Autotask);
    }
    if under("/v3/company") {
        return Some(Target::QuickBooks);
    }
    if under("/_simulator") {
        return Some(Target::Control);
    }
    let intuit = [
        "/.well-known",
        "/oauth2",
        "/v2/oauth2",
        "/connect",
        "/op",
        "/v1/openid_connect",
    ];
    intuit.into_iter().any(under).then_some(Target::Intuit)
}

impl Transport for Simulators {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let uri = request.uri().clone();
        let failed = move |kind| Err(TransportError::new(kind, &uri));
        Box::pin(async move {
            let exchange = async {
                match self.handle(request).await {
                    Exchange::Silence => std::future::pending().await,
                    answered => answered,
                }
            };
            match tokio::time::timeout(timeout, exchange).await {
                Ok(Exchange::Answer(response)) if response.body().len() > RESPONSE_BYTES_MAX => {
                    failed(TransportErrorKind::TooLarge)
                }
                Ok(Exchange::Answer(response)) => Ok(response),
                Ok(_) => failed(TransportErrorKind::Broken),
                Err(_) => failed(TransportErrorKind::Timeout),
            }
        })
    }
}
