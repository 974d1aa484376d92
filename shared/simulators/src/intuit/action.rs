//! What people and the outside world do at Intuit while an app is in use.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{IntuitSimulator, IntuitSwitches, grants::Role};
use crate::control::{ControlError, Controlled};

/// Something that happens at Intuit: its name in snake case as `action`, its members beside it.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
enum Action {
    /// A person disconnects every app from a company inside QuickBooks.
    Disconnect { realm: String },
    /// The app's developer registers one more address that browsers may be sent back to.
    AddRedirect { client: String, uri: String },
    /// Someone gets a login, with a role in each company.
    AddPerson {
        email: String,
        name: String,
        #[serde(default)]
        realms: BTreeMap<String, Role>,
    },
}

impl IntuitSimulator {
    fn carry_out(&self, action: Action) -> Result<Value, ControlError> {
        let unstored = |error: crate::store::StoreError| ControlError(error.to_string());
        match action {
            Action::Disconnect { realm } => {
                let ended = self.tokens.disconnect(&realm).map_err(unstored)?;
                Ok(json!({ "ended": ended }))
            }
            Action::AddRedirect { client, uri } => {
                if let Err(error) = Url::parse(&uri) {
                    return Err(ControlError(format!("{uri} is not an address: {error}")));
                }
                match self.tokens.add_redirect(&client, &uri).map_err(unstored)? {
                    true => Ok(json!({})),
                    false => Err(ControlError(format!("no app has the client id {client}"))),
                }
            }
            Action::AddPerson {
                email,
                name,
                realms,
            } => {
                let realms: Vec<(&str, Role)> = realms
                    .iter()
                    .map(|(realm, role)| (realm.as_str(), *role))
                    .collect();
                let added = self.tokens.add_person(&email, &name, &realms);
                added.map_err(unstored)?;
                Ok(json!({}))
            }
        }
    }
}

impl Controlled for IntuitSimulator {
    fn switches(&self) -> Value {
        serde_json::to_value(self.tokens.switches()).unwrap_or_default()
    }

    fn change_switches(&self, changes: Value) -> Result<(), ControlError> {
        let mut all = Controlled::switches(self);
        let Value::Object(changes) = changes else {
            return Err(ControlError("switches are an object".to_owned()));
        };
        for (name, value) in changes {
            match all.get_mut(&name) {
                Some(place) => *place = value,
                None => return Err(ControlError(format!("no switch is called {name}"))),
            }
        }
        let switches: IntuitSwitches = serde_json::from_value(all)?;
        self.tokens
            .change_switches(|present| *present = switches)
            .map_err(|error| ControlError(error.to_string()))
    }

    fn act(&self, action: Value) -> Result<Value, ControlError> {
        self.carry_out(serde_json::from_value(action)?)
    }

    fn world(&self) -> Value {
        self.tokens.live_grants_by_realm()
    }
}
