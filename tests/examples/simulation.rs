//! Lives histories, one for each seed, and tells which of them went wrong and how.
//!
//! ```sh
//! simulation 10000            # seeds 0 to 9999, in memory
//! simulation 10000 500000     # 10,000 seeds from 500,000 on
//! simulation --sqlite 1000    # on SQLite
//! simulation --seed 4711      # one seed, with what was planned for it and every call until it is calm
//! simulation --beyond 1000    # QuickBooks slower than promised: bills that are too many are told of
//! simulation --no-lookup 500  # without a guard of the protocol: some histories must go wrong
//! ```

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use purser_core::{policy::Guards, protocol::is_legal, record::StateName};
use purser_sqlite::SqliteStore;
use purser_tests::{
    memory::MemoryStore,
    panicked, replay,
    simulation::{History, Plan, Trial, live, take_away},
};

/// Histories are made of many small pieces: this saves a quarter of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Seeds that went wrong are named up to so many.
const NAMED_MAX: usize = 20;

/// What is asked for.
struct Wish {
    on_sqlite: bool,
    shows_plan: bool,
    is_beyond: bool,
    guards: Guards,
    seeds: std::ops::Range<u64>,
}

fn wish() -> Option<Wish> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let flags: BTreeSet<_> = words.iter().filter(|word| word.starts_with("--")).collect();
    let numbers = words.iter().filter(|word| !word.starts_with("--"));
    let numbers: Vec<u64> = numbers
        .map(|word| word.parse().ok())
        .collect::<Option<_>>()?;
    let has = |flag: &str| flags.iter().any(|known| *known == flag);
    let (first, count) = match (numbers.as_slice(), has("--seed")) {
        ([seed], true) => (*seed, 1),
        ([count], false) => (0, *count),
        ([count, first], false) => (*first, *count),
        _ => return None,
    };
    let mut guards = Guards::ALL;
    for flag in &flags {
        let is_known = match flag.strip_prefix("--no-") {
            Some(guard) => take_away(&mut guards, guard),
            None => ["--sqlite", "--beyond", "--seed"].contains(&flag.as_str()),
        };
        if !is_known {
            return None;
        }
    }
    if count == 0 {
        return None;
    }
    Some(Wish {
        on_sqlite: has("--sqlite"),
        shows_plan: has("--seed"),
        is_beyond: has("--beyond"),
        guards,
        seeds: first..first + count,
    })
}

impl Wish {
    fn plan(&self, seed: u64) -> Plan {
        let plan = if self.is_beyond {
            Plan::beyond(seed)
        } else {
            Plan::of(seed)
        };
        Plan {
            guards: self.guards,
            trial: Trial {
                is_told: self.shows_plan,
                ..Trial::default()
            },
            ..plan
        }
    }
}

/// What all histories of a thread came to.
#[derive(Default)]
struct Sum {
    histories: u64,
    points: u64,
    met: u64,
    hands: u64,
    longest: u64,
    several: u64,
    threads: usize,
    unknown: u64,
    outlasted: u64,
    crowded: u64,
    reconnected: u64,
    doubles: usize,
    ends: BTreeMap<StateName, u64>,
    transitions: BTreeSet<(StateName, StateName)>,
    wrong: Vec<(u64, Vec<String>)>,
    told: Vec<String>,
}

impl Sum {
    fn add(&mut self, seed: u64, history: History) {
        self.histories += 1;
        self.points += history.points;
        self.met += history.met;
        self.hands += history.hands;
        self.longest = self.longest.max(history.minutes);
        self.several += u64::from(history.companies > 1);
        self.threads = self.threads.max(history.threads);
        self.unknown += history.unknown;
        self.outlasted += u64::from(history.outlasted);
        self.doubles += history.doubles;
        self.crowded += u64::from(history.crowded > 0);
        self.reconnected += history.reconnected;
        for end in history.ends {
            *self.ends.entry(end).or_default() += 1;
        }
        self.transitions.extend(history.transitions);
        self.told.extend(history.told);
        if !history.violations.is_empty() {
            self.wrong.push((seed, history.violations));
        }
    }

    fn join(mut self, other: Self) -> Self {
        self.histories += other.histories;
        self.points += other.points;
        self.met += other.met;
        self.hands += other.hands;
        self.longest = self.longest.max(other.longest);
        self.several += other.several;
        self.threads = self.threads.max(other.threads);
        self.unknown += other.unknown;
        self.outlasted += other.outlasted;
        self.doubles += other.doubles;
        self.crowded += other.crowded;
        self.reconnected += other.reconnected;
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        self.transitions.extend(other.transitions);
        self.wrong.extend(other.wrong);
        self.told.extend(other.told);
        self
    }
}

/// One history on a runtime of its own, so that nothing is left of it.
fn one(seed: u64, wish: &Wish) -> History {
    let lived = catch_unwind(AssertUnwindSafe(|| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build();
        let plan = wish.plan(seed);
        let runtime = runtime.expect("a runtime");
        if wish.on_sqlite {
            runtime.block_on(live::<SqliteStore>(plan))
        } else {
            runtime.block_on(live::<MemoryStore>(plan))
        }
    }));
    lived.unwrap_or_else(|panic| {
        let why = panicked::words(&*panic);
        History {
            violations: vec![format!("panic: {why}")],
            ..History::default()
        }
    })
}

fn all(wish: &Wish) -> Sum {
    let next = AtomicU64::new(wish.seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || {
            let mut sum = Sum::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= wish.seeds.end {
                    return sum;
                }
                sum.add(seed, one(seed, wish));
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let sums = threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread"));
        sums.fold(Sum::default(), Sum::join)
    })
}

/// Legal, and taken by no history: a record that needs a person and names neither bill nor intent is
/// read, but nothing writes one.
const NOT_WRITTEN: (StateName, StateName) = (StateName::NeedsPerson, StateName::Queued);
/// From so many histories on every legal transition must have been taken.
const TAKEN_BY: u64 = 3_000;

/// From so many histories beyond the bounds on, one at least must have made a second bill.
const DOUBLES_BY: u64 = 100;

/// An older process that receives each message first, 16 times in a row, is rarer than that. More often, and
/// the two versions are in each other's way.
const OUTLASTED_ONE_IN: u64 = 20_000;

/// The legal transitions that no history took.
fn never_taken(sum: &Sum) -> Vec<(StateName, StateName)> {
    let pairs = StateName::ALL
        .into_iter()
        .flat_map(|from| StateName::ALL.map(|to| (from, to)));
    pairs
        .filter(|(from, to)| is_legal(*from, *to) && (*from, *to) != NOT_WRITTEN)
        .filter(|pair| !sum.transitions.contains(pair))
        .collect()
}

fn main() -> ExitCode {
    let Some(wish) = wish() else {
        println!("simulation [--sqlite] [--beyond] [--no-GUARD] COUNT [FIRST]");
        println!("simulation [--sqlite] [--beyond] [--no-GUARD] --seed SEED");
        return ExitCode::from(2);
    };
    if wish.shows_plan {
        println!("{:#?}", wish.plan(wish.seeds.start));
    }
    let began = Instant::now();
    let sum = all(&wish);
    let seconds = began.elapsed().as_secs_f64();
    let store = if wish.on_sqlite { "SQLite" } else { "memory" };
    for call in &sum.told {
        println!("{call}");
    }
    println!(
        "{} histories on {store} in {seconds:.0} s: {} calls, {} disturbances, {} acts of people, \
         at the end after {} minutes at the latest",
        sum.histories, sum.points, sum.met, sum.hands, sum.longest
    );
    println!(
        "{} of them with three companies; at most {} calls at once at one endpoint of Autotask; \
         {} times something of a newer version was met, and in {} the older one had to go; \
         in {} two processes together made more than 10 calls in a second to QuickBooks; \
         {} times people had to connect again",
        sum.several, sum.threads, sum.unknown, sum.outlasted, sum.crowded, sum.reconnected
    );
    println!("ends: {:?}", sum.ends);
    if wish.is_beyond {
        println!("{} orders had a second bill", sum.doubles);
    }
    let never_taken = never_taken(&sum);
    let taken = sum.transitions.len();
    println!("legal transitions taken: {taken}, never taken: {never_taken:?}");
    let is_gap = if wish.is_beyond {
        sum.histories >= DOUBLES_BY && sum.doubles == 0
    } else {
        sum.histories >= TAKEN_BY && !never_taken.is_empty()
    };
    let is_in_the_way = sum.outlasted > 1 + sum.histories / OUTLASTED_ONE_IN;
    if is_in_the_way {
        println!("too often the older process had to go");
    }
    println!("{} histories went wrong", sum.wrong.len());
    let mut wrong = sum.wrong;
    wrong.sort();
    for (seed, violations) in wrong.iter().take(NAMED_MAX) {
        println!("{} --seed {seed}", replay::program());
        for violation in violations {
            println!("    {violation}");
        }
    }
    ExitCode::from(u8::from(is_gap || is_in_the_way || !wrong.is_empty()))
}
