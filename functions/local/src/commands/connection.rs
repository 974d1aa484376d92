//! `purser connection`: add, list, remove.

use std::{fs, io::IsTerminal as _, path::Path};

use purser_core::{
    ids::TenantId,
    ports::{DocumentKind, Ledger as _},
    tenant::AutotaskCredentials,
    usecase::Ports as _,
};
use purser_runtime::connect::{self, ConnectError, NewGrant};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::{
    cli::{ConnectionAddArgs, ConnectionCommand},
    exit::{Exit, ProgramError},
    output::{Output, table},
    program::Program,
};

pub(super) async fn run(
    program: &Program,
    tenant: Option<TenantId>,
    command: ConnectionCommand,
    output: &Output,
) -> Result<Exit, ProgramError> {
    match command {
        ConnectionCommand::Add(args) => add(program, tenant, &args, output).await,
        ConnectionCommand::List => list(program, output).await,
        ConnectionCommand::Remove { name, forget } => {
            let tenant = program.tenant(name.or(tenant).as_ref()).await?;
            remove(program, &tenant, forget, output).await
        }
    }
}

async fn add(
    program: &Program,
    tenant: Option<TenantId>,
    args: &ConnectionAddArgs,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let tenant = name(program, args.name.clone().or(tenant), args).await?;
    let autotask = autotask(args)?;
    let grant = grant(args)?;
    if autotask.is_none() && grant.is_none() {
        return Err(ProgramError::wrong(
            "nothing_given",
            "Neither side of the connection was given.",
            "Give --autotask-user and --integration-code, or --realm and --refresh-token-file, or \
             all of them.",
        ));
    }
    let outside = program.engine.ports().outside();
    let connected = connect::connect(&program.engine, outside, &tenant, autotask, grant).await;
    let connected = connected.map_err(|error| refused(error, args))?;
    let has_settings = program.engine.settings(&tenant).await?.is_some();
    let starts = has_settings && connected.goes_on;
    if starts {
        program.engine.start_now(&tenant).await?;
    }
    output.show(&connected, |connected| {
        let zone = connected
            .zone_host
            .as_deref()
            .map(|z| format!("Autotask: {z}\n"));
        let company = connected
            .company
            .as_deref()
            .map(|c| format!("QuickBooks: {c}\n"));
        let next = match (has_settings, starts) {
            (true, true) => "The settings are kept; the first run starts at once.",
            (true, false) => {
                "The settings are kept. This is another API user than before, and Autotask does \
                 not tell whether it belongs to the same database: make sure that it does, then \
                 purser sync."
            }
            (false, _) => "Next: purser settings choices, then purser settings import FILE.",
        };
        format!(
            "Connected {}.\n{}{}{next}",
            connected.tenant,
            zone.unwrap_or_default(),
            company.unwrap_or_default()
        )
    });
    Ok(Exit::Ok)
}

/// The name given; else the only tenant there is; else one made from the realm.
async fn name(
    program: &Program,
    given: Option<TenantId>,
    args: &ConnectionAddArgs,
) -> Result<TenantId, ProgramError> {
    if let Some(given) = given {
        return Ok(given);
    }
    if let [only] = program.store.tenants().await?.as_slice() {
        return Ok(only.clone());
    }
    let from_realm = args
        .realm
        .as_ref()
        .and_then(|realm| format!("realm-{realm}").parse().ok());
    from_realm.ok_or_else(|| {
        ProgramError::wrong(
            "which_tenant",
            "The connection needs a name.",
            "Give a short name as the first argument, such as `purser connection add acme ...`.",
        )
    })
}

fn autotask(args: &ConnectionAddArgs) -> Result<Option<AutotaskCredentials>, ProgramError> {
    let (user, code) = match (&args.autotask_user, &args.integration_code) {
        (None, None) if args.autotask_secret_file.is_none() => return Ok(None),
        (Some(user), Some(code)) => (user.trim(), code.trim()),
        _ => {
            return Err(ProgramError::wrong(
                "half_given",
                "The Autotask side needs a user and an integration code.",
                "Give both --autotask-user and --integration-code.",
            ));
        }
    };
    let secret = match &args.autotask_secret_file {
        Some(file) => secret_file(file)?,
        None => prompt("Secret of the Autotask API user: ")?,
    };
    Ok(Some(AutotaskCredentials {
        user: user.to_owned(),
        secret,
        integration_code: SecretString::from(code.to_owned()),
    }))
}

fn grant(args: &ConnectionAddArgs) -> Result<Option<NewGrant>, ProgramError> {
    match (&args.realm, &args.refresh_token_file) {
        (None, None) => Ok(None),
        (Some(realm), Some(file)) => Ok(Some(NewGrant {
            realm: realm.clone(),
            refresh_token: secret_file(file)?,
        })),
        _ => Err(ProgramError::wrong(
            "half_given",
            "The QuickBooks side needs a company id and a refresh token.",
            "Give both --realm and --refresh-token-file.",
        )),
    }
}

fn secret_file(file: &Path) -> Result<SecretString, ProgramError> {
    let text = fs::read_to_string(file).map_err(|error| {
        ProgramError::wrong(
            "secret_file",
            format!("The file {} cannot be read: {error}.", file.display()),
            "Name a file that holds the secret and nothing else.",
        )
    })?;
    let text = text.trim();
    if text.is_empty() {
        return Err(ProgramError::wrong(
            "secret_file",
            format!("The file {} is empty.", file.display()),
            "Put the secret into it and try again.",
        ));
    }
    Ok(SecretString::from(text.to_owned()))
}

fn prompt(text: &str) -> Result<SecretString, ProgramError> {
    let problem = |cause: String| {
        ProgramError::wrong(
            "prompt",
            cause,
            "Give the secret in a file: --autotask-secret-file.",
        )
    };
    if !std::io::stdin().is_terminal() {
        return Err(problem(
            "There is no terminal to ask for the secret.".to_owned(),
        ));
    }
    let secret = rpassword::prompt_password(text);
    let secret = secret.map_err(|error| problem(format!("The secret was not read: {error}.")))?;
    Ok(SecretString::from(secret.trim().to_owned()))
}

fn refused(error: ConnectError, args: &ConnectionAddArgs) -> ProgramError {
    match error {
        ConnectError::RealmTaken(other) => ProgramError::wrong(
            "realm_taken",
            format!("This QuickBooks company is connected to the tenant {other}."),
            "Remove that connection first, or connect another company.",
        ),
        ConnectError::Failed { failure, replaced } => {
            let kept = replaced.zip(args.refresh_token_file.as_deref());
            let mut error = ProgramError::from(failure);
            if let Some((token, file)) = kept {
                // Intuit may have ended the old token when it gave this one.
                let note = match fs::write(file, token.expose_secret()) {
                    Ok(()) => "The token file was updated, because Intuit replaced the token.",
                    Err(_) => "Intuit replaced the token; ask for a new one before trying again.",
                };
                error.remedy = format!("{} {note}", error.remedy);
            }
            error
        }
    }
}

#[derive(Serialize)]
struct TenantRow {
    tenant: TenantId,
    realm: Option<String>,
    company: Option<String>,
    autotask: &'static str,
    quickbooks: &'static str,
    settings: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

async fn list(program: &Program, output: &Output) -> Result<Exit, ProgramError> {
    let mut rows = Vec::new();
    for tenant in program.store.tenants().await? {
        let status = program.engine.status(&tenant).await?;
        let has = async |kind| -> Result<bool, ProgramError> {
            Ok(program.store.document(&tenant, kind).await?.is_some())
        };
        let state = |is_there: bool, is_broken: bool| match (is_there, is_broken) {
            (false, _) => "not connected",
            (true, true) => "needs reconnect",
            (true, false) => "connected",
        };
        let trouble = status
            .autotask_broken
            .as_ref()
            .or(status.quickbooks_broken.as_ref());
        let trouble = trouble
            .or(status.trouble.as_ref())
            .map(|trouble| trouble.notice.text());
        rows.push(TenantRow {
            autotask: state(
                has(DocumentKind::Autotask).await?,
                status.autotask_broken.is_some(),
            ),
            quickbooks: state(
                has(DocumentKind::QuickBooks).await?,
                status.quickbooks_broken.is_some(),
            ),
            settings: has(DocumentKind::Settings).await?,
            realm: status.realm.map(|realm| realm.to_string()),
            company: status.company_name,
            trouble,
            tenant,
        });
    }
    output.show(&rows, |rows| {
        if rows.is_empty() {
            return "There is no tenant yet. Add one with `purser connection add`.".to_owned();
        }
        let cells = rows.iter().map(|row| {
            vec![
                row.tenant.to_string(),
                row.company.clone().unwrap_or_default(),
                row.realm.clone().unwrap_or_default(),
                row.autotask.to_owned(),
                row.quickbooks.to_owned(),
                if row.settings { "saved" } else { "missing" }.to_owned(),
            ]
        });
        let header = [
            "TENANT",
            "COMPANY",
            "REALM",
            "AUTOTASK",
            "QUICKBOOKS",
            "SETTINGS",
        ];
        let mut text = table(&header, &cells.collect::<Vec<_>>());
        for row in rows {
            if let Some(trouble) = &row.trouble {
                text.push_str(&format!("\n{}: {trouble}", row.tenant));
            }
        }
        text
    });
    Ok(Exit::Ok)
}

async fn remove(
    program: &Program,
    tenant: &TenantId,
    forget: bool,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let outside = program.engine.ports().outside();
    connect::disconnect(&program.engine, outside, tenant).await?;
    if forget {
        program.store.remove_tenant(tenant).await?;
    }
    let answer = serde_json::json!({ "tenant": tenant, "removed": true, "forgotten": forget });
    output.show(&answer, |_| match forget {
        true => format!(
            "Disconnected {tenant} and removed everything stored about it.\n\
             Purser no longer knows which orders were billed: write the numbers of their bills into \
             External PO Number before this company is connected again."
        ),
        false => format!("Disconnected {tenant}. Its settings and history are kept."),
    });
    Ok(Exit::Ok)
}
