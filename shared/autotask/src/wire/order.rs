//! `PurchaseOrders` (vendor page `PurchaseOrdersEntity`).

use purser_core::{
    ids::{OrderId, OrganisationId, PaymentTermId, StatusId},
    orders::Order,
};

use crate::wire::row::{Garbled, Row};

/// The entity's name in addresses.
pub(crate) const ENTITY: &str = "PurchaseOrders";

/// What is asked for. The External PO Number is never filtered on: blank is null or empty.
pub(crate) const FIELDS: &[&str] = &[
    "id",
    "purchaseOrderNumber",
    "status",
    "createDateTime",
    "submitDateTime",
    "externalPONumber",
    "vendorID",
    "purchaseForCompanyID",
    "generalMemo",
    "freight",
    "paymentTerm",
];

/// The longest External PO Number, in characters.
pub(crate) const EXTERNAL_NUMBER_MAX: usize = 50;

/// Reads one order.
pub(crate) fn read(row: &Row) -> Result<Order, Garbled> {
    Ok(Order {
        id: OrderId::new(row.id()?),
        number: row.text("purchaseOrderNumber")?,
        status: row.integer("status")?.map(StatusId::new),
        created: row.time("createDateTime")?,
        submitted: row.time("submitDateTime")?,
        external_number: row.text("externalPONumber")?,
        vendor: row.integer("vendorID")?.map(OrganisationId::new),
        purchase_for: row
            .integer("purchaseForCompanyID")?
            .map(OrganisationId::new),
        memo: row.text("generalMemo")?,
        freight: row.amount("freight")?,
        payment_term: row.integer("paymentTerm")?.map(PaymentTermId::new),
    })
}
