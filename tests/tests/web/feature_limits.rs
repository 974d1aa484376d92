//! The limits that the reference app states, and what stands in their place here.

use std::time::Duration;

use http::StatusCode;
use purser_core::settings::Choice;
use purser_simulators::{
    FaultKind, FaultRule, System,
    autotask::{LineSeed, OrderSeed},
    quickbooks::RealmSeed,
};
use purser_tests::{
    stage::{Scene, Stage},
    visitor::Visitor,
};
use serde_json::{Value, json};

const REALM: &str = "9130350000000001";

async fn on_plan(plan: &str) -> (Stage, Visitor) {
    let realm = RealmSeed {
        plan: plan.to_owned(),
        ..RealmSeed::new(REALM, "North Wind Networks")
    };
    let stage = Stage::of(Scene {
        realm,
        ..Scene::default()
    })
    .await;
    let (_, visitor) = stage.with_owner().await;
    (stage, visitor)
}

/// What the check of the connection says about the plan.
async fn plan(visitor: &mut Visitor) -> Value {
    let check = visitor.read("/connection/check").await;
    let findings = check["findings"].as_array().expect("findings");
    let plan = findings
        .iter()
        .find(|finding| finding["check"] == "QuickBooks plan");
    plan.expect("the plan").clone()
}

#[tokio::test(start_paused = true)]
async fn the_check_says_whether_the_plan_is_one_that_purser_is_made_for() {
    for (name, level) in [
        ("QuickBooks Online Plus", "good"),
        ("QuickBooks Online Advanced", "good"),
        ("QuickBooks Online Essentials", "note"),
        ("QuickBooks Online Simple Start", "note"),
    ] {
        let (_stage, mut visitor) = on_plan(name).await;
        let told = plan(&mut visitor).await;
        assert_eq!(told["level"], level, "{told}");
        assert_eq!(told["text"], json!(format!("The plan is {name}.")));
        let page = visitor.get("/connection/check").await;
        let page = page.shows(&format!("The plan is {name}."));
        let warns = "smaller plans lack Items on bills";
        assert_eq!(page.body.contains(warns), level == "note", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_smaller_plan_is_tried_and_works_where_quickbooks_lets_it() {
    let (mut stage, _visitor) = on_plan("QuickBooks Online Essentials").await;
    let order = stage.add_plain();
    stage.run().await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_refuses_bills_stops_the_transfer_with_its_remedy_on_the_first_page() {
    let (mut stage, mut visitor) = on_plan("QuickBooks Online Simple Start").await;
    let body = json!({ "Fault": { "type": "ValidationFault", "Error": [{
        "Message": "Feature Not Supported Error",
        "Detail": "The requested feature is not supported by this QuickBooks subscription",
        "code": "5030",
    }] } });
    let kind = FaultKind::Status {
        status: 400,
        body: Some(body.to_string()),
    };
    let rule = FaultRule::next(System::QuickBooks, "POST bill", kind);
    stage.simulators.faults.add(rule.times(u32::MAX));
    let order = stage.add_plain();
    stage.run().await;
    stage.live(Duration::from_mins(20)).await;
    stage.assert_untouched(order, None);
    let home = visitor.get("/home").await;
    let _home = home
        .expect(StatusCode::OK)
        .shows("The QuickBooks plan does not include what is needed")
        .shows("Change to QuickBooks Online Plus or Advanced.");
    // Once the plan is changed, the order that waited is billed without any more.
    stage.simulators.faults.clear();
    stage.live(Duration::from_hours(2)).await;
    stage.assert_billed(order, "799.98").await;
}

/// A company outside the US, which takes names in any script and wants a tax code.
async fn abroad(rate: &str) -> (Stage, Visitor) {
    let realm = RealmSeed::new(REALM, "北風").in_country("GB", "GBP");
    let mut stage = Stage::unconnected(Scene {
        realm,
        ..Scene::default()
    });
    stage.connect().await;
    let books = &stage.simulators.quickbooks;
    let rate = rate.parse().expect("a rate");
    let code = books.add_tax_code(&stage.realm, "VAT", rate);
    let mut settings = stage.settings.clone();
    settings.purchase_tax_code = Some(Choice::of_id(&code.expect("a tax code")));
    stage.import(settings).await;
    let (_, visitor) = stage.with_owner().await;
    (stage, visitor)
}

/// An order whose vendor, customer and product are new and bear these names: 20.00.
fn named(stage: &Stage, [seller, buyer, product]: [&str; 3]) -> i64 {
    let vendor = stage.new_seller(seller);
    let product = stage.new_product(product);
    let order = OrderSeed {
        purchase_for: Some(stage.new_buyer(buyer)),
        memo: Some(format!("Für {buyer}")),
        ..OrderSeed::submitted(vendor)
    };
    stage.add(&order.line(LineSeed::of(product, 2, "10.00")))
}

#[tokio::test(start_paused = true)]
async fn names_in_any_language_are_created_found_again_and_shown() {
    let (mut stage, mut visitor) = abroad("0").await;
    let mut orders = Vec::new();
    for names in [
        ["Müller & Söhne GmbH", "Zahnärzte Köln", "Kabel 5 m – grün"],
        ["株式会社 東京商事", "大阪クリニック", "ファイアウォール"],
        ["Łódź Komputery", "Przychodnia Żuraw", "Przełącznik"],
        ["شركة النور", "عيادة البحيرة", "جدار حماية"],
    ] {
        for _ in 0..2 {
            orders.push((names, named(&stage, names)));
        }
    }
    stage.run().await;
    for ([seller, buyer, _], order) in orders {
        let bill = stage.assert_billed(order, "20").await;
        assert_eq!(bill["VendorRef"]["name"], seller);
        let customer = &bill["Line"][0]["ItemBasedExpenseLineDetail"]["CustomerRef"];
        assert_eq!(customer["name"], buyer, "{bill}");
        let page = visitor.get(&format!("/logs/{order}")).await;
        let _page = page.shows(&seller.replace('&', "&#38;"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_us_company_takes_latin_letters_and_the_rest_is_told() {
    let mut stage = Stage::new().await;
    let (_, mut visitor) = stage.with_owner().await;
    let latin = named(&stage, ["Café Ñandú", "Zahnärzte Köln", "Kabel grün"]);
    let polish = named(&stage, ["Łódź Komputery", "Żuraw", "Przełącznik"]);
    let japanese = named(&stage, ["株式会社", "大阪", "ファイアウォール"]);
    stage.run().await;
    let bill = stage.assert_billed(latin, "20").await;
    assert_eq!(bill["VendorRef"]["name"], "Café Ñandú");
    let bill = stage.assert_billed(polish, "20").await;
    let name = bill["VendorRef"]["name"].as_str().expect("a name");
    assert!(name.ends_with("Komputery"), "{name}");
    stage.assert_refused(japanese, "name.empty").await;
    let page = visitor.get(&format!("/logs/{japanese}")).await;
    let _page = page
        .shows("株式会社")
        .shows("Give it another name in Autotask, then retry.");
}

#[tokio::test(start_paused = true)]
async fn an_autotask_in_another_language_works_once_its_status_is_chosen() {
    let mut stage = Stage::new().await;
    let (_, mut visitor) = stage.with_owner().await;
    stage
        .database
        .switch(|switches| switches.localized_status_labels = true);
    let order = stage.add_plain();
    stage.run().await;
    stage.assert_untouched(order, None);
    let page = visitor.get("/connection/check").await;
    let _page = page.shows("Autotask has no purchase order status called Submitted.");
    let choices = visitor.read("/settings/choices").await;
    let statuses = choices["submitted_status"].as_array().expect("statuses");
    let chosen = statuses
        .iter()
        .find(|status| status["label"] == "Übermittelt");
    let id = chosen.expect("it is offered")["id"].as_str();
    let choice = Choice::of_id(id.expect("an id"));
    let mut settings = visitor.read("/settings").await["settings"].clone();
    settings["submitted_status"] = serde_json::to_value(choice).expect("JSON");
    let saved = visitor
        .call(http::Method::PUT, "/settings", Some(&settings))
        .await;
    let _saved = saved.expect(StatusCode::OK);
    stage.run().await;
    stage.assert_billed(order, "799.98").await;
}

#[tokio::test(start_paused = true)]
async fn no_tax_is_previewed_sent_or_promised() {
    let mut stage = Stage::new().await;
    let (_, mut visitor) = stage.with_owner().await;
    let order = stage.add_plain();
    let preview = visitor.read(&format!("/orders/{order}/preview")).await;
    assert_eq!(preview["bill"]["total"], "799.98 USD");
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    assert_eq!(bill["TxnTaxDetail"], Value::Null, "{bill}");
    let sent = stage.simulators.journal.entries();
    let sent: Vec<_> = sent
        .iter()
        .filter(|call| call.method == "POST" && call.request_body.contains("AT-PO:"))
        .collect();
    assert!(!sent.is_empty(), "the bill was sent");
    for call in sent {
        assert!(!call.request_body.contains("Tax"), "{}", call.request_body);
    }
    let page = visitor.get("/help").await.expect(StatusCode::OK);
    let _page = page.shows("<strong>Taxes are never sent.</strong>");
}

#[tokio::test(start_paused = true)]
async fn a_company_abroad_gets_its_tax_from_quickbooks_by_the_code_alone() {
    let (mut stage, mut visitor) = abroad("20").await;
    let order = stage.add_plain();
    let page = visitor.get("/settings").await;
    let _page = page.shows("Taxes themselves are never sent.");
    stage.run().await;
    stage.assert_billed(order, "959.98").await;
    let sent = stage.simulators.journal.entries();
    let mut sent = sent.iter().map(|call| &call.request_body);
    let sent = sent.find(|body| body.contains("AT-PO:")).expect("a bill");
    assert!(sent.contains("TaxCodeRef"), "{sent}");
    for amount in ["TotalTax", "TaxLine", "TxnTaxDetail"] {
        assert!(!sent.contains(amount), "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn help_states_every_limit_and_the_end_of_the_vendors_app_without_a_sign_in() {
    let stage = Stage::new().await;
    let mut visitor = stage.site().visitor();
    let page = visitor.get("/help").await.expect(StatusCode::OK);
    let _page = page
        .shows("<strong>QuickBooks Online Plus and Advanced</strong>")
        .shows("<strong>Names in any language</strong>")
        .shows("<strong>Taxes are never sent.</strong>")
        .shows("<strong>One QuickBooks company for each connection.</strong>")
        .shows("ended on 31 December 2025 (in Australia in June 2026). Purser takes its place.");
    let page = visitor.get("/sign-in").await;
    let _page = page.shows("href=\"/help\"");
}

#[tokio::test(start_paused = true)]
async fn orders_that_the_vendors_app_transferred_are_left_alone() {
    let mut stage = Stage::new().await;
    let _signed_in = stage.with_owner().await;
    let transferred = stage.add(&OrderSeed {
        external_number: Some("1042".to_owned()),
        ..stage.order()
    });
    let failed = stage.add(&OrderSeed {
        external_number: Some("ERROR".to_owned()),
        ..stage.order()
    });
    let new = stage.add_plain();
    stage.run().await;
    stage.assert_untouched(transferred, Some("1042"));
    stage.assert_untouched(failed, Some("ERROR"));
    stage.assert_billed(new, "799.98").await;
}
