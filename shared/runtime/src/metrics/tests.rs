use std::collections::BTreeSet;

use super::*;

/// The schema of the Embedded Metric Format, as AWS publishes it, with our own bounds.
fn check(document: &Value) {
    let about = &document["_aws"];
    assert!(about["Timestamp"].is_i64(), "{document}");
    let [directive] = &about["CloudWatchMetrics"].as_array().unwrap()[..] else {
        panic!("{document}");
    };
    assert_eq!(directive["Namespace"], NAMESPACE);
    let metrics = directive["Metrics"].as_array().unwrap();
    assert!((1..=100).contains(&metrics.len()), "{document}");
    let mut members: BTreeSet<_> = ["_aws".to_owned()].into();
    for set in directive["Dimensions"].as_array().unwrap() {
        let set = set.as_array().unwrap();
        assert!((1..=2).contains(&set.len()), "{document}");
        for name in set {
            let name = name.as_str().unwrap();
            let value = document[name].as_str().unwrap();
            assert!((1..=64).contains(&value.len()), "{document}");
            members.insert(name.to_owned());
        }
    }
    for metric in metrics {
        let name = metric["Name"].as_str().unwrap();
        let known = Metric::ALL.iter().map(|metric| metric.describe());
        let known = known.into_iter().find(|known| known.name == name).unwrap();
        assert_eq!(metric["Unit"], known.unit);
        assert_eq!(directive["Dimensions"], json!(known.dimensions));
        let values = &document[name];
        let one = values.is_u64();
        let many = values.as_array().is_some_and(|values| {
            (2..=100).contains(&values.len()) && values.iter().all(Value::is_u64)
        });
        assert!(one || many, "{document}");
        members.insert(name.to_owned());
    }
    let all: BTreeSet<_> = document.as_object().unwrap().keys().cloned().collect();
    assert_eq!(all, members, "nothing else is in it");
}

fn documents(measured: &Measured) -> Vec<Value> {
    let now = "2026-11-26T07:00:00Z".parse().unwrap();
    let documents = measured.documents("purser-worker", now);
    for document in &documents {
        check(document);
    }
    documents
}

#[test]
fn a_document_is_what_cloudwatch_reads_metrics_from() {
    let measured = Measured::default()
        .with(Metric::OrdersBilled, 2)
        .with(Metric::AttemptDuration, 410)
        .with(Metric::AttemptDuration, 620);
    let expected = json!({
        "_aws": {
            "Timestamp": 1_795_676_400_000_i64,
            "CloudWatchMetrics": [{
                "Namespace": "Purser",
                "Dimensions": [["function"]],
                "Metrics": [
                    { "Name": "OrdersBilled", "Unit": "Count" },
                    { "Name": "AttemptDuration", "Unit": "Milliseconds" },
                ],
            }],
        },
        "function": "purser-worker",
        "OrdersBilled": 2,
        "AttemptDuration": [410, 620],
    });
    assert_eq!(documents(&measured), [expected]);
}

#[test]
fn a_second_dimension_gets_a_document_for_each_of_its_values() {
    let calls = CallCounts {
        autotask: 5,
        quickbooks: 0,
        quickbooks_reads: 0,
    };
    let measured = Measured::default()
        .with(Metric::ScansStarted, 1)
        .failed(FailureClass::Retry)
        .failed(FailureClass::Retry)
        .failed(FailureClass::InDoubt)
        .store_failed()
        .called(calls);
    let documents = documents(&measured);
    let told: BTreeSet<_> = documents
        .iter()
        .map(|document| {
            let name = document["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"].as_str();
            let name = name.unwrap();
            let detail = document["class"].as_str().or(document["system"].as_str());
            format!("{name} {} {}", detail.unwrap_or("-"), document[name])
        })
        .collect();
    let expected = [
        "Failures in_doubt 1",
        "Failures retry 2",
        "Failures store 1",
        "ScansStarted - 1",
        "VendorCalls autotask 5",
    ];
    assert_eq!(told, expected.map(str::to_owned).into());
}

#[test]
fn more_values_than_a_document_holds_go_into_the_next() {
    let mut measured = Measured::default().with(Metric::OrdersBilled, 1);
    for value in 0..250 {
        measured = measured.with(Metric::AttemptDuration, value);
    }
    let documents = documents(&measured);
    let values = documents
        .iter()
        .map(|document| document["AttemptDuration"].as_array().unwrap().len());
    assert_eq!(values.collect::<Vec<_>>(), [100, 100, 50]);
    assert!(documents[1]["OrdersBilled"].is_null());
}

#[test]
fn every_metric_is_described_once_and_never_by_tenant_or_order() {
    let mut names = BTreeSet::new();
    for metric in Metric::ALL {
        let about = metric.describe();
        assert!(names.insert(about.name), "{about:?}");
        assert!(about.name.bytes().all(|byte| byte.is_ascii_alphabetic()));
        assert!(["Count", "Seconds", "Milliseconds"].contains(&about.unit));
        assert!(["Sum", "Maximum", "p95"].contains(&about.statistic));
        assert!(about.about.ends_with('.'));
        for dimension in about.dimensions.iter().flat_map(|set| set.iter()) {
            assert!([FUNCTION, "class", "system"].contains(dimension));
        }
    }
    assert_eq!(names.len(), 14);
}

#[test]
fn the_table_in_the_readme_is_this_list() {
    let readme = include_str!("../../README.md");
    for metric in Metric::ALL {
        let about = metric.describe();
        let set = about.dimensions.iter().max_by_key(|set| set.len()).unwrap();
        let second = match set[..] {
            [_, second] => format!("`{second}`"),
            _ => "none".to_owned(),
        };
        let row = format!(
            "| `{}` | {} | {} | {second} | {} |\n",
            about.name, about.unit, about.statistic, about.about
        );
        assert!(readme.contains(&row), "{row}");
    }
    let rows = readme
        .lines()
        .filter(|row| row.contains("| Sum |") || row.contains("| Maximum |"));
    assert_eq!(
        rows.count(),
        Metric::ALL.len() - 1,
        "and one with a percentile"
    );
}
