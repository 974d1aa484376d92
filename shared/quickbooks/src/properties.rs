//! What holds for every bill, name and address that this crate writes or reads: see the README of
//! `purser-cases`.

use jiff::{SignedDuration, Timestamp};
use proptest::{option, prelude::*, sample::select};
use purser_cases::{config, text};
use purser_core::{
    books::{BillDraft, BillLine, LineTarget, NewItem, NewParty},
    money::{Money, decimal_from_text},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    discovery::trusted_url,
    encode,
    query::Statement,
    wire::{self, BillWire},
};

/// An amount of whole cents.
fn amount() -> impl Strategy<Value = Decimal> {
    (0..1_000_000_000_000_i64, 0..=40_u32)
        .prop_map(|(cents, shift)| Decimal::new(cents >> shift, 2))
}

fn number() -> impl Strategy<Value = Decimal> {
    (0..1_000_000_000_i64, 0..=28_u32, 0..=7_u32)
        .prop_map(|(mantissa, shift, scale)| Decimal::new(mantissa >> shift, scale))
}

fn line() -> impl Strategy<Value = BillLine> {
    let item = (number(), number()).prop_map(|(quantity, unit_cost)| LineTarget::Item {
        item: "19".parse().unwrap(),
        quantity,
        unit_cost,
    });
    let account = Just(LineTarget::Account("7".parse().unwrap()));
    let target = prop_oneof![item, account];
    (option::of(text(30)), amount(), target, any::<[bool; 2]>()).prop_map(
        |(description, amount, target, [has_customer, has_code])| BillLine {
            description,
            amount,
            target,
            customer: has_customer.then(|| "3".parse().unwrap()),
            tax_code: has_code.then(|| "5".parse().unwrap()),
        },
    )
}

fn draft() -> impl Strategy<Value = BillDraft> {
    let lines = proptest::collection::vec(line(), 1..6);
    let currency = option::of(number().prop_map(|rate| ("EUR".parse().unwrap(), rate)));
    (
        lines,
        text(60),
        option::of(text(21)),
        currency,
        any::<bool>(),
    )
        .prop_map(|(lines, note, number, currency, amounts_exclude_tax)| {
            let total = lines.iter().map(|line| line.amount).sum();
            BillDraft {
                vendor: "56".parse().unwrap(),
                payable_account: "33".parse().unwrap(),
                date: "2026-01-15".parse().unwrap(),
                number,
                note,
                term: None,
                currency,
                lines,
                total: Money::rounded(total, "USD".parse().unwrap()).unwrap(),
                amounts_exclude_tax,
            }
        })
}

/// The exact number in a member of a body.
fn exact(value: &Value) -> Decimal {
    assert!(value.is_number(), "{value}");
    decimal_from_text(&value.to_string()).unwrap()
}

/// The text in a member of a body; `None` when there is no such member.
fn text_in<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).map(|text| text.as_str().unwrap())
}

fn texts_of<'v>(value: &'v Value, texts: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => members.values().for_each(|member| texts_of(member, texts)),
        Value::Array(rows) => rows.iter().for_each(|row| texts_of(row, texts)),
        other => texts.push(other),
    }
}

/// An address that looks like one of Intuit's.
fn address() -> impl Strategy<Value = String> {
    let scheme = select(vec![
        "https://",
        "http://",
        "HTTPS://",
        "ftp://",
        "//",
        "javascript:",
        "",
    ]);
    let before = select(vec![
        "",
        "me@",
        "a:b@",
        "intuit.com@",
        "x.",
        "oauth.platform.",
        "evil",
    ]);
    let host = select(vec![
        "intuit.com",
        "INTUIT.com",
        "intuit.com.",
        "intuit.com.evil.example",
        "evil.example",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "0x7f.1",
        "intuit\u{3002}com",
        "\u{ff49}ntuit.com",
    ]);
    let port = select(vec!["", ":443", ":8443", ":0"]);
    (scheme, before, host, port, text(6)).prop_map(|(scheme, before, host, port, path)| {
        format!("{scheme}{before}{host}{port}/{path}")
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_bill_is_sent_with_every_digit_and_every_letter(draft in draft()) {
        let body = encode::bill(&draft);
        prop_assert_eq!(encode::bill(&draft.clone()), body.as_str());
        let sent: Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(&sent["PrivateNote"], &json!(draft.note));
        prop_assert_eq!(text_in(&sent, "DocNumber"), draft.number.as_deref());
        let rate = draft.currency.map(|(_, rate)| rate);
        prop_assert_eq!(sent.get("ExchangeRate").map(exact), rate);
        let lines = sent["Line"].as_array().unwrap();
        prop_assert_eq!(lines.len(), draft.lines.len());
        let mut sum = Decimal::ZERO;
        for (sent, line) in lines.iter().zip(&draft.lines) {
            prop_assert_eq!(sent["Amount"].to_string(), line.amount.to_string());
            sum += exact(&sent["Amount"]);
            prop_assert_eq!(text_in(sent, "Description"), line.description.as_deref());
            if let LineTarget::Item { quantity, unit_cost, .. } = &line.target {
                let detail = &sent["ItemBasedExpenseLineDetail"];
                prop_assert_eq!(exact(&detail["Qty"]), *quantity);
                prop_assert_eq!(exact(&detail["UnitPrice"]), *unit_cost);
            }
        }
        prop_assert_eq!(sum, draft.total.amount());
        // QuickBooks refuses what it does not know, and null is not nothing.
        let mut all = Vec::new();
        texts_of(&sent, &mut all);
        prop_assert!(all.iter().all(|value| value.is_string() || value.is_number()), "{body}");
    }

    #[test]
    fn what_quickbooks_keeps_of_a_bill_is_read_back_to_the_cent(
        draft in draft(),
        tax in amount(),
        as_text: bool,
    ) {
        let mut kept: Value = serde_json::from_str(&encode::bill(&draft)).unwrap();
        let of = |number: Decimal| match as_text {
            true => Value::from(number.to_string()),
            false => serde_json::from_str(&number.to_string()).unwrap(),
        };
        kept["Id"] = json!(151);
        kept["TotalAmt"] = of(draft.total.amount() + tax);
        kept["TxnTaxDetail"] = json!({ "TotalTax": of(tax), "TaxLine": [] });
        kept["SyncToken"] = Value::Null;
        let bill: BillWire = wire::read(&kept).unwrap();
        let read = bill.into_created().unwrap();
        prop_assert_eq!(read.bill.total, draft.total.amount());
        prop_assert_eq!(read.currency, draft.currency.map(|(currency, _)| currency));
        prop_assert_eq!(read.bill.vendor, Some(draft.vendor));
        let blank = |text: &String| text.trim().is_empty();
        prop_assert_eq!(read.bill.note, Some(draft.note).filter(|note| !blank(note)));
        prop_assert_eq!(read.bill.number, draft.number.filter(|number| !blank(number)));
    }

    #[test]
    fn names_are_sent_letter_by_letter(
        texts in [text(30), text(30), text(30)],
        has_text: bool,
    ) {
        let [name, company, description] = texts;
        let party = NewParty {
            display_name: name.clone(),
            company_name: company.clone(),
            currency: None,
        };
        let sent: Value = serde_json::from_str(&encode::party(&party)).unwrap();
        prop_assert_eq!(&sent["DisplayName"], &json!(name));
        let company = Some(company).filter(|company| !company.is_empty());
        prop_assert_eq!(text_in(&sent, "CompanyName"), company.as_deref());
        let item = NewItem {
            name: name.clone(),
            sku: None,
            purchase_description: has_text.then_some(description.clone()),
            expense_account: "80".parse().unwrap(),
        };
        let sent: Value = serde_json::from_str(&encode::item(&item)).unwrap();
        prop_assert_eq!(&sent["Name"], &json!(name));
        let description = Some(description).filter(|text| has_text && !text.is_empty());
        prop_assert_eq!(text_in(&sent, "PurchaseDesc"), description.as_deref());
    }

    #[test]
    fn bills_of_a_time_are_asked_for_with_its_last_second(
        begin in 0..4_000_000_000_000_i64,
        length in 0..10_000_000_i64,
        place in 0..=1_000_i64,
        is_rounded: bool,
    ) {
        let from = Timestamp::from_millisecond(begin).unwrap();
        let to = from + SignedDuration::from_millis(length);
        let made = from + SignedDuration::from_millis(length * place / 1_000);
        // QuickBooks tells and compares whole seconds; whether it rounds or cuts is not told.
        let more = i64::from(is_rounded && made.subsec_nanosecond() > 0);
        let kept = Timestamp::from_second(made.as_second() + more).unwrap();
        let page = Statement::bills_created(from, to).page(1);
        let quoted: Vec<Timestamp> = page
            .split('\'')
            .skip(1)
            .step_by(2)
            .map(|text| text.parse().unwrap())
            .collect();
        prop_assert!(quoted[0] <= kept && kept <= quoted[1], "{page}");
        let second = SignedDuration::from_secs(1);
        prop_assert!(from - quoted[0] < second && quoted[1] <= to + second);
    }

    #[test]
    fn a_secret_is_sent_to_intuit_alone(text in prop_oneof![3 => address(), 1 => text(30)]) {
        if let Ok(url) = trusted_url(&text, false) {
            prop_assert_eq!(url.scheme(), "https");
            prop_assert_eq!(url.port(), None);
            let host = url.host_str().unwrap();
            prop_assert!(host == "intuit.com" || host.ends_with(".intuit.com"), "{url}");
            prop_assert!(url.username().is_empty() && url.password().is_none(), "{url}");
        }
        if let Ok(url) = trusted_url(&text, true) {
            let host = url.host_str().unwrap();
            let is_local = ["localhost", "[::1]"].contains(&host) || host.starts_with("127.");
            prop_assert!(is_local || host == "intuit.com" || host.ends_with(".intuit.com"));
        }
    }

    #[test]
    fn a_total_that_cannot_be_read_exactly_is_never_another_one(
        total in "-?[0-9]{1,3}(\\.[0-9]{1,3})?(e[0-9])?",
        broken in select(vec!["TotalAmt", "Amount", "TotalTax"]),
        junk in prop_oneof![
            Just(json!("12,00")),
            Just(json!("")),
            Just(json!([])),
            Just(json!({ "value": 1 })),
            Just(json!(true)),
            Just(serde_json::from_str("1e400").unwrap()),
            Just(serde_json::from_str("7.9e28").unwrap()),
            text(6).prop_map(Value::from),
        ],
    ) {
        let number: Value = serde_json::from_str(&total).unwrap_or(json!(5));
        let of = |name: &str| if name == broken { junk.clone() } else { number.clone() };
        let line = |amount| json!({ "Amount": amount, "DetailType": "ItemBasedExpenseLineDetail" });
        for excluded in [true, false] {
            let mut bill = json!({
                "Id": "1",
                "TotalAmt": of("TotalAmt"),
                "TxnTaxDetail": { "TotalTax": of("TotalTax") },
                "Line": [line(of("Amount")), line(of("Amount")), line(number.clone())],
            });
            if excluded {
                bill["GlobalTaxCalculation"] = json!("TaxExcluded");
            }
            let read = wire::read::<BillWire>(&bill).and_then(BillWire::into_created);
            let Some(read) = read else { continue };
            // Whatever was read is what stands there.
            let exact = |value: Value| match value {
                Value::Number(number) => decimal_from_text(&number.to_string()).ok(),
                Value::String(text) => decimal_from_text(&text).ok(),
                _ => None,
            };
            let wanted = match excluded {
                true => exact(of("Amount"))
                    .and_then(|two| two.checked_add(two)?.checked_add(exact(number.clone())?)),
                false => exact(of("TotalAmt"))
                    .and_then(|total| total.checked_sub(exact(of("TotalTax"))?)),
            };
            prop_assert_eq!(Some(read.bill.total), wanted, "{}", bill);
        }
    }
}
