//! `purser scan`: which orders are eligible, and why the others are not.

use purser_core::{
    ids::{OrderId, TenantId},
    usecase::Scanned,
};
use serde::Serialize;

use crate::{
    exit::{Exit, ProgramError},
    output::{Output, table},
    program::Program,
};

#[derive(Serialize)]
struct Row {
    tenant: TenantId,
    order: OrderId,
    number: String,
    eligible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Row {
    fn of(tenant: &TenantId, scanned: Scanned) -> Self {
        let reason = scanned.judged.err();
        Self {
            tenant: tenant.clone(),
            order: scanned.order.id,
            number: scanned.order.display_number(),
            eligible: reason.is_none(),
            code: reason.as_ref().map(|reason| reason.code().to_owned()),
            reason: reason.map(|reason| reason.text()),
        }
    }
}

pub(super) async fn run(
    program: &Program,
    tenant: Option<&TenantId>,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let mut rows = Vec::new();
    let mut stopped = Vec::new();
    for tenant in program.tenants(tenant).await? {
        match program.engine.look(&tenant).await {
            Ok(scanned) => rows.extend(scanned.into_iter().map(|one| Row::of(&tenant, one))),
            Err(failure) => stopped.push((tenant, failure)),
        }
    }
    if rows.is_empty()
        && let Some((_, failure)) = stopped.pop()
    {
        return Err(failure.into());
    }
    output.show(&rows, |rows| {
        let cells = rows.iter().map(|row| {
            let reason = row.reason.clone().unwrap_or_else(|| "eligible".to_owned());
            vec![
                row.tenant.to_string(),
                row.order.to_string(),
                row.number.clone(),
                reason,
            ]
        });
        let eligible = rows.iter().filter(|row| row.eligible).count();
        let table = table(
            &["TENANT", "ORDER", "NUMBER", "RESULT"],
            &cells.collect::<Vec<_>>(),
        );
        let mut text = format!("{table}\n\n{} orders, {eligible} eligible", rows.len());
        for (tenant, failure) in &stopped {
            text.push_str(&format!("\n{tenant}: {}", failure.notice.text()));
        }
        text
    });
    Ok(Exit::Ok)
}
