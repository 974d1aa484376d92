use std::time::Duration;

use super::*;
use crate::testing::{ORDER, at, decimal, noon, record};

fn bill(number: Option<&str>) -> BillLink {
    BillLink {
        id: "9".parse().unwrap(),
        number: number.map(str::to_owned),
        total: decimal("799.98"),
        generation: 1,
        seen_under: 0,
    }
}

fn asked(at: Timestamp, mail_to: Option<&str>) -> Request {
    Request {
        attempt: "A1".parse().unwrap(),
        origin: Origin::Person,
        asked_at: at,
        mail_to: mail_to.map(str::to_owned),
        also_to: Vec::new(),
        told_waiting: false,
    }
}

fn waiting(code: Code, since: Timestamp) -> Wait {
    Wait {
        notice: Notice::new(code),
        not_before: later(noon(), Duration::from_mins(5)),
        attempts: 1,
        since,
        counted_seconds: 0,
    }
}

fn every_state() -> Vec<State> {
    let notice = Notice::new(Code::ItemMissing).with("name", "Firewall");
    let sent = SentAt {
        local: noon(),
        server: None,
    };
    let intent = Intent {
        request_id: "R1".parse().unwrap(),
        body: "{}".to_owned(),
        number: None,
        total: decimal("799.98"),
        vendor: "v1".parse().unwrap(),
        vendor_name: "Acme Supply".to_owned(),
        currency: None,
        sends: 1,
        first_sent: sent,
        last_sent: sent,
        in_doubt: true,
    };
    let bill = bill(Some("PO-1001"));
    vec![
        State::Queued,
        State::Planned { intent },
        State::Created { bill: bill.clone() },
        State::Linked { bill: bill.clone() },
        State::Refused {
            notice: notice.clone(),
        },
        State::NeedsPerson {
            notice,
            intent: None,
            bill: Some(bill.clone()),
        },
        State::Orphaned { bill },
        State::Skipped {
            reason: Ineligible::Gone,
        },
    ]
}

#[test]
fn the_number_written_back_is_the_bills_own_unless_it_says_nothing_or_error() {
    for (number, written) in [
        (Some("PO-1001"), "PO-1001"),
        (Some("  77 "), "77"),
        (Some(""), "9"),
        (Some("   "), "9"),
        (Some("ERROR"), "9"),
        (Some("error"), "9"),
        (None, "9"),
    ] {
        assert_eq!(bill(number).written_number(), written, "{number:?}");
    }
}

#[test]
fn the_name_of_a_state_is_shown_as_it_is_stored() {
    let states = every_state();
    let names: Vec<_> = states.iter().map(State::name).collect();
    assert_eq!(names, StateName::ALL);
    for (state, name) in states.iter().zip(names) {
        let stored = serde_json::to_value(state).unwrap();
        assert_eq!(stored["state"], name.as_str());
        assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
    }
}

#[test]
fn a_wait_in_doubt_is_told_from_one_for_something_that_failed() {
    assert!(waiting(Code::OutcomeUnknown, noon()).is_doubt());
    assert!(!waiting(Code::QuickBooksFailing, noon()).is_doubt());
}

#[test]
fn only_people_are_people() {
    assert!(Origin::Person.is_person() && Origin::Retry.is_person());
    assert!(!Origin::Scan.is_person() && !Origin::Sweep.is_person());
}

#[test]
fn a_new_wish_keeps_what_the_earlier_one_has_promised_and_tells_nobody_twice() {
    let mut earlier = asked(noon(), Some("ann@example.com"));
    earlier.also_to = vec!["bob@example.com".to_owned()];
    let wish = asked(noon(), Some("ANN@example.com")).instead_of(Some(earlier.clone()));
    let told: Vec<_> = wish.addresses().collect();
    assert_eq!(told, ["ANN@example.com", "bob@example.com"]);
    let wish = asked(noon(), None).instead_of(Some(earlier));
    let told: Vec<_> = wish.addresses().collect();
    assert_eq!(told, ["bob@example.com", "ann@example.com"]);
    assert_eq!(asked(noon(), None).instead_of(None).addresses().count(), 0);
}

#[test]
fn of_too_many_promises_the_oldest_gives_way() {
    let mut earlier = asked(noon(), Some("last@example.com"));
    earlier.also_to = (0..Request::ALSO_MAX)
        .map(|number| format!("{number}@example.com"))
        .collect();
    let wish = asked(noon(), None).instead_of(Some(earlier));
    assert_eq!(wish.also_to.len(), Request::ALSO_MAX);
    assert_eq!(wish.also_to[0], "1@example.com");
    assert_eq!(wish.also_to[Request::ALSO_MAX - 1], "last@example.com");
}

#[test]
fn moments_are_shifted_both_ways_and_never_overflow() {
    let minute = Duration::from_mins(1);
    assert_eq!(later(noon(), minute), at("2026-03-16T12:01:00Z"));
    assert_eq!(earlier(noon(), minute), at("2026-03-16T11:59:00Z"));
    assert_eq!(later(noon(), Duration::MAX), Timestamp::MAX);
    assert_eq!(earlier(noon(), Duration::MAX), Timestamp::MIN);
}

#[test]
fn a_record_is_settled_when_neither_bill_nor_error_nor_todo_is_owed() {
    for state in every_state() {
        let name = state.name();
        let mut record = record();
        record.state = state;
        let is_open = matches!(
            name,
            StateName::Queued | StateName::Planned | StateName::Created
        );
        assert_eq!(record.is_settled(), !is_open, "{name:?}");
        record.error_mark = ErrorMark::Owed;
        assert!(!record.is_settled(), "{name:?}");
        record.error_mark = ErrorMark::Written;
        record.todo = Todo::Closing { sent_at: None };
        assert!(!record.is_settled(), "{name:?}");
        record.todo = Todo::Closed;
        assert_eq!(record.is_settled(), !is_open, "{name:?}");
    }
}

#[test]
fn only_a_record_of_defects_says_so_and_older_versions_can_read_the_others() {
    let mut record = record();
    let stored = |record: &SyncRecord| serde_json::to_value(record).unwrap();
    let again = |record: &SyncRecord| serde_json::from_value::<SyncRecord>(stored(record)).unwrap();
    assert_eq!(stored(&record).get("defects"), None);
    assert_eq!(again(&record).defects, 0);
    record.defects = 1;
    assert_eq!(stored(&record)["defects"], 1);
    assert_eq!(again(&record).defects, 1);
}

#[test]
fn a_number_that_may_land_is_stored_and_records_of_before_know_none() {
    let mut record = record();
    assert_eq!(
        serde_json::to_value(&record).unwrap().get("late_number"),
        None
    );
    record.late_number = Some(LateNumber {
        bill: None,
        found_at: SentAt {
            local: noon(),
            server: None,
        },
    });
    let stored = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<SyncRecord>(&stored).unwrap(), record);
}

#[test]
fn error_is_ours_when_we_wrote_it_or_it_may_land() {
    let late = |bill| LateNumber {
        bill,
        found_at: SentAt {
            local: noon(),
            server: None,
        },
    };
    let bill = every_state().into_iter().find_map(|state| match state {
        State::Linked { bill } => Some(bill),
        _ => None,
    });
    assert!(bill.is_some());
    for (mark, late, is_ours) in [
        (ErrorMark::None, None, false),
        (ErrorMark::Owed, None, false),
        (ErrorMark::Written, None, true),
        (ErrorMark::None, Some(late(None)), true),
        (ErrorMark::None, Some(late(bill)), false),
    ] {
        let mut record = record();
        (record.error_mark, record.late_number) = (mark, late);
        assert_eq!(record.has_our_error(), is_ours);
    }
}

#[test]
fn a_wish_is_fresh_until_something_is_done_about_it() {
    let mut record = record();
    assert!(!record.is_freshly_asked(), "nobody has asked");
    record.request = Some(asked(noon(), None));
    assert!(record.is_freshly_asked());
    record.updated_at = later(noon(), Duration::from_secs(1));
    assert!(!record.is_freshly_asked());
}

#[test]
fn whoever_asked_is_told_in_time_that_it_waits_and_only_once() {
    let policy = Policy::default();
    let mut record = record();
    record.wait = Some(Wait {
        not_before: later(noon(), Duration::from_hours(1)),
        ..waiting(Code::QuickBooksFailing, noon())
    });
    let step = later(noon(), Duration::from_hours(1));
    assert_eq!(record.due_at(&policy), Some(step));
    record.request = Some(asked(noon(), None));
    let tell = later(noon(), policy.mail_after);
    assert_eq!(record.due_at(&policy), Some(tell));
    record.request.as_mut().unwrap().told_waiting = true;
    assert_eq!(record.due_at(&policy), Some(step));
}

#[test]
fn an_order_is_open_since_somebody_asked_or_the_first_wait_began() {
    let mut record = record();
    let hours = |hours| later(noon(), Duration::from_hours(hours));
    record.updated_at = hours(3);
    assert_eq!(record.open_since(), Some(hours(3)));
    record.wait = Some(waiting(Code::QuickBooksFailing, hours(2)));
    assert_eq!(record.open_since(), Some(hours(2)));
    record.request = Some(asked(hours(1), None));
    assert_eq!(record.open_since(), Some(hours(1)));
    // A result that was not told yet keeps it open; nothing else does.
    record.state = State::Linked { bill: bill(None) };
    assert_eq!(record.open_since(), Some(hours(1)));
    record.request = None;
    assert_eq!(record.open_since(), None);
}

#[test]
fn what_people_are_told_about_a_record_comes_from_its_state_before_its_wait() {
    let told: Vec<_> = every_state()
        .into_iter()
        .map(|state| {
            let mut record = record();
            record.state = state;
            record.wait = Some(waiting(Code::QuickBooksFailing, noon()));
            let notice = record.notice().map(|notice| notice.code);
            (record.code().unwrap(), notice)
        })
        .collect();
    let waits = (
        Code::QuickBooksFailing.as_str(),
        Some(Code::QuickBooksFailing),
    );
    let missing = (Code::ItemMissing.as_str(), Some(Code::ItemMissing));
    let expected = [
        waits,
        waits,
        waits,
        waits,
        missing,
        missing,
        (Code::BillDeleted.as_str(), waits.1),
        (Ineligible::Gone.code(), waits.1),
    ];
    assert_eq!(told, expected);
    assert_eq!(record().code(), None);
    assert_eq!(record().notice(), None);
}

#[test]
fn the_bill_is_known_in_every_state_that_has_one() {
    for state in every_state() {
        let name = state.name();
        let mut record = record();
        record.state = state;
        let has_bill = matches!(
            name,
            StateName::Created | StateName::Linked | StateName::NeedsPerson | StateName::Orphaned
        );
        let id = record.bill().map(|bill| bill.id.as_str());
        assert_eq!(id, has_bill.then_some("9"), "{name:?}");
    }
}

#[test]
fn a_search_finds_an_order_by_everything_that_people_see_of_it() {
    let found = |state: State| {
        let mut record = record();
        record.vendor_name = Some("ACME Supply".to_owned());
        record.state = state;
        record.search_text()
    };
    let refused = found(State::Refused {
        notice: Notice::new(Code::ItemMissing).with("name", "Firewall"),
    });
    let linked = found(State::Linked {
        bill: bill(Some("B-77")),
    });
    let skipped = found(State::Skipped {
        reason: Ineligible::Gone,
    });
    let order = ORDER.to_string();
    for (text, words) in [
        (&refused, [order.as_str(), "po-1001", "acme", "firewall"]),
        (&linked, ["9", "b-77", "po-1001", "acme"]),
        (
            &skipped,
            ["ineligible.gone", "not in autotask", "po-1001", "acme"],
        ),
    ] {
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
    assert!(refused.contains(Code::ItemMissing.as_str()), "{refused}");
}
