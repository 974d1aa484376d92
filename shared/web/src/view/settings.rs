//! Settings and credentials: forms, choices, history, export and import.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{FieldProblem, NoticeView};

/// The form for the Autotask API user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AutotaskForm {
    /// The API user's name; secrets are never shown again.
    pub user: String,
    /// Whether credentials are stored.
    pub is_stored: bool,
    /// What is wrong with the fields.
    pub problems: Vec<FieldProblem>,
    /// What Autotask said to what was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<NoticeView>,
}

/// One entry of a pick list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChoiceView {
    /// What is stored.
    pub id: String,
    /// What people see.
    pub label: String,
}

/// The pick lists, read from both systems right now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Choices {
    /// Accounts payable accounts.
    pub payable_account: Vec<ChoiceView>,
    /// Expense and cost of goods accounts.
    pub expense_account: Vec<ChoiceView>,
    /// Purchase tax codes; empty in the US.
    pub purchase_tax_code: Vec<ChoiceView>,
    /// Purchase order statuses.
    pub submitted_status: Vec<ChoiceView>,
    /// To-do action types.
    pub todo_action_type: Vec<ChoiceView>,
    /// People who can be given a to-do.
    pub todo_resource: Vec<ChoiceView>,
    /// Whether the company is outside the US and needs a tax code.
    pub needs_tax_code: bool,
    /// The company's own time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_time_zone: Option<String>,
}

/// An Autotask organisation mapped to a QuickBooks record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OverrideView {
    /// The organisation's id in Autotask.
    pub organisation: String,
    /// The record's id in QuickBooks.
    pub record: String,
}

/// The settings as they stand in the form: texts, with the ids of what is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(
    missing_docs,
    reason = "each field is the one of that name in the settings document"
)]
pub struct SettingsValues {
    pub days_back: String,
    pub created_from: String,
    pub number_source: String,
    pub interval_minutes: String,
    pub submitted_status: String,
    pub time_zone: String,
    pub bill_date: String,
    pub item_match: String,
    pub missing_item: String,
    pub created_item_account: String,
    pub payable_account: String,
    pub freight_account: String,
    pub purchase_tax_code: String,
    pub todo_action_type: String,
    pub todo_resource: String,
    pub give_up_hours: String,
    pub autotask_share_percent: String,
    pub digest_to: String,
    /// One `organisation = record` to a line.
    pub vendor_overrides: String,
    /// One `organisation = record` to a line.
    pub customer_overrides: String,
}

/// The settings form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SettingsForm {
    /// What stands in the fields.
    pub values: SettingsValues,
    /// What can be chosen; absent while a system cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<Choices>,
    /// What is wrong with the fields.
    pub problems: Vec<FieldProblem>,
    /// Why nothing could be read or stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<NoticeView>,
    /// Whether settings are stored already.
    pub is_stored: bool,
    /// The version of the settings that is stored; 0 when none are.
    pub seen: u64,
    /// Whether set-up is not finished, so that saving leads on to the review.
    pub is_setting_up: bool,
}

impl SettingsForm {
    /// What is wrong with one field.
    pub fn problem_of(&self, field: &str) -> Option<&str> {
        let found = self.problems.iter().find(|problem| problem.field == field);
        found.map(|problem| problem.message.as_str())
    }
}

/// The stored settings as a document that can be imported again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SettingsView {
    /// The document; absent until settings were saved.
    pub(crate) settings: Option<crate::input::Settings>,
}

/// Export and import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TransferView {
    /// The text to be imported, as it was typed.
    pub document: String,
    /// What is wrong with it.
    pub problems: Vec<FieldProblem>,
    /// Whether there is anything to export.
    pub is_stored: bool,
}

/// One field that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldChange {
    /// The field.
    pub field: String,
    /// What it was; empty when it was not set.
    pub from: String,
    /// What it is; empty when it is no longer set.
    pub to: String,
}

/// One time somebody saved settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SettingsChange {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What was changed.
    pub changes: Vec<FieldChange>,
}

/// Who changed what, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SettingsHistory {
    /// The last changes.
    pub changes: Vec<SettingsChange>,
}
