//! Each happening does what it says, on a ledger and a queue in memory under a paused clock.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::poll;
use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Inbox as _, Lane, Ledger as _, Queue as _},
};
use tokio::time::Instant;

use super::*;
use crate::{
    contract::sample::{message, new, north, realm, record},
    memory::MemoryStore,
};

const LONG: Duration = Duration::from_secs(40);

/// Lets one thing happen at the first call, and nothing afterwards.
struct Once {
    happening: Mutex<Option<Happening>>,
    calls: Mutex<Vec<&'static str>>,
    cuts: AtomicUsize,
}

impl StoreTap for Once {
    fn next(&self, call: &'static str) -> Happening {
        self.calls.lock().unwrap().push(call);
        let happening = self.happening.lock().unwrap().take();
        happening.unwrap_or(Happening::Pass)
    }

    fn was_cut(&self, call: &'static str) {
        assert_eq!(self.calls.lock().unwrap().last(), Some(&call));
        self.cuts.fetch_add(1, Ordering::SeqCst);
    }
}

fn shaken(happening: Happening) -> (Shaken<MemoryStore>, Arc<Once>) {
    let tap = Arc::new(Once {
        happening: Mutex::new(Some(happening)),
        calls: Mutex::default(),
        cuts: AtomicUsize::new(0),
    });
    let store = MemoryStore::new(Arc::new(|| Timestamp::UNIX_EPOCH));
    let hook: Arc<dyn StoreTap> = Arc::<Once>::clone(&tap);
    (Shaken::new(Arc::new(store), hook), tap)
}

async fn orders(ledger: &Shaken<MemoryStore>) -> Vec<i64> {
    let ids = [1, 2, 3, 4].map(purser_core::ids::OrderId::new);
    let found = ledger.store().records(&north(), &realm(), &ids).await;
    let found = found.unwrap().into_iter();
    found.map(|record| record.key.order.get()).collect()
}

fn changes(orders: impl IntoIterator<Item = i64>) -> Vec<purser_core::ports::Change> {
    let orders = orders.into_iter();
    orders.map(|order| new(record(order, "first"))).collect()
}

fn is_unavailable<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unavailable(_)))
}

#[tokio::test(start_paused = true)]
async fn a_call_that_passes_is_as_if_there_were_no_hook() {
    let (store, tap) = shaken(Happening::Pass);
    let started = Instant::now();
    assert_eq!(store.commit(changes([1])).await.unwrap().len(), 1);
    assert_eq!(store.tenants().await.unwrap(), [north()]);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(*tap.calls.lock().unwrap(), ["commit", "tenants"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_before_its_effect_has_none() {
    let (store, _) = shaken(Happening::FailBefore);
    assert!(is_unavailable(&store.commit(changes([1])).await));
    assert_eq!(orders(&store).await, [0; 0]);
    assert!(store.commit(changes([1])).await.is_ok(), "it happens once");
    assert_eq!(orders(&store).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_answer_is_lost_has_its_effect() {
    let (store, _) = shaken(Happening::FailAfter);
    assert!(is_unavailable(&store.commit(changes([1])).await));
    assert_eq!(orders(&store).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_fails_halfway_is_done_by_half_in_its_order() {
    let (store, _) = shaken(Happening::FailHalfway);
    assert!(is_unavailable(&store.commit(changes([3, 1, 2, 4])).await));
    assert_eq!(orders(&store).await, [1, 3]);
    let (store, _) = shaken(Happening::FailHalfway);
    let run = |run| message(&north(), Lane::Background, run);
    assert!(is_unavailable(&store.send(vec![run(1), run(2)]).await));
    assert_eq!(store.store().message_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_batch_is_not_done_by_half() {
    let (store, _) = shaken(Happening::FailHalfway);
    assert!(is_unavailable(&store.commit(changes([1])).await));
    assert_eq!(orders(&store).await, [0; 0]);
    let (store, _) = shaken(Happening::FailHalfway);
    store.store().send_raw(&north(), Lane::Person, "one", "{}");
    assert!(is_unavailable(&store.receive(LONG).await));
    let delivery = store.receive(LONG).await.unwrap();
    assert_eq!(
        delivery.map(|it| it.receives),
        Some(1),
        "it was not received"
    );
}

/// Makes a call that must not return, also in a long time, and tells how often its caller died.
async fn cut(happening: Happening) -> (Vec<i64>, usize) {
    let (store, tap) = shaken(happening);
    let call = store.commit(changes([1, 2]));
    let answer = tokio::time::timeout(LONG, call).await;
    assert!(answer.is_err(), "{answer:?}");
    (orders(&store).await, tap.cuts.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_dies_before_the_effect_never_hears_and_leaves_nothing() {
    assert_eq!(cut(Happening::CutBefore).await, (vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_dies_after_the_effect_never_hears_and_it_is_there() {
    assert_eq!(cut(Happening::CutAfter).await, (vec![1, 2], 1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_dies_halfway_never_hears_and_half_is_there() {
    assert_eq!(cut(Happening::CutHalfway).await, (vec![1], 1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_told_dead_only_when_the_effect_is_there() {
    struct Watch(Arc<MemoryStore>, AtomicUsize);
    impl StoreTap for Watch {
        fn next(&self, _: &'static str) -> Happening {
            Happening::CutAfter
        }
        fn was_cut(&self, _: &'static str) {
            self.1.store(self.0.message_count(), Ordering::SeqCst);
        }
    }
    let store = Arc::new(MemoryStore::new(Arc::new(|| Timestamp::UNIX_EPOCH)));
    let watch = Arc::new(Watch(Arc::clone(&store), AtomicUsize::new(0)));
    let hook: Arc<dyn StoreTap> = Arc::<Watch>::clone(&watch);
    let shaken = Shaken::new(store, hook);
    let send = shaken.send(vec![message(&north(), Lane::Person, 1)]);
    let mut send = std::pin::pin!(send);
    assert!(poll!(send.as_mut()).is_pending());
    assert_eq!(watch.1.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_late_call_has_its_effect_only_then() {
    let (store, _) = shaken(Happening::Late(LONG));
    let started = Instant::now();
    let mut call = std::pin::pin!(store.commit(changes([1])));
    assert!(poll!(call.as_mut()).is_pending());
    assert_eq!(orders(&store).await, [0; 0]);
    assert!(call.await.is_ok());
    assert_eq!(started.elapsed(), LONG);
    assert_eq!(orders(&store).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_call_has_its_effect_at_once_and_its_caller_wakes_later() {
    let (store, _) = shaken(Happening::Stall(LONG));
    let started = Instant::now();
    let mut call = std::pin::pin!(store.commit(changes([1])));
    assert!(poll!(call.as_mut()).is_pending());
    assert_eq!(orders(&store).await, [1]);
    assert!(call.await.is_ok());
    assert_eq!(started.elapsed(), LONG);
}

#[tokio::test(start_paused = true)]
async fn a_closure_is_a_hook_and_processes_share_a_store() {
    let store = Arc::new(MemoryStore::new(Arc::new(|| Timestamp::UNIX_EPOCH)));
    let one = Shaken::new(Arc::clone(&store), Arc::new(|_| Happening::FailBefore));
    let other = Shaken::new(store, Arc::new(|_| Happening::Pass));
    assert!(is_unavailable(&one.commit(changes([1])).await));
    assert!(other.commit(changes([1])).await.is_ok());
    let seen: Vec<TenantId> = one.store().tenants().await.unwrap();
    assert_eq!(seen, [north()]);
}
