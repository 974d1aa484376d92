//! What can happen next, and what becomes of the world by it.

use purser_core::{
    notice::{Code, Notice},
    policy::Guards,
    protocol::wait_for_landing,
    record::{BillLink, State, StateName},
};

use super::{
    Property, RequestIds, Setting,
    attempt::{go, operation, start},
    create::lose,
    world::{Bill, LATE, Number, Phase, World, bill_name, bill_place, by_our_clock, policy},
    write_back::{die_writing, lose_write},
};

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// 40 seconds pass.
    Tick,
    /// A worker takes the order up.
    Start(usize),
    /// A worker does its next read or write.
    Go(usize),
    /// A worker's answer is lost.
    Lose(usize),
    /// A worker writes the number, and has no answer.
    LoseWrite(usize),
    /// A worker dies while it writes the number.
    DieWriting(usize),
    /// A worker dies.
    Crash(usize),
    /// A create arrives at QuickBooks.
    Arrive(usize),
    /// A number that was written without an answer lands.
    Land(usize),
    /// A person deletes a bill.
    Delete(usize),
    /// A person puts a copy in the place of the linked bill, and that is noticed.
    Replace,
    /// A person clears the number.
    Clear,
    /// A person types a number of their own.
    Type,
}

/// What a move brought about besides the new world.
#[derive(Default)]
pub(super) struct Brought {
    pub(super) broken: Option<Property>,
    pub(super) transition: Option<(StateName, StateName)>,
}

/// Every move that is possible.
pub(super) fn possible(world: &World, setting: &Setting) -> Vec<Move> {
    let mut moves = Vec::new();
    for worker in 0..2 {
        let Some(attempt) = &world.workers[worker] else {
            if may_start(world, setting) {
                moves.push(Move::Start(worker));
            }
            continue;
        };
        let waits = attempt.phase == Phase::Awaiting;
        let answered = world
            .flights
            .iter()
            .any(|flight| flight.sender == Some(worker) && flight.answer.is_some());
        if !waits || answered {
            moves.push(Move::Go(worker));
        }
        if waits && world.losses < setting.losses {
            moves.push(Move::Lose(worker));
        }
        if attempt.phase == Phase::WillWrite && world.late_writes < setting.late_writes {
            moves.push(Move::LoseWrite(worker));
            if world.crashes < setting.crashes {
                moves.push(Move::DieWriting(worker));
            }
        }
        if world.crashes < setting.crashes {
            moves.push(Move::Crash(worker));
        }
    }
    for (place, flight) in world.flights.iter().enumerate() {
        if flight.answer.is_none() {
            moves.push(Move::Arrive(place));
        }
    }
    moves.extend((0..world.late.len()).map(Move::Land));
    if world.deletes < setting.deletes {
        let alive = world
            .bills
            .iter()
            .enumerate()
            .filter(|(_, bill)| bill.is_alive);
        moves.extend(alive.map(|(place, _)| Move::Delete(place)));
    }
    if world.replaces < setting.replaces && standing(world).is_some() {
        moves.push(Move::Replace);
    }
    if world.clears < setting.clears && world.number != Number::Blank {
        moves.push(Move::Clear);
    }
    if world.typed < setting.typed && world.number != Number::Typed {
        moves.push(Move::Type);
    }
    moves.push(Move::Tick);
    moves
}

/// Messages come as often as they like while something is left to do; a scan brings the order back
/// when its number is blank.
pub(super) fn may_start(world: &World, setting: &Setting) -> bool {
    let Some(record) = &world.record else {
        return world.number == Number::Blank;
    };
    if record.fence >= setting.claims {
        return false;
    }
    !record.is_settled() || world.number == Number::Blank
}

/// Carries a move out.
pub(super) fn carry_out(world: &mut World, what: Move, setting: &Setting) -> Brought {
    match what {
        Move::Tick => {
            world.at += 1;
            let at = world.at;
            // Nobody hears any more of what can no longer arrive.
            world
                .flights
                .retain(|flight| flight.answer.is_some() || at - flight.sent_at <= LATE);
            world.late.retain(|write| at - write.sent_at <= LATE);
            Brought::default()
        }
        Move::Start(worker) => start(world, worker, setting),
        Move::Go(worker) => go(world, worker, setting),
        Move::Lose(worker) => lose(world, worker, setting),
        Move::DieWriting(worker) => die_writing(world, worker, setting.guards),
        Move::LoseWrite(worker) => lose_write(world, worker, setting.guards),
        Move::Crash(worker) => {
            world.crashes += 1;
            leave(world, worker);
            Brought::default()
        }
        Move::Arrive(place) => arrive(world, place, setting.request_ids),
        Move::Land(place) => land(world, place, &setting.guards),
        Move::Delete(place) => {
            world.deletes += 1;
            world.bills[place].is_alive = false;
            Brought::default()
        }
        Move::Replace => {
            replace(world);
            Brought::default()
        }
        Move::Clear => {
            world.clears += 1;
            world.number = Number::Blank;
            Brought::default()
        }
        Move::Type => {
            world.typed += 1;
            world.number = Number::Typed;
            Brought::default()
        }
    }
}

/// The bill of a linked order that stands.
fn standing(world: &World) -> Option<BillLink> {
    let State::Linked { bill } = &world.record.as_ref()?.state else {
        return None;
    };
    let place = usize::from(bill_place(bill.id.as_str()));
    world.bills[place].is_alive.then(|| bill.clone())
}

/// A copy takes the place of the bill of a linked order. The reconciliation saw both, and a person is to
/// decide.
fn replace(world: &mut World) {
    let bill = standing(world).expect("a bill that stands");
    let place = usize::from(bill_place(bill.id.as_str()));
    let made_at = world.at;
    world.replaces += 1;
    world.bills[place].is_alive = false;
    let copy = Bill {
        made_at,
        is_alive: true,
        ..world.bills[place]
    };
    world.bills.push(copy);
    world.writes += 1;
    let name = operation(world.writes);
    let record = world.record.as_mut().expect("a record");
    record.state = State::NeedsPerson {
        notice: Notice::new(Code::BillTwice),
        intent: None,
        bill: Some(bill),
    };
    record.fence += 1;
    (record.lease, record.wait) = (None, None);
    record.operation = name;
}

/// The worker is gone; what it sent is not.
pub(super) fn leave(world: &mut World, worker: usize) {
    world.workers[worker] = None;
    world.flights.retain_mut(|flight| {
        let is_ours = flight.sender == Some(worker);
        if is_ours {
            flight.sender = None;
        }
        // An answer that nobody waits for is no more than its bill.
        !(is_ours && flight.answer.is_some())
    });
}

fn arrive(world: &mut World, place: usize, request_ids: RequestIds) -> Brought {
    let flight = world.flights[place];
    let known = world.bills.iter().position(|bill| {
        bill.generation == flight.generation
            && match request_ids {
                RequestIds::Ignored => false,
                RequestIds::Racy => bill.made_at < flight.sent_at,
                RequestIds::Honoured => true,
            }
    });
    let bill = known.unwrap_or_else(|| {
        world.bills.push(Bill {
            generation: flight.generation,
            made_at: world.at,
            is_alive: true,
        });
        world.bills.len() - 1
    });
    if flight.sender.is_some() {
        world.flights[place].answer = u8::try_from(bill).ok();
    } else {
        world.flights.remove(place);
    }
    Brought {
        broken: (world.live_bills() > 1).then_some(Property::OneBill),
        transition: None,
    }
}

/// Autotask carries a write out, whatever has become of the order since.
fn land(world: &mut World, place: usize, guards: &Guards) -> Brought {
    let bill = world.late.remove(place).bill;
    world.number = Number::Bill(bill);
    let made_under = world.bills[usize::from(bill)].generation;
    let is_own = world.record.as_ref().is_none_or(|record| {
        let known = record.bill().map(|known| bill_place(known.id.as_str()));
        let late = record.late_number.as_ref();
        let may_land = wait_for_landing(record, by_our_clock(world.now()), (&policy(), guards));
        let is_awaited =
            may_land.is_some() && late.is_some_and(|late| late.text() == bill_name(bill));
        let is_asked = matches!(record.state, State::NeedsPerson { .. });
        record.generation == made_under && known.is_none_or(|known| known == bill)
            || is_awaited
            || is_asked
    });
    Brought {
        broken: (!is_own).then_some(Property::NoLateNumber),
        transition: None,
    }
}
