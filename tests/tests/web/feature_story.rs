//! The story of one order on its page: readable, and never larger than a page may be.

use http::StatusCode;
use purser_core::record::Origin;
use purser_simulators::autotask::{LineSeed, OrderSeed};
use purser_tests::stage::Stage;

/// What a page may weigh.
const BYTES_MAX: usize = 50_000;
const LINES: usize = 300;

#[tokio::test(start_paused = true)]
async fn the_story_of_a_large_order_fits_a_page_and_the_bundle_has_all_of_it() {
    let mut stage = Stage::new().await;
    let line = LineSeed::of(stage.cast.product, 2, "189.00").memo("Second floor, \"east\" side");
    let order = stage.add(&OrderSeed {
        lines: vec![line; LINES],
        ..stage.order()
    });
    stage.run().await;
    let (_, mut visitor) = stage.with_owner().await;
    let page = visitor.get(&format!("/logs/{order}")).await;
    assert!(page.body.len() <= BYTES_MAX, "{} bytes", page.body.len());
    let page = page
        .shows("<dt>line 40</dt>")
        .shows("at 189.00 = 378.00")
        .shows("<dd>260. The rest is in the support bundle.</dd>");
    let _page = page.hides("<dt>line 41</dt>").hides("&#34;target&#34;");
    // What was sent, word for word.
    let told = visitor.read(&format!("/orders/{order}")).await;
    let history = told["history"].as_array().expect("a history");
    let sent = history.iter().find(|entry| entry["event"] == "sent");
    let details = sent.expect("it was sent")["details"].to_string();
    assert_eq!(details.matches("DetailType").count(), LINES, "each line");
    let bundle = visitor.get(&format!("/logs/{order}/support")).await;
    let bundle = bundle.expect(StatusCode::OK).body;
    assert!(bundle.matches("DetailType").count() >= LINES);
}

#[tokio::test(start_paused = true)]
async fn the_newest_of_a_long_story_are_shown_and_the_others_counted() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    for _ in 0..80 {
        stage.ask(order, Origin::Retry, None).await;
        stage.drain().await;
    }
    let entries = stage.history(order).await.len();
    assert!(entries > 60, "{entries} are too few for this test");
    let (_, mut visitor) = stage.with_owner().await;
    let page = visitor.get(&format!("/logs/{order}")).await;
    assert!(page.body.len() <= BYTES_MAX, "{} bytes", page.body.len());
    let hidden = entries - 60;
    let _page = page.shows(&format!(
        "{hidden} earlier entries are in the support bundle."
    ));
    let told = visitor.read(&format!("/orders/{order}")).await;
    assert_eq!(told["history"].as_array().map(Vec::len), Some(entries));
}
