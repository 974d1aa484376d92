//! Every address, from the one table of routes: who is let in, who is not, and what no request of
//! another site ever does.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use purser_tests::{
    stage::Stage,
    visitor::{Reply, Visitor},
};
use purser_web::{Address, Needs, Role, addresses};

use crate::{
    addresses::{
        Names, REQUEST_HEADER, ask, ask_with, assert_refusal, changes, changing, holdings, is_open,
        proper, set, words,
    },
    feature_support::writes,
    support::{assert_nobody, exchanges, is_in},
};

/// A member who may look, in a browser of their own.
const MATE: &str = "mate@north-wind.example";

type Forge = fn(&mut Request<Bytes>);

/// What other sites can make a browser send, and what is left of a request of ours without its
/// proofs.
const FORGED: [(&str, Forge); 9] = [
    ("another origin", |request| {
        set(request, "origin", Some("https://evil.example"));
    }),
    ("an origin that begins like ours", |request| {
        set(
            request,
            "origin",
            Some("https://purser.example.evil.example"),
        );
    }),
    ("our name over plain http", |request| {
        set(request, "origin", Some("http://purser.example"));
    }),
    ("our name at another port", |request| {
        set(request, "origin", Some("https://purser.example:8443"));
    }),
    ("another site", |request| {
        set(request, "sec-fetch-site", Some("cross-site"));
    }),
    ("a neighbour under the same domain", |request| {
        set(request, "sec-fetch-site", Some("same-site"));
    }),
    ("a hidden origin of another site", |request| {
        set(request, "origin", Some("null"));
        set(request, "sec-fetch-site", Some("cross-site"));
    }),
    ("a hidden origin of nobody knows where", |request| {
        set(request, "origin", Some("null"));
        set(request, "sec-fetch-site", None);
    }),
    ("no proof at all", |request| {
        set(request, "origin", None);
        set(request, "sec-fetch-site", None);
        set(request, REQUEST_HEADER, None);
    }),
];

#[tokio::test(start_paused = true)]
async fn no_request_that_another_site_can_send_changes_anything() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    let (site, mut owner) = stage.with_owner().await;
    let names = Names {
        order: order.to_string(),
        ..Names::default()
    };
    let mut member = stage.member(&mut owner, MATE, "viewer").await;
    let before = holdings(&stage, &stage.tenant, &stage.company()).await;
    for address in changing() {
        for (what, forge) in FORGED {
            for visitor in [&mut site.visitor(), &mut member, &mut owner] {
                let body = if address.reads_json { "{}" } else { "" };
                let mut request = proper(visitor, &address, &names, body).await;
                forge(&mut request);
                let reply = visitor.send(request).await;
                assert_eq!(
                    reply.status,
                    StatusCode::FORBIDDEN,
                    "{} from {what}: {reply:?}",
                    words(&address)
                );
                assert_refusal(&address, &reply, StatusCode::FORBIDDEN, "request.forged");
                assert!(reply.set_cookies().is_empty(), "{reply:?}");
            }
        }
    }
    assert!(is_in(&mut owner).await && is_in(&mut member).await);
    let after = holdings(&stage, &stage.tenant, &stage.company()).await;
    assert_eq!(before, after);
}

#[tokio::test(start_paused = true)]
async fn a_form_needs_the_secret_of_its_own_session() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let mut member = stage.member(&mut owner, MATE, "viewer").await;
    let other = member.form_secret().await;
    let own = owner.form_secret().await;
    let before = holdings(&stage, &stage.tenant, &stage.company()).await;
    for address in changing().into_iter().filter(|address| !address.is_api) {
        let nearly = format!("form_secret={}", &own[..own.len() - 1]);
        for form in [
            String::new(),
            "form_secret=".to_owned(),
            format!("form_secret={other}"),
            nearly,
            format!("form_secret={other}&form_secret={own}"),
        ] {
            let mut request = proper(&mut owner, &address, &Names::default(), "").await;
            *request.body_mut() = Bytes::from(form);
            let reply = owner.send(request).await;
            assert_refusal(&address, &reply, StatusCode::FORBIDDEN, "request.forged");
        }
    }
    assert!(is_in(&mut owner).await);
    let after = holdings(&stage, &stage.tenant, &stage.company()).await;
    assert_eq!(before, after);
}

#[tokio::test(start_paused = true)]
async fn the_interface_needs_exactly_its_header() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    for address in changing().into_iter().filter(|address| address.is_api) {
        for value in [None, Some(""), Some("0"), Some("true"), Some("1, 1")] {
            let body = if address.reads_json { "{}" } else { "" };
            let mut request = proper(&mut owner, &address, &Names::default(), body).await;
            // Everything else is as our own pages send it.
            set(&mut request, "origin", Some("https://purser.example"));
            set(&mut request, "sec-fetch-site", Some("same-origin"));
            set(&mut request, REQUEST_HEADER, value);
            let reply = owner.send(request).await;
            assert_refusal(&address, &reply, StatusCode::FORBIDDEN, "request.forged");
        }
    }
    assert!(is_in(&mut owner).await);
}

/// Who is not signed in is told so by the interface, and sent to sign in by a page.
#[track_caller]
fn assert_kept_out(address: &Address, reply: &Reply) {
    let shown = words(address);
    if address.is_api {
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{shown}: {reply:?}");
        assert_eq!(reply.code(), "session.missing", "{shown}");
        return;
    }
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{shown}: {reply:?}");
    let next = Names::default().path(address).replace('/', "%2F");
    let to = match changes(address) {
        true => "/sign-in".to_owned(),
        false => format!("/sign-in?next={next}"),
    };
    assert_eq!(reply.location(), to, "{shown}");
    assert_eq!(reply.body, "", "{shown}");
}

#[tokio::test(start_paused = true)]
async fn without_a_session_only_what_is_open_to_all_is_answered() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let [session, _] = site.cookie_names();
    let mut gone = owner.clone();
    let _out = owner.submit("/sign-out", &[]).await;
    let with = |cookie: &str| {
        let mut visitor = site.visitor();
        visitor
            .cookies
            .insert(session.to_owned(), cookie.to_owned());
        visitor
    };
    gone.form_secret().await;
    let strangers = [
        site.visitor(),
        gone,
        with(""),
        with("garbage"),
        with(&"a".repeat(43)),
        with("%00' OR 1=1 --"),
    ];
    let before = holdings(&stage, &stage.tenant, &stage.company()).await;
    for address in addresses().into_iter().filter(|address| !is_open(address)) {
        for stranger in &strangers {
            let reply = ask(&stage, &mut stranger.clone(), &address).await;
            assert_kept_out(&address, &reply);
            assert_nobody(&site, &reply);
        }
    }
    let after = holdings(&stage, &stage.tenant, &stage.company()).await;
    assert_eq!(before, after);
}

#[tokio::test(start_paused = true)]
async fn what_is_open_to_all_is_this_and_nothing_else() {
    let open = addresses().into_iter().filter(is_open);
    let open: Vec<_> = open.map(|address| words(&address)).collect();
    assert_eq!(
        open,
        [
            "GET /",
            "GET /sign-in",
            "POST /sign-in",
            "GET /oauth/callback",
            "GET /launch",
            "GET /reconnect",
            "GET /disconnected",
            "GET /help",
            "GET /link/{secret}",
            "GET /assets/app.css",
            "GET /assets/app.js",
            "GET /assets/favicon.svg",
            "GET /api/v1/openapi.json",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_viewer_may_read_everything_and_change_nothing() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    let (_, mut owner) = stage.with_owner().await;
    let mut viewer = stage.member(&mut owner, MATE, "viewer").await;
    let people = owner.read("/people").await;
    let person = people["members"][0]["person"].as_str().expect("a person");
    let names = Names {
        order: order.to_string(),
        person: person.to_owned(),
        ..Names::default()
    };
    let company = stage.company();
    let kept = |text: String| {
        // The refusals themselves are noted, as they must be.
        let (before, rest) = text.split_once("Event: ").expect("events");
        let (_, after) = rest.split_once("\n]\n").expect("an end");
        format!("{before}{after}")
    };
    let before = kept(holdings(&stage, &stage.tenant, &company).await);
    let vendors = writes(&stage);
    let mut refused = 0;
    for address in addresses() {
        let Needs::Role(role) = address.needs else {
            continue;
        };
        let body = if address.reads_json { "{}" } else { "" };
        let sent = (&names, body);
        let reply = ask_with(&stage, &mut viewer, &address, sent).await;
        if role == Role::Admin {
            assert_refusal(&address, &reply, StatusCode::FORBIDDEN, "role.missing");
            refused += 1;
        } else {
            assert!(!changes(&address), "{}", words(&address));
            assert_ne!(reply.status, StatusCode::FORBIDDEN, "{}", words(&address));
            assert!(reply.status.as_u16() < 500, "{}", words(&address));
        }
    }
    let after = kept(holdings(&stage, &stage.tenant, &company).await);
    assert_eq!(before, after);
    assert_eq!(writes(&stage), vendors);
    let activity = owner.read("/activity").await;
    let events = activity["events"].as_array().expect("events").iter();
    let told = events.filter(|event| event["what"] == "role_refused" && event["who"] == MATE);
    let told: std::collections::BTreeSet<_> = told.map(|event| event["text"].to_string()).collect();
    // A page and the interface lead to the same operation, and its refusal is noted once a minute.
    assert!(told.len() * 2 >= refused, "each refusal is noted: {told:?}");
}

#[tokio::test(start_paused = true)]
async fn every_address_that_changes_something_of_a_company_needs_an_admin() {
    for address in changing() {
        if let Needs::Role(role) = address.needs {
            assert_eq!(role, Role::Admin, "{}", words(&address));
        }
    }
}

/// Asks everything that only reads, and looks whether anything is different afterwards.
async fn read_everything(stage: &Stage, visitor: &mut Visitor, names: &Names) {
    for address in addresses().into_iter().filter(|address| !changes(address)) {
        for method in [Method::GET, Method::HEAD] {
            stage.wait(std::time::Duration::from_secs(3)).await;
            let mut request = proper(visitor, &address, names, "").await;
            *request.method_mut() = method;
            let reply = visitor.send(request).await;
            assert!(
                reply.status.as_u16() < 500,
                "{}: {reply:?}",
                words(&address)
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reading_changes_nothing_and_sends_nothing_to_the_vendors() {
    let mut stage = Stage::new().await;
    let order = stage.add(&stage.empty_order());
    stage.run().await;
    let (site, mut owner) = stage.with_owner().await;
    let names = Names {
        order: order.to_string(),
        ..Names::default()
    };
    let alarm = stage.store.next_alarm().await.expect("alarms");
    let before = holdings(&stage, &stage.tenant, &stage.company()).await;
    let (vendors, codes) = (writes(&stage), exchanges(&stage));
    read_everything(&stage, &mut owner, &names).await;
    read_everything(&stage, &mut site.visitor(), &names).await;
    assert!(is_in(&mut owner).await);
    let after = holdings(&stage, &stage.tenant, &stage.company()).await;
    assert_eq!(before, after);
    assert_eq!((writes(&stage), exchanges(&stage)), (vendors, codes));
    assert_eq!(stage.store.next_alarm().await.expect("alarms"), alarm);
    assert!(stage.receive().await.is_none(), "nothing is queued");
}
