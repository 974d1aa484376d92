//! One history: the processes as they are, what may happen next, and what it comes to.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    mem,
    pin::Pin,
    sync::{
        Arc, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use super::{
    Errand, Fault, Property,
    cast::{Cast, run},
    marks::add_answer,
    world::{Answer, Flight, Op, Stage, World},
};

/// A history that is longer does not end.
const STEPS_MAX: usize = 3_000;

/// What may happen next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Choice {
    /// A worker's call is done, or it learns what Intuit answered.
    Go(usize),
    /// Something goes wrong with it.
    Meet(Fault, usize),
    /// What nobody waits for any more arrives.
    Arrive(usize),
    /// Nothing happens until the next moment that somebody waits for.
    Wait,
}

/// Set when a worker that waits for another of its process may go on.
pub(super) struct Flag(pub(super) AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(super) struct Worker {
    pub(super) process: usize,
    /// Its place among the workers of its process.
    place: usize,
    errand: Errand,
    future: Option<Pin<Box<dyn Future<Output = bool>>>>,
    pub(super) flag: Arc<Flag>,
    waker: Waker,
    /// How often it came again as a new process.
    visits: u32,
    /// Whether it was served, once it came home.
    pub(super) is_served: Option<bool>,
}

/// A history under way.
pub(super) struct History<'a> {
    pub(super) cast: &'a Cast,
    pub(super) workers: Vec<Worker>,
    /// By process: a hash of all it was told so far, and when.
    known: Vec<u64>,
    steps: usize,
}

impl<'a> History<'a> {
    /// The beginning: every worker is about to make its first call.
    pub(super) fn begin(cast: &'a Cast) -> Self {
        let world = World::new(&cast.setting);
        Self::from(cast, world, cast.setting.processes, 0)
    }

    /// Processes begin in `world`, made by the maker of that number.
    pub(super) fn from(
        cast: &'a Cast,
        world: World,
        processes: &[&[Errand]],
        maker: usize,
    ) -> Self {
        *cast.desk.world() = world;
        let mut workers = Vec::new();
        for (process, errands) in processes.iter().enumerate() {
            let maker = &cast.makers[maker];
            let source = maker.source();
            // What it has got already is more than how often it came.
            let is_simple = errands.len() == 1 && errands[0] != Errand::UseTwice;
            let anew = cast.setting.comes_anew && is_simple;
            for (place, &errand) in errands.iter().enumerate() {
                let flag = Arc::new(Flag(AtomicBool::new(true)));
                let future = run(maker.clone(), Arc::clone(&source), errand, anew);
                workers.push(Worker {
                    process,
                    place,
                    errand,
                    future: Some(Box::pin(future)),
                    waker: Waker::from(Arc::clone(&flag)),
                    flag,
                    visits: 0,
                    is_served: None,
                });
            }
        }
        let mut history = Self {
            cast,
            workers,
            known: vec![0; processes.len()],
            steps: 0,
        };
        history.settle();
        history
    }

    /// Everything that may happen now; nothing when the history is over.
    pub(super) fn choices(&self) -> Vec<Choice> {
        let world = self.cast.desk.world();
        let is_ready = |worker: usize| world.is_ready(worker);
        let everybody = 0..self.workers.len();
        let ready: Vec<usize> = everybody
            .clone()
            .filter(|&worker| is_ready(worker))
            .collect();
        let mut choices: Vec<Choice> = ready.iter().copied().map(Choice::Go).collect();
        let stalled = everybody.filter(|&worker| !is_ready(worker) && world.stalls(worker));
        choices.extend(stalled.map(Choice::Go));
        choices.extend((0..world.flights.len()).map(Choice::Arrive));
        let is_over = self.is_over();
        if ready.is_empty() && !is_over && !choices.is_empty() {
            choices.push(Choice::Wait);
        }
        if world.faults_left > 0 {
            for &fault in self.cast.setting.faults {
                let can_meet = |worker: &usize| world.can_meet(fault, *worker);
                let mut met = ready.iter().copied().filter(can_meet);
                if matches!(fault, Fault::StoreDown | Fault::RefusesAll) {
                    // It meets everybody, whoever is first.
                    choices.extend(met.next().map(|worker| Choice::Meet(fault, worker)));
                } else {
                    choices.extend(met.map(|worker| Choice::Meet(fault, worker)));
                }
            }
        }
        choices
    }

    /// Makes a choice, and goes on to where there is one again.
    pub(super) fn make(&mut self, choice: Choice) {
        self.steps += 1;
        match choice {
            Choice::Go(worker) => self.go(worker),
            Choice::Meet(Fault::Death, worker) => self.die(self.workers[worker].process),
            Choice::Meet(fault, worker) => self.world().meet(fault, worker),
            Choice::Arrive(flight) => self.world().arrive(flight),
            Choice::Wait => drop(self.next_moment()),
        }
        if let Choice::Meet(..) = choice {
            let mut world = self.world();
            world.faults_left -= 1;
            world.is_troubled = true;
        }
        self.settle();
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.cast.desk.world()
    }

    pub(super) fn go(&mut self, worker: usize) {
        let mut world = self.world();
        let now = world.now;
        let stage = mem::replace(&mut world.stages[worker], Stage::Idle);
        if let Stage::Asked { op, .. } = stage {
            let is_request = matches!(op, Op::Request { .. });
            let answer = world.effect(worker, op);
            world.stages[worker] = Stage::Answered {
                answer,
                from: now,
                alone: !is_request,
            };
            return;
        }
        world.stages[worker] = stage;
        drop(world);
        self.resume(worker);
    }

    /// A worker learns what it was answered, and goes on to its next call.
    pub(super) fn resume(&mut self, worker: usize) {
        let Worker { process, place, .. } = self.workers[worker];
        let mut hasher = DefaultHasher::new();
        (self.known[process], place, self.world().now).hash(&mut hasher);
        let comes_anew = match &self.world().stages[worker] {
            Stage::Answered {
                answer: Answer::Anew,
                ..
            } => true,
            Stage::Answered { answer, .. } => {
                add_answer(answer, &mut hasher);
                false
            }
            _ => false,
        };
        if comes_anew {
            // It knows nothing but how often it came.
            self.workers[worker].visits += 1;
            hasher = DefaultHasher::new();
            self.workers[worker].visits.hash(&mut hasher);
        }
        self.known[process] = hasher.finish();
        self.poll(worker);
    }

    pub(super) fn poll(&mut self, worker: usize) {
        self.world().current = worker;
        let polled = &mut self.workers[worker];
        polled.flag.0.store(false, Ordering::Relaxed);
        let Some(future) = &mut polled.future else {
            return;
        };
        let waker = polled.waker.clone();
        if let Poll::Ready(is_served) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            polled.future = None;
            polled.is_served = Some(is_served);
            self.world().stages[worker] = Stage::Over;
        }
    }

    fn die(&mut self, process: usize) {
        self.world().bury(process);
        for worker in &mut self.workers {
            if worker.process == process {
                worker.future = None;
            }
        }
    }

    /// Whether every worker came home or is dead.
    pub(super) fn is_over(&self) -> bool {
        self.workers.iter().all(|worker| worker.future.is_none())
    }

    /// Whether the history may end here: it is over, and nothing that was acknowledged is on its way.
    pub(super) fn is_settled(&self) -> bool {
        let is_write = |flight: &Flight| matches!(flight, Flight::Write(..));
        self.is_over() && !self.world().flights.iter().any(is_write)
    }

    /// What was broken on the way here.
    pub(super) fn broken(&self) -> Option<Property> {
        let is_endless = self.steps > STEPS_MAX;
        let broken = self.world().broken;
        broken.or(is_endless.then_some(Property::Ends))
    }

    pub(super) fn requests(&self) -> u32 {
        self.world().intuit.requests
    }

    /// Tells states apart.
    pub(super) fn key(&self) -> u64 {
        let world = self.world();
        let process = |process: usize| {
            let mut hasher = DefaultHasher::new();
            let workers = || {
                self.workers
                    .iter()
                    .enumerate()
                    .filter(move |(_, w)| w.process == process)
            };
            let is_over = workers().all(|(_, worker)| worker.future.is_none());
            if !is_over {
                self.known[process].hash(&mut hasher);
                world.add_belief(process, &mut hasher);
            }
            for (place, worker) in workers() {
                (worker.errand, worker.is_served).hash(&mut hasher);
                if !is_over {
                    world.add_stage(place, &mut hasher);
                }
            }
            hasher.finish()
        };
        let mut processes: Vec<u64> = (0..self.known.len()).map(process).collect();
        processes.sort_unstable();
        let mut hasher = DefaultHasher::new();
        processes.hash(&mut hasher);
        world.add_to(&mut hasher);
        hasher.finish()
    }
}
