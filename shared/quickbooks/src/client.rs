//! The QuickBooks port of one tenant and realm: which call answers which question.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{Timestamp, civil::Date};
use purser_core::{
    books::{
        BillChanges, BillDraft, BillSummary, BooksContent, Changes, CreatedBill, Customer, Item,
        NameHolder, NewItem, NewParty, Vendor,
    },
    failure::Failure,
    ids::{BillId, ItemId, RealmId, RequestId, TenantId},
    money::Currency,
    notice::Code,
    policy::Policy,
    ports::{Clock, GrantStore, Lookup, QuickBooks},
};
use purser_transport::{Meter, SharedTransport};
use rust_decimal::Decimal;
use secrecy::SecretString;
use url::Url;

use crate::{
    encode, exchange::Exchange, pace::SharedPacer, send::Sender, server_clock::ServerClock,
    token::TokenSource,
};

/// Everything a [`QuickBooksClient`] is made from.
pub struct Config<C, G> {
    /// The network, or a simulator.
    pub transport: SharedTransport,
    /// The clock; all waiting goes through it.
    pub clock: Arc<C>,
    /// Timeouts and waits.
    pub policy: Policy,
    /// Where QuickBooks is, such as [`PRODUCTION`](crate::PRODUCTION). Check it with
    /// [`trusted_url`](crate::trusted_url) first: the access token is sent there.
    pub base_url: Url,
    /// Whose connection it is.
    pub tenant: TenantId,
    /// The company file all calls go to.
    pub realm: RealmId,
    /// The tenant's tokens for this realm, shared by all its clients of one process.
    pub tokens: Arc<TokenSource<C, G>>,
    /// The pace, shared by all clients of one (tenant, lane) and process.
    pub pacer: SharedPacer,
    /// Counts the calls that were sent.
    pub meter: Arc<Meter>,
}

/// One realm of QuickBooks Online, reached through one tenant's connection.
///
/// Cheap to make, and safe to share: keep one per (tenant, realm, lane), because it learns
/// QuickBooks' clock and the realm's set-up as it reads.
pub struct QuickBooksClient<C, G> {
    pub(crate) sender: Sender<C, G>,
    /// What reading the books told about the realm.
    known: Mutex<Known>,
    /// The last token that QuickBooks called stale while a bill was sent.
    stale: Mutex<Option<SecretString>>,
}

/// What the client has learnt about the realm.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    pub(crate) multi_currency: Option<bool>,
    pub(crate) book_close_date: Option<Date>,
}

impl<C: Clock, G: GrantStore> QuickBooksClient<C, G> {
    /// Makes the client; calls nothing.
    pub fn new(config: Config<C, G>) -> Self {
        let exchange = Exchange {
            transport: config.transport,
            clock: config.clock,
            policy: config.policy,
            base_url: config.base_url,
            tenant: config.tenant,
            realm: config.realm,
            pacer: config.pacer,
            meter: config.meter,
            server_clock: ServerClock::new(),
        };
        Self {
            sender: Sender {
                exchange,
                tokens: config.tokens,
            },
            known: Mutex::default(),
            stale: Mutex::default(),
        }
    }

    pub(crate) fn known(&self) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn learn(&self, known: Known) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Whether vendors bear a currency; assumed until the books were read.
    pub(crate) fn multi_currency(&self) -> bool {
        self.known().multi_currency.unwrap_or(true)
    }

    /// A failure with the words its notice needs and only the client knows.
    pub(crate) fn explained(&self, failure: Failure) -> Failure {
        if failure.code() != Code::BooksClosed {
            return failure;
        }
        let date = self.known().book_close_date;
        failure.with(
            "date",
            date.map_or_else(|| "the closing date".to_owned(), |d| d.to_string()),
        )
    }

    pub(crate) fn remember_stale(&self, token: SecretString) {
        *self.stale.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }
}

impl<C: Clock, G: GrantStore> QuickBooks for QuickBooksClient<C, G> {
    fn realm(&self) -> &RealmId {
        &self.sender.exchange.realm
    }

    async fn books(&self) -> Result<BooksContent, Failure> {
        self.read_books().await
    }

    async fn changes(&self, since: Timestamp) -> Result<Option<(Changes, Timestamp)>, Failure> {
        self.read_changes(since).await
    }

    async fn bill_changes(&self, since: Timestamp) -> Result<Option<BillChanges>, Failure> {
        self.read_bill_changes(since).await
    }

    async fn name_holders(&self, name: &str) -> Result<Vec<NameHolder>, Failure> {
        self.find_name_holders(name).await
    }

    async fn items_named(&self, name: &str) -> Result<Vec<Item>, Failure> {
        self.find_items(name).await
    }

    async fn item(&self, id: &ItemId) -> Result<Option<Item>, Failure> {
        self.find_item(id).await
    }

    async fn create_vendor(&self, vendor: &NewParty, id: &RequestId) -> Result<Vendor, Failure> {
        self.send_vendor(vendor, id).await
    }

    async fn create_customer(
        &self,
        customer: &NewParty,
        id: &RequestId,
    ) -> Result<Customer, Failure> {
        self.send_customer(customer, id).await
    }

    async fn create_item(&self, item: &NewItem, id: &RequestId) -> Result<Item, Failure> {
        self.send_item(item, id).await
    }

    async fn exchange_rate(
        &self,
        currency: Currency,
        date: Date,
    ) -> Result<Option<Decimal>, Failure> {
        self.find_rate(currency, date).await
    }

    async fn bills_numbered(&self, numbers: &[String]) -> Result<Vec<BillSummary>, Failure> {
        self.find_bills_numbered(numbers).await
    }

    async fn bills_created(&self, from: Timestamp, to: Timestamp) -> Result<Lookup, Failure> {
        self.find_bills_created(from, to).await
    }

    async fn bill(&self, id: &BillId) -> Result<Option<BillSummary>, Failure> {
        self.find_bill(id).await
    }

    fn encode_bill(&self, draft: &BillDraft) -> String {
        encode::bill(draft)
    }

    async fn create_bill(&self, body: &str, id: &RequestId) -> Result<CreatedBill, Failure> {
        self.send_bill(body, id).await
    }

    async fn prepare(&self) -> Result<(), Failure> {
        self.sender.tokens.access_token().await.map(drop)
    }

    async fn renew(&self) -> Result<(), Failure> {
        let stale = self
            .stale
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match stale {
            Some(stale) => self.sender.tokens.renew(&stale).await.map(drop),
            None => self.prepare().await,
        }
    }

    fn server_now(&self) -> Option<Timestamp> {
        let exchange = &self.sender.exchange;
        exchange.server_clock.at(exchange.clock.now())
    }
}
