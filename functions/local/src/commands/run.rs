//! `purser run --once`: one run of every tenant, and the summary.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use purser_core::ports::{Clock as _, RecordFilter};
use purser_core::{
    ids::{RunNumber, TenantId},
    ports::{Ledger as _, StoreError},
    usecase::{Outcome, Ports as _},
};

use crate::{
    cli::RunArgs,
    exit::{Exit, ProgramError},
    output::Output,
    program::Program,
    runner::{Runner, Seen},
    summary::Summary,
};

/// How often a command beside a running engine looks for its result.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) async fn run(
    program: &Program,
    args: &RunArgs,
    output: &Output,
) -> Result<Exit, ProgramError> {
    run_once(program, args.settle, None, output).await
}

/// Does one run of every tenant, and with `settle` waits for the orders that wait.
///
/// `expected` is what a demo world says its first run must come to.
pub(super) async fn run_once(
    program: &Program,
    settle: bool,
    expected: Option<serde_json::Value>,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let began = Instant::now();
    let runs = start_runs(program).await?;
    if runs.is_empty() {
        return Err(nothing_to_run(program).await?);
    }
    let bar = progress(*output);
    let seen = if program.is_engine() {
        run_here(program, &runs, settle, &bar).await?
    } else {
        run_elsewhere(program, &runs, settle).await?
    };
    bar.finish_and_clear();
    let mut summary = Summary::of(program, seen, began.elapsed()).await?;
    summary.expected = expected;
    output.show(&summary, Summary::words);
    Ok(summary.exit())
}

async fn start_runs(program: &Program) -> Result<Vec<(TenantId, RunNumber)>, ProgramError> {
    let mut runs = Vec::new();
    for tenant in program.store.tenants().await? {
        let is_connected = program.engine.status(&tenant).await?.realm.is_some();
        if is_connected && program.engine.settings(&tenant).await?.is_some() {
            let run = program.engine.start_now(&tenant).await?;
            runs.push((tenant, run));
        }
    }
    Ok(runs)
}

async fn nothing_to_run(program: &Program) -> Result<ProgramError, ProgramError> {
    let (cause, remedy) = match program.store.tenants().await?.len() {
        0 => (
            "There is no tenant yet.",
            "Add one with `purser connection add`, or run the demo.",
        ),
        _ => (
            "No tenant is ready: a connection or its settings are missing.",
            "See `purser connection list`, then `purser settings import FILE`.",
        ),
    };
    Ok(ProgramError::wrong("nothing_to_run", cause, remedy))
}

fn progress(output: Output) -> ProgressBar {
    if !output.shows_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} orders, {elapsed}, {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Runs in this process, which is the engine.
async fn run_here(
    program: &Program,
    runs: &[(TenantId, RunNumber)],
    settle: bool,
    bar: &ProgressBar,
) -> Result<Seen, ProgramError> {
    let runner = Runner::new(program)?.only(runs);
    let is_done = || async {
        show_progress(&runner, bar);
        let ended = {
            let seen = runner.seen();
            runs.iter()
                .all(|(tenant, run)| seen.ended.get(tenant).is_some_and(|e| e >= run))
        };
        if !ended {
            return Ok(false);
        }
        if !settle {
            return Ok(true);
        }
        is_settled(program, &runner).await
    };
    runner.work_until(is_done).await?;
    let seen = std::mem::take(&mut *runner.seen());
    Ok(seen)
}

fn show_progress(runner: &Runner<'_>, bar: &ProgressBar) {
    let seen = runner.seen();
    let eligible: u64 = seen
        .scans
        .values()
        .map(|(_, report)| report.counts.eligible)
        .sum();
    bar.set_length(eligible.max(seen.outcomes.len() as u64));
    bar.set_position(seen.outcomes.len() as u64);
    bar.set_message(format!(
        "{} of {} tenants ended",
        seen.ended.len(),
        seen.scans.len()
    ));
}

/// Whether nothing is left that time alone would finish; queues what is due.
async fn is_settled(program: &Program, runner: &Runner<'_>) -> Result<bool, StoreError> {
    if program.store.message_count().await? > 0 {
        return Ok(false);
    }
    let now = program.engine.ports().clock().now();
    let mut settled = true;
    for tenant in program.store.tenants().await? {
        let status = program.engine.status(&tenant).await?;
        let Some(realm) = status.realm.clone() else {
            continue;
        };
        if status.blocked(now).is_none() {
            settled &= program.store.next_due(&tenant, &realm).await?.is_none();
        }
    }
    if !settled {
        runner.queue_due().await?;
    }
    Ok(settled)
}

/// The engine is another process: waits for it to end the runs, and reads what came of them.
async fn run_elsewhere(
    program: &Program,
    runs: &[(TenantId, RunNumber)],
    settle: bool,
) -> Result<Seen, ProgramError> {
    let mut seen = Seen::default();
    for (tenant, run) in runs {
        loop {
            let chain = program.engine.runs(tenant).await?;
            let ended = chain.run > *run || (chain.run == *run && chain.ended_at.is_some());
            if ended && (!settle || nothing_due(program, tenant).await?) {
                break;
            }
            if !program.engine_is_elsewhere() {
                return Err(ProgramError::wrong(
                    "engine_gone",
                    "The engine that was working on this data folder has ended.",
                    "Start the command again; it goes on where the engine stopped.",
                ));
            }
            program.engine.ports().clock().sleep(LOOK_EVERY).await;
        }
        collect(program, tenant, *run, &mut seen).await?;
    }
    Ok(seen)
}

async fn nothing_due(program: &Program, tenant: &TenantId) -> Result<bool, ProgramError> {
    let status = program.engine.status(tenant).await?;
    let Some(realm) = status.realm.clone() else {
        return Ok(true);
    };
    let now = program.engine.ports().clock().now();
    Ok(status.blocked(now).is_some() || program.store.next_due(tenant, &realm).await?.is_none())
}

async fn collect(
    program: &Program,
    tenant: &TenantId,
    run: RunNumber,
    seen: &mut Seen,
) -> Result<(), ProgramError> {
    let chain = program.engine.runs(tenant).await?;
    let since = chain.started_at.unwrap_or(jiff::Timestamp::MIN);
    let report = purser_core::usecase::ScanReport {
        counts: chain.counts,
        ..Default::default()
    };
    seen.scans.insert(tenant.clone(), (run, report));
    let filter = RecordFilter {
        limit: 10_000,
        ..RecordFilter::default()
    };
    for record in program.store.list(tenant, &filter).await? {
        if record.updated_at < since {
            break;
        }
        let outcome = Outcome::of(&record);
        seen.outcomes
            .insert((tenant.clone(), outcome.order), outcome);
    }
    Ok(())
}
