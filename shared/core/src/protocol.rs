//! The protocol of one order: which states may follow which, and what the next step is.
//!
//! Pure. The use cases carry the steps out; the tests walk every reachable state of it.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    books::BillSummary,
    ids::{OrderId, RealmId},
    marker::Marker,
    notice::{Code, Notice},
    policy::{Guards, Policy},
    record::{
        BillLink, ErrorMark, Intent, LateNumber, Lease, SentAt, State, StateName, SyncRecord, Todo,
        Wait, earlier, later,
    },
};

/// What is to be done next for one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Find out whether a sent bill exists; send it again when it certainly does not.
    Settle,
    /// See whether a bill known from an earlier attempt still exists.
    Verify,
    /// Read, plan, store the intent and send.
    Plan,
    /// Write the bill's number into Autotask and read it back.
    WriteBack,
    /// Write ERROR into Autotask.
    MarkError,
    /// Open or rewrite the error to-do.
    OpenTodo,
    /// Complete the error to-do.
    CloseTodo,
    /// Nothing before this moment.
    Rest(Timestamp),
    /// Nothing more without a person.
    Done,
}

/// Decides the next step of a record that is held under its current fence.
pub fn next_step(record: &SyncRecord, now: Timestamp, guards: &Guards) -> Step {
    if let Some(wait) = record.wait.as_ref().filter(|wait| now < wait.not_before) {
        return Step::Rest(wait.not_before);
    }
    match &record.state {
        State::Queued => Step::Plan,
        State::Planned { .. } => Step::Settle,
        State::Created { bill } if guards.verify && bill.seen_under != record.fence => Step::Verify,
        State::Created { .. } => Step::WriteBack,
        State::Linked { .. }
        | State::Refused { .. }
        | State::NeedsPerson { .. }
        | State::Orphaned { .. }
        | State::Skipped { .. } => closing_step(record),
    }
}

fn closing_step(record: &SyncRecord) -> Step {
    match (record.error_mark, &record.todo) {
        (ErrorMark::Owed, _) => Step::MarkError,
        (_, Todo::Owed { .. }) => Step::OpenTodo,
        (_, Todo::Closing { .. }) => Step::CloseTodo,
        (ErrorMark::None | ErrorMark::Written, Todo::None | Todo::Open { .. } | Todo::Closed) => {
            Step::Done
        }
    }
}

/// Whether a record may go from one state to another. Anything else is a bug and is not written.
pub const fn is_legal(from: StateName, to: StateName) -> bool {
    use StateName::{Created, Linked, NeedsPerson, Orphaned, Planned, Queued, Refused, Skipped};
    matches!(
        (from, to),
        (
            Queued | Planned,
            Queued | Planned | Created | Refused | NeedsPerson | Skipped
        ) | (Created, Created | Linked | Queued | NeedsPerson | Orphaned)
            | (Linked, Linked | Created | NeedsPerson | Orphaned)
            | (Refused, Refused | Queued | Skipped | NeedsPerson)
            | (
                NeedsPerson,
                NeedsPerson | Planned | Created | Queued | Skipped
            )
            | (Orphaned, Orphaned | Created | NeedsPerson)
            | (Skipped, Skipped | Queued | NeedsPerson)
    )
}

/// Who wants to hold a record, and whose leases are known to be dead.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Names this very attempt; starts with the engine's name.
    pub owner: String,
    /// On one machine: the engine's name. Leases of other engines are dead, because only one
    /// engine can hold the data file.
    pub only_engine: Option<String>,
}

/// Takes the lease in memory; the first conditional write makes it real.
pub fn claim(
    record: &mut SyncRecord,
    holder: &Holder,
    now: Timestamp,
    policy: &Policy,
    guards: &Guards,
) -> bool {
    if guards.lease && is_held(record, holder, now) {
        return false;
    }
    record.fence += 1;
    renew_lease(record, holder, now, policy);
    true
}

fn is_held(record: &SyncRecord, holder: &Holder, now: Timestamp) -> bool {
    let Some(lease) = &record.lease else {
        return false;
    };
    let dead = holder
        .only_engine
        .as_ref()
        .is_some_and(|engine| !lease.owner.starts_with(engine));
    now < lease.until && !dead && lease.owner != holder.owner
}

/// Extends the lease; part of every write while work goes on.
pub fn renew_lease(record: &mut SyncRecord, holder: &Holder, now: Timestamp, policy: &Policy) {
    let until = later(now, policy.lease);
    record.lease = Some(Lease {
        owner: holder.owner.clone(),
        until,
    });
}

/// Whether a send that starts now is certain to be over before the lease ends, and its effect to be
/// seen before the settle time of its stored intent has passed. A process may have slept since then.
pub fn may_send(record: &SyncRecord, now: Timestamp, policy: &Policy, guards: &Guards) -> bool {
    let ends = record
        .lease
        .as_ref()
        .map_or(Timestamp::MIN, |lease| lease.until);
    let is_prompt = match &record.state {
        State::Planned { intent } => is_prompt(intent.last_sent.local, now, policy),
        _ => true,
    };
    !guards.deadline || (is_prompt && later(now, policy.bill_timeout) < ends)
}

/// Whether something whose intent was stored at a moment may still be sent: early enough for its
/// effect to be seen before others believe that nothing comes any more.
pub fn is_prompt(stored: Timestamp, now: Timestamp, policy: &Policy) -> bool {
    // A clock that went back since then cannot tell how long ago that was.
    stored <= now && now <= later(stored, policy.send_delay)
}

/// What the lookup of one sent bill tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It exists, once, as it was sent.
    Adopt(BillSummary),
    /// Only a person can judge what was found.
    Conflict(Notice, Option<BillSummary>),
    /// It may still appear; ask again at this moment.
    TooEarly(Timestamp),
    /// It does not exist and cannot appear any more.
    Absent,
}

/// The window, by QuickBooks' clock as far as it is known, in which a sent bill was created.
pub fn lookup_window(intent: &Intent, now: Timestamp, policy: &Policy) -> (Timestamp, Timestamp) {
    let around = |sent: &SentAt| match sent.server {
        Some(server) => (server, policy.lookup_margin),
        None => (sent.local, policy.lookup_margin_unknown_clock),
    };
    let (first, before) = around(&intent.first_sent);
    let (last, after) = around(&intent.last_sent);
    // A clock that went back since the send must not close the window before it began.
    let end = later(last, policy.settle).max(now);
    (earlier(first, before), later(end, after))
}

/// Judges what a lookup found for one order; `bills` are all bills of the window.
pub fn settle(
    record: &SyncRecord,
    intent: &Intent,
    bills: &[BillSummary],
    server_time: Option<Timestamp>,
    now: Timestamp,
    (policy, guards): (&Policy, &Guards),
) -> Settled {
    let order = record.key.order;
    let mut ours: Vec<_> = bills
        .iter()
        .filter(|b| is_ours(b, &record.key.realm, order))
        .collect();
    ours.sort_by(|a, b| a.id.cmp(&b.id));
    ours.dedup_by(|a, b| a.id == b.id);
    match ours.as_slice() {
        [] => {}
        [bill] => return judge_found(record, intent, bill),
        [first, ..] => {
            let ids: Vec<_> = ours.iter().map(|bill| bill.id.to_string()).collect();
            let notice = Notice::new(Code::SeveralBills).with("bills", ids.join(", "));
            let notice = notice.with("order", record.order_number.as_str());
            return Settled::Conflict(notice, Some((*first).clone()));
        }
    }
    if let Some(conflict) = entered_by_hand(record, intent, bills) {
        return conflict;
    }
    if !guards.quarantine || !intent.in_doubt {
        return Settled::Absent;
    }
    let now = SentAt {
        local: now,
        server: server_time,
    };
    match settles_at(&intent.last_sent, policy.settle, now) {
        Some(until) => Settled::TooEarly(until),
        None => Settled::Absent,
    }
}

/// When the settle time since a moment is over; `None` when it has passed.
///
/// Judged by QuickBooks' own clock when it is known: ours may jump.
fn settles_at(since: &SentAt, settle: Duration, now: SentAt) -> Option<Timestamp> {
    // `Date` headers are cut to whole seconds.
    let settle = settle + Duration::from_secs(1);
    let (sent, clock) = match (since.server, now.server) {
        (Some(sent), Some(clock)) => (sent, clock),
        _ => (since.local, now.local),
    };
    let over = later(sent, settle);
    if clock >= over {
        return None;
    }
    let left = Duration::try_from(clock.duration_until(over)).unwrap_or(settle);
    Some(later(now.local, left.min(settle)))
}

fn is_ours(bill: &BillSummary, realm: &RealmId, order: OrderId) -> bool {
    let marker = bill
        .note
        .as_deref()
        .and_then(|note| Marker::find(note, realm));
    marker.is_some_and(|marker| marker.order == order)
}

fn judge_found(record: &SyncRecord, intent: &Intent, bill: &BillSummary) -> Settled {
    let as_sent = bill.total == intent.total
        && bill
            .vendor
            .as_ref()
            .is_none_or(|vendor| *vendor == intent.vendor);
    if as_sent {
        return Settled::Adopt(bill.clone());
    }
    let notice = Notice::new(Code::BillDiffers).with("order", record.order_number.as_str());
    Settled::Conflict(notice.with("bill", bill.id.as_str()), Some(bill.clone()))
}

fn entered_by_hand(record: &SyncRecord, intent: &Intent, bills: &[BillSummary]) -> Option<Settled> {
    let number = intent.number.as_deref()?;
    let same = bills
        .iter()
        .find(|bill| bill.number.as_deref() == Some(number))?;
    let notice = Notice::new(Code::BillByHand).with("order", record.order_number.as_str());
    Some(Settled::Conflict(
        notice.with("bill", same.id.as_str()),
        None,
    ))
}

/// How often a wait has been repeated decides how long the next one is; chance spreads it.
///
/// `last` is when the attempt before this one ended: the time since then counts towards giving up,
/// an hour at most, so that a time without attempts is not held against the order.
pub fn wait(
    record: &SyncRecord,
    notice: Notice,
    asked: Option<Duration>,
    counts: bool,
    (last, now): (Timestamp, Timestamp),
    (permille, policy): (u32, &Policy),
) -> Wait {
    let before = record.wait.as_ref();
    let attempts = before.map_or(0, |wait| wait.attempts).saturating_add(1);
    let backoff = policy.backoff_after(attempts);
    let spread = backoff / 2 + backoff / 2000 * permille.min(999);
    let since = before.map_or(now, |wait| wait.since);
    let gone = before.map_or(Duration::ZERO, |_| {
        Duration::try_from(last.duration_until(now)).unwrap_or_default()
    });
    let counted = before.map_or(0, |wait| wait.counted_seconds);
    let gone = gone
        .saturating_mul(policy.scale)
        .min(Duration::from_hours(1));
    Wait {
        notice,
        not_before: later(now, asked.unwrap_or(spread)),
        attempts,
        since,
        counted_seconds: counted + if counts { gone.as_secs() } else { 0 },
    }
}

/// Notes that a bill is not the order's any more: its number may still land in Autotask. When that was
/// noted before, the first time counts; while another one may still land, nothing of this bill's was sent
/// since, and that one stays known.
pub fn note_late_number(
    record: &mut SyncRecord,
    bill: &BillLink,
    found_at: SentAt,
    policy: &Policy,
) {
    let number = bill.written_number();
    let is_noted = record.late_number.as_ref().is_some_and(|late| {
        // A clock that went back since then cannot tell how long ago that was.
        let is_past = match (late.found_at.server, found_at.server) {
            (Some(before), Some(now)) => before <= now,
            _ => late.found_at.local <= found_at.local,
        };
        let may_land = settles_at(&late.found_at, policy.landing, found_at).is_some();
        is_past && (late.text() == number || may_land)
    });
    if !is_noted {
        record.late_number = Some(LateNumber {
            bill: Some(bill.clone()),
            found_at,
        });
    }
}

/// The same for the bill that a record knew before, when it knows another one now.
pub fn note_replaced(
    record: &mut SyncRecord,
    before: Option<&BillLink>,
    found_at: SentAt,
    policy: &Policy,
) {
    let number = record.bill().map(BillLink::written_number);
    let is_replaced = |bill: &&BillLink| Some(bill.written_number()) != number;
    if let Some(before) = before.filter(is_replaced) {
        note_late_number(record, before, found_at, policy);
    }
}

/// Owes ERROR no longer. What is still owed was sent, maybe, and not answered.
pub fn release_error(record: &mut SyncRecord, found_at: SentAt) {
    if std::mem::take(&mut record.error_mark) == ErrorMark::Owed {
        note_late_error(record, found_at);
    }
}

/// Notes that ERROR may still land.
pub fn note_late_error(record: &mut SyncRecord, found_at: SentAt) {
    record.late_number = Some(LateNumber {
        bill: None,
        found_at,
    });
}

/// A bill was seen alive, and its number may be written again: when it is gone once more, that counts
/// anew.
pub fn forget_late_number(record: &mut SyncRecord, bill: &BillLink) {
    let is_its = |late: &mut LateNumber| late.text() == bill.written_number();
    record.late_number.take_if(is_its);
}

/// The wait until what is out of date cannot land any more, over whatever stands there then. `None` when
/// there is no such write, or that time has passed.
pub fn wait_for_landing(
    record: &SyncRecord,
    now: SentAt,
    (policy, guards): (&Policy, &Guards),
) -> Option<Wait> {
    let late = record.late_number.as_ref().filter(|_| guards.landing)?;
    let not_before = settles_at(&late.found_at, policy.landing, now)?;
    let before = record.wait.as_ref();
    Some(Wait {
        notice: Notice::new(Code::NumberMayLand)
            .with("number", late.text())
            .with("order", record.order_number.as_str()),
        not_before,
        attempts: before.map_or(1, |wait| wait.attempts),
        since: before.map_or(now.local, |wait| wait.since),
        counted_seconds: before.map_or(0, |wait| wait.counted_seconds),
    })
}

/// The record of a bill that was just seen alive.
pub fn link_to(bill: &BillSummary, record: &SyncRecord) -> BillLink {
    BillLink {
        id: bill.id.clone(),
        number: bill.number.clone(),
        total: bill.total,
        generation: record.generation,
        seen_under: record.fence,
    }
}

/// Owes ERROR and a to-do with this notice's words; also where one with these words was open, because a
/// person may have completed it meanwhile. The open one is looked for before another is made.
pub fn flag(record: &mut SyncRecord, notice: &Notice, mark_error: bool) {
    let text = crate::todo::text(record, notice);
    if mark_error && record.error_mark != ErrorMark::Written {
        record.error_mark = ErrorMark::Owed;
    }
    let sent_at = match &record.todo {
        Todo::Owed { sent_at, .. } | Todo::Closing { sent_at } => *sent_at,
        Todo::None | Todo::Open { .. } | Todo::Closed => None,
    };
    record.todo = Todo::Owed { text, sent_at };
}

/// Nothing is owed any more: an open to-do is to be completed.
pub fn unflag(record: &mut SyncRecord) {
    record.error_mark = ErrorMark::None;
    record.todo = match std::mem::take(&mut record.todo) {
        Todo::None => Todo::None,
        Todo::Owed { sent_at, .. } | Todo::Closing { sent_at } => Todo::Closing { sent_at },
        Todo::Open { .. } => Todo::Closing { sent_at: None },
        Todo::Closed => Todo::Closed,
    };
}

/// Closes the generation: the next bill of this order goes out under a new request id.
pub fn next_generation(record: &mut SyncRecord, guards: &Guards) {
    if guards.generation {
        record.generation = record.generation.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
