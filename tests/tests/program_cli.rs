//! Each command at its work: connections, settings, preview, sync, retry, logs and the exit codes.

use purser_tests::program::{Desk, Running, Simulators};
use serde_json::{Value, json};

/// Makes an order of one line in Autotask and answers its id.
fn order(simulators: &Simulators, product: Option<i64>, cost: &str) -> String {
    let line =
        json!({ "product": product, "quantity": 3, "unit_cost": cost, "memo": "For the roof" });
    let order = json!({ "vendor": 301, "purchase_for": 401, "lines": [line] });
    simulators
        .in_autotask("create_order", json!({ "order": order }))
        .to_string()
}

/// An order that is refused because this line of it has no cost.
fn order_without_cost(simulators: &Simulators, line: i64) -> i64 {
    let lines = json!([
        { "id": line, "product": 501 },
        { "product": 502, "quantity": 4, "unit_cost": "2.15" },
    ]);
    let order = json!({ "vendor": 301, "purchase_for": 401, "lines": lines });
    simulators.in_autotask("create_order", json!({ "order": order }))
}

/// A person enters the cost that was missing.
fn mend(simulators: &Simulators, line: i64) {
    simulators.in_autotask("edit_line", json!({ "line": line, "unit_cost": "10.00" }));
}

#[test]
fn settings_and_history_survive_a_removed_connection_unless_everything_is_to_be_forgotten() {
    let simulators = Simulators::plain(2);
    let desk = Desk::connected(&simulators);
    assert_eq!(desk.json(&["run", "--once"], 0)["billed"], 2);
    let settings = desk.purser(&["settings", "export"]).exits(0).stdout;
    desk.purser(&["connection", "remove"]).exits(0);
    let listed = desk.json(&["connection", "list"], 0);
    assert_eq!(listed[0]["quickbooks"], "not connected");
    assert_eq!(listed[0]["settings"], true);
    desk.purser(&["run", "--once"])
        .exits(2)
        .complains(&["no tenant is ready"]);
    assert_eq!(
        desk.purser(&["settings", "export"]).exits(0).stdout,
        settings
    );
    assert_eq!(desk.json(&["logs"], 0).as_array().unwrap().len(), 2);
    let forgotten = desk.json(&["connection", "remove", "--forget"], 0);
    assert_eq!(forgotten["forgotten"], true);
    assert_eq!(desk.json(&["connection", "list"], 0), json!([]));
}

#[test]
fn credentials_of_another_database_are_refused_while_there_is_a_history() {
    let simulators = Simulators::plain(1);
    let desk = Desk::connected(&simulators);
    let mut other = simulators.companies[0].clone();
    other["autotask_user"] = json!("api@south.example");
    simulators.in_autotask(
        "add_database",
        json!({
            "api_user": "api@south.example",
            "secret": other["autotask_secret"],
            "integration_code": other["integration_code"],
        }),
    );
    assert_eq!(desk.json(&["run", "--once"], 0)["billed"], 1);
    desk.add_autotask(&other).exits(2).complains(&[
        "These credentials belong to another Autotask database",
        "Enter an API user of the same database",
    ]);
    let listed = desk.json(&["connection", "list"], 0);
    assert_eq!(listed[0]["autotask"], "connected");
    desk.add_autotask(&simulators.companies[0]).exits(0);
}

#[test]
fn settings_are_taken_by_label_or_by_id_and_round_trip_through_standard_input() {
    let simulators = Simulators::plain(0);
    let desk = Desk::connected(&simulators);
    let exported = desk.purser(&["settings", "export"]).exits(0).stdout;
    let mut again = desk.command(&["settings", "import", "-"]);
    again.stdin(std::process::Stdio::piped());
    Running::start_reading(again, &exported).ended().exits(0);
    assert_eq!(
        desk.purser(&["settings", "export"]).exits(0).stdout,
        exported
    );
    let choices = desk.json(&["settings", "choices"], 0);
    let mut by_id = simulators.companies[0]["settings"].clone();
    for (field, list) in [
        ("payable_account", "payable_account"),
        ("todo_resource", "todo_resource"),
        ("todo_action_type", "todo_action_type"),
    ] {
        let offered = choices[list].as_array().unwrap();
        let found = offered.iter().find(|one| one["label"] == by_id[field]);
        by_id[field] = json!({ "id": found.unwrap()["id"] });
    }
    let file = desk.file("by-id.json", &by_id.to_string());
    desk.purser(&["settings", "import", file.to_str().unwrap()])
        .exits(0);
    assert_eq!(
        desk.purser(&["settings", "export"]).exits(0).stdout,
        exported
    );
}

#[test]
fn a_preview_writes_nothing_and_is_what_the_bill_becomes() {
    let simulators = Simulators::plain(1);
    let desk = Desk::connected(&simulators);
    let id = order(&simulators, Some(501), "12.3450");
    simulators.forget_calls();
    let plan = desk.json(&["preview", &id], 0);
    desk.purser(&["preview", &id]).exits(0);
    let effects: Vec<_> = simulators
        .calls()
        .into_iter()
        .filter(|call| call["effect"] == true)
        .collect();
    assert!(
        effects.iter().all(|call| call["system"] == "intuit"),
        "{effects:?}"
    );
    assert_eq!(simulators.external_number(id.parse().unwrap()), None);
    let total = plan.to_string();
    assert!(total.contains("37.04"), "3 x 12.345, half up: {plan}");
    let billed = desk.json(&["sync", &id], 0);
    assert_eq!(billed[0]["outcome"], "billed");
    let books = simulators.books();
    let bill = books["bills"]
        .as_array()
        .unwrap()
        .iter()
        .find(|bill| bill["Id"] == billed[0]["bill"]);
    let bill = bill.unwrap();
    assert_eq!(bill["TotalAmt"].to_string(), "37.04");
    assert_eq!(bill["VendorRef"]["name"], "Cobalt Distribution");
    let already = desk.json(&["preview", &id], 1);
    assert_eq!(already["code"], "ineligible.has_number");
}

#[test]
fn a_synced_order_tells_its_result_by_mail_and_says_why_another_is_not_eligible() {
    let simulators = Simulators::plain(1);
    let desk = Desk::connected(&simulators);
    let sync = ["sync", "10001", "--mail-to", "books@acme.example"];
    assert_eq!(desk.json(&sync, 0)[0]["outcome"], "billed");
    let mails = desk.json(&["outbox"], 0);
    assert_eq!(mails[0]["to"], "books@acme.example");
    assert!(
        mails[0]["subject"].as_str().unwrap().contains("PO0010001"),
        "{mails}"
    );
    let again = desk.json(&["sync", "10001"], 0);
    assert_eq!(
        again[0]["outcome"], "billed",
        "it was, and is not billed again"
    );
    let by_hand = order(&simulators, Some(501), "1.00");
    let number = json!({ "order": by_hand.parse::<i64>().unwrap(), "number": "by hand" });
    simulators.in_autotask("set_number", number);
    let refused = desk.json(&["sync", &by_hand], 1);
    assert_eq!(refused[0]["code"], "ineligible.has_number");
    assert!(
        refused[0]["cause"].as_str().unwrap().contains("by hand"),
        "{refused}"
    );
    assert_eq!(simulators.books()["bills_ever"], 1);
    let scan = desk.json(&["scan"], 0);
    for row in scan.as_array().unwrap() {
        assert_eq!(row["eligible"], false);
        assert_eq!(row["code"], "ineligible.has_number");
    }
}

#[test]
fn a_refused_order_is_in_the_logs_and_a_retry_bills_it_once_its_cause_is_mended() {
    let simulators = Simulators::plain(0);
    let desk = Desk::connected(&simulators);
    let (first, second) = (
        order_without_cost(&simulators, 91),
        order_without_cost(&simulators, 92),
    );
    let run = desk.json(&["run", "--once"], 1);
    assert_eq!(run["refused"], 2);
    assert_eq!(simulators.external_number(second).as_deref(), Some("ERROR"));
    assert_eq!(simulators.external_number(first).as_deref(), Some("ERROR"));
    assert_eq!(simulators.autotask()["todos"].as_array().unwrap().len(), 2);
    assert_eq!(
        desk.json(&["logs", "--failed"], 0)
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let still = desk.json(&["retry", &first.to_string()], 1);
    assert_eq!(still[0]["code"], "order.cost_missing");
    mend(&simulators, 91);
    mend(&simulators, 92);
    assert_eq!(
        desk.json(&["retry", "--all", "--code", "item.missing"], 0),
        json!([])
    );
    assert_eq!(
        desk.json(&["retry", &first.to_string()], 0)[0]["outcome"],
        "billed"
    );
    let rest = desk.json(&["retry", "--all", "--code", "order.cost_missing"], 0);
    assert_eq!(rest.as_array().unwrap().len(), 1);
    assert_eq!(desk.json(&["logs", "--failed"], 0), json!([]));
    let story = desk.json(&["logs", &first.to_string()], 0);
    assert!(story["history"].as_array().unwrap().len() > 2, "{story}");
    assert_eq!(simulators.books()["bills_ever"], 2);
}

#[test]
fn a_run_beside_a_serving_engine_joins_it_and_sums_up_in_the_same_form() {
    let simulators = Simulators::plain(4);
    let desk = Desk::connected(&simulators);
    let serving = desk.serve();
    let id = order(&simulators, Some(502), "2.15");
    let beside = desk.json(&["run", "--once"], 0);
    let bills = simulators.books()["bills_ever"].clone();
    assert_eq!(bills, 5, "{beside}");
    assert_eq!(desk.json(&["sync", &id], 0)[0]["outcome"], "billed");
    assert_eq!(simulators.books()["bills_ever"], 5);
    serving.terminate().exits(0);
    let alone = desk.json(&["run", "--once"], 0);
    let fields = |summary: &Value| {
        summary
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(&beside), fields(&alone));
}

#[test]
fn a_throttled_order_waits_with_exit_4_and_settling_finishes_it() {
    let simulators = Simulators::plain(1);
    let desk = Desk::connected(&simulators);
    let throttle = json!({ "throttle": { "retry_after_seconds": 3 } });
    simulators.fault(
        &json!({ "system": "quickbooks", "route": "POST bill", "times": 50,
        "kind": throttle }),
    );
    let run = desk.json(&["run", "--once"], 4);
    assert_eq!((&run["waiting"], &run["refused"]), (&json!(1), &json!(0)));
    assert_eq!(run["orders"][0]["code"], "wait.quickbooks_throttled");
    assert_eq!(simulators.external_number(10001), None);
    simulators.mend();
    let settled = desk.json(&["run", "--once", "--settle"], 0);
    assert_eq!(settled["waiting"], 0);
    assert_eq!(simulators.books()["bills_ever"], 1);
}

#[test]
fn retry_all_tells_of_a_disconnected_tenant_and_of_the_orders_of_the_others() {
    let simulators = Simulators::demo_world();
    let desk = Desk::before(&simulators);
    desk.connect(&simulators.companies[0]);
    desk.connect(&simulators.companies[1]);
    let (first, second) = ("north-harbor", "prairie-tech");
    let run = desk.json(&["run", "--once"], 1);
    let refused = |tenant: &str| {
        let orders = run["orders"].as_array().unwrap().iter();
        let all = orders.filter(|o| o["tenant"] == tenant && o["outcome"] == "refused");
        all.count()
    };
    assert!(refused(first) > 0 && refused(second) > 0, "{run}");
    desk.purser(&["connection", "remove", "--tenant", first])
        .exits(0);
    let tried = desk.json(&["retry", "--all"], 2);
    let lines = tried.as_array().unwrap();
    let failed: Vec<_> = lines.iter().filter(|l| l["error"].is_object()).collect();
    assert_eq!(failed.len(), 1, "{tried}");
    assert_eq!(failed[0]["tenant"], first);
    assert_eq!(failed[0]["error"]["code"], "connection.missing");
    assert_eq!(lines.len(), 1 + refused(second), "{tried}");
    let words = desk.purser(&["retry", "--all"]).exits(2).stdout;
    assert!(words.contains(&format!("{first}: not tried.")), "{words}");
    assert!(words.contains("not transferred"), "{words}");
}

/// The metrics that a command wrote, each document from its own line.
fn metrics(stderr: &str) -> Vec<Value> {
    let lines = stderr
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let documents = lines.filter(|line: &Value| line["_aws"].is_object());
    documents.collect()
}

#[test]
fn metrics_are_written_beside_the_answer_when_they_are_asked_for() {
    let simulators = Simulators::plain(2);
    let mut desk = Desk::connected(&simulators);
    let quiet = desk.purser(&["run", "--once", "--json"]).exits(0);
    assert_eq!(metrics(&quiet.stderr), Vec::<Value>::new());
    desk.set("PURSER_METRICS", "1");
    let order = order(&simulators, Some(501), "12.00");
    let told = desk.purser(&["sync", &order, "--json"]).exits(0);
    assert!(told.json().is_object() || told.json().is_array(), "{told}");
    let documents = metrics(&told.stderr);
    let billed = documents
        .iter()
        .find(|document| document["OrdersBilled"] == 1);
    let billed = billed.unwrap_or_else(|| panic!("{told}"));
    assert_eq!(billed["function"], "local");
}
