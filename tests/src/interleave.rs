//! Every order in which processes can reach for one refresh token, around the product's own
//! [`TokenSource`](purser_quickbooks::TokenSource).
//!
//! Workers are polled by hand on one thread. Whatever they ask of the outside, a read or a
//! conditional write of the grant, a request that arrives at Intuit, its answer, stays undone until
//! the schedule lets that worker go on; so does every fault. A schedule is a list of choices, and a
//! history is brought about again by making the same choices from the beginning.
//!
//! What a process does next follows from what it was told so far and when. So two ways that leave
//! the outside the same, and have told each process the same, have the same continuations: they are
//! one state, walked once. Processes with the same errands may be exchanged for one another. States
//! are told apart by 64 bits of a hash.
//!
//! Time stands still while anybody can go on, and then moves to the next moment somebody waits for.
//! What is slow is a fault: a call that takes a minute, or any time up to that.

mod broken;
mod cast;
mod end;
mod history;
mod intuit;
mod marks;
mod passing;
mod ports;
mod sample;
mod store;
mod trouble;
mod variants;
mod walk;
mod words;
mod world;

use std::collections::BTreeMap;

pub use broken::broken;
pub use sample::{Sample, sample, tell};
pub use variants::{by_name, crowds, full};
pub use walk::explore;

/// What one worker wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Errand {
    /// A token to use.
    Use,
    /// A token to use, and one ten minutes later in the same process.
    UseTwice,
    /// Another one, because QuickBooks refused the first.
    Renew,
    /// To use the refresh token before it is too old.
    KeepAlive,
}

/// How old the tokens are when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The access token is valid for half an hour.
    Valid,
    /// The access token is valid for five minutes: time to renew it, and nobody need wait.
    Early,
    /// The access token has expired: everybody needs a new one.
    Expired,
    /// Nothing was asked of Intuit for eight days.
    Idle,
}

/// What Intuit does with a refresh token that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Each use gives a new value, and the old one dies at once.
    Strict,
    /// As strict, and whoever shows a dead one ends the grant.
    Harsh,
    /// Each use gives a new value, and older ones live on for a day and can be used as well.
    Grace,
    /// As grace, but whoever shows an older one is given the newest one again.
    Echo,
    /// The value stays the same, as Intuit's does within a day.
    Same,
}

/// What may go wrong, once a history unless a setting says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The process ends.
    Death,
    /// A request does not arrive, and its time runs out.
    RequestLost,
    /// A request has its effect, but its answer is lost and its time runs out.
    AnswerLost,
    /// Its time runs out, and then it arrives at any later moment.
    RequestLate,
    /// Intuit answers 503 and has done nothing.
    Busy,
    /// Intuit answers 503 and has done what it was asked.
    BusyDone,
    /// Intuit says `invalid_grant` about every token for two minutes.
    RefusesAll,
    /// A read of the store fails.
    ReadFails,
    /// A write fails and was not made.
    WriteFails,
    /// A write fails and was made.
    WriteUnanswered,
    /// The store fails everybody for half a minute.
    StoreDown,
    /// A call is made so many seconds later.
    Sleeps(u16),
    /// An answer of the store is seen so many seconds later.
    SleepsAfter(u16),
    /// A call is made at any moment of the next 70 seconds.
    Stalls,
}

/// How a port or a policy is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// It is not.
    None,
    /// The store writes whatever version is expected.
    NoCompare,
    /// Nobody sees that somebody announced a refresh.
    NoAnnouncement,
    /// An announcement always succeeds, and the grant is not read again after it.
    NoSecondLook,
    /// An announcement never runs out.
    EndlessAnnouncement,
    /// New tokens are acknowledged from memory and reach the store later.
    WriteBehind,
    /// The previous token is not kept.
    NoPrevious,
    /// `invalid_grant` is believed at once, and confirmed at once.
    NoDoubt,
    /// `invalid_grant` is believed at once, and confirmed as late as ever.
    NoWait,
    /// `invalid_grant` is believed as late as ever, and confirmed at once.
    NoConfirmation,
}

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The processes, each with the errands of its workers.
    pub processes: &'static [&'static [Errand]],
    /// How it begins.
    pub start: Start,
    /// What Intuit does.
    pub rotation: Rotation,
    /// What may go wrong.
    pub faults: &'static [Fault],
    /// How often something goes wrong.
    pub faults_max: u8,
    /// Whether who is told to wait comes again as a new process that knows nothing.
    pub comes_anew: bool,
    /// What is broken on purpose.
    pub lie: Lie,
    /// How many requests to Intuit are enough.
    pub requests_max: u32,
    /// Whether ways that come to the same state are one from there on. They are, or it would be another
    /// number of histories without.
    pub merges: bool,
    /// No more states than this are walked; a walk that was cut short says so.
    pub states_max: usize,
}

/// What holds in every history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// In the end Intuit still accepts what is stored, unless a fault kept its answer from us.
    NothingLost,
    /// The stored refresh token is never an older one than before.
    NothingStale,
    /// The grant is never given up while Intuit accepts a token that is stored or about to be.
    NoFalseDisconnect,
    /// Nobody is given a token that is not stored.
    StoredFirst,
    /// Intuit is not asked more often than is enough.
    FewRequests,
    /// Who lives on gets a token that is good, unless all is lost.
    Served,
    /// It ends, and a connection that is lost is marked so that a person connects again.
    Ends,
}

/// Choices from the beginning: which of those that were possible.
pub type Schedule = Vec<usize>;

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// States that were walked.
    pub states: usize,
    /// Histories they stand for, with workers of the same errand exchanged or not.
    pub histories: u128,
    /// Whether every reachable state was walked; not when the walk was over once it had found what
    /// it looked for.
    pub is_complete: bool,
    /// The properties that do not hold, each with a schedule, the shortest that was met.
    pub broken: BTreeMap<Property, Schedule>,
    /// A schedule after which a person must connect again because a fault kept Intuit's
    /// answer from us.
    pub lost: Option<Schedule>,
    /// The most requests to Intuit in one history.
    pub requests: u32,
    /// The longest schedule.
    pub steps: usize,
}

/// A setting with what it is expected to show.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// What it is called.
    pub name: &'static str,
    /// What is explored.
    pub setting: Setting,
    /// What must be broken, because something is broken on purpose.
    pub breaks: Option<Property>,
    /// Whether there are histories after which a person must connect again.
    pub loses: bool,
}

impl Variant {
    /// Whether it was found as it should be: of what is walked, in every state.
    pub fn is_well(&self, report: &Report) -> bool {
        let is_by_chance = report.states == 0;
        match self.breaks {
            Some(property) => report.broken.contains_key(&property),
            None => {
                report.broken.is_empty()
                    && report.lost.is_some() == self.loses
                    && (report.is_complete || is_by_chance)
            }
        }
    }
}

impl Report {
    /// Adds one history of many.
    pub fn add(&mut self, sample: Sample) {
        let Sample {
            schedule,
            broken,
            is_lost,
            requests,
        } = sample;
        self.requests = self.requests.max(requests);
        self.steps = self.steps.max(schedule.len());
        if is_lost {
            keep_shorter(&mut self.lost, &schedule);
        }
        if let Some(property) = broken {
            self.note(property, &schedule);
        }
    }

    fn note(&mut self, property: Property, schedule: &Schedule) {
        let mut kept = self.broken.remove(&property);
        keep_shorter(&mut kept, schedule);
        self.broken.extend(kept.map(|kept| (property, kept)));
    }
}

fn keep_shorter(kept: &mut Option<Schedule>, schedule: &Schedule) {
    if kept.as_ref().is_none_or(|kept| schedule.len() < kept.len()) {
        *kept = Some(schedule.clone());
    }
}
