//! A program at work with the JSON interface: every answer is what the document says, and pages
//! tell the same facts.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use purser_tests::{
    stage::Stage,
    visitor::{Reply, Visitor},
};
use purser_web::addresses;
use serde_json::{Value, json};

use crate::interface::{operation, validator};

/// Where the interface begins.
const API: &str = "/api/v1";

/// A program that holds every answer against the document.
struct Program {
    document: Value,
    visitor: Visitor,
    /// What it has asked for and was answered well.
    done: BTreeSet<String>,
}

impl Program {
    /// Asks, and answers what it was told; the answer has this status and fits its schema.
    async fn ask(
        &mut self,
        (method, path): (Method, &str),
        names: &[&str],
        body: Option<Value>,
        status: StatusCode,
    ) -> Value {
        let mut parts = names.iter();
        let concrete: Vec<_> = path
            .split('/')
            .map(|part| match part.starts_with('{') {
                true => parts.next().expect("a name"),
                false => part,
            })
            .collect();
        let reply = self
            .visitor
            .call(method.clone(), &concrete.join("/"), body.as_ref())
            .await;
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
        let (path, _) = path.split_once('?').unwrap_or((path, ""));
        let path = format!("{API}{path}");
        self.check((&method, &path), &reply, body.as_ref());
        if status.is_success() {
            self.done.insert(format!("{method} {path}"));
        }
        reply.json()
    }

    #[track_caller]
    fn check(&self, (method, path): (&Method, &str), reply: &Reply, body: Option<&Value>) {
        assert_eq!(
            reply.header("content-type"),
            "application/json; charset=utf-8"
        );
        let told = operation(&self.document, method, path);
        let status = reply.status.as_str();
        let response = match told["responses"].get(status) {
            Some(done) => done,
            None if reply.status.is_success() => panic!("{method} {path} never answers {status}"),
            None => &told["responses"]["default"],
        };
        let schema = &response["content"]["application/json"]["schema"];
        let answer = reply.json();
        let wrong: Vec<_> = validator(&self.document, schema)
            .iter_errors(&answer)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{method} {path}: {wrong:?}");
        if let Some(body) = body.filter(|_| reply.status.is_success()) {
            let schema = &told["requestBody"]["content"]["application/json"]["schema"];
            let fits = validator(&self.document, schema).is_valid(body);
            assert!(fits, "{method} {path}: {body} was taken");
        }
    }

    /// Asks for something that is only read.
    async fn read(&mut self, path: &str, names: &[&str]) -> Value {
        self.ask((Method::GET, path), names, None, StatusCode::OK)
            .await
    }
}

async fn program(stage: &Stage) -> Program {
    let (_, mut visitor) = stage.with_owner().await;
    let document = visitor.read("/openapi.json").await;
    Program {
        document,
        visitor,
        done: BTreeSet::from([format!("GET {API}/openapi.json")]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Orders: read, looked at before, transferred, tried again.
async fn orders_story(stage: &mut Stage, program: &mut Program) {
    let billed = stage.add_plain().to_string();
    let refused = stage.add(&stage.empty_order()).to_string();
    let by_hand = stage.add_plain().to_string();
    let one = [by_hand.as_str()];
    program.read("/orders/{order}/preview", &one).await;
    program.read("/orders/{order}/preview", &[&refused]).await;
    let accepted = StatusCode::ACCEPTED;
    let body = Some(json!({ "mail_to": "a@b.example" }));
    let sync = (Method::POST, "/orders/{order}/sync");
    let attempt = program.ask(sync, &one, body, accepted).await;
    let attempt = text(&attempt["attempt"]);
    let path = "/orders/{order}/attempts/{attempt}";
    program.read(path, &[&by_hand, &attempt]).await;
    program
        .ask((Method::POST, "/runs"), &[], None, accepted)
        .await;
    program.read("/home", &[]).await;
    stage.scan_due().await;
    stage.drain().await;
    program.read(path, &[&by_hand, &attempt]).await;
    for order in [&billed, &refused, &by_hand] {
        program.read("/orders/{order}", &[order]).await;
        program.read("/orders/{order}/support", &[order]).await;
    }
    let retry = (Method::POST, "/orders/{order}/retry");
    program.ask(retry, &[&refused], None, accepted).await;
    stage.drain().await;
    let retry = (Method::POST, "/orders/retry");
    let body = Some(json!({ "code": "order.no_lines" }));
    let retried = program.ask(retry, &[], body, accepted).await;
    assert_eq!(retried["attempts"].as_array().map(Vec::len), Some(1));
    let orders = program.read("/orders", &[]).await;
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(3));
    stage.drain().await;
    program.read("/home", &[]).await;
}

/// Connection and settings: read, checked, replaced, ended.
async fn connection_story(stage: &Stage, program: &mut Program) {
    let company = stage.company();
    for path in [
        "/me",
        "/companies",
        "/set-up",
        "/connection",
        "/connection/check",
        "/settings",
        "/settings/choices",
    ] {
        program.read(path, &[]).await;
    }
    let well = StatusCode::OK;
    let mut settings = company.settings();
    settings["days_back"] = json!(12);
    let put = (Method::PUT, "/settings");
    program.ask(put, &[], Some(settings), well).await;
    program.read("/settings/history", &[]).await;
    let [(_, user), (_, secret), (_, code)] = company.credentials();
    let body = json!({ "user": user, "secret": secret, "integration_code": code });
    let put = (Method::PUT, "/connection/autotask");
    program.ask(put, &[], Some(body), well).await;
    let post = (Method::POST, "/connection/check");
    program.ask(post, &[], None, well).await;
    let post = (Method::POST, "/set-up/start");
    program.ask(post, &[], None, StatusCode::ACCEPTED).await;
    let post = (Method::POST, "/companies/current");
    let body = json!({ "tenant": stage.tenant.as_str() });
    program.ask(post, &[], Some(body), well).await;
    let post = (Method::POST, "/connection/quickbooks");
    program.ask(post, &[], Some(json!({})), well).await;
}

/// Whoever is invited accepts, declines and leaves.
async fn memberships(stage: &Stage, program: &mut Program) {
    let email = "guest@north-wind.example";
    let owner = program.visitor.clone();
    stage.add_person(email, purser_simulators::intuit::Role::User);
    let mut guest = owner.site.visitor();
    for path in [
        "/companies/invitations/decline",
        "/companies/invitations/accept",
    ] {
        program.visitor.clone_from(&owner);
        let invite = (Method::POST, "/people/invitations");
        let body = Some(json!({ "email": email, "role": "viewer" }));
        program.ask(invite, &[], body, StatusCode::CREATED).await;
        let _companies = guest.sign_in(email).await.expect_to("/companies");
        program.visitor.clone_from(&guest);
        program.read("/companies", &[]).await;
        let body = Some(json!({ "tenant": stage.tenant.as_str() }));
        let post = (Method::POST, path);
        program
            .ask(post.clone(), &[], body.clone(), StatusCode::OK)
            .await;
        program.ask(post, &[], body, StatusCode::NOT_FOUND).await;
    }
    let body = Some(json!({ "tenant": stage.tenant.as_str() }));
    let leave = (Method::POST, "/companies/leave");
    program
        .ask(leave.clone(), &[], body.clone(), StatusCode::OK)
        .await;
    program.visitor = owner;
    program.ask(leave, &[], body, StatusCode::CONFLICT).await;
}

/// People: invited, made something else, sent away.
async fn people_story(stage: &Stage, program: &mut Program) {
    let well = StatusCode::OK;
    let invite = (Method::POST, "/people/invitations");
    let body = |email: &str| Some(json!({ "email": email, "role": "viewer" }));
    let created = StatusCode::CREATED;
    program.ask(invite, &[], body("a@b.example"), created).await;
    program.read("/people", &[]).await;
    let withdraw = (Method::POST, "/people/invitations/withdraw");
    let address = Some(json!({ "email": "a@b.example" }));
    program.ask(withdraw, &[], address, well).await;
    let email = "mate@north-wind.example";
    stage.member(&mut program.visitor, email, "viewer").await;
    let people = program.read("/people", &[]).await;
    let members = people["members"].as_array().expect("members");
    let mate = members.iter().find(|member| member["email"] == email);
    let mate = text(&mate.expect("the mate")["person"]);
    memberships(stage, program).await;
    let role = (Method::PUT, "/people/{person}/role");
    let admin = Some(json!({ "role": "admin" }));
    program.ask(role, &[&mate], admin, well).await;
    let end = (Method::DELETE, "/people/{person}/sessions");
    program.ask(end, &[&mate], None, well).await;
    let remove = (Method::DELETE, "/people/{person}");
    program.ask(remove, &[&mate], None, well).await;
    program.read("/activity", &[]).await;
}

/// What is refused is refused as the document says.
async fn refusals(program: &mut Program) {
    let get = |path| (Method::GET, path);
    let post = |path| (Method::POST, path);
    let missing = StatusCode::NOT_FOUND;
    let wrong = StatusCode::UNPROCESSABLE_ENTITY;
    program
        .ask(get("/orders/{order}"), &["42"], None, missing)
        .await;
    let attempt = get("/orders/{order}/attempts/{attempt}");
    program.ask(attempt, &["42", "none"], None, missing).await;
    program
        .ask(get("/orders?outcome=none"), &[], None, wrong)
        .await;
    let retry = post("/orders/retry");
    let body = Some(json!({ "code": "none" }));
    program.ask(retry, &[], body, wrong).await;
    let body = Some(json!({ "days_back": -1 }));
    program
        .ask((Method::PUT, "/settings"), &[], body, wrong)
        .await;
    let invite = post("/people/invitations");
    let body = Some(json!({ "email": "nobody", "role": "owner" }));
    program.ask(invite, &[], body, wrong).await;
}

/// Both ways to end sessions, and the end of both connections.
async fn ends(program: &mut Program) {
    let well = StatusCode::OK;
    let end = |path| (Method::DELETE, path);
    program.ask(end("/connection"), &[], None, well).await;
    program.read("/connection", &[]).await;
    program.read("/home", &[]).await;
    let conflict = StatusCode::CONFLICT;
    let sync = (Method::POST, "/orders/{order}/sync");
    program.ask(sync, &["42"], Some(json!({})), conflict).await;
    program.ask(end("/sessions"), &[], None, well).await;
    let me = (Method::GET, "/me");
    program.ask(me, &[], None, StatusCode::UNAUTHORIZED).await;
    let owner = purser_tests::visitor::Site::OWNER;
    let _home = program.visitor.sign_in(owner).await.expect_to("/home");
    program.ask(end("/session"), &[], None, well).await;
}

#[tokio::test(start_paused = true)]
async fn every_answer_of_a_whole_story_is_what_the_document_says() {
    let mut stage = Stage::new().await;
    let mut program = program(&stage).await;
    orders_story(&mut stage, &mut program).await;
    connection_story(&stage, &mut program).await;
    people_story(&stage, &mut program).await;
    refusals(&mut program).await;
    ends(&mut program).await;
    let all = addresses().into_iter().filter(|address| address.is_api);
    let all: BTreeSet<_> = all
        .map(|address| format!("{} {}", address.method, address.path))
        .collect();
    assert_eq!(program.done, all, "the story has everything");
}

/// The same address with another header for what is wanted.
async fn accepting(visitor: &mut Visitor, path: &str, accept: &str) -> Reply {
    let request = visitor
        .request(&Method::GET, path)
        .header(header::ACCEPT, accept);
    let request = request.body(Bytes::new()).expect("a request");
    visitor.send(request).await
}

#[tokio::test(start_paused = true)]
async fn a_page_and_the_interface_tell_the_same_facts() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.add(&stage.empty_order());
    stage.run().await;
    let (_, mut owner) = stage.with_owner().await;
    let story = format!("/logs/{order}");
    for (page, interface) in [
        ("/home", "/home"),
        ("/connection", "/connection"),
        ("/logs", "/orders"),
        (story.as_str(), &format!("/orders/{order}")),
        ("/people", "/people"),
        ("/settings/history", "/settings/history"),
        ("/account", "/me"),
    ] {
        let told = owner.read(interface).await;
        let json = accepting(&mut owner, page, "application/json").await;
        assert_eq!(
            json.header("content-type"),
            "application/json; charset=utf-8"
        );
        assert_eq!(json.json(), told, "{page}");
        for accept in ["text/html", "text/html,application/json", "*/*", ""] {
            let html = accepting(&mut owner, page, accept).await;
            let kind = html.header("content-type");
            assert_eq!(kind, "text/html; charset=utf-8", "{page} {accept}");
        }
        // The interface stays JSON whatever a browser says it would like.
        let path = format!("{API}{interface}");
        let json = accepting(&mut owner, &path, "text/html").await;
        assert_eq!(json.json(), told, "{page}");
    }
    let told = owner.read(&format!("/orders/{order}")).await;
    let row = &told["order"];
    assert_eq!(row["total"], "799.98");
    let page = owner.get(&story).await;
    let _page = page
        .shows("799.98")
        .shows(row["number"].as_str().expect("a number"))
        .shows(row["vendor"].as_str().expect("a vendor"))
        .shows(row["bill_number"].as_str().expect("a bill"));
    let counts = &owner.read("/home").await["counts"];
    assert_eq!(
        (&counts["billed"], &counts["refused"]),
        (&json!(1), &json!(1))
    );
    let logs = owner.get("/logs").await;
    let rows = owner.read("/orders").await;
    for row in rows["orders"].as_array().expect("rows") {
        let number = row["number"].as_str().expect("a number");
        assert!(logs.body.contains(number), "{number}");
    }
}
