//! Matching Autotask's names to QuickBooks' records: exactly one, none, or a refusal that says why.

use serde::Serialize;

use crate::{
    books::{Books, Customer, Item, ItemKind, NameField, NameIndex, Named, Vendor},
    notice::{Code, Notice},
    text::match_key,
};

/// How a record was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Settings map the organisation to it.
    Override,
    /// By its name.
    Name,
    /// By its company name, which no other record has.
    CompanyName,
    /// By its SKU.
    Sku,
}

/// The two kinds of parties an order names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who sells.
    Vendor,
    /// Who it is bought for.
    Customer,
}

impl Role {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Customer => "customer",
        }
    }
}

/// A vendor or customer as matching sees it.
pub trait Party: Named {
    /// Whether it may be used.
    fn is_active(&self) -> bool;
}

impl Party for Vendor {
    fn is_active(&self) -> bool {
        self.active
    }
}

impl Party for Customer {
    fn is_active(&self) -> bool {
        self.active
    }
}

/// The names one organisation or product goes by: as Autotask has it, and as it would be sent.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// As Autotask has it.
    pub raw: &'a str,
    /// As it would be sent.
    pub clean: &'a str,
}

impl Names<'_> {
    fn find<'i, T: Named>(&self, index: &'i NameIndex<T>, field: NameField) -> Vec<&'i T> {
        let mut found = index.named(field, self.raw);
        if match_key(self.raw) != match_key(self.clean) {
            for record in index.named(field, self.clean) {
                if !found
                    .iter()
                    .any(|other| other.id_text() == record.id_text())
                {
                    found.push(record);
                }
            }
        }
        found
    }

    fn find_deleted<'i, T: Named>(&self, index: &'i NameIndex<T>) -> Vec<&'i T> {
        index.named(NameField::Name, &format!("{} (deleted)", self.clean))
    }
}

/// Finds the one active record of `role` for an organisation; `None` means it must be created.
pub fn match_party<'b, T: Party>(
    index: &'b NameIndex<T>,
    override_id: Option<&str>,
    names: Names<'_>,
    role: Role,
) -> Result<Option<(&'b T, How)>, Notice> {
    let say = |code| {
        Notice::new(code)
            .with("role", role.word())
            .with("name", names.raw)
    };
    if let Some(id) = override_id {
        let mapped = index.get(id).filter(|party| party.is_active());
        return mapped
            .map(|party| Some((party, How::Override)))
            .ok_or(say(Code::OverrideMissing));
    }
    let (active, inactive): (Vec<_>, Vec<_>) = names
        .find(index, NameField::Name)
        .into_iter()
        .partition(|party| party.is_active());
    match active.as_slice() {
        [party] => return Ok(Some((*party, How::Name))),
        [] => {}
        _ => return Err(say(Code::NameAmbiguous)),
    }
    let mut by_company = names.find(index, NameField::CompanyName);
    by_company.retain(|party| party.is_active());
    match by_company.as_slice() {
        [party] => return Ok(Some((*party, How::CompanyName))),
        [] => {}
        _ => return Err(say(Code::NameAmbiguous)),
    }
    if !inactive.is_empty() || !names.find_deleted(index).is_empty() {
        return Err(say(Code::NameInactive));
    }
    Ok(None)
}

/// Refuses a name that an active record of the other kind holds.
pub fn refuse_taken<T: Party>(
    others: &NameIndex<T>,
    names: Names<'_>,
    role: Role,
) -> Result<(), Notice> {
    let holder = match role {
        Role::Vendor => "a customer",
        Role::Customer => "a vendor",
    };
    let mut holders = others.named(NameField::Name, names.clean);
    holders.retain(|party| party.is_active());
    if holders.is_empty() {
        return Ok(());
    }
    Err(taken(role, names.raw, holder))
}

/// The refusal of a name that `holder` has.
pub fn taken(role: Role, name: &str, holder: &str) -> Notice {
    let notice = Notice::new(Code::NameTaken)
        .with("role", role.word())
        .with("name", name);
    notice.with("holder", holder)
}

/// Finds the one Item to buy for a product; `None` means it is missing.
pub fn match_item<'b>(
    books: &'b Books,
    field: NameField,
    names: Names<'_>,
) -> Result<Option<(&'b Item, How)>, Notice> {
    let say = |code| Notice::new(code).with("name", names.raw);
    let (mut active, inactive): (Vec<_>, Vec<_>) = names
        .find(books.items(), field)
        .into_iter()
        .partition(|item| item.active);
    if active.iter().any(|item| !is_folder(item)) {
        active.retain(|item| !is_folder(item));
    }
    match active.as_slice() {
        [item] => {
            check_item(item)?;
            Ok(Some((
                *item,
                if field == NameField::Sku {
                    How::Sku
                } else {
                    How::Name
                },
            )))
        }
        [] if !inactive.is_empty() => Err(say(Code::ItemInactive)),
        [] if field == NameField::Name && !names.find_deleted(books.items()).is_empty() => {
            Err(say(Code::ItemInactive))
        }
        [] => Ok(None),
        _ => Err(say(Code::ItemAmbiguous)),
    }
}

/// Refuses an Item that cannot stand on a bill.
pub fn check_item(item: &Item) -> Result<(), Notice> {
    let say = |code| Notice::new(code).with("name", item.name.as_str());
    if !item.active {
        return Err(say(Code::ItemInactive));
    }
    let kind = match &item.kind {
        ItemKind::Inventory | ItemKind::NonInventory | ItemKind::Service => None,
        ItemKind::Category => Some("category"),
        ItemKind::Group => Some("bundle"),
        ItemKind::Other(kind) => Some(kind.as_str()),
    };
    if let Some(kind) = kind {
        return Err(say(Code::ItemIsCategory).with("kind", kind));
    }
    if item.expense_account.is_none() {
        return Err(say(Code::ItemNotPurchasable));
    }
    Ok(())
}

fn is_folder(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Category)
}
