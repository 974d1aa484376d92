//! The doubts about Intuit's token service, as switches that can be turned while it runs.

use serde::{Deserialize, Serialize};

/// What happens to a refresh token when it is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Every refresh gives a new token, and the old one dies at once.
    Strict,
    /// The value stays for 24 hours, then a new one comes and the old one dies at once.
    #[default]
    Daily,
    /// As `Daily`, but the old value works for 24 hours more.
    Grace,
}

/// Behaviour that can be changed at run time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IntuitSwitches {
    /// What happens to a refresh token when it is used.
    pub rotation: Rotation,
    /// Every refresh answers `invalid_grant` although the token is good, as in an outage.
    pub invalid_grant_outage: bool,
    /// A dead refresh token that is used again ends the whole grant.
    pub reuse_revokes: bool,
    /// Life of an access token, in seconds.
    pub access_token_seconds: i64,
    /// Life of a refresh token since its last use, in seconds.
    pub refresh_token_seconds: i64,
    /// Life of an authorization code, in seconds.
    pub code_seconds: i64,
    /// Every answer takes so long.
    pub latency_ms: u64,
}

impl Default for IntuitSwitches {
    fn default() -> Self {
        Self {
            rotation: Rotation::Daily,
            invalid_grant_outage: false,
            reuse_revokes: false,
            access_token_seconds: 3_600,
            refresh_token_seconds: 8_640_000,
            code_seconds: 600,
            latency_ms: 0,
        }
    }
}
