//! Demo folders: simulators on this machine and a believable world.
//!
//! A data folder that holds `demo.json` is a demo folder: every command on it speaks to its
//! simulators, those of the running demo or, when there is none, its own over the same state.

mod stage;
mod world;

use std::{fs, path::Path};

use purser_runtime::configuration::{Configuration, Endpoints, IntuitApp};
use secrecy::SecretString;

pub(crate) use stage::{Marker, Stage, StageOptions};
pub(crate) use world::{CLIENT_ID, CLIENT_SECRET, Company, expected, seed, seed_plain};

use crate::exit::ProgramError;

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

/// The configuration with the outside systems at the simulators.
pub(crate) fn on_stage(configuration: Configuration, stage: &Stage) -> Configuration {
    let app = IntuitApp {
        client_id: CLIENT_ID.to_owned(),
        client_secret: SecretString::from(CLIENT_SECRET.to_owned()),
    };
    let endpoints = Endpoints::local(&stage.base);
    Configuration {
        endpoints,
        intuit_app: Some(app),
        ..configuration
    }
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

/// The demo must not touch real connections.
pub(crate) fn refuse_real_folder(data: &Path) -> Result<(), ProgramError> {
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
