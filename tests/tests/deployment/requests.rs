//! The sample requests: each takes the route it names, to the function in whose folder it is, and gets
//! the answer that it deserves. The ugly ones change nothing.

use std::sync::Arc;

use bytes::Bytes;
use data_encoding::BASE64;
use http::{Method, Request, Response, header};
use purser_runtime::configuration::Endpoints;
use purser_tests::{
    stage::{BASE, Stage, StagePorts},
    visitor::{Site, Visitor},
};
use purser_web::{
    Function, Web, WebOptions, intuit_origins,
    part::{Logs, Oauth, Retry, Settings, SyncOne},
};
use serde_json::Value;

use crate::{
    events::{assert_samples, sample},
    routes::{routes, taken},
    template::Template,
};

/// Each sample with the answer to whoever is signed in as the sample says.
const ANSWERS: [(Function, &[(&str, u16)]); 5] = [
    (
        Function::Oauth,
        &[
            ("sign-in", 303),
            ("callback", 302),
            ("denied-consent", 302),
            ("wrong-state", 302),
            ("wrong-method", 405),
            ("unknown-address", 404),
            ("no-session", 303),
        ],
    ),
    (
        Function::Settings,
        &[
            ("page", 200),
            ("replace", 200),
            ("preview", 200),
            ("malformed", 400),
            ("wrong-method", 405),
            ("wrong-content-type", 415),
            ("no-session", 401),
        ],
    ),
    (
        Function::SyncOne,
        &[
            ("sync", 202),
            ("form", 303),
            ("attempt", 404),
            ("run-now", 202),
            ("wrong-method", 405),
            ("wrong-content-type", 415),
            ("no-session", 401),
            ("other-company", 409),
        ],
    ),
    (
        Function::Logs,
        &[
            ("home", 200),
            ("log", 200),
            ("story", 200),
            ("export", 200),
            ("malformed", 422),
            ("wrong-method", 405),
            ("no-session", 401),
        ],
    ),
    (
        Function::Retry,
        &[
            ("one", 202),
            ("all", 202),
            ("malformed", 422),
            ("unproven", 403),
            ("wrong-content-type", 415),
            ("no-session", 303),
        ],
    ),
];

/// A sample as the event it is.
fn event(function: Function, name: &str) -> Value {
    serde_json::from_str(&sample(function.as_str(), name)).expect("an event")
}

fn text<'a>(event: &'a Value, place: &str) -> &'a str {
    let found = event.pointer(place).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("{place} is missing"))
}

fn method(event: &Value) -> Method {
    text(event, "/requestContext/http/method")
        .parse()
        .expect("a method")
}

#[test]
fn every_sample_request_takes_the_route_that_it_names_to_its_function() {
    let template = Template::application();
    let routes = routes(&template);
    for (function, answers) in ANSWERS {
        assert_samples(function.as_str(), answers.iter().map(|(name, _)| *name));
        for (name, _) in answers {
            let event = event(function, name);
            let path = text(&event, "/rawPath");
            let route = taken(&routes, &method(&event), path);
            assert!(
                route.leads_to(function),
                "{function:?}/{name}: {}",
                route.key
            );
            for key in ["/routeKey", "/requestContext/routeKey"] {
                assert_eq!(text(&event, key), route.key, "{function:?}/{name}");
            }
            assert_eq!(text(&event, "/version"), "2.0");
            assert_eq!(text(&event, "/requestContext/http/path"), path);
        }
    }
}

/// One function of the application, with a stage behind it.
struct Part {
    web: Web<StagePorts>,
    function: Function,
}

impl Part {
    fn of(stage: &Stage, function: Function) -> Self {
        let options = WebOptions {
            public_url: "https://purser.example".parse().expect("an address"),
            intuit_origins: intuit_origins(&Endpoints::local(&BASE.parse().expect("an address"))),
            sends_mail: true,
            demo: None,
        };
        let web = Web::new(Arc::clone(&stage.engine), options);
        Self { web, function }
    }

    async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        match self.function {
            Function::Oauth => Box::pin(self.web.handle_part::<Oauth>(request)).await,
            Function::Settings => Box::pin(self.web.handle_part::<Settings>(request)).await,
            Function::SyncOne => Box::pin(self.web.handle_part::<SyncOne>(request)).await,
            Function::Logs => Box::pin(self.web.handle_part::<Logs>(request)).await,
            Function::Retry => Box::pin(self.web.handle_part::<Retry>(request)).await,
        }
    }

    /// The status of the answer to a sample in which the words in capitals mean what `put` says.
    async fn status(&self, name: &str, put: &[(&str, String)]) -> u16 {
        let request = request(&event(self.function, name), put);
        self.handle(request).await.status().as_u16()
    }
}

/// The request that API Gateway has made an event of.
fn request(event: &Value, put: &[(&str, String)]) -> Request<Bytes> {
    let filled = |text: &str| {
        let fill = |text: String, (word, value): &(&str, String)| text.replace(word, value);
        put.iter().fold(text.to_owned(), fill)
    };
    let query = filled(text(event, "/rawQueryString"));
    let path = filled(text(event, "/rawPath"));
    let target = if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    };
    let mut request = Request::builder().method(method(event)).uri(target);
    for (name, value) in event["headers"].as_object().expect("headers") {
        request = request.header(name, value.as_str().expect("a header"));
    }
    for cookie in event["cookies"].as_array().into_iter().flatten() {
        request = request.header(header::COOKIE, filled(cookie.as_str().expect("a cookie")));
    }
    let body = event["body"].as_str().unwrap_or_default();
    let body = if event["isBase64Encoded"] == true {
        let bytes = BASE64.decode(body.as_bytes()).expect("base64");
        String::from_utf8(bytes).expect("a form")
    } else {
        body.to_owned()
    };
    request.body(Bytes::from(filled(&body))).expect("a request")
}

/// What the words in capitals mean for this browser and this order.
async fn words(visitor: &mut Visitor, stage: &Stage, order: i64) -> Vec<(&'static str, String)> {
    let secret = visitor.form_secret().await;
    let [session, browser] = visitor.site.cookie_names();
    let kept = |name: &str| visitor.cookies.get(name).cloned().unwrap_or_default();
    let settings = serde_json::to_string(&stage.settings).expect("settings");
    vec![
        ("FORM_SECRET", secret),
        ("SESSION", kept(session)),
        ("BROWSER", kept(browser)),
        ("SETTINGS", settings),
        ("4711", order.to_string()),
    ]
}

/// A company with a signed-in owner and one order that was refused.
async fn scene() -> (Stage, Visitor, i64) {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    let (_, owner) = stage.with_owner().await;
    (stage, owner, order)
}

#[tokio::test(start_paused = true)]
async fn every_sample_request_gets_the_answer_that_it_deserves_from_its_function() {
    for (function, answers) in ANSWERS {
        for (name, wanted) in answers {
            // Each on a stage of its own, so that none is judged by what another has changed.
            let (stage, mut owner, order) = scene().await;
            let mut put = words(&mut owner, &stage, order).await;
            if function == Function::Oauth {
                put.extend(way_back(&owner.site).await);
                put.reverse(); // Its browser before the owner's.
            }
            let part = Part::of(&stage, function);
            let before = (stage.simulators.journal.latest(), stage.record(order).await);
            let status = part.status(name, &put).await;
            assert_eq!(status, *wanted, "{function:?}/{name}");
            if status >= 400 || *name == "no-session" {
                let after = (stage.simulators.journal.latest(), stage.record(order).await);
                assert_eq!(before, after, "{function:?}/{name} has changed something");
            }
        }
    }
}

/// A browser that was sent to Intuit: what it keeps, and what Intuit sends it back with.
async fn way_back(site: &Site) -> Vec<(&'static str, String)> {
    let mut visitor = site.visitor();
    let begun = visitor.submit("/sign-in", &[]).await;
    let to = visitor.consent(begun.location(), Site::OWNER, None).await;
    let [_, browser] = visitor.site.cookie_names();
    let sent = |name: &str| {
        let pair = to.query_pairs().find(|(known, _)| known == name);
        pair.expect("a parameter").1.into_owned()
    };
    vec![
        ("CODE", sent("code")),
        ("STATE", sent("state")),
        ("BROWSER", visitor.cookies[browser].clone()),
    ]
}

#[tokio::test(start_paused = true)]
async fn where_a_way_back_ends_is_told_by_its_answer() {
    for (name, wanted) in [
        ("callback", "/home"),
        ("denied-consent", "/sign-in?problem=denied"),
        ("wrong-state", "/sign-in?problem=state"),
    ] {
        let (stage, owner, _) = scene().await;
        let put = way_back(&owner.site).await;
        let part = Part::of(&stage, Function::Oauth);
        let request = request(&event(Function::Oauth, name), &put);
        let response = part.handle(request).await;
        let to = response.headers()[header::LOCATION]
            .to_str()
            .expect("an address");
        assert_eq!(to, wanted, "{name}");
        let is_signed_in = response
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .count()
            > 0;
        assert_eq!(is_signed_in, name == "callback", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_is_refused_whatever_the_function() {
    for (function, name) in [
        (Function::Oauth, "sign-in"),
        (Function::Settings, "replace"),
        (Function::SyncOne, "sync"),
        (Function::Retry, "all"),
    ] {
        let (stage, mut owner, order) = scene().await;
        let put = words(&mut owner, &stage, order).await;
        let mut event = event(function, name);
        // Too large to be stored among the samples.
        event["body"] = Value::from("x".repeat(64 * 1024 + 1));
        event["isBase64Encoded"] = Value::from(false);
        let part = Part::of(&stage, function);
        let before = (stage.simulators.journal.latest(), stage.record(order).await);
        let response = part.handle(request(&event, &put)).await;
        assert_eq!(response.status(), 413, "{function:?}");
        let after = (stage.simulators.journal.latest(), stage.record(order).await);
        assert_eq!(before, after, "{function:?}");
    }
}
