//! An attempt at the order, from the claim to the write that ends it.

use std::time::Duration;

use purser_core::{
    eligibility::Ineligible,
    ids::OperationId,
    notice::{Code, Notice},
    policy::Guards,
    ports::Expected,
    protocol::{Step, claim, is_legal, next_step, note_replaced, renew_lease, wait},
    record::{BillLink, State, StateName, SyncRecord},
};

use super::{
    Property, Setting,
    create::{answered, look_up, plan, send},
    moves::{Brought, leave},
    world::{Attempt, LEASE, Number, Phase, World, bill_id, by_our_clock, holder, key, policy},
    write_back::{read_back, read_order, verify, write},
};

pub(super) fn start(world: &mut World, worker: usize, setting: &Setting) -> Brought {
    let now = world.now();
    let expected = world.record.as_ref().map_or(Expected::Absent, |record| {
        Expected::Is(record.operation.clone())
    });
    let fresh = || SyncRecord::queued(key(), "PO4711".to_owned(), operation(0), now);
    let mut record = world.record.clone().unwrap_or_else(fresh);
    if !claim(
        &mut record,
        &holder(worker),
        now,
        &policy(),
        &setting.guards,
    ) {
        return Brought::default();
    }
    world.workers[worker] = Some(Attempt {
        phase: Phase::Ready,
        record,
        expected,
        written_at: None,
        number: world.number,
        read_at: world.at,
        gone_before: world.gone(),
    });
    enter(world, worker, setting.guards)
}

/// What the order as it is now makes of a settled record, as the use case has it for a scan.
fn enter(world: &mut World, worker: usize, guards: Guards) -> Brought {
    let number = world.number;
    let attempt = world.workers[worker].as_mut().expect("an attempt");
    let record = &mut attempt.record;
    let is_blank = number == Number::Blank;
    let state = match &record.state {
        State::Queued if !is_blank => skipped(),
        State::Linked { bill } | State::Orphaned { bill } if is_blank => State::Created {
            bill: BillLink {
                seen_under: 0,
                ..bill.clone()
            },
        },
        State::Skipped { .. } if is_blank => State::Queued,
        State::NeedsPerson {
            notice,
            bill: Some(bill),
            ..
        } if is_blank && notice.code == Code::BillTwice => {
            let bill = bill.clone();
            return decide(world, worker, &bill, guards);
        }
        _ => return Brought::default(),
    };
    record.wait = None;
    record.state = state;
    commit(world, worker, guards)
}

/// A person keeps the copy of a bill, or neither, and presses Retry.
fn decide(world: &mut World, worker: usize, before: &BillLink, guards: Guards) -> Brought {
    let (now, kept) = (
        world.now(),
        world.bills.iter().rposition(|bill| bill.is_alive),
    );
    let record = &mut world.workers[worker].as_mut().expect("an attempt").record;
    // Where none stands, the bill of before is looked for, and another one made.
    let kept = kept.and_then(|place| u8::try_from(place).ok());
    let kept = kept.map_or_else(|| before.id.clone(), bill_id);
    record.wait = None;
    record.state = State::Created {
        bill: BillLink {
            id: kept,
            seen_under: 0,
            ..before.clone()
        },
    };
    note_replaced(record, Some(before), by_our_clock(now), &policy());
    commit(world, worker, guards)
}

pub(super) fn skipped() -> State {
    let number = "there".to_owned();
    State::Skipped {
        reason: Ineligible::HasNumber { number },
    }
}

pub(super) fn operation(number: u32) -> OperationId {
    format!("op{number}").parse().expect("an operation")
}

/// The write of the record, under the conditions of the ledger. A lost race ends the attempt.
pub(super) fn commit(world: &mut World, worker: usize, guards: Guards) -> Brought {
    let (at, now) = (world.at, world.now());
    world.writes += 1;
    let name = operation(world.writes);
    let attempt = world.workers[worker].as_mut().expect("an attempt");
    let from = match (&attempt.expected, &world.record) {
        (Expected::Absent, _) | (_, None) => StateName::Queued,
        (_, Some(stored)) => stored.state.name(),
    };
    let record = &mut attempt.record;
    let to = record.state.name();
    let step = next_step(record, now, &guards);
    let goes_on = !matches!(step, Step::Done | Step::Rest(_));
    if goes_on {
        renew_lease(record, &holder(worker), now, &policy());
    } else {
        record.lease = None;
    }
    record.operation = name.clone();
    record.updated_at = now;
    let stored = world.record.as_ref();
    let is_met = match &attempt.expected {
        _ if !guards.fence => true,
        Expected::Absent => stored.is_none(),
        Expected::Is(operation) => stored
            .is_some_and(|stored| stored.operation == *operation && stored.fence <= record.fence),
        Expected::Any => true,
    };
    if !is_met {
        let is_held = attempt
            .written_at
            .is_some_and(|written| at < written + LEASE);
        leave(world, worker);
        return Brought {
            broken: is_held.then_some(Property::HeldAlone),
            transition: None,
        };
    }
    attempt.expected = Expected::Is(name);
    attempt.written_at = goes_on.then_some(at);
    attempt.phase = Phase::Ready;
    world.record = Some(record.clone());
    if !goes_on {
        leave(world, worker);
    }
    // Without the fence the table cannot be kept: what is there is not what was read.
    let is_kept = !guards.fence || is_legal(from, to);
    Brought {
        broken: (!is_kept).then_some(Property::LegalOnly),
        transition: Some((from, to)),
    }
}

pub(super) fn go(world: &mut World, worker: usize, setting: &Setting) -> Brought {
    let guards = setting.guards;
    let attempt = world.workers[worker].as_ref().expect("an attempt");
    match attempt.phase {
        Phase::Ready => next(world, worker, guards),
        Phase::Armed => send(world, worker, guards),
        Phase::Awaiting => answered(world, worker, guards),
        Phase::WillWrite => write(world, worker, guards),
        Phase::Written => read_back(world, worker, guards),
    }
}

fn next(world: &mut World, worker: usize, guards: Guards) -> Brought {
    let now = world.now();
    let attempt = world.workers[worker].as_ref().expect("an attempt");
    match next_step(&attempt.record, now, &guards) {
        Step::Plan => plan(world, worker, guards),
        Step::Settle => look_up(world, worker, guards),
        Step::Verify => verify(world, worker, guards),
        Step::WriteBack => read_order(world, worker, guards),
        _ if attempt.written_at.is_some() => commit(world, worker, guards),
        _ => {
            leave(world, worker);
            Brought::default()
        }
    }
}

/// The order is read again when its reading is no longer fresh; a number there stops the attempt.
pub(super) fn is_blank_still(world: &mut World, worker: usize) -> bool {
    let (at, number) = (world.at, world.number);
    let attempt = world.workers[worker].as_mut().expect("an attempt");
    if attempt.read_at != at {
        attempt.read_at = at;
        attempt.number = number;
    }
    attempt.number == Number::Blank
}

/// The attempt ends in a wait.
pub(super) fn put_off(world: &mut World, worker: usize, code: Code, guards: Guards) -> Brought {
    let now = world.now();
    let record = &mut world.workers[worker].as_mut().expect("an attempt").record;
    let last = record.updated_at;
    let notice = Notice::new(code);
    let asked = Some(Duration::from_secs(30));
    record.wait = Some(wait(
        record,
        notice,
        asked,
        false,
        (last, now),
        (0, &policy()),
    ));
    commit(world, worker, guards)
}
