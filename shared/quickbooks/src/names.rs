//! Vendors, customers and Items: who holds a name, and creating the missing ones.

use jiff::civil::Date;
use purser_core::{
    books::{Customer, Item, NameHolder, NewItem, NewParty, Vendor},
    failure::Failure,
    ids::{ItemId, RequestId},
    money::Currency,
    notice::Code,
    ports::{Clock, GrantStore},
};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;

use crate::{
    call::{Call, Expected},
    client::QuickBooksClient,
    encode,
    exchange::Answer,
    query::Statement,
    realm::{convert, is_definite_no},
    verdict::Operation,
    wire::{self, CustomerWire, EmployeeWire, ItemWire, RateWire, VendorWire},
};

impl<C: Clock, G: GrantStore> QuickBooksClient<C, G> {
    /// Vendors, customers and employees share one name space; QuickBooks compares without case.
    pub(crate) async fn find_name_holders(&self, name: &str) -> Result<Vec<NameHolder>, Failure> {
        let is_multi = self.multi_currency();
        let vendors = self
            .rows(&Statement::named("Vendor", "DisplayName", name))
            .await?;
        let customers = self
            .rows(&Statement::named("Customer", "DisplayName", name))
            .await?;
        let employees = match self
            .rows(&Statement::named("Employee", "DisplayName", name))
            .await
        {
            // A user who may not see employees still may see the others.
            Err(failure) if is_definite_no(&failure) => crate::pages::Rows::default(),
            other => other?,
        };
        let mut holders = convert(&vendors, |vendor: VendorWire| {
            vendor.into_vendor(is_multi).map(NameHolder::Vendor)
        });
        holders.extend(convert(&customers, |customer: CustomerWire| {
            customer.into_customer().map(NameHolder::Customer)
        }));
        holders.extend(convert(&employees, |employee: EmployeeWire| {
            Some(NameHolder::Employee {
                active: employee.is_active(),
            })
        }));
        Ok(holders)
    }

    /// Items by `Name`; several when categories are on.
    pub(crate) async fn find_items(&self, name: &str) -> Result<Vec<Item>, Failure> {
        let rows = self.rows(&Statement::named("Item", "Name", name)).await?;
        Ok(convert(&rows, ItemWire::into_item))
    }

    /// One Item; `None` when QuickBooks does not know it.
    pub(crate) async fn find_item(&self, id: &ItemId) -> Result<Option<Item>, Failure> {
        let call = Call::get(&["item", id.as_str()], Expected::Record("Item"));
        match self.sender.call(&call).await {
            Ok(answer) => record(&answer, "Item", ItemWire::into_item).map(Some),
            Err(failure) if is_unknown(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Home units for one unit of `currency`.
    pub(crate) async fn find_rate(
        &self,
        currency: Currency,
        date: Date,
    ) -> Result<Option<Decimal>, Failure> {
        let call = Call::get(
            &["exchangerate"],
            Expected::Member(&["ExchangeRate", "QueryResponse"]),
        )
        .with("sourcecurrencycode", currency.code())
        .with("asofdate", date.to_string());
        match self.sender.call(&call).await {
            Ok(answer) => {
                let rate: Option<RateWire> =
                    wire::single(&answer.body, "ExchangeRate").and_then(wire::read);
                Ok(rate.and_then(|rate| rate.rate()))
            }
            Err(failure) if is_unknown(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Creates a vendor; repeated only under the same request id.
    pub(crate) async fn send_vendor(
        &self,
        vendor: &NewParty,
        id: &RequestId,
    ) -> Result<Vendor, Failure> {
        let body = encode::party(vendor);
        let call = Call::create(Operation::CreateVendor, "vendor", "Vendor", body, id);
        let answer = self.created(&call, &vendor.display_name).await?;
        let is_multi = self.multi_currency();
        record(&answer, "Vendor", |vendor: VendorWire| {
            vendor.into_vendor(is_multi)
        })
    }

    /// Creates a customer; repeated only under the same request id.
    pub(crate) async fn send_customer(
        &self,
        customer: &NewParty,
        id: &RequestId,
    ) -> Result<Customer, Failure> {
        let body = encode::party(customer);
        let call = Call::create(Operation::CreateCustomer, "customer", "Customer", body, id);
        let answer = self.created(&call, &customer.display_name).await?;
        record(&answer, "Customer", CustomerWire::into_customer)
    }

    /// Creates a non-inventory Item; repeated only under the same request id.
    pub(crate) async fn send_item(&self, item: &NewItem, id: &RequestId) -> Result<Item, Failure> {
        let body = encode::item(item);
        let call = Call::create(Operation::CreateItem, "item", "Item", body, id);
        let answer = self.created(&call, &item.name).await?;
        record(&answer, "Item", ItemWire::into_item)
    }

    async fn created(&self, call: &Call, name: &str) -> Result<Answer, Failure> {
        self.sender
            .call(call)
            .await
            .map_err(|failure| match failure.code() {
                Code::VendorRefused | Code::CustomerRefused | Code::ItemRefused => {
                    failure.with("name", name)
                }
                _ => self.explained(failure),
            })
    }
}

/// Whether QuickBooks said that it knows no such record: fault 610 and nothing else. Of a bill that is
/// gone another one is made.
pub(crate) fn is_unknown(failure: &Failure) -> bool {
    failure.answer.code.as_deref() == Some("610")
}

fn record<W: DeserializeOwned, T>(
    answer: &Answer,
    name: &str,
    to: impl Fn(W) -> Option<T>,
) -> Result<T, Failure> {
    let read = answer.body.get(name).and_then(wire::read::<W>).and_then(to);
    read.ok_or_else(|| Failure::new(Code::QuickBooksFailing).answered(answer.told.clone()))
}
