//! What we send: deterministic JSON of known members only.
//!
//! QuickBooks refuses unknown members (2010), so nothing is decorated, and an absent value is left
//! out instead of being null. No tax amount, no billable status, and never a request to allow a
//! duplicate number: that would switch off the last guard QuickBooks offers.

use purser_core::books::{BillDraft, BillLine, LineTarget, NewItem, NewParty};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Number, Value, json};

/// Longest `PurchaseDesc` of an Item.
const PURCHASE_DESCRIPTION_MAX: usize = 1000;

/// Encodes a bill: the same bytes for the same draft.
pub(crate) fn bill(draft: &BillDraft) -> String {
    let mut bill = Map::new();
    bill.insert("VendorRef".into(), reference(draft.vendor.as_str()));
    bill.insert(
        "APAccountRef".into(),
        reference(draft.payable_account.as_str()),
    );
    bill.insert("TxnDate".into(), Value::from(draft.date.to_string()));
    bill.insert("PrivateNote".into(), Value::from(draft.note.as_str()));
    if let Some(number) = &draft.number {
        bill.insert("DocNumber".into(), Value::from(number.as_str()));
    }
    if let Some(term) = &draft.term {
        bill.insert("SalesTermRef".into(), reference(term.as_str()));
    }
    if let Some((currency, rate)) = &draft.currency {
        bill.insert("CurrencyRef".into(), reference(currency.code()));
        bill.insert("ExchangeRate".into(), number(rate.normalize()));
    }
    if draft.amounts_exclude_tax {
        bill.insert("GlobalTaxCalculation".into(), Value::from("TaxExcluded"));
    }
    let lines = draft
        .lines
        .iter()
        .zip(1_u32..)
        .map(|(l, position)| line(l, position));
    bill.insert("Line".into(), lines.collect());
    Value::Object(bill).to_string()
}

fn line(line: &BillLine, position: u32) -> Value {
    let mut detail = Map::new();
    let detail_type = match &line.target {
        LineTarget::Item {
            item,
            quantity,
            unit_cost,
        } => {
            detail.insert("ItemRef".into(), reference(item.as_str()));
            detail.insert("Qty".into(), number(quantity.normalize()));
            detail.insert("UnitPrice".into(), number(unit_cost.normalize()));
            "ItemBasedExpenseLineDetail"
        }
        LineTarget::Account(account) => {
            detail.insert("AccountRef".into(), reference(account.as_str()));
            "AccountBasedExpenseLineDetail"
        }
    };
    if let Some(customer) = &line.customer {
        detail.insert("CustomerRef".into(), reference(customer.as_str()));
    }
    if let Some(tax_code) = &line.tax_code {
        detail.insert("TaxCodeRef".into(), reference(tax_code.as_str()));
    }
    let mut encoded = Map::new();
    encoded.insert("LineNum".into(), Value::from(position));
    encoded.insert("Amount".into(), number(line.amount));
    encoded.insert("DetailType".into(), Value::from(detail_type));
    encoded.insert(detail_type.into(), Value::Object(detail));
    if let Some(description) = &line.description {
        encoded.insert("Description".into(), Value::from(description.as_str()));
    }
    Value::Object(encoded)
}

fn reference(id: &str) -> Value {
    json!({ "value": id })
}

/// A JSON number with exactly the decimal's digits.
fn number(decimal: Decimal) -> Value {
    let digits: Number = decimal
        .to_string()
        .parse()
        .expect("a decimal is a JSON number");
    Value::Number(digits)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PartyWire<'a> {
    display_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    company_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_ref: Option<Value>,
}

/// Encodes a vendor or customer.
pub(crate) fn party(party: &NewParty) -> String {
    to_text(&PartyWire {
        display_name: &party.display_name,
        company_name: &party.company_name,
        currency_ref: party.currency.map(|currency| reference(currency.code())),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ItemWire<'a> {
    name: &'a str,
    #[serde(rename = "Type")]
    kind: &'static str,
    expense_account_ref: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase_desc: Option<String>,
}

/// Encodes an Item. Always non-inventory: an inventory Item would post stock nobody asked for.
pub(crate) fn item(item: &NewItem) -> String {
    let description = item
        .purchase_description
        .as_deref()
        .filter(|text| !text.is_empty());
    to_text(&ItemWire {
        name: &item.name,
        kind: "NonInventory",
        expense_account_ref: reference(item.expense_account.as_str()),
        sku: item.sku.as_deref().filter(|sku| !sku.is_empty()),
        purchase_desc: description
            .map(|text| text.chars().take(PURCHASE_DESCRIPTION_MAX).collect()),
    })
}

fn to_text<T: Serialize>(record: &T) -> String {
    serde_json::to_string(record).expect("texts and references are JSON")
}

#[cfg(test)]
mod tests {
    use purser_core::money::Money;

    use super::*;

    fn draft() -> BillDraft {
        let usd = "USD".parse().unwrap();
        BillDraft {
            vendor: "56".parse().unwrap(),
            payable_account: "33".parse().unwrap(),
            date: "2026-01-15".parse().unwrap(),
            number: None,
            note: "Autotask PO 1 \"x\"".into(),
            term: None,
            currency: None,
            lines: vec![
                BillLine {
                    description: Some("Cable".into()),
                    amount: "1861.08".parse().unwrap(),
                    target: LineTarget::Item {
                        item: "19".parse().unwrap(),
                        quantity: "128.350".parse().unwrap(),
                        unit_cost: "14.50".parse().unwrap(),
                    },
                    customer: None,
                    tax_code: None,
                },
                BillLine {
                    description: None,
                    amount: "0.10".parse().unwrap(),
                    target: LineTarget::Account("7".parse().unwrap()),
                    customer: Some("3".parse().unwrap()),
                    tax_code: Some("5".parse().unwrap()),
                },
            ],
            total: Money::rounded("1861.18".parse().unwrap(), usd).unwrap(),
            amounts_exclude_tax: false,
        }
    }

    #[test]
    fn a_bill_holds_known_members_and_exact_numbers_only() {
        assert_eq!(
            bill(&draft()),
            concat!(
                r#"{"APAccountRef":{"value":"33"},"Line":[{"Amount":1861.08,"Description":"Cable","#,
                r#""DetailType":"ItemBasedExpenseLineDetail","ItemBasedExpenseLineDetail":"#,
                r#"{"ItemRef":{"value":"19"},"Qty":128.35,"UnitPrice":14.5},"LineNum":1},"#,
                r#"{"AccountBasedExpenseLineDetail":{"AccountRef":{"value":"7"},"#,
                r#""CustomerRef":{"value":"3"},"TaxCodeRef":{"value":"5"}},"Amount":0.10,"#,
                r#""DetailType":"AccountBasedExpenseLineDetail","LineNum":2}],"#,
                r#""PrivateNote":"Autotask PO 1 \"x\"","TxnDate":"2026-01-15","#,
                r#""VendorRef":{"value":"56"}}"#
            )
        );
        assert_eq!(bill(&draft()), bill(&draft().clone()));
    }

    #[test]
    fn optional_members_appear_when_they_are_set() {
        let mut draft = draft();
        draft.number = Some("PO-1".into());
        draft.term = Some("3".parse().unwrap());
        draft.currency = Some(("EUR".parse().unwrap(), "1.085700".parse().unwrap()));
        draft.amounts_exclude_tax = true;
        let body: Value = serde_json::from_str(&bill(&draft)).unwrap();
        assert_eq!(body["DocNumber"], "PO-1");
        assert_eq!(body["SalesTermRef"]["value"], "3");
        assert_eq!(body["CurrencyRef"]["value"], "EUR");
        assert_eq!(body["ExchangeRate"].to_string(), "1.0857");
        assert_eq!(body["GlobalTaxCalculation"], "TaxExcluded");
        let text = bill(&draft);
        for never in [
            "Billable",
            "Tax\":",
            "TaxAmount",
            "TxnTaxDetail",
            "null",
            "allowduplicate",
        ] {
            assert!(!text.contains(never), "{never}");
        }
    }

    #[test]
    fn names_are_created_with_nothing_more_than_needed() {
        let mut new = NewParty {
            display_name: "A".into(),
            company_name: "B".into(),
            currency: None,
        };
        assert_eq!(party(&new), r#"{"DisplayName":"A","CompanyName":"B"}"#);
        new.currency = Some("EUR".parse().unwrap());
        assert_eq!(
            party(&new),
            r#"{"DisplayName":"A","CompanyName":"B","CurrencyRef":{"value":"EUR"}}"#
        );
        let mut new = NewItem {
            name: "Hose".into(),
            sku: None,
            purchase_description: Some("é".repeat(1200)),
            expense_account: "80".parse().unwrap(),
        };
        let body: Value = serde_json::from_str(&item(&new)).unwrap();
        assert_eq!(body["PurchaseDesc"].as_str().unwrap().chars().count(), 1000);
        new.purchase_description = None;
        new.sku = Some("H-1".into());
        assert_eq!(
            item(&new),
            r#"{"Name":"Hose","Type":"NonInventory","ExpenseAccountRef":{"value":"80"},"Sku":"H-1"}"#
        );
    }
}
