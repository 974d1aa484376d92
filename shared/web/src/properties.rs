//! Cookies, forms, secrets and input of whoever sends a request: see the README of `purser-cases`.

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use jiff::{SignedDuration, Timestamp};
use proptest::{option, prelude::*, sample::select};
use purser_cases::{config, text};
use purser_core::ids::TenantId;
use url::{Url, form_urlencoded};

use crate::{
    call::{Call, Fields},
    cookies::Cookies,
    guard::{check_company, check_host, check_origin, form_secret},
    people::person_key,
    secret,
    session::Session,
};

fn ours() -> Url {
    "https://purser.example".parse().unwrap()
}

fn tenant() -> impl Strategy<Value = TenantId> {
    "[a-z0-9-]{1,12}".prop_map(|name| name.parse().unwrap())
}

fn secret_text() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-]{43}"
}

fn read(request: http::request::Builder, body: &str) -> Call {
    let request = request
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    Call::read(request, "number".to_owned(), Timestamp::UNIX_EPOCH)
}

/// A form that a page of this session sends.
fn posted(fields: &[(&str, &str)]) -> Call {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = Request::post("/settings")
        .header(header::ORIGIN, "https://purser.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    read(request, &body)
}

/// Another cookie, or what somebody sends as one.
fn other_cookie() -> impl Strategy<Value = String> {
    let name = select(vec![
        "a",
        "purser-session",
        "__host-purser-session",
        "x__Host-purser-session",
        "__Host-purser-session2",
        "__Host-purser-browser",
        "",
    ]);
    (name, "[ -:<-~]{0,12}", any::<bool>()).prop_map(|(name, value, is_pair)| match is_pair {
        true => format!("{name}={}", value.replace(';', "")),
        false => name.to_owned(),
    })
}

/// Whether an authority leads to us: by the text alone, without any reading of addresses.
fn names_us(authority: &str) -> bool {
    let host = authority.rsplit('@').next().unwrap_or_default();
    let ports = [":0443", ":443", ":"];
    let bare = ports.iter().find_map(|port| host.strip_suffix(port));
    bare.unwrap_or(host) == "purser.example"
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_session_is_found_among_any_other_cookies_and_never_in_them(
        secret in option::of(secret_text()),
        before in proptest::collection::vec(other_cookie(), 0..4),
        after in proptest::collection::vec(other_cookie(), 0..4),
        is_split: bool,
    ) {
        let cookies = Cookies::new(&ours());
        let set = secret.as_deref().map(|secret| cookies.session(secret));
        let own = set.as_deref().map(|set| set.split_once(';').unwrap().0.to_owned());
        let mut all = before;
        all.extend(own);
        all.extend(after);
        let lines = if is_split { all } else { vec![all.join("; ")] };
        let mut request = Request::get("/");
        for line in lines {
            request = request.header(header::COOKIE, line);
        }
        let call = read(request, "");
        prop_assert_eq!(call.cookie(cookies.session_name()), secret.as_deref());
        // What is set cannot be read by a script, nor sent from another site's forms.
        if let Some(set) = set {
            for part in ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
                prop_assert!(set.contains(part), "{set}");
            }
            prop_assert!(HeaderValue::from_str(&set).is_ok());
        }
    }

    #[test]
    fn a_form_is_taken_from_its_own_session_and_company_alone(
        secrets in (secret_text(), secret_text()),
        companies in (option::of(tenant()), option::of(tenant())),
        junk in text(12),
    ) {
        let proof = form_secret(&secrets.0, companies.0.as_ref());
        let call = posted(&[("note", &junk), ("form_secret", &proof)]);
        prop_assert!(check_origin(&call, &ours(), Some(&secrets.0)).is_ok());
        prop_assert!(check_company(&call, companies.0.as_ref()).is_ok());
        let is_same = companies.0 == companies.1;
        prop_assert_eq!(check_company(&call, companies.1.as_ref()).is_ok(), is_same);
        prop_assert!(check_origin(&call, &ours(), Some(&secrets.1)).is_err());
        // Nobody can change the company in it, nor make one up.
        let (hash, _) = proof.split_once('.').unwrap();
        let company = companies.1.as_ref().map(TenantId::as_str).unwrap_or_default();
        let forged = format!("{hash}.{company}");
        let call = posted(&[("form_secret", &forged)]);
        prop_assert_eq!(check_origin(&call, &ours(), Some(&secrets.0)).is_ok(), is_same);
        let call = posted(&[("form_secret", &junk)]);
        prop_assert!(check_origin(&call, &ours(), Some(&secrets.0)).is_err());
    }

    #[test]
    fn no_other_host_or_origin_is_taken_for_ours(
        head in select(vec!["", "www.", "purser.example.", "evil", "purser.example@", "1"]),
        tail in select(vec!["", ":443", ":444", ".evil.example", ".", "\u{e4}", ":", ":0443"]),
        scheme in select(vec!["https://", "http://", "", "null", "file://", "HTTPS://"]),
        path in select(vec!["", "/", "/x"]),
    ) {
        let host = format!("{head}purser.example{tail}");
        let Ok(value) = HeaderValue::from_str(&host) else {
            return Ok(());
        };
        let call = read(Request::get("/").header(header::HOST, value), "");
        let is_ours = names_us(&host);
        let is_taken = check_host(&call, &ours()).is_ok();
        prop_assert!(!is_taken || is_ours, "{host}");
        prop_assert!(is_taken || host != "purser.example", "{host}");
        let origin = format!("{scheme}{host}{path}");
        if let Ok(value) = HeaderValue::from_str(&origin) {
            let request = Request::post("/settings").header(header::ORIGIN, value);
            let is_let_in = check_origin(&read(request, ""), &ours(), None).is_ok();
            let is_https = scheme.eq_ignore_ascii_case("https://");
            prop_assert!(!is_let_in || (is_https && is_ours), "{origin}");
        }
    }

    #[test]
    fn what_is_typed_into_a_form_arrives_letter_by_letter(
        fields in proptest::collection::vec(("[a-z_]{1,8}", text(30)), 0..6),
    ) {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        let read = Fields::parse(body.as_bytes());
        prop_assert_eq!(&read.0, &fields);
        for (name, _) in &fields {
            let first = fields.iter().find(|(other, _)| other == name).unwrap();
            let wanted = Some(first.1.trim()).filter(|text| !text.is_empty());
            prop_assert_eq!(read.get(name), wanted);
        }
    }

    #[test]
    fn a_person_is_one_issuer_and_one_subject(
        letters in "[!-~]{1,24}",
        cuts: [prop::sample::Index; 2],
        more in "[!-~]{0,2}",
    ) {
        // The same letters, as issuer and subject apart in another place.
        let apart = |cut: &prop::sample::Index| letters.split_at(cut.index(letters.len()));
        let (one, other) = (apart(&cuts[0]), apart(&cuts[1]));
        let key = |(issuer, subject): (&str, &str)| person_key(issuer, subject);
        prop_assert_eq!(key(one), key(one));
        prop_assert_eq!(key(one) == key(other), one == other);
        let longer = format!("{}{more}", one.1);
        prop_assert_eq!(key(one) == key((one.0, &longer)), more.is_empty());
        prop_assert_eq!(key(one).len(), 64);
    }

    #[test]
    fn secrets_are_compared_whole_and_stored_as_hashes(one in text(20), other in text(20)) {
        prop_assert!(secret::same(&one, &one.clone()));
        prop_assert_eq!(secret::same(&one, &other), one == other);
        let hash = secret::hashed(&one);
        prop_assert_eq!(hash == secret::hashed(&other), one == other);
        prop_assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let made = secret::random();
        prop_assert!(made.len() == 43 && made != secret::random());
        prop_assert!(made.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
    }

    #[test]
    fn a_session_ends_half_an_hour_after_its_use_and_half_a_day_after_its_begin(
        begun in 0..4_000_000_000_i64,
        used in 0..100_000_i64,
        texts in [text(12), text(12)],
    ) {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let session = Session {
            id: String::new(),
            person: texts[0].clone(),
            email: texts[1].clone(),
            name: None,
            tenant: None,
            form_secret: texts[1].clone(),
            created_at: at(begun),
            seen_at: at(begun + used),
            problem: None,
        };
        let wanted = at(begun + used) + SignedDuration::from_mins(30);
        let latest = at(begun) + SignedDuration::from_hours(12);
        prop_assert_eq!(session.expires_at(), wanted.min(latest));
        let stored = serde_json::to_string(&session).unwrap();
        prop_assert_eq!(serde_json::from_str::<Session>(&stored).unwrap(), session);
    }
}
