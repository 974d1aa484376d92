//! Makes sure that everything a bill refers to exists: match or create, adopt on a taken name.

use std::sync::PoisonError;

use crate::{
    books::{NameHolder, NewItem, NewParty},
    failure::{Failure, FailureClass},
    ids::{CustomerId, ItemId, RequestId, VendorId},
    marker::ensure_request_id,
    matching::{Role, check_item, taken},
    notice::{Code, Notice},
    plan::{Ensured, Payable, Plan, Resolve, payable_of},
    ports::QuickBooks,
    record::SyncRecord,
    text::match_key,
};

use super::{Ports, attempt::Attempt};

impl<P: Ports> Attempt<'_, P> {
    /// Creates what the plan says is missing and returns the ids the bill needs.
    pub(super) async fn ensure(
        &self,
        plan: &Plan,
        record: &SyncRecord,
    ) -> Result<Ensured, Failure> {
        let vendor = match &plan.vendor {
            Resolve::Use { id, .. } => id.clone(),
            Resolve::Create { new, .. } => self.ensure_vendor(new, record).await?,
        };
        let customer = match &plan.customer {
            None => None,
            Some(Resolve::Use { id, .. }) => Some(id.clone()),
            Some(Resolve::Create { new, .. }) => Some(self.ensure_customer(new, record).await?),
        };
        let mut items = Vec::with_capacity(plan.items.len());
        for item in &plan.items {
            items.push(match item {
                Resolve::Use { id, .. } => id.clone(),
                Resolve::Create { new, .. } => self.ensure_item(new, record).await?,
            });
        }
        let payable_account = self.payable_account(&plan.payable).await?;
        Ok(Ensured {
            vendor,
            customer,
            items,
            payable_account,
        })
    }

    fn request_id<T: serde::Serialize>(
        &self,
        record: &SyncRecord,
        step: &str,
        body: &T,
    ) -> RequestId {
        let body = serde_json::to_string(body).unwrap_or_default();
        ensure_request_id(
            &self.realm,
            record.key.order,
            record.generation,
            step,
            &body,
        )
    }

    async fn ensure_vendor(
        &self,
        new: &NewParty,
        record: &SyncRecord,
    ) -> Result<VendorId, Failure> {
        let known = self.known_party(|books| {
            books
                .vendors()
                .named(crate::books::NameField::Name, &new.display_name)
                .into_iter()
                .find(|v| v.active)
                .map(|v| (v.id.clone(), v.currency))
        });
        let home = self.known_party(|books| Some(books.company().home_currency));
        let wanted = new.currency.or(home);
        let found = if let Some(found) = known {
            found
        } else {
            let id = self.request_id(record, "vendor", new);
            match self.quickbooks.create_vendor(new, &id).await {
                Ok(vendor) => {
                    let found = (vendor.id.clone(), vendor.currency);
                    self.learn(|books| books.learn_vendor(vendor));
                    found
                }
                Err(failure) if failure.class() == FailureClass::Adopt => {
                    self.adopt_vendor(new).await?
                }
                Err(failure) => return Err(named(failure, Role::Vendor, &new.display_name)),
            }
        };
        match (found.1, wanted) {
            (Some(is), Some(wanted)) if is != wanted => {
                let failure = Failure::new(Code::CurrencyIgnored).with("name", &new.display_name);
                Err(failure
                    .with("quickbooks", is.code())
                    .with("autotask", wanted.code()))
            }
            _ => Ok(found.0),
        }
    }

    async fn adopt_vendor(
        &self,
        new: &NewParty,
    ) -> Result<(VendorId, Option<crate::money::Currency>), Failure> {
        let holders = self.quickbooks.name_holders(&new.display_name).await?;
        for holder in &holders {
            if let NameHolder::Vendor(vendor) = holder
                && vendor.active
                && match_key(&vendor.display_name) == match_key(&new.display_name)
            {
                self.learn(|books| books.learn_vendor(vendor.clone()));
                return Ok((vendor.id.clone(), vendor.currency));
            }
        }
        Err(refuse_holder(Role::Vendor, &new.display_name, &holders))
    }

    async fn ensure_customer(
        &self,
        new: &NewParty,
        record: &SyncRecord,
    ) -> Result<CustomerId, Failure> {
        let known = self.known_party(|books| {
            books
                .customers()
                .named(crate::books::NameField::Name, &new.display_name)
                .into_iter()
                .find(|c| c.active)
                .map(|c| c.id.clone())
        });
        if let Some(id) = known {
            return Ok(id);
        }
        let id = self.request_id(record, "customer", new);
        match self.quickbooks.create_customer(new, &id).await {
            Ok(customer) => {
                let id = customer.id.clone();
                self.learn(|books| books.learn_customer(customer));
                Ok(id)
            }
            Err(failure) if failure.class() == FailureClass::Adopt => {
                let holders = self.quickbooks.name_holders(&new.display_name).await?;
                for holder in &holders {
                    if let NameHolder::Customer(customer) = holder
                        && customer.active
                        && match_key(&customer.display_name) == match_key(&new.display_name)
                    {
                        self.learn(|books| books.learn_customer(customer.clone()));
                        return Ok(customer.id.clone());
                    }
                }
                Err(refuse_holder(Role::Customer, &new.display_name, &holders))
            }
            Err(failure) => Err(named(failure, Role::Customer, &new.display_name)),
        }
    }

    async fn ensure_item(&self, new: &NewItem, record: &SyncRecord) -> Result<ItemId, Failure> {
        let known = self.known_party(|books| {
            books
                .items()
                .named(crate::books::NameField::Name, &new.name)
                .into_iter()
                .find(|item| item.active)
                .cloned()
        });
        if let Some(item) = known {
            check_item(&item).map_err(Failure::from)?;
            return Ok(item.id);
        }
        let id = self.request_id(record, "item", new);
        match self.quickbooks.create_item(new, &id).await {
            Ok(item) => {
                let id = item.id.clone();
                self.learn(|books| books.learn_item(item));
                Ok(id)
            }
            Err(failure) if failure.class() == FailureClass::Adopt => {
                let found = self.quickbooks.items_named(&new.name).await?;
                let Some(item) = found.iter().find(|item| item.active).or(found.first()) else {
                    let failure = Failure::new(Code::ItemRefused).with("name", &new.name);
                    return Err(failure.with("detail", "the name is taken"));
                };
                check_item(item).map_err(Failure::from)?;
                self.learn(|books| books.learn_item(item.clone()));
                Ok(item.id.clone())
            }
            Err(failure) => Err(failure.with("name", &new.name)),
        }
    }

    /// An account QuickBooks made together with the first vendor of a currency must be read first.
    async fn payable_account(&self, payable: &Payable) -> Result<crate::ids::AccountId, Failure> {
        let currency = match payable {
            Payable::Account(id) => return Ok(id.clone()),
            Payable::OfCurrency(currency) => *currency,
        };
        if let Some(id) = self.known_party(|books| payable_of(books, currency)) {
            return Ok(id);
        }
        let content = self.quickbooks.books().await?;
        let fresh = crate::books::Books::new(content);
        let found = payable_of(&fresh, currency);
        self.learn(|books| *books = fresh);
        let missing = Failure::new(Code::PayableAccountMissing).with("currency", currency.code());
        found.ok_or(missing)
    }

    fn known_party<T>(&self, find: impl FnOnce(&crate::books::Books) -> Option<T>) -> Option<T> {
        find(&self.books.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn learn(&self, learn: impl FnOnce(&mut crate::books::Books)) {
        learn(&mut self.books.write().unwrap_or_else(PoisonError::into_inner));
    }
}

fn named(failure: Failure, role: Role, name: &str) -> Failure {
    failure.with("name", name).with("role", role.word())
}

/// The name is taken by something that cannot be used: say what it is.
fn refuse_holder(role: Role, name: &str, holders: &[NameHolder]) -> Failure {
    let same_kind_inactive = holders.iter().any(|holder| match (role, holder) {
        (Role::Vendor, NameHolder::Vendor(vendor)) => !vendor.active,
        (Role::Customer, NameHolder::Customer(customer)) => !customer.active,
        _ => false,
    });
    if same_kind_inactive {
        let notice = Notice::new(Code::NameInactive).with("role", role.word());
        return Failure::from(notice.with("name", name));
    }
    let holder = match holders.first() {
        Some(NameHolder::Vendor(vendor)) if vendor.active => "a vendor",
        Some(NameHolder::Vendor(_)) => "an inactive vendor",
        Some(NameHolder::Customer(customer)) if customer.active => "a customer",
        Some(NameHolder::Customer(_)) => "an inactive customer",
        Some(NameHolder::Employee { active: true }) => "an employee",
        Some(NameHolder::Employee { active: false }) => "an inactive employee",
        None => "another record",
    };
    Failure::from(taken(role, name, holder))
}
