//! Vendors, customers and employees: they share one space of names.

use serde_json::{Map, Value, json};

use super::{
    kind::Kind,
    refusal::Refusal,
    rules::{Rules, check_body, default, merged, versioned},
    switches::NameConflictDetail,
    value::{ref_to, reference, text},
    world::{Record, World, name_key},
};

/// Name members in which `:`, tab and newline are refused.
const NAME_MEMBERS: [&str; 7] = [
    "DisplayName",
    "Title",
    "GivenName",
    "MiddleName",
    "FamilyName",
    "Suffix",
    "PrintOnCheckName",
];

/// Characters of the name on checks; the default is cut to fit.
const CHECK_NAME_CHARS_MAX: usize = 110;

/// Levels a sub-customer may stand below the top.
const LEVELS_MAX: usize = 4;

pub(super) const DELETED_SUFFIX: &str = " (deleted)";

/// Creates or updates a vendor or customer; answers its id.
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
    let mut body = merged(old, sent, &["CurrencyRef", "Balance", "Active"]);
    check_contact(&body)?;
    settle_name(&mut body, old)?;
    settle_parent(world, kind, &mut body)?;
    settle_currency(world, rules, kind, &mut body, sent, old)?;
    check_references(world, &body)?;
    check_conflict(world, rules, kind, &body, old)?;
    fill(kind, &mut body);
    let currency = reference(&body, "CurrencyRef").map(str::to_owned);
    let id = match old.map(|record| record.id) {
        Some(id) => {
            world.change(kind, id, body, rules.now);
            id
        }
        None => world.add(kind, body, rules.now),
    };
    if let Some(currency) = currency.filter(|_| kind == Kind::Vendor) {
        super::accounts::ensure_payable(world, &currency, rules.now);
    }
    Ok(id)
}

fn check_contact(body: &Map<String, Value>) -> Result<(), Refusal> {
    let email = body
        .get("PrimaryEmailAddr")
        .and_then(|email| email.get("Address"));
    if let Some(email) = email.and_then(Value::as_str)
        && !(email.contains('@') && email.contains('.'))
    {
        return Err(Refusal::bad_email(email));
    }
    let address = body.get("WebAddr").and_then(|web| web.get("URI"));
    if let Some(address) = address.and_then(Value::as_str)
        && url::Url::parse(address).is_err()
    {
        return Err(Refusal::bad_url(address));
    }
    Ok(())
}

/// Composes, checks and trims the display name, and marks or unmarks an inactive one.
fn settle_name(body: &mut Map<String, Value>, old: Option<&Record>) -> Result<(), Refusal> {
    for member in NAME_MEMBERS {
        if text(body, member).is_some_and(|name| name.contains([':', '\t', '\n'])) {
            return Err(Refusal::business(&format!(
                "{member} cannot hold a colon, a tab or a line break."
            )));
        }
    }
    let parts = ["Title", "GivenName", "MiddleName", "FamilyName", "Suffix"];
    let composed = parts
        .iter()
        .filter_map(|part| text(body, part))
        .collect::<Vec<_>>()
        .join(" ");
    let name = text(body, "DisplayName")
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let name = name.map_or_else(|| composed.trim().to_owned(), str::to_owned);
    if name.is_empty() {
        return Err(Refusal::no_name());
    }
    let bare = name
        .strip_suffix(DELETED_SUFFIX)
        .unwrap_or(&name)
        .to_owned();
    let active = body.get("Active") != Some(&json!(false));
    let was_active = old.is_none_or(Record::is_active);
    let name = match (active, was_active) {
        (true, false) => bare,
        (false, _) => format!("{bare}{DELETED_SUFFIX}"),
        (true, true) => name,
    };
    let printed: String = name.chars().take(CHECK_NAME_CHARS_MAX).collect();
    default(body, "PrintOnCheckName", json!(printed));
    body.insert("DisplayName".to_owned(), json!(name));
    Ok(())
}

fn settle_parent(world: &World, kind: Kind, body: &mut Map<String, Value>) -> Result<(), Refusal> {
    if kind != Kind::Customer {
        return Ok(());
    }
    let name = text(body, "DisplayName").unwrap_or_default().to_owned();
    let Some(parent_id) = reference(body, "ParentRef").map(str::to_owned) else {
        if body.get("Job") == Some(&json!(true)) {
            return Err(Refusal::parent_needed());
        }
        body.insert("Level".to_owned(), json!(0));
        body.insert("FullyQualifiedName".to_owned(), json!(name));
        return Ok(());
    };
    let parent = world.referenced(Kind::Customer, &parent_id)?;
    let path = parent.text("FullyQualifiedName").unwrap_or_default();
    let level = path.split(':').count();
    if level > LEVELS_MAX {
        return Err(Refusal::too_deep());
    }
    body.insert("Level".to_owned(), json!(level));
    body.insert("Job".to_owned(), json!(true));
    body.insert(
        "FullyQualifiedName".to_owned(),
        json!(format!("{path}:{name}")),
    );
    Ok(())
}

/// The currency is chosen at create, and never again.
fn settle_currency(
    world: &World,
    rules: Rules<'_>,
    kind: Kind,
    body: &mut Map<String, Value>,
    sent: &Map<String, Value>,
    old: Option<&Record>,
) -> Result<(), Refusal> {
    let home = world.profile.home_currency().to_owned();
    let wanted = reference(sent, "CurrencyRef").unwrap_or(&home).to_owned();
    if let Some(old) = old {
        let present = world.currency_of(old).to_owned();
        if sent.contains_key("CurrencyRef") && wanted != present {
            return Err(Refusal::business(
                "You can't change the currency of this name.",
            ));
        }
        body.insert("CurrencyRef".to_owned(), ref_to(&present));
        return Ok(());
    }
    if wanted != home && !world.profile.multi_currency() {
        return Err(Refusal::business(
            "Multicurrency is turned off for this company.",
        ));
    }
    if !is_known_currency(&wanted) {
        return Err(Refusal::bad_reference("Currencies", &wanted));
    }
    let ignored = rules.switches.currency_ignored && kind == Kind::Vendor;
    let given = if ignored { home } else { wanted };
    body.insert("CurrencyRef".to_owned(), ref_to(&given));
    Ok(())
}

fn is_known_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn check_references(world: &World, body: &Map<String, Value>) -> Result<(), Refusal> {
    for member in ["TermRef", "SalesTermRef"] {
        if let Some(term) = reference(body, member) {
            world.referenced(Kind::Term, term)?;
        }
    }
    Ok(())
}

fn check_conflict(
    world: &World,
    rules: Rules<'_>,
    kind: Kind,
    body: &Map<String, Value>,
    old: Option<&Record>,
) -> Result<(), Refusal> {
    let name = text(body, "DisplayName").unwrap_or_default();
    let own = old.map(|record| (kind, record.id));
    if body.get("Active") == Some(&json!(false)) {
        return Ok(());
    }
    match world.name_holder(name) {
        Some(holder) if Some(holder) != own => {
            Err(name_conflict(rules.switches.name_conflict, holder.1))
        }
        _ => Ok(()),
    }
}

/// Fault 6240 in the wording the switch asks for.
pub(super) fn name_conflict(wording: NameConflictDetail, holder: u64) -> Refusal {
    let message = "Duplicate Name Exists Error";
    match wording {
        NameConflictDetail::Id => Refusal::duplicate_name(
            message,
            &format!("The name supplied already exists. : Id={holder}"),
        ),
        NameConflictDetail::Null => {
            Refusal::duplicate_name(message, "The name supplied already exists. : null")
        }
        NameConflictDetail::OtherEntity => Refusal::duplicate_name(
            message,
            "The name supplied already exists. : Another customer, vendor or employee is already \
             using this name. Please use a different name.",
        ),
        NameConflictDetail::Localized => Refusal::duplicate_name(
            "Nom en double",
            &format!("Ce nom existe déjà. : Id={holder}"),
        ),
    }
}

fn fill(kind: Kind, body: &mut Map<String, Value>) {
    default(body, "Active", json!(true));
    body.insert("Balance".to_owned(), json!(0));
    if kind == Kind::Vendor {
        default(body, "Vendor1099", json!(false));
        return;
    }
    default(body, "Job", json!(false));
    default(body, "BillWithParent", json!(false));
    default(body, "Taxable", json!(true));
    default(body, "PreferredDeliveryMethod", json!("Print"));
    body.insert("BalanceWithJobs".to_owned(), json!(0));
}

/// True when two names would collide.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    name_key(a) == name_key(b)
}
