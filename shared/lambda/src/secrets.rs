//! The keys and the client secret of a function: read when it starts and again every five minutes,
//! so that a rotation reaches it without a deploy.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use purser_aws::AwsSecrets;
use purser_core::ports::StoreError;
use purser_runtime::{
    configuration::IntuitApp,
    vault::{KeyRing, MasterKeys, Purpose},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::environment::{AUTOTASK_KEY, Environment, INTUIT_APP, INTUIT_KEY};

/// How long a secret is trusted after it was read.
const TRUSTED: Duration = Duration::from_mins(5);

/// Where a function's secrets are.
pub(crate) struct Secrets {
    reader: AwsSecrets,
    keys: Vec<(Purpose, String)>,
    app: Option<String>,
    read_at: Mutex<Instant>,
}

#[derive(Deserialize)]
struct AppText {
    client_id: String,
    client_secret: String,
}

impl Secrets {
    /// Those that the environment names.
    pub(crate) fn new(reader: AwsSecrets, environment: Environment) -> Self {
        let named = [
            (Purpose::Intuit, INTUIT_KEY),
            (Purpose::Autotask, AUTOTASK_KEY),
        ];
        let keys = named
            .into_iter()
            .filter_map(|(purpose, name)| Some((purpose, environment.get(name)?)));
        Self {
            reader,
            keys: keys.collect(),
            app: environment.get(INTUIT_APP),
            read_at: Mutex::new(Instant::now()),
        }
    }

    /// The keys, as they are now.
    pub(crate) async fn keys(&self) -> Result<Vec<(Purpose, KeyRing)>, StoreError> {
        let mut rings = Vec::new();
        for (purpose, arn) in &self.keys {
            let text = self.reader.read(arn).await?;
            let ring = KeyRing::parse(text.expose_secret());
            let ring = ring.map_err(|error| {
                StoreError::Unreadable(format!("the {} key: {error}", purpose.as_str()))
            })?;
            rings.push((*purpose, ring));
        }
        Ok(rings)
    }

    /// The registration at Intuit, as it is now; `None` when this function has no business with it.
    pub(crate) async fn app(&self) -> Result<Option<IntuitApp>, StoreError> {
        let Some(arn) = &self.app else {
            return Ok(None);
        };
        let text = self.reader.read(arn).await?;
        let app: AppText = serde_json::from_str(text.expose_secret()).map_err(|_| {
            let problem = "the Intuit app: it must be JSON with client_id and client_secret";
            StoreError::Unreadable(problem.to_owned())
        })?;
        Ok(Some(IntuitApp {
            client_id: app.client_id,
            client_secret: SecretString::from(app.client_secret),
        }))
    }

    /// Whether it is time to read them again. Whoever is told so does it; others go on meanwhile.
    pub(crate) fn are_due(&self) -> bool {
        if self.keys.is_empty() && self.app.is_none() {
            return false;
        }
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = read_at.elapsed() >= TRUSTED;
        if is_due {
            *read_at = Instant::now();
        }
        is_due
    }

    /// Has them read again before anything else is done: something could not be opened.
    pub(crate) fn doubt(&self) {
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(long_ago) = Instant::now().checked_sub(TRUSTED) {
            *read_at = long_ago;
        }
    }

    /// Reads the keys and the client secret again into whoever uses them.
    pub(crate) async fn renew(
        &self,
        keys: &MasterKeys,
        put_app: impl FnOnce(IntuitApp),
    ) -> Result<(), StoreError> {
        for (purpose, ring) in self.keys().await? {
            keys.replace(purpose, ring);
        }
        if let Some(app) = self.app().await? {
            put_app(app);
        }
        Ok(())
    }
}
