//! What holds for every row, address and wait of this crate: see the README of `purser-cases`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, sample::select};
use purser_cases::{config, text};
use purser_core::{
    money::decimal_from_text,
    ports::{Lane, Quota},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use url::Url;

use crate::{
    host::check_host,
    quota::{QuotaRules, QuotaWindow},
    wire::{
        line,
        row::{Row, write_time},
    },
    zone::lookup_url,
};

fn decimal() -> impl Strategy<Value = Decimal> {
    (any::<i64>(), 0..=12_u32, 0..=60_u32)
        .prop_map(|(mantissa, scale, shift)| Decimal::new(mantissa >> shift, scale))
}

/// A number as the vendor may write it: as a number or as a text.
fn written(number: Decimal, as_text: bool) -> Value {
    match as_text {
        true => Value::from(format!(" {number} ")),
        false => serde_json::from_str(&number.to_string()).unwrap(),
    }
}

fn row(value: &Value) -> Row {
    Row::of(value).unwrap()
}

/// Anything that may stand in a field.
fn junk() -> impl Strategy<Value = Value> {
    prop_oneof![
        text(8).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(Value::from),
        Just(json!([1])),
        Just(json!({ "value": 1 })),
        Just(json!(true)),
        Just(Value::Null),
        "-?[0-9]{1,40}(\\.[0-9]{1,40})?(e[+-]?[0-9]{1,3})?"
            .prop_map(|number| serde_json::from_str(&number).unwrap_or(Value::Null)),
    ]
}

/// An address that looks like one of the vendor's.
fn address() -> impl Strategy<Value = String> {
    let scheme = select(vec!["https://", "http://", "HTTPS://", "ftp://", "ws://"]);
    let before = select(vec![
        "",
        "me@w.",
        "a:b@w.",
        "w.autotask.net@",
        "w.",
        "webservices3.",
        "evil",
    ]);
    let host = select(vec![
        "autotask.net",
        "AUTOTASK.NET",
        "autotask.net.",
        "autotask.net.evil.example",
        "localhost",
        "evil.example",
        "127.0.0.1",
        "autotask\u{3002}net",
    ]);
    let port = select(vec!["", ":443", ":8443"]);
    (scheme, before, host, port, text(6)).prop_map(|(scheme, before, host, port, path)| {
        format!("{scheme}{before}{host}{port}/{path}")
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn quantities_and_costs_are_read_with_every_digit(
        quantity in decimal(),
        cost in decimal(),
        as_text: bool,
        upper: bool,
    ) {
        let name = |name: &str| if upper { name.to_ascii_uppercase() } else { name.to_owned() };
        let answer = json!({
            name("id"): 1,
            name("orderID"): "4711",
            name("quantity"): written(quantity, as_text),
            name("unitCost"): written(cost, !as_text),
        });
        let line = line::read(&row(&answer)).unwrap();
        prop_assert_eq!(line.quantity.map(|q| q.to_string()), Some(quantity.to_string()));
        prop_assert_eq!(line.unit_cost.map(|c| c.to_string()), Some(cost.to_string()));
    }

    #[test]
    fn a_field_with_anything_in_it_is_read_as_it_stands_or_not_at_all(junk in junk()) {
        let answer = json!({ "id": 1, "orderID": 2, "unitCost": junk });
        let exact = match &junk {
            Value::Number(number) => decimal_from_text(&number.to_string()).ok(),
            Value::String(text) => decimal_from_text(text).ok(),
            _ => None,
        };
        let is_absent = junk.is_null() || junk.as_str().is_some_and(|text| text.trim().is_empty());
        match line::read(&row(&answer)) {
            Ok(line) if is_absent => prop_assert_eq!(line.unit_cost, None),
            Ok(line) => prop_assert!(line.unit_cost.is_some() && line.unit_cost == exact),
            Err(garbled) => {
                prop_assert_eq!(garbled.0, "unitCost");
                prop_assert!(exact.is_none(), "{junk}");
            }
        }
        // A whole number is one, however it is written.
        let id = row(&json!({ "id": junk.clone() })).id();
        let whole = exact.filter(|number| number.fract().is_zero());
        let whole = whole.and_then(|number| i64::try_from(number).ok());
        prop_assert_eq!(id.ok(), whole);
    }

    #[test]
    fn a_moment_is_read_as_it_was_written(
        milliseconds in -30_000_000_000_000..30_000_000_000_000_i64,
        hours in -23..=23_i64,
    ) {
        let at = Timestamp::from_millisecond(milliseconds).unwrap();
        let read = |text: &str| row(&json!({ "t": text })).time("t").unwrap();
        let text = write_time(at);
        prop_assert_eq!(read(&text), Some(at));
        // Without a zone it is UTC; with one it is the same moment.
        prop_assert_eq!(read(text.trim_end_matches('Z')), Some(at));
        let local = (at + SignedDuration::from_hours(hours)).to_string();
        let offset = format!("{}{hours:+03}:00", local.trim_end_matches('Z'));
        prop_assert_eq!(read(&offset), Some(at));
    }

    #[test]
    fn a_secret_is_sent_to_the_vendor_alone(text in prop_oneof![3 => address(), 1 => text(30)]) {
        if let Ok(url) = text.parse::<Url>() && check_host(&url, false).is_ok() {
            prop_assert_eq!(url.scheme(), "https");
            prop_assert_eq!(url.port(), None);
            prop_assert!(url.host_str().unwrap().ends_with(".autotask.net"), "{url}");
            prop_assert!(url.username().is_empty() && url.password().is_none(), "{url}");
        }
    }

    #[test]
    fn the_lookup_names_exactly_the_user_whoever_it_is(user in text(30)) {
        let url = lookup_url(&"https://webservices.autotask.net".parse().unwrap(), &user);
        prop_assert_eq!(url.path(), "/atservicesrest/v1.0/zoneInformation");
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(pairs, [("user".to_owned(), user)]);
        // A server that knows no forms reads the same.
        prop_assert!(!url.query().unwrap().contains('+'));
    }

    #[test]
    fn no_rolling_window_ever_holds_more_than_our_share(
        limit in 1..400_u32,
        share_percent in 1..=90_u8,
        window_minutes in 1..=90_u32,
        steps in proptest::collection::vec(0..400_i64, 1..120),
    ) {
        let rules = QuotaRules {
            lane: Lane::Person,
            share_percent,
            minute: Duration::from_mins(1),
            reading_age_max: Duration::from_mins(10),
        };
        let mut window = QuotaWindow::default();
        let mut now = Timestamp::UNIX_EPOCH;
        window.store(Quota { limit, used: 0, window_minutes }, now);
        let share = (limit * u32::from(share_percent) / 100).max(1) as usize;
        let length = SignedDuration::from_mins(window_minutes.into());
        let mut calls = Vec::new();
        for step in steps {
            now += SignedDuration::from_secs(step);
            match window.admit(now, &rules) {
                Ok(()) => {
                    window.count(now);
                    calls.push(now);
                }
                // The wait is neither too short nor longer than the window.
                Err(wait) => {
                    prop_assert!(!wait.is_zero() && wait <= length.try_into().unwrap());
                    now += SignedDuration::try_from(wait).unwrap();
                    prop_assert!(window.admit(now, &rules).is_ok());
                }
            }
        }
        for (place, call) in calls.iter().enumerate() {
            let within = calls[place..].iter().filter(|at| **at < *call + length);
            prop_assert!(within.count() <= share);
        }
    }
}
