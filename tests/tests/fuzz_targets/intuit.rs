//! Answers of Intuit while somebody signs in: nobody is signed in by tokens, keys or words about a
//! person that are not whole and right.
//!
//! The first line of an input says which answer it is and its status, the rest is the body;
//! `@@subject@@` stands for Intuit's name for whoever signs in, `@@base@@` for where Intuit is.

use std::time::Duration;

use data_encoding::HEXLOWER;
use http::{Method, StatusCode};
use purser_simulators::{FaultKind, FaultRule, System, intuit::Role};
use purser_tests::{
    stage::{BASE, Stage},
    visitor::Site,
};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

use crate::{
    harness::{Target, World, run, runtime},
    web::{assert_well, lines},
};

const TARGET: Target = Target {
    name: "intuit-answers",
    cases: 1_500,
    words: &[
        "token 200\n",
        "jwks 200\n",
        "userinfo 200\n",
        "discovery 200\n",
        "@@subject@@",
        "@@base@@",
        "\"sub\":",
        "\"emailVerified\":true",
        "\"id_token\":",
        "\"keys\":[",
        "eyJhbGciOiJub25lIn0.e30.",
        "\"expires_in\":",
        "https://evil.example",
        " 400\n",
        " 500\n",
    ],
};

struct Intuit {
    runtime: Runtime,
    stage: Stage,
}

impl World for Intuit {
    fn build() -> Self {
        let runtime = runtime();
        let stage = runtime.block_on(Stage::new());
        stage.add_person(Site::OWNER, Role::Admin);
        Self { runtime, stage }
    }

    fn check(&mut self, input: &[u8]) -> String {
        let (first, body) = lines(input);
        let (asked, status) = first.split_once(' ').unwrap_or_default();
        let status = status
            .parse()
            .ok()
            .filter(|status| (200..600).contains(status));
        let (Some(status), Some(route)) = (status, route(asked)) else {
            return "no answer".to_owned();
        };
        let body = body
            .replace("@@subject@@", &subject())
            .replace("@@base@@", BASE);
        let kind = FaultKind::StatusAfter {
            status,
            body: Some(body.clone()),
        };
        let stage = &mut self.stage;
        let (reply, me) = self.runtime.block_on(async {
            // Keys and addresses are kept once they were read, and ways are counted by the minute.
            stage.restart().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let mut visitor = stage.site().visitor();
            if asked != "discovery" {
                let begun = visitor.submit("/sign-in", &[]).await;
                let to = visitor.consent(begun.location(), Site::OWNER, None).await;
                stage
                    .simulators
                    .faults
                    .add(FaultRule::next(System::Intuit, route, kind));
                let reply = visitor.come_back(&to).await;
                let me = visitor.call(Method::GET, "/me", None).await;
                return (reply, me);
            }
            stage
                .simulators
                .faults
                .add(FaultRule::next(System::Intuit, route, kind));
            let reply = visitor.submit("/sign-in", &[]).await;
            let me = visitor.call(Method::GET, "/me", None).await;
            (reply, me)
        });
        self.stage.simulators.faults.clear();
        assert_well(&body, &reply);
        let is_in = me.status == StatusCode::OK;
        // Of all answers only the one about the person is not signed, and it must name the same one.
        let is_right = asked == "userinfo" && status < 300 && body.contains(&subject());
        assert!(!is_in || is_right, "{first}: {body} signed somebody in");
        let place = reply.header("location");
        assert!(
            place.starts_with("/sign-in?problem=") || is_in || asked == "discovery",
            "{first}: {body} leads to {place}"
        );
        if asked == "discovery" && reply.status.is_redirection() {
            let is_safe = place.starts_with("https://") || place.starts_with(BASE) || local(place);
            assert!(is_safe, "{body} leads to {place}");
        }
        let place = place.split_once("?state").map_or(place, |(place, _)| place);
        format!(
            "{asked} {} {}",
            reply.status,
            place.get(..40).unwrap_or(place)
        )
    }
}

/// Whether an address is of this machine: the simulators are, and so are those that are like them.
fn local(place: &str) -> bool {
    let url: Result<url::Url, _> = place.parse();
    let host = url.ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| host.starts_with("127.") || host == "localhost" || host == "[::1]")
}

fn route(asked: &str) -> Option<&'static str> {
    Some(match asked {
        "token" => "POST token",
        "jwks" => "GET jwks",
        "userinfo" => "GET userinfo",
        "discovery" => "GET discovery",
        _ => return None,
    })
}

/// Intuit's name for whoever signs in, as the simulator makes it.
fn subject() -> String {
    HEXLOWER.encode(&Sha256::digest(Site::OWNER.as_bytes())[..16])
}

#[test]
fn intuit_answers() {
    run::<Intuit>(&TARGET);
}
