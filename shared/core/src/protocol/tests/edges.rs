//! What lies exactly on a limit, and what is owed when.

use super::*;

#[test]
fn a_wait_is_over_at_its_moment_and_not_one_later() {
    let mut record = record();
    let policy = Policy::default();
    let notice = Notice::new(Code::QuickBooksFailing);
    let pause = wait(&record, notice, None, true, (noon(), noon()), (0, &policy));
    let over = pause.not_before;
    record.wait = Some(pause);
    assert_eq!(next_step(&record, over, &Guards::ALL), Step::Plan);
    let before = earlier(over, Duration::from_nanos(1));
    assert_eq!(next_step(&record, before, &Guards::ALL), Step::Rest(over));
}

#[test]
fn chance_spreads_a_wait_between_half_and_the_whole_of_it() {
    let policy = Policy::default();
    let pause = |permille| {
        let notice = Notice::new(Code::QuickBooksFailing);
        let moments = (noon(), noon());
        let wait = wait(&record(), notice, None, true, moments, (permille, &policy));
        Duration::try_from(noon().duration_until(wait.not_before)).unwrap()
    };
    let (half, step) = (policy.backoff / 2, policy.backoff / 2000);
    assert_eq!(pause(0), half);
    assert_eq!(pause(500), half + step * 500);
    assert_eq!(pause(999), half + step * 999);
    assert_eq!(pause(4_000), pause(999));
}

#[test]
fn a_notice_without_error_owes_only_the_todo_and_a_written_error_is_not_owed_again() {
    let notice = Notice::new(Code::SeveralBills);
    let mut record = record();
    flag(&mut record, &notice, false);
    assert_eq!(record.error_mark, ErrorMark::None);
    assert!(matches!(record.todo, Todo::Owed { sent_at: None, .. }));
    flag(&mut record, &notice, true);
    assert_eq!(record.error_mark, ErrorMark::Owed);
    record.error_mark = ErrorMark::Written;
    flag(&mut record, &notice, true);
    assert_eq!(record.error_mark, ErrorMark::Written);
}

#[test]
fn other_words_leave_the_doubt_about_a_todo_that_may_exist() {
    let mut record = record();
    flag(&mut record, &Notice::new(Code::SeveralBills), false);
    if let Todo::Owed { sent_at, .. } = &mut record.todo {
        *sent_at = Some(noon());
    }
    flag(&mut record, &Notice::new(Code::BillDiffers), false);
    let sent = Some(noon());
    assert!(matches!(&record.todo, Todo::Owed { sent_at, .. } if *sent_at == sent));
}

#[test]
fn a_todo_that_is_owed_is_looked_for_before_it_counts_as_closed() {
    let owed = |sent_at| Todo::Owed {
        text: "Cause".to_owned(),
        sent_at,
    };
    let linked = State::Linked {
        bill: link_to(&bill("9", ORDER), &record()),
    };
    for (state, todo, left) in [
        // Whether it was sent once, before its words changed, is not known: it is looked for.
        (State::Queued, owed(None), Todo::Closing { sent_at: None }),
        (
            State::Queued,
            owed(Some(noon())),
            Todo::Closing {
                sent_at: Some(noon()),
            },
        ),
        (linked.clone(), owed(None), Todo::Closing { sent_at: None }),
        (linked.clone(), Todo::Closed, Todo::Closed),
        (linked, Todo::None, Todo::None),
    ] {
        let mut record = record();
        record.error_mark = ErrorMark::Written;
        (record.state, record.todo) = (state, todo);
        unflag(&mut record);
        assert_eq!(record.todo, left, "{:?}", record.state);
        assert_eq!(record.error_mark, ErrorMark::None);
    }
}

#[test]
fn the_next_bill_of_an_order_is_of_the_next_generation() {
    let mut record = record();
    next_generation(&mut record, &Guards::ALL);
    assert_eq!(record.generation, 2);
    let unguarded = Guards {
        generation: false,
        ..Guards::ALL
    };
    next_generation(&mut record, &unguarded);
    assert_eq!(record.generation, 2);
}

#[test]
fn another_bill_waits_until_the_number_of_a_deleted_one_cannot_land_any_more() {
    let policy = Policy::default();
    let settle = policy.settle;
    let asked = |record: &SyncRecord, read_at, guards: &Guards| {
        let notice = Notice::new(Code::NumberMayLand);
        wait_for_landing(record, notice, read_at, (&policy, guards))
    };
    let mut record = record();
    let first = asked(&record, noon(), &Guards::ALL).unwrap();
    assert_eq!(
        (first.since, first.not_before),
        (noon(), later(noon(), settle))
    );
    let unguarded = Guards {
        landing: false,
        ..Guards::ALL
    };
    assert_eq!(asked(&record, noon(), &unguarded), None);
    record.wait = Some(first.clone());
    let last = earlier(first.not_before, Duration::from_nanos(1));
    assert_eq!(asked(&record, last, &Guards::ALL), Some(first.clone()));
    assert_eq!(asked(&record, first.not_before, &Guards::ALL), None);
    // A clock that went back begins anew.
    let back = earlier(noon(), Duration::from_secs(1));
    let anew = asked(&record, back, &Guards::ALL).unwrap();
    assert_eq!((anew.since, anew.not_before), (back, later(back, settle)));
    // A wait for something else says nothing about when the bill was found to be gone.
    record.wait = Some(Wait {
        notice: Notice::new(Code::QuickBooksFailing),
        attempts: 3,
        counted_seconds: 70,
        ..first
    });
    let after_trouble = asked(&record, later(noon(), settle), &Guards::ALL).unwrap();
    assert_eq!(after_trouble.since, later(noon(), settle));
    let kept = (after_trouble.attempts, after_trouble.counted_seconds);
    assert_eq!(kept, (3, 70), "and it still counts towards giving up");
}
