//! The product as it is: what is explored, and whether anything may be lost.

use super::{Errand, Fault, Lie, Rotation, Setting, Start, Variant, broken};

type Processes = &'static [&'static [Errand]];
type Faults = &'static [Fault];

pub(super) const ONE: Processes = &[&[Errand::Use]];
pub(super) const TWO: Processes = &[&[Errand::Use], &[Errand::Use]];
pub(super) const THREE: Processes = &[&[Errand::Use], &[Errand::Use], &[Errand::Use]];
const FOUR: Processes = &[
    &[Errand::Use],
    &[Errand::Use],
    &[Errand::Use],
    &[Errand::Use],
];
/// Two workers of one process beside another process.
const PAIR: Processes = &[&[Errand::Use, Errand::Use], &[Errand::Use]];
const RENEW: Processes = &[&[Errand::Renew], &[Errand::Renew], &[Errand::Use]];
const KEEP: Processes = &[&[Errand::KeepAlive], &[Errand::Use]];
const TWICE: Processes = &[&[Errand::UseTwice], &[Errand::UseTwice]];
const THRICE: Processes = &[
    &[Errand::UseTwice],
    &[Errand::UseTwice],
    &[Errand::UseTwice],
];
const CROWD: Processes = &[
    &[Errand::UseTwice, Errand::Renew],
    &[Errand::Use],
    &[Errand::KeepAlive],
    &[Errand::Renew],
    &[Errand::Use, Errand::Use],
];

pub(super) const DEATH: Faults = &[Fault::Death];
const UNASKED: Faults = &[Fault::RequestLost, Fault::Busy];
const UNANSWERED: Faults = &[Fault::AnswerLost, Fault::BusyDone];
const LATE: Faults = &[Fault::RequestLate];
pub(super) const REFUSED: Faults = &[Fault::RefusesAll];
const STORE: Faults = &[
    Fault::ReadFails,
    Fault::WriteFails,
    Fault::WriteUnanswered,
    Fault::StoreDown,
];
/// As long as a refresh is announced for, longer, and as long as whoever takes over then doubts.
pub(super) const SLEEPS: Faults = &[Fault::Sleeps(30), Fault::Sleeps(60), Fault::Sleeps(65)];
const SLEEPS_AFTER: Faults = &[Fault::SleepsAfter(30), Fault::SleepsAfter(60)];
const STALLS: Faults = &[Fault::Stalls];
const ANY: Faults = &[
    Fault::Death,
    Fault::RequestLost,
    Fault::Busy,
    Fault::AnswerLost,
    Fault::BusyDone,
    Fault::RefusesAll,
    Fault::ReadFails,
    Fault::WriteFails,
    Fault::WriteUnanswered,
    Fault::StoreDown,
    Fault::Sleeps(30),
    Fault::Sleeps(60),
    Fault::Sleeps(65),
    Fault::SleepsAfter(30),
    Fault::SleepsAfter(60),
];
const SOME: Faults = &[
    Fault::Death,
    Fault::AnswerLost,
    Fault::WriteFails,
    Fault::WriteUnanswered,
    Fault::Sleeps(30),
    Fault::SleepsAfter(60),
];
/// All that may come in any number: a token that is refused twice, minutes apart, is given up.
const MANY: Faults = &[
    Fault::Death,
    Fault::RequestLost,
    Fault::RequestLate,
    Fault::Busy,
    Fault::AnswerLost,
    Fault::BusyDone,
    Fault::ReadFails,
    Fault::WriteFails,
    Fault::WriteUnanswered,
    Fault::StoreDown,
    Fault::Sleeps(30),
    Fault::SleepsAfter(60),
];
const MANY_AWAKE: Faults = &[
    Fault::Death,
    Fault::RequestLost,
    Fault::RequestLate,
    Fault::Busy,
    Fault::AnswerLost,
    Fault::BusyDone,
    Fault::ReadFails,
    Fault::WriteFails,
    Fault::WriteUnanswered,
    Fault::StoreDown,
];

const STRICT: Rotation = Rotation::Strict;
const GRACE: Rotation = Rotation::Grace;

pub(super) const PLAIN: Setting = Setting {
    processes: THREE,
    start: Start::Expired,
    rotation: STRICT,
    faults: &[],
    faults_max: 1,
    comes_anew: true,
    lie: Lie::None,
    requests_max: 1,
    merges: true,
    states_max: 3_000_000,
};

pub(super) const fn variant(name: &'static str, setting: Setting) -> Variant {
    Variant {
        name,
        setting,
        breaks: None,
        loses: false,
    }
}

/// The product as it is.
pub fn full() -> Vec<Variant> {
    let mut variants = calm();
    variants.extend(one_fault());
    variants.extend(any_fault());
    variants
}

/// Nothing goes wrong: Intuit is asked once, whoever comes in whatever order.
fn calm() -> Vec<Variant> {
    let of = |name, rotation| variant(name, Setting { rotation, ..PLAIN });
    let among = |name, processes, start| {
        let setting = Setting {
            processes,
            start,
            ..PLAIN
        };
        variant(name, setting)
    };
    vec![
        of("strict", STRICT),
        of("strict, a dead token ends the grant", Rotation::Harsh),
        of("grace", GRACE),
        of("grace, an old token gives the newest", Rotation::Echo),
        of("the same value all day", Rotation::Same),
        among("strict, four processes", FOUR, Start::Expired),
        among("strict, two workers in a process", PAIR, Start::Expired),
        among("strict, token still valid", THRICE, Start::Early),
        among("strict, token refused", RENEW, Start::Valid),
        among("strict, idle for eight days", KEEP, Start::Idle),
    ]
}

/// One fault of a kind somewhere among three processes. Only with strict rotation may Intuit come to
/// know a token that nobody else does.
fn one_fault() -> Vec<Variant> {
    let of = |name, rotation, faults, requests_max, loses| {
        let setting = Setting {
            rotation,
            faults,
            requests_max,
            ..PLAIN
        };
        Variant {
            loses,
            ..variant(name, setting)
        }
    };
    vec![
        of("strict, a process dies", STRICT, DEATH, 5, true),
        of("strict, a request is lost", STRICT, UNASKED, 1, false),
        of("strict, an answer is lost", STRICT, UNANSWERED, 5, true),
        of("strict, a request comes late", STRICT, LATE, 5, true),
        of("strict, Intuit refuses all", STRICT, REFUSED, 4, false),
        of("strict, the store fails", STRICT, STORE, 2, false),
        of("strict, a call sleeps", STRICT, SLEEPS, 3, false),
        of("strict, an answer sleeps", STRICT, SLEEPS_AFTER, 3, false),
        of("grace, a process dies", GRACE, DEATH, 2, false),
        of("grace, a request is lost", GRACE, UNASKED, 1, false),
        of("grace, an answer is lost", GRACE, UNANSWERED, 2, false),
        of("grace, a request comes late", GRACE, LATE, 2, false),
        of("grace, Intuit refuses all", GRACE, REFUSED, 4, false),
        of("grace, the store fails", GRACE, STORE, 2, false),
        of("grace, a call sleeps", GRACE, SLEEPS, 2, false),
        of("grace, an answer sleeps", GRACE, SLEEPS_AFTER, 2, false),
    ]
}

/// Any fault, other errands and other beginnings; who is told to wait comes again as the same process.
fn any_fault() -> Vec<Variant> {
    let of = |name, rotation, processes, start| {
        let setting = Setting {
            rotation,
            processes,
            start,
            faults: ANY,
            requests_max: 6,
            comes_anew: false,
            ..PLAIN
        };
        let loses = matches!(rotation, Rotation::Strict | Rotation::Harsh);
        Variant {
            loses,
            ..variant(name, setting)
        }
    };
    let mut variants = vec![
        of(
            "strict, any, two workers in a process",
            STRICT,
            PAIR,
            Start::Expired,
        ),
        of(
            "strict, any, token still valid",
            STRICT,
            TWICE,
            Start::Early,
        ),
        of("grace, any, token still valid", GRACE, TWICE, Start::Early),
        of("grace, any, token refused", GRACE, RENEW, Start::Valid),
        of("grace, any, idle for eight days", GRACE, KEEP, Start::Idle),
        of("old gives newest, any", Rotation::Echo, TWO, Start::Expired),
        of("same value, any", Rotation::Same, TWO, Start::Expired),
        of(
            "dead token ends the grant, any",
            Rotation::Harsh,
            TWO,
            Start::Expired,
        ),
        of("strict, a call stalls", STRICT, TWO, Start::Expired),
        of("grace, a call stalls", GRACE, TWO, Start::Expired),
    ];
    variants[0].setting.faults = SOME;
    variants[8].setting.faults = STALLS;
    variants[8].loses = false;
    variants[9].setting.faults = STALLS;
    variants
}

/// Five processes with seven workers and up to three faults, for seeds.
pub fn crowds() -> Vec<Variant> {
    let of = |name, rotation, faults, loses| {
        let setting = Setting {
            rotation,
            processes: CROWD,
            faults,
            faults_max: 3,
            requests_max: 20,
            comes_anew: false,
            ..PLAIN
        };
        Variant {
            loses,
            ..variant(name, setting)
        }
    };
    vec![
        of("strict, a crowd", STRICT, MANY, true),
        of("same value, a crowd", Rotation::Same, MANY, false),
        // That two of them sleep over one token is among what goes beyond the promise.
        of("grace, a crowd awake", GRACE, MANY_AWAKE, false),
    ]
}

/// The variant of that name.
pub fn by_name(name: &str) -> Option<Variant> {
    let all = full().into_iter().chain(broken()).chain(crowds());
    all.into_iter().find(|variant| variant.name == name)
}
