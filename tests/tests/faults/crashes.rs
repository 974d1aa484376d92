//! The process dies at one call: before the request arrives, after its effect, or while the request
//! is under way; a new process takes over.

use purser_simulators::quickbooks::RequestIdMode;
use purser_tests::stage::Moment;

use crate::shapes::{Case, Shape, Tally, positions};

/// What the new process knows of the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Successor {
    /// That it is dead: it holds the lock of the data folder.
    SameMachine,
    /// Nothing: it waits for leases and for messages to show again.
    Elsewhere,
}

/// Runs until the process dies at the call that was chosen.
pub(crate) async fn run_until_cut(case: &Case) {
    let stage = &case.stage;
    stage
        .engine
        .start_now(&stage.tenant)
        .await
        .expect("the store");
    let work = async {
        stage.scan_due().await;
        stage.drain().await;
    };
    tokio::select! {
        biased;
        () = stage.tap.was_cut() => {}
        () = work => panic!("the call did not come"),
    }
}

async fn one_crash(
    (shape, mode): (Shape, RequestIdMode),
    (nth, moment): (u32, Moment),
    successor: Successor,
) {
    let mut case = Case::of(shape, mode).await;
    case.stage.tap.cut_at(nth, moment);
    run_until_cut(&case).await;
    match successor {
        Successor::SameMachine => case.stage.restart().await,
        Successor::Elsewhere => case.stage.restart_elsewhere(),
    }
    case.finish_connected().await;
    case.assert_sound().await;
}

async fn a_crash_at_every_call(shape: Shape) {
    let mut tally = Tally::default();
    let calls = u32::try_from(positions(shape).await.len()).expect("a few calls");
    for nth in 1..=calls {
        for moment in [Moment::Before, Moment::After, Moment::Late] {
            for mode in [RequestIdMode::Honoured, RequestIdMode::Ignored] {
                for successor in [Successor::SameMachine, Successor::Elsewhere] {
                    let name = format!("crash {moment:?} call {nth}, {mode:?}, {successor:?}");
                    let crash = one_crash((shape, mode), (nth, moment), successor);
                    tally.case(name, crash).await;
                }
            }
        }
    }
    tally.finish(&format!("one crash, {shape:?}"), 12 * calls as usize);
}

#[tokio::test(start_paused = true)]
async fn a_known_order_survives_a_crash_at_every_call() {
    a_crash_at_every_call(Shape::Known).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_order_survives_a_crash_at_every_call() {
    a_crash_at_every_call(Shape::New).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_order_survives_a_crash_at_every_call() {
    a_crash_at_every_call(Shape::Refused).await;
}
