//! What the interface says about entities and their fields.

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

pub(super) fn fields(world: &World, entity: Entity) -> Value {
    let fields: Vec<Value> = entity
        .fields()
        .iter()
        .map(|field| describe(world, entity, field))
        .collect();
    json!({ "fields": fields })
}

fn describe(world: &World, entity: Entity, field: &Field) -> Value {
    let (kind, length) = match field.kind {
        FieldType::Long => ("long", 0),
        FieldType::Integer => ("integer", 0),
        FieldType::Text(length) => ("string", length),
        FieldType::Boolean => ("boolean", 0),
        FieldType::Double => ("double", 0),
        FieldType::DateTime => ("datetime", 0),
    };
    let values: Option<Vec<Value>> = field.is_picklist.then(|| {
        let choices = choices(world, entity, field.name).into_iter().enumerate();
        choices
            .map(|(position, choice)| describe_choice(position, &choice))
            .collect()
    });
    json!({
        "name": shown_name(world, field.name),
        "dataType": kind,
        "length": length,
        "isRequired": field.is_required,
        "isReadOnly": field.access != Access::Writable,
        "isQueryable": field.is_queryable,
        "isReference": field.reference.is_some(),
        "referenceEntityType": field.reference.map_or("", Entity::singular),
        "isPickList": field.is_picklist,
        "picklistValues": values,
        "picklistParentValueField": "",
        "isSupportedWebhookField": false,
    })
}

fn describe_choice(position: usize, choice: &Choice) -> Value {
    json!({
        "value": choice.value.to_string(),
        "label": choice.label,
        "isDefaultValue": false,
        "sortOrder": position + 1,
        "parentValue": if position.is_multiple_of(2) { Value::Null } else { json!("") },
        "isActive": choice.is_active,
        "isSystem": choice.is_system,
    })
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
