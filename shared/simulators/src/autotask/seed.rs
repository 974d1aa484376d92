//! Typed rows for filling a database; the rules of the interface do not apply to them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    metadata::{API_LICENSE, PERSON_LICENSE},
    profile::OrderStatus,
    rules::next_number,
    schema::Entity,
    value::{Row, number, time_value},
    world::World,
};

/// A company: vendor, customer or anything else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct CompanySeed {
    /// Chosen by the simulator when none.
    pub id: Option<i64>,
    /// Name.
    pub name: String,
    /// 1 customer, 3 prospect, 7 vendor.
    pub company_type: i64,
    /// In use.
    pub is_active: bool,
    /// Currency, by id; none is the internal one.
    pub currency_id: Option<i64>,
}

impl CompanySeed {
    /// An active vendor.
    pub fn vendor(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// An active customer.
    pub fn customer(name: &str) -> Self {
        Self {
            company_type: 1,
            ..Self::vendor(name)
        }
    }
}

impl Default for CompanySeed {
    fn default() -> Self {
        Self {
            id: None,
            name: String::new(),
            company_type: 7,
            is_active: true,
            currency_id: None,
        }
    }
}

/// A product.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductSeed {
    /// Chosen by the simulator when none.
    pub id: Option<i64>,
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// SKU.
    pub sku: Option<String>,
    /// Manufacturer's part number.
    pub manufacturer_part_number: Option<String>,
    /// Vendor's part number.
    pub vendor_part_number: Option<String>,
    /// Unit cost: the JSON number's text.
    pub unit_cost: Option<String>,
    /// In use.
    pub is_active: bool,
}

impl ProductSeed {
    /// An active product with nothing but a name.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }
}

impl Default for ProductSeed {
    fn default() -> Self {
        Self {
            id: None,
            name: String::new(),
            description: None,
            sku: None,
            manufacturer_part_number: None,
            vendor_part_number: None,
            unit_cost: None,
            is_active: true,
        }
    }
}

/// One line of an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct LineSeed {
    /// Chosen by the simulator when none.
    pub id: Option<i64>,
    /// Product, by id; none for a line that only has a memo.
    pub product: Option<i64>,
    /// Whole pieces.
    pub quantity: i64,
    /// Unit cost: the JSON number's text; none is null.
    pub unit_cost: Option<String>,
    /// Memo.
    pub memo: Option<String>,
}

impl LineSeed {
    /// `quantity` pieces of a product at `unit_cost`.
    pub fn of(product: i64, quantity: i64, unit_cost: &str) -> Self {
        Self {
            product: Some(product),
            quantity,
            unit_cost: Some(unit_cost.to_owned()),
            ..Self::default()
        }
    }

    /// The same line with a memo.
    #[must_use]
    pub fn memo(mut self, memo: &str) -> Self {
        self.memo = Some(memo.to_owned());
        self
    }
}

impl Default for LineSeed {
    fn default() -> Self {
        Self {
            id: None,
            product: None,
            quantity: 1,
            unit_cost: None,
            memo: None,
        }
    }
}

/// An order with its lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderSeed {
    /// Chosen by the simulator when none.
    pub id: Option<i64>,
    /// Vendor, by id.
    pub vendor: i64,
    /// State.
    pub status: OrderStatus,
    /// When it was made; now when none.
    pub created: Option<Timestamp>,
    /// When it was submitted; the time it was made when none and not new.
    pub submitted: Option<Timestamp>,
    /// Number; the next automatic one when none.
    pub number: Option<String>,
    /// External P.O. number; null when none.
    pub external_number: Option<String>,
    /// "Purchase for" organisation, by id.
    pub purchase_for: Option<i64>,
    /// Freight: the JSON number's text.
    pub freight: Option<String>,
    /// General memo.
    pub memo: Option<String>,
    /// Payment term, by id.
    pub payment_term: Option<i64>,
    /// Lines.
    pub lines: Vec<LineSeed>,
}

impl OrderSeed {
    /// A submitted order, made now, without lines.
    pub fn submitted(vendor: i64) -> Self {
        Self {
            vendor,
            ..Self::default()
        }
    }

    /// The same order with one more line.
    #[must_use]
    pub fn line(mut self, line: LineSeed) -> Self {
        self.lines.push(line);
        self
    }
}

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceSeed {
    /// Chosen by the simulator when none.
    pub id: Option<i64>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address.
    pub email: String,
    /// In use.
    pub is_active: bool,
    /// Only for the interface: cannot own anything.
    pub is_api_only: bool,
    /// `Employee` or `Contractor`.
    pub resource_type: String,
}

impl ResourceSeed {
    /// An active person.
    pub fn person(first_name: &str, last_name: &str) -> Self {
        Self {
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            email: format!("{first_name}.{last_name}@msp.example").to_lowercase(),
            ..Self::default()
        }
    }
}

impl Default for ResourceSeed {
    fn default() -> Self {
        Self {
            id: None,
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            is_active: true,
            is_api_only: false,
            resource_type: "Employee".into(),
        }
    }
}

fn add(world: &mut World, entity: Entity, id: Option<i64>, fields: Value) -> i64 {
    let id = id.unwrap_or_else(|| world.new_id(entity));
    let row = match fields {
        Value::Object(row) => row,
        _ => Row::new(),
    };
    world.put(entity, id, row);
    id
}

fn amount(text: Option<&String>) -> Value {
    text.map_or(Value::Null, |text| number(text))
}

pub(super) fn company(world: &mut World, seed: &CompanySeed, now: Timestamp) -> i64 {
    let fields = json!({
        "companyName": seed.name, "companyType": seed.company_type, "isActive": seed.is_active,
        "currencyID": seed.currency_id, "phone": "555-0100", "ownerResourceID": 4,
        "address1": "1 Main St", "city": "Albany", "state": "NY", "postalCode": "12207",
        "createDate": now.to_string(),
    });
    add(world, Entity::Companies, seed.id, fields)
}

pub(super) fn product(world: &mut World, seed: &ProductSeed, now: Timestamp) -> i64 {
    let fields = json!({
        "name": seed.name, "description": seed.description, "sku": seed.sku,
        "manufacturerProductName": seed.manufacturer_part_number,
        "vendorProductNumber": seed.vendor_part_number,
        "unitCost": amount(seed.unit_cost.as_ref()), "isActive": seed.is_active,
        "isSerialized": false, "productBillingCodeID": 1, "createdTime": now.to_string(),
    });
    add(world, Entity::Products, seed.id, fields)
}

pub(super) fn resource(world: &mut World, seed: &ResourceSeed) -> i64 {
    let license = if seed.is_api_only {
        API_LICENSE
    } else {
        PERSON_LICENSE
    };
    let fields = json!({
        "firstName": seed.first_name, "lastName": seed.last_name, "email": seed.email,
        "userName": seed.email.chars().take(32).collect::<String>(), "isActive": seed.is_active,
        "resourceType": seed.resource_type, "licenseType": license, "userType": 1,
        "locationID": 1,
    });
    add(world, Entity::Resources, seed.id, fields)
}

pub(super) fn simple(world: &mut World, entity: Entity, id: Option<i64>, fields: Value) -> i64 {
    add(world, entity, id, fields)
}

pub(super) fn order(world: &mut World, seed: &OrderSeed, now: Timestamp) -> i64 {
    let created = seed.created.unwrap_or(now);
    let submitted = (seed.status != OrderStatus::New).then_some(seed.submitted.unwrap_or(created));
    let canceled = (seed.status == OrderStatus::Canceled).then_some(now);
    let shown_number = match &seed.number {
        Some(text) => Value::String(text.clone()),
        None => next_number(world),
    };
    let fields = json!({
        "vendorID": seed.vendor, "status": world.profile.status_id(seed.status),
        "creatorResourceID": 4, "createDateTime": created.to_string(),
        "submitDateTime": submitted.map(time_value), "cancelDateTime": canceled.map(time_value),
        "shipToName": "Example MSP", "shipToAddress1": "1 Main St", "shipToAddress2": "",
        "shipToCity": "Albany", "shipToState": "NY", "shipToPostalCode": "12207",
        "generalMemo": seed.memo, "externalPONumber": seed.external_number,
        "purchaseForCompanyID": seed.purchase_for, "freight": amount(seed.freight.as_ref()),
        "paymentTerm": seed.payment_term, "showTaxCategory": false, "showEachTaxInGroup": false,
        "useItemDescriptionsFrom": 1, "purchaseOrderNumber": shown_number, "phone": "", "fax": "",
    });
    let id = add(world, Entity::PurchaseOrders, seed.id, fields);
    for line in &seed.lines {
        self::line(world, id, line);
    }
    id
}

pub(super) fn line(world: &mut World, order: i64, seed: &LineSeed) -> i64 {
    let fields = json!({
        "orderID": order, "productID": seed.product, "quantity": seed.quantity,
        "unitCost": amount(seed.unit_cost.as_ref()), "memo": seed.memo, "inventoryLocationID": 1,
    });
    add(world, Entity::PurchaseOrderItems, seed.id, fields)
}

/// What every database has from the start.
pub(super) fn foundation(world: &mut World, now: Timestamp) {
    let seed = world.profile.seed.clone();
    simple(
        world,
        Entity::Currencies,
        Some(1),
        currency(&seed.internal_currency, "1", true),
    );
    let own = CompanySeed {
        id: Some(0),
        company_type: 1,
        ..CompanySeed::vendor(&seed.company_name)
    };
    company(world, &own, now);
    let administrator = ResourceSeed {
        id: Some(4),
        ..ResourceSeed::person("Autotask", "Administrator")
    };
    resource(world, &administrator);
    let user = ResourceSeed {
        email: seed.api_user.clone(),
        is_api_only: true,
        ..ResourceSeed::person("Purser", "API")
    };
    resource(world, &user);
    let location = json!({ "locationName": "Main", "isActive": true, "isDefault": true });
    simple(world, Entity::InventoryLocations, Some(1), location);
    let code = json!({ "name": "Hardware", "isActive": true, "useType": 1 });
    simple(world, Entity::BillingCodes, Some(1), code);
    let country = json!({
        "countryCode": "US", "name": "United States", "displayName": "United States",
        "isActive": true, "isDefaultCountry": true,
    });
    simple(world, Entity::Countries, Some(237), country);
    simple(
        world,
        Entity::ShippingTypes,
        Some(1),
        json!({ "name": "Ground", "isActive": true }),
    );
    for (id, name, is_system) in [(0, "Opportunity Update", true), (1, "Phone Call", true)] {
        action_type(world, Some(id), name, true, is_system);
    }
    action_type(world, Some(3), "General", true, false);
    for (id, name, days) in [(1, "Net 30 days", 30), (2, "Due on receipt", 0)] {
        payment_term(world, Some(id), name, days);
    }
}

pub(super) fn currency(name: &str, rate: &str, is_internal: bool) -> Value {
    json!({
        "name": name, "description": name, "displaySymbol": 1, "exchangeRate": number(rate),
        "isActive": true, "isInternalCurrency": is_internal, "currencyPositiveFormat": "$1.1",
        "currencyNegativeFormat": "($1.1)",
    })
}

pub(super) fn action_type(
    world: &mut World,
    id: Option<i64>,
    name: &str,
    is_active: bool,
    is_system: bool,
) -> i64 {
    let fields = json!({
        "name": name, "view": 3, "isActive": is_active, "isSystemActionType": is_system,
    });
    add(world, Entity::ActionTypes, id, fields)
}

pub(super) fn payment_term(world: &mut World, id: Option<i64>, name: &str, days: i64) -> i64 {
    let fields = json!({ "name": name, "isActive": true, "paymentDueInDays": days });
    add(world, Entity::PaymentTerms, id, fields)
}
