//! `Currencies` (vendor page `CurrenciesEntity`); can be queried even when multi-currency is off.

use purser_core::{
    ids::CurrencyId,
    orders::{CurrencyRow, CurrencyTable},
};

use crate::wire::row::{Garbled, Row};

/// The entity's name in addresses.
pub(crate) const ENTITY: &str = "Currencies";

/// What is asked for.
pub(crate) const FIELDS: &[&str] = &["id", "name", "isInternalCurrency", "isActive"];

/// Reads the table. A row whose name is not a three-letter code can price nothing and is left out.
pub(crate) fn read(rows: &[Row]) -> Result<CurrencyTable, Garbled> {
    let mut table = CurrencyTable::default();
    for row in rows {
        let Some(Ok(code)) = row.text("name")?.map(|name| name.parse()) else {
            continue;
        };
        table.rows.push(CurrencyRow {
            id: CurrencyId::new(row.id()?),
            code,
            internal: row.flag("isInternalCurrency")?.unwrap_or(false),
            active: row.flag("isActive")?.unwrap_or(true),
        });
    }
    Ok(table)
}
