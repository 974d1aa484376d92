//! Alarms: what every adapter tells of them. When they go off is the business of each.

use std::time::Duration;

use purser_core::{ids::RunNumber, ports::Schedule, record::later};

use super::{
    Arm,
    sample::{north, south},
};

/// Armed is armed, and nothing else is.
pub async fn an_alarm_is_armed_once_it_was_armed(arm: impl Arm) {
    let schedule = arm.schedule();
    let run = RunNumber(2);
    assert!(!schedule.is_armed(&north(), run).await.expect("an answer"));
    let in_an_hour = later(arm.now(), Duration::from_hours(1));
    schedule
        .arm(&north(), run, in_an_hour)
        .await
        .expect("armed");
    assert!(schedule.is_armed(&north(), run).await.expect("an answer"));
    let next = schedule.is_armed(&north(), run.next()).await;
    assert!(!next.expect("an answer"));
}

/// The same run has one alarm, however often it is armed.
pub async fn arming_a_run_again_moves_its_alarm(arm: impl Arm) {
    let schedule = arm.schedule();
    let run = RunNumber(2);
    for hours in [2, 1, 3] {
        let at = later(arm.now(), Duration::from_hours(hours));
        schedule.arm(&north(), run, at).await.expect("armed");
    }
    assert!(schedule.is_armed(&north(), run).await.expect("an answer"));
}

/// One tenant's run is not another's.
pub async fn alarms_of_tenants_are_apart(arm: impl Arm) {
    let schedule = arm.schedule();
    let in_an_hour = later(arm.now(), Duration::from_hours(1));
    let armed = schedule.arm(&north(), RunNumber(1), in_an_hour).await;
    armed.expect("armed");
    let other = schedule.is_armed(&south(), RunNumber(1)).await;
    assert!(!other.expect("an answer"));
}
