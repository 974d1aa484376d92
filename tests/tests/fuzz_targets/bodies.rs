//! Requests with bodies, of programs and of forms: each is carried out or refused in words.
//!
//! The first line of an input is the method and the path, the rest is the body; `@@order@@` stands
//! for an order that was refused, `@@person@@` for whoever asks.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use purser_tests::{
    stage::Stage,
    visitor::{Reply, Site, Visitor},
};
use tokio::runtime::Runtime;

use crate::{
    harness::{Target, World, run, runtime},
    web::{assert_well, lines},
};

const TARGET: Target = Target {
    name: "bodies",
    cases: 4_000,
    words: &[
        "@@order@@",
        "@@person@@",
        "PUT /api/v1/",
        "POST /api/v1/",
        "GET /api/v1/",
        "{\"",
        "\":\"",
        "\"}",
        "tenant",
        "role",
        "admin",
        "email",
        "north-wind",
        "?after=",
        "form_secret=",
    ],
};

struct Api {
    runtime: Runtime,
    stage: Stage,
    site: Site,
    owner: Visitor,
    order: String,
    person: String,
}

impl World for Api {
    fn build() -> Self {
        let runtime = runtime();
        let mut stage = runtime.block_on(Stage::new());
        let order = stage.add(&stage.empty_order());
        stage.add_plain();
        runtime.block_on(stage.run());
        let (site, mut owner) = runtime.block_on(stage.with_owner());
        let people = runtime.block_on(owner.read("/people"));
        let person = people["members"][0]["person"].as_str();
        let person = person.unwrap_or_else(|| panic!("{people}")).to_owned();
        Self {
            runtime,
            stage,
            site,
            owner,
            order: order.to_string(),
            person,
        }
    }

    fn check(&mut self, input: &[u8]) -> String {
        let (first, body) = lines(input);
        let fill = |text: &str| {
            let text = text.replace("@@order@@", &self.order);
            text.replace("@@person@@", &self.person)
        };
        let (method, path) = first.split_once(' ').unwrap_or_default();
        let (path, body) = (fill(path), fill(&body));
        let is_api = path.starts_with("/api/");
        let asked = format!("{method} {path}\n{body}");
        let Ok(method) = Method::from_bytes(method.as_bytes()) else {
            return "no method".to_owned();
        };
        let Some(request) = self.request(&method, &path, is_api, body) else {
            return "no address".to_owned();
        };
        let owner = &mut self.owner;
        let reply = self.runtime.block_on(async {
            // What costs calls is counted by the minute.
            tokio::time::sleep(Duration::from_secs(3)).await;
            Box::pin(owner.send(request)).await
        });
        assert_well(&asked, &reply);
        let outcome = outcome(&method, &path, &reply);
        self.assert_alive(&asked);
        outcome
    }
}

/// Where an input has led: the first words of its path, and what came of it.
fn outcome(method: &Method, path: &str, reply: &Reply) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let area: Vec<_> = path
        .split('/')
        .skip(1)
        .take(3)
        .filter(|part| part.len() < 12)
        .collect();
    let kind = reply.header("content-type");
    let is_refused = reply.status.is_client_error() || reply.status.is_server_error();
    let code = match kind.starts_with("application/json") && is_refused {
        true => reply.code(),
        false => String::new(),
    };
    format!("{method} {} {} {code}", area.join("/"), reply.status)
}

impl Api {
    fn request(
        &mut self,
        method: &Method,
        path: &str,
        is_api: bool,
        body: String,
    ) -> Option<Request<Bytes>> {
        let uri: http::Uri = path.parse().ok()?;
        let uri = uri.to_string();
        let owner = &mut self.owner;
        let secret = self.runtime.block_on(owner.form_secret());
        let request = owner
            .request(method, &uri)
            .header("sec-fetch-site", "same-origin");
        let request = match is_api {
            true => request
                .header("x-purser-request", "1")
                .header(header::CONTENT_TYPE, "application/json"),
            false => request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
        };
        let body = match is_api || method == Method::GET {
            true => body,
            false => format!("{body}&form_secret={secret}"),
        };
        request.body(Bytes::from(body)).ok()
    }

    /// Whatever came of it, whoever asked is still there, or can come back.
    fn assert_alive(&mut self, asked: &str) {
        let owner = &mut self.owner;
        let me = self.runtime.block_on(owner.call(Method::GET, "/me", None));
        if me.status == StatusCode::UNAUTHORIZED {
            let mut again = self.site.visitor();
            let back = self.runtime.block_on(again.sign_in(Site::OWNER));
            assert!(back.status.is_redirection(), "{asked}: {back:?}");
            self.owner = again;
        } else {
            assert_eq!(me.status, StatusCode::OK, "{asked}: {me:?}");
        }
        let bills = self.stage.bills().len();
        assert!(bills <= 2, "{asked} made {bills} bills of two orders");
    }
}

#[test]
fn bodies() {
    run::<Api>(&TARGET);
}
