//! The proof that the suite has teeth: with one guard of the protocol taken away, some fault at the
//! create of the bill makes a second bill, loses one, or links a wrong one.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use purser_core::policy::Guards;
use purser_simulators::{FaultRule, System, quickbooks::RequestIdMode};
use purser_tests::stage::Moment;

use crate::shapes::{Case, Shape, kinds};

const CREATE: &str = "POST bill";

async fn with_fault_at_the_create(remove: fn(&mut Guards), kind: usize) {
    let mut case = Case::of(Shape::Known, RequestIdMode::Ignored).await;
    case.stage.without(remove).await;
    let kind = kinds().swap_remove(kind);
    case.stage
        .simulators
        .faults
        .add(FaultRule::next(System::QuickBooks, CREATE, kind));
    case.stage.run().await;
    case.finish_connected().await;
    assert!(
        case.calls().iter().any(|call| call.fault.is_some()),
        "the fault met no call"
    );
    case.assert_sound().await;
}

/// How many of the kinds of faults at the create end badly.
async fn harm(remove: fn(&mut Guards)) -> usize {
    let mut harm = 0;
    for kind in 0..kinds().len() {
        let case = AssertUnwindSafe(with_fault_at_the_create(remove, kind));
        harm += usize::from(case.catch_unwind().await.is_err());
    }
    harm
}

#[tokio::test(start_paused = true)]
async fn with_all_guards_no_fault_at_the_create_does_harm() {
    assert_eq!(harm(|_| ()).await, 0);
}

#[tokio::test(start_paused = true)]
async fn without_the_lookup_the_suite_finds_second_bills() {
    assert!(harm(|guards| guards.lookup = false).await > 0);
}

/// The process dies while the create is under way; the next one looks at once.
async fn late_create(remove: fn(&mut Guards)) {
    let mut case = Case::of(Shape::Known, RequestIdMode::Ignored).await;
    case.stage.without(remove).await;
    case.stage.tap.cut(("POST", "/bill", 1), Moment::Late);
    crate::crashes::run_until_cut(&case).await;
    case.stage.restart().await;
    case.finish_connected().await;
    case.assert_sound().await;
}

#[tokio::test(start_paused = true)]
async fn without_the_quarantine_the_suite_finds_second_bills() {
    let careless = AssertUnwindSafe(late_create(|guards| guards.quarantine = false));
    assert!(careless.catch_unwind().await.is_err());
    late_create(|_| ()).await;
}

/// Two engines at once, the second one 20 to 400 milliseconds later.
async fn race(remove: fn(&mut Guards)) -> usize {
    let mut harm = 0;
    for step in 1..20 {
        let race = async {
            let mut case = Case::of(Shape::Known, RequestIdMode::Ignored).await;
            let books = &case.stage.simulators.quickbooks;
            books
                .change_switches(|switches| switches.latency_ms = 300)
                .expect("switches");
            case.stage.without(remove).await;
            let body = crate::races::scanned(&mut case).await;
            // Both engines are new, so that both make the same calls.
            case.stage.restart_elsewhere();
            let other = case.stage.another_engine();
            let stage = &case.stage;
            let second = async {
                stage.wait(Duration::from_millis(20 * step)).await;
                crate::races::work(stage, &other, &body).await;
            };
            tokio::join!(crate::races::work(stage, &stage.engine, &body), second);
            case.finish_connected().await;
            case.assert_sound().await;
        };
        harm += usize::from(AssertUnwindSafe(race).catch_unwind().await.is_err());
    }
    harm
}

#[tokio::test(start_paused = true)]
async fn without_lease_and_fence_the_suite_finds_second_bills() {
    let remove = |guards: &mut Guards| {
        guards.lease = false;
        guards.fence = false;
    };
    assert!(race(remove).await > 0);
    assert_eq!(race(|_| ()).await, 0);
}

#[tokio::test(start_paused = true)]
async fn without_verification_a_deleted_bill_is_linked() {
    let linked_to_nothing = async |remove: fn(&mut Guards)| {
        let mut case = Case::of(Shape::Known, RequestIdMode::Honoured).await;
        case.stage.without(remove).await;
        // The answer to the create is lost with the process; then somebody deletes the bill.
        let patch = ("PATCH", "/PurchaseOrders", 1);
        case.stage
            .tap
            .stall(patch, Moment::Before, Duration::from_mins(5));
        case.stage
            .engine
            .start_now(&case.stage.tenant)
            .await
            .expect("the store");
        let stage = &case.stage;
        let cut = async {
            stage.scan_due().await;
            tokio::time::timeout(Duration::from_mins(1), stage.drain())
                .await
                .is_err()
        };
        assert!(cut.await, "the write-back was under way");
        case.stage.tap.clear();
        let bill = case.stage.bill_of(case.order);
        case.stage.delete_bill(&bill);
        case.stage.restart().await;
        case.stage.drain().await;
        case.stage.settle().await;
        let number = case.stage.number(case.order);
        number.is_some() && case.stage.bills_of(case.order).is_empty()
    };
    assert!(linked_to_nothing(|guards| guards.verify = false).await);
    assert!(!linked_to_nothing(|_| ()).await);
}
