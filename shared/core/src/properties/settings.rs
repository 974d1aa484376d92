//! Settings: what is exported is what is imported, and what cannot be used is named.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::civil::Date;
use proptest::{option, prelude::*, sample::select};
use purser_cases::{config, text};
use serde_json::{Value, json};

use crate::{
    books::{Books, TaxCode},
    ids::{ActionTypeId, OrganisationId, ResourceId, StatusId},
    orders::{PickListValue, Resource},
    settings::{
        BillDate, Choices, Chosen, DAYS_BACK_MAX, FieldError, ItemMatch, MissingItem, NumberSource,
        Settings, SettingsDocument, is_mail_address,
    },
    testing::{content, customer, vendor},
};

const ZONES: &[&str] = &["UTC", "America/New_York", "Europe/London", "Pacific/Apia"];

/// A company abroad with records to choose from, whose labels look like ids of others.
static BOOKS: LazyLock<Books> = LazyLock::new(|| {
    let mut content = content();
    content.company.country = "GB".to_owned();
    content.vendors = (1..4).map(|id| vendor(&format!("v{id}"), "V")).collect();
    content.customers = (1..4).map(|id| customer(&format!("c{id}"), "C")).collect();
    let codes = [("5", "No VAT"), ("6", "20% S"), ("7", "5")];
    let code = |(id, name): (&str, &str)| TaxCode {
        id: id.parse().unwrap(),
        name: name.to_owned(),
        active: true,
    };
    content.tax_codes = codes.map(code).into();
    Books::new(content)
});

fn values() -> Vec<PickListValue> {
    let labels = [
        (1, "New"),
        (2, "Submitted"),
        (3, "2"),
        (4, "Übermittelt: ja"),
    ];
    let value = |(value, label): (i64, &str)| PickListValue {
        value,
        label: label.to_owned(),
        active: true,
    };
    labels.map(value).into()
}

fn people() -> Vec<Resource> {
    let names = [(7, "Ann Reed"), (8, "8"), (9, "Ann Reed")];
    let person = |(id, name): (i64, &str)| Resource {
        id: ResourceId::new(id),
        name: name.to_owned(),
        email: None,
    };
    names.map(person).into()
}

fn parsed(document: &SettingsDocument) -> Result<Settings, Vec<FieldError>> {
    let (values, people) = (values(), people());
    document.parse(&Choices {
        books: &BOOKS,
        statuses: &values,
        action_types: &values,
        resources: &people,
    })
}

fn account() -> impl Strategy<Value = Chosen<crate::ids::AccountId>> {
    select(vec![("exp", "Cost of goods sold"), ("fr", "Freight")]).prop_map(|(id, label)| Chosen {
        id: id.parse().unwrap(),
        label: label.to_owned(),
    })
}

fn value<Id: std::fmt::Debug + Clone>(make: fn(i64) -> Id) -> impl Strategy<Value = Chosen<Id>> {
    select(values()).prop_map(move |value| Chosen {
        id: make(value.value),
        label: value.label,
    })
}

fn overrides<Id>(kind: &'static str) -> impl Strategy<Value = BTreeMap<OrganisationId, Id>>
where
    Id: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug,
{
    let target = (1..4_u32).prop_map(move |id| format!("{kind}{id}").parse().unwrap());
    proptest::collection::btree_map((0..=i64::MAX).prop_map(OrganisationId::new), target, 0..4)
}

fn day() -> impl Strategy<Value = Date> {
    (1_900..=2_200_i16, 1..=12_i8, 1..=28_i8).prop_map(|(y, m, d)| jiff::civil::date(y, m, d))
}

fn address() -> impl Strategy<Value = String> {
    "[a-z+.]{1,20}@[a-z]{1,10}\\.example"
}

/// Settings that can be chosen in this company.
fn settings() -> impl Strategy<Value = Settings> {
    let first = (
        0..=DAYS_BACK_MAX,
        option::of(day()),
        select(vec![NumberSource::Quickbooks, NumberSource::Autotask]),
        1..=60_u8,
        option::of(value(StatusId::new)),
        option::of(select(ZONES)),
        select(vec![
            BillDate::Submitted,
            BillDate::Created,
            BillDate::Today,
        ]),
        select(vec![
            ItemMatch::Name,
            ItemMatch::Sku,
            ItemMatch::ManufacturerPartNumber,
        ]),
        option::of(account()),
    );
    let second = (
        option::of(account()),
        select(vec![("5", "No VAT"), ("6", "20% S"), ("7", "5")]),
        value(ActionTypeId::new),
        select(people()),
        1..=168_u8,
        5..=90_u8,
        option::of(address()),
        overrides("v"),
        overrides("c"),
    );
    (first, second).prop_map(|(first, second)| Settings {
        days_back: first.0,
        created_from: first.1,
        number_source: first.2,
        interval_minutes: first.3,
        submitted_status: first.4,
        time_zone: first.5.map(str::to_owned),
        bill_date: first.6,
        item_match: first.7,
        missing_item: first.8.map_or(MissingItem::Refuse, MissingItem::Create),
        payable_account: Chosen {
            id: "ap".parse().unwrap(),
            label: "Accounts Payable".to_owned(),
        },
        freight_account: second.0,
        purchase_tax_code: Some(Chosen {
            id: second.1.0.parse().unwrap(),
            label: second.1.1.to_owned(),
        }),
        todo_action_type: second.2,
        todo_resource: Chosen {
            id: second.3.id,
            label: second.3.name,
        },
        give_up_hours: second.4,
        autotask_share_percent: second.5,
        digest_to: second.6,
        vendor_overrides: second.7,
        customer_overrides: second.8,
    })
}

/// Any JSON that somebody may put into a field.
fn junk() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(1.5)),
        text(12).prop_map(Value::from),
        select(values()).prop_map(|value| json!(value.value)),
        select(values()).prop_map(|value| json!(value.label)),
        text(6).prop_map(|id| json!({ "id": id })),
        (text(6), text(6)).prop_map(|(id, label)| json!({ "id": id, "label": label })),
        (text(6), text(6)).prop_map(|(name, value)| json!({ name: value })),
        text(6).prop_map(|value| json!([value])),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn settings_that_are_exported_are_imported_unchanged(settings in settings()) {
        let exported = SettingsDocument::from(&settings);
        let text = serde_json::to_string_pretty(&exported).unwrap();
        let imported: SettingsDocument = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(parsed(&imported), Ok(settings.clone()));
        // As they are stored, too.
        let stored = serde_json::to_string(&settings).unwrap();
        prop_assert_eq!(serde_json::from_str::<Settings>(&stored).unwrap(), settings);
    }

    #[test]
    fn a_field_with_anything_in_it_is_used_as_it_is_or_named(
        settings in settings(),
        field: prop::sample::Index,
        junk in junk(),
    ) {
        let exported = serde_json::to_value(SettingsDocument::from(&settings)).unwrap();
        let mut document = exported.clone();
        let name = field.get(&exported.as_object().unwrap().keys().collect::<Vec<_>>()).as_str();
        document[name] = junk.clone();
        let Ok(document) = serde_json::from_value::<SettingsDocument>(document) else {
            return Ok(());
        };
        match parsed(&document) {
            // What was taken comes back out and in again.
            Ok(taken) => {
                let again = SettingsDocument::from(&taken);
                prop_assert_eq!(parsed(&again), Ok(taken.clone()));
                prop_assert!(taken.days_back <= DAYS_BACK_MAX);
                prop_assert!((1..=60).contains(&taken.interval_minutes));
                let address = taken.digest_to.as_deref();
                prop_assert!(address.is_none_or(is_mail_address));
            }
            Err(errors) => {
                let with_create = ["missing_item", "created_item_account"];
                let is_about = |error: &FieldError| {
                    error.field == name
                        || with_create.contains(&name) && with_create.contains(&error.field)
                };
                prop_assert!(!errors.is_empty() && errors.iter().all(is_about), "{errors:?}");
            }
        }
    }

    #[test]
    fn an_address_of_mail_never_holds_a_second_line_or_a_second_address(
        text in prop_oneof![
            4 => "[a-z.+ ,;<>@\"\r\n\t\u{e9}]{1,3}@[a-z]{0,2}[ ,;<>@\r\n]?\\.[a-z\n]{0,3}",
            1 => text(30),
            1 => address(),
        ],
    ) {
        if is_mail_address(&text) {
            let (local, domain) = text.split_once('@').unwrap();
            for part in [local, domain] {
                let is_plain = |c: char| c.is_ascii_graphic() && !"<>,;\"@ ".contains(c);
                prop_assert!(!part.is_empty() && part.chars().all(is_plain), "{text:?}");
            }
        }
    }
}
