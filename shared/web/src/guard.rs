//! Whether a request comes from where it must come from.

use http::{StatusCode, header};
use purser_core::ids::TenantId;
use url::{Host, Url};

use crate::{call::Call, error::WebError, secret};

/// The header that every change through the JSON interface must bear; no page of another site can
/// set it without being asked first, and it is never allowed to.
pub(crate) const REQUEST_HEADER: &str = "x-purser-request";
/// The header by which a program says which company it means.
pub(crate) const COMPANY_HEADER: &str = "x-purser-company";
/// The field by which a form proves that a page of its session has sent it.
const FORM_SECRET: &str = "form_secret";

/// What a form bears: a proof of its session, and the company that it was shown for. Without the
/// company, a form in one tab would act on whatever another tab has switched to since.
pub(crate) fn form_secret(secret: &str, company: Option<&TenantId>) -> String {
    let company = company.map(TenantId::as_str).unwrap_or_default();
    format!("{}.{company}", proof(secret, company))
}

fn proof(secret: &str, company: &str) -> String {
    secret::hashed(&format!("{secret}\n{company}"))
}

/// The company that a form was shown for, when its proof is right.
fn shown_for(given: &str, secret: &str) -> Option<String> {
    let (proven, company) = given.split_once('.')?;
    secret::same(proven, &proof(secret, company)).then(|| company.to_owned())
}

/// Refuses names that this application does not go by, so that no other name can point at it.
pub(crate) fn check_host(call: &Call, public_url: &Url) -> Result<(), WebError> {
    let Some(host) = told(call, header::HOST.as_str()) else {
        return Ok(()); // HTTP/2 and function events have none; the way in has checked it.
    };
    if is_ours(&format!("{}://{host}/", public_url.scheme()), public_url) {
        return Ok(());
    }
    Err(WebError::new(
        StatusCode::MISDIRECTED_REQUEST,
        "request.host",
        "Purser does not answer under this name.",
        format!("Open {public_url} instead."),
    ))
}

/// Refuses changes that no page of ours has sent.
pub(crate) fn check_origin(
    call: &Call,
    public_url: &Url,
    form_secret: Option<&str>,
) -> Result<(), WebError> {
    let site = told(call, "sec-fetch-site");
    // A browser that sends no referrer, as our pages ask it to, hides the origin of a form as
    // `null`; what it says about the site cannot be set by any page.
    let origin = told(call, header::ORIGIN.as_str())
        .filter(|origin| *origin != "null" || site != Some("same-origin"));
    let is_foreign = origin.is_some_and(|origin| !is_ours(origin, public_url));
    let is_cross_site = site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    if is_foreign || is_cross_site {
        return Err(WebError::forged());
    }
    if call.is_api {
        return match call.header(REQUEST_HEADER) {
            Some("1") => Ok(()),
            _ => Err(WebError::forged()),
        };
    }
    // A browser says with every form where it comes from.
    if origin.is_none() && site != Some("same-origin") {
        return Err(WebError::forged());
    }
    let Some(wanted) = form_secret else {
        return Ok(());
    };
    let form = call.form();
    let given = form.get(FORM_SECRET).unwrap_or_default();
    match shown_for(given, wanted) {
        Some(_) => Ok(()),
        None => Err(WebError::forged()),
    }
}

/// Refuses what was meant for another company than the one that the session looks at now.
pub(crate) fn check_company(call: &Call, company: Option<&TenantId>) -> Result<(), WebError> {
    let form = call.form();
    let meant = if call.is_api {
        told(call, COMPANY_HEADER)
    } else {
        let given = form.get(FORM_SECRET);
        given.and_then(|given| given.split_once('.')).map(|it| it.1)
    };
    match meant {
        Some(meant) if meant != company.map(TenantId::as_str).unwrap_or_default() => {
            Err(WebError::other_company())
        }
        _ => Ok(()),
    }
}

/// What a header says. One that is no text says something, too, and nothing that is right.
fn told<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    let value = call.headers.get(name)?;
    Some(value.to_str().unwrap_or_default())
}

/// Whether an address is the public one; all names of this machine are one.
fn is_ours(text: &str, public_url: &Url) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let same_place = url.scheme() == public_url.scheme()
        && url.port_or_known_default() == public_url.port_or_known_default();
    let same_host = url.host() == public_url.host() || (is_local(&url) && is_local(public_url));
    same_place && same_host
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use jiff::Timestamp;

    use super::*;

    const OURS: &str = "https://purser.example";
    const FORM: &str = "/settings";
    const PROGRAM: &str = "/api/v1/settings";

    fn call(path: &str, headers: &[(&str, &str)], body: &str) -> Call {
        let mut request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        Call::read(request, "number".to_owned(), Timestamp::UNIX_EPOCH)
    }

    fn lets_in(path: &str, headers: &[(&str, &str)]) -> bool {
        let url = OURS.parse().unwrap();
        check_origin(&call(path, headers, ""), &url, None).is_ok()
    }

    #[test]
    fn a_form_tells_where_it_comes_from() {
        let (origin, site) = ("origin", "sec-fetch-site");
        for (headers, expected) in [
            (vec![], false),
            (vec![(origin, OURS)], true),
            (vec![(site, "same-origin")], true),
            (vec![(origin, OURS), (site, "same-origin")], true),
            (vec![(origin, OURS), (site, "none")], true),
            (vec![(origin, "null"), (site, "same-origin")], true),
            (vec![(origin, "null"), (site, "none")], false),
            (vec![(origin, "null")], false),
            (vec![(site, "none")], false),
            (vec![(site, "Same-Origin")], false),
            (vec![(origin, OURS), (site, "same-site")], false),
            (vec![(origin, OURS), (site, "cross-site")], false),
            (
                vec![(origin, "https://evil.example"), (site, "same-origin")],
                false,
            ),
            (vec![(origin, "http://purser.example")], false),
            (vec![(origin, "https://purser.example:444")], false),
            (vec![(origin, "https://purser.example:443")], true),
            (vec![(origin, "purser.example")], false),
            (vec![(origin, "")], false),
        ] {
            assert_eq!(lets_in(FORM, &headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_header_that_is_no_text_is_none_of_ours() {
        let url = OURS.parse().unwrap();
        for name in ["host", "origin", "sec-fetch-site"] {
            let mut call = call(FORM, &[("origin", OURS)], "");
            let odd = header::HeaderValue::from_bytes("purser.example\u{e4}".as_bytes());
            call.headers.insert(name, odd.unwrap());
            let checked = check_host(&call, &url).and(check_origin(&call, &url, None));
            assert!(checked.is_err(), "{name}");
        }
    }

    #[test]
    fn a_program_sends_the_header_and_comes_from_no_other_site() {
        let own = (REQUEST_HEADER, "1");
        for (headers, expected) in [
            (vec![], false),
            (vec![own], true),
            (vec![(REQUEST_HEADER, "2")], false),
            (vec![own, ("origin", OURS)], true),
            (vec![own, ("origin", "https://evil.example")], false),
            (vec![own, ("sec-fetch-site", "cross-site")], false),
            (vec![own, ("sec-fetch-site", "same-site")], false),
            (
                vec![("origin", OURS), ("sec-fetch-site", "same-origin")],
                false,
            ),
        ] {
            assert_eq!(lets_in(PROGRAM, &headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_form_of_a_session_bears_its_secret_first() {
        let url = OURS.parse().unwrap();
        let tenant: TenantId = "harbor".parse().unwrap();
        for company in [None, Some(&tenant)] {
            let right = form_secret("of the session", company);
            let short = &right[1..];
            let wrong = form_secret("of another", company);
            for (body, expected) in [
                (format!("form_secret={right}"), true),
                (format!("a=b&form_secret={right}"), true),
                (format!("form_secret={right}&form_secret={wrong}"), true),
                (format!("form_secret={wrong}&form_secret={right}"), false),
                (format!("form_secret={short}"), false),
                (format!("form_secret={right}s"), false),
                ("form_secret=".to_owned(), false),
                ("form_secret=.".to_owned(), false),
                (String::new(), false),
            ] {
                let call = call(FORM, &[("origin", OURS)], &body);
                let checked = check_origin(&call, &url, Some("of the session"));
                assert_eq!(checked.is_ok(), expected, "{body}");
            }
        }
    }

    #[test]
    fn what_is_meant_for_another_company_is_refused() {
        let [harbor, bay] = ["harbor", "bay"].map(|name| name.parse::<TenantId>().unwrap());
        let all = [None, Some(&harbor), Some(&bay)];
        for shown in all {
            for current in all {
                let body = format!("form_secret={}", form_secret("secret", shown));
                let form = call(FORM, &[], &body);
                let is_well = check_company(&form, current).is_ok();
                assert_eq!(is_well, shown == current, "{shown:?} {current:?}");
                let name = shown.map(TenantId::as_str).unwrap_or_default();
                let program = call(PROGRAM, &[(COMPANY_HEADER, name)], "");
                let is_well = check_company(&program, current).is_ok();
                assert_eq!(is_well, shown == current, "{shown:?} {current:?}");
            }
        }
        assert!(check_company(&call(PROGRAM, &[], ""), Some(&harbor)).is_ok());
    }

    #[test]
    fn all_names_of_this_machine_are_one_and_no_other_name_is_ours() {
        let local = "http://127.0.0.1:8080/".parse().unwrap();
        for (host, expected) in [
            ("127.0.0.1:8080", true),
            ("localhost:8080", true),
            ("[::1]:8080", true),
            ("127.0.0.1:8081", false),
            ("127.0.0.1", false),
            ("localhost.evil.example:8080", false),
            ("evil.example:8080", false),
            ("a b", false),
        ] {
            let checked = check_host(&call(FORM, &[("host", host)], ""), &local);
            assert_eq!(checked.is_ok(), expected, "{host}");
        }
        let public = OURS.parse().unwrap();
        for (host, expected) in [
            ("purser.example", true),
            ("PURSER.example", true),
            ("localhost", false),
            ("user@purser.example", true),
            ("purser.example@evil.example", false),
        ] {
            let checked = check_host(&call(FORM, &[("host", host)], ""), &public);
            assert_eq!(checked.is_ok(), expected, "{host}");
        }
    }
}
