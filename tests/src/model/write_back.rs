//! The way from a bill to its number in Autotask.

use purser_core::{
    notice::{Code, Notice},
    policy::Guards,
    protocol::{forget_late_number, next_generation, note_late_number, wait_for_landing},
    record::{BillLink, State},
};

use super::{
    Property,
    attempt::{commit, put_off},
    moves::{Brought, leave},
    world::{LateWrite, Number, Phase, World, bill_place, by_our_clock, policy},
};

pub(super) fn verify(world: &mut World, worker: usize, guards: Guards) -> Brought {
    let (number, now) = (world.number, world.now());
    let record = &mut world.workers[worker].as_mut().expect("an attempt").record;
    let State::Created { bill } = record.state.clone() else {
        unreachable!("it is to be verified")
    };
    let place = bill_place(bill.id.as_str());
    if world.bills[usize::from(place)].is_alive {
        let seen_under = record.fence;
        forget_late_number(record, &bill);
        record.state = State::Created {
            bill: BillLink { seen_under, ..bill },
        };
    } else {
        let earlier = record
            .late_number
            .as_ref()
            .and_then(|late| late.bill.clone());
        let stands = |it: &BillLink| number == Number::Bill(bill_place(it.id.as_str()));
        let dead = [Some(bill.clone()), earlier]
            .into_iter()
            .flatten()
            .find(stands);
        note_late_number(record, &bill, by_our_clock(now), &policy());
        record.wait = None;
        let pause = wait_for_landing(record, by_our_clock(now), (&policy(), &guards));
        if let Some(bill) = dead {
            record.state = State::Orphaned { bill };
        } else if pause.is_some() {
            record.wait = pause;
        } else {
            record.late_number = None;
            next_generation(record, &guards);
            record.state = State::Queued;
        }
    }
    commit(world, worker, guards)
}

pub(super) fn read_order(world: &mut World, worker: usize, guards: Guards) -> Brought {
    let (at, number, now) = (world.at, world.number, world.now());
    let attempt = world.workers[worker].as_mut().expect("an attempt");
    (attempt.read_at, attempt.number) = (at, number);
    let State::Created { bill } = attempt.record.state.clone() else {
        unreachable!("its number is to be written")
    };
    let record = &mut attempt.record;
    let pause = wait_for_landing(record, by_our_clock(now), (&policy(), &guards));
    let is_foreign =
        !matches!(number, Number::Blank) && number != Number::Bill(bill_place(bill.id.as_str()));
    if let Some(pause) = pause.filter(|_| !is_foreign) {
        record.wait = Some(pause);
        return commit(world, worker, guards);
    }
    match number {
        Number::Blank => {
            attempt.phase = Phase::WillWrite;
            Brought::default()
        }
        Number::Bill(place) if place == bill_place(bill.id.as_str()) => {
            link(world, worker, bill, guards)
        }
        Number::Bill(_) | Number::Typed => {
            attempt.record.wait = None;
            attempt.record.state = State::NeedsPerson {
                notice: Notice::new(Code::NumberByHand),
                intent: None,
                bill: Some(bill),
            };
            commit(world, worker, guards)
        }
    }
}

/// Whether a write may leave: the order is still the attempt's own, and its reading a current one.
/// Else the attempt ends, or reads again.
fn may_leave(world: &mut World, worker: usize, guards: Guards) -> bool {
    let (at, now) = (world.at, world.now());
    let attempt = world.workers[worker].as_mut().expect("an attempt");
    let lease = attempt.record.lease.as_ref();
    if guards.fence && lease.is_none_or(|lease| lease.until <= now) {
        leave(world, worker);
        return false;
    }
    if attempt.read_at != at {
        attempt.phase = Phase::Ready;
        return false;
    }
    true
}

pub(super) fn write(world: &mut World, worker: usize, guards: Guards) -> Brought {
    if !may_leave(world, worker, guards) {
        return Brought::default();
    }
    let attempt = world.workers[worker].as_mut().expect("an attempt");
    let bill = attempt.record.bill().expect("a bill");
    let place = bill_place(bill.id.as_str());
    attempt.phase = Phase::Written;
    world.number = Number::Bill(place);
    let was_gone = attempt.gone_before & (1 << place) != 0;
    Brought {
        broken: was_gone.then_some(Property::NoDeadNumber),
        transition: None,
    }
}

/// The number is on its way, and nobody knows whether it will stand there.
pub(super) fn lose_write(world: &mut World, worker: usize, guards: Guards) -> Brought {
    if !may_leave(world, worker, guards) {
        return Brought::default();
    }
    leave_late(world, worker);
    put_off(world, worker, Code::AutotaskUnreachable, guards)
}

/// The worker dies with its write under way.
pub(super) fn die_writing(world: &mut World, worker: usize, guards: Guards) -> Brought {
    if may_leave(world, worker, guards) {
        leave_late(world, worker);
        world.crashes += 1;
        leave(world, worker);
    }
    Brought::default()
}

fn leave_late(world: &mut World, worker: usize) {
    let attempt = world.workers[worker].as_ref().expect("an attempt");
    let bill = bill_place(attempt.record.bill().expect("a bill").id.as_str());
    world.late_writes += 1;
    let sent_at = world.at;
    world.late.push(LateWrite { bill, sent_at });
}

pub(super) fn read_back(world: &mut World, worker: usize, guards: Guards) -> Brought {
    let number = world.number;
    let attempt = world.workers[worker].as_ref().expect("an attempt");
    let bill = attempt.record.bill().expect("a bill").clone();
    if number == Number::Bill(bill_place(bill.id.as_str())) {
        link(world, worker, bill, guards)
    } else {
        put_off(world, worker, Code::WriteBackNotKept, guards)
    }
}

fn link(world: &mut World, worker: usize, bill: BillLink, guards: Guards) -> Brought {
    let record = &mut world.workers[worker].as_mut().expect("an attempt").record;
    record.wait = None;
    record.late_number = None;
    record.state = State::Linked { bill };
    commit(world, worker, guards)
}
