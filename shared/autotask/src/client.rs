use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use purser_core::{
    failure::{Failure, FailureClass, VendorAnswer},
    notice::Code,
    ports::{Clock, Lane, Quota},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use url::Url;

use crate::{
    config::Config,
    errors::{Effect, Fault, classify, error_texts},
    gate::{PERSON_WINDOW, lock},
    host::check_host,
    quota::{QuotaRules, age},
    request::{Call, lookup_request},
    wire::threshold,
    zone::{Zone, ZoneError, lookup_url, read_zone},
};

/// How long a reading of the hourly threshold is good for, before scaling.
const READING_AGE_MAX: Duration = Duration::from_mins(10);

/// The endpoint that tells how many calls the whole database has used.
const THRESHOLD: &str = "ThresholdInformation";

/// Autotask PSA as one tenant's API user sees it, for one lane.
///
/// It stays inside the vendor's limits by itself: threads per endpoint, a share of the hourly
/// calls, and no further login after a refused one. Clients of one tenant share a
/// [`TenantGate`](crate::TenantGate).
pub struct AutotaskClient<C> {
    pub(crate) config: Config<C>,
    /// Names the credentials in what the clients share.
    key: u64,
}

impl<C: Clock> AutotaskClient<C> {
    /// A client; nothing is called yet.
    pub fn new(config: Config<C>) -> Self {
        let key = config
            .gate
            .key_of(&config.credentials, config.credentials_version);
        Self { config, key }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.config.clock.now()
    }

    /// Makes one call once: inside the limits, to the right zone, with the answer judged.
    pub(crate) async fn attempt(&self, call: &Call) -> Result<Value, Fault> {
        self.check_circuit()?;
        self.admit().await?;
        self.exchange(call).await
    }

    fn check_circuit(&self) -> Result<(), Fault> {
        let gate = &self.config.gate;
        gate.check_circuit(self.key).map_err(Fault::nothing)
    }

    /// Holds the call against our share of the hour; reads the threshold when that is due.
    async fn admit(&self) -> Result<(), Fault> {
        let rules = self.quota_rules();
        let used_up = |wait| Fault::nothing(Failure::new(Code::AutotaskQuota).after(Some(wait)));
        // To ask how much is used is a call, too.
        let share = lock(&self.config.gate.quota).admit_within_share(self.now(), &rules);
        share.map_err(used_up)?;
        // A person does not wait for a reading; background work makes one soon enough.
        let is_background = rules.lane == Lane::Background;
        if is_background && lock(&self.config.gate.quota).claim_reading(self.now(), &rules) {
            // Not to know the threshold stops nothing, but a lost connection would stop the call too.
            match self.read_threshold().await {
                Err(fault) if fault.failure.class() == FailureClass::Reconnect => {
                    return Err(fault);
                }
                _ => {}
            }
        }
        let admitted = lock(&self.config.gate.quota).admit(self.now(), &rules);
        admitted.map_err(used_up)
    }

    fn quota_rules(&self) -> QuotaRules {
        let policy = &self.config.policy;
        QuotaRules {
            lane: self.config.lane,
            share_percent: self.config.share_percent,
            minute: policy.scale_down(Duration::from_mins(1)),
            reading_age_max: policy.scale_down(READING_AGE_MAX),
        }
    }

    /// Asks how many calls the whole database has used.
    pub(crate) async fn read_threshold(&self) -> Result<Quota, Fault> {
        let call = Call::get(THRESHOLD, THRESHOLD.to_owned());
        let answer = self.exchange(&call).await?;
        let quota = threshold::read(&answer)?;
        lock(&self.config.gate.quota).store(quota, self.now());
        Ok(quota)
    }

    /// Sends the call to the zone. A refused login is tried once more only if the zone moved.
    async fn exchange(&self, call: &Call) -> Result<Value, Fault> {
        let mut zone = self.zone().await?;
        let window = self.config.policy.scale_down(PERSON_WINDOW);
        let gate = &self.config.gate;
        let entered = gate.enter(self.config.lane, call.endpoint, self.now(), window);
        let _thread = entered.await.map_err(Fault::nothing)?;
        let mut has_moved = false;
        loop {
            // Another call may have been refused while this one waited.
            self.check_circuit()?;
            let fault = match self.send(call, &zone).await {
                Ok(value) => return Ok(value),
                Err(fault) => fault,
            };
            let is_login = fault.failure.answer.status == Some(401);
            if is_login && !has_moved {
                zone = self.zone_after_refusal(&zone).await?;
                has_moved = true;
                continue;
            }
            gate.watch(self.key, &fault.failure);
            return Err(fault);
        }
    }

    async fn send(&self, call: &Call, zone: &Zone) -> Result<Value, Fault> {
        check_host(&zone.base, self.config.allow_local).map_err(Fault::nothing)?;
        let request = call
            .request(&zone.base, &self.config.credentials)
            .map_err(Fault::nothing)?;
        let now = self.now();
        if call.leaves.is_some_and(|leaves| leaves.is_late(now)) {
            // Zone, threshold and threads may all have been waited for.
            return Err(Fault::nothing(Failure::new(Code::TimeShort)));
        }
        let limit = match call.endpoint {
            // Only good to know: it must not use up the time of the call it precedes.
            THRESHOLD => self.config.policy.call_timeout / 4,
            _ => self.config.policy.call_timeout,
        };
        let sent = self
            .transmit(request, call.endpoint, call.is_read(), limit)
            .await;
        if !matches!(&sent, Err(fault) if fault.effect == Effect::Nothing) {
            lock(&self.config.gate.quota).count(self.now());
        }
        self.judge(&sent?)
    }

    /// One request out, one response in; counted and timed.
    async fn transmit(
        &self,
        request: Request<Bytes>,
        step: &'static str,
        is_read: bool,
        limit: Duration,
    ) -> Result<Response<Bytes>, Fault> {
        let started = self.now();
        let result = self.config.transport.send(request, limit).await;
        if !matches!(&result, Err(error) if error.nothing_sent()) {
            self.config.meter.count(is_read);
        }
        let status = result
            .as_ref()
            .map_or(0, |response| response.status().as_u16());
        let duration_ms = age(self.now(), started).as_millis();
        tracing::debug!(step, status, duration_ms, "autotask call");
        result.map_err(|error| Fault::from(&error))
    }

    /// The JSON of a good answer, or what a bad one means.
    fn judge(&self, response: &Response<Bytes>) -> Result<Value, Fault> {
        let redact = |text: &str| self.redact(text);
        let status = response.status();
        if !status.is_success() {
            return Err(classify(
                status,
                response.headers(),
                response.body(),
                &redact,
            ));
        }
        let Ok(value) = serde_json::from_slice::<Value>(response.body()) else {
            let failure = Failure::new(Code::AutotaskFailing);
            return Err(Fault::possible(
                failure.answered(status_only(status.as_u16())),
            ));
        };
        if error_texts(&value).is_some() {
            let wrong = StatusCode::INTERNAL_SERVER_ERROR;
            let fault = classify(wrong, response.headers(), response.body(), &redact);
            // "Done" and "refused" in one answer: nobody knows which.
            return Err(Fault::possible(fault.failure));
        }
        Ok(value)
    }

    fn redact(&self, text: &str) -> String {
        let credentials = &self.config.credentials;
        let mut clean = text.to_owned();
        for secret in [
            credentials.secret.expose_secret(),
            credentials.integration_code.expose_secret(),
            credentials.user.as_str(),
        ] {
            if !secret.is_empty() {
                clean = clean.replace(secret, "***");
            }
        }
        clean
    }

    /// The tenant's zone, from memory or looked up.
    pub(crate) async fn zone(&self) -> Result<Zone, Fault> {
        let mut slot = self.config.gate.zone.lock().await;
        // Another call may have been refused while this one waited.
        self.check_circuit()?;
        let known = slot.of(self.key).map(|(zone, at)| (zone.clone(), at));
        let is_fresh = |at| age(self.now(), at) < self.config.policy.zone_age_max;
        if let Some((zone, at)) = &known
            && is_fresh(*at)
        {
            return Ok(zone.clone());
        }
        match (self.look_up().await, known) {
            (Ok(zone), _) => {
                self.check_refused(slot.refused.take(), &zone)?;
                slot.known = Some((zone.clone(), self.key, self.now()));
                Ok(zone)
            }
            // An old address is better than none while the lookup is out of order.
            (Err(fault), Some((zone, _))) if is_passing(&fault) => Ok(zone),
            (Err(fault), _) => Err(fault),
        }
    }

    /// The zone after a login at `refused` was answered with 401; fails if it is still the same.
    async fn zone_after_refusal(&self, refused: &Zone) -> Result<Zone, Fault> {
        {
            let mut slot = self.config.gate.zone.lock().await;
            let is_current = slot
                .of(self.key)
                .is_none_or(|(zone, _)| zone.base == refused.base);
            // Otherwise another call has found the new zone already.
            if is_current {
                slot.known = None;
                slot.refused = Some((refused.base.clone(), self.key));
            }
        }
        self.zone().await
    }

    fn check_refused(&self, refused: Option<(Url, u64)>, zone: &Zone) -> Result<(), Fault> {
        match refused {
            Some((base, key)) if key == self.key && base == zone.base => {
                let failure = Failure::new(Code::AutotaskUnauthorised).answered(status_only(401));
                self.config.gate.watch(self.key, &failure);
                Err(Fault::nothing(failure))
            }
            _ => Ok(()),
        }
    }

    async fn look_up(&self) -> Result<Zone, Fault> {
        check_host(&self.config.zone_url, self.config.allow_local).map_err(Fault::nothing)?;
        let url = lookup_url(&self.config.zone_url, &self.config.credentials.user);
        let request = lookup_request(&url).map_err(Fault::nothing)?;
        // Whatever goes wrong here, the call it is for was not sent.
        let without_effect = |fault: Fault| Fault::nothing(fault.failure);
        let limit = self.config.policy.call_timeout / 4;
        let answer = self.transmit(request, "zoneInformation", true, limit).await;
        let value = answer
            .and_then(|response| self.judge(&response))
            .map_err(without_effect)?;
        read_zone(&value, self.config.allow_local).map_err(|error| match error {
            ZoneError::Garbled => Fault::nothing(Code::AutotaskFailing),
            ZoneError::Refused(failure) => Fault::nothing(failure),
        })
    }
}

fn is_passing(fault: &Fault) -> bool {
    fault.failure.class() == FailureClass::Retry
}

fn status_only(status: u16) -> VendorAnswer {
    VendorAnswer {
        status: Some(status),
        ..VendorAnswer::default()
    }
}
