//! `purser simulators`: the stand-ins alone, for a program in another process.

use purser_runtime::configuration::Configuration;
use serde_json::json;

use crate::{
    cli::SimulatorsArgs,
    demo::{CLIENT_ID, CLIENT_SECRET, Stage, StageOptions},
    exit::{Exit, ProgramError},
    output::Output,
};

pub(super) async fn run(
    configuration: Configuration,
    args: &SimulatorsArgs,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let folder = args
        .state
        .clone()
        .unwrap_or_else(|| configuration.data.join("simulators"));
    let options = StageOptions {
        port: args.port,
        plain: args.plain,
        no_limits: args.no_limits,
    };
    let stage = Stage::start(&folder, &options).await?;
    if stage.simulators.is_none() {
        return Err(ProgramError::wrong(
            "simulators",
            format!(
                "The simulators of {} already run at {}.",
                folder.display(),
                stage.base
            ),
            "Use those, or name another folder with --state.",
        ));
    }
    let base = stage.base.as_str().trim_end_matches('/').to_owned();
    let environment = json!({
        "PURSER_AUTOTASK_ZONE_URL": base,
        "PURSER_QUICKBOOKS_URL": base,
        "PURSER_INTUIT_DISCOVERY_URL": format!("{base}/.well-known/openid_configuration"),
        "PURSER_INTUIT_CLIENT_ID": CLIENT_ID,
        "PURSER_INTUIT_CLIENT_SECRET": CLIENT_SECRET,
        "PURSER_ALLOW_LOCAL_ENDPOINTS": "1",
    });
    let answer = json!({
        "url": base,
        "state": folder,
        "environment": environment,
        "companies": stage.marker.companies,
    });
    output.show(&answer, |_| {
        let mut text = format!("Serving Autotask, QuickBooks and Intuit at {base}\n\n");
        for (name, value) in environment.as_object().into_iter().flatten() {
            text.push_str(&format!(
                "export {name}={}\n",
                value.as_str().unwrap_or_default()
            ));
        }
        text.push_str("\nCompanies (credentials, also in demo.json of the state folder):\n");
        for company in &stage.marker.companies {
            text.push_str(&format!(
                "  {}: Autotask user {}, integration code {}, realm {}\n",
                company.tenant, company.autotask_user, company.integration_code, company.realm
            ));
        }
        text.push_str("\nControl: /_simulator (see the README). Stop with Ctrl-C.");
        text
    });
    stage.wait().await;
    Ok(Exit::Ok)
}
