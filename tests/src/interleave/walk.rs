//! The walk through all histories, and single ones by seed or schedule.

use std::collections::HashMap;

use super::{
    Report, Sample, Schedule, Variant,
    cast::Cast,
    history::{Choice, History},
};

/// A state on the way to the current one.
struct Place {
    key: u64,
    choices: Vec<Choice>,
    next: usize,
    histories: u128,
}

/// Walks every state that the setting allows, or up to one that breaks what the variant must break,
/// depth first. One execution goes on for as long as it
/// meets new states; then the choices are made again from the beginning up to the next one.
pub fn explore(variant: &Variant) -> Report {
    let setting = &variant.setting;
    let cast = Cast::new(setting);
    let mut walk = Walk {
        report: Report {
            is_complete: true,
            ..Report::default()
        },
        known: HashMap::new(),
        way: Vec::new(),
        schedule: Schedule::new(),
        is_here: true,
    };
    let mut history = History::begin(&cast);
    walk.enter(&mut history);
    while !walk.way.is_empty() {
        let wanted = variant.breaks.as_ref();
        let is_found = wanted.is_some_and(|property| walk.report.broken.contains_key(property));
        if is_found || walk.known.len() >= setting.states_max {
            walk.report.is_complete = false;
            break;
        }
        walk.step(&cast, &mut history);
    }
    walk.report.states = walk.known.len();
    walk.report
}

struct Walk {
    report: Report,
    /// The histories that go on from each state.
    known: HashMap<u64, u128>,
    way: Vec<Place>,
    schedule: Schedule,
    /// Whether the execution is where the way ends.
    is_here: bool,
}

impl Walk {
    fn step<'a>(&mut self, cast: &'a Cast, history: &mut History<'a>) {
        let place = self.way.last_mut().expect("a place");
        if place.next == place.choices.len() {
            let Place { key, histories, .. } = self.way.pop().expect("a place");
            self.known.insert(key, histories);
            self.leave(histories);
            return;
        }
        let choice = place.choices[place.next];
        let taken = place.next;
        place.next += 1;
        if !self.is_here {
            *history = History::begin(cast);
            for (place, taken) in self.way.iter().zip(&self.schedule) {
                history.make(place.choices[*taken]);
            }
        }
        self.schedule.push(taken);
        history.make(choice);
        if let Some(property) = history.broken() {
            self.report.note(property, &self.schedule);
            self.leave(1);
        } else if let Some(histories) = self.known_from(history) {
            self.leave(histories);
        } else {
            self.enter(history);
        }
    }

    /// The histories that go on from here, if it is a state that was walked.
    fn known_from(&self, history: &History<'_>) -> Option<u128> {
        let is_asked = history.cast.setting.merges;
        let known = is_asked.then(|| self.known.get(&history.key()));
        known.flatten().copied()
    }

    /// Comes to a state for the first time.
    fn enter(&mut self, history: &mut History<'_>) {
        let mut place = Place {
            key: history.key(),
            choices: history.choices(),
            next: 0,
            histories: 0,
        };
        self.is_here = !history.is_over();
        if history.is_settled() {
            place.histories = 1;
            let requests = history.requests();
            let outcome = history.outcome();
            self.report.add(Sample {
                schedule: self.schedule.clone(),
                broken: outcome.broken,
                is_lost: outcome.is_lost,
                requests,
            });
        }
        self.way.push(place);
    }

    /// Goes back to where the last choice was made, from which so many more histories go on.
    fn leave(&mut self, histories: u128) {
        self.schedule.pop();
        self.is_here = false;
        self.add(histories);
    }

    fn add(&mut self, histories: u128) {
        match self.way.last_mut() {
            Some(place) => place.histories = place.histories.saturating_add(histories),
            None => self.report.histories = histories,
        }
    }
}
