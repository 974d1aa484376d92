//! Between the settings form, which holds texts, and the settings document.

use std::collections::BTreeMap;

use purser_core::settings::{Choice, SettingsDocument};

use crate::{
    input,
    view::{FieldProblem, SettingsValues},
};

/// What stands in the form for a document; the usual values when there is none yet.
pub(super) fn values_of(document: Option<&SettingsDocument>) -> SettingsValues {
    let Some(document) = document else {
        return SettingsValues {
            days_back: "30".to_owned(),
            interval_minutes: "15".to_owned(),
            bill_date: "submitted".to_owned(),
            item_match: "name".to_owned(),
            give_up_hours: "24".to_owned(),
            autotask_share_percent: "50".to_owned(),
            ..SettingsValues::default()
        };
    };
    let number = |number: Option<i64>| number.map(|n| n.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let choice = |choice: &Option<Choice>| {
        let id = choice.as_ref().and_then(|choice| choice.id.clone());
        id.unwrap_or_default()
    };
    let overrides = |map: &BTreeMap<String, String>| {
        let lines = map.iter().map(|(key, value)| format!("{key} = {value}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    SettingsValues {
        days_back: number(document.days_back),
        number_source: text(&document.number_source),
        interval_minutes: number(document.interval_minutes),
        submitted_status: choice(&document.submitted_status),
        time_zone: text(&document.time_zone),
        bill_date: text(&document.bill_date),
        item_match: text(&document.item_match),
        missing_item: text(&document.missing_item),
        created_item_account: choice(&document.created_item_account),
        payable_account: choice(&document.payable_account),
        freight_account: choice(&document.freight_account),
        purchase_tax_code: choice(&document.purchase_tax_code),
        todo_action_type: choice(&document.todo_action_type),
        todo_resource: choice(&document.todo_resource),
        give_up_hours: number(document.give_up_hours),
        autotask_share_percent: number(document.autotask_share_percent),
        digest_to: text(&document.digest_to),
        vendor_overrides: overrides(&document.vendor_overrides),
        customer_overrides: overrides(&document.customer_overrides),
    }
}

struct Reader {
    problems: Vec<FieldProblem>,
}

impl Reader {
    fn wrong(&mut self, field: &str, message: &str) {
        self.problems.push(FieldProblem {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    }

    fn number(&mut self, field: &str, text: &str) -> Option<i64> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let number = text.parse().ok();
        if number.is_none() {
            self.wrong(field, "must be a whole number");
        }
        number
    }

    /// One `organisation = record` to a line; empty lines are left out.
    fn overrides(&mut self, field: &str, text: &str) -> BTreeMap<String, String> {
        let mut overrides = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() && !value.trim().is_empty() => {
                    let key = key.trim().to_owned();
                    if overrides.insert(key, value.trim().to_owned()).is_some() {
                        self.wrong(field, "names an organisation twice");
                    }
                }
                _ => self.wrong(
                    field,
                    "needs one 'organisation id = QuickBooks id' to a line",
                ),
            }
        }
        overrides
    }
}

fn text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn choice(id: &str) -> Option<Choice> {
    // A pick list sends ids.
    text(id).map(|id| Choice::of_id(&id))
}

/// The document a form means, and what of it cannot be read.
pub(super) fn document_of(form: &input::SettingsForm) -> (SettingsDocument, Vec<FieldProblem>) {
    let mut reader = Reader {
        problems: Vec::new(),
    };
    let creates = form.missing_item.trim() == "create";
    let document = SettingsDocument {
        version: Some(1),
        days_back: reader.number("days_back", &form.days_back),
        number_source: text(&form.number_source),
        interval_minutes: reader.number("interval_minutes", &form.interval_minutes),
        submitted_status: choice(&form.submitted_status),
        time_zone: text(&form.time_zone),
        bill_date: text(&form.bill_date),
        item_match: text(&form.item_match),
        missing_item: text(&form.missing_item),
        // The field stands there without a script also when it does not apply.
        created_item_account: choice(&form.created_item_account).filter(|_| creates),
        payable_account: choice(&form.payable_account),
        freight_account: choice(&form.freight_account),
        purchase_tax_code: choice(&form.purchase_tax_code),
        todo_action_type: choice(&form.todo_action_type),
        todo_resource: choice(&form.todo_resource),
        give_up_hours: reader.number("give_up_hours", &form.give_up_hours),
        autotask_share_percent: reader
            .number("autotask_share_percent", &form.autotask_share_percent),
        digest_to: text(&form.digest_to),
        vendor_overrides: reader.overrides("vendor_overrides", &form.vendor_overrides),
        customer_overrides: reader.overrides("customer_overrides", &form.customer_overrides),
    };
    (document, reader.problems)
}

impl From<input::SettingsForm> for SettingsValues {
    fn from(form: input::SettingsForm) -> Self {
        Self {
            days_back: form.days_back,
            number_source: form.number_source,
            interval_minutes: form.interval_minutes,
            submitted_status: form.submitted_status,
            time_zone: form.time_zone,
            bill_date: form.bill_date,
            item_match: form.item_match,
            missing_item: form.missing_item,
            created_item_account: form.created_item_account,
            payable_account: form.payable_account,
            freight_account: form.freight_account,
            purchase_tax_code: form.purchase_tax_code,
            todo_action_type: form.todo_action_type,
            todo_resource: form.todo_resource,
            give_up_hours: form.give_up_hours,
            autotask_share_percent: form.autotask_share_percent,
            digest_to: form.digest_to,
            vendor_overrides: form.vendor_overrides,
            customer_overrides: form.customer_overrides,
        }
    }
}
