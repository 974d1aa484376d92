//! The model of one order in short: what the long walk of the gate shows, as far as a build for tests
//! gets in seconds.

use purser_tests::model::{explore, full, without_one};

/// As many states as are walked here; the gate walks all of them.
const STATES: usize = 6_000;

#[test]
fn with_all_guards_no_state_breaks_a_property() {
    for mut variant in full() {
        variant.setting.states_max = STATES;
        let report = explore(&variant, 20);
        assert!(report.states >= STATES, "{}: {report:?}", variant.name);
        assert!(report.broken.is_empty(), "{}: {report:?}", variant.name);
    }
}

#[test]
fn without_any_one_guard_its_property_is_broken() {
    for variant in without_one() {
        let report = explore(&variant, 20);
        let wanted = variant.breaks.expect("a property");
        assert!(
            report.broken.contains_key(&wanted),
            "{}: {report:?}",
            variant.name
        );
    }
}
