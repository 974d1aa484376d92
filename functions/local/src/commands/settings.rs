//! `purser settings`: show, choices, export, import.

use std::{fs, io::Read as _, path::Path};

use purser_core::{
    ids::TenantId,
    settings::{Settings, SettingsDocument},
};
use purser_runtime::settings::{self, ImportError, Offered, OfferedLists};

use crate::{
    cli::SettingsCommand,
    exit::{Exit, ProgramError},
    output::{Output, table},
    program::Program,
};

pub(super) async fn run(
    program: &Program,
    tenant: Option<&TenantId>,
    command: SettingsCommand,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let tenant = program.tenant(tenant).await?;
    match command {
        SettingsCommand::Show => show(program, &tenant, output).await,
        SettingsCommand::Choices => choices(program, &tenant, output).await,
        SettingsCommand::Export => export(program, &tenant).await,
        SettingsCommand::Import { file } => import(program, &tenant, &file, output).await,
    }
}

async fn saved(program: &Program, tenant: &TenantId) -> Result<Settings, ProgramError> {
    program.engine.settings(tenant).await?.ok_or_else(|| {
        ProgramError::wrong(
            "no_settings",
            format!("The tenant {tenant} has no settings yet."),
            "See `purser settings choices`, then `purser settings import FILE`.",
        )
    })
}

async fn show(program: &Program, tenant: &TenantId, output: &Output) -> Result<Exit, ProgramError> {
    let document = SettingsDocument::from(&saved(program, tenant).await?);
    output.show(&document, |document| {
        let value = serde_json::to_value(document).unwrap_or_default();
        let fields = value.as_object().cloned().unwrap_or_default();
        let rows = fields
            .iter()
            .map(|(name, value)| vec![name.clone(), words(value)]);
        table(&["SETTING", "VALUE"], &rows.collect::<Vec<_>>())
    });
    Ok(Exit::Ok)
}

fn words(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "-".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(choice) => match (choice.get("label"), choice.get("id")) {
            (Some(label), Some(id)) => format!("{} (id {})", words(label), words(id)),
            _ if choice.is_empty() => "-".to_owned(),
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}

async fn export(program: &Program, tenant: &TenantId) -> Result<Exit, ProgramError> {
    let document = SettingsDocument::from(&saved(program, tenant).await?);
    // The document is JSON in either mode.
    Output::new(true).show(&document, |_| String::new());
    Ok(Exit::Ok)
}

async fn choices(
    program: &Program,
    tenant: &TenantId,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let lists = Offered::read(&program.engine, tenant).await?.lists();
    output.show(&lists, |lists| {
        let OfferedLists {
            payable_account,
            expense_account,
            purchase_tax_code,
            submitted_status,
            todo_action_type,
            todo_resource,
        } = lists;
        let sections = [
            ("payable_account", payable_account),
            ("created_item_account, freight_account", expense_account),
            ("purchase_tax_code", purchase_tax_code),
            ("submitted_status", submitted_status),
            ("todo_action_type", todo_action_type),
            ("todo_resource", todo_resource),
        ];
        let mut text = String::new();
        for (name, entries) in sections {
            let rows = entries
                .iter()
                .map(|entry| vec![entry.id.clone(), entry.label.clone()]);
            let rows = table(&["ID", "LABEL"], &rows.collect::<Vec<_>>());
            text.push_str(&format!("{name}\n{rows}\n\n"));
        }
        text.push_str(
            "Other fields: days_back (0 to 365), created_from (a day), number_source (quickbooks, autotask), \
             missing_item (create, refuse),\nitem_match (name, sku, manufacturer_part_number), \
             bill_date (submitted, created, today), interval_minutes (1 to 60),\ntime_zone, \
             give_up_hours, autotask_share_percent, digest_to, vendor_overrides, \
             customer_overrides.",
        );
        text
    });
    Ok(Exit::Ok)
}

async fn import(
    program: &Program,
    tenant: &TenantId,
    file: &Path,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let text = read(file)?;
    let document = settings::read_document(&text).map_err(|error| {
        ProgramError::wrong(
            "settings_file",
            format!("The settings cannot be read: {error}."),
            "Correct the file; `purser settings export` shows the form. Nothing was changed.",
        )
    })?;
    let is_first = program.engine.settings(tenant).await?.is_none();
    match settings::import(&program.engine, tenant, &document).await {
        Ok(_) => {}
        Err(ImportError::Failed(failure)) => return Err(failure.into()),
        Err(ImportError::Fields(errors)) => {
            let wrong = errors
                .iter()
                .map(|error| format!("{} {}", error.field, error.message));
            return Err(ProgramError::wrong(
                "settings_fields",
                format!("{}.", wrong.collect::<Vec<_>>().join("; ")),
                "Correct these fields; nothing was changed.",
            ));
        }
    }
    if is_first {
        program.engine.start_now(tenant).await?;
    }
    let saved = SettingsDocument::from(&saved(program, tenant).await?);
    output.show(&saved, |_| match is_first {
        true => "Saved. The first run starts at once (`purser serve`, or `purser run --once`)."
            .to_owned(),
        false => "Saved. They apply from the next order on.".to_owned(),
    });
    Ok(Exit::Ok)
}

fn read(file: &Path) -> Result<String, ProgramError> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    text.map_err(|error| {
        ProgramError::wrong(
            "settings_file",
            format!("The file {} cannot be read: {error}.", file.display()),
            "Name a file made by `purser settings export`.",
        )
    })
}
