//! Waits that others ask for, and the pace of our own calls: see the README of `purser-cases`.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use proptest::prelude::*;
use purser_cases::{config, text};

use crate::{Pace, Pacer, retry_after};

const HOUR: Duration = Duration::from_hours(1);

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_wait_that_is_asked_for_is_understood_and_never_longer_than_an_hour(
        seconds: u64,
        shift in 0..=63_u32,
        since_1970 in 0..4_000_000_000_u64,
    ) {
        let seconds = seconds >> shift;
        let wanted = Some(Duration::from_secs(seconds).min(HOUR));
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        prop_assert_eq!(retry_after(&headers), wanted);
        // The same as a date, measured against the answer's own.
        let date = std::time::UNIX_EPOCH + Duration::from_secs(since_1970);
        let until = date + Duration::from_secs(seconds.min(1_000_000));
        let text = |at| HeaderValue::try_from(httpdate::fmt_http_date(at)).unwrap();
        headers.insert(header::RETRY_AFTER, text(until));
        headers.insert(header::DATE, text(date));
        prop_assert_eq!(retry_after(&headers), wanted);
        // A date that has passed asks for nothing.
        headers.insert(header::DATE, text(until + Duration::from_secs(1)));
        prop_assert_eq!(retry_after(&headers), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_in_a_header_asks_for_nothing(texts in [text(20), text(20)]) {
        let mut headers = HeaderMap::new();
        for (name, text) in [(header::RETRY_AFTER, &texts[0]), (header::DATE, &texts[1])] {
            if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
                headers.insert(name, value);
            }
        }
        let asked = retry_after(&headers);
        let is_number = texts[0].trim().parse::<u64>().is_ok();
        prop_assert!(asked.is_none_or(|asked| is_number && asked <= HOUR), "{asked:?}");
    }

    #[test]
    fn no_second_and_no_minute_holds_more_calls_than_the_pace(
        per_second in 1..10_u32,
        per_minute in 1..60_u32,
        steps in proptest::collection::vec(0..30_000_u64, 1..100),
        shift in 0..=12_u32,
    ) {
        let mut pacer = Pacer::new(Pace { per_second, per_minute }, 1);
        let mut now = Duration::from_secs(100);
        let mut starts = Vec::new();
        for step in steps {
            now += Duration::from_millis(step >> shift);
            let wait = pacer.book(now);
            prop_assert!(wait <= Duration::from_mins(1));
            now += wait;
            starts.push(now);
        }
        let windows = [(Duration::from_secs(1), per_second), (Duration::from_mins(1), per_minute)];
        for (window, limit) in windows {
            for (place, start) in starts.iter().enumerate() {
                let within = starts[place..].iter().take_while(|at| **at < *start + window);
                prop_assert!(within.count() <= limit as usize);
            }
        }
    }
}
