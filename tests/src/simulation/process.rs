//! One process as the program and the functions are: alarms, messages and sweeps, each when it is due,
//! until it dies; and then the next one.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use purser_core::{
    ports::{Clock as _, Delivery, Inbox as _},
    record::later,
    usecase::{Engine, Ports as _},
};
use purser_runtime::{
    deliveries::{self, Fate, RECEIVES_MAX},
    handlers::{self, ScanEvent},
    sweeps,
};

use super::nature::{Nature, StoreNature, Wire};
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
        for life in 0_u32.. {
            let name = format!("process-{}-{life}", self.place);
            let tap = StoreNature {
                nature: Arc::clone(self.nature),
                process: self.place,
            };
            let store = Shaken::new(Arc::clone(&self.stage.store), Arc::new(tap));
            let wire = Wire {
                nature: Arc::clone(self.nature),
                process: self.place,
            };
            let (engine, clock) = self.stage.process(&name, Arc::new(wire), &Arc::new(store));
            self.nature.set_clock(self.place, clock);
            tokio::select! {
                biased;
                () = self.nature.died(self.place) => {}
                () = self.live(&engine) => {}
            }
            tokio::time::sleep(Duration::from_secs(dice.roll(90))).await;
        }
    }

    async fn live(&self, engine: &ShakenEngine<S>) {
        let mut swept_at = None;
        loop {
            self.scan(engine).await;
            self.drain(engine).await;
            let now = self.stage.now();
            let interval = engine.policy().sweep_interval;
            if swept_at.is_none_or(|at| later(at, interval) <= now) {
                swept_at = Some(now);
                // A sweep that fails is followed by another one.
                drop(Box::pin(sweeps::sweep(engine, None)).await);
                self.drain(engine).await;
            }
            self.rest().await;
        }
    }

    /// Scans for every alarm whose time has come. An alarm that was answered with an error goes off
    /// again.
    async fn scan(&self, engine: &ShakenEngine<S>) {
        for (tenant, run) in self.stage.store.alarms(self.stage.now()).await {
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
        let now = engine.ports().clock().now();
        let told = match Box::pin(deliveries::deliver(engine, delivery, now)).await {
            Fate::Done(_) => store.acknowledge(receipt).await,
            Fate::Again(wait) | Fate::Requeue(wait) => store.give_back(receipt, wait).await,
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

    /// Until the next alarm or message, and not for long.
    async fn rest(&self) {
        let (store, now) = (&self.stage.store, self.stage.now());
        let next = [store.alarm_at().await, store.message_at().await];
        let next = next.into_iter().flatten().min();
        let left = next.map_or(IDLE, |at| until(now, at));
        tokio::time::sleep(left.clamp(Duration::from_millis(500), IDLE)).await;
    }
}

fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(now.duration_until(at)).unwrap_or(Duration::ZERO)
}
