//! The sample events of the functions that nobody waits for, handled by the engine that they are for.

use purser_core::{
    ids::{RunNumber, TenantId},
    ports::{Ledger as _, WorkMessage},
};
use purser_runtime::{
    deliveries::{Fate, QueueEvent, deliver},
    handlers::{self, ScanEvent, Worked},
    sweeps::{self, SweepEvent, SweepTask},
};
use purser_tests::stage::Stage;
use serde::de::DeserializeOwned;

use crate::events::{assert_samples, sample, samples};

/// An order that stands in every sample.
const ORDER: &str = "4711";

fn read<T: DeserializeOwned>(function: &str, name: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(&sample(function, name))
}

/// Reads a sample as if it named this order.
fn messages(name: &str, order: i64) -> QueueEvent {
    let mut event: QueueEvent = read("worker", name).expect("an event of a queue");
    for record in &mut event.records {
        record.body = record.body.replace(ORDER, &order.to_string());
    }
    event
}

async fn delivered(stage: &Stage, name: &str, order: i64) -> Vec<Fate> {
    let mut fates = Vec::new();
    for record in messages(name, order).records {
        fates.push(deliver(&stage.engine, &record.delivery(), stage.now()).await);
    }
    fates
}

#[tokio::test(start_paused = true)]
async fn the_scanners_samples_start_one_run_or_are_refused() {
    assert_samples(
        "scanner",
        [
            "run",
            "repeated-run",
            "unknown-version",
            "malformed",
            "unknown-tenant",
        ],
    );
    let stage = Stage::new().await;
    let order = stage.add_plain();
    let event: ScanEvent = read("scanner", "run").expect("a good event");
    assert_eq!((event.version, &event.tenant), (1, &stage.tenant));
    let report = handlers::scan(&stage.engine, &event, None).await;
    assert!(report.expect("a scan").is_some(), "the run was not claimed");
    assert!(
        stage.find_record(order).await.is_some(),
        "the order was not found"
    );
    assert_eq!(stage.last_run().await, event.run);

    let again: ScanEvent = read("scanner", "repeated-run").expect("a good event");
    assert!(again.run < event.run);
    let report = handlers::scan(&stage.engine, &again, None).await;
    assert!(
        report.expect("a claim").is_none(),
        "a run was claimed twice"
    );

    for name in ["unknown-version", "malformed"] {
        assert!(read::<ScanEvent>("scanner", name).is_err(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_of_nobody_reaches_no_outside_system() {
    let stage = Stage::new().await;
    let event: ScanEvent = read("scanner", "unknown-tenant").expect("a good event");
    assert_ne!(event.tenant, stage.tenant);
    let calls = stage.simulators.journal.latest();
    let report = handlers::scan(&stage.engine, &event, None).await;
    let found = report.expect("a scan").map(|report| report.counts.eligible);
    assert!(matches!(found, None | Some(0)), "{found:?}");
    assert_eq!(stage.simulators.journal.latest(), calls);
    assert_eq!(stage.last_run().await, RunNumber(0));
    let tenants = stage.store.tenants().await.expect("the ledger");
    let known = std::slice::from_ref(&stage.tenant);
    assert_eq!(tenants, known, "an alarm brought nobody back");
}

#[tokio::test(start_paused = true)]
async fn the_workers_samples_bill_once_or_are_set_aside_or_left_alone() {
    assert_samples(
        "worker",
        [
            "one-order",
            "twenty-five-orders",
            "twenty-six-orders",
            "end-of-run",
            "malformed-body",
            "unknown-kind",
            "unknown-version",
            "duplicate",
        ],
    );
    let stage = Stage::new().await;
    let order = stage.add_plain();
    let event: ScanEvent = read("scanner", "run").expect("a good event");
    let report = handlers::scan(&stage.engine, &event, None).await;
    report.expect("a scan").expect("a report");

    let fates = delivered(&stage, "one-order", order).await;
    assert!(
        matches!(fates[..], [Fate::Done(Worked::Synced(_))]),
        "{fates:?}"
    );
    assert_eq!(stage.bills_of(order).len(), 1);
    let fates = delivered(&stage, "duplicate", order).await;
    let [Fate::Done(Worked::Synced(_)), Fate::Done(Worked::Synced(_))] = fates[..] else {
        panic!("{fates:?}");
    };
    assert_eq!(stage.bills_of(order).len(), 1);

    for name in ["twenty-six-orders", "malformed-body", "unknown-kind"] {
        let fates = delivered(&stage, name, order).await;
        assert!(
            matches!(fates[..], [Fate::SetAside(_)]),
            "{name}: {fates:?}"
        );
    }
    let fates = delivered(&stage, "unknown-version", order).await;
    assert!(matches!(fates[..], [Fate::Again(_)]), "{fates:?}");
    let fates = delivered(&stage, "twenty-five-orders", order).await;
    assert!(
        matches!(fates[..], [Fate::Done(Worked::Synced(_))]),
        "{fates:?}"
    );
    let fates = delivered(&stage, "end-of-run", order).await;
    let [Fate::Done(Worked::RunEnded(tenant, run))] = &fates[..] else {
        panic!("{fates:?}");
    };
    assert_eq!((tenant, *run), (&stage.tenant, event.run));
    assert_eq!(stage.bills().len(), 1);
}

#[test]
fn the_workers_samples_hold_as_many_orders_as_their_names_say() {
    for (name, count) in [
        ("one-order", 1),
        ("twenty-five-orders", WorkMessage::ORDERS_MAX),
        ("twenty-six-orders", WorkMessage::ORDERS_MAX + 1),
    ] {
        let event: QueueEvent = read("worker", name).expect("an event of a queue");
        let body = &event.records[0].body;
        let Ok(WorkMessage::Sync { orders, .. }) = serde_json::from_str(body) else {
            panic!("{name}: {body}");
        };
        assert_eq!(orders.len(), count, "{name}");
    }
    // SQS asks for the failures by name, so that no two may be called the same.
    for (name, _) in samples("worker") {
        let event: QueueEvent = read("worker", &name).expect("an event of a queue");
        let mut names: Vec<_> = event.records.iter().map(|it| &it.message_id).collect();
        names.dedup();
        assert_eq!(names.len(), event.records.len(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_sweepers_samples_sweep_every_tenant_or_are_refused() {
    assert_samples(
        "sweeper",
        ["sweep", "mail", "unknown-task", "unknown-version"],
    );
    let stage = Stage::new().await;
    let sweep: SweepEvent = read("sweeper", "sweep").expect("a good event");
    assert_eq!((sweep.version, sweep.task), (1, SweepTask::Sweep));
    let swept = sweeps::sweep(&stage.engine, None).await.expect("a sweep");
    let tenants: Vec<TenantId> = stage.store.tenants().await.expect("tenants");
    assert_eq!((swept.tenants, swept.failed), (tenants.len(), 0));
    let mail: SweepEvent = read("sweeper", "mail").expect("a good event");
    assert_eq!((mail.version, mail.task), (1, SweepTask::Mail));
    for name in ["unknown-task", "unknown-version"] {
        assert!(read::<SweepEvent>("sweeper", name).is_err(), "{name}");
    }
}
