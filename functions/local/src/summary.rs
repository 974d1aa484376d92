//! What one run came to, in numbers and order by order.

use std::collections::BTreeMap;

use purser_core::{
    failure::FailureClass,
    ids::{RunNumber, TenantId},
    notice::{Code, Notice},
    ports::{Ledger as _, RecordFilter, StoreError},
    record::StateName,
    usecase::{Outcome, OutcomeKind, Ports as _},
};
use purser_runtime::outside::Calls;
use serde::Serialize;

use crate::{exit::Exit, output::table, program::Program, runner::Seen};

/// With more ineligible orders than this, the words only count them.
const INELIGIBLE_SHOWN: u64 = 10;

/// One order of the summary.
#[derive(Debug, Serialize)]
pub(crate) struct OrderLine {
    /// Whose it is.
    pub(crate) tenant: TenantId,
    /// What became of it.
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// One tenant of the summary.
#[derive(Debug, Serialize)]
pub(crate) struct TenantLine {
    /// Its name.
    pub(crate) tenant: TenantId,
    /// The run.
    pub(crate) run: RunNumber,
    /// Orders that Autotask returned.
    pub(crate) seen: u64,
    /// Orders that were eligible.
    pub(crate) eligible: u64,
    /// Whether automatic transfer is paused.
    pub(crate) paused: bool,
    /// Why nothing was transferred, when something stopped the whole tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stopped: Option<Stopped>,
}

/// What stopped a tenant.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Stopped {
    /// The stable code.
    pub(crate) code: String,
    /// One sentence of cause.
    pub(crate) cause: String,
    /// One sentence of remedy.
    pub(crate) remedy: String,
    #[serde(skip)]
    class: FailureClass,
}

impl From<&Notice> for Stopped {
    fn from(notice: &Notice) -> Self {
        Self {
            code: notice.code.as_str().to_owned(),
            cause: notice.cause(),
            remedy: notice.remedy(),
            class: notice.code.class(),
        }
    }
}

/// What one run came to.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// Orders that Autotask returned.
    pub(crate) seen: u64,
    /// Orders that were eligible.
    pub(crate) eligible: u64,
    /// Orders with a bill that is linked.
    pub(crate) billed: u64,
    /// Orders that need a person.
    pub(crate) refused: u64,
    /// Orders that go on by themselves, those in doubt included.
    pub(crate) waiting: u64,
    /// Orders that may not be transferred.
    pub(crate) ineligible: u64,
    /// Those of them that were billed before.
    pub(crate) already_billed: u64,
    /// Orders for which QuickBooks holds more than one bill of ours.
    pub(crate) duplicates: u64,
    /// Calls to each outside system.
    pub(crate) calls: BTreeMap<&'static str, Calls>,
    /// Seconds the run took.
    pub(crate) seconds: String,
    /// Tenant by tenant.
    pub(crate) tenants: Vec<TenantLine>,
    /// Order by order.
    pub(crate) orders: Vec<OrderLine>,
    /// What a demo world says its first run must come to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<serde_json::Value>,
}

impl Summary {
    /// Sums up what the engine saw.
    pub(crate) async fn of(
        program: &Program,
        seen: Seen,
        took: std::time::Duration,
    ) -> Result<Self, StoreError> {
        let mut orders: Vec<_> = seen
            .outcomes
            .into_iter()
            .map(|((tenant, _), outcome)| OrderLine { tenant, outcome })
            .collect();
        let mut tenants = Vec::new();
        let (mut ineligible, mut already_billed) = (0, 0);
        for (tenant, (run, report)) in seen.scans {
            ineligible += report.counts.ineligible.values().sum::<u64>();
            already_billed += report.counts.billed;
            for (order, number, reason) in &report.ineligible {
                let known =
                    |line: &OrderLine| line.tenant == tenant && line.outcome.order == *order;
                if !orders.iter().any(known) {
                    let outcome = Outcome::ineligible(*order, number, reason);
                    orders.push(OrderLine {
                        tenant: tenant.clone(),
                        outcome,
                    });
                }
            }
            let status = program.engine.status(&tenant).await?;
            let trouble = status
                .autotask_broken
                .or(status.quickbooks_broken)
                .or(status.trouble);
            let stopped = trouble.map(|trouble| trouble.notice).or(report.stopped);
            tenants.push(TenantLine {
                run,
                seen: report.counts.seen,
                eligible: report.counts.eligible,
                paused: report.paused,
                stopped: stopped.as_ref().map(Stopped::from),
                tenant,
            });
        }
        orders.sort_by(|a, b| (&a.tenant, a.outcome.order).cmp(&(&b.tenant, b.outcome.order)));
        let count = |kinds: &[OutcomeKind]| {
            orders
                .iter()
                .filter(|line| kinds.contains(&line.outcome.outcome))
                .count() as u64
        };
        let meters = program.engine.ports().outside().meters();
        Ok(Self {
            seen: tenants.iter().map(|tenant| tenant.seen).sum(),
            eligible: tenants.iter().map(|tenant| tenant.eligible).sum(),
            billed: count(&[OutcomeKind::Billed]),
            refused: count(&[OutcomeKind::Refused]),
            waiting: count(&[OutcomeKind::Waiting, OutcomeKind::InDoubt]),
            // Beside a running engine only the counts of ineligible orders are known.
            ineligible: count(&[OutcomeKind::Ineligible]).max(ineligible),
            already_billed,
            duplicates: duplicates(program).await?,
            calls: BTreeMap::from([
                ("autotask", meters.autotask()),
                ("quickbooks", meters.quickbooks()),
            ]),
            seconds: format!("{}.{:03}", took.as_secs(), took.subsec_millis()),
            tenants,
            orders,
            expected: None,
        })
    }

    /// The exit code this summary means.
    pub(crate) fn exit(&self) -> Exit {
        let stopped = |wanted: &[FailureClass]| {
            let classes = self
                .tenants
                .iter()
                .filter_map(|tenant| tenant.stopped.as_ref());
            classes
                .into_iter()
                .any(|stopped| wanted.contains(&stopped.class))
        };
        if self.refused > 0 {
            Exit::Refused
        } else if stopped(&[FailureClass::Reconnect, FailureClass::Bug]) {
            Exit::Wrong
        } else if stopped(&[FailureClass::Retry]) {
            Exit::Unreachable
        } else if self.waiting > 0 || stopped(&[FailureClass::TenantTrouble]) {
            Exit::Waiting
        } else {
            Exit::Ok
        }
    }

    /// The summary in words.
    pub(crate) fn words(&self) -> String {
        let mut text = String::new();
        // Orders that were done before would drown the others.
        let shown = |line: &&OrderLine| {
            self.ineligible <= INELIGIBLE_SHOWN || line.outcome.outcome != OutcomeKind::Ineligible
        };
        let rows: Vec<_> = self.orders.iter().filter(shown).map(row).collect();
        if !rows.is_empty() {
            text.push_str(&table(
                &["TENANT", "ORDER", "NUMBER", "OUTCOME", "BILL OR REASON"],
                &rows,
            ));
            text.push_str("\n\n");
        }
        for tenant in &self.tenants {
            if let Some(stopped) = &tenant.stopped {
                let name = &tenant.tenant;
                text.push_str(&format!("{name}: {} {}\n", stopped.cause, stopped.remedy));
            } else if tenant.paused {
                text.push_str(&format!("{}: paused (0 days back).\n", tenant.tenant));
            }
        }
        let before = match self.already_billed {
            0 => String::new(),
            billed => format!(" ({billed} billed before)"),
        };
        text.push_str(&format!(
            "{} seen, {} eligible: {} billed, {} refused, {} waiting, {} ineligible{}, {} duplicates ({} s)\n",
            self.seen,
            self.eligible,
            self.billed,
            self.refused,
            self.waiting,
            self.ineligible,
            before,
            self.duplicates,
            self.seconds
        ));
        for (system, calls) in &self.calls {
            text.push_str(&format!(
                "{system}: {} calls, {} reads\n",
                calls.calls, calls.reads
            ));
        }
        text
    }
}

fn row(line: &OrderLine) -> Vec<String> {
    let outcome = &line.outcome;
    let kind = match outcome.outcome {
        OutcomeKind::Billed => "billed",
        OutcomeKind::Refused => "refused",
        OutcomeKind::Waiting => "waiting",
        OutcomeKind::InDoubt => "in doubt",
        OutcomeKind::Ineligible => "ineligible",
    };
    let reason = outcome
        .bill_number
        .clone()
        .or_else(|| outcome.cause.clone());
    vec![
        line.tenant.to_string(),
        outcome.order.to_string(),
        outcome.number.clone(),
        kind.to_owned(),
        reason.unwrap_or_default(),
    ]
}

/// Orders known to have more than one bill.
async fn duplicates(program: &Program) -> Result<u64, StoreError> {
    let states = vec![StateName::NeedsPerson];
    let filter = RecordFilter {
        states,
        limit: 10_000,
        ..RecordFilter::default()
    };
    let mut duplicates = 0;
    for tenant in program.store.tenants().await? {
        let records = program.store.list(&tenant, &filter).await?;
        let several = records.iter().filter(|record| {
            record
                .notice()
                .is_some_and(|notice| notice.code == Code::SeveralBills)
        });
        duplicates += several.count() as u64;
    }
    Ok(duplicates)
}
