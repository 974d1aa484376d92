//! The zone: where a tenant's database answers. Only texts and addresses here, no calls.

use jiff::Timestamp;
use purser_core::{failure::Failure, tenant::AutotaskDatabase};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::{
    host::check_host,
    wire::row::{Garbled, Row},
};

/// A zone that passed the host check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// The address all entities hang under; ends with `/V1.0/`.
    pub(crate) base: Url,
    /// Where people open Autotask, ending with a slash; empty when it was not a proper address.
    pub(crate) web_url: String,
    /// Which database it is, when the answer tells.
    pub(crate) database: Option<AutotaskDatabase>,
}

/// What the clients of one tenant remember about its zone.
#[derive(Debug, Default)]
pub(crate) struct ZoneSlot {
    /// The zone, whose credentials it was asked for, and when.
    pub(crate) known: Option<(Zone, u64, Timestamp)>,
    /// The address at which these credentials were refused.
    pub(crate) refused: Option<(Url, u64)>,
}

impl ZoneSlot {
    /// The zone known for these credentials and when it was asked for.
    pub(crate) fn of(&self, key: u64) -> Option<(&Zone, Timestamp)> {
        self.known
            .as_ref()
            .filter(|(_, known_key, _)| *known_key == key)
            .map(|(zone, _, at)| (zone, *at))
    }
}

/// The address of the lookup for `user`, from an origin or from a longer address.
pub(crate) fn lookup_url(zone_url: &Url, user: &str) -> Url {
    let mut segments: Vec<&str> = zone_url
        .path()
        .split('/')
        .filter(|s| !s.is_empty())
        .collect();
    let position = |name: &str| segments.iter().position(|s| s.eq_ignore_ascii_case(name));
    if let Some(end) = position("zoneInformation") {
        segments.truncate(end + 1);
    } else {
        if position("atservicesrest").is_none() {
            segments.push("atservicesrest");
        }
        if !segments
            .last()
            .is_some_and(|s| s.eq_ignore_ascii_case("v1.0"))
        {
            segments.push("v1.0");
        }
        segments.push("zoneInformation");
    }
    let path = segments.join("/");
    let mut url = zone_url.clone();
    url.set_path(&path);
    url.set_fragment(None);
    // A form writes a space as "+", which not every server reads back in a query.
    let encoded: String = form_urlencoded::byte_serialize(user.as_bytes()).collect();
    url.set_query(Some(&format!("user={}", encoded.replace('+', "%20"))));
    url
}

/// Reads the answer of the lookup; the address must be one that may be given a secret.
pub(crate) fn read_zone(answer: &Value, allow_local: bool) -> Result<Zone, ZoneError> {
    let row = Row::of(answer).ok_or(Garbled("zone"))?;
    let text = row.text("url")?.ok_or(Garbled("url"))?;
    let url = Url::parse(text.trim()).map_err(|_| Garbled("url"))?;
    check_host(&url, allow_local)?;
    let web_url = row.text("webUrl")?.unwrap_or_default();
    Ok(Zone {
        base: base_of(url),
        web_url: web_url_of(&web_url, allow_local),
        database: database_of(&row),
    })
}

/// The number of the database. What cannot be read as one is left out: it is only ever compared,
/// and a wrong identity would stop work that a missing one lets go on.
fn database_of(row: &Row) -> Option<AutotaskDatabase> {
    let number = row.integer("ci").ok().flatten()?;
    (number > 0).then(|| AutotaskDatabase::new(number.to_string()))
}

/// Why the answer of a lookup cannot be used.
#[derive(Debug)]
pub(crate) enum ZoneError {
    Garbled,
    Refused(Failure),
}

impl From<Garbled> for ZoneError {
    fn from(_: Garbled) -> Self {
        Self::Garbled
    }
}

impl From<Failure> for ZoneError {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

fn base_of(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/');
    let has_version = path
        .rsplit('/')
        .next()
        .is_some_and(|last| last.eq_ignore_ascii_case("v1.0"));
    let path = if has_version {
        format!("{path}/")
    } else {
        format!("{path}/V1.0/")
    };
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    url
}

fn web_url_of(text: &str, allow_local: bool) -> String {
    // People click on it, so it has to pass the same check; without one, pages show no links.
    match Url::parse(text.trim()) {
        Ok(url) if check_host(&url, allow_local).is_ok() => {
            format!("{}/", text.trim().trim_end_matches('/'))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_lookup_address_grows_from_any_start() {
        let expected =
            "https://a.autotask.net/atservicesrest/v1.0/zoneInformation?user=u%2B1%40x.com";
        for start in [
            "https://a.autotask.net",
            "https://a.autotask.net/",
            "https://a.autotask.net/atservicesrest",
            "https://a.autotask.net/atservicesrest/v1.0/",
            "https://a.autotask.net/atservicesrest/v1.0/zoneInformation",
            "https://a.autotask.net/atservicesrest/v1.0/zoneInformation?user=",
        ] {
            let url = lookup_url(&start.parse().unwrap(), "u+1@x.com");
            assert_eq!(url.as_str(), expected, "{start}");
        }
        let kept = lookup_url(
            &"https://a.autotask.net/ATServicesRest/V1.0"
                .parse()
                .unwrap(),
            "a b&c",
        );
        assert_eq!(
            kept.as_str(),
            "https://a.autotask.net/ATServicesRest/V1.0/zoneInformation?user=a%20b%26c"
        );
    }

    #[test]
    fn addresses_are_normalised_and_their_case_is_kept() {
        for url in [
            "https://webservices3.autotask.net/ATServicesRest/",
            "https://webservices3.autotask.net/ATServicesRest",
            "https://webservices3.autotask.net/ATServicesRest/V1.0/",
        ] {
            let zone = read_zone(
                &json!({"Url": url, "webUrl": "https://ww3.autotask.net"}),
                false,
            );
            let zone = zone.unwrap();
            assert_eq!(
                zone.base.as_str(),
                "https://webservices3.autotask.net/ATServicesRest/V1.0/"
            );
            assert_eq!(zone.web_url, "https://ww3.autotask.net/");
        }
    }

    #[test]
    fn the_database_is_told_by_its_number_alone_and_an_odd_one_is_none() {
        let database = |more: Value| {
            let mut answer = json!({"url": "https://w.autotask.net/ATServicesRest/"});
            for (field, value) in more.as_object().unwrap() {
                answer[field] = value.clone();
            }
            read_zone(&answer, false).unwrap().database
        };
        let known = Some(AutotaskDatabase::new("123456".to_owned()));
        for told in [
            json!({"ci": 123_456}),
            json!({"CI": "123456"}),
            json!({"ci": " 123456 "}),
            json!({"ci": 123_456.0, "url": "https://moved.autotask.net/ATServicesRest/"}),
        ] {
            assert_eq!(database(told.clone()), known, "{told}");
        }
        for odd in [
            json!({}),
            json!({"ci": null}),
            json!({"ci": ""}),
            json!({"ci": 0}),
            json!({"ci": -1}),
            json!({"ci": 1.5}),
            json!({"ci": true}),
            json!({"ci": "none"}),
            json!({"ci": {"id": 123_456}}),
            json!({"ci": [123_456]}),
        ] {
            assert_eq!(database(odd.clone()), None, "{odd}");
        }
    }

    #[test]
    fn a_strange_web_address_is_left_out_and_a_strange_zone_is_refused() {
        let zone = |url: &str, web: &str| read_zone(&json!({"url": url, "webUrl": web}), false);
        let ok = zone(
            "https://w.autotask.net/ATServicesRest/",
            "javascript:alert(1)",
        )
        .unwrap();
        assert_eq!(ok.web_url, "");
        assert!(matches!(
            zone("https://evil.example/", ""),
            Err(ZoneError::Refused(_))
        ));
        assert!(matches!(
            read_zone(&json!({}), false),
            Err(ZoneError::Garbled)
        ));
    }
}
