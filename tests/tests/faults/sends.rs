//! What stands where at the moment of a send: the same request id and the same bytes every time, and
//! the bill in the ledger before its number is in Autotask.

use purser_core::record::StateName;
use purser_simulators::{FaultKind, FaultRule, JournalEntry, System, quickbooks::RequestIdMode};
use purser_tests::stage::Moment;

use crate::shapes::{Case, Shape};

const CREATE: &str = "POST bill";

/// Lives through one fault at the first send, which makes a second one; answers both.
async fn sent_twice(mode: RequestIdMode, fault: FaultKind) -> Vec<JournalEntry> {
    let mut case = Case::of(Shape::Known, mode).await;
    let rule = FaultRule::next(System::QuickBooks, CREATE, fault);
    case.stage.simulators.faults.add(rule);
    case.stage.run().await;
    case.finish_connected().await;
    case.assert_sound().await;
    let mut sends = case.calls();
    sends.retain(|call| call.route == CREATE);
    assert_eq!(sends.len(), 2, "{sends:?}");
    sends
}

#[tokio::test(start_paused = true)]
async fn a_bill_is_sent_again_under_the_same_request_id_with_the_same_bytes() {
    let sends = sent_twice(RequestIdMode::Ignored, FaultKind::DropBefore).await;
    assert!(sends[0].request_id.is_some());
    assert_eq!(sends[0].request_id, sends[1].request_id);
    assert_eq!(sends[0].request_body, sends[1].request_body);
}

/// Later than QuickBooks says it can be: then only the request id is left to prevent a second bill.
#[tokio::test(start_paused = true)]
async fn a_bill_that_appears_after_the_settle_time_is_made_once_where_request_ids_are_honoured() {
    let late = FaultKind::LateCommit { ms: 400_000 };
    sent_twice(RequestIdMode::Honoured, late).await;
}

#[tokio::test(start_paused = true)]
async fn a_bill_is_in_the_ledger_before_its_number_is_written() {
    let case = Case::of(Shape::Known, RequestIdMode::Honoured).await;
    let write_back = ("PATCH", "/PurchaseOrders", 1);
    case.stage.tap.cut(write_back, Moment::Before);
    crate::crashes::run_until_cut(&case).await;
    let state = case.stage.record(case.order).await.state.name();
    assert_eq!(state, StateName::Created);
    case.stage.tap.clear();
}
