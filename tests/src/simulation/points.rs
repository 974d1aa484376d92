//! The matrix of faults that is promised to be tried, and which calls and kinds of trouble stand for its points
//! and faults: so that what is tried can be counted against it.

use super::{kinds::Kind, trial::Call};

/// A point at which something can go wrong.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// What it is.
    pub name: &'static str,
    /// The beginnings of the names of its calls.
    calls: &'static [&'static str],
    is_work: Option<bool>,
}

impl Point {
    /// Every point.
    pub const ALL: [Self; 21] = [
        Self::of("a message is received", &["receive"]),
        Self::of("the order is claimed", &["commit Queued"]),
        Self::of("the token is read", &["document QuickBooks"]),
        Self::of("the token is refreshed", &["intuit POST"]),
        Self::of("the token is stored", &["put_document QuickBooks"]),
        Self::of(
            "orders are looked for",
            &["autotask POST PurchaseOrders/query"],
        )
        .where_work_is(false),
        Self::of(
            "lines are read",
            &["autotask POST PurchaseOrderItems/query"],
        ),
        Self::of("the vendor is looked up", &["quickbooks POST query Vendor"]),
        Self::of("the vendor is created", &["quickbooks POST vendor"]),
        Self::of(
            "the customer is looked up or created",
            &["quickbooks POST query Customer", "quickbooks POST customer"],
        ),
        Self::of(
            "the Item is looked up or created",
            &["quickbooks POST query Item", "quickbooks POST item"],
        ),
        Self::of(
            "the order is read again",
            &["autotask POST PurchaseOrders/query"],
        )
        .where_work_is(true),
        Self::of("the intent is stored", &["commit Planned"]),
        Self::of("the bill is created", &["quickbooks POST bill"]),
        Self::of("the bill is noted", &["commit Created"]),
        Self::of(
            "the number is written back",
            &["autotask PATCH PurchaseOrders number"],
        ),
        Self::of("the link is noted", &["commit Linked"]),
        Self::of("the message is acknowledged", &["acknowledge"]),
        Self::of(
            "the bill is looked for",
            &["quickbooks POST query Bill by time"],
        ),
        Self::of("the bill is verified", &["quickbooks GET bill"]),
        Self::of(
            "ERROR and the to-do are written",
            &[
                "commit Refused",
                "autotask PATCH PurchaseOrders ERROR",
                "autotask POST Companies/*/ToDos",
            ],
        ),
    ];

    const fn of(name: &'static str, calls: &'static [&'static str]) -> Self {
        Self {
            name,
            calls,
            is_work: None,
        }
    }

    /// Only where a delivery is being worked on, or only where none is.
    const fn where_work_is(mut self, is_work: bool) -> Self {
        self.is_work = Some(is_work);
        self
    }

    /// Whether a call is one of it.
    pub fn has(&self, call: &Call) -> bool {
        self.is_work.is_none_or(|is_work| is_work == call.is_work)
            && self.calls.iter().any(|name| call.label.starts_with(name))
    }
}

/// What can go wrong with a call.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What it is.
    pub name: &'static str,
    /// The kinds of trouble that are it, for calls of vendors and of the store.
    kinds: &'static [&'static str],
}

impl Fault {
    /// Every fault of a call.
    pub const ALL: [Self; 13] = [
        Self::of("the process dies before", &["dies-before"]),
        Self::of("the process dies after", &["dies-after"]),
        Self::of("no answer, no effect", &["silence-before", "fails-before"]),
        Self::of("no answer, with effect", &["silence-after", "fails-after"]),
        Self::of("the effect is late", &["late", "dies-late", "fails-late"]),
        Self::of("429", &["429", "429-told"]),
        Self::of("500 or 503", &["500", "503", "500-after"]),
        Self::of("504 with effect", &["504-after"]),
        Self::of("401", &["401"]),
        Self::of("403 or invalid_grant", &["403", "invalid-grant"]),
        Self::of(
            "200 and no answer",
            &[
                "200-fault",
                "garbage",
                "garbage-after",
                "half-after",
                "empty",
            ],
        ),
        Self::of("cut off", &["cut-before", "cut-after", "half-after"]),
        Self::of(
            "asleep until the lease is over",
            &["asleep-before", "asleep-after"],
        ),
    ];

    const fn of(name: &'static str, kinds: &'static [&'static str]) -> Self {
        Self { name, kinds }
    }

    /// Whether a kind of trouble is one of it.
    pub fn is(&self, kind: &Kind) -> bool {
        self.kinds.contains(&kind.name)
    }
}
