//! Products and services: which accounts each type needs, and how names and parents work.

use serde_json::{Map, Value, json};

use super::{
    kind::Kind,
    people::{DELETED_SUFFIX, name_conflict},
    refusal::Refusal,
    rules::{Rules, check_body, default, merged, versioned},
    value::{decimal, number, reference, text},
    world::{Record, World},
};

/// Levels of a fully qualified item name.
const LEVELS_MAX: usize = 5;

const EXPENSE_TYPES: [&str; 3] = ["Expense", "Cost of Goods Sold", "Other Expense"];
const INCOME_TYPES: [&str; 2] = ["Income", "Other Income"];

/// Creates or updates an item; answers its id.
pub(super) fn save(
    world: &mut World,
    rules: Rules<'_>,
    sent: &Map<String, Value>,
) -> Result<u64, Refusal> {
    check_body(world, rules, Kind::Item, sent)?;
    let old = if sent.contains_key("Id") {
        Some(versioned(world, Kind::Item, sent)?)
    } else {
        None
    };
    let mut body = merged(old, sent, &["Type", "Active"]);
    check_type(world, &body)?;
    check_accounts(world, &body)?;
    check_prices(&body)?;
    settle_name(world, &mut body, old)?;
    check_conflict(world, rules, &body, old)?;
    fill(&mut body);
    if let Some(id) = old.map(|record| record.id) {
        world.change(Kind::Item, id, body, rules.now);
        return Ok(id);
    }
    Ok(world.add(Kind::Item, body, rules.now))
}

fn check_type(world: &World, body: &Map<String, Value>) -> Result<(), Refusal> {
    let kind = text(body, "Type").ok_or_else(|| Refusal::missing("Type"))?;
    match kind {
        "NonInventory" | "Service" | "Category" => Ok(()),
        "Inventory" => {
            if !world.profile.flag("ProductAndServicesPrefs.QuantityOnHand") {
                return Err(Refusal::business(
                    "if Track quantity on hand is turned off, the item cannot be of type \
                     Inventory",
                ));
            }
            if body.get("TrackQtyOnHand") != Some(&json!(true)) {
                return Err(Refusal::missing("TrackQtyOnHand"));
            }
            ["QtyOnHand", "InvStartDate"]
                .iter()
                .find(|member| !body.contains_key(**member))
                .map_or(Ok(()), |member| Err(Refusal::missing(member)))
        }
        "Group" => Err(Refusal::business(
            "A bundle cannot be created or changed here.",
        )),
        other => Err(Refusal::bad_choice("Type", other)),
    }
}

fn check_accounts(world: &World, body: &Map<String, Value>) -> Result<(), Refusal> {
    let needed: &[&str] = match text(body, "Type").unwrap_or_default() {
        "Inventory" => &["IncomeAccountRef", "AssetAccountRef", "ExpenseAccountRef"],
        "NonInventory" => &["ExpenseAccountRef"],
        "Service" => &["IncomeAccountRef"],
        _ => &[],
    };
    if let Some(member) = needed.iter().find(|member| !body.contains_key(**member)) {
        return Err(Refusal::missing(member));
    }
    let types: [(&str, &[&str]); 3] = [
        ("ExpenseAccountRef", &EXPENSE_TYPES),
        ("IncomeAccountRef", &INCOME_TYPES),
        ("AssetAccountRef", &["Other Current Asset"]),
    ];
    for (member, allowed) in types {
        let Some(id) = reference(body, member) else {
            continue;
        };
        let account = world.referenced(Kind::Account, id)?;
        if !allowed.contains(&account.text("AccountType").unwrap_or_default()) {
            return Err(Refusal::business(&format!(
                "{member} names an account of the wrong type for this item."
            )));
        }
    }
    Ok(())
}

fn check_prices(body: &Map<String, Value>) -> Result<(), Refusal> {
    for member in ["UnitPrice", "PurchaseCost"] {
        let Some(price) = body.get(member) else {
            continue;
        };
        let too_large = decimal(price)
            .is_none_or(|price| price > rust_decimal::Decimal::from(99_999_999_999_i64));
        if too_large {
            return Err(Refusal::bad_number(member, &price.to_string()));
        }
    }
    Ok(())
}

fn settle_name(
    world: &World,
    body: &mut Map<String, Value>,
    old: Option<&Record>,
) -> Result<(), Refusal> {
    let name = text(body, "Name")
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refusal::missing("Name"))?.to_owned();
    if name.contains([':', '\t', '\n']) {
        return Err(Refusal::business(
            "Name cannot hold a colon, a tab or a line break.",
        ));
    }
    let bare = name
        .strip_suffix(DELETED_SUFFIX)
        .unwrap_or(&name)
        .to_owned();
    let active = body.get("Active") != Some(&json!(false));
    let name = match (active, old.is_none_or(Record::is_active)) {
        (true, false) => bare,
        (false, _) => format!("{bare}{DELETED_SUFFIX}"),
        (true, true) => name,
    };
    let full = match reference(body, "ParentRef") {
        None if body.get("SubItem") == Some(&json!(true)) => return Err(Refusal::parent_needed()),
        None => name.clone(),
        Some(parent) => {
            let parent = world.referenced(Kind::Item, parent)?;
            if parent.text("Type") != Some("Category") {
                return Err(Refusal::business(
                    "Only a category can be the parent of an item.",
                ));
            }
            let path = parent.text("FullyQualifiedName").unwrap_or_default();
            if path.split(':').count() >= LEVELS_MAX {
                return Err(Refusal::too_deep());
            }
            format!("{path}:{name}")
        }
    };
    body.insert("Name".to_owned(), json!(name));
    body.insert("FullyQualifiedName".to_owned(), json!(full));
    Ok(())
}

fn check_conflict(
    world: &World,
    rules: Rules<'_>,
    body: &Map<String, Value>,
    old: Option<&Record>,
) -> Result<(), Refusal> {
    if body.get("Active") == Some(&json!(false)) {
        return Ok(());
    }
    let full = text(body, "FullyQualifiedName").unwrap_or_default();
    match world.item_named(full) {
        Some(holder) if Some(holder) != old.map(|record| record.id) => {
            Err(name_conflict(rules.switches.name_conflict, holder))
        }
        _ => Ok(()),
    }
}

fn fill(body: &mut Map<String, Value>) {
    default(body, "Active", json!(true));
    if text(body, "Type") == Some("Category") {
        return;
    }
    default(body, "UnitPrice", number(rust_decimal::Decimal::ZERO));
    default(body, "PurchaseCost", number(rust_decimal::Decimal::ZERO));
    default(body, "TrackQtyOnHand", json!(false));
    default(body, "Taxable", json!(false));
}

/// Refuses an item that cannot stand on a bill's line.
pub(super) fn check_purchasable(item: &Record) -> Result<(), Refusal> {
    if matches!(item.text("Type"), Some("Category" | "Group")) {
        return Err(Refusal::business(
            "A category or bundle cannot be used on this transaction.",
        ));
    }
    if item.reference("ExpenseAccountRef").is_none() {
        return Err(Refusal::business(
            "The product or service has no expense account, so it cannot be purchased.",
        ));
    }
    Ok(())
}
