//! Cookies and the other headers by which a request says who asks: only the whole secret of a
//! session is one.
//!
//! Each line of an input is a header; `@@session@@` stands for the secret of a session.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use purser_tests::{
    stage::Stage,
    visitor::{Site, Visitor},
};
use tokio::runtime::Runtime;

use crate::{
    harness::{Target, World, run, runtime},
    web::assert_well,
};

const TARGET: Target = Target {
    name: "cookies",
    cases: 6_000,
    words: &[
        "cookie: ",
        "@@session@@",
        "__Host-purser-session=",
        "; ",
        "=",
        "host: ",
        "purser.example",
        "x-purser-company: ",
        "x-purser-request: 1\n",
        "accept: ",
        "\n",
        "origin: https://purser.example\n",
    ],
};

struct Door {
    runtime: Runtime,
    _stage: Stage,
    site: Site,
    owner: Visitor,
}

impl World for Door {
    fn build() -> Self {
        let runtime = runtime();
        let stage = runtime.block_on(Stage::new());
        let (site, owner) = runtime.block_on(stage.with_owner());
        Self {
            runtime,
            _stage: stage,
            site,
            owner,
        }
    }

    fn check(&mut self, input: &[u8]) -> String {
        let [name, _] = self.site.cookie_names();
        let secret = self.owner.cookies[name].clone();
        let text = String::from_utf8_lossy(input).replace("@@session@@", &secret);
        let mut request = Request::builder().method(Method::GET).uri("/api/v1/me");
        let headers = request.headers_mut().expect("headers");
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let name = HeaderName::from_bytes(name.trim().as_bytes());
            let value = HeaderValue::from_bytes(value.trim().as_bytes());
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        let cookies: Vec<_> = headers.get_all(header::COOKIE).iter().cloned().collect();
        let request = request.body(Bytes::new()).expect("a request");
        let mut visitor = self.site.visitor();
        let reply = self.runtime.block_on(visitor.send(request));
        assert_well(&text, &reply);
        if reply.status == StatusCode::OK {
            // The first cookie of this name, by the text alone.
            let pairs = cookies.iter().filter_map(|line| line.to_str().ok());
            let mut pairs = pairs.flat_map(|line| line.split(';')).map(str::trim);
            let own = format!("{name}=");
            let first = pairs
                .find(|pair| pair.starts_with(&own))
                .unwrap_or_default();
            assert_eq!(first, format!("{own}{secret}"), "{text}");
            assert!(reply.body.contains(Site::OWNER), "{}", reply.body);
        } else {
            assert!(reply.status.is_client_error(), "{text}: {reply:?}");
            assert!(!reply.body.contains(Site::OWNER), "{}", reply.body);
        }
        let code = if reply.status == StatusCode::OK {
            String::new()
        } else {
            reply.code()
        };
        format!("{} {code}", reply.status)
    }
}

#[test]
fn cookies() {
    run::<Door>(&TARGET);
}
