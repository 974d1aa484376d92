//! Preview: the plan of one order, with everything it would do and nothing done.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{
    books::Books,
    eligibility::Ineligible,
    failure::Failure,
    ids::{AccountId, OrderId, TenantId},
    notice::{Code, Notice},
    plan::{Payable, Plan, PlannedTarget, plan},
    policy::Policy,
    ports::{Autotask, Clock as _, Lane, Outside},
    record::{Origin, State, SyncRecord},
};

use super::{Engine, Ports, SyncRequest, enter::judge_order};

/// What would happen to one order right now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "preview", rename_all = "snake_case")]
pub enum Preview {
    /// This bill would be made.
    Bill {
        /// The plan.
        plan: Box<Plan>,
        /// The names of the accounts it books on.
        accounts: BTreeMap<AccountId, String>,
    },
    /// It would be refused.
    Refused {
        /// Why.
        notice: Notice,
    },
    /// It may not be transferred.
    Ineligible {
        /// Why.
        reason: Ineligible,
    },
}

impl<P: Ports> Engine<P> {
    /// Reads and plans one order as a person's attempt would, and writes nothing.
    pub async fn preview(&self, tenant: &TenantId, order: OrderId) -> Result<Preview, Failure> {
        let outside = self.ports.outside();
        let autotask = outside.autotask(tenant, Lane::Person).await?;
        let Some(shown) = autotask.orders(&[order]).await?.pop() else {
            return Ok(Preview::Ineligible {
                reason: Ineligible::Gone,
            });
        };
        let now = self.now();
        let request = SyncRequest {
            tenant: tenant.clone(),
            run: None,
            orders: vec![order],
            origin: Origin::Person,
            deadline: crate::record::later(now, self.policy.function_time),
            trace: None,
        };
        let status = self.status(tenant).await?;
        let settings = self.settings(tenant).await?;
        let attempt = self.attempt(&request, &status, settings).await?;
        let window = attempt.window(now);
        let record = attempt.jobs.first().map(|job| &job.record);
        let record = record.ok_or(Failure::new(Code::OrderUnreadable))?;
        let known = made_before(record);
        if let Err(reason) = judge_order(Some(&shown), record, &window, Origin::Person) {
            return Ok(Preview::Ineligible { reason });
        }
        let facts = attempt.gather(vec![shown]).await?.remove(&order);
        let facts = facts.ok_or(Failure::new(Code::OrderUnreadable))?;
        let books = attempt
            .books
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(
            match plan(&facts, &books, &attempt.settings, &attempt.realm, now) {
                Ok(mut plan) => {
                    if let Some(known) = known {
                        plan.remarks.push(known);
                    }
                    Preview::Bill {
                        accounts: account_names(&plan, &books),
                        plan: Box::new(plan),
                    }
                }
                Err(notice) => Preview::Refused { notice },
            },
        )
    }
}

impl<P: Ports> Engine<P> {
    /// The reference data of a tenant's company, as it is now: what people choose from. Costs one
    /// change request, or a whole reading where this process has none. QuickBooks tells no changes
    /// of tax codes; those are as old as the whole reading, at most a day.
    pub async fn reference_data(&self, tenant: &TenantId) -> Result<Books, Failure> {
        let quickbooks = self
            .ports
            .outside()
            .quickbooks(tenant, Lane::Person)
            .await?;
        let policy = Policy {
            books_age: Duration::ZERO,
            ..self.policy
        };
        let now = self.ports.clock().now();
        let books = self.books.get(tenant, &*quickbooks, now, &policy).await?;
        let books = books
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(books.clone())
    }

    /// The same, read as a whole.
    pub async fn whole_reference_data(&self, tenant: &TenantId) -> Result<Books, Failure> {
        self.books.forget(tenant);
        self.reference_data(tenant).await
    }
}

fn account_names(plan: &Plan, books: &Books) -> BTreeMap<AccountId, String> {
    let lines = plan.lines.iter().filter_map(|line| match &line.target {
        PlannedTarget::Account { account } => Some(account),
        PlannedTarget::Item { .. } => None,
    });
    let payable = match &plan.payable {
        Payable::Account(id) => Some(id),
        Payable::OfCurrency(_) => None,
    };
    let named = |id: &AccountId| Some((id.clone(), books.account(id)?.name.clone()));
    lines.chain(payable).filter_map(named).collect()
}

/// A bill that exists, or may exist, is looked for before a new one is made.
fn made_before(record: &SyncRecord) -> Option<String> {
    if let Some(bill) = record.bill() {
        let id = &bill.id;
        return Some(format!(
            "The bill {id} was made for this order: it is linked again while it exists."
        ));
    }
    let sent = matches!(record.state, State::Planned { .. });
    sent.then(|| "A bill was sent for this order: it is looked for first.".to_owned())
}
