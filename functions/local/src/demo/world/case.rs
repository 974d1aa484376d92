//! One order of the world and what must become of it.

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use purser_core::{eligibility::Ineligible, notice::Code};
use purser_simulators::autotask::{LineSeed, OrderSeed, OrderStatus};

/// What the first run must make of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A bill, and its number in External PO Number.
    Billed,
    /// No bill, ERROR, and a to-do that names this code.
    Refused(Code),
    /// Returned by Autotask, left alone for the reason with this code.
    Ineligible(&'static str),
    /// Never returned to the scan: another status, too old, or nothing is scanned at all.
    Unseen,
}

/// When an order was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// This many times 24 hours ago; far enough from any boundary for time zones not to matter.
    Days(i64),
    /// At midday of the day this many days ago, in the company's time zone: for boundaries.
    MiddayOf(i64),
}

impl Age {
    /// The moment, seen from `now`.
    pub(super) fn before(self, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
        match self {
            Self::Days(days) => now.checked_sub(SignedDuration::from_hours(24 * days)),
            Self::MiddayOf(days) => {
                let today = now.to_zoned_datetime(zone.clone()).date();
                let midday = today.checked_sub(days.days())?.at(12, 0, 0, 0);
                Ok(midday.to_zoned_datetime(zone.clone())?.timestamp())
            }
        }
    }
}

/// One order of the world.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// The order's id.
    pub(super) id: i64,
    /// What it shows, for whoever reads the tests' messages.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "it explains the case to people")
    )]
    pub(super) shows: &'static str,
    /// The feature rows that it shows.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the tests prove that no row is left out")
    )]
    pub(super) rows: &'static [u32],
    /// When it was created.
    pub(super) age: Age,
    /// When it was submitted, when that was another day.
    pub(super) submitted: Option<Age>,
    /// What must become of it.
    pub(super) outcome: Outcome,
    /// The order as it is stored, without its times.
    pub(super) order: OrderSeed,
}

/// An order that must become a bill.
pub(super) fn billed(id: i64, shows: &'static str, rows: &'static [u32]) -> Case {
    Case::new(id, shows, rows, Outcome::Billed)
}

/// An order that must be refused with this code.
pub(super) fn refused(id: i64, code: Code, shows: &'static str, rows: &'static [u32]) -> Case {
    Case::new(id, shows, rows, Outcome::Refused(code))
}

/// An order that is returned but must be left alone.
pub(super) fn ineligible(
    id: i64,
    reason: &Ineligible,
    shows: &'static str,
    rows: &'static [u32],
) -> Case {
    Case::new(id, shows, rows, Outcome::Ineligible(reason.code()))
}

/// An order that Autotask never returns to the scan.
pub(super) fn unseen(id: i64, shows: &'static str, rows: &'static [u32]) -> Case {
    Case::new(id, shows, rows, Outcome::Unseen)
}

impl Case {
    /// A submitted order of the last week, numbered after its id.
    fn new(id: i64, shows: &'static str, rows: &'static [u32], outcome: Outcome) -> Self {
        let number = Some(format!("PO{id:07}"));
        Self {
            id,
            shows,
            rows,
            age: Age::Days(1 + id % 7),
            submitted: None,
            outcome,
            order: OrderSeed {
                id: Some(id),
                number,
                ..OrderSeed::default()
            },
        }
    }

    /// Who sells.
    pub(super) fn from(mut self, vendor: i64) -> Self {
        self.order.vendor = vendor;
        self
    }

    /// Whom it is bought for.
    pub(super) fn buyer(mut self, customer: i64) -> Self {
        self.order.purchase_for = Some(customer);
        self
    }

    /// One more line: product, pieces, cost of one.
    pub(super) fn line(self, product: i64, quantity: i64, unit_cost: &str) -> Self {
        self.add(LineSeed::of(product, quantity, unit_cost))
    }

    /// One more line of any kind.
    pub(super) fn add(mut self, line: LineSeed) -> Self {
        self.order.lines.push(line);
        self
    }

    /// Its number, instead of the usual one.
    pub(super) fn number(mut self, number: &str) -> Self {
        self.order.number = Some(number.to_owned());
        self
    }

    /// What External PO Number says.
    pub(super) fn external(mut self, text: &str) -> Self {
        self.order.external_number = Some(text.to_owned());
        self
    }

    /// Its freight.
    pub(super) fn freight(mut self, amount: &str) -> Self {
        self.order.freight = Some(amount.to_owned());
        self
    }

    /// Its general memo.
    pub(super) fn memo(mut self, memo: &str) -> Self {
        self.order.memo = Some(memo.to_owned());
        self
    }

    /// Its payment term.
    pub(super) fn term(mut self, id: i64) -> Self {
        self.order.payment_term = Some(id);
        self
    }

    /// Its status, when it is not Submitted.
    pub(super) fn status(mut self, status: OrderStatus) -> Self {
        self.order.status = status;
        self
    }

    /// When it was created.
    pub(super) fn created(mut self, age: Age) -> Self {
        self.age = age;
        self
    }

    /// When it was submitted, when that was another day.
    pub(super) fn submitted(mut self, age: Age) -> Self {
        self.submitted = Some(age);
        self
    }

    /// The order with its times.
    pub(super) fn seed(&self, now: Timestamp, zone: &TimeZone) -> Result<OrderSeed, jiff::Error> {
        let submitted = self.submitted.map(|age| age.before(now, zone));
        Ok(OrderSeed {
            created: Some(self.age.before(now, zone)?),
            submitted: submitted.transpose()?,
            ..self.order.clone()
        })
    }
}
