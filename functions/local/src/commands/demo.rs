//! `purser demo`: the simulators, the demo companies and the engine, once or until told to stop.

use purser_core::{ports::Ledger as _, tenant::AutotaskCredentials, usecase::Ports as _};
use purser_runtime::{
    configuration::Configuration,
    connect::{self, ConnectError, NewGrant},
    settings,
};
use purser_web::view::DemoHint;
use secrecy::SecretString;

use crate::{
    cli::DemoArgs,
    demo::{CLIENT_ID, Stage, StageOptions, expected, on_stage, refuse_real_folder},
    exit::{Exit, ProgramError},
    output::Output,
    program::{Program, Role},
    web::{Door, Served},
};

use super::{run::run_once, serve::keep_running};

/// Runs the demo once, or until it is told to stop.
pub(super) async fn run(
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
    let is_first = connect_companies(&program, &stage).await?;
    output.say(&format!(
        "Simulators of Autotask, QuickBooks and Intuit: {}\nData folder: {}\n",
        stage.base,
        program.configuration.data.display()
    ));
    let served = match args.once {
        true => None,
        false => Some(open_door(&program, &stage, args.web_port, output).await?),
    };
    let expected = serde_json::to_value(expected()).ok().filter(|_| is_first);
    let exit = run_once(&program, false, expected, output).await?;
    if args.once {
        return Ok(exit);
    }
    output.say(
        "\nThe demo keeps running; the next run starts 15 minutes after the last one ended.\n\
         In another terminal: purser logs --tenant north-harbor, purser logs 4711, \
         purser retry --all, purser preview ID.\nStop with Ctrl-C.",
    );
    keep_running(&program).await?;
    drop(served);
    Ok(Exit::Ok)
}

/// Serves the web application, and tells the visitor who to be.
async fn open_door(
    program: &Program,
    stage: &Stage,
    port: Option<u16>,
    output: &Output,
) -> Result<Served, ProgramError> {
    let door = Door::open(port).await?;
    let url = door.url("127.0.0.1")?;
    if let Some(simulators) = &stage.simulators {
        let callback = format!("{url}oauth/callback");
        let known = simulators
            .intuit
            .tokens()
            .add_redirect(CLIENT_ID, &callback);
        known.map_err(|error| broken(&error))?;
    }
    let owners = stage.marker.companies.iter();
    let owners: Vec<_> = owners.map(|company| company.owner_email.clone()).collect();
    let newcomer = stage.marker.open.first();
    let hint = newcomer.map(|open| DemoHint {
        owners: owners.clone(),
        newcomer: open.owner_email.clone(),
        company: open.company.clone(),
        autotask_user: open.autotask_user.clone(),
        autotask_secret: open.autotask_secret.clone(),
        integration_code: open.integration_code.clone(),
    });
    if let Some(hint) = &hint {
        output.say(&format!(
            "Web application: {url}\n  Sign in as {} to see a company at work,\n  or as {} to \
             connect one yourself (Autotask user {}, secret {}, integration code {}).\n",
            owners.first().map_or("", String::as_str),
            hint.newcomer,
            hint.autotask_user,
            hint.autotask_secret,
            hint.integration_code
        ));
    }
    Ok(door.serve(program, &url, hint))
}

/// Connects the demo companies the way a person would: credentials, then settings. Tells whether
/// any was new.
async fn connect_companies(program: &Program, stage: &Stage) -> Result<bool, ProgramError> {
    let known = program.store.tenants().await?;
    let mut is_first = false;
    for company in &stage.marker.companies {
        let tenant = company.tenant.parse().map_err(|error| broken(&error))?;
        if known.contains(&tenant) && program.engine.settings(&tenant).await?.is_some() {
            continue;
        }
        is_first = true;
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
        // Whoever owns the company in the demo's Intuit looks after it in the browser.
        let now = jiff::Timestamp::now();
        purser_web::name_owner(&*program.store, &tenant, &company.owner_email, now).await?;
    }
    Ok(is_first)
}

fn broken(error: &impl ToString) -> ProgramError {
    ProgramError::wrong(
        "demo",
        format!("The demo's data cannot be used: {}.", error.to_string()),
        "Remove the demo's data folder and start again.",
    )
}
