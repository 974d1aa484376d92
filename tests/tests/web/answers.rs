//! What all answers of the application have in common.

use purser_tests::visitor::Reply;

/// Words that only the inside of the program knows.
const INTERNALS: [&str; 12] = [
    "panicked",
    "backtrace",
    ".rs:",
    "sqlite",
    "SELECT ",
    "rusqlite",
    "serde",
    "StoreError",
    "WebError",
    "unwrap",
    "src/",
    "tokio",
];

/// What every answer bears, whoever asks for whatever.
#[track_caller]
pub(crate) fn assert_sealed(address: &str, reply: &Reply) {
    let policy = reply.header("content-security-policy");
    let directives: Vec<_> = policy.split(';').map(str::trim).collect();
    for wanted in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(directives.contains(&wanted), "{address}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{address}: {policy}");
    let strict = reply.header("strict-transport-security");
    let (age, rest) = strict.split_once(';').unwrap_or_default();
    let age: u64 = age.trim_start_matches("max-age=").parse().expect("seconds");
    assert!(age >= 365 * 24 * 3_600, "{address}: {strict}");
    assert!(rest.contains("includeSubDomains"), "{address}: {strict}");
    assert_eq!(
        reply.header("cache-control"),
        "no-cache, no-store",
        "{address}"
    );
    assert_eq!(
        reply.header("x-content-type-options"),
        "nosniff",
        "{address}"
    );
    assert_eq!(reply.header("referrer-policy"), "no-referrer", "{address}");
    assert_eq!(reply.header("x-frame-options"), "DENY", "{address}");
    assert_eq!(reply.header("x-correlation-id").len(), 16, "{address}");
    let kind = reply.header("content-type");
    assert!(kind.ends_with("; charset=utf-8"), "{address}: {kind}");
    for name in reply.headers.keys() {
        let name = name.as_str();
        let is_foreign = name.starts_with("access-control-") || name == "x-powered-by";
        assert!(!is_foreign, "{address}: {name}");
    }
}

/// No page needs what the policy forbids.
#[track_caller]
fn assert_no_inline(address: &str, reply: &Reply) {
    if !reply.header("content-type").starts_with("text/html") {
        return;
    }
    for tag in reply.body.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let names: String = tag.split('"').step_by(2).collect();
        let is_inline = tag.starts_with("style")
            || (tag.starts_with("script") && !tag.contains("src=\"/assets/"))
            || names.contains(" style=")
            || names.contains(" on")
            || ["href", "src", "action"]
                .iter()
                .any(|name| tag.contains(&format!("{name}=\"javascript:")));
        assert!(!is_inline, "{address}: <{tag}>");
    }
}

/// An answer that is not what was asked for says why and what helps.
#[track_caller]
fn assert_telling(address: &str, reply: &Reply) {
    if reply.status.as_u16() < 400 {
        return;
    }
    let correlation = reply.header("x-correlation-id");
    if reply.header("content-type").starts_with("application/json") {
        let error = reply.json();
        assert_eq!(error["status"], reply.status.as_u16(), "{address}");
        assert_eq!(error["correlation"], correlation, "{address}");
        for name in ["code", "cause", "remedy"] {
            let text = error[name].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{address}: {name} in {error}");
        }
        let fields = error.as_object().expect("an object").keys();
        let known = ["status", "code", "cause", "remedy", "correlation", "fields"];
        for field in fields {
            assert!(known.contains(&field.as_str()), "{address}: {field}");
        }
    }
    for word in INTERNALS {
        assert!(!reply.body.contains(word), "{address}: {word}: {reply:?}");
    }
}

/// Everything at once.
#[track_caller]
pub(crate) fn assert_all(address: &str, reply: &Reply) {
    assert_sealed(address, reply);
    assert_no_inline(address, reply);
    assert_telling(address, reply);
}
