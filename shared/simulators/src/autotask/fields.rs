//! The fields of every entity, with the lengths and flags of the vendor's field information.

use super::schema::Entity;

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

pub(super) static ORDERS: &[Field] = &[
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

pub(super) static ORDER_ITEMS: &[Field] = &[
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

pub(super) static RECEIVING: &[Field] = &[
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

pub(super) static PRODUCTS: &[Field] = &[
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

pub(super) static COMPANIES: &[Field] = &[
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

pub(super) static CURRENCIES: &[Field] = &[
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

pub(super) static COMPANY_TODOS: &[Field] = &[
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

pub(super) static ACTION_TYPES: &[Field] = &[
    id(),
    text("name", 32).required(),
    picklist("view").required(),
    boolean("isActive").required(),
    boolean("isSystemActionType").server(),
];

pub(super) static RESOURCES: &[Field] = &[
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

pub(super) static PAYMENT_TERMS: &[Field] = &[
    id(),
    text("name", 100).required(),
    text("description", 200),
    boolean("isActive").required(),
    integer("paymentDueInDays"),
];

pub(super) static SHIPPING_TYPES: &[Field] = &[
    id(),
    text("name", 100).required(),
    boolean("isActive").required(),
];

pub(super) static INVENTORY_LOCATIONS: &[Field] = &[
    id(),
    text("locationName", 50).required(),
    boolean("isActive").required(),
    boolean("isDefault").server(),
];

pub(super) static BILLING_CODES: &[Field] = &[
    id(),
    text("name", 200).required(),
    text("externalNumber", 100),
    text("description", 500),
    integer("useType"),
    boolean("isActive").required(),
];

pub(super) static COUNTRIES: &[Field] = &[
    id(),
    text("countryCode", 2),
    text("name", 50),
    text("displayName", 100).required(),
    boolean("isActive"),
    boolean("isDefaultCountry"),
];
