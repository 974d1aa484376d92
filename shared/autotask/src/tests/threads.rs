use std::sync::Arc;

use purser_core::{
    ids::{OrderId, ProductId},
    ports::{Autotask, Clock, Lane},
};
use tokio::{sync::Semaphore, task::JoinSet};

use super::support::{Bench, none, threshold, zone};
use crate::AutotaskClient;

/// A bench whose queries stay under way until the returned semaphore lets them go.
fn held() -> (Bench, Arc<Semaphore>) {
    let hold = Arc::new(Semaphore::new(0));
    let script = |seen: &super::support::Seen, _: usize| match seen.line.rsplit('/').next().unwrap()
    {
        "zoneInformation" => zone("webservices3.autotask.net"),
        "ThresholdInformation" => threshold(10_000, 1),
        _ => none(),
    };
    let bench = Bench::with(Box::new(script), Some(Arc::clone(&hold)));
    (bench, hold)
}

async fn start(bench: &Bench, lane: Lane, count: usize, all: &mut JoinSet<()>) {
    let client = Arc::new(AutotaskClient::new(bench.config(lane)));
    for _ in 0..count {
        let client = Arc::clone(&client);
        all.spawn(async move {
            client.orders(&[OrderId::new(1)]).await.unwrap();
        });
    }
    settle().await;
}

/// Lets every task run as far as it can.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn two_threads_in_the_background_and_one_for_a_person() {
    let (bench, hold) = held();
    let mut all = JoinSet::new();
    start(&bench, Lane::Background, 5, &mut all).await;
    assert_eq!(bench.count("/query"), 2);
    start(&bench, Lane::Person, 3, &mut all).await;
    assert_eq!(bench.count("/query"), 3);
    hold.add_permits(100);
    while let Some(result) = all.join_next().await {
        result.unwrap();
    }
    assert_eq!(bench.count("/query"), 8);
}

#[tokio::test]
async fn each_endpoint_has_its_own_threads() {
    let (bench, hold) = held();
    let mut all = JoinSet::new();
    start(&bench, Lane::Background, 3, &mut all).await;
    let client = bench.client();
    all.spawn(async move {
        client.products(&[ProductId::new(1)]).await.unwrap();
    });
    settle().await;
    assert_eq!(bench.count("/query"), 3);
    hold.add_permits(100);
    while let Some(result) = all.join_next().await {
        result.unwrap();
    }
}

#[tokio::test]
async fn background_work_makes_room_while_a_person_is_active() {
    let (bench, hold) = held();
    bench.gate.note_person(bench.clock.now());
    let mut all = JoinSet::new();
    start(&bench, Lane::Background, 4, &mut all).await;
    assert_eq!(bench.count("/query"), 1);
    hold.add_permits(100);
    while let Some(result) = all.join_next().await {
        result.unwrap();
    }
    bench.clock.jump(std::time::Duration::from_secs(30));
    hold.forget_permits(1000);
    start(&bench, Lane::Background, 4, &mut all).await;
    assert_eq!(bench.count("/query"), 6);
    hold.add_permits(100);
    all.join_all().await;
}

#[tokio::test]
async fn calls_that_overlap_send_a_refused_login_no_further() {
    use super::support::Answer;
    let bench = Bench::raw(|seen, _| match seen.line.ends_with("/zoneInformation") {
        true => zone("webservices3.autotask.net"),
        false => Answer::Text(401, ""),
    });
    let client = Arc::new(AutotaskClient::new(bench.config(Lane::Background)));
    let mut all = JoinSet::new();
    for _ in 0..20 {
        let client = Arc::clone(&client);
        all.spawn(async move { client.orders(&[OrderId::new(1)]).await.is_err() });
    }
    assert!(all.join_all().await.into_iter().all(|failed| failed));
    let logins = bench.count("/query") + bench.count("/ThresholdInformation");
    assert!(logins <= 2, "{logins} logins");
    assert_eq!(bench.count("/zoneInformation"), 2);
}
