//! Stories of ERROR that Autotask writes late, when its cause is mended and the order billed.

use super::*;

/// A refused order whose ERROR met this fault, so that nobody knows whether it will stand there.
fn unanswered(fault: Fault) -> World {
    let met = (1..100).find_map(|at| {
        let world = refusing();
        scan(&world);
        let before = world.lock().calls;
        world.lock().fault = Some((before + at, fault));
        let _ = world.sync(Origin::Scan);
        let is_stored = world.lock().records.contains_key(&ORDER);
        let is_met = is_stored && world.state() == Refused && world.external().is_none();
        is_met.then_some(world)
    });
    let world = met.unwrap();
    world.lock().fault = None;
    world.lock().messages.clear();
    world
}

fn mend(world: &World) {
    world.put(DocumentKind::Settings, &settings());
    ask(world, Origin::Retry);
    world.work();
}

#[test]
fn error_that_lands_late_does_not_stay_over_the_number_of_the_bill() {
    for (fault, rest) in [(Fault::Before, 1), (Fault::DeadBefore, 121)] {
        for lands_after in [1, 60, 149] {
            let world = unanswered(fault);
            world.advance(rest);
            mend(&world);
            assert_eq!((world.state(), world.bills().len()), (Created, 1));
            assert_eq!(world.external(), None, "it waits for what may land");
            let notice = world.record().wait.unwrap().notice;
            assert_eq!(notice.code, Code::NumberMayLand);
            assert_eq!(notice.words["number"], "ERROR");
            world.advance(lands_after);
            world.set_external(Some("ERROR"));
            world.settle_down(2);
            let [bill] = world.bills().try_into().unwrap();
            assert_eq!((world.state(), world.external()), (Linked, Some(bill)));
            assert_eq!(world.open_todos().len(), 0);
            assert_eq!(world.record().late_number, None);
        }
    }
}

/// Whoever owed it died over the write, another one wrote it, and the first write lands at last.
#[test]
fn error_that_another_attempt_wrote_too_is_waited_for_as_well() {
    let world = unanswered(Fault::DeadBefore);
    world.advance(121);
    world.sync(Origin::Sweep).unwrap();
    assert_eq!(world.external().as_deref(), Some("ERROR"));
    mend(&world);
    assert_eq!((world.state(), world.bills().len()), (Created, 1));
    world.settle_down(2);
    assert_eq!(world.state(), Linked);
}

#[test]
fn error_that_was_answered_makes_nobody_wait() {
    let world = refusing();
    scan(&world);
    world.work();
    assert_eq!(world.external().as_deref(), Some("ERROR"));
    mend(&world);
    assert_eq!((world.state(), world.open_todos().len()), (Linked, 0));
}

/// A number that a person types and clears lets nobody forget that ERROR may land.
#[test]
fn error_is_not_forgotten_over_a_number_that_a_person_typed_and_cleared() {
    let world = unanswered(Fault::Before);
    world.advance(61);
    world.set_external(Some("by hand"));
    world.sync(Origin::Sweep).unwrap();
    assert_eq!(world.state(), Skipped);
    world.put(DocumentKind::Settings, &settings());
    world.set_external(None);
    scan(&world);
    world.work();
    assert_eq!((world.state(), world.bills().len()), (Created, 1));
    assert_eq!(world.external(), None);
    world.settle_down(2);
    assert_eq!((world.state(), world.open_todos().len()), (Linked, 0));
}

/// Nobody asked but by clearing the field, and a call failed, so that ERROR landed before the bill was
/// linked.
#[test]
fn error_that_lands_before_the_order_is_billed_stops_nothing() {
    let mut seen = std::collections::BTreeSet::new();
    for at in 1..30 {
        let world = unanswered(Fault::Before);
        world.advance(61);
        world.set_external(Some("by hand"));
        world.sync(Origin::Sweep).unwrap();
        world.put(DocumentKind::Settings, &settings());
        world.set_external(None);
        scan(&world);
        let before = world.lock().calls;
        world.lock().fault = Some((before + at, Fault::Before));
        let _ = world.sync(Origin::Scan);
        world.lock().fault = None;
        seen.insert(world.state());
        world.set_external(Some("ERROR"));
        world.settle_down(5);
        let [bill] = world.bills().try_into().unwrap();
        assert_eq!(
            (world.state(), world.external()),
            (Linked, Some(bill)),
            "{at}"
        );
        assert_eq!(world.open_todos().len(), 0);
    }
    assert!(
        seen.is_superset(&[Queued, Planned, Created].into()),
        "{seen:?}"
    );
}
