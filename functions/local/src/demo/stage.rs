//! The simulators of a demo folder: served by this process, or by the one that already does.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use purser_simulators::{Simulators, Store, WallClock, serve};
use purser_transport::{HttpTransport, Request, Transport as _};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;

use super::{
    Company, seed, seed_plain,
    world::{OpenCompany, WorldError, seed_open},
};
use crate::exit::ProgramError;

/// The file that makes a folder a demo folder.
const MARKER: &str = "demo.json";
/// The simulators' own state.
const STATE: &str = "simulators.db";
/// Held by the process that serves the simulators.
const LOCK: &str = "simulators.lock";
/// As many calls an hour as no run can make.
const UNLIMITED: usize = 1_000_000_000;
/// What a new world needs on the disk, generously.
const WORLD_BYTES: usize = 16 * 1024 * 1024;
/// How often another process is asked for its address before giving up.
const TRIES: u32 = 100;

/// What a demo folder says about itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// Where the simulators were served last.
    pub(crate) base: Option<Url>,
    /// The companies of the world.
    pub(crate) companies: Vec<Company>,
    /// The companies that a visitor may connect by hand; none in folders that were made before
    /// there were any.
    #[serde(default)]
    pub(crate) open: Vec<OpenCompany>,
}

impl Marker {
    /// Reads the marker of a folder, if it has one.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, ProgramError> {
        match fs::read_to_string(folder.join(MARKER)) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| unusable(&error)),
            // A data folder that is a file is for the data file's own words.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(unusable(&error)),
        }
    }

    fn write(&self, folder: &Path) -> Result<(), ProgramError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| unusable(&error))?;
        let beside = folder.join(format!("{MARKER}.new"));
        let written = write_owner_only(&beside, &text)
            .and_then(|()| fs::rename(&beside, folder.join(MARKER)));
        written.map_err(|error| unusable(&error))
    }
}

/// How to start the simulators.
#[derive(Clone, Debug, Default)]
pub(crate) struct StageOptions {
    /// The port; a free one when 0.
    pub(crate) port: u16,
    /// This many plain orders instead of the demo world.
    pub(crate) plain: Option<u32>,
    /// Whether the vendors' limits are lifted.
    pub(crate) no_limits: bool,
}

/// The simulators of a folder and where they are.
pub(crate) struct Stage {
    pub(crate) base: Url,
    pub(crate) marker: Marker,
    pub(crate) simulators: Option<Arc<Simulators>>,
    task: Option<JoinHandle<std::io::Result<()>>>,
    _lock: Option<fs::File>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Stage {
    /// Serves the simulators of `folder`, or joins the process that already serves them.
    pub(crate) async fn start(folder: &Path, options: &StageOptions) -> Result<Self, ProgramError> {
        fs::create_dir_all(folder)
            .map_err(|error| unusable(&format!("{}: {error}", folder.display())))?;
        for _ in 0..TRIES {
            if let Some(lock) = lock(folder)? {
                return Self::serve(folder, options, lock).await;
            }
            if let Some(marker) = Marker::read(folder)?
                && let Some(base) = marker.base.clone()
                && answers(&base).await
            {
                return Ok(Self {
                    base,
                    marker,
                    simulators: None,
                    task: None,
                    _lock: None,
                });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(ProgramError::wrong(
            "simulators",
            "Another process holds the simulators of this folder but does not answer.",
            "Stop it and try again.",
        ))
    }

    async fn serve(
        folder: &Path,
        options: &StageOptions,
        lock: fs::File,
    ) -> Result<Self, ProgramError> {
        let listener = TcpListener::bind(("127.0.0.1", options.port))
            .await
            .map_err(|error| {
                ProgramError::wrong(
                    "port",
                    format!(
                        "The port {} at 127.0.0.1 cannot be used: {error}.",
                        options.port
                    ),
                    "Choose another with --port, or leave it out for a free one.",
                )
            })?;
        let port = listener
            .local_addr()
            .map_err(|error| unusable(&error))?
            .port();
        let base: Url = format!("http://127.0.0.1:{port}")
            .parse()
            .map_err(|error| unusable(&error))?;
        let store = Store::open(&folder.join(STATE)).map_err(|error| unusable(&error))?;
        let address = base.as_str().trim_end_matches('/');
        let simulators = Simulators::new(Arc::new(WallClock), store, address);
        let simulators = Arc::new(simulators.map_err(|error| unusable(&error))?);
        let marker = Self::marker(folder, options, &simulators, &base)?;
        if options.no_limits {
            lift_limits(&simulators)?;
        }
        let serving = Arc::clone(&simulators);
        let task =
            tokio::spawn(async move { serve(serving, listener, std::future::pending()).await });
        let (simulators, task) = (Some(simulators), Some(task));
        Ok(Self {
            base,
            marker,
            simulators,
            task,
            _lock: Some(lock),
        })
    }

    /// The world is seeded once, when the folder is new.
    fn marker(
        folder: &Path,
        options: &StageOptions,
        simulators: &Simulators,
        base: &Url,
    ) -> Result<Marker, ProgramError> {
        let marker = if let Some(marker) = Marker::read(folder)? {
            Marker {
                base: Some(base.clone()),
                ..marker
            }
        } else {
            prove_room(folder)?;
            let now = Timestamp::now();
            let (companies, open) =
                seeded(simulators, options, now).map_err(|error| unusable(&error))?;
            Marker {
                base: Some(base.clone()),
                companies,
                open,
            }
        };
        marker.write(folder)?;
        Ok(marker)
    }

    /// Serves until the process is told to stop.
    pub(crate) async fn wait(mut self) {
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

/// The companies of a new world: those to be connected, and those that are left to visitors.
fn seeded(
    simulators: &Simulators,
    options: &StageOptions,
    now: Timestamp,
) -> Result<(Vec<Company>, Vec<OpenCompany>), WorldError> {
    match options.plain {
        Some(orders) => Ok((seed_plain(simulators, now, orders)?, Vec::new())),
        None => Ok((seed(simulators, now)?, seed_open(simulators, now)?)),
    }
}

/// Lifts the vendors' limits on calls and the time they take, for measurements.
fn lift_limits(simulators: &Simulators) -> Result<(), ProgramError> {
    let realms = simulators.quickbooks.realms();
    simulators
        .quickbooks
        .change_switches(|switches| {
            switches.requests_per_minute = 0;
            switches.requests_per_second = 0;
        })
        .map_err(|error| unusable(&error))?;
    for database in simulators.autotask.databases() {
        database.switch(|switches| {
            switches.hourly_limit = UNLIMITED;
            switches.thread_limit = 0;
            switches.latency_ms = 0;
        });
    }
    tracing::info!(realms = realms.len(), "the simulators' limits are lifted");
    Ok(())
}

async fn answers(base: &Url) -> bool {
    let Ok(transport) = HttpTransport::new() else {
        return false;
    };
    let uri = base.join("/_simulator/counts").map(|url| url.to_string());
    let Ok(request) = Request::get(uri.unwrap_or_default()).body(Bytes::new()) else {
        return false;
    };
    let answer = transport.send(request, Duration::from_secs(2)).await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

fn lock(folder: &Path) -> Result<Option<fs::File>, ProgramError> {
    let path: PathBuf = folder.join(LOCK);
    let mut options = fs::OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(path);
    let file = file.map_err(|error| unusable(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(unusable(&error)),
    }
}

/// A world that is cut off in the middle is of no use: the room for it is proven first.
fn prove_room(folder: &Path) -> Result<(), ProgramError> {
    let path = folder.join("room.probe");
    let written = fs::write(&path, vec![1_u8; WORLD_BYTES]);
    let removed = fs::remove_file(&path);
    written.and(removed).map_err(|error| {
        ProgramError::wrong(
            "simulators",
            format!(
                "There is no room for the simulators in {}: {error}.",
                folder.display()
            ),
            "Make room on the disk, or name another folder with PURSER_DATA.",
        )
    })
}

fn write_owner_only(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn unusable(error: &impl ToString) -> ProgramError {
    ProgramError::wrong(
        "simulators",
        format!(
            "The simulators' folder cannot be used: {}.",
            error.to_string()
        ),
        "Check the folder's rights and space, or name another one with PURSER_DATA.",
    )
}
