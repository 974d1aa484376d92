//! What several modules of this target do and ask.

use data_encoding::HEXLOWER;
use http::{Method, StatusCode};
use purser_core::ports::Ledger as _;
use purser_simulators::{FaultKind, FaultRule, System, intuit::Role};
use purser_tests::{
    stage::{Scene, Stage},
    visitor::{Company, Reply, Site, Visitor},
};
use sha2::{Digest as _, Sha256};
use url::Url;

/// Somebody whom nobody invited.
pub(crate) const MALLORY: &str = "mallory@elsewhere.example";

/// A parameter of an address.
pub(crate) fn parameter(url: &str, name: &str) -> String {
    let url: Url = url.parse().expect("an address");
    let found = url.query_pairs().find(|(known, _)| known == name);
    let (_, value) = found.unwrap_or_else(|| panic!("no {name} in {url}"));
    value.into_owned()
}

pub(crate) fn exchanges(stage: &Stage) -> u64 {
    stage.simulators.journal.calls(System::Intuit, "POST token")
}

/// Nobody was signed in by this answer.
pub(crate) fn assert_nobody(site: &Site, reply: &Reply) {
    let [session, _] = site.cookie_names();
    let cookies = reply.set_cookies();
    assert!(
        !cookies.iter().any(|set| set.starts_with(session)),
        "{cookies:?}"
    );
}

/// The next call of this kind is answered like this, after its effect.
pub(crate) fn answers_instead(stage: &Stage, route: &str, status: u16, body: &str) {
    let body = Some(body.to_owned());
    let kind = FaultKind::StatusAfter { status, body };
    let rule = FaultRule::next(System::Intuit, route, kind);
    stage.simulators.faults.add(rule);
}

/// A stage that nobody has connected, and a browser signed in by its future admin.
pub(crate) async fn newcomer() -> (Stage, Company, Visitor) {
    let stage = Stage::unconnected(Scene::default());
    let company = stage.company();
    company.admit(&stage, Site::OWNER, Role::Admin);
    let mut visitor = stage.site().visitor();
    let _set_up = visitor.sign_in(Site::OWNER).await.expect_to("/set-up");
    (stage, company, visitor)
}

/// The same browser, which has set out to connect and was sent back by Intuit.
pub(crate) async fn connecting(company: &Company, visitor: &mut Visitor) -> Url {
    let begun = visitor.submit("/connection/quickbooks", &[]).await;
    let realm = Some(company.realm.as_str());
    visitor.consent(begun.location(), Site::OWNER, realm).await
}

/// No company is stored at all.
pub(crate) async fn assert_nothing_connected(stage: &Stage) {
    assert!(stage.store.tenants().await.expect("the store").is_empty());
}

/// What the set-up page says about the last try to connect.
pub(crate) async fn problem(visitor: &mut Visitor) -> String {
    let set_up = visitor.read("/set-up").await;
    let code = set_up["problem"]["code"].as_str();
    code.unwrap_or_else(|| panic!("{set_up}")).to_owned()
}

/// Intuit's name for a person, as the simulator makes it.
pub(crate) fn subject_of(email: &str) -> String {
    let digest = Sha256::digest(email.as_bytes());
    HEXLOWER.encode(&digest[..16])
}

/// Whether this browser is signed in.
pub(crate) async fn is_in(visitor: &mut Visitor) -> bool {
    let reply = visitor.call(Method::GET, "/me", None).await;
    match reply.status {
        StatusCode::OK => true,
        StatusCode::UNAUTHORIZED => {
            assert_eq!(reply.code(), "session.missing");
            false
        }
        other => panic!("{other}"),
    }
}
