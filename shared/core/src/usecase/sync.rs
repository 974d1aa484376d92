//! Sync: takes the orders of one message from where they stand to where only time or a person can
//! take them further.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    failure::Failure,
    ids::{BillId, OrderId, RunNumber, TenantId, TraceId},
    notice::{Code, Notice},
    ports::{Lane, Ledger, Outside, QuickBooks, StoreError},
    record::{Origin, RecordKey, State, StateName, SyncRecord, Todo, Wait},
    settings::Settings,
    tenant::TenantStatus,
};

use super::{
    Engine, Ports,
    attempt::{Attempt, Halt, Job},
    commit::waiting_for,
    tried::Tried,
};

/// The age at which reference data asks for changes when a person waits. Many retries at once
/// share one request.
const BOOKS_AGE_FOR_PEOPLE: Duration = Duration::from_secs(2);

/// A wish to sync some orders.
#[derive(Clone, Debug)]
pub struct SyncRequest {
    /// Whose orders.
    pub tenant: TenantId,
    /// The run that found them.
    pub run: Option<RunNumber>,
    /// The orders.
    pub orders: Vec<OrderId>,
    /// Who asked.
    pub origin: Origin,
    /// When the function ends.
    pub deadline: Timestamp,
    /// What it followed from.
    pub trace: Option<TraceId>,
}

/// Where one order stands after an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The order.
    pub order: OrderId,
    /// The number people know it by.
    pub number: String,
    /// Where it stands.
    pub outcome: OutcomeKind,
    /// The stable code behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// One sentence of cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// One sentence of remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The bill's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill: Option<BillId>,
    /// What stands in External PO Number because of us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill_number: Option<String>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
}

/// The kinds of outcomes people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The bill exists and is linked.
    Billed,
    /// A person must act.
    Refused,
    /// It goes on by itself.
    Waiting,
    /// Whether the bill exists, or what is out of date still lands in its order, is being found out.
    InDoubt,
    /// It may not be transferred; nothing was written.
    Ineligible,
}

impl OutcomeKind {
    /// Its text, as stored and logged.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Billed => "billed",
            Self::Refused => "refused",
            Self::Waiting => "waiting",
            Self::InDoubt => "in_doubt",
            Self::Ineligible => "ineligible",
        }
    }
}

/// What one message came to.
#[derive(Clone, Debug, Default)]
pub struct SyncReport {
    /// One per order.
    pub outcomes: Vec<Outcome>,
    /// The attempts behind them, in the same order.
    pub tried: Vec<Tried>,
    /// Orders there was no time for; they need a message of their own.
    pub left_over: Vec<OrderId>,
}

impl Outcome {
    /// Tells where a record stands.
    pub fn of(record: &SyncRecord) -> Self {
        let outcome = match &record.state {
            State::Linked { .. } => OutcomeKind::Billed,
            State::Refused { .. } | State::NeedsPerson { .. } | State::Orphaned { .. } => {
                OutcomeKind::Refused
            }
            State::Skipped { .. } => OutcomeKind::Ineligible,
            State::Planned { intent } if intent.in_doubt => OutcomeKind::InDoubt,
            State::Created { .. } if record.wait.as_ref().is_some_and(Wait::is_doubt) => {
                OutcomeKind::InDoubt
            }
            State::Queued | State::Planned { .. } | State::Created { .. } => OutcomeKind::Waiting,
        };
        let mut told = Self::plain(record.key.order, &record.order_number, outcome);
        if let State::Skipped { reason } = &record.state {
            told.code = Some(reason.code().to_owned());
            told.cause = Some(reason.text());
        }
        if let State::Orphaned { bill } = &record.state {
            let notice = Notice::new(Code::BillDeleted).with("number", bill.written_number());
            told = told.because(&notice.with("order", record.order_number.as_str()));
        } else if let Some(notice) = record.notice()
            && !matches!(outcome, OutcomeKind::Billed | OutcomeKind::Ineligible)
        {
            told = told.because(notice);
        }
        // What is in doubt may be gone.
        let bill = record.bill().filter(|_| outcome != OutcomeKind::InDoubt);
        told.bill = bill.map(|bill| bill.id.clone());
        if record.state.name() == StateName::Linked {
            told.bill_number = record.bill().map(|bill| bill.written_number().to_owned());
        }
        if matches!(outcome, OutcomeKind::Waiting | OutcomeKind::InDoubt) {
            told.next_attempt = record.wait.as_ref().map(|wait| wait.not_before);
        }
        told
    }

    /// An order that may not be transferred.
    pub fn ineligible(
        order: OrderId,
        number: &str,
        reason: &crate::eligibility::Ineligible,
    ) -> Self {
        let told = Self::plain(order, number, OutcomeKind::Ineligible);
        Self {
            code: Some(reason.code().to_owned()),
            cause: Some(reason.text()),
            ..told
        }
    }

    fn plain(order: OrderId, number: &str, outcome: OutcomeKind) -> Self {
        let number = number.to_owned();
        Self {
            order,
            number,
            outcome,
            code: None,
            cause: None,
            remedy: None,
            bill: None,
            bill_number: None,
            next_attempt: None,
        }
    }

    fn because(mut self, notice: &Notice) -> Self {
        self.code = Some(notice.code.as_str().to_owned());
        self.cause = Some(notice.cause());
        self.remedy = Some(notice.remedy());
        self
    }

    /// An order that waits for something the whole tenant waits for.
    pub fn waiting(order: OrderId, number: &str, notice: &Notice, next: Option<Timestamp>) -> Self {
        let waiting = Self::plain(order, number, OutcomeKind::Waiting);
        Self {
            next_attempt: next,
            ..waiting.because(notice)
        }
    }
}

impl<P: Ports> Engine<P> {
    /// Syncs the orders of one message. Every order's state is stored when this returns.
    pub async fn sync(&self, request: SyncRequest) -> Result<SyncReport, StoreError> {
        let status = self.ready_status(&request).await?;
        let settings = self.settings(&request.tenant).await?;
        if let Some((notice, next)) = self.stopped(&status, &request) {
            return self.all_waiting(&request, &status, &notice, next).await;
        }
        let tenant = request.tenant.clone();
        match self.attempt(&request, &status, settings.clone()).await {
            Ok(mut attempt) => {
                let report = attempt.run().await?;
                if let Some(trouble) = &status.trouble
                    && !attempt.stopped
                    && attempt.disproves(trouble.notice.code)
                {
                    self.clear_trouble(&tenant).await?;
                }
                Ok(report)
            }
            Err(failure) => {
                self.note_failure(&tenant, &failure, settings.as_ref())
                    .await?;
                let next = failure
                    .retry_after
                    .map(|wait| crate::record::later(self.now(), wait));
                self.all_waiting(&request, &status, &failure.notice, next)
                    .await
            }
        }
    }

    /// Nothing was attempted: every order stays as it is, and whoever asked hears of it in time.
    async fn all_waiting(
        &self,
        request: &SyncRequest,
        status: &TenantStatus,
        notice: &Notice,
        next: Option<Timestamp>,
    ) -> Result<SyncReport, StoreError> {
        if let Some(realm) = &status.realm {
            let (tenant, orders) = (&request.tenant, &request.orders);
            let trace = request.trace.as_ref();
            self.tell_waiting((tenant, realm), orders, (notice, next), trace)
                .await?;
        }
        let outcome = |id: &OrderId| Outcome::waiting(*id, &id.to_string(), notice, next);
        Ok(SyncReport {
            outcomes: request.orders.iter().map(outcome).collect(),
            tried: vec![Tried::default(); request.orders.len()],
            left_over: Vec::new(),
        })
    }

    /// A person's attempt is not held up by an old trouble: it may just have been mended.
    async fn ready_status(&self, request: &SyncRequest) -> Result<TenantStatus, StoreError> {
        if !request.origin.is_person() || !self.is_known(&request.tenant).await? {
            return self.status(&request.tenant).await;
        }
        let now = self.now();
        let mut was_stopped = false;
        let touch = |status: &mut TenantStatus| {
            was_stopped = status.trouble.is_some();
            if let Some(trouble) = &mut status.trouble {
                trouble.recheck_at = Some(now);
            }
            status.person_active_at = Some(now);
            true
        };
        let (status, _) = self.update_status(&request.tenant, touch).await?;
        if was_stopped {
            self.books.forget(&request.tenant);
        }
        Ok(status)
    }

    fn stopped(
        &self,
        status: &TenantStatus,
        request: &SyncRequest,
    ) -> Option<(Notice, Option<Timestamp>)> {
        let now = self.now();
        if let Some(trouble) = status.blocked(now) {
            return Some((trouble.notice.clone(), trouble.recheck_at));
        }
        let until = status
            .quiet_until(now)
            .filter(|_| !request.origin.is_person())?;
        let code = match status.quickbooks_quiet_until {
            Some(quiet) if quiet == until => Code::QuickBooksThrottled,
            _ => Code::AutotaskThrottled,
        };
        Some((Notice::new(code), Some(until)))
    }

    pub(super) async fn attempt(
        &self,
        request: &SyncRequest,
        status: &TenantStatus,
        settings: Option<Settings>,
    ) -> Result<Attempt<'_, P>, Failure> {
        let prepared = self.prepare(request, status, settings).await;
        let mut attempt = prepared.map_err(Failure::of_everyone)?;
        // From here on it is about some orders and not about everything.
        let orders = request.orders.clone();
        attempt.at_work = Some(self.at_work(&request.tenant, orders));
        let jobs = self.jobs(request, &attempt.realm, &*attempt.autotask);
        attempt.jobs = jobs.await?;
        Ok(attempt)
    }

    /// What every order needs, before one of them is looked at.
    async fn prepare(
        &self,
        request: &SyncRequest,
        status: &TenantStatus,
        settings: Option<Settings>,
    ) -> Result<Attempt<'_, P>, Failure> {
        let began = self.now();
        let settings = settings.ok_or(Failure::new(Code::SettingsMissing))?;
        let realm = status
            .realm
            .clone()
            .ok_or(Failure::new(Code::NotConnected))?;
        let lane = if request.origin.is_person() {
            Lane::Person
        } else {
            Lane::Background
        };
        let outside = self.ports.outside();
        let autotask = outside.autotask(&request.tenant, lane).await?;
        let quickbooks = outside.quickbooks(&request.tenant, lane).await?;
        if *quickbooks.realm() != realm {
            return Err(Failure::new(Code::NotConnected));
        }
        let labels = self.labels(&request.tenant, &*autotask).await?;
        let submitted = super::scan::submitted_status(&settings, &labels)?;
        quickbooks.prepare().await?;
        let now = self.now();
        let mut policy = self.policy;
        if request.origin.is_person() {
            // Whoever asks may just have mended something in QuickBooks.
            policy.books_age = policy.books_age.min(BOOKS_AGE_FOR_PEOPLE);
        }
        let books = self
            .books
            .get(&request.tenant, &*quickbooks, now, &policy)
            .await?;
        self.note_company(&request.tenant, status, &books).await?;
        let names = self.known_names(&request.tenant).await?;
        Ok(Attempt {
            engine: self,
            tenant: request.tenant.clone(),
            realm,
            settings,
            submitted,
            origin: request.origin,
            began,
            deadline: request.deadline,
            trace: request.trace.clone(),
            holder: self.holder(),
            autotask,
            quickbooks,
            books: Arc::clone(&books),
            jobs: Vec::new(),
            at_work: None,
            names,
            stopped: false,
            books_renewed: false,
        })
    }

    /// Notes how the company is set up when that has changed.
    async fn note_company(
        &self,
        tenant: &TenantId,
        known: &TenantStatus,
        books: &super::books_cache::SharedBooks,
    ) -> Result<(), StoreError> {
        let company = {
            let books = books.read().unwrap_or_else(PoisonError::into_inner);
            books.company().clone()
        };
        if !known.clone().note_company(&company) {
            return Ok(());
        }
        let note = |status: &mut TenantStatus| status.note_company(&company);
        self.update_status(tenant, note).await.map(drop)
    }

    async fn jobs(
        &self,
        request: &SyncRequest,
        realm: &crate::ids::RealmId,
        autotask: &impl crate::ports::Autotask,
    ) -> Result<Vec<Job>, Failure> {
        let store = self.ports.store();
        let records = store
            .records(&request.tenant, realm, &request.orders)
            .await?;
        let mut known: HashMap<_, _> = records.into_iter().map(|r| (r.key.order, r)).collect();
        // The age of what is read counts from here: whoever sleeps with the answer in the hand does not
        // know that.
        let now = self.now();
        let orders = autotask.orders(&request.orders).await?;
        let mut shown: HashMap<_, _> = orders.into_iter().map(|o| (o.id, o)).collect();
        let mut ids = request.orders.clone();
        ids.sort_unstable();
        ids.dedup();
        let jobs = ids.into_iter().map(|id| {
            let order = shown.remove(&id);
            if let Some(record) = known.remove(&id) {
                Job::known(record, order, now)
            } else {
                let number = order.as_ref().map(crate::orders::Order::display_number);
                let key = RecordKey {
                    tenant: request.tenant.clone(),
                    realm: realm.clone(),
                    order: id,
                };
                let operation = self.operation();
                let number = number.unwrap_or_else(|| id.to_string());
                let mut record = SyncRecord::queued(key, number, operation, now);
                record.run = request.run;
                Job::new(record, order, now)
            }
        });
        Ok(jobs.collect())
    }

    /// The trace that was given, or a new one.
    pub fn trace(&self, given: Option<TraceId>) -> TraceId {
        use crate::ports::Chance as _;
        given.unwrap_or_else(|| self.ports.chance().trace())
    }

    pub(super) fn operation(&self) -> crate::ids::OperationId {
        use crate::ports::Chance as _;
        self.ports.chance().operation()
    }
}

impl Job {
    pub(super) fn outcome(&self) -> Outcome {
        match &self.halt {
            Some(Halt::Waits(notice, next)) => waiting_for(&self.record, notice, *next),
            Some(Halt::Overtaken(until)) => {
                waiting_for(&self.record, &Notice::new(Code::Overtaken), *until)
            }
            Some(Halt::Ineligible(reason)) => {
                let mut outcome = Outcome::plain(
                    self.record.key.order,
                    &self.record.order_number,
                    OutcomeKind::Ineligible,
                );
                outcome.code = Some(reason.code().to_owned());
                outcome.cause = Some(reason.text());
                outcome
            }
            Some(Halt::TimeShort) | None => Outcome::of(&self.record),
        }
    }
}

impl<P: Ports> Attempt<'_, P> {
    /// Whether some order came so far that this trouble of the whole tenant cannot be left.
    fn disproves(&self, trouble: Code) -> bool {
        self.jobs
            .iter()
            .any(|job| match (trouble, &job.record.state) {
                (Code::TodoRefused, _) => matches!(job.record.todo, Todo::Open { .. }),
                (_, State::Created { bill } | State::Linked { bill }) => {
                    bill.seen_under == job.record.fence
                }
                _ => false,
            })
    }
}
