//! What can happen next, and what becomes of the world by it.

use std::time::Duration;

use purser_core::{
    eligibility::Ineligible,
    ids::OperationId,
    marker::bill_request_id,
    notice::{Code, Notice},
    policy::Guards,
    ports::Expected,
    protocol::{
        Settled, Step, claim, is_legal, link_to, may_send, next_generation, next_step, renew_lease,
        settle, wait,
    },
    record::{BillLink, Intent, SentAt, State, StateName, SyncRecord},
};

use super::{
    Property, RequestIds, Setting,
    world::{
        Attempt, Bill, Flight, LATE, LEASE, Number, Phase, World, bill_place, holder, key, policy,
        summary,
    },
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
    /// A worker dies.
    Crash(usize),
    /// A create arrives at QuickBooks.
    Arrive(usize),
    /// A person deletes a bill.
    Delete(usize),
    /// A person clears the number.
    Clear,
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
        if world.crashes < setting.crashes {
            moves.push(Move::Crash(worker));
        }
    }
    for (place, flight) in world.flights.iter().enumerate() {
        if flight.answer.is_none() {
            moves.push(Move::Arrive(place));
        }
    }
    if world.deletes < setting.deletes {
        let alive = world
            .bills
            .iter()
            .enumerate()
            .filter(|(_, bill)| bill.is_alive);
        moves.extend(alive.map(|(place, _)| Move::Delete(place)));
    }
    if world.clears < setting.clears && world.number != Number::Blank {
        moves.push(Move::Clear);
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
            Brought::default()
        }
        Move::Start(worker) => start(world, worker, setting),
        Move::Go(worker) => go(world, worker, setting),
        Move::Lose(worker) => lose(world, worker, setting),
        Move::Crash(worker) => {
            world.crashes += 1;
            leave(world, worker);
            Brought::default()
        }
        Move::Arrive(place) => arrive(world, place, setting.request_ids),
        Move::Delete(place) => {
            world.deletes += 1;
            world.bills[place].is_alive = false;
            Brought::default()
        }
        Move::Clear => {
            world.clears += 1;
            world.number = Number::Blank;
            Brought::default()
        }
    }
}

/// The worker is gone; what it sent is not.
fn leave(world: &mut World, worker: usize) {
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

fn start(world: &mut World, worker: usize, setting: &Setting) -> Brought {
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
        State::Linked { bill } if is_blank => State::Created {
            bill: BillLink {
                seen_under: 0,
                ..bill.clone()
            },
        },
        State::Orphaned { .. } if is_blank => {
            next_generation(record, &guards);
            State::Queued
        }
        State::Skipped { .. } if is_blank => State::Queued,
        _ => return Brought::default(),
    };
    record.wait = None;
    record.state = state;
    commit(world, worker, guards)
}

fn skipped() -> State {
    let number = "there".to_owned();
    State::Skipped {
        reason: Ineligible::HasNumber { number },
    }
}

fn operation(number: u32) -> OperationId {
    format!("op{number}").parse().expect("an operation")
}

/// The write of the record, under the conditions of the ledger. A lost race ends the attempt.
fn commit(world: &mut World, worker: usize, guards: Guards) -> Brought {
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

fn go(world: &mut World, worker: usize, setting: &Setting) -> Brought {
    let guards = setting.guards;
    let attempt = world.workers[worker].as_ref().expect("an attempt");
    match attempt.phase {
        Phase::Ready => next(world, worker, guards),
        Phase::Armed => send(world, worker, guards),
        Phase::Awaiting => answered(world, worker, guards),
        Phase::WillWrite => write(world, worker),
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
fn is_blank_still(world: &mut World, worker: usize) -> bool {
    let (at, number) = (world.at, world.number);
    let attempt = world.workers[worker].as_mut().expect("an attempt");
    if attempt.read_at != at {
        attempt.read_at = at;
        attempt.number = number;
    }
    attempt.number == Number::Blank
}

fn plan(world: &mut World, worker: usize, guards: Guards) -> Brought {
    if !is_blank_still(world, worker) {
        let record = &mut world.workers[worker].as_mut().expect("an attempt").record;
        record.wait = None;
        record.state = skipped();
        return commit(world, worker, guards);
    }
    let record = &world.workers[worker].as_ref().expect("an attempt").record;
    let sent = SentAt {
        local: world.now(),
        server: None,
    };
    let intent = Intent {
        request_id: bill_request_id(&key().realm, key().order, record.generation),
        body: String::new(),
        number: None,
        total: "10".parse().expect("a total"),
        vendor: "1".parse().expect("a vendor"),
        vendor_name: String::new(),
        sends: 0,
        first_sent: sent,
        last_sent: sent,
        in_doubt: false,
    };
    arm(world, worker, intent, guards)
}

fn arm(world: &mut World, worker: usize, mut intent: Intent, guards: Guards) -> Brought {
    let now = world.now();
    let sent = SentAt {
        local: now,
        server: Some(now),
    };
    if intent.sends == 0 {
        intent.first_sent = sent;
    }
    intent.last_sent = sent;
    intent.sends += 1;
    intent.in_doubt = true;
    let record = &mut world.workers[worker].as_mut().expect("an attempt").record;
    if let Some(wait) = &mut record.wait {
        wait.not_before = wait.not_before.min(now);
    }
    record.state = State::Planned { intent };
    renew_lease(record, &holder(worker), now, &policy());
    let brought = if guards.intent {
        commit(world, worker, guards)
    } else {
        Brought::default()
    };
    if let Some(attempt) = world.workers[worker].as_mut() {
        attempt.phase = Phase::Armed;
    }
    brought
}

fn send(world: &mut World, worker: usize, guards: Guards) -> Brought {
    let now = world.now();
    let attempt = world.workers[worker].as_mut().expect("an attempt");
    if !may_send(&attempt.record, now, &policy(), &guards) {
        return put_off(world, worker, Code::TimeShort, guards);
    }
    attempt.phase = Phase::Awaiting;
    let generation = attempt.record.generation;
    world.flights.push(Flight {
        generation,
        sent_at: world.at,
        sender: Some(worker),
        answer: None,
    });
    Brought::default()
}

/// The attempt ends in a wait.
fn put_off(world: &mut World, worker: usize, code: Code, guards: Guards) -> Brought {
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

fn answered(world: &mut World, worker: usize, guards: Guards) -> Brought {
    let place = world
        .flights
        .iter()
        .position(|flight| flight.sender == Some(worker) && flight.answer.is_some());
    let flight = world.flights.remove(place.expect("an answer"));
    let bill = flight.answer.expect("an answer");
    let record = &mut world.workers[worker].as_mut().expect("an attempt").record;
    let State::Planned { intent } = &record.state else {
        unreachable!("it was sent")
    };
    let mut link = link_to(&summary(flight.generation, bill), record);
    if intent.sends > 1 {
        link.seen_under = 0;
    }
    record.state = State::Created { bill: link };
    record.wait = None;
    commit(world, worker, guards)
}

fn lose(world: &mut World, worker: usize, setting: &Setting) -> Brought {
    world.losses += 1;
    for flight in &mut world.flights {
        if flight.sender == Some(worker) {
            flight.sender = None;
        }
    }
    world
        .flights
        .retain(|flight| flight.sender.is_some() || flight.answer.is_none());
    put_off(world, worker, Code::OutcomeUnknown, setting.guards)
}

fn look_up(world: &mut World, worker: usize, guards: Guards) -> Brought {
    let (now, shown) = (world.now(), world.shown());
    let record = &world.workers[worker].as_ref().expect("an attempt").record;
    let State::Planned { intent } = record.state.clone() else {
        unreachable!("it is to be settled")
    };
    let settled = if guards.lookup {
        settle(
            record,
            &intent,
            &shown,
            Some(now),
            now,
            (&policy(), &guards),
        )
    } else {
        Settled::Absent
    };
    let blank = is_blank_still(world, worker);
    let record = &mut world.workers[worker].as_mut().expect("an attempt").record;
    match settled {
        Settled::Adopt(bill) => {
            record.wait = None;
            record.state = State::Created {
                bill: link_to(&bill, record),
            };
            commit(world, worker, guards)
        }
        Settled::Conflict(notice, bill) => {
            let bill = bill.map(|bill| link_to(&bill, record));
            record.wait = None;
            record.state = State::NeedsPerson {
                notice,
                intent: Some(intent),
                bill,
            };
            commit(world, worker, guards)
        }
        Settled::TooEarly(until) => {
            let notice = Notice::new(Code::OutcomeUnknown);
            let last = record.updated_at;
            let mut rest = wait(record, notice, None, false, (last, now), (0, &policy()));
            rest.not_before = until;
            record.wait = Some(rest);
            commit(world, worker, guards)
        }
        Settled::Absent if !blank => {
            next_generation(record, &guards);
            record.wait = None;
            record.state = skipped();
            commit(world, worker, guards)
        }
        Settled::Absent => {
            let intent = Intent {
                in_doubt: false,
                ..intent
            };
            arm(world, worker, intent, guards)
        }
    }
}

fn verify(world: &mut World, worker: usize, guards: Guards) -> Brought {
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

fn read_order(world: &mut World, worker: usize, guards: Guards) -> Brought {
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

fn write(world: &mut World, worker: usize) -> Brought {
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

fn read_back(world: &mut World, worker: usize, guards: Guards) -> Brought {
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
