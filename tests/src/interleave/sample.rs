//! Single histories: by seed, or by schedule.

use super::{
    Property, Schedule, Setting,
    cast::Cast,
    history::{Choice, History},
};
use crate::dice::Dice;

/// While something may go wrong, it does once in so many choices.
const TROUBLE: u64 = 16;

/// One history of many.
#[derive(Debug)]
pub struct Sample {
    /// Its choices.
    pub schedule: Schedule,
    /// What does not hold in it.
    pub broken: Option<Property>,
    /// Whether a person must connect again because a fault kept Intuit's answer from us.
    pub is_lost: bool,
    /// How often Intuit was asked.
    pub requests: u32,
}

/// The history of a seed, which decides every choice.
pub fn sample(setting: &Setting, seed: u64) -> Sample {
    let cast = Cast::new(setting);
    let mut history = History::begin(&cast);
    let mut dice = Dice::new(seed);
    let mut schedule = Schedule::new();
    while !history.is_settled() && history.broken().is_none() {
        let choices = history.choices();
        let is_fault = |choice: &Choice| matches!(choice, Choice::Meet(..));
        // Faults come last.
        let usual = choices
            .iter()
            .take_while(|choice| !is_fault(choice))
            .count();
        let faults = choices.len() - usual;
        let taken = if faults > 0 && dice.hits(TROUBLE) {
            usual + dice.place(faults)
        } else {
            dice.place(usual)
        };
        schedule.push(taken);
        history.make(choices[taken]);
    }
    let requests = history.requests();
    let outcome = history.outcome();
    Sample {
        schedule,
        requests,
        broken: outcome.broken,
        is_lost: outcome.is_lost,
    }
}

/// What happens under a schedule, step by step, and what it comes to. `None` when a choice of it is
/// not possible.
pub fn tell(setting: &Setting, schedule: &[usize]) -> Option<Vec<String>> {
    let cast = Cast::new(setting);
    let mut history = History::begin(&cast);
    let mut told = Vec::new();
    for &taken in schedule {
        let choice = *history.choices().get(taken)?;
        told.push(history.words(choice));
        history.make(choice);
    }
    let is_over = history.is_settled() || history.broken().is_some();
    let outcome = is_over.then(|| history.outcome());
    told.push(match outcome {
        None => "and it goes on".to_owned(),
        Some(outcome) => match outcome.broken {
            Some(property) => format!("{property:?} does not hold"),
            None if outcome.is_lost => "a person must connect again".to_owned(),
            None => "all is well".to_owned(),
        },
    });
    Some(told)
}
