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
        created_from: text(&document.created_from),
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
        created_from: text(&form.created_from),
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
            created_from: form.created_from,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A form with something in every field.
    fn full() -> input::SettingsForm {
        let text = str::to_owned;
        input::SettingsForm {
            days_back: text("30"),
            created_from: text("2026-11-01"),
            number_source: text("quickbooks"),
            interval_minutes: text("15"),
            submitted_status: text("5"),
            time_zone: text("America/New_York"),
            bill_date: text("submitted"),
            item_match: text("name"),
            missing_item: text("create"),
            created_item_account: text("81"),
            payable_account: text("33"),
            freight_account: text("82"),
            purchase_tax_code: text("TAX"),
            todo_action_type: text("3"),
            todo_resource: text("29682885"),
            give_up_hours: text("24"),
            autotask_share_percent: text("50"),
            digest_to: text("dana@example.com"),
            vendor_overrides: text("174 = 56\n175 = 57"),
            customer_overrides: text("180 = 58"),
            seen: text("7"),
        }
    }

    #[test]
    fn a_form_becomes_a_document_and_the_same_form_again() {
        let (document, problems) = document_of(&full());
        assert_eq!(problems, []);
        assert_eq!(values_of(Some(&document)), full().into());
        assert_eq!(document.version, Some(1));
        assert_eq!(document.vendor_overrides.len(), 2);
        let again = input::SettingsForm {
            vendor_overrides: "  175=57 \r\n\r\n 174  =56 ".to_owned(),
            ..full()
        };
        assert_eq!(document_of(&again), (document, Vec::new()));
    }

    #[test]
    fn an_empty_form_asks_for_nothing_and_the_first_form_holds_the_usual_values() {
        let (document, problems) = document_of(&input::SettingsForm::default());
        assert_eq!(problems, []);
        let empty = SettingsDocument {
            version: Some(1),
            ..SettingsDocument::default()
        };
        assert_eq!(document, empty);
        let first = values_of(None);
        assert_eq!(first.days_back, "30");
        assert_eq!(first.number_source, "", "this one a person must choose");
    }

    #[test]
    fn an_account_for_items_that_are_not_created_is_dropped() {
        let form = input::SettingsForm {
            missing_item: "refuse".to_owned(),
            ..full()
        };
        assert_eq!(document_of(&form).0.created_item_account, None);
    }

    #[test]
    fn every_field_that_cannot_be_read_is_named() {
        let form = input::SettingsForm {
            days_back: "thirty".to_owned(),
            interval_minutes: "1.5".to_owned(),
            give_up_hours: "99999999999999999999".to_owned(),
            vendor_overrides: "174\n= 5\n6 =".to_owned(),
            customer_overrides: "1 = 2\n1 = 3".to_owned(),
            ..full()
        };
        let (_, problems) = document_of(&form);
        let fields: Vec<_> = problems.iter().map(|problem| &*problem.field).collect();
        let overrides = "vendor_overrides";
        assert_eq!(
            fields,
            [
                "days_back",
                "interval_minutes",
                "give_up_hours",
                overrides,
                overrides,
                overrides,
                "customer_overrides",
            ]
        );
    }
}
