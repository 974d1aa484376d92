//! One answer of a whole run made worse: the run goes on, and in the end each order has one right
//! bill or a person knows of it.
//!
//! An input is no answer itself: it decides which answer of the run is made worse, and how.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use purser_core::record::{State, Todo};
use purser_simulators::Simulators;
use purser_tests::{
    memory::MemoryStore,
    stage::{Scene, Stage, amount},
};
use purser_transport::{BoxFuture, Transport, TransportError};
use sha2::{Digest as _, Sha256};

use crate::{
    harness::{Target, World, run, runtime},
    mutate::Mutator,
};

const TARGET: Target = Target {
    name: "runs",
    cases: 250,
    words: &[],
};

/// About as many calls as a run makes.
const CALLS_MAX: usize = 34;
/// How long the run goes on with right answers: a trouble of the whole company is looked at again
/// every hour.
const AFTERWARDS: Duration = Duration::from_hours(4);
/// What each order costs.
const TOTAL: &str = "799.98";

/// A wire on which one answer is made worse.
struct Worse {
    simulators: Arc<Simulators>,
    nth: usize,
    seen: AtomicUsize,
    mutator: Mutex<Mutator>,
    /// The path and the status whose answer it was.
    met: Mutex<Option<String>>,
}

impl Transport for Worse {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            let mut answer = self.simulators.send(request, timeout).await?;
            if self.seen.fetch_add(1, Ordering::SeqCst) == self.nth {
                let pool = [answer.body().to_vec()];
                let mut mutator = self.mutator.lock().unwrap_or_else(PoisonError::into_inner);
                *answer.body_mut() = Bytes::from(mutator.changed(&pool));
                let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
                *met = Some(path);
            }
            Ok(answer)
        })
    }
}

struct Run;

impl World for Run {
    fn build() -> Self {
        Self
    }

    fn check(&mut self, input: &[u8]) -> String {
        let digest = Sha256::digest(input);
        let number = |at: usize| u64::from_be_bytes(digest[at..at + 8].try_into().expect("bytes"));
        let nth = usize::try_from(number(0) % CALLS_MAX as u64).expect("a number");
        let runtime = runtime();
        runtime.block_on(Box::pin(play(nth, number(8))))
    }
}

/// Two orders, one of names that QuickBooks does not know, through a run with a worse answer.
async fn play(nth: usize, seed: u64) -> String {
    let mut stage = Stage::<MemoryStore>::connected(Scene::default()).await;
    let known = stage.add_plain();
    let mut order = stage.order();
    order.vendor = stage.new_seller("Nordlicht: Parts");
    order.purchase_for = Some(stage.new_buyer("Harbour Dental"));
    order.lines[0].product = Some(stage.new_product("Cable / red"));
    let new = stage.add(&order);
    let wire = Arc::new(Worse {
        simulators: Arc::clone(&stage.simulators),
        nth,
        seen: AtomicUsize::new(0),
        mutator: Mutex::new(Mutator::new(seed, &[])),
        met: Mutex::default(),
    });
    let right = Arc::clone(&stage.engine);
    let (engine, _) = stage.process("worse", Arc::clone(&wire) as _, &stage.store);
    stage.engine = Arc::new(engine);
    let begun = stage.engine.start_now(&stage.tenant).await;
    begun.expect("the store");
    stage.live(Duration::from_mins(2)).await;
    stage.engine = right;
    stage.live(AFTERWARDS).await;
    let met = wire
        .met
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let met = met.unwrap_or_default();
    let is_of_books = met.starts_with("/v3/company");
    let mut outcomes = Vec::new();
    for order in [known, new] {
        outcomes.push(end_of(&stage, order, is_of_books).await);
    }
    let area = met
        .rsplit('/')
        .find(|part| part.len() > 3 && !part.contains(char::is_numeric));
    format!("{} {}", area.unwrap_or_default(), outcomes.join(" "))
}

/// How an order has ended: right, or with a person who knows of it.
async fn end_of(stage: &Stage<MemoryStore>, order: i64, is_of_books: bool) -> String {
    let bills = stage.bills_of(order);
    assert!(bills.len() < 2, "order {order} has {} bills", bills.len());
    if is_of_books {
        // What Autotask says is taken at its word; what QuickBooks says changes no amount.
        for bill in &bills {
            assert_eq!(amount(&bill["TotalAmt"]).to_string(), TOTAL, "{bill}");
        }
    }
    // What stops the whole company stands on every page until somebody has seen to it.
    let trouble = stage.trouble().await;
    let Some(record) = stage.find_record(order).await else {
        assert!(!trouble.is_empty(), "order {order} was never seen");
        return trouble;
    };
    let end = match &record.state {
        State::Linked { bill } => {
            let is_there = bills
                .iter()
                .any(|live| live["Id"].as_str() == Some(bill.id.as_str()));
            assert!(
                is_there,
                "order {order} is linked to {} of {bills:?}",
                bill.id
            );
            "billed"
        }
        State::Refused { .. } | State::NeedsPerson { .. } => {
            assert!(
                matches!(record.todo, Todo::Open { .. }),
                "nobody knows: {record:?}"
            );
            "told"
        }
        State::Skipped { .. } => "skipped",
        other => {
            assert!(
                !trouble.is_empty(),
                "order {order} has not ended: {other:?}"
            );
            &trouble
        }
    };
    end.to_owned()
}

#[test]
fn runs() {
    run::<Run>(&TARGET);
}
