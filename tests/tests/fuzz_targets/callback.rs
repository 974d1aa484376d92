//! The way back from Intuit: whatever stands in its query, nobody is signed in and nothing is
//! connected but by the state, the code and the company that Intuit has sent.
//!
//! The first line of an input says which way was begun, `sign-in` or `connect`; the rest is the
//! query, in which `@@state@@`, `@@code@@` and `@@realm@@` stand for the right ones.

use http::{Method, StatusCode, Uri};
use purser_core::ports::Ledger as _;
use purser_tests::{
    stage::Stage,
    visitor::{Site, Visitor},
};
use tokio::runtime::Runtime;
use url::{Url, form_urlencoded};

use crate::{
    harness::{Target, World, run, runtime},
    web::{assert_well, lines},
};

const TARGET: Target = Target {
    name: "callback",
    cases: 3_000,
    words: &[
        "@@state@@",
        "@@code@@",
        "@@realm@@",
        "state=",
        "code=",
        "realmId=",
        "error=",
        "access_denied",
        "&",
        "=",
        "%26",
        "+",
        "sign-in\n",
        "connect\n",
    ],
};

/// The only places to which a way back leads.
const PLACES: &[&str] = &[
    "/home",
    "/set-up",
    "/set-up?done=quickbooks",
    "/connection?done=quickbooks",
    "/sign-in?problem=state",
    "/sign-in?problem=denied",
    "/sign-in?problem=refused",
    "/sign-in?problem=email",
    "/sign-in?problem=unreachable",
];

struct Back {
    runtime: Runtime,
    stage: Stage,
    site: Site,
    owner: Visitor,
    /// The browser on its way back, and where Intuit has sent it; one for each way.
    ways: [Option<(Visitor, Url)>; 2],
}

impl World for Back {
    fn build() -> Self {
        let runtime = runtime();
        let stage = runtime.block_on(Stage::new());
        let (site, owner) = runtime.block_on(stage.with_owner());
        Self {
            runtime,
            stage,
            site,
            owner,
            ways: [None, None],
        }
    }

    fn check(&mut self, input: &[u8]) -> String {
        let (first, query) = lines(input);
        let is_connect = first == "connect";
        let way = self.ways[usize::from(is_connect)].take();
        let (mut visitor, to) = way.unwrap_or_else(|| self.set_out(is_connect));
        let of = |name: &str| {
            let mut pairs = to.query_pairs();
            let found = pairs.find(|(known, _)| known == name);
            found
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default()
        };
        let (state, code, realm) = (of("state"), of("code"), of("realmId"));
        let query = query
            .replace("@@state@@", &state)
            .replace("@@code@@", &code);
        let query = query.replace("@@realm@@", &realm);
        let Ok(uri) = format!("/oauth/callback?{query}").parse::<Uri>() else {
            self.ways[usize::from(is_connect)] = Some((visitor, to));
            return "no address".to_owned();
        };
        let before = visitor.cookies.clone();
        let path = uri.to_string();
        let request = visitor
            .request(&Method::GET, &path)
            .body(bytes::Bytes::new());
        let reply = self
            .runtime
            .block_on(visitor.send(request.expect("a request")));
        assert_well(&path, &reply);
        assert_eq!(reply.status, StatusCode::FOUND, "{path}");
        let place = reply.location().to_owned();
        assert!(PLACES.contains(&place.as_str()), "{path} leads to {place}");
        let first = |name: &str| {
            let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
            let found = pairs.find(|(known, _)| known == name);
            found
                .map(|(_, value)| value.trim().to_owned())
                .unwrap_or_default()
        };
        let is_right =
            first("state") == state && first("code") == code && first("error").is_empty();
        if visitor.cookies != before {
            assert!(is_right && !is_connect, "somebody was signed in by {path}");
        }
        if place.ends_with("done=quickbooks") {
            let is_own = is_connect && is_right && first("realmId") == realm;
            assert!(is_own, "something was connected by {path}");
        }
        self.assert_one_company();
        if first("state") != state {
            // It was not even looked at, so that the way still leads back.
            self.ways[usize::from(is_connect)] = Some((visitor, to));
        }
        format!("{is_connect} {place} {}", visitor_is_in(is_right))
    }
}

fn visitor_is_in(is_right: bool) -> &'static str {
    if is_right {
        "as Intuit sent it"
    } else {
        "otherwise"
    }
}

impl Back {
    /// A browser that Intuit has sent back.
    fn set_out(&mut self, is_connect: bool) -> (Visitor, Url) {
        let realm = self.stage.realm.clone();
        let (site, owner) = (&self.site, &self.owner);
        self.runtime.block_on(async {
            // The ways of one browser are counted by the minute.
            tokio::time::sleep(std::time::Duration::from_secs(4)).await;
            if is_connect {
                let mut visitor = owner.clone();
                let begun = visitor.submit("/connection/quickbooks", &[]).await;
                let to = visitor
                    .consent(begun.location(), Site::OWNER, Some(&realm))
                    .await;
                return (visitor, to);
            }
            let mut visitor = site.visitor();
            let begun = visitor.submit("/sign-in", &[]).await;
            let to = visitor.consent(begun.location(), Site::OWNER, None).await;
            (visitor, to)
        })
    }

    /// The company is what it was, and there is no other one.
    fn assert_one_company(&self) {
        let tenants = self.runtime.block_on(self.stage.store.tenants());
        let tenants = tenants.expect("the store");
        assert!(matches!(&tenants[..], [only] if *only == self.stage.tenant));
        let status = self.runtime.block_on(self.stage.status());
        assert_eq!(status.realm, Some(self.stage.realm_id()));
    }
}

#[test]
fn callback() {
    run::<Back>(&TARGET);
}
