//! Settings as people write, export and import them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Chosen, MissingItem, OrganisationId, Settings};

/// A choice as people write it: an id, a label, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The id, when given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The label, when given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// True when one text was given that may be either.
    #[serde(skip)]
    pub(super) either: bool,
}

impl Choice {
    /// The id of a choice.
    pub fn of_id(id: &str) -> Self {
        Self {
            id: Some(id.to_owned()),
            label: None,
            either: false,
        }
    }

    /// A text that is an id or a label.
    pub fn either(text: &str) -> Self {
        let text = text.trim().to_owned();
        Self {
            id: Some(text.clone()),
            label: Some(text),
            either: true,
        }
    }
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let value = serde_json::Value::deserialize(deserializer)?;
        match value {
            serde_json::Value::String(text) => Ok(Self::either(&text)),
            serde_json::Value::Number(number) => Ok(Self::either(&number.to_string())),
            serde_json::Value::Object(mut object) => {
                let mut take = |key: &str| match object.remove(key) {
                    None | Some(serde_json::Value::Null) => Ok(None),
                    Some(serde_json::Value::String(text)) => Ok(Some(text)),
                    Some(serde_json::Value::Number(number)) => Ok(Some(number.to_string())),
                    Some(_) => Err(D::Error::custom(format!("{key} must be a text"))),
                };
                let (id, label) = (take("id")?, take("label")?);
                if let Some(unknown) = object.keys().next() {
                    return Err(D::Error::custom(format!(
                        "unknown field {unknown} in a choice"
                    )));
                }
                if id.is_none() && label.is_none() {
                    return Err(D::Error::custom("a choice needs an id or a label"));
                }
                Ok(Self {
                    id,
                    label,
                    either: false,
                })
            }
            _ => Err(D::Error::custom(
                "a choice is a label, an id, or {\"id\":...,\"label\":...}",
            )),
        }
    }
}

/// Settings as they are written, exported and imported. Unknown fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsDocument {
    /// The format of this document; 1.
    pub version: Option<u32>,
    /// See [`Settings::days_back`]. Required.
    pub days_back: Option<i64>,
    /// See [`Settings::created_from`]: a day such as 2026-11-26.
    pub created_from: Option<String>,
    /// See [`Settings::number_source`]. Required.
    pub number_source: Option<String>,
    /// See [`Settings::interval_minutes`]; 15 when absent.
    pub interval_minutes: Option<i64>,
    /// See [`Settings::submitted_status`].
    pub submitted_status: Option<Choice>,
    /// See [`Settings::time_zone`].
    pub time_zone: Option<String>,
    /// See [`Settings::bill_date`]; `submitted` when absent.
    pub bill_date: Option<String>,
    /// See [`Settings::item_match`]; `name` when absent.
    pub item_match: Option<String>,
    /// `create` or `refuse`. Required.
    pub missing_item: Option<String>,
    /// The expense account for created Items; required with `create`, refused with `refuse`.
    pub created_item_account: Option<Choice>,
    /// See [`Settings::payable_account`]. Required.
    pub payable_account: Option<Choice>,
    /// See [`Settings::freight_account`].
    pub freight_account: Option<Choice>,
    /// See [`Settings::purchase_tax_code`]. Required outside the US, refused in the US.
    pub purchase_tax_code: Option<Choice>,
    /// See [`Settings::todo_action_type`]. Required.
    pub todo_action_type: Option<Choice>,
    /// See [`Settings::todo_resource`]. Required.
    pub todo_resource: Option<Choice>,
    /// See [`Settings::give_up_hours`]; 24 when absent.
    pub give_up_hours: Option<i64>,
    /// See [`Settings::autotask_share_percent`]; 50 when absent.
    pub autotask_share_percent: Option<i64>,
    /// See [`Settings::digest_to`].
    pub digest_to: Option<String>,
    /// See [`Settings::vendor_overrides`]: organisation id to vendor id.
    pub vendor_overrides: BTreeMap<String, String>,
    /// See [`Settings::customer_overrides`]: organisation id to customer id.
    pub customer_overrides: BTreeMap<String, String>,
}

impl From<&Settings> for SettingsDocument {
    /// The document that parses back to the same settings.
    fn from(settings: &Settings) -> Self {
        fn choice<Id: ToString>(chosen: &Chosen<Id>) -> Choice {
            Choice {
                id: Some(chosen.id.to_string()),
                label: Some(chosen.label.clone()),
                either: false,
            }
        }
        fn word<T: Serialize>(value: T) -> Option<String> {
            serde_json::to_value(value)
                .ok()?
                .as_str()
                .map(str::to_owned)
        }
        let (missing_item, account) = match &settings.missing_item {
            MissingItem::Create(account) => ("create", Some(choice(account))),
            MissingItem::Refuse => ("refuse", None),
        };
        let text = |(k, v): (&OrganisationId, &dyn ToString)| (k.to_string(), v.to_string());
        Self {
            version: Some(1),
            days_back: Some(settings.days_back.into()),
            created_from: settings.created_from.map(|day| day.to_string()),
            number_source: word(settings.number_source),
            interval_minutes: Some(settings.interval_minutes.into()),
            submitted_status: settings.submitted_status.as_ref().map(choice),
            time_zone: settings.time_zone.clone(),
            bill_date: word(settings.bill_date),
            item_match: word(settings.item_match),
            missing_item: Some(missing_item.to_owned()),
            created_item_account: account,
            payable_account: Some(choice(&settings.payable_account)),
            freight_account: settings.freight_account.as_ref().map(choice),
            purchase_tax_code: settings.purchase_tax_code.as_ref().map(choice),
            todo_action_type: Some(choice(&settings.todo_action_type)),
            todo_resource: Some(choice(&settings.todo_resource)),
            give_up_hours: Some(settings.give_up_hours.into()),
            autotask_share_percent: Some(settings.autotask_share_percent.into()),
            digest_to: settings.digest_to.clone(),
            vendor_overrides: settings
                .vendor_overrides
                .iter()
                .map(|(k, v)| text((k, v)))
                .collect(),
            customer_overrides: settings
                .customer_overrides
                .iter()
                .map(|(k, v)| text((k, v)))
                .collect(),
        }
    }
}
