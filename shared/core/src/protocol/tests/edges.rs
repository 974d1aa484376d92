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
fn the_same_words_are_owed_again_because_a_person_may_have_completed_them() {
    let notice = Notice::new(Code::SeveralBills);
    let mut record = record();
    flag(&mut record, &notice, false);
    let Todo::Owed { text, .. } = record.todo.clone() else {
        panic!("a to-do is owed");
    };
    record.todo = Todo::Open {
        id: crate::ids::TodoId::new(1),
        text: text.clone(),
    };
    flag(&mut record, &notice, false);
    let owed = Todo::Owed {
        text,
        sent_at: None,
    };
    assert_eq!(record.todo, owed);
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

/// A bill of the number 100, as a record knows it.
fn gone() -> BillLink {
    BillLink {
        number: None,
        ..link_to(&bill("100", ORDER), &record())
    }
}

fn found(local: Timestamp, server: Option<Timestamp>) -> SentAt {
    SentAt { local, server }
}

/// How long a number that a record knows of may still land.
fn lands_until(
    record: &SyncRecord,
    server: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let now = found(now, server);
    let wait = wait_for_landing(record, now, (&Policy::default(), &Guards::ALL));
    wait.map(|wait| wait.not_before)
}

/// The settle time, what a write may take to leave, and the seconds of a `Date` header.
const LANDS_WITHIN: Duration = Duration::from_secs(150 + 15 + 1);

#[test]
fn another_bill_waits_until_the_number_of_a_deleted_one_cannot_land_any_more() {
    let mut record = record();
    assert_eq!(lands_until(&record, None, noon()), None);
    note_late_number(
        &mut record,
        &gone(),
        found(noon(), None),
        &Policy::default(),
    );
    let until = later(noon(), LANDS_WITHIN);
    assert_eq!(lands_until(&record, None, noon()), Some(until));
    let last = earlier(until, Duration::from_nanos(1));
    assert_eq!(lands_until(&record, None, last), Some(until));
    assert_eq!(lands_until(&record, None, until), None);
    let unguarded = Guards {
        landing: false,
        ..Guards::ALL
    };
    let now = found(noon(), None);
    let wait = wait_for_landing(&record, now, (&Policy::default(), &unguarded));
    assert_eq!(wait, None);
    // Another wait in between takes nothing of that time away and adds nothing to it.
    let other = Wait {
        notice: Notice::new(Code::QuickBooksFailing),
        not_before: noon(),
        attempts: 3,
        since: earlier(noon(), Duration::from_secs(70)),
        counted_seconds: 70,
    };
    record.wait = Some(other.clone());
    let now = found(last, None);
    let wait = wait_for_landing(&record, now, (&Policy::default(), &Guards::ALL));
    let wait = wait.unwrap();
    assert_eq!(wait.notice.code, Code::NumberMayLand);
    assert_eq!(wait.notice.words["number"], "100");
    let kept = (wait.attempts, wait.since, wait.counted_seconds);
    assert_eq!(kept, (3, other.since, 70));
    assert_eq!(wait.not_before, until);
}

#[test]
fn how_long_a_number_may_land_is_told_by_the_clock_of_quickbooks() {
    let hour = Duration::from_hours(1);
    let server = later(noon(), Duration::from_secs(10));
    let mut record = record();
    note_late_number(
        &mut record,
        &gone(),
        found(noon(), Some(server)),
        &Policy::default(),
    );
    // Ours jumped an hour ahead, and a second has passed.
    let now = later(noon(), hour);
    let passed = later(server, Duration::from_secs(1));
    let until = earlier(later(now, LANDS_WITHIN), Duration::from_secs(1));
    assert_eq!(lands_until(&record, Some(passed), now), Some(until));
    // Ours went back an hour, and all of the time has passed.
    let over = later(server, LANDS_WITHIN);
    assert_eq!(
        lands_until(&record, Some(over), earlier(noon(), hour)),
        None
    );
}

#[test]
fn the_first_time_that_a_bill_was_found_gone_counts() {
    let later_on = later(noon(), Duration::from_mins(2));
    let server = Some(noon());
    for (first, second, counts) in [
        (found(noon(), None), found(later_on, None), noon()),
        (found(noon(), server), found(later_on, server), noon()),
        // A clock that went back cannot tell how long ago it was; that of QuickBooks can.
        (found(later_on, None), found(noon(), None), noon()),
        (found(later_on, server), found(noon(), server), later_on),
    ] {
        let mut record = record();
        note_late_number(&mut record, &gone(), first, &Policy::default());
        note_late_number(&mut record, &gone(), second, &Policy::default());
        assert_eq!(record.late_number.unwrap().found_at.local, counts);
    }
}

/// Nothing of a bill is sent while the number of another one may land, so that one stays known.
#[test]
fn while_one_number_may_land_no_other_takes_its_place() {
    let another = BillLink {
        id: "101".parse().unwrap(),
        ..gone()
    };
    let noted = |after: Duration| {
        let mut record = record();
        let policy = Policy::default();
        note_late_number(&mut record, &another, found(noon(), None), &policy);
        let found_at = found(later(noon(), after), None);
        note_late_number(&mut record, &gone(), found_at, &policy);
        let late = record.late_number.unwrap();
        (late.text().to_owned(), late.found_at == found_at)
    };
    let last = LANDS_WITHIN.checked_sub(Duration::from_nanos(1)).unwrap();
    assert_eq!(noted(last), ("101".to_owned(), false));
    assert_eq!(noted(LANDS_WITHIN), ("100".to_owned(), true));
}

#[test]
fn a_bill_that_is_alive_has_no_late_number_and_others_keep_theirs() {
    let another = BillLink {
        id: "101".parse().unwrap(),
        ..gone()
    };
    let kept = |alive: &BillLink| {
        let mut record = record();
        note_late_number(
            &mut record,
            &gone(),
            found(noon(), None),
            &Policy::default(),
        );
        forget_late_number(&mut record, alive);
        record.late_number.is_some()
    };
    assert!(!kept(&gone()));
    assert!(kept(&another));
    let mut record = record();
    note_late_error(&mut record, found(noon(), None));
    forget_late_number(&mut record, &gone());
    assert_eq!(record.late_number.unwrap().text(), "ERROR");
}

#[test]
fn what_is_released_of_error_may_land_when_it_was_still_owed() {
    for (mark, late) in [
        (ErrorMark::None, None),
        (ErrorMark::Written, None),
        (ErrorMark::Owed, Some("ERROR".to_owned())),
    ] {
        let mut record = record();
        record.error_mark = mark;
        release_error(&mut record, found(noon(), None));
        assert_eq!(record.error_mark, ErrorMark::None);
        assert_eq!(record.late_number.map(|late| late.text().to_owned()), late);
    }
}

#[test]
fn a_bill_in_the_place_of_another_one_makes_the_number_of_that_a_late_one() {
    let numbered = |id: &str, number: Option<&str>| BillLink {
        id: id.parse().unwrap(),
        number: number.map(str::to_owned),
        ..gone()
    };
    let late = |before: Option<BillLink>, now: BillLink| {
        let mut record = record();
        record.state = State::Created { bill: now };
        note_replaced(
            &mut record,
            before.as_ref(),
            found(noon(), None),
            &Policy::default(),
        );
        record.late_number.map(|late| late.text().to_owned())
    };
    assert_eq!(late(None, gone()), None);
    assert_eq!(late(Some(gone()), gone()), None);
    let (old, new) = (numbered("100", Some("PO-7")), numbered("101", Some("PO-7")));
    assert_eq!(late(Some(old.clone()), new), None, "they bear one number");
    let renumbered = numbered("100", Some("PO-8"));
    assert_eq!(late(Some(old), renumbered).as_deref(), Some("PO-7"));
    let late = late(Some(gone()), numbered("101", None));
    assert_eq!(late.as_deref(), Some("100"));
}
