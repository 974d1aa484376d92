//! Secrets and business data that can be recognised are put in everywhere; none of them is ever in
//! a log line, at any level, whatever the site is made to do.

use std::{
    collections::BTreeSet,
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use http::{Method, StatusCode};
use purser_runtime::telemetry::FIELDS;
use purser_simulators::{
    FaultKind, FaultRule, System,
    autotask::{CompanySeed, LineSeed, OrderSeed, ProductSeed},
};
use purser_tests::{
    stage::{Scene, Stage},
    visitor::{Company, Site, Visitor},
};
use purser_web::addresses;
use serde_json::json;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use url::Url;

use crate::{
    addresses::{Names, ask_with},
    feature_support::adopt,
    support::{answers_instead, is_in, newcomer},
};

/// Every line that any part of the program logs, with the fields of its spans.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    text: String,
    fields: BTreeSet<&'static str>,
}

impl Lines {
    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.text.clone()
    }

    fn fields(&self) -> BTreeSet<&'static str> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.fields.clone()
    }

    fn write(&self, record: impl FnOnce(&mut Fields<'_>)) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        record(&mut Fields(&mut lines));
        lines.text.push('\n');
    }
}

struct Fields<'a>(&'a mut Kept);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.fields.insert(field.name());
        write!(self.0.text, "{}={value:?} ", field.name()).expect("memory");
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.write(|fields| span.record(fields));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.write(|fields| values.record(fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(|fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Names, amounts and addresses as only this company has them.
const SUPPLIER: &str = "Kingfisher Wholesale";
const PRODUCT: &str = "Goldcrest Router";
const BUYER: &str = "Nightjar Dental";
const NUMBER: &str = "PO-WAXWING-1";
const MEMO: &str = "for the bullfinch office";
const MAIL: &str = "redstart@north-wind.example";
const GUEST: &str = "dunnock@north-wind.example";
const UNIT_COST: &str = "7731.77";
const TOTAL: &str = "15463.54";

fn add_orders(company: &Company) -> [i64; 2] {
    let database = &company.database;
    let vendor = database.add_company(&CompanySeed::vendor(SUPPLIER));
    let buyer = database.add_company(&CompanySeed::customer(BUYER));
    let product = database.add_product(&ProductSeed::named(PRODUCT));
    let order = OrderSeed {
        purchase_for: Some(buyer),
        memo: Some(MEMO.to_owned()),
        ..OrderSeed::submitted(vendor)
    };
    let refused = OrderSeed {
        number: Some(NUMBER.to_owned()),
        ..order.clone()
    };
    let line = LineSeed::of(product, 2, UNIT_COST).memo(MEMO);
    [
        database.add_order(&order.line(line)),
        database.add_order(&refused),
    ]
}

/// Signing in goes wrong in every way that Intuit can make it.
async fn sign_ins_that_fail(stage: &Stage, site: &Site, secrets: &mut Vec<String>) {
    for (route, status, body) in [
        ("POST token", 400, r#"{"error":"invalid_grant"}"#),
        ("POST token", 500, "firecrest"),
        ("POST token", 200, r#"{"access_token":"firecrest"}"#),
        (
            "GET userinfo",
            200,
            r#"{"sub":"firecrest","email":"firecrest@x.example"}"#,
        ),
        ("GET userinfo", 401, "firecrest"),
    ] {
        answers_instead(stage, route, status, body);
        let mut visitor = site.visitor();
        let begun = visitor.submit("/sign-in", &[]).await;
        let to = visitor.consent(begun.location(), Site::OWNER, None).await;
        keep_parameters(&to, secrets);
        visitor.come_back(&to).await;
        visitor.come_back(&to).await;
        secrets.extend(visitor.cookies.values().cloned());
    }
}

fn keep_parameters(url: &Url, secrets: &mut Vec<String>) {
    let secret = |(name, _): &(_, _)| name == "code" || name == "state" || name == "nonce";
    let pairs = url.query_pairs().filter(secret);
    secrets.extend(pairs.map(|(_, value)| value.into_owned()));
}

/// Everything is asked for, as it should be and with vendors that answer wrongly.
async fn ask_everything(stage: &Stage, visitor: &mut Visitor, orders: [i64; 2]) {
    for (system, status) in [
        (None, 0),
        (Some(System::Autotask), 500),
        (Some(System::QuickBooks), 400),
    ] {
        for address in addresses() {
            if let Some(system) = system {
                let body = Some(format!("firecrest {SUPPLIER} {TOTAL}"));
                let kind = FaultKind::Status { status, body };
                stage
                    .simulators
                    .faults
                    .add(FaultRule::next(system, "*", kind));
            }
            let order = orders[usize::from(system.is_none())];
            let names = Names {
                order: order.to_string(),
                secret: "firecrest".to_owned(),
                ..Names::default()
            };
            let body = match (address.reads_json, address.path.ends_with("/sync")) {
                (true, true) => json!({ "mail_to": MAIL }).to_string(),
                (true, false) => "{}".to_owned(),
                _ => format!("order={order}&mail_to={MAIL}&action=sync&next=/firecrest"),
            };
            let body = if address.is_api && !address.reads_json {
                ""
            } else {
                &body
            };
            ask_with(stage, visitor, &address, (&names, body)).await;
            if !is_in(visitor).await {
                visitor.sign_in(Site::OWNER).await;
            }
        }
        stage.drain().await;
        stage.simulators.faults.clear();
    }
}

/// A company from the first sign-in to its first bill, and its secrets.
async fn story(lines: &Lines) -> Vec<String> {
    let (mut stage, company, mut visitor) = newcomer().await;
    let site = visitor.site.clone();
    let mut secrets: Vec<_> = visitor.cookies.values().cloned().collect();
    secrets.push(visitor.form_secret().await);
    let begun = visitor.submit("/connection/quickbooks", &[]).await;
    let way: Url = begun.location().parse().expect("an address");
    keep_parameters(&way, &mut secrets);
    let realm = Some(company.realm.as_str());
    let to = visitor.consent(way.as_str(), Site::OWNER, realm).await;
    keep_parameters(&to, &mut secrets);
    let back = visitor.come_back(&to).await;
    let _done = back.expect_to("/set-up?done=quickbooks");
    adopt(&mut stage).await;
    company.enter_credentials(&mut visitor).await;
    let [_, (_, secret), (_, code)] = company.credentials();
    secrets.extend([secret, code]);
    let mut settings = company.settings();
    settings["digest_to"] = json!(MAIL);
    let saved = visitor
        .call(Method::PUT, "/settings", Some(&settings))
        .await;
    let _saved = saved.expect(StatusCode::OK);
    let orders = add_orders(&company);
    let started = visitor.submit("/set-up/start", &[]).await;
    let _started = started.expect_to("/set-up?done=started");
    stage.scan_due().await;
    stage.drain().await;
    stage.assert_billed(orders[0], TOTAL).await;
    assert_eq!(stage.number(orders[1]).as_deref(), Some("ERROR"));
    visitor
        .submit("/people", &[("email", GUEST), ("role", "viewer")])
        .await;
    assert!(lines.text().contains("a person acted"), "lines are kept");
    ask_everything(&stage, &mut visitor, orders).await;
    sign_ins_that_fail(&stage, &site, &mut secrets).await;
    secrets.extend(visitor.cookies.values().cloned());
    secrets.push(visitor.form_secret().await);
    secrets
}

#[tokio::test(start_paused = true)]
async fn no_secret_name_amount_or_address_is_ever_logged() {
    let lines = Lines::default();
    // With a single subscriber alive, tracing asks the thread that comes by a line first whether
    // it is wanted at all, which may be another test's. With two it asks the subscribers.
    let _other = tracing::Dispatch::new(Lines::default());
    let _guard = tracing::subscriber::set_default(lines.clone());
    let secrets = story(&lines).await;
    assert!(secrets.len() > 20, "{} secrets", secrets.len());
    let text = lines.text();
    assert!(text.lines().count() > 100, "{text}");
    // The documents of metrics travel as one more field; they are no log lines.
    let known: BTreeSet<_> = FIELDS.iter().copied().chain(["document"]).collect();
    let fields = lines.fields();
    let unknown: Vec<_> = fields.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let own = secrets
        .iter()
        .map(String::as_str)
        .filter(|text| text.len() >= 12);
    let all = own.chain([
        SUPPLIER,
        PRODUCT,
        BUYER,
        NUMBER,
        MEMO,
        MAIL,
        GUEST,
        Site::OWNER,
        UNIT_COST,
        TOTAL,
        "15,463.54",
        "firecrest",
        "stage-secret",
        "North Wind Networks",
        "Bearer ",
        "refresh_token",
        "form_secret",
    ]);
    for canary in all {
        let line = text.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} is in a log line");
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_of_the_log_cannot_be_made_by_whoever_asks() {
    let lines = Lines::default();
    let _other = tracing::Dispatch::new(Lines::default());
    let _guard = tracing::subscriber::set_default(lines.clone());
    let stage = Stage::unconnected(Scene::default());
    let mut visitor = stage.site().visitor();
    for path in [
        "/oauth/callback?state=a%0AINFO+forged&code=b%0D%0Aforged",
        "/oauth/callback?error=a%0Aforged",
        "/sign-in?problem=a%0Aforged",
        "/forged%0A",
        "/api/v1/forged%0Aline",
    ] {
        visitor.get(path).await;
    }
    let text = lines.text();
    assert!(text.contains("a sign-in did not succeed"), "{text}");
    assert!(!text.contains("forged"), "{text}");
}
