//! What a history comes to.

use super::{
    Errand, Property,
    history::{History, Worker},
    world::{HOUR, World},
};

/// When the connection is tried again after everything.
const AFTER: [i64; 2] = [HOUR, 8 * 24 * HOUR];

/// What a history came to.
#[derive(Clone, Copy, Default)]
pub(super) struct Outcome {
    pub(super) broken: Option<Property>,
    pub(super) is_lost: bool,
}

impl History<'_> {
    /// What the history comes to that is over here, or where it broke something. Nothing can be made
    /// of it afterwards.
    pub(super) fn outcome(&mut self) -> Outcome {
        let broken = self.broken();
        if broken.is_some() {
            return Outcome {
                broken,
                is_lost: false,
            };
        }
        self.end()
    }

    fn end(&mut self) -> Outcome {
        let world = self.world().clone();
        let broken = |property| Outcome {
            broken: Some(property),
            is_lost: false,
        };
        if world.intuit.requests > self.cast.setting.requests_max {
            return broken(Property::FewRequests);
        }
        let is_missing = |worker: &Worker| worker.is_served == Some(false);
        if self.workers.iter().any(is_missing) && !world.is_beyond_us() {
            return broken(Property::Served);
        }
        let mut outcome = self.try_again(&world, 0);
        // Grace lasts a day: what a fault kept from us is not asked for later.
        if outcome.broken.is_none() && !world.intuit.lost_any() {
            outcome = self.try_again(&world, 1);
        }
        outcome
    }

    /// A fresh process uses the connection some time after.
    fn try_again(&self, world: &World, after: usize) -> Outcome {
        let world = world.afterwards(AFTER[after]);
        let is_beyond_us = world.is_beyond_us();
        let mut trial = History::from(self.cast, world, &[&[Errand::Use]], after + 1);
        while trial.broken().is_none()
            && let Some(&choice) = trial.choices().first()
        {
            trial.make(choice);
        }
        let is_marked = trial.world().stored.value.revoked;
        let broken = match (trial.broken(), trial.workers[0].is_served) {
            (Some(property), _) => Some(property),
            (None, Some(true)) => None,
            _ if !is_marked => Some(Property::Ends),
            _ if !is_beyond_us => Some(Property::NothingLost),
            _ => None,
        };
        let is_lost = broken.is_none() && trial.workers[0].is_served == Some(false);
        Outcome { broken, is_lost }
    }
}
