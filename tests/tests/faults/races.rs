//! Several attempts at one order: two engines at once, one message delivered twice, a worker that
//! sleeps longer than its lease.

use std::time::Duration;

use purser_runtime::handlers;
use purser_simulators::quickbooks::RequestIdMode;
use purser_tests::stage::{Moment, Stage, StagePorts};

use crate::shapes::{Case, MODES, Shape, Tally, positions};

type Engine = purser_core::usecase::Engine<StagePorts>;

const SHAPES: [Shape; 3] = [Shape::Known, Shape::New, Shape::Refused];

/// Scans, and takes the message that names the order.
pub(crate) async fn scanned(case: &mut Case) -> String {
    let stage = &case.stage;
    stage
        .engine
        .start_now(&stage.tenant)
        .await
        .expect("the store");
    stage.scan_due().await;
    stage.receive().await.expect("a message").body
}

/// Handles a message as an engine does; the queue is not told.
pub(crate) async fn work(stage: &Stage, engine: &Engine, body: &str) {
    let worked = handlers::work(engine, body, stage.now());
    Box::pin(worked).await.expect("the store");
}

async fn two_engines(shape: Shape, mode: RequestIdMode, head_start: Duration) {
    let mut case = Case::of(shape, mode).await;
    let body = scanned(&mut case).await;
    // Both engines are new, so that both make the same calls.
    case.stage.restart_elsewhere();
    let other = case.stage.another_engine();
    let stage = &case.stage;
    let second = async {
        stage.wait(head_start).await;
        work(stage, &other, &body).await;
    };
    tokio::join!(work(stage, &stage.engine, &body), second);
    case.finish_connected().await;
    case.assert_sound().await;
}

#[tokio::test(start_paused = true)]
async fn two_engines_that_work_on_one_order_at_once_make_one_bill() {
    let mut tally = Tally::default();
    for shape in SHAPES {
        for mode in MODES {
            for step in 0..12 {
                let head_start = Duration::from_millis(13 * step);
                let name = format!("{shape:?}, {mode:?}, {head_start:?} apart");
                tally.case(name, two_engines(shape, mode, head_start)).await;
            }
        }
    }
    tally.finish("two engines", 108);
}

async fn delivered_again(shape: Shape, mode: RequestIdMode, pause: Duration) {
    let mut case = Case::of(shape, mode).await;
    let body = scanned(&mut case).await;
    for _ in 0..3 {
        work(&case.stage, &case.stage.engine, &body).await;
        case.stage.wait(pause).await;
    }
    case.finish_connected().await;
    case.assert_sound().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_delivered_three_times_makes_one_bill() {
    let mut tally = Tally::default();
    for shape in SHAPES {
        for mode in MODES {
            for seconds in [0, 5, 130, 600] {
                let pause = Duration::from_secs(seconds);
                let name = format!("{shape:?}, {mode:?}, every {pause:?}");
                tally.case(name, delivered_again(shape, mode, pause)).await;
            }
        }
    }
    tally.finish("deliveries", 36);
}

/// The worker hears the answer of its nth call only after 700 seconds; its lease lasts 120.
async fn sleeper(shape: Shape, mode: RequestIdMode, nth: u32) {
    let mut case = Case::of(shape, mode).await;
    let other = case.stage.another_engine();
    case.stage.restart_elsewhere();
    let scan_begins = case.calls().len();
    let body = scanned(&mut case).await;
    let scan_calls = u32::try_from(case.calls().len() - scan_begins).expect("a few calls");
    let Some(nth) = nth.checked_sub(scan_calls).filter(|nth| *nth > 0) else {
        return;
    };
    let stage = &case.stage;
    stage
        .tap
        .stall(("", "", nth), Moment::After, Duration::from_secs(700));
    let others = async {
        for seconds in [130, 170, 200] {
            stage.wait(Duration::from_secs(seconds)).await;
            work(stage, &other, &body).await;
        }
    };
    tokio::join!(work(stage, &stage.engine, &body), others);
    case.finish_connected().await;
    case.assert_sound().await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_wakes_after_its_lease_does_no_harm() {
    let mut tally = Tally::default();
    for shape in SHAPES {
        // A new process has cold caches: it makes at most the calls of a new order, and a few more.
        let calls = u32::try_from(positions(Shape::New).await.len()).expect("a few calls");
        for mode in [RequestIdMode::Honoured, RequestIdMode::Ignored] {
            for nth in 1..=calls {
                let name = format!("{shape:?}, {mode:?}, asleep at call {nth}");
                tally.case(name, sleeper(shape, mode, nth)).await;
            }
        }
    }
    tally.finish("sleepers", 60);
}
