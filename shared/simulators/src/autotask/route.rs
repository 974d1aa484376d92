//! From an address to what is asked for.

use http::Method;

use super::schema::Entity;

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    ZoneInformation,
    VersionInformation,
    ThresholdInformation,
    Modules,
    /// The collection itself: writes.
    Collection(Entity),
    Item(Entity, String),
    Query(Entity),
    QueryCount(Entity),
    QueryNext(Entity),
    Information(Entity),
    Fields(Entity),
    UserDefinedFields(Entity),
    /// The collection of a child under its parent.
    Children(Entity, i64),
    Child(Entity, i64, String),
}

/// An address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// First part of the zone's address.
    pub(super) zone_path: String,
    /// None when there is no such address.
    pub(super) resource: Option<Resource>,
}

impl Route {
    pub(super) fn parse(path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let root = segments
            .iter()
            .position(|part| part.eq_ignore_ascii_case("atservicesrest"));
        let (zone, rest) = match root {
            Some(at) => (segments[..at].join("/"), &segments[at + 1..]),
            None => (String::new(), &segments[..0]),
        };
        Self {
            zone_path: zone.to_ascii_lowercase(),
            resource: resource(rest),
        }
    }

    /// The name for faults and the journal: method and entity without ids.
    pub(super) fn name(&self, method: &Method) -> String {
        match &self.resource {
            Some(resource) => format!("{method} {}", resource.name()),
            None => format!("{method} unknown"),
        }
    }
}

fn resource(rest: &[&str]) -> Option<Resource> {
    let is = |part: &str, name: &str| part.eq_ignore_ascii_case(name);
    let rest = match rest {
        [only] if is(only, "versioninformation") => return Some(Resource::VersionInformation),
        [version, rest @ ..] if is(version, "v1.0") => rest,
        _ => return None,
    };
    match rest {
        [only] if is(only, "zoneinformation") => Some(Resource::ZoneInformation),
        [only] if is(only, "thresholdinformation") => Some(Resource::ThresholdInformation),
        [only] if is(only, "modules") => Some(Resource::Modules),
        [entity, rest @ ..] => within(Entity::from_segment(entity)?, rest),
        [] => None,
    }
}

fn within(entity: Entity, rest: &[&str]) -> Option<Resource> {
    let lower: Vec<String> = rest.iter().map(|part| part.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    Some(match lower.as_slice() {
        [] => Resource::Collection(entity),
        ["query"] => Resource::Query(entity),
        ["query", "count"] => Resource::QueryCount(entity),
        ["query", "next"] => Resource::QueryNext(entity),
        ["entityinformation"] => Resource::Information(entity),
        ["entityinformation", "fields"] => Resource::Fields(entity),
        ["entityinformation", "userdefinedfields"] => Resource::UserDefinedFields(entity),
        [id] => Resource::Item(entity, (*id).to_owned()),
        [parent, child, below @ ..] => {
            let child = entity.child(child)?;
            let parent = parent.parse().ok()?;
            match below {
                [] => Resource::Children(child, parent),
                ["entityinformation"] => Resource::Information(child),
                ["entityinformation", "fields"] => Resource::Fields(child),
                ["entityinformation", "userdefinedfields"] => Resource::UserDefinedFields(child),
                [id] => Resource::Child(child, parent, (*id).to_owned()),
                _ => return None,
            }
        }
    })
}

impl Resource {
    fn name(&self) -> String {
        let of = |entity: &Entity, end: &str| format!("{}{end}", entity.name());
        match self {
            Self::ZoneInformation => "zoneInformation".into(),
            Self::VersionInformation => "versionInformation".into(),
            Self::ThresholdInformation => "ThresholdInformation".into(),
            Self::Modules => "Modules".into(),
            Self::Collection(entity) | Self::Item(entity, _) => of(entity, ""),
            Self::Query(entity) => of(entity, "/query"),
            Self::QueryCount(entity) => of(entity, "/query/count"),
            Self::QueryNext(entity) => of(entity, "/query/next"),
            Self::Information(entity) => of(entity, "/entityInformation"),
            Self::Fields(entity) => of(entity, "/entityInformation/fields"),
            Self::UserDefinedFields(entity) => of(entity, "/entityInformation/userDefinedFields"),
            Self::Children(entity, _) | Self::Child(entity, _, _) => {
                entity.child_name().unwrap_or(entity.name()).to_owned()
            }
        }
    }

    pub(super) fn entity(&self) -> Option<Entity> {
        match self {
            Self::ZoneInformation
            | Self::VersionInformation
            | Self::ThresholdInformation
            | Self::Modules => None,
            Self::Collection(entity)
            | Self::Item(entity, _)
            | Self::Query(entity)
            | Self::QueryCount(entity)
            | Self::QueryNext(entity)
            | Self::Information(entity)
            | Self::Fields(entity)
            | Self::UserDefinedFields(entity)
            | Self::Children(entity, _)
            | Self::Child(entity, _, _) => Some(*entity),
        }
    }

    /// The object whose concurrent calls are counted together.
    pub(super) fn thread_name(&self) -> String {
        self.entity()
            .map_or_else(|| self.name(), |entity| entity.name().to_owned())
    }

    pub(super) fn is_metadata(&self) -> bool {
        matches!(
            self,
            Self::Information(_) | Self::Fields(_) | Self::UserDefinedFields(_)
        )
    }

    /// True when this verb at this address can change something.
    pub(super) fn is_write(&self, method: &Method) -> bool {
        let is_place = matches!(
            self,
            Self::Collection(_) | Self::Item(..) | Self::Children(..) | Self::Child(..)
        );
        is_place && *method != Method::GET
    }
}
