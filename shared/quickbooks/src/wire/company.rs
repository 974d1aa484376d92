//! `CompanyInfo` and `Preferences`: the realm as its owner set it up.

use jiff::civil::Date;
use purser_core::money::Currency;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::{Reference, currency, decimal, flag, text};

/// `CompanyInfo`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct CompanyInfoWire {
    #[serde(deserialize_with = "text")]
    pub(crate) company_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(crate) legal_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(crate) country: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(crate) default_time_zone: Option<String>,
    name_value: Vec<NameValue>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct NameValue {
    #[serde(deserialize_with = "text")]
    name: Option<String>,
    #[serde(deserialize_with = "text")]
    value: Option<String>,
}

impl CompanyInfoWire {
    /// The plan as QuickBooks names it.
    pub(crate) fn plan(&self) -> Option<String> {
        let named = |pair: &&NameValue| pair.name.as_deref() == Some("OfferingSku");
        self.name_value.iter().find(named)?.value.clone()
    }
}

/// `Preferences`, cut to what decisions need.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PreferencesWire {
    #[serde(rename = "CurrencyPrefs")]
    currency: CurrencyPrefs,
    #[serde(rename = "AccountingInfoPrefs")]
    accounting: AccountingInfoPrefs,
    #[serde(rename = "VendorAndPurchasesPrefs")]
    purchases: VendorAndPurchasesPrefs,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct CurrencyPrefs {
    #[serde(deserialize_with = "flag")]
    multi_currency_enabled: Option<bool>,
    home_currency: Option<Reference>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct AccountingInfoPrefs {
    #[serde(deserialize_with = "text")]
    book_close_date: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct VendorAndPurchasesPrefs {
    #[serde(deserialize_with = "flag")]
    tracking_by_customer: Option<bool>,
}

impl PreferencesWire {
    /// Whether multi-currency is on.
    pub(crate) fn multi_currency(&self) -> bool {
        self.currency.multi_currency_enabled.unwrap_or(false)
    }

    /// The home currency, when it is told.
    pub(crate) fn home_currency(&self) -> Option<Currency> {
        currency(self.currency.home_currency.as_ref())
    }

    /// The day up to which the books are closed.
    pub(crate) fn book_close_date(&self) -> Option<Date> {
        let text = self.accounting.book_close_date.as_deref()?;
        text.get(..10)?.parse().ok()
    }

    /// Whether bill lines may name a customer.
    pub(crate) fn tracks_customers(&self) -> bool {
        self.purchases.tracking_by_customer.unwrap_or(false)
    }
}

/// An exchange rate.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct RateWire {
    #[serde(deserialize_with = "decimal")]
    rate: Option<Decimal>,
}

impl RateWire {
    /// Home units for one foreign unit; a rate of 0 is none.
    pub(crate) fn rate(&self) -> Option<Decimal> {
        self.rate
            .filter(|rate| rate.is_sign_positive() && !rate.is_zero())
    }
}

/// The record `name` of an answer: bare, or as the only row of a query.
pub(crate) fn single<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    let in_query = || body.get("QueryResponse")?.get(name);
    match body.get(name).or_else(in_query)? {
        Value::Array(rows) => rows.first(),
        record @ Value::Object(_) => Some(record),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_answer_are_read() {
        for body in [
            r#"{"CompanyInfo":{"CompanyName":"Larry's"},"time":"x"}"#,
            r#"{"QueryResponse":{"CompanyInfo":[{"CompanyName":"Larry's"}]}}"#,
        ] {
            let body: Value = serde_json::from_str(body).unwrap();
            let record = single(&body, "CompanyInfo").unwrap();
            let info: CompanyInfoWire = serde_json::from_value(record.clone()).unwrap();
            assert_eq!(info.company_name.as_deref(), Some("Larry's"));
        }
        assert!(single(&serde_json::json!({"QueryResponse":{}}), "CompanyInfo").is_none());
    }

    #[test]
    fn preferences_are_found_where_they_are_nested() {
        let prefs: PreferencesWire = serde_json::from_str(
            r#"{"CurrencyPrefs":{"HomeCurrency":{"value":"CAD"},"MultiCurrencyEnabled":true},
                "AccountingInfoPrefs":{"BookCloseDate":"2025-12-31"},
                "VendorAndPurchasesPrefs":{"TrackingByCustomer":true}}"#,
        )
        .unwrap();
        assert!(prefs.multi_currency() && prefs.tracks_customers());
        assert_eq!(prefs.home_currency().unwrap().code(), "CAD");
        assert_eq!(prefs.book_close_date().unwrap().to_string(), "2025-12-31");
        let empty = PreferencesWire::default();
        assert!(!empty.multi_currency() && empty.book_close_date().is_none());
    }
}
