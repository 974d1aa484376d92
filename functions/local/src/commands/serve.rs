//! `purser serve`: the engine and the web application with the real endpoints, until it is told
//! to stop.

use purser_core::ports::Ledger as _;
use purser_runtime::configuration::Configuration;

use crate::{
    cli::ServeArgs,
    demo,
    exit::{Exit, ProgramError},
    output::Output,
    program::{Program, Role},
    runner::Runner,
    web::{self, Door},
};

pub(super) async fn run(
    configuration: Configuration,
    args: &ServeArgs,
    output: &Output,
) -> Result<Exit, ProgramError> {
    demo::refuse_demo_folder(&configuration)?;
    let program = Program::open(configuration, Role::Engine)?;
    program.take_over().await?;
    let door = Door::open(Some(args.port)).await?;
    let url = match &program.configuration.public_url {
        Some(url) => url.clone(),
        None => door.url("localhost")?,
    };
    let tenants = program.store.tenants().await?;
    output.say(&match tenants.len() {
        0 => format!("Serving. There is no tenant yet: connect one at {url}"),
        count => format!("Serving {count} tenant(s) at {url}. Stop with Ctrl-C."),
    });
    let links = web::links(&program, &url).await?;
    if !links.is_empty() {
        output.say(&format!(
            "Nobody looks after these tenants in the browser yet. Who opens a link first (once, \
             within a day) becomes an admin:\n  {}",
            links.join("\n  ")
        ));
    }
    let _served = door.serve(&program, &url, None);
    keep_running(&program).await?;
    output.say("Stopped; whatever was under way goes on at the next start.");
    Ok(Exit::Ok)
}

/// Runs the engine until the program is told to stop; the message in hand is finished first.
pub(super) async fn keep_running(program: &Program) -> Result<(), ProgramError> {
    let runner = Runner::new(program)?;
    let told = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = std::sync::Arc::clone(&told);
    tokio::spawn(async move {
        wait_for_signal().await;
        flag.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let is_told = || {
        let told = told.load(std::sync::atomic::Ordering::Relaxed);
        async move { Ok(told) }
    };
    runner.work_until(is_told).await?;
    Ok(())
}

async fn wait_for_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
