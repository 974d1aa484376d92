//! What the bill says.

use purser_core::settings::Choice;
use purser_simulators::autotask::{LineSeed, OrderSeed};
use purser_tests::stage::{Stage, amount, time};
use rust_decimal::Decimal;

/// The amount a text says.
fn money(text: &str) -> Decimal {
    text.parse().expect("an amount")
}

#[tokio::test(start_paused = true)]
async fn an_order_becomes_one_bill_with_every_line() {
    let mut stage = Stage::new().await;
    let cable = stage.known_product("Patch cable");
    let order = stage
        .order()
        .line(LineSeed::of(cable, 10, "2.05"))
        .line(LineSeed::of(cable, 3, "1.115").memo("Half a cent rounds up"));
    let order = stage.add(&order);
    stage.run().await;
    let bill = stage.assert_billed(order, "823.83").await;
    assert_eq!(bill["VendorRef"]["value"], stage.cast.vendor.as_str());
    assert_eq!(bill["APAccountRef"]["value"], stage.cast.payable.as_str());
    let lines = bill["Line"].as_array().expect("lines");
    let amounts: Vec<_> = lines.iter().map(|line| amount(&line["Amount"])).collect();
    assert_eq!(amounts, [money("799.98"), money("20.50"), money("3.35")]);
    for line in lines {
        let detail = &line["ItemBasedExpenseLineDetail"];
        assert_eq!(detail["CustomerRef"]["value"], stage.cast.customer.as_str());
    }
    assert_eq!(lines[0]["Description"], "For the new office");
    assert_eq!(
        lines[0]["ItemBasedExpenseLineDetail"]["ItemRef"]["value"],
        stage.cast.item.as_str()
    );
    assert_eq!(lines[1]["Description"], "Patch cable");
    assert_eq!(stage.simulators.quickbooks.bills_ever(&stage.realm), 1);
}

#[tokio::test(start_paused = true)]
async fn no_tax_is_sent() {
    let mut stage = Stage::new().await;
    stage.add_plain();
    stage.run().await;
    let calls = stage.simulators.journal.entries();
    let create = calls
        .iter()
        .find(|call| call.route == "POST bill")
        .expect("a create");
    for word in [
        "TaxCodeRef",
        "TxnTaxDetail",
        "GlobalTaxCalculation",
        "TotalTax",
    ] {
        assert!(
            !create.request_body.contains(word),
            "{word}: {}",
            create.request_body
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_bill_bears_number_memo_and_mark_of_its_order() {
    let mut stage = Stage::new().await;
    let seed = OrderSeed {
        number: Some("PO0004711".to_owned()),
        memo: Some("Deliver to the back door".to_owned()),
        ..stage.order()
    };
    let order = stage.add(&seed);
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    let note = bill["PrivateNote"].as_str().expect("a note");
    assert!(note.starts_with("Autotask PO PO0004711"), "{note}");
    assert!(note.contains("Deliver to the back door"), "{note}");
    assert!(note.contains(&format!("AT-PO:{order} g1 ")), "{note}");
}

#[tokio::test(start_paused = true)]
async fn a_long_memo_is_cut_and_the_mark_never() {
    let mut stage = Stage::new().await;
    let memo = Some("long ".repeat(1_500));
    let order = stage.add(&OrderSeed {
        memo,
        ..stage.order()
    });
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    let note = bill["PrivateNote"].as_str().expect("a note");
    assert!(note.chars().count() <= 4_000);
    assert!(
        note.contains(&format!("AT-PO:{order} g1 ")),
        "the mark is whole"
    );
}

#[tokio::test(start_paused = true)]
async fn quickbooks_numbers_mean_that_none_is_sent_and_the_id_is_written_back() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    assert!(bill["DocNumber"].is_null());
    assert_eq!(stage.number(order).as_deref(), bill["Id"].as_str());
}

#[tokio::test(start_paused = true)]
async fn autotask_numbers_are_sent_and_written_back() {
    let mut stage = Stage::new().await;
    stage
        .change_settings(|s| s.number_source = Some("autotask".to_owned()))
        .await;
    let numbered = stage.add(&OrderSeed {
        number: Some("PO-88".to_owned()),
        ..stage.order()
    });
    let blank = stage.add(&OrderSeed {
        number: Some(String::new()),
        ..stage.order()
    });
    stage.run().await;
    let bill = stage.assert_billed(numbered, "799.98").await;
    assert_eq!(bill["DocNumber"], "PO-88");
    assert_eq!(stage.number(numbered).as_deref(), Some("PO-88"));
    let bill = stage.assert_billed(blank, "799.98").await;
    assert_eq!(bill["DocNumber"], blank.to_string());
}

#[tokio::test(start_paused = true)]
async fn freight_becomes_a_line_when_settings_name_its_account() {
    let mut stage = Stage::new().await;
    let freight = Some("31.255".to_owned());
    let seed = OrderSeed {
        freight,
        ..stage.order()
    };
    let without = stage.add(&seed);
    stage.run().await;
    stage.assert_billed(without, "799.98").await;
    let account = Choice::either(&stage.cast.freight);
    stage
        .change_settings(|settings| settings.freight_account = Some(account))
        .await;
    let with = stage.add(&seed);
    stage.run().await;
    let bill = stage.assert_billed(with, "831.24").await;
    let line = &bill["Line"][1];
    assert_eq!(amount(&line["Amount"]), money("31.26"));
    let account = &line["AccountBasedExpenseLineDetail"]["AccountRef"]["value"];
    assert_eq!(*account, stage.cast.freight.as_str());
}

#[tokio::test(start_paused = true)]
async fn an_order_of_300_lines_is_one_bill_to_the_cent() {
    let mut stage = Stage::new().await;
    let mut seed = stage.empty_order();
    for place in 0..300 {
        let cost = format!("{}.{:02}", 1 + place % 7, place % 100);
        seed.lines
            .push(LineSeed::of(stage.cast.product, 1 + place % 4, &cost));
    }
    let sum: Decimal = seed
        .lines
        .iter()
        .map(|line| Decimal::from(line.quantity) * money(line.unit_cost.as_deref().unwrap_or("0")))
        .sum();
    let order = stage.add(&seed);
    stage.run().await;
    let bill = stage.assert_billed(order, &sum.to_string()).await;
    assert_eq!(bill["Line"].as_array().map(Vec::len), Some(300));
}

#[tokio::test(start_paused = true)]
async fn amounts_are_exact_to_the_cent_whatever_the_costs_look_like() {
    let mut stage = Stage::new().await;
    let costs = [
        ("0.1", 3, "0.30"),
        ("19.999", 1, "20.00"),
        ("0.005", 1, "0.01"),
        ("1234567.89", 7, "8641975.23"),
        ("0.333333333", 3, "1.00"),
        ("0", 5, "0.00"),
        ("2.675", 100, "267.50"),
    ];
    for (cost, quantity, total) in costs {
        let mut seed = stage.empty_order();
        seed.lines
            .push(LineSeed::of(stage.cast.product, quantity, cost));
        let order = stage.add(&seed);
        stage.run().await;
        stage.assert_billed(order, total).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_bill_is_dated_by_the_day_of_submission_in_the_companys_zone() {
    let mut stage = Stage::new().await;
    let seed = OrderSeed {
        created: Some(time("2026-03-10T12:00:00Z")),
        // The evening of the 11th in New York.
        submitted: Some(time("2026-03-12T02:30:00Z")),
        ..stage.order()
    };
    let dates = [
        ("submitted", "2026-03-11"),
        ("created", "2026-03-10"),
        ("today", "2026-03-16"),
    ];
    for (choice, date) in dates {
        stage
            .change_settings(|settings| settings.bill_date = Some(choice.to_owned()))
            .await;
        let order = stage.add(&seed);
        stage.run().await;
        let bill = stage.assert_billed(order, "799.98").await;
        assert_eq!(bill["TxnDate"], date, "{choice}");
    }
}

#[tokio::test(start_paused = true)]
async fn terms_are_matched_by_name_or_left_out() {
    let mut stage = Stage::new().await;
    let books = &stage.simulators.quickbooks;
    let known = books
        .add_term(&stage.realm, "Net 30 days", 30)
        .expect("a term");
    let of = |term| OrderSeed {
        payment_term: Some(term),
        ..stage.order()
    };
    let (matched, unknown) = (stage.add(&of(1)), stage.add(&of(2)));
    stage.run().await;
    let bill = stage.assert_billed(matched, "799.98").await;
    assert_eq!(bill["SalesTermRef"]["value"], known.as_str());
    let bill = stage.assert_billed(unknown, "799.98").await;
    assert!(bill["SalesTermRef"].is_null());
}

#[tokio::test(start_paused = true)]
async fn changed_settings_apply_to_the_next_order() {
    let mut stage = Stage::new().await;
    let first = stage.add_plain();
    stage.run().await;
    let account =
        purser_simulators::quickbooks::AccountSeed::new("Trade Creditors", "Accounts Payable");
    let books = &stage.simulators.quickbooks;
    let other = books
        .add_account(&stage.realm, &account)
        .expect("an account");
    let choice = Choice::either(&other);
    stage
        .change_settings(|settings| settings.payable_account = Some(choice))
        .await;
    let (second, manual) = (stage.add_plain(), stage.add_plain());
    stage
        .ask(manual, purser_core::record::Origin::Person, None)
        .await;
    stage.drain().await;
    stage.run().await;
    let bill = stage.assert_billed(first, "799.98").await;
    assert_eq!(bill["APAccountRef"]["value"], stage.cast.payable.as_str());
    for order in [second, manual] {
        let bill = stage.assert_billed(order, "799.98").await;
        assert_eq!(bill["APAccountRef"]["value"], other.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn autotask_gets_nothing_but_the_number() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    let before = stage
        .database
        .row(purser_simulators::autotask::Entity::PurchaseOrders, order);
    let before = before.expect("the order");
    stage.run().await;
    let after = stage
        .database
        .row(purser_simulators::autotask::Entity::PurchaseOrders, order);
    let after = after.expect("the order");
    let differs = |name: &String| before[name.as_str()] != after[name.as_str()];
    let fields = after.as_object().expect("fields").keys();
    let changed: Vec<_> = fields.filter(|name| differs(name)).collect();
    assert_eq!(changed, ["externalPONumber"]);
    let writes = stage
        .simulators
        .journal
        .entries()
        .into_iter()
        .filter(|call| call.effect && call.system == purser_simulators::System::Autotask);
    assert_eq!(writes.count(), 1);
    assert!(stage.database.todos().is_empty());
}
