//! What is broken on purpose, and what that must break.

use super::{
    Fault, Lie, Property, Rotation, Setting, Start, Variant,
    variants::{DEATH, ONE, PLAIN, REFUSED, SLEEPS, THREE, TWO, variant},
};

const NONE: &[Fault] = &[];

/// Something is broken on purpose, and what that must break.
pub fn broken() -> Vec<Variant> {
    let mut variants = lies();
    variants.extend(beyond());
    variants
}

fn lie(
    name: &'static str,
    lie: Lie,
    faults: &'static [Fault],
    breaks: impl Into<Option<Property>>,
) -> Variant {
    let setting = Setting {
        processes: TWO,
        lie,
        faults,
        requests_max: if faults.is_empty() { 1 } else { 5 },
        comes_anew: false,
        ..PLAIN
    };
    Variant {
        breaks: breaks.into(),
        ..variant(name, setting)
    }
}

fn lies() -> Vec<Variant> {
    use Property::{
        Ends, FewRequests, NoFalseDisconnect, NothingLost, NothingStale, Served, StoredFirst,
    };
    let mut stays = lie(
        "no second look, harsh",
        Lie::NoSecondLook,
        NONE,
        NothingLost,
    );
    stays.setting.rotation = Rotation::Harsh;
    stays.setting.requests_max = 2;
    // Two processes without announcements write over each other's for a while; this is enough.
    let mut silent = lie("no announcement", Lie::NoAnnouncement, NONE, FewRequests);
    silent.setting.states_max = 5_000;
    let mut alone = lie(
        "endless announcement, alone",
        Lie::EndlessAnnouncement,
        DEATH,
        Ends,
    );
    alone.setting.processes = ONE;
    let mut behind = lie(
        "stored after use, and it dies",
        Lie::WriteBehind,
        DEATH,
        NothingLost,
    );
    behind.setting.processes = ONE;
    let mut single = lie(
        "no previous token",
        Lie::NoPrevious,
        SLEEPS,
        NoFalseDisconnect,
    );
    single.setting.rotation = Rotation::Grace;
    vec![
        lie("no compare-and-set", Lie::NoCompare, NONE, NothingStale),
        silent,
        lie("no second look", Lie::NoSecondLook, NONE, FewRequests),
        stays,
        lie(
            "endless announcement",
            Lie::EndlessAnnouncement,
            DEATH,
            Served,
        ),
        alone,
        lie("stored after use", Lie::WriteBehind, NONE, StoredFirst),
        behind,
        single,
        lie(
            "no wait, no confirmation",
            Lie::NoDoubt,
            SLEEPS,
            NoFalseDisconnect,
        ),
        lie(
            "no confirmation",
            Lie::NoConfirmation,
            REFUSED,
            NoFalseDisconnect,
        ),
        // Whoever sleeps for a minute is back before the confirmation, so the wait is a second lock.
        lie("no wait", Lie::NoWait, SLEEPS, None),
    ]
}

/// What goes beyond the promise.
fn beyond() -> Vec<Variant> {
    let of = |name, processes, start, faults: &'static [Fault]| {
        let setting = Setting {
            processes,
            start,
            faults,
            requests_max: 5,
            comes_anew: false,
            ..PLAIN
        };
        Variant {
            breaks: Some(Property::NoFalseDisconnect),
            ..variant(name, setting)
        }
    };
    // One token is used three times, and of three answers the grant has room for two. Where the last
    // one was the third, the connection lives for a day only.
    let mut three = of(
        "two calls sleep over one token",
        THREE,
        Start::Expired,
        &[Fault::Sleeps(60)],
    );
    three.setting.rotation = Rotation::Grace;
    three.setting.faults_max = 2;
    vec![
        three,
        of(
            "a call sleeps for ten minutes",
            TWO,
            Start::Expired,
            &[Fault::Sleeps(600)],
        ),
        of(
            "store down for long, process not asked again",
            ONE,
            Start::Early,
            &[Fault::StoreDown],
        ),
    ]
}
