//! Walks every interleaving of processes that reach for one refresh token, and shows for each part
//! of the protocol what goes wrong without it. Ends with 1 when something is not as it should be.
//!
//! `tokens [SEEDS]`: everything, with so many random histories of a crowd beside; 20,000 by default.
//! `tokens replay NAME SCHEDULE`: one history of a variant, step by step.
//! `tokens only NAME`: every variant whose name holds that.
//! `tokens plain NAME`: the same without merging states: as many steps as there are histories, so
//! only for small ones. States and histories must be the same.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{env, process::ExitCode, time::Instant};

use purser_tests::{
    interleave::{Report, Schedule, Variant, broken, by_name, crowds, explore, full, sample, tell},
    side_by_side,
};

const SEEDS: u64 = 20_000;
const HEAD: &str = "| Processes at one refresh token | States | Histories | All of them | Requests | \
                    Connect again | Broken, in so many steps | s |";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => everything("", SEEDS, true),
        ["only", name] => everything(name, SEEDS, true),
        ["plain", name] => everything(name, SEEDS, false),
        ["replay", name, schedule] => replay(name, schedule),
        [seeds] if seeds.parse::<u64>().is_ok() => {
            everything("", seeds.parse().unwrap_or(SEEDS), true)
        }
        _ => {
            println!("tokens [SEEDS] | only NAME | plain NAME | replay NAME SCHEDULE");
            ExitCode::FAILURE
        }
    }
}

fn everything(name: &str, seeds: u64, merges: bool) -> ExitCode {
    let mut jobs: Vec<(Variant, u64)> = Vec::new();
    jobs.extend(full().into_iter().map(|variant| (variant, 0)));
    jobs.extend(broken().into_iter().map(|variant| (variant, 0)));
    jobs.extend(crowds().into_iter().map(|variant| (variant, seeds)));
    jobs.retain(|(variant, _)| variant.name.contains(name));
    if jobs.is_empty() {
        println!("No variant's name holds '{name}'.");
        return ExitCode::FAILURE;
    }
    for (variant, _) in &mut jobs {
        variant.setting.merges = merges;
    }
    println!("{HEAD}\n|---|---|---|---|---|---|---|---|");
    let mut failures = Vec::new();
    let work = |(variant, seeds): &(Variant, u64)| {
        let began = Instant::now();
        let report = if *seeds == 0 {
            explore(variant)
        } else {
            gather(variant, *seeds)
        };
        (report, began.elapsed())
    };
    side_by_side::each(&jobs, work, |(variant, _), (report, time)| {
        show(variant, &report, time.as_secs_f64());
        if !variant.is_well(&report) {
            failures.push((*variant, report));
        }
    });
    for (variant, report) in &failures {
        explain(variant, report);
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The histories of so many seeds.
fn gather(variant: &Variant, seeds: u64) -> Report {
    let mut report = Report {
        histories: seeds.into(),
        ..Report::default()
    };
    for seed in 0..seeds {
        report.add(sample(&variant.setting, seed));
    }
    report
}

fn show(variant: &Variant, report: &Report, seconds: f64) {
    let broken = report.broken.iter();
    let broken: Vec<_> = broken
        .map(|(property, way)| format!("{property:?} in {}", way.len()))
        .collect();
    let broken = if broken.is_empty() {
        "nothing".to_owned()
    } else {
        broken.join(", ")
    };
    let lost = report.lost.as_ref();
    let lost = lost.map_or_else(|| "never".to_owned(), |way| format!("in {}", way.len()));
    let histories = match report.histories {
        few @ 0..1_000_000 => few.to_string(),
        many => format!("10^{}", many.ilog10()),
    };
    let extent = if report.is_complete { "yes" } else { "no" };
    let (name, states, requests) = (variant.name, report.states, report.requests);
    println!(
        "| {name} | {states} | {histories} | {extent} | {requests} | {lost} | {broken} | {seconds:.1} |"
    );
}

fn explain(variant: &Variant, report: &Report) {
    println!("\n{}: not as it should be.", variant.name);
    if let Some(property) = variant.breaks {
        println!("{property:?} holds although it must not.");
    }
    if variant.breaks.is_none() && report.states > 0 && !report.is_complete {
        println!("It was not walked to its end.");
    }
    for (property, schedule) in &report.broken {
        println!("{property:?} does not hold:");
        recount(variant, schedule);
    }
    match (variant.loses, &report.lost) {
        (false, Some(schedule)) => drop(recount(variant, schedule)),
        (true, None) => println!("A token that must be lost was not."),
        _ => {}
    }
}

fn recount(variant: &Variant, schedule: &Schedule) -> bool {
    let choices: Vec<String> = schedule.iter().map(usize::to_string).collect();
    println!("tokens replay '{}' {}", variant.name, choices.join(","));
    let told = tell(&variant.setting, schedule);
    for line in told.iter().flatten() {
        println!("  {line}");
    }
    told.is_some()
}

fn replay(name: &str, schedule: &str) -> ExitCode {
    let choices: Result<Schedule, _> = schedule.split(',').map(str::parse).collect();
    let (Some(variant), Ok(schedule)) = (by_name(name), choices) else {
        println!("There is no such variant, or the schedule is none.");
        return ExitCode::FAILURE;
    };
    if recount(&variant, &schedule) {
        return ExitCode::SUCCESS;
    }
    println!("The schedule does not fit this program.");
    ExitCode::FAILURE
}
