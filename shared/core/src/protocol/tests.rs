mod edges;

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::{
    eligibility::Ineligible,
    ids::OrderId,
    testing::{ORDER, decimal, noon, realm, record},
};

fn after(seconds: u64) -> Timestamp {
    later(noon(), Duration::from_secs(seconds))
}

fn sent_at(local: Timestamp, server: Option<Timestamp>) -> SentAt {
    SentAt { local, server }
}

fn intent() -> Intent {
    Intent {
        request_id: "R1".parse().unwrap(),
        body: "{}".to_owned(),
        number: Some("PO-1001".to_owned()),
        total: decimal("799.98"),
        vendor: "v1".parse().unwrap(),
        vendor_name: "Acme Supply".to_owned(),
        currency: None,
        sends: 1,
        first_sent: sent_at(noon(), Some(noon())),
        last_sent: sent_at(noon(), Some(noon())),
        in_doubt: true,
    }
}

fn bill(id: &str, order: OrderId) -> BillSummary {
    let marker = Marker {
        order,
        generation: 1,
    };
    BillSummary {
        id: id.parse().unwrap(),
        number: None,
        vendor: Some("v1".parse().unwrap()),
        vendor_name: None,
        total: decimal("799.98"),
        note: Some(marker.text(&realm())),
    }
}

fn settled(intent: &Intent, bills: &[BillSummary], clock: Option<Timestamp>) -> Settled {
    let policy = Policy::default();
    let now = clock.unwrap_or(noon());
    let mut record = record();
    record.state = State::Planned {
        intent: intent.clone(),
    };
    settle(&record, intent, bills, clock, now, (&policy, &Guards::ALL))
}

#[test]
fn every_state_has_its_next_step() {
    let link = link_to(&bill("9", ORDER), &record());
    let seen = BillLink {
        seen_under: 7,
        ..link.clone()
    };
    let notice = Notice::new(Code::ItemMissing);
    let cases = [
        (State::Queued, Step::Plan),
        (State::Planned { intent: intent() }, Step::Settle),
        (State::Created { bill: link.clone() }, Step::Verify),
        (State::Created { bill: seen }, Step::WriteBack),
        (State::Linked { bill: link.clone() }, Step::Done),
        (State::Orphaned { bill: link }, Step::Done),
        (
            State::Refused {
                notice: notice.clone(),
            },
            Step::Done,
        ),
        (
            State::NeedsPerson {
                notice,
                intent: None,
                bill: None,
            },
            Step::Done,
        ),
        (
            State::Skipped {
                reason: Ineligible::Gone,
            },
            Step::Done,
        ),
    ];
    for (state, step) in cases {
        let mut record = record();
        record.fence = 7;
        record.state = state;
        assert_eq!(next_step(&record, noon(), &Guards::ALL), step, "{record:?}");
        let notice = Notice::new(Code::AutotaskFailing);
        let policy = Policy::default();
        let pause = wait(&record, notice, None, true, (noon(), noon()), (0, &policy));
        record.wait = Some(pause);
        let rest = next_step(&record, noon(), &Guards::ALL);
        assert!(matches!(rest, Step::Rest(_)));
        assert_eq!(next_step(&record, after(900), &Guards::ALL), step);
    }
}

#[test]
fn what_is_owed_is_done_in_order() {
    let mut record = record();
    let notice = Notice::new(Code::ItemMissing).with("name", "Firewall");
    flag(&mut record, &notice, true);
    record.state = State::Refused { notice };
    let step = |record: &SyncRecord| next_step(record, noon(), &Guards::ALL);
    assert_eq!(step(&record), Step::MarkError);
    record.error_mark = ErrorMark::Written;
    assert_eq!(step(&record), Step::OpenTodo);
    let Todo::Owed { text, .. } = record.todo.clone() else {
        panic!("a to-do is owed");
    };
    record.todo = Todo::Open {
        id: crate::ids::TodoId::new(1),
        text,
    };
    assert_eq!(step(&record), Step::Done);
    unflag(&mut record);
    assert_eq!(step(&record), Step::CloseTodo);
}

#[test]
fn the_table_of_legal_transitions_is_exactly_this() {
    use StateName::{Created, Linked, NeedsPerson, Orphaned, Planned, Queued, Refused, Skipped};
    let allowed: [(StateName, &[StateName]); 8] = [
        (
            Queued,
            &[Queued, Planned, Created, Refused, NeedsPerson, Skipped],
        ),
        (
            Planned,
            &[Queued, Planned, Created, Refused, NeedsPerson, Skipped],
        ),
        (Created, &[Queued, Created, Linked, NeedsPerson, Orphaned]),
        (Linked, &[Created, Linked, NeedsPerson, Orphaned]),
        (Refused, &[Queued, Refused, Skipped, NeedsPerson]),
        (
            NeedsPerson,
            &[Queued, Planned, Created, NeedsPerson, Skipped],
        ),
        (Orphaned, &[Created, Orphaned, NeedsPerson]),
        (Skipped, &[Queued, Skipped, NeedsPerson]),
    ];
    for (from, targets) in allowed {
        for to in StateName::ALL {
            assert_eq!(
                is_legal(from, to),
                targets.contains(&to),
                "{from:?} to {to:?}"
            );
        }
    }
}

#[test]
fn a_lookup_adopts_our_one_bill_and_asks_a_person_about_anything_else() {
    let ours = bill("9", ORDER);
    let found = |bills: &[BillSummary]| settled(&intent(), bills, Some(after(10)));
    assert_eq!(
        found(std::slice::from_ref(&ours)),
        Settled::Adopt(ours.clone())
    );
    // Paging may show one bill twice.
    assert_eq!(
        found(&[ours.clone(), ours.clone()]),
        Settled::Adopt(ours.clone())
    );
    let code = |settled| match settled {
        Settled::Conflict(notice, _) => Some(notice.code),
        _ => None,
    };
    let twice = [ours.clone(), bill("10", ORDER)];
    assert_eq!(code(found(&twice)), Some(Code::SeveralBills));
    let cent = BillSummary {
        total: decimal("799.97"),
        ..ours.clone()
    };
    assert_eq!(code(found(&[cent])), Some(Code::BillDiffers));
    let by_hand = BillSummary {
        number: Some("PO-1001".to_owned()),
        note: None,
        ..ours
    };
    assert_eq!(code(found(&[by_hand])), Some(Code::BillByHand));
    let other = bill("11", OrderId::new(1));
    assert!(matches!(found(&[other]), Settled::TooEarly(_)));
}

#[test]
fn absence_is_believed_only_after_the_settle_time_of_quickbooks_clock() {
    let intent = intent();
    let at = |seconds| settled(&intent, &[], Some(after(seconds)));
    assert_eq!(at(0), Settled::TooEarly(after(151)));
    assert!(matches!(at(150), Settled::TooEarly(_)));
    assert_eq!(at(151), Settled::Absent);
    // Our own clock jumped ahead by an hour; theirs says that only a second has passed.
    let policy = Policy::default();
    let early = settle(
        &record(),
        &intent,
        &[],
        Some(after(1)),
        after(3600),
        (&policy, &Guards::ALL),
    );
    assert_eq!(early, Settled::TooEarly(after(3600 + 150)));
    // Ours went back an hour: the wait is never longer than the settle time.
    let back = earlier(noon(), Duration::from_hours(1));
    let early = settle(&record(), &intent, &[], None, back, (&policy, &Guards::ALL));
    assert_eq!(
        early,
        Settled::TooEarly(later(back, Duration::from_secs(151)))
    );
    let certain = Intent {
        in_doubt: false,
        ..intent
    };
    assert_eq!(settled(&certain, &[], Some(noon())), Settled::Absent);
}

#[test]
fn the_lookup_window_spans_all_sends_whatever_the_clocks_did() {
    let policy = Policy::default();
    let mut intent = intent();
    intent.last_sent = sent_at(after(600), Some(after(600)));
    let (from, to) = lookup_window(&intent, after(700), &policy);
    assert_eq!(from, earlier(noon(), policy.lookup_margin));
    assert_eq!(to, later(after(750), policy.lookup_margin));
    let back = earlier(noon(), Duration::from_hours(5));
    assert_eq!(lookup_window(&intent, back, &policy), (from, to));
    intent.first_sent.server = None;
    let (from, _) = lookup_window(&intent, after(700), &policy);
    assert_eq!(from, earlier(noon(), policy.lookup_margin_unknown_clock));
}

#[test]
fn a_process_that_slept_after_storing_its_intent_sends_nothing() {
    let (policy, guards) = (Policy::default(), Guards::ALL);
    let mut record = record();
    let holder = Holder {
        owner: "a/1".to_owned(),
        only_engine: None,
    };
    assert!(claim(&mut record, &holder, noon(), &policy, &guards));
    record.state = State::Planned { intent: intent() };
    let may = |seconds| may_send(&record, after(seconds), &policy, &guards);
    assert!(may(0) && may(25));
    // QuickBooks may take 120 seconds; a lookup believes that nothing comes after 150.
    assert!(!may(26));
    let back = earlier(noon(), Duration::from_secs(1));
    assert!(!may_send(&record, back, &policy, &guards));
}

#[test]
fn a_lease_keeps_others_out_until_it_passes_or_its_engine_is_dead() {
    let (policy, guards) = (Policy::default(), Guards::ALL);
    let holder = |owner: &str, only: Option<&str>| Holder {
        owner: owner.to_owned(),
        only_engine: only.map(str::to_owned),
    };
    let mut record = record();
    let first = holder("a/1", None);
    assert!(claim(&mut record, &first, noon(), &policy, &guards));
    assert_eq!(record.fence, 1);
    assert!(may_send(&record, noon(), &policy, &guards));
    assert!(
        !may_send(&record, after(75), &policy, &guards),
        "it could end too late"
    );
    let second = holder("b/1", None);
    assert!(!claim(
        &mut record.clone(),
        &second,
        after(119),
        &policy,
        &guards
    ));
    assert!(claim(
        &mut record.clone(),
        &second,
        after(120),
        &policy,
        &guards
    ));
    let alone = holder("b/1", Some("b/"));
    assert!(claim(
        &mut record.clone(),
        &alone,
        after(1),
        &policy,
        &guards
    ));
    let same_engine = holder("a/2", Some("a/"));
    assert!(!claim(
        &mut record,
        &same_engine,
        after(1),
        &policy,
        &guards
    ));
    record.lease = None;
    assert!(
        !may_send(&record, noon(), &policy, &guards),
        "no lease, no send"
    );
}

#[test]
fn waits_grow_are_spread_and_count_real_time_only() {
    let policy = Policy::default();
    let mut record = record();
    let pause = |record: &SyncRecord, asked, counts, now| {
        let notice = Notice::new(Code::QuickBooksFailing);
        wait(record, notice, asked, counts, (noon(), now), (0, &policy))
    };
    let first = pause(&record, None, true, noon());
    assert_eq!((first.attempts, first.counted_seconds), (1, 0));
    assert_eq!(first.not_before, later(noon(), policy.backoff / 2));
    record.wait = Some(first);
    let second = pause(&record, None, true, after(600));
    assert_eq!((second.attempts, second.counted_seconds), (2, 600));
    assert_eq!(second.since, noon());
    let uncounted = pause(&record, Some(Duration::from_secs(90)), false, after(600));
    assert_eq!(
        (uncounted.counted_seconds, uncounted.not_before),
        (0, after(690))
    );
    let long = pause(&record, None, true, after(36_000));
    assert_eq!(long.counted_seconds, 3600, "an hour at most for one gap");
}

#[test]
fn unfinished_records_are_always_due_and_settled_ones_never() {
    let policy = Policy::default();
    let mut record = record();
    assert_eq!(
        record.due_at(&policy),
        Some(later(noon(), policy.queued_age_max))
    );
    record.state = State::Planned { intent: intent() };
    assert_eq!(record.due_at(&policy), Some(noon()));
    record.lease = Some(Lease {
        owner: "a/1".to_owned(),
        until: after(120),
    });
    assert_eq!(record.due_at(&policy), Some(after(120)));
    let bill = link_to(&bill("9", ORDER), &record);
    record.state = State::Linked { bill };
    assert_eq!(record.due_at(&policy), None);
    record.todo = Todo::Closing { sent_at: None };
    assert!(record.due_at(&policy).is_some());
}
