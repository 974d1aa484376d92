//! The walk through every state, breadth first, so that the first way found is a shortest one.

use std::collections::{HashSet, VecDeque};

use purser_core::record::State;

use super::{
    Property, Report, Setting, Variant,
    moves::{Move, carry_out, may_start, possible},
    world::{Number, World, bill_place},
};

/// How many steps an undisturbed order may take to its end.
const STEPS_MAX: usize = 400;

/// A state that was met, and how.
struct Met {
    from: usize,
    by: Option<Move>,
}

/// Walks every state that the setting allows, or up to the first that breaks a property when a guard
/// is off. From each `tried`-th state it is shown that the order comes to an end.
pub fn explore(variant: &Variant, tried: usize) -> Report {
    let setting = &variant.setting;
    let mut report = Report::default();
    let mut met = vec![Met { from: 0, by: None }];
    let mut known = HashSet::from([World::new().key()]);
    let mut open = VecDeque::from([(0, World::new())]);
    report.is_complete = true;
    while let Some((place, world)) = open.pop_front() {
        if variant.breaks.is_some() && !report.broken.is_empty() {
            report.is_complete = false;
            break;
        }
        if place % tried == 0 && !comes_to_an_end(&world, setting) {
            let way = || way(&met, place, None);
            report.broken.entry(Property::Ends).or_insert_with(way);
        }
        for what in possible(&world, setting) {
            let mut next = world.clone();
            let brought = carry_out(&mut next, what, setting);
            report.taken.extend(brought.transition);
            if let Some(broken) = brought.broken {
                let way = || way(&met, place, Some(what));
                report.broken.entry(broken).or_insert_with(way);
                // Nothing that follows from such a state tells anything more.
                continue;
            }
            let is_within = known.len() < setting.states_max && next.at < setting.ticks;
            report.is_complete &= is_within;
            if is_within && known.insert(next.key()) {
                met.push(Met {
                    from: place,
                    by: Some(what),
                });
                open.push_back((met.len() - 1, next));
            }
        }
    }
    report.states = known.len();
    report
}

fn way(met: &[Met], mut place: usize, last: Option<Move>) -> Vec<String> {
    let mut moves: Vec<_> = last.into_iter().collect();
    while let Some(by) = met[place].by {
        moves.push(by);
        place = met[place].from;
    }
    moves.reverse();
    moves.iter().map(|what| format!("{what:?}")).collect()
}

/// Both workers are dead and nothing goes wrong any more: whoever takes the order up brings it to an
/// end, and that end is a true one.
fn comes_to_an_end(world: &World, setting: &Setting) -> bool {
    let mut world = world.clone();
    let calm = Setting {
        crashes: u8::MAX,
        claims: u64::MAX,
        ticks: u8::MAX,
        ..*setting
    };
    for worker in 0..2 {
        if world.workers[worker].is_some() {
            carry_out(&mut world, Move::Crash(worker), &calm);
        }
    }
    for _ in 0..STEPS_MAX {
        if let Some(flight) = world
            .flights
            .iter()
            .position(|flight| flight.answer.is_none())
        {
            let brought = carry_out(&mut world, Move::Arrive(flight), &calm);
            if brought.broken.is_some() {
                return true; // That is another property's business, and the walk finds it.
            }
        } else if world.workers[0].is_some() {
            carry_out(&mut world, Move::Go(0), &calm);
        } else if is_over(&world) {
            return true;
        } else if world.at == u8::MAX {
            return false;
        } else {
            // Whoever rests is taken up again a little later.
            carry_out(&mut world, Move::Tick, &calm);
            if may_start(&world, &calm) {
                carry_out(&mut world, Move::Start(0), &calm);
            }
        }
    }
    false
}

/// Billed with its number in Autotask, or in the hands of a person.
fn is_over(world: &World) -> bool {
    let Some(record) = &world.record else {
        return world.number != Number::Blank;
    };
    match &record.state {
        State::NeedsPerson { .. } => true,
        // Whoever types over the number of a linked order is left alone.
        State::Linked { bill } => {
            let own = Number::Bill(bill_place(bill.id.as_str()));
            world.number == own || world.number == Number::Typed
        }
        State::Orphaned { .. } => world.number != Number::Blank,
        // Nobody is told of it, so no bill that is gone may be named there.
        State::Skipped { .. } => match world.number {
            Number::Blank => false,
            Number::Typed => true,
            Number::Bill(place) => world.bills[usize::from(place)].is_alive,
        },
        _ => false,
    }
}
