//! The demo as a program: its first run comes to exactly what its world states, the second changes
//! nothing, and every other command works beside it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use purser_tests::program::{Desk, Simulators, wait_until};
use serde_json::Value;

/// Outcome and code of every order of a list, by tenant and id.
fn outcomes(orders: &Value) -> BTreeMap<(String, i64), (String, Option<String>)> {
    let mut all = BTreeMap::new();
    for order in orders.as_array().unwrap() {
        let text = |field: &str| order[field].as_str().map(str::to_owned);
        let key = (text("tenant").unwrap(), order["order"].as_i64().unwrap());
        let before = all.insert(key.clone(), (text("outcome").unwrap(), text("code")));
        assert!(before.is_none(), "{key:?} is listed twice");
    }
    all
}

/// Bills and to-dos of every company, each with what identifies it.
fn bills_and_todos(world: &Value) -> (Vec<String>, Vec<String>) {
    let list = |systems: &Value, name: &str| {
        let systems = systems.as_object().unwrap().iter();
        let rows = systems.flat_map(|(system, view)| {
            let rows = view[name].as_array().unwrap().clone();
            rows.into_iter().map(move |row| format!("{system} {row}"))
        });
        rows.collect::<Vec<_>>()
    };
    (
        list(&world["quickbooks"], "bills"),
        list(&world["autotask"], "todos"),
    )
}

#[test]
fn the_first_run_of_the_demo_comes_to_what_its_world_states_and_the_second_changes_nothing() {
    let mut desk = Desk::alone();
    // As a newcomer runs it: at its own pace, within the vendors' limits.
    desk.set("PURSER_TIME_SCALE", "");
    let first = desk.json(&["demo", "--once"], 1);
    let expected = &first["expected"];
    for count in [
        "seen",
        "eligible",
        "billed",
        "refused",
        "waiting",
        "ineligible",
    ] {
        assert!(expected[count].is_u64(), "{count} is stated");
        assert_eq!(first[count], expected[count], "{count}");
    }
    assert_eq!(outcomes(&first["orders"]), outcomes(&expected["orders"]));
    assert!(
        first["billed"].as_u64().unwrap() > 20,
        "the demo shows something"
    );
    assert_eq!(first["duplicates"], 0);
    for system in ["autotask", "quickbooks"] {
        let calls = first["calls"][system]["calls"].as_u64().unwrap();
        let reads = first["calls"][system]["reads"].as_u64().unwrap();
        assert!(
            calls > reads && reads > 0,
            "{system}: {calls} calls, {reads} reads"
        );
    }

    let simulators = Simulators::of_demo(&desk.data());
    let before = bills_and_todos(&simulators.world());
    assert_eq!(
        before.0.len() as u64,
        first["billed"].as_u64().unwrap() + bills_by_hand(&before.0)
    );
    assert_eq!(
        before.1.len() as u64,
        first["refused"].as_u64().unwrap(),
        "a to-do per refusal"
    );
    drop(simulators);

    // One of the companies is stopped as a whole by its currencies, so its orders wait.
    let second = desk.json(&["demo", "--once"], 4);
    assert!(
        second.get("expected").is_none(),
        "the world states only its first run"
    );
    assert_eq!(
        (&second["billed"], &second["eligible"]),
        (&0.into(), &0.into())
    );
    let simulators = Simulators::of_demo(&desk.data());
    assert_eq!(
        bills_and_todos(&simulators.world()),
        before,
        "nothing changed"
    );
}

/// Bills that the world holds from the beginning: they do not carry our mark.
fn bills_by_hand(bills: &[String]) -> u64 {
    bills
        .iter()
        .filter(|bill| !bill.contains("Autotask PO "))
        .count() as u64
}

#[test]
fn every_command_works_beside_a_running_demo_until_it_is_told_to_stop() {
    let desk = Desk::alone();
    let _simulators = Simulators::of_demo(&desk.data());
    let mut demo = desk.start(&["demo"]);
    wait_until("the demo serves", || {
        demo.must_run();
        demo.stdout().contains("keeps running").then_some(())
    });
    let north = ["--tenant", "north-harbor"];
    let commands: [(&[&str], i32); 13] = [
        (&["logs"], 0),
        (&["logs", "4711"], 0),
        (&["logs", "--failed"], 0),
        (&["preview", "4711"], 1),
        (&["scan"], 0),
        (&["check"], 0),
        (&["settings", "show"], 0),
        (&["settings", "choices"], 0),
        (&["settings", "export"], 0),
        (&["outbox"], 0),
        (&["connection", "list"], 0),
        (&["retry", "4752"], 1),
        (&["sync", "4752"], 1),
    ];
    for (command, code) in commands {
        let args = [command, &north].concat();
        let words = desk.purser(&args).exits(code);
        assert!(
            !words.stdout.trim().is_empty(),
            "it says something: {words}"
        );
        assert!(
            !words.stdout.contains("\"code\""),
            "words, not JSON: {words}"
        );
        let json = desk.json(&args, code);
        assert!(!json.is_null());
    }
    demo.must_run();
    demo.terminate().exits(0);
}

#[test]
fn a_refused_demo_order_is_billed_by_a_retry_beside_the_demo_once_its_cause_is_mended() {
    let desk = Desk::alone();
    let simulators = Simulators::of_demo(&desk.data());
    let mut demo = desk.start(&["demo", "--json"]);
    assert!(demo.first_json()["refused"].as_u64().unwrap() > 0);
    let database = simulators
        .companies
        .iter()
        .find(|one| one["tenant"] == "north-harbor");
    let user = database.unwrap()["autotask_user"].clone();
    let line = serde_json::json!({ "product": 501, "quantity": 2, "unit_cost": "189.00" });
    let fields = serde_json::json!({ "status": "new", "vendor": 301, "purchase_for": 401,
        "lines": [line] });
    let order = serde_json::json!({ "database": user, "order": fields });
    let made = simulators.in_autotask("create_order", order).to_string();
    let args = ["sync", &made, "--tenant", "north-harbor"];
    let early = desk.json(&args, 1);
    assert_eq!(early[0]["code"], "ineligible.not_submitted");
    let submit = serde_json::json!({ "database": user, "order": made.parse::<i64>().unwrap() });
    simulators.in_autotask("submit_order", submit);
    let billed = desk.json(&args, 0);
    assert_eq!(billed[0]["outcome"], "billed");
    demo.terminate().exits(0);
}
