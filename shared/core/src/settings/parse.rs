//! Parsing a settings document against what the outside systems offer.

use std::collections::BTreeMap;

use jiff::{civil::Date, tz::TimeZone};
use serde::Serialize;

use crate::{
    books::{AccountKind, Books},
    ids::{
        AccountId, ActionTypeId, CustomerId, OrganisationId, ResourceId, StatusId, TaxCodeId,
        VendorId,
    },
    orders::{PickListValue, Resource},
    text::match_key,
};

use super::{
    BillDate, Choice, Chosen, DAYS_BACK_MAX, ItemMatch, MissingItem, NumberSource, Settings,
    SettingsDocument,
};

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name in the document.
    pub field: &'static str,
    /// What is wrong and how to put it right.
    pub message: String,
}

/// What the pick lists offer right now.
#[derive(Clone, Debug)]
pub struct Choices<'a> {
    /// Reference data of the realm.
    pub books: &'a Books,
    /// Purchase order statuses.
    pub statuses: &'a [PickListValue],
    /// To-do action types.
    pub action_types: &'a [PickListValue],
    /// People who can be given a to-do.
    pub resources: &'a [Resource],
}

struct Parser<'a> {
    choices: &'a Choices<'a>,
    errors: Vec<FieldError>,
}

impl SettingsDocument {
    /// Parses the document against what the outside systems offer, or names every wrong field.
    pub fn parse(&self, choices: &Choices<'_>) -> Result<Settings, Vec<FieldError>> {
        let mut parser = Parser {
            choices,
            errors: Vec::new(),
        };
        let parsed = parser.settings(self);
        match parsed {
            Some(settings) if parser.errors.is_empty() => Ok(settings),
            _ => Err(parser.errors),
        }
    }
}

impl Parser<'_> {
    /// Every field is judged, so that people see all that is wrong at once.
    fn settings(&mut self, document: &SettingsDocument) -> Option<Settings> {
        if document.version.is_some_and(|version| version != 1) {
            self.wrong("version", "only version 1 is known");
        }
        let days_max = DAYS_BACK_MAX.into();
        let days_back = self.number("days_back", document.days_back, None, (0, days_max));
        let created_from = self.day("created_from", document.created_from.as_deref());
        let numbers = self.numbers(document);
        let number_source = self.word("number_source", document.number_source.as_deref(), None);
        let item_match = self.word("item_match", document.item_match.as_deref(), Some("name"));
        let bill_date = document.bill_date.as_deref();
        let bill_date = self.word("bill_date", bill_date, Some("submitted"));
        let missing_item = self.missing_item(document);
        let payable_account = self.payable_account(document.payable_account.as_ref());
        let freight_account = document.freight_account.as_ref();
        let freight_account = freight_account.map(|c| self.expense_account("freight_account", c));
        let purchase_tax_code = self.tax_code(document.purchase_tax_code.as_ref());
        let submitted_status = self.status(document.submitted_status.as_ref());
        let todo_action_type = self.action_type(document.todo_action_type.as_ref());
        let todo_resource = self.resource(document.todo_resource.as_ref());
        let time_zone = self.time_zone(document.time_zone.as_deref());
        let digest_to = self.address("digest_to", document.digest_to.as_deref());
        let vendor_overrides = self.vendor_overrides(&document.vendor_overrides);
        let customer_overrides = self.customer_overrides(&document.customer_overrides);
        let (interval_minutes, give_up_hours, autotask_share_percent) = numbers?;
        Some(Settings {
            days_back: u16::try_from(days_back?).ok()?,
            created_from,
            number_source: number_source?,
            interval_minutes,
            submitted_status,
            time_zone,
            bill_date: bill_date?,
            item_match: item_match?,
            missing_item: missing_item?,
            payable_account: payable_account?,
            freight_account: freight_account.flatten(),
            purchase_tax_code,
            todo_action_type: todo_action_type?,
            todo_resource: todo_resource?,
            give_up_hours,
            autotask_share_percent,
            digest_to,
            vendor_overrides,
            customer_overrides,
        })
    }

    /// Interval, hours until giving up, and share of Autotask's calls: all have defaults.
    fn numbers(&mut self, document: &SettingsDocument) -> Option<(u8, u8, u8)> {
        let minutes = document.interval_minutes;
        let minutes = self.number("interval_minutes", minutes, Some(15), (1, 60));
        let hours = self.number("give_up_hours", document.give_up_hours, Some(24), (1, 168));
        let share = document.autotask_share_percent;
        let share = self.number("autotask_share_percent", share, Some(50), (5, 90));
        let small = |number: Option<i64>| u8::try_from(number?).ok();
        Some((small(minutes)?, small(hours)?, small(share)?))
    }

    fn status(&mut self, choice: Option<&Choice>) -> Option<Chosen<StatusId>> {
        let offered = pick_list(self.choices.statuses);
        let chosen = self.pick("submitted_status", choice?, &offered)?;
        numbered(chosen, StatusId::new)
    }

    fn action_type(&mut self, choice: Option<&Choice>) -> Option<Chosen<ActionTypeId>> {
        let choice = self.required("todo_action_type", choice)?;
        let offered = pick_list(self.choices.action_types);
        let chosen = self.pick("todo_action_type", choice, &offered)?;
        numbered(chosen, ActionTypeId::new)
    }

    fn resource(&mut self, choice: Option<&Choice>) -> Option<Chosen<ResourceId>> {
        let choice = self.required("todo_resource", choice)?;
        let people = self.choices.resources.iter();
        let offered: Vec<_> = people
            .map(|person| (person.id.to_string(), person.name.clone()))
            .collect();
        let chosen = self.pick("todo_resource", choice, &offered)?;
        numbered(chosen, ResourceId::new)
    }

    fn wrong(&mut self, field: &'static str, message: impl Into<String>) {
        self.errors.push(FieldError {
            field,
            message: message.into(),
        });
    }

    fn required<'c>(
        &mut self,
        field: &'static str,
        choice: Option<&'c Choice>,
    ) -> Option<&'c Choice> {
        if choice.is_none() {
            self.wrong(field, "is required");
        }
        choice
    }

    fn number(
        &mut self,
        field: &'static str,
        value: Option<i64>,
        default: Option<i64>,
        (min, max): (i64, i64),
    ) -> Option<i64> {
        let Some(value) = value.or(default) else {
            self.wrong(field, "is required");
            return None;
        };
        if (min..=max).contains(&value) {
            return Some(value);
        }
        self.wrong(field, format!("must be a whole number from {min} to {max}"));
        None
    }

    fn word<T: serde::de::DeserializeOwned + Serialize + WordList>(
        &mut self,
        field: &'static str,
        value: Option<&str>,
        default: Option<&str>,
    ) -> Option<T> {
        let Some(word) = value.or(default) else {
            self.wrong(field, "is required");
            return None;
        };
        let parsed = serde_json::from_value(serde_json::Value::String(word.to_owned()));
        if let Ok(parsed) = parsed {
            return Some(parsed);
        }
        self.wrong(field, format!("must be one of {}", T::WORDS));
        None
    }

    fn pick(
        &mut self,
        field: &'static str,
        choice: &Choice,
        offered: &[(String, String)],
    ) -> Option<Chosen<String>> {
        let by_id = |id: &str| offered.iter().find(|(offered_id, _)| offered_id == id);
        if let Some((id, label)) = choice.id.as_deref().and_then(by_id) {
            return Some(Chosen {
                id: id.clone(),
                label: label.clone(),
            });
        }
        if choice.id.is_some() && !choice.either {
            self.wrong(
                field,
                "this id is not offered; `purser settings choices` lists what is",
            );
            return None;
        }
        let key = match_key(choice.label.as_deref().unwrap_or_default());
        let named: Vec<_> = offered
            .iter()
            .filter(|(_, label)| match_key(label) == key)
            .collect();
        match named.as_slice() {
            [(id, label)] => Some(Chosen {
                id: id.clone(),
                label: label.clone(),
            }),
            [] => {
                self.wrong(
                    field,
                    "is not offered; `purser settings choices` lists what is",
                );
                None
            }
            _ => {
                self.wrong(field, "more than one entry has this label; give its id");
                None
            }
        }
    }

    fn accounts(&self, wanted: impl Fn(&AccountKind) -> bool) -> Vec<(String, String)> {
        let accounts = self.choices.books.accounts().into_iter();
        accounts
            .filter(|account| account.active && wanted(&account.kind))
            .map(|account| (account.id.to_string(), account.name.clone()))
            .collect()
    }

    fn account(
        &mut self,
        field: &'static str,
        choice: &Choice,
        wanted: impl Fn(&AccountKind) -> bool,
    ) -> Option<Chosen<AccountId>> {
        let offered = self.accounts(wanted);
        let chosen = self.pick(field, choice, &offered)?;
        Some(Chosen {
            id: chosen.id.parse().ok()?,
            label: chosen.label,
        })
    }

    fn expense_account(
        &mut self,
        field: &'static str,
        choice: &Choice,
    ) -> Option<Chosen<AccountId>> {
        self.account(field, choice, |kind| *kind == AccountKind::Expense)
    }

    fn payable_account(&mut self, choice: Option<&Choice>) -> Option<Chosen<AccountId>> {
        let choice = self.required("payable_account", choice)?;
        self.account("payable_account", choice, |kind| {
            *kind == AccountKind::Payable
        })
    }

    fn missing_item(&mut self, document: &SettingsDocument) -> Option<MissingItem> {
        let account = document.created_item_account.as_ref();
        match (document.missing_item.as_deref(), account) {
            (Some("create"), Some(choice)) => self
                .expense_account("created_item_account", choice)
                .map(MissingItem::Create),
            (Some("create"), None) => {
                self.wrong(
                    "created_item_account",
                    "is required when missing Items are created",
                );
                None
            }
            (Some("refuse"), None) => Some(MissingItem::Refuse),
            (Some("refuse"), Some(_)) => {
                let message = "contradicts missing_item \"refuse\"; leave one of them out";
                self.wrong("created_item_account", message);
                None
            }
            (None, _) => {
                self.wrong("missing_item", "is required");
                None
            }
            (Some(_), _) => {
                self.wrong("missing_item", "must be one of create, refuse");
                None
            }
        }
    }

    fn tax_code(&mut self, choice: Option<&Choice>) -> Option<Chosen<TaxCodeId>> {
        let is_us = self.choices.books.company().is_us();
        match (is_us, choice) {
            (true, None) => None,
            (true, Some(_)) => {
                self.wrong("purchase_tax_code", "is only for companies outside the US");
                None
            }
            (false, None) => {
                self.wrong(
                    "purchase_tax_code",
                    "is required for companies outside the US",
                );
                None
            }
            (false, Some(choice)) => {
                let codes = self
                    .choices
                    .books
                    .tax_codes()
                    .iter()
                    .filter(|code| code.active);
                let offered: Vec<_> = codes
                    .map(|code| (code.id.to_string(), code.name.clone()))
                    .collect();
                let chosen = self.pick("purchase_tax_code", choice, &offered)?;
                Some(Chosen {
                    id: chosen.id.parse().ok()?,
                    label: chosen.label,
                })
            }
        }
    }

    fn time_zone(&mut self, name: Option<&str>) -> Option<String> {
        let name = name?.trim();
        if TimeZone::get(name).is_ok() {
            return Some(name.to_owned());
        }
        self.wrong(
            "time_zone",
            "is not an IANA time zone such as America/New_York",
        );
        None
    }

    fn day(&mut self, field: &'static str, text: Option<&str>) -> Option<Date> {
        let day: Result<Date, _> = text?.trim().parse();
        if day.is_err() {
            self.wrong(field, "is not a day such as 2026-11-26");
        }
        day.ok()
    }

    fn address(&mut self, field: &'static str, address: Option<&str>) -> Option<String> {
        let address = address?.trim();
        if is_mail_address(address) {
            return Some(address.to_owned());
        }
        self.wrong(field, "is not an e-mail address");
        None
    }

    fn vendor_overrides(
        &mut self,
        written: &BTreeMap<String, String>,
    ) -> BTreeMap<OrganisationId, VendorId> {
        let books = self.choices.books;
        self.overrides("vendor_overrides", written, |id| {
            books.vendors().get(id).is_some()
        })
    }

    fn customer_overrides(
        &mut self,
        written: &BTreeMap<String, String>,
    ) -> BTreeMap<OrganisationId, CustomerId> {
        let books = self.choices.books;
        self.overrides("customer_overrides", written, |id| {
            books.customers().get(id).is_some()
        })
    }

    fn overrides<Id: std::str::FromStr>(
        &mut self,
        field: &'static str,
        written: &BTreeMap<String, String>,
        exists: impl Fn(&str) -> bool,
    ) -> BTreeMap<OrganisationId, Id> {
        let mut overrides = BTreeMap::new();
        for (organisation, target) in written {
            match (organisation.parse::<OrganisationId>(), target.parse::<Id>()) {
                (Ok(organisation), Ok(id)) if exists(target) => {
                    overrides.insert(organisation, id);
                }
                (Err(error), _) => self.wrong(field, error.to_string()),
                _ => self.wrong(field, format!("QuickBooks has no such record: {target}")),
            }
        }
        overrides
    }
}

/// A closed set of words a field can hold.
trait WordList {
    /// The words, for an error message.
    const WORDS: &'static str;
}

impl WordList for NumberSource {
    const WORDS: &'static str = "quickbooks, autotask";
}

impl WordList for ItemMatch {
    const WORDS: &'static str = "name, sku, manufacturer_part_number";
}

impl WordList for BillDate {
    const WORDS: &'static str = "submitted, created, today";
}

fn pick_list(values: &[PickListValue]) -> Vec<(String, String)> {
    let active = values.iter().filter(|value| value.active);
    active
        .map(|value| (value.value.to_string(), value.label.clone()))
        .collect()
}

fn numbered<Id>(chosen: Chosen<String>, make: fn(i64) -> Id) -> Option<Chosen<Id>> {
    Some(Chosen {
        id: make(chosen.id.parse().ok()?),
        label: chosen.label,
    })
}

/// Whether a text can be used as one e-mail address (one `@`, a dotted domain, no spaces).
pub fn is_mail_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_graphic() && !"<>,;\"@".contains(c))
    };
    text.len() <= 254
        && plain(local)
        && plain(domain)
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
}
