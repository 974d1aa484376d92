//! Single histories: by seed, or by schedule.

use super::{
    Property, Schedule, Setting,
    cast::Cast,
    history::{Choice, History},
};

/// While something may go wrong, it does once in so many choices.
const TROUBLE: usize = 16;

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
    let mut dice = seed;
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
        let taken = if faults > 0 && roll(&mut dice, TROUBLE) == 0 {
            usual + roll(&mut dice, faults)
        } else {
            roll(&mut dice, usual)
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

/// Steele, Lea and Flood's `SplitMix64`.
fn roll(dice: &mut u64, below: usize) -> usize {
    *dice = dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *dice;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    usize::try_from((mixed ^ (mixed >> 31)) % below.max(1) as u64).unwrap_or(0)
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
