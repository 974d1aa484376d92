//! The doubts about the real service, as switches that can be turned while it runs.
//!
//! The defaults are the strict reading of the vendor's documents.

use serde::{Deserialize, Serialize};

/// What a repeated `requestid` does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestIdMode {
    /// The first answer is given again, byte for byte, and nothing happens.
    #[default]
    Honoured,
    /// As `Honoured`, but only once the first request is `request_id_race_ms` old.
    Racy,
    /// The parameter has no effect.
    Ignored,
}

/// Where a bill's document number must be unique.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocNumberRule {
    /// Nowhere.
    Off,
    /// Among the bills of one vendor, while `WarnDuplicateBillNumber` is on.
    #[default]
    SameVendor,
    /// Among all bills, while `WarnDuplicateBillNumber` is on.
    CompanyWide,
}

/// How a name conflict (6240) is worded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameConflictDetail {
    /// `... : Id=812`.
    #[default]
    Id,
    /// `... : null`.
    Null,
    /// Words that name no id.
    OtherEntity,
    /// French, with an id.
    Localized,
}

/// What the client sees while a slow commit is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlowCommitAnswer {
    /// 504 at once; the bill appears later.
    #[default]
    GatewayTimeout,
    /// The request is held until the commit; a client that leaves does not stop it.
    Hold,
}

/// Behaviour that can be changed at run time.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each switch is one independent doubt"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuickBooksSwitches {
    /// What a repeated `requestid` does.
    pub request_id: RequestIdMode,
    /// In `Racy` mode: the age at which a request id is known.
    pub request_id_race_ms: u64,
    /// True when faults are kept for a request id like successes.
    pub request_id_keeps_faults: bool,
    /// Where a document number must be unique.
    pub doc_number: DocNumberRule,
    /// Bill creates commit only after so long (0: at once).
    pub slow_commit_ms: u64,
    /// What the client sees meanwhile.
    pub slow_commit_answer: SlowCommitAnswer,
    /// A new bill is missing from queries for so long.
    pub query_lag_ms: u64,
    /// Every answer takes so long.
    pub latency_ms: u64,
    /// Refuse lines whose amount is not quantity times price, rounded half up (6070).
    pub amount_check: bool,
    /// Accept lines with a negative amount.
    pub negative_lines: bool,
    /// Answer a vendor create with the home currency whatever it asked for.
    pub currency_ignored: bool,
    /// How a name conflict is worded.
    pub name_conflict: NameConflictDetail,
    /// Require a tax code on each line outside the US.
    pub tax_required: bool,
    /// Refuse characters outside ISO-8859-1 in US companies.
    pub latin1_only: bool,
    /// Refuse `CustomerRef` on bill lines unless tracking by customer is on.
    pub customer_tracking_required: bool,
    /// Requests per minute and realm (0: no limit).
    pub requests_per_minute: usize,
    /// Requests per second and realm (0: no limit).
    pub requests_per_second: usize,
    /// Batch requests per minute and realm (0: no limit).
    pub batches_per_minute: usize,
    /// Reads of all realms together until the month is used up (0: no limit).
    pub reads_per_month: u64,
    /// Answer 429 to every read, as when the month's reads are used up.
    pub month_exhausted: bool,
}

impl Default for QuickBooksSwitches {
    fn default() -> Self {
        Self {
            request_id: RequestIdMode::Honoured,
            request_id_race_ms: 2_000,
            request_id_keeps_faults: false,
            doc_number: DocNumberRule::SameVendor,
            slow_commit_ms: 0,
            slow_commit_answer: SlowCommitAnswer::GatewayTimeout,
            query_lag_ms: 0,
            latency_ms: 0,
            amount_check: true,
            negative_lines: false,
            currency_ignored: false,
            name_conflict: NameConflictDetail::Id,
            tax_required: true,
            latin1_only: true,
            customer_tracking_required: false,
            requests_per_minute: 500,
            requests_per_second: 10,
            batches_per_minute: 40,
            reads_per_month: 0,
            month_exhausted: false,
        }
    }
}
