//! Several faults in one run, and a crash now and then, drawn from numbered seeds: a seed that fails
//! is named, and fails again in the same way.

use std::time::Duration;

use purser_simulators::{FaultKind, FaultRule, System};
use purser_tests::{dice::Dice, stage::Moment};

use crate::shapes::{Case, MODES, Position, Shape, Tally, kinds, positions};

/// Seeds by default; more with `PURSER_SEEDS`.
const SEEDS: u64 = 60;

async fn one_seed(seed: u64, shape: Shape, positions: &[Position]) {
    let mut dice = Dice::new(seed);
    let mut case = Case::of(shape, MODES[dice.place(MODES.len())]).await;
    let kinds = kinds();
    for _ in 0..=dice.place(6) {
        let at = &positions[dice.place(positions.len())];
        let kind = kinds[dice.place(kinds.len())].clone();
        // A vendor that says "not signed in" needs a person each time: that is told elsewhere.
        if kind != FaultKind::Unauthorised || at.system == System::QuickBooks {
            let nth = at.nth + u32::try_from(dice.place(2)).unwrap_or(0);
            case.stage
                .simulators
                .faults
                .add(FaultRule::next(at.system, &at.route, kind).at(nth));
        }
    }
    if dice.place(3) == 0 {
        let nth = u32::try_from(1 + dice.place(positions.len())).unwrap_or(1);
        let moment = [Moment::Before, Moment::After, Moment::Late][dice.place(3)];
        case.stage.tap.cut_at(nth, moment);
    }
    let crashed = {
        let stage = &case.stage;
        stage
            .engine
            .start_now(&stage.tenant)
            .await
            .expect("the store");
        let work = async {
            stage.scan_due().await;
            stage.drain().await;
        };
        tokio::select! {
            biased;
            () = stage.tap.was_cut() => true,
            () = work => false,
        }
    };
    case.stage.tap.clear();
    if crashed && dice.place(2) == 0 {
        case.stage.restart().await;
    } else if crashed {
        case.stage.restart_elsewhere();
    }
    case.stage.wait(Duration::from_secs(dice.roll(200))).await;
    case.finish_connected().await;
    case.assert_sound().await;
}

async fn seeds(shape: Shape) {
    let wanted = std::env::var("PURSER_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let mut tally = Tally::default();
    let positions = positions(shape).await;
    for seed in 0..wanted.unwrap_or(SEEDS) {
        tally
            .case(format!("seed {seed}"), one_seed(seed, shape, &positions))
            .await;
    }
    tally.finish(&format!("seeds, {shape:?}"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_known_order_survives_several_faults_and_a_crash() {
    seeds(Shape::Known).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_order_survives_several_faults_and_a_crash() {
    seeds(Shape::New).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_order_survives_several_faults_and_a_crash() {
    seeds(Shape::Refused).await;
}
