//! The port's questions, against a scripted QuickBooks.

mod reading;
mod sending;

use serde_json::json;

use crate::testing::{Reply, Seen, fault, ok};

fn rows(entity: &str, rows: &[serde_json::Value]) -> Reply {
    ok(json!({ "QueryResponse": { entity: rows }, "time": "x" }).to_string())
}

fn empty() -> Reply {
    ok(r#"{"QueryResponse":{},"time":"2026-01-15T10:00:00-08:00"}"#)
}

fn bill(number: usize) -> serde_json::Value {
    json!({ "Id": number.to_string(), "TotalAmt": 10.5, "DocNumber": format!("N{number}"),
            "VendorRef": { "value": "56", "name": "Bob" }, "PrivateNote": "note" })
}

fn entity_of(seen: &Seen) -> String {
    let rest = seen.body.strip_prefix("SELECT * FROM ").unwrap_or_default();
    rest.split(' ').next().unwrap_or_default().to_owned()
}

fn realm(seen: &Seen, country: &str) -> Reply {
    let dated = |body: String, date: &str| Reply::Headers(200, body, vec![("date", date.into())]);
    if seen.path.contains("companyinfo") {
        let info = json!({ "CompanyInfo": { "CompanyName": "Larry's", "Country": country,
            "DefaultTimeZone": "America/New_York", "WebAddr": null, "Id": "1",
            "NameValue": [{ "Name": "OfferingSku", "Value": "QuickBooks Online Plus" }] } });
        return dated(info.to_string(), "Thu, 15 Jan 2026 18:00:07 GMT");
    }
    if seen.path.contains("preferences") {
        let prefs = json!({ "Preferences": {
            "CurrencyPrefs": { "HomeCurrency": { "value": "USD" }, "MultiCurrencyEnabled": true },
            "AccountingInfoPrefs": { "BookCloseDate": "2025-12-31" },
            "VendorAndPurchasesPrefs": { "TrackingByCustomer": true } } });
        return dated(prefs.to_string(), "Thu, 15 Jan 2026 18:00:09 GMT");
    }
    match entity_of(seen).as_str() {
        "Vendor" => rows(
            "Vendor",
            &[
                json!({ "Id": "56", "DisplayName": "Bob", "Balance": 0,
            "CurrencyRef": { "value": "EUR" } }),
                json!({ "Id": "57" }),
            ],
        ),
        "Account" => rows(
            "Account",
            &[
                json!({ "Id": "33", "Name": "A/P", "AccountType": "Accounts Payable" }),
                json!({ "Id": "7", "Name": "B", "FullyQualifiedName": "A:B",
                    "AccountType": "Cost of Goods Sold", "Active": false }),
            ],
        ),
        "Item" => rows(
            "Item",
            &[json!({ "Id": "19", "Name": "Hose", "Type": "Service" })],
        ),
        "Term" => fault(400, "5030"),
        "TaxCode" => rows("TaxCode", &[json!({ "Id": "5", "Name": "GST" })]),
        _ => empty(),
    }
}
