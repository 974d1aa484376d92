use std::future::Future;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use crate::{
    books::{
        BillChanges, BillDraft, BillSummary, BooksContent, Changes, CreatedBill, Customer, Item,
        NameHolder, NewItem, NewParty, Vendor,
    },
    failure::Failure,
    ids::{BillId, ItemId, RealmId, RequestId},
    money::Currency,
};

/// What a search for bills by create time found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The bills in the window, all pages.
    pub bills: Vec<BillSummary>,
    /// QuickBooks' clock when it answered the last page, when it said so.
    pub server_time: Option<Timestamp>,
}

/// One realm of QuickBooks Online, through one tenant's connection.
///
/// Every call but [`create_bill`](Self::create_bill) renews a stale access token and repeats itself
/// once, and retries what may pass by itself. A success is a 2xx answer that holds the expected
/// record; a fault under HTTP 200 is a failure.
pub trait QuickBooks: Send + Sync {
    /// The realm.
    fn realm(&self) -> &RealmId;

    /// Reads all reference data, inactive records included.
    fn books(&self) -> impl Future<Output = Result<BooksContent, Failure>> + Send;

    /// What changed of the reference data since `since`, with QuickBooks' clock at the answer;
    /// `None` when that is too long ago or too much to be told.
    fn changes(
        &self,
        since: Timestamp,
    ) -> impl Future<Output = Result<Option<(Changes, Timestamp)>, Failure>> + Send;

    /// Which bills were made, edited or deleted since `since`; `None` when that is too long ago or
    /// too much to be told.
    fn bill_changes(
        &self,
        since: Timestamp,
    ) -> impl Future<Output = Result<Option<BillChanges>, Failure>> + Send;

    /// Who holds a name among vendors, customers and employees, active or not.
    fn name_holders(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Vec<NameHolder>, Failure>> + Send;

    /// Items with this name, active or not.
    fn items_named(&self, name: &str) -> impl Future<Output = Result<Vec<Item>, Failure>> + Send;

    /// One Item as it is now.
    fn item(&self, id: &ItemId) -> impl Future<Output = Result<Option<Item>, Failure>> + Send;

    /// Creates a vendor.
    fn create_vendor(
        &self,
        vendor: &NewParty,
        request_id: &RequestId,
    ) -> impl Future<Output = Result<Vendor, Failure>> + Send;

    /// Creates a customer.
    fn create_customer(
        &self,
        customer: &NewParty,
        request_id: &RequestId,
    ) -> impl Future<Output = Result<Customer, Failure>> + Send;

    /// Creates a non-inventory Item.
    fn create_item(
        &self,
        item: &NewItem,
        request_id: &RequestId,
    ) -> impl Future<Output = Result<Item, Failure>> + Send;

    /// Home units for one unit of `currency` on `date`; `None` when QuickBooks has no rate.
    fn exchange_rate(
        &self,
        currency: Currency,
        date: Date,
    ) -> impl Future<Output = Result<Option<Decimal>, Failure>> + Send;

    /// Live bills that bear one of these numbers.
    fn bills_numbered(
        &self,
        numbers: &[String],
    ) -> impl Future<Output = Result<Vec<BillSummary>, Failure>> + Send;

    /// Live bills created between two moments of QuickBooks' clock, all pages.
    fn bills_created(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Future<Output = Result<Lookup, Failure>> + Send;

    /// One bill as it is now; `None` when it was deleted.
    fn bill(
        &self,
        id: &BillId,
    ) -> impl Future<Output = Result<Option<BillSummary>, Failure>> + Send;

    /// The bytes of a bill: the same for the same draft, stored once and sent unchanged.
    fn encode_bill(&self, draft: &BillDraft) -> String;

    /// Sends a bill exactly once: no retry, no renewal of the token inside.
    ///
    /// Fails with [`OutcomeUnknown`](crate::notice::Code::OutcomeUnknown) unless a complete answer
    /// proves that nothing was written.
    fn create_bill(
        &self,
        body: &str,
        request_id: &RequestId,
    ) -> impl Future<Output = Result<CreatedBill, Failure>> + Send;

    /// Makes sure that the access token is good for a while, so that a send need not renew it.
    fn prepare(&self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Renews the access token after QuickBooks called it stale.
    fn renew(&self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// QuickBooks' clock now, as far as the `Date` headers of its answers have told it.
    fn server_now(&self) -> Option<Timestamp>;
}
