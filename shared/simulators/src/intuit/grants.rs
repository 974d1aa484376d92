//! The grants themselves: who connected what, and every token that came of it.
//!
//! Pure state; [`super::tokens`] locks it and writes it to the store.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::switches::{IntuitSwitches, Rotation};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Nothing renews a grant beyond five years.
const HARD_LIFE: SignedDuration = SignedDuration::from_secs(157_680_000);

/// What a person may do in a company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May connect apps.
    Admin,
    /// An accountant's login; may connect apps.
    Accountant,
    /// May not connect apps.
    User,
}

/// An app known to the token service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) secret: String,
    pub(super) redirect_uris: Vec<String>,
    /// What people see; the client id when none.
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// Someone who can sign in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) email: String,
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) realms: BTreeMap<String, Role>,
}

impl Person {
    /// Whether this person may connect an app to the company.
    pub(super) fn may_connect(&self, realm: &str) -> bool {
        matches!(self.realms.get(realm), Some(Role::Admin | Role::Accountant))
    }
}

/// An authorization code and what it was given for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    pub(super) realm: Option<String>,
    pub(super) email: String,
    pub(super) nonce: Option<String>,
    pub(super) issued: Timestamp,
    pub(super) grant: Option<u64>,
}

/// One consent of one person for one app and company.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) realm: Option<String>,
    pub(super) email: String,
    pub(super) scope: String,
    pub(super) begun: Timestamp,
    pub(super) revoked: bool,
    refresh: String,
    refresh_issued: Timestamp,
    refresh_used: Timestamp,
    previous: Option<(String, Timestamp)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AccessToken {
    pub(super) grant: u64,
    pub(super) expires: Timestamp,
}

/// What a token request gives.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) access_seconds: i64,
    pub(super) refresh_seconds: i64,
    pub(super) hard_seconds: i64,
    pub(super) grant: Grant,
}

/// Everything the token service remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Grants {
    pub(super) switches: IntuitSwitches,
    pub(super) clients: BTreeMap<String, Client>,
    pub(super) people: BTreeMap<String, Person>,
    pub(super) codes: BTreeMap<String, Code>,
    pub(super) consents: BTreeMap<u64, Grant>,
    pub(super) access: BTreeMap<String, AccessToken>,
    /// The names of companies by realm.
    #[serde(default)]
    pub(super) realm_names: BTreeMap<String, String>,
    /// The scopes that people have agreed to, by app and e-mail address.
    #[serde(default)]
    agreed: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    refresh: BTreeMap<String, u64>,
    sequence: u64,
}

impl Grants {
    /// What people call the app.
    pub(super) fn app_name(&self, client: &str) -> String {
        let name = self.clients.get(client).and_then(|app| app.name.clone());
        name.unwrap_or_else(|| client.to_owned())
    }

    /// What people call the company.
    pub(super) fn realm_name(&self, realm: &str) -> String {
        let name = self.realm_names.get(realm).cloned();
        name.unwrap_or_else(|| format!("Company {realm}"))
    }

    /// Whether the person has already agreed to all of these scopes.
    pub(super) fn has_agreed(&self, client: &str, email: &str, scope: &str) -> bool {
        let agreed = self.agreed.get(client).and_then(|of| of.get(email));
        agreed.is_some_and(|agreed| scope.split(' ').all(|scope| agreed.contains(scope)))
    }

    /// Remembers what the person has agreed to.
    pub(super) fn agree(&mut self, client: &str, email: &str, scope: &str) {
        let of_client = self.agreed.entry(client.to_owned()).or_default();
        let agreed = of_client.entry(email.to_owned()).or_default();
        agreed.extend(scope.split(' ').map(str::to_owned));
    }

    /// A new opaque value: unique for this table, and the same for the same history.
    pub(super) fn mint(&mut self, prefix: &str, now: Timestamp) -> String {
        self.sequence += 1;
        let seed = format!("{prefix}|{}|{}", self.sequence, now.as_nanosecond());
        let digest = BASE64URL_NOPAD.encode(&Sha256::digest(seed.as_bytes()));
        format!("{prefix}{digest}")
    }

    /// Begins a grant and answers its number.
    pub(super) fn begin(
        &mut self,
        client: &str,
        realm: Option<&str>,
        email: &str,
        scope: &str,
        now: Timestamp,
    ) -> u64 {
        let refresh = self.mint("RT1-001-H0-", now);
        let number = self.consents.keys().next_back().map_or(1, |last| last + 1);
        self.refresh.insert(refresh.clone(), number);
        let grant = Grant {
            client: client.to_owned(),
            realm: realm.map(str::to_owned),
            email: email.to_owned(),
            scope: scope.to_owned(),
            begun: now,
            revoked: false,
            refresh,
            refresh_issued: now,
            refresh_used: now,
            previous: None,
        };
        self.consents.insert(number, grant);
        number
    }

    pub(super) fn refresh_token(&self, number: u64) -> Option<&str> {
        self.consents
            .get(&number)
            .map(|grant| grant.refresh.as_str())
    }

    /// Gives the tokens of a grant.
    pub(super) fn issue(&mut self, number: u64, now: Timestamp) -> Option<Issued> {
        let access_seconds = self.switches.access_token_seconds;
        let refresh_seconds = self.switches.refresh_token_seconds;
        let expires = now + SignedDuration::from_secs(access_seconds);
        let day_ago = now - DAY;
        self.access.retain(|_, token| token.expires > day_ago);
        let access = self.mint("eyJlbmMi.", now);
        self.access.insert(
            access.clone(),
            AccessToken {
                grant: number,
                expires,
            },
        );
        let grant = self.consents.get_mut(&number)?;
        grant.refresh_used = now;
        let hard_seconds = (grant.begun + HARD_LIFE).duration_since(now).as_secs();
        Some(Issued {
            access,
            refresh: grant.refresh.clone(),
            access_seconds,
            refresh_seconds: refresh_seconds.min(hard_seconds),
            hard_seconds,
            grant: grant.clone(),
        })
    }

    /// Uses a refresh token; `None` is `invalid_grant`.
    pub(super) fn renew(&mut self, client: &str, token: &str, now: Timestamp) -> Option<Issued> {
        if self.switches.invalid_grant_outage {
            return None;
        }
        let number = *self.refresh.get(token)?;
        let switches = self.switches.clone();
        let grant = self.consents.get_mut(&number)?;
        if grant.client != client || grant.revoked {
            return None;
        }
        let life = SignedDuration::from_secs(switches.refresh_token_seconds);
        let dead = now.duration_since(grant.refresh_used) > life
            || now.duration_since(grant.begun) > HARD_LIFE;
        if dead {
            return None;
        }
        if grant.refresh != token {
            let in_grace = grant
                .previous
                .as_ref()
                .is_some_and(|(old, until)| old == token && now <= *until);
            if !in_grace {
                grant.revoked = switches.reuse_revokes;
                return None;
            }
            return self.issue(number, now);
        }
        let rotates = switches.rotation == Rotation::Strict
            || now.duration_since(grant.refresh_issued) >= DAY;
        if rotates {
            self.rotate(number, switches.rotation, now);
        }
        self.issue(number, now)
    }

    fn rotate(&mut self, number: u64, rotation: Rotation, now: Timestamp) {
        let fresh = self.mint("RT1-001-H0-", now);
        if let Some(grant) = self.consents.get_mut(&number) {
            let old = std::mem::replace(&mut grant.refresh, fresh.clone());
            grant.previous = (rotation == Rotation::Grace).then(|| (old, now + DAY));
            grant.refresh_issued = now;
            self.refresh.insert(fresh, number);
        }
    }

    /// Uses a code; `None` is `invalid_grant`. A second use ends the grant of the first.
    pub(super) fn redeem(
        &mut self,
        client: &str,
        code: &str,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Option<(Issued, Code)> {
        let found = self.codes.get(code)?.clone();
        if let Some(number) = found.grant {
            if let Some(grant) = self.consents.get_mut(&number) {
                grant.revoked = true;
            }
            return None;
        }
        let life = SignedDuration::from_secs(self.switches.code_seconds);
        let good = found.client == client
            && found.redirect_uri == redirect_uri
            && now.duration_since(found.issued) <= life;
        if !good {
            return None;
        }
        let number = self.begin(
            client,
            found.realm.as_deref(),
            &found.email,
            &found.scope,
            now,
        );
        if let Some(code) = self.codes.get_mut(code) {
            code.grant = Some(number);
        }
        Some((self.issue(number, now)?, found))
    }

    /// Ends the grant of a refresh or access token; false when the token is unknown or ended.
    pub(super) fn revoke(&mut self, client: &str, token: &str) -> bool {
        let access = self.access.get(token).map(|token| token.grant);
        let Some(number) = self.refresh.get(token).copied().or(access) else {
            return false;
        };
        match self.consents.get_mut(&number) {
            Some(grant) if !grant.revoked && grant.client == client => {
                grant.revoked = true;
                true
            }
            _ => false,
        }
    }
}
