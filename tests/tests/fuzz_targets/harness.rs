//! Runs a target over its corpus and over inputs that are made from it.

#![expect(clippy::print_stdout, reason = "a run tells how much it has tried")]

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use purser_tests::panicked;
use tokio::runtime::{Builder, Runtime};

use crate::mutate::Mutator;

/// Where the inputs of the gate come from, so that a change never fails by chance.
const SEED: u64 = 20_260_316;
/// How many inputs one world sees before it is built anew, so that it does not grow.
const INPUTS_OF_A_WORLD: usize = 250;
/// How many inputs with an outcome of their own are kept to be changed further.
const KEPT_MAX: usize = 500;
/// How often a failing input is made smaller.
const SHRINKS_MAX: usize = 300;
/// How long one input may take, whatever it is.
const TIME_MAX: Duration = Duration::from_secs(20);

/// What a target is.
pub(crate) struct Target {
    /// Its name, and that of its folder in the corpus.
    pub(crate) name: &'static str,
    /// How many inputs the gate makes of the corpus.
    pub(crate) cases: u64,
    /// Words that mean something to it.
    pub(crate) words: &'static [&'static str],
}

/// The world in which inputs are tried.
pub(crate) trait World {
    /// A new one.
    fn build() -> Self;

    /// Tries an input. What is wrong panics; the outcome, in few words, tells inputs apart that
    /// lead to different places.
    fn check(&mut self, input: &[u8]) -> String;
}

/// The folder of a corpus.
pub(crate) fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz-corpus")
        .join(name);
    let shown = folder.display();
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{shown}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), fs::read(path).expect("a file"));
    let files: Vec<_> = paths.into_iter().map(read).collect();
    assert!(files.len() > 4, "{shown} holds too little to begin with");
    files
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number")),
    )
}

/// Runs a target: every file of its corpus, and what is made of them.
pub(crate) fn run<W: World>(target: &Target) {
    if let Some(path) = std::env::var_os("PURSER_FUZZ_INPUT") {
        let path = PathBuf::from(path);
        let input = fs::read(&path);
        let input = input.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        println!("{}: {}", target.name, W::build().check(&input));
        return;
    }
    let seed = variable("PURSER_FUZZ_SEED").unwrap_or(SEED);
    let cases = variable("PURSER_FUZZ_CASES").unwrap_or(target.cases);
    let files = corpus(target.name);
    let mut runner = Runner::<W>::new(target, seed);
    for (path, input) in &files {
        runner.check(input, &path.display().to_string());
    }
    let known = runner.outcomes.len();
    let mut pool: Vec<_> = files.into_iter().map(|(_, input)| input).collect();
    let mut mutator = Mutator::new(seed, target.words);
    for case in 0..cases {
        let input = mutator.changed(&pool);
        let is_news = runner.check(&input, &format!("input {case} of seed {seed}"));
        if is_news && pool.len() < KEPT_MAX {
            pool.push(input);
        }
    }
    let outcomes = runner.outcomes.len();
    println!(
        "{}: {known} outcomes of the corpus, {outcomes} with {cases} inputs of seed {seed}",
        target.name
    );
}

struct Runner<'t, W> {
    target: &'t Target,
    world: W,
    tried: usize,
    outcomes: BTreeSet<String>,
    seed: u64,
}

impl<'t, W: World> Runner<'t, W> {
    fn new(target: &'t Target, seed: u64) -> Self {
        Self {
            target,
            world: W::build(),
            tried: 0,
            outcomes: BTreeSet::new(),
            seed,
        }
    }

    /// Whether the outcome of an input is one that was not seen before.
    fn check(&mut self, input: &[u8], what: &str) -> bool {
        if self.tried >= INPUTS_OF_A_WORLD {
            self.world = W::build();
            self.tried = 0;
        }
        self.tried += 1;
        let began = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| self.world.check(input))) {
            Ok(outcome) => {
                let took = began.elapsed();
                if took > TIME_MAX {
                    self.fail(input, what, &format!("it took {took:?}"));
                }
                self.outcomes.insert(outcome)
            }
            Err(panicked) => {
                let small = smaller::<W>(input);
                self.fail(&small, what, &panicked::words(&*panicked))
            }
        }
    }

    fn fail(&self, input: &[u8], what: &str, why: &str) -> ! {
        let name = self.target.name;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz-failures");
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(format!("{name}-{}-{}", self.seed, self.tried));
        fs::write(&path, input).expect("a file");
        let test = name.replace('-', "_");
        panic!(
            "{what}: {why}\n{}\nAgain: PURSER_FUZZ_INPUT={} \
             cargo test -p purser-tests --test fuzz_targets {test}",
            String::from_utf8_lossy(input),
            path.display()
        );
    }
}

/// The input without what is not needed to fail, as far as few tries find that out.
fn smaller<W: World>(input: &[u8]) -> Vec<u8> {
    let fails = |input: &[u8]| catch_unwind(|| drop(W::build().check(input))).is_err();
    let mut small = input.to_vec();
    let mut tries = 0;
    let mut length = small.len() / 2;
    while length > 0 && tries < SHRINKS_MAX {
        let mut at = 0;
        while at < small.len() && tries < SHRINKS_MAX {
            let mut shorter = small.clone();
            shorter.drain(at..(at + length).min(small.len()));
            tries += 1;
            if fails(&shorter) {
                small = shorter;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    small
}

/// A runtime whose time stands still unless somebody waits.
pub(crate) fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build();
    runtime.expect("a runtime")
}
