//! What an attempt came to for each order, in the words that operators need: no names, no amounts.

use std::time::Duration;

use jiff::Timestamp;

use crate::{ids::BillId, record::later};

use super::{
    Ports,
    attempt::{Attempt, Halt, Job},
};

/// One attempt at one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Which attempt at this order it was, counted by the leases taken on it. `None` when the order
    /// was not touched: another attempt holds it, or its whole tenant is stopped.
    pub attempt: Option<u64>,
    /// Whether this attempt brought the order where it stands, and did not just find it there.
    pub moved: bool,
    /// From the beginning of the attempt to the last write about this order. Orders of one message
    /// share their calls, so that their times overlap.
    pub took: Duration,
    /// The bill that it stands for.
    pub bill: Option<BillId>,
}

impl<P: Ports> Attempt<'_, P> {
    pub(super) fn tried(&self) -> Vec<Tried> {
        let now = self.engine.now();
        let all = self.jobs.iter();
        all.map(|job| job.tried(self.began, now)).collect()
    }
}

impl Job {
    fn tried(&self, began: Timestamp, now: Timestamp) -> Tried {
        let ended = self.written.unwrap_or(now);
        let overtaken = matches!(self.halt, Some(Halt::Overtaken(_)));
        Tried {
            attempt: (!overtaken).then_some(self.record.fence),
            moved: self.moved,
            took: between(began, ended),
            bill: self.record.bill().map(|bill| bill.id.clone()),
        }
    }

    /// Notes that a write of this record is stored.
    pub(super) fn note_written(&mut self, now: Timestamp) {
        let state = self.record.state.name();
        self.moved |= self.stored.state != state;
        self.stored.state = state;
        self.written = Some(now);
    }
}

/// How long something took; nothing when the clock went back meanwhile.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(from.duration_until(to)).unwrap_or_default()
}

/// Whether a moment is longer ago than this.
pub(super) fn is_older(at: Timestamp, age: Duration, now: Timestamp) -> bool {
    later(at, age) < now
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        notice::Code,
        record::Origin,
        testing::World,
        usecase::{OutcomeKind, SyncReport},
    };

    fn only(report: &SyncReport) -> (OutcomeKind, Tried) {
        let [outcome] = &report.outcomes[..] else {
            panic!("{report:?}");
        };
        let [tried] = &report.tried[..] else {
            panic!("{report:?}");
        };
        (outcome.outcome, tried.clone())
    }

    #[test]
    fn an_attempt_is_counted_and_says_whether_it_moved_the_order() {
        let world = World::new();
        let (outcome, first) = only(&world.sync(Origin::Person).unwrap());
        assert_eq!((outcome, first.attempt), (OutcomeKind::Billed, Some(1)));
        assert!(first.moved);
        assert_eq!(
            first.bill,
            world.record().bill().map(|bill| bill.id.clone())
        );
        let (outcome, again) = only(&world.sync(Origin::Sweep).unwrap());
        assert_eq!(outcome, OutcomeKind::Billed);
        assert!(!again.moved, "it was billed before");
    }

    #[test]
    fn an_attempt_takes_until_its_last_write() {
        let world = World::new();
        let calls = world.lock().calls;
        world.lock().meanwhile = Some((calls + 8, Box::new(|world: &World| world.advance(7))));
        let (_, tried) = only(&world.sync(Origin::Person).unwrap());
        assert_eq!(tried.took, Duration::from_secs(7));
    }

    #[test]
    fn an_order_of_a_tenant_that_is_stopped_is_not_attempted() {
        let world = World::new();
        world.lock().refusals.push(Code::QuickBooksDisconnected);
        world.sync(Origin::Scan).unwrap();
        let (outcome, tried) = only(&world.sync(Origin::Scan).unwrap());
        assert_eq!(outcome, OutcomeKind::Waiting);
        assert_eq!(tried, Tried::default());
    }
}
