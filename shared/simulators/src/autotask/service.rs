//! Who may call, and what each address and verb does.

use bytes::Bytes;
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::exchange::json_text;

use super::{
    AutotaskSimulator, metadata,
    query::{self, Reader},
    reply::{Outcome, Refusal},
    route::{Resource, Route},
    schema::Entity,
    switches::InventoryPermission,
    traffic::Admission,
    value::{Row, flag, long},
    world::World,
    write::{self, Verb},
};

/// The longest address a web server of the vendor takes.
const ADDRESS_CHARS_MAX: usize = 2_048;

pub(super) fn header<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
}

/// Lets a call in: address, user, secret, integration code and limits.
///
/// Answers none for addresses that need no user.
pub(super) fn admit(
    simulator: &AutotaskSimulator,
    route: &Route,
    request: &Request<Bytes>,
) -> Result<Option<(String, Admission)>, Refusal> {
    let resource = route.resource.as_ref().ok_or(Refusal::NoSuchResource)?;
    let is_long = request.uri().to_string().len() > ADDRESS_CHARS_MAX;
    if is_long && !matches!(resource, Resource::QueryNext(_)) {
        return Err(Refusal::NoSuchAddress);
    }
    if matches!(
        resource,
        Resource::ZoneInformation | Resource::VersionInformation
    ) {
        return Ok(None);
    }
    let user = header(request, "username").ok_or(Refusal::Unauthorised)?;
    let key = user.trim().to_lowercase();
    let mut worlds = simulator.lock();
    let Some(world) = worlds.get_mut(&key) else {
        return Err(Refusal::error("The API user could not be found."));
    };
    let admission = admit_user(simulator, world, route, resource, request)?;
    Ok(Some((key, admission)))
}

fn admit_user(
    simulator: &AutotaskSimulator,
    world: &mut World,
    route: &Route,
    resource: &Resource,
    request: &Request<Bytes>,
) -> Result<Admission, Refusal> {
    if !route
        .zone_path
        .eq_ignore_ascii_case(world.profile.zone_path())
    {
        return Err(Refusal::Unauthorised);
    }
    let secret = header(request, "secret");
    let failures = world.profile.failures_in_a_row;
    let is_signed_in = if secret == Some(world.profile.seed.secret.as_str()) && failures == 0 {
        !world.profile.is_locked && !world.profile.is_password_expired
    } else {
        let is_right = world.profile_mut().sign_in(secret);
        simulator.commit(world).map_err(|_| Refusal::Broken)?;
        is_right
    };
    if !is_signed_in {
        return Err(Refusal::Unauthorised);
    }
    let code = header(request, "apiintegrationcode").unwrap_or_default();
    let is_strict = world.profile.switches().strict_integration_code;
    if code.is_empty() || (is_strict && code != world.profile.seed.integration_code) {
        return Err(Refusal::error("IntegrationCode is invalid."));
    }
    let now = simulator.context.clock.now();
    let World {
        profile, traffic, ..
    } = world;
    traffic.admit(profile.switches(), code, &resource.thread_name(), now)
}

/// Does what an admitted call asks for, and stores it.
pub(super) fn serve(
    simulator: &AutotaskSimulator,
    route: &Route,
    request: &Request<Bytes>,
) -> Result<String, Refusal> {
    let public_url = &*simulator.context.public_url;
    let now = simulator.context.clock.now();
    let mut worlds = simulator.lock();
    match &route.resource {
        None => return Err(Refusal::NoSuchResource),
        Some(Resource::ZoneInformation) => {
            only_get(request.method())?;
            let user = query::parameter(request, "user")
                .unwrap_or_default()
                .to_lowercase();
            return zone(worlds.get(user.trim()), public_url).map(|zone| json_text(&zone));
        }
        Some(Resource::VersionInformation) => {
            only_get(request.method())?;
            return Ok(json_text(&json!({ "apiVersions": ["V1.0"] })));
        }
        Some(_) => {}
    }
    let key = header(request, "username")
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    let world = worlds.get_mut(&key).ok_or(Refusal::Unauthorised)?;
    let resource = route.resource.as_ref().ok_or(Refusal::NoSuchResource)?;
    check_permission(world, resource)?;
    let outcome = match resource {
        Resource::Fields(entity) => only_get(request.method())
            .and_then(|()| metadata::fields(world, *entity).map_err(|_| Refusal::Broken)),
        _ => dispatch(world, resource, request, public_url, now).map(|body| json_text(&body)),
    };
    simulator.commit(world).map_err(|_| Refusal::Broken)?;
    outcome
}

fn zone(world: Option<&World>, public_url: &str) -> Outcome {
    let Some(world) = world else {
        return Err(Refusal::error("Zone information could not be determined"));
    };
    let mut zone = json!({
        "zoneName": world.profile.seed.zone_name,
        "url": world.profile.zone_url(public_url),
        "webUrl": world.profile.web_url(public_url),
    });
    if !world.profile.switches().number_untold {
        zone["ci"] = world.profile.seed.number().into();
    }
    Ok(zone)
}

fn check_permission(world: &World, resource: &Resource) -> Result<(), Refusal> {
    let text = "The logged in Resource does not have the adequate permissions to perform this \
                action.";
    let needs = !resource.is_metadata() && resource.entity().is_some_and(Entity::is_inventory);
    match world.profile.switches().inventory_permission {
        InventoryPermission::Forbidden if needs => Err(Refusal::Forbidden(text.into())),
        InventoryPermission::Failing if needs => Err(Refusal::error(text)),
        _ => Ok(()),
    }
}

fn dispatch(
    world: &mut World,
    resource: &Resource,
    request: &Request<Bytes>,
    public_url: &str,
    now: Timestamp,
) -> Outcome {
    let method = request.method();
    match resource {
        Resource::Collection(entity) if entity.parent_field().is_none() => {
            write(world, *entity, None, request, now)
        }
        Resource::Collection(_) => Err(Refusal::NoSuchVerb(method.to_string())),
        Resource::Children(entity, parent) if method != Method::GET => {
            write(world, *entity, Some(*parent), request, now)
        }
        Resource::Item(entity, id) if method == Method::DELETE => {
            let is_root = entity.parent_field().is_none();
            if !entity.abilities().delete || !is_root {
                return Err(Refusal::NoSuchVerb(method.to_string()));
            }
            write::delete(world, *entity, None, id, now)
        }
        Resource::Child(entity, parent, id) if method == Method::DELETE => {
            if !entity.abilities().delete {
                return Err(Refusal::NoSuchVerb(method.to_string()));
            }
            write::delete(world, *entity, Some(*parent), id, now)
        }
        _ => {
            let calls = world.traffic.calls_this_hour(now);
            let reader = Reader {
                world,
                public_url,
                now,
            };
            read(&reader, resource, request, calls)
        }
    }
}

fn read(
    reader: &Reader<'_>,
    resource: &Resource,
    request: &Request<Bytes>,
    calls: usize,
) -> Outcome {
    let method = request.method();
    let is_query = matches!(
        resource,
        Resource::Query(_) | Resource::QueryCount(_) | Resource::QueryNext(_)
    );
    if !(is_query && method == Method::POST) {
        only_get(method)?;
    }
    let switches = reader.world.profile.switches();
    match resource {
        Resource::Query(entity) => reader.query(*entity, method, &query::asked(request)?),
        Resource::QueryCount(entity) => reader.count(*entity, &query::asked(request)?),
        Resource::QueryNext(entity) => reader.next(*entity, request),
        Resource::Item(entity, id) => reader.item(*entity, id, None),
        Resource::Child(entity, parent, id) => reader.item(*entity, id, Some(*parent)),
        Resource::Children(entity, parent) => Ok(reader.children(*entity, *parent)),
        Resource::Information(entity) => Ok(metadata::information(reader.world, *entity)),
        Resource::UserDefinedFields(_) => Ok(json!({ "fields": [] })),
        Resource::ThresholdInformation => Ok(json!({
            "externalRequestThreshold": switches.hourly_limit,
            "requestThresholdTimeframe": 60,
            "currentTimeframeRequestCount": calls,
        })),
        Resource::Modules => Ok(json!({ "modules": [
            { "key": 1, "value": true },
            { "key": 24, "value": switches.multi_currency },
        ]})),
        // What is not answered with rows has been answered before.
        Resource::Collection(_)
        | Resource::Fields(_)
        | Resource::ZoneInformation
        | Resource::VersionInformation => Err(Refusal::NoSuchVerb(method.to_string())),
    }
}

fn only_get(method: &Method) -> Result<(), Refusal> {
    if method == Method::GET {
        return Ok(());
    }
    Err(Refusal::NoSuchVerb(method.to_string()))
}

fn write(
    world: &mut World,
    entity: Entity,
    parent: Option<i64>,
    request: &Request<Bytes>,
    now: Timestamp,
) -> Outcome {
    let abilities = entity.abilities();
    let verb = match request.method().as_str() {
        "POST" if abilities.create => Verb::Create,
        "PATCH" if abilities.update => Verb::Patch,
        "PUT" if abilities.update => Verb::Put,
        other => return Err(Refusal::NoSuchVerb(other.to_owned())),
    };
    let body: Value = query::body(request)?;
    write::write(world, entity, verb, parent, &body, now)
}

impl World {
    /// The resource of the API user.
    pub(super) fn api_resource(&self) -> Option<i64> {
        let is_user = |row: &Row| {
            long(row, "licenseType") == Some(metadata::API_LICENSE) && flag(row, "isActive")
        };
        let mut rows = self.table(Entity::Resources).rows();
        rows.find(|(_, row)| is_user(row)).map(|(id, _)| id)
    }
}
