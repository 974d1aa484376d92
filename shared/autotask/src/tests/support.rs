//! A scripted transport, a clock that jumps, and a client wired to both.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use purser_core::{
    policy::Policy,
    ports::{Clock, Lane},
    tenant::AutotaskCredentials,
};
use purser_transport::{BoxFuture, Meter, Transport, TransportError, TransportErrorKind};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{AutotaskClient, Config, DEFAULT_ZONE_URL, TenantGate};

/// One answer of the script.
#[derive(Clone)]
pub(crate) enum Answer {
    Json(u16, Value),
    Text(u16, &'static str),
    RetryAfter(u16, &'static str),
    Fails(TransportErrorKind),
}

/// One request as the fake saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) host: String,
    pub(crate) body: Value,
    pub(crate) headers: http::HeaderMap,
}

type Script = dyn Fn(&Seen, usize) -> Answer + Send + Sync;

/// Answers from a function of the request and of how many came before it on the same line.
pub(crate) struct Fake {
    script: Box<Script>,
    pub(crate) seen: Mutex<Vec<Seen>>,
    /// When set, data calls wait for a permit, so that a test sees them overlap.
    pub(crate) hold: Option<Arc<Semaphore>>,
}

impl Fake {
    fn answer(&self, request: &Request<Bytes>) -> Answer {
        let seen = Seen {
            line: format!("{} {}", request.method(), request.uri().path()),
            host: request.uri().host().unwrap().to_owned(),
            body: serde_json::from_slice(request.body()).unwrap_or_default(),
            headers: request.headers().clone(),
        };
        let mut all = self.seen.lock().unwrap();
        let before = all.iter().filter(|s| s.line == seen.line).count();
        all.push(seen.clone());
        drop(all);
        (self.script)(&seen, before)
    }
}

impl Transport for Fake {
    fn send(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let answer = self.answer(&request);
            if let Some(hold) = &self.hold
                && request.uri().path().ends_with("/query")
            {
                hold.acquire().await.unwrap().forget();
            }
            let response = |status: u16, body: String| {
                let mut response = Response::new(Bytes::from(body));
                *response.status_mut() = status.try_into().unwrap();
                response
            };
            Ok(match answer {
                Answer::Json(status, body) => response(status, body.to_string()),
                Answer::Text(status, body) => response(status, body.to_owned()),
                Answer::RetryAfter(status, seconds) => {
                    let mut response = response(status, String::new());
                    let headers = response.headers_mut();
                    headers.insert("Retry-After", seconds.parse().unwrap());
                    response
                }
                Answer::Fails(kind) => return Err(TransportError::new(kind, request.uri())),
            })
        })
    }
}

/// A clock that moves only when somebody waits.
pub(crate) struct Jumping {
    now: Mutex<Timestamp>,
    pub(crate) waits: Mutex<Vec<Duration>>,
}

impl Jumping {
    pub(crate) fn jump(&self, time: Duration) {
        *self.now.lock().unwrap() += SignedDuration::try_from(time).unwrap();
    }
}

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, time: Duration) {
        self.waits.lock().unwrap().push(time);
        self.jump(time);
    }
}

/// Everything one test looks at.
pub(crate) struct Bench {
    pub(crate) fake: Arc<Fake>,
    pub(crate) clock: Arc<Jumping>,
    pub(crate) gate: Arc<TenantGate>,
    pub(crate) meter: Arc<Meter>,
}

impl Bench {
    /// A bench whose zone lookup and threshold work; `script` answers the rest.
    pub(crate) fn new(script: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::raw(move |seen, before| {
            if seen.line.ends_with("/zoneInformation") {
                zone("webservices3.autotask.net")
            } else if seen.line.ends_with("/ThresholdInformation") {
                threshold(10_000, 100)
            } else {
                script(seen, before)
            }
        })
    }

    /// A bench that answers nothing by itself.
    pub(crate) fn raw(script: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::with(Box::new(script), None)
    }

    pub(crate) fn with(script: Box<Script>, hold: Option<Arc<Semaphore>>) -> Self {
        Self {
            fake: Arc::new(Fake {
                script,
                seen: Mutex::default(),
                hold,
            }),
            clock: Arc::new(Jumping {
                now: Mutex::new("2026-01-05T12:00:00Z".parse().unwrap()),
                waits: Mutex::default(),
            }),
            gate: Arc::default(),
            meter: Arc::default(),
        }
    }

    pub(crate) fn config(&self, lane: Lane) -> Config<Jumping> {
        Config {
            transport: Arc::clone(&self.fake) as _,
            clock: Arc::clone(&self.clock),
            policy: Policy::default(),
            credentials: AutotaskCredentials {
                user: "api+1@msp.example".to_owned(),
                secret: "s3cret-secret".to_owned().into(),
                integration_code: "CODE0123456789".to_owned().into(),
            },
            credentials_version: 1,
            zone_url: DEFAULT_ZONE_URL.parse().unwrap(),
            allow_local: false,
            lane,
            share_percent: 50,
            meter: Arc::clone(&self.meter),
            gate: Arc::clone(&self.gate),
        }
    }

    /// A client in the background.
    pub(crate) fn client(&self) -> AutotaskClient<Jumping> {
        AutotaskClient::new(self.config(Lane::Background))
    }

    /// The method and path of every call so far, without lookups and thresholds.
    pub(crate) fn lines(&self) -> Vec<String> {
        let seen = self.fake.seen.lock().unwrap();
        let lines = seen.iter().map(|seen| seen.line.clone());
        lines
            .filter(|l| !l.ends_with("/zoneInformation") && !l.ends_with("/ThresholdInformation"))
            .map(|l| l.replace("/ATServicesRest/V1.0/", ""))
            .collect()
    }

    /// How many calls had a path with this end.
    pub(crate) fn count(&self, end: &str) -> usize {
        let seen = self.fake.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.line.ends_with(end)).count()
    }

    /// The bodies of the calls whose path has this end.
    pub(crate) fn bodies(&self, end: &str) -> Vec<Value> {
        let seen = self.fake.seen.lock().unwrap();
        let with_end = seen.iter().filter(|seen| seen.line.ends_with(end));
        with_end.map(|seen| seen.body.clone()).collect()
    }

    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.clock.waits.lock().unwrap().clone()
    }
}

pub(crate) fn zone(host: &str) -> Answer {
    let url = format!("https://{host}/ATServicesRest/");
    let body = json!({"zoneName": "z", "url": url, "webUrl": "https://ww3.autotask.net/", "ci": 1});
    Answer::Json(200, body)
}

pub(crate) fn threshold(limit: u32, used: u32) -> Answer {
    let body = json!({
        "externalRequestThreshold": limit,
        "requestThresholdTimeframe": 60,
        "currentTimeframeRequestCount": used,
    });
    Answer::Json(200, body)
}

pub(crate) fn items(items: impl Into<Value>) -> Answer {
    let items: Value = items.into();
    let details = json!({"count": items.as_array().unwrap().len(), "nextPageUrl": null});
    Answer::Json(200, json!({"items": items, "pageDetails": details}))
}

pub(crate) fn errors(text: &str) -> Answer {
    let generic = "Error updating entity for record number [1]. ";
    Answer::Json(500, json!({"errors": [text, generic]}))
}

/// A complete answer without rows.
pub(crate) fn none() -> Answer {
    items(Vec::<Value>::new())
}
