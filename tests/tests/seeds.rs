//! Seeds that once went wrong, by what they had found. What a seed decides may change with the
//! simulation; then it is one more history, and the test of its own that each finding has still holds.

use purser_sqlite::SqliteStore;
use purser_tests::{
    memory::MemoryStore,
    simulation::{Plan, Trial, live},
    stage::StageStore,
};

macro_rules! seeds {
    ($of:path: $($name:ident: $seed:literal;)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                let history = live::<MemoryStore>($of($seed)).await;
                assert_eq!(history.violations, [""; 0], "{} {}", stringify!($of), $seed);
                assert!(!history.ends.is_empty(), "nothing happened");
            }
        )*
    };
}

seeds! {
    Plan::of:
    a_copy_and_its_bill_deleted_and_the_number_cleared: 257;
    a_refused_order_whose_error_is_cleared_at_the_very_end: 3743;
    a_skipped_order_whose_number_is_cleared_at_the_very_end: 5570;
    a_threshold_that_is_asked_for_when_the_hour_is_used_up: 26010;
    a_process_that_sleeps_with_the_answer_429_in_its_hand: 52435;
    a_todo_that_a_process_sent_after_it_had_slept: 67924;
    a_todo_that_came_late_while_the_clocks_differed: 239_251;
    a_clock_that_was_set_back_into_the_time_of_quiet: 103_726;
    a_process_that_slept_over_its_reading_and_wrote_all_the_same: 99904;
    a_number_that_was_written_after_a_person_was_asked: 126_531;
    a_number_that_was_written_twice: 159_558;
    a_number_of_a_deleted_bill_that_was_written_late: 973_328;
    another_number_of_a_deleted_bill_that_was_written_late: 991_880;
    a_todo_that_slept_on_its_way: 58478;
    a_message_that_only_the_older_process_receives: 505_396;
    an_end_of_run_that_only_the_older_process_receives: 347_865;
    a_planned_order_whose_message_only_the_older_process_receives: 466_833;
}

seeds! {
    Plan::beyond:
    a_refused_order_whose_bill_was_deleted_before_it_was_shown: 5346;
    a_bill_that_was_deleted_while_the_order_was_refused_for_it: 9118;
    a_todo_that_came_late_beside_a_second_one: 12050;
    a_third_bill_that_came_after_a_person_was_told_of_two: 16443;
}

/// Everything that is told of a history, with each call until it is calm.
fn told<S: StageStore>(seed: u64) -> String {
    let plan = Plan {
        trial: Trial {
            is_told: true,
            ..Trial::default()
        },
        ..Plan::of(seed)
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    let history = runtime.expect("a runtime").block_on(live::<S>(plan));
    assert!(!history.told.is_empty(), "nothing happened");
    format!("{history:#?}")
}

/// Whoever lives a seed that went wrong once more must see it go wrong again.
#[test]
fn a_seed_is_the_same_history_each_time_on_either_store() {
    for seed in 0..12 {
        assert_eq!(told::<SqliteStore>(seed), told::<SqliteStore>(seed));
        assert_eq!(told::<MemoryStore>(seed), told::<MemoryStore>(seed));
    }
}
