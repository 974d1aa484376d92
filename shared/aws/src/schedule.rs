//! The alarms: one-time schedules that start the scanner and are gone afterwards.

use aws_sdk_scheduler::{
    Client,
    types::{
        ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, Target,
    },
};
use jiff::Timestamp;
use purser_core::{
    ids::{RunNumber, TenantId},
    ports::{Schedule, StoreError},
};

use crate::{
    clock::nonce,
    error::{unavailable, unreadable},
};

/// An alarm that could not be delivered for so long is given up; the sweeper arms another.
const DELIVERED_WITHIN_SECONDS: i32 = 3_600;
/// A start that failed is tried again so often.
const STARTS_MAX: i32 = 5;
/// How often an alarm is armed again that somebody else changes at the same time.
const TRIES: u32 = 3;
/// An alarm of right now goes off so much later: the call that arms it takes a while, and clocks differ.
const LEAD_SECONDS: i64 = 5;

/// Where an alarm goes.
#[derive(Clone, Debug)]
pub struct ScheduleTarget {
    /// The group that schedules are made in.
    pub group: String,
    /// The function that an alarm starts.
    pub function_arn: String,
    /// The role that may start it.
    pub role_arn: String,
    /// The event that it is started with.
    pub event: fn(&TenantId, RunNumber) -> String,
}

/// The alarms as a function may use them. A function that was given no target cannot arm any.
#[derive(Clone, Debug)]
pub struct AwsSchedule {
    client: Client,
    target: Option<ScheduleTarget>,
}

impl AwsSchedule {
    /// Alarms that go to this target.
    pub fn new(client: Client, target: Option<ScheduleTarget>) -> Self {
        Self { client, target }
    }

    fn target(&self) -> Result<&ScheduleTarget, StoreError> {
        let missing = || StoreError::Unavailable("this function may arm no alarm".to_owned());
        self.target.as_ref().ok_or_else(missing)
    }

    /// Makes the schedule; false when it is there already.
    async fn create(&self, name: &str, at: &str, goal: &Target) -> Result<bool, StoreError> {
        let create = self
            .client
            .create_schedule()
            .group_name(&self.target()?.group)
            .name(name)
            .client_token(nonce())
            .schedule_expression(at)
            .schedule_expression_timezone("UTC")
            .flexible_time_window(at_once()?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(goal.clone());
        match create.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(refusal) if refusal.is_conflict_exception() => Ok(false),
                _ => Err(unavailable(&error)),
            },
        }
    }

    /// Moves the schedule; false when it is gone.
    async fn update(&self, name: &str, at: &str, goal: &Target) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_schedule()
            .group_name(&self.target()?.group)
            .name(name)
            .client_token(nonce())
            .schedule_expression(at)
            .schedule_expression_timezone("UTC")
            .flexible_time_window(at_once()?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(goal.clone());
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(refusal) if refusal.is_resource_not_found_exception() => Ok(false),
                // Somebody else is changing it right now.
                Some(refusal) if refusal.is_conflict_exception() => Ok(false),
                _ => Err(unavailable(&error)),
            },
        }
    }
}

impl Schedule for AwsSchedule {
    async fn arm(
        &self,
        tenant: &TenantId,
        run: RunNumber,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let target = self.target()?;
        let retry = RetryPolicy::builder()
            .maximum_event_age_in_seconds(DELIVERED_WITHIN_SECONDS)
            .maximum_retry_attempts(STARTS_MAX);
        let goal = Target::builder()
            .arn(&target.function_arn)
            .role_arn(&target.role_arn)
            .input((target.event)(tenant, run))
            .retry_policy(retry.build())
            .build()
            .map_err(|error| unreadable(error.to_string()))?;
        let name = name(tenant, run);
        for _ in 0..TRIES {
            let at = expression(at, Timestamp::now());
            if self.create(&name, &at, &goal).await? || self.update(&name, &at, &goal).await? {
                return Ok(());
            }
        }
        Err(StoreError::Unavailable(
            "an alarm keeps changing".to_owned(),
        ))
    }

    async fn is_armed(&self, tenant: &TenantId, run: RunNumber) -> Result<bool, StoreError> {
        let get = self
            .client
            .get_schedule()
            .group_name(&self.target()?.group)
            .name(name(tenant, run));
        match get.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(refusal) if refusal.is_resource_not_found_exception() => Ok(false),
                _ => Err(unavailable(&error)),
            },
        }
    }
}

fn at_once() -> Result<FlexibleTimeWindow, StoreError> {
    FlexibleTimeWindow::builder()
        .mode(FlexibleTimeWindowMode::Off)
        .build()
        .map_err(|error| unreadable(error.to_string()))
}

/// The name of a run's schedule. AWS allows 64 characters; the longest is 61.
fn name(tenant: &TenantId, run: RunNumber) -> String {
    format!("{tenant}-{}", run.0)
}

/// A schedule counts in whole seconds, and one that lies in the past when it arrives would never go
/// off.
fn expression(at: Timestamp, now: Timestamp) -> String {
    let seconds = (at.as_second() + 1).max(now.as_second() + LEAD_SECONDS);
    let at = Timestamp::from_second(seconds).unwrap_or(at);
    format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_never_lies_in_the_past() {
        let at = |second| Timestamp::from_second(second).unwrap_or(Timestamp::MIN);
        let wanted = "at(2026-11-26T06:00:01)";
        assert_eq!(expression(at(1_795_672_800), at(1_795_600_000)), wanted);
        let wanted = "at(2026-11-26T06:00:05)";
        assert_eq!(expression(at(5), at(1_795_672_800)), wanted);
    }

    #[test]
    fn every_name_fits() -> Result<(), purser_core::ids::IdError> {
        let longest: TenantId = "n".repeat(40).parse()?;
        assert!(name(&longest, RunNumber(u64::MAX)).len() <= 64);
        Ok(())
    }
}
