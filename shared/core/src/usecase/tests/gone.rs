//! Stories of orders whose bill a person deleted.

use crate::{notice::Notice, usecase::commit::waiting_for};

use super::*;

/// An order that is billed, with what was written into it.
fn billed() -> (World, String) {
    let world = World::new();
    scan(&world);
    world.work();
    assert_eq!(world.state(), Linked);
    let number = world.external().unwrap();
    (world, number)
}

/// The same, once its bill is deleted, its number cleared, and that was noticed.
fn cleared() -> (World, String) {
    let (world, number) = billed();
    world.lock().bills.clear();
    world.set_external(None);
    scan(&world);
    world.work();
    (world, number)
}

fn waits_for(world: &World) -> Option<Code> {
    world.record().wait.map(|wait| wait.notice.code)
}

#[test]
fn a_deleted_bill_and_a_cleared_number_make_one_new_bill() {
    let (world, number) = cleared();
    assert_eq!(world.state(), Created);
    assert_eq!(waits_for(&world), Some(Code::NumberMayLand));
    world.settle_down(1);
    assert_eq!((world.state(), world.record().generation), (Linked, 2));
    assert_eq!(world.bills().len(), 1);
    assert_eq!(world.external().unwrap(), world.bills()[0]);
    assert_ne!(world.external().unwrap(), number);
    assert_eq!(waits_for(&world), None);
}

#[test]
fn a_number_that_lands_late_meets_no_other_bill_and_is_told() {
    for lands_after in [1, 60, 149] {
        let (world, number) = cleared();
        let until = world.record().wait.unwrap().not_before;
        world.advance(lands_after);
        ask(&world, Origin::Person);
        world.work();
        let wait = world.record().wait.unwrap();
        assert_eq!(wait.not_before, until, "whoever asks shortens nothing");
        assert_eq!(world.bills().len(), 0);
        world.set_external(Some(&number));
        world.settle_down(3);
        assert_eq!(world.state(), Orphaned, "{lands_after}");
        assert_eq!((world.bills().len(), world.open_todos().len()), (0, 1));
        assert_eq!(world.external().as_ref(), Some(&number), "it stays");
    }
}

/// An order whose bill is stored as made, and deleted before anybody looked again; with its number,
/// which may be on its way.
fn made() -> (World, String) {
    let made = (1..100).find_map(|at| {
        let world = World::new();
        scan(&world);
        let before = world.lock().calls;
        world.lock().fault = Some((before + at, Fault::DeadAfter));
        let _ = world.sync(Origin::Scan);
        let is_made = world.lock().records.contains_key(&ORDER)
            && world.state() == Created
            && world.external().is_none();
        is_made.then_some(world)
    });
    let world = made.unwrap();
    world.lock().fault = None;
    world.lock().messages.clear();
    let number = world.bills()[0].clone();
    world.lock().bills.clear();
    world.advance(121);
    (world, number)
}

/// What may not be transferred just now may be in a moment.
#[test]
fn what_people_do_meanwhile_lets_no_number_land_unnoticed() {
    type Hands<'h> = &'h dyn Fn(&World);
    let nothing: Hands<'_> = &|_| {};
    let types: Hands<'_> = &|world| world.set_external(Some("by hand"));
    let clears: Hands<'_> = &|world| world.set_external(None);
    let marks: Hands<'_> = &|world| world.set_external(Some("ERROR"));
    let submitted = World::new().lock().orders[&ORDER].status;
    let set_status = |world: &World, status| {
        world.lock().orders.get_mut(&ORDER).unwrap().status = status;
    };
    let receives: Hands<'_> = &|world| set_status(world, Some(crate::ids::StatusId::new(9)));
    let submits_again: Hands<'_> = &|world| set_status(world, submitted);
    let hands = [
        (types, nothing),
        (types, clears),
        (marks, clears),
        (receives, submits_again),
    ];
    for (place, (before, then)) in hands.into_iter().enumerate() {
        let (world, number) = made();
        before(&world);
        world.sync(Origin::Sweep).unwrap();
        then(&world);
        scan(&world);
        world.work();
        world.advance(20);
        assert_eq!(world.bills().len(), 0, "{place}");
        world.set_external(Some(&number));
        world.settle_down(3);
        assert_eq!(world.state(), Orphaned, "{place}");
        assert_eq!((world.bills().len(), world.open_todos().len()), (0, 1));
    }
    let (world, _) = made();
    types(&world);
    world.settle_down(2);
    assert_eq!((world.state(), world.bills().len()), (Skipped, 0));
    assert_eq!(world.external().as_deref(), Some("by hand"));
}

/// The reading that says "blank" is one from after the wait and from after the bill was asked for.
#[test]
fn a_number_that_lands_at_the_last_moment_is_seen() {
    let (world, _) = billed();
    let before = world.lock().calls;
    world.sync(Origin::Sweep).unwrap();
    let to_the_order = world.lock().calls - before;
    // Then the order is claimed, its bill asked for, and the order read once more.
    for at in 1..=to_the_order + 3 {
        let (world, number) = cleared();
        world.advance(166);
        let lands = move |world: &World| world.set_external(Some(&number));
        let before = world.lock().calls;
        world.lock().meanwhile = Some((before + at, Box::new(lands)));
        world.sync(Origin::Sweep).unwrap();
        assert_eq!((world.state(), world.bills().len()), (Orphaned, 0), "{at}");
    }
}

#[test]
fn whoever_asks_is_not_told_of_the_bill_that_is_gone() {
    let (world, _) = cleared();
    let report = world.sync(Origin::Person).unwrap();
    let [outcome] = report.outcomes.try_into().unwrap();
    assert_eq!(outcome.outcome, OutcomeKind::InDoubt);
    assert_eq!(outcome.bill, None);
    assert_eq!(outcome.code.as_deref(), Some("doubt.number_may_land"));
    let until = world.record().wait.unwrap().not_before;
    assert_eq!(outcome.next_attempt, Some(until));
    // What holds up everything is told before what holds up this order.
    let notice = Notice::new(Code::NotConnected);
    let outcome = waiting_for(&world.record(), &notice, None);
    assert_eq!(outcome.outcome, OutcomeKind::Waiting);
    assert_eq!(outcome.code.as_deref(), Some("connection.missing"));
    assert_eq!((outcome.bill, outcome.next_attempt), (None, None));
}

#[test]
fn a_bill_that_is_there_after_all_and_gone_once_more_is_waited_for_anew() {
    // The process dies as soon as it has noted that the bill is there.
    let noted = (1..100).find_map(|at| {
        let (world, _) = billed();
        let bills = std::mem::take(&mut world.lock().bills);
        world.set_external(None);
        scan(&world);
        world.work();
        world.advance(167);
        world.lock().bills = bills;
        let before = world.lock().calls;
        world.lock().fault = Some((before + at, Fault::DeadAfter));
        let _ = world.sync(Origin::Sweep);
        let is_noted = world.state() == Created && waits_for(&world).is_none();
        is_noted.then_some(world)
    });
    let world = noted.unwrap();
    assert_eq!(world.external(), None);
    world.lock().bills.clear();
    world.settle_down(1);
    assert_eq!(world.state(), Created);
    assert_eq!(waits_for(&world), Some(Code::NumberMayLand));
}

#[test]
fn a_deleted_bill_with_its_number_is_told_and_never_made_again_by_itself() {
    let (world, number) = billed();
    world.lock().bills.clear();
    assert_eq!(reconcile(&world).gone, [ORDER]);
    world.settle_down(5);
    assert_eq!(world.state(), Orphaned);
    assert_eq!(world.external(), Some(number.clone()));
    assert_eq!(world.open_todos().len(), 1);
    // Cleared, and at once there again: a first write of it, which gave no answer, was late.
    world.set_external(None);
    scan(&world);
    world.work();
    assert_eq!(waits_for(&world), Some(Code::NumberMayLand));
    world.set_external(Some(&number));
    world.settle_down(1);
    assert_eq!((world.state(), world.bills().len()), (Orphaned, 0));
    world.set_external(None);
    scan(&world);
    world.work();
    world.settle_down(1);
    assert_eq!((world.state(), world.bills().len()), (Linked, 1));
    assert_eq!(world.open_todos().len(), 0);
}

#[test]
fn a_failure_at_the_end_of_the_wait_does_not_begin_it_anew() {
    for at in 1..=8 {
        let (world, _) = cleared();
        world.advance(167);
        let before = world.lock().calls;
        world.lock().fault = Some((before + at, Fault::Before));
        let _ = world.sync(Origin::Sweep);
        world.lock().fault = None;
        assert_eq!(world.bills().len(), 0, "{at}");
        // A lease, and the first wait after a failure.
        world.advance(121);
        world.sync(Origin::Sweep).unwrap();
        assert_eq!((world.state(), world.bills().len()), (Linked, 1), "{at}");
    }
}

/// A billed order with a copy of its bill, which a person keeps: the first one is deleted.
fn kept() -> (World, String) {
    let (world, number) = billed();
    copy_bill(&world, "900");
    assert_eq!(reconcile(&world).twice, [ORDER]);
    let is_first = |bill: &crate::books::BillSummary| bill.id.as_str() == number;
    world.lock().bills.retain(|(bill, _)| !is_first(bill));
    (world, number)
}

/// The same, once its number is cleared and Retry pressed.
fn replaced() -> (World, String) {
    let (world, number) = kept();
    world.set_external(None);
    ask(&world, Origin::Retry);
    world.work();
    (world, number)
}

#[test]
fn whoever_keeps_a_bill_and_leaves_the_number_of_the_other_is_told_at_once() {
    let (world, _) = kept();
    ask(&world, Origin::Retry);
    world.work();
    let notice = world.record().notice().unwrap().code;
    assert_eq!((world.state(), notice), (NeedsPerson, Code::NumberByHand));
    assert_eq!(world.open_todos().len(), 1);
    // Clearing it is not enough as long as it may land once more.
    world.set_external(None);
    ask(&world, Origin::Retry);
    world.work();
    assert_eq!(waits_for(&world), Some(Code::NumberMayLand));
    world.settle_down(2);
    assert_eq!((world.state(), world.open_todos().len()), (Linked, 0));
}

/// A person deletes the bill that they kept, too, and the number of the first one lands.
#[test]
fn a_number_of_the_bill_before_the_last_one_is_told_as_well() {
    // With a failure of any of the calls at the end of the wait, or of none.
    for (lands_after, fails) in [(1, 0), (149, 0), (149, 1), (149, 2), (149, 3), (149, 4)] {
        let (world, number) = replaced();
        world.lock().bills.clear();
        world.advance(lands_after);
        world.set_external(Some(&number));
        if fails > 0 {
            world.advance(20);
            let before = world.lock().calls;
            world.lock().fault = Some((before + fails, Fault::Before));
            let _ = world.sync(Origin::Sweep);
            world.lock().fault = None;
        }
        world.settle_down(3);
        let told = (world.state(), world.open_todos().len());
        assert_eq!(told, (Orphaned, 1), "{lands_after} {fails}");
        // Asking changes nothing while it stands there.
        ask(&world, Origin::Retry);
        world.work();
        world.settle_down(3);
        assert_eq!((world.state(), world.open_todos().len()), (Orphaned, 1));
        world.set_external(None);
        scan(&world);
        world.work();
        world.settle_down(4);
        assert_eq!((world.state(), world.bills().len()), (Linked, 1));
        assert_eq!(world.open_todos().len(), 0);
    }
}

/// Of two orders in one message only the one waits.
#[test]
fn an_order_that_waits_for_a_number_holds_no_other_up() {
    let (world, _) = kept();
    world.set_external(None);
    let other = add_second(&world);
    let engine = world.engine("engine");
    let report = world.sync_by(&engine, Origin::Retry, &[ORDER, other]);
    let report = report.unwrap();
    let kinds: Vec<_> = report.outcomes.iter().map(|told| told.outcome).collect();
    assert_eq!(kinds, [OutcomeKind::InDoubt, OutcomeKind::Billed]);
}

#[test]
fn a_bill_that_a_person_keeps_is_linked_once_the_number_of_the_other_cannot_land() {
    let (world, number) = replaced();
    assert_eq!(world.state(), Created);
    assert_eq!(waits_for(&world), Some(Code::NumberMayLand));
    assert_eq!(world.record().notice().unwrap().words["number"], number);
    assert_eq!(world.external(), None);
    world.settle_down(2);
    assert_eq!((world.state(), world.open_todos().len()), (Linked, 0));
    assert_eq!(world.external().as_deref(), Some("900"));
    assert_eq!(world.record().late_number, None);
    assert_eq!(world.bills(), ["900"]);

    for lands_after in [1, 60, 149] {
        let (world, number) = replaced();
        world.advance(lands_after);
        ask(&world, Origin::Person);
        world.work();
        assert_eq!((world.state(), world.external()), (Created, None));
        world.set_external(Some(&number));
        world.settle_down(3);
        let notice = world.record().notice().unwrap().code;
        assert_eq!((world.state(), notice), (NeedsPerson, Code::NumberByHand));
        assert_eq!(world.open_todos().len(), 1, "{lands_after}");
        world.set_external(None);
        ask(&world, Origin::Retry);
        world.work();
        assert_eq!((world.state(), world.open_todos().len()), (Linked, 0));
        assert_eq!(world.external().as_deref(), Some("900"));
    }
}

/// The number of the bill that is kept stands there already, and the other one lands over it.
#[test]
fn a_number_that_a_person_typed_for_the_bill_they_keep_is_waited_for_too() {
    let (world, number) = replaced();
    world.set_external(Some("900"));
    ask(&world, Origin::Retry);
    world.work();
    assert_eq!(world.state(), Created);
    world.set_external(Some(&number));
    world.settle_down(2);
    assert_eq!(world.state(), NeedsPerson);
}

#[test]
fn a_stray_that_is_kept_in_the_place_of_a_deleted_bill_waits_for_its_number_too() {
    let (world, number) = billed();
    let first = world.lock().bills[0].clone();
    world.lock().bills.clear();
    ask(&world, Origin::Person);
    world.work();
    assert_eq!(world.state(), Orphaned);
    world.lock().bills.push(first);
    copy_bill(&world, "900");
    world.lock().bills.remove(0);
    assert_eq!(reconcile(&world).stray, [ORDER]);
    world.set_external(None);
    ask(&world, Origin::Retry);
    world.work();
    assert_eq!(waits_for(&world), Some(Code::NumberMayLand));
    assert_eq!(world.record().notice().unwrap().words["number"], number);
    world.settle_down(2);
    assert_eq!(world.state(), Linked);
    assert_eq!(world.external().as_deref(), Some("900"));
}
