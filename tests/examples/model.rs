//! Walks the model of one order: every state with all guards on, and for each guard the way to what
//! goes wrong without it. Ends with 1 when a property is broken that should hold, or holds although
//! its guard is off.
//!
//! `model [MORE]`: how many times more the order is taken up than by default; 1 takes minutes and gigabytes.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{
    env,
    process::ExitCode,
    time::{Duration, Instant},
};

use purser_tests::{
    model::{Report, Variant, explore, full, without_one},
    side_by_side,
};

/// From every so many states the end is tried.
const TRIED: usize = 50;

fn main() -> ExitCode {
    let more: Option<u64> = env::args().nth(1).and_then(|text| text.parse().ok());
    println!("| Model | States | All of them | Broken, in so many steps | s |");
    println!("|---|---|---|---|---|");
    let mut variants: Vec<_> = full().into_iter().chain(without_one()).collect();
    if let Some(more) = more {
        for variant in &mut variants {
            variant.setting.claims += more;
            variant.setting.states_max = 30_000_000;
        }
    }
    let work = |variant: &Variant| {
        let began = Instant::now();
        (explore(variant, TRIED), began.elapsed())
    };
    let mut is_well = true;
    side_by_side::each(&variants, work, |variant, (report, time)| {
        show(variant, &report, time);
        is_well &= match variant.breaks {
            None => report.is_complete && report.broken.is_empty(),
            Some(property) => report.broken.contains_key(&property),
        };
    });
    if is_well {
        return ExitCode::SUCCESS;
    }
    println!("\nThe model is not as it should be.");
    ExitCode::FAILURE
}

fn show(variant: &Variant, report: &Report, time: Duration) {
    let broken = report.broken.iter();
    let broken: Vec<_> = broken
        .map(|(property, way)| format!("{property:?} in {}", way.len()))
        .collect();
    let broken = if broken.is_empty() {
        "nothing".to_owned()
    } else {
        broken.join(", ")
    };
    let extent = if report.is_complete { "yes" } else { "no" };
    let (name, states, seconds) = (variant.name, report.states, time.as_secs_f64());
    println!("| {name} | {states} | {extent} | {broken} | {seconds:.1} |");
    if variant.breaks.is_none() {
        for (property, way) in &report.broken {
            println!("\n{property:?}: {way:?}");
        }
    }
}
