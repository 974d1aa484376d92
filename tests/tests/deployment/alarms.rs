//! Every alarm and every line of the dashboard looks at a metric that somebody writes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use purser_core::policy::Policy;
use purser_runtime::metrics::{FUNCTION, Measured, Metric, NAMESPACE};
use serde_json::Value;

use crate::template::{FUNCTIONS, Template, rendered, text};

/// The class of what our own store failed at.
const STORE: &str = "store";

/// A metric as an alarm or a dashboard names it.
struct Named {
    by: String,
    namespace: String,
    metric: String,
    dimensions: Vec<(String, String)>,
}

fn alarms() -> Vec<(String, Value)> {
    let template = Template::read("infra/alarms.yaml");
    let alarms = template.all("AWS::CloudWatch::Alarm").into_iter();
    alarms
        .map(|(name, it)| (name.to_owned(), it.clone()))
        .collect()
}

fn of_alarms() -> Vec<Named> {
    let named = alarms().into_iter().map(|(by, alarm)| {
        let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
        let pair = |it: &Value| (rendered(&it["Name"]), rendered(&it["Value"]));
        Named {
            by,
            namespace: rendered(&alarm["Namespace"]),
            metric: rendered(&alarm["MetricName"]),
            dimensions: dimensions.map(pair).collect(),
        }
    });
    named.collect()
}

fn of_the_dashboard() -> Vec<Named> {
    let template = Template::read("infra/dashboard.yaml");
    let body = rendered(&template.properties("Dashboard")["DashboardBody"]);
    let body: Value = serde_json::from_str(&body).expect("the dashboard is JSON");
    let mut found = Vec::new();
    for widget in body["widgets"].as_array().expect("widgets") {
        let title = widget["properties"]["title"].as_str().expect("a title");
        for line in widget["properties"]["metrics"].as_array().expect("metrics") {
            let texts = line.as_array().expect("a line").iter();
            let texts: Vec<_> = texts.filter_map(Value::as_str).map(str::to_owned).collect();
            if texts.is_empty() {
                assert_searches(title, &line[0]["expression"]);
                continue;
            }
            let pairs = texts[2..].chunks(2);
            found.push(Named {
                by: title.to_owned(),
                namespace: texts[0].clone(),
                metric: texts[1].clone(),
                dimensions: pairs
                    .map(|pair| (pair[0].clone(), pair[1].clone()))
                    .collect(),
            });
        }
    }
    found
}

/// A line that looks for all classes of failures.
fn assert_searches(title: &str, expression: &Value) {
    let Some(expression) = expression.as_str() else {
        panic!("{title} has a line without a metric");
    };
    let failures = Metric::Failures.describe();
    let sets = failures.dimensions.iter();
    let classes = sets.max_by_key(|set| set.len()).expect("dimensions");
    let scheme = expression.split(['{', '}']).nth(1).expect("a scheme");
    let wanted: BTreeSet<_> = classes.iter().copied().chain([NAMESPACE]).collect();
    assert_eq!(
        scheme.split(',').collect::<BTreeSet<_>>(),
        wanted,
        "{title}"
    );
    let name = format!("MetricName=\"{}\"", failures.name);
    assert!(expression.contains(&name), "{title}: {expression}");
}

/// What AWS itself measures of the resources of the stack.
fn is_measured_by_aws(named: &Named) -> bool {
    let metrics: &[&str] = match named.namespace.as_str() {
        "AWS/SQS" => &[
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesVisible",
            "ApproximateNumberOfMessagesNotVisible",
        ],
        "AWS/Lambda" => &["Errors", "Invocations", "Throttles", "Duration"],
        "AWS/ApiGateway" => &["5xx", "4xx", "Count", "Latency"],
        "AWS/DynamoDB" => &[
            "ConsumedReadCapacityUnits",
            "ConsumedWriteCapacityUnits",
            "ReadThrottleEvents",
            "WriteThrottleEvents",
        ],
        _ => &[],
    };
    metrics.contains(&named.metric.as_str())
}

/// The names that the resources of the stack go by, with the application's name in front.
fn is_a_resource((name, value): &(String, String)) -> bool {
    let rest = value.strip_prefix("${Application}-").unwrap_or_default();
    match name.as_str() {
        "function" | "FunctionName" => FUNCTIONS.contains(&rest),
        "QueueName" => ["work.fifo", "dead.fifo"].contains(&rest),
        "ApiId" => ["${Api}", "import ${Application}-api"].contains(&value.as_str()),
        "TableName" => value == "${TableName}",
        "system" => ["autotask", "quickbooks"].contains(&value.as_str()),
        "class" => value == STORE,
        _ => false,
    }
}

#[test]
fn every_metric_that_is_looked_at_is_written_by_the_code_or_by_aws() {
    let dashboard = of_the_dashboard();
    assert!(
        dashboard.len() > 30,
        "the lines of the dashboard were found"
    );
    for named in of_alarms().into_iter().chain(dashboard) {
        let Named {
            by,
            namespace,
            metric,
            dimensions,
        } = &named;
        let wrong = dimensions.iter().find(|pair| !is_a_resource(pair));
        assert!(
            wrong.is_none(),
            "{by}: {wrong:?} is no resource of the stack"
        );
        if namespace != NAMESPACE {
            assert!(is_measured_by_aws(&named), "{by}: {namespace} {metric}");
            continue;
        }
        let known = Metric::ALL.map(Metric::describe);
        let known = known.iter().find(|known| known.name == metric);
        let known = known.unwrap_or_else(|| panic!("{by}: nobody writes {metric}"));
        let names: Vec<_> = dimensions.iter().map(|(name, _)| name.as_str()).collect();
        assert!(
            known.dimensions.contains(&&names[..]),
            "{by}: {metric} by {names:?}"
        );
        assert_eq!(names[0], FUNCTION, "{by}");
    }
}

/// Whether an alarm is raised when nothing is measured.
fn is_about_silence(alarm: &Value) -> bool {
    alarm["ComparisonOperator"] == "LessThanThreshold" && alarm["TreatMissingData"] == "breaching"
}

#[test]
fn an_alarm_uses_the_statistic_that_means_something_for_its_metric() {
    for (name, alarm) in alarms() {
        let known = Metric::ALL.map(Metric::describe);
        let known = known.iter().find(|known| alarm["MetricName"] == known.name);
        let Some(known) = known else { continue };
        if is_about_silence(&alarm) && alarm["Statistic"] == "SampleCount" {
            // How often it was told, whatever the value was.
            continue;
        }
        assert_eq!(alarm["Statistic"], known.statistic, "{name}");
    }
}

#[test]
fn whatever_an_operator_must_know_has_an_alarm_that_reaches_a_person() {
    let alarms = alarms();
    let metrics: BTreeSet<_> = alarms
        .iter()
        .map(|(_, alarm)| alarm["MetricName"].as_str().expect("a metric"))
        .collect();
    for wanted in [
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesVisible",
        Metric::InDoubtTooLong.describe().name,
        Metric::TenantsNeedReconnect.describe().name,
        "Errors",
        "Throttles",
        Metric::ScansStarted.describe().name,
    ] {
        assert!(metrics.contains(wanted), "there is no alarm about {wanted}");
    }
    let runbook = text("infra/README.md");
    for (name, alarm) in &alarms {
        assert_eq!(rendered(&alarm["AlarmActions"][0]), "${Alarms}", "{name}");
        assert!(alarm["AlarmDescription"].is_string(), "{name}");
        let written = rendered(&alarm["AlarmName"]);
        let written = written.strip_prefix("${Application}-").expect("a name");
        let row = format!("| `{written}` |");
        assert!(
            runbook.contains(&row),
            "the runbook says nothing of {written}"
        );
    }
}

#[test]
fn what_is_silent_when_it_is_broken_raises_an_alarm_by_its_silence() {
    let alarms = alarms();
    for wanted in ["NoScan", "NoSweep"] {
        let (_, alarm) = alarms
            .iter()
            .find(|(name, _)| name == wanted)
            .expect("an alarm");
        assert!(is_about_silence(alarm), "{wanted}");
        assert_eq!(alarm["Threshold"], 1, "{wanted}");
    }
}

fn alarm(name: &str) -> Value {
    let mut alarms = alarms().into_iter();
    let (_, found) = alarms.find(|(it, _)| it == name).expect("an alarm");
    found
}

#[test]
fn runs_an_hour_apart_from_end_to_start_are_no_silence() {
    let no_scan = alarm("NoScan");
    assert_eq!(no_scan["MetricName"], Metric::ScansStarted.describe().name);
    assert_eq!(no_scan["Period"], 3600);
    assert_eq!(no_scan["EvaluationPeriods"], 2);
    assert!(no_scan["DatapointsToAlarm"].is_null(), "both must be empty");
}

#[test]
fn a_sweep_that_is_missed_is_one_that_came_to_its_end_and_no_sending_of_mail() {
    let no_sweep = alarm("NoSweep");
    assert_eq!(no_sweep["MetricName"], Metric::SweepsFailed.describe().name);
    assert_eq!(no_sweep["Statistic"], "SampleCount");
    let every = Policy::default().sweep_interval.as_secs();
    assert!(
        no_sweep["Period"]
            .as_u64()
            .is_some_and(|it| it >= 3 * every)
    );
}

#[test]
fn what_the_sweeper_finds_is_looked_for_in_periods_that_always_hold_a_sweep() {
    let every = Policy::default().sweep_interval.as_secs();
    for name in ["InDoubtTooLong", "TenantsNeedReconnect", "SweepsFail"] {
        let period = alarm(name)["Period"].as_u64();
        assert!(period.is_some_and(|it| it >= 2 * every), "{name}");
    }
}

#[test]
fn a_message_that_was_given_back_because_of_our_store_is_seen_by_an_alarm() {
    let alarm = alarm("StoreErrors");
    let told = Measured::default().store_failed();
    let documents = told.documents("${Application}-worker", Timestamp::UNIX_EPOCH);
    let [told] = &documents[..] else {
        panic!("one document: {documents:?}");
    };
    assert!(told[rendered(&alarm["MetricName"])].is_u64());
    for dimension in alarm["Dimensions"].as_array().expect("dimensions") {
        let name = rendered(&dimension["Name"]);
        assert_eq!(told[&name], rendered(&dimension["Value"]), "{name}");
    }
}
