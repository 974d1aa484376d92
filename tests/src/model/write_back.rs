//! The way from a bill to its number in Autotask.

use purser_core::{
    notice::{Code, Notice},
    policy::Guards,
    protocol::next_generation,
    record::{BillLink, State},
};

use super::{
    Property,
    attempt::{commit, put_off},
    moves::Brought,
    world::{Number, Phase, World, bill_place},
};

pub(super) fn verify(world: &mut World, worker: usize, guards: Guards) -> Brought {
    let number = world.number;
    let record = &mut world.workers[worker].as_mut().expect("an attempt").record;
    let State::Created { bill } = record.state.clone() else {
        unreachable!("it is to be verified")
    };
    let place = bill_place(bill.id.as_str());
    record.wait = None;
    record.state = if world.bills[usize::from(place)].is_alive {
        let seen_under = record.fence;
        State::Created {
            bill: BillLink { seen_under, ..bill },
        }
    } else if number == Number::Bill(place) {
        State::Orphaned { bill }
    } else {
        next_generation(record, &guards);
        State::Queued
    };
    commit(world, worker, guards)
}

pub(super) fn read_order(world: &mut World, worker: usize, guards: Guards) -> Brought {
    let (at, number) = (world.at, world.number);
    let attempt = world.workers[worker].as_mut().expect("an attempt");
    (attempt.read_at, attempt.number) = (at, number);
    let State::Created { bill } = attempt.record.state.clone() else {
        unreachable!("its number is to be written")
    };
    match number {
        Number::Blank => {
            attempt.phase = Phase::WillWrite;
            Brought::default()
        }
        Number::Bill(place) if place == bill_place(bill.id.as_str()) => {
            link(world, worker, bill, guards)
        }
        Number::Bill(_) => {
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

pub(super) fn write(world: &mut World, worker: usize) -> Brought {
    let at = world.at;
    let attempt = world.workers[worker].as_mut().expect("an attempt");
    if attempt.read_at != at {
        // The reading is no longer a current one.
        attempt.phase = Phase::Ready;
        return Brought::default();
    }
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
    record.state = State::Linked { bill };
    commit(world, worker, guards)
}
