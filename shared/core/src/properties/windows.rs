//! Days in time zones: the window of N calendar days and the date of a bill, with days that are
//! longer, shorter, or not there at all.

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use proptest::{prelude::*, sample::select};
use purser_cases::config;

use crate::{
    eligibility::{Ineligible, Window},
    plan::bill_date,
    record::Origin,
    settings::{BillDate, Settings},
    testing::{SUBMITTED, books, order, settings},
};

/// Zones whose days begin in odd ways: half hours, a day that was skipped, midnights that happen
/// twice or never, changes within Ramadan, and offsets at both ends.
const ZONES: &[&str] = &[
    "UTC",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "America/Santiago",
    "Europe/London",
    "Europe/Berlin",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Antarctica/Troll",
];

/// Seconds of 1995-01-01 and 2040-01-01.
const YEARS: std::ops::Range<i64> = 788_918_400..2_208_988_800;

/// A zone and a moment in it, every other time within hours of a change of its clocks.
fn moment() -> impl Strategy<Value = (&'static str, Timestamp)> {
    (select(ZONES), YEARS, any::<bool>(), -10_000..=10_000_i64).prop_map(
        |(name, second, is_near, off)| {
            let zone = TimeZone::get(name).unwrap();
            let anywhere = Timestamp::from_second(second).unwrap();
            let change = zone.following(anywhere).next();
            let near = change.map(|change| change.timestamp() + SignedDuration::from_secs(off));
            (name, near.filter(|_| is_near).unwrap_or(anywhere))
        },
    )
}

/// The day in a zone, by the offset alone: no calendar of a library between.
fn day_by_offset(at: Timestamp, zone: &TimeZone) -> Date {
    let local = at.as_second() + i64::from(zone.to_offset(at).seconds());
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch + local.div_euclid(86_400).days()
}

fn window(days_back: u16, name: &str, now: Timestamp) -> Window {
    let settings = Settings {
        days_back,
        time_zone: Some(name.to_owned()),
        ..settings()
    };
    Window::new(&settings, SUBMITTED, Some("Asia/Tokyo"), now)
}

fn judged(window: &Window, created: Timestamp) -> Result<(), Ineligible> {
    let mut order = order();
    order.created = Some(created);
    window.judge(&order, Origin::Scan)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_window_begins_with_the_first_moment_of_its_first_day(
        (name, now) in moment(),
        days in 1..=400_u16,
    ) {
        let window = window(days, name, now);
        let today = day_by_offset(now, &window.zone);
        let first = window.first_day();
        prop_assert_eq!(first + i64::from(days).days(), today);
        let start = window.start();
        prop_assert!(day_by_offset(start, &window.zone) >= first);
        let before = start - SignedDuration::from_nanos(1);
        prop_assert!(day_by_offset(before, &window.zone) < first);
    }

    #[test]
    fn an_order_is_in_the_window_by_its_day_and_the_scan_asks_for_it(
        (name, now) in moment(),
        days in 1..=60_u16,
        seconds_ago in 0..=62 * 86_400_i64,
    ) {
        let window = window(days, name, now);
        let created = now - SignedDuration::from_secs(seconds_ago);
        let is_in = day_by_offset(created, &window.zone) >= window.first_day();
        prop_assert_eq!(judged(&window, created).is_ok(), is_in);
        if is_in {
            // The scan asks Autotask for nothing older than the window's start.
            prop_assert!(created >= window.start(), "{created} {}", window.start());
        } else {
            let first_day = window.first_day();
            prop_assert_eq!(judged(&window, created), Err(Ineligible::TooOld { first_day }));
        }
    }

    #[test]
    fn an_order_of_n_calendar_days_ago_is_in_at_every_hour_of_its_day(
        (name, now) in moment(),
        days in 1..=30_u16,
        ago in 0..=31_u16,
        (hour, minute) in (0..24_i8, 0..60_i8),
    ) {
        let window = window(days, name, now);
        let day = day_by_offset(now, &window.zone) - i64::from(ago).days();
        let local = day.at(hour, minute, 0, 0).to_zoned_datetime(window.zone.clone());
        let created = local.unwrap().timestamp();
        // A time that does not exist on that day is moved to another one.
        prop_assume!(day_by_offset(created, &window.zone) == day);
        prop_assert_eq!(judged(&window, created).is_ok(), ago <= days);
    }

    #[test]
    fn no_day_before_the_chosen_one_is_ever_in_the_window(
        (name, now) in moment(),
        days in 1..=60_u16,
        from_ago in -5..=70_i64,
        seconds_ago in 0..=62 * 86_400_i64,
    ) {
        let mut window = window(days, name, now);
        let from = day_by_offset(now, &window.zone) - from_ago.days();
        let without = window.first_day();
        window.created_from = Some(from);
        prop_assert_eq!(window.first_day(), without.max(from));
        let created = now - SignedDuration::from_secs(seconds_ago);
        if judged(&window, created).is_ok() {
            prop_assert!(day_by_offset(created, &window.zone) >= from);
        }
    }

    #[test]
    fn a_bill_bears_the_day_of_its_order_in_the_companys_zone(
        (name, at) in moment(),
        choice in select(vec![BillDate::Submitted, BillDate::Created, BillDate::Today]),
        is_known: bool,
    ) {
        let later = at + SignedDuration::from_hours(77);
        let zone = TimeZone::get(name).unwrap();
        let settings = Settings {
            bill_date: choice,
            time_zone: Some(name.to_owned()),
            ..settings()
        };
        let mut order = order();
        order.created = Some(at);
        order.submitted = is_known.then_some(later);
        let now = at + SignedDuration::from_hours(200);
        let wanted = match choice {
            BillDate::Submitted if is_known => later,
            BillDate::Submitted | BillDate::Created => at,
            BillDate::Today => now,
        };
        let found = bill_date(&order, &books(), &settings, now);
        prop_assert_eq!(found, day_by_offset(wanted, &zone));
    }
}
