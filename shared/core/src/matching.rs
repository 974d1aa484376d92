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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        books::BooksContent,
        testing::{content, customer, item, vendor},
    };

    fn books(change: impl FnOnce(&mut BooksContent)) -> Books {
        let mut content = content();
        change(&mut content);
        Books::new(content)
    }

    fn names(name: &str) -> Names<'_> {
        Names {
            raw: name,
            clean: name,
        }
    }

    fn vendor_for(books: &Books, mapped: Option<&str>, name: &str) -> Result<Option<String>, Code> {
        match_party(books.vendors(), mapped, names(name), Role::Vendor)
            .map(|found| found.map(|(vendor, how)| format!("{} {how:?}", vendor.id)))
            .map_err(|notice| notice.code)
    }

    #[test]
    fn a_vendor_is_found_by_override_then_name_then_unique_company_name() {
        let books = books(|content| {
            let mut by_company = vendor("v2", "J. Smith");
            by_company.company_name = Some("Smith Tools".to_owned());
            let mut twin = vendor("v3", "T. Smith");
            twin.company_name = Some("Twin".to_owned());
            let mut other = vendor("v4", "U. Smith");
            other.company_name = Some("twin ".to_owned());
            content.vendors.extend([by_company, twin, other]);
        });
        let found = |mapped, name| vendor_for(&books, mapped, name).map(Option::unwrap_or_default);
        assert_eq!(found(None, " ACME  supply").unwrap(), "v1 Name");
        assert_eq!(found(Some("v2"), "Acme Supply").unwrap(), "v2 Override");
        assert_eq!(found(Some("v9"), "Acme Supply"), Err(Code::OverrideMissing));
        assert_eq!(found(None, "Smith Tools").unwrap(), "v2 CompanyName");
        assert_eq!(found(None, "Twin"), Err(Code::NameAmbiguous));
        assert_eq!(found(None, "Unknown").unwrap(), "");
    }

    #[test]
    fn an_inactive_or_deleted_name_is_refused_and_never_created_again() {
        let books = books(|content| {
            content.vendors[0].active = false;
            let mut deleted = vendor("v2", "Old Co (deleted)");
            deleted.active = false;
            content.vendors.push(deleted);
        });
        assert_eq!(
            vendor_for(&books, None, "Acme Supply"),
            Err(Code::NameInactive)
        );
        assert_eq!(vendor_for(&books, None, "Old Co"), Err(Code::NameInactive));
        assert_eq!(
            vendor_for(&books, Some("v1"), "X"),
            Err(Code::OverrideMissing)
        );
    }

    #[test]
    fn a_name_of_the_other_kind_is_refused_with_its_holder() {
        let books = books(|content| content.customers.push(customer("c1", "Both Inc")));
        let taken = refuse_taken(books.customers(), names("both inc"), Role::Vendor).unwrap_err();
        assert_eq!(taken.code, Code::NameTaken);
        assert!(taken.cause().contains("a customer"), "{}", taken.cause());
        assert!(refuse_taken(books.customers(), names("Free"), Role::Vendor).is_ok());
    }

    fn item_for(
        change: impl FnOnce(&mut Item),
        field: NameField,
        name: &str,
    ) -> Result<bool, Code> {
        let books = books(|content| {
            let mut one = item("i1", "Firewall");
            one.sku = Some("FW-1".to_owned());
            change(&mut one);
            content.items.push(one);
        });
        match_item(&books, field, names(name))
            .map(|found| found.is_some())
            .map_err(|notice| notice.code)
    }

    #[test]
    fn an_item_must_be_active_purchasable_and_no_folder() {
        let by = NameField::Name;
        assert_eq!(item_for(|_| (), by, "firewall"), Ok(true));
        assert_eq!(item_for(|_| (), NameField::Sku, "fw-1"), Ok(true));
        assert_eq!(item_for(|_| (), by, "Switch"), Ok(false));
        let inactive = item_for(|item| item.active = false, by, "Firewall");
        assert_eq!(inactive, Err(Code::ItemInactive));
        let unbuyable = item_for(|item| item.expense_account = None, by, "Firewall");
        assert_eq!(unbuyable, Err(Code::ItemNotPurchasable));
        for kind in [
            ItemKind::Category,
            ItemKind::Group,
            ItemKind::Other("X".to_owned()),
        ] {
            let folder = item_for(|item| item.kind = kind, by, "Firewall");
            assert_eq!(folder, Err(Code::ItemIsCategory));
        }
        let deleted = |item: &mut Item| {
            item.name = "Firewall (deleted)".to_owned();
            item.full_name.clone_from(&item.name);
            item.active = false;
        };
        assert_eq!(item_for(deleted, by, "Firewall"), Err(Code::ItemInactive));
    }

    #[test]
    fn two_items_of_one_name_are_ambiguous_unless_one_is_a_category() {
        let twice = |kind: ItemKind| {
            let books = books(|content| {
                let mut second = item("i2", "Firewall");
                second.kind = kind;
                content.items.extend([item("i1", "Firewall"), second]);
            });
            match_item(&books, NameField::Name, names("Firewall"))
                .map(|found| found.is_some())
                .map_err(|notice| notice.code)
        };
        assert_eq!(twice(ItemKind::Service), Err(Code::ItemAmbiguous));
        assert_eq!(twice(ItemKind::Category), Ok(true));
    }

    #[test]
    fn a_name_is_looked_for_as_autotask_has_it_and_as_it_would_be_sent() {
        let named = |raw, clean| Names { raw, clean };
        let both = named("Neu: Ost", "Neu - Ost");
        let found = |content: &dyn Fn(&mut BooksContent)| {
            let books = books(|given| content(given));
            match_party(books.vendors(), None, both, Role::Vendor)
                .map(|found| found.map(|(vendor, _)| vendor.id.to_string()))
                .map_err(|notice| notice.code)
        };
        let sent = vendor("v2", "Neu - Ost");
        let typed = vendor("v3", "Neu: Ost");
        let one = |content: &mut BooksContent| content.vendors.push(sent.clone());
        assert_eq!(found(&one), Ok(Some("v2".to_owned())));
        let two = |content: &mut BooksContent| {
            content.vendors.extend([sent.clone(), typed.clone()]);
        };
        assert_eq!(found(&two), Err(Code::NameAmbiguous));
    }

    #[test]
    fn one_record_that_bears_both_names_is_one_match() {
        let books = books(|content| {
            let mut both = item("i1", "Neu - Ost");
            both.full_name = "Neu: Ost".to_owned();
            content.items.push(both);
        });
        let names = Names {
            raw: "Neu: Ost",
            clean: "Neu - Ost",
        };
        let (found, how) = match_item(&books, NameField::Name, names).unwrap().unwrap();
        assert_eq!((found.id.as_str(), how), ("i1", How::Name));
    }

    #[test]
    fn it_is_told_whether_an_item_was_found_by_name_or_sku() {
        let books = books(|content| {
            let mut one = item("i1", "Firewall");
            one.sku = Some("FW-1".to_owned());
            content.items.push(one);
        });
        let how = |field, name| {
            let found = match_item(&books, field, names(name)).unwrap();
            found.map(|(_, how)| how)
        };
        assert_eq!(how(NameField::Name, "Firewall"), Some(How::Name));
        assert_eq!(how(NameField::Sku, "FW-1"), Some(How::Sku));
    }

    #[test]
    fn an_inactive_customer_is_refused_in_words_that_say_customer() {
        let books = books(|content| {
            let mut gone = customer("c1", "Client Ltd");
            gone.active = false;
            content.customers.push(gone);
        });
        let client = names("client ltd");
        let notice = match_party(books.customers(), None, client, Role::Customer).unwrap_err();
        assert_eq!(notice.code, Code::NameInactive);
        assert!(
            notice.cause().contains("customer client ltd"),
            "{}",
            notice.cause()
        );
        assert!(refuse_taken(books.customers(), client, Role::Vendor).is_ok());
        assert_eq!(
            taken(Role::Vendor, "X", "a customer").words["role"],
            "vendor"
        );
    }
}
