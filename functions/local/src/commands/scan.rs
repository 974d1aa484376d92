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
    order: OrderId,
    number: String,
    eligible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<Scanned> for Row {
    fn from(scanned: Scanned) -> Self {
        let reason = scanned.judged.err();
        Self {
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
    let tenant = program.tenant(tenant).await?;
    let scanned = program.engine.look(&tenant).await?;
    let rows: Vec<_> = scanned.into_iter().map(Row::from).collect();
    output.show(&rows, |rows| {
        let cells = rows.iter().map(|row| {
            let reason = row.reason.clone().unwrap_or_else(|| "eligible".to_owned());
            vec![row.order.to_string(), row.number.clone(), reason]
        });
        let eligible = rows.iter().filter(|row| row.eligible).count();
        let table = table(&["ORDER", "NUMBER", "RESULT"], &cells.collect::<Vec<_>>());
        format!("{table}\n\n{} orders, {eligible} eligible", rows.len())
    });
    Ok(Exit::Ok)
}
