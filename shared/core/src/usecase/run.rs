//! The chain of runs: each run is claimed once, ended once, and arms the next.

use std::{fmt::Write as _, time::Duration};

use jiff::Timestamp;

use crate::{
    failure::FailureClass,
    ids::{RunNumber, TenantId},
    ports::{DocumentKind, Ledger, Mail, Outbox, RecordFilter, Schedule, StoreError},
    record::{StateName, later},
    tenant::{RunChain, RunCounts, Stopped},
};

use super::{Engine, Outcome, Ports, ScanReport, documents};

/// How long runs may see nothing because of what passes by itself before somebody is told by e-mail.
const STOPPED_MAX: Duration = Duration::from_hours(4);

/// The outcome of claiming a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStart {
    /// It is ours to scan.
    Claimed,
    /// It was claimed before: a second alarm does nothing.
    Repeated,
}

impl<P: Ports> Engine<P> {
    /// The chain of runs of a tenant.
    pub async fn runs(&self, tenant: &TenantId) -> Result<RunChain, StoreError> {
        let chain = documents::load(self.ports.store(), tenant, DocumentKind::Runs).await?;
        Ok(chain.map(|stored| stored.value).unwrap_or_default())
    }

    /// Arms the tenant's next run for right now: after Connect, and when a person asks for it.
    pub async fn start_now(&self, tenant: &TenantId) -> Result<RunNumber, StoreError> {
        let now = self.now();
        // Written first: a lost alarm of the very first run is then found by the sweeper.
        let due = |chain: &mut RunChain| {
            chain.next_at = Some(now);
            true
        };
        let store = self.ports.store();
        let (chain, _) = documents::update(store, tenant, DocumentKind::Runs, due).await?;
        let run = chain.run.next();
        self.arm(tenant, run, now).await?;
        Ok(run)
    }

    /// Whether anything is known of a tenant. An alarm or a message that outlived one must not bring
    /// it back.
    pub(super) async fn is_known(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        let store = self.ports.store();
        let status = store.document(tenant, DocumentKind::Status).await?;
        Ok(status.is_some())
    }

    /// Claims a run by a conditional write, so that a second alarm for it does nothing.
    pub async fn claim_run(
        &self,
        tenant: &TenantId,
        run: RunNumber,
    ) -> Result<RunStart, StoreError> {
        if !self.is_known(tenant).await? {
            return Ok(RunStart::Repeated);
        }
        let now = self.now();
        let claim = |chain: &mut RunChain| {
            if chain.run >= run {
                return false;
            }
            let counts = RunCounts::default();
            *chain = RunChain {
                run,
                started_at: Some(now),
                ended_at: None,
                next_at: None,
                counts,
                // Until this one has looked, what the one before says still holds.
                stopped: chain.stopped.take(),
            };
            true
        };
        let store = self.ports.store();
        let (_, claimed) = documents::update(store, tenant, DocumentKind::Runs, claim).await?;
        Ok(if claimed {
            RunStart::Claimed
        } else {
            RunStart::Repeated
        })
    }

    /// Gives a run back whose scan failed, so that its alarm can be answered again: a platform starts
    /// a function that failed once more, and the sweeper arms what nobody answered.
    pub async fn give_run_back(&self, tenant: &TenantId, run: RunNumber) -> Result<(), StoreError> {
        let now = self.now();
        let give_back = |chain: &mut RunChain| {
            let is_ours = chain.run == run && chain.ended_at.is_none();
            if is_ours {
                chain.run = RunNumber(run.0.saturating_sub(1));
                chain.started_at = None;
                chain.next_at = Some(now);
            }
            is_ours
        };
        documents::update(self.ports.store(), tenant, DocumentKind::Runs, give_back)
            .await
            .map(drop)
    }

    /// Notes what a scan saw, or why it saw nothing. What passes by itself is told by e-mail, too, once
    /// no run could look for hours; all else is told when it begins.
    pub(super) async fn note_scan(
        &self,
        tenant: &TenantId,
        run: RunNumber,
        report: &ScanReport,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let before = self.runs(tenant).await?.stopped;
        let stopped = report.stopped.as_ref().map(|notice| Stopped {
            notice: notice.clone(),
            since: before.as_ref().map_or(now, |before| before.since),
            is_told: before.as_ref().is_some_and(|before| before.is_told),
        });
        let patience = self.policy.scale_down(STOPPED_MAX);
        let is_late = |stopped: &Stopped| {
            let is_told = stopped.is_told || stopped.notice.code.class() != FailureClass::Retry;
            !is_told && (!stopped.notice.passes() || later(stopped.since, patience) <= now)
        };
        let told = stopped.as_ref().filter(|stopped| is_late(stopped));
        if let Some(stopped) = told {
            // Told before it is noted: a mail twice is better than one that nobody gets.
            let settings = self.settings(tenant).await?;
            self.tell_trouble(tenant, &stopped.notice, settings.as_ref(), now)
                .await?;
        }
        let is_told = told.is_some();
        let note = |chain: &mut RunChain| {
            let is_current = chain.run == run;
            if is_current {
                chain.counts = report.counts.clone();
                chain.stopped = stopped.clone().map(|stopped| Stopped {
                    is_told: stopped.is_told || is_told,
                    ..stopped
                });
            }
            is_current
        };
        documents::update(self.ports.store(), tenant, DocumentKind::Runs, note)
            .await
            .map(drop)
    }

    /// Every order of the run was attempted once: ends it and arms the next one, counted from now.
    pub async fn end_run(&self, tenant: &TenantId, run: RunNumber) -> Result<(), StoreError> {
        let now = self.now();
        let settings = self.settings(tenant).await?;
        let minutes = settings
            .as_ref()
            .map_or(15, |settings| settings.interval_minutes);
        let interval = Duration::from_secs(60 * u64::from(minutes));
        let next_at = later(now, self.policy.scale_down(interval));
        // Told before it is noted: a mail twice is better than one that nobody gets.
        let before = self.runs(tenant).await?;
        let is_first = before.run == run && before.ended_at.is_none();
        let digest_to = settings.and_then(|settings| settings.digest_to);
        if let Some(to) = digest_to.filter(|_| is_first) {
            self.send_digest(tenant, &before, to, now).await?;
        }
        let end = |chain: &mut RunChain| {
            if chain.run != run {
                return false;
            }
            chain.ended_at.get_or_insert(now);
            chain.next_at.get_or_insert(next_at);
            true
        };
        let store = self.ports.store();
        let (chain, is_current) = documents::update(store, tenant, DocumentKind::Runs, end).await?;
        if !is_current {
            return Ok(());
        }
        // A repeated end-of-run message arms the same alarm again.
        self.arm(tenant, run.next(), chain.next_at.unwrap_or(next_at))
            .await
    }

    async fn arm(
        &self,
        tenant: &TenantId,
        run: RunNumber,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.ports.schedule().arm(tenant, run, at).await
    }

    /// Arms the next run of a tenant whose chain broke: a lost alarm, or a run that never ended.
    pub(super) async fn mend_chain(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let now = self.now();
        let chain = self.runs(tenant).await?;
        let next = chain.run.next();
        // A moment so far ahead was written before the clock went back.
        let ahead = |at: Timestamp| at > later(now, self.policy.run_age_max);
        let overdue = |at: Timestamp| later(at, self.policy.run_age_max) < now || ahead(at);
        let is_lost = match (chain.started_at, chain.ended_at) {
            // Nothing is scanned before Connect, which notes when the first run is due.
            (None, _) => chain.next_at.is_some(),
            (Some(started), None) => overdue(started),
            (Some(_), Some(_)) => chain.next_at.is_none_or(|at| at <= now || ahead(at)),
        };
        let armed_too_late = chain.next_at.is_some_and(ahead);
        // An alarm that is armed and did not go off in all this time never will.
        let patience = self.policy.sweep_interval * 3;
        let is_silent = chain.next_at.is_some_and(|at| later(at, patience) < now);
        if is_lost
            && (armed_too_late
                || is_silent
                || !self.ports.schedule().is_armed(tenant, next).await?)
        {
            tracing::warn!(tenant.id = %tenant, run = next.0, "the chain of runs is mended");
            self.arm(tenant, next, now).await?;
        }
        Ok(())
    }

    async fn send_digest(
        &self,
        tenant: &TenantId,
        chain: &RunChain,
        to: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let states = vec![
            StateName::Refused,
            StateName::NeedsPerson,
            StateName::Orphaned,
        ];
        let filter = RecordFilter {
            states,
            limit: 100,
            ..RecordFilter::default()
        };
        let records = match self.ports.store().list(tenant, &filter).await {
            // One that only a newer version can read: the end of a run does not wait for that.
            Err(StoreError::Newer(_)) => Vec::new(),
            listed => listed?,
        };
        let since = chain.started_at.unwrap_or(now);
        let fresh: Vec<_> = records
            .iter()
            .filter(|record| record.updated_at >= since)
            .collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        for record in &fresh {
            let outcome = Outcome::of(record);
            let words = [outcome.cause, outcome.remedy].into_iter().flatten();
            let words = words.collect::<Vec<_>>().join(" ");
            let _ = writeln!(text, "{} (id {}): {words}", outcome.number, outcome.order);
        }
        let subject = format!("{} purchase orders need you", fresh.len());
        let mail = Mail {
            tenant: tenant.clone(),
            to,
            subject,
            text,
            written_at: now,
        };
        self.ports.store().keep(mail).await.map(drop)
    }
}
