//! The times and counts of the stack are those of the code.

use std::time::Duration;

use purser_core::policy::Policy;
use purser_runtime::deliveries::RECEIVES_MAX;
use serde_json::Value;

use crate::template::{FUNCTIONS, Template, rendered};

/// The longest that an HTTP API waits for a function.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(30);

fn seconds(value: &Value) -> Duration {
    Duration::from_secs(
        value
            .as_u64()
            .unwrap_or_else(|| panic!("{value} is no time")),
    )
}

#[test]
fn a_message_stays_hidden_for_six_invocations_and_longer_than_a_lease() {
    let template = Template::application();
    let policy = Policy::default();
    let function = seconds(template.setting("worker", "Timeout"));
    let queue = template.properties("WorkQueue");
    let visibility = seconds(&queue["VisibilityTimeout"]);
    assert_eq!(function, policy.function_time);
    assert_eq!(visibility, policy.visibility);
    assert!(visibility >= 6 * function);
    assert!(policy.bill_timeout < function);
    assert!(function < policy.lease && policy.lease < visibility);
}

#[test]
fn a_message_that_nobody_can_finish_ends_among_the_dead_letters() {
    let template = Template::application();
    let queue = template.properties("WorkQueue");
    let redrive = &queue["RedrivePolicy"];
    assert_eq!(redrive["maxReceiveCount"], RECEIVES_MAX);
    let to = rendered(&redrive["deadLetterTargetArn"]);
    assert_eq!(to, "${DeadLetterQueue.Arn}");
    let dead = template.properties("DeadLetterQueue");
    let kept = seconds(&queue["MessageRetentionPeriod"]);
    assert!(seconds(&dead["MessageRetentionPeriod"]) > kept);
    // Hidden as often as it may be received, it must still be there.
    assert!(kept > RECEIVES_MAX * Policy::default().visibility);
    for (queue, name) in [(queue, "work"), (dead, "dead")] {
        assert_eq!(queue["FifoQueue"], true);
        assert_eq!(queue["ContentBasedDeduplication"], false);
        assert_eq!(queue["SqsManagedSseEnabled"], true);
        let named = rendered(&queue["QueueName"]);
        assert_eq!(named, format!("${{AWS::StackName}}-{name}.fifo"));
    }
    assert_eq!(queue["DeduplicationScope"], "messageGroup");
    assert_eq!(queue["FifoThroughputLimit"], "perMessageGroupId");
}

#[test]
fn the_worker_takes_one_message_at_a_time_and_answers_for_each() {
    let template = Template::application();
    let worker = template.function("worker");
    let source = &worker["Events"]["Work"]["Properties"];
    assert_eq!(rendered(&source["Queue"]), "${WorkQueue.Arn}");
    assert_eq!(source["BatchSize"], 1);
    let answers = source["FunctionResponseTypes"].as_array().expect("a list");
    assert_eq!(answers, &["ReportBatchItemFailures"]);
    let most = rendered(&source["ScalingConfig"]["MaximumConcurrency"]);
    assert_eq!(most, "${WorkerConcurrency}");
    // Less than the ten that a new account may run in all.
    let default = template.at("/Parameters/WorkerConcurrency/Default");
    assert!(default.as_u64().is_some_and(|most| (2..10).contains(&most)));
    assert_eq!(worker["RecursiveLoop"], "Allow");
}

#[test]
fn a_sweep_is_over_before_the_next_one_begins() {
    let template = Template::application();
    let sweep = template.properties("Sweep");
    let every = Policy::default().sweep_interval;
    let minutes = every.as_secs() / 60;
    assert_eq!(
        sweep["ScheduleExpression"],
        format!("rate({minutes} minutes)")
    );
    assert!(seconds(template.setting("sweeper", "Timeout")) < every);
    // One that had to wait is dropped, so that none runs beside the next.
    let invoked = template.setting("sweeper", "EventInvokeConfig");
    assert_eq!(invoked["MaximumRetryAttempts"], 0);
    assert_eq!(invoked["MaximumEventAgeInSeconds"], 60);
    assert_eq!(
        template.properties("Mail")["ScheduleExpression"],
        "rate(1 minute)"
    );
}

#[test]
fn no_function_of_people_outlives_the_patience_of_the_gateway() {
    let template = Template::application();
    for name in ["oauth", "settings", "sync-one", "logs", "retry"] {
        assert!(
            seconds(template.setting(name, "Timeout")) <= GATEWAY_TIMEOUT,
            "{name}"
        );
    }
    for (name, integration) in template.all("AWS::ApiGatewayV2::Integration") {
        let waits = integration["TimeoutInMillis"].as_u64().expect("a time");
        assert_eq!(Duration::from_millis(waits), GATEWAY_TIMEOUT, "{name}");
        assert_eq!(integration["PayloadFormatVersion"], "2.0", "{name}");
    }
}

#[test]
fn every_log_is_kept_for_as_long_as_the_parameter_says_and_no_longer() {
    let template = Template::application();
    let groups = template.all("AWS::Logs::LogGroup");
    // One for each function, and the accesses.
    assert_eq!(groups.len(), FUNCTIONS.len() + 1);
    for (name, group) in groups {
        let kept = rendered(&group["RetentionInDays"]);
        assert_eq!(kept, "${LogRetentionDays}", "{name}");
    }
}

#[test]
fn the_log_of_accesses_holds_no_path_and_no_address_of_a_person() {
    let template = Template::application();
    let settings = &template.properties("Stage")["AccessLogSettings"];
    let format = settings["Format"].as_str().expect("a format");
    let fields: Value = serde_json::from_str(format).expect("the format is JSON");
    for field in fields.as_object().expect("fields").values() {
        let field = field.as_str().expect("a text");
        let is_private = ["path", "sourceIp", "identity", "authorizer"]
            .iter()
            .any(|word| field.contains(word));
        assert!(!is_private, "{field}");
    }
    let throttle = &template.properties("Stage")["DefaultRouteSettings"];
    for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
        assert!(throttle[limit].as_u64().is_some_and(|limit| limit > 0));
    }
}
