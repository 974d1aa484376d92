//! Two companies in one application: whatever names something of the other company is answered as
//! if that did not exist, and the other company does not change.

use http::{Method, StatusCode};
use purser_core::ids::TenantId;
use purser_simulators::autotask::{CompanySeed, LineSeed, OrderSeed};
use purser_tests::{
    stage::Stage,
    visitor::{Company, Reply, Site, Visitor},
};
use purser_web::{Address, addresses};
use serde_json::{Value, json};

use crate::{
    addresses::{Names, ask_with, holdings, words},
    support::is_in,
};

/// The admin of the other company.
const SUE: &str = "sue@south.example";
/// Whom she has invited.
const GUEST: &str = "guest@south.example";
/// Names that only the other company has.
const SUPPLIER: &str = "Southern Secret Supplies";
const NUMBER: &str = "SECRET-NUMBER-9";
/// Orders that only the other company has: one refused, one billed.
const REFUSED: i64 = 777_001;
const BILLED: i64 = 777_002;

/// The company of the stage with its admin, and another one with hers.
struct Two {
    stage: Stage,
    owner: Visitor,
    sue: Visitor,
    south: Company,
    tenant: TenantId,
    /// What the other company has.
    theirs: Names,
}

fn south_orders(south: &Company) {
    let vendor = south.database.add_company(&CompanySeed::vendor(SUPPLIER));
    let refused = OrderSeed {
        id: Some(REFUSED),
        number: Some(NUMBER.to_owned()),
        ..OrderSeed::submitted(vendor)
    };
    south.database.add_order(&refused);
    let billed = OrderSeed {
        id: Some(BILLED),
        ..OrderSeed::submitted(vendor)
    };
    let line = LineSeed::of(south.cast.product, 3, "91.37");
    south.database.add_order(&billed.line(line));
}

async fn two() -> Two {
    let mut stage = Stage::new().await;
    stage.add_plain();
    stage.add(&stage.empty_order());
    stage.run().await;
    let (site, owner) = stage.with_owner().await;
    let south = stage.add_company("9130350000000777", "South Harbor", "api@south.example");
    south_orders(&south);
    let mut sue = site.visitor();
    south.set_up(&stage, &mut sue, SUE).await;
    stage.scan_due().await;
    stage.drain().await;
    let fields = [("email", GUEST), ("role", "viewer")];
    let invited = sue.submit("/people", &fields).await;
    let _invited = invited.expect_to("/people?done=invited");
    let path = format!("/orders/{REFUSED}/retry");
    let retried = sue.call(Method::POST, &path, None).await;
    let retried = retried.expect(StatusCode::ACCEPTED).json();
    stage.drain().await;
    let people = sue.read("/people").await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let theirs = Names {
        order: REFUSED.to_string(),
        attempt: text(&retried["attempt"]),
        person: text(&people["members"][0]["person"]),
        ..Names::default()
    };
    let tenant = text(&sue.read("/me").await["tenant"]);
    Two {
        tenant: tenant.parse().expect("a tenant"),
        stage,
        owner,
        sue,
        south,
        theirs,
    }
}

impl Two {
    async fn others(&self) -> String {
        let held = holdings(&self.stage, &self.tenant, &self.south).await;
        let calls = self.south.database.traffic();
        format!("{held} {calls:?}")
    }
}

/// The body without what is different in every answer, and without the names that were asked for.
fn plain(reply: &Reply, names: &Names) -> String {
    let mut text = reply
        .body
        .replace(reply.header("x-correlation-id"), "(number)");
    for name in [&names.order, &names.attempt, &names.person] {
        text = text.replace(name, "(name)");
    }
    text
}

/// Bodies with which operations would get as far as they can.
fn body(address: &Address) -> &'static str {
    match (address.reads_json, address.is_api) {
        _ if address.path.ends_with("/role") && address.is_api => r#"{"role":"viewer"}"#,
        _ if address.path.ends_with("/role") => "role=viewer",
        (true, _) => "{}",
        _ => "",
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_belongs_to_another_company_does_not_exist() {
    let mut two = two().await;
    let made_up = Names {
        order: "777009".to_owned(),
        attempt: "a".repeat(two.theirs.attempt.len()),
        person: "f".repeat(two.theirs.person.len()),
        ..Names::default()
    };
    let before = two.others().await;
    let mut asked = 0;
    let mut all = addresses();
    // An order that was asked for by hand is known afterwards.
    all.sort_by_key(|address| address.path.ends_with("/sync"));
    for address in all {
        if !["{order}", "{attempt}", "{person}"]
            .iter()
            .any(|part| address.path.contains(part))
        {
            continue;
        }
        asked += 1;
        let shown = words(&address);
        let (stage, owner) = (&two.stage, &mut two.owner);
        let theirs = ask_with(stage, owner, &address, (&two.theirs, body(&address))).await;
        let nobodys = ask_with(stage, owner, &address, (&made_up, body(&address))).await;
        assert_eq!(theirs.status, nobodys.status, "{shown}: {theirs:?}");
        // By hand any order of one's own Autotask can be asked for, and there it is not found.
        if !shown.ends_with("/sync") {
            let (one, other) = (plain(&theirs, &two.theirs), plain(&nobodys, &made_up));
            assert_eq!(one, other, "{shown}");
        }
        for secret in [SUPPLIER, NUMBER, SUE, GUEST, "South Harbor", "91.37"] {
            assert!(!theirs.body.contains(secret), "{shown}: {secret}");
        }
        if !shown.ends_with("/sync") && !shown.ends_with("/preview") {
            assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{shown}");
        }
    }
    assert!(asked >= 16, "{asked} addresses name something");
    two.stage.drain().await;
    assert_eq!(two.others().await, before);
    assert!(is_in(&mut two.sue).await);
}

#[tokio::test(start_paused = true)]
async fn an_order_of_another_company_asked_for_by_hand_is_not_found_in_ones_own_autotask() {
    let mut two = two().await;
    let before = two.others().await;
    let order = REFUSED.to_string();
    for order in [REFUSED, BILLED] {
        let path = format!("/orders/{order}/preview");
        let preview = two.owner.call(Method::GET, &path, None).await;
        assert!(!preview.body.contains(SUPPLIER), "{preview:?}");
        let path = format!("/orders/{order}/sync");
        let asked = two.owner.call(Method::POST, &path, Some(&json!({}))).await;
        let _asked = asked.expect(StatusCode::ACCEPTED);
    }
    let form = [("order", order.as_str()), ("action", "sync")];
    two.owner.submit("/sync", &form).await;
    let page = two.owner.get(&format!("/sync/preview?order={order}")).await;
    assert!(!page.body.contains(SUPPLIER), "{page:?}");
    two.stage.drain().await;
    let own = two.owner.read(&format!("/orders/{REFUSED}")).await;
    assert_ne!(own["order"]["outcome"], "billed", "{own}");
    assert!(!own.to_string().contains(SUPPLIER), "{own}");
    assert_eq!(two.others().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_company_or_invitation_of_others_can_be_neither_chosen_nor_withdrawn() {
    let mut two = two().await;
    let before = two.others().await;
    for tenant in [two.tenant.as_str(), "nobodys-company", "", "../", "*", "%"] {
        let body = json!({ "tenant": tenant });
        let chosen = two
            .owner
            .call(Method::POST, "/companies/current", Some(&body));
        let chosen = chosen.await.expect(StatusCode::NOT_FOUND);
        assert_eq!(chosen.code(), "request.not_found", "{tenant}");
        let chosen = two.owner.submit("/companies", &[("tenant", tenant)]).await;
        assert_eq!(chosen.status, StatusCode::NOT_FOUND, "{tenant}");
    }
    assert_eq!(two.owner.read("/me").await["tenant"], "north-wind");
    for email in [GUEST, "nobody@south.example"] {
        let body = json!({ "email": email });
        let path = "/people/invitations/withdraw";
        let withdrawn = two.owner.call(Method::POST, path, Some(&body)).await;
        let _withdrawn = withdrawn.expect(StatusCode::NOT_FOUND);
        let form = [("email", email)];
        let withdrawn = two.owner.submit("/people/invitations/withdraw", &form);
        let _withdrawn = withdrawn.await.expect(StatusCode::NOT_FOUND);
    }
    assert_eq!(two.others().await, before);
}

#[tokio::test(start_paused = true)]
async fn lists_filters_and_files_hold_nothing_of_another_company() {
    let mut two = two().await;
    let theirs = two.sue.read("/orders").await;
    assert_eq!(theirs["orders"].as_array().map(Vec::len), Some(2));
    let cursor = format!("4000000000000000-{REFUSED}");
    let supplier = SUPPLIER.replace(' ', "+");
    let queries = [
        String::new(),
        format!("?text={NUMBER}"),
        format!("?text={REFUSED}"),
        format!("?vendor={supplier}"),
        "?outcome=refused".to_owned(),
        format!("?after={cursor}"),
        "?tenant=south-harbor".to_owned(),
        format!("?orders={REFUSED}"),
    ];
    for query in queries {
        for path in ["/logs", "/logs/export", "/api/v1/orders"] {
            let reply = two.owner.get(&format!("{path}{query}")).await;
            let shown = format!("{path}{query}");
            for secret in [SUPPLIER, NUMBER, "777001", "777002", "91.37", "274.11"] {
                // What was asked for stands in the fields of the filter again.
                if !query.contains(&secret.replace(' ', "+")) {
                    assert!(!reply.body.contains(secret), "{shown}: {secret}");
                }
            }
            if path == "/logs/export" {
                assert!(!reply.body.contains(SUPPLIER), "{shown}");
            }
        }
        let rows = two.owner.read(&format!("/orders{query}")).await;
        for row in rows["orders"].as_array().expect("rows") {
            let order = row["order"].as_i64().expect("an order");
            assert!(![REFUSED, BILLED].contains(&order), "{query}: {row}");
        }
    }
    for path in [
        "/home",
        "/set-up",
        "/connection",
        "/connection/check",
        "/settings",
        "/settings/history",
        "/settings/export",
        "/companies",
        "/people",
        "/activity",
        "/account",
    ] {
        let page = two.owner.get(path).await;
        for secret in [SUPPLIER, NUMBER, SUE, GUEST, "South Harbor", "south-harbor"] {
            assert!(!page.body.contains(secret), "{path}: {secret}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn disconnecting_and_pausing_one_company_leaves_the_other_at_work() {
    let mut two = two().await;
    let (stage, owner, south) = (&mut two.stage, &mut two.owner, &two.south);
    let theirs = holdings(stage, &two.tenant, south).await;
    let ended = owner.submit("/connection/disconnect", &[]).await;
    let _ended = ended.expect_to("/connection?done=disconnected");
    let tokens = stage.simulators.intuit.tokens();
    assert_eq!(tokens.live_grants(&stage.realm), 0);
    assert_eq!(tokens.live_grants(&south.realm), 1);
    assert_eq!(holdings(stage, &two.tenant, south).await, theirs);
    let order = south.add_order();
    stage.live(std::time::Duration::from_mins(40)).await;
    let _home = two.sue.sign_in(SUE).await.expect_to("/home");
    let row = two.sue.read(&format!("/orders/{order}")).await;
    assert_eq!(row["order"]["outcome"], "billed", "{row}");
    // And the one that is disconnected is asked nothing on behalf of the other.
    let _home = two.owner.sign_in(Site::OWNER).await.expect_to("/home");
    let connection = two.owner.read("/connection").await;
    assert!(!connection.to_string().contains("South Harbor"));
}
