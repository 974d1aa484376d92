//! Money: decimal with its currency, from the number's text to the cent.

use std::{fmt, str::FromStr};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Amounts QuickBooks can hold: 15 digits, two of them cents.
const AMOUNT_MAX: i64 = 9_999_999_999_999;

/// Why an amount cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum MoneyError {
    /// The text is not a decimal number that can be kept exactly.
    #[error("not an exact decimal number")]
    NotANumber,
    /// The amount has more digits than QuickBooks can hold.
    #[error("larger than QuickBooks can hold")]
    TooLarge,
    /// Two currencies were to be added.
    #[error("two currencies in one sum")]
    MixedCurrencies,
    /// Not three letters.
    #[error("not a three-letter currency code")]
    NotACurrency,
}

/// A three-letter currency code such as `USD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code in capitals.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let upper = text.trim().to_ascii_uppercase();
        let bytes: [u8; 3] = upper
            .as_bytes()
            .try_into()
            .map_err(|_| MoneyError::NotACurrency)?;
        if !bytes.iter().all(u8::is_ascii_uppercase) {
            return Err(MoneyError::NotACurrency);
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of whole cents in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self {
            amount: Decimal::from_parts(0, 0, 0, false, 2),
            currency,
        }
    }

    /// Rounds `amount` half up to cents.
    pub fn rounded(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let mut amount = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        if amount.abs() > Decimal::from(AMOUNT_MAX) {
            return Err(MoneyError::TooLarge);
        }
        amount.rescale(2);
        if amount.is_zero() {
            // Less than half a cent below nothing is nothing, and nobody is told of "-0.00".
            amount.set_sign_positive(true);
        }
        Ok(Self { amount, currency })
    }

    /// The amount of a line: quantity × unit cost, rounded half up to cents.
    pub fn of_line(
        quantity: Decimal,
        unit_cost: Decimal,
        currency: Currency,
    ) -> Result<Self, MoneyError> {
        let (quantity, unit_cost) = (quantity.normalize(), unit_cost.normalize());
        if quantity.is_zero() || unit_cost.is_zero() {
            return Ok(Self::zero(currency));
        }
        let product = quantity.checked_mul(unit_cost);
        // A product with fewer decimals was cut to fit; to round it again could be a cent too much.
        let is_exact = |product: &Decimal| product.scale() == quantity.scale() + unit_cost.scale();
        let product = product.filter(is_exact).ok_or(MoneyError::TooLarge)?;
        Self::rounded(product, currency)
    }

    /// The sum; both must be in one currency.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies);
        }
        let sum = self
            .amount
            .checked_add(other.amount)
            .ok_or(MoneyError::TooLarge)?;
        Self::rounded(sum, self.currency)
    }

    /// The amount with two decimals.
    pub const fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub const fn currency(&self) -> Currency {
        self.currency
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// Reads a decimal from the text of a JSON number, exactly or not at all.
pub fn decimal_from_text(text: &str) -> Result<Decimal, MoneyError> {
    let text = text.trim();
    let parsed = match text.split_once(['e', 'E']) {
        Some((base, exponent)) => scientific(base, exponent),
        None => Decimal::from_str_exact(text).ok(),
    };
    parsed.ok_or(MoneyError::NotANumber)
}

/// The number `base` × 10^`exponent`. `Decimal::from_scientific` rounds a long base without a word.
fn scientific(base: &str, exponent: &str) -> Option<Decimal> {
    let base = Decimal::from_str_exact(base).ok()?.normalize();
    let exponent: i64 = exponent.parse().ok()?;
    if base.is_zero() {
        return Some(Decimal::ZERO);
    }
    let places = i64::from(base.scale()).checked_sub(exponent)?;
    if let Ok(places) = u32::try_from(places) {
        return Decimal::try_from_i128_with_scale(base.mantissa(), places).ok();
    }
    let zeros = u32::try_from(places.checked_neg()?).ok()?;
    let mantissa = base.mantissa().checked_mul(10_i128.checked_pow(zeros)?)?;
    Decimal::try_from_i128_with_scale(mantissa, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd() -> Currency {
        "usd".parse().unwrap()
    }

    #[test]
    fn half_a_cent_rounds_up_as_quickbooks_checks_it() {
        let line = |quantity: &str, cost: &str| {
            let quantity = decimal_from_text(quantity).unwrap();
            Money::of_line(quantity, decimal_from_text(cost).unwrap(), usd())
                .unwrap()
                .to_string()
        };
        assert_eq!(line("128.350", "14.50"), "1861.08 USD");
        assert_eq!(line("3", "0.0049"), "0.01 USD");
        assert_eq!(line("1", "0.005"), "0.01 USD");
        assert_eq!(line("1", "-0.005"), "-0.01 USD");
        assert_eq!(line("2", "399.99"), "799.98 USD");
        assert_eq!(line("7", "0"), "0.00 USD");
        assert_eq!(line("1", "-0.001"), "0.00 USD");
    }

    #[test]
    fn a_product_that_cannot_be_kept_exactly_is_refused() {
        // A trace less than half a cent; cut to fit it would be half a cent, and then a whole one.
        let quantity = decimal_from_text("1.000000000000001").unwrap();
        let cost = decimal_from_text("0.004999999999999995").unwrap();
        let line = Money::of_line(quantity, cost, usd());
        assert_eq!(line, Err(MoneyError::TooLarge));
    }

    #[test]
    fn decimals_come_from_text_without_floating_point() {
        assert_eq!(decimal_from_text("0.1").unwrap().to_string(), "0.1");
        assert_eq!(decimal_from_text("1e2").unwrap(), Decimal::from(100));
        assert_eq!(decimal_from_text("12.50E-3").unwrap().to_string(), "0.0125");
        assert_eq!(decimal_from_text("0e999").unwrap(), Decimal::ZERO);
        for inexact in [
            "1e400",
            "1e-29",
            "1.00000000000000000000000000001e0",
            "1e",
            "e1",
        ] {
            assert!(decimal_from_text(inexact).is_err(), "{inexact}");
        }
        assert!(decimal_from_text("0.12345678901234567890123456789012").is_err());
        assert!(decimal_from_text("NaN").is_err());
    }

    #[test]
    fn sums_stay_in_one_currency_and_in_range() {
        let one = Money::rounded(Decimal::ONE, usd()).unwrap();
        assert_eq!(one.plus(one).unwrap().to_string(), "2.00 USD");
        assert_eq!(
            one.plus(Money::zero("EUR".parse().unwrap())),
            Err(MoneyError::MixedCurrencies)
        );
        assert!(Money::rounded(Decimal::from(10_000_000_000_000_i64), usd()).is_err());
        assert!("US".parse::<Currency>().is_err());
        assert!("U1D".parse::<Currency>().is_err());
    }

    #[test]
    fn the_largest_amount_is_kept_and_a_cent_more_is_refused() {
        let largest = Decimal::from(AMOUNT_MAX);
        let kept = Money::rounded(largest, usd()).unwrap();
        assert_eq!(kept.to_string(), "9999999999999.00 USD");
        let more = Money::rounded(largest + Decimal::new(1, 2), usd());
        assert_eq!(more, Err(MoneyError::TooLarge));
    }

    #[test]
    fn nothing_times_anything_is_nothing() {
        let largest = Decimal::MAX;
        let broken = Decimal::new(1, 28);
        for other in [largest, broken, Decimal::new(1450, 2)] {
            let zero = Ok(Money::zero(usd()));
            assert_eq!(Money::of_line(Decimal::ZERO, other, usd()), zero);
            assert_eq!(Money::of_line(other, Decimal::new(0, 3), usd()), zero);
        }
    }

    #[test]
    fn a_currency_is_stored_as_its_code() {
        assert_eq!(serde_json::to_string(&usd()).unwrap(), "\"USD\"");
        let read: Currency = serde_json::from_str("\"usd\"").unwrap();
        assert_eq!(read, usd());
    }
}
