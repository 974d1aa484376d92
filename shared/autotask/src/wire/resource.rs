//! `Resources` (vendor page `ResourcesEntity`).

use purser_core::{
    ids::ResourceId,
    orders::{PickListValue, Resource},
};

use crate::wire::row::{Garbled, Row};

/// The entity's name in addresses.
pub(crate) const ENTITY: &str = "Resources";

/// What is asked for.
pub(crate) const FIELDS: &[&str] = &[
    "id",
    "firstName",
    "lastName",
    "email",
    "userName",
    "resourceType",
    "licenseType",
    "isActive",
];

/// The types of resource that are people who work.
const WORKING_TYPES: &[&str] = &["Employee", "Contractor"];

/// Reads a person who can be given a to-do; `None` for the inactive, the API-only and our own user.
pub(crate) fn read_person(
    row: &Row,
    licences: &[PickListValue],
    own_user: &str,
) -> Result<Option<Resource>, Garbled> {
    let kind = row.text("resourceType")?.unwrap_or_default();
    let works = kind.trim().is_empty()
        || WORKING_TYPES
            .iter()
            .any(|t| t.eq_ignore_ascii_case(kind.trim()));
    let is_active = row.flag("isActive")?.unwrap_or(true);
    let is_api = is_api_only(row, licences)?.unwrap_or(false);
    if !works || !is_active || is_api || is_user(row, own_user)? {
        return Ok(None);
    }
    Ok(Some(Resource {
        id: ResourceId::new(row.id()?),
        name: name_of(row)?,
        email: row.text("email")?.filter(|email| !email.trim().is_empty()),
    }))
}

/// Whether the licence says API; `None` when the licence or its label is not shown.
pub(crate) fn is_api_only(row: &Row, licences: &[PickListValue]) -> Result<Option<bool>, Garbled> {
    let Some(licence) = row.integer("licenseType")? else {
        return Ok(None);
    };
    let label = licences.iter().find(|value| value.value == licence);
    Ok(label.map(|value| says_api(&value.label)))
}

/// Whether this is the resource with that user name (or the same as e-mail address).
pub(crate) fn is_user(row: &Row, user: &str) -> Result<bool, Garbled> {
    let same = |text: Option<String>| text.is_some_and(|t| t.trim().eq_ignore_ascii_case(user));
    Ok(same(row.text("userName")?) || same(row.text("email")?))
}

fn says_api(label: &str) -> bool {
    // As a word: a licence called "Rapid" is not one.
    label
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word.eq_ignore_ascii_case("api"))
}

fn name_of(row: &Row) -> Result<String, Garbled> {
    let first = row.text("firstName")?.unwrap_or_default();
    let last = row.text("lastName")?.unwrap_or_default();
    let full = format!("{} {}", first.trim(), last.trim())
        .trim()
        .to_owned();
    if !full.is_empty() {
        return Ok(full);
    }
    let other = row.text("userName")?.or(row.text("email")?);
    Ok(other.unwrap_or_else(|| format!("Resource {}", row.id().unwrap_or_default())))
}
