//! Stories of orders whose bill a person deleted.

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

#[test]
fn an_order_that_may_no_longer_be_transferred_waits_for_nothing() {
    let (world, _) = billed();
    world.lock().bills.clear();
    world.set_external(None);
    scan(&world);
    world.set_external(Some("by hand"));
    // It was found while the field was blank.
    world.lock().records.get_mut(&ORDER).unwrap().0.state = {
        let State::Linked { mut bill } = world.record().state else {
            panic!("it is linked");
        };
        bill.seen_under = 0;
        State::Created { bill }
    };
    world.work();
    assert_eq!(world.state(), Skipped);
    assert_eq!(world.external().as_deref(), Some("by hand"));
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
