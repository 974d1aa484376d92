//! One module per command; each reads its arguments, calls a use case and shows the answer.

mod check;
mod connection;
mod demo;
mod logs;
mod order;
mod outbox;
mod run;
mod scan;
mod serve;
mod settings;
mod simulators;

use purser_runtime::configuration::Configuration;

use crate::{
    cli::{Cli, Command, DemoArgs},
    demo as demo_folder,
    exit::{Exit, ProgramError},
    output::Output,
    program::{self, Program, Role},
};

/// Runs the command that was given.
pub(crate) async fn run(cli: Cli, output: &Output) -> Result<Exit, ProgramError> {
    let configuration = program::configuration()?;
    let tenant = cli.tenant;
    let command = cli.command.unwrap_or(Command::Demo(DemoArgs::default()));
    match command {
        Command::Demo(args) => demo::run(configuration, &args, output).await,
        Command::Simulators(args) => simulators::run(configuration, &args, output).await,
        Command::Serve(args) => serve::run(configuration, &args, output).await,
        Command::Run(args) => {
            let opened = open(configuration, Role::EngineIfFree).await?;
            run::run(&opened.program, &args, output).await
        }
        Command::Connection(command) => {
            let opened = open(configuration, Role::Beside).await?;
            connection::run(&opened.program, tenant, command, output).await
        }
        Command::Settings(command) => {
            let opened = open(configuration, Role::Beside).await?;
            settings::run(&opened.program, tenant.as_ref(), command, output).await
        }
        Command::Scan => {
            let opened = open(configuration, Role::Beside).await?;
            scan::run(&opened.program, tenant.as_ref(), output).await
        }
        Command::Preview { order } => {
            let opened = open(configuration, Role::Beside).await?;
            order::preview(&opened.program, tenant.as_ref(), order, output).await
        }
        Command::Sync(args) => {
            let opened = open(configuration, Role::EngineIfFree).await?;
            order::sync(&opened.program, tenant.as_ref(), args, output).await
        }
        Command::Retry(args) => {
            let opened = open(configuration, Role::EngineIfFree).await?;
            order::retry(&opened.program, tenant.as_ref(), args, output).await
        }
        Command::Logs(args) => {
            let opened = open(configuration, Role::Beside).await?;
            logs::run(&opened.program, tenant.as_ref(), &args, output).await
        }
        Command::Check => {
            let opened = open(configuration, Role::Beside).await?;
            check::run(&opened.program, tenant.as_ref(), output).await
        }
        Command::Outbox { limit } => {
            let opened = open(configuration, Role::Beside).await?;
            outbox::run(&opened.program, limit, output).await
        }
    }
}

/// The program over its data folder; a demo folder brings its simulators along.
pub(crate) struct Opened {
    pub(crate) program: Program,
    /// Kept alive while the command works.
    _simulators: Option<demo_folder::Stage>,
}

async fn open(configuration: Configuration, role: Role) -> Result<Opened, ProgramError> {
    let (configuration, stage) = demo_folder::join(configuration).await?;
    let program = Program::open(configuration, role)?;
    program.take_over().await?;
    Ok(Opened {
        program,
        _simulators: stage,
    })
}
