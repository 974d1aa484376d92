//! Metrics as `CloudWatch` takes them out of a log: one JSON document in a line (the Embedded Metric
//! Format). The list of all of them is [`Metric::ALL`]; alarms are compared with it.
//!
//! Their dimensions are bounded: a function, a class, a system; never a tenant or an order. A
//! document goes through `tracing`, so that a test sees those of its own thread and no others.

use std::{collections::BTreeMap, sync::OnceLock};

use jiff::Timestamp;
use purser_core::{failure::FailureClass, notice::System, tenant::CallCounts};
use serde_json::{Value, json};

/// The namespace of every metric.
pub const NAMESPACE: &str = "Purser";
/// The dimension that every metric has: the name of the function that it is from.
pub const FUNCTION: &str = "function";
/// The target of the events that carry documents.
pub(crate) const TARGET: &str = "purser::metrics";
/// The most values of one metric that one document holds.
const VALUES_MAX: usize = 100;
/// The class of a failure of our own store.
const STORE: &str = "store";

/// Every metric there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "`Metric::describe` says what each is")]
pub enum Metric {
    ScansStarted,
    ScansFailed,
    OrdersBilled,
    OrdersRefused,
    OrdersWaiting,
    OrdersInDoubt,
    InDoubtTooLong,
    TenantsNeedReconnect,
    OldestOpenAgeSeconds,
    SweepsFailed,
    DeadLettersSetAside,
    Failures,
    VendorCalls,
    AttemptDuration,
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: &'static str,
    /// Its unit, in `CloudWatch`'s words.
    pub unit: &'static str,
    /// The statistic that means something: `Sum` of what happened, `Maximum` of what was seen.
    pub statistic: &'static str,
    /// The sets of dimensions that it is kept under.
    pub dimensions: &'static [&'static [&'static str]],
    /// What it counts.
    pub about: &'static str,
}

const PLAIN: &[&[&str]] = &[&[FUNCTION]];
const BY_CLASS: &[&[&str]] = &[&[FUNCTION], &[FUNCTION, "class"]];
const BY_SYSTEM: &[&[&str]] = &[&[FUNCTION, "system"]];

const fn counted(name: &'static str, about: &'static str) -> Description {
    Description {
        name,
        unit: "Count",
        statistic: "Sum",
        dimensions: PLAIN,
        about,
    }
}

const fn seen(name: &'static str, about: &'static str) -> Description {
    Description {
        statistic: "Maximum",
        ..counted(name, about)
    }
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ScansStarted,
        Self::ScansFailed,
        Self::OrdersBilled,
        Self::OrdersRefused,
        Self::OrdersWaiting,
        Self::OrdersInDoubt,
        Self::InDoubtTooLong,
        Self::TenantsNeedReconnect,
        Self::OldestOpenAgeSeconds,
        Self::SweepsFailed,
        Self::DeadLettersSetAside,
        Self::Failures,
        Self::VendorCalls,
        Self::AttemptDuration,
    ];

    /// What it is.
    pub const fn describe(self) -> Description {
        match self {
            Self::ScansStarted => counted("ScansStarted", "Runs that were claimed and scanned."),
            Self::ScansFailed => counted("ScansFailed", "Scans that something stopped."),
            Self::OrdersBilled => counted("OrdersBilled", "Orders that became billed."),
            Self::OrdersRefused => counted("OrdersRefused", "Orders that came to need a person."),
            Self::OrdersWaiting => counted("OrdersWaiting", "Attempts that ended in a wait."),
            Self::OrdersInDoubt => counted("OrdersInDoubt", "Attempts that ended in doubt."),
            Self::InDoubtTooLong => seen("InDoubtTooLong", "Orders in doubt for over 30 minutes."),
            Self::TenantsNeedReconnect => seen(
                "TenantsNeedReconnect",
                "Tenants with a connection that is no longer accepted.",
            ),
            Self::OldestOpenAgeSeconds => Description {
                unit: "Seconds",
                ..seen(
                    "OldestOpenAgeSeconds",
                    "Since when the order waits that waits longest, over all tenants that work.",
                )
            },
            Self::SweepsFailed => counted("SweepsFailed", "Tenants whose sweep failed."),
            Self::DeadLettersSetAside => counted(
                "DeadLettersSetAside",
                "Messages that can never be handled and were set aside.",
            ),
            Self::Failures => Description {
                dimensions: BY_CLASS,
                ..counted("Failures", "Attempts and scans that ended in a failure.")
            },
            Self::VendorCalls => Description {
                dimensions: BY_SYSTEM,
                ..counted("VendorCalls", "Calls to Autotask and to QuickBooks.")
            },
            Self::AttemptDuration => Description {
                unit: "Milliseconds",
                statistic: "p95",
                ..counted("AttemptDuration", "How long each attempt at an order took.")
            },
        }
    }
}

/// Values of metrics that belong together. Made of numbers and of our own words alone.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// By the second dimension, if there is one.
    values: BTreeMap<Option<Detail>, BTreeMap<Metric, Vec<u64>>>,
}

/// A second dimension: its name and its value.
type Detail = (&'static str, String);

impl Measured {
    /// Adds a value of a metric without a second dimension.
    #[must_use]
    pub fn with(mut self, metric: Metric, value: u64) -> Self {
        self.add(None, metric, value);
        self
    }

    /// Adds a failure of this class.
    #[must_use]
    pub fn failed(mut self, class: FailureClass) -> Self {
        self.add(Some(("class", class.to_string())), Metric::Failures, 1);
        self
    }

    /// Adds a failure of our own store.
    #[must_use]
    pub fn store_failed(mut self) -> Self {
        self.add(Some(("class", STORE.to_owned())), Metric::Failures, 1);
        self
    }

    /// Adds calls to both systems.
    #[must_use]
    pub fn called(mut self, calls: CallCounts) -> Self {
        for (system, count) in [
            (System::Autotask, calls.autotask),
            (System::QuickBooks, calls.quickbooks),
        ] {
            if count > 0 {
                let name = match system {
                    System::Autotask => "autotask",
                    System::QuickBooks => "quickbooks",
                };
                self.add(
                    Some(("system", name.to_owned())),
                    Metric::VendorCalls,
                    count,
                );
            }
        }
        self
    }

    fn add(&mut self, detail: Option<Detail>, metric: Metric, value: u64) {
        let values = self.values.entry(detail).or_default();
        let values = values.entry(metric).or_default();
        match (metric, values.last_mut()) {
            // What is counted is added up; what is measured keeps each value.
            (Metric::AttemptDuration, _) | (_, None) => values.push(value),
            (_, Some(sum)) => *sum = sum.saturating_add(value),
        }
    }

    /// Writes them, when metrics are written at all.
    pub fn emit(self) {
        if !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
            return;
        }
        for document in self.documents(function(), Timestamp::now()) {
            tracing::info!(target: TARGET, document = document.to_string());
        }
    }

    /// The documents that say so.
    pub fn documents(&self, function: &str, now: Timestamp) -> Vec<Value> {
        let mut documents = Vec::new();
        for (detail, group) in &self.values {
            let longest = group.values().map(Vec::len).max().unwrap_or(0);
            for from in (0..longest).step_by(VALUES_MAX) {
                let part = group.iter().filter_map(|(metric, values)| {
                    let rest = values.get(from..)?;
                    let part = &rest[..rest.len().min(VALUES_MAX)];
                    (!part.is_empty()).then_some((*metric, part))
                });
                documents.push(document((function, detail.as_ref()), part, now));
            }
        }
        documents
    }
}

fn document<'v>(
    (function, detail): (&str, Option<&Detail>),
    values: impl Iterator<Item = (Metric, &'v [u64])>,
    now: Timestamp,
) -> Value {
    let mut document = json!({ FUNCTION: function });
    if let Some((name, value)) = detail {
        document[*name] = json!(value);
    }
    let mut metrics = Vec::new();
    let mut dimensions = PLAIN;
    for (metric, values) in values {
        let about = metric.describe();
        dimensions = about.dimensions;
        metrics.push(json!({ "Name": about.name, "Unit": about.unit }));
        document[about.name] = match values {
            [value] => json!(value),
            values => json!(values),
        };
    }
    document["_aws"] = json!({
        "Timestamp": now.as_millisecond(),
        "CloudWatchMetrics": [{
            "Namespace": NAMESPACE,
            "Dimensions": dimensions,
            "Metrics": metrics,
        }],
    });
    document
}

/// The name of this function: as AWS knows it, so that each stack has its own; `local` elsewhere.
fn function() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name = std::env::var("AWS_LAMBDA_FUNCTION_NAME");
        name.unwrap_or_else(|_| "local".to_owned())
    })
}

#[cfg(test)]
mod tests;
