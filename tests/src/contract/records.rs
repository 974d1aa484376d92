//! Writing records: conditions, fences, retries, and what is stored with them.

use std::sync::Arc;

use purser_core::{
    eligibility::Ineligible,
    ids::OrderId,
    notice::{Code, Notice},
    ports::{Committed, Expected, HistoryEvent, Ledger, Outbox},
    record::{
        BillLink, ErrorMark, Intent, LateNumber, Lease, SentAt, State, SyncRecord, Todo, Wait,
    },
};
use tokio::task::JoinSet;

use super::{
    Arm,
    sample::{
        at, change, commit, commit_all, entry, in_state, mail, new, north, operation, over, record,
        rewritten, stored,
    },
};

fn conflict_with(record: &SyncRecord) -> Committed {
    Committed::Conflict(Some(Box::new(record.clone())))
}

/// `Absent` finds nothing, or does nothing.
pub async fn a_new_record_is_written_only_where_none_is(arm: impl Arm) {
    let first = record(1, "first");
    assert_eq!(
        commit(arm.ledger(), new(first.clone())).await,
        Committed::Done
    );
    let second = rewritten(&first, "second");
    assert_eq!(
        commit(arm.ledger(), new(second)).await,
        conflict_with(&first)
    );
    assert_eq!(stored(arm.ledger(), 1).await, Some(first));
}

/// `Is` finds that operation, or does nothing.
pub async fn a_record_is_written_only_over_the_expected_operation(arm: impl Arm) {
    let first = record(1, "first");
    let second = rewritten(&first, "second");
    let nothing = commit(arm.ledger(), over(&first, second.clone())).await;
    assert_eq!(nothing, Committed::Conflict(None));
    commit_all(arm.ledger(), vec![new(first.clone())]).await;
    let done = commit(arm.ledger(), over(&first, second.clone())).await;
    assert_eq!(done, Committed::Done);
    let late = rewritten(&first, "late");
    assert_eq!(
        commit(arm.ledger(), over(&first, late)).await,
        conflict_with(&second)
    );
    assert_eq!(stored(arm.ledger(), 1).await, Some(second));
}

/// A write whose answer was lost is made again and is told that it is done.
pub async fn a_retried_write_is_recognised_as_its_own(arm: impl Arm) {
    let first = record(1, "first");
    let second = rewritten(&first, "second");
    commit_all(arm.ledger(), vec![new(first.clone())]).await;
    for _ in 0..2 {
        let again = over(&first, second.clone());
        assert_eq!(commit(arm.ledger(), again).await, Committed::Done);
    }
    assert_eq!(stored(arm.ledger(), 1).await, Some(second));
}

/// The same for the write that makes a record.
pub async fn a_retried_first_write_is_recognised_as_its_own(arm: impl Arm) {
    let first = record(1, "first");
    for _ in 0..2 {
        assert_eq!(
            commit(arm.ledger(), new(first.clone())).await,
            Committed::Done
        );
    }
    assert_eq!(stored(arm.ledger(), 1).await, Some(first));
}

/// A conflict carries the stored record whole, or nothing where nothing is.
pub async fn a_conflict_tells_what_is_there(arm: impl Arm) {
    let there = planned(&record(1, "there"));
    commit_all(arm.ledger(), vec![new(there.clone())]).await;
    let mine = change(record(1, "mine"), Expected::Is(operation("gone")));
    assert_eq!(commit(arm.ledger(), mine).await, conflict_with(&there));
    let absent = change(record(2, "mine"), Expected::Is(operation("gone")));
    assert_eq!(
        commit(arm.ledger(), absent).await,
        Committed::Conflict(None)
    );
    assert_eq!(stored(arm.ledger(), 2).await, None);
}

/// Who holds an older lease cannot write, even when it names the stored operation.
pub async fn a_lower_fence_is_refused(arm: impl Arm) {
    let mut first = record(1, "first");
    first.fence = 7;
    commit_all(arm.ledger(), vec![new(first.clone())]).await;
    let mut older = rewritten(&first, "older");
    older.fence = 6;
    assert_eq!(
        commit(arm.ledger(), over(&first, older)).await,
        conflict_with(&first)
    );
    let mut same = rewritten(&first, "same");
    same.fence = 7;
    let done = commit(arm.ledger(), over(&first, same.clone())).await;
    assert_eq!(done, Committed::Done);
    assert_eq!(stored(arm.ledger(), 1).await, Some(same));
}

/// `Any` is for tests that switch the fence off.
pub async fn any_overwrites_whatever_is_there(arm: impl Arm) {
    let mut first = record(1, "first");
    first.fence = 7;
    let forced = change(first.clone(), Expected::Any);
    assert_eq!(commit(arm.ledger(), forced).await, Committed::Done);
    let mut older = rewritten(&first, "older");
    older.fence = 1;
    let forced = change(older.clone(), Expected::Any);
    assert_eq!(commit(arm.ledger(), forced).await, Committed::Done);
    assert_eq!(stored(arm.ledger(), 1).await, Some(older));
}

/// One refused change takes no other down, and the outcomes stand in order.
pub async fn changes_of_a_batch_stand_or_fall_by_themselves(arm: impl Arm) {
    let there = record(2, "there");
    commit_all(arm.ledger(), vec![new(there.clone())]).await;
    let batch = (1..=30).map(|order| new(record(order, "batch"))).collect();
    let outcomes = arm.ledger().commit(batch).await.expect("a commit");
    assert_eq!(outcomes.len(), 30);
    for (index, outcome) in outcomes.iter().enumerate() {
        let expected = match index {
            1 => conflict_with(&there),
            _ => Committed::Done,
        };
        assert_eq!(*outcome, expected, "change {index}");
    }
    assert_eq!(stored(arm.ledger(), 2).await, Some(there));
    assert_eq!(stored(arm.ledger(), 30).await, Some(record(30, "batch")));
    let none = arm.ledger().commit(Vec::new()).await.expect("a commit");
    assert_eq!(none, []);
}

/// The second change of a record sees the first.
pub async fn two_changes_of_one_record_in_a_batch_are_made_in_order(arm: impl Arm) {
    let first = record(1, "first");
    let second = rewritten(&first, "second");
    let batch = vec![new(first.clone()), over(&first, second.clone())];
    commit_all(arm.ledger(), batch).await;
    assert_eq!(stored(arm.ledger(), 1).await, Some(second));
}

/// Record, history and mails are one write.
pub async fn history_and_mails_are_stored_with_the_record(arm: impl Arm) {
    let mut change = new(record(1, "first"));
    let told = vec![
        entry(1, 0, HistoryEvent::Found),
        entry(1, 0, HistoryEvent::Asked),
    ];
    change.history.clone_from(&told);
    change.mails = vec![mail(&north(), "one"), mail(&north(), "two")];
    commit_all(arm.ledger(), vec![change]).await;
    let history = arm.ledger().history(&north(), OrderId::new(1)).await;
    assert_eq!(history.expect("history"), told);
    assert_eq!(subjects(&arm).await, ["one", "two"]);
}

/// A refused change leaves no trace.
pub async fn history_and_mails_of_a_refused_change_are_not_stored(arm: impl Arm) {
    commit_all(arm.ledger(), vec![new(record(1, "first"))]).await;
    let mut refused = new(record(1, "second"));
    refused.history.push(entry(1, 0, HistoryEvent::Found));
    refused.mails.push(mail(&north(), "never"));
    let outcome = commit(arm.ledger(), refused).await;
    assert!(matches!(outcome, Committed::Conflict(Some(_))));
    let history = arm.ledger().history(&north(), OrderId::new(1)).await;
    assert_eq!(history.expect("history"), []);
    assert_eq!(subjects(&arm).await, [""; 0]);
}

/// A retried change tells its story once.
pub async fn history_and_mails_of_a_retried_change_are_stored_once(arm: impl Arm) {
    for _ in 0..3 {
        let mut change = new(record(1, "first"));
        change.history.push(entry(1, 0, HistoryEvent::Found));
        change.mails.push(mail(&north(), "once"));
        commit_all(arm.ledger(), vec![change]).await;
    }
    let history = arm.ledger().history(&north(), OrderId::new(1)).await;
    assert_eq!(history.expect("history").len(), 1);
    assert_eq!(subjects(&arm).await, ["once"]);
}

/// Of many who read the same record and write at once, one succeeds.
pub async fn of_twenty_racing_commits_exactly_one_wins(arm: impl Arm) {
    let arm = Arc::new(arm);
    let first = record(1, "first");
    commit_all(arm.ledger(), vec![new(first.clone())]).await;
    let mut racing = JoinSet::new();
    for racer in 0..20 {
        let arm = Arc::clone(&arm);
        let mine = over(&first, rewritten(&first, &format!("racer-{racer}")));
        racing.spawn(async move {
            let operation = mine.record.operation.clone();
            (commit(arm.ledger(), mine).await, operation)
        });
    }
    let outcomes = racing.join_all().await;
    let won: Vec<_> = outcomes
        .into_iter()
        .filter(|(outcome, _)| *outcome == Committed::Done)
        .collect();
    assert_eq!(won.len(), 1, "{won:?}");
    let stored = stored(arm.ledger(), 1).await.expect("the winner's");
    assert_eq!(stored.operation, won[0].1);
}

/// Every state with all it carries is read as it was written.
pub async fn every_state_survives_the_store(arm: impl Arm) {
    let bill = bill();
    let notice = Notice::new(Code::StoreBusy).with("name", "Łódź \"& Söhne\"");
    let intent = intent();
    let sent = intent.last_sent;
    let states = [
        State::Queued,
        State::Planned {
            intent: intent.clone(),
        },
        State::Created { bill: bill.clone() },
        State::Linked { bill: bill.clone() },
        State::Refused {
            notice: notice.clone(),
        },
        State::NeedsPerson {
            notice: notice.clone(),
            intent: Some(intent),
            bill: Some(bill.clone()),
        },
        State::Orphaned { bill },
        State::Skipped {
            reason: Ineligible::HasNumber {
                number: "PO 7".to_owned(),
            },
        },
    ];
    let mut order = 0;
    for state in states {
        order += 1;
        let mut whole = in_state(&record(order, "whole"), state);
        whole.fence = 3;
        whole.lease = Some(Lease {
            owner: "engine-1".to_owned(),
            until: at(120),
        });
        whole.wait = Some(Wait {
            notice: notice.clone(),
            not_before: at(60),
            attempts: 2,
            since: at(-60),
            counted_seconds: 90,
        });
        whole.late_number = Some(LateNumber {
            bill: whole.bill().cloned(),
            found_at: sent,
        });
        whole.error_mark = ErrorMark::Owed;
        whole.todo = Todo::Owed {
            text: "Please look.".to_owned(),
            sent_at: Some(at(1)),
        };
        commit_all(arm.ledger(), vec![new(whole.clone())]).await;
        assert_eq!(stored(arm.ledger(), order).await, Some(whole));
    }
}

async fn subjects(arm: &impl Arm) -> Vec<String> {
    let mails = arm.outbox().unsent(10).await.expect("mails");
    mails.into_iter().map(|(_, mail)| mail.subject).collect()
}

fn planned(record: &SyncRecord) -> SyncRecord {
    in_state(record, State::Planned { intent: intent() })
}

fn bill() -> BillLink {
    BillLink {
        id: "145".parse().expect("a bill id"),
        number: Some("B-1".to_owned()),
        total: "1234567890.10".parse().expect("an amount"),
        generation: 2,
        seen_under: 4,
    }
}

fn intent() -> Intent {
    let sent = SentAt {
        local: at(10),
        server: Some(at(11)),
    };
    Intent {
        request_id: "ABC123".parse().expect("a request id"),
        body: r#"{"Line":[{"Amount":12.50}],"PrivateNote":"AT-PO:1 g1"}"#.to_owned(),
        number: None,
        total: "12.50".parse().expect("an amount"),
        vendor: "56".parse().expect("a vendor id"),
        vendor_name: "Blue Hill".to_owned(),
        currency: None,
        sends: 1,
        first_sent: sent,
        last_sent: sent,
        in_doubt: true,
    }
}
