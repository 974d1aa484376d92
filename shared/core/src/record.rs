//! The ledger's entry for one order: what has been done, what is under way, what comes next.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    eligibility::Ineligible,
    failure::FailureClass,
    ids::{
        AttemptId, BillId, OperationId, OrderId, RealmId, RequestId, RunNumber, TenantId, TodoId,
        VendorId,
    },
    money::Currency,
    notice::{Code, Notice},
    orders::ERROR_WORD,
    policy::Policy,
};

/// The version of the stored form; a record of a later version is left alone.
pub const RECORD_VERSION: u32 = 1;

/// Names one record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// Whose order it is.
    pub tenant: TenantId,
    /// The company its bill goes to.
    pub realm: RealmId,
    /// The order.
    pub order: OrderId,
}

/// The moment of a send, or of a finding, by our clock and, when known, by QuickBooks' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentAt {
    /// By our clock.
    pub local: Timestamp,
    /// By QuickBooks' clock, as far as its `Date` headers have told it.
    pub server: Option<Timestamp>,
}

/// The stored statement that a bill is about to be sent, with the very bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The request id of every send.
    pub request_id: RequestId,
    /// The body of every send.
    pub body: String,
    /// The number it sends, if any.
    pub number: Option<String>,
    /// The total the bill must have.
    pub total: Decimal,
    /// The vendor the bill must have.
    pub vendor: VendorId,
    /// That vendor's name as it was meant.
    pub vendor_name: String,
    /// The currency it sends, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// How often it was sent.
    pub sends: u32,
    /// The first send.
    pub first_sent: SentAt,
    /// The last send.
    pub last_sent: SentAt,
    /// True while a send has no definite answer.
    pub in_doubt: bool,
}

/// A bill that exists, or did when it was last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLink {
    /// Its id.
    pub id: BillId,
    /// Its number, when it has one.
    pub number: Option<String>,
    /// Its total.
    pub total: Decimal,
    /// The generation it was made in.
    pub generation: u32,
    /// The lease under which it was last seen alive; another one must look again.
    pub seen_under: u64,
}

impl BillLink {
    /// What is written into External PO Number: the bill's number when it has one, else its id.
    pub fn written_number(&self) -> &str {
        match self.number.as_deref().map(str::trim) {
            // A number that reads as our own word for "not transferred" would say the opposite.
            Some(number) if !number.is_empty() && !number.eq_ignore_ascii_case(ERROR_WORD) => {
                number
            }
            _ => self.id.as_str(),
        }
    }
}

/// What must not stand in External PO Number any more: the number of a bill that is no longer the
/// order's, or ERROR. A write of it that Autotask never answered may still be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateNumber {
    /// The bill; `None` when it is ERROR.
    pub bill: Option<BillLink>,
    /// When the bill was first found not to be the order's any more, or ERROR was last not known to have
    /// been answered.
    pub found_at: SentAt,
}

impl LateNumber {
    /// What may land.
    pub fn text(&self) -> &str {
        self.bill
            .as_ref()
            .map_or(ERROR_WORD, BillLink::written_number)
    }
}

/// Where an order stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Found or asked for; nothing was sent.
    Queued,
    /// A bill was sent at least once and may exist.
    Planned {
        /// What was sent.
        intent: Intent,
    },
    /// The bill exists; Autotask does not know yet.
    Created {
        /// The bill.
        bill: BillLink,
    },
    /// The bill exists and its number stands in Autotask.
    Linked {
        /// The bill.
        bill: BillLink,
    },
    /// A person must act; nothing of ours exists in QuickBooks.
    Refused {
        /// Why.
        notice: Notice,
    },
    /// Something exists that only a person can judge.
    NeedsPerson {
        /// Why.
        notice: Notice,
        /// The intent, when a bill may still exist because of it.
        intent: Option<Intent>,
        /// The bill, when one is known.
        bill: Option<BillLink>,
    },
    /// The bill was deleted although its number stands in Autotask.
    Orphaned {
        /// The bill that was.
        bill: BillLink,
    },
    /// No longer eligible; nothing of ours exists in QuickBooks.
    Skipped {
        /// Why.
        reason: Ineligible,
    },
}

/// The name of a state, without its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    /// See [`State::Queued`].
    Queued,
    /// See [`State::Planned`].
    Planned,
    /// See [`State::Created`].
    Created,
    /// See [`State::Linked`].
    Linked,
    /// See [`State::Refused`].
    Refused,
    /// See [`State::NeedsPerson`].
    NeedsPerson,
    /// See [`State::Orphaned`].
    Orphaned,
    /// See [`State::Skipped`].
    Skipped,
}

impl State {
    /// The name of this state.
    pub const fn name(&self) -> StateName {
        match self {
            Self::Queued => StateName::Queued,
            Self::Planned { .. } => StateName::Planned,
            Self::Created { .. } => StateName::Created,
            Self::Linked { .. } => StateName::Linked,
            Self::Refused { .. } => StateName::Refused,
            Self::NeedsPerson { .. } => StateName::NeedsPerson,
            Self::Orphaned { .. } => StateName::Orphaned,
            Self::Skipped { .. } => StateName::Skipped,
        }
    }
}

impl StateName {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Planned,
        Self::Created,
        Self::Linked,
        Self::Refused,
        Self::NeedsPerson,
        Self::Orphaned,
        Self::Skipped,
    ];

    /// Its text, as stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Planned => "planned",
            Self::Created => "created",
            Self::Linked => "linked",
            Self::Refused => "refused",
            Self::NeedsPerson => "needs_person",
            Self::Orphaned => "orphaned",
            Self::Skipped => "skipped",
        }
    }
}

/// The stages of the error to-do of one order. At most one is open at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "todo", rename_all = "snake_case")]
pub enum Todo {
    /// None was ever needed.
    #[default]
    None,
    /// One with this text is owed; `sent_at` is set while a create has no definite answer.
    Owed {
        /// Its text.
        text: String,
        /// When a create without an answer was sent.
        sent_at: Option<Timestamp>,
    },
    /// It is open.
    Open {
        /// Its id.
        id: TodoId,
        /// Its text.
        text: String,
    },
    /// It is to be completed.
    Closing {
        /// When a create without an answer was sent, so that it may still appear.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_at: Option<Timestamp>,
    },
    /// It is completed, or a person removed it.
    Closed,
}

/// Whether ERROR is owed to External PO Number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorMark {
    /// Not owed.
    #[default]
    None,
    /// To be written.
    Owed,
    /// Written by us.
    Written,
}

/// A pause before the next attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Why.
    pub notice: Notice,
    /// No attempt before this.
    pub not_before: Timestamp,
    /// How many attempts in a row ended in a wait.
    pub attempts: u32,
    /// When the first of them was.
    pub since: Timestamp,
    /// Seconds of failing that count towards giving up.
    pub counted_seconds: u64,
}

impl Wait {
    /// Whether it is only about finding out what happened to a send.
    pub fn is_doubt(&self) -> bool {
        self.notice.code.class() == FailureClass::InDoubt
    }
}

/// The right of one attempt to work on one order for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds it.
    pub owner: String,
    /// Until when.
    pub until: Timestamp,
}

/// Who asked for the current attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The scanner.
    Scan,
    /// The sweeper.
    Sweep,
    /// A person who asked for this order.
    Person,
    /// A person who pressed Retry.
    Retry,
}

impl Origin {
    /// Whether a person waits for the result.
    pub const fn is_person(self) -> bool {
        matches!(self, Self::Person | Self::Retry)
    }
}

/// A person's wish for one order, kept until its result has been told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The attempt id the person was given.
    pub attempt: AttemptId,
    /// Whether it was a retry.
    pub origin: Origin,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Where the result goes; `None` when no address is known.
    pub mail_to: Option<String>,
    /// Who else was promised the result, by wishes before this one that were not answered yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_to: Vec<String>,
    /// Whether the "still waiting" mail was sent.
    pub told_waiting: bool,
}

impl Request {
    /// The most addresses that earlier wishes leave behind: a record must stay small. Beyond them
    /// the oldest gives way.
    pub const ALSO_MAX: usize = 20;

    /// Takes the place of an earlier wish without breaking its promise: whoever was to be told of
    /// the result still is.
    #[must_use]
    pub fn instead_of(mut self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else {
            return self;
        };
        let promised = earlier.also_to.into_iter().chain(earlier.mail_to);
        for address in promised {
            if !self
                .addresses()
                .any(|known| known.eq_ignore_ascii_case(&address))
            {
                self.also_to.push(address);
            }
        }
        let over = self.also_to.len().saturating_sub(Self::ALSO_MAX);
        self.also_to.drain(..over);
        self
    }

    /// Everyone who is to be told of the result, each once.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let all = self.mail_to.iter().chain(&self.also_to);
        all.map(String::as_str)
    }
}

/// The ledger's entry for one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRecord {
    /// The version of this form.
    pub version: u32,
    /// Which order of whom.
    pub key: RecordKey,
    /// The number people know the order by.
    pub order_number: String,
    /// When Autotask says that the order was created; tells it from another with the same id.
    #[serde(default)]
    pub order_created: Option<Timestamp>,
    /// The name of the vendor, for people.
    pub vendor_name: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Rises with each new bill for this order, and with each definite refusal of what is created for it.
    pub generation: u32,
    /// Rises with each lease.
    pub fence: u64,
    /// The nonce of the last write.
    pub operation: OperationId,
    /// Who works on it now.
    pub lease: Option<Lease>,
    /// Why the next attempt waits.
    pub wait: Option<Wait>,
    /// What may land in Autotask although it is out of date, or might have until a while ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_number: Option<LateNumber>,
    /// How often in a row our own code failed at it, at a place that nobody foresaw.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub defects: u32,
    /// Whether ERROR is owed.
    pub error_mark: ErrorMark,
    /// The error to-do.
    pub todo: Todo,
    /// A person's wish.
    pub request: Option<Request>,
    /// The run that found it.
    pub run: Option<RunNumber>,
    /// When it was first seen.
    pub seen_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "what is left out when it is stored is asked like this"
)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A duration as jiff adds it to a timestamp; saturates instead of overflowing.
pub fn later(at: Timestamp, by: std::time::Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// The same, backwards.
pub fn earlier(at: Timestamp, by: std::time::Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

impl SyncRecord {
    /// A record for an order that was just found or asked for.
    pub fn queued(
        key: RecordKey,
        order_number: String,
        operation: OperationId,
        now: Timestamp,
    ) -> Self {
        Self {
            version: RECORD_VERSION,
            key,
            order_number,
            order_created: None,
            vendor_name: None,
            state: State::Queued,
            generation: 1,
            fence: 0,
            operation,
            lease: None,
            wait: None,
            late_number: None,
            defects: 0,
            error_mark: ErrorMark::None,
            todo: Todo::None,
            request: None,
            run: None,
            seen_at: now,
            updated_at: now,
        }
    }

    /// Whether anything is left to do without a person.
    pub fn is_settled(&self) -> bool {
        let todo_done = !matches!(self.todo, Todo::Owed { .. } | Todo::Closing { .. });
        let state_done = match self.state {
            State::Queued | State::Planned { .. } | State::Created { .. } => false,
            State::Linked { .. }
            | State::Refused { .. }
            | State::NeedsPerson { .. }
            | State::Orphaned { .. }
            | State::Skipped { .. } => true,
        };
        state_done && todo_done && self.error_mark != ErrorMark::Owed
    }

    /// Whether ERROR in its order is ours: we wrote it, or sent it and had no answer.
    pub fn has_our_error(&self) -> bool {
        let is_late = self
            .late_number
            .as_ref()
            .is_some_and(|late| late.bill.is_none());
        is_late || self.error_mark == ErrorMark::Written
    }

    /// Whether a person asked for it and nothing has been done about it since.
    pub fn is_freshly_asked(&self) -> bool {
        let request = self.request.as_ref();
        request.is_some_and(|request| request.asked_at >= self.updated_at)
    }

    /// When the sweeper should look at it, if it should at all: when its next step is due, or
    /// when whoever asked is to hear that it still waits.
    pub fn due_at(&self, policy: &Policy) -> Option<Timestamp> {
        let due = self.step_due_at(policy)?;
        let untold = self.request.as_ref().filter(|r| !r.told_waiting);
        let tell = untold.map(|request| later(request.asked_at, policy.mail_after));
        Some(tell.map_or(due, |tell| due.min(tell)))
    }

    fn step_due_at(&self, policy: &Policy) -> Option<Timestamp> {
        if self.is_settled() && self.request.is_none() {
            return None;
        }
        let held_until = self.lease.as_ref().map(|lease| lease.until);
        let due = match &self.wait {
            Some(wait) => wait.not_before,
            None => match &self.state {
                State::Queued => later(self.updated_at, policy.queued_age_max),
                _ => self.updated_at,
            },
        };
        Some(held_until.map_or(due, |until| due.max(until)))
    }

    /// Since when somebody waits for this order; `None` once nothing is left to do.
    pub fn open_since(&self) -> Option<Timestamp> {
        let asked = self.request.as_ref().map(|request| request.asked_at);
        if self.is_settled() && asked.is_none() {
            return None;
        }
        let waits = self.wait.as_ref().map(|wait| wait.since);
        let since = [asked, waits].into_iter().flatten().min();
        Some(since.unwrap_or(self.updated_at))
    }

    /// The code of what people are told about it: why it was refused, left alone, or waits.
    pub fn code(&self) -> Option<&'static str> {
        if let State::Skipped { reason } = &self.state {
            return Some(reason.code());
        }
        if let State::Orphaned { .. } = &self.state {
            return Some(Code::BillDeleted.as_str());
        }
        self.notice().map(|notice| notice.code.as_str())
    }

    /// What a search for this order looks through, in small letters: id, number, vendor, bill and
    /// the words of its notice.
    pub fn search_text(&self) -> String {
        let mut words = vec![self.key.order.to_string(), self.order_number.clone()];
        words.extend(self.vendor_name.clone());
        if let Some(bill) = self.bill() {
            words.extend([bill.id.to_string(), bill.written_number().to_owned()]);
        }
        words.extend(self.code().map(str::to_owned));
        if let State::Skipped { reason } = &self.state {
            words.push(reason.text());
        }
        words.extend(self.notice().map(Notice::cause));
        words.join("\n").to_lowercase()
    }

    /// The bill this record knows of.
    pub fn bill(&self) -> Option<&BillLink> {
        match &self.state {
            State::Created { bill } | State::Linked { bill } | State::Orphaned { bill } => {
                Some(bill)
            }
            State::NeedsPerson { bill, .. } => bill.as_ref(),
            State::Queued
            | State::Planned { .. }
            | State::Refused { .. }
            | State::Skipped { .. } => None,
        }
    }

    /// Why a person must act, or what it waits for.
    pub fn notice(&self) -> Option<&Notice> {
        match &self.state {
            State::Refused { notice } | State::NeedsPerson { notice, .. } => Some(notice),
            _ => self.wait.as_ref().map(|wait| &wait.notice),
        }
    }
}

#[cfg(test)]
mod tests;
