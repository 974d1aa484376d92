//! Orders: the list, one order's story, the preview, a person's attempt.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{FieldProblem, LinkView, NoticeView};

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeName {
    /// The bill exists and is linked.
    Billed,
    /// A person must act.
    Refused,
    /// It goes on by itself.
    Waiting,
    /// Whether the bill exists, or its number still lands after it was deleted, is being found out.
    InDoubt,
    /// It may not be transferred.
    Ineligible,
}

impl OutcomeName {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Billed => "Billed",
            Self::Refused => "Needs you",
            Self::Waiting => "Waiting",
            Self::InDoubt => "Being looked up",
            Self::Ineligible => "Left alone",
        }
    }

    /// The word as it stands in JSON, in addresses and as a style.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Billed => "billed",
            Self::Refused => "refused",
            Self::Waiting => "waiting",
            Self::InDoubt => "in_doubt",
            Self::Ineligible => "ineligible",
        }
    }
}

/// One order of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderRow {
    /// The order's id in Autotask.
    pub order: i64,
    /// The number people know it by.
    pub number: String,
    /// Its vendor's name in Autotask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// What became of it.
    pub outcome: OutcomeName,
    /// Whether an attempt is asked for or at work right now.
    pub is_running: bool,
    /// Until when the attempt at work ends at the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub running_until: Option<Timestamp>,
    /// Why it is not billed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeView>,
    /// What stands in External PO Number because of us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill_number: Option<String>,
    /// The bill in QuickBooks, pinned to the company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill: Option<LinkView>,
    /// The bill's total, such as 1234.50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// When it changed last.
    #[schemars(with = "String")]
    pub updated_at: Timestamp,
    /// When it is tried again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub next_attempt: Option<Timestamp>,
    /// Whether Retry makes sense.
    pub can_retry: bool,
}

/// What a list of orders was filtered by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrdersFilter {
    /// `billed`, `refused`, `waiting`, `ineligible`, or empty for all.
    pub outcome: String,
    /// A vendor's name, or empty.
    pub vendor: String,
    /// Any text of the order, or empty.
    pub text: String,
    /// The first day, such as 2026-11-01, or empty.
    pub from: String,
    /// The last day, or empty.
    pub to: String,
    /// The code of a cause, or empty.
    pub code: String,
}

impl OrdersFilter {
    /// Whether nothing is filtered.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A list of orders, newest change first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Orders {
    /// What it was filtered by.
    pub filter: OrdersFilter,
    /// The orders, 50 at most.
    pub orders: Vec<OrderRow>,
    /// The cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The address of the next page.
    #[serde(skip)]
    pub next_url: Option<String>,
    /// The address of the same list as CSV.
    #[serde(skip)]
    pub csv_url: String,
    /// Fields of the filter that cannot be used.
    #[serde(skip)]
    pub problems: Vec<FieldProblem>,
}

impl Orders {
    /// Whether any order shown is under way, so that the page should look again.
    pub fn any_running(&self) -> bool {
        self.orders.iter().any(|order| order.is_running)
    }
}

/// One event of an order's story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StoryEntry {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// What, as a stable word such as `sent`.
    pub event: String,
    /// What, in one sentence.
    pub text: String,
    /// Names and values behind it: ids, codes, request ids.
    pub details: Vec<(String, String)>,
    /// What the page shows of them.
    #[serde(skip)]
    pub shown: Vec<(String, String)>,
}

/// Everything about one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Story {
    /// The order as in the list.
    pub order: OrderRow,
    /// Its state in the ledger.
    pub state: String,
    /// Which bill of this order it is about; rises when one was deleted or refused.
    pub generation: u32,
    /// The request id under which the bill was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The body that was sent, while its outcome is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_body: Option<String>,
    /// Where to look: the order, its to-do, its bill.
    pub links: Vec<LinkView>,
    /// The story, oldest first.
    pub history: Vec<StoryEntry>,
    /// How many of the oldest entries the page leaves to the support bundle.
    #[serde(skip)]
    pub left_out: usize,
    /// Other orders with the same cause, this one not counted.
    pub same_cause: u64,
}

/// How a name was matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchAction {
    /// A record that exists is used.
    Use,
    /// A record will be created.
    Create,
}

/// A record in QuickBooks and why it is this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MatchView {
    /// Whether it exists.
    pub action: MatchAction,
    /// Its name in QuickBooks.
    pub name: String,
    /// Its id in QuickBooks, when it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why it is this one, in one sentence.
    pub why: String,
}

/// One line of the bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BillLineView {
    /// The Item it is booked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<MatchView>,
    /// The account it is booked on when there is no Item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Its text.
    pub description: String,
    /// How many.
    pub quantity: String,
    /// Cost of one.
    pub unit_cost: String,
    /// Quantity times cost, rounded to cents.
    pub amount: String,
}

/// The bill an order would become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BillView {
    /// Its vendor.
    pub vendor: MatchView,
    /// The customer of every line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<MatchView>,
    /// Its date.
    pub date: String,
    /// The number that is sent; none lets QuickBooks assign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Its terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// Its currency and rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The account it credits.
    pub payable_account: String,
    /// Its memo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
    /// Its lines.
    pub lines: Vec<BillLineView>,
    /// The sum of its lines, such as `1234.50 USD`.
    pub total: String,
    /// What is left out, altered or worth knowing.
    pub remarks: Vec<String>,
    /// What would be created, in words.
    pub creates: Vec<String>,
}

/// What a preview says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreviewKind {
    /// This bill would be made.
    Bill,
    /// It would be refused.
    Refused,
    /// It may not be transferred.
    Ineligible,
}

/// What would happen to one order right now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PreviewView {
    /// The order.
    pub order: i64,
    /// What would happen.
    pub preview: PreviewKind,
    /// Why no bill would be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeView>,
    /// The bill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill: Option<BillView>,
    /// The address the result would go to.
    #[serde(skip)]
    pub mail_to: String,
}

/// The form for one order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SyncForm {
    /// What was typed as the order's id.
    pub order: String,
    /// What was typed as the alternate address.
    pub mail_to: String,
    /// The address used when none is typed.
    pub mail_default: String,
    /// What is wrong with the fields.
    pub problems: Vec<FieldProblem>,
    /// What stands in red above the overview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<NoticeView>,
}

/// How far a person's attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// It is queued or at work.
    Running,
    /// It was tried and goes on by itself.
    Waiting,
    /// It is final.
    Final,
}

/// What became of the mail that tells the result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// It goes out when there is a result.
    Promised,
    /// It was written and handed over to be sent.
    Sent,
    /// It was written and is kept in the outbox, because no mail relay is configured.
    Kept,
}

/// A person's attempt at one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AttemptView {
    /// Names the attempt.
    pub attempt: String,
    /// How far it is.
    pub status: AttemptStatus,
    /// The order as it stands.
    pub order: OrderRow,
    /// Whether another attempt was at work already, whose result this shows.
    pub joins_running: bool,
    /// Where the result goes by e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_to: Option<String>,
    /// What became of that mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailState>,
    /// When it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub asked_at: Option<Timestamp>,
}

/// Orders that were asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Retried {
    /// The orders, each with its attempt.
    pub attempts: Vec<RetriedOrder>,
    /// Orders that fit but were left for the next call.
    pub left: u64,
}

/// One order that was asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RetriedOrder {
    /// The order.
    pub order: i64,
    /// Its attempt.
    pub attempt: String,
}
