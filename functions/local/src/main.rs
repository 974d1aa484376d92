//! The single-machine program `purser`: the same handlers in one process on SQLite.

mod cli;
mod commands;
mod demo;
mod exit;
mod keys;
mod output;
mod program;
mod runner;
mod summary;
mod web;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    cli::{Cli, Command},
    exit::ProgramError,
    output::Output,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    // A person at a terminal reads the answer; a service is read by its log.
    let level = if matches!(cli.command, Some(Command::Serve(_))) {
        "info"
    } else {
        "error"
    };
    purser_runtime::telemetry::start(cli.json, level);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli, &output)),
        Err(error) => Err(ProgramError::wrong(
            "system",
            format!("The program could not start its threads: {error}."),
            "Close other programs and try again.",
        )),
    };
    let exit = result.unwrap_or_else(|error| {
        output.error(&error);
        error.exit
    });
    ExitCode::from(exit as u8)
}
