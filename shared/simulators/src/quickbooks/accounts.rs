//! The chart of accounts and payment terms.

use jiff::{Timestamp, ToSpan, civil::Date};
use serde_json::{Map, Value, json};

use super::{
    kind::Kind,
    people::{DELETED_SUFFIX, name_conflict, same_name},
    refusal::Refusal,
    rules::{Rules, check_body, default, merged, versioned},
    value::{ref_to, reference, text},
    world::{Record, World},
};

/// Every account type with its classification and an ordinary subtype.
const TYPES: [(&str, &str, &str); 15] = [
    ("Bank", "Asset", "Checking"),
    ("Accounts Receivable", "Asset", "AccountsReceivable"),
    ("Other Current Asset", "Asset", "Inventory"),
    ("Fixed Asset", "Asset", "OtherFixedAssets"),
    ("Other Asset", "Asset", "OtherLongTermAssets"),
    ("Accounts Payable", "Liability", "AccountsPayable"),
    ("Credit Card", "Liability", "CreditCard"),
    (
        "Other Current Liability",
        "Liability",
        "OtherCurrentLiabilities",
    ),
    (
        "Long Term Liability",
        "Liability",
        "OtherLongTermLiabilities",
    ),
    ("Equity", "Equity", "OpeningBalanceEquity"),
    ("Income", "Revenue", "SalesOfProductIncome"),
    ("Cost of Goods Sold", "Expense", "SuppliesMaterialsCogs"),
    ("Expense", "Expense", "OfficeGeneralAdministrativeExpenses"),
    ("Other Income", "Revenue", "OtherMiscellaneousIncome"),
    ("Other Expense", "Expense", "OtherMiscellaneousExpense"),
];

/// Creates or updates an account; answers its id.
pub(super) fn save(
    world: &mut World,
    rules: Rules<'_>,
    sent: &Map<String, Value>,
) -> Result<u64, Refusal> {
    check_body(world, rules, Kind::Account, sent)?;
    let old = if sent.contains_key("Id") {
        Some(versioned(world, Kind::Account, sent)?)
    } else {
        None
    };
    let mut body = merged(old, sent, &["Active", "CurrencyRef", "AccountType"]);
    let name = text(&body, "Name")
        .ok_or_else(|| Refusal::missing("Name"))?
        .trim()
        .to_owned();
    if name.contains(['"', ':']) {
        return Err(Refusal::business(
            "Name cannot hold a colon or a double quote.",
        ));
    }
    let kind = text(&body, "AccountType").unwrap_or_default();
    let Some((_, classification, subtype)) = TYPES.iter().find(|known| known.0 == kind) else {
        return Err(if kind.is_empty() {
            Refusal::new(
                "6010",
                "Account Type Required",
                "AccountType or AccountSubType",
            )
        } else {
            Refusal::bad_choice("AccountType", kind)
        });
    };
    let name = if body.get("Active") == Some(&json!(false)) && !name.ends_with(DELETED_SUFFIX) {
        format!("{name}{DELETED_SUFFIX}")
    } else {
        name
    };
    let full = match reference(&body, "ParentRef") {
        None => name.clone(),
        Some(parent) => {
            let parent = world.referenced(Kind::Account, parent)?;
            format!(
                "{}:{name}",
                parent.text("FullyQualifiedName").unwrap_or_default()
            )
        }
    };
    let holder = world.live(Kind::Account).find(|account| {
        account
            .text("FullyQualifiedName")
            .is_some_and(|taken| same_name(taken, &full))
    });
    if let Some(holder) = holder.filter(|holder| Some(holder.id) != old.map(|record| record.id)) {
        return Err(name_conflict(rules.switches.name_conflict, holder.id));
    }
    body.insert("Name".to_owned(), json!(name));
    body.insert("FullyQualifiedName".to_owned(), json!(full));
    body.insert("Classification".to_owned(), json!(classification));
    default(&mut body, "AccountSubType", json!(subtype));
    default(&mut body, "Active", json!(true));
    default(&mut body, "CurrentBalance", json!(0));
    default(
        &mut body,
        "CurrencyRef",
        ref_to(world.profile.home_currency()),
    );
    let is_sub = body.contains_key("ParentRef");
    body.insert("SubAccount".to_owned(), json!(is_sub));
    if let Some(id) = old.map(|record| record.id) {
        world.change(Kind::Account, id, body, rules.now);
        return Ok(id);
    }
    Ok(world.add(Kind::Account, body, rules.now))
}

/// Makes the accounts payable account of a currency when there is none yet.
pub(super) fn ensure_payable(world: &mut World, currency: &str, now: Timestamp) {
    if !world.payable_accounts(currency).is_empty() {
        return;
    }
    let name = if currency == world.profile.home_currency() {
        "Accounts Payable (A/P)".to_owned()
    } else {
        format!("Accounts Payable (A/P) - {currency}")
    };
    let body = json!({
        "Name": name,
        "FullyQualifiedName": name,
        "AccountType": "Accounts Payable",
        "AccountSubType": "AccountsPayable",
        "Classification": "Liability",
        "SubAccount": false,
        "Active": true,
        "CurrentBalance": 0,
        "CurrencyRef": { "value": currency },
    });
    if let Value::Object(body) = body {
        world.add(Kind::Account, body, now);
    }
}

/// Creates or updates payment terms; answers the id.
pub(super) fn save_term(
    world: &mut World,
    rules: Rules<'_>,
    sent: &Map<String, Value>,
) -> Result<u64, Refusal> {
    check_body(world, rules, Kind::Term, sent)?;
    let old = if sent.contains_key("Id") {
        Some(versioned(world, Kind::Term, sent)?)
    } else {
        None
    };
    let mut body = merged(old, sent, &["Active", "Type"]);
    let name = text(&body, "Name")
        .ok_or_else(|| Refusal::missing("Name"))?
        .to_owned();
    if whole(&body, "DueDays").is_none() && whole(&body, "DayOfMonthDue").is_none() {
        return Err(Refusal::missing("DueDays"));
    }
    let holder = world.live(Kind::Term).find(|term| {
        term.text("Name")
            .is_some_and(|taken| same_name(taken, &name))
    });
    if let Some(holder) = holder.filter(|holder| Some(holder.id) != old.map(|record| record.id)) {
        return Err(name_conflict(rules.switches.name_conflict, holder.id));
    }
    let kind = if body.contains_key("DayOfMonthDue") {
        "DATE_DRIVEN"
    } else {
        "STANDARD"
    };
    default(&mut body, "Type", json!(kind));
    default(&mut body, "Active", json!(true));
    if let Some(id) = old.map(|record| record.id) {
        world.change(Kind::Term, id, body, rules.now);
        return Ok(id);
    }
    Ok(world.add(Kind::Term, body, rules.now))
}

fn whole(body: &Map<String, Value>, member: &str) -> Option<i64> {
    let value = body.get(member)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// The day a transaction of `date` falls due under `term`.
pub(super) fn due_date(term: &Record, date: Date) -> Date {
    if let Some(days) = whole(&term.body, "DueDays") {
        return date.checked_add(days.days()).unwrap_or(date);
    }
    let day = whole(&term.body, "DayOfMonthDue").unwrap_or(1);
    let grace = whole(&term.body, "DueNextMonthDays").unwrap_or(0);
    let in_month = |first: Date| {
        let last = i64::from(first.days_in_month());
        first
            .checked_add((day.clamp(1, last) - 1).days())
            .unwrap_or(first)
    };
    let this_month = in_month(date.first_of_month());
    if date < this_month && i64::from((this_month - date).get_days()) > grace {
        return this_month;
    }
    let next = date.first_of_month().checked_add(1.month()).unwrap_or(date);
    in_month(next)
}
