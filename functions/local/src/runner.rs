//! The engine of one machine: alarms, queue, sweeps and mail, handled by the same handlers that the
//! functions run.

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use purser_core::{
    ids::{OrderId, RunNumber, TenantId},
    notice::Code,
    ports::{Clock, Inbox as _, Ledger as _, StoreError},
    record::later,
    usecase::{Outcome, Ports as _, ScanReport},
};
use purser_runtime::{
    deliveries::{self, Fate, RECEIVES_MAX},
    handlers::{self, ScanEvent, Worked},
    outbox::{self, SmtpMailer},
    summary, sweeps,
};

use crate::{exit::ProgramError, program::Program};

/// How many messages are handled at the same time; each group only one at a time.
const WORKERS: usize = 6;
/// How long an idle worker waits before it looks again.
const IDLE: Duration = Duration::from_millis(100);
/// How far the last run may lie in the future before the clock is blamed.
const CLOCK_SLACK: Duration = Duration::from_mins(2);

/// What the engine saw since it was started.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The last scan of each tenant.
    pub(crate) scans: BTreeMap<TenantId, (RunNumber, ScanReport)>,
    /// The last outcome of each order.
    pub(crate) outcomes: BTreeMap<(TenantId, OrderId), Outcome>,
    /// Runs that ended.
    pub(crate) ended: BTreeMap<TenantId, RunNumber>,
}

/// The engine's loop.
pub(crate) struct Runner<'p> {
    program: &'p Program,
    mailer: Option<SmtpMailer>,
    seen: Mutex<Seen>,
    swept_at: Mutex<Option<Timestamp>>,
    /// Only these runs are started; later ones are left to the engine that keeps running.
    only: Option<BTreeMap<TenantId, RunNumber>>,
}

impl<'p> Runner<'p> {
    pub(crate) fn new(program: &'p Program) -> Result<Self, ProgramError> {
        let mailer = program
            .configuration
            .mail
            .as_ref()
            .map(SmtpMailer::new)
            .transpose();
        let mailer = mailer.map_err(|problem| {
            ProgramError::wrong(
                "mail",
                format!("Mail cannot be sent: {problem}."),
                "Correct PURSER_SMTP_URL and PURSER_MAIL_FROM.",
            )
        })?;
        Ok(Self {
            program,
            mailer,
            seen: Mutex::default(),
            swept_at: Mutex::default(),
            only: None,
        })
    }

    /// Starts no run but these.
    pub(crate) fn only(mut self, runs: &[(TenantId, RunNumber)]) -> Self {
        self.only = Some(runs.iter().cloned().collect());
        self
    }

    fn is_wanted(&self, tenant: &TenantId, run: RunNumber) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| only.get(tenant).is_some_and(|last| run <= *last))
    }

    pub(crate) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.program.engine.ports().clock().now()
    }

    /// Says so when the last run lies in the future: the machine's clock went back.
    async fn look_at_the_clock(&self) -> Result<(), StoreError> {
        let now = self.now();
        for tenant in self.program.store.tenants().await? {
            let chain = self.program.engine.runs(&tenant).await?;
            let last = chain.started_at.max(chain.ended_at);
            if let Some(last) = last.filter(|last| later(now, CLOCK_SLACK) < *last) {
                let text = format!(
                    "The clock of this machine went back: it says {now:.0}, but the last run was at \
                     {last:.0}. Correct the clock; nothing is lost, but waits end later than they \
                     should."
                );
                let _ = writeln!(std::io::stderr().lock(), "warning: {text}");
                return Ok(());
            }
        }
        Ok(())
    }

    /// Works until `is_done` says so. Checked whenever there is nothing to do at once.
    pub(crate) async fn work_until<F>(&self, is_done: impl Fn() -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<bool, StoreError>>,
    {
        self.look_at_the_clock().await?;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        // Whoever fails stops all: the others end after the message in hand.
        let workers = (0..WORKERS).map(|_| async {
            let worked = self.worker(stopped.clone()).await;
            if worked.is_err() {
                stop.send_replace(true);
            }
            worked
        });
        let workers = futures_util::future::join_all(workers);
        let keeper = async {
            let kept = self.keep_until(is_done, stopped.clone()).await;
            stop.send_replace(true);
            kept
        };
        let (workers, keeper) = tokio::join!(workers, keeper);
        workers.into_iter().collect::<Result<(), _>>()?;
        keeper
    }

    async fn keep_until<F>(
        &self,
        is_done: impl Fn() -> F,
        stopped: tokio::sync::watch::Receiver<bool>,
    ) -> Result<(), StoreError>
    where
        F: Future<Output = Result<bool, StoreError>>,
    {
        while !*stopped.borrow() {
            let scanned = self.scan_due().await?;
            self.sweep_when_due().await?;
            self.send_mail().await?;
            if !scanned && is_done().await? {
                return self.send_mail().await;
            }
            self.program.engine.ports().clock().sleep(IDLE).await;
        }
        Ok(())
    }

    async fn worker(&self, stopped: tokio::sync::watch::Receiver<bool>) -> Result<(), StoreError> {
        while !*stopped.borrow() {
            if !self.work_one().await? {
                self.program.engine.ports().clock().sleep(IDLE).await;
            }
        }
        Ok(())
    }

    /// Handles one message, if there is one.
    async fn work_one(&self) -> Result<bool, StoreError> {
        let store = &self.program.store;
        let policy = self.program.engine.policy();
        let Some(delivery) = store.receive(policy.visibility).await? else {
            return Ok(false);
        };
        let receipt = &delivery.receipt;
        match deliveries::deliver(&self.program.engine, &delivery, self.now()).await {
            Fate::Done(worked) => {
                store.acknowledge(receipt).await?;
                self.note(&delivery.body, worked);
            }
            Fate::Again(wait) | Fate::Requeue(wait) => store.give_back(receipt, wait).await?,
            Fate::SetAside(why) => {
                summary::set_aside(&why);
                store.bury(receipt, &why).await?;
            }
            Fate::Failed(StoreError::Unavailable(why)) if delivery.receives < RECEIVES_MAX => {
                tracing::warn!(%why, "a message is handled again later");
                store.give_back(receipt, policy.backoff).await?;
            }
            Fate::Failed(error) => return Err(error),
        }
        Ok(true)
    }

    fn note(&self, body: &str, worked: Worked) {
        let outcomes = match worked {
            Worked::Synced(report) => report.outcomes,
            Worked::RunEnded(tenant, run) => {
                self.seen().ended.insert(tenant, run);
                return;
            }
            _ => return,
        };
        let message: Result<purser_core::ports::WorkMessage, _> = serde_json::from_str(body);
        let Ok(message) = message else { return };
        let mut seen = self.seen();
        for outcome in outcomes {
            let key = (message.tenant().clone(), outcome.order);
            // The attempt that was overtaken knows less than the one that goes on.
            if is_overtaken(&outcome) {
                seen.outcomes.entry(key).or_insert(outcome);
            } else {
                seen.outcomes.insert(key, outcome);
            }
        }
    }

    /// Starts every run whose alarm has come.
    async fn scan_due(&self) -> Result<bool, StoreError> {
        let mut due = self.program.store.due_alarms(self.now()).await?;
        due.retain(|(tenant, run)| self.is_wanted(tenant, *run));
        let found = !due.is_empty();
        let scans = due.into_iter().map(|(tenant, run)| async move {
            let event = ScanEvent::new(tenant.clone(), run);
            if let Some(report) = handlers::scan(&self.program.engine, &event, None).await? {
                self.seen().scans.insert(tenant.clone(), (run, report));
            }
            self.program.store.disarm(&tenant, run).await
        });
        futures_util::future::try_join_all(scans).await?;
        Ok(found)
    }

    async fn sweep_when_due(&self) -> Result<(), StoreError> {
        let now = self.now();
        let due = {
            let mut swept = self.swept_at.lock().unwrap_or_else(PoisonError::into_inner);
            let interval = self.program.engine.policy().sweep_interval;
            // A clock that went back must not stop the sweeper.
            let due = swept.is_none_or(|at| later(at, interval) <= now || at > now);
            if due {
                *swept = Some(now);
            }
            due
        };
        if !due {
            return Ok(());
        }
        sweeps::sweep(&self.program.engine, None).await.map(drop)
    }

    async fn send_mail(&self) -> Result<(), StoreError> {
        match &self.mailer {
            Some(mailer) => {
                let clock = self.program.engine.ports().clock();
                outbox::send_all(mailer, &*self.program.store, clock, Timestamp::MAX)
                    .await
                    .map(drop)
            }
            None => Ok(()),
        }
    }

    /// Queues every order whose wait is over, for a command that waits for all of them.
    pub(crate) async fn queue_due(&self) -> Result<(), StoreError> {
        for tenant in self.program.store.tenants().await? {
            let status = self.program.engine.status(&tenant).await?;
            if let Some(realm) = status.realm.clone()
                && status.blocked(self.now()).is_none()
            {
                let engine = &self.program.engine;
                let trace = engine.trace(None);
                engine.queue_due(&tenant, &realm, &trace).await?;
            }
        }
        Ok(())
    }
}

/// Whether another attempt, whose outcome comes later, is working on this order.
pub(crate) fn is_overtaken(outcome: &Outcome) -> bool {
    outcome.code.as_deref() == Some(Code::Overtaken.as_str())
}
