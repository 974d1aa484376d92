//! A model of one order: two workers, a vendor that loses and delays answers, and people, around
//! the very functions that the use cases ask. It walks every state that can be reached.
//!
//! What decides is the product's: `next_step`, `claim`, `may_send`, `settle`,
//! `next_generation`, `is_legal`, on real records. Only the order of reading and writing around
//! them is written down here once more, and every write goes through the same conditions.
//!
//! Time moves in steps of 40 seconds: a lease is three of them, QuickBooks may take three to commit
//! what it was sent, and after four a lookup believes that nothing comes any more.

mod attempt;
mod create;
mod moves;
mod walk;
mod world;
mod write_back;

use std::collections::{BTreeMap, BTreeSet};

use purser_core::{policy::Guards, record::StateName};

pub use walk::explore;

/// How QuickBooks treats a request id that it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestIds {
    /// As if it were new.
    Ignored,
    /// It answers with the first bill, unless both were under way at the same time.
    Racy,
    /// It answers with the first bill, also when that was deleted.
    Honoured,
}

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The guards that are on.
    pub guards: Guards,
    /// What request ids are worth.
    pub request_ids: RequestIds,
    /// How often a process dies.
    pub crashes: u8,
    /// How often an answer is lost although the process lives.
    pub losses: u8,
    /// How often Autotask gives no answer to the write of a number, and may carry it out late.
    pub late_writes: u8,
    /// How often a person deletes a bill.
    pub deletes: u8,
    /// How often a person puts a copy in the place of the bill of a linked order.
    pub replaces: u8,
    /// How often a person clears the number.
    pub clears: u8,
    /// How often a person types a number of their own.
    pub typed: u8,
    /// How often an order is taken up.
    pub claims: u64,
    /// How long it goes on, in steps of 40 seconds: longer than it takes until waiting changes nothing.
    pub ticks: u8,
    /// No more states than this are walked; a walk that was cut short says so.
    pub states_max: usize,
}

impl Setting {
    /// All guards on, and QuickBooks helps with nothing.
    pub const FULL: Self = Self {
        guards: Guards::ALL,
        request_ids: RequestIds::Ignored,
        crashes: 1,
        losses: 1,
        late_writes: 0,
        deletes: 1,
        replaces: 0,
        clears: 1,
        typed: 0,
        claims: 4,
        ticks: 60,
        states_max: 3_000_000,
    };

    /// Creates are answered, and the write of a number is not, while people type one of their own.
    pub const LATE_WRITE: Self = Self {
        losses: 0,
        late_writes: 1,
        typed: 1,
        claims: 3,
        ..Self::FULL
    };

    /// The same, but the bill is replaced first.
    pub const REPLACED: Self = Self {
        replaces: 1,
        typed: 0,
        claims: 4,
        ..Self::LATE_WRITE
    };
}

/// What holds in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// There are never two live bills of the order.
    OneBill,
    /// The number of a bill that was gone before the order was taken up is never written.
    NoDeadNumber,
    /// A number that is written late meets no other bill than its own, unless the order is still to be
    /// read because of it.
    NoLateNumber,
    /// No write is one that the table of transitions forbids.
    LegalOnly,
    /// Nobody takes an order from whoever holds it and is awake.
    HeldAlone,
    /// Once nothing disturbs it any more, the order comes to its end.
    Ends,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// States that were walked.
    pub states: usize,
    /// Whether every reachable state was.
    pub is_complete: bool,
    /// The properties that do not hold, each with a shortest way to where it does not.
    pub broken: BTreeMap<Property, Vec<String>>,
    /// The transitions that were written.
    pub taken: BTreeSet<(StateName, StateName)>,
}

/// A setting with the property that it must break, if any.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// What it is called.
    pub name: &'static str,
    /// What is explored.
    pub setting: Setting,
    /// What a guard that is off must break; nothing when all are on.
    pub breaks: Option<Property>,
}

/// All guards on, for each way in which QuickBooks may treat request ids, and with a number that
/// Autotask writes late.
pub fn full() -> [Variant; 5] {
    let variant = |name, request_ids| Variant {
        name,
        setting: Setting {
            request_ids,
            ..Setting::FULL
        },
        breaks: None,
    };
    [
        variant("all guards, request ids ignored", RequestIds::Ignored),
        variant("all guards, request ids racy", RequestIds::Racy),
        variant("all guards, request ids honoured", RequestIds::Honoured),
        Variant {
            name: "all guards, a number written late",
            setting: Setting::LATE_WRITE,
            breaks: None,
        },
        Variant {
            name: "all guards, the same and a bill that is replaced",
            setting: Setting::REPLACED,
            breaks: None,
        },
    ]
}

/// Each guard off, one at a time.
pub fn without_one() -> [Variant; 10] {
    let variant = |name, remove: fn(&mut Guards), breaks| {
        let mut setting = if breaks == Property::NoLateNumber {
            Setting::LATE_WRITE
        } else {
            Setting::FULL
        };
        remove(&mut setting.guards);
        Variant {
            name,
            setting,
            breaks: Some(breaks),
        }
    };
    let mut variants = [
        variant("no intent", |g| g.intent = false, Property::OneBill),
        variant("no lease", |g| g.lease = false, Property::HeldAlone),
        variant("no fence", |g| g.fence = false, Property::OneBill),
        variant("no deadline", |g| g.deadline = false, Property::OneBill),
        variant("no lookup", |g| g.lookup = false, Property::OneBill),
        variant("no quarantine", |g| g.quarantine = false, Property::OneBill),
        variant("no verify", |g| g.verify = false, Property::NoDeadNumber),
        variant(
            "no generation",
            |g| g.generation = false,
            Property::NoDeadNumber,
        ),
        variant("no landing", |g| g.landing = false, Property::NoLateNumber),
        variant(
            "no landing, a bill that is replaced",
            |g| g.landing = false,
            Property::NoLateNumber,
        ),
    ];
    variants[9].setting = Setting {
        guards: variants[8].setting.guards,
        ..Setting::REPLACED
    };
    // Only a QuickBooks that answers with the first bill of a request id makes it matter that a new
    // bill bears a new one.
    variants[7].setting.request_ids = RequestIds::Honoured;
    variants
}
