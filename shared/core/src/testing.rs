//! Builders with meaningful defaults, and every port as one small world in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::FutureExt as _;
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use crate::{
    books::{
        Account, AccountKind, BillChanges, BillDraft, BillSummary, Books, BooksContent, Changes,
        Company, CreatedBill, Customer, Item, ItemKind, NameHolder, NewItem, NewParty, Term,
        Vendor,
    },
    failure::Failure,
    ids::{
        ActionTypeId, AttemptId, BillId, CurrencyId, ItemId, LineId, OperationId, OrderId,
        OrganisationId, ProductId, RealmId, RequestId, ResourceId, RunNumber, StatusId, TenantId,
        TodoId, TraceId,
    },
    money::Currency,
    notice::Code,
    orders::{
        CurrencyRow, CurrencyTable, Order, OrderLine, Organisation, PickListValue, Product,
        Resource, Todo,
    },
    plan::Facts,
    policy::Policy,
    ports::{
        Autotask, AutotaskReport, Chance, Change, Clock, Committed, DocumentKind, Expected,
        HistoryEntry, Lane, Ledger, Lookup, Mail, MailId, Message, NewTodo, Outbox, Outside, Put,
        Queue, QuickBooks, RecordFilter, Schedule, StoreError, WorkMessage,
    },
    record::{Origin, StateName, SyncRecord},
    settings::{BillDate, Chosen, ItemMatch, MissingItem, NumberSource, Settings},
    tenant::{AutotaskDatabase, KnownNames, Stored, TenantStatus},
    text::match_key,
    usecase::{Engine, Ports, SyncReport, SyncRequest},
};

/// The order of most tests.
pub(crate) const ORDER: OrderId = OrderId::new(4711);
/// The status that means Submitted.
pub(crate) const SUBMITTED: StatusId = StatusId::new(2);

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Monday noon in UTC.
pub(crate) fn noon() -> Timestamp {
    at("2026-03-16T12:00:00Z")
}

pub(crate) fn tenant() -> TenantId {
    "north-wind".parse().unwrap()
}

pub(crate) fn realm() -> RealmId {
    "9130347957983546".parse().unwrap()
}

pub(crate) fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

pub(crate) fn decimal(text: &str) -> Decimal {
    crate::money::decimal_from_text(text).unwrap()
}

pub(crate) fn order() -> Order {
    Order {
        id: ORDER,
        number: Some("PO-1001".to_owned()),
        status: Some(SUBMITTED),
        created: Some(at("2026-03-15T09:00:00Z")),
        submitted: Some(at("2026-03-15T10:00:00Z")),
        external_number: None,
        vendor: Some(OrganisationId::new(10)),
        purchase_for: Some(OrganisationId::new(20)),
        memo: Some("Deliver to the back door".to_owned()),
        freight: None,
        payment_term: None,
    }
}

pub(crate) fn line(id: i64, quantity: &str, unit_cost: &str) -> OrderLine {
    OrderLine {
        id: LineId::new(id),
        order: ORDER,
        product: Some(ProductId::new(100)),
        quantity: Some(decimal(quantity)),
        unit_cost: Some(decimal(unit_cost)),
        memo: None,
    }
}

pub(crate) fn product(id: i64, name: &str) -> Product {
    Product {
        id: ProductId::new(id),
        name: name.to_owned(),
        sku: Some(format!("SKU-{id}")),
        manufacturer_part_number: Some(format!("MPN-{id}")),
        description: Some(format!("{name}, boxed")),
    }
}

pub(crate) fn organisation(id: i64, name: &str) -> Organisation {
    Organisation {
        id: OrganisationId::new(id),
        name: name.to_owned(),
        currency: None,
    }
}

pub(crate) fn vendor(id: &str, name: &str) -> Vendor {
    Vendor {
        id: id.parse().unwrap(),
        display_name: name.to_owned(),
        company_name: None,
        active: true,
        currency: None,
    }
}

pub(crate) fn customer(id: &str, name: &str) -> Customer {
    Customer {
        id: id.parse().unwrap(),
        display_name: name.to_owned(),
        company_name: None,
        active: true,
    }
}

pub(crate) fn item(id: &str, name: &str) -> Item {
    Item {
        id: id.parse().unwrap(),
        name: name.to_owned(),
        full_name: name.to_owned(),
        sku: None,
        kind: ItemKind::NonInventory,
        active: true,
        expense_account: Some("exp".parse().unwrap()),
    }
}

fn account(id: &str, name: &str, kind: AccountKind) -> Account {
    Account {
        id: id.parse().unwrap(),
        name: name.to_owned(),
        kind,
        currency: None,
        active: true,
    }
}

/// A US company that knows the vendor, and neither the customer nor the Item.
pub(crate) fn content() -> BooksContent {
    BooksContent {
        company: Company {
            name: "North Wind".to_owned(),
            country: "US".to_owned(),
            home_currency: currency("USD"),
            multi_currency: false,
            time_zone: Some("America/New_York".to_owned()),
            book_close_date: None,
            plan: None,
            tracks_customers: true,
        },
        vendors: vec![vendor("v1", "Acme Supply")],
        customers: Vec::new(),
        items: Vec::new(),
        accounts: vec![
            account("ap", "Accounts Payable", AccountKind::Payable),
            account("exp", "Cost of goods sold", AccountKind::Expense),
            account("fr", "Freight", AccountKind::Expense),
        ],
        terms: vec![Term {
            id: "t30".parse().unwrap(),
            name: "Net 30".to_owned(),
            active: true,
        }],
        tax_codes: Vec::new(),
        as_of: noon(),
    }
}

pub(crate) fn books() -> Books {
    Books::new(content())
}

fn chosen<Id>(id: Id, label: &str) -> Chosen<Id> {
    Chosen {
        id,
        label: label.to_owned(),
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        days_back: 30,
        created_from: None,
        number_source: NumberSource::Quickbooks,
        interval_minutes: 15,
        submitted_status: None,
        time_zone: None,
        bill_date: BillDate::Submitted,
        item_match: ItemMatch::Name,
        missing_item: MissingItem::Create(chosen("exp".parse().unwrap(), "Cost of goods sold")),
        payable_account: chosen("ap".parse().unwrap(), "Accounts Payable"),
        freight_account: None,
        purchase_tax_code: None,
        todo_action_type: chosen(ActionTypeId::new(5), "General"),
        todo_resource: chosen(ResourceId::new(7), "Ann Reed"),
        give_up_hours: 24,
        autotask_share_percent: 50,
        digest_to: None,
        vendor_overrides: BTreeMap::new(),
        customer_overrides: BTreeMap::new(),
    }
}

pub(crate) fn currency_row(id: i64, code: &str, internal: bool) -> CurrencyRow {
    CurrencyRow {
        id: CurrencyId::new(id),
        code: currency(code),
        internal,
        active: true,
    }
}

pub(crate) fn facts() -> Facts {
    Facts {
        order: order(),
        lines: vec![line(1, "2", "399.99")],
        products: BTreeMap::from([(ProductId::new(100), product(100, "Firewall"))]),
        organisations: BTreeMap::from([
            (OrganisationId::new(10), organisation(10, "Acme Supply")),
            (OrganisationId::new(20), organisation(20, "Client Ltd")),
        ]),
        currencies: CurrencyTable {
            rows: vec![currency_row(1, "USD", true)],
        },
        payment_terms: Vec::new(),
        number_holders: Vec::new(),
        exchange_rate: None,
        names: KnownNames::default(),
        costs_readable: true,
        read_at: noon(),
    }
}

pub(crate) fn record() -> SyncRecord {
    let key = crate::record::RecordKey {
        tenant: tenant(),
        realm: realm(),
        order: ORDER,
    };
    SyncRecord::queued(key, "PO-1001".to_owned(), "op0".parse().unwrap(), noon())
}

/// What goes wrong at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call fails without effect.
    Before,
    /// The call has its effect, and its answer is lost.
    After,
    /// The process dies before the call.
    DeadBefore,
    /// The process dies after the effect of the call.
    DeadAfter,
}

/// What the clock of QuickBooks says at a moment of ours: whoever takes one for the other is wrong by
/// more than anything may be late, and by less than what is looked around.
fn by_server(at: Timestamp) -> Timestamp {
    crate::record::later(at, Duration::from_mins(4))
}

/// Everything outside.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent switch"
)]
pub(crate) struct Inner {
    pub(crate) now: Timestamp,
    ticks: u64,
    pub(crate) calls: usize,
    pub(crate) fault: Option<(usize, Fault)>,
    /// What happens right before a call, while the caller still waits for it.
    pub(crate) meanwhile: Option<(usize, Meanwhile)>,
    dead: bool,
    pub(crate) documents: BTreeMap<String, (String, u64)>,
    pub(crate) records: BTreeMap<OrderId, (SyncRecord, Option<Timestamp>)>,
    pub(crate) history: Vec<HistoryEntry>,
    pub(crate) mails: Vec<Mail>,
    pub(crate) messages: Vec<WorkMessage>,
    pub(crate) armed: Option<(RunNumber, Timestamp)>,
    pub(crate) orders: BTreeMap<OrderId, Order>,
    pub(crate) lines: Vec<OrderLine>,
    pub(crate) products: Vec<Product>,
    pub(crate) organisations: Vec<Organisation>,
    pub(crate) todos: Vec<(Todo, bool)>,
    pub(crate) content: BooksContent,
    pub(crate) bills: Vec<(BillSummary, Timestamp)>,
    pub(crate) sent: BTreeMap<RequestId, (String, BillId)>,
    pub(crate) honours_request_ids: bool,
    /// Answers of the next bill creates; a code without effect.
    pub(crate) refusals: Vec<Code>,
    /// The currency that created bills are answered with.
    pub(crate) currency: Option<Currency>,
    /// States as they were stored, for the first order.
    pub(crate) path: Vec<StateName>,
    /// Every write outside, in words.
    pub(crate) writes: Vec<String>,
    pub(crate) writable: bool,
    pub(crate) costs_readable: bool,
}

/// Something that happens between two calls of an attempt.
pub(crate) type Meanwhile = Box<dyn Fn(&World) + Send>;

/// All ports in one.
#[derive(Clone)]
pub(crate) struct World(Arc<Mutex<Inner>>);

impl World {
    /// A connected tenant with one eligible order.
    pub(crate) fn new() -> Self {
        let world = Self(Arc::new(Mutex::new(Inner {
            now: noon(),
            ticks: 0,
            calls: 0,
            fault: None,
            meanwhile: None,
            dead: false,
            documents: BTreeMap::new(),
            records: BTreeMap::new(),
            history: Vec::new(),
            mails: Vec::new(),
            messages: Vec::new(),
            armed: None,
            orders: BTreeMap::from([(ORDER, order())]),
            lines: vec![line(1, "2", "399.99")],
            products: vec![product(100, "Firewall")],
            organisations: vec![
                organisation(10, "Acme Supply"),
                organisation(20, "Client Ltd"),
            ],
            todos: Vec::new(),
            content: content(),
            bills: Vec::new(),
            sent: BTreeMap::new(),
            honours_request_ids: false,
            refusals: Vec::new(),
            currency: None,
            path: Vec::new(),
            writes: Vec::new(),
            writable: true,
            costs_readable: true,
        })));
        world.put(DocumentKind::Settings, &settings());
        world.put(
            DocumentKind::Status,
            &TenantStatus {
                realm: Some(realm()),
                reconciled_at: Some(noon()),
                ..TenantStatus::default()
            },
        );
        world
    }

    pub(crate) fn put(&self, kind: DocumentKind, value: &impl serde::Serialize) {
        let body = serde_json::to_string(value).unwrap();
        let mut inner = self.lock();
        let version = inner.documents.get(kind.as_str()).map_or(1, |d| d.1 + 1);
        inner
            .documents
            .insert(kind.as_str().to_owned(), (body, version));
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// A fresh process on this world.
    pub(crate) fn engine(&self, name: &str) -> Engine<Self> {
        self.lock().dead = false;
        Engine::new(self.clone(), Policy::default(), name.to_owned())
    }

    pub(crate) fn advance(&self, seconds: u64) {
        let mut inner = self.lock();
        inner.now = crate::record::later(inner.now, Duration::from_secs(seconds));
    }

    pub(crate) fn record(&self) -> SyncRecord {
        self.lock().records[&ORDER].0.clone()
    }

    pub(crate) fn state(&self) -> StateName {
        self.record().state.name()
    }

    pub(crate) fn external(&self) -> Option<String> {
        self.lock().orders[&ORDER].external_number.clone()
    }

    pub(crate) fn set_external(&self, text: Option<&str>) {
        self.lock().orders.get_mut(&ORDER).unwrap().external_number = text.map(str::to_owned);
    }

    /// The ids of all live bills.
    pub(crate) fn bills(&self) -> Vec<String> {
        let inner = self.lock();
        inner.bills.iter().map(|(b, _)| b.id.to_string()).collect()
    }

    pub(crate) fn open_todos(&self) -> Vec<String> {
        let inner = self.lock();
        let open = inner.todos.iter().filter(|(_, open)| *open);
        open.map(|(todo, _)| todo.text.clone()).collect()
    }

    /// Lets an engine sync the order once.
    pub(crate) fn sync(&self, origin: Origin) -> Result<SyncReport, StoreError> {
        self.sync_by(&self.engine("engine"), origin, &[ORDER])
    }

    pub(crate) fn sync_by(
        &self,
        engine: &Engine<Self>,
        origin: Origin,
        orders: &[OrderId],
    ) -> Result<SyncReport, StoreError> {
        let request = SyncRequest {
            tenant: tenant(),
            run: None,
            orders: orders.to_vec(),
            origin,
            deadline: crate::record::later(self.lock().now, Duration::from_secs(90)),
            trace: None,
        };
        engine.sync(request).now_or_never().unwrap()
    }

    /// Sweeps and works every five minutes, until nothing is due any more.
    pub(crate) fn settle_down(&self, rounds: usize) {
        self.lock().fault = None;
        for _ in 0..rounds {
            self.advance(301);
            let engine = self.engine("engine");
            engine
                .sweep_tenant(&tenant(), &self.trace())
                .now_or_never()
                .unwrap()
                .unwrap();
            self.work();
        }
    }

    /// Handles every queued message.
    pub(crate) fn work(&self) {
        for _ in 0..50 {
            let messages = std::mem::take(&mut self.lock().messages);
            if messages.is_empty() {
                return;
            }
            for message in messages {
                let engine = self.engine("engine");
                match message {
                    WorkMessage::Sync { orders, origin, .. } => {
                        let report = self.sync_by(&engine, origin, &orders).unwrap();
                        assert!(report.left_over.is_empty());
                    }
                    WorkMessage::EndOfRun { run, .. } => {
                        engine
                            .end_run(&tenant(), run)
                            .now_or_never()
                            .unwrap()
                            .unwrap();
                    }
                }
            }
        }
    }

    /// Counts one call and says how it ends: whether it has its effect, and whether that is told.
    fn call(&self) -> (bool, bool) {
        let meanwhile = {
            let mut inner = self.lock();
            inner.calls += 1;
            let calls = inner.calls;
            inner.meanwhile.take_if(|(at, _)| *at == calls)
        };
        if let Some((_, meanwhile)) = meanwhile {
            meanwhile(self);
        }
        let mut inner = self.lock();
        if inner.dead {
            return (false, false);
        }
        match inner.fault {
            Some((at, fault)) if at == inner.calls => {
                inner.dead = matches!(fault, Fault::DeadBefore | Fault::DeadAfter);
                (matches!(fault, Fault::After | Fault::DeadAfter), false)
            }
            _ => (true, true),
        }
    }

    fn effect<T, E>(
        &self,
        lost: impl FnOnce() -> E,
        effect: impl FnOnce(&mut Inner) -> Result<T, E>,
    ) -> Result<T, E> {
        let (happens, told) = self.call();
        if !happens {
            return Err(lost());
        }
        let result = effect(&mut self.lock());
        if told { result } else { Err(lost()) }
    }

    fn stored<T>(&self, effect: impl FnOnce(&mut Inner) -> T) -> Result<T, StoreError> {
        let lost = || StoreError::Unavailable("fault".to_owned());
        self.effect(lost, |inner| Ok(effect(inner)))
    }

    fn asked<T>(&self, code: Code, effect: impl FnOnce(&mut Inner) -> T) -> Result<T, Failure> {
        self.effect(|| Failure::new(code), |inner| Ok(effect(inner)))
    }
}

impl Ports for World {
    type Clock = Self;
    type Chance = Self;
    type Store = Self;
    type Queue = Self;
    type Schedule = Self;
    type Outside = Self;

    fn clock(&self) -> &Self {
        self
    }
    fn chance(&self) -> &Self {
        self
    }
    fn store(&self) -> &Self {
        self
    }
    fn queue(&self) -> &Self {
        self
    }
    fn schedule(&self) -> &Self {
        self
    }
    fn outside(&self) -> &Self {
        self
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    async fn sleep(&self, _: Duration) {}
}

impl Chance for World {
    fn operation(&self) -> OperationId {
        let mut inner = self.lock();
        inner.ticks += 1;
        format!("op{}", inner.ticks).parse().unwrap()
    }

    fn attempt(&self) -> AttemptId {
        self.operation().as_str().parse().unwrap()
    }

    fn trace(&self) -> TraceId {
        let mut inner = self.lock();
        inner.ticks += 1;
        TraceId::of(inner.ticks.into())
    }

    fn permille(&self) -> u32 {
        500
    }
}

impl Outside for World {
    type Autotask = Self;
    type QuickBooks = Self;

    async fn autotask(&self, _: &TenantId, _: Lane) -> Result<Arc<Self>, Failure> {
        Ok(Arc::new(self.clone()))
    }

    fn take_calls(&self, _: &TenantId) -> crate::tenant::CallCounts {
        crate::tenant::CallCounts::default()
    }

    async fn quickbooks(&self, _: &TenantId, _: Lane) -> Result<Arc<Self>, Failure> {
        Ok(Arc::new(self.clone()))
    }
}

impl Queue for World {
    async fn send(&self, messages: Vec<Message>) -> Result<(), StoreError> {
        self.stored(|inner| inner.messages.extend(messages.into_iter().map(|m| m.body)))
    }
}

impl Schedule for World {
    async fn arm(&self, _: &TenantId, run: RunNumber, at: Timestamp) -> Result<(), StoreError> {
        self.stored(|inner| inner.armed = Some((run, at)))
    }

    async fn is_armed(&self, _: &TenantId, run: RunNumber) -> Result<bool, StoreError> {
        self.stored(|inner| inner.armed.is_some_and(|(armed, _)| armed == run))
    }
}

impl Outbox for World {
    async fn keep(&self, mail: Mail) -> Result<MailId, StoreError> {
        self.stored(|inner| {
            inner.mails.push(mail);
            inner.mails.len() as u64
        })
    }

    async fn unsent(&self, _: u32) -> Result<Vec<(MailId, Mail)>, StoreError> {
        Ok(Vec::new())
    }

    async fn sent(&self, _: MailId, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn mails(&self, _: u32) -> Result<Vec<(MailId, Mail, Option<Timestamp>)>, StoreError> {
        Ok(Vec::new())
    }
}

fn commit_one(inner: &mut Inner, change: Change) -> Committed {
    let order = change.record.key.order;
    let stored = inner.records.get(&order).map(|(record, _)| record.clone());
    if let Some(stored) = &stored
        && stored.operation == change.record.operation
    {
        return Committed::Done;
    }
    let fits = match (&change.expected, &stored) {
        (Expected::Any, _) | (Expected::Absent, None) => true,
        (Expected::Is(operation), Some(stored)) => {
            *operation == stored.operation && stored.fence <= change.record.fence
        }
        (Expected::Absent, Some(_)) | (Expected::Is(_), None) => false,
    };
    if !fits {
        return Committed::Conflict(stored.map(Box::new));
    }
    if order == ORDER {
        inner.path.push(change.record.state.name());
    }
    inner.history.extend(change.history);
    inner.mails.extend(change.mails);
    inner.records.insert(order, (change.record, change.due_at));
    Committed::Done
}

impl Ledger for World {
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        Ok(vec![tenant()])
    }

    async fn remove_tenant(&self, _: &TenantId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn document(
        &self,
        _: &TenantId,
        kind: DocumentKind,
    ) -> Result<Option<Stored<String>>, StoreError> {
        self.stored(|inner| {
            let (value, version) = inner.documents.get(kind.as_str())?.clone();
            Some(Stored { value, version })
        })
    }

    async fn put_document(
        &self,
        _: &TenantId,
        kind: DocumentKind,
        body: String,
        expected: Expected<u64>,
    ) -> Result<Put, StoreError> {
        self.stored(|inner| {
            let version = inner.documents.get(kind.as_str()).map(|d| d.1);
            let fits = match expected {
                Expected::Any => true,
                Expected::Absent => version.is_none(),
                Expected::Is(wanted) => version == Some(wanted),
            };
            if !fits {
                return Put::Conflict;
            }
            let next = version.unwrap_or_default() + 1;
            inner
                .documents
                .insert(kind.as_str().to_owned(), (body, next));
            Put::Done(next)
        })
    }

    async fn remove_document(&self, _: &TenantId, _: DocumentKind) -> Result<(), StoreError> {
        Ok(())
    }

    async fn records(
        &self,
        _: &TenantId,
        _: &RealmId,
        orders: &[OrderId],
    ) -> Result<Vec<SyncRecord>, StoreError> {
        self.stored(|inner| {
            let found = orders.iter().filter_map(|id| inner.records.get(id));
            found.map(|(record, _)| record.clone()).collect()
        })
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        self.stored(|inner| {
            let all = changes.into_iter();
            all.map(|change| commit_one(inner, change)).collect()
        })
    }

    async fn due(
        &self,
        _: &TenantId,
        _: &RealmId,
        now: Timestamp,
        _: u32,
    ) -> Result<Vec<OrderId>, StoreError> {
        self.stored(|inner| {
            let due = inner.records.iter();
            due.filter(|(_, (_, due))| due.is_some_and(|due| due <= now))
                .map(|(id, _)| *id)
                .collect()
        })
    }

    async fn next_due(&self, _: &TenantId, _: &RealmId) -> Result<Option<Timestamp>, StoreError> {
        self.stored(|inner| inner.records.values().filter_map(|(_, due)| *due).min())
    }

    async fn list(
        &self,
        _: &TenantId,
        filter: &RecordFilter,
    ) -> Result<Vec<SyncRecord>, StoreError> {
        self.stored(|inner| {
            if filter.before.is_some() {
                return Vec::new();
            }
            let all = inner.records.values().map(|(record, _)| record.clone());
            all.filter(|r| filter.states.is_empty() || filter.states.contains(&r.state.name()))
                .collect()
        })
    }

    async fn count(&self, tenant: &TenantId, filter: &RecordFilter) -> Result<u64, StoreError> {
        Ok(self.list(tenant, filter).await?.len() as u64)
    }

    async fn counts(&self, _: &TenantId) -> Result<Vec<(StateName, u64)>, StoreError> {
        Ok(Vec::new())
    }

    async fn counts_between(
        &self,
        _: &TenantId,
        bounds: &[Timestamp],
    ) -> Result<Vec<BTreeMap<StateName, u64>>, StoreError> {
        self.stored(|inner| {
            let spans = bounds.windows(2).map(|span| {
                let mut counts = BTreeMap::new();
                for (record, _) in inner.records.values() {
                    if span[0] <= record.updated_at && record.updated_at < span[1] {
                        *counts.entry(record.state.name()).or_default() += 1;
                    }
                }
                counts
            });
            spans.collect()
        })
    }

    async fn oldest_open(&self, _: &TenantId) -> Result<Option<(OrderId, Timestamp)>, StoreError> {
        self.stored(|inner| {
            let open = inner.records.values().filter_map(|(record, _)| {
                record.open_since().map(|since| (record.key.order, since))
            });
            open.min_by_key(|(_, since)| *since)
        })
    }

    async fn history(&self, _: &TenantId, _: OrderId) -> Result<Vec<HistoryEntry>, StoreError> {
        self.stored(|inner| inner.history.clone())
    }
}

impl Autotask for World {
    async fn statuses(&self) -> Result<Vec<PickListValue>, Failure> {
        self.asked(Code::AutotaskUnreachable, |_| {
            vec![PickListValue {
                value: SUBMITTED.get(),
                label: "Submitted".to_owned(),
                active: true,
            }]
        })
    }

    async fn payment_terms(&self) -> Result<Vec<PickListValue>, Failure> {
        Ok(Vec::new())
    }

    async fn action_types(&self) -> Result<Vec<PickListValue>, Failure> {
        Ok(Vec::new())
    }

    async fn resources(&self) -> Result<Vec<Resource>, Failure> {
        Ok(Vec::new())
    }

    async fn orders_with_status(
        &self,
        status: StatusId,
        from: Timestamp,
    ) -> Result<Vec<Order>, Failure> {
        self.asked(Code::AutotaskUnreachable, |inner| {
            let all = inner.orders.values().cloned();
            all.filter(|o| o.status == Some(status) && o.created.is_none_or(|c| c >= from))
                .collect()
        })
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, Failure> {
        self.asked(Code::AutotaskUnreachable, |inner| {
            ids.iter()
                .filter_map(|id| inner.orders.get(id).cloned())
                .collect()
        })
    }

    async fn lines(&self, orders: &[OrderId]) -> Result<Vec<OrderLine>, Failure> {
        self.asked(Code::AutotaskUnreachable, |inner| {
            let all = inner.lines.iter().filter(|l| orders.contains(&l.order));
            all.cloned().collect()
        })
    }

    async fn products(&self, _: &[ProductId]) -> Result<Vec<Product>, Failure> {
        self.asked(Code::AutotaskUnreachable, |inner| inner.products.clone())
    }

    async fn organisations(&self, _: &[OrganisationId]) -> Result<Vec<Organisation>, Failure> {
        self.asked(Code::AutotaskUnreachable, |inner| {
            inner.organisations.clone()
        })
    }

    async fn currencies(&self) -> Result<CurrencyTable, Failure> {
        let rows = vec![currency_row(1, "USD", true)];
        self.asked(Code::AutotaskUnreachable, |_| CurrencyTable { rows })
    }

    async fn write_external_number(&self, order: OrderId, text: &str) -> Result<(), Failure> {
        let lost = || Failure::new(Code::AutotaskUnreachable);
        self.effect(lost, |inner| {
            if !inner.writable {
                return Err(Failure::new(Code::AutotaskRefused).with("detail", "read-only"));
            }
            inner.writes.push(format!("external number {text}"));
            if let Some(order) = inner.orders.get_mut(&order) {
                order.external_number = Some(text.to_owned());
            }
            Ok(())
        })
    }

    async fn open_todos(&self, _: &[OrderId]) -> Result<Vec<Todo>, Failure> {
        self.asked(Code::AutotaskUnreachable, |inner| {
            let open = inner.todos.iter().filter(|(_, open)| *open);
            open.map(|(todo, _)| todo.clone()).collect()
        })
    }

    async fn create_todo(&self, todo: &NewTodo) -> Result<TodoId, Failure> {
        self.asked(Code::TodoOutcomeUnknown, |inner| {
            let id = TodoId::new(i64::try_from(inner.todos.len()).unwrap() + 1);
            let text = todo.text.clone();
            inner.todos.push((Todo { id, text }, true));
            inner.writes.push("to-do".to_owned());
            id
        })
    }

    async fn rewrite_todo(&self, id: TodoId, text: &str) -> Result<(), Failure> {
        self.asked(Code::AutotaskUnreachable, |inner| {
            for (todo, _) in inner.todos.iter_mut().filter(|(todo, _)| todo.id == id) {
                text.clone_into(&mut todo.text);
            }
        })
    }

    async fn complete_todo(&self, id: TodoId, _: Timestamp) -> Result<(), Failure> {
        self.asked(Code::AutotaskUnreachable, |inner| {
            for (_, open) in inner.todos.iter_mut().filter(|(todo, _)| todo.id == id) {
                *open = false;
            }
        })
    }

    async fn database(&self) -> Result<Option<AutotaskDatabase>, Failure> {
        Ok(None)
    }

    async fn report(&self) -> Result<AutotaskReport, Failure> {
        let lost = || Failure::new(Code::AutotaskUnreachable);
        self.effect(lost, |inner| {
            Ok(AutotaskReport {
                zone_host: String::new(),
                web_url: String::new(),
                database: None,
                may_read_orders: true,
                may_write_orders: true,
                may_read_lines: true,
                api_only: Some(true),
                costs_readable: Some(inner.costs_readable),
                quota: None,
            })
        })
    }
}

fn make_bill(inner: &mut Inner, draft: &BillDraft) -> BillSummary {
    let id = inner.sent.len() + inner.writes.len() + 1;
    let bill = BillSummary {
        id: format!("{}", 100 + id).parse().unwrap(),
        number: draft.number.clone(),
        vendor: Some(draft.vendor.clone()),
        vendor_name: None,
        total: draft.total.amount(),
        note: Some(draft.note.clone()),
    };
    inner.bills.push((bill.clone(), inner.now));
    inner.writes.push(format!("bill {}", bill.total));
    bill
}

impl QuickBooks for World {
    fn realm(&self) -> &RealmId {
        static REALM: std::sync::OnceLock<RealmId> = std::sync::OnceLock::new();
        REALM.get_or_init(realm)
    }

    async fn books(&self) -> Result<BooksContent, Failure> {
        self.asked(Code::QuickBooksUnreachable, |inner| inner.content.clone())
    }

    async fn changes(&self, _: Timestamp) -> Result<Option<(Changes, Timestamp)>, Failure> {
        self.asked(Code::QuickBooksUnreachable, |_| None)
    }

    async fn bill_changes(&self, _: Timestamp) -> Result<Option<BillChanges>, Failure> {
        self.asked(Code::QuickBooksUnreachable, |_| None)
    }

    async fn name_holders(&self, name: &str) -> Result<Vec<NameHolder>, Failure> {
        self.asked(Code::QuickBooksUnreachable, |inner| {
            let same = |other: &str| match_key(other) == match_key(name);
            let vendors = inner.content.vendors.iter();
            let vendors = vendors.filter(|v| same(&v.display_name)).cloned();
            let customers = inner.content.customers.iter();
            let customers = customers.filter(|c| same(&c.display_name)).cloned();
            vendors
                .map(NameHolder::Vendor)
                .chain(customers.map(NameHolder::Customer))
                .collect()
        })
    }

    async fn items_named(&self, name: &str) -> Result<Vec<Item>, Failure> {
        self.asked(Code::QuickBooksUnreachable, |inner| {
            let all = inner.content.items.iter();
            all.filter(|item| item.name == name).cloned().collect()
        })
    }

    async fn item(&self, _: &ItemId) -> Result<Option<Item>, Failure> {
        Ok(None)
    }

    async fn create_vendor(&self, new: &NewParty, _: &RequestId) -> Result<Vendor, Failure> {
        let lost = || Failure::new(Code::QuickBooksUnreachable);
        self.effect(lost, |inner| {
            let same = |v: &Vendor| match_key(&v.display_name) == match_key(&new.display_name);
            if inner.content.vendors.iter().any(same) {
                return Err(Failure::new(Code::NameInUse));
            }
            let id = format!("v{}", inner.content.vendors.len() + 1);
            let made = vendor(&id, &new.display_name);
            inner.content.vendors.push(made.clone());
            inner.writes.push(format!("vendor {}", new.display_name));
            Ok(made)
        })
    }

    async fn create_customer(&self, new: &NewParty, _: &RequestId) -> Result<Customer, Failure> {
        let lost = || Failure::new(Code::QuickBooksUnreachable);
        self.effect(lost, |inner| {
            let same = |c: &Customer| match_key(&c.display_name) == match_key(&new.display_name);
            if inner.content.customers.iter().any(same) {
                return Err(Failure::new(Code::NameInUse));
            }
            let made = customer("c1", &new.display_name);
            inner.content.customers.push(made.clone());
            inner.writes.push(format!("customer {}", new.display_name));
            Ok(made)
        })
    }

    async fn create_item(&self, new: &NewItem, _: &RequestId) -> Result<Item, Failure> {
        let lost = || Failure::new(Code::QuickBooksUnreachable);
        self.effect(lost, |inner| {
            if inner.content.items.iter().any(|item| item.name == new.name) {
                return Err(Failure::new(Code::NameInUse));
            }
            let id = format!("i{}", inner.content.items.len() + 1);
            let made = item(&id, &new.name);
            inner.content.items.push(made.clone());
            inner.writes.push(format!("item {}", new.name));
            Ok(made)
        })
    }

    async fn exchange_rate(&self, _: Currency, _: Date) -> Result<Option<Decimal>, Failure> {
        Ok(Some(Decimal::TWO))
    }

    async fn bills_numbered(&self, numbers: &[String]) -> Result<Vec<BillSummary>, Failure> {
        self.asked(Code::QuickBooksUnreachable, |inner| {
            let all = inner.bills.iter().map(|(bill, _)| bill.clone());
            all.filter(|b| b.number.as_ref().is_some_and(|n| numbers.contains(n)))
                .collect()
        })
    }

    async fn bills_created(&self, from: Timestamp, to: Timestamp) -> Result<Lookup, Failure> {
        self.asked(Code::QuickBooksUnreachable, |inner| {
            let all = inner.bills.iter();
            let within = all.filter(|(_, at)| (from..=to).contains(&by_server(*at)));
            Lookup {
                bills: within.map(|(bill, _)| bill.clone()).collect(),
                server_time: Some(by_server(inner.now)),
            }
        })
    }

    async fn bill(&self, id: &BillId) -> Result<Option<BillSummary>, Failure> {
        self.asked(Code::QuickBooksUnreachable, |inner| {
            let found = inner.bills.iter().find(|(bill, _)| bill.id == *id);
            found.map(|(bill, _)| bill.clone())
        })
    }

    fn encode_bill(&self, draft: &BillDraft) -> String {
        serde_json::to_string(draft).unwrap()
    }

    async fn create_bill(&self, body: &str, id: &RequestId) -> Result<CreatedBill, Failure> {
        {
            // Whatever happens to this send: it was stored before, with these very bytes.
            let inner = self.lock();
            let stored = inner.records.values().any(|(record, _)| {
                matches!(&record.state, crate::record::State::Planned { intent }
                    if intent.request_id == *id && intent.body == body && intent.in_doubt)
            });
            assert!(stored || inner.dead, "a bill was sent without its intent");
        }
        let lost = || Failure::new(Code::OutcomeUnknown);
        self.effect(lost, |inner| {
            if let Some(code) = inner.refusals.pop() {
                return Err(Failure::new(code));
            }
            let draft: BillDraft = serde_json::from_str(body).unwrap();
            if let Some((bytes, bill)) = inner.sent.get(id).cloned() {
                assert_eq!(bytes, body, "one request id, other bytes");
                let live = inner.bills.iter().find(|(b, _)| b.id == bill);
                if inner.honours_request_ids
                    && let Some((bill, _)) = live
                {
                    let bill = bill.clone();
                    return Ok(CreatedBill {
                        bill,
                        currency: inner.currency,
                    });
                }
            }
            let bill = make_bill(inner, &draft);
            inner
                .sent
                .insert(id.clone(), (body.to_owned(), bill.id.clone()));
            Ok(CreatedBill {
                bill,
                currency: inner.currency,
            })
        })
    }

    async fn prepare(&self) -> Result<(), Failure> {
        self.asked(Code::QuickBooksUnreachable, |_| ())
    }

    async fn renew(&self) -> Result<(), Failure> {
        self.asked(Code::QuickBooksUnreachable, |_| ())
    }

    fn server_now(&self) -> Option<Timestamp> {
        Some(by_server(self.lock().now))
    }
}
