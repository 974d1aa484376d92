//! One company's settings: what `companyinfo` and `preferences` show, and what the rules ask.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The company to be made: everything has a sensible value for a US company on the Plus plan.
#[derive(Clone, Debug)]
pub struct RealmSeed {
    /// The realm id: decimal digits.
    pub realm: String,
    /// The name people see.
    pub company_name: String,
    /// Two-letter country.
    pub country: String,
    /// ISO code of the home currency.
    pub home_currency: String,
    /// True when the company uses other currencies too.
    pub multi_currency: bool,
    /// The company's own time zone (shown only; the service itself runs on Pacific time).
    pub time_zone: String,
    /// The plan, for example `QuickBooks Online Plus`.
    pub plan: String,
}

impl RealmSeed {
    /// A US company with US dollars only.
    #[must_use]
    pub fn new(realm: &str, company_name: &str) -> Self {
        Self {
            realm: realm.to_owned(),
            company_name: company_name.to_owned(),
            country: "US".to_owned(),
            home_currency: "USD".to_owned(),
            multi_currency: false,
            time_zone: "America/New_York".to_owned(),
            plan: "QuickBooks Online Plus".to_owned(),
        }
    }

    /// Changes the country and its currency.
    #[must_use]
    pub fn in_country(mut self, country: &str, home_currency: &str) -> Self {
        country.clone_into(&mut self.country);
        home_currency.clone_into(&mut self.home_currency);
        self
    }

    /// Turns multi-currency on.
    #[must_use]
    pub fn with_multi_currency(mut self) -> Self {
        self.multi_currency = true;
        self
    }
}

/// Home units for one unit of a foreign currency, from a day on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rate {
    pub(super) currency: String,
    pub(super) as_of: Date,
    pub(super) home_units: Decimal,
}

/// The stored settings of one realm.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Profile {
    pub(super) realm: String,
    pub(super) company_name: String,
    pub(super) country: String,
    pub(super) time_zone: String,
    pub(super) plan: String,
    pub(super) subscription_ended: bool,
    pub(super) user_removed: bool,
    pub(super) preferences: Value,
    pub(super) other_preferences: BTreeMap<String, String>,
    pub(super) preferences_sync: u64,
    pub(super) rates: Vec<Rate>,
}

impl Profile {
    pub(super) fn new(seed: RealmSeed) -> Self {
        let preferences = default_preferences(&seed);
        let other_preferences = [
            ("WarnDuplicateBillNumber", "true"),
            ("WarnDuplicateCheckNumber", "true"),
            ("WarnDuplicateJournalNumber", "false"),
            ("DateFormat", "Month Date Year separated by a slash"),
            ("NumberFormatMnemonic", "US_NB"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            realm: seed.realm,
            company_name: seed.company_name,
            country: seed.country,
            time_zone: seed.time_zone,
            plan: seed.plan,
            subscription_ended: false,
            user_removed: false,
            preferences,
            other_preferences: BTreeMap::from(other_preferences),
            preferences_sync: 0,
            rates: Vec::new(),
        }
    }

    pub(super) fn is_us(&self) -> bool {
        self.country == "US"
    }

    pub(super) fn home_currency(&self) -> &str {
        self.preference("CurrencyPrefs.HomeCurrency.value")
            .and_then(Value::as_str)
            .unwrap_or("USD")
    }

    pub(super) fn multi_currency(&self) -> bool {
        self.flag("CurrencyPrefs.MultiCurrencyEnabled")
    }

    pub(super) fn book_close_date(&self) -> Option<Date> {
        self.preference("AccountingInfoPrefs.BookCloseDate")
            .and_then(Value::as_str)
            .and_then(|date| date.parse().ok())
    }

    /// True when the preference at `path` is `true`, as a flag or as text.
    pub(super) fn flag(&self, path: &str) -> bool {
        if let Some(name) = path.strip_prefix("OtherPrefs.") {
            return self
                .other_preferences
                .get(name)
                .is_some_and(|value| value == "true");
        }
        self.preference(path)
            .is_some_and(|value| value == &Value::Bool(true))
    }

    fn preference(&self, path: &str) -> Option<&Value> {
        path.split('.')
            .try_fold(&self.preferences, |value, part| value.get(part))
    }

    /// Sets the preference at a dotted path; `OtherPrefs.X` sets the name-value pair X.
    pub(super) fn set_preference(&mut self, path: &str, value: Value) {
        self.preferences_sync += 1;
        if let Some(name) = path.strip_prefix("OtherPrefs.") {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            self.other_preferences.insert(name.to_owned(), text);
            return;
        }
        let mut place = &mut self.preferences;
        for part in path.split('.') {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            place = &mut place[part];
        }
        *place = value;
    }

    /// The rate of `currency` on `day`: the newest one not after it.
    pub(super) fn rate(&self, currency: &str, day: Date) -> Option<&Rate> {
        self.rates
            .iter()
            .filter(|rate| rate.currency == currency && rate.as_of <= day)
            .max_by_key(|rate| rate.as_of)
    }

    pub(super) fn preferences_body(&self) -> Value {
        let mut body = self.preferences.clone();
        let pairs: Vec<Value> = self
            .other_preferences
            .iter()
            .map(|(name, value)| json!({ "Name": name, "Value": value }))
            .collect();
        body["OtherPrefs"] = json!({ "NameValue": pairs });
        body["domain"] = json!("QBO");
        body["sparse"] = json!(false);
        body["Id"] = json!("1");
        body["SyncToken"] = json!(self.preferences_sync.to_string());
        body
    }

    pub(super) fn company_info_body(&self) -> Value {
        let address = json!({
            "Id": "1",
            "Line1": "1 Example Street",
            "City": "Springfield",
            "Country": self.country,
            "PostalCode": "94043",
        });
        let status = if self.subscription_ended {
            "CANCELLED"
        } else {
            "PAID"
        };
        json!({
            "CompanyName": self.company_name,
            "LegalName": self.company_name,
            "CompanyAddr": address,
            "CustomerCommunicationAddr": address,
            "LegalAddr": address,
            "PrimaryPhone": { "FreeFormNumber": "(555) 555-0100" },
            "CompanyStartDate": "2015-06-05",
            "FiscalYearStartMonth": "January",
            "Country": self.country,
            "Email": { "Address": "office@example.test" },
            "WebAddr": {},
            "SupportedLanguages": "en",
            "DefaultTimeZone": self.time_zone,
            "NameValue": [
                { "Name": "SubscriptionStatus", "Value": status },
                { "Name": "OfferingSku", "Value": self.plan },
                { "Name": "ItemCategoriesFeature", "Value": "true" },
            ],
            "domain": "QBO",
            "sparse": false,
            "Id": "1",
            "SyncToken": "4",
            "MetaData": {
                "CreateTime": "2015-06-05T13:55:54-07:00",
                "LastUpdatedTime": "2015-07-06T08:51:50-07:00",
            },
        })
    }
}

fn default_preferences(seed: &RealmSeed) -> Value {
    let tracks = !seed.plan.contains("Simple Start") && !seed.plan.contains("Essentials");
    json!({
        "AccountingInfoPrefs": {
            "UseAccountNumbers": false,
            "TrackDepartments": tracks,
            "ClassTrackingPerTxn": false,
            "ClassTrackingPerTxnLine": tracks,
            "FirstMonthOfFiscalYear": "January",
            "TaxYearMonth": "January",
            "CustomerTerminology": "Customers",
            "DepartmentTerminology": "Location",
        },
        "ProductAndServicesPrefs": {
            "ForSales": true,
            "ForPurchase": true,
            "QuantityWithPriceAndRate": true,
            "QuantityOnHand": tracks,
        },
        "SalesFormsPrefs": { "CustomTxnNumbers": false },
        "VendorAndPurchasesPrefs": {
            "TrackingByCustomer": tracks,
            "BillableExpenseTracking": tracks,
            "POCustomField": [],
        },
        "TaxPrefs": { "UsingSalesTax": true },
        "TimeTrackingPrefs": { "UseServices": true },
        "CurrencyPrefs": {
            "MultiCurrencyEnabled": seed.multi_currency,
            "HomeCurrency": { "value": seed.home_currency },
        },
        "ReportPrefs": { "ReportBasis": "Accrual" },
        "EmailMessagesPrefs": {},
    })
}

/// The English name of a currency, for `CurrencyRef.name`.
pub(super) fn currency_name(code: &str) -> &str {
    match code {
        "USD" => "United States Dollar",
        "CAD" => "Canadian Dollar",
        "EUR" => "Euro",
        "GBP" => "British Pound Sterling",
        "AUD" => "Australian Dollar",
        "NZD" => "New Zealand Dollar",
        "JPY" => "Japanese Yen",
        "INR" => "Indian Rupee",
        "CHF" => "Swiss Franc",
        other => other,
    }
}
