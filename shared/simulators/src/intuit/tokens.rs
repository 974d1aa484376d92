//! The table of grants and tokens that Intuit's sign-in and QuickBooks share.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{
    authorize::ACCOUNTING,
    grants::{Client, Grants, Person, Role},
    switches::IntuitSwitches,
};
use crate::store::{Change, Store, StoreError};

const GRANTS: &str = "intuit.grants";

/// What a bearer token is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// Never issued here.
    Unknown,
    /// Older than its life.
    Expired,
    /// Its grant was ended.
    Revoked,
    /// Good, for this company if for any.
    Good {
        /// The company the grant is for; none for a mere sign-in.
        realm: Option<String>,
    },
}

/// Every client, person, grant and token; durable.
pub struct TokenTable {
    store: Arc<Store>,
    grants: Mutex<Grants>,
}

impl fmt::Debug for TokenTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenTable").finish_non_exhaustive()
    }
}

impl TokenTable {
    /// Takes up what the store holds.
    pub fn new(store: Arc<Store>) -> Result<Self, StoreError> {
        let grants = match store.load(GRANTS)?.pop() {
            Some((_, json)) => {
                serde_json::from_str(&json).map_err(|source| StoreError::Document {
                    kind: GRANTS.to_owned(),
                    source,
                })?
            }
            None => Grants::default(),
        };
        Ok(Self {
            store,
            grants: Mutex::new(grants),
        })
    }

    /// What `bearer` is worth at `now`.
    pub fn state_of(&self, bearer: &str, now: Timestamp) -> TokenState {
        self.read(|grants| {
            let Some(token) = grants.access.get(bearer) else {
                return TokenState::Unknown;
            };
            match grants.consents.get(&token.grant) {
                None => TokenState::Unknown,
                Some(grant) if grant.revoked => TokenState::Revoked,
                Some(_) if token.expires <= now => TokenState::Expired,
                Some(grant) => TokenState::Good {
                    realm: grant.realm.clone(),
                },
            }
        })
    }

    /// Registers an app.
    pub fn add_client(
        &self,
        client_id: &str,
        secret: &str,
        redirect_uris: &[&str],
    ) -> Result<(), StoreError> {
        let client = Client {
            secret: secret.to_owned(),
            redirect_uris: redirect_uris.iter().map(|&uri| uri.to_owned()).collect(),
            name: None,
        };
        self.change(|grants| {
            grants.clients.insert(client_id.to_owned(), client);
        })
    }

    /// Gives an app the name that people see, instead of its client id; false when it is unknown.
    pub fn name_client(&self, client_id: &str, name: &str) -> Result<bool, StoreError> {
        self.change(|grants| match grants.clients.get_mut(client_id) {
            None => false,
            Some(client) => {
                client.name = Some(name.to_owned());
                true
            }
        })
    }

    /// Registers one more address that browsers may be sent back to; false when the app is
    /// unknown.
    pub fn add_redirect(&self, client_id: &str, uri: &str) -> Result<bool, StoreError> {
        self.change(|grants| match grants.clients.get_mut(client_id) {
            None => false,
            Some(client) => {
                if !client.redirect_uris.iter().any(|known| known == uri) {
                    client.redirect_uris.push(uri.to_owned());
                }
                true
            }
        })
    }

    /// Gives a company the name that people choose it by.
    pub fn name_realm(&self, realm: &str, name: &str) -> Result<(), StoreError> {
        self.change(|grants| {
            grants.realm_names.insert(realm.to_owned(), name.to_owned());
        })
    }

    /// Lets someone sign in, without a password, and gives them their companies.
    pub fn add_person(
        &self,
        email: &str,
        name: &str,
        realms: &[(&str, Role)],
    ) -> Result<(), StoreError> {
        let digest = Sha256::digest(email.as_bytes());
        let subject = data_encoding::HEXLOWER.encode(digest.get(..16).unwrap_or_default());
        let realms: BTreeMap<String, Role> = realms
            .iter()
            .map(|(realm, role)| ((*realm).to_owned(), *role))
            .collect();
        let person = Person {
            email: email.to_owned(),
            name: name.to_owned(),
            subject,
            realms,
        };
        self.change(|grants| {
            grants.people.insert(email.to_owned(), person);
        })
    }

    /// Connects a company without a browser; answers the refresh token.
    pub fn grant(
        &self,
        realm: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        self.change(|grants| {
            let number = grants.begin(client_id, Some(realm), "", ACCOUNTING, now);
            grants.refresh_token(number).unwrap_or_default().to_owned()
        })
    }

    /// Gives an access token for a company at once, for tests that need no sign-in.
    pub fn access_token(
        &self,
        realm: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        self.change(|grants| {
            let number = grants.begin(client_id, Some(realm), "", ACCOUNTING, now);
            grants
                .issue(number, now)
                .map(|issued| issued.access)
                .unwrap_or_default()
        })
    }

    /// Ends every grant of a company, as when a person disconnects the app inside QuickBooks.
    pub fn disconnect(&self, realm: &str) -> Result<usize, StoreError> {
        self.change(|grants| {
            let mut ended = 0;
            for grant in grants.consents.values_mut() {
                if grant.realm.as_deref() == Some(realm) && !grant.revoked {
                    grant.revoked = true;
                    ended += 1;
                }
            }
            ended
        })
    }

    /// How many grants of a company are alive.
    pub fn live_grants(&self, realm: &str) -> usize {
        self.read(|grants| {
            let of_realm = |realm_of: &Option<String>| realm_of.as_deref() == Some(realm);
            let live = grants.consents.values().filter(|grant| !grant.revoked);
            live.filter(|grant| of_realm(&grant.realm)).count()
        })
    }

    /// The number of live grants of each company.
    pub(super) fn live_grants_by_realm(&self) -> serde_json::Value {
        let mut live: BTreeMap<String, u64> = BTreeMap::new();
        self.read(|grants| {
            for grant in grants.consents.values().filter(|grant| !grant.revoked) {
                *live
                    .entry(grant.realm.clone().unwrap_or_default())
                    .or_default() += 1;
            }
        });
        serde_json::json!({ "live_grants": live })
    }

    /// The present switches.
    pub fn switches(&self) -> IntuitSwitches {
        self.read(|grants| grants.switches.clone())
    }

    /// Changes switches; the change survives a restart.
    pub fn change_switches(
        &self,
        change: impl FnOnce(&mut IntuitSwitches),
    ) -> Result<(), StoreError> {
        self.change(|grants| change(&mut grants.switches))
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Grants) -> T) -> T {
        read(&self.grants.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the table and writes it to the store before it returns.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Grants) -> T) -> Result<T, StoreError> {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut grants);
        if self.store.is_durable() {
            let json = serde_json::to_string(&*grants).unwrap_or_default();
            let kind = GRANTS.to_owned();
            self.store.commit(&[Change::Put {
                kind,
                id: "all".to_owned(),
                json,
            }])?;
        }
        Ok(result)
    }
}
