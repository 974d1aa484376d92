//! From a path to an operation.

use http::Method;

use crate::{
    call::{API, Call},
    error::WebError,
    routes::{Operation, PAGES, interface},
};

/// The variable parts of a path, by name.
pub(crate) type Parameters = Vec<(&'static str, String)>;

/// Finds the operation, or says that there is none or that the method is another one.
pub(crate) fn find(call: &Call) -> Result<(Operation, Parameters), WebError> {
    // HEAD is GET without a body.
    let method = match call.method {
        Method::HEAD => Method::GET,
        ref other => other.clone(),
    };
    let mut allowed: Vec<Method> = Vec::new();
    let candidates: Vec<(Method, &'static str, Operation)> = match call.path.strip_prefix(API) {
        Some(_) => interface()
            .into_iter()
            .map(|route| (route.method, route.path, route.operation))
            .collect(),
        None => PAGES
            .iter()
            .map(|page| (page.0.clone(), page.1, page.2))
            .collect(),
    };
    let path = call.path.strip_prefix(API).unwrap_or(&call.path);
    for (known, pattern, operation) in candidates {
        let Some(parameters) = matched(pattern, path) else {
            continue;
        };
        if known == method {
            return Ok((operation, parameters));
        }
        allowed.push(known);
    }
    if allowed.is_empty() {
        return Err(WebError::not_found());
    }
    Err(wrong_method(&allowed))
}

fn wrong_method(allowed: &[Method]) -> WebError {
    let mut names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.sort_unstable();
    names.dedup();
    WebError::new(
        http::StatusCode::METHOD_NOT_ALLOWED,
        "request.method",
        "This address does not know that method.",
        format!("Use {}.", names.join(" or ")),
    )
    .allowing(names.join(", "))
}

/// The variable parts, when the path has the pattern's shape.
fn matched(pattern: &'static str, path: &str) -> Option<Parameters> {
    let mut parameters = Vec::new();
    let mut parts = path.split('/');
    for wanted in pattern.split('/') {
        let part = parts.next()?;
        let name = wanted
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) if !part.is_empty() => parameters.push((name, decoded(part)?)),
            None if wanted == part => {}
            _ => return None,
        }
    }
    parts.next().is_none().then_some(parameters)
}

/// A part of a path without its escapes; one that is no text does not exist.
fn decoded(part: &str) -> Option<String> {
    // What divides a form is text in a path.
    let text = part
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    let (name, _) = url::form_urlencoded::parse(text.as_bytes()).next()?;
    let is_text = !name.contains(char::REPLACEMENT_CHARACTER) && !name.contains('\0');
    is_text.then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_parts_only() {
        let found = matched("/logs/{order}/retry", "/logs/47%2B1/retry").unwrap();
        assert_eq!(found, [("order", "47+1".to_owned())]);
        for other in ["/logs/4711", "/logs//retry", "/logs/1/retry/", "/x/1/retry"] {
            assert!(matched("/logs/{order}/retry", other).is_none(), "{other}");
        }
        assert!(matched("/logs/{order}", "/logs/%ff").is_none());
    }

    #[test]
    fn a_fixed_path_comes_before_a_variable_one() {
        let position = |path| PAGES.iter().position(|page| page.1 == path).unwrap();
        assert!(position("/logs/export") < position("/logs/{order}"));
    }
}
