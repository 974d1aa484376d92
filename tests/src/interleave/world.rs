//! What is outside the processes: the store, Intuit, the time, and what each worker waits for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use purser_core::{
    ports::{Expected, Put},
    tenant::{AccessToken, Grant, Stored},
};
use purser_transport::TransportErrorKind;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Errand, Lie, Property, Setting, Start,
    intuit::{Intuit, access_name, number_of, refresh_name, written},
};

pub(super) const SECOND: i64 = 1000;
pub(super) const HOUR: i64 = 3600 * SECOND;

/// What a worker asks of the outside.
#[derive(Clone)]
pub(super) enum Op {
    Read,
    Write(Box<Grant>, Expected<u64>),
    Request {
        number: usize,
        timeout: i64,
    },
    Sleep(i64),
    /// Sleeps between two visits, and comes again as a new process that knows nothing, or as the old.
    Rest(i64, bool),
}

/// What it is told.
#[derive(Clone)]
pub(super) enum Answer {
    Read(Option<Stored<Grant>>),
    Write(Option<Put>),
    Request(Result<(u16, String), TransportErrorKind>),
    Slept,
    Anew,
}

/// How far a worker's call is.
#[derive(Clone)]
pub(super) enum Stage {
    /// It waits for another worker of its process, or has not begun.
    Idle,
    /// Nothing has happened yet, and nothing will before `from`, unless it `stalls` only.
    Asked { op: Op, from: i64, stalls: bool },
    /// It has happened. At `from` the worker learns it: `alone`, or when it is let go on.
    Answered {
        answer: Answer,
        from: i64,
        alone: bool,
    },
    /// The worker has what it wanted, or its process is no more.
    Over,
}

/// What is on its way although nobody waits for it.
#[derive(Clone)]
pub(super) enum Flight {
    Request(usize),
    Write(usize, Box<Grant>, Expected<u64>),
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) now: i64,
    pub(super) stored: Stored<Grant>,
    pub(super) intuit: Intuit,
    pub(super) flights: Vec<Flight>,
    pub(super) stages: Vec<Stage>,
    /// The process of each worker.
    pub(super) process_of: Vec<usize>,
    /// Who is being polled.
    pub(super) current: usize,
    pub(super) faults_left: u8,
    /// Something went wrong that is not broken on purpose.
    pub(super) is_troubled: bool,
    pub(super) broken: Option<Property>,
    pub(super) lie: Lie,
    /// The newest refresh token that was ever stored.
    pub(super) newest: usize,
    pub(super) down_until: i64,
    pub(super) refuses_until: i64,
    /// By worker: what it saw if a read was the last it did, and what it saw if it then slept.
    looks: Vec<(Option<u64>, Option<u64>)>,
    /// By process: a grant that a read is answered with although the store holds another.
    pub(super) believed: Vec<Option<Stored<Grant>>>,
}

impl World {
    pub(super) fn new(setting: &Setting) -> Self {
        let ends_at = match setting.start {
            Start::Valid => HOUR / 2,
            Start::Early => HOUR / 12,
            Start::Expired => -60 * SECOND,
            Start::Idle => HOUR - 8 * 24 * HOUR,
        };
        let workers = setting.processes.iter().enumerate();
        let process_of: Vec<_> = workers
            .flat_map(|(process, errands)| errands.iter().map(move |_| process))
            .collect();
        Self {
            now: 0,
            stored: Stored {
                value: first_grant(ends_at),
                version: 1,
            },
            intuit: Intuit::new(setting.rotation, ends_at),
            flights: Vec::new(),
            stages: vec![Stage::Idle; process_of.len()],
            looks: vec![(None, None); process_of.len()],
            process_of,
            current: 0,
            faults_left: setting.faults_max,
            is_troubled: false,
            broken: None,
            lie: setting.lie,
            newest: 0,
            down_until: i64::MIN,
            refuses_until: i64::MIN,
            believed: vec![None; setting.processes.len()],
        }
    }

    /// As it is `wait` later for one process that has just begun.
    pub(super) fn afterwards(&self, wait: i64) -> Self {
        Self {
            now: self.now + wait,
            flights: Vec::new(),
            stages: vec![Stage::Idle],
            looks: vec![(None, None)],
            process_of: vec![0],
            current: 0,
            faults_left: 0,
            believed: vec![None],
            ..self.clone()
        }
    }

    /// The worker that is polled asks for something.
    pub(super) fn ask(&mut self, op: Op) {
        let now = self.now;
        let worker = self.current;
        let waits = |answer, time| Stage::Answered {
            answer,
            from: now + time,
            alone: true,
        };
        self.looks[worker] = match (&op, self.looks[worker]) {
            (Op::Sleep(_), (seen, _)) => (None, seen),
            (Op::Read, (_, slept)) => (None, slept),
            _ => (None, None),
        };
        self.stages[worker] = match op {
            Op::Sleep(time) | Op::Rest(time, false) => waits(Answer::Slept, time),
            Op::Rest(time, true) => waits(Answer::Anew, time),
            op => Stage::Asked {
                op,
                from: now,
                stalls: false,
            },
        };
    }

    /// What it asked for is done.
    pub(super) fn effect(&mut self, worker: usize, op: Op) -> Answer {
        let process = self.process_of[worker];
        let is_down = self.now < self.down_until;
        match op {
            Op::Read if is_down => Answer::Read(None),
            Op::Write(..) if is_down => Answer::Write(None),
            Op::Read => {
                self.looks[worker] = (Some(self.stored.version), None);
                Answer::Read(Some(self.read(process)))
            }
            Op::Write(grant, expected) => {
                Answer::Write(Some(self.write(process, &grant, &expected)))
            }
            Op::Request { number, .. } => Answer::Request(Ok(self.request(number, Some(process)))),
            Op::Sleep(_) | Op::Rest(..) => Answer::Slept,
        }
    }

    pub(super) fn request(&mut self, number: usize, taker: Option<usize>) -> (u16, String) {
        self.intuit.requests += 1;
        if self.now < self.refuses_until {
            return written(None);
        }
        written(self.intuit.refresh(number, taker, self.now))
    }

    /// A worker is given an access token to use.
    pub(super) fn hand_out(&mut self, access: &SecretString, errand: Errand) {
        let number = number_of(token(access));
        let is_refused = errand == Errand::Renew && number == 0;
        if !self.intuit.was_stored(number) {
            self.broken = Some(Property::StoredFirst);
        } else if is_refused || !self.intuit.is_good(number, self.now) {
            self.broken = Some(Property::Served);
        }
    }

    /// Whether a fault keeps from us whatever Intuit still accepts: then a person must connect again.
    pub(super) fn is_beyond_us(&self) -> bool {
        self.is_troubled && self.intuit.is_beyond_us(self.now)
    }

    /// The process is no more, and with it what it had not written.
    pub(super) fn bury(&mut self, process: usize) {
        self.intuit.forget(process);
        let is_others =
            |flight: &Flight| !matches!(flight, Flight::Write(of, ..) if *of == process);
        self.flights.retain(is_others);
        self.believed[process] = None;
        for (worker, of) in self.process_of.iter().enumerate() {
            if *of == process {
                self.stages[worker] = Stage::Over;
            }
        }
    }

    /// Whether it is a choice to let this worker go on.
    pub(super) fn is_ready(&self, worker: usize) -> bool {
        match &self.stages[worker] {
            Stage::Asked { from, .. }
            | Stage::Answered {
                from, alone: false, ..
            } => *from <= self.now,
            _ => false,
        }
    }

    /// Whether its call may be made at any moment up to a last one.
    pub(super) fn stalls(&self, worker: usize) -> bool {
        matches!(&self.stages[worker], Stage::Asked { stalls: true, .. })
    }

    /// Whether a worker only looks once more whether somebody else's refresh is over, and it is not:
    /// then it sleeps again.
    pub(super) fn only_looks(&self, worker: usize) -> bool {
        let is_asked = matches!(self.stages[worker], Stage::Asked { op: Op::Read, .. });
        let announced = self.stored.value.refreshing_until;
        is_asked
            && self.lie == Lie::None
            && self.down_until <= self.now
            && self.looks[worker].1 == Some(self.stored.version)
            && announced.is_some_and(|until| moment(self.now) < until)
    }

    pub(super) fn sleeps(&self, worker: usize) -> bool {
        let stage = &self.stages[worker];
        matches!(
            stage,
            Stage::Answered {
                answer: Answer::Slept,
                ..
            }
        )
    }
}

fn first_grant(ends_at: i64) -> Grant {
    Grant {
        realm: "4242".parse().expect("a realm"),
        refresh_token: SecretString::from(refresh_name(0)),
        previous_refresh_token: None,
        access: Some(AccessToken {
            token: SecretString::from(access_name(0)),
            expires_at: moment(ends_at),
        }),
        refresh_expires_at: None,
        hard_expires_at: None,
        refreshing_until: None,
        refreshed_at: Some(moment(ends_at - HOUR)),
        doubted_at: None,
        revoked: false,
    }
}

pub(super) fn token(secret: &SecretString) -> &str {
    secret.expose_secret()
}

/// A moment by the clock.
pub(super) fn moment(now: i64) -> Timestamp {
    let begin = Timestamp::from_second(1_790_000_000).expect("a moment");
    begin + SignedDuration::from_millis(now)
}

/// A time in thousandths of a second.
pub(super) fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).expect("a short time")
}
