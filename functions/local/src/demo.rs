//! The demo: simulators on this machine, a believable company, and the engine.
//!
//! A data folder that holds `demo.json` is a demo folder: every command on it speaks to its
//! simulators, those of the running demo or, when there is none, its own over the same state.

mod stage;
mod world;

use std::{fs, path::Path};

use purser_core::ports::Ledger as _;
use purser_core::{tenant::AutotaskCredentials, usecase::Ports as _};
use purser_runtime::{
    configuration::{Configuration, Endpoints, IntuitApp},
    connect::{self, ConnectError, NewGrant},
    settings,
};
use secrecy::SecretString;

pub(crate) use stage::{Marker, Stage, StageOptions};
pub(crate) use world::{CLIENT_ID, CLIENT_SECRET, Company, seed, seed_plain};

use crate::{
    cli::DemoArgs,
    commands::{keep_running, run_once},
    exit::{Exit, ProgramError},
    output::Output,
    program::{Program, Role, at_simulators},
};

/// Runs the demo once, or until it is told to stop.
pub(crate) async fn run(
    configuration: Configuration,
    args: &DemoArgs,
    output: &Output,
) -> Result<Exit, ProgramError> {
    if configuration.names_endpoints {
        return Err(ProgramError::wrong(
            "configuration",
            "The demo brings its own stand-ins, but the environment names endpoints.",
            "Remove PURSER_AUTOTASK_ZONE_URL, PURSER_QUICKBOOKS_URL and \
             PURSER_INTUIT_DISCOVERY_URL, or use `purser run --once` with them.",
        ));
    }
    refuse_real_folder(&configuration.data)?;
    let options = StageOptions {
        port: args.port,
        ..StageOptions::default()
    };
    let stage = Stage::start(&configuration.data, &options).await?;
    let configuration = on_stage(configuration, &stage);
    let program = Program::open(configuration, Role::Engine)?;
    program.take_over().await?;
    connect_companies(&program, &stage).await?;
    output.say(&format!(
        "Simulators of Autotask, QuickBooks and Intuit: {}\nData folder: {}\n",
        stage.base,
        program.configuration.data.display()
    ));
    if args.once {
        return run_once(&program, false, output).await;
    }
    run_once(&program, false, output).await?;
    output.say(
        "\nThe demo keeps running; the next run starts 15 minutes after the last one ended.\n\
         In another terminal: purser logs --tenant north-harbor, purser logs 4711, \
         purser retry --all, purser preview ID.\nStop with Ctrl-C.",
    );
    keep_running(&program).await?;
    Ok(Exit::Ok)
}

/// Brings the simulators of a demo folder along; leaves every other folder as it is.
pub(crate) async fn join(
    configuration: Configuration,
) -> Result<(Configuration, Option<Stage>), ProgramError> {
    if configuration.names_endpoints || Marker::read(&configuration.data)?.is_none() {
        return Ok((configuration, None));
    }
    let stage = Stage::start(&configuration.data, &StageOptions::default()).await?;
    let configuration = on_stage(configuration, &stage);
    Ok((configuration, Some(stage)))
}

fn on_stage(configuration: Configuration, stage: &Stage) -> Configuration {
    let app = IntuitApp {
        client_id: CLIENT_ID.to_owned(),
        client_secret: SecretString::from(CLIENT_SECRET.to_owned()),
    };
    at_simulators(configuration, Endpoints::local(&stage.base), app)
}

/// `serve` is for real systems; a demo folder is not to be mistaken for one.
pub(crate) fn refuse_demo_folder(configuration: &Configuration) -> Result<(), ProgramError> {
    if Marker::read(&configuration.data)?.is_none() {
        return Ok(());
    }
    Err(ProgramError::wrong(
        "demo_folder",
        format!(
            "{} is the data folder of a demo.",
            configuration.data.display()
        ),
        "Use `purser demo` for it, or name another folder with PURSER_DATA.",
    ))
}

fn refuse_real_folder(data: &Path) -> Result<(), ProgramError> {
    let is_real = fs::exists(data.join(purser_sqlite::FILE_NAME)).unwrap_or(false)
        && Marker::read(data)?.is_none();
    if !is_real {
        return Ok(());
    }
    Err(ProgramError::wrong(
        "real_folder",
        format!(
            "{} holds real connections, which a demo must not touch.",
            data.display()
        ),
        "Name another folder for the demo with PURSER_DATA.",
    ))
}

/// Connects the demo companies the way a person would: credentials, then settings.
async fn connect_companies(program: &Program, stage: &Stage) -> Result<(), ProgramError> {
    let known = program.store.tenants().await?;
    for company in &stage.marker.companies {
        let tenant = company.tenant.parse().map_err(|error| broken(&error))?;
        if known.contains(&tenant) && program.engine.settings(&tenant).await?.is_some() {
            continue;
        }
        let credentials = AutotaskCredentials {
            user: company.autotask_user.clone(),
            secret: SecretString::from(company.autotask_secret.clone()),
            integration_code: SecretString::from(company.integration_code.clone()),
        };
        let grant = NewGrant {
            realm: company.realm.parse().map_err(|error| broken(&error))?,
            refresh_token: SecretString::from(company.refresh_token.clone()),
        };
        let outside = program.engine.ports().outside();
        let connected = connect::connect(
            &program.engine,
            outside,
            &tenant,
            Some(credentials),
            Some(grant),
        );
        connected.await.map_err(|error| match error {
            ConnectError::Failed { failure, .. } => failure.into(),
            ConnectError::RealmTaken(other) => broken(&format!("the realm belongs to {other}")),
        })?;
        let document = serde_json::from_value(company.settings.clone());
        let document = document.map_err(|error| broken(&error))?;
        let imported = settings::import(&program.engine, &tenant, &document).await;
        imported.map_err(|error| broken(&format!("{error:?}")))?;
    }
    Ok(())
}

fn broken(error: &impl ToString) -> ProgramError {
    ProgramError::wrong(
        "demo",
        format!("The demo's data cannot be used: {}.", error.to_string()),
        "Remove the demo's data folder and start again.",
    )
}
