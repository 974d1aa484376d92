//! What is particular to one database: its user, zone, states and logins.

use serde::{Deserialize, Serialize};

use super::switches::AutotaskSwitches;

/// The states of a purchase order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Being written.
    New,
    /// Sent to the vendor.
    #[default]
    Submitted,
    /// Some goods have come.
    ReceivedPartial,
    /// All goods have come.
    ReceivedFull,
    /// Called off.
    Canceled,
}

impl OrderStatus {
    /// All states in the order of their lives.
    pub const ALL: [Self; 5] = [
        Self::New,
        Self::Submitted,
        Self::ReceivedPartial,
        Self::ReceivedFull,
        Self::Canceled,
    ];

    pub(super) fn label(self, localized: bool) -> &'static str {
        let (english, german) = match self {
            Self::New => ("New", "Neu"),
            Self::Submitted => ("Submitted", "Übermittelt"),
            Self::ReceivedPartial => ("Received Partial", "Teilweise erhalten"),
            Self::ReceivedFull => ("Received Full", "Vollständig erhalten"),
            Self::Canceled => ("Canceled", "Storniert"),
        };
        if localized { german } else { english }
    }

    fn position(self) -> usize {
        match self {
            Self::New => 0,
            Self::Submitted => 1,
            Self::ReceivedPartial => 2,
            Self::ReceivedFull => 3,
            Self::Canceled => 4,
        }
    }
}

/// A new database: one Autotask customer with one API user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct DatabaseSeed {
    /// Name of the API user; names the database everywhere.
    pub api_user: String,
    /// Its secret.
    pub secret: String,
    /// The integration code (27 characters at the vendor).
    pub integration_code: String,
    /// Name of the zone.
    pub zone_name: String,
    /// First part of the zone's address; empty for none.
    pub zone_path: String,
    /// The customer's number, which names the database; made from the API user's name when none.
    pub ci: Option<i64>,
    /// Name of company 0, the customer itself.
    pub company_name: String,
    /// Three-letter code of the internal currency.
    pub internal_currency: String,
    /// Ids of the order states, in the order of [`OrderStatus::ALL`].
    pub status_ids: [i64; 5],
    /// Behaviour from the start.
    pub switches: AutotaskSwitches,
}

impl Default for DatabaseSeed {
    fn default() -> Self {
        Self {
            api_user: "api@msp.example".into(),
            secret: "autotask-secret".into(),
            integration_code: "SIMULATEDTRACKINGIDENTIFIER".into(),
            zone_name: "America East".into(),
            zone_path: "webservices3".into(),
            ci: None,
            company_name: "Example MSP".into(),
            internal_currency: "USD".into(),
            status_ids: [13, 27, 8, 41, 19],
            switches: AutotaskSwitches::default(),
        }
    }
}

impl DatabaseSeed {
    /// The customer's number: another one for each API user, unless it was given.
    pub fn number(&self) -> i64 {
        let spread = |sum: i64, byte: u8| (sum * 31 + i64::from(byte)) % 900_000;
        let user = self.api_user.trim().to_lowercase();
        let made = user.bytes().fold(7, spread);
        self.ci.unwrap_or(100_000 + made)
    }
}

/// The stored state of a database besides its rows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Profile {
    pub(super) seed: DatabaseSeed,
    pub(super) failed_logins: u64,
    pub(super) failures_in_a_row: u32,
    pub(super) is_locked: bool,
    pub(super) is_password_expired: bool,
    pub(super) orders_numbered: u64,
}

impl Profile {
    pub(super) fn switches(&self) -> &AutotaskSwitches {
        &self.seed.switches
    }

    pub(super) fn status_id(&self, status: OrderStatus) -> i64 {
        self.seed.status_ids[status.position()]
    }

    pub(super) fn status(&self, id: i64) -> Option<OrderStatus> {
        OrderStatus::ALL
            .into_iter()
            .find(|status| self.status_id(*status) == id)
    }

    /// The first part of the present zone's address.
    pub(super) fn zone_path(&self) -> &str {
        let moved = self.seed.switches.moved_to_zone.as_deref();
        moved.unwrap_or(&self.seed.zone_path).trim_matches('/')
    }

    /// The address of the present zone, spelt and ended as the vendor does.
    pub(super) fn zone_url(&self, public_url: &str) -> String {
        match self.zone_path() {
            "" => format!("{public_url}/ATServicesRest/"),
            path => format!("{public_url}/{path}/ATServicesRest/"),
        }
    }

    pub(super) fn web_url(&self, public_url: &str) -> String {
        match self.zone_path() {
            "" => format!("{public_url}/"),
            path => format!("{public_url}/{}/", path.replace("webservices", "ww")),
        }
    }

    /// Checks a secret and remembers the outcome; true when it is the right one.
    pub(super) fn sign_in(&mut self, secret: Option<&str>) -> bool {
        if secret != Some(self.seed.secret.as_str()) {
            self.failed_logins += 1;
            self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
            self.is_locked |= self.failures_in_a_row >= self.seed.switches.lock_after;
            return false;
        }
        if self.is_locked || self.is_password_expired {
            return false;
        }
        self.failures_in_a_row = 0;
        true
    }
}
