//! What happens by itself between two choices: workers go on to their next call, and time passes.

use std::sync::atomic::Ordering;

use super::{history::History, world::Stage};

impl History<'_> {
    /// Lets happen what is nobody's choice: who has waited long enough goes on to its next call, and
    /// time passes while nobody can do anything.
    pub(super) fn settle(&mut self) {
        loop {
            let everybody = 0..self.workers.len();
            let is_due = |&worker: &usize| {
                let world = self.world();
                let now = world.now;
                matches!(world.stages[worker], Stage::Answered { from, alone: true, .. } if from <= now)
            };
            if let Some(worker) = everybody.clone().find(is_due) {
                self.resume(worker);
                continue;
            }
            let is_woken = |&worker: &usize| {
                let is_idle = matches!(self.world().stages[worker], Stage::Idle);
                is_idle && self.workers[worker].flag.0.load(Ordering::Relaxed)
            };
            if let Some(worker) = everybody.clone().find(is_woken) {
                self.poll(worker);
                continue;
            }
            let world = self.world();
            let is_choice = !world.flights.is_empty()
                || everybody.clone().any(|worker| world.is_ready(worker))
                || everybody.clone().any(|worker| world.stalls(worker));
            drop(world);
            if self.look_once_more() {
                continue;
            }
            if is_choice || self.is_over() || !self.next_moment() {
                return;
            }
        }
    }

    /// Lets everybody look whose turn it is, when nobody does anything else and nothing can go wrong
    /// any more: then no order of these looks makes a difference, not even to what is on its way to
    /// Intuit. False when it is not so.
    fn look_once_more(&mut self) -> bool {
        let world = self.world();
        let is_calm = (world.faults_left == 0 || self.cast.setting.faults.is_empty())
            && !(0..self.workers.len()).any(|worker| world.stalls(worker));
        let ready = (0..self.workers.len()).filter(|&worker| world.is_ready(worker));
        let ready: Vec<usize> = ready.collect();
        if !is_calm || ready.is_empty() || !ready.iter().all(|&worker| world.only_looks(worker)) {
            return false;
        }
        drop(world);
        for worker in ready {
            self.go(worker);
            self.resume(worker);
            assert!(self.world().sleeps(worker), "a look was followed by more");
        }
        true
    }

    /// Moves the clock to the next moment somebody waits for; false when nobody does.
    pub(super) fn next_moment(&self) -> bool {
        let mut world = self.world();
        let now = world.now;
        let moments = world.stages.iter().filter_map(|stage| match stage {
            Stage::Asked { from, .. } | Stage::Answered { from, .. } => Some(*from),
            Stage::Idle | Stage::Over => None,
        });
        let next = moments.filter(|from| now < *from).min();
        if let Some(next) = next {
            world.now = next;
        }
        next.is_some()
    }
}
