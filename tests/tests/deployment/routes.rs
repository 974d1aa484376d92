//! Every address of the web application reaches the function that answers it.

use std::collections::BTreeSet;

use http::Method;
use purser_web::{Function, addresses};

use crate::template::{Template, rendered, resource_name};

/// A route of the HTTP API and the resource that it leads to.
pub(crate) struct Route {
    /// Its key, such as `POST /runs`.
    pub(crate) key: String,
    function: String,
}

impl Route {
    /// Whether it leads to this function.
    pub(crate) fn leads_to(&self, function: Function) -> bool {
        self.function == resource_name(function.as_str())
    }
}

/// Every route of the template.
pub(crate) fn routes(template: &Template) -> Vec<Route> {
    let routes = template.all("AWS::ApiGatewayV2::Route");
    let routes = routes.into_iter().map(|(name, route)| {
        let target = rendered(&route["Target"]);
        let integration = target
            .strip_prefix("integrations/${")
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or_else(|| panic!("{name} leads to {target}"));
        let uri = rendered(&template.properties(integration)["IntegrationUri"]);
        let function = uri
            .strip_prefix("${")
            .and_then(|it| it.strip_suffix(".Arn}"));
        Route {
            key: rendered(&route["RouteKey"]),
            function: function.expect("a function").to_owned(),
        }
    });
    routes.collect()
}

/// How well a route fits, best last; as API Gateway chooses: all parts before `{proxy+}` before
/// `$default`, among equals more fixed parts, then the method by name.
fn fit(key: &str, method: &Method, path: &str) -> Option<(u8, usize, bool)> {
    if key == "$default" {
        return Some((0, 0, false));
    }
    let (wanted, pattern) = key.split_once(' ').expect("a method and a path");
    if wanted != "ANY" && wanted != method.as_str() {
        return None;
    }
    let is_named = wanted != "ANY";
    let mut parts = path.split('/');
    let mut fixed = 0;
    for wanted in pattern.split('/') {
        if wanted == "{proxy+}" {
            let is_more = parts.next().is_some_and(|part| !part.is_empty());
            return is_more.then_some((1, fixed, is_named));
        }
        let part = parts.next()?;
        if wanted.starts_with('{') {
            if part.is_empty() {
                return None;
            }
        } else if wanted == part {
            fixed += 1;
        } else {
            return None;
        }
    }
    parts.next().is_none().then_some((2, fixed, is_named))
}

/// The route that a request takes.
pub(crate) fn taken<'a>(routes: &'a [Route], method: &Method, path: &str) -> &'a Route {
    let fitting = routes
        .iter()
        .filter_map(|route| Some((fit(&route.key, method, path)?, route)));
    let best = fitting.max_by_key(|(fit, _)| *fit);
    best.expect("there is a $default").1
}

fn assert_reaches(routes: &[Route], method: &Method, path: &str, function: Function) {
    let route = taken(routes, method, path);
    assert!(
        route.leads_to(function),
        "{method} {path} takes {}",
        route.key
    );
}

#[test]
fn every_address_reaches_the_function_that_answers_it() {
    let template = Template::application();
    let routes = routes(&template);
    let all = addresses();
    assert!(all.len() > 80, "the addresses were found");
    for address in &all {
        let path = sample(&address.path);
        assert_reaches(&routes, &address.method, &path, address.function);
        if address.method == Method::GET {
            assert_reaches(&routes, &Method::HEAD, &path, address.function);
        }
    }
    for path in [
        "/",
        "/nothing/here",
        "/api/v1/nothing",
        "/settingsx",
        "/logsx/1",
    ] {
        assert_reaches(&routes, &Method::GET, path, Function::Oauth);
    }
}

/// An address with its variable parts filled in.
fn sample(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{order}" => "4711",
        part if part.starts_with('{') => "x7",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn no_route_is_there_for_nothing() {
    let template = Template::application();
    let routes = routes(&template);
    let mut used = BTreeSet::from(["$default".to_owned()]);
    for address in addresses() {
        let path = sample(&address.path);
        used.insert(taken(&routes, &address.method, &path).key.clone());
    }
    let there: BTreeSet<_> = routes.iter().map(|route| route.key.clone()).collect();
    assert_eq!(there.len(), routes.len(), "a route stands there twice");
    assert_eq!(there, used);
}

#[test]
fn the_api_may_invoke_exactly_the_functions_it_leads_to() {
    let template = Template::application();
    let reached: BTreeSet<_> = routes(&template)
        .into_iter()
        .map(|it| it.function)
        .collect();
    let web: BTreeSet<_> = Function::ALL
        .into_iter()
        .map(|function| resource_name(function.as_str()))
        .collect();
    let permissions = template.all("AWS::Lambda::Permission");
    let mut allowed = BTreeSet::new();
    for (name, permission) in permissions {
        assert_eq!(
            permission["Principal"], "apigateway.amazonaws.com",
            "{name}"
        );
        assert_eq!(permission["Action"], "lambda:InvokeFunction", "{name}");
        let source = rendered(&permission["SourceArn"]);
        assert!(source.contains(":${Api}/"), "{name}: {source}");
        let function = rendered(&permission["FunctionName"]);
        allowed.insert(function.trim_matches(['$', '{', '}']).to_owned());
    }
    assert_eq!(reached, web);
    assert_eq!(allowed, web);
}
