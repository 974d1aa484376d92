//! Bills and purchase orders: create, update, delete.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    accounts::due_date,
    kind::Kind,
    lines::{Header, one_foreign_currency, settle},
    refusal::Refusal,
    rules::{Rules, check_body, default, merged, versioned},
    switches::DocNumberRule,
    value::{decimal, money, ref_to, reference, text},
    world::{Record, World},
};

/// Creates or updates a bill or a purchase order; answers its id.
pub(super) fn save(
    world: &mut World,
    rules: Rules<'_>,
    kind: Kind,
    sent: &Map<String, Value>,
) -> Result<u64, Refusal> {
    check_body(world, rules, kind, sent)?;
    let old = if sent.contains_key("Id") {
        Some(versioned(world, kind, sent)?)
    } else {
        None
    };
    if let Some(old) = old {
        check_open(world, old.text("TxnDate").unwrap_or_default())?;
    }
    let mut body = merged(old, sent, &["LinkedTxn"]);
    check_required(kind, &body)?;
    let currency = settle_currency(world, &mut body)?;
    settle_payable(world, kind, &currency, &mut body)?;
    settle_dates(world, rules, &mut body)?;
    check_header(world, &body)?;
    check_number(world, rules, kind, &mut body, old)?;
    settle_lines(world, rules, &currency, &mut body)?;
    settle_links(world, kind, &mut body)?;
    if kind == Kind::PurchaseOrder {
        default(&mut body, "POStatus", json!("Open"));
        default(&mut body, "EmailStatus", json!("NotSet"));
        body.remove("Balance");
    }
    if let Some(id) = old.map(|record| record.id) {
        world.change(kind, id, body, rules.now);
        return Ok(id);
    }
    Ok(world.add(kind, body, rules.now))
}

/// Deletes a bill or purchase order; answers its id.
pub(super) fn delete(
    world: &mut World,
    rules: Rules<'_>,
    kind: Kind,
    sent: &Map<String, Value>,
) -> Result<u64, Refusal> {
    check_body(world, rules, kind, sent)?;
    let record = versioned(world, kind, sent)?;
    check_open(world, record.text("TxnDate").unwrap_or_default())?;
    if is_paid(record) {
        return Err(Refusal::business(
            "You must delete or unlink the payments of this transaction first.",
        ));
    }
    let id = record.id;
    world.delete(kind, id, rules.now);
    Ok(id)
}

fn is_paid(record: &Record) -> bool {
    record
        .body
        .get("LinkedTxn")
        .and_then(Value::as_array)
        .is_some_and(|links| {
            links
                .iter()
                .any(|link| link["TxnType"] == "BillPaymentCheck")
        })
}

fn check_open(world: &World, date: &str) -> Result<(), Refusal> {
    let date: Option<Date> = date.parse().ok();
    match (world.profile.book_close_date(), date) {
        (Some(close), Some(date)) if date <= close => Err(Refusal::books_closed()),
        _ => Ok(()),
    }
}

fn check_required(kind: Kind, body: &Map<String, Value>) -> Result<(), Refusal> {
    let mut missing = Vec::new();
    if !body.contains_key("VendorRef") {
        missing.push(Refusal::missing("VendorRef"));
    }
    if body
        .get("Line")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        missing.push(Refusal::missing("Line"));
    }
    if kind == Kind::PurchaseOrder && !body.contains_key("APAccountRef") {
        missing.push(Refusal::missing("APAccountRef"));
    }
    Refusal::all(missing).map_or(Ok(()), Err)
}

/// The bill's currency is its vendor's; a foreign one needs a rate.
fn settle_currency(world: &World, body: &mut Map<String, Value>) -> Result<String, Refusal> {
    let vendor_id = reference(body, "VendorRef").unwrap_or_default().to_owned();
    let vendor = world.referenced(Kind::Vendor, &vendor_id)?;
    let profile = &world.profile;
    let home = profile.home_currency();
    let sent = reference(body, "CurrencyRef");
    let rate = body.get("ExchangeRate").and_then(decimal);
    if !profile.multi_currency() {
        if sent.is_some_and(|currency| currency != home) {
            return Err(Refusal::business(
                "Multicurrency is turned off for this company.",
            ));
        }
        if rate.is_some_and(|rate| rate != Decimal::ONE) {
            return Err(Refusal::business(
                "Multicurrency is turned off for this company.",
            ));
        }
        let home = home.to_owned();
        body.insert("CurrencyRef".to_owned(), ref_to(&home));
        return Ok(home);
    }
    let currency = sent
        .ok_or_else(|| Refusal::missing("CurrencyRef"))?
        .to_owned();
    if currency != world.currency_of(vendor) {
        return Err(one_foreign_currency());
    }
    if currency == home {
        if rate.is_some_and(|rate| rate != Decimal::ONE) {
            return Err(Refusal::business(
                "The home currency has an exchange rate of 1.",
            ));
        }
        default(body, "ExchangeRate", json!(1));
    } else {
        let rate = rate.ok_or_else(Refusal::rate_missing)?;
        if rate <= Decimal::ZERO {
            return Err(Refusal::bad_number("ExchangeRate", &rate.to_string()));
        }
    }
    Ok(currency)
}

fn settle_payable(
    world: &World,
    kind: Kind,
    currency: &str,
    body: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    if let Some(id) = reference(body, "APAccountRef") {
        let account = world.referenced(Kind::Account, id)?;
        if account.text("AccountType") != Some("Accounts Payable") {
            return Err(Refusal::bad_account_type());
        }
        if world.currency_of(account) != currency {
            return Err(one_foreign_currency());
        }
        return Ok(());
    }
    if kind != Kind::Bill {
        return Ok(());
    }
    let accounts = world.payable_accounts(currency);
    let [account] = accounts.as_slice() else {
        return Err(Refusal::missing("APAccountRef"));
    };
    let id = account.id.to_string();
    body.insert("APAccountRef".to_owned(), ref_to(&id));
    Ok(())
}

fn settle_dates(
    world: &World,
    rules: Rules<'_>,
    body: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    default(body, "TxnDate", json!(rules.today().to_string()));
    let date = text(body, "TxnDate").unwrap_or_default().to_owned();
    check_open(world, &date)?;
    let date: Date = date.parse().unwrap_or_else(|_| rules.today());
    let due = match reference(body, "SalesTermRef") {
        Some(term) => due_date(world.referenced(Kind::Term, term)?, date),
        None => date,
    };
    default(body, "DueDate", json!(due.to_string()));
    Ok(())
}

fn check_header(world: &World, body: &Map<String, Value>) -> Result<(), Refusal> {
    if let Some(id) = reference(body, "DepartmentRef") {
        if !world.profile.flag("AccountingInfoPrefs.TrackDepartments") {
            return Err(Refusal::business("Location tracking is turned off."));
        }
        world.referenced(Kind::Department, id)?;
    }
    match text(body, "GlobalTaxCalculation") {
        None => Ok(()),
        Some("TaxExcluded" | "TaxInclusive" | "NotApplicable") if !world.profile.is_us() => Ok(()),
        Some(other) => Err(Refusal::bad_choice("GlobalTaxCalculation", other)),
    }
}

/// Refuses a document number that is taken, as far as the company and the switch ask for it.
fn check_number(
    world: &World,
    rules: Rules<'_>,
    kind: Kind,
    body: &mut Map<String, Value>,
    old: Option<&Record>,
) -> Result<(), Refusal> {
    let Some(number) = text(body, "DocNumber") else {
        return Ok(());
    };
    if number.is_empty() {
        body.remove("DocNumber");
        return Ok(());
    }
    let warns = world.profile.flag("OtherPrefs.WarnDuplicateBillNumber");
    if kind != Kind::Bill || rules.allow_duplicate_number || !warns {
        return Ok(());
    }
    if old.is_some_and(|old| old.text("DocNumber") == Some(number)) {
        return Ok(());
    }
    let vendor = reference(body, "VendorRef");
    let taken = world.bills_numbered(number).find(|bill| {
        old.is_none_or(|old| old.id != bill.id)
            && match rules.switches.doc_number {
                DocNumberRule::Off => false,
                DocNumberRule::SameVendor => bill.reference("VendorRef") == vendor,
                DocNumberRule::CompanyWide => true,
            }
    });
    match taken {
        Some(bill) => {
            let shown = bill.text("DocNumber").unwrap_or_default();
            Err(Refusal::duplicate_number(shown, "Bill", bill.id))
        }
        None => Ok(()),
    }
}

fn settle_lines(
    world: &World,
    rules: Rules<'_>,
    currency: &str,
    body: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    let tax_mode = text(body, "GlobalTaxCalculation")
        .unwrap_or("TaxExcluded")
        .to_owned();
    let header = Header {
        currency,
        date: text(body, "TxnDate").unwrap_or_default(),
        taxed: tax_mode != "NotApplicable",
    };
    let sent = body
        .get("Line")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let settled = settle(world, rules, &header, &sent)?;
    let mut total = settled.total;
    if !world.profile.is_us() {
        if tax_mode == "TaxExcluded" {
            total += settled.tax;
        }
        body.insert(
            "TxnTaxDetail".to_owned(),
            json!({ "TotalTax": money(settled.tax) }),
        );
        body.insert("GlobalTaxCalculation".to_owned(), json!(tax_mode));
    }
    if total < Decimal::ZERO {
        return Err(Refusal::business(
            "Transaction amount must be 0 or greater.",
        ));
    }
    body.insert("Line".to_owned(), Value::Array(settled.rows));
    body.insert("TotalAmt".to_owned(), money(total));
    body.insert("Balance".to_owned(), money(total));
    let rate = body
        .get("ExchangeRate")
        .and_then(decimal)
        .unwrap_or(Decimal::ONE);
    if world.profile.multi_currency() {
        body.insert("HomeBalance".to_owned(), money((total * rate).round_dp(2)));
    }
    Ok(())
}

/// A link to a purchase order stays only when header and lines both name it in full.
fn settle_links(world: &World, kind: Kind, body: &mut Map<String, Value>) -> Result<(), Refusal> {
    let sent = body
        .get("LinkedTxn")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if kind != Kind::Bill || sent.is_empty() {
        return Ok(());
    }
    let mut kept = Vec::new();
    for link in sent {
        let id = link
            .get("TxnId")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if link.get("TxnType") != Some(&json!("PurchaseOrder")) {
            kept.push(link);
            continue;
        }
        if world.get(Kind::PurchaseOrder, &id).is_none() {
            return Err(Refusal::cannot_link(&id));
        }
        let lines = body.get("Line").and_then(Value::as_array);
        if lines.is_some_and(|lines| lines.iter().any(|line| is_linked(line, &id))) {
            kept.push(link);
        }
    }
    if kept.is_empty() {
        body.remove("LinkedTxn");
    } else {
        body.insert("LinkedTxn".to_owned(), Value::Array(kept));
    }
    Ok(())
}

fn is_linked(line: &Value, order: &str) -> bool {
    line["LinkedTxn"].as_array().is_some_and(|links| {
        links.iter().any(|link| {
            link["TxnId"] == order
                && link["TxnType"] == "PurchaseOrder"
                && link["TxnLineId"].is_string()
        })
    })
}
