//! Amounts: read from text exactly or not at all, rounded once and as QuickBooks checks it.

use proptest::prelude::*;
use purser_cases::{config, text};
use rust_decimal::Decimal;

use super::paper::{self, Cents};
use crate::money::{Currency, Money, MoneyError, decimal_from_text};

/// The largest amount in cents: 9,999,999,999,999.00.
const CENTS_MAX: i128 = 999_999_999_999_900;

fn usd() -> Currency {
    "USD".parse().unwrap()
}

/// Any number that can be kept exactly.
fn any_decimal() -> impl Strategy<Value = Decimal> {
    const MANTISSA_MAX: i128 = (1 << 96) - 1;
    (-MANTISSA_MAX..=MANTISSA_MAX, 0..=28_u32, 0..=96_u32).prop_map(|(mantissa, scale, shift)| {
        Decimal::from_i128_with_scale(mantissa >> shift, scale)
    })
}

/// What stands in an order: up to 8 digits before the point, up to 6 after it.
pub(super) fn quantity() -> impl Strategy<Value = Decimal> {
    let scale = prop_oneof![4 => Just(0_u32), 3 => 1..=4_u32, 1 => 5..=6_u32];
    (0..100_000_000_i64, scale, 0..=24_u32)
        .prop_map(|(mantissa, scale, shift)| Decimal::new(mantissa >> shift, scale))
}

/// A cost as a person or a computer wrote it: of two decimals, of four, or of a binary fraction.
pub(super) fn unit_cost() -> impl Strategy<Value = Decimal> {
    let scale = prop_oneof![5 => Just(2_u32), 2 => 3..=5_u32, 1 => 6..=12_u32];
    (0..1_000_000_000_000_i64, scale, 0..=38_u32)
        .prop_map(|(mantissa, scale, shift)| Decimal::new(mantissa >> shift, scale))
}

/// A cost that makes half a cent of a line far more often than chance would.
fn cost_near_half_a_cent() -> impl Strategy<Value = Decimal> {
    (0..10_000_000_i64, -1..=1_i64, 0..=6_u32).prop_map(|(cents, off, more)| {
        let unit = 10_i64.pow(more);
        Decimal::new((cents * 10 + 5) * unit + off, 3 + more)
    })
}

/// Two factors whose product is less than half a cent by less than can be kept.
fn factors_near_half_a_cent() -> impl Strategy<Value = (Decimal, Decimal)> {
    (0..1_000_000_i128, 6..=26_u32).prop_map(|(cents, places)| {
        let unit = 10_i128.pow(places);
        let (more, less) = (unit + 1, (cents * 10 + 5) * (unit - 1));
        let less = Decimal::try_from_i128_with_scale(less, (places + 3).min(28));
        (
            Decimal::from_i128_with_scale(more, places),
            less.unwrap_or_default(),
        )
    })
}

fn cents(money: Money) -> i128 {
    assert_eq!(money.amount().scale(), 2);
    money.amount().mantissa()
}

fn is_in_range(cents: &Cents) -> bool {
    cents.number().is_some_and(|cents| cents.abs() <= CENTS_MAX)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_exact_number_survives_its_own_text(number in any_decimal()) {
        let read = decimal_from_text(&number.to_string()).unwrap();
        prop_assert_eq!(read, number);
        prop_assert_eq!(read.scale(), number.scale());
        // A JSON number keeps its text, so nothing becomes a binary fraction on the way.
        let json = format!("[{number}]");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(decimal_from_text(&value[0].to_string()), Ok(number));
    }

    #[test]
    fn a_number_with_an_exponent_is_read_exactly_or_not_at_all(
        digits in "[0-9]{1,40}",
        fraction in "[0-9]{0,40}",
        exponent in -60..=60_i64,
        is_negative: bool,
    ) {
        let point = if fraction.is_empty() { "" } else { "." };
        let sign = if is_negative { "-" } else { "" };
        let written = format!("{sign}{digits}{point}{fraction}e{exponent}");
        if let Ok(read) = decimal_from_text(&written) {
            let places = i64::try_from(fraction.len()).unwrap() - exponent;
            let wanted = paper::plain(&format!("{digits}{fraction}"), places, is_negative);
            let digits = read.mantissa().unsigned_abs().to_string();
            let is_below = read.is_sign_negative() && !read.is_zero();
            prop_assert_eq!(paper::plain(&digits, read.scale().into(), is_below), wanted);
        }
    }

    #[test]
    fn what_is_no_number_is_never_read_as_one(text in text(12)) {
        if decimal_from_text(&text).is_ok() {
            let is_known = |c: char| c.is_ascii_digit() || "+-.eE_".contains(c);
            prop_assert!(text.trim().chars().all(is_known), "{text:?}");
            prop_assert!(text.bytes().any(|byte| byte.is_ascii_digit()), "{text:?}");
        }
    }

    #[test]
    fn rounding_goes_to_the_nearest_cent_and_half_a_cent_away_from_zero(
        number in prop_oneof![any_decimal(), cost_near_half_a_cent()],
        is_negative: bool,
    ) {
        let number = if is_negative { -number } else { number };
        let wanted = paper::rounded(number);
        match Money::rounded(number, usd()) {
            Ok(money) => {
                prop_assert!(is_in_range(&wanted), "{number}");
                prop_assert_eq!(Some(cents(money)), wanted.number());
                prop_assert_eq!(money.to_string(), format!("{} USD", wanted.text()));
                prop_assert_eq!(Money::rounded(money.amount(), usd()), Ok(money), "once is enough");
            }
            Err(error) => {
                prop_assert_eq!(error, MoneyError::TooLarge);
                prop_assert!(!is_in_range(&wanted), "{number} was refused");
            }
        }
    }

    #[test]
    fn a_line_is_quantity_times_cost_to_the_cent(
        quantity in quantity(),
        cost in prop_oneof![unit_cost(), cost_near_half_a_cent()],
    ) {
        let wanted = paper::product(quantity, cost);
        let line = Money::of_line(quantity, cost, usd());
        if is_in_range(&wanted) {
            prop_assert_eq!(line.map(cents).ok(), wanted.number());
        } else {
            prop_assert_eq!(line, Err(MoneyError::TooLarge));
        }
    }

    #[test]
    fn a_line_of_any_numbers_is_right_to_the_cent_or_refused(
        (quantity, cost) in prop_oneof![
            (any_decimal(), any_decimal()),
            factors_near_half_a_cent(),
        ],
    ) {
        if let Ok(line) = Money::of_line(quantity, cost, usd()) {
            prop_assert_eq!(Some(cents(line)), paper::product(quantity, cost).number());
        }
    }

    #[test]
    fn no_cent_is_lost_in_a_sum_whatever_its_order(
        mut amounts in proptest::collection::vec(-CENTS_MAX..=CENTS_MAX, 0..40),
        shift in 0..=48_u32,
    ) {
        for amount in &mut amounts {
            *amount >>= shift;
        }
        let sum = |amounts: &[i128]| {
            let mut sum = Money::zero(usd());
            for amount in amounts {
                let amount = Decimal::from_i128_with_scale(*amount, 2);
                sum = sum.plus(Money::rounded(amount, usd()).ok()?).ok()?;
            }
            Some(cents(sum))
        };
        let wanted: i128 = amounts.iter().sum();
        let there = sum(&amounts);
        let back = sum(&amounts.iter().rev().copied().collect::<Vec<_>>());
        for found in [there, back].into_iter().flatten() {
            prop_assert_eq!(found, wanted);
        }
        if amounts.iter().map(|amount| amount.abs()).sum::<i128>() <= CENTS_MAX {
            prop_assert_eq!((there, back), (Some(wanted), Some(wanted)));
        }
    }

    #[test]
    fn a_currency_is_three_letters_and_survives_its_own_text(text in text(4)) {
        match text.parse::<Currency>() {
            Ok(currency) => {
                prop_assert_eq!(currency.code(), text.trim().to_ascii_uppercase());
                prop_assert_eq!(currency.code().parse(), Ok(currency));
                prop_assert!(currency.code().bytes().all(|b| b.is_ascii_uppercase()));
            }
            Err(error) => prop_assert_eq!(error, MoneyError::NotACurrency),
        }
    }
}
