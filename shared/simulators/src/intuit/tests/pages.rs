//! The pages, the way a person goes through them, and what prepares them.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeySize, PublicKeyComponents},
    signature::{KeyPair, RsaKeyPair},
};

use super::*;
use crate::store::Change;

const SIGN_IN: &str = "openid profile email";

impl Desk {
    /// The page that a form leads to.
    async fn page(&self, changes: &[(&str, &str)]) -> String {
        let response = self.authorize(changes).await;
        assert_eq!(response.status(), 200, "{changes:?}");
        String::from_utf8(response.body().to_vec()).expect("text")
    }

    /// Where a form sends the browser, or nothing when it leads to another page.
    async fn left_for(&self, changes: &[(&str, &str)]) -> Option<Url> {
        let response = self.authorize(changes).await;
        let location = response.headers().get(header::LOCATION)?;
        Url::parse(location.to_str().expect("text")).ok()
    }
}

/// Proves what every page owes to people who cannot see it, or see the real one elsewhere.
fn assert_is_sound(page: &str) {
    assert!(page.contains("<html lang=\"en\">"), "{page}");
    assert!(page.contains("<p>Simulated Intuit sign-in</p>"), "{page}");
    for once in ["<h1>", "<header>", "<main>", "<footer>", "<title>"] {
        assert_eq!(page.matches(once).count(), 1, "{once} in {page}");
    }
    let (inputs, labels) = (
        page.matches("type=\"radio\"").count(),
        page.matches("<label"),
    );
    assert_eq!(labels.count(), inputs, "{page}");
    assert_eq!(page.contains("<fieldset><legend>"), inputs > 0, "{page}");
}

#[tokio::test]
async fn a_company_is_chosen_by_name_and_then_consented_to() {
    let desk = Desk::new();
    let tokens = desk.intuit.tokens();
    tokens.name_realm(REALM, "Bay & Side").expect("named");
    assert!(tokens.name_client("client", "Purser").expect("named"));
    assert!(!tokens.name_client("nobody", "Purser").expect("looked"));

    let first = desk.page(&[("email", "")]).await;
    assert_is_sound(&first);
    assert!(first.contains("id=\"person-0\" name=\"email\" value=\"jane@example.test\""));
    assert!(first.contains("to continue to Purser"), "{first}");

    let second = desk.page(&[("action", "sign_in"), ("realmId", "")]).await;
    assert_is_sound(&second);
    let companies = [("77", " disabled"), ("88", " checked"), (REALM, "")];
    for (index, (realm, state)) in companies.iter().enumerate() {
        let input =
            format!("id=\"company-{index}\" name=\"realmId\" value=\"{realm}\" required{state}>");
        assert!(second.contains(&input), "{input} in {second}");
    }
    assert!(second.contains("<strong>Company 88</strong>"), "{second}");
    assert!(
        second.contains("<strong>Bay &amp; Side</strong>"),
        "{second}"
    );
    assert!(
        second.contains("value=\"choose\">Next</button>"),
        "{second}"
    );
    assert!(!second.contains("value=\"connect\""), "{second}");

    let third = desk.page(&[("action", "choose")]).await;
    assert_is_sound(&third);
    let asks = "Purser would like access to your QuickBooks company Bay &amp; Side:";
    assert!(third.contains(asks), "{third}");
    assert!(third.contains("read and write accounting data"), "{third}");
    assert!(third.contains("<li>your name and e-mail address</li>"));
    assert!(third.contains(&format!("name=\"realmId\" value=\"{REALM}\"")));
    assert!(third.contains("value=\"connect\">Connect</button>"));
    assert!(parameter(&desk.consent(&[]).await, "code").is_some());
    // A company is consented to each time.
    assert!(desk.left_for(&[("action", "choose")]).await.is_none());
}

#[tokio::test]
async fn who_may_connect_no_company_can_only_cancel() {
    let desk = Desk::new();
    let people = [
        ("sam@example.test", json!({ "77": "user", "88": "user" })),
        ("new@example.test", json!({})),
    ];
    for (email, realms) in people {
        let person = json!({ "action": "add_person", "email": email, "name": "Sam <b>",
            "realms": realms });
        desk.intuit.act(person).expect("added");
        let step = [("email", email), ("action", "sign_in"), ("realmId", "")];
        let page = desk.page(&step).await;
        assert_is_sound(&page);
        assert_eq!(page.matches("<button").count(), 1, "{page}");
        assert!(page.contains("value=\"cancel\""), "{page}");
        assert!(page.contains("Sam &lt;b&gt;") && !page.contains("<b>"));
        for action in ["choose", "connect"] {
            let forced = [("email", email), ("action", action), ("realmId", "77")];
            let back = desk.left_for(&forced).await.expect("sent back");
            assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
        }
        let canceled = [("email", email), ("action", "cancel"), ("realmId", "")];
        let back = desk.left_for(&canceled).await.expect("sent back");
        assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    }
}

#[tokio::test]
async fn a_sign_in_is_consented_to_once_and_remembered() {
    let name = format!("purser-intuit-agreed-{}.db", std::process::id());
    let path = std::env::temp_dir().join(name);
    let desk = Desk::on(Store::open(&path).expect("a store"));
    let sign_in = [("scope", SIGN_IN), ("realmId", ""), ("action", "sign_in")];
    let page = desk.page(&sign_in).await;
    assert_is_sound(&page);
    assert!(page.contains("client would like access to your Intuit account:"));
    assert!(page.contains("<li>your name and e-mail address</li>"));
    assert!(!page.contains("accounting") && !page.contains("realmId"));
    assert!(desk.left_for(&sign_in).await.is_none(), "only asked so far");
    let canceled = [("scope", SIGN_IN), ("realmId", ""), ("action", "cancel")];
    assert!(desk.left_for(&canceled).await.is_some());
    assert!(desk.left_for(&sign_in).await.is_none(), "canceled");
    let back = desk.consent(&[("scope", SIGN_IN), ("realmId", "")]).await;
    assert_eq!(parameter(&back, "realmId"), None);
    let wider = format!("{SIGN_IN} phone");
    let asked_anew: [[(&str, &str); 2]; 2] = [
        [("client_id", "other"), ("scope", SIGN_IN)],
        [("client_id", "client"), ("scope", &wider)],
    ];
    let again = IntuitSimulator::new(desk.context.clone()).expect("intuit");
    let desk = Desk {
        intuit: again,
        ..desk
    };
    let back = desk.left_for(&sign_in).await.expect("no question");
    assert!(parameter(&back, "code").is_some());
    for changes in asked_anew {
        let changes = [&changes[..], &[("realmId", ""), ("action", "sign_in")]].concat();
        assert!(desk.left_for(&changes).await.is_none(), "{changes:?}");
    }
    drop(desk);
    remove(&path);
}

#[tokio::test]
async fn one_more_return_address_is_registered() {
    let desk = Desk::new();
    let uri = "http://127.0.0.1:45017/oauth/callback";
    assert_eq!(desk.authorize(&[("redirect_uri", uri)]).await.status(), 400);
    let action = |client: &str, uri: &str| {
        let action = json!({ "action": "add_redirect", "client": client, "uri": uri });
        desk.intuit.act(action)
    };
    assert_eq!(action("client", uri).expect("registered"), json!({}));
    assert_eq!(action("client", uri).expect("known"), json!({}));
    assert!(action("nobody", uri).is_err());
    assert!(action("client", "callback").is_err());
    let back = desk.consent(&[("redirect_uri", uri)]).await;
    assert!(back.as_str().starts_with(uri), "{back}");
    assert!(parameter(&desk.consent(&[]).await, "code").is_some());
    assert!(desk.intuit.act(json!({ "action": "dance" })).is_err());
}

#[tokio::test]
async fn the_signing_key_is_the_stored_one() {
    let name = format!("purser-intuit-key-{}.db", std::process::id());
    let path = std::env::temp_dir().join(name);
    let desk = Desk::on(Store::open(&path).expect("a store"));
    let before = parts(&desk.get("/op/v1/jwks").await).1;
    assert_eq!(
        desk.context.store.load("intuit.key").expect("read").len(),
        1
    );
    let again = IntuitSimulator::new(desk.context.clone()).expect("intuit");
    let desk = Desk {
        intuit: again,
        ..desk
    };
    assert_eq!(parts(&desk.get("/op/v1/jwks").await).1, before);

    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let der: Pkcs8V1Der<'_> = pair.as_der().expect("bytes");
    let put = Change::Put {
        kind: "intuit.key".to_owned(),
        id: "all".to_owned(),
        json: json!({ "pkcs8": BASE64.encode(der.as_ref()) }).to_string(),
    };
    desk.context.store.commit(&[put]).expect("stored");
    let again = IntuitSimulator::new(desk.context.clone()).expect("intuit");
    let desk = Desk {
        intuit: again,
        ..desk
    };
    let after = parts(&desk.get("/op/v1/jwks").await).1;
    let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    assert_eq!(after["keys"][0]["n"], BASE64URL_NOPAD.encode(&public.n));
    assert_ne!(after, before);
    drop(desk);
    remove(&path);
}

fn remove(path: &std::path::Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}
