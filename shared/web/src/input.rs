//! What people and programs send. Unknown fields are refused.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Signs in and comes back to a page.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeginSignIn {
    /// A path of this application.
    pub(crate) next: Option<String>,
}

/// Names a company: one to look at or to leave, or one that invites.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NamedCompany {
    /// The tenant.
    #[schemars(length(min = 1, max = 40))]
    pub(crate) tenant: String,
}

/// Begins to connect a QuickBooks company.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeginConnect {
    /// `true` for a company that Purser does not know yet; else the current one is reconnected.
    #[schemars(regex(pattern = "^(true|false)$"))]
    pub(crate) new: Option<String>,
}

/// The Autotask API user.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SaveAutotask {
    /// The API user's name.
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub(crate) user: String,
    /// Its secret.
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub(crate) secret: String,
    /// The integration code (tracking identifier).
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub(crate) integration_code: String,
}

/// The form for one order.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SyncForm {
    pub(crate) order: String,
    pub(crate) mail_to: String,
    pub(crate) action: String,
}

/// Transfers one order.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sync {
    /// Where the result goes by e-mail; the address of whoever asks when absent.
    #[schemars(length(max = 254))]
    pub(crate) mail_to: Option<String>,
}

/// Tries orders again.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryAll {
    /// Only orders with this cause; all that need a person when absent.
    #[schemars(length(max = 60))]
    pub(crate) code: Option<String>,
}

/// Invites an address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Invite {
    /// The e-mail address.
    #[schemars(length(max = 254), extend("format" = "email"))]
    #[serde(default)]
    pub(crate) email: String,
    /// `admin` or `viewer`.
    #[schemars(regex(pattern = "^(admin|viewer)$"))]
    #[serde(default)]
    pub(crate) role: String,
}

/// Withdraws an invitation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Withdraw {
    /// The e-mail address.
    #[schemars(length(max = 254))]
    pub(crate) email: String,
}

/// Changes what a member may do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRole {
    /// `admin` or `viewer`.
    #[schemars(regex(pattern = "^(admin|viewer)$"))]
    pub(crate) role: String,
}

/// Imports a settings document as text.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ImportSettings {
    pub(crate) document: String,
}

/// A choice of a pick list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Choice {
    /// An id or a label.
    Text(String),
    /// An id, or a label, or both.
    Parts(ChoiceParts),
}

/// A choice by its parts; one of them must be there.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChoiceParts {
    /// The id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// The label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
}

/// The settings, as they are exported and imported.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) version: Option<u32>,
    pub(crate) days_back: Option<i64>,
    pub(crate) created_from: Option<String>,
    pub(crate) number_source: Option<String>,
    pub(crate) interval_minutes: Option<i64>,
    pub(crate) submitted_status: Option<Choice>,
    pub(crate) time_zone: Option<String>,
    pub(crate) bill_date: Option<String>,
    pub(crate) item_match: Option<String>,
    pub(crate) missing_item: Option<String>,
    pub(crate) created_item_account: Option<Choice>,
    pub(crate) payable_account: Option<Choice>,
    pub(crate) freight_account: Option<Choice>,
    pub(crate) purchase_tax_code: Option<Choice>,
    pub(crate) todo_action_type: Option<Choice>,
    pub(crate) todo_resource: Option<Choice>,
    pub(crate) give_up_hours: Option<i64>,
    pub(crate) autotask_share_percent: Option<i64>,
    pub(crate) digest_to: Option<String>,
    pub(crate) vendor_overrides: BTreeMap<String, String>,
    pub(crate) customer_overrides: BTreeMap<String, String>,
}

/// The settings form: texts as they were typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SettingsForm {
    pub(crate) days_back: String,
    pub(crate) created_from: String,
    pub(crate) number_source: String,
    pub(crate) interval_minutes: String,
    pub(crate) submitted_status: String,
    pub(crate) time_zone: String,
    pub(crate) bill_date: String,
    pub(crate) item_match: String,
    pub(crate) missing_item: String,
    pub(crate) created_item_account: String,
    pub(crate) payable_account: String,
    pub(crate) freight_account: String,
    pub(crate) purchase_tax_code: String,
    pub(crate) todo_action_type: String,
    pub(crate) todo_resource: String,
    pub(crate) give_up_hours: String,
    pub(crate) autotask_share_percent: String,
    pub(crate) digest_to: String,
    pub(crate) vendor_overrides: String,
    pub(crate) customer_overrides: String,
    /// The version of the settings that the form was filled from.
    pub(crate) seen: String,
}
