//! How many calls a warm run makes.

use purser_simulators::{System, autotask::LineSeed};
use purser_tests::stage::Stage;

const ORDERS: u64 = 1_000;

/// How often a system was called to read and to write.
fn counts(stage: &Stage, system: System) -> (u64, u64) {
    let counts = stage.simulators.journal.counts();
    counts
        .systems
        .get(&system)
        .map_or((0, 0), |counts| (counts.reads, counts.writes))
}

#[tokio::test(start_paused = true)]
async fn a_run_of_1000_orders_makes_little_more_than_one_call_to_each_system_for_each() {
    let mut stage = Stage::new().await;
    stage.simulators.journal.keep_bodies(false);
    let product = stage.known_product("Patch cable");
    let seed = stage.order().line(LineSeed::of(product, 4, "2.05"));
    stage.add(&seed);
    stage.simulators.journal.clear();
    stage.restart().await;
    stage.run().await;
    let (reads, writes) = counts(&stage, System::QuickBooks);
    assert!(reads <= 10, "{reads} reads of QuickBooks by a cold process");
    assert_eq!(writes, 1);
    let orders = stage.database.add_orders(&vec![seed; 1_000]);
    stage.simulators.journal.clear();
    let began = stage.now();
    let report = stage.run().await;
    assert_eq!(report.queued.len() as u64, ORDERS);
    let minutes = began.duration_until(stage.now()).as_secs() / 60;
    let (reads, writes) = counts(&stage, System::Autotask);
    let autotask = reads + writes;
    let (books, creates) = counts(&stage, System::QuickBooks);
    println!("{autotask} calls to Autotask, {books} reads of QuickBooks, {minutes} minutes");
    assert_eq!(
        (writes, creates),
        (ORDERS, ORDERS),
        "one write to each system for each order"
    );
    // For each message of 25 orders: the orders three times (read, before the write, after it),
    // their lines, products, organisations and currencies once.
    let bulk = 7 * ORDERS / 25 + 5;
    assert!(reads <= bulk, "{reads} reads of Autotask, {bulk} at most");
    let minutes = u64::try_from(minutes).expect("time goes on");
    // Each message asks once who bears its orders' numbers; reference data older than a minute asks
    // for what changed.
    assert!(
        books <= ORDERS / 25 + 2 + minutes,
        "{books} reads of QuickBooks in {minutes} minutes"
    );
    assert_eq!(stage.bills().len() as u64, ORDERS + 1);
    for order in [orders[0], orders[499], orders[999]] {
        stage.assert_billed(order, "808.18").await;
    }
}

/// Whoever scans need not hold the key to QuickBooks.
#[tokio::test(start_paused = true)]
async fn a_scan_asks_quickbooks_nothing() {
    let mut stage = Stage::new().await;
    stage.add_plain();
    stage.restart().await;
    let start = stage.engine.start_now(&stage.tenant).await;
    start.expect("the store");
    stage.simulators.journal.clear();
    let reports = stage.scan_due().await;
    assert_eq!(reports[0].queued.len(), 1);
    assert_eq!(counts(&stage, System::QuickBooks), (0, 0));
    assert_ne!(counts(&stage, System::Autotask), (0, 0));
}
