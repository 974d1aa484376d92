//! What all targets of the web application share.

use purser_tests::visitor::Reply;
use serde_json::Value;

/// Words that only the inside of the program knows.
const INTERNALS: [&str; 6] = [
    "panicked",
    ".rs:",
    "sqlite",
    "StoreError",
    "WebError",
    "tokio",
];

/// The first line of an input, and what follows it.
pub(crate) fn lines(input: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(input).into_owned();
    match text.split_once('\n') {
        Some((first, rest)) => (
            first.trim().to_owned(),
            rest.trim_end_matches('\n').to_owned(),
        ),
        None => (text.trim().to_owned(), String::new()),
    }
}

/// What holds for every answer: no failure of the program, nothing of its inside, and what its kind
/// promises.
#[track_caller]
pub(crate) fn assert_well(asked: &str, reply: &Reply) {
    assert_ne!(reply.status.as_u16(), 500, "{asked}: {reply:?}");
    for word in INTERNALS {
        assert!(
            !reply.body.contains(word),
            "{asked}: {word} in {}",
            reply.body
        );
    }
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{asked}");
    assert!(
        reply
            .header("content-security-policy")
            .contains("default-src 'none'"),
        "{asked}"
    );
    let kind = reply.header("content-type");
    if kind.starts_with("application/json") && !reply.body.is_empty() {
        let body: Value = serde_json::from_str(&reply.body)
            .unwrap_or_else(|error| panic!("{asked}: {error}: {}", reply.body));
        if reply.status.is_client_error() || reply.status.is_server_error() {
            for name in ["code", "cause", "remedy"] {
                let text = body[name].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{asked}: no {name}: {body}");
            }
        }
    }
}
