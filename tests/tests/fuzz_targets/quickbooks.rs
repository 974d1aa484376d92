//! Answers of QuickBooks: a total is the one that stands there or none, a bill is never passed over,
//! and nothing but a clear no says that a bill was not made or is not there.

use purser_core::{
    books::BillSummary,
    failure::{Failure, FailureClass},
    ids::BillId,
    notice::Code,
    ports::{Lane, Outside as _, QuickBooks},
};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::{
    answers::{Script, Scripted, exact},
    harness::{Target, World, run},
};

const TARGET: Target = Target {
    name: "quickbooks-answers",
    cases: 6_000,
    words: &[
        "create 200\n",
        "numbered 200\n",
        "bill 200\n",
        "created 200\n",
        "\"Bill\":",
        "\"Id\":\"151\"",
        "\"TotalAmt\":",
        "\"QueryResponse\":",
        "\"Fault\":{\"Error\":[{\"code\":\"610\"}]}",
        "\"Line\":[",
        "\"Amount\":",
        "\"TotalTax\":",
        "\"GlobalTaxCalculation\":\"TaxExcluded\"",
        "\"status\":\"Deleted\"",
        " 400\n",
        " 401\n",
        " 500\n",
        "retry-after: 7\n",
        "date: Thu, 15 Jan 2026 18:00:00 GMT\n",
    ],
};

struct Answers(Scripted);

impl World for Answers {
    fn build() -> Self {
        Self(Scripted::new(|path| path.starts_with("/v3/company")))
    }

    fn check(&mut self, input: &[u8]) -> String {
        let Some(script) = Script::read(input) else {
            return "no answer".to_owned();
        };
        self.0.answer(&script);
        let stage = &self.0.stage;
        let quickbooks = self.0.outside().quickbooks(&stage.tenant, Lane::Background);
        let quickbooks = self.0.runtime.block_on(quickbooks).expect("a client");
        let asked = Box::pin(ask(&*quickbooks, &script));
        let outcome = self.0.runtime.block_on(asked);
        if outcome.contains(Code::QuickBooksThrottled.as_str()) {
            // Who was asked for quiet makes no call for a while: the next input meets somebody new.
            *self = Self::build();
        }
        outcome
    }
}

/// Asks what the script is about and checks what is made of its answer.
async fn ask(quickbooks: &impl QuickBooks, script: &Script) -> String {
    let asked = match script.asked.as_str() {
        "create" => ask_create(quickbooks, script).await,
        "bill" => ask_bill(quickbooks, script).await,
        "numbered" => {
            let numbers = ["PO-1001".to_owned(), "PO-1002".to_owned()];
            let found = quickbooks.bills_numbered(&numbers).await;
            found.map(|bills| check_list(script, &bills))
        }
        "created" => {
            let at = |text: &str| text.parse().expect("a moment");
            let (from, to) = (at("2026-03-16T14:00:00Z"), at("2026-03-16T14:10:00Z"));
            let found = quickbooks.bills_created(from, to).await;
            found.map(|lookup| check_list(script, &lookup.bills))
        }
        "holders" => {
            let found = quickbooks.name_holders("Ingram Supply").await;
            found.map(|found| found.len())
        }
        "items" => {
            let found = quickbooks.items_named("Firewall 60F").await;
            found.map(|found| found.len())
        }
        "item" => {
            let id = "19".parse().expect("an id");
            let found = quickbooks.item(&id).await;
            found.map(|found| usize::from(found.is_some()))
        }
        "rate" => ask_rate(quickbooks, script).await,
        "books" => quickbooks.books().await.map(|books| books.vendors.len()),
        "changes" => {
            let since = "2026-03-16T13:00:00Z".parse().expect("a moment");
            let found = quickbooks.changes(since).await;
            found.map(|changes| changes.map_or(0, |(changes, _)| changes.vendors.len()))
        }
        _ => return "nothing asked".to_owned(),
    };
    match asked {
        Ok(count) => format!("{} {count}", script.asked),
        Err(failure) => format!("{} {} {}", script.asked, failure.class(), failure.code()),
    }
}

async fn ask_create(quickbooks: &impl QuickBooks, script: &Script) -> Result<usize, Failure> {
    let id = "REQUESTID1".parse().expect("a request id");
    quickbooks.prepare().await.expect("a token");
    let made = quickbooks.create_bill("{}", &id).await;
    check_no(script, made.as_ref().err());
    made.map(|created| {
        let body = script.json().expect("what was read is JSON");
        check_bill(&body["Bill"], &created.bill);
        1
    })
}

async fn ask_bill(quickbooks: &impl QuickBooks, script: &Script) -> Result<usize, Failure> {
    let id: BillId = "151".parse().expect("a bill id");
    let Some(bill) = quickbooks.bill(&id).await? else {
        let text = String::from_utf8_lossy(&script.body).into_owned();
        let is_no = text.contains("610") || text.to_lowercase().contains("deleted");
        let is_unknown = script.status.as_u16() == 404;
        assert!(
            is_no || is_unknown,
            "{text} was taken for a bill that is gone"
        );
        return Ok(0);
    };
    let body = script.json().expect("what was read is JSON");
    check_bill(&body["Bill"], &bill);
    Ok(1)
}

async fn ask_rate(quickbooks: &impl QuickBooks, script: &Script) -> Result<usize, Failure> {
    let euro = "EUR".parse().expect("a currency");
    let day = "2026-01-15".parse().expect("a day");
    let Some(rate) = quickbooks.exchange_rate(euro, day).await? else {
        return Ok(0);
    };
    assert!(holds(script.json().as_ref(), rate), "{rate} stands nowhere");
    Ok(1)
}

/// What is said about a bill that was not made: only a whole answer with a fault proves it.
fn check_no(script: &Script, failure: Option<&Failure>) {
    let Some(failure) = failure else {
        assert!(script.status.is_success());
        return;
    };
    if failure.class() != FailureClass::InDoubt {
        let text = String::from_utf8_lossy(&script.body).to_lowercase();
        let is_no = [400, 401, 403, 404, 429].contains(&script.status.as_u16());
        assert!(
            is_no && text.contains("fault") && text.contains("code"),
            "{failure:?} of {text}"
        );
    }
}

/// Whether a number stands anywhere in a body.
fn holds(body: Option<&Value>, number: Decimal) -> bool {
    fn any(value: &Value, number: Decimal) -> bool {
        match value {
            Value::Object(members) => members.values().any(|member| any(member, number)),
            Value::Array(rows) => rows.iter().any(|row| any(row, number)),
            other => exact(other) == Some(number),
        }
    }
    body.is_some_and(|body| any(body, number))
}

/// The total without tax, by what stands in a bill.
fn total(bill: &Value) -> Option<Decimal> {
    let lines = bill["Line"].as_array().cloned().unwrap_or_default();
    let booked = |line: &&Value| {
        let kind = line["DetailType"].as_str().unwrap_or_default();
        kind.ends_with("BasedExpenseLineDetail")
    };
    let booked: Vec<_> = lines.iter().filter(booked).collect();
    if bill["GlobalTaxCalculation"] == "TaxExcluded" && !booked.is_empty() {
        let mut sum = Decimal::ZERO;
        for line in booked {
            sum = sum.checked_add(exact(&line["Amount"])?)?;
        }
        return Some(sum);
    }
    let tax = match &bill["TxnTaxDetail"]["TotalTax"] {
        Value::Null => Decimal::ZERO,
        tax => exact(tax)?,
    };
    exact(&bill["TotalAmt"])?.checked_sub(tax)
}

/// The id of a row, which may be a number.
fn id_of(row: &Value) -> String {
    match &row["Id"] {
        Value::Number(id) => id.to_string(),
        id => id.as_str().unwrap_or_default().to_owned(),
    }
}

fn check_bill(bill: &Value, read: &BillSummary) {
    assert_eq!(Some(read.total), total(bill), "{bill}");
    let id = id_of(bill);
    assert_eq!(read.id.as_str(), id, "{bill}");
}

/// Every bill of a list is read, and a list is what the answer holds.
fn check_list(script: &Script, bills: &[BillSummary]) -> usize {
    assert!(
        script.status.is_success(),
        "{} was taken for a list",
        script.status
    );
    let body = script.json().expect("what was read is JSON");
    let response = body["QueryResponse"].as_object();
    let response = response.unwrap_or_else(|| panic!("there is no list in {body}"));
    let rows = match response.get("Bill") {
        None => Vec::new(),
        Some(rows) => {
            let rows = rows.as_array().cloned();
            rows.unwrap_or_else(|| panic!("{body} was taken for a list"))
        }
    };
    for row in &rows {
        let is_deleted = row["status"]
            .as_str()
            .is_some_and(|s| s.eq_ignore_ascii_case("deleted"));
        let id = id_of(row);
        let is_read = bills.iter().any(|bill| bill.id.as_str() == id);
        assert!(is_deleted || is_read, "{row} was passed over");
    }
    for bill in bills {
        let is_it = |row: &&Value| id_of(row) == bill.id.as_str();
        let mut own = rows.iter().filter(is_it);
        assert!(
            own.any(|row| total(row) == Some(bill.total)),
            "{bill:?} stands nowhere in {body}"
        );
    }
    bills.len()
}

#[test]
fn quickbooks_answers() {
    run::<Answers>(&TARGET);
}
