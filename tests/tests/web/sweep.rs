//! Every address, from the one table of routes, and what all of its answers have in common:
//! headers, methods, bodies, and errors that tell what helps and nothing else.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use purser_tests::{
    stage::Stage,
    visitor::{Site, Visitor},
};
use purser_web::{Address, addresses};

use crate::{
    addresses::{Names, ask, assert_refusal, changes, changing, is_open, proper, set, words},
    answers::{assert_all, assert_sealed},
    support::is_in,
};

/// The largest body that is read.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The methods that an address answers, by the table.
fn declared(path: &str) -> Vec<Method> {
    let fits = |pattern: &str| {
        let (mut one, mut other) = (pattern.split('/'), path.split('/'));
        loop {
            match (one.next(), other.next()) {
                (None, None) => return true,
                (Some(wanted), Some(part)) if wanted == part || wanted.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    let all = addresses().into_iter();
    let mut methods: Vec<_> = all
        .filter(|address| fits(&address.path))
        .map(|address| address.method)
        .collect();
    if methods.contains(&Method::GET) {
        methods.push(Method::HEAD);
    }
    methods.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    methods.dedup();
    methods
}

#[tokio::test(start_paused = true)]
async fn every_answer_to_anybody_bears_the_headers_of_protection() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let mut member = stage
        .member(&mut owner, "mate@north-wind.example", "viewer")
        .await;
    for address in addresses() {
        let shown = words(&address);
        assert_all(&shown, &ask(&stage, &mut site.visitor(), &address).await);
        assert_all(&shown, &ask(&stage, &mut member, &address).await);
        if !is_in(&mut member).await {
            let email = "mate@north-wind.example";
            let _home = member.sign_in(email).await.expect_to("/home");
        }
    }
    for address in addresses() {
        let shown = words(&address);
        assert_all(&shown, &ask(&stage, &mut owner, &address).await);
        if !is_in(&mut owner).await {
            owner.sign_in(Site::OWNER).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_address_knows_its_methods_and_names_them_to_whoever_uses_another() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let names = Names::default();
    let all = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
    ];
    for address in addresses() {
        let path = names.path(&address);
        let declared = declared(&path);
        assert!(!declared.contains(&Method::TRACE));
        let allow: Vec<_> = declared.iter().map(Method::as_str).collect();
        for method in all {
            if allow.contains(&method) {
                continue;
            }
            for visitor in [&mut site.visitor(), &mut owner] {
                let mut request = proper(visitor, &address, &names, "").await;
                *request.method_mut() = method.parse().expect("a method");
                set(&mut request, "origin", Some("https://evil.example"));
                set(&mut request, "access-control-request-method", Some("GET"));
                let reply = visitor.send(request).await;
                let shown = format!("{method} {path}");
                let status = StatusCode::METHOD_NOT_ALLOWED;
                assert_eq!(reply.status, status, "{shown}");
                assert_eq!(reply.header("allow"), allow.join(", "), "{shown}");
                if method == "HEAD" {
                    assert_eq!(reply.body, "", "{shown}");
                    continue;
                }
                assert_refusal(&address, &reply, status, "request.method");
                assert_all(&shown, &reply);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn head_is_get_without_the_body() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let names = Names::default();
    for address in addresses().into_iter().filter(|address| !changes(address)) {
        let full = ask(&stage, &mut owner, &address).await;
        let mut request = proper(&mut owner, &address, &names, "").await;
        *request.method_mut() = Method::HEAD;
        let head = owner.send(request).await;
        assert_eq!(head.status, full.status, "{}", words(&address));
        assert_eq!(head.header("content-type"), full.header("content-type"));
        assert_eq!(head.body, "", "{}", words(&address));
        assert_sealed(&words(&address), &head);
    }
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_the_answer_says_so_and_nothing_else() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    for path in [
        "/nothing",
        "/people/",
        "/people/..",
        "/logs//retry",
        "/logs/%ff",
        "/logs/%00",
        "/.git/config",
        "/.env",
        "/assets/../Cargo.toml",
        "/assets/%2e%2e%2fCargo.toml",
        "//evil.example/",
        "/_simulator/world",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v1//me",
        "/api/v2/me",
        "/api/v1/orders/1/2/3",
    ] {
        let is_api = path.starts_with("/api/");
        for visitor in [&mut site.visitor(), &mut owner] {
            let reply = visitor.get(path).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}: {reply:?}");
            if is_api {
                assert_eq!(reply.code(), "request.not_found", "{path}");
            }
            assert_all(path, &reply);
        }
    }
}

/// Everything that sends a body, with this body and media type.
async fn refused_body(
    (visitor, address): (&mut Visitor, &Address),
    (media_type, body): (&str, Bytes),
    (status, code): (StatusCode, &str),
) {
    let mut request = proper(visitor, address, &Names::default(), "").await;
    set(&mut request, "content-type", Some(media_type));
    *request.body_mut() = body;
    let reply = visitor.send(request).await;
    assert_refusal(address, &reply, status, code);
    assert_all(&words(address), &reply);
}

#[tokio::test(start_paused = true)]
async fn a_body_is_of_the_right_kind_and_size_before_anybody_reads_it() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let large = Bytes::from(vec![b' '; BODY_BYTES_MAX + 1]);
    let before = owner.read("/activity").await;
    for address in changing() {
        let (right, wrong) = match address.is_api {
            true => ("application/json", "application/x-www-form-urlencoded"),
            false => ("application/x-www-form-urlencoded", "application/json"),
        };
        for visitor in [&mut site.visitor(), &mut owner] {
            let too_large = (StatusCode::PAYLOAD_TOO_LARGE, "request.too_large");
            refused_body((visitor, &address), (right, large.clone()), too_large).await;
            for other in [wrong, "text/plain", "multipart/form-data; boundary=x", ""] {
                let unknown = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "request.media_type");
                let body = Bytes::from_static(b"{}");
                refused_body((visitor, &address), (other, body), unknown).await;
            }
        }
    }
    for address in addresses().into_iter().filter(is_open) {
        let mut visitor = site.visitor();
        let mut request = proper(&mut visitor, &address, &Names::default(), "").await;
        *request.body_mut() = large.clone();
        let reply = visitor.send(request).await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(owner.read("/activity").await, before, "nothing happened");
}

#[tokio::test(start_paused = true)]
async fn json_that_is_none_or_says_too_much_is_refused_with_the_place() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let json = "application/json";
    let deep = "[".repeat(30_000);
    for address in addresses().into_iter().filter(|address| address.reads_json) {
        for body in [
            "{", "{\"a\":}", "nothing", "\"text\"", "[]", "7", "null", &deep,
        ] {
            stage.wait(std::time::Duration::from_secs(3)).await;
            let body = Bytes::from(body.to_owned());
            let malformed = (StatusCode::BAD_REQUEST, "request.malformed");
            refused_body((&mut owner, &address), (json, body), malformed).await;
        }
        for body in [
            r#"{"tenant":"bayside","role":"admin","is_admin":true,"email":"a@b.example","x":1}"#,
            r#"{"\u0000":1}"#,
            r#"{"__proto__":{"role":"admin"}}"#,
        ] {
            stage.wait(std::time::Duration::from_secs(3)).await;
            let unknown = (StatusCode::UNPROCESSABLE_ENTITY, "request.fields");
            let body = Bytes::from_static(body.as_bytes());
            refused_body((&mut owner, &address), (json, body), unknown).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_under_another_name_is_not_answered() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    for address in addresses() {
        let mut request = proper(&mut owner, &address, &Names::default(), "").await;
        request.headers_mut().insert(
            header::HOST,
            header::HeaderValue::from_static("purser.example.evil.example"),
        );
        let reply = owner.send(request).await;
        assert_refusal(
            &address,
            &reply,
            StatusCode::MISDIRECTED_REQUEST,
            "request.host",
        );
        assert_all(&words(&address), &reply);
    }
}
