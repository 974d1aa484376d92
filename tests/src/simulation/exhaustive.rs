//! One thing that goes wrong in the life of one order, and then the next one: every kind of trouble at
//! every call of vendors and store, for each shape of order and each worth of request ids.
//!
//! The calls are taken from a history in which nothing is tried, so that a new call is tried from its
//! first day.

use std::time::Duration;

use purser_core::policy::Guards;
use purser_simulators::{FaultKind, quickbooks::RequestIdMode};

use super::{
    History,
    kinds::Kind,
    plan::{Plan, Shape, WireTrouble},
    trial::{Call, Mishap, Place, Step, Trial},
};
use crate::shaken::Happening;

/// How long things go wrong: longer than everything that is tried takes, and then a run.
const TROUBLED: Duration = Duration::from_mins(16);
/// After so long the access token is stale.
const REST: Duration = Duration::from_mins(61);
/// An order that is at its end for so long is not touched any more by anybody who slept or was late.
const RESTS: Duration = Duration::from_mins(6);
/// As long as it takes to the next run.
const CALM: Duration = Duration::from_mins(16);
/// How long every answer takes, so that two processes at once take turns.
const LATENCY: Duration = Duration::from_millis(20);
/// The call that makes a bill.
pub(super) const CREATE: &str = "quickbooks POST bill";

/// What happens in every history of a life, whatever else is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nothing.
    Plain,
    /// A write to a vendor has its effect and its answer is lost, so that it must be found again.
    InDoubt,
    /// The process dies when it has noted what it wrote.
    CutOff,
}

/// The life of one order in which something is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// What the order needs.
    pub shape: Shape,
    /// What happens in any case.
    pub way: Way,
    /// What request ids are worth.
    pub mode: RequestIdMode,
}

const SHAPES: [(&str, Shape, Way); 9] = [
    ("known", Shape::Known, Way::Plain),
    ("new", Shape::New, Way::Plain),
    ("refused", Shape::Refused, Way::Plain),
    ("known-in-doubt", Shape::Known, Way::InDoubt),
    ("new-in-doubt", Shape::New, Way::InDoubt),
    ("refused-in-doubt", Shape::Refused, Way::InDoubt),
    ("known-cut-off", Shape::Known, Way::CutOff),
    ("new-cut-off", Shape::New, Way::CutOff),
    ("refused-cut-off", Shape::Refused, Way::CutOff),
];
const MODES: [(&str, RequestIdMode); 3] = [
    ("honoured", RequestIdMode::Honoured),
    ("racy", RequestIdMode::Racy),
    ("ignored", RequestIdMode::Ignored),
];

impl Life {
    /// Every life. A refused order creates nothing in QuickBooks, so it is all the same to it what request
    /// ids are worth: it lives with one worth only.
    pub fn all() -> Vec<Self> {
        let names = SHAPES
            .iter()
            .flat_map(|(shape, ..)| MODES.iter().map(move |(mode, _)| (*shape, *mode)));
        names
            .filter_map(|(shape, mode)| Self::named(shape, mode))
            .filter(|life| life.shape != Shape::Refused || life.mode == RequestIdMode::Honoured)
            .collect()
    }

    /// The life of this shape and mode.
    pub fn named(shape: &str, mode: &str) -> Option<Self> {
        let (_, shape, way) = *SHAPES.iter().find(|(name, ..)| *name == shape)?;
        let (_, mode) = *MODES.iter().find(|(name, _)| *name == mode)?;
        Some(Self { shape, way, mode })
    }

    /// Its shape and mode, as it is asked for.
    pub fn names(self) -> (&'static str, &'static str) {
        let mut shapes = SHAPES.iter();
        let shape = shapes.find(|(_, shape, way)| (*shape, *way) == (self.shape, self.way));
        let mode = MODES.iter().find(|(_, mode)| *mode == self.mode);
        (shape.map_or("", |it| it.0), mode.map_or("", |it| it.0))
    }

    /// What happens in any case.
    fn given(self) -> Option<Step> {
        let is_refused = self.shape == Shape::Refused;
        let lost = Mishap::Wire(WireTrouble::Fault(FaultKind::TimeoutAfter));
        let dies = Mishap::Store(Happening::CutAfter);
        let (label, mishap) = match self.way {
            Way::Plain => return None,
            Way::InDoubt if is_refused => ("autotask POST Companies/*/ToDos", lost),
            Way::InDoubt => (CREATE, lost),
            Way::CutOff if is_refused => ("commit Refused", dies),
            Way::CutOff => ("commit Created", dies),
        };
        Some(Step {
            place: Place::Label(label.to_owned()),
            mishap,
            after: None,
        })
    }

    /// Whether nothing happens in any case.
    pub fn is_plain(self) -> bool {
        self.way == Way::Plain
    }

    /// The plan in which nothing is tried.
    pub fn plan(self, guards: Guards) -> Plan {
        Plan {
            mode: self.mode,
            orders: vec![self.shape],
            processes: 2,
            latency: LATENCY,
            guards,
            trial: Trial {
                is_recorded: true,
                steps: self.given().into_iter().collect(),
                ..Trial::default()
            },
            rest: REST,
            troubled: TROUBLED,
            rests: RESTS,
            calm: CALM,
            ..Plan::calm()
        }
    }

    /// The calls at which something is to be tried: all, or where something happens in any case, those
    /// after that.
    pub fn calls(self, lived: &History) -> Vec<Call> {
        let given = lived.tried.first().map(|(_, point)| *point);
        let calls = lived.calls.iter();
        calls
            .filter(|call| given.is_none_or(|given| call.point > given))
            .cloned()
            .collect()
    }

    /// The plan in which this kind of trouble is tried at this call.
    pub fn trying(self, guards: Guards, call: &Call, kind: &Kind) -> Plan {
        let mut plan = self.plan(guards);
        plan.trial.is_recorded = false;
        // Where both meet one call, what is tried goes before what is lost in every such life.
        plan.trial.steps.insert(
            0,
            Step {
                place: Place::Point(call.point),
                mishap: kind.mishap.clone(),
                after: None,
            },
        );
        plan
    }

    /// The plan in which one is tried, and then the other at a call of its name.
    pub fn trying_pair(self, guards: Guards, first: (&Call, &Kind), then: (&Call, &Kind)) -> Plan {
        let mut plan = self.trying(guards, first.0, first.1);
        plan.trial.steps.push(Step {
            place: Place::Label(then.0.label.clone()),
            mishap: then.1.mishap.clone(),
            after: Some(0),
        });
        plan
    }
}

/// Takes the guard of this name away; false when there is none of this name.
pub fn take_away(guards: &mut Guards, name: &str) -> bool {
    let guard = match name {
        "intent" => &mut guards.intent,
        "lease" => &mut guards.lease,
        "fence" => &mut guards.fence,
        "deadline" => &mut guards.deadline,
        "lookup" => &mut guards.lookup,
        "quarantine" => &mut guards.quarantine,
        "verify" => &mut guards.verify,
        "generation" => &mut guards.generation,
        "landing" => &mut guards.landing,
        _ => return false,
    };
    *guard = false;
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        memory::MemoryStore,
        simulation::{Fault, Point, live},
    };

    fn ignored(shape: &str) -> Life {
        Life::named(shape, "ignored").expect("a life")
    }

    async fn lived(plan: Plan) -> History {
        live::<MemoryStore>(plan).await
    }

    /// What this kind of trouble comes to at this call.
    async fn tried(guards: Guards, label: &str, kind: &str) -> History {
        let life = ignored("known");
        let calls = life.calls(&lived(life.plan(guards)).await);
        let call = calls.iter().find(|call| call.label == label);
        let call = call.expect("a call");
        let kinds = Kind::of(call);
        let kind = kinds.iter().find(|it| it.name == kind).expect("a kind");
        lived(life.trying(guards, call, kind)).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_makes_no_second_bill_and_without_the_lookup_it_does() {
        let history = tried(Guards::ALL, CREATE, "cut-after").await;
        assert_eq!(history.violations, [""; 0]);
        assert_eq!(history.tried.len(), 1);
        let mut guards = Guards::ALL;
        assert!(take_away(&mut guards, "lookup"));
        let history = tried(guards, CREATE, "cut-after").await;
        let wrong = history.violations.join(", ");
        assert!(wrong.contains("has 2 live bills"), "{wrong}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_delivered_twice_is_done_once_and_without_the_fence_it_begins_anew() {
        let intent = "commit Planned";
        let history = tried(Guards::ALL, intent, "twice-asleep").await;
        assert_eq!(history.violations, [""; 0]);
        assert_eq!(history.tried.len(), 1);
        let mut guards = Guards::ALL;
        assert!(take_away(&mut guards, "fence"));
        let history = tried(guards, intent, "twice-asleep").await;
        let wrong = history.violations.join(", ");
        assert!(wrong.contains("from Linked to Planned"), "{wrong}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_order_creates_nothing_in_quickbooks() {
        for shape in ["refused", "refused-in-doubt", "refused-cut-off"] {
            let history = lived(ignored(shape).plan(Guards::ALL)).await;
            let is_write = |call: &&Call| {
                let words = call.label.strip_prefix("quickbooks POST ");
                words.is_some_and(|words| !words.starts_with("query"))
            };
            assert_eq!(history.calls.iter().find(is_write), None, "{shape}");
            assert!(!history.calls.is_empty());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_point_of_the_matrix_is_a_call_of_some_life() {
        let (mut calls, mut kinds) = (Vec::new(), BTreeSet::new());
        for shape in ["new", "refused", "new-in-doubt", "new-cut-off"] {
            let life = ignored(shape);
            calls.extend(life.calls(&lived(life.plan(Guards::ALL)).await));
        }
        for point in Point::ALL {
            assert!(calls.iter().any(|call| point.has(call)), "{}", point.name);
        }
        let all: Vec<_> = calls.iter().flat_map(Kind::of).collect();
        for fault in Fault::ALL {
            assert!(all.iter().any(|kind| fault.is(kind)), "{}", fault.name);
        }
        kinds.extend(all.iter().map(|kind| kind.name));
        assert!(kinds.len() >= Fault::ALL.len());
    }
}
