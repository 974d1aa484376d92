//! One fault at one call: every kind at every call of every shape.

use purser_simulators::{FaultKind, FaultRule, System, quickbooks::RequestIdMode};

use crate::shapes::{Case, MODES, Position, Shape, Tally, kinds, positions};

async fn one_fault(shape: Shape, mode: RequestIdMode, at: &Position, kind: FaultKind) {
    let mut case = Case::of(shape, mode).await;
    let rule = FaultRule::next(at.system, &at.route, kind.clone()).at(at.nth);
    case.stage.simulators.faults.add(rule);
    case.stage.run().await;
    // Only a vendor that says "not signed in" itself may stop the tenant until it is connected again;
    // QuickBooks' own 401 is about the access token, which is renewed.
    let refused = kind == FaultKind::Unauthorised && at.system != System::QuickBooks;
    let lost = case.finish().await;
    assert!(
        lost.is_empty() || refused,
        "the connection was lost: {lost}"
    );
    let hits = case
        .calls()
        .iter()
        .filter(|call| call.fault.is_some())
        .count();
    assert_eq!(hits, 1, "the fault met its call");
    case.assert_sound().await;
}

async fn every_fault_at_every_call(shape: Shape, mode: RequestIdMode) {
    let mut tally = Tally::default();
    let positions = positions(shape).await;
    for at in &positions {
        for kind in kinds() {
            let name = format!("{kind:?} at {} {} {}", at.system.name(), at.route, at.nth);
            tally.case(name, one_fault(shape, mode, at, kind)).await;
        }
    }
    let least = positions.len() * kinds().len();
    tally.finish(
        &format!("one fault, {shape:?}, request ids {mode:?}"),
        least.max(1),
    );
}

#[tokio::test(start_paused = true)]
async fn a_known_order_survives_every_fault_at_every_call_when_request_ids_are_honoured() {
    every_fault_at_every_call(Shape::Known, MODES[0]).await;
}

#[tokio::test(start_paused = true)]
async fn a_known_order_survives_every_fault_at_every_call_when_request_ids_race() {
    every_fault_at_every_call(Shape::Known, MODES[1]).await;
}

#[tokio::test(start_paused = true)]
async fn a_known_order_survives_every_fault_at_every_call_when_request_ids_are_ignored() {
    every_fault_at_every_call(Shape::Known, MODES[2]).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_order_survives_every_fault_at_every_call_when_request_ids_are_honoured() {
    every_fault_at_every_call(Shape::New, MODES[0]).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_order_survives_every_fault_at_every_call_when_request_ids_race() {
    every_fault_at_every_call(Shape::New, MODES[1]).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_order_survives_every_fault_at_every_call_when_request_ids_are_ignored() {
    every_fault_at_every_call(Shape::New, MODES[2]).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_order_survives_every_fault_at_every_call_when_request_ids_are_honoured() {
    every_fault_at_every_call(Shape::Refused, MODES[0]).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_order_survives_every_fault_at_every_call_when_request_ids_race() {
    every_fault_at_every_call(Shape::Refused, MODES[1]).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_order_survives_every_fault_at_every_call_when_request_ids_are_ignored() {
    every_fault_at_every_call(Shape::Refused, MODES[2]).await;
}
