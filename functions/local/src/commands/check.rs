//! `purser check`: the preflight.

use purser_core::ids::TenantId;
use purser_runtime::preflight::{self, Finding, Level};
use serde::Serialize;

use crate::{
    exit::{Exit, ProgramError},
    output::Output,
    program::Program,
};

#[derive(Serialize)]
struct Checked {
    tenant: TenantId,
    #[serde(flatten)]
    finding: Finding,
}

pub(super) async fn run(
    program: &Program,
    tenant: Option<&TenantId>,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let mut checked = Vec::new();
    for tenant in program.tenants(tenant).await? {
        let found = preflight::check(&program.engine, &tenant).await?;
        let of_tenant = |finding| Checked {
            tenant: tenant.clone(),
            finding,
        };
        checked.extend(found.into_iter().map(of_tenant));
    }
    output.show(&checked, |checked| checked.iter().map(words).collect());
    let is_bad = checked.iter().any(|one| one.finding.level == Level::Bad);
    Ok(match is_bad {
        false => Exit::Ok,
        true if checked.iter().any(is_unreachable) => Exit::Unreachable,
        true => Exit::Wrong,
    })
}

fn words(checked: &Checked) -> String {
    let Checked { tenant, finding } = checked;
    let level = match finding.level {
        Level::Good => "ok  ",
        Level::Note => "note",
        Level::Bad => "BAD ",
    };
    let remedy = finding.remedy.as_deref().map(|remedy| format!(" {remedy}"));
    let remedy = remedy.unwrap_or_default();
    format!(
        "{tenant}  {level}  {}: {}{remedy}\n",
        finding.check, finding.text
    )
}

fn is_unreachable(checked: &Checked) -> bool {
    checked
        .finding
        .code
        .as_deref()
        .is_some_and(|code| code.starts_with("wait."))
}
