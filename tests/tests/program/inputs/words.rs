//! Command lines and settings files that make no sense.

use purser_tests::program::{Answer, Desk, Simulators};
use serde_json::{Value, json};

/// What the command line parser says: an error and how to go on, exit code 2.
#[track_caller]
fn is_refused(answer: &Answer, words: &[&str]) {
    assert_eq!(answer.code, Some(2), "{answer}");
    assert!(answer.stderr.starts_with("error: "), "{answer}");
    for word in words {
        assert!(
            answer.stderr.contains(word),
            "{word:?} is not said: {answer}"
        );
    }
}

#[test]
fn an_id_that_is_no_number_is_refused_before_anything_is_made() {
    let desk = Desk::alone();
    for command in ["sync", "preview", "retry", "logs"] {
        for id in ["abc", "0", "-1", "1.5", "99999999999999999999", ""] {
            is_refused(&desk.purser(&[command, id]), &[]);
        }
    }
    assert!(!desk.data().exists());
}

#[test]
fn a_command_or_option_that_does_not_exist_or_is_half_given_is_refused() {
    let desk = Desk::alone();
    is_refused(&desk.purser(&["transfer"]), &["transfer"]);
    is_refused(&desk.purser(&["run"]), &["--once"]);
    is_refused(&desk.purser(&["retry"]), &["--all"]);
    is_refused(&desk.purser(&["retry", "1", "--all"]), &["--all"]);
    is_refused(&desk.purser(&["retry", "1", "--code", "x"]), &["--code"]);
    is_refused(&desk.purser(&["sync"]), &["<ORDER>"]);
    is_refused(&desk.purser(&["logs", "--limit", "0"]), &["--limit"]);
    is_refused(&desk.purser(&["outbox", "--limit", "many"]), &["--limit"]);
    is_refused(
        &desk.purser(&["simulators", "--port", "70000"]),
        &["--port"],
    );
    is_refused(
        &desk.purser(&["logs", "--tenant", "Not A Name"]),
        &["--tenant"],
    );
    is_refused(&desk.purser(&["settings", "import"]), &["<FILE>"]);
    assert!(!desk.data().exists());
}

#[test]
fn a_connection_that_is_half_given_says_what_is_missing() {
    let simulators = Simulators::plain(0);
    let desk = Desk::before(&simulators);
    let add = |rest: &[&str]| {
        desk.purser(&[&["connection", "add", "acme"], rest].concat())
            .exits(2)
    };
    add(&[]).complains(&["neither side", "--autotask-user", "--realm"]);
    add(&["--autotask-user", "x"]).complains(&["--integration-code"]);
    add(&["--integration-code", "x"]).complains(&["--autotask-user"]);
    add(&["--realm", "1"]).complains(&["--refresh-token-file"]);
    add(&["--refresh-token-file", "missing"]).complains(&["--realm"]);
    let both = ["--autotask-user", "x", "--integration-code", "y"];
    add(&both).complains(&["terminal", "--autotask-secret-file"]);
    let missing = [&both[..], &["--autotask-secret-file", "nowhere"]].concat();
    add(&missing).complains(&["nowhere", "cannot be read"]);
    let empty = desk.file("empty", " \n");
    let empty = [
        &both[..],
        &["--autotask-secret-file", empty.to_str().unwrap()],
    ]
    .concat();
    add(&empty).complains(&["empty"]);
    is_refused(
        &desk.purser(&["connection", "add", "acme", "--realm", "abc"]),
        &["--realm"],
    );
    assert_eq!(desk.json(&["connection", "list"], 0), json!([]));
}

#[test]
fn help_of_every_command_says_what_it_needs() {
    let desk = Desk::alone();
    let cases: [(&[&str], &[&str]); 15] = [
        (
            &[],
            &[
                "Exit codes",
                "PURSER_DATA",
                "PURSER_INTUIT_CLIENT_ID",
                "connection",
                "--json",
            ],
        ),
        (&["demo"], &["--once", "--port"]),
        (&["serve"], &["--tenant"]),
        (&["run"], &["--once", "--settle"]),
        (&["connection"], &["add", "list", "remove"]),
        (
            &["connection", "add"],
            &[
                "--autotask-user",
                "--autotask-secret-file",
                "--integration-code",
                "--realm",
                "token",
            ],
        ),
        (&["connection", "remove"], &["--forget"]),
        (&["settings"], &["choices", "export", "import", "show"]),
        (&["settings", "import"], &["<FILE>", "standard input"]),
        (&["scan"], &["eligible"]),
        (&["preview"], &["<ORDER>", "id"]),
        (&["sync"], &["<ORDER>", "--mail-to"]),
        (&["retry"], &["--all", "--code", "--mail-to"]),
        (&["logs"], &["--failed", "--limit"]),
        (
            &["simulators"],
            &["--port", "--state", "--plain", "--no-limits"],
        ),
    ];
    for (command, words) in cases {
        let help = desk.purser(&[command, &["--help"]].concat()).exits(0);
        for word in words {
            assert!(help.stdout.contains(word), "{word:?} is missing: {help}");
        }
    }
    assert!(!desk.data().exists());
}

#[test]
fn a_tenant_that_is_unknown_or_not_said_is_asked_for_by_name() {
    let simulators = Simulators::demo_world();
    let desk = Desk::before(&simulators);
    desk.purser(&["logs"])
        .exits(2)
        .complains(&["no tenant", "connection add"]);
    desk.purser(&["run", "--once"])
        .exits(2)
        .complains(&["no tenant", "connection add"]);
    desk.connect(&simulators.companies[0]);
    desk.connect(&simulators.companies[1]);
    let (first, second) = ("north-harbor", "prairie-tech");
    desk.purser(&["preview", "4711"])
        .exits(2)
        .complains(&["--tenant", first, second]);
    desk.purser(&["settings", "show"])
        .exits(2)
        .complains(&["--tenant", first, second]);
    let unknown = ["logs", "--tenant", "acme"];
    desk.purser(&unknown)
        .exits(2)
        .complains(&["acme", first, second]);
    let json = desk.purser(&[&unknown[..], &["--json"]].concat()).exits(2);
    assert_eq!(json.error_code(), "unknown_tenant");
}

#[test]
fn an_order_nobody_knows_is_said_to_be_unknown() {
    let simulators = Simulators::plain(1);
    let desk = Desk::connected(&simulators);
    desk.purser(&["logs", "77"])
        .exits(2)
        .complains(&["77", "sync"]);
    desk.purser(&["retry", "77"])
        .exits(2)
        .complains(&["nothing to retry", "sync"]);
    desk.purser(&["retry", "--all", "--code", "no.such"])
        .exits(2)
        .complains(&["no.such"]);
    let mail = ["sync", "10001", "--mail-to", "nobody"];
    desk.purser(&mail)
        .exits(2)
        .complains(&["e-mail address", "name@example.com"]);
    let gone = desk.json(&["sync", "77"], 1);
    assert_eq!(gone[0]["code"], "ineligible.gone");
    assert_eq!(
        simulators.books()["bills_ever"],
        0,
        "none of it transferred anything"
    );
}

#[test]
fn a_settings_file_with_mistakes_names_each_field_and_changes_nothing() {
    let simulators = Simulators::plain(0);
    let desk = Desk::connected(&simulators);
    let before = desk.purser(&["settings", "export"]).exits(0).stdout;
    let good = simulators.companies[0]["settings"].clone();
    let cases: [(&str, Value, &str); 13] = [
        ("no_such_field", json!(1), "no_such_field"),
        ("days_back", Value::Null, "days_back"),
        ("days_back", json!("many"), "days_back"),
        ("days_back", json!(366), "days_back"),
        ("days_back", json!(-1), "days_back"),
        ("number_source", json!("mine"), "number_source"),
        ("missing_item", json!("maybe"), "missing_item"),
        ("created_item_account", Value::Null, "created_item_account"),
        (
            "payable_account",
            json!("No Such Account"),
            "payable_account",
        ),
        ("todo_resource", json!("Nobody Here"), "todo_resource"),
        ("todo_action_type", json!(["a"]), "todo_action_type"),
        ("time_zone", json!("Mars/Olympus"), "time_zone"),
        ("digest_to", json!("nobody"), "digest_to"),
    ];
    for (field, value, word) in cases {
        let mut document = good.clone();
        document[field] = value.clone();
        if value.is_null() {
            document.as_object_mut().unwrap().remove(field);
        }
        let file = desk.file("bad.json", &document.to_string());
        let import = ["settings", "import", file.to_str().unwrap()];
        let said = desk.purser(&import).exits(2);
        said.complains(&[word, "correct"]);
    }
    for text in ["", "not json", "[]", "{\"days_back\": 30"] {
        let file = desk.file("bad.json", text);
        let import = ["settings", "import", file.to_str().unwrap()];
        desk.purser(&import)
            .exits(2)
            .complains(&["settings", "nothing was changed"]);
    }
    let missing = ["settings", "import", "nowhere.json"];
    desk.purser(&missing)
        .exits(2)
        .complains(&["nowhere.json", "cannot be read"]);
    assert_eq!(desk.purser(&["settings", "export"]).exits(0).stdout, before);
}
