//! The state of the model, and how it is told apart from others.

use jiff::Timestamp;
use purser_core::{
    books::BillSummary,
    ids::{BillId, OperationId, OrderId},
    marker::Marker,
    notice::Code,
    policy::Policy,
    ports::Expected,
    protocol::Holder,
    record::{RecordKey, SentAt, State, SyncRecord, later},
};

/// One step of time, in seconds.
pub(super) const TICK: u64 = 40;
/// QuickBooks and Autotask commit what they were sent within so many steps, or never.
pub(super) const LATE: u8 = 3;

/// A lease lasts so many steps.
pub(super) const LEASE: u8 = 3;

/// What stands in External PO Number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Blank,
    /// The number of a bill, by its place.
    Bill(u8),
    /// A number of a person's own.
    Typed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Bill {
    pub(super) generation: u32,
    pub(super) made_at: u8,
    pub(super) is_alive: bool,
}

/// A create that is under way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) generation: u32,
    pub(super) sent_at: u8,
    /// Who waits for its answer.
    pub(super) sender: Option<usize>,
    /// The bill it is answered with, once it has arrived.
    pub(super) answer: Option<u8>,
}

/// The write of a bill's number that was not answered and may still be carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct LateWrite {
    /// The bill, by its place.
    pub(super) bill: u8,
    pub(super) sent_at: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Between two reads or writes.
    Ready,
    /// The intent is stored, the bill not sent.
    Armed,
    /// The bill is sent.
    Awaiting,
    /// The order was read and may be written.
    WillWrite,
    /// The number was written and is to be read back.
    Written,
}

/// An attempt under way.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) phase: Phase,
    pub(super) record: SyncRecord,
    pub(super) expected: Expected<OperationId>,
    /// When it wrote the record last: its lease is as old as that.
    pub(super) written_at: Option<u8>,
    pub(super) number: Number,
    pub(super) read_at: u8,
    /// Bills that were gone when the order was taken up.
    pub(super) gone_before: u8,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) at: u8,
    pub(super) record: Option<SyncRecord>,
    pub(super) number: Number,
    pub(super) bills: Vec<Bill>,
    pub(super) flights: Vec<Flight>,
    pub(super) late: Vec<LateWrite>,
    pub(super) workers: [Option<Attempt>; 2],
    pub(super) writes: u32,
    pub(super) crashes: u8,
    pub(super) losses: u8,
    pub(super) late_writes: u8,
    pub(super) deletes: u8,
    pub(super) replaces: u8,
    pub(super) clears: u8,
    pub(super) typed: u8,
}

pub(super) fn policy() -> Policy {
    Policy::default()
}

pub(super) fn moment(at: u8) -> Timestamp {
    let begin = Timestamp::from_second(1_790_000_000).expect("a moment");
    later(begin, std::time::Duration::from_secs(TICK * u64::from(at)))
}

/// A moment of which only our own clock tells.
pub(super) fn by_our_clock(local: Timestamp) -> SentAt {
    SentAt {
        local,
        server: None,
    }
}

pub(super) fn key() -> RecordKey {
    RecordKey {
        tenant: "model".parse().expect("a tenant"),
        realm: "9130350000000001".parse().expect("a realm"),
        order: OrderId::new(4711),
    }
}

pub(super) fn holder(worker: usize) -> Holder {
    Holder {
        owner: worker.to_string(),
        only_engine: None,
    }
}

pub(super) fn bill_name(place: u8) -> String {
    format!("{}", 100 + u32::from(place))
}

pub(super) fn bill_id(place: u8) -> BillId {
    bill_name(place).parse().expect("a bill id")
}

pub(super) fn bill_place(name: &str) -> u8 {
    let number: u32 = name.parse().expect("a bill of the model");
    u8::try_from(number - 100).expect("a few bills")
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            at: 0,
            record: None,
            number: Number::Blank,
            bills: Vec::new(),
            flights: Vec::new(),
            late: Vec::new(),
            workers: [None, None],
            writes: 0,
            crashes: 0,
            losses: 0,
            late_writes: 0,
            deletes: 0,
            replaces: 0,
            clears: 0,
            typed: 0,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        moment(self.at)
    }

    pub(super) fn live_bills(&self) -> usize {
        self.bills.iter().filter(|bill| bill.is_alive).count()
    }

    /// What a lookup shows: every live bill, at once.
    pub(super) fn shown(&self) -> Vec<BillSummary> {
        let shown = self
            .bills
            .iter()
            .zip(0_u8..)
            .filter(|(bill, _)| bill.is_alive);
        shown
            .map(|(bill, place)| summary(bill.generation, place))
            .collect()
    }

    pub(super) fn gone(&self) -> u8 {
        let gone = self
            .bills
            .iter()
            .enumerate()
            .filter(|(_, bill)| !bill.is_alive);
        gone.fold(0, |mask, (place, _)| mask | 1 << place)
    }

    /// Two worlds with the same key have the same future: of times only what lies between them and now
    /// counts, of workers only what they do.
    pub(super) fn key(&self) -> Vec<u8> {
        let mut key = vec![self.crashes, self.losses, self.deletes, self.clears];
        key.extend([self.late_writes, self.typed, self.replaces]);
        key.push(number(self.number));
        for bill in &self.bills {
            key.extend([
                small(bill.generation),
                self.ago(bill.made_at),
                u8::from(bill.is_alive),
            ]);
        }
        key.push(254);
        if let Some(record) = &self.record {
            push_record(&mut key, record, self.at);
        }
        let mut workers = [0, 1].map(|worker| self.worker_key(worker));
        workers.sort_unstable();
        for worker in workers {
            key.push(253);
            key.extend(worker);
        }
        key.push(252);
        let mut abandoned: Vec<_> = self
            .flights
            .iter()
            .filter(|flight| flight.sender.is_none())
            .map(|flight| [small(flight.generation), self.ago(flight.sent_at)])
            .collect();
        abandoned.sort_unstable();
        key.extend(abandoned.into_iter().flatten());
        let late = self.late.iter();
        key.extend(late.flat_map(|write| [write.bill, self.ago(write.sent_at)]));
        key
    }

    fn ago(&self, at: u8) -> u8 {
        (self.at - at).min(LATE + 2)
    }

    /// A worker with what it waits for, by everything but its name.
    fn worker_key(&self, worker: usize) -> Vec<u8> {
        let mut key = Vec::new();
        let Some(attempt) = &self.workers[worker] else {
            return key;
        };
        let stored = self.record.as_ref().map(|record| &record.operation);
        let is_current = match &attempt.expected {
            Expected::Absent => stored.is_none(),
            Expected::Is(operation) => stored == Some(operation),
            Expected::Any => true,
        };
        let holder = self
            .record
            .as_ref()
            .and_then(|record| record.lease.as_ref());
        let is_holder = holder.is_some_and(|lease| lease.owner == worker.to_string());
        key.extend([
            attempt.phase as u8,
            u8::from(is_current),
            u8::from(is_holder),
            attempt.written_at.map_or(100, |at| self.ago(at)),
            number(attempt.number),
            u8::from(attempt.read_at == self.at),
            attempt.gone_before,
        ]);
        push_record(&mut key, &attempt.record, self.at);
        for flight in &self.flights {
            if flight.sender == Some(worker) {
                let answer = flight.answer.unwrap_or(99);
                key.extend([small(flight.generation), self.ago(flight.sent_at), answer]);
            }
        }
        key
    }
}

pub(super) fn summary(generation: u32, place: u8) -> BillSummary {
    let marker = Marker {
        order: key().order,
        generation,
    };
    BillSummary {
        id: bill_id(place),
        number: None,
        vendor: None,
        vendor_name: None,
        total: "10".parse().expect("a total"),
        note: Some(marker.text(&key().realm)),
    }
}

fn number(number: Number) -> u8 {
    match number {
        Number::Blank => 200,
        Number::Typed => 201,
        Number::Bill(place) => place,
    }
}

fn small(value: impl TryInto<u8>) -> u8 {
    value.try_into().unwrap_or(250)
}

/// How far a moment lies ahead or behind, in thirds of a step; what is long past is all the same.
fn from_now(moment_of: Timestamp, at: u8) -> u8 {
    let seconds = moment(at).duration_until(moment_of).as_secs();
    let thirds = seconds * 3 / i64::try_from(TICK).expect("short");
    small(thirds.clamp(-20, 100) + 20)
}

fn push_record(key: &mut Vec<u8>, record: &SyncRecord, at: u8) {
    key.extend([
        record.state.name() as u8,
        small(record.generation),
        small(record.fence),
    ]);
    let lease = record.lease.as_ref();
    key.push(lease.map_or(251, |lease| from_now(lease.until.max(moment(at)), at)));
    let wait = record.wait.as_ref();
    key.push(wait.map_or(251, |wait| from_now(wait.not_before.max(moment(at)), at)));
    if let Some(late) = &record.late_number {
        let found = from_now(late.found_at.local, at);
        key.extend([240, bill_place(late.text()), found]);
    }
    let notice = record.notice();
    let is_twice = notice.is_some_and(|notice| notice.code == Code::BillTwice);
    key.push(u8::from(is_twice));
    match &record.state {
        State::Planned { intent } => key.extend([
            from_now(intent.last_sent.local, at),
            small(intent.sends.min(2)),
            u8::from(intent.in_doubt),
        ]),
        _ => {
            if let Some(bill) = record.bill() {
                key.extend([
                    bill_place(bill.id.as_str()),
                    small(bill.generation),
                    u8::from(bill.seen_under == record.fence),
                ]);
            }
        }
    }
}
