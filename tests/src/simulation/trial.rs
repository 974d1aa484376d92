//! What is tried on purpose in a history, instead of what a seed decides: at one named call, or at two,
//! something goes wrong. And what the calls of a history are, so that they can be named.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use purser_core::{ports::Delivery, record::SyncRecord};
use purser_simulators::{FaultKind, System};
use tokio::{sync::Notify, time::Instant};

use super::{labels, plan::WireTrouble};
use crate::{shaken::Happening, stage::Moment};

/// How long a process sleeps while another one does what it was doing.
const ASIDE: Duration = Duration::from_secs(30);
/// So long after a permission was missing the transfer goes on.
const RECHECK: Duration = Duration::from_mins(90);
/// The status of an answer that a permission is missing.
const FORBIDDEN: u16 = 403;
/// The one of an answer that a refresh token is not good.
const INVALID_GRANT: u16 = 400;
/// How many processes there are.
const PROCESSES: usize = 2;

/// Which call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The one with this number.
    Point(u64),
    /// The next one that is called so.
    Label(String),
}

/// What goes wrong at a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// A call of a vendor does.
    Wire(WireTrouble),
    /// A call of the store does.
    Store(Happening),
    /// What the process is working on is delivered to the other process, too.
    Twice,
    /// The same, and the process sleeps while the other one works.
    TwiceAsleep,
}

/// One thing that is tried.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where.
    pub place: Place,
    /// What.
    pub mishap: Mishap,
    /// Only after this other one.
    pub after: Option<usize>,
}

/// Everything that is tried in one history.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Whether the calls are kept.
    pub is_recorded: bool,
    /// Whether each call is told while things go wrong.
    pub is_told: bool,
    /// What is tried; each once.
    pub steps: Vec<Step>,
}

impl Trial {
    /// How long the transfer may stand still when nothing goes wrong any more: a permission that was
    /// missing once is asked for again after an hour.
    pub(super) fn forgives(&self) -> Duration {
        if self.answers(FORBIDDEN) {
            RECHECK
        } else {
            Duration::ZERO
        }
    }

    /// Whether a vendor says that the connection is over, which the product may believe.
    pub(super) fn may_end_a_connection(&self) -> bool {
        self.answers(FORBIDDEN) || self.answers(INVALID_GRANT)
    }

    fn answers(&self, wanted: u16) -> bool {
        let answers = |kind: &FaultKind| matches!(kind, FaultKind::Status { status, .. } if *status == wanted);
        let mut steps = self.steps.iter();
        steps.any(
            |step| matches!(&step.mishap, Mishap::Wire(WireTrouble::Fault(kind)) if answers(kind)),
        )
    }
}

/// One call of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub point: u64,
    /// What it is called.
    pub label: String,
    /// Whether a vendor is called, and not the store.
    pub is_wire: bool,
    /// Whether a delivery is being worked on.
    pub is_work: bool,
}

/// A trial under way. Without one nothing is kept.
#[derive(Default)]
pub(super) struct Trying {
    trial: Trial,
    began: Option<Instant>,
    course: Mutex<Course>,
    wakes: [Notify; PROCESSES],
}

#[derive(Default)]
struct Course {
    calls: Vec<Call>,
    told: Vec<String>,
    /// How many calls there were when the order was at its end and its message gone.
    until_end: Option<usize>,
    /// How many there were when the order had come to its end.
    settled: Option<usize>,
    /// Places in the calls where nothing was there to be received.
    idle: Vec<usize>,
    /// The steps that met their call, and its number.
    met: Vec<(usize, u64)>,
    processes: [Work; PROCESSES],
}

#[derive(Default)]
struct Work {
    /// More about the call that comes next.
    about: String,
    /// Where it asked for a delivery and has none yet.
    asked: Option<usize>,
    works_on: Option<Delivery>,
    /// What is delivered to it, too.
    second: Option<Delivery>,
}

impl Course {
    /// The process knows what came of its last call when it makes another one.
    fn goes_on(&mut self, process: usize) {
        let Some(asked) = self.processes[process].asked.take() else {
            return;
        };
        self.idle.push(asked);
        let is_at_rest = self.processes.iter().all(|it| it.works_on.is_none());
        let is_settled = self.settled.is_some_and(|settled| settled <= asked);
        if is_settled && is_at_rest && self.until_end.is_none() {
            self.until_end = Some(asked);
        }
    }
}

impl Trying {
    pub(super) fn new(trial: Trial) -> Self {
        Self {
            trial,
            began: Some(Instant::now()),
            ..Self::default()
        }
    }

    fn is_on(&self) -> bool {
        self.trial.is_recorded || self.trial.is_told || !self.trial.steps.is_empty()
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next call of the store is about.
    pub(super) fn about(&self, process: usize, what: String) {
        if self.is_on() {
            self.course().processes[process].about = what;
        }
    }

    /// A call of the store. Answers what happens to it.
    pub(super) fn store(&self, (process, point): (usize, u64), call: &str) -> Option<Happening> {
        if !self.is_on() {
            return None;
        }
        let about = std::mem::take(&mut self.course().processes[process].about);
        let label = format!("{call} {about}").trim_end().to_owned();
        match self.tried((process, point), (label, false))? {
            Mishap::Store(happening) => Some(happening),
            Mishap::TwiceAsleep => Some(Happening::Late(ASIDE)),
            Mishap::Twice | Mishap::Wire(_) => None,
        }
    }

    /// A call of a vendor. Answers what happens to it.
    pub(super) fn wire(
        &self,
        (process, point): (usize, u64),
        (system, request): (System, &Request<Bytes>),
    ) -> Option<WireTrouble> {
        if !self.is_on() {
            return None;
        }
        let label = labels::of(system, request);
        match self.tried((process, point), (label, true))? {
            Mishap::Wire(trouble) => Some(trouble),
            Mishap::TwiceAsleep => Some(WireTrouble::Sleep(Moment::Before, ASIDE)),
            Mishap::Twice | Mishap::Store(_) => None,
        }
    }

    /// One more call. Answers what goes wrong with it.
    fn tried(
        &self,
        (process, point): (usize, u64),
        (label, is_wire): (String, bool),
    ) -> Option<Mishap> {
        let mut course = self.course();
        course.goes_on(process);
        let work = &mut course.processes[process];
        if label == "receive" {
            work.works_on = None;
        }
        let works_on = work.works_on.clone();
        let step = self.meets(&course, (point, &label));
        let place = course.calls.len();
        if label == "receive" {
            course.processes[process].asked = Some(place);
        }
        if self.trial.is_told {
            let gone = self.began.map_or(Duration::ZERO, |began| began.elapsed());
            let seconds = gone.as_secs_f64();
            course.told.push(format!(
                "{point:>5} {seconds:>9.2} s  process {process}  {label}"
            ));
        }
        if self.trial.is_recorded {
            course.calls.push(Call {
                point,
                label,
                is_wire,
                is_work: works_on.is_some(),
            });
        }
        let step = step?;
        let mishap = self.trial.steps[step].mishap.clone();
        if matches!(mishap, Mishap::Twice | Mishap::TwiceAsleep) {
            let other = (process + 1) % PROCESSES;
            course.processes[other].second = Some(works_on?);
            self.wakes[other].notify_one();
        }
        course.met.push((step, point));
        Some(mishap)
    }

    fn meets(&self, course: &Course, (point, label): (u64, &str)) -> Option<usize> {
        let is_met = |step: &usize| course.met.iter().any(|(met, _)| met == step);
        let fits = |(place, step): &(usize, &Step)| {
            let is_here = match &step.place {
                Place::Point(number) => *number == point,
                Place::Label(wanted) => wanted == label,
            };
            is_here && !is_met(place) && step.after.as_ref().is_none_or(is_met)
        };
        let step = self.trial.steps.iter().enumerate().find(fits);
        step.map(|(place, _)| place)
    }

    /// A process has received this.
    pub(super) fn reads(&self, process: usize, delivery: &Delivery) {
        if self.is_on() {
            let work = &mut self.course().processes[process];
            work.asked = None;
            work.works_on = Some(delivery.clone());
        }
    }

    /// A record was written.
    pub(super) fn stored(&self, record: &SyncRecord) {
        if self.is_on() {
            let mut course = self.course();
            let calls = course.calls.len();
            course.settled = record.is_settled().then_some(calls);
        }
    }

    /// Whether everything that is tried has met its call, and nothing is to be recorded any more.
    pub(super) fn is_done(&self) -> bool {
        let course = self.course();
        let is_recorded = !self.trial.is_recorded || course.until_end.is_some();
        is_recorded && course.met.len() == self.trial.steps.len()
    }

    /// Waits for what is delivered to a process that another one is working on.
    pub(super) async fn second(&self, process: usize) -> Delivery {
        loop {
            let second = self.course().processes[process].second.take();
            if let Some(delivery) = second {
                return delivery;
            }
            self.wakes[process].notified().await;
        }
    }

    /// The calls until the order was at its end. Of those that found nothing to be received only the
    /// first stands for all.
    pub(super) fn calls(&self) -> Vec<Call> {
        let mut course = self.course();
        let end = course.until_end.unwrap_or(course.calls.len());
        let calls = std::mem::take(&mut course.calls);
        let again = &course.idle[course.idle.len().min(1)..];
        let calls = calls.into_iter().enumerate().take(end);
        calls
            .filter(|(place, _)| !again.contains(place))
            .map(|(_, call)| call)
            .collect()
    }

    /// Each call with its number, its moment and who made it.
    pub(super) fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.course().told)
    }

    /// The steps that met their call, and its number.
    pub(super) fn met(&self) -> Vec<(usize, u64)> {
        self.course().met.clone()
    }
}
