//! Arithmetic as it is done on paper, digit by digit, to compare the program's with: no limit, no
//! rounding but the one that is asked for, and none of the program's own code.

use rust_decimal::Decimal;

/// A whole number of cents: its sign, and its digits without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cents {
    pub(super) is_negative: bool,
    pub(super) digits: String,
}

impl Cents {
    /// As amounts are written: with a point before the last two digits.
    pub(super) fn text(&self) -> String {
        let padded = format!("{:0>3}", self.digits);
        let (whole, cents) = padded.split_at(padded.len() - 2);
        let sign = if self.is_negative { "-" } else { "" };
        format!("{sign}{whole}.{cents}")
    }

    /// The number, when it is one of at most 38 digits.
    pub(super) fn number(&self) -> Option<i128> {
        let number: i128 = self.digits.parse().ok()?;
        Some(if self.is_negative { -number } else { number })
    }
}

/// The product to the cent; half a cent goes away from zero.
pub(super) fn product(one: Decimal, other: Decimal) -> Cents {
    let digits = multiplied(&digits_of(one), &digits_of(other));
    let places = (one.scale() + other.scale()) as usize;
    let digits = to_cents(&digits, places);
    Cents {
        is_negative: digits != "0" && one.is_sign_negative() != other.is_sign_negative(),
        digits,
    }
}

/// The same number to the cent.
pub(super) fn rounded(number: Decimal) -> Cents {
    product(number, Decimal::ONE)
}

/// The number without its trailing zeros: sign, digits, and how many of them follow the point.
pub(super) fn plain(digits: &str, places: i64, is_negative: bool) -> (bool, String, i64) {
    let kept = digits.trim_end_matches('0');
    let dropped = i64::try_from(digits.len() - kept.len()).unwrap();
    let kept = kept.trim_start_matches('0');
    match kept {
        "" => (false, "0".to_owned(), 0),
        kept => (is_negative, kept.to_owned(), places - dropped),
    }
}

fn digits_of(number: Decimal) -> String {
    number.mantissa().unsigned_abs().to_string()
}

fn multiplied(one: &str, other: &str) -> String {
    let digits = |text: &str| text.bytes().rev().map(|d| u32::from(d - b'0')).collect();
    let (one, other): (Vec<u32>, Vec<u32>) = (digits(one), digits(other));
    let mut sums = vec![0_u32; one.len() + other.len()];
    for (i, a) in one.iter().enumerate() {
        for (j, b) in other.iter().enumerate() {
            sums[i + j] += a * b;
        }
    }
    let mut carry = 0;
    let mut written: Vec<char> = Vec::new();
    for sum in sums {
        let here = sum + carry;
        carry = here / 10;
        written.push(char::from_digit(here % 10, 10).unwrap());
    }
    written.into_iter().rev().collect()
}

fn to_cents(digits: &str, places: usize) -> String {
    if places <= 2 {
        let text = format!("{digits}{}", "0".repeat(2 - places));
        return without_leading(&text);
    }
    let padded = format!("{digits:0>places$}");
    let (kept, cut) = padded.split_at(padded.len() - (places - 2));
    let kept = format!("0{kept}");
    if cut.as_bytes()[0] < b'5' {
        return without_leading(&kept);
    }
    // One more: nines become zeros up to the first digit that has room.
    let nines = kept.len() - kept.trim_end_matches('9').len();
    let (head, _) = kept.split_at(kept.len() - nines);
    let (head, last) = head.split_at(head.len() - 1);
    let last = last.parse::<u32>().unwrap() + 1;
    without_leading(&format!("{head}{last}{}", "0".repeat(nines)))
}

fn without_leading(digits: &str) -> String {
    match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => digits.to_owned(),
    }
}

#[test]
fn paper_agrees_with_what_is_known() {
    let d = crate::testing::decimal;
    let text = |a, b| product(d(a), d(b)).text();
    assert_eq!(text("128.350", "14.50"), "1861.08");
    assert_eq!(text("3", "0.0049"), "0.01");
    assert_eq!(text("-1", "0.005"), "-0.01");
    assert_eq!(text("-1", "0.0049"), "0.00");
    assert_eq!(text("999.995", "1"), "1000.00");
    assert_eq!(text("0", "17"), "0.00");
    assert_eq!(
        text("12345678901234567890", "100"),
        "1234567890123456789000.00"
    );
    assert_eq!(product(d("2"), d("-0.5")).number(), Some(-100));
}
