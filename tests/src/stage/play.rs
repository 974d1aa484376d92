//! Letting runs and time pass: the loop that a function runtime or the local program is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use purser_core::{
    ids::{OrderId, RunNumber},
    ports::Delivery,
    record::{Origin, later},
    usecase::{Engine, ScanReport},
};
use purser_runtime::handlers::{self, ScanEvent, Worked};

use super::{Stage, StagePorts, StageStore};

/// The longest time anything is waited for.
const SETTLE_MAX: Duration = Duration::from_hours(60);
/// A message received more often than this would be set aside.
const RECEIVES_MAX: u32 = 5;

impl<S: StageStore> Stage<S> {
    /// Starts a run now and works until nothing is left to do at once. Answers what it scanned.
    pub async fn run(&mut self) -> ScanReport {
        self.engine
            .start_now(&self.tenant)
            .await
            .expect("the store");
        let mut reports = self.scan_due().await;
        self.drain().await;
        reports.pop().expect("a scan")
    }

    /// Scans for every alarm whose time has come.
    pub async fn scan_due(&self) -> Vec<ScanReport> {
        let mut reports = Vec::new();
        for (tenant, run) in self.store.alarms(self.now()).await {
            let event = ScanEvent::new(tenant.clone(), run);
            reports.extend(
                Box::pin(handlers::scan(&self.engine, &event, None))
                    .await
                    .expect("the store"),
            );
            self.store.went_off(&tenant, run).await;
        }
        reports
    }

    /// Handles messages until none can be received.
    pub async fn drain(&self) {
        while self.work_one(&self.engine).await {}
    }

    /// Takes the next message.
    pub async fn receive(&self) -> Option<Delivery> {
        let visibility = self.engine.policy().visibility;
        self.store.receive(visibility).await.expect("the queue")
    }

    /// Handles one message; false when there is none.
    pub async fn work_one(&self, engine: &Engine<StagePorts<S>>) -> bool {
        let Some(delivery) = self.receive().await else {
            return false;
        };
        self.work(engine, &delivery).await;
        true
    }

    /// Handles a delivery and acknowledges it.
    pub async fn work(&self, engine: &Engine<StagePorts<S>>, delivery: &Delivery) {
        assert!(
            delivery.receives <= RECEIVES_MAX,
            "{delivery:?} comes again and again"
        );
        let worked = handlers::work(engine, &delivery.body, self.now());
        match Box::pin(worked).await.expect("the store") {
            Worked::Synced(_) | Worked::RunEnded(..) => {
                self.store
                    .acknowledge(&delivery.receipt)
                    .await
                    .expect("the queue");
            }
            other => panic!("{other:?}"),
        }
    }

    /// Lets time pass until `at`.
    pub async fn wait_until(&self, at: Timestamp) {
        let left = self.now().duration_until(at);
        if left.is_positive() {
            tokio::time::sleep(left.unsigned_abs()).await;
        }
    }

    /// Lets time pass.
    pub async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Goes on with what waits, whenever it is due, until nothing is due any more. No scans.
    pub async fn settle(&mut self) {
        let end = later(self.now(), SETTLE_MAX);
        loop {
            self.drain().await;
            if self.status().await.blocked(self.now()).is_some() {
                return;
            }
            let Some(next) = self.next_moment().await else {
                return;
            };
            assert!(next < end, "something stays due for ever");
            self.wait_until(next.max(later(self.now(), Duration::from_secs(1))))
                .await;
            let realm = self.realm_id();
            self.engine
                .queue_due(&self.tenant, &realm, &self.engine.trace(None))
                .await
                .expect("the store");
        }
    }

    async fn next_moment(&self) -> Option<Timestamp> {
        let due = self
            .store
            .next_due(&self.tenant, &self.realm_id())
            .await
            .expect("the ledger");
        let message = self.store.message_at().await;
        [due, message].into_iter().flatten().min()
    }

    /// Lives like a running engine for so long: runs, sweeps and messages, each when it is due.
    pub async fn live(&mut self, time: Duration) {
        let end = later(self.now(), time);
        loop {
            self.scan_due().await;
            self.drain().await;
            self.sweep_when_due().await;
            self.drain().await;
            let next = self.next_event().await;
            if next >= end {
                return self.wait_until(end).await;
            }
            // A message that comes back or an alarm of right now still needs a moment.
            self.wait_until(next.max(later(self.now(), Duration::from_millis(100))))
                .await;
        }
    }

    async fn sweep_when_due(&mut self) {
        let (now, interval) = (self.now(), self.engine.policy().sweep_interval);
        if self.swept_at.is_none_or(|at| later(at, interval) <= now) {
            self.swept_at = Some(now);
            Box::pin(self.engine.sweep(&self.engine.trace(None)))
                .await
                .expect("the store");
            // What the loop of the program does after a sweep.
            drop(self.outside().keep_alive(&self.tenant).await);
        }
    }

    async fn next_event(&self) -> Timestamp {
        let sweep = self
            .swept_at
            .map(|at| later(at, self.engine.policy().sweep_interval));
        let alarm = self.store.alarm_at().await;
        let message = self.store.message_at().await;
        let all = [sweep, alarm, message].into_iter().flatten();
        all.min().unwrap_or_else(|| self.now())
    }

    /// Lives until every one of these orders needs nothing more, 30 hours at most.
    pub async fn live_until_settled(&mut self, orders: &[i64]) {
        for _ in 0..360 {
            self.live(Duration::from_mins(5)).await;
            let mut open = false;
            for order in orders {
                let record = self.find_record(*order).await;
                open |= record.is_none_or(|record| !record.is_settled());
            }
            if !open || self.status().await.blocked(self.now()).is_some() {
                return;
            }
        }
        panic!("an order is not settled after 30 hours");
    }

    /// A person asks for one order; answers at once, and what is left is done by `drain`.
    pub async fn ask(&mut self, order: i64, origin: Origin, mail_to: Option<&str>) {
        let mail_to = mail_to.map(str::to_owned);
        let asked = self
            .engine
            .ask(&self.tenant, OrderId::new(order), origin, mail_to, None);
        Box::pin(asked).await.expect("they may ask");
    }

    /// A person presses Retry on one order, and it is worked on.
    pub async fn retry(&mut self, order: i64) {
        self.ask(order, Origin::Retry, None).await;
        self.drain().await;
    }

    /// The number of the last run.
    pub async fn last_run(&self) -> RunNumber {
        self.engine.runs(&self.tenant).await.expect("the store").run
    }
}

/// So many days before a moment.
pub fn days_before(at: Timestamp, days: i64) -> Timestamp {
    at - SignedDuration::from_hours(24 * days)
}
