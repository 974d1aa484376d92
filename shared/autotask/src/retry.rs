//! When a call is made again inside the client, and how long it waits before.

use std::time::Duration;

use purser_core::{notice::Code, ports::Clock};
use serde_json::Value;

use crate::{client::AutotaskClient, errors::Fault, quota::age, request::Call, wire::row::Garbled};

/// How often one call is made at most.
const TRIES_MAX: u32 = 3;
/// The wait after the first failed try, before scaling; it doubles with each further one.
const WAIT: Duration = Duration::from_secs(1);
/// The longest wait somebody can ask us to sit out; with a longer one the failure is returned.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How long background work stays away from a used-up hour that names no wait, before scaling.
const QUOTA_WAIT: Duration = Duration::from_mins(5);

impl<C: Clock> AutotaskClient<C> {
    /// Makes a call whose repetition does no harm, and reads its answer. What may pass by itself
    /// is tried up to three times, as long as less than half a call's time has gone by.
    pub(crate) async fn call<T, F>(&self, call: &Call, read: F) -> Result<T, Fault>
    where
        F: Fn(&Value) -> Result<T, Garbled> + Send + Sync,
        T: Send,
    {
        let started = self.now();
        let mut tries = 1;
        loop {
            let fault = match self.once(call, &read).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            let has_time = age(self.now(), started) < self.config.policy.call_timeout / 2;
            match self.wait_before_retry(&fault, tries) {
                Some(wait) if tries < TRIES_MAX && has_time => {
                    self.config.clock.sleep(wait).await;
                }
                _ => return Err(fault),
            }
            tries += 1;
        }
    }

    /// Makes a call exactly once and reads its answer.
    pub(crate) async fn once<T, F>(&self, call: &Call, read: F) -> Result<T, Fault>
    where
        F: Fn(&Value) -> Result<T, Garbled> + Send + Sync,
        T: Send,
    {
        let answer = self.attempt(call).await;
        let result = answer.and_then(|value| read(&value).map_err(Fault::from));
        result.map_err(|fault| self.with_scaled_wait(fault))
    }

    /// Every wait is divided by the scale, also one that was asked for.
    fn with_scaled_wait(&self, mut fault: Fault) -> Fault {
        // Waits without an HTTP answer were computed here and are scaled already.
        if fault.failure.answer.status.is_some() {
            let asked = fault.failure.retry_after.take();
            let unnamed = (fault.code() == Code::AutotaskQuota).then_some(QUOTA_WAIT);
            let wait = asked.or(unnamed);
            fault.failure.retry_after = wait.map(|wait| self.config.policy.scale_down(wait));
        }
        fault
    }

    fn wait_before_retry(&self, fault: &Fault, tries: u32) -> Option<Duration> {
        match fault.code() {
            Code::AutotaskUnreachable | Code::AutotaskFailing | Code::AutotaskThrottled => {}
            // A used-up hour is sat out only when its end is near.
            Code::AutotaskQuota if fault.failure.retry_after.is_some() => {}
            _ => return None,
        }
        let longest = self.config.policy.scale_down(WAIT_MAX);
        let backoff = self.config.policy.scale_down(WAIT * (1 << (tries - 1)));
        match fault.failure.retry_after {
            Some(asked) if asked > longest => None,
            Some(asked) => Some(asked.max(self.spread(backoff))),
            None => Some(self.spread(backoff)),
        }
    }

    /// Between half of the wait and all of it, so that clients that failed together part.
    fn spread(&self, wait: Duration) -> Duration {
        let seed = self.now().subsec_nanosecond().unsigned_abs() / 1000;
        wait / 2 + wait / 2 * (seed.wrapping_mul(2_654_435_761) >> 22) / 1024
    }
}
