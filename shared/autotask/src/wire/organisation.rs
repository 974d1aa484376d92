//! `Companies` (vendor page `CompaniesEntity`). Id 0 is the tenant's own organisation.

use purser_core::{
    ids::{CurrencyId, OrganisationId},
    orders::Organisation,
};

use crate::wire::row::{Garbled, Row};

/// The entity's name in addresses.
pub(crate) const ENTITY: &str = "Companies";

/// What is asked for.
pub(crate) const FIELDS: &[&str] = &["id", "companyName", "currencyID"];

/// Reads one organisation.
pub(crate) fn read(row: &Row) -> Result<Organisation, Garbled> {
    Ok(Organisation {
        id: OrganisationId::new(row.id()?),
        name: row.text("companyName")?.unwrap_or_default(),
        currency: row.integer("currencyID")?.map(CurrencyId::new),
    })
}
