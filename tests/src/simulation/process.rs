//! One process as the program and the functions are: alarms, messages and sweeps, each when it is due,
//! until it dies; and then the next one.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Clock as _, Delivery, Inbox as _, Queue as _, WorkMessage},
    record::later,
    usecase::{Engine, Ports as _},
};
use purser_runtime::{
    deliveries::{self, Fate, RECEIVES_MAX},
    handlers::{self, ScanEvent},
    sweeps,
};

use super::{
    nature::{Nature, StoreNature, Wire},
    verdict,
    versions::Versions,
    watch::Doing,
};
use crate::{
    dice::Dice,
    shaken::Shaken,
    stage::{Stage, StagePorts, StageStore},
};

/// The longest a process waits before it looks again.
const IDLE: Duration = Duration::from_secs(20);
/// How long it waits after the store failed.
const PAUSE: Duration = Duration::from_secs(2);

/// A place where one process after the other lives.
pub(super) struct Process<'a, S: StageStore> {
    pub(super) stage: &'a Stage<S>,
    pub(super) nature: &'a Arc<Nature>,
    pub(super) place: usize,
}

type ShakenEngine<S> = Engine<StagePorts<Shaken<S>>>;

impl<S: StageStore> Process<'_, S> {
    /// Lives for ever; each death is followed by another life.
    pub(super) async fn run(&self) {
        let mut dice = Dice::stream(self.nature.plan.seed, 100 + self.place as u64);
        loop {
            let life = self.nature.next_life();
            let name = format!("process-{}-{life}", self.place);
            let tap = StoreNature {
                nature: Arc::clone(self.nature),
                process: self.place,
            };
            let store = Shaken::new(Arc::clone(&self.stage.store), Arc::new(tap));
            let wire = Wire {
                nature: Arc::clone(self.nature),
                process: self.place,
                life: life * 10 + self.place,
            };
            let (engine, clock) = self.stage.process(&name, Arc::new(wire), &Arc::new(store));
            self.nature.set_clock(self.place, clock);
            tokio::select! {
                biased;
                () = self.nature.died(self.place) => {}
                () = self.live(&engine, &mut dice) => {}
            }
            tokio::time::sleep(Duration::from_secs(dice.roll(90))).await;
        }
    }

    async fn live(&self, engine: &ShakenEngine<S>, dice: &mut Dice) {
        let mut swept_at = None;
        loop {
            self.scan(engine).await;
            self.drain(engine).await;
            let now = self.stage.now();
            let interval = engine.policy().sweep_interval;
            if swept_at.is_none_or(|at| later(at, interval) <= now) {
                swept_at = Some(now);
                self.begin(engine, None, false).await;
                // A sweep that fails is followed by another one.
                drop(Box::pin(sweeps::sweep(engine, None)).await);
                self.drain(engine).await;
            }
            self.rest(engine, dice).await;
        }
    }

    /// Scans for every alarm whose time has come. An alarm that was answered with an error goes off
    /// again.
    async fn scan(&self, engine: &ShakenEngine<S>) {
        for (tenant, run) in self.stage.store.alarms(self.stage.now()).await {
            self.begin(engine, Some(&tenant), false).await;
            let event = ScanEvent::new(tenant.clone(), run);
            if Box::pin(handlers::scan(engine, &event, None)).await.is_ok() {
                self.stage.store.went_off(&tenant, run).await;
            } else {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn drain(&self, engine: &ShakenEngine<S>) {
        let store = engine.ports().store();
        let visibility = engine.policy().visibility;
        while let Ok(Some(delivery)) = store.receive(visibility).await {
            self.handle(engine, &delivery).await;
        }
    }

    /// What becomes of a delivery, as the worker has it. What the queue is not told it finds out by
    /// itself, when the message has not been acknowledged for long.
    async fn handle(&self, engine: &ShakenEngine<S>, delivery: &Delivery) {
        let store = engine.ports().store();
        let receipt = &delivery.receipt;
        if delivery.receives > RECEIVES_MAX {
            // The queue itself sets it aside; what it was about is found by the sweeper.
            drop(store.acknowledge(receipt).await);
            return;
        }
        let message = serde_json::from_str::<WorkMessage>(&delivery.body).ok();
        if let Some(WorkMessage::Sync { tenant, origin, .. }) = &message {
            let tenant = Some(tenant);
            self.begin(engine, tenant, origin.is_person()).await;
        }
        let now = engine.ports().clock().now();
        let told = match Box::pin(deliveries::deliver(engine, delivery, now)).await {
            Fate::Done(_) => {
                if let Some(message) = &message {
                    self.check_stored(message).await;
                }
                store.acknowledge(receipt).await
            }
            Fate::Again(wait) => store.give_back(receipt, wait).await,
            Fate::Requeue(_) => {
                let copy = Versions::copy(&delivery.body, self.nature.points());
                match store.send(copy.into_iter().collect()).await {
                    Ok(()) => store.acknowledge(receipt).await,
                    Err(error) => Err(error),
                }
            }
            Fate::SetAside(why) => {
                self.nature
                    .violate(format!("a message was set aside: {why}"));
                store.acknowledge(receipt).await
            }
            Fate::Failed(_) => store.give_back(receipt, engine.policy().backoff).await,
        };
        if told.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What it does from now on: for one company or for all, and where quiet had been asked for by then.
    async fn begin(
        &self,
        engine: &ShakenEngine<S>,
        tenant: Option<&TenantId>,
        is_for_person: bool,
    ) {
        let now = engine.ports().clock().now();
        let mut doing = Doing {
            is_for_person,
            ..Doing::default()
        };
        let companies = self.nature.companies.iter();
        for company in companies.filter(|it| tenant.is_none_or(|tenant| it.tenant == *tenant)) {
            let status = self.stage.engine.status(&company.tenant).await;
            let quiet = status.unwrap_or_default().quiet_until(now);
            let realm = || company.realm.clone();
            doing.quiet.extend(quiet.map(|until| (realm(), until)));
            doing.realm = tenant.map(|_| realm());
        }
        self.nature.watch.does(self.place, doing);
    }

    /// A message is acknowledged only when the state of each of its orders is stored: it has one, and
    /// where that is not its end, the sweeper finds it.
    async fn check_stored(&self, message: &WorkMessage) {
        let WorkMessage::Sync { tenant, orders, .. } = message else {
            return;
        };
        let companies = &self.nature.companies;
        let Some(company) = companies.iter().find(|company| company.tenant == *tenant) else {
            return;
        };
        let (store, realm) = (&self.stage.store, company.realm_id());
        let due = store.due(tenant, &realm, Timestamp::MAX, 1_000).await;
        let due = due.unwrap_or_default();
        for order in orders {
            let record = company.find_record(self.stage, order.get()).await;
            if !verdict::is_stored(record.as_ref(), due.contains(order)) {
                let what = format!("order {order} is not stored and was acknowledged");
                self.nature.violate(what);
            }
        }
    }

    /// Until the next alarm or message, and not for long.
    async fn rest(&self, engine: &ShakenEngine<S>, dice: &mut Dice) {
        let (store, now) = (&self.stage.store, self.stage.now());
        let next = [store.alarm_at().await, store.message_at().await];
        let next = next.into_iter().flatten().min();
        let mut left = next.map_or(IDLE, |at| until(now, at));
        left = left.clamp(Duration::from_millis(500), IDLE);
        if self.nature.plan.is_newer {
            // Of two processes that wait for one message, now one and now the other is the first.
            left += Duration::from_millis(dice.roll(2_000));
        }
        tokio::select! {
            biased;
            delivery = self.nature.trying.second(self.place) => self.handle(engine, &delivery).await,
            () = tokio::time::sleep(left) => {}
        }
    }
}

fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(now.duration_until(at)).unwrap_or(Duration::ZERO)
}
