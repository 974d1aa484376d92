//! Lives one history for each kind of trouble at each call of the life of one order, and tells which of
//! them went wrong and how.
//!
//! ```sh
//! exhaustive                              # every life, every call, every kind of trouble
//! exhaustive known ignored                # one life
//! exhaustive known ignored 97 cut-after   # one history; which calls there are is up to the product
//! exhaustive known ignored 97 cut-after 100 dies-before   # one with two kinds of trouble
//! exhaustive pairs                        # two kinds of trouble, one after the other: all pairs
//! exhaustive pairs 1000                   # so many of them, spread over all
//! exhaustive pairs 5000..6000             # those with these numbers: all of them, a piece at a time
//! exhaustive --no-lookup known            # without a guard: some histories must go wrong
//! ```

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{
    collections::BTreeSet,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use purser_core::policy::Guards;
use purser_tests::{
    memory::MemoryStore,
    panicked, replay,
    simulation::{Call, Fault, History, Kind, Life, Plan, Point, Shape, live, take_away},
};

/// Histories are made of many small pieces: this saves a quarter of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Histories that went wrong are named up to so many.
const NAMED_MAX: usize = 20;
/// So many calls of different names has the life of an order of any shape at least.
const LABELS_MIN: usize = 21;
/// So much of the matrix is there at least.
const TRIED_MIN: usize = 502;
/// The shape of order that is tried with pairs: the one with the most calls.
const OF_PAIRS: &str = "new";

/// What is tried at one call.
#[derive(Clone)]
struct Trouble {
    call: Call,
    kind: Kind,
}

/// One history.
struct Case {
    life: Life,
    first: Trouble,
    then: Option<Trouble>,
}

impl Case {
    fn plan(&self, guards: Guards) -> Plan {
        let first = (&self.first.call, &self.first.kind);
        match &self.then {
            None => self.life.trying(guards, first.0, first.1),
            Some(then) => self
                .life
                .trying_pair(guards, first, (&then.call, &then.kind)),
        }
    }

    /// The command that lives it again, with the guards that were taken away.
    fn command(&self) -> String {
        let (shape, mode) = self.life.names();
        let words = |it: &Trouble| format!(" {} {}", it.call.point, it.kind.name);
        let (first, then) = (words(&self.first), self.then.as_ref().map(words));
        format!(
            "{} {shape} {mode}{first}{}",
            replay::program(),
            then.unwrap_or_default()
        )
    }
}

/// One history on a runtime of its own, so that nothing is left of it.
fn one(plan: Plan) -> History {
    let lived = catch_unwind(AssertUnwindSafe(|| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build();
        runtime
            .expect("a runtime")
            .block_on(live::<MemoryStore>(plan))
    }));
    lived.unwrap_or_else(|panic| History {
        violations: vec![format!("panic: {}", panicked::words(&*panic))],
        ..History::default()
    })
}

/// The calls of a life at which something is to be tried.
fn calls_of(life: Life, guards: Guards) -> Vec<Call> {
    life.calls(&one(life.plan(guards)))
}

fn troubles(calls: &[Call]) -> Vec<Trouble> {
    let all = calls.iter().flat_map(|call| {
        let with = |kind| Trouble {
            call: call.clone(),
            kind,
        };
        Kind::of(call).into_iter().map(with)
    });
    all.collect()
}

fn singles(lives: &[Life], guards: Guards) -> Vec<Case> {
    let cases = lives.iter().flat_map(|life| {
        let troubles = troubles(&calls_of(*life, guards)).into_iter();
        troubles.map(|first| Case {
            life: *life,
            first,
            then: None,
        })
    });
    cases.collect()
}

/// Which pairs are wanted.
enum Wanted {
    /// So many, spread over all.
    Spread(usize),
    /// Those with these numbers.
    Numbers(Range<usize>),
}

impl Wanted {
    fn read(word: &str) -> Option<Self> {
        Some(match word.split_once("..") {
            Some((from, to)) => Self::Numbers(from.parse().ok()?..to.parse().ok()?),
            None if word == "all" => Self::Spread(usize::MAX),
            None => Self::Spread(word.parse().ok()?),
        })
    }
}

/// Pairs of what can happen at the first call of each name, each with the next worth of request ids.
/// Answers how many there are, and those that are wanted.
fn pairs(wanted: &Wanted, guards: Guards) -> (usize, Vec<Case>) {
    let lives: Vec<_> = ["honoured", "racy", "ignored"]
        .iter()
        .filter_map(|mode| Life::named(OF_PAIRS, mode))
        .collect();
    let mut calls = calls_of(lives[0], guards);
    let mut known = BTreeSet::new();
    calls.retain(|call| known.insert(call.label.clone()));
    let troubles = troubles(&calls);
    let all = troubles.len() * troubles.len();
    let (numbers, count) = match wanted {
        Wanted::Spread(most) => (0..all.min(*most), all.min(*most)),
        Wanted::Numbers(numbers) => (numbers.start.min(all)..numbers.end.min(all), all),
    };
    let cases = numbers.map(|number| {
        let place = number * all / count;
        Case {
            life: lives[number % lives.len()],
            first: troubles[place / troubles.len()].clone(),
            then: Some(troubles[place % troubles.len()].clone()),
        }
    });
    (all, cases.collect())
}

/// What all histories came to.
#[derive(Default)]
struct Sum {
    points: u64,
    reconnected: u64,
    /// Those in which the second of two kinds of trouble met a call.
    met_both: usize,
    wrong: Vec<(usize, Vec<String>)>,
}

impl Sum {
    fn add(&mut self, place: usize, case: &Case, mut history: History) {
        self.points += history.points;
        self.reconnected += history.reconnected;
        let is_met = |step| history.tried.iter().any(|(met, _)| *met == step);
        self.met_both += usize::from(case.then.is_some() && history.tried.len() > 1);
        if !is_met(0) {
            let what = "what was to be tried met no call".to_owned();
            history.violations.push(what);
        }
        if !history.violations.is_empty() {
            self.wrong.push((place, history.violations));
        }
    }

    fn join(mut self, other: Self) -> Self {
        self.points += other.points;
        self.reconnected += other.reconnected;
        self.met_both += other.met_both;
        self.wrong.extend(other.wrong);
        self
    }
}

fn all(cases: &[Case], guards: Guards) -> Sum {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || {
            let mut sum = Sum::default();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(case) = cases.get(place) else {
                    return sum;
                };
                sum.add(place, case, one(case.plan(guards)));
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let sums = threads.into_iter().map(|it| it.join().expect("a thread"));
        sums.fold(Sum::default(), Sum::join)
    })
}

/// How much of the matrix the cases are. Answers whether something is missing of it.
fn tell_matrix(cases: &[Case]) -> bool {
    let shapes = [Shape::Known, Shape::New, Shape::Refused];
    let mut is_missing = false;
    let mut tried = 0;
    for point in Point::ALL {
        let counts = shapes.map(|shape| {
            let here: Vec<_> = cases
                .iter()
                .filter(|case| case.life.shape == shape && point.has(&case.first.call))
                .collect();
            let is_tried = |fault: &&Fault| here.iter().any(|case| fault.is(&case.first.kind));
            let faults = Fault::ALL.iter().filter(is_tried).count();
            (faults, here.len())
        });
        tried += counts.iter().map(|(faults, _)| faults).sum::<usize>();
        is_missing |= counts.iter().all(|(faults, _)| *faults == 0);
        let counts =
            counts.map(|(faults, histories)| format!("{faults:>2} of 13 ({histories:>4})"));
        println!("    {:<38}{}", point.name, counts.join("  "));
    }
    println!(
        "{tried} of 819 are there: 21 points, 13 faults, 3 shapes; not every shape comes to every point, \
         a store says neither 429 nor 500, 504, 401 or 403, and what becomes of a 401 of Autotask, which a \
         person must mend each time, is looked at in the suite `faults`"
    );
    is_missing || tried < TRIED_MIN
}

/// What is tried in each life. Answers whether a shape has too few calls.
fn tell_lives(lives: &[Life], cases: &[Case]) -> bool {
    let mut is_missing = false;
    for life in lives {
        let of_life = cases.iter().filter(|case| case.life == *life);
        let of_life: Vec<_> = of_life.collect();
        let calls: BTreeSet<_> = of_life.iter().map(|case| case.first.call.point).collect();
        let labels: BTreeSet<_> = of_life.iter().map(|it| &it.first.call.label).collect();
        let ((shape, mode), histories) = (life.names(), of_life.len());
        let (calls, labels) = (calls.len(), labels.len());
        println!(
            "    {shape:<18}{mode:<10}{calls:>4} calls of {labels:>2} names, {histories:>5} histories"
        );
        is_missing |= life.is_plain() && labels < LABELS_MIN;
    }
    is_missing
}

fn tell_wrong(cases: &[Case], mut wrong: Vec<(usize, Vec<String>)>) {
    println!("{} histories went wrong", wrong.len());
    wrong.sort();
    for (place, violations) in wrong.iter().take(NAMED_MAX) {
        println!("{}", cases[*place].command());
        println!("    at {}", cases[*place].first.call.label);
        for violation in violations {
            println!("    {violation}");
        }
    }
}

/// One life or all of them.
fn try_singles(lives: &[Life], guards: Guards) -> ExitCode {
    let began = Instant::now();
    let cases = singles(lives, guards);
    let sum = all(&cases, guards);
    let kinds: BTreeSet<_> = cases.iter().map(|case| case.first.kind.name).collect();
    let labels: BTreeSet<_> = cases.iter().map(|case| &case.first.call.label).collect();
    let twice = cases.iter();
    let twice = twice.filter(|case| case.first.kind.name.starts_with("twice"));
    println!(
        "{} histories in {:.0} s, {} calls: one of {} kinds of trouble at each call, of {} names; in {} of \
         them what was being worked on was delivered twice; {} times a company had to be connected again",
        cases.len(),
        began.elapsed().as_secs_f64(),
        sum.points,
        kinds.len(),
        labels.len(),
        twice.count(),
        sum.reconnected
    );
    let mut is_missing = tell_lives(lives, &cases);
    if lives.len() == Life::all().len() {
        println!("    {:<38}known            new              refused", "");
        is_missing |= tell_matrix(&cases);
    }
    let is_wrong = !sum.wrong.is_empty();
    tell_wrong(&cases, sum.wrong);
    ExitCode::from(u8::from(is_missing || is_wrong))
}

fn try_pairs(wanted: &Wanted, guards: Guards) -> ExitCode {
    let began = Instant::now();
    let (there, cases) = pairs(wanted, guards);
    let sum = all(&cases, guards);
    println!(
        "{} of {there} pairs in {:.0} s, {} calls: in {} the second trouble met its call, too; {} times a \
         company had to be connected again",
        cases.len(),
        began.elapsed().as_secs_f64(),
        sum.points,
        sum.met_both,
        sum.reconnected
    );
    let is_wrong = !sum.wrong.is_empty();
    tell_wrong(&cases, sum.wrong);
    ExitCode::from(u8::from(is_wrong))
}

/// One history, with what was tried in it.
fn try_one(life: Life, words: &[&str], guards: Guards) -> Option<ExitCode> {
    let calls = one(life.plan(guards)).calls;
    let find = |point: &str, kind: &str| {
        let point: u64 = point.parse().ok()?;
        let call = calls.iter().find(|call| call.point == point)?.clone();
        let kind = Kind::of(&call).into_iter().find(|it| it.name == kind)?;
        Some(Trouble { call, kind })
    };
    let (first, then) = match *words {
        [point, kind] => (find(point, kind)?, None),
        [point, kind, second, other] => (find(point, kind)?, Some(find(second, other)?)),
        _ => return None,
    };
    let case = Case { life, first, then };
    let history = one(case.plan(guards));
    println!("{} calls, ends {:?}", history.points, history.ends);
    let mut sum = Sum::default();
    sum.add(0, &case, history);
    let is_wrong = !sum.wrong.is_empty();
    tell_wrong(&[case], sum.wrong);
    Some(ExitCode::from(u8::from(is_wrong)))
}

fn run(words: &[&str], guards: Guards) -> Option<ExitCode> {
    let code = match *words {
        [] => try_singles(&Life::all(), guards),
        ["pairs"] => try_pairs(&Wanted::Spread(usize::MAX), guards),
        ["pairs", wanted] => try_pairs(&Wanted::read(wanted)?, guards),
        [shape] => {
            let mut lives = Life::all();
            lives.retain(|life| life.names().0 == shape);
            if lives.is_empty() {
                return None;
            }
            try_singles(&lives, guards)
        }
        [shape, mode] => try_singles(&[Life::named(shape, mode)?], guards),
        [shape, mode, ..] => return try_one(Life::named(shape, mode)?, &words[2..], guards),
    };
    Some(code)
}

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let mut guards = Guards::ALL;
    let mut wishes = Vec::new();
    for word in &words {
        match word.strip_prefix("--no-") {
            Some(guard) if take_away(&mut guards, guard) => {}
            Some(_) => wishes.push(""),
            None => wishes.push(word),
        }
    }
    run(&wishes, guards).unwrap_or_else(|| {
        println!("exhaustive [--no-GUARD] [SHAPE [MODE [POINT KIND [POINT KIND]]]]");
        println!("exhaustive [--no-GUARD] pairs [COUNT | FROM..TO]");
        ExitCode::from(2)
    })
}
