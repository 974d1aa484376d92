use std::time::Duration;

use jiff::Timestamp;
use purser_core::{
    books::{AccountKind, Changed, NameHolder},
    notice::Code,
    ports::QuickBooks as _,
};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{bill, empty, entity_of, realm, rows};
use crate::testing::{Reply, World, fault, ok, tokens, used};

#[tokio::test]
async fn the_books_are_read_inactive_records_included() {
    let world = World::with_token_for(60);
    world.network.on_quickbooks(|seen| realm(seen, "US"));
    let client = world.client();
    assert_eq!(client.server_now(), None);
    let books = client.books().await.unwrap();
    assert_eq!(books.as_of.to_string(), "2026-01-15T18:00:07Z");
    let company = &books.company;
    assert!(company.multi_currency && company.tracks_customers && company.is_us());
    assert_eq!(company.plan.as_deref(), Some("QuickBooks Online Plus"));
    assert_eq!(company.time_zone.as_deref(), Some("America/New_York"));
    assert_eq!(company.book_close_date.unwrap().to_string(), "2025-12-31");
    assert_eq!(
        books.vendors.len(),
        1,
        "a vendor without a name is left out"
    );
    assert_eq!(books.vendors[0].currency.unwrap().code(), "EUR");
    assert_eq!(books.accounts[0].kind, AccountKind::Payable);
    assert_eq!(
        (books.accounts[1].name.as_str(), books.accounts[1].active),
        ("A:B", false)
    );
    assert_eq!(books.items[0].full_name, "Hose");
    assert!(books.terms.is_empty(), "a refused optional list is empty");
    let calls = world.network.calls();
    assert_eq!(calls.len(), 7, "no tax codes in the US");
    for call in &calls {
        assert_eq!(call.headers["accept"], "application/json");
        assert_eq!(call.headers["authorization"], "Bearer A0");
        assert_eq!(call.query, "minorversion=75");
        assert_eq!(call.timeout, Duration::from_mins(1));
        if !call.body.is_empty() {
            assert_eq!(
                (call.method.as_str(), call.path.as_str()),
                ("POST", "/v3/company/4242/query")
            );
            assert_eq!(call.headers["content-type"], "application/text");
            assert!(
                call.body.contains("WHERE Active IN (true, false) ORDERBY "),
                "{}",
                call.body
            );
        }
    }
    assert_eq!((world.meter.calls(), world.meter.reads()), (7, 7));
    // The seventh call of a second waited for the next one.
    assert_eq!(
        client.server_now().unwrap().to_string(),
        "2026-01-15T18:00:10Z"
    );
}

#[tokio::test]
async fn tax_codes_are_read_outside_the_us_and_an_outage_is_no_empty_list() {
    let world = World::with_token_for(60);
    world.network.on_quickbooks(|seen| realm(seen, "CA"));
    assert_eq!(
        world.client().books().await.unwrap().tax_codes[0].name,
        "GST"
    );
    world
        .network
        .on_quickbooks(|seen| match entity_of(seen).as_str() {
            "Term" => Reply::Answer(503, String::new()),
            _ => realm(seen, "CA"),
        });
    let failure = world.client().books().await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksFailing);
}

#[tokio::test]
async fn a_list_that_fails_leaves_no_renewal_of_another_in_the_middle() {
    for seed in 0..100 {
        let world = World::with_token_for(60);
        world.network.dice.load(seed);
        world.store.dice.load(seed ^ 0x5555);
        world.network.on_quickbooks(|seen| {
            let is_stale = seen.headers["authorization"] == "Bearer A0";
            match entity_of(seen).as_str() {
                "Vendor" => Reply::Answer(503, String::new()),
                "Customer" if is_stale => fault(401, "3200"),
                _ => realm(seen, "US"),
            }
        });
        world.network.on_oauth(|seen| {
            assert_eq!(used(seen), "R0", "it is worth nothing after its first use");
            tokens("R1", "A1")
        });
        assert!(world.client().books().await.is_err());
        assert_eq!(world.network.refreshes().len(), 1, "seed {seed}");
        let stored = world.store.get().refresh_token;
        assert_eq!(stored.expose_secret(), "R1", "seed {seed}");
    }
}

#[tokio::test]
async fn pages_overlap_and_each_row_counts_once() {
    let world = World::with_token_for(60);
    world.network.on_quickbooks(|seen| {
        let start = seen
            .body
            .split("STARTPOSITION ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap();
        let start: usize = start.parse().unwrap();
        let page: Vec<_> = (start..=2100).take(1000).map(bill).collect();
        let body = json!({ "QueryResponse": { "Bill": page } }).to_string();
        Reply::Headers(
            200,
            body,
            vec![("date", "Thu, 15 Jan 2026 18:00:09 GMT".into())],
        )
    });
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let client = world.client();
    let found = client
        .bills_created(at("2026-01-15T17:00:00Z"), at("2026-01-15T18:00:00Z"))
        .await;
    let found = found.unwrap();
    assert_eq!(found.bills.len(), 2100);
    assert_eq!(
        found.server_time.unwrap().to_string(),
        "2026-01-15T18:00:09Z"
    );
    let starts: Vec<_> = world
        .network
        .calls()
        .iter()
        .map(|c| c.body.contains("STARTPOSITION 951"))
        .collect();
    assert_eq!(starts, [false, true, false]);
}

#[tokio::test]
async fn a_server_that_repeats_its_page_is_a_failure_not_an_endless_loop() {
    let world = World::with_token_for(60);
    let page: Vec<_> = (1..=1000).map(bill).collect();
    world.network.on_quickbooks(move |_| rows("Bill", &page));
    let failure = world
        .client()
        .bills_numbered(&["1".into()])
        .await
        .unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksFailing);
    assert_eq!(world.network.calls().len(), 2);
}

#[tokio::test]
async fn bills_are_asked_for_thirty_numbers_at_a_time() {
    let world = World::with_token_for(60);
    world.network.on_quickbooks(|_| rows("Bill", &[bill(1)]));
    let numbers: Vec<String> = (0..31).map(|n| format!("it's-{n}")).collect();
    let bills = world.client().bills_numbered(&numbers).await.unwrap();
    assert_eq!(bills.len(), 1);
    assert_eq!(bills[0].vendor_name.as_deref(), Some("Bob"));
    let calls = world.network.calls();
    assert_eq!(calls.len(), 2);
    assert!(
        calls[1].body.contains("DocNumber IN ('it\\'s-30')"),
        "{}",
        calls[1].body
    );
    assert!(calls.iter().all(|call| !call.query.contains("its")));
    assert!(world.client().bills_numbered(&[]).await.unwrap().is_empty());
    world
        .network
        .script([rows("Bill", &[json!({ "Id": "2" })])]);
    let failure = world
        .client()
        .bills_numbered(&numbers[..1])
        .await
        .unwrap_err();
    assert_eq!(
        failure.code(),
        Code::QuickBooksFailing,
        "half a bill is not 'no bill'"
    );
}

#[tokio::test]
async fn one_bill_is_there_or_gone_or_unknown_for_now() {
    let world = World::with_token_for(60);
    let client = world.client();
    let bill_id = "151".parse().unwrap();
    world.network.script([
        ok(json!({ "Bill": bill(151) }).to_string()),
        ok(r#"{"Bill":{"status":"Deleted","domain":"QBO","Id":"151"}}"#),
        fault(400, "610"),
        fault(404, "610"),
    ]);
    assert_eq!(
        client
            .bill(&bill_id)
            .await
            .unwrap()
            .unwrap()
            .total
            .to_string(),
        "10.5"
    );
    for _ in 0..3 {
        assert_eq!(client.bill(&bill_id).await.unwrap(), None);
    }
    for reply in [
        Reply::Answer(404, "<html>".into()),
        // Whatever else is not found, it is not this bill: another one would be made for it.
        fault(404, "500"),
        fault(404, "6000"),
        fault(403, "3100"),
        ok("{}"),
    ] {
        world.network.on_quickbooks(move |_| reply.clone());
        assert!(client.bill(&bill_id).await.is_err());
    }
    assert_eq!(world.network.calls()[0].path, "/v3/company/4242/bill/151");
}

#[tokio::test]
async fn a_name_is_looked_for_in_the_whole_name_space() {
    let world = World::with_token_for(60);
    world
        .network
        .on_quickbooks(|seen| match entity_of(seen).as_str() {
            "Vendor" => rows(
                "Vendor",
                &[json!({ "Id": "1", "DisplayName": "o'x", "Active": false })],
            ),
            "Customer" => rows("Customer", &[json!({ "Id": "2", "DisplayName": "O'x" })]),
            _ => rows(
                "Employee",
                &[json!({ "Id": "3", "DisplayName": "O'X", "Active": true })],
            ),
        });
    let holders = world.client().name_holders("O'x\\").await.unwrap();
    assert!(matches!(&holders[0], NameHolder::Vendor(v) if !v.active));
    assert!(matches!(&holders[1], NameHolder::Customer(c) if c.active));
    assert!(matches!(holders[2], NameHolder::Employee { active: true }));
    for call in world.network.calls() {
        let wanted = "WHERE DisplayName = 'O\\'x\\\\' AND Active IN (true, false)";
        assert!(call.body.contains(wanted), "{}", call.body);
    }
}

#[tokio::test]
async fn items_and_rates_may_be_missing() {
    let world = World::with_token_for(60);
    let client = world.client();
    let date = "2026-01-15".parse().unwrap();
    let eur = "EUR".parse().unwrap();
    world.network.script([
        empty(),
        fault(400, "610"),
        ok(r#"{"ExchangeRate":{"SourceCurrencyCode":"EUR","Rate":1.0857}}"#),
        ok(r#"{"ExchangeRate":{"SourceCurrencyCode":"EUR"}}"#),
        fault(400, "610"),
    ]);
    assert!(client.items_named("Hose").await.unwrap().is_empty());
    assert_eq!(client.item(&"19".parse().unwrap()).await.unwrap(), None);
    let rate = client.exchange_rate(eur, date).await.unwrap();
    assert_eq!(rate.unwrap().to_string(), "1.0857");
    assert_eq!(client.exchange_rate(eur, date).await.unwrap(), None);
    assert_eq!(client.exchange_rate(eur, date).await.unwrap(), None);
    assert_eq!(
        world.network.calls()[2].query,
        "minorversion=75&sourcecurrencycode=EUR&asofdate=2026-01-15"
    );
}

#[tokio::test]
async fn changes_are_told_with_the_time_of_the_answer() {
    let world = World::with_token_for(60);
    let body = json!({ "CDCResponse": [{ "QueryResponse": [
        { "Vendor": [{ "Id": "1", "DisplayName": "A" }, { "status": "Deleted", "Id": "2" }] },
        { "Account": [], "startPosition": 1, "totalCount": 2 },
        { "Term": [{ "Id": "3", "Name": "Net 30" }] }, {} ] }] });
    let date = ("date", "Thu, 15 Jan 2026 18:01:00 GMT".to_owned());
    world
        .network
        .script([Reply::Headers(200, body.to_string(), vec![date])]);
    let since: Timestamp = "2026-01-15T17:00:00.5Z".parse().unwrap();
    let (changes, at) = world.client().changes(since).await.unwrap().unwrap();
    assert_eq!(at.to_string(), "2026-01-15T18:01:00Z");
    assert!(matches!(&changes.vendors[0], Changed::Now(vendor) if vendor.display_name == "A"));
    assert_eq!(changes.vendors[1], Changed::Gone("2".parse().unwrap()));
    assert_eq!(changes.terms.len(), 1);
    assert_eq!(
        world.network.calls()[0].query,
        "minorversion=75&entities=Vendor%2CCustomer%2CItem%2CAccount%2CTerm\
         &changedSince=2026-01-15T17%3A00%3A00Z"
    );
}

#[tokio::test]
async fn changes_of_bills_are_asked_for_alone() {
    let world = World::with_token_for(60);
    let body = json!({ "CDCResponse": [{ "QueryResponse": [
        { "Bill": [{ "Id": "8", "TotalAmt": 1 }, { "status": "Deleted", "Id": "9" }],
          "startPosition": 1, "totalCount": 2 } ] }] });
    let unreadable = json!({ "CDCResponse": [{ "QueryResponse": [
        { "Bill": [{ "Id": "8" }] } ] }] });
    let many: Vec<_> = (1..=1000)
        .map(|n| json!({ "Id": n.to_string(), "TotalAmt": 1 }))
        .collect();
    let many = json!({ "CDCResponse": [{ "QueryResponse": [{ "Bill": many }] }] });
    let bodies = [body, unreadable, many];
    world
        .network
        .script(bodies.map(|body| ok(body.to_string())));
    let since: Timestamp = "2026-01-15T17:00:00Z".parse().unwrap();
    let client = world.client();
    let changes = client.bill_changes(since).await.unwrap().unwrap();
    let standing: Vec<_> = changes
        .standing
        .iter()
        .map(|bill| bill.id.as_str())
        .collect();
    assert_eq!(standing, ["8"]);
    assert_eq!(changes.gone, ["9".parse().unwrap()]);
    let query = &world.network.calls()[0].query;
    assert!(query.contains("&entities=Bill&"), "{query}");
    assert!(client.bill_changes(since).await.is_err());
    assert_eq!(client.bill_changes(since).await.unwrap(), None);
}

#[tokio::test]
async fn too_long_ago_or_too_much_is_not_told() {
    let world = World::with_token_for(60);
    let client = world.client();
    let old: Timestamp = "2025-12-10T00:00:00Z".parse().unwrap();
    assert_eq!(client.changes(old).await.unwrap(), None);
    assert!(world.network.calls().is_empty());
    let many: Vec<_> = (1..=1000)
        .map(|n| json!({ "Id": n.to_string(), "DisplayName": "x" }))
        .collect();
    let body = json!({ "CDCResponse": [{ "QueryResponse": [{ "Vendor": many }] }] });
    world.network.script([ok(body.to_string())]);
    let since: Timestamp = "2026-01-15T17:00:00Z".parse().unwrap();
    assert_eq!(client.changes(since).await.unwrap(), None);
    let hidden = r#"{"CDCResponse":[{"QueryResponse":[{"Fault":{"Error":[{"code":"4001"}]}}]}]}"#;
    world.network.script([ok(hidden)]);
    assert_eq!(
        client.changes(since).await.unwrap_err().code(),
        Code::QuickBooksBug
    );
}
