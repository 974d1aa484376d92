//! Plan and send: facts, plan, missing names, stored intent, one send, stored outcome.

use std::{collections::HashMap, sync::PoisonError};

use jiff::Timestamp;
use serde_json::json;

use crate::{
    books::CreatedBill,
    failure::{Failure, FailureClass},
    ids::{OrderId, VendorId},
    marker::bill_request_id,
    notice::{Code, Notice},
    plan::{Facts, Plan, plan},
    ports::{HistoryEvent, QuickBooks, StoreError},
    protocol::{link_to, may_send, next_generation},
    record::{Intent, Lease, Origin, SentAt, State, later},
    text::match_key,
};

use super::{
    Ports,
    attempt::{Attempt, Halt},
    enter::judge_order,
};

/// How often one attempt renews a stale access token for one bill.
const RENEWALS_MAX: u32 = 1;

impl<P: Ports> Attempt<'_, P> {
    /// Plans and sends every order of the group, one after the other.
    pub(super) async fn plan_group(&mut self, group: &[usize]) -> Result<(), StoreError> {
        let Some(mut facts) = self.gather_group(group).await? else {
            return Ok(());
        };
        for (place, index) in group.iter().copied().enumerate() {
            if self.jobs[index].halt.is_some() {
                continue;
            }
            if self.is_time_short() {
                self.jobs[index].halt = Some(Halt::TimeShort);
                continue;
            }
            if !self.is_fresh(index) {
                // What a bill is made from is never older than what lets it be made.
                let rest = &group[place..];
                if let Err(failure) = self.reread(rest).await {
                    return self.fail_group(rest, &failure).await;
                }
                match self.gather_group(rest).await? {
                    Some(fresh) => facts = fresh,
                    None => return Ok(()),
                }
            }
            if self.left_the_queue(index).await? {
                continue;
            }
            let Some(facts) = facts.remove(&self.jobs[index].id()) else {
                continue;
            };
            self.plan_one(index, facts).await?;
        }
        Ok(())
    }

    /// Reads the facts of a group in bulk. Where that is refused, each order is read alone, so that
    /// one that cannot be read stops no other. `None`: nothing could be read, and all is noted.
    async fn gather_group(
        &mut self,
        group: &[usize],
    ) -> Result<Option<HashMap<OrderId, Facts>>, StoreError> {
        let open = group
            .iter()
            .filter(|index| self.jobs[**index].halt.is_none());
        let open: Vec<_> = open.copied().collect();
        let order = |index: &usize| self.jobs[*index].order.clone();
        let orders: Vec<_> = open.iter().filter_map(order).collect();
        let failure = match self.gather(orders.clone()).await {
            Ok(facts) => return Ok(Some(facts)),
            Err(failure) => failure,
        };
        let concerns_one = matches!(
            failure.class(),
            FailureClass::Refuse | FailureClass::Replan | FailureClass::Adopt | FailureClass::Bug
        ) || failure.code() == Code::AutotaskRowUnreadable;
        if !concerns_one || open.len() < 2 {
            self.fail_group(&open, &failure).await?;
            return Ok(None);
        }
        let mut all = HashMap::new();
        for index in open {
            let order = self.jobs[index].order.clone();
            match self.gather(order.into_iter().collect()).await {
                Ok(facts) => all.extend(facts),
                Err(failure) => self.fail(index, failure).await?,
            }
        }
        Ok(Some(all))
    }

    fn is_fresh(&self, index: usize) -> bool {
        let now = self.engine.now();
        let read_at = self.jobs[index].read_at;
        read_at <= now && now < later(read_at, self.engine.policy.freshness)
    }

    /// Right before a send the order must still be eligible.
    async fn left_the_queue(&mut self, index: usize) -> Result<bool, StoreError> {
        let window = self.window(self.engine.now());
        let job = &self.jobs[index];
        // The window was judged when the order was taken up; here only what people change counts.
        let origin = match self.origin {
            Origin::Scan | Origin::Sweep => Origin::Sweep,
            Origin::Person | Origin::Retry => self.origin,
        };
        match judge_order(job.order.as_ref(), &job.record, &window, origin) {
            Ok(()) => Ok(false),
            Err(reason) => self.skip(index, reason).await.map(|()| true),
        }
    }

    async fn plan_one(&mut self, index: usize, mut facts: Facts) -> Result<(), StoreError> {
        let now = self.engine.now();
        facts.names = self.names.clone();
        self.jobs[index].record.vendor_name = facts.vendor().map(|vendor| vendor.name.clone());
        let mut planned = self.planned(&facts, now);
        if planned.as_ref().is_err_and(|no| is_about_set_up(no.code)) && !self.books_renewed {
            // Changes of the company's set-up are told by no change request: look once more.
            if let Err(failure) = self.renew_books().await {
                return self.fail(index, failure).await;
            }
            planned = self.planned(&facts, now);
        }
        let plan = match planned {
            Ok(plan) => plan,
            Err(notice) => return self.fail(index, Failure::from(notice)).await,
        };
        if let Some(bill) = plan.existing.clone() {
            return self.adopt_existing(index, &plan, &bill).await;
        }
        if let Some(notice) = self.number_sent_by_other(index, plan.number.as_deref()) {
            return self.refuse(index, notice).await;
        }
        if let Err(failure) = self.claim_names(&plan.names).await {
            return self.fail(index, failure).await;
        }
        let ensured = match self.ensure(&plan, &self.jobs[index].record).await {
            Ok(ensured) => ensured,
            Err(failure) => return self.name_failed(index, failure).await,
        };
        // Creating names may have taken long: the order is looked at once more before its bill.
        if !self.is_fresh(index) {
            if let Err(failure) = self.reread(&[index]).await {
                return self.fail(index, failure).await;
            }
            if self.left_the_queue(index).await? {
                return Ok(());
            }
        }
        let record = &self.jobs[index].record;
        let draft = {
            let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
            plan.draft(&ensured, &self.realm, record.generation, &books)
        };
        let intent = Intent {
            request_id: bill_request_id(&self.realm, record.key.order, record.generation),
            body: self.quickbooks.encode_bill(&draft),
            number: draft.number.clone(),
            total: draft.total.amount(),
            vendor: ensured.vendor.clone(),
            vendor_name: plan.vendor_name().to_owned(),
            currency: plan.currency.map(|(currency, _)| currency),
            sends: 0,
            first_sent: SentAt {
                local: now,
                server: None,
            },
            last_sent: SentAt {
                local: now,
                server: None,
            },
            in_doubt: false,
        };
        let detail = json!({ "plan": plan, "request_id": intent.request_id });
        let text = format!("A bill over {} was planned.", plan.total);
        let event = self.event(index, HistoryEvent::Planned, text, detail);
        self.send(index, intent, vec![event]).await
    }

    /// A name could not be created, and no bill is sent yet. QuickBooks may say the same again to the same
    /// request id, also when a person has put the cause right: what is refused is not asked under it again.
    async fn name_failed(&mut self, index: usize, failure: Failure) -> Result<(), StoreError> {
        if closes(&failure) {
            let guards = self.engine.guards;
            next_generation(&mut self.jobs[index].record, &guards);
            if concerns_others(&failure) {
                self.commit(index, Vec::new()).await?;
            }
        }
        self.fail(index, failure).await
    }

    fn planned(&self, facts: &Facts, now: Timestamp) -> Result<Plan, Notice> {
        let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
        plan(facts, &books, &self.settings, &self.realm, now)
    }

    /// Numbers were looked up before any bill of this attempt was sent: an order sent a moment ago
    /// may have taken this one.
    fn number_sent_by_other(&self, index: usize, number: Option<&str>) -> Option<Notice> {
        let key = match_key(number?);
        let taken = self.jobs.iter().enumerate().find_map(|(other, job)| {
            let (sent, bill) = match &job.record.state {
                State::Planned { intent } => (intent.number.as_deref(), None),
                State::Created { bill } | State::Linked { bill } => {
                    (bill.number.as_deref(), Some(&bill.id))
                }
                _ => (None, None),
            };
            let same = other != index && sent.is_some_and(|sent| match_key(sent) == key);
            same.then(|| bill.map_or_else(|| "of another order".to_owned(), ToString::to_string))
        });
        let notice = Notice::new(Code::NumberInUse).with("number", number?);
        taken.map(|bill| notice.with("bill", bill))
    }

    /// The ledger was lost, but our own bill bears this order's number: it is the order's bill.
    async fn adopt_existing(
        &mut self,
        index: usize,
        plan: &Plan,
        bill: &crate::books::BillSummary,
    ) -> Result<(), StoreError> {
        if bill.total != plan.total.amount() {
            let notice = Notice::new(Code::BillDiffers).with("bill", bill.id.as_str());
            let notice = notice.with("order", plan.order_number.as_str());
            let link = link_to(bill, &self.jobs[index].record);
            return self.need_person(index, notice, None, Some(link)).await;
        }
        let record = &mut self.jobs[index].record;
        record.wait = None;
        record.state = State::Created {
            bill: link_to(bill, record),
        };
        let text = "A bill of ours with this order's number was found and adopted.";
        let event = self.event(
            index,
            HistoryEvent::Adopted,
            text,
            json!({ "bill": bill.id }),
        );
        self.commit(index, vec![event]).await
    }

    /// Stores the intent, checks the deadline, sends once, stores the outcome.
    pub(super) async fn send(
        &mut self,
        index: usize,
        mut intent: Intent,
        mut history: Vec<crate::ports::HistoryEntry>,
    ) -> Result<(), StoreError> {
        for renewals in 0..=RENEWALS_MAX {
            let doubted_before = intent.in_doubt;
            self.arm(index, &mut intent);
            history.push(self.sent_event(index, &intent));
            if self.engine.guards.intent {
                self.commit(index, std::mem::take(&mut history)).await?;
            }
            if self.jobs[index].halt.is_some() {
                return Ok(());
            }
            let now = self.engine.now();
            if !may_send(
                &self.jobs[index].record,
                now,
                &self.engine.policy,
                &self.engine.guards,
            ) {
                // Nothing was sent: the next attempt looks, finds nothing and sends in time.
                return self.fail(index, Failure::new(Code::TimeShort)).await;
            }
            let answer = self
                .quickbooks
                .create_bill(&intent.body, &intent.request_id)
                .await;
            match answer {
                Ok(created) => return self.record_created(index, &intent, &created).await,
                Err(failure) if failure.class() == FailureClass::Refresh => {
                    intent.in_doubt = doubted_before;
                    self.set_doubt(index, doubted_before);
                    if renewals == RENEWALS_MAX {
                        return self
                            .fail(index, Failure::new(Code::QuickBooksDisconnected))
                            .await;
                    }
                    if let Err(failure) = self.quickbooks.renew().await {
                        return self.fail(index, failure).await;
                    }
                }
                Err(failure) => return self.record_failed(index, failure, doubted_before).await,
            }
        }
        Ok(())
    }

    fn arm(&mut self, index: usize, intent: &mut Intent) {
        let sent = self.moment();
        if intent.sends == 0 {
            intent.first_sent = sent;
        }
        intent.last_sent = sent;
        intent.sends += 1;
        intent.in_doubt = true;
        let record = &mut self.jobs[index].record;
        if let Some(wait) = &mut record.wait {
            // It is over, but another failure in a row must still count as one.
            wait.not_before = wait.not_before.min(sent.local);
        }
        record.state = State::Planned {
            intent: intent.clone(),
        };
        let until = later(sent.local, self.engine.policy.lease);
        record.lease = Some(Lease {
            owner: self.holder.owner.clone(),
            until,
        });
    }

    fn sent_event(&self, index: usize, intent: &Intent) -> crate::ports::HistoryEntry {
        // Every send is of the same bytes, so they are told once.
        let body = (intent.sends == 1).then_some(&intent.body);
        let detail = json!({
            "request_id": intent.request_id, "sends": intent.sends, "body": body,
        });
        let text = match intent.sends {
            1 => "The bill was sent to QuickBooks.".to_owned(),
            sends => format!("The bill was sent to QuickBooks again (send {sends})."),
        };
        self.event(index, HistoryEvent::Sent, text, detail)
    }

    fn set_doubt(&mut self, index: usize, in_doubt: bool) {
        if let State::Planned { intent } = &mut self.jobs[index].record.state {
            intent.in_doubt = in_doubt;
        }
    }

    async fn record_created(
        &mut self,
        index: usize,
        intent: &Intent,
        created: &CreatedBill,
    ) -> Result<(), StoreError> {
        let bill = &created.bill;
        let record = &mut self.jobs[index].record;
        let mut link = link_to(bill, record);
        if intent.sends > 1 {
            // The answer to a re-send may be a replay of one whose bill is gone: look first.
            link.seen_under = 0;
        }
        let notice = differs(intent, created).map(|notice| {
            notice
                .with("order", record.order_number.as_str())
                .with("bill", bill.id.as_str())
        });
        if let Some(notice) = notice {
            return self
                .need_person(index, notice, Some(intent.clone()), Some(link))
                .await;
        }
        record.state = State::Created { bill: link };
        record.wait = None;
        let text = format!("QuickBooks created the bill {}.", bill.id);
        let detail = json!({ "bill": bill.id, "number": bill.number });
        let event = self.event(index, HistoryEvent::Created, text, detail);
        self.commit(index, vec![event]).await
    }

    async fn record_failed(
        &mut self,
        index: usize,
        failure: Failure,
        doubted_before: bool,
    ) -> Result<(), StoreError> {
        let is_definite = failure.class() != FailureClass::InDoubt;
        if is_definite {
            self.set_doubt(index, doubted_before);
        }
        let closes = closes(&failure);
        if closes && doubted_before {
            // An earlier send may still have succeeded: that is found out first.
            let doubt = Failure {
                retry_after: None,
                ..Failure::new(Code::OutcomeUnknown)
            };
            return self.fail(index, doubt.answered(failure.answer)).await;
        }
        if closes {
            let guards = self.engine.guards;
            let record = &mut self.jobs[index].record;
            next_generation(record, &guards);
            record.state = State::Queued;
        }
        match failure.code() {
            Code::DocNumberInUse => {
                let number = self.number_sent(index);
                let notice = Notice::new(Code::BillNumberTaken).with("number", number);
                self.refuse(index, notice).await
            }
            _ if closes && concerns_others(&failure) => {
                // Stored at once.
                self.commit(index, Vec::new()).await?;
                self.fail(index, failure).await
            }
            _ => self.fail(index, failure).await,
        }
    }

    fn number_sent(&self, index: usize) -> String {
        let job = &self.jobs[index];
        job.order
            .as_ref()
            .map(crate::orders::Order::display_number)
            .unwrap_or_default()
    }
}

/// Whether it is a definite "no" to a create, so that what is sent next is another request.
fn closes(failure: &Failure) -> bool {
    matches!(
        failure.class(),
        FailureClass::Refuse
            | FailureClass::Adopt
            | FailureClass::Replan
            | FailureClass::TenantTrouble
            | FailureClass::Reconnect
            | FailureClass::Bug
    )
}

/// Whether what follows from this "no" may concern more than its order, whose record waits as it is.
fn concerns_others(failure: &Failure) -> bool {
    !matches!(failure.class(), FailureClass::Refuse | FailureClass::Replan)
}

/// Whether a "no" rests on how the company is set up in QuickBooks.
fn is_about_set_up(code: Code) -> bool {
    matches!(
        code,
        Code::BooksClosed
            | Code::TaxCodeMissing
            | Code::AccountUnusable
            | Code::QuickBooksCurrencyOff
    )
}

/// What the created bill has that was not sent.
fn differs(intent: &Intent, created: &CreatedBill) -> Option<Notice> {
    let bill = &created.bill;
    let vendor_differs = bill
        .vendor
        .as_ref()
        .is_some_and(|v: &VendorId| *v != intent.vendor);
    let name = bill.vendor_name.as_deref();
    let name_differs = name.is_some_and(|name| match_key(name) != match_key(&intent.vendor_name));
    if vendor_differs || name_differs {
        let notice = Notice::new(Code::BillVendorDiffers).with("name", intent.vendor_name.as_str());
        return Some(notice.with("other", name.unwrap_or("(unnamed)")));
    }
    let currency_differs = created.currency.is_some_and(|currency| {
        let expected = intent.currency;
        expected.is_some_and(|expected| expected != currency)
    });
    let is_other = currency_differs || bill.total != intent.total;
    is_other.then(|| Notice::new(Code::BillDiffers))
}
