//! Texts that other people write: names, memos, numbers and errors that are made to be more than
//! texts, on every page, in every file and in every answer of the interface.

use http::{Method, StatusCode};
use purser_simulators::{
    FaultKind, FaultRule, System,
    autotask::{CompanySeed, LineSeed, OrderSeed, ProductSeed},
    intuit::Role,
};
use purser_tests::{
    stage::{Scene, Stage},
    visitor::{Reply, Site, Visitor},
};
use purser_web::addresses;
use serde_json::{Value, json};

use crate::{
    addresses::{Names, ask_with, changes},
    answers::assert_all,
};

/// What would do something if it were ever taken for more than a text. The mark in each tells where
/// it came out.
pub(crate) const CORPUS: [&str; 16] = [
    "<script>mark(1)</script>",
    "\"><img src=x onerror=mark(2)>",
    "' onmouseover='mark(3)",
    "\" autofocus onfocus=\"mark(4)",
    "javascript:mark(5)",
    "</title></textarea></script><svg onload=mark(6)>",
    "{{ mark }} {% mark %} ${mark} #{mark} <%= mark %>",
    "&lt;script&gt;mark(8)&lt;/script&gt; &#x3c;b&#62;",
    "<!-- mark --><![CDATA[<b>mark</b>]]>",
    "\u{202e}mark gnp.exe\u{2066}",
    "\u{feff}mark\u{200b}\u{2028}next\u{2029}last",
    "=HYPERLINK(\"https://evil.example/mark\",\"x\")",
    "+mark|' /C calc'!A0",
    "@SUM(1+1)*mark",
    "-2+3+mark",
    "`mark`\\\"\\'; DROP TABLE marks; --",
];

/// What no page may hold: the beginnings of tags of the corpus.
const RAW: [&str; 6] = [
    "<script>",
    "<img",
    "<svg onload",
    "<b>mark",
    "<!-- mark",
    "href=\"javascript:",
];

/// The tags of a page, without what stands between them.
fn tags(page: &str) -> Vec<&str> {
    let parts = page.split('<').skip(1);
    parts
        .map(|part| part.split('>').next().unwrap_or_default())
        .collect()
}

#[track_caller]
fn assert_texts_only(path: &str, reply: &Reply) {
    assert_all(path, reply);
    let kind = reply.header("content-type");
    if kind.starts_with("application/json") {
        serde_json::from_str::<Value>(&reply.body)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        return;
    }
    if !kind.starts_with("text/html") {
        return;
    }
    for raw in RAW {
        assert!(!reply.body.contains(raw), "{path}: {raw}: {}", reply.body);
    }
    for tag in tags(&reply.body) {
        // Within a tag the only quotation marks are those of its attributes, so that no value
        // leaves its own.
        assert_eq!(tag.matches('"').count() % 2, 0, "{path}: <{tag}>");
        let outside: String = tag.split('"').step_by(2).collect();
        assert!(!outside.contains("mark"), "{path}: <{tag}>");
    }
}

/// Every page, file and answer that shows something, for one order.
async fn read_everything(stage: &Stage, visitor: &mut Visitor, names: &Names) -> String {
    let mut all = String::new();
    for address in addresses().into_iter().filter(|address| !changes(address)) {
        let reply = ask_with(stage, visitor, &address, (names, "")).await;
        assert!(reply.status.as_u16() < 500, "{}: {reply:?}", address.path);
        assert_texts_only(&address.path, &reply);
        all.push_str(&reply.body);
    }
    all
}

/// Orders in which everything that a person can write is one of these texts.
pub(crate) fn add_orders(stage: &Stage, text: &str) -> [i64; 2] {
    let database = &stage.database;
    let vendor = database.add_company(&CompanySeed::vendor(text));
    let buyer = database.add_company(&CompanySeed::customer(&format!("{text} buyer")));
    let product = database.add_product(&ProductSeed::named(text));
    let order = OrderSeed {
        purchase_for: Some(buyer),
        memo: Some(text.to_owned()),
        number: Some(text.to_owned()),
        ..OrderSeed::submitted(vendor)
    };
    let line = LineSeed::of(product, 1, "5.25").memo(text);
    [
        database.add_order(&order.clone()),
        database.add_order(&order.line(line)),
    ]
}

#[tokio::test(start_paused = true)]
async fn names_numbers_and_memos_of_orders_are_texts_everywhere() {
    let mut stage = Stage::new().await;
    let orders: Vec<_> = CORPUS
        .iter()
        .flat_map(|text| add_orders(&stage, text))
        .collect();
    stage.run().await;
    stage.settle().await;
    let (_, mut owner) = stage.with_owner().await;
    let mut seen = String::new();
    for order in orders {
        let names = Names {
            order: order.to_string(),
            ..Names::default()
        };
        for path in ["/logs/", "/api/v1/orders/"] {
            let reply = owner.get(&format!("{path}{order}")).await;
            let reply = reply.expect(StatusCode::OK);
            assert_texts_only(path, &reply);
            seen.push_str(&reply.body);
        }
        stage.wait(std::time::Duration::from_secs(3)).await;
        let preview = owner.get(&format!("/sync/preview?order={order}")).await;
        assert_texts_only("/sync/preview", &preview);
        let support = owner.get(&format!("/logs/{}/support", names.order)).await;
        assert_texts_only("/logs/support", &support);
    }
    assert!(seen.contains("&#60;script&#62;mark(1)") || seen.contains("&lt;script&gt;mark(1)"));
    seen.push_str(&read_everything(&stage, &mut owner, &Names::default()).await);
    assert!(seen.contains("mark(1)") && seen.contains("mark(6)"));
}

#[tokio::test(start_paused = true)]
async fn what_vendors_answer_in_errors_is_a_text() {
    let mut stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    for text in CORPUS {
        let order = stage.add_plain();
        let fault = json!({ "Fault": { "type": "ValidationFault", "Error": [
            { "code": "6000", "Message": text, "Detail": text } ] } });
        let body = Some(fault.to_string());
        let kind = FaultKind::Status { status: 400, body };
        let rule = FaultRule::next(System::QuickBooks, "POST bill", kind);
        stage.simulators.faults.add(rule);
        stage.run().await;
        stage.wait(std::time::Duration::from_secs(20)).await;
        for path in [format!("/logs/{order}"), format!("/api/v1/orders/{order}")] {
            let reply = owner.get(&path).await.expect(StatusCode::OK);
            assert_texts_only(&path, &reply);
        }
        assert_texts_only("/home", &owner.get("/home").await);
    }
}

#[tokio::test(start_paused = true)]
async fn what_people_type_comes_back_as_a_text() {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let long = "mark<".repeat(2_000);
    let nothing = "mark\u{0}<b>".to_owned();
    let header = "mark\r\nSet-Cookie: mark=1\r\n\r\n<b>".to_owned();
    let corpus = CORPUS.iter().map(|text| (*text).to_owned());
    for text in corpus.chain([long, nothing, header]) {
        let text = text.as_str();
        // An address has an end.
        let short = text.get(..200).unwrap_or(text);
        stage.wait(std::time::Duration::from_mins(1)).await;
        for (path, fields) in [
            ("/people", vec![("email", text), ("role", "viewer")]),
            ("/people", vec![("email", "a@b.example"), ("role", text)]),
            ("/people/invitations/withdraw", vec![("email", text)]),
            ("/companies", vec![("tenant", text)]),
            (
                "/sync",
                vec![("order", text), ("mail_to", text), ("action", text)],
            ),
            ("/logs/retry", vec![("code", text)]),
            ("/settings/transfer", vec![("document", text)]),
            (
                "/settings",
                vec![
                    ("days_back", text),
                    ("vendor_overrides", text),
                    ("seen", text),
                ],
            ),
            (
                "/connection/autotask",
                vec![("user", text), ("secret", text)],
            ),
            ("/home", vec![(text, text)]),
        ] {
            let reply = owner.submit(path, &fields).await;
            assert!(reply.status.as_u16() < 500, "{path}: {reply:?}");
            assert_texts_only(path, &reply);
            assert!(reply.set_cookies().is_empty(), "{path}: {reply:?}");
        }
        for path in [
            "/logs",
            "/logs/export",
            "/sync",
            "/sync/preview",
            "/sign-in",
            "/home",
        ] {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            for name in [
                "outcome", "vendor", "text", "from", "to", "code", "after", "order", "mail_to",
                "next", "problem", "done",
            ] {
                query.append_pair(name, short);
            }
            let path = format!("{path}?{}", query.finish());
            let reply = owner.get(&path).await;
            assert!(reply.status.as_u16() < 500, "{path}: {reply:?}");
            assert_texts_only(&path, &reply);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn names_of_people_and_companies_are_texts_and_make_no_headers() {
    for name in [
        "<script>mark(1)</script>",
        "mark\" ; filename=\"evil.exe",
        "mark\r\nSet-Cookie: mark=1",
        "../../mark",
        "\u{202e}mark",
    ] {
        let stage = Stage::unconnected(Scene::default());
        let company = stage.add_company("9130350000000777", name, "api@south.example");
        let tokens = stage.simulators.intuit.tokens();
        let realms = [(company.realm.as_str(), Role::Admin)];
        let mut visitor = stage.site().visitor();
        company.set_up(&stage, &mut visitor, Site::OWNER).await;
        tokens
            .add_person(Site::OWNER, name, &realms)
            .expect("Intuit");
        let _home = visitor.sign_in(Site::OWNER).await.expect_to("/home");
        read_everything(&stage, &mut visitor, &Names::default()).await;
        for path in ["/logs/export", "/settings/export"] {
            let file = visitor.get(path).await.expect(StatusCode::OK);
            let disposition = file.header("content-disposition");
            let name = disposition
                .strip_prefix("attachment; filename=\"")
                .and_then(|rest| rest.strip_suffix('"'));
            let name = name.unwrap_or_else(|| panic!("{disposition}"));
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-.".contains(letter);
            assert!(name.chars().all(is_plain), "{name}");
        }
        let me = visitor.call(Method::GET, "/me", None).await;
        assert_eq!(me.header("content-type"), "application/json; charset=utf-8");
        let shown = me.json()["name"].as_str().expect("a name").to_owned();
        assert!(shown.contains("mark"), "{shown}");
        assert!(!shown.chars().any(char::is_control), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_of_ten_thousand_characters_break_nothing() {
    let mut stage = Stage::new().await;
    for letter in ["x", "<", "\u{1f6d2}", "e\u{301}"] {
        add_orders(&stage, &letter.repeat(10_000));
    }
    stage.run().await;
    stage.settle().await;
    let (_, mut owner) = stage.with_owner().await;
    read_everything(&stage, &mut owner, &Names::default()).await;
    let orders = owner.read("/orders").await;
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(8));
}
