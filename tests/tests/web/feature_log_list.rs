//! The list of the log: order, filters, pages, and the same as CSV.

use std::{collections::BTreeSet, time::Duration};

use http::StatusCode;
use purser_simulators::autotask::OrderSeed;
use purser_tests::{stage::Stage, visitor::Visitor};
use serde_json::Value;

/// The ids of a list as the interface tells it, and the cursor of the next page.
async fn list(visitor: &mut Visitor, query: &str) -> (Vec<i64>, Option<String>) {
    let view = visitor.read(&format!("/orders?{query}")).await;
    let rows = view["orders"].as_array().expect("orders");
    let ids = rows.iter().map(|row| row["order"].as_i64().expect("an id"));
    (ids.collect(), view["next"].as_str().map(str::to_owned))
}

/// Every page of a list, one after the other.
async fn all(visitor: &mut Visitor, query: &str) -> Vec<Vec<i64>> {
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let cursor = after.map_or_else(String::new, |after| format!("&after={after}"));
        let (ids, next) = list(visitor, &format!("{query}{cursor}")).await;
        pages.push(ids);
        match next {
            Some(next) => after = Some(next),
            None => return pages,
        }
    }
}

/// Two orders that are billed, one of them of another vendor, one that is refused a day later,
/// and one that was canceled.
async fn mixed() -> (Stage, Visitor, [i64; 4]) {
    let mut stage = Stage::new().await;
    let (_, visitor) = stage.with_owner().await;
    let other = stage.new_seller("Zürich Trading <&> Co");
    let billed = stage.add_plain();
    let zurich = stage.add(&OrderSeed {
        vendor: other,
        ..stage.order()
    });
    stage.run().await;
    stage.wait(Duration::from_hours(24)).await;
    let refused = stage.add(&stage.empty_order());
    let canceled = stage.add_plain();
    stage.in_autotask(purser_simulators::autotask::Action::CancelOrder { order: canceled });
    stage
        .ask(canceled, purser_core::record::Origin::Person, None)
        .await;
    stage.run().await;
    let mut again = visitor.site.visitor();
    again.sign_in(purser_tests::visitor::Site::OWNER).await;
    (stage, again, [billed, zurich, refused, canceled])
}

#[tokio::test(start_paused = true)]
async fn the_log_is_filtered_by_outcome_vendor_day_text_and_cause() {
    let (_stage, mut visitor, [billed, zurich, refused, canceled]) = mixed().await;
    let cases: [(&str, &[i64]); 12] = [
        ("", &[billed, zurich, refused, canceled]),
        ("outcome=billed", &[billed, zurich]),
        ("outcome=refused", &[refused]),
        ("outcome=ineligible", &[canceled]),
        ("outcome=waiting", &[]),
        ("vendor=Z%C3%BCrich+Trading+%3C%26%3E+Co", &[zurich]),
        ("from=2026-03-16&to=2026-03-16", &[billed, zurich]),
        ("from=2026-03-17", &[refused, canceled]),
        ("from=2026-03-18", &[]),
        ("text=PO0000002", &[zurich]),
        ("code=order.no_lines", &[refused]),
        ("outcome=billed&text=Z%C3%BCrich", &[zurich]),
    ];
    for (query, expected) in cases {
        let (ids, _) = list(&mut visitor, query).await;
        let ids: BTreeSet<_> = ids.into_iter().collect();
        let expected: BTreeSet<_> = expected.iter().copied().collect();
        assert_eq!(ids, expected, "{query}");
        let page = visitor.get(&format!("/logs?{query}")).await;
        let page = page.expect(StatusCode::OK);
        for order in [billed, zurich, refused, canceled] {
            let row = format!("<a href=\"/logs/{order}\">");
            assert_eq!(
                page.body.contains(&row),
                expected.contains(&order),
                "{query}"
            );
        }
        if expected.is_empty() {
            let _page = page.shows("No order matches.");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_cannot_be_used_is_named_and_hides_nothing() {
    let (_stage, mut visitor, orders) = mixed().await;
    for (query, field) in [
        ("outcome=lost", "outcome"),
        ("from=yesterday", "from"),
        ("to=2026-02-31", "to"),
        ("code=no.such", "code"),
        ("after=nowhere", "after"),
    ] {
        let reply = visitor
            .call(http::Method::GET, &format!("/orders?{query}"), None)
            .await;
        let reply = reply.expect(StatusCode::UNPROCESSABLE_ENTITY).json();
        assert_eq!(reply["fields"][0]["field"], field);
        let page = visitor.get(&format!("/logs?{query}")).await;
        let mut page = page.expect(StatusCode::OK).shows("needs another look");
        for order in orders {
            page = page.shows(&format!("<a href=\"/logs/{order}\">"));
        }
    }
    let page = visitor
        .get("/logs?text=%3Cscript%3Ealert(1)%3C/script%3E")
        .await;
    let _page = page.hides("<script>alert");
}

#[tokio::test(start_paused = true)]
async fn pages_of_120_orders_have_no_gap_and_no_double() {
    let mut stage = Stage::new().await;
    let (_, mut visitor) = stage.with_owner().await;
    let seeds: Vec<_> = (0..120).map(|_| stage.empty_order()).collect();
    let orders: BTreeSet<_> = stage.database.add_orders(&seeds).into_iter().collect();
    stage.run().await;
    let pages = all(&mut visitor, "outcome=refused").await;
    let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [50, 50, 20]);
    let seen: Vec<_> = pages.into_iter().flatten().collect();
    assert_eq!(seen.len(), 120);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), orders);
    // The pages link to one another with the filter that was chosen.
    let mut path = "/logs?outcome=refused".to_owned();
    let mut shown = BTreeSet::new();
    let mut pages = 0;
    loop {
        let page = visitor.get(&path).await.expect(StatusCode::OK);
        pages += 1;
        for order in &orders {
            if page.body.contains(&format!("<a href=\"/logs/{order}\">")) {
                assert!(shown.insert(*order), "{order} stands there twice");
            }
        }
        let Some((_, rest)) = page.body.split_once("rel=\"next\" href=\"") else {
            break;
        };
        let next = rest.split('"').next().unwrap_or_default();
        path = next.replace("&#38;", "&").replace("&amp;", "&");
        assert!(path.contains("outcome=refused"), "{path}");
    }
    assert_eq!((pages, shown.len()), (3, 120));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_changes_while_somebody_pages_is_shown_and_takes_no_other_away() {
    let mut stage = Stage::new().await;
    let (_, mut visitor) = stage.with_owner().await;
    let seeds: Vec<_> = (0..60).map(|_| stage.empty_order()).collect();
    let orders: BTreeSet<_> = stage.database.add_orders(&seeds).into_iter().collect();
    stage.run().await;
    let (first, next) = list(&mut visitor, "").await;
    stage.wait(Duration::from_secs(5)).await;
    stage.retry(first[3]).await;
    let next = next.expect("a second page");
    let (second, _) = list(&mut visitor, &format!("after={next}")).await;
    let seen: BTreeSet<_> = first.iter().chain(&second).copied().collect();
    assert_eq!(seen, orders);
    let (newest, _) = list(&mut visitor, "").await;
    assert_eq!(newest[0], first[3], "the newest change stands first");
}

#[tokio::test(start_paused = true)]
async fn the_csv_holds_what_the_filter_shows_on_all_pages() {
    let (mut stage, mut visitor, [_, zurich, ..]) = mixed().await;
    let seeds: Vec<_> = (0..70).map(|_| stage.empty_order()).collect();
    stage.database.add_orders(&seeds);
    stage.run().await;
    let page = visitor.get("/logs?outcome=refused").await;
    let _page = page.shows("href=\"/logs/export?outcome=refused\" download");
    let file = visitor.get("/logs/export?outcome=refused").await;
    let file = file.expect(StatusCode::OK);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<_> = file.body.lines().collect();
    assert_eq!(lines.len(), 1 + 71);
    assert!(lines[0].starts_with("order id,order number,vendor,outcome"));
    assert!(lines[1..].iter().all(|line| line.contains(",refused,")));
    assert!(lines[1].contains("order.no_lines"));
    let file = visitor.get("/logs/export?text=Z%C3%BCrich").await;
    let line = file.body.lines().nth(1).expect("a row").to_owned();
    assert!(line.starts_with(&format!("{zurich},")), "{line}");
    assert!(line.contains("Zürich Trading <&> Co"), "{line}");
    let bill = stage.bill_of(zurich);
    let total = format!(",{},", bill["TotalAmt"]);
    assert!(line.contains(&total), "{line}: {total}");
}

#[tokio::test(start_paused = true)]
async fn names_that_spreadsheets_would_take_for_formulas_stay_texts() {
    let mut stage = Stage::new().await;
    let (_, mut visitor) = stage.with_owner().await;
    for name in ["=HYPERLINK(\"http://x\")", "+49 Supply", "@home", "-Minus"] {
        let vendor = stage.new_seller(name);
        stage.add(&OrderSeed {
            vendor,
            ..stage.order()
        });
    }
    stage.run().await;
    let file = visitor.get("/logs/export").await.expect(StatusCode::OK);
    let lines: Vec<_> = file.body.lines().skip(1).collect();
    assert_eq!(lines.len(), 4);
    for name in [
        "\"'=HYPERLINK(\"\"http://x\"\")\"",
        "'+49 Supply",
        "'@home",
        "'-Minus",
    ] {
        let cell = format!(",{name},");
        let found = lines.iter().filter(|line| line.contains(&cell));
        assert_eq!(found.count(), 1, "{name}: {lines:?}");
    }
    let list = visitor.read("/orders").await;
    assert_eq!(list["orders"].as_array().map(Vec::len), Some(4));
    assert_eq!(list["next"], Value::Null);
}

/// Another bill is made only once the number of the first cannot land any more: until then the log
/// offers neither the bill that is gone nor a Retry that changes nothing.
#[tokio::test(start_paused = true)]
async fn an_order_whose_bill_was_deleted_is_being_looked_up_and_then_billed_anew() {
    let mut stage = Stage::new().await;
    let (_, mut visitor) = stage.with_owner().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    stage.delete_bill(&bill);
    stage.in_autotask(purser_simulators::autotask::Action::ClearNumber { order });
    stage
        .ask(order, purser_core::record::Origin::Person, None)
        .await;
    stage.drain().await;
    let view = visitor.read("/orders?outcome=waiting").await;
    let row = &view["orders"][0];
    assert_eq!(row["order"], order);
    assert_eq!(row["outcome"], "in_doubt");
    assert_eq!(row["notice"]["code"], "doubt.number_may_land");
    assert_eq!(
        (&row["bill"], &row["total"], &row["can_retry"]),
        (&Value::Null, &Value::Null, &Value::Bool(false))
    );
    assert!(row["next_attempt"].is_string(), "{row}");
    let page = visitor.get("/logs").await.expect(StatusCode::OK);
    let _page = page.shows("Being looked up");
    let story = visitor.read(&format!("/orders/{order}")).await;
    let links = story["links"].to_string();
    assert!(!links.contains("Bill in QuickBooks"), "{links}");
    stage.live(Duration::from_mins(10)).await;
    let anew = stage.assert_billed(order, "799.98").await;
    assert_ne!(anew["Id"], bill["Id"]);
    let story = visitor.read(&format!("/orders/{order}")).await;
    let links = story["links"].to_string();
    assert!(links.contains("Bill in QuickBooks"), "{links}");
    // What stands there without a bill is not called billed.
    let preview = format!("/orders/{order}/preview");
    let told = visitor.read(&preview).await.to_string();
    assert!(told.contains("This order is bill"), "{told}");
    stage.delete_bill(&anew);
    stage
        .ask(order, purser_core::record::Origin::Person, None)
        .await;
    stage.drain().await;
    let told = visitor.read(&preview).await.to_string();
    assert!(told.contains("External PO Number already says"), "{told}");
    assert!(!told.contains("Nothing is left to do"), "{told}");
}
