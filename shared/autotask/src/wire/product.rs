//! `Products` (vendor page `ProductsEntity`).

use purser_core::{ids::ProductId, orders::Product};

use crate::wire::row::{Garbled, Row};

/// The entity's name in addresses.
pub(crate) const ENTITY: &str = "Products";

/// What is asked for.
pub(crate) const FIELDS: &[&str] = &[
    "id",
    "name",
    "sku",
    "manufacturerProductName",
    "description",
];

/// Reads one product.
pub(crate) fn read(row: &Row) -> Result<Product, Garbled> {
    Ok(Product {
        id: ProductId::new(row.id()?),
        name: row.text("name")?.unwrap_or_default(),
        sku: row.text("sku")?,
        manufacturer_part_number: row.text("manufacturerProductName")?,
        description: row.text("description")?,
    })
}
