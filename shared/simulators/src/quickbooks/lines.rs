//! The lines of bills and purchase orders.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

use super::{
    items::check_purchasable,
    kind::Kind,
    refusal::Refusal,
    rules::{Rules, default},
    value::{decimal, money, ref_to, reference, text},
    world::World,
};

const ITEM_DETAIL: &str = "ItemBasedExpenseLineDetail";
const ACCOUNT_DETAIL: &str = "AccountBasedExpenseLineDetail";
const EXPENSE_TYPES: [&str; 3] = ["Expense", "Cost of Goods Sold", "Other Expense"];

/// Digits after the point that a quantity or a unit price may have.
const PRICE_SCALE_MAX: u32 = 7;

/// What the lines of one transaction have in common.
pub(super) struct Header<'a> {
    pub(super) currency: &'a str,
    pub(super) date: &'a str,
    /// False when the transaction is outside the scope of tax.
    pub(super) taxed: bool,
}

/// The checked lines with everything filled in, and the sums over them.
pub(super) struct Lines {
    pub(super) rows: Vec<Value>,
    pub(super) total: Decimal,
    pub(super) tax: Decimal,
}

/// Checks and completes every line.
pub(super) fn settle(
    world: &World,
    rules: Rules<'_>,
    header: &Header<'_>,
    sent: &[Value],
) -> Result<Lines, Refusal> {
    let mut settled = Lines {
        rows: Vec::new(),
        total: Decimal::ZERO,
        tax: Decimal::ZERO,
    };
    for (index, line) in sent.iter().filter_map(Value::as_object).enumerate() {
        check_required(line)?;
        let (line, amount, tax) = settle_line(world, rules, header, line, index + 1)?;
        settled.rows.push(Value::Object(line));
        settled.total += amount;
        settled.tax += tax;
    }
    Ok(settled)
}

fn check_required(line: &Map<String, Value>) -> Result<(), Refusal> {
    let missing: Vec<Refusal> = ["Amount", "DetailType"]
        .iter()
        .filter(|member| !line.contains_key(**member))
        .map(|member| Refusal::missing(member))
        .collect();
    if let Some(refusal) = Refusal::all(missing) {
        return Err(refusal);
    }
    let detail = text(line, "DetailType").unwrap_or_default();
    let (own, other) = match detail {
        ITEM_DETAIL => (ITEM_DETAIL, ACCOUNT_DETAIL),
        ACCOUNT_DETAIL => (ACCOUNT_DETAIL, ITEM_DETAIL),
        unknown => return Err(Refusal::bad_choice("DetailType", unknown)),
    };
    if line.contains_key(other) {
        return Err(Refusal::bad_property(&format!(
            "{other} does not belong to {own}"
        )));
    }
    if !line.contains_key(own) {
        return Err(Refusal::missing(own));
    }
    if let Some(number) = line.get("LineNum").and_then(decimal)
        && (number <= Decimal::ZERO || !number.is_integer())
    {
        return Err(Refusal::bad_number("LineNum", &number.to_string()));
    }
    Ok(())
}

fn settle_line(
    world: &World,
    rules: Rules<'_>,
    header: &Header<'_>,
    sent: &Map<String, Value>,
    position: usize,
) -> Result<(Map<String, Value>, Decimal, Decimal), Refusal> {
    let mut line = sent.clone();
    let detail_name = text(sent, "DetailType").unwrap_or_default().to_owned();
    let mut detail = sent
        .get(&detail_name)
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let amount = checked_amount(rules, sent, &detail)?;
    let mut counts = true;
    if detail_name == ITEM_DETAIL {
        counts = check_item(world, header, &detail)?;
    } else {
        check_account(world, &detail)?;
    }
    check_customer(world, rules, header, &detail)?;
    check_class(world, &detail)?;
    let tax = settle_tax(world, rules, header, &mut detail, amount)?;
    default(&mut detail, "BillableStatus", json!("NotBillable"));
    line.insert(detail_name, Value::Object(detail));
    line.insert("Id".to_owned(), json!(position.to_string()));
    default(&mut line, "LineNum", json!(position));
    if counts {
        line.insert("Amount".to_owned(), money(amount));
        return Ok((line, amount, tax));
    }
    // Without an item the service takes the line for a note and forgets its amount.
    line.remove("Amount");
    Ok((line, Decimal::ZERO, Decimal::ZERO))
}

fn checked_amount(
    rules: Rules<'_>,
    line: &Map<String, Value>,
    detail: &Map<String, Value>,
) -> Result<Decimal, Refusal> {
    let supplied = line.get("Amount").cloned().unwrap_or_default();
    let amount = decimal(&supplied)
        .filter(|amount| {
            amount.normalize().scale() <= 2 && amount.abs() < Decimal::from(10_i64.pow(13))
        })
        .ok_or_else(|| Refusal::bad_number("Amount", &supplied.to_string()))?;
    if amount.is_sign_negative() && !amount.is_zero() && !rules.switches.negative_lines {
        return Err(Refusal::negative());
    }
    let (quantity, price) = (
        detail.get("Qty").and_then(decimal),
        detail.get("UnitPrice").and_then(decimal),
    );
    for (member, value) in [("Qty", quantity), ("UnitPrice", price)] {
        if let Some(value) = value.filter(|value| value.normalize().scale() > PRICE_SCALE_MAX) {
            return Err(Refusal::bad_number(member, &value.to_string()));
        }
    }
    let (Some(quantity), Some(price)) = (quantity, price) else {
        return Ok(amount);
    };
    let product = quantity
        .checked_mul(price)
        .map(|product| product.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero));
    if rules.switches.amount_check && product != Some(amount) {
        return Err(Refusal::amount_mismatch(&supplied.to_string()));
    }
    Ok(amount)
}

/// Checks the item of a line; false when the line has none and so counts for nothing.
fn check_item(
    world: &World,
    header: &Header<'_>,
    detail: &Map<String, Value>,
) -> Result<bool, Refusal> {
    let Some(id) = reference(detail, "ItemRef") else {
        return Ok(false);
    };
    let item = world.referenced(Kind::Item, id)?;
    check_purchasable(item)?;
    let starts = item
        .text("InvStartDate")
        .filter(|_| item.text("Type") == Some("Inventory"));
    if starts.is_some_and(|starts| header.date < starts) {
        return Err(Refusal::before_inventory_start());
    }
    Ok(true)
}

fn check_account(world: &World, detail: &Map<String, Value>) -> Result<(), Refusal> {
    let id = reference(detail, "AccountRef").ok_or_else(|| Refusal::missing("AccountRef"))?;
    let account = world.referenced(Kind::Account, id)?;
    if EXPENSE_TYPES.contains(&account.text("AccountType").unwrap_or_default()) {
        Ok(())
    } else {
        Err(Refusal::bad_account_type())
    }
}

fn check_customer(
    world: &World,
    rules: Rules<'_>,
    header: &Header<'_>,
    detail: &Map<String, Value>,
) -> Result<(), Refusal> {
    let profile = &world.profile;
    let customer = reference(detail, "CustomerRef");
    if let Some(id) = customer {
        if rules.switches.customer_tracking_required
            && !profile.flag("VendorAndPurchasesPrefs.TrackingByCustomer")
        {
            return Err(Refusal::business(
                "Tracking of expenses by customer is turned off.",
            ));
        }
        let customer = world.referenced(Kind::Customer, id)?;
        let currency = world.currency_of(customer);
        if currency != profile.home_currency() && currency != header.currency {
            return Err(one_foreign_currency());
        }
    }
    match text(detail, "BillableStatus") {
        Some("Billable") if customer.is_none() => Err(Refusal::customer_missing()),
        Some("Billable") if !profile.flag("VendorAndPurchasesPrefs.BillableExpenseTracking") => {
            Err(Refusal::bad_billable_status())
        }
        None | Some("Billable" | "NotBillable") => Ok(()),
        Some(other) => Err(Refusal::bad_choice("BillableStatus", other)),
    }
}

pub(super) fn one_foreign_currency() -> Refusal {
    Refusal::business("You can only use one foreign currency per transaction.")
}

fn check_class(world: &World, detail: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(id) = reference(detail, "ClassRef") else {
        return Ok(());
    };
    if !world
        .profile
        .flag("AccountingInfoPrefs.ClassTrackingPerTxnLine")
    {
        return Err(Refusal::business("Class tracking per line is turned off."));
    }
    world.referenced(Kind::Class, id).map(|_| ())
}

/// Checks or fills the tax code and answers the tax on top of the amount.
fn settle_tax(
    world: &World,
    rules: Rules<'_>,
    header: &Header<'_>,
    detail: &mut Map<String, Value>,
    amount: Decimal,
) -> Result<Decimal, Refusal> {
    let code = reference(detail, "TaxCodeRef").map(str::to_owned);
    if world.profile.is_us() {
        if let Some(code) = code.filter(|code| code != "TAX" && code != "NON") {
            return Err(Refusal::bad_tax_code(&code));
        }
        default(detail, "TaxCodeRef", ref_to("NON"));
        return Ok(Decimal::ZERO);
    }
    let Some(code) = code else {
        let needed = header.taxed && world.profile.flag("TaxPrefs.UsingSalesTax");
        if needed && rules.switches.tax_required {
            return Err(Refusal::business(
                "Make sure all your transactions have a GST/HST rate before you save.",
            ));
        }
        return Ok(Decimal::ZERO);
    };
    let rate = world
        .referenced(Kind::TaxCode, &code)?
        .body
        .get("PurchaseRate")
        .and_then(decimal);
    if !header.taxed {
        return Ok(Decimal::ZERO);
    }
    let tax = amount * rate.unwrap_or_default() / Decimal::ONE_HUNDRED;
    Ok(tax.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
}
