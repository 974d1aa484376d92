//! `PurchaseOrderItems` (vendor page `PurchaseOrderItemsEntity`).

use purser_core::{
    ids::{LineId, OrderId, ProductId},
    orders::OrderLine,
};

use crate::wire::row::{Garbled, Row};

/// The entity's name in addresses.
pub(crate) const ENTITY: &str = "PurchaseOrderItems";

/// What is asked for.
pub(crate) const FIELDS: &[&str] = &["id", "orderID", "productID", "quantity", "unitCost", "memo"];

/// Reads one line. A cost that is not shown stays absent: it is never 0.
pub(crate) fn read(row: &Row) -> Result<OrderLine, Garbled> {
    Ok(OrderLine {
        id: LineId::new(row.id()?),
        order: OrderId::new(row.integer("orderID")?.ok_or(Garbled("orderID"))?),
        product: row.integer("productID")?.map(ProductId::new),
        quantity: row.decimal("quantity")?,
        unit_cost: row.decimal("unitCost")?,
        memo: row.text("memo")?,
    })
}
