//! What the interface says about entities and their fields.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    fields::{Access, Field, FieldType},
    profile::OrderStatus,
    schema::Entity,
    switches::InventoryPermission,
    value::{flag, text},
    world::World,
};

/// The id of the license that only uses the interface.
pub(super) const API_LICENSE: i64 = 7;
/// The license of a person.
pub(super) const PERSON_LICENSE: i64 = 1;

const COMPANY_TYPES: &[(i64, &str)] = &[
    (1, "Customer"),
    (2, "Lead"),
    (3, "Prospect"),
    (4, "Dead"),
    (6, "Cancellation"),
    (7, "Vendor"),
    (8, "Partner"),
];
const LICENSES: &[(i64, &str)] = &[
    (PERSON_LICENSE, "Professional"),
    (3, "Time & Attendance"),
    (5, "Dashboard User"),
    (API_LICENSE, "API User (API-only)"),
];
const DESCRIPTIONS: &[(i64, &str)] = &[(1, "Product (Catalog)"), (2, "Quote Item"), (3, "Charge")];
const VIEWS: &[(i64, &str)] = &[(1, "Company"), (2, "Opportunity"), (3, "CRM To-Do")];

/// One value a picklist offers.
pub(super) struct Choice {
    pub(super) value: i64,
    label: String,
    pub(super) is_active: bool,
    is_system: bool,
}

pub(super) fn information(world: &World, entity: Entity) -> Value {
    let abilities = entity.abilities();
    let barred = entity.is_inventory()
        && world.profile.switches().inventory_permission != InventoryPermission::Granted;
    let access = |able: bool| i32::from(able && !barred);
    json!({ "info": {
        "name": entity.singular(),
        "canCreate": abilities.create,
        "canDelete": abilities.delete,
        "canQuery": true,
        "canUpdate": abilities.update,
        "userAccessForCreate": access(abilities.create),
        "userAccessForDelete": access(abilities.delete),
        "userAccessForQuery": access(true),
        "userAccessForUpdate": access(abilities.update),
        "hasUserDefinedFields": matches!(entity, Entity::Companies | Entity::Products),
        "supportsWebhookCallouts": entity == Entity::Companies,
    }})
}

/// The text of what is said about an entity's fields. It is long and asked for often, so it is written
/// as it is read, without a tree of values in between.
pub(super) fn fields(world: &World, entity: Entity) -> serde_json::Result<String> {
    let fields = entity
        .fields()
        .iter()
        .map(|field| describe(world, entity, field))
        .collect();
    serde_json::to_string(&EntityFields { fields })
}

#[derive(Serialize)]
struct EntityFields {
    fields: Vec<FieldInformation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the vendor tells as many of each field"
)]
struct FieldInformation {
    name: String,
    data_type: &'static str,
    length: u32,
    is_required: bool,
    is_read_only: bool,
    is_queryable: bool,
    is_reference: bool,
    reference_entity_type: &'static str,
    is_pick_list: bool,
    picklist_values: Option<Vec<ChoiceInformation>>,
    picklist_parent_value_field: &'static str,
    is_supported_webhook_field: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChoiceInformation {
    value: String,
    label: String,
    is_default_value: bool,
    sort_order: usize,
    parent_value: Option<&'static str>,
    is_active: bool,
    is_system: bool,
}

fn describe(world: &World, entity: Entity, field: &Field) -> FieldInformation {
    let (data_type, length) = match field.kind {
        FieldType::Long => ("long", 0),
        FieldType::Integer => ("integer", 0),
        FieldType::Text(length) => ("string", length),
        FieldType::Boolean => ("boolean", 0),
        FieldType::Double => ("double", 0),
        FieldType::DateTime => ("datetime", 0),
    };
    let picklist_values = field.is_picklist.then(|| {
        let choices = choices(world, entity, field.name).into_iter().enumerate();
        choices
            .map(|(position, choice)| describe_choice(position, choice))
            .collect()
    });
    FieldInformation {
        name: shown_name(world, field.name),
        data_type,
        length,
        is_required: field.is_required,
        is_read_only: field.access != Access::Writable,
        is_queryable: field.is_queryable,
        is_reference: field.reference.is_some(),
        reference_entity_type: field.reference.map_or("", Entity::singular),
        is_pick_list: field.is_picklist,
        picklist_values,
        picklist_parent_value_field: "",
        is_supported_webhook_field: false,
    }
}

fn describe_choice(position: usize, choice: Choice) -> ChoiceInformation {
    ChoiceInformation {
        value: choice.value.to_string(),
        label: choice.label,
        is_default_value: false,
        sort_order: position + 1,
        parent_value: (!position.is_multiple_of(2)).then_some(""),
        is_active: choice.is_active,
        is_system: choice.is_system,
    }
}

fn shown_name(world: &World, name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) if world.profile.switches().pascal_case_field_names && name != "id" => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => name.to_owned(),
    }
}

/// The values a picklist offers in this database.
pub(super) fn choices(world: &World, entity: Entity, field: &str) -> Vec<Choice> {
    match (entity, field) {
        (Entity::PurchaseOrders, "status") => states(world),
        (Entity::PurchaseOrders, "paymentTerm") => rows(world, Entity::PaymentTerms),
        (Entity::PurchaseOrders, "useItemDescriptionsFrom") => fixed(DESCRIPTIONS),
        (Entity::Companies, "companyType") => fixed(COMPANY_TYPES),
        (Entity::CompanyToDos, "actionType") => rows(world, Entity::ActionTypes),
        (Entity::Resources, "licenseType") => fixed(LICENSES),
        (Entity::ActionTypes, "view") => fixed(VIEWS),
        _ => Vec::new(),
    }
}

fn states(world: &World) -> Vec<Choice> {
    let localized = world.profile.switches().localized_status_labels;
    let choice = |status: OrderStatus| Choice {
        value: world.profile.status_id(status),
        label: status.label(localized).to_owned(),
        is_active: true,
        is_system: true,
    };
    OrderStatus::ALL.into_iter().map(choice).collect()
}

fn rows(world: &World, entity: Entity) -> Vec<Choice> {
    let rows = world.table(entity).rows();
    rows.map(|(id, row)| Choice {
        value: id,
        label: text(row, "name").unwrap_or_default().to_owned(),
        is_active: flag(row, "isActive"),
        is_system: flag(row, "isSystemActionType"),
    })
    .collect()
}

fn fixed(values: &[(i64, &str)]) -> Vec<Choice> {
    let choice = |(value, label): &(i64, &str)| Choice {
        value: *value,
        label: (*label).to_owned(),
        is_active: true,
        is_system: true,
    };
    values.iter().map(choice).collect()
}
