//! What holds for every question that the clients ask, with the simulators' own readers as the other
//! side: whatever people have typed, each question finds what it is about and nothing else. See the
//! README of `purser-cases`; the properties of one crate stand in that crate.

mod autotask;
mod quickbooks;

use std::time::Duration;

use proptest::{
    strategy::Strategy,
    test_runner::{TestCaseError, TestRunner},
};
use purser_cases::config;
use purser_tests::{
    memory::MemoryStore,
    stage::{Scene, Stage},
};
use tokio::runtime::{Builder, Runtime};

/// A stage and the runtime in which its time stands still.
struct World {
    stage: Stage<MemoryStore>,
    runtime: Runtime,
}

impl World {
    fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let stage = runtime.block_on(Stage::connected(Scene::default()));
        Self { stage, runtime }
    }

    /// Lets two seconds pass.
    fn wait(&self) {
        let seconds = async { tokio::time::sleep(Duration::from_secs(2)).await };
        self.runtime.block_on(seconds);
    }
}

/// Tells all cases to one check, which keeps what it needs from one case to the next.
#[track_caller]
fn for_all<S: Strategy>(cases: &S, check: impl FnMut(S::Value) -> Result<(), TestCaseError>) {
    let check = std::cell::RefCell::new(check);
    let mut runner = TestRunner::new(config());
    let result = runner.run(cases, |case| (check.borrow_mut())(case));
    if let Err(error) = result {
        panic!("{error}");
    }
}
