//! Credentials, tokens and companies that are not what they should be.

use std::fs;

use purser_tests::program::{Desk, Simulators, wait_until};
use serde_json::json;

/// Calls to Autotask that show a secret.
fn logins(simulators: &Simulators) -> usize {
    let calls = simulators.calls();
    let logins = calls
        .iter()
        .filter(|call| call["system"] == "autotask" && call["route"] != "GET zoneInformation");
    logins.count()
}

fn nothing_is_stored(desk: &Desk) {
    assert_eq!(desk.json(&["connection", "list"], 0), json!([]));
}

#[test]
fn a_wrong_autotask_secret_names_every_possible_cause_and_never_locks_the_user() {
    let simulators = Simulators::plain(3);
    let desk = Desk::before(&simulators);
    let right = simulators.companies[0].clone();
    let mut wrong = right.clone();
    wrong["autotask_secret"] = json!("not the secret");
    desk.add(&wrong)
        .exits(2)
        .complains(&["secret", "locked", "inactive", "expired", "zone"]);
    assert_eq!(
        simulators.autotask()["failed_logins"],
        1,
        "one login is enough to know"
    );
    nothing_is_stored(&desk);
    desk.connect(&right);
    assert_eq!(simulators.autotask()["is_locked"], false);
    assert_eq!(desk.json(&["run", "--once"], 0)["billed"], 3);
}

#[test]
fn a_secret_that_was_changed_later_stops_the_tenant_after_at_most_two_logins() {
    let simulators = Simulators::plain(5);
    let desk = Desk::connected(&simulators);
    simulators.in_autotask("set_secret", json!({ "secret": "another secret" }));
    simulators.forget_calls();
    let run = desk.json(&["run", "--once"], 2);
    assert_eq!(
        run["tenants"][0]["stopped"]["code"],
        "connection.autotask_unauthorised"
    );
    let failed = simulators.autotask()["failed_logins"].as_u64().unwrap();
    assert!((1..=2).contains(&failed), "{failed} failed logins");
    simulators.forget_calls();
    let _ = desk.json(&["run", "--once"], 2);
    let _ = desk.json(&["sync", "10001"], 2);
    assert_eq!(
        logins(&simulators),
        0,
        "nothing is tried until the credentials are entered again"
    );
    assert!(simulators.autotask()["failed_logins"].as_u64().unwrap() <= 2);
    let listed = desk.json(&["connection", "list"], 0);
    assert_eq!(listed[0]["autotask"], "needs reconnect");
    assert_eq!(
        simulators.external_number(10001),
        None,
        "no ERROR is written"
    );

    let mut right = simulators.companies[0].clone();
    right["autotask_secret"] = json!("another secret");
    let secret = desk.file("secret", "another secret");
    let text = |field: &str| right[field].as_str().unwrap().to_owned();
    let add = [
        "connection",
        "add",
        "--autotask-user",
        &text("autotask_user"),
        "--integration-code",
    ];
    let rest = [
        &text("integration_code"),
        "--autotask-secret-file",
        secret.to_str().unwrap(),
    ];
    desk.purser(&[&add[..], &rest[..]].concat()).exits(0);
    assert_eq!(desk.json(&["run", "--once"], 0)["billed"], 5);
}

#[test]
fn a_wrong_integration_code_or_user_is_told_apart_and_nothing_is_stored() {
    let simulators = Simulators::plain(0);
    let desk = Desk::before(&simulators);
    let mut company = simulators.companies[0].clone();
    company["integration_code"] = json!("WRONG");
    desk.add(&company)
        .exits(2)
        .complains(&["integration code", "tracking identifier"]);
    let mut company = simulators.companies[0].clone();
    company["autotask_user"] = json!("nobody@nowhere.example");
    desk.add(&company)
        .exits(2)
        .complains(&["no api user", "user name"]);
    nothing_is_stored(&desk);
}

#[test]
fn a_refresh_token_that_is_no_good_is_named_and_nothing_is_stored() {
    let simulators = Simulators::plain(0);
    let desk = Desk::before(&simulators);
    let mut company = simulators.companies[0].clone();
    company["refresh_token"] = json!("RT1-nonsense");
    desk.add(&company)
        .exits(2)
        .complains(&["quickbooks", "revoked", "connect"]);
    simulators.revoke();
    desk.add(&simulators.companies[0])
        .exits(2)
        .complains(&["quickbooks", "revoked"]);
    nothing_is_stored(&desk);
}

#[test]
fn a_connection_that_the_person_revoked_stops_the_tenant_without_writing_error() {
    let simulators = Simulators::plain(2);
    let desk = Desk::connected(&simulators);
    simulators.revoke();
    // The first "no" may be another program's renewal on its way; it is believed when it stays.
    let code = wait_until("the tenant is stopped", || {
        let run = desk.purser(&["run", "--once", "--json"]);
        assert!(matches!(run.code, Some(2..=4)), "{run}");
        let stopped = run.json()["tenants"][0]["stopped"]["code"]
            .as_str()?
            .to_owned();
        (run.code == Some(2)).then_some(stopped)
    });
    assert_eq!(code, "connection.quickbooks_disconnected");
    assert_eq!(
        simulators.external_number(10001),
        None,
        "no ERROR is written"
    );
    assert_eq!(simulators.autotask()["todos"], json!([]));
}

#[test]
fn a_company_that_another_tenant_has_is_refused_and_says_whose_it_is() {
    let simulators = Simulators::plain(1);
    let desk = Desk::connected(&simulators);
    let mut second = simulators.companies[0].clone();
    second["tenant"] = json!("second");
    desk.add(&second)
        .exits(2)
        .complains(&["plain-field", "remove"]);
    let tenants = desk.json(&["connection", "list"], 0);
    assert_eq!(tenants.as_array().unwrap().len(), 1);
    assert_eq!(
        desk.json(&["run", "--once"], 0)["billed"],
        1,
        "the first one goes on"
    );
}

#[test]
fn a_token_for_another_company_is_refused_and_its_file_follows_a_replaced_token() {
    let simulators = Simulators::plain(1);
    simulators.switch(&json!({ "intuit": { "rotation": "strict" } }));
    let desk = Desk::before(&simulators);
    let right = simulators.companies[0].clone();
    let mut wrong = right.clone();
    wrong["realm"] = json!("9130355001999999");
    let answer = desk.add(&wrong).exits(2);
    answer.complains(&["quickbooks", "company", "token file was updated"]);
    nothing_is_stored(&desk);
    let kept = fs::read_to_string(desk.path("token")).unwrap();
    assert_ne!(
        kept,
        right["refresh_token"].as_str().unwrap(),
        "the token was replaced"
    );
    let mut again = right.clone();
    again["refresh_token"] = json!(kept);
    desk.connect(&again);
    assert_eq!(desk.json(&["run", "--once"], 0)["billed"], 1);
}

#[test]
fn a_vendor_that_does_not_answer_is_exit_3_and_no_order_is_flagged() {
    let mut simulators = Simulators::plain(3);
    let desk = Desk::connected(&simulators);
    simulators.stop();
    let run = desk.json(&["run", "--once"], 3);
    let code = run["tenants"][0]["stopped"]["code"].as_str().unwrap();
    assert!(code.starts_with("wait."), "{code}");
    desk.purser(&["scan"])
        .exits(3)
        .complains(&["autotask", "reached"]);
    assert_eq!(desk.purser(&["scan", "--json"]).exits(3).error_code(), code);
    desk.purser(&["check"]).exits(3);
    simulators.start_again();
    assert_eq!(simulators.autotask()["todos"], json!([]));
    assert_eq!(simulators.external_number(10001), None);
    assert_eq!(desk.json(&["run", "--once", "--settle"], 0)["billed"], 3);
}
