//! The kinds of trouble that a call of a vendor or of the store can have.

use std::time::Duration;

use purser_simulators::FaultKind;

use super::{
    labels,
    plan::WireTrouble,
    trial::{Call, Mishap},
};
use crate::{shaken::Happening, stage::Moment};

/// How late a request may arrive.
const LATE: Duration = Duration::from_secs(100);
/// Longer than a lease.
const ASLEEP: Duration = Duration::from_secs(310);

/// What QuickBooks says when it lets nobody in.
const FORBIDDEN: &str = r#"{"Fault":{"Error":[{"Message":"message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403","Detail":"","code":"3100"}],"type":"AuthorizationFault"},"time":"2026-03-16T07:00:00.000-07:00"}"#;
/// What it says with a status that promises otherwise.
const FAULT: &str = r#"{"Fault":{"Error":[{"Message":"An unexpected error occurred","Detail":"","code":"10000"}],"type":"SystemFault"},"time":"2026-03-16T07:00:00.000-07:00"}"#;
/// What Intuit says of a refresh token that is not good.
const INVALID_GRANT: &str =
    r#"{"error":"invalid_grant","error_description":"Incorrect Token type or clientID"}"#;

/// One kind of trouble.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// What happens.
    pub(super) mishap: Mishap,
}

impl Kind {
    fn fault(name: &'static str, kind: FaultKind) -> Self {
        Self::wire(name, WireTrouble::Fault(kind))
    }

    fn wire(name: &'static str, trouble: WireTrouble) -> Self {
        let mishap = Mishap::Wire(trouble);
        Self { name, mishap }
    }

    fn store(name: &'static str, happening: Happening) -> Self {
        let mishap = Mishap::Store(happening);
        Self { name, mishap }
    }

    /// The kinds that can happen to a call.
    pub fn of(call: &Call) -> Vec<Self> {
        let mut kinds = match call.is_wire {
            true => Self::of_wire(&call.label),
            false => Self::of_store(&call.label),
        };
        if call.is_work {
            let twice = [
                ("twice", Mishap::Twice),
                ("twice-asleep", Mishap::TwiceAsleep),
            ];
            kinds.extend(twice.map(|(name, mishap)| Self { name, mishap }));
        }
        if labels::leaves_at_once(&call.label) {
            kinds.retain(|kind| !["asleep-before", "twice-asleep"].contains(&kind.name));
        }
        kinds
    }

    fn of_wire(label: &str) -> Vec<Self> {
        let ms = u64::try_from(LATE.as_millis()).unwrap_or(0);
        let mut kinds = vec![
            Self::fault("cut-before", FaultKind::DropBefore),
            Self::fault("cut-after", FaultKind::DropAfter),
            Self::fault("silence-before", FaultKind::TimeoutBefore),
            Self::fault("silence-after", FaultKind::TimeoutAfter),
            Self::fault("late", FaultKind::LateCommit { ms }),
            Self::fault("garbage", FaultKind::Garbage),
            Self::fault("garbage-after", FaultKind::GarbageAfter),
            Self::fault("half-after", FaultKind::TruncateAfter),
            Self::fault("empty", FaultKind::Empty),
            Self::wire("dies-before", WireTrouble::Die(Moment::Before)),
            Self::wire("dies-after", WireTrouble::Die(Moment::After)),
            Self::wire("dies-late", WireTrouble::Die(Moment::Late)),
            Self::wire("asleep-before", WireTrouble::Sleep(Moment::Before, ASLEEP)),
            Self::wire("asleep-after", WireTrouble::Sleep(Moment::After, ASLEEP)),
        ];
        for (name, retry_after_seconds) in [("429", None), ("429-told", Some(30))] {
            let throttle = FaultKind::Throttle {
                retry_after_seconds,
            };
            kinds.push(Self::fault(name, throttle));
        }
        let statuses = [("500", 500), ("503", 503)];
        for (name, status) in statuses {
            let body = None;
            kinds.push(Self::fault(name, FaultKind::Status { status, body }));
        }
        for (name, status) in [("500-after", 500), ("504-after", 504)] {
            let body = None;
            kinds.push(Self::fault(name, FaultKind::StatusAfter { status, body }));
        }
        kinds.extend(Self::of_vendor(label));
        kinds
    }

    /// What only one of the vendors says.
    fn of_vendor(label: &str) -> Vec<Self> {
        let says = |name, status, body: &str| {
            let body = Some(body.to_owned());
            Self::fault(name, FaultKind::Status { status, body })
        };
        match label.split(' ').next() {
            Some("quickbooks") => vec![
                Self::fault("401", FaultKind::Unauthorised),
                says("403", 403, FORBIDDEN),
                says("200-fault", 200, FAULT),
            ],
            Some("intuit") => vec![says("invalid-grant", 400, INVALID_GRANT)],
            _ => vec![says("403", 403, "")],
        }
    }

    fn of_store(label: &str) -> Vec<Self> {
        let mut kinds = vec![
            Self::store("fails-before", Happening::FailBefore),
            Self::store("fails-after", Happening::FailAfter),
            Self::store("dies-before", Happening::CutBefore),
            Self::store("dies-after", Happening::CutAfter),
            Self::store("asleep-before", Happening::Late(ASLEEP)),
            Self::store("asleep-after", Happening::Stall(ASLEEP)),
        ];
        if label.starts_with("commit") {
            kinds.push(Self::store("fails-late", Happening::FailLate(LATE)));
        }
        kinds
    }
}
