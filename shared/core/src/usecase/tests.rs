//! Stories of one order over ports in memory, with a fault at every call.

mod decisions;
mod gone;
mod late_error;

use futures_util::FutureExt as _;

use crate::{
    failure::FailureClass,
    ids::{OrderId, RunNumber},
    notice::Code,
    ports::{Chance as _, DocumentKind},
    record::{Origin, State, StateName, Todo},
    settings::{MissingItem, NumberSource},
    testing::{Fault, ORDER, World, line, order, organisation, realm, settings, tenant},
    usecase::{OutcomeKind, Reconciled, RunStart, Scanned},
};

use StateName::{Created, Linked, NeedsPerson, Orphaned, Planned, Queued, Refused, Skipped};

/// Every port answers at once, so every use case does.
fn now<F: Future>(use_case: F) -> F::Output {
    use_case.now_or_never().unwrap()
}

fn scan(world: &World) {
    let engine = world.engine("scanner");
    let run = engine.runs(&tenant()).now_or_never().unwrap().unwrap().run;
    now(engine.claim_run(&tenant(), run.next())).unwrap();
    now(engine.scan(&tenant(), run.next(), &world.trace())).unwrap();
}

fn ask(world: &World, origin: Origin) -> bool {
    let engine = world.engine("web");
    let mail_to = Some("ann@example.com".to_owned());
    let asked = now(engine.ask(&tenant(), ORDER, origin, mail_to, None));
    asked.unwrap().joins_running
}

fn refusing() -> World {
    let world = World::new();
    let mut refusing = settings();
    refusing.missing_item = MissingItem::Refuse;
    world.put(DocumentKind::Settings, &refusing);
    world
}

#[test]
fn the_happy_path_stores_intent_then_bill_then_link() {
    let world = World::new();
    scan(&world);
    world.work();
    let inner = world.lock();
    assert_eq!(inner.path, [Queued, Planned, Created, Linked]);
    assert_eq!(
        inner.writes,
        [
            "customer Client Ltd",
            "item Firewall",
            "bill 799.98",
            "external number 103"
        ]
    );
    let (record, due) = &inner.records[&ORDER];
    assert_eq!((record.lease.as_ref(), *due), (None, None));
    assert_eq!(inner.armed.unwrap().0, RunNumber(2));
}

/// The order has one live bill at most at any time, and ends linked to it.
fn assert_linked(world: &World, story: &str) {
    assert!(world.bills().len() <= 1, "{story}: {:?}", world.bills());
    world.settle_down(40);
    assert_eq!(world.bills().len(), 1, "{story}");
    assert_eq!(world.state(), Linked, "{story}");
    assert_eq!(world.external().unwrap(), world.bills()[0], "{story}");
    let due = world.lock().records[&ORDER].1;
    assert_eq!(due, None, "{story}: settled records are not due");
}

#[test]
fn a_fault_at_any_call_leaves_one_bill_and_ends_linked() {
    let faults = [
        Fault::Before,
        Fault::After,
        Fault::DeadBefore,
        Fault::DeadAfter,
    ];
    for honours in [false, true] {
        for fault in faults {
            for at in 1..200 {
                let world = World::new();
                scan(&world);
                let before = world.lock().calls;
                world.lock().honours_request_ids = honours;
                world.lock().fault = Some((before + at, fault));
                let first = world.sync(Origin::Scan);
                world.lock().messages.clear();
                let reached = world.lock().calls >= before + at;
                assert_linked(&world, &format!("{fault:?} at {at}: {first:?}"));
                if !reached {
                    assert!(at > 15, "there are more calls than that");
                    break;
                }
            }
        }
    }
}

/// Runs `meanwhile` before every single call of an attempt in turn.
fn at_every_call(story: &str, honours: bool, meanwhile: fn(&World), then: fn(&World, &str)) {
    for at in 1..200 {
        let world = World::new();
        scan(&world);
        world.lock().honours_request_ids = honours;
        let before = world.lock().calls;
        world.lock().meanwhile = Some((before + at, Box::new(meanwhile)));
        let first = world.sync(Origin::Scan);
        let reached = world.lock().meanwhile.take().is_none();
        then(&world, &format!("{story} at {at}: {first:?}"));
        if !reached {
            assert!(at > 15, "there are more calls than that");
            return;
        }
    }
}

#[test]
fn two_engines_at_once_make_one_bill() {
    let race = |world: &World| {
        let other = world.engine("other");
        world.sync_by(&other, Origin::Person, &[ORDER]).unwrap();
    };
    at_every_call("race", false, race, assert_linked);
    // The first engine is held up until its lease has passed, anywhere at all: QuickBooks'
    // request id covers the moment between the deadline check and the send.
    let paused = |world: &World| {
        world.advance(200);
        let other = world.engine("other");
        world.sync_by(&other, Origin::Sweep, &[ORDER]).unwrap();
    };
    at_every_call("paused", true, paused, assert_linked);
}

#[test]
fn a_wish_at_any_moment_is_answered_and_disturbs_nothing() {
    let wish = |world: &World| {
        ask(world, Origin::Person);
    };
    at_every_call("wish", false, wish, |world, story| {
        assert_linked(world, story);
        let mails = world.lock().mails.len();
        let asked = world
            .lock()
            .history
            .iter()
            .any(|h| h.text.contains("A person asked"));
        assert_eq!(mails > 0, asked, "{story}");
        assert!(world.record().request.is_none(), "{story}");
    });
}

#[test]
fn a_number_that_appears_at_any_moment_is_never_overwritten() {
    let fill = |world: &World| world.set_external(Some("MY-77"));
    at_every_call("by hand", false, fill, |world, story| {
        world.settle_down(10);
        // Only a number that appears after the last reading and before the write can be lost.
        let number = world.external();
        let kept = number.as_deref() == Some("MY-77");
        let state = world.state();
        assert!(world.bills().len() <= 1, "{story}");
        assert!(kept || state == Linked, "{story}: {state:?} {number:?}");
        if kept && !world.bills().is_empty() {
            assert!(matches!(state, NeedsPerson | Linked), "{story}: {state:?}");
        }
    });
}

#[test]
fn a_second_fault_during_recovery_changes_nothing() {
    for first in 1..40 {
        for second in 1..30 {
            let world = World::new();
            scan(&world);
            let before = world.lock().calls;
            world.lock().fault = Some((before + first, Fault::DeadAfter));
            let _ = world.sync(Origin::Scan);
            world.lock().messages.clear();
            world.advance(130);
            let before = world.lock().calls;
            world.lock().fault = Some((before + second, Fault::After));
            let _ = world.sync(Origin::Sweep);
            assert_linked(&world, &format!("{first} then {second}"));
        }
    }
}

#[test]
fn a_refusal_fault_at_any_call_ends_in_one_error_and_one_todo() {
    for fault in [
        Fault::Before,
        Fault::After,
        Fault::DeadBefore,
        Fault::DeadAfter,
    ] {
        for at in 1..60 {
            let world = refusing();
            scan(&world);
            let before = world.lock().calls;
            world.lock().fault = Some((before + at, fault));
            let _ = world.sync(Origin::Scan);
            world.lock().messages.clear();
            world.settle_down(30);
            let story = format!("{fault:?} at {at}");
            assert_eq!(world.state(), Refused, "{story}");
            assert_eq!(world.external().as_deref(), Some("ERROR"), "{story}");
            assert_eq!(world.open_todos().len(), 1, "{story}");
            assert_eq!(world.bills().len(), 0, "{story}");
        }
    }
}

#[test]
fn running_everything_twice_changes_nothing() {
    let world = World::new();
    scan(&world);
    let messages = world.lock().messages.clone();
    world.work();
    let (bills, number) = (world.bills(), world.external());
    world.lock().messages = messages;
    world.work();
    world.sync(Origin::Scan).unwrap();
    world.sync(Origin::Sweep).unwrap();
    let report = world.sync(Origin::Person).unwrap();
    assert_eq!(report.outcomes[0].outcome, OutcomeKind::Billed);
    scan(&world);
    world.work();
    world.settle_down(5);
    assert_eq!((world.bills(), world.external()), (bills, number));
    assert_eq!(world.state(), Linked);
}

#[test]
fn a_definite_refusal_closes_the_generation_and_a_retry_uses_a_new_one() {
    let world = World::new();
    world.lock().refusals.push(Code::BillRefused);
    scan(&world);
    world.work();
    assert_eq!((world.state(), world.record().generation), (Refused, 2));
    assert_eq!(world.external().as_deref(), Some("ERROR"));
    assert_eq!(world.open_todos().len(), 1);
    ask(&world, Origin::Retry);
    world.work();
    assert_eq!(world.state(), Linked);
    assert_eq!(world.open_todos().len(), 0);
    let mails = world.lock().mails.clone();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].subject.contains("billed as"));
}

#[test]
fn a_refusal_after_a_doubtful_send_does_not_close_the_generation() {
    let world = World::new();
    scan(&world);
    world
        .lock()
        .refusals
        .extend([Code::BillRefused, Code::OutcomeUnknown]);
    world.sync(Origin::Scan).unwrap();
    assert!(matches!(world.record().state, State::Planned { intent } if intent.in_doubt));
    world.advance(160);
    world.sync(Origin::Sweep).unwrap();
    // The second send was refused; it went out only after the first was known to be absent.
    world.settle_down(5);
    assert_eq!(world.state(), Refused);
    assert_eq!(world.bills().len(), 0);
}

#[test]
fn a_throttle_before_any_doubt_sends_the_same_bytes_again() {
    let world = World::new();
    scan(&world);
    world.lock().refusals.push(Code::QuickBooksThrottled);
    world.sync(Origin::Scan).unwrap();
    assert!(matches!(world.record().state, State::Planned { intent } if !intent.in_doubt));
    assert_linked(&world, "after the throttle");
    assert_eq!(world.record().generation, 1);
}

#[test]
fn a_bill_that_arrives_late_is_adopted() {
    let world = World::new();
    scan(&world);
    world.lock().refusals.push(Code::OutcomeUnknown);
    world.sync(Origin::Scan).unwrap();
    let State::Planned { intent } = world.record().state else {
        panic!("it is in doubt");
    };
    world.advance(60);
    let early = world.sync(Origin::Person).unwrap();
    assert_eq!(early.outcomes[0].outcome, OutcomeKind::InDoubt);
    assert_eq!(
        world.bills().len(),
        0,
        "nothing is sent while it may still appear"
    );
    {
        use crate::ports::QuickBooks as _;
        let sent = world.create_bill(&intent.body, &intent.request_id);
        sent.now_or_never().unwrap().unwrap();
    }
    assert_linked(&world, "late");
}

#[test]
fn an_engine_that_lost_the_race_sends_nothing() {
    let world = World::new();
    scan(&world);
    let other = world.engine("other");
    let mut held = world.record();
    held.fence += 1;
    held.lease = Some(crate::record::Lease {
        owner: "other/1".to_owned(),
        until: crate::record::later(world.lock().now, std::time::Duration::from_secs(100)),
    });
    world.lock().records.get_mut(&ORDER).unwrap().0 = held;
    let report = world.sync(Origin::Scan).unwrap();
    assert_eq!(report.outcomes[0].code.as_deref(), Some("wait.overtaken"));
    assert_eq!(world.bills().len(), 0);
    world.advance(101);
    world.sync_by(&other, Origin::Sweep, &[ORDER]).unwrap();
    assert_eq!(world.bills().len(), 1);
}

#[test]
fn a_cleared_number_relinks_the_same_bill() {
    let world = World::new();
    scan(&world);
    world.work();
    let bills = world.bills();
    world.set_external(None);
    scan(&world);
    world.work();
    assert_eq!((world.state(), world.bills()), (Linked, bills));
}

/// Another order beside the first.
fn add_second(world: &World) -> OrderId {
    let other = OrderId::new(4712);
    let mut second = order();
    second.id = other;
    second.number = Some("PO-1002".to_owned());
    let mut copy = line(2, "1", "5");
    copy.order = other;
    world.lock().orders.insert(other, second);
    world.lock().lines.push(copy);
    other
}

/// Another bill with the mark of this world's first one.
fn copy_bill(world: &World, id: &str) {
    let mut copy = world.lock().bills[0].clone();
    copy.0.id = id.parse().unwrap();
    world.lock().bills.push(copy);
}

fn reconcile(world: &World) -> Reconciled {
    let engine = world.engine("sweeper");
    now(engine.reconcile(&tenant(), &realm(), None, &world.trace())).unwrap()
}

#[test]
fn a_second_bill_of_a_linked_order_is_told_and_one_of_another_order_is_not() {
    let world = World::new();
    scan(&world);
    world.work();
    let number = world.external();
    copy_bill(&world, "900");
    copy_bill(&world, "901");
    world.lock().bills[2].0.note = Some("AT-PO:4712 g1 00000000".to_owned());
    let found = reconcile(&world);
    assert_eq!((found.gone, found.twice), (vec![], vec![ORDER]));
    world.settle_down(5);
    assert_eq!((world.state(), world.external()), (NeedsPerson, number));
    let [todo] = world.open_todos().try_into().unwrap();
    assert!(todo.contains("it: 900."), "{todo}");
    assert_eq!(found.stray, [], "it has a bill");
    assert_eq!(reconcile(&world).twice, [], "it is told once");
    copy_bill(&world, "902");
    assert_eq!(reconcile(&world).twice, [ORDER], "a third one is news");
    world.settle_down(5);
    let [todo] = world.open_todos().try_into().unwrap();
    assert!(todo.contains("it: 900, 902."), "{todo}");
    world
        .lock()
        .bills
        .retain(|(bill, _)| bill.id.as_str() != "902");
    ask(&world, Origin::Retry);
    world.work();
    let still = (world.state(), world.open_todos().len());
    assert_eq!(still, (NeedsPerson, 1), "nothing was decided");
    world
        .lock()
        .bills
        .retain(|(bill, _)| bill.id.as_str() != "900");
    ask(&world, Origin::Retry);
    world.work();
    assert_eq!((world.state(), world.open_todos().len()), (Linked, 0));
}

#[test]
fn of_two_bills_either_may_be_kept_and_no_third_is_made() {
    let world = World::new();
    scan(&world);
    world.work();
    copy_bill(&world, "900");
    assert_eq!(reconcile(&world).twice, [ORDER]);
    world.settle_down(5);
    // The person deletes the bill that was linked, and keeps the other one.
    world
        .lock()
        .bills
        .retain(|(bill, _)| bill.id.as_str() == "900");
    world.set_external(None);
    ask(&world, Origin::Retry);
    world.work();
    world.settle_down(1);
    assert_eq!((world.state(), world.bills().len()), (Linked, 1));
    assert_eq!(world.external().unwrap(), world.bills()[0]);
    assert_eq!(world.open_todos().len(), 0);
}

/// A bill of ours turns up for an order that rests without one.
fn stray(world: &World) {
    let maker = World::new();
    scan(&maker);
    maker.work();
    let mut bill = maker.lock().bills[0].clone();
    bill.0.id = "900".parse().unwrap();
    world.lock().bills.push(bill);
    let found = reconcile(world);
    assert_eq!((found.twice, found.stray), (vec![], vec![ORDER]));
    world.settle_down(5);
    let [todo] = world.open_todos().try_into().unwrap();
    assert!(todo.contains("bill 900."), "{todo}");
    assert_eq!(world.state(), NeedsPerson);
}

#[test]
fn a_bill_of_ours_for_a_refused_order_is_told_and_linked_when_a_person_keeps_it() {
    let world = refusing();
    scan(&world);
    world.work();
    assert_eq!(world.state(), Refused);
    stray(&world);
    assert_eq!(world.external().as_deref(), Some("ERROR"));
    // To ask alone keeps nothing that nobody expected.
    ask(&world, Origin::Retry);
    world.work();
    assert_eq!((world.state(), world.open_todos().len()), (NeedsPerson, 1));
    world.set_external(None);
    ask(&world, Origin::Retry);
    world.work();
    assert_eq!((world.state(), world.bills().len()), (Linked, 1));
    assert_eq!(world.external().unwrap(), world.bills()[0]);
    assert_eq!(world.open_todos().len(), 0);
}

#[test]
fn a_bill_of_ours_for_a_skipped_order_is_told_and_the_number_of_a_person_stays() {
    let world = World::new();
    scan(&world);
    world.set_external(Some("by hand"));
    world.work();
    assert_eq!(world.state(), Skipped);
    stray(&world);
    ask(&world, Origin::Retry);
    world.work();
    // The person keeps both: that stays asked, and nothing is lost sight of.
    assert_eq!(world.state(), NeedsPerson);
    assert_eq!(world.external().as_deref(), Some("by hand"));
    assert_eq!(world.open_todos().len(), 1);
    world.lock().bills.clear();
    ask(&world, Origin::Retry);
    world.work();
    world.settle_down(1);
    assert_eq!((world.state(), world.open_todos().len()), (Skipped, 0));
}

#[test]
fn a_number_written_by_hand_meanwhile_is_kept_and_stays_flagged() {
    // The process dies as soon as the bill is made; then somebody fills the field.
    let world = (1..100)
        .find_map(|at| {
            let world = World::new();
            scan(&world);
            let before = world.lock().calls;
            world.lock().fault = Some((before + at, Fault::DeadAfter));
            let _ = world.sync(Origin::Scan);
            world.lock().messages.clear();
            (world.bills().len() == 1).then_some(world)
        })
        .unwrap();
    world.set_external(Some("MY-77"));
    world.settle_down(6);
    assert_eq!(world.external().as_deref(), Some("MY-77"));
    assert_eq!(world.state(), NeedsPerson);
    world.settle_down(3);
    assert_eq!(world.state(), NeedsPerson, "our bill is still there");
    assert_eq!(world.open_todos().len(), 1);
    // They decide for our bill: its number in the field links it.
    let number = world.bills()[0].clone();
    world.set_external(Some(&number));
    ask(&world, Origin::Retry);
    world.work();
    assert_eq!((world.state(), world.open_todos().len()), (Linked, 0));
}

#[test]
fn clearing_error_makes_the_order_eligible_again() {
    let world = refusing();
    scan(&world);
    world.work();
    assert_eq!(world.external().as_deref(), Some("ERROR"));
    scan(&world);
    world.work();
    assert_eq!(world.state(), Refused, "ERROR is not blank");
    world.put(DocumentKind::Settings, &settings());
    world.set_external(None);
    scan(&world);
    world.work();
    assert_eq!((world.state(), world.open_todos().len()), (Linked, 0));
}

#[test]
fn an_ineligible_order_gets_no_write_and_no_row() {
    let world = World::new();
    world.set_external(Some("1042"));
    let report = world.sync(Origin::Scan).unwrap();
    assert_eq!(report.outcomes[0].outcome, OutcomeKind::Ineligible);
    assert!(world.lock().records.is_empty() && world.lock().writes.is_empty());
    ask(&world, Origin::Person);
    world.work();
    assert_eq!(world.state(), Skipped);
    assert!(world.lock().writes.is_empty());
    assert!(world.lock().mails[0].text.contains("1042"));
}

#[test]
fn a_wish_noted_while_an_attempt_is_at_work_is_answered() {
    let world = World::new();
    scan(&world);
    let mut held = world.record();
    held.lease = Some(crate::record::Lease {
        owner: "gone/1".to_owned(),
        until: crate::record::later(world.lock().now, std::time::Duration::from_secs(100)),
    });
    world.lock().records.get_mut(&ORDER).unwrap().0 = held;
    assert!(ask(&world, Origin::Person), "it joins the running attempt");
    world.work();
    assert_eq!(world.lock().mails.len(), 0);
    world.settle_down(3);
    assert_eq!((world.state(), world.lock().mails.len()), (Linked, 1));
}

#[test]
fn a_person_hears_after_two_minutes_that_the_tenant_waits() {
    let world = World::new();
    ask(&world, Origin::Person);
    let broken = crate::tenant::Trouble {
        notice: crate::notice::Notice::new(Code::QuickBooksDisconnected),
        since: world.lock().now,
        recheck_at: None,
        is_told: true,
    };
    let engine = world.engine("web");
    let note = |status: &mut crate::tenant::TenantStatus| {
        status.quickbooks_broken = Some(broken.clone());
        true
    };
    now(engine.update_status(&tenant(), note)).unwrap();
    world.work();
    assert_eq!(world.lock().mails.len(), 0);
    world.settle_down(3);
    let mails = world.lock().mails.clone();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].subject.contains("still waiting"), "{mails:?}");
    assert!(world.record().request.is_some(), "the wish is kept");
}

#[test]
fn unreadable_costs_stop_the_tenant_and_write_nothing() {
    let world = World::new();
    world.lock().lines[0].unit_cost = None;
    world.lock().costs_readable = false;
    scan(&world);
    world.work();
    assert_eq!((world.state(), world.external()), (Queued, None));
    assert_eq!(world.open_todos().len(), 0);
    assert!(world.lock().writes.is_empty());
    let engine = world.engine("web");
    let status = engine.status(&tenant()).now_or_never().unwrap().unwrap();
    assert_eq!(status.trouble.unwrap().notice.code, Code::CostsUnreadable);
    world.lock().lines[0].unit_cost = Some(crate::testing::decimal("1"));
    world.settle_down(30);
    assert_eq!(world.state(), Linked, "it is tried again by itself");
    let status = engine.status(&tenant()).now_or_never().unwrap().unwrap();
    assert!(status.trouble.is_none());
}

#[test]
fn one_bad_order_stops_no_other() {
    let world = World::new();
    let other = OrderId::new(4712);
    let mut second = order();
    second.id = other;
    second.number = Some("PO-1002".to_owned());
    world.lock().orders.insert(other, second);
    scan(&world);
    world.work();
    assert_eq!(world.state(), Linked);
    let bad = world.lock().records[&other].0.clone();
    assert_eq!(bad.notice().unwrap().code, Code::NoLines);
    let inner = world.lock();
    assert_eq!(
        inner.orders[&other].external_number.as_deref(),
        Some("ERROR")
    );
}

#[test]
fn two_orders_with_one_number_make_one_bill() {
    let world = World::new();
    let mut own = settings();
    own.number_source = NumberSource::Autotask;
    world.put(DocumentKind::Settings, &own);
    let other = OrderId::new(4712);
    let mut second = order();
    second.id = other;
    world.lock().orders.insert(other, second);
    let mut copy = line(2, "1", "5");
    copy.order = other;
    world.lock().lines.push(copy);
    scan(&world);
    world.work();
    assert_eq!(world.bills().len(), 1);
    let refused = world.lock().records[&other].0.clone();
    assert_eq!(refused.notice().unwrap().code, Code::NumberInUse);
}

#[test]
fn two_names_that_become_one_are_refused_across_orders() {
    let world = World::new();
    world.lock().organisations[0] = organisation(10, "Acme: East");
    scan(&world);
    world.work();
    assert_eq!(world.state(), Linked);
    let other = OrderId::new(4712);
    let mut second = order();
    second.id = other;
    second.vendor = Some(crate::ids::OrganisationId::new(11));
    world.lock().orders.insert(other, second);
    world
        .lock()
        .organisations
        .push(organisation(11, "Acme - East"));
    let mut copy = line(2, "1", "5");
    copy.order = other;
    world.lock().lines.push(copy);
    scan(&world);
    world.work();
    let refused = world.lock().records[&other].0.clone();
    assert_eq!(refused.notice().unwrap().code, Code::NameCollision);
    assert_eq!(world.bills().len(), 1);
}

#[test]
fn a_refused_write_back_keeps_the_bill_and_asks_a_person() {
    let world = World::new();
    world.lock().writable = false;
    scan(&world);
    world.work();
    assert_eq!(world.state(), NeedsPerson);
    assert_eq!(
        world.record().notice().unwrap().code,
        Code::WriteBackRefused
    );
    scan(&world);
    world.work();
    assert_eq!(
        world.state(),
        NeedsPerson,
        "only a person takes it up again"
    );
    world.lock().writable = true;
    ask(&world, Origin::Retry);
    world.work();
    assert_eq!((world.state(), world.bills().len()), (Linked, 1));
}

#[test]
fn waiting_too_long_while_the_vendor_answers_becomes_an_error() {
    let world = World::new();
    scan(&world);
    world.lock().messages.clear();
    world.lock().refusals = vec![Code::QuickBooksFailing; 1000];
    world.settle_down(12 * 20);
    assert_eq!(world.state(), Planned, "not before a day of failures");
    world.settle_down(12 * 10);
    assert_eq!(world.record().notice().unwrap().code, Code::GivenUp);
    assert_eq!(world.external().as_deref(), Some("ERROR"));
}

#[test]
fn an_order_that_left_the_scans_filter_half_done_is_finished() {
    let world = World::new();
    scan(&world);
    world.lock().refusals.push(Code::QuickBooksFailing);
    world.sync(Origin::Scan).unwrap();
    let long_ago = Some(crate::testing::at("2020-01-01T00:00:00Z"));
    world.lock().orders.get_mut(&ORDER).unwrap().created = long_ago;
    // It always was that old: with another moment it would be another order.
    world
        .lock()
        .records
        .get_mut(&ORDER)
        .unwrap()
        .0
        .order_created = long_ago;
    assert_linked(&world, "too old by now");
}

#[test]
fn an_order_cancelled_while_its_bill_waits_is_not_sent_again() {
    let world = World::new();
    scan(&world);
    world.lock().refusals.push(Code::OutcomeUnknown);
    world.sync(Origin::Scan).unwrap();
    world.lock().orders.get_mut(&ORDER).unwrap().status = None;
    world.settle_down(5);
    assert_eq!((world.state(), world.bills().len()), (Skipped, 0));
}

#[test]
fn a_clock_set_back_an_hour_only_delays() {
    let world = World::new();
    scan(&world);
    world.lock().refusals.push(Code::OutcomeUnknown);
    world.sync(Origin::Scan).unwrap();
    world.lock().now = crate::testing::at("2026-03-16T11:00:00Z");
    assert_linked(&world, "an hour back");
}

#[test]
fn a_run_is_claimed_once_and_ends_once() {
    let world = World::new();
    let engine = world.engine("scanner");
    let claim = || {
        engine
            .claim_run(&tenant(), RunNumber(1))
            .now_or_never()
            .unwrap()
    };
    assert_eq!(claim().unwrap(), RunStart::Claimed);
    assert_eq!(claim().unwrap(), RunStart::Repeated);
    world.advance(120);
    let end = || {
        engine
            .end_run(&tenant(), RunNumber(1))
            .now_or_never()
            .unwrap()
    };
    end().unwrap();
    let first = world.lock().armed;
    world.advance(60);
    end().unwrap();
    assert_eq!(world.lock().armed, first, "the end is counted once");
    assert_eq!(first.unwrap().1, crate::testing::at("2026-03-16T12:17:00Z"));
}

#[test]
fn nothing_is_scanned_before_connect_and_a_lost_alarm_is_mended() {
    let world = World::new();
    world.settle_down(3);
    assert_eq!(world.lock().armed, None);
    let engine = world.engine("web");
    engine.start_now(&tenant()).now_or_never().unwrap().unwrap();
    world.lock().armed = None;
    world.settle_down(1);
    assert_eq!(world.lock().armed.unwrap().0, RunNumber(1));
}

#[test]
fn a_preview_and_a_look_write_nothing() {
    let world = World::new();
    let engine = world.engine("web");
    let preview = engine.preview(&tenant(), ORDER).now_or_never().unwrap();
    assert!(matches!(
        preview.unwrap(),
        crate::usecase::Preview::Bill { .. }
    ));
    let seen: Vec<Scanned> = engine.look(&tenant()).now_or_never().unwrap().unwrap();
    assert!(seen[0].judged.is_ok());
    assert!(world.lock().writes.is_empty() && world.lock().records.is_empty());
}

#[test]
fn a_todo_whose_create_is_in_doubt_is_not_made_twice() {
    let world = refusing();
    scan(&world);
    world.work();
    assert!(matches!(world.record().todo, Todo::Open { .. }));
    assert_eq!(Code::TodoOutcomeUnknown.class(), FailureClass::InDoubt);
    assert_eq!(world.lock().todos.len(), 1);
}

#[test]
fn reopened_books_are_seen_at_once_although_no_change_request_tells() {
    let world = World::new();
    world.lock().content.company.book_close_date = Some("2026-03-31".parse().unwrap());
    scan(&world);
    let engine = world.engine("engine");
    world.sync_by(&engine, Origin::Scan, &[ORDER]).unwrap();
    assert_eq!(world.record().notice().unwrap().code, Code::BooksClosed);
    world.lock().content.company.book_close_date = None;
    world.sync_by(&engine, Origin::Retry, &[ORDER]).unwrap();
    assert_eq!(world.state(), Linked);
}
