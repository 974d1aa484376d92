//! A person asks: sync this order, retry that one.

use serde::Serialize;
use serde_json::json;

use crate::{
    failure::Failure,
    ids::{AttemptId, OrderId, TenantId, TraceId},
    notice::Code,
    ports::{
        Chance, Change, Committed, Expected, HistoryEvent, Lane, Ledger, Message, Queue,
        RecordFilter, StoreError, WorkMessage,
    },
    record::{Origin, RecordKey, Request, StateName, SyncRecord},
};

use super::{Engine, Ports, attempt::entry};

/// How often a request is written when other writes get in between.
const TRIES_MAX: u32 = 5;

/// What a person who asked is told at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The order.
    pub order: OrderId,
    /// Names the attempt.
    pub attempt: AttemptId,
    /// Another attempt is at work right now: its result is the one to look at.
    pub joins_running: bool,
}

/// Which orders "retry all" means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryFilter {
    /// Only refusals with this code.
    pub code: Option<Code>,
}

impl<P: Ports> Engine<P> {
    /// Notes a person's wish for one order and queues it. What follows carries `trace`, or a new
    /// one.
    pub async fn ask(
        &self,
        tenant: &TenantId,
        order: OrderId,
        origin: Origin,
        mail_to: Option<String>,
        trace: Option<TraceId>,
    ) -> Result<Asked, Failure> {
        let realm = self
            .status(tenant)
            .await?
            .realm
            .ok_or(Failure::new(Code::NotConnected))?;
        let attempt = self.ports.chance().attempt();
        let trace = self.trace(trace);
        let request = Request {
            attempt: attempt.clone(),
            origin,
            asked_at: self.now(),
            mail_to,
            also_to: Vec::new(),
            told_waiting: false,
        };
        let key = RecordKey {
            tenant: tenant.clone(),
            realm,
            order,
        };
        let joins_running = self.note_request(&key, request, &trace).await?;
        let message = Message {
            lane: Lane::Person,
            deduplication: format!("ask-{attempt}"),
            body: WorkMessage::Sync {
                version: WorkMessage::VERSION,
                tenant: tenant.clone(),
                run: None,
                orders: vec![order],
                origin,
                trace: Some(trace),
            },
        };
        self.ports.queue().send(vec![message]).await?;
        Ok(Asked {
            order,
            attempt,
            joins_running,
        })
    }

    /// Notes the wish in the record, also while an attempt holds it: that attempt takes it in with
    /// its next write, so that the wish is never lost. Returns whether one is at work.
    async fn note_request(
        &self,
        key: &RecordKey,
        request: Request,
        trace: &TraceId,
    ) -> Result<bool, StoreError> {
        let store = self.ports.store();
        let order = key.order;
        let now = request.asked_at;
        for _ in 0..TRIES_MAX {
            let known = store
                .records(&key.tenant, &key.realm, &[order])
                .await?
                .pop();
            let expected = known.as_ref().map_or(Expected::Absent, |record| {
                Expected::Is(record.operation.clone())
            });
            let mut record = known.unwrap_or_else(|| {
                SyncRecord::queued(key.clone(), order.to_string(), self.operation(), now)
            });
            let joins_running = record.lease.as_ref().is_some_and(|lease| now < lease.until);
            record.request = Some(request.clone().instead_of(record.request.take()));
            // Purser may do better by now.
            record.defects = 0;
            record.operation = self.operation();
            record.updated_at = now;
            let detail = json!({
                "attempt": request.attempt,
                "origin": request.origin,
                "mail_to": request.mail_to,
            });
            let text = "A person asked for this order.";
            let line = entry(now, order, HistoryEvent::Asked, text, detail);
            let change = Change {
                due_at: record.due_at(&self.policy),
                record,
                expected,
                history: vec![line.traced(Some(trace))],
                mails: Vec::new(),
            };
            if let Some(Committed::Done) = store.commit(vec![change]).await?.pop() {
                return Ok(joins_running);
            }
        }
        Err(StoreError::Unavailable(
            "the record is written by too many at once".to_owned(),
        ))
    }

    /// Every order that needs a person and fits the filter.
    pub async fn retryable(
        &self,
        tenant: &TenantId,
        filter: &RetryFilter,
    ) -> Result<Vec<OrderId>, StoreError> {
        let states = vec![StateName::Refused, StateName::NeedsPerson];
        let mut page = RecordFilter {
            states,
            limit: 200,
            ..RecordFilter::default()
        };
        let mut orders = Vec::new();
        loop {
            let records = self.ports.store().list(tenant, &page).await?;
            let Some(last) = records.last() else {
                return Ok(orders);
            };
            page.before = Some((last.updated_at, last.key.order));
            let fits = |record: &&SyncRecord| {
                let code = record.notice().map(|notice| notice.code);
                filter.code.is_none_or(|wanted| code == Some(wanted))
            };
            orders.extend(records.iter().filter(fits).map(|record| record.key.order));
        }
    }
}
