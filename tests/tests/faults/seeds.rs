//! Several faults in one run, and a crash now and then, drawn from numbered seeds: a seed that fails
//! is named, and fails again in the same way.

use std::time::Duration;

use purser_simulators::{FaultKind, FaultRule, System};
use purser_tests::stage::Moment;

use crate::shapes::{Case, MODES, Position, Shape, Tally, kinds, positions};

/// Seeds by default; more with `PURSER_SEEDS`.
const SEEDS: u64 = 60;

/// Numbers that follow from a seed alone.
struct Dice(u64);

impl Dice {
    /// A number from 0 to `below - 1`.
    fn roll(&mut self, below: usize) -> usize {
        // Steele, Lea and Flood's SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let mixed = usize::try_from((mixed ^ (mixed >> 31)) >> 1).unwrap_or(0);
        mixed % below
    }
}

async fn one_seed(seed: u64, shape: Shape, positions: &[Position]) {
    let mut dice = Dice(seed);
    let mut case = Case::of(shape, MODES[dice.roll(MODES.len())]).await;
    let kinds = kinds();
    for _ in 0..=dice.roll(6) {
        let at = &positions[dice.roll(positions.len())];
        let kind = kinds[dice.roll(kinds.len())].clone();
        // A vendor that says "not signed in" needs a person each time: that is told elsewhere.
        if kind != FaultKind::Unauthorised || at.system == System::QuickBooks {
            let nth = at.nth + u32::try_from(dice.roll(2)).unwrap_or(0);
            case.stage
                .simulators
                .faults
                .add(FaultRule::next(at.system, &at.route, kind).at(nth));
        }
    }
    if dice.roll(3) == 0 {
        let nth = u32::try_from(1 + dice.roll(positions.len())).unwrap_or(1);
        let moment = [Moment::Before, Moment::After, Moment::Late][dice.roll(3)];
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
    if crashed && dice.roll(2) == 0 {
        case.stage.restart().await;
    } else if crashed {
        case.stage.restart_elsewhere();
    }
    case.stage
        .wait(Duration::from_secs(dice.roll(200) as u64))
        .await;
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
