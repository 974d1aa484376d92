//! `purser logs`: what became of the orders, or the whole story of one.

use purser_core::{
    ids::{OrderId, TenantId},
    ports::{HistoryEntry, Ledger as _, RecordFilter},
    record::{StateName, SyncRecord},
    usecase::Outcome,
};
use serde::Serialize;

use crate::{
    cli::LogsArgs,
    exit::{Exit, ProgramError},
    output::{Output, table},
    program::Program,
};

#[derive(Serialize)]
struct Row {
    tenant: TenantId,
    #[serde(flatten)]
    outcome: Outcome,
    state: StateName,
    vendor: Option<String>,
    updated_at: jiff::Timestamp,
}

#[derive(Serialize)]
struct Story {
    #[serde(flatten)]
    row: Row,
    history: Vec<HistoryEntry>,
}

impl Row {
    fn of(record: &SyncRecord) -> Self {
        Self {
            tenant: record.key.tenant.clone(),
            outcome: Outcome::of(record),
            state: record.state.name(),
            vendor: record.vendor_name.clone(),
            updated_at: record.updated_at,
        }
    }
}

pub(super) async fn run(
    program: &Program,
    tenant: Option<&TenantId>,
    args: &LogsArgs,
    output: &Output,
) -> Result<Exit, ProgramError> {
    match args.order {
        Some(order) => {
            let tenant = program.tenant_of(tenant, order).await?;
            story(program, &tenant, order, output).await
        }
        None => list(program, &program.tenants(tenant).await?, args, output).await,
    }
}

async fn list(
    program: &Program,
    tenants: &[TenantId],
    args: &LogsArgs,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let states = match args.failed {
        true => vec![
            StateName::Refused,
            StateName::NeedsPerson,
            StateName::Orphaned,
        ],
        false => Vec::new(),
    };
    let filter = RecordFilter {
        states,
        limit: args.limit,
        ..RecordFilter::default()
    };
    let mut rows = Vec::new();
    for tenant in tenants {
        rows.extend(
            program
                .store
                .list(tenant, &filter)
                .await?
                .iter()
                .map(Row::of),
        );
    }
    rows.sort_by_key(|row| std::cmp::Reverse((row.updated_at, row.outcome.order)));
    rows.truncate(args.limit as usize);
    output.show(&rows, |rows| {
        if rows.is_empty() {
            return match args.failed {
                true => "No order needs a person.",
                false => "Nothing has happened yet.",
            }
            .to_owned();
        }
        let cells = rows.iter().map(|row| {
            let outcome = &row.outcome;
            vec![
                format!("{:.0}", row.updated_at),
                row.tenant.to_string(),
                outcome.order.to_string(),
                outcome.number.clone(),
                row.vendor.clone().unwrap_or_default(),
                row.state.as_str().to_owned(),
                outcome
                    .bill_number
                    .clone()
                    .or_else(|| outcome.cause.clone())
                    .unwrap_or_default(),
            ]
        });
        let header = [
            "TIME",
            "TENANT",
            "ORDER",
            "NUMBER",
            "VENDOR",
            "STATE",
            "BILL OR REASON",
        ];
        table(&header, &cells.collect::<Vec<_>>())
    });
    Ok(Exit::Ok)
}

async fn story(
    program: &Program,
    tenant: &TenantId,
    order: OrderId,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let filter = RecordFilter {
        orders: vec![order],
        limit: 1,
        ..RecordFilter::default()
    };
    let record = program.store.list(tenant, &filter).await?.pop();
    let Some(record) = record else {
        return Err(ProgramError::wrong(
            "unknown_order",
            format!("Nothing is known about order {order}."),
            "Check the id (not the number), or transfer it with `purser sync`.",
        ));
    };
    let history = program.store.history(tenant, order).await?;
    let story = Story {
        row: Row::of(&record),
        history,
    };
    output.show(&story, |story| {
        let outcome = &story.row.outcome;
        let mut text = format!(
            "Order {} (id {}): {}\n",
            outcome.number,
            outcome.order,
            story.row.state.as_str()
        );
        for line in [&outcome.cause, &outcome.remedy].into_iter().flatten() {
            text.push_str(&format!("  {line}\n"));
        }
        if let Some(bill) = &outcome.bill {
            text.push_str(&format!("  Bill id in QuickBooks: {bill}\n"));
        }
        if let Some(next) = outcome.next_attempt {
            text.push_str(&format!("  Next attempt: {next:.0}\n"));
        }
        text.push('\n');
        for entry in &story.history {
            text.push_str(&format!("{:.0}  {}\n", entry.at, entry.text));
        }
        text
    });
    Ok(Exit::Ok)
}
