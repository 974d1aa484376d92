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
            Self::Gone => {
                "The order is not in Autotask, or the API user may not see it.".to_owned()
            }
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
    /// No day before this is in the window.
    pub created_from: Option<Date>,
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
            created_from: settings.created_from,
            now,
        }
    }

    /// The first day of the window; orders created on it are in.
    pub fn first_day(&self) -> Date {
        let today = self.now.to_zoned_datetime(self.zone.clone()).date();
        let first = today.saturating_sub(i64::from(self.days_back).days());
        self.created_from.map_or(first, |from| first.max(from))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{SUBMITTED, at, noon, order, settings};

    fn window(days_back: u16, zone: &str, now: Timestamp) -> Window {
        let settings = Settings {
            days_back,
            ..settings()
        };
        Window::new(&settings, SUBMITTED, Some(zone), now)
    }

    #[test]
    fn no_day_before_the_chosen_one_is_in_the_window() {
        let mut window = window(30, "UTC", noon());
        let by_days = window.first_day();
        for (from, expected) in [
            (None, by_days),
            (by_days.yesterday().ok(), by_days),
            (by_days.tomorrow().ok(), by_days.tomorrow().unwrap()),
        ] {
            window.created_from = from;
            assert_eq!(window.first_day(), expected);
        }
        let mut order = order();
        order.created = Some(window.start());
        assert_eq!(window.judge(&order, Origin::Scan), Ok(()));
        order.created = Some(window.start() - 1.second());
        let first_day = window.first_day();
        let reason = Err(Ineligible::TooOld { first_day });
        assert_eq!(window.judge(&order, Origin::Scan), reason);
        assert_eq!(window.judge(&order, Origin::Person), Ok(()), "a person may");
    }

    #[test]
    fn an_order_is_eligible_only_when_all_three_conditions_hold() {
        let window = window(5, "UTC", noon());
        for case in 0..8_u8 {
            let mut order = order();
            if case & 1 == 0 {
                order.status = Some(StatusId::new(9));
            }
            if case & 2 == 0 {
                order.created = Some(at("2026-03-01T12:00:00Z"));
            }
            if case & 4 == 0 {
                order.external_number = Some("1042".to_owned());
            }
            assert_eq!(
                window.judge(&order, Origin::Scan).is_ok(),
                case == 7,
                "{case}"
            );
        }
    }

    #[test]
    fn the_window_is_inclusive_in_calendar_days_of_the_tenants_zone() {
        let eligible = |days, zone: &str, created: &str| {
            let mut order = order();
            order.created = Some(at(created));
            window(days, zone, noon())
                .judge(&order, Origin::Scan)
                .is_ok()
        };
        assert!(eligible(5, "UTC", "2026-03-11T00:00:00Z"));
        assert!(!eligible(5, "UTC", "2026-03-10T23:59:59Z"));
        // In Auckland it is the 17th already; in Honolulu it is the 16th.
        assert!(!eligible(1, "Pacific/Auckland", "2026-03-15T10:59:59Z"));
        assert!(eligible(1, "Pacific/Auckland", "2026-03-15T11:00:00Z"));
        assert!(eligible(1, "Pacific/Honolulu", "2026-03-15T10:00:00Z"));
        // New York went to summer time on the 8th: that day begins at 05:00 UTC.
        assert!(eligible(8, "America/New_York", "2026-03-08T05:00:00Z"));
        assert!(!eligible(8, "America/New_York", "2026-03-08T04:59:59Z"));
    }

    #[test]
    fn a_window_of_no_days_pauses_scans_and_no_person() {
        let window = window(0, "UTC", noon());
        assert_eq!(
            window.judge(&order(), Origin::Scan),
            Err(Ineligible::Paused)
        );
        assert_eq!(window.judge(&order(), Origin::Person), Ok(()));
        let mut dateless = order();
        dateless.created = None;
        let open = super::tests::window(5, "UTC", noon());
        let judged = open.judge(&dateless, Origin::Scan);
        assert_eq!(judged, Err(Ineligible::CreateDateMissing));
    }

    #[test]
    fn error_is_ours_for_a_person_only() {
        let window = window(5, "UTC", noon());
        let mut order = order();
        order.external_number = Some(" Error ".to_owned());
        for origin in [Origin::Scan, Origin::Sweep] {
            assert_eq!(window.judge(&order, origin), Err(Ineligible::MarkedError));
        }
        for origin in [Origin::Person, Origin::Retry] {
            assert_eq!(window.judge(&order, origin), Ok(()));
        }
    }

    #[test]
    fn every_reason_has_its_code_and_sentence() {
        let reasons = [
            Ineligible::NotSubmitted,
            Ineligible::CreateDateMissing,
            Ineligible::TooOld {
                first_day: "2026-03-01".parse().unwrap(),
            },
            Ineligible::Paused,
            Ineligible::HasNumber {
                number: "7".to_owned(),
            },
            Ineligible::MarkedError,
            Ineligible::Gone,
        ];
        for reason in reasons {
            assert!(reason.code().starts_with("ineligible."));
            assert!(reason.text().ends_with('.'), "{reason:?}");
        }
    }
}
