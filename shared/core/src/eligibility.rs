//! Which orders may be transferred right now, and why the others may not.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    ids::StatusId,
    orders::{ExternalNumber, Order},
    record::Origin,
    settings::Settings,
};

/// Why an order is not transferred. Nothing is written anywhere for any of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Ineligible {
    /// Its status is not Submitted.
    NotSubmitted,
    /// It has no create date.
    CreateDateMissing,
    /// It was created before the window.
    TooOld {
        /// The first day of the window.
        first_day: Date,
    },
    /// The window is 0 days: transfer is paused.
    Paused,
    /// External PO Number already says this.
    HasNumber {
        /// What it says.
        number: String,
    },
    /// External PO Number says ERROR.
    MarkedError,
    /// It is no longer in Autotask.
    Gone,
}

impl Ineligible {
    /// The stable text of the reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSubmitted => "ineligible.not_submitted",
            Self::CreateDateMissing => "ineligible.create_date_missing",
            Self::TooOld { .. } => "ineligible.too_old",
            Self::Paused => "ineligible.paused",
            Self::HasNumber { .. } => "ineligible.has_number",
            Self::MarkedError => "ineligible.marked_error",
            Self::Gone => "ineligible.gone",
        }
    }

    /// One sentence for people.
    pub fn text(&self) -> String {
        match self {
            Self::NotSubmitted => "The order's status is not Submitted.".to_owned(),
            Self::CreateDateMissing => "The order shows no create date.".to_owned(),
            Self::TooOld { first_day } => {
                format!("The order was created before {first_day}, the first day of the window.")
            }
            Self::Paused => "Automatic transfer is paused (0 days back).".to_owned(),
            Self::HasNumber { number } => format!("External PO Number already says {number}."),
            Self::MarkedError => {
                "External PO Number says ERROR; clear it or press Retry.".to_owned()
            }
            Self::Gone => "The order is no longer in Autotask.".to_owned(),
        }
    }
}

/// What eligibility is judged by.
#[derive(Clone, Debug)]
pub struct Window {
    /// The status that means Submitted.
    pub submitted: StatusId,
    /// The tenant's time zone.
    pub zone: TimeZone,
    /// Calendar days back; 0 pauses.
    pub days_back: u16,
    /// Now.
    pub now: Timestamp,
}

impl Window {
    /// The window these settings mean right now.
    pub fn new(
        settings: &Settings,
        submitted: StatusId,
        company_zone: Option<&str>,
        now: Timestamp,
    ) -> Self {
        let zone = settings.zone(company_zone);
        Self {
            submitted,
            zone,
            days_back: settings.days_back,
            now,
        }
    }

    /// The first day of the window; orders created on it are in.
    pub fn first_day(&self) -> Date {
        let today = self.now.to_zoned_datetime(self.zone.clone()).date();
        today.saturating_sub(i64::from(self.days_back).days())
    }

    /// The first moment of the window.
    pub fn start(&self) -> Timestamp {
        let midnight = self.first_day().to_zoned_datetime(self.zone.clone());
        midnight.map_or(Timestamp::MIN, |zoned| zoned.timestamp())
    }

    /// Judges one order for one kind of attempt, or says why not.
    ///
    /// A person who asks for one order is not bound by the window, and ERROR counts as ours.
    pub fn judge(&self, order: &Order, origin: Origin) -> Result<(), Ineligible> {
        if order.status != Some(self.submitted) {
            return Err(Ineligible::NotSubmitted);
        }
        if origin == Origin::Scan {
            self.judge_age(order)?;
        }
        match order.external() {
            ExternalNumber::Blank => Ok(()),
            ExternalNumber::Error if origin.is_person() => Ok(()),
            ExternalNumber::Error => Err(Ineligible::MarkedError),
            ExternalNumber::Number(number) => Err(Ineligible::HasNumber {
                number: number.to_owned(),
            }),
        }
    }

    fn judge_age(&self, order: &Order) -> Result<(), Ineligible> {
        if self.days_back == 0 {
            return Err(Ineligible::Paused);
        }
        let created = order.created.ok_or(Ineligible::CreateDateMissing)?;
        let first_day = self.first_day();
        if created.to_zoned_datetime(self.zone.clone()).date() < first_day {
            return Err(Ineligible::TooOld { first_day });
        }
        Ok(())
    }
}
