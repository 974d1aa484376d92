//! Data folders that are not what they should be, and disks that are full.

use std::{fs, process::Command};

use purser_tests::program::{Answer, Desk, Simulators, purser, run};
use serde_json::{Value, json};

#[test]
fn a_data_folder_that_is_a_file_is_named_and_left_alone() {
    let mut desk = Desk::alone();
    let file = desk.file("a-file", "keep me");
    desk.set("PURSER_DATA", file.to_str().unwrap());
    for command in [
        &["connection", "list"][..],
        &["serve"],
        &["run", "--once"],
        &["demo", "--once"],
    ] {
        let mut desk_of = desk.command(command);
        desk_of.env_remove("PURSER_TIME_SCALE");
        run(desk_of).exits(2).complains(&["a-file"]);
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "keep me");
}

#[test]
fn a_data_file_of_something_else_is_refused_and_left_as_it_is() {
    let simulators = Simulators::plain(0);
    let desk = Desk::before(&simulators);
    fs::create_dir_all(desk.data()).unwrap();
    let file = desk.data().join("purser.db");
    let garbage = b"this is no database, but somebody may need it".repeat(100);
    fs::write(&file, &garbage).unwrap();
    for command in [&["connection", "list"][..], &["serve"]] {
        desk.purser(command)
            .exits(2)
            .complains(&["not a sqlite database", "backup"]);
    }
    assert_eq!(fs::read(&file).unwrap(), garbage);

    fs::remove_file(&file).unwrap();
    let foreign = rusqlite::Connection::open(&file).unwrap();
    foreign
        .execute_batch("CREATE TABLE recipes (name TEXT); PRAGMA user_version = 3;")
        .unwrap();
    drop(foreign);
    let before = fs::read(&file).unwrap();
    desk.purser(&["logs"])
        .exits(2)
        .complains(&["another program", "left as it is"]);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_key_file_that_is_missing_or_damaged_is_named_and_its_return_heals_everything() {
    let simulators = Simulators::plain(1);
    let desk = Desk::connected(&simulators);
    for name in ["intuit.key", "autotask.key"] {
        let path = desk.data().join(name);
        let key = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        desk.purser(&["run", "--once"])
            .exits(2)
            .complains(&[name, "missing", "backup"]);
        assert!(!path.exists(), "no other key is made in its place");
        fs::write(&path, "damaged").unwrap();
        desk.purser(&["run", "--once"])
            .exits(2)
            .complains(&[name, "damaged", "backup"]);
        fs::write(&path, key).unwrap();
    }
    assert_eq!(desk.json(&["run", "--once"], 0)["billed"], 1);
}

#[test]
fn key_files_can_be_read_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let simulators = Simulators::plain(0);
    let desk = Desk::connected(&simulators);
    for name in ["intuit.key", "autotask.key", "purser.db"] {
        let mode = fs::metadata(desk.data().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o077;
        assert_eq!(mode, 0, "{name} is open to others: {mode:o}");
    }
}

#[test]
fn a_full_disk_is_said_plainly_and_once_there_is_room_everything_goes_on() {
    let simulators = Simulators::plain(120);
    let desk = Desk::connected(&simulators);
    if !can_mount(&desk, "a full disk") {
        return;
    }
    let stopped = on_a_small_disk(&desk, &["run", "--once"]);
    stopped.exits(2).complains(&["full", "nothing was lost"]);

    let rest = desk.json(&["run", "--once", "--settle"], 0);
    assert_eq!(rest["duplicates"], 0);
    let books = simulators.books();
    assert_eq!(books["bills_ever"], 120, "each order once");
    let orders = simulators.autotask()["orders"].as_array().cloned().unwrap();
    assert!(
        orders
            .iter()
            .all(|order| order["external_number"].is_string()),
        "none was lost"
    );
}

#[test]
fn a_data_folder_that_cannot_be_written_is_said_and_once_it_can_everything_goes_on() {
    let simulators = Simulators::plain(40);
    let desk = Desk::connected(&simulators);
    if !can_mount(&desk, "a folder that cannot be written") {
        return;
    }
    // QuickBooks goes out of service in the middle of the work.
    simulators.fault(
        &json!({ "system": "quickbooks", "route": "*", "nth": 40, "times": 1_000_000,
        "kind": { "status": { "status": 503 } } }),
    );
    desk.purser(&["run", "--once"]);
    simulators.mend();
    let before = (simulators.books(), simulators.autotask());
    let begun = before.0["bills_ever"].as_u64().unwrap();
    assert!((1..40).contains(&begun), "{begun} bills were made before");
    simulators.forget_calls();
    for command in [&["run", "--once"][..], &["serve"]] {
        for read_only in ["", "/purser.db"] {
            read_only_at(&desk, read_only, command)
                .exits(2)
                .complains(&["cannot be written", "writable"]);
        }
    }
    assert_eq!(simulators.calls(), Vec::<Value>::new(), "nobody was asked");
    assert_eq!((simulators.books(), simulators.autotask()), before);

    let rest = desk.json(&["run", "--once", "--settle"], 0);
    assert_eq!(rest["duplicates"], 0);
    assert_eq!(simulators.books()["bills_ever"], 40, "each order once");
    let orders = simulators.autotask()["orders"].as_array().cloned().unwrap();
    let linked = |order: &Value| order["external_number"].is_string();
    assert!(orders.iter().all(linked), "none was lost");
}

/// Runs a command while the data folder, or one thing in it, is on a disk that nobody can write to,
/// root neither.
fn read_only_at(desk: &Desk, part: &str, args: &[&str]) -> Answer {
    let script = "set -e; mount --bind \"$1\" \"$1\"; mount -o remount,bind,ro \"$1\"
        shift; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command.arg(format!("{}{part}", desk.data().display()));
    command.arg(purser()).args(args);
    desk.prepare(&mut command);
    run(command)
}

/// Runs a command with the data folder on a disk with 512 KiB left, and brings the folder back.
fn on_a_small_disk(desk: &Desk, args: &[&str]) -> Answer {
    let script = "set -e; mount -t tmpfs -o size=$(( $(du -sk \"$2\" | cut -f1) + 512 ))k tmpfs $1
        cp -a $2/. $1; data=$2; mount=$1; shift 2; ended=0
        PURSER_DATA=$mount \"$@\" || ended=$?; cp -a $mount/. $data; exit $ended";
    let mount = desk.path("small-disk");
    fs::create_dir_all(&mount).expect("a folder to mount on");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command.arg(mount).arg(desk.data()).arg(purser()).args(args);
    desk.prepare(&mut command);
    run(command)
}

/// Whether this system lets a test mount a disk of its own. If not, that is said past the test
/// runner, which keeps what a passing test prints to itself; and the gate fails.
fn can_mount(desk: &Desk, what: &str) -> bool {
    let mount = desk.path("trial-disk");
    fs::create_dir_all(&mount).expect("a folder to mount on");
    let mut trial = Command::new("unshare");
    trial
        .args([
            "--map-root-user",
            "--mount",
            "mount",
            "-t",
            "tmpfs",
            "tmpfs",
        ])
        .arg(mount);
    desk.prepare(&mut trial);
    if trial.output().is_ok_and(|tried| tried.status.success()) {
        return true;
    }
    let why = format!("NOT TESTED: {what}, because this system lets no test mount a disk");
    let in_gate = std::env::var_os("CI").is_some();
    assert!(!in_gate, "{why}; in the gate it must run");
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{why}\n"));
    false
}
