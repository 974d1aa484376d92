//! Secrets Manager: texts that no stack holds.

use aws_sdk_secretsmanager::Client;
use purser_core::ports::StoreError;
use secrecy::SecretString;

use crate::error::{unavailable, unreadable};

/// The secrets that a function may read.
#[derive(Clone, Debug)]
pub struct AwsSecrets {
    client: Client,
}

impl AwsSecrets {
    /// Secrets read with this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The current text of a secret.
    pub async fn read(&self, arn: &str) -> Result<SecretString, StoreError> {
        let get = self.client.get_secret_value().secret_id(arn);
        let answer = get.send().await.map_err(|error| unavailable(&error))?;
        let text = answer.secret_string.map(SecretString::from);
        text.ok_or_else(|| unreadable("a secret without a text"))
    }
}
