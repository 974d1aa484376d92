//! `purser check`: the preflight.

use purser_core::ids::TenantId;
use purser_runtime::preflight::{self, Level};

use crate::{
    exit::{Exit, ProgramError},
    output::{Output, table},
    program::Program,
};

pub(super) async fn run(
    program: &Program,
    tenant: Option<&TenantId>,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let tenant = program.tenant(tenant).await?;
    let findings = preflight::check(&program.engine, &tenant).await?;
    output.show(&findings, |findings| {
        let rows: Vec<_> = findings
            .iter()
            .map(|finding| {
                let level = match finding.level {
                    Level::Good => "ok",
                    Level::Note => "note",
                    Level::Bad => "BAD",
                };
                vec![level.to_owned(), finding.check.to_owned()]
            })
            .collect();
        let lines = table(&["", "CHECK"], &rows);
        let words = findings.iter().map(|finding| {
            let remedy = finding.remedy.as_deref().map(|remedy| format!(" {remedy}"));
            format!("{}{}", finding.text, remedy.unwrap_or_default())
        });
        let mut lines = lines.lines();
        let mut text = String::new();
        lines.next();
        for (line, words) in lines.zip(words) {
            text.push_str(&format!("{line}: {words}\n"));
        }
        text
    });
    let is_bad = findings.iter().any(|finding| finding.level == Level::Bad);
    Ok(match is_bad {
        false => Exit::Ok,
        true if findings.iter().any(is_unreachable) => Exit::Unreachable,
        true => Exit::Wrong,
    })
}

fn is_unreachable(finding: &preflight::Finding) -> bool {
    finding
        .code
        .as_deref()
        .is_some_and(|code| code.starts_with("wait."))
}
