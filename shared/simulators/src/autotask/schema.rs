//! The entities and their fields, as the vendor's field information describes them.

use serde::{Deserialize, Serialize};

/// An entity of the REST interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's own")]
pub enum Entity {
    ActionTypes,
    BillingCodes,
    Companies,
    CompanyToDos,
    Countries,
    Currencies,
    InventoryLocations,
    PaymentTerms,
    Products,
    PurchaseOrderItemReceiving,
    PurchaseOrderItems,
    PurchaseOrders,
    Resources,
    ShippingTypes,
}

/// What a call may do with an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Abilities {
    pub(super) create: bool,
    pub(super) update: bool,
    pub(super) delete: bool,
}

const READ: Abilities = Abilities {
    create: false,
    update: false,
    delete: false,
};
const CREATE_UPDATE: Abilities = Abilities {
    create: true,
    update: true,
    delete: false,
};
const ALL: Abilities = Abilities {
    create: true,
    update: true,
    delete: true,
};

impl Entity {
    pub(super) const ALL: [Self; 14] = [
        Self::ActionTypes,
        Self::BillingCodes,
        Self::Companies,
        Self::CompanyToDos,
        Self::Countries,
        Self::Currencies,
        Self::InventoryLocations,
        Self::PaymentTerms,
        Self::Products,
        Self::PurchaseOrderItemReceiving,
        Self::PurchaseOrderItems,
        Self::PurchaseOrders,
        Self::Resources,
        Self::ShippingTypes,
    ];

    /// The name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::ActionTypes => "ActionTypes",
            Self::BillingCodes => "BillingCodes",
            Self::Companies => "Companies",
            Self::CompanyToDos => "CompanyToDos",
            Self::Countries => "Countries",
            Self::Currencies => "Currencies",
            Self::InventoryLocations => "InventoryLocations",
            Self::PaymentTerms => "PaymentTerms",
            Self::Products => "Products",
            Self::PurchaseOrderItemReceiving => "PurchaseOrderItemReceiving",
            Self::PurchaseOrderItems => "PurchaseOrderItems",
            Self::PurchaseOrders => "PurchaseOrders",
            Self::Resources => "Resources",
            Self::ShippingTypes => "ShippingTypes",
        }
    }

    /// The name in error texts and in the entity information.
    pub(super) fn singular(self) -> &'static str {
        match self {
            Self::ActionTypes => "ActionType",
            Self::BillingCodes => "BillingCode",
            Self::Companies => "Company",
            Self::CompanyToDos => "CompanyToDo",
            Self::Countries => "Country",
            Self::Currencies => "Currency",
            Self::InventoryLocations => "InventoryLocation",
            Self::PaymentTerms => "PaymentTerm",
            Self::Products => "Product",
            Self::PurchaseOrderItemReceiving => "PurchaseOrderItemReceiving",
            Self::PurchaseOrderItems => "PurchaseOrderItem",
            Self::PurchaseOrders => "PurchaseOrder",
            Self::Resources => "Resource",
            Self::ShippingTypes => "ShippingType",
        }
    }

    pub(super) fn from_segment(segment: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|entity| entity.name().eq_ignore_ascii_case(segment))
    }

    /// The child collection `segment` of this entity.
    pub(super) fn child(self, segment: &str) -> Option<Self> {
        let (name, child) = match self {
            Self::Companies => ("ToDos", Self::CompanyToDos),
            Self::PurchaseOrders => ("Items", Self::PurchaseOrderItems),
            Self::PurchaseOrderItems => ("Receiving", Self::PurchaseOrderItemReceiving),
            _ => return None,
        };
        name.eq_ignore_ascii_case(segment).then_some(child)
    }

    /// The address part of this entity under its parent.
    pub(super) fn child_name(self) -> Option<&'static str> {
        match self {
            Self::CompanyToDos => Some("Companies/ToDos"),
            Self::PurchaseOrderItems => Some("PurchaseOrders/Items"),
            Self::PurchaseOrderItemReceiving => Some("PurchaseOrderItems/Receiving"),
            _ => None,
        }
    }

    /// The field that names the parent.
    pub(super) fn parent_field(self) -> Option<&'static str> {
        match self {
            Self::CompanyToDos => Some("companyID"),
            Self::PurchaseOrderItems => Some("orderID"),
            Self::PurchaseOrderItemReceiving => Some("purchaseOrderItemID"),
            _ => None,
        }
    }

    pub(super) fn abilities(self) -> Abilities {
        match self {
            Self::ActionTypes | Self::CompanyToDos => ALL,
            Self::Companies
            | Self::PaymentTerms
            | Self::Products
            | Self::PurchaseOrderItems
            | Self::PurchaseOrders => CREATE_UPDATE,
            Self::Currencies => Abilities {
                update: true,
                ..READ
            },
            Self::PurchaseOrderItemReceiving => Abilities {
                create: true,
                ..READ
            },
            Self::BillingCodes
            | Self::Countries
            | Self::InventoryLocations
            | Self::Resources
            | Self::ShippingTypes => READ,
        }
    }

    /// True for what needs the inventory module and its permission.
    pub(super) fn is_inventory(self) -> bool {
        matches!(
            self,
            Self::PurchaseOrders
                | Self::PurchaseOrderItems
                | Self::PurchaseOrderItemReceiving
                | Self::InventoryLocations
        )
    }

    pub(super) fn fields(self) -> &'static [Field] {
        match self {
            Self::ActionTypes => ACTION_TYPES,
            Self::BillingCodes => BILLING_CODES,
            Self::Companies => COMPANIES,
            Self::CompanyToDos => COMPANY_TODOS,
            Self::Countries => COUNTRIES,
            Self::Currencies => CURRENCIES,
            Self::InventoryLocations => INVENTORY_LOCATIONS,
            Self::PaymentTerms => PAYMENT_TERMS,
            Self::Products => PRODUCTS,
            Self::PurchaseOrderItemReceiving => RECEIVING,
            Self::PurchaseOrderItems => ORDER_ITEMS,
            Self::PurchaseOrders => ORDERS,
            Self::Resources => RESOURCES,
            Self::ShippingTypes => SHIPPING_TYPES,
        }
    }

    /// Finds a field in any letter case.
    pub(super) fn field(self, name: &str) -> Option<&'static Field> {
        self.fields()
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldType {
    Long,
    Integer,
    Text(u32),
    Boolean,
    Double,
    DateTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// May be written at any time.
    Writable,
    /// May be given when the row is made, never changed.
    CreateOnly,
    /// Set by the server.
    ServerOnly,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: FieldType,
    pub(super) access: Access,
    pub(super) is_required: bool,
    pub(super) is_queryable: bool,
    pub(super) is_picklist: bool,
    pub(super) reference: Option<Entity>,
}

impl Field {
    const fn new(name: &'static str, kind: FieldType) -> Self {
        Self {
            name,
            kind,
            access: Access::Writable,
            is_required: false,
            is_queryable: true,
            is_picklist: false,
            reference: None,
        }
    }

    const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    const fn create_only(mut self) -> Self {
        self.access = Access::CreateOnly;
        self
    }

    const fn server(mut self) -> Self {
        self.access = Access::ServerOnly;
        self
    }

    const fn hidden(mut self) -> Self {
        self.is_queryable = false;
        self
    }

    const fn to(mut self, entity: Entity) -> Self {
        self.reference = Some(entity);
        self
    }

    /// A text query value finds nothing in such a field instead of failing.
    pub(super) fn is_key(&self) -> bool {
        self.kind == FieldType::Long || self.reference.is_some()
    }
}

const fn id() -> Field {
    Field::new("id", FieldType::Long).required().server()
}
const fn text(name: &'static str, length: u32) -> Field {
    Field::new(name, FieldType::Text(length))
}
const fn integer(name: &'static str) -> Field {
    Field::new(name, FieldType::Integer)
}
const fn long(name: &'static str) -> Field {
    Field::new(name, FieldType::Long)
}
const fn double(name: &'static str) -> Field {
    Field::new(name, FieldType::Double)
}
const fn datetime(name: &'static str) -> Field {
    Field::new(name, FieldType::DateTime)
}
const fn boolean(name: &'static str) -> Field {
    Field::new(name, FieldType::Boolean)
}
const fn picklist(name: &'static str) -> Field {
    let mut field = Field::new(name, FieldType::Integer);
    field.is_picklist = true;
    field
}

static ORDERS: &[Field] = &[
    id(),
    integer("vendorID")
        .required()
        .create_only()
        .to(Entity::Companies),
    picklist("status").required(),
    integer("creatorResourceID").server().to(Entity::Resources),
    datetime("createDateTime").server(),
    datetime("submitDateTime").server(),
    datetime("cancelDateTime").server(),
    text("shipToName", 100).required(),
    text("shipToAddress1", 128).required(),
    text("shipToAddress2", 128),
    text("shipToCity", 30),
    text("shipToState", 25),
    text("shipToPostalCode", 10),
    text("generalMemo", 4000),
    text("phone", 25),
    text("fax", 25),
    text("vendorInvoiceNumber", 50),
    text("externalPONumber", 50),
    integer("purchaseForCompanyID").to(Entity::Companies),
    integer("shippingType").to(Entity::ShippingTypes),
    datetime("shippingDate"),
    double("freight"),
    double("internalCurrencyFreight").server(),
    integer("taxRegionID"),
    picklist("paymentTerm"),
    boolean("showTaxCategory"),
    boolean("showEachTaxInGroup"),
    datetime("latestEstimatedArrivalDate").server(),
    picklist("useItemDescriptionsFrom"),
    integer("impersonatorCreatorResourceID").server(),
    picklist("purchaseOrderTemplateID"),
    text("purchaseOrderNumber", 50).server(),
    text("additionalVendorInvoiceNumbers", 8000).server(),
];

static ORDER_ITEMS: &[Field] = &[
    id(),
    integer("orderID")
        .required()
        .create_only()
        .to(Entity::PurchaseOrders),
    integer("productID").to(Entity::Products),
    integer("inventoryLocationID")
        .required()
        .to(Entity::InventoryLocations),
    integer("quantity").required(),
    double("unitCost").required(),
    double("internalCurrencyUnitCost").server(),
    text("memo", 4000),
    datetime("estimatedArrivalDate"),
    integer("chargeID"),
    long("ticketID").server(),
    long("projectID").server(),
    long("contractID").server(),
    long("salesOrderID").server(),
];

static RECEIVING: &[Field] = &[
    id(),
    long("purchaseOrderItemID")
        .required()
        .create_only()
        .to(Entity::PurchaseOrderItems),
    integer("quantityNowReceiving").required().create_only(),
    integer("quantityPreviouslyReceived").server(),
    integer("quantityBackOrdered").server(),
    datetime("receiveDate").create_only(),
    integer("receivedByResourceID")
        .server()
        .to(Entity::Resources),
    text("serialNumber", 50).create_only(),
    text("vendorInvoiceNumber", 50).create_only(),
];

static PRODUCTS: &[Field] = &[
    id(),
    text("name", 100).required(),
    text("description", 2000),
    text("sku", 50),
    text("externalProductID", 50),
    text("internalProductID", 50),
    text("manufacturerName", 100),
    text("manufacturerProductName", 50),
    text("vendorProductNumber", 50),
    text("link", 500),
    boolean("isActive").required(),
    boolean("isSerialized").required(),
    integer("productBillingCodeID")
        .required()
        .to(Entity::BillingCodes),
    integer("chargeBillingCodeID").to(Entity::BillingCodes),
    integer("productCategory"),
    integer("defaultVendorID").to(Entity::Companies),
    double("unitCost"),
    double("unitPrice"),
    double("msrp"),
    double("markupRate"),
    integer("billingType"),
    integer("priceCostMethod"),
    integer("periodType"),
    boolean("doesNotRequireProcurement"),
    boolean("isEligibleForRma"),
    integer("createdByResourceID")
        .server()
        .to(Entity::Resources),
    datetime("createdTime").server(),
    integer("defaultInstalledProductCategoryID"),
    integer("impersonatorCreatorResourceID").server(),
];

static COMPANIES: &[Field] = &[
    id(),
    text("companyName", 100).required(),
    text("companyNumber", 50),
    picklist("companyType").required(),
    boolean("isActive"),
    text("phone", 25).required(),
    text("fax", 25),
    text("address1", 128),
    text("address2", 128),
    text("city", 30),
    text("state", 40),
    text("postalCode", 10),
    integer("countryID").to(Entity::Countries),
    text("additionalAddressInformation", 100),
    text("webAddress", 255),
    integer("currencyID").to(Entity::Currencies),
    text("taxID", 50),
    integer("taxRegionID"),
    boolean("isTaxExempt"),
    integer("parentCompanyID").to(Entity::Companies),
    integer("ownerResourceID").required().to(Entity::Resources),
    integer("purchaseOrderTemplateID"),
    double("assetValue").hidden(),
    text("sicCode", 32).hidden(),
    text("stockMarket", 10).hidden(),
    text("stockSymbol", 10).hidden(),
    datetime("createDate").server(),
    datetime("lastActivityDate").server(),
    datetime("lastTrackedModifiedDateTime").server(),
];

static CURRENCIES: &[Field] = &[
    id(),
    text("name", 3).server(),
    text("description", 100).server(),
    integer("displaySymbol").server(),
    double("exchangeRate").required(),
    boolean("isInternalCurrency").server(),
    boolean("isActive").server(),
    text("currencyPositiveFormat", 10).server(),
    text("currencyNegativeFormat", 10).server(),
    datetime("lastModifiedDateTime").server(),
    integer("updateResourceId").server().to(Entity::Resources),
];

static COMPANY_TODOS: &[Field] = &[
    id(),
    long("companyID")
        .required()
        .create_only()
        .to(Entity::Companies),
    picklist("actionType").required(),
    long("assignedToResourceID")
        .required()
        .to(Entity::Resources),
    datetime("startDateTime").required(),
    datetime("endDateTime").required(),
    text("activityDescription", 32_000),
    datetime("completedDate"),
    long("contactID"),
    long("contractID"),
    long("opportunityID"),
    long("ticketID"),
    datetime("createDateTime").server(),
    long("creatorResourceID").server().to(Entity::Resources),
    datetime("lastModifiedDate").server(),
    integer("impersonatorCreatorResourceID").server(),
];

static ACTION_TYPES: &[Field] = &[
    id(),
    text("name", 32).required(),
    picklist("view").required(),
    boolean("isActive").required(),
    boolean("isSystemActionType").server(),
];

static RESOURCES: &[Field] = &[
    id(),
    boolean("isActive").required(),
    text("firstName", 50).required(),
    text("lastName", 50).required(),
    text("email", 254).required(),
    text("userName", 32).required(),
    text("title", 50),
    text("resourceType", 15).required(),
    picklist("licenseType").required().server(),
    integer("userType").required().server(),
    integer("locationID").required().server(),
    long("defaultServiceDeskRoleID").hidden(),
];

static PAYMENT_TERMS: &[Field] = &[
    id(),
    text("name", 100).required(),
    text("description", 200),
    boolean("isActive").required(),
    integer("paymentDueInDays"),
];

static SHIPPING_TYPES: &[Field] = &[
    id(),
    text("name", 100).required(),
    boolean("isActive").required(),
];

static INVENTORY_LOCATIONS: &[Field] = &[
    id(),
    text("locationName", 50).required(),
    boolean("isActive").required(),
    boolean("isDefault").server(),
];

static BILLING_CODES: &[Field] = &[
    id(),
    text("name", 200).required(),
    text("externalNumber", 100),
    text("description", 500),
    integer("useType"),
    boolean("isActive").required(),
];

static COUNTRIES: &[Field] = &[
    id(),
    text("countryCode", 2),
    text("name", 50),
    text("displayName", 100).required(),
    boolean("isActive"),
    boolean("isDefaultCountry"),
];
