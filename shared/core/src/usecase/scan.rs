//! Scan: one pass over one tenant that finds eligible orders and queues them.

use std::time::Duration;

use crate::{
    eligibility::{Ineligible, Window},
    failure::{Failure, FailureClass},
    ids::{OrderId, RunNumber, StatusId, TenantId, TraceId},
    notice::{Code, Notice},
    orders::Order,
    ports::{Autotask, Clock as _, Lane, Message, Outside, Queue, StoreError, WorkMessage},
    record::Origin,
    settings::Settings,
    tenant::{Labels, RunCounts, TenantStatus},
    text::match_key,
};

use super::{Engine, Ports, rows::Found};

/// The label that means Submitted unless a tenant chose another.
const SUBMITTED: &str = "Submitted";

/// What Autotask shows to a scan.
struct Seen {
    window: Window,
    orders: Vec<Order>,
    /// Autotask knows several currencies and QuickBooks, as it was last seen, only one.
    is_currency_off: bool,
}

/// What one scan came to.
#[derive(Clone, Debug, Default)]
pub struct ScanReport {
    /// The orders it queued.
    pub queued: Vec<OrderId>,
    /// Orders that Autotask returned but that may not be transferred, with the reason.
    pub ineligible: Vec<(OrderId, String, Ineligible)>,
    /// Counts for people.
    pub counts: RunCounts,
    /// Why nothing was scanned, when nothing was.
    pub stopped: Option<Notice>,
    /// True when the window is 0 days.
    pub paused: bool,
}

/// What a scan without effects sees.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// The order.
    pub order: Order,
    /// Whether it may be transferred.
    pub judged: Result<(), Ineligible>,
}

/// The status that means Submitted: chosen, or found by its label; never guessed.
pub(super) fn submitted_status(settings: &Settings, labels: &Labels) -> Result<StatusId, Failure> {
    if let Some(chosen) = &settings.submitted_status {
        return Ok(chosen.id);
    }
    let key = match_key(SUBMITTED);
    let mut found = labels
        .statuses
        .iter()
        .filter(|status| status.active && match_key(&status.label) == key);
    match (found.next(), found.next()) {
        (Some(status), None) => Ok(StatusId::new(status.value)),
        _ => Err(Failure::new(Code::StatusUnknown)),
    }
}

impl<P: Ports> Engine<P> {
    /// Scans a tenant for run `run`: ledger rows first, then messages, last the end-of-run message.
    /// All that follows from it carries `trace`.
    pub async fn scan(
        &self,
        tenant: &TenantId,
        run: RunNumber,
        trace: &TraceId,
    ) -> Result<ScanReport, StoreError> {
        let report = self.scan_patiently(tenant, run, trace).await?;
        self.send_work(tenant, run, &report.queued, trace).await?;
        self.note_scan(tenant, run, &report).await?;
        Ok(report)
    }

    /// Scans, and sits out what passes within the time a function has: a run that was only asked to
    /// slow down would otherwise attempt nothing.
    async fn scan_patiently(
        &self,
        tenant: &TenantId,
        run: RunNumber,
        trace: &TraceId,
    ) -> Result<ScanReport, StoreError> {
        let mut waited = Duration::ZERO;
        loop {
            let failure = match self.scan_orders(tenant, run, trace).await {
                Ok(report) => return Ok(report),
                Err(ScanError::Store(error)) => return Err(error),
                Err(ScanError::Failed(failure)) => failure.of_everyone(),
            };
            let settings = self.settings(tenant).await?;
            self.note_failure(tenant, &failure, settings.as_ref())
                .await?;
            tracing::warn!(
                tenant.id = %tenant, failure.class = %failure.class(),
                failure.code = %failure.code(), "the scan stopped"
            );
            let wait = failure.retry_after.unwrap_or(self.policy.backoff);
            waited += wait;
            // The wait goes through the clock port and stays inside the time a function has.
            let passes = failure.class() == FailureClass::Retry && !wait.is_zero();
            if !passes || waited > self.policy.throttle_wait {
                let stopped = Some(failure.notice);
                return Ok(ScanReport {
                    stopped,
                    ..ScanReport::default()
                });
            }
            self.ports.clock().sleep(wait).await;
        }
    }

    /// What a scan would see, without any effect.
    pub async fn look(&self, tenant: &TenantId) -> Result<Vec<Scanned>, Failure> {
        let settings = self
            .settings(tenant)
            .await?
            .ok_or(Failure::new(Code::SettingsMissing))?;
        let status = self.status(tenant).await?;
        let seen = self.read_window((tenant, &status), &settings).await?;
        if seen.is_currency_off {
            return Err(Failure::new(Code::QuickBooksCurrencyOff));
        }
        let judge = |order: Order| Scanned {
            judged: seen.window.judge(&order, Origin::Scan),
            order,
        };
        Ok(seen.orders.into_iter().map(judge).collect())
    }

    /// A scan needs nothing of QuickBooks but how the company is set up, and that was noted by the
    /// last attempt: whoever scans need not hold the key to QuickBooks.
    async fn read_window(
        &self,
        (tenant, status): (&TenantId, &TenantStatus),
        settings: &Settings,
    ) -> Result<Seen, Failure> {
        let outside = self.ports.outside();
        let autotask = outside.autotask(tenant, Lane::Background).await?;
        let labels = self.labels(tenant, &*autotask).await?;
        let submitted = submitted_status(settings, &labels)?;
        let zone = status.company_time_zone.as_deref();
        let window = Window::new(settings, submitted, zone, self.now());
        let orders = autotask
            .orders_with_status(submitted, window.start())
            .await?;
        let is_currency_off = status.company_multi_currency == Some(false)
            && autotask.currencies().await?.multi_currency();
        Ok(Seen {
            window,
            orders,
            is_currency_off,
        })
    }

    async fn scan_orders(
        &self,
        tenant: &TenantId,
        run: RunNumber,
        trace: &TraceId,
    ) -> Result<ScanReport, ScanError> {
        let status = self.status(tenant).await?;
        let now = self.now();
        if let Some(trouble) = status.blocked(now) {
            let stopped = Some(trouble.notice.clone());
            return Ok(ScanReport {
                stopped,
                ..ScanReport::default()
            });
        }
        let settings = self.settings(tenant).await?;
        let settings = settings.ok_or(Failure::new(Code::SettingsMissing))?;
        let realm = status
            .realm
            .clone()
            .ok_or(Failure::new(Code::NotConnected))?;
        if settings.days_back == 0 {
            return Ok(ScanReport {
                paused: true,
                ..ScanReport::default()
            });
        }
        if let Some(until) = status.quiet_until(now) {
            let left = Duration::try_from(now.duration_until(until)).ok();
            let code = match status.quickbooks_quiet_until {
                Some(quiet) if quiet == until => Code::QuickBooksThrottled,
                _ => Code::AutotaskThrottled,
            };
            return Err(Failure::new(code).after(left).into());
        }
        if status.trouble.is_some() {
            // Tried again by itself: with reference data as it is now.
            self.books.forget(tenant);
        }
        let seen = self.read_window((tenant, &status), &settings).await?;
        let mut report = ScanReport::default();
        report.counts.seen = seen.orders.len() as u64;
        let (mut eligible, mut left_alone) = (Vec::new(), Vec::new());
        for order in seen.orders {
            match seen.window.judge(&order, Origin::Scan) {
                Ok(()) => eligible.push(order),
                Err(reason) => {
                    *report
                        .counts
                        .ineligible
                        .entry(reason.code().to_owned())
                        .or_default() += 1;
                    report
                        .ineligible
                        .push((order.id, order.display_number(), reason.clone()));
                    left_alone.push((order, reason));
                }
            }
        }
        report.counts.eligible = eligible.len() as u64;
        // Whether QuickBooks was set right since then, only an attempt finds out: one with an order
        // to try it on, once the time for that has come.
        if seen.is_currency_off && (status.trouble.is_none() || eligible.is_empty()) {
            return Err(Failure::new(Code::QuickBooksCurrencyOff).into());
        }
        let found = Found {
            key: (tenant, &realm),
            run,
            trace,
            eligible,
            left_alone,
        };
        report.queued = self.write_rows(&found, &mut report.counts, now).await?;
        if status.trouble.is_some() && report.queued.is_empty() {
            // Nothing is held up by it any more; a later order finds out whether it is over.
            self.clear_trouble(tenant).await?;
        }
        Ok(report)
    }

    async fn send_work(
        &self,
        tenant: &TenantId,
        run: RunNumber,
        orders: &[OrderId],
        trace: &TraceId,
    ) -> Result<(), StoreError> {
        let version = WorkMessage::VERSION;
        let mut messages = Vec::new();
        for (place, chunk) in orders.chunks(WorkMessage::ORDERS_MAX).enumerate() {
            messages.push(Message {
                lane: Lane::Background,
                deduplication: format!("{tenant}-scan-{run}-{place}"),
                body: WorkMessage::Sync {
                    version,
                    tenant: tenant.clone(),
                    run: Some(run),
                    orders: chunk.to_vec(),
                    origin: Origin::Scan,
                    trace: Some(trace.clone()),
                },
            });
        }
        messages.push(Message {
            lane: Lane::Background,
            deduplication: format!("{tenant}-end-{run}"),
            body: WorkMessage::EndOfRun {
                version,
                tenant: tenant.clone(),
                run,
                trace: Some(trace.clone()),
            },
        });
        self.ports.queue().send(messages).await
    }
}

enum ScanError {
    Store(StoreError),
    Failed(Failure),
}

impl From<StoreError> for ScanError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for ScanError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
