//! One call, sent once: paced, timed, counted, and judged. Nothing here repeats or renews.

use std::sync::Arc;

use jiff::Timestamp;
use purser_core::{
    failure::{Failure, VendorAnswer},
    ids::{RealmId, TenantId},
    notice::Code,
    policy::Policy,
    ports::Clock,
    record::later,
};
use purser_transport::{Meter, SharedTransport, header::HeaderMap};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use crate::{
    call::Call,
    fault::{Body, read_body},
    pace::SharedPacer,
    server_clock::ServerClock,
    verdict::{self, Operation},
};

/// A successful answer: 2xx, readable, and holding what was expected.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) body: Value,
    /// QuickBooks' clock when it answered, when it said so.
    pub(crate) server_time: Option<Timestamp>,
    pub(crate) told: VendorAnswer,
}

/// Everything one call needs except a token.
pub(crate) struct Exchange<C> {
    pub(crate) transport: SharedTransport,
    pub(crate) clock: Arc<C>,
    pub(crate) policy: Policy,
    pub(crate) base_url: Url,
    pub(crate) tenant: TenantId,
    pub(crate) realm: RealmId,
    pub(crate) pacer: SharedPacer,
    pub(crate) meter: Arc<Meter>,
    pub(crate) server_clock: ServerClock,
}

impl<C: Clock> Exchange<C> {
    /// Sends `call` exactly once.
    pub(crate) async fn once(&self, call: &Call, token: &SecretString) -> Result<Answer, Failure> {
        self.once_by(call, token, None).await
    }

    /// The same for a call that was decided on at a moment: when it could leave only long after that,
    /// it does not leave at all. The pace may hold it up, most of all after the clock went back.
    pub(crate) async fn once_promptly(
        &self,
        call: &Call,
        token: &SecretString,
        decided_at: Timestamp,
    ) -> Result<Answer, Failure> {
        self.once_by(call, token, Some(decided_at)).await
    }

    async fn once_by(
        &self,
        call: &Call,
        token: &SecretString,
        decided_at: Option<Timestamp>,
    ) -> Result<Answer, Failure> {
        let Some(request) = call.request(&self.base_url, &self.realm, token) else {
            return Err(Failure::new(Code::QuickBooksBug));
        };
        let wait = self.pacer.book(self.clock.now());
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        let now = self.clock.now();
        let is_late = |at| now < at || later(at, self.policy.send_margin) < now;
        if decided_at.is_some_and(is_late) {
            return Err(Failure::new(Code::TimeShort));
        }
        if let Some(left) = self.pacer.quiet_left(now) {
            return Err(Failure::new(Code::QuickBooksThrottled).after(Some(left)));
        }
        let timeout = match call.operation {
            Operation::CreateBill => self.policy.bill_timeout,
            _ => self.policy.call_timeout,
        };
        let started = self.clock.now();
        let answer = self.transport.send(request, timeout).await;
        if !answer
            .as_ref()
            .is_err_and(purser_transport::TransportError::nothing_sent)
        {
            self.meter.count(call.is_read());
        }
        let outcome = match answer {
            Ok(response) => {
                let (parts, body) = response.into_parts();
                let server_time = self.server_clock.learn(&parts.headers, self.clock.now());
                self.judge(call, parts.status, &parts.headers, &body, server_time)
            }
            Err(error) => Err(verdict::of_transport(call.operation, &error)),
        };
        self.keep_quiet(&outcome);
        self.log(call, &outcome, started);
        outcome
    }

    fn keep_quiet(&self, outcome: &Result<Answer, Failure>) {
        let Err(failure) = outcome else { return };
        if failure.code() == Code::QuickBooksThrottled {
            let wait = failure.retry_after.unwrap_or(self.policy.throttle_wait);
            self.pacer.hush(self.clock.now(), wait);
        }
    }

    fn judge(
        &self,
        call: &Call,
        status: http::StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        server_time: Option<Timestamp>,
    ) -> Result<Answer, Failure> {
        let refused =
            |fault| verdict::of_answer(call.operation, status, headers, fault, &self.policy);
        match read_body(body) {
            Body::Fault(fault) => Err(refused(Some(&fault))),
            Body::Json(body) if status.is_success() && call.expected.is_in(&body) => {
                let told = VendorAnswer {
                    status: Some(status.as_u16()),
                    code: None,
                    tid: verdict::tid(headers),
                };
                Ok(Answer {
                    body,
                    server_time,
                    told,
                })
            }
            Body::Json(_) | Body::Unreadable => Err(refused(None)),
        }
    }

    /// Codes, counts and times only: no address, name, amount or body.
    fn log(&self, call: &Call, outcome: &Result<Answer, Failure>, started: Timestamp) {
        let duration_ms = self.clock.now().duration_since(started).as_millis();
        let step = call.operation.as_str();
        match outcome {
            Ok(answer) => tracing::debug!(
                tenant.id = %self.tenant,
                step,
                vendor.tid = answer.told.tid.as_deref(),
                duration_ms,
                "QuickBooks answered"
            ),
            Err(failure) => tracing::info!(
                tenant.id = %self.tenant,
                step,
                vendor.tid = failure.answer.tid.as_deref(),
                failure.code = %failure,
                duration_ms,
                "QuickBooks did not do what was asked"
            ),
        }
    }
}
