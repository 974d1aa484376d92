//! The shapes of orders that the faults meet, and what must become of each whatever happens.

use std::{collections::BTreeMap, future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use purser_core::record::StateName;
use purser_simulators::{
    FaultKind, JournalEntry, System, autotask::OrderSeed, quickbooks::RequestIdMode,
};
use purser_tests::{panicked, stage::Stage};

/// What an order needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Every name is known, and every cache is warm.
    Known,
    /// Vendor, customer and Item must be created; every cache is cold, the access token is stale.
    New,
    /// Its product has no Item, and Items are not created: ERROR and a to-do.
    Refused,
}

/// The ways a repeated `requestid` may be treated.
pub(crate) const MODES: [RequestIdMode; 3] = [
    RequestIdMode::Honoured,
    RequestIdMode::Racy,
    RequestIdMode::Ignored,
];

/// The names that only Autotask knows.
const SELLER: &str = "Brightline Distribution";
const BUYER: &str = "Harbor Dental";
const PRODUCT: &str = "Access Point AX3";

/// A stage with one order of a shape, ready for its run.
pub(crate) struct Case {
    pub(crate) stage: Stage,
    pub(crate) order: i64,
    shape: Shape,
    begun: u64,
}

impl Case {
    pub(crate) async fn of(shape: Shape, mode: RequestIdMode) -> Self {
        let mut stage = Stage::new().await;
        let switched = stage
            .simulators
            .quickbooks
            .change_switches(|s| s.request_id = mode);
        switched.expect("switches");
        if shape == Shape::New {
            // The access token has expired when the new process starts.
            stage.wait(Duration::from_hours(2)).await;
            stage.restart().await;
        } else {
            let first = stage.add_plain();
            stage.run().await;
            stage.assert_billed(first, "799.98").await;
            stage.wait(Duration::from_mins(2)).await;
        }
        if shape == Shape::Refused {
            let refuse = |settings: &mut purser_core::settings::SettingsDocument| {
                settings.missing_item = Some("refuse".to_owned());
                settings.created_item_account = None;
            };
            stage.change_settings(refuse).await;
        }
        let order = stage.add(&order(&stage, shape));
        let begun = stage.simulators.journal.latest();
        Self {
            stage,
            order,
            shape,
            begun,
        }
    }

    /// The calls since the order was added.
    pub(crate) fn calls(&self) -> Vec<JournalEntry> {
        self.stage.simulators.journal.since(self.begun)
    }

    /// Lives on until the order rests, connecting again when a side was believed to be lost, and
    /// then through one more run. Tells what had to be connected again.
    pub(crate) async fn finish(&mut self) -> String {
        self.stage.live_until_settled(&[self.order]).await;
        let trouble = self.stage.trouble().await;
        if !trouble.is_empty() {
            assert!(
                trouble.starts_with("connection."),
                "the tenant is stopped by {trouble}"
            );
            self.stage.connect().await;
            self.stage.live_until_settled(&[self.order]).await;
        }
        self.stage.live(Duration::from_mins(20)).await;
        let again = self.stage.trouble().await;
        assert_eq!(again, "", "the tenant is stopped once more");
        trouble
    }

    /// The same where no connection may be lost.
    pub(crate) async fn finish_connected(&mut self) {
        assert_eq!(self.finish().await, "", "a connection was lost");
    }

    /// Exactly one right bill, linked; or refused by name, with one to-do.
    pub(crate) async fn assert_sound(&self) {
        let (stage, order) = (&self.stage, self.order);
        let books = &stage.simulators.quickbooks;
        let before = usize::from(self.shape != Shape::New);
        if self.shape == Shape::Refused {
            stage.assert_refused(order, "item.missing").await;
            assert_eq!(books.bills_ever(&stage.realm), before, "bills ever made");
        } else {
            stage.assert_billed(order, "799.98").await;
            assert_eq!(stage.record(order).await.state.name(), StateName::Linked);
            assert_eq!(
                books.bills_ever(&stage.realm),
                1 + before,
                "bills ever made"
            );
            assert_eq!(
                stage.todos_of(order).len(),
                0,
                "a to-do for what passes by itself"
            );
            assert_eq!(self.errors_written(), 0, "ERROR for what passes by itself");
        }
        for list in [books.vendors(&stage.realm), books.customers(&stage.realm)] {
            assert_eq!(
                list.len(),
                1 + usize::from(self.shape == Shape::New),
                "{list:?}"
            );
        }
    }

    fn errors_written(&self) -> usize {
        let wrote = |call: &&JournalEntry| {
            call.route == "PATCH PurchaseOrders" && call.request_body.contains("ERROR")
        };
        self.calls().iter().filter(wrote).count()
    }
}

fn order(stage: &Stage, shape: Shape) -> OrderSeed {
    let mut order = stage.order();
    if shape != Shape::Known {
        order.lines[0].product = Some(stage.new_product(PRODUCT));
    }
    if shape == Shape::New {
        order.vendor = stage.new_seller(SELLER);
        order.purchase_for = Some(stage.new_buyer(BUYER));
    }
    order
}

/// One call of a run.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    pub(crate) system: System,
    pub(crate) route: String,
    /// It is the nth of its route.
    pub(crate) nth: u32,
}

/// The calls that an order of this shape makes when nothing goes wrong.
pub(crate) async fn positions(shape: Shape) -> Vec<Position> {
    let mut case = Case::of(shape, RequestIdMode::Honoured).await;
    case.stage.run().await;
    case.stage.settle().await;
    case.assert_sound().await;
    let mut seen: BTreeMap<(System, String), u32> = BTreeMap::new();
    let mut positions = Vec::new();
    for call in case.calls() {
        let nth = seen.entry((call.system, call.route.clone())).or_default();
        *nth += 1;
        positions.push(Position {
            system: call.system,
            route: call.route,
            nth: *nth,
        });
    }
    assert!(
        positions.len() > 8,
        "there are more calls than that: {positions:?}"
    );
    positions
}

/// Everything that can go wrong with one call.
pub(crate) fn kinds() -> Vec<FaultKind> {
    let after = |status| FaultKind::StatusAfter { status, body: None };
    vec![
        FaultKind::DropBefore,
        FaultKind::DropAfter,
        FaultKind::Status {
            status: 500,
            body: None,
        },
        FaultKind::Throttle {
            retry_after_seconds: Some(30),
        },
        FaultKind::Unauthorised,
        FaultKind::Garbage,
        FaultKind::GarbageAfter,
        FaultKind::TruncateAfter,
        FaultKind::TimeoutBefore,
        FaultKind::TimeoutAfter,
        after(500),
        after(504),
        FaultKind::LateCommit { ms: 100_000 },
        FaultKind::Empty,
    ]
}

/// Runs cases one after the other and tells at the end which of them failed.
#[derive(Default)]
pub(crate) struct Tally {
    ran: usize,
    failed: Vec<String>,
}

impl Tally {
    pub(crate) async fn case(&mut self, name: String, case: impl Future<Output = ()>) {
        self.ran += 1;
        if let Err(panic) = AssertUnwindSafe(case).catch_unwind().await {
            let why = panicked::words(&*panic);
            self.failed.push(format!("{name}: {why}"));
        }
    }

    /// Fails when a case failed, or when there were fewer than `least`.
    pub(crate) fn finish(self, what: &str, least: usize) {
        println!("{what}: {} cases, {} failed", self.ran, self.failed.len());
        assert!(self.ran >= least, "{what}: only {} cases", self.ran);
        let all = self.failed.join("\n");
        assert!(
            self.failed.is_empty(),
            "{what}: {} failed:\n{all}",
            self.failed.len()
        );
    }
}
