//! `purser preview`, `purser sync`, `purser retry`: one order, or all that a person must act on.

use std::time::{Duration, Instant};

use purser_core::{
    failure::FailureClass,
    ids::{OrderId, TenantId},
    notice::Code,
    plan::{Payable, Plan, PlannedTarget, Resolve},
    ports::{Clock as _, Ledger as _, RecordFilter},
    record::{Origin, SyncRecord},
    usecase::{Asked, Outcome, OutcomeKind, Ports as _, Preview, RetryFilter},
};
use serde::Serialize;

use crate::{
    cli::{RetryArgs, SyncArgs},
    exit::{Exit, ProgramError},
    output::{Output, table},
    program::Program,
    runner::{Runner, is_overtaken},
};

/// How often a command looks for its result.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long it looks before it says that the engine goes on by itself, before scaling.
const LOOK_FOR: Duration = Duration::from_mins(3);

#[derive(Serialize)]
struct PreviewAnswer<'a> {
    order: OrderId,
    #[serde(flatten)]
    preview: &'a Preview,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// Shows what would happen to an order.
pub(super) async fn preview(
    program: &Program,
    tenant: Option<&TenantId>,
    order: OrderId,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let tenant = program.tenant_of(tenant, order).await?;
    let preview = program.engine.preview(&tenant, order).await?;
    let (code, cause, remedy) = match &preview {
        Preview::Bill { .. } => (None, None, None),
        Preview::Refused { notice } => (
            Some(notice.code.as_str()),
            Some(notice.cause()),
            Some(notice.remedy()),
        ),
        Preview::Ineligible { reason } => (Some(reason.code()), Some(reason.text()), None),
    };
    let answer = PreviewAnswer {
        order,
        preview: &preview,
        code,
        cause,
        remedy,
    };
    output.show(&answer, |answer| match answer.preview {
        Preview::Bill { plan, .. } => plan_words(plan),
        Preview::Refused { notice } => {
            format!(
                "Would be refused ({}).\n{}\n{}",
                notice.code,
                notice.cause(),
                notice.remedy()
            )
        }
        Preview::Ineligible { reason } => format!("Not eligible: {}", reason.text()),
    });
    Ok(match preview {
        Preview::Bill { .. } => Exit::Ok,
        Preview::Refused { .. } | Preview::Ineligible { .. } => Exit::Refused,
    })
}

fn plan_words(plan: &Plan) -> String {
    let mut text = format!(
        "Order {} (id {}) would become this bill:\n\n",
        plan.order_number, plan.order
    );
    let mut line = |name: &str, value: String| text.push_str(&format!("  {name:<10} {value}\n"));
    line(
        "Vendor",
        resolved(&plan.vendor, |new| new.display_name.clone()),
    );
    if let Some(customer) = &plan.customer {
        line(
            "Customer",
            resolved(customer, |new| new.display_name.clone()),
        );
    }
    line("Date", plan.date.to_string());
    line(
        "Number",
        plan.number
            .clone()
            .unwrap_or_else(|| "(left to QuickBooks)".to_owned()),
    );
    if let Some((_, term)) = &plan.term {
        line("Terms", term.clone());
    }
    if let Some((currency, rate)) = &plan.currency {
        line("Currency", format!("{currency} at rate {rate}"));
    }
    line(
        "Credits",
        match &plan.payable {
            Payable::Account(id) => format!("account {id}"),
            Payable::OfCurrency(currency) => format!("the accounts payable account of {currency}"),
        },
    );
    let rows = plan.lines.iter().map(|line| {
        let (on, quantity, cost) = match &line.target {
            PlannedTarget::Item {
                index,
                quantity,
                unit_cost,
            } => {
                let item = resolved(&plan.items[*index], |new| new.name.clone());
                (item, quantity.to_string(), unit_cost.to_string())
            }
            PlannedTarget::Account { account } => {
                (format!("account {account}"), String::new(), String::new())
            }
        };
        let text = line.description.clone().unwrap_or_default();
        vec![
            on,
            quantity,
            cost,
            line.amount.to_string(),
            text.replace('\n', " "),
        ]
    });
    let rows: Vec<_> = rows.collect();
    text.push('\n');
    text.push_str(&table(&["ITEM", "QTY", "COST", "AMOUNT", "TEXT"], &rows));
    text.push_str(&format!("\n\n  Total {}\n", plan.total));
    for remark in &plan.remarks {
        text.push_str(&format!("  Note: {remark}\n"));
    }
    text
}

fn resolved<Id: ToString, New>(
    resolve: &Resolve<Id, New>,
    name_of: impl Fn(&New) -> String,
) -> String {
    match resolve {
        Resolve::Use { name, how, .. } => {
            let how = serde_json::to_value(how).unwrap_or_default();
            let how = how.as_str().unwrap_or_default().replace('_', " ");
            format!("{name} (matched by {how})")
        }
        Resolve::Create { new, .. } => format!("{} (will be created)", name_of(new)),
    }
}

/// Transfers one order now.
pub(super) async fn sync(
    program: &Program,
    tenant: Option<&TenantId>,
    args: SyncArgs,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let tenant = program.tenant_of(tenant, args.order).await?;
    let mail_to = address(args.mail_to)?;
    let asked = program
        .engine
        .ask(&tenant, args.order, Origin::Person, mail_to, None)
        .await?;
    let outcomes = wait_for(program, &tenant, &[asked]).await?;
    Ok(show(&outcomes, *output))
}

/// Tries refused orders again.
pub(super) async fn retry(
    program: &Program,
    tenant: Option<&TenantId>,
    args: RetryArgs,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let mail_to = address(args.mail_to)?;
    let Some(order) = args.order else {
        return retry_all(program, tenant, args.code.as_deref(), (mail_to, output)).await;
    };
    let tenant = program.tenant_of(tenant, order).await?;
    must_be_known(program, &tenant, &[order]).await?;
    let asked = program
        .engine
        .ask(&tenant, order, Origin::Retry, mail_to, None)
        .await?;
    let outcomes = wait_for(program, &tenant, &[asked]).await?;
    Ok(show(&outcomes, *output))
}

/// A tenant whose orders could not be tried.
#[derive(Serialize)]
struct NotTried {
    tenant: TenantId,
    error: ProgramError,
}

/// One line of the answer of "retry all": an order, or a tenant that could not be asked.
#[derive(Serialize)]
#[serde(untagged)]
enum Tried {
    Order(Outcome),
    Tenant(NotTried),
}

/// One tenant that cannot be asked does not hide what became of the others.
async fn retry_all(
    program: &Program,
    tenant: Option<&TenantId>,
    only: Option<&str>,
    (mail_to, output): (Option<String>, &Output),
) -> Result<Exit, ProgramError> {
    let code = only.map(code).transpose()?;
    let tenants = program.tenants(tenant).await?;
    let (mut outcomes, mut failed) = (Vec::new(), Vec::new());
    for tenant in &tenants {
        match retry_tenant(program, tenant, code, mail_to.as_deref()).await {
            Ok(tried) => outcomes.extend(tried),
            Err(error) if tenants.len() == 1 => return Err(error),
            Err(error) => failed.push(NotTried {
                tenant: tenant.clone(),
                error,
            }),
        }
    }
    let Some(exit) = failed.first().map(|first| first.error.exit) else {
        return Ok(show(&outcomes, *output));
    };
    let orders = outcomes.into_iter().map(Tried::Order);
    let all: Vec<_> = orders
        .chain(failed.into_iter().map(Tried::Tenant))
        .collect();
    output.show(&all, |all| {
        let lines = all.iter().map(|tried| match tried {
            Tried::Order(outcome) => words(outcome),
            Tried::Tenant(NotTried { tenant, error }) => {
                format!("{tenant}: not tried. {}\n  {}", error.cause, error.remedy)
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(exit)
}

async fn retry_tenant(
    program: &Program,
    tenant: &TenantId,
    code: Option<Code>,
    mail_to: Option<&str>,
) -> Result<Vec<Outcome>, ProgramError> {
    let filter = RetryFilter { code };
    let mut asked = Vec::new();
    for order in program.engine.retryable(tenant, &filter).await? {
        let mail_to = mail_to.map(str::to_owned);
        let ask = program
            .engine
            .ask(tenant, order, Origin::Retry, mail_to, None);
        asked.push(ask.await?);
    }
    wait_for(program, tenant, &asked).await
}

async fn must_be_known(
    program: &Program,
    tenant: &TenantId,
    orders: &[OrderId],
) -> Result<(), ProgramError> {
    let filter = RecordFilter {
        orders: orders.to_vec(),
        limit: 1,
        ..RecordFilter::default()
    };
    if !program.store.list(tenant, &filter).await?.is_empty() {
        return Ok(());
    }
    Err(ProgramError::wrong(
        "unknown_order",
        "Nothing is known about this order, so there is nothing to retry.",
        "Check the id (not the number), or transfer it with `purser sync`.",
    ))
}

fn code(text: &str) -> Result<Code, ProgramError> {
    Code::from_text(text).ok_or_else(|| {
        ProgramError::wrong(
            "unknown_code",
            format!("There is no code {text}."),
            "`purser logs --failed --json` shows the codes.",
        )
    })
}

fn address(text: Option<String>) -> Result<Option<String>, ProgramError> {
    match text {
        Some(text) if !purser_core::settings::is_mail_address(text.trim()) => {
            Err(ProgramError::wrong(
                "mail_address",
                format!("{text} is not an e-mail address."),
                "Write it like name@example.com.",
            ))
        }
        other => Ok(other.map(|text| text.trim().to_owned())),
    }
}

/// Waits until every asked order was attempted: by this process if it is the engine, else by the
/// one that is.
async fn wait_for(
    program: &Program,
    tenant: &TenantId,
    asked: &[Asked],
) -> Result<Vec<Outcome>, ProgramError> {
    let ids: Vec<_> = asked.iter().map(|asked| asked.order).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    if program.is_engine() {
        // A command for one order starts no run.
        let runner = Runner::new(program)?.only(&[]);
        let is_done = || async {
            let seen = runner.seen();
            Ok(ids
                .iter()
                .filter_map(|id| seen.outcomes.get(&(tenant.clone(), *id)))
                .filter(|outcome| !is_overtaken(outcome))
                .count()
                == ids.len())
        };
        runner.work_until(is_done).await?;
        let seen = std::mem::take(&mut *runner.seen());
        return Ok(seen
            .outcomes
            .into_iter()
            .filter(|((t, id), _)| t == tenant && ids.contains(id))
            .map(|(_, o)| o)
            .collect());
    }
    let began = Instant::now();
    let patience = program
        .engine
        .policy()
        .scale_down(LOOK_FOR)
        .max(Duration::from_secs(10));
    loop {
        let records = read(program, tenant, &ids).await?;
        let is_over = began.elapsed() > patience || !program.engine_is_elsewhere();
        if is_over || records.iter().all(was_attempted) {
            return Ok(records.iter().map(Outcome::of).collect());
        }
        program.engine.ports().clock().sleep(LOOK_EVERY).await;
    }
}

async fn read(
    program: &Program,
    tenant: &TenantId,
    ids: &[OrderId],
) -> Result<Vec<SyncRecord>, ProgramError> {
    let limit = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    let filter = RecordFilter {
        orders: ids.to_vec(),
        limit,
        ..RecordFilter::default()
    };
    Ok(program.store.list(tenant, &filter).await?)
}

/// The engine has answered the request, or says why it waits.
fn was_attempted(record: &SyncRecord) -> bool {
    let Some(request) = &record.request else {
        return record.lease.is_none();
    };
    record.lease.is_none() && record.wait.is_some() && record.updated_at > request.asked_at
}

fn show(outcomes: &[Outcome], output: Output) -> Exit {
    output.show(&outcomes, |outcomes| {
        if outcomes.is_empty() {
            return "There is nothing to retry.".to_owned();
        }
        let mut text = String::new();
        for outcome in *outcomes {
            text.push_str(&words(outcome));
            text.push('\n');
        }
        text
    });
    let any = |kinds: &[OutcomeKind]| outcomes.iter().any(|o| kinds.contains(&o.outcome));
    let class = outcomes
        .iter()
        .filter_map(|o| o.code.as_deref().and_then(Code::from_text));
    let is_broken = class
        .map(Code::class)
        .any(|class| class == FailureClass::Reconnect);
    if is_broken {
        Exit::Wrong
    } else if any(&[OutcomeKind::Refused, OutcomeKind::Ineligible]) {
        Exit::Refused
    } else if any(&[OutcomeKind::Waiting, OutcomeKind::InDoubt]) {
        Exit::Waiting
    } else {
        Exit::Ok
    }
}

fn words(outcome: &Outcome) -> String {
    let name = format!("Order {} (id {})", outcome.number, outcome.order);
    let cause = outcome.cause.as_deref().unwrap_or_default();
    let remedy = outcome.remedy.as_deref().unwrap_or_default();
    let next = outcome
        .next_attempt
        .map(|at| format!(" Next attempt: {at:.0}."));
    let next = next.unwrap_or_default();
    match outcome.outcome {
        OutcomeKind::Billed => {
            let number = outcome.bill_number.as_deref().unwrap_or_default();
            format!("{name}: billed as {number}.")
        }
        OutcomeKind::Refused => format!("{name}: not transferred.\n  {cause}\n  {remedy}"),
        OutcomeKind::Waiting => format!("{name}: waiting. {cause}{next}"),
        OutcomeKind::InDoubt => format!("{name}: in doubt. {cause}{next}"),
        OutcomeKind::Ineligible => format!("{name}: nothing to transfer. {cause}"),
    }
}
