//! Stories of people who are asked to decide between bills, and of what they do meanwhile.

use crate::ids::StatusId;

use super::*;

fn delete(world: &World, id: &str) {
    world
        .lock()
        .bills
        .retain(|(bill, _)| bill.id.as_str() != id);
}

/// The goods arrive, and the status of the order says so.
fn receive(world: &World) {
    world.lock().orders.get_mut(&ORDER).unwrap().status = Some(StatusId::new(9));
}

fn retry(world: &World) {
    ask(world, Origin::Retry);
    world.work();
}

/// A bill that is ours, made by another process.
fn bill_of_ours(world: &World, id: &str) {
    let maker = World::new();
    scan(&maker);
    maker.work();
    let mut bill = maker.lock().bills[0].clone();
    bill.0.id = id.parse().unwrap();
    bill.1 = world.lock().now;
    world.lock().bills.push(bill);
}

/// An order whose bill was sent once, and nobody knows whether it arrived.
fn doubtful() -> World {
    let world = World::new();
    scan(&world);
    world.lock().messages.clear();
    world.lock().refusals.push(Code::OutcomeUnknown);
    world.sync(Origin::Scan).unwrap();
    world
}

#[test]
fn between_bills_of_an_order_that_was_received_meanwhile_is_decided_all_the_same() {
    let world = World::new();
    scan(&world);
    world.work();
    copy_bill(&world, "900");
    reconcile(&world);
    receive(&world);
    retry(&world);
    let still = (world.state(), world.open_todos().len());
    assert_eq!(still, (NeedsPerson, 1), "nothing was decided");
    delete(&world, "900");
    retry(&world);
    assert_eq!((world.state(), world.open_todos().len()), (Linked, 0));
}

#[test]
fn a_stray_of_a_cancelled_order_is_deleted_and_its_todo_is_completed() {
    let world = doubtful();
    receive(&world);
    world.settle_down(3);
    assert_eq!(world.state(), Skipped);
    bill_of_ours(&world, "900");
    assert_eq!(reconcile(&world).stray, [ORDER]);
    world.settle_down(3);
    assert_eq!(world.open_todos().len(), 1);
    retry(&world);
    assert_eq!(
        (world.state(), world.open_todos().len()),
        (Linked, 0),
        "kept"
    );

    let world = doubtful();
    receive(&world);
    world.settle_down(3);
    bill_of_ours(&world, "900");
    reconcile(&world);
    delete(&world, "900");
    retry(&world);
    world.settle_down(1);
    assert_eq!((world.state(), world.open_todos().len()), (Skipped, 0));
    assert_eq!(world.bills().len(), 0);
}

#[test]
fn a_third_bill_makes_nobody_forget_a_second_one_that_is_older_than_what_is_looked_at() {
    let world = World::new();
    scan(&world);
    world.work();
    copy_bill(&world, "900");
    assert_eq!(reconcile(&world).twice, [ORDER]);
    world.lock().bills[1].1 = crate::testing::at("2020-01-01T00:00:00Z");
    copy_bill(&world, "902");
    assert_eq!(reconcile(&world).twice, [ORDER]);
    world.settle_down(5);
    let [todo] = world.open_todos().try_into().unwrap();
    assert!(todo.contains("it: 900, 902."), "{todo}");
    delete(&world, "902");
    retry(&world);
    let still = (world.state(), world.open_todos().len());
    assert_eq!(still, (NeedsPerson, 1), "the second one still stands");
}

#[test]
fn a_second_stray_makes_nobody_forget_the_first_and_neither_is_linked_unasked() {
    let world = refusing();
    scan(&world);
    world.work();
    bill_of_ours(&world, "900");
    assert_eq!(reconcile(&world).stray, [ORDER]);
    world.lock().bills[0].1 = crate::testing::at("2020-01-01T00:00:00Z");
    bill_of_ours(&world, "902");
    assert_eq!(reconcile(&world).stray, [ORDER]);
    world.settle_down(5);
    let [todo] = world.open_todos().try_into().unwrap();
    assert!(todo.contains("bill 900, 902."), "{todo}");
    delete(&world, "902");
    retry(&world);
    assert_eq!(world.state(), NeedsPerson, "ERROR still stands there");
    world.set_external(None);
    retry(&world);
    assert_eq!(
        (world.state(), world.bills()),
        (Linked, vec!["900".to_owned()])
    );
}

#[test]
fn a_bill_that_the_order_names_is_no_stray() {
    let world = World::new();
    scan(&world);
    world.set_external(Some("900"));
    world.work();
    assert_eq!(world.state(), Skipped);
    bill_of_ours(&world, "900");
    assert_eq!(reconcile(&world), Reconciled::default());
    bill_of_ours(&world, "901");
    assert_eq!(reconcile(&world).stray, [ORDER], "of two one is too many");
}

#[test]
fn of_several_bills_the_one_whose_number_was_entered_is_linked() {
    let world = doubtful();
    bill_of_ours(&world, "900");
    bill_of_ours(&world, "901");
    world.settle_down(3);
    let code = |world: &World| world.record().notice().unwrap().code;
    assert_eq!(
        (world.state(), code(&world)),
        (NeedsPerson, Code::SeveralBills)
    );
    world.set_external(Some("901"));
    retry(&world);
    assert_eq!(
        (world.state(), code(&world)),
        (NeedsPerson, Code::SeveralBills)
    );
    delete(&world, "900");
    retry(&world);
    assert_eq!((world.state(), world.open_todos().len()), (Linked, 0));
    assert_eq!(reconcile(&world), Reconciled::default());
}

#[test]
fn a_number_that_was_entered_after_giving_up_hides_no_bill_of_ours() {
    let world = World::new();
    scan(&world);
    world.lock().messages.clear();
    world.lock().refusals = vec![Code::QuickBooksFailing; 1000];
    world.settle_down(12 * 30);
    assert_eq!(world.record().notice().unwrap().code, Code::GivenUp);
    let [todo] = world.open_todos().try_into().unwrap();
    let remedy = "Remedy: Wait until that has passed. Then retry.";
    assert!(todo.contains(remedy), "{todo}");
    world.lock().refusals.clear();
    bill_of_ours(&world, "900");
    world.set_external(Some("MY-77"));
    retry(&world);
    assert_eq!(world.state(), NeedsPerson);
    assert_eq!(world.record().notice().unwrap().code, Code::NumberByHand);
    delete(&world, "900");
    retry(&world);
    world.settle_down(1);
    assert_eq!((world.state(), world.open_todos().len()), (Skipped, 0));
}

#[test]
fn what_waits_because_quickbooks_asked_for_quiet_is_not_noted_as_sent() {
    let world = World::new();
    let other = add_second(&world);
    world.lock().refusals = vec![Code::OutcomeUnknown; 2];
    let engine = world.engine("engine");
    let orders = [ORDER, other];
    world.sync_by(&engine, Origin::Scan, &orders).unwrap();
    world.advance(600);
    world.lock().refusals = vec![Code::QuickBooksThrottled];
    world.sync_by(&engine, Origin::Sweep, &orders).unwrap();
    let sends = |order: OrderId| match &world.lock().records[&order].0.state {
        State::Planned { intent } => (intent.sends, intent.in_doubt),
        state => panic!("{state:?}"),
    };
    assert_eq!(sends(ORDER), (2, false));
    assert_eq!(sends(other).0, 1, "it never left");
}

/// Of two bills that were made for one order one differs from what was sent.
fn differing() -> World {
    let world = doubtful();
    bill_of_ours(&world, "901");
    world.lock().bills[0].0.total += crate::testing::decimal("1");
    world.settle_down(3);
    assert_eq!(world.record().notice().unwrap().code, Code::BillDiffers);
    world
}

#[test]
fn a_bill_that_is_kept_is_linked_although_no_lookup_for_what_was_sent_sees_it() {
    let world = differing();
    bill_of_ours(&world, "900");
    assert_eq!(reconcile(&world).twice, [ORDER]);
    world.lock().bills[1].1 = crate::testing::at("2020-01-01T00:00:00Z");
    delete(&world, "901");
    retry(&world);
    assert_eq!(
        (world.state(), world.bills()),
        (Linked, vec!["900".to_owned()])
    );
    assert_eq!(world.open_todos().len(), 0);
}

#[test]
fn a_bill_that_differs_still_differs_when_a_second_one_is_deleted() {
    let world = differing();
    bill_of_ours(&world, "900");
    assert_eq!(reconcile(&world).twice, [ORDER]);
    delete(&world, "900");
    retry(&world);
    assert_eq!(world.state(), NeedsPerson);
    assert_eq!(world.record().notice().unwrap().code, Code::BillDiffers);
}

#[test]
fn a_bill_in_another_currency_than_was_sent_is_shown_to_a_person() {
    for (made_in, state) in [("USD", Linked), ("EUR", NeedsPerson)] {
        let world = World::new();
        world.lock().content.company.multi_currency = true;
        world.lock().currency = Some(crate::testing::currency(made_in));
        scan(&world);
        world.work();
        assert_eq!(
            (world.state(), world.bills().len()),
            (state, 1),
            "{made_in}"
        );
        let notice = world.record().notice().map(|notice| notice.code);
        assert_eq!(notice, (state == NeedsPerson).then_some(Code::BillDiffers));
    }
}

#[test]
fn of_two_bills_neither_is_kept_and_one_new_one_is_made() {
    let world = differing();
    bill_of_ours(&world, "900");
    assert_eq!(reconcile(&world).twice, [ORDER]);
    world.lock().bills.clear();
    retry(&world);
    world.settle_down(1);
    assert_eq!((world.state(), world.bills().len()), (Linked, 1));
    assert_eq!(world.record().generation, 2);
}

#[test]
fn a_bill_that_was_entered_in_place_of_one_that_differs_is_told_as_what_it_is() {
    let world = differing();
    delete(&world, "901");
    bill_of_ours(&world, "902");
    assert_eq!(reconcile(&world).stray, [ORDER]);
    world.settle_down(3);
    let [todo] = world.open_todos().try_into().unwrap();
    assert!(todo.contains("keep the bill 902, clear"), "{todo}");
    world.set_external(None);
    retry(&world);
    assert_eq!(
        (world.state(), world.bills()),
        (Linked, vec!["902".to_owned()])
    );
}

#[test]
fn between_bills_of_an_order_that_is_gone_is_decided_all_the_same() {
    let world = World::new();
    scan(&world);
    world.work();
    copy_bill(&world, "900");
    reconcile(&world);
    world.lock().orders.remove(&ORDER);
    world.lock().bills.clear();
    retry(&world);
    world.settle_down(1);
    assert_eq!((world.state(), world.open_todos().len()), (Skipped, 0));
}

#[test]
fn a_second_bill_under_the_number_that_the_order_names_is_told() {
    let world = World::new();
    scan(&world);
    world.set_external(Some("PO-1001"));
    world.work();
    for id in ["900", "901"] {
        bill_of_ours(&world, id);
        let mut inner = world.lock();
        let made = inner.bills.last_mut().unwrap();
        made.0.number = Some("PO-1001".to_owned());
    }
    world.lock().bills[0].1 = crate::testing::at("2020-01-01T00:00:00Z");
    assert_eq!(reconcile(&world).stray, [ORDER]);
    let told = world.record().notice().unwrap().text();
    assert!(told.contains("900") && told.contains("901"), "{told}");
}
