//! Variables, ports and engines.

use purser_tests::program::{Desk, Simulators};

#[test]
fn each_wrong_variable_is_named_with_what_to_write_instead() {
    let cases: [(&str, &str, &str); 14] = [
        ("PURSER_TIME_SCALE", "fast", "whole number"),
        ("PURSER_TIME_SCALE", "0", "whole number"),
        ("PURSER_TIME_SCALE", "1000000", "whole number"),
        ("PURSER_PUBLIC_URL", "not an address", "https://"),
        ("PURSER_PUBLIC_URL", "ftp://host", "https://"),
        ("PURSER_ALLOW_LOCAL_ENDPOINTS", "yes", "1 or 0"),
        (
            "PURSER_AUTOTASK_ZONE_URL",
            "https://evil.example",
            "autotask.net",
        ),
        (
            "PURSER_AUTOTASK_ZONE_URL",
            "http://127.0.0.1:1",
            "PURSER_ALLOW_LOCAL_ENDPOINTS",
        ),
        (
            "PURSER_QUICKBOOKS_URL",
            "https://u:p@quickbooks.api.intuit.com",
            "password",
        ),
        ("PURSER_INTUIT_DISCOVERY_URL", "http://intuit.com", "https"),
        (
            "PURSER_INTUIT_CLIENT_ID",
            "alone",
            "PURSER_INTUIT_CLIENT_SECRET",
        ),
        (
            "PURSER_INTUIT_CLIENT_SECRET",
            "alone",
            "PURSER_INTUIT_CLIENT_ID",
        ),
        ("PURSER_SMTP_URL", "http://relay", "smtps://"),
        ("PURSER_SMTP_URL", "smtps://relay", "PURSER_MAIL_FROM"),
    ];
    for (name, value, hint) in cases {
        let mut desk = Desk::alone();
        desk.set("PURSER_TIME_SCALE", "");
        desk.set(name, value);
        let said = desk.purser(&["connection", "list"]).exits(2);
        said.complains(&[hint, "purser_"]);
        assert!(
            said.stderr.contains(name) || hint.starts_with("PURSER_"),
            "{said}"
        );
        assert!(!desk.data().exists(), "{name}={value}: nothing is made");
        let json = desk.purser(&["connection", "list", "--json"]).exits(2);
        assert_eq!(json.error_code(), "configuration");
    }
}

#[test]
fn a_time_scale_is_refused_beside_real_endpoints_even_when_nothing_names_them() {
    let mut desk = Desk::alone();
    desk.set(
        "PURSER_QUICKBOOKS_URL",
        "https://sandbox-quickbooks.api.intuit.com",
    );
    desk.purser(&["connection", "list"])
        .exits(2)
        .complains(&["PURSER_TIME_SCALE", "loopback"]);
    // Nothing named: the vendors' own addresses would be called as fast as the scale says.
    desk.set("PURSER_QUICKBOOKS_URL", "");
    for command in [&["serve"][..], &["run", "--once"], &["connection", "list"]] {
        let said = desk.purser(command).exits(2);
        said.complains(&["PURSER_TIME_SCALE"]);
    }
}

#[test]
fn a_mail_sender_that_is_no_address_is_refused() {
    let mut desk = Desk::alone();
    desk.set("PURSER_TIME_SCALE", "");
    desk.set("PURSER_SMTP_URL", "smtps://relay.example:465");
    desk.set("PURSER_MAIL_FROM", "nobody");
    desk.purser(&["outbox"])
        .exits(2)
        .complains(&["PURSER_MAIL_FROM", "e-mail"]);
}

#[test]
fn a_second_engine_on_one_folder_says_which_process_the_first_is() {
    let simulators = Simulators::plain(0);
    let desk = Desk::connected(&simulators);
    let first = desk.serve();
    let pid = first.pid().to_string();
    desk.purser(&["serve"])
        .exits(2)
        .complains(&["already working", &pid, "stop it"]);
    assert_eq!(
        desk.purser(&["serve", "--json"]).exits(2).error_code(),
        "engine_lock"
    );
    first.terminate().exits(0);
}

#[test]
fn a_port_that_is_taken_is_named_with_the_way_out() {
    let simulators = Simulators::plain(0);
    let port = simulators.url.rsplit(':').next().unwrap().to_owned();
    let mut desk = Desk::alone();
    let second = ["simulators", "--port", &port, "--plain", "1"];
    desk.purser(&second).exits(2).complains(&[&port, "--port"]);
    desk.set("PURSER_DATA", desk.path("demo").to_str().unwrap());
    let demo = ["demo", "--once", "--port", &port];
    desk.purser(&demo).exits(2).complains(&[&port, "--port"]);
    assert_eq!(
        desk.purser(&[&demo[..], &["--json"]].concat())
            .exits(2)
            .error_code(),
        "port"
    );
}

#[test]
fn the_demo_and_a_real_folder_keep_apart() {
    let simulators = Simulators::plain(0);
    let mut desk = Desk::connected(&simulators);
    desk.purser(&["demo", "--once"])
        .exits(2)
        .complains(&["endpoints", "remove"]);
    for name in simulators.environment.keys() {
        desk.set(name, "");
    }
    desk.purser(&["demo", "--once"])
        .exits(2)
        .complains(&["real connections", "PURSER_DATA"]);
}
