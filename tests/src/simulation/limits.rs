//! The vendors' limits as the product promises to keep them, looked at where calls leave.
//!
//! QuickBooks takes 10 calls a second and 500 a minute for each company. Each process paces what it
//! does by itself in the background and what people wait for apart, so that it stays below both. Two
//! that work for one company at once, a worker and a sweep or a message that came twice, can be above
//! 10 in one second: that is not promised, and counted. A process that was told to slow down is quiet. Autotask takes three calls at once for each endpoint.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_mins(1);
/// What QuickBooks takes in a second and in a minute, from all processes together.
const VENDOR_SECOND: [(Duration, usize); 1] = [(Duration::from_secs(1), 10)];
const VENDOR_MINUTE: [(Duration, usize); 1] = [(MINUTE, 500)];
/// What one process sends: 6 and 350 in the background, 2 and 100 for people.
const PROCESS: [(Duration, usize); 2] = [(Duration::from_secs(1), 8), (MINUTE, 450)];
/// Calls that Autotask takes at once for one endpoint.
const THREADS: usize = 3;
/// How long QuickBooks wants to be left alone when it does not say how long.
const QUIET: Duration = Duration::from_mins(1);
/// How soon after a 429 it is to be noted.
const NOTED: Duration = Duration::from_secs(1);
/// The window in which Autotask counts calls.
const HOUR: Duration = Duration::from_hours(1);

/// Where calls go: a company of QuickBooks, or an endpoint of a database of Autotask.
pub(super) type Place = String;

/// The calls that leave, as they are counted.
#[derive(Debug, Default)]
pub(super) struct Limits {
    by_realm: BTreeMap<Place, VecDeque<Instant>>,
    by_process: BTreeMap<(Place, usize), VecDeque<Instant>>,
    /// When a life of a process was answered 429, and until when it is to be quiet.
    quiet: BTreeMap<(Place, usize), (Instant, Instant)>,
    /// When the clock of the process at a place was moved last.
    moved: BTreeMap<usize, Instant>,
    under_way: BTreeMap<(Place, usize), usize>,
    hours: BTreeMap<(Place, usize), VecDeque<Instant>>,
    /// How often all processes together made more than ten calls in a second.
    pub(super) crowded: u64,
    /// The most calls that were under way at once at one endpoint, from all processes.
    pub(super) threads_max: usize,
}

impl Limits {
    /// A process calls QuickBooks.
    pub(super) fn calls_books(
        &mut self,
        (realm, process): (&str, usize),
        now: Instant,
        is_for_person: bool,
    ) -> Vec<String> {
        let key = (realm.to_owned(), process);
        let quiet = self.quiet.get(&key).filter(|(_, until)| now < *until);
        let mut wrong = Vec::new();
        if let Some((_, until)) = quiet.filter(|_| !is_for_person) {
            let left = until.duration_since(now).as_secs();
            wrong.push(format!("QuickBooks was called {left} s too soon after 429"));
        }
        let own = self.by_process.entry(key).or_default();
        count(own, now, MINUTE);
        wrong.extend(over(own, now, PROCESS, "one process"));
        let all = self.by_realm.entry(realm.to_owned()).or_default();
        count(all, now, MINUTE);
        let crowded = over(all, now, VENDOR_SECOND, "all processes");
        self.crowded += crowded.len() as u64;
        wrong.extend(over(all, now, VENDOR_MINUTE, "all processes"));
        let is_recent = |at: &Instant| now - *at < QUIET;
        if self.moved.values().any(is_recent) {
            // Pace and quiet go by the clock: one that jumps forward ends them early, once.
            wrong.clear();
        }
        wrong
    }

    /// The clock of the process at a place is moved.
    pub(super) fn clock_moved(&mut self, place: usize, now: Instant) {
        self.moved.insert(place, now);
    }

    /// The store fails the process at a place: what it was about to note is forgotten.
    pub(super) fn store_failed(&mut self, place: usize, now: Instant) {
        let is_kept = |life: usize, at: Instant| life % 10 != place || now - at > NOTED;
        self.quiet.retain(|(_, life), (at, _)| is_kept(*life, *at));
    }

    /// QuickBooks has told a process to slow down.
    pub(super) fn throttled(
        &mut self,
        (realm, process): (&str, usize),
        now: Instant,
        wait: Option<Duration>,
    ) {
        let until = now + wait.unwrap_or(QUIET);
        let quiet = self.quiet.entry((realm.to_owned(), process));
        let (at, latest) = quiet.or_insert((now, until));
        (*at, *latest) = (now, until.max(*latest));
    }

    /// A process calls an endpoint of Autotask.
    pub(super) fn enters(&mut self, (endpoint, process): (&str, usize)) -> Vec<String> {
        let own = self.under_way.entry((endpoint.to_owned(), process));
        let own = own.or_default();
        *own += 1;
        let own = *own;
        let places = self.under_way.iter();
        let all = places.filter(|((place, _), _)| place == endpoint);
        self.threads_max = self.threads_max.max(all.map(|(_, calls)| calls).sum());
        let is_over = own > THREADS;
        let wrong = format!("one process made {own} calls at once to {endpoint}");
        is_over.then_some(wrong).into_iter().collect()
    }

    /// A call of Autotask is over.
    pub(super) fn leaves(&mut self, (endpoint, process): (&str, usize)) {
        let key = (endpoint.to_owned(), process);
        if let Some(calls) = self.under_way.get_mut(&key) {
            *calls = calls.saturating_sub(1);
        }
    }

    /// A life of a process calls a database whose hour it may use so much of.
    pub(super) fn uses_hour(
        &mut self,
        (database, life): (&str, usize),
        now: Instant,
        share: usize,
    ) -> Vec<String> {
        let own = self.hours.entry((database.to_owned(), life)).or_default();
        count(own, now, HOUR);
        over(own, now, [(HOUR, share)], "one process")
    }
}

/// Counts a call, and forgets those of long ago.
fn count(starts: &mut VecDeque<Instant>, now: Instant, longest: Duration) {
    starts.push_back(now);
    while starts.front().is_some_and(|at| now - *at >= longest) {
        starts.pop_front();
    }
}

/// Says which of these windows hold more than they may.
fn over<const N: usize>(
    starts: &VecDeque<Instant>,
    now: Instant,
    windows: [(Duration, usize); N],
    who: &str,
) -> Vec<String> {
    let recent = |window| {
        let recent = starts.iter().rev();
        recent.take_while(|at| now - **at < window).count()
    };
    let windows = windows.into_iter();
    let counted = windows.map(|(window, most)| (window, most, recent(window)));
    let over = counted.filter(|(_, most, calls)| calls > most);
    over.map(|(window, most, calls)| {
        let seconds = window.as_secs();
        format!("{who} made {calls} calls in {seconds} s, {most} at most are promised")
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ninth_call_of_a_process_in_one_second_is_noticed() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        for _ in 0..8 {
            assert_eq!(limits.calls_books(("1", 0), now, false), [""; 0]);
        }
        let wrong = limits.calls_books(("1", 0), now, false);
        assert!(wrong[0].contains("one process made 9 calls"), "{wrong:?}");
        let next = now + Duration::from_secs(1);
        assert_eq!(limits.calls_books(("1", 0), next, false), [""; 0]);
    }

    #[test]
    fn the_eleventh_call_of_all_processes_in_one_second_is_counted() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        for call in 0..10 {
            assert_eq!(limits.calls_books(("1", call % 2), now, false), [""; 0]);
        }
        assert_eq!(limits.calls_books(("2", 0), now, false), [""; 0]);
        assert_eq!(limits.crowded, 0);
        assert_eq!(limits.calls_books(("1", 0), now, false), [""; 0]);
        assert_eq!(limits.crowded, 1);
    }

    #[test]
    fn the_four_hundred_and_fifty_first_call_in_one_minute_is_noticed() {
        let (mut limits, mut now) = (Limits::default(), Instant::now());
        for _ in 0..450 {
            assert_eq!(limits.calls_books(("1", 0), now, false), [""; 0]);
            now += Duration::from_millis(130);
        }
        let wrong = limits.calls_books(("1", 0), now, false);
        assert!(wrong[0].contains("451 calls in 60 s"), "{wrong:?}");
    }

    #[test]
    fn the_five_hundred_and_first_call_of_all_processes_in_one_minute_is_noticed() {
        let (mut limits, mut now) = (Limits::default(), Instant::now());
        for call in 0..500 {
            assert_eq!(limits.calls_books(("1", call % 2), now, false), [""; 0]);
            now += Duration::from_millis(119);
        }
        let wrong = limits.calls_books(("1", 0), now, false);
        assert!(wrong[0].contains("all processes made 501"), "{wrong:?}");
    }

    #[test]
    fn a_call_after_429_is_noticed_until_the_wait_is_over() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        limits.throttled(("1", 0), now, None);
        limits.throttled(("1", 0), now, Some(Duration::from_secs(30)));
        let early = now + Duration::from_secs(59);
        let wrong = limits.calls_books(("1", 0), early, false);
        assert!(wrong[0].contains("1 s too soon"), "{wrong:?}");
        assert_eq!(limits.calls_books(("1", 0), early, true), [""; 0]);
        assert_eq!(limits.calls_books(("1", 1), early, false), [""; 0]);
        let over = now + QUIET;
        assert_eq!(limits.calls_books(("1", 0), over, false), [""; 0]);
    }

    #[test]
    fn what_the_store_forgot_is_not_asked_for_and_what_it_kept_is() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        for life in [10, 11] {
            limits.throttled(("1", life), now, None);
        }
        limits.store_failed(0, now);
        assert_eq!(limits.calls_books(("1", 10), now, false), [""; 0]);
        assert!(!limits.calls_books(("1", 11), now, false).is_empty());
        limits.store_failed(1, now + 2 * NOTED);
        assert!(!limits.calls_books(("1", 11), now, false).is_empty());
    }

    #[test]
    fn for_a_minute_after_a_clock_was_moved_the_pace_may_be_missed_and_then_not() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        limits.clock_moved(0, now);
        for _ in 0..12 {
            assert_eq!(limits.calls_books(("1", 0), now, false), [""; 0]);
        }
        let later = now + QUIET;
        for _ in 0..8 {
            assert_eq!(limits.calls_books(("1", 0), later, false), [""; 0]);
        }
        assert!(!limits.calls_books(("1", 0), later, false).is_empty());
    }

    #[test]
    fn a_fourth_call_at_once_is_noticed() {
        let mut limits = Limits::default();
        for _ in 0..3 {
            assert_eq!(limits.enters(("Products", 0)), [""; 0]);
        }
        assert_eq!(limits.enters(("Products", 1)), [""; 0]);
        assert_eq!(limits.threads_max, 4);
        let wrong = limits.enters(("Products", 0));
        assert!(wrong[0].contains("4 calls at once"), "{wrong:?}");
        limits.leaves(("Products", 0));
        limits.leaves(("Products", 0));
        assert_eq!(limits.enters(("Products", 0)), [""; 0]);
    }

    #[test]
    fn more_than_the_share_of_an_hour_is_noticed() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        assert_eq!(limits.uses_hour(("a", 0), now, 1), [""; 0]);
        assert_eq!(limits.uses_hour(("a", 1), now, 1), [""; 0]);
        let wrong = limits.uses_hour(("a", 0), now, 1);
        assert!(wrong[0].contains("2 calls in 3600 s"), "{wrong:?}");
        assert_eq!(limits.uses_hour(("a", 0), now + HOUR, 1), [""; 0]);
    }
}
