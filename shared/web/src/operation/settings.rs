//! Settings: reading, storing, history, export and import.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use purser_core::{
    ports::{DocumentKind, Expected},
    settings::{Settings, SettingsDocument},
    usecase::load,
};
use purser_runtime::settings::{self, Entry, ImportError, Offered};
use serde_json::Value;

use super::settings_form::{document_of, values_of};
use crate::{
    answer::Answer,
    app::{Seat, Web},
    call::Call,
    error::WebError,
    input,
    people::{Event, StoredChange},
    ports::LivePorts,
    view::{
        ChoiceView, Choices, Done, FieldProblem, SettingsChange, SettingsForm, SettingsHistory,
        SettingsValues, SettingsView, TransferView,
    },
};

const FORM: (&str, &str) = ("Settings", "settings");
const TRANSFER: (&str, &str) = ("Export and import settings", "settings");
/// Somebody else saved meanwhile.
const CHANGED: &str = "settings.changed";
/// The events that are looked through for changes of settings.
const EVENTS_READ: u32 = 400;

/// The fields in the order in which people meet them, with their words.
const LABELS: [(&str, &str); 20] = [
    ("days_back", "Days back"),
    ("created_from", "Only orders created from"),
    ("number_source", "Bill numbers"),
    ("item_match", "Match products by"),
    ("missing_item", "When an Item is missing"),
    ("created_item_account", "Account for created Items"),
    ("vendor_overrides", "Vendors by hand"),
    ("customer_overrides", "Customers by hand"),
    ("payable_account", "Accounts payable account"),
    ("freight_account", "Freight account"),
    ("purchase_tax_code", "Purchase tax code"),
    ("todo_action_type", "To-do action type"),
    ("todo_resource", "To-do goes to"),
    ("digest_to", "Digest of new refusals to"),
    ("bill_date", "Bill date"),
    ("interval_minutes", "Minutes between runs"),
    ("time_zone", "Time zone"),
    ("give_up_hours", "Give up after (hours)"),
    ("autotask_share_percent", "Share of Autotask's calls (%)"),
    ("submitted_status", "Status that means Submitted"),
];

/// One value in words.
fn word(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(choice) => match choice.get("label") {
            Some(label) => word(label),
            None => choice
                .iter()
                .map(|(key, value)| format!("{key} = {}", word(value)))
                .collect::<Vec<_>>()
                .join(", "),
        },
        other => other.to_string(),
    }
}

fn fields(document: &SettingsDocument) -> BTreeMap<String, Value> {
    let value = serde_json::to_value(document).unwrap_or_default();
    value
        .as_object()
        .cloned()
        .unwrap_or_default()
        .into_iter()
        .collect()
}

/// Every setting that means something, with its words; some do so by being left empty.
pub(super) fn in_words(document: &SettingsDocument) -> Vec<(String, String)> {
    let fields = fields(document);
    let shown = LABELS.iter().filter_map(|(field, label)| {
        let text = fields.get(*field).map(word).unwrap_or_default();
        let text = match text.is_empty() {
            true => unset(field)?.to_owned(),
            false => meaning(field, text),
        };
        Some(((*label).to_owned(), text))
    });
    shown.collect()
}

/// What a setting means to people that is left empty.
fn unset(field: &str) -> Option<&'static str> {
    match field {
        "created_from" => Some("Any day of those"),
        "freight_account" => Some("None: freight is left out of the bill"),
        "digest_to" => Some("Nobody"),
        "time_zone" => Some("That of the QuickBooks company"),
        _ => None,
    }
}

/// What a word of the document means to people.
fn meaning(field: &str, word: String) -> String {
    let words = match (field, word.as_str()) {
        ("number_source", "quickbooks") => "QuickBooks assigns them",
        ("number_source", "autotask") => "The order's number in Autotask",
        ("item_match", "name") => "Name",
        ("item_match", "sku") => "SKU",
        ("item_match", "manufacturer_part_number") => "Manufacturer part number",
        ("missing_item", "create") => "Create the Item",
        ("missing_item", "refuse") => "Refuse the order",
        ("bill_date", "submitted") => "The day the order was submitted",
        ("bill_date", "created") => "The day the order was created",
        ("bill_date", "today") => "The day of the transfer",
        ("days_back", "0") => "0 (automatic transfer is paused)",
        _ => return word,
    };
    words.to_owned()
}

fn label_of(field: &str) -> String {
    let known = LABELS.iter().find(|(known, _)| *known == field);
    known.map_or(field, |(_, label)| label).to_owned()
}

/// What is different between two documents.
fn changes(before: Option<&SettingsDocument>, after: &SettingsDocument) -> Vec<StoredChange> {
    let before = before.map(fields).unwrap_or_default();
    let after = fields(after);
    let mut changes = Vec::new();
    for (field, _) in LABELS {
        let told = |fields: &BTreeMap<String, Value>| {
            let text = fields.get(field).map(word).unwrap_or_default();
            meaning(field, text)
        };
        let (from, to) = (told(&before), told(&after));
        if from != to {
            changes.push(StoredChange {
                field: label_of(field),
                from,
                to,
            });
        }
    }
    changes
}

fn entries(entries: Vec<Entry>) -> Vec<ChoiceView> {
    let views = entries.into_iter().map(|entry| ChoiceView {
        id: entry.id,
        label: entry.label,
    });
    views.collect()
}

fn choices(offered: &Offered) -> Choices {
    let lists = offered.lists();
    let company = offered.books().company();
    Choices {
        payable_account: entries(lists.payable_account),
        expense_account: entries(lists.expense_account),
        purchase_tax_code: entries(lists.purchase_tax_code),
        submitted_status: entries(lists.submitted_status),
        todo_action_type: entries(lists.todo_action_type),
        todo_resource: entries(lists.todo_resource),
        needs_tax_code: !company.is_us(),
        company_time_zone: company.time_zone.clone(),
    }
}

/// Why settings were not stored.
enum Refused {
    Fields(Vec<FieldProblem>),
    Other(WebError),
}

impl<P: LivePorts> Web<P> {
    pub(super) async fn stored(&self, seat: &Seat) -> Result<Option<SettingsDocument>, WebError> {
        let settings = self.engine.settings(&seat.tenant).await?;
        Ok(settings.as_ref().map(SettingsDocument::from))
    }

    /// Checks a document against both systems and stores it, with who changed what.
    async fn store_settings(
        &self,
        call: &Call,
        seat: &Seat,
        document: &SettingsDocument,
        seen: Expected<u64>,
    ) -> Result<(), Refused> {
        let before = self.stored(seat).await.map_err(Refused::Other)?;
        let imported = settings::import_over(&self.engine, &seat.tenant, document, seen).await;
        let (settings, is_stored) = imported.map_err(|error| match error {
            ImportError::Fields(errors) => {
                let problems = errors.into_iter().map(|error| FieldProblem {
                    field: error.field.to_owned(),
                    message: error.message,
                });
                Refused::Fields(problems.collect())
            }
            ImportError::Failed(failure) => Refused::Other(failure.into()),
        })?;
        let other = |error: purser_core::ports::StoreError| Refused::Other(error.into());
        if !is_stored {
            return self.unless_same(call, seat, &settings).await;
        }
        self.engine.note_calls(&seat.tenant).await.map_err(other)?;
        let changes = changes(before.as_ref(), &SettingsDocument::from(&settings));
        if changes.is_empty() {
            return Ok(());
        }
        let event = Event {
            at: call.now,
            who: seat.session.email.clone(),
            what: "settings_saved".to_owned(),
            text: format!("changed {} settings.", changes.len()),
            changes,
        };
        let directory = self.directory(call.now);
        let noted = directory.note_event(&seat.tenant, event);
        noted.await.map_err(other)
    }

    /// Somebody saved after this form was opened, and what they saved must not be lost unseen.
    /// When it is the same, as after a second click, all is well.
    async fn unless_same(
        &self,
        call: &Call,
        seat: &Seat,
        settings: &Settings,
    ) -> Result<(), Refused> {
        let stored = self.engine.settings(&seat.tenant).await;
        let other = |error: purser_core::ports::StoreError| Refused::Other(error.into());
        if stored.map_err(other)?.as_ref() == Some(settings) {
            return Ok(());
        }
        let directory = self.directory(call.now);
        let events = directory.events(&seat.tenant, EVENTS_READ).await;
        let events = events.map_err(other)?;
        let saved = events.iter().find(|event| event.what == "settings_saved");
        let who = saved.map_or("somebody", |event| event.who.as_str());
        Err(Refused::Other(WebError::new(
            StatusCode::CONFLICT,
            CHANGED,
            format!("After you opened this page, {who} saved the settings."),
            "Look at History for what was changed. To put yours in its place, save again.",
        )))
    }

    async fn form(
        &self,
        seat: &Seat,
        values: Option<SettingsValues>,
        (problems, problem): (Vec<FieldProblem>, Option<WebError>),
    ) -> Result<SettingsForm, WebError> {
        let stored = load::<Settings>(self.store(), &seat.tenant, DocumentKind::Settings).await?;
        let seen = stored.as_ref().map_or(0, |stored| stored.version);
        let stored = stored.map(|stored| SettingsDocument::from(&stored.value));
        let standing = self.standing(&seat.tenant).await?;
        let offered = Offered::read(&self.engine, &seat.tenant).await;
        self.engine.note_calls(&seat.tenant).await?;
        let (choices, unread) = match &offered {
            Ok(offered) => (Some(choices(offered)), None),
            Err(failure) => (None, Some(WebError::from(failure.clone()))),
        };
        let values = values.unwrap_or_else(|| values_of(stored.as_ref()));
        Ok(SettingsForm {
            values,
            choices,
            problems,
            problem: unread.or(problem).map(|error| error.notice()),
            is_stored: stored.is_some(),
            seen,
            is_setting_up: !standing.is_started(),
        })
    }

    pub(crate) async fn settings_form(&self, seat: &Seat) -> Result<Answer, WebError> {
        let form = self.form(seat, None, (Vec::new(), None)).await?;
        Ok(Answer::show(FORM, form))
    }

    pub(crate) async fn save_settings(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let input: input::SettingsForm = call.input()?;
        let (document, mut problems) = document_of(&input);
        let refused = if problems.is_empty() {
            let seen = seen_of(&input.seen);
            match self.store_settings(call, seat, &document, seen).await {
                Ok(()) => return self.saved(seat, "saved").await,
                Err(Refused::Fields(fields)) => {
                    problems = fields;
                    None
                }
                Err(Refused::Other(error)) => Some(error),
            }
        } else {
            None
        };
        let is_overtaken = refused.as_ref().is_some_and(|error| error.code == CHANGED);
        let seen = input.seen.trim().parse().ok();
        let values = Some(input.into());
        let form = self.form(seat, values, (problems, refused)).await?;
        if is_overtaken {
            return Ok(Answer::show_as(StatusCode::CONFLICT, FORM, form));
        }
        // What others saved meanwhile was not shown, so it is still to be told.
        let form = SettingsForm {
            seen: seen.unwrap_or(form.seen),
            ..form
        };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Ok(Answer::show_as(status, FORM, form))
    }

    async fn saved(&self, seat: &Seat, word: &str) -> Result<Answer, WebError> {
        let standing = self.standing(&seat.tenant).await?;
        let then = match standing.is_started() {
            true => format!("/settings?done={word}"),
            false => format!("/set-up?done={word}"),
        };
        let done = Done {
            done: "Saved. The settings apply from the next order on.".to_owned(),
        };
        Ok(Answer::done(StatusCode::OK, &done, then))
    }

    async fn settings_view(&self, seat: &Seat) -> Result<SettingsView, WebError> {
        let stored = self.stored(seat).await?;
        let settings = stored.map(|document| serde_json::to_value(document).unwrap_or_default());
        Ok(SettingsView {
            settings: settings.and_then(|value| serde_json::from_value(value).ok()),
        })
    }

    pub(crate) async fn settings_document(&self, seat: &Seat) -> Result<Answer, WebError> {
        let view = self.settings_view(seat).await?;
        Ok(Answer::done(StatusCode::OK, &view, "/settings"))
    }

    pub(crate) async fn replace_settings(
        &self,
        call: &Call,
        seat: &Seat,
    ) -> Result<Answer, WebError> {
        let input: input::Settings = call.input()?;
        let text = serde_json::to_string(&input).unwrap_or_default();
        let document = settings::read_document(&text).map_err(unreadable)?;
        let whatever = Expected::Any;
        match self.store_settings(call, seat, &document, whatever).await {
            Ok(()) => self.settings_document(seat).await,
            Err(Refused::Fields(problems)) => Err(WebError::wrong(problems)),
            Err(Refused::Other(error)) => Err(error),
        }
    }

    pub(crate) async fn settings_choices(&self, seat: &Seat) -> Result<Answer, WebError> {
        let offered = Offered::read(&self.engine, &seat.tenant).await?;
        self.engine.note_calls(&seat.tenant).await?;
        let choices = choices(&offered);
        Ok(Answer::done(StatusCode::OK, &choices, "/settings"))
    }

    pub(crate) async fn settings_history(
        &self,
        call: &Call,
        seat: &Seat,
    ) -> Result<Answer, WebError> {
        let directory = self.directory(call.now);
        let events = directory.events(&seat.tenant, EVENTS_READ).await?;
        let changes = events
            .into_iter()
            .filter(|event| event.what == "settings_saved")
            .map(|event| SettingsChange {
                at: event.at,
                who: event.who,
                changes: event.changes.into_iter().map(Into::into).collect(),
            });
        let view = SettingsHistory {
            changes: changes.collect(),
        };
        Ok(Answer::show(("History of settings", "settings"), view))
    }

    pub(crate) async fn transfer(&self, seat: &Seat) -> Result<Answer, WebError> {
        let view = TransferView {
            is_stored: self.stored(seat).await?.is_some(),
            ..TransferView::default()
        };
        Ok(Answer::show(TRANSFER, view))
    }

    pub(crate) async fn export_settings(&self, seat: &Seat) -> Result<Answer, WebError> {
        let document = self.stored(seat).await?.ok_or_else(|| {
            WebError::new(
                StatusCode::NOT_FOUND,
                "settings.missing",
                "There are no settings yet.",
                "Save the settings first.",
            )
        })?;
        let body = serde_json::to_vec_pretty(&document).unwrap_or_default();
        Ok(Answer::File {
            media_type: "application/json; charset=utf-8",
            name: Some(format!("purser-settings-{}.json", seat.tenant)),
            body: Bytes::from(body),
        })
    }

    pub(crate) async fn import_settings(
        &self,
        call: &Call,
        seat: &Seat,
    ) -> Result<Answer, WebError> {
        let input: input::ImportSettings = call.input()?;
        let refused = match settings::read_document(&input.document) {
            Ok(document) => match self
                .store_settings(call, seat, &document, Expected::Any)
                .await
            {
                Ok(()) => return self.saved(seat, "imported").await,
                Err(Refused::Fields(problems)) => problems,
                Err(Refused::Other(error)) => return Err(error),
            },
            Err(problem) => vec![FieldProblem {
                field: "document".to_owned(),
                message: format!("It cannot be read: {problem}."),
            }],
        };
        let view = TransferView {
            document: input.document,
            problems: refused,
            is_stored: self.stored(seat).await?.is_some(),
        };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Ok(Answer::show_as(status, TRANSFER, view))
    }
}

/// Which settings a form was filled from. A form that does not say replaces whatever is there.
fn seen_of(text: &str) -> Expected<u64> {
    match text.trim().parse() {
        Ok(0) => Expected::Absent,
        Ok(version) => Expected::Is(version),
        Err(_) => Expected::Any,
    }
}

fn unreadable(problem: String) -> WebError {
    let field = problem.split(':').next().unwrap_or("body").to_owned();
    WebError::field(&field, problem)
}
