//! What is in doubt about Autotask, or differs between its customers, as switches.

use serde::{Deserialize, Serialize};

/// How many digits the fraction of a second has in answers; a value is never shortened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FractionDigits {
    /// As many as needed.
    Needed,
    /// A different number, 0 to 7, in every row and field.
    #[default]
    Mixed,
    /// Three.
    Three,
    /// Seven.
    Seven,
}

/// What a user without inventory permission is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InventoryPermission {
    /// The user has it.
    #[default]
    Granted,
    /// 403 with the vendor's text.
    Forbidden,
    /// 500 with the vendor's text.
    Failing,
}

/// Behaviour of one database that can be changed at run time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches are independent of each other"
)]
pub struct AutotaskSwitches {
    /// A missing row answers 404 instead of `{"item":null}`.
    pub get_by_id_missing_404: bool,
    /// Writing a read-only field fails instead of being ignored.
    pub read_only_rejected: bool,
    /// The thread limit answers 500 with Itgenatr005 instead of 429.
    pub thread_error_as_500: bool,
    /// The API user cannot see costs: they are null.
    pub cannot_read_costs: bool,
    /// The labels of order states are German.
    pub localized_status_labels: bool,
    /// Answers hold fields that no documentation knows.
    pub extra_unknown_fields: bool,
    /// Field names in the field information begin with a capital, as they did in 2020.
    pub pascal_case_field_names: bool,
    /// Digits of fractions of a second.
    pub fraction_digits: FractionDigits,
    /// For so long after a write, reads still answer the old row.
    pub read_after_write_lag_ms: u64,
    /// The database has moved to this zone path; the old zone answers 401.
    pub moved_to_zone: Option<String>,
    /// The zone lookup does not tell the customer's number.
    pub number_untold: bool,
    /// New orders get no purchase order number.
    pub numbering_off: bool,
    /// When false, foreign currencies answer as inactive.
    pub multi_currency: bool,
    /// Calls allowed per 60 minutes.
    pub hourly_limit: usize,
    /// Calls allowed at the same time per integration code and entity; 0 is no limit.
    pub thread_limit: usize,
    /// Time of one call: a quarter on the way, half at the server, a quarter on the way back.
    pub latency_ms: u64,
    /// Percentage of the documented extra waiting under heavy use (0.5 and 1 second).
    pub latency_scale_percent: u64,
    /// Whether the API user may see the inventory.
    pub inventory_permission: InventoryPermission,
    /// A wrong integration code is rejected.
    pub strict_integration_code: bool,
    /// Wrong secrets until the user is locked.
    pub lock_after: u32,
    /// Canceled orders cannot be changed.
    pub canceled_orders_locked: bool,
    /// Received orders cannot be changed.
    pub received_orders_locked: bool,
}

impl Default for AutotaskSwitches {
    fn default() -> Self {
        Self {
            get_by_id_missing_404: false,
            read_only_rejected: false,
            thread_error_as_500: false,
            cannot_read_costs: false,
            localized_status_labels: false,
            extra_unknown_fields: false,
            pascal_case_field_names: false,
            fraction_digits: FractionDigits::Mixed,
            read_after_write_lag_ms: 0,
            moved_to_zone: None,
            number_untold: false,
            numbering_off: false,
            multi_currency: true,
            hourly_limit: 10_000,
            thread_limit: 3,
            latency_ms: 20,
            latency_scale_percent: 100,
            inventory_permission: InventoryPermission::Granted,
            strict_integration_code: true,
            lock_after: 5,
            canceled_orders_locked: true,
            received_orders_locked: false,
        }
    }
}
