//! Settings: a document as people write it, parsed into a type that cannot hold nonsense.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{
    books::{AccountKind, Books},
    ids::{
        AccountId, ActionTypeId, CustomerId, OrganisationId, ResourceId, StatusId, TaxCodeId,
        VendorId,
    },
    orders::{PickListValue, Resource},
    text::match_key,
};

/// The longest window, in days.
pub const DAYS_BACK_MAX: u16 = 365;

/// A value chosen from a pick list, with the label it had when it was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen<Id> {
    /// What is stored and sent.
    pub id: Id,
    /// What people saw.
    pub label: String,
}

/// Who numbers the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberSource {
    /// No number is sent; the bill's own number or id is written back.
    Quickbooks,
    /// The order's number is sent.
    Autotask,
}

/// By what a product is matched to an Item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemMatch {
    /// The product's name and the Item's name.
    Name,
    /// The product's SKU and the Item's SKU.
    Sku,
    /// The product's manufacturer part number and the Item's name.
    ManufacturerPartNumber,
}

/// What happens when QuickBooks has no Item for a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MissingItem {
    /// Create a non-inventory Item on this expense account.
    Create(Chosen<AccountId>),
    /// Refuse the order.
    Refuse,
}

/// Which date the bill bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillDate {
    /// The day the order was submitted; the day it was created when it never was.
    Submitted,
    /// The day the order was created.
    Created,
    /// The day of the transfer.
    Today,
}

/// The settings of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How many calendar days back an order may have been created; 0 pauses.
    pub days_back: u16,
    /// Who numbers the bill.
    pub number_source: NumberSource,
    /// Minutes between the end of one run and the start of the next, 1 to 60.
    pub interval_minutes: u8,
    /// The status that means Submitted, when it is not found by that label.
    pub submitted_status: Option<Chosen<StatusId>>,
    /// The tenant's time zone; `None` takes the one of the QuickBooks company.
    pub time_zone: Option<String>,
    /// Which date the bill bears.
    pub bill_date: BillDate,
    /// By what a product is matched.
    pub item_match: ItemMatch,
    /// What happens when there is no Item.
    pub missing_item: MissingItem,
    /// The accounts payable account a bill credits.
    pub payable_account: Chosen<AccountId>,
    /// The account freight is booked on; `None` leaves freight out.
    pub freight_account: Option<Chosen<AccountId>>,
    /// The tax code of each line; only outside the US.
    pub purchase_tax_code: Option<Chosen<TaxCodeId>>,
    /// The action type of error to-dos.
    pub todo_action_type: Chosen<ActionTypeId>,
    /// Who gets error to-dos.
    pub todo_resource: Chosen<ResourceId>,
    /// Hours after which a waiting order becomes an error, 1 to 168.
    pub give_up_hours: u8,
    /// The share of Autotask's hourly calls that may be used, in percent, 5 to 90.
    pub autotask_share_percent: u8,
    /// Where a digest of new refusals goes; `None` sends none.
    pub digest_to: Option<String>,
    /// Autotask organisations with a QuickBooks vendor of their own.
    pub vendor_overrides: BTreeMap<OrganisationId, VendorId>,
    /// Autotask organisations with a QuickBooks customer of their own.
    pub customer_overrides: BTreeMap<OrganisationId, CustomerId>,
}

impl Settings {
    /// The tenant's time zone: the one set, else the company's, else UTC.
    pub fn zone(&self, company_zone: Option<&str>) -> TimeZone {
        let name = self.time_zone.as_deref().or(company_zone);
        name.and_then(|name| TimeZone::get(name).ok())
            .unwrap_or(TimeZone::UTC)
    }

    /// The expense account for created Items and for lines without a product.
    pub fn creation_account(&self) -> Option<&AccountId> {
        match &self.missing_item {
            MissingItem::Create(account) => Some(&account.id),
            MissingItem::Refuse => None,
        }
    }
}

/// A choice as people write it: an id, a label, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The id, when given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The label, when given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// True when one text was given that may be either.
    #[serde(skip)]
    either: bool,
}

impl Choice {
    /// A text that is an id or a label.
    pub fn either(text: &str) -> Self {
        let text = text.trim().to_owned();
        Self {
            id: Some(text.clone()),
            label: Some(text),
            either: true,
        }
    }
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let value = serde_json::Value::deserialize(deserializer)?;
        match value {
            serde_json::Value::String(text) => Ok(Self::either(&text)),
            serde_json::Value::Number(number) => Ok(Self::either(&number.to_string())),
            serde_json::Value::Object(mut object) => {
                let mut take = |key: &str| match object.remove(key) {
                    None | Some(serde_json::Value::Null) => Ok(None),
                    Some(serde_json::Value::String(text)) => Ok(Some(text)),
                    Some(serde_json::Value::Number(number)) => Ok(Some(number.to_string())),
                    Some(_) => Err(D::Error::custom(format!("{key} must be a text"))),
                };
                let (id, label) = (take("id")?, take("label")?);
                if let Some(unknown) = object.keys().next() {
                    return Err(D::Error::custom(format!(
                        "unknown field {unknown} in a choice"
                    )));
                }
                if id.is_none() && label.is_none() {
                    return Err(D::Error::custom("a choice needs an id or a label"));
                }
                Ok(Self {
                    id,
                    label,
                    either: false,
                })
            }
            _ => Err(D::Error::custom(
                "a choice is a label, an id, or {\"id\":...,\"label\":...}",
            )),
        }
    }
}

/// Settings as they are written, exported and imported. Unknown fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsDocument {
    /// The format of this document; 1.
    pub version: Option<u32>,
    /// See [`Settings::days_back`]. Required.
    pub days_back: Option<i64>,
    /// See [`Settings::number_source`]. Required.
    pub number_source: Option<String>,
    /// See [`Settings::interval_minutes`]; 15 when absent.
    pub interval_minutes: Option<i64>,
    /// See [`Settings::submitted_status`].
    pub submitted_status: Option<Choice>,
    /// See [`Settings::time_zone`].
    pub time_zone: Option<String>,
    /// See [`Settings::bill_date`]; `submitted` when absent.
    pub bill_date: Option<String>,
    /// See [`Settings::item_match`]; `name` when absent.
    pub item_match: Option<String>,
    /// `create` or `refuse`. Required.
    pub missing_item: Option<String>,
    /// The expense account for created Items; required with `create`, refused with `refuse`.
    pub created_item_account: Option<Choice>,
    /// See [`Settings::payable_account`]. Required.
    pub payable_account: Option<Choice>,
    /// See [`Settings::freight_account`].
    pub freight_account: Option<Choice>,
    /// See [`Settings::purchase_tax_code`]. Required outside the US, refused in the US.
    pub purchase_tax_code: Option<Choice>,
    /// See [`Settings::todo_action_type`]. Required.
    pub todo_action_type: Option<Choice>,
    /// See [`Settings::todo_resource`]. Required.
    pub todo_resource: Option<Choice>,
    /// See [`Settings::give_up_hours`]; 24 when absent.
    pub give_up_hours: Option<i64>,
    /// See [`Settings::autotask_share_percent`]; 50 when absent.
    pub autotask_share_percent: Option<i64>,
    /// See [`Settings::digest_to`].
    pub digest_to: Option<String>,
    /// See [`Settings::vendor_overrides`]: organisation id to vendor id.
    pub vendor_overrides: BTreeMap<String, String>,
    /// See [`Settings::customer_overrides`]: organisation id to customer id.
    pub customer_overrides: BTreeMap<String, String>,
}

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
    fn settings(&mut self, document: &SettingsDocument) -> Option<Settings> {
        if document.version.is_some_and(|version| version != 1) {
            self.wrong("version", "only version 1 is known");
        }
        let days_back = self.number(
            "days_back",
            document.days_back,
            None,
            0,
            DAYS_BACK_MAX.into(),
        );
        let interval = self.number(
            "interval_minutes",
            document.interval_minutes,
            Some(15),
            1,
            60,
        );
        let give_up = self.number("give_up_hours", document.give_up_hours, Some(24), 1, 168);
        let share = self.number(
            "autotask_share_percent",
            document.autotask_share_percent,
            Some(50),
            5,
            90,
        );
        let number_source = self.word("number_source", document.number_source.as_deref(), None);
        let item_match = self.word("item_match", document.item_match.as_deref(), Some("name"));
        let bill_date = self.word(
            "bill_date",
            document.bill_date.as_deref(),
            Some("submitted"),
        );
        let missing_item = self.missing_item(document);
        let payable_account = self.payable_account(document.payable_account.as_ref());
        let freight_account = document
            .freight_account
            .as_ref()
            .map(|c| self.expense_account("freight_account", c));
        let tax_code = self.tax_code(document.purchase_tax_code.as_ref());
        let statuses = self.choices.statuses;
        let status = document
            .submitted_status
            .as_ref()
            .map(|c| self.pick("submitted_status", c, pick_list(statuses)));
        let action_types = self.choices.action_types;
        let action_type = self.required("todo_action_type", document.todo_action_type.as_ref());
        let action_type =
            action_type.and_then(|c| self.pick("todo_action_type", c, pick_list(action_types)));
        let people = self
            .choices
            .resources
            .iter()
            .map(|r| (r.id.to_string(), r.name.clone()));
        let people: Vec<_> = people.collect();
        let resource = self.required("todo_resource", document.todo_resource.as_ref());
        let resource = resource.and_then(|c| self.pick("todo_resource", c, people));
        let time_zone = self.time_zone(document.time_zone.as_deref());
        let digest_to = self.address("digest_to", document.digest_to.as_deref());
        let vendor_overrides = self.vendor_overrides(&document.vendor_overrides);
        let customer_overrides = self.customer_overrides(&document.customer_overrides);
        Some(Settings {
            days_back: u16::try_from(days_back?).ok()?,
            number_source: number_source?,
            interval_minutes: u8::try_from(interval?).ok()?,
            submitted_status: status
                .map(|s| s.and_then(numbered(StatusId::new)))
                .unwrap_or(None),
            time_zone,
            bill_date: bill_date?,
            item_match: item_match?,
            missing_item: missing_item?,
            payable_account: payable_account?,
            freight_account: freight_account.flatten(),
            purchase_tax_code: tax_code,
            todo_action_type: action_type.and_then(numbered(ActionTypeId::new))?,
            todo_resource: resource.and_then(numbered(ResourceId::new))?,
            give_up_hours: u8::try_from(give_up?).ok()?,
            autotask_share_percent: u8::try_from(share?).ok()?,
            digest_to,
            vendor_overrides,
            customer_overrides,
        })
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
        min: i64,
        max: i64,
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
        offered: Vec<(String, String)>,
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
        let chosen = self.pick(field, choice, offered)?;
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
                let offered = codes
                    .map(|code| (code.id.to_string(), code.name.clone()))
                    .collect();
                let chosen = self.pick("purchase_tax_code", choice, offered)?;
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

fn numbered<Id>(make: fn(i64) -> Id) -> impl Fn(Chosen<String>) -> Option<Chosen<Id>> {
    move |chosen| {
        Some(Chosen {
            id: make(chosen.id.parse().ok()?),
            label: chosen.label,
        })
    }
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

impl From<&Settings> for SettingsDocument {
    /// The document that parses back to the same settings.
    fn from(settings: &Settings) -> Self {
        fn choice<Id: ToString>(chosen: &Chosen<Id>) -> Choice {
            Choice {
                id: Some(chosen.id.to_string()),
                label: Some(chosen.label.clone()),
                either: false,
            }
        }
        fn word<T: Serialize>(value: T) -> Option<String> {
            serde_json::to_value(value)
                .ok()?
                .as_str()
                .map(str::to_owned)
        }
        let (missing_item, account) = match &settings.missing_item {
            MissingItem::Create(account) => ("create", Some(choice(account))),
            MissingItem::Refuse => ("refuse", None),
        };
        let text = |(k, v): (&OrganisationId, &dyn ToString)| (k.to_string(), v.to_string());
        Self {
            version: Some(1),
            days_back: Some(settings.days_back.into()),
            number_source: word(settings.number_source),
            interval_minutes: Some(settings.interval_minutes.into()),
            submitted_status: settings.submitted_status.as_ref().map(choice),
            time_zone: settings.time_zone.clone(),
            bill_date: word(settings.bill_date),
            item_match: word(settings.item_match),
            missing_item: Some(missing_item.to_owned()),
            created_item_account: account,
            payable_account: Some(choice(&settings.payable_account)),
            freight_account: settings.freight_account.as_ref().map(choice),
            purchase_tax_code: settings.purchase_tax_code.as_ref().map(choice),
            todo_action_type: Some(choice(&settings.todo_action_type)),
            todo_resource: Some(choice(&settings.todo_resource)),
            give_up_hours: Some(settings.give_up_hours.into()),
            autotask_share_percent: Some(settings.autotask_share_percent.into()),
            digest_to: settings.digest_to.clone(),
            vendor_overrides: settings
                .vendor_overrides
                .iter()
                .map(|(k, v)| text((k, v)))
                .collect(),
            customer_overrides: settings
                .customer_overrides
                .iter()
                .map(|(k, v)| text((k, v)))
                .collect(),
        }
    }
}
