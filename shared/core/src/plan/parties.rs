//! The vendor and the customer of a bill: matched, to be created, or refused.

use crate::{
    books::{Books, NewItem, NewParty},
    currency::{CurrencyCase, check_vendor},
    ids::{CustomerId, ItemId, OrganisationId, VendorId},
    matching::{Names, Role, match_party, refuse_taken, taken},
    money::Currency,
    notice::{Code, Notice},
    orders::Organisation,
    settings::Settings,
    text::{COMPANY_NAME_MAX, DISPLAY_NAME_MAX, clean_name, match_key},
};

use super::{Facts, NameUse, Resolve};

pub(super) fn plan_vendor(
    facts: &Facts,
    books: &Books,
    settings: &Settings,
    (seller, case, currency): (&Organisation, CurrencyCase, Currency),
    uses: &mut Vec<NameUse>,
) -> Result<Resolve<VendorId, NewParty>, Notice> {
    let clean = clean_name(&seller.name, DISPLAY_NAME_MAX, books.company().alphabet());
    let names = Names {
        raw: &seller.name,
        clean: &clean,
    };
    let mapped = settings
        .vendor_overrides
        .get(&seller.id)
        .map(VendorId::as_str);
    if mapped.is_none() {
        uses.push(name_use(Role::Vendor, seller, &clean));
    }
    if let Some((found, how)) = match_party(books.vendors(), mapped, names, Role::Vendor)? {
        check_vendor(case, currency, found, books.company().home_currency)?;
        let name = found.display_name.clone();
        return Ok(Resolve::Use {
            id: found.id.clone(),
            name,
            how,
        });
    }
    refuse_taken(books.customers(), names, Role::Vendor)?;
    let new = new_party(facts, books, &clean, Role::Vendor)?;
    let currency = (case != CurrencyCase::BothOff).then_some(currency);
    Ok(Resolve::Create {
        new: NewParty { currency, ..new },
        from: seller.name.clone(),
    })
}

pub(super) fn plan_customer(
    facts: &Facts,
    books: &Books,
    settings: &Settings,
    uses: &mut Vec<NameUse>,
) -> Result<Option<Resolve<CustomerId, NewParty>>, Notice> {
    let own = OrganisationId::new(0);
    let Some(id) = facts.order.purchase_for.filter(|id| *id != own) else {
        return Ok(None);
    };
    let unreadable =
        || Notice::new(Code::CustomerUnreadable).with("order", facts.order.display_number());
    let buyer = facts.organisations.get(&id).ok_or_else(unreadable)?;
    let clean = clean_name(&buyer.name, DISPLAY_NAME_MAX, books.company().alphabet());
    let names = Names {
        raw: &buyer.name,
        clean: &clean,
    };
    let mapped = settings.customer_overrides.get(&id).map(CustomerId::as_str);
    if mapped.is_none() {
        uses.push(name_use(Role::Customer, buyer, &clean));
    }
    if let Some((found, how)) = match_party(books.customers(), mapped, names, Role::Customer)? {
        let name = found.display_name.clone();
        return Ok(Some(Resolve::Use {
            id: found.id.clone(),
            name,
            how,
        }));
    }
    refuse_taken(books.vendors(), names, Role::Customer)?;
    let new = new_party(facts, books, &clean, Role::Customer)?;
    Ok(Some(Resolve::Create {
        new,
        from: buyer.name.clone(),
    }))
}

fn name_use(role: Role, organisation: &Organisation, clean: &str) -> NameUse {
    NameUse {
        role: role.word(),
        id: organisation.id.get(),
        from: organisation.name.clone(),
        clean: clean.to_owned(),
    }
}

fn new_party(facts: &Facts, books: &Books, clean: &str, role: Role) -> Result<NewParty, Notice> {
    if clean.chars().all(|c| !c.is_alphanumeric()) {
        let notice = Notice::new(Code::NameEmpty).with("role", role.word());
        return Err(notice.with("order", facts.order.display_number()));
    }
    let company_name = clean_name(clean, COMPANY_NAME_MAX, books.company().alphabet());
    Ok(NewParty {
        display_name: clean.to_owned(),
        company_name,
        currency: None,
    })
}

/// Vendor and customer share one name space: both cannot be created under one name.
pub(super) fn check_pair(
    vendor: &Resolve<VendorId, NewParty>,
    customer: Option<&Resolve<CustomerId, NewParty>>,
    facts: &Facts,
) -> Result<(), Notice> {
    let (
        Resolve::Create { new: seller, from },
        Some(Resolve::Create {
            new: buyer,
            from: other,
        }),
    ) = (vendor, customer)
    else {
        return Ok(());
    };
    if match_key(&seller.display_name) != match_key(&buyer.display_name) {
        return Ok(());
    }
    if from == other || facts.order.vendor == facts.order.purchase_for {
        return Err(taken(
            Role::Customer,
            other,
            "the vendor of this very order",
        ));
    }
    Err(Notice::new(Code::NameCollision)
        .with("name", from.as_str())
        .with("other", other.as_str()))
}

/// Points out every name that is sent otherwise than Autotask has it.
pub(super) fn remark_names(
    vendor: &Resolve<VendorId, NewParty>,
    customer: Option<&Resolve<CustomerId, NewParty>>,
    items: &[Resolve<ItemId, NewItem>],
    remarks: &mut Vec<String>,
) {
    let mut remark = |from: &str, sent: &str| {
        if from != sent {
            remarks.push(format!("The name {from} is sent as {sent}."));
        }
    };
    if let Resolve::Create { new, from } = vendor {
        remark(from, &new.display_name);
    }
    if let Some(Resolve::Create { new, from }) = customer {
        remark(from, &new.display_name);
    }
    for item in items {
        if let Resolve::Create { new, from } = item {
            remark(from, &new.name);
        }
    }
}
