//! The create of a bill: planned, sent, answered or not, and looked for.

use purser_core::{
    marker::bill_request_id,
    notice::{Code, Notice},
    policy::Guards,
    protocol::{Settled, link_to, may_send, next_generation, renew_lease, settle, wait},
    record::{Intent, SentAt, State},
};

use super::{
    Setting,
    attempt::{commit, is_blank_still, put_off, skipped},
    moves::Brought,
    world::{Flight, Phase, World, holder, key, policy, summary},
};

pub(super) fn plan(world: &mut World, worker: usize, guards: Guards) -> Brought {
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
        currency: None,
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

pub(super) fn send(world: &mut World, worker: usize, guards: Guards) -> Brought {
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

pub(super) fn answered(world: &mut World, worker: usize, guards: Guards) -> Brought {
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

pub(super) fn lose(world: &mut World, worker: usize, setting: &Setting) -> Brought {
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

pub(super) fn look_up(world: &mut World, worker: usize, guards: Guards) -> Brought {
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
