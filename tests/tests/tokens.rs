//! Processes that reach for one refresh token, in short: two or three of them, in every order where
//! nothing goes wrong, in many where something does. The gate walks all of it.

use purser_tests::interleave::{Report, Variant, broken, crowds, explore, full, sample, tell};

/// As many states as are walked here where something goes wrong.
const STATES: usize = 300;
const SEEDS: u64 = 60;

fn described(variant: &Variant, schedule: &[usize]) -> String {
    let told = tell(&variant.setting, schedule).unwrap_or_default();
    format!("{}:\n{}", variant.name, told.join("\n"))
}

#[test]
fn in_every_order_without_a_fault_intuit_is_asked_once_and_everybody_is_served() {
    let calm = |variant: &Variant| variant.setting.faults.is_empty();
    let variants: Vec<Variant> = full().into_iter().filter(calm).collect();
    assert!(variants.len() >= 10);
    for variant in variants {
        let report = explore(&variant);
        let bad = report.broken.values().chain(&report.lost).next();
        let told = bad.map(|schedule| described(&variant, schedule));
        assert_eq!(told, None);
        assert!(report.is_complete, "{}", variant.name);
        assert_eq!(report.requests, 1, "{}", variant.name);
    }
}

#[test]
fn states_that_pass_for_one_have_the_same_histories() {
    let is_small = |variant: &Variant| {
        let names = ["strict, token refused", "a call sleeps for ten minutes"];
        names.contains(&variant.name)
    };
    let small: Vec<Variant> = full()
        .into_iter()
        .chain(broken())
        .filter(is_small)
        .collect();
    assert_eq!(small.len(), 2);
    for mut variant in small {
        variant.breaks = None;
        let merged = explore(&variant);
        variant.setting.merges = false;
        let plain = explore(&variant);
        let found = |report: Report| (report.states, report.histories, report.requests);
        assert_eq!(found(merged), found(plain), "{}", variant.name);
    }
}

#[test]
fn whatever_goes_wrong_once_nothing_is_lost_that_could_be_kept() {
    for mut variant in full() {
        variant.setting.states_max = STATES;
        let report = explore(&variant);
        let bad = report.broken.values().next();
        let told = bad.map(|schedule| described(&variant, schedule));
        assert_eq!(told, None);
        assert!(variant.loses || report.lost.is_none(), "{}", variant.name);
    }
}

#[test]
fn a_crowd_with_three_faults_loses_nothing_that_could_be_kept() {
    for variant in crowds() {
        for seed in 0..SEEDS {
            let history = sample(&variant.setting, seed);
            let is_well = history.broken.is_none() && (variant.loses || !history.is_lost);
            assert!(is_well, "{}", described(&variant, &history.schedule));
        }
    }
}

#[test]
fn a_token_that_intuit_alone_knows_is_lost_and_the_connection_marked() {
    let strict = full()
        .into_iter()
        .find(|variant| variant.name == "strict, a process dies");
    let variant = strict.expect("a variant");
    let report = explore(&variant);
    assert!(report.broken.is_empty(), "{report:?}");
    let schedule = report.lost.expect("a process that died with the answer");
    let told = tell(&variant.setting, &schedule).expect("a schedule");
    assert_eq!(told.last().unwrap(), "a person must connect again");
}

#[test]
fn a_walk_that_was_cut_short_is_not_taken_for_the_whole() {
    let mut variant = full().remove(0);
    assert!(variant.is_well(&explore(&variant)));
    variant.setting.states_max = 100;
    assert!(!variant.is_well(&explore(&variant)));
}

#[test]
fn what_is_broken_on_purpose_is_found() {
    for variant in broken() {
        let report = explore(&variant);
        assert!(variant.is_well(&report), "{}: {report:?}", variant.name);
        for (property, schedule) in &report.broken {
            let told = tell(&variant.setting, schedule).expect("a schedule");
            let last = told.last().unwrap();
            assert_eq!(
                last,
                &format!("{property:?} does not hold"),
                "{}",
                variant.name
            );
        }
    }
}
