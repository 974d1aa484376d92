//! Whether a request comes from where it must come from.

use http::{StatusCode, header};
use url::{Host, Url};

use crate::{call::Call, error::WebError, secret};

/// The header that every change through the JSON interface must bear; no page of another site can
/// set it without being asked first, and it is never allowed to.
pub(crate) const REQUEST_HEADER: &str = "x-purser-request";

/// Refuses names that this application does not go by, so that no other name can point at it.
pub(crate) fn check_host(call: &Call, public_url: &Url) -> Result<(), WebError> {
    let Some(host) = call.header(header::HOST.as_str()) else {
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
    let site = call.header("sec-fetch-site");
    // A browser that sends no referrer, as our pages ask it to, hides the origin of a form as
    // `null`; what it says about the site cannot be set by any page.
    let origin = call
        .header(header::ORIGIN.as_str())
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
    match form.get("form_secret") {
        Some(given) if secret::same(given, wanted) => Ok(()),
        _ => Err(WebError::forged()),
    }
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
