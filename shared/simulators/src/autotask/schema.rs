//! The entities and their fields, as the vendor's field information describes them.

use serde::{Deserialize, Serialize};

use super::fields::{self, Field};

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
            Self::ActionTypes => fields::ACTION_TYPES,
            Self::BillingCodes => fields::BILLING_CODES,
            Self::Companies => fields::COMPANIES,
            Self::CompanyToDos => fields::COMPANY_TODOS,
            Self::Countries => fields::COUNTRIES,
            Self::Currencies => fields::CURRENCIES,
            Self::InventoryLocations => fields::INVENTORY_LOCATIONS,
            Self::PaymentTerms => fields::PAYMENT_TERMS,
            Self::Products => fields::PRODUCTS,
            Self::PurchaseOrderItemReceiving => fields::RECEIVING,
            Self::PurchaseOrderItems => fields::ORDER_ITEMS,
            Self::PurchaseOrders => fields::ORDERS,
            Self::Resources => fields::RESOURCES,
            Self::ShippingTypes => fields::SHIPPING_TYPES,
        }
    }

    /// Finds a field in any letter case.
    pub(super) fn field(self, name: &str) -> Option<&'static Field> {
        self.fields()
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
    }
}
