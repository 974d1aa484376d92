//! Settings: live pick lists, import, export.

use purser_core::{
    books::{AccountKind, Books},
    failure::Failure,
    ids::TenantId,
    orders::{PickListValue, Resource},
    ports::{Autotask, DocumentKind, Expected, Lane, Ledger as _, Outside, Put, StoreError},
    settings::{Choices, FieldError, Settings, SettingsDocument},
    tenant::TenantStatus,
    usecase::{Engine, Ports},
};
use serde::Serialize;

/// What the pick lists offer right now, read from both systems.
pub struct Offered {
    books: Books,
    statuses: Vec<PickListValue>,
    action_types: Vec<PickListValue>,
    resources: Vec<Resource>,
}

/// One entry of a pick list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What is stored.
    pub id: String,
    /// What people see.
    pub label: String,
}

/// The pick lists by the field they belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfferedLists {
    /// For `payable_account`.
    pub payable_account: Vec<Entry>,
    /// For `created_item_account` and `freight_account`.
    pub expense_account: Vec<Entry>,
    /// For `purchase_tax_code`; empty in the US.
    pub purchase_tax_code: Vec<Entry>,
    /// For `submitted_status`.
    pub submitted_status: Vec<Entry>,
    /// For `todo_action_type`.
    pub todo_action_type: Vec<Entry>,
    /// For `todo_resource`.
    pub todo_resource: Vec<Entry>,
}

/// Why settings were not stored.
#[derive(Debug)]
pub enum ImportError {
    /// These fields are wrong; nothing was stored.
    Fields(Vec<FieldError>),
    /// The pick lists could not be read, or nothing could be stored.
    Failed(Failure),
}

impl From<Failure> for ImportError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Offered {
    /// Reads every pick list.
    pub async fn read<P: Ports>(engine: &Engine<P>, tenant: &TenantId) -> Result<Self, Failure> {
        let autotask = async {
            let autotask = engine.ports().outside();
            let autotask = autotask.autotask(tenant, Lane::Person).await?;
            let statuses = autotask.statuses().await?;
            let action_types = autotask.action_types().await?;
            Ok::<_, Failure>((statuses, action_types, autotask.resources().await?))
        };
        // Two vendors answer at once, because a person waits. Both to their end: a renewal of the token
        // that was left in the middle would lose the connection.
        let (autotask, books) = tokio::join!(autotask, engine.reference_data(tenant));
        let ((statuses, action_types, resources), books) = (autotask?, books?);
        Ok(Self {
            books,
            statuses,
            action_types,
            resources,
        })
    }

    /// What settings are parsed against.
    pub fn choices(&self) -> Choices<'_> {
        Choices {
            books: &self.books,
            statuses: &self.statuses,
            action_types: &self.action_types,
            resources: &self.resources,
        }
    }

    /// The reference data that was read.
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// The pick lists for people.
    pub fn lists(&self) -> OfferedLists {
        let accounts = |wanted: AccountKind| {
            let all = self.books.accounts().into_iter();
            all.filter(|account| account.active && account.kind == wanted)
                .map(|account| entry(&account.id, &account.name))
                .collect()
        };
        let is_us = self.books.company().is_us();
        let codes = self
            .books
            .tax_codes()
            .iter()
            .filter(|code| code.active && !is_us);
        OfferedLists {
            payable_account: accounts(AccountKind::Payable),
            expense_account: accounts(AccountKind::Expense),
            purchase_tax_code: codes.map(|code| entry(&code.id, &code.name)).collect(),
            submitted_status: pick_list(&self.statuses),
            todo_action_type: pick_list(&self.action_types),
            todo_resource: self
                .resources
                .iter()
                .map(|r| entry(&r.id, &r.name))
                .collect(),
        }
    }
}

fn entry(id: &impl ToString, label: &str) -> Entry {
    Entry {
        id: id.to_string(),
        label: label.to_owned(),
    }
}

fn pick_list(values: &[PickListValue]) -> Vec<Entry> {
    values
        .iter()
        .filter(|v| v.active)
        .map(|v| entry(&v.value, &v.label))
        .collect()
}

/// Parses and stores settings; nothing is stored when any field is wrong.
pub async fn import<P: Ports>(
    engine: &Engine<P>,
    tenant: &TenantId,
    document: &SettingsDocument,
) -> Result<Settings, ImportError> {
    let (settings, _) = import_over(engine, tenant, document, Expected::Any).await?;
    Ok(settings)
}

/// The same, as long as the stored settings are those that somebody has seen. Tells what the
/// document means and whether it was stored.
pub async fn import_over<P: Ports>(
    engine: &Engine<P>,
    tenant: &TenantId,
    document: &SettingsDocument,
    seen: Expected<u64>,
) -> Result<(Settings, bool), ImportError> {
    let offered = Offered::read(engine, tenant).await?;
    let settings = document
        .parse(&offered.choices())
        .map_err(ImportError::Fields)?;
    let body = serde_json::to_string(&settings)
        .map_err(|error| StoreError::Unreadable(format!("settings: {error}")))?;
    let store = engine.ports().store();
    let put = store.put_document(tenant, DocumentKind::Settings, body, seen);
    if put.await? == Put::Conflict {
        return Ok((settings, false));
    }
    let company = offered.books.company().clone();
    let note = |status: &mut TenantStatus| status.note_company(&company);
    engine.update_status(tenant, note).await?;
    // A new choice may be just what was missing.
    engine.clear_trouble(tenant).await?;
    Ok((settings, true))
}

/// Reads a document from text, with the field or the place of what is wrong.
pub fn read_document(text: &str) -> Result<SettingsDocument, String> {
    // A list would be taken for the fields in their order.
    if text.trim_start().starts_with('[') {
        return Err("it is a list instead of an object with fields".to_owned());
    }
    let error = match serde_json::from_str(text) {
        Ok(document) => return Ok(document),
        Err(error) => error,
    };
    let fields: serde_json::Map<_, _> = serde_json::from_str(text).unwrap_or_default();
    // Every field is optional here, so the wrong one is found alone.
    let wrong = fields.into_iter().find_map(|(name, value)| {
        let alone = serde_json::Value::Object([(name.clone(), value)].into_iter().collect());
        let wrong = serde_json::from_value::<SettingsDocument>(alone).err()?;
        Some(format!("{name}: {wrong}"))
    });
    Err(wrong.unwrap_or_else(|| error.to_string()))
}
