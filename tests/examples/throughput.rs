//! Many plain orders of one tenant, with the simulators in another process: orders per second,
//! calls per order, and the memory of `purser` alone.
//!
//! Usage: `throughput PURSER ORDERS`, where PURSER is the built program. Prints one line of JSON.
//! Fails when an order is not billed, a bill is made twice, or the memory limit is passed.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// What `purser` may use while it works on 10,000 orders.
const MEMORY_KIB_MAX: u64 = 150 * 1024;
/// All waits divided by this: the pace of calls would otherwise be the only thing measured.
const TIME_SCALE: &str = "1000";

/// Ends a child when the measurement ends, however it ends.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let program = args.next().ok_or("usage: throughput PURSER ORDERS")?;
    let orders: u64 = args
        .next()
        .ok_or("usage: throughput PURSER ORDERS")?
        .parse()?;
    let folder = tempfile::tempdir()?;
    let (_simulators, world) = start_simulators(&program, folder.path(), orders)?;
    let environment = environment(&world, folder.path());
    connect(&program, &environment, &world, folder.path())?;
    let (summary, seconds, memory_kib) = measure(&program, &environment)?;
    report(orders, &summary, seconds, memory_kib)
}

fn start_simulators(
    program: &str,
    folder: &Path,
    orders: u64,
) -> Result<(Ended, Value), Box<dyn Error>> {
    let mut child = Command::new(program)
        .args([
            "simulators",
            "--json",
            "--no-limits",
            "--port",
            "0",
            "--plain",
        ])
        .arg(orders.to_string())
        .arg("--state")
        .arg(folder.join("simulators"))
        .env("PURSER_DATA", folder.join("unused"))
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().ok_or("no standard output")?;
    let ended = Ended(child);
    // The answer is one JSON document; it ends with a closing brace at the start of a line.
    let mut text = String::new();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        text.push_str(&line);
        if line == "}" {
            return Ok((ended, serde_json::from_str(&text)?));
        }
    }
    Err(format!("the simulators did not start: {text}").into())
}

fn environment(world: &Value, folder: &Path) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = world["environment"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    environment.insert(
        "PURSER_DATA".to_owned(),
        folder.join("data").display().to_string(),
    );
    environment.insert("PURSER_TIME_SCALE".to_owned(), TIME_SCALE.to_owned());
    environment
}

fn connect(
    program: &str,
    environment: &BTreeMap<String, String>,
    world: &Value,
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    let company = &world["companies"][0];
    let text = |field: &str| company[field].as_str().unwrap_or_default().to_owned();
    let (secret, token) = (folder.join("secret"), folder.join("token"));
    fs::write(&secret, text("autotask_secret"))?;
    fs::write(&token, text("refresh_token"))?;
    let settings = folder.join("settings.json");
    fs::write(&settings, company["settings"].to_string())?;
    let add = Command::new(program)
        .args(["connection", "add", &text("tenant")])
        .args(["--autotask-user", &text("autotask_user")])
        .arg("--autotask-secret-file")
        .arg(&secret)
        .args(["--integration-code", &text("integration_code")])
        .args(["--realm", &text("realm")])
        .arg("--refresh-token-file")
        .arg(&token)
        .envs(environment)
        .stdout(Stdio::null())
        .status()?;
    let import = Command::new(program)
        .args(["settings", "import"])
        .arg(&settings)
        .envs(environment)
        .stdout(Stdio::null())
        .status()?;
    if add.success() && import.success() {
        return Ok(());
    }
    Err("the tenant could not be connected".into())
}

fn measure(
    program: &str,
    environment: &BTreeMap<String, String>,
) -> Result<(Value, f64, u64), Box<dyn Error>> {
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(["run", "--once", "--settle", "--json"])
        .envs(environment)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdout = child.stdout.take().ok_or("no standard output")?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let mut memory_kib = 0;
    while child.try_wait()?.is_none() {
        memory_kib = memory_kib.max(peak_memory_kib(child.id()));
        std::thread::sleep(Duration::from_millis(50));
    }
    let seconds = began.elapsed().as_secs_f64();
    let text = reader.join().map_err(|_| "the reader failed")??;
    Ok((serde_json::from_str(&text)?, seconds, memory_kib))
}

/// The highest resident memory of a process so far, in KiB; 0 where the system does not tell.
fn peak_memory_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "ratios for people"
)]
#[expect(clippy::print_stdout, reason = "the result is printed")]
fn report(
    orders: u64,
    summary: &Value,
    seconds: f64,
    memory_kib: u64,
) -> Result<(), Box<dyn Error>> {
    let count = |system: &str, field: &str| {
        summary["calls"][system][field].as_u64().unwrap_or_default() as f64 / orders as f64
    };
    let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
    let billed = summary["billed"].as_u64().unwrap_or_default();
    let duplicates = summary["duplicates"].as_u64().unwrap_or_default();
    println!(
        "{}",
        json!({
            "orders": orders,
            "billed": billed,
            "duplicates": duplicates,
            "orders_per_second": rounded(orders as f64 / seconds),
            "autotask_calls_per_order": rounded(count("autotask", "calls")),
            "quickbooks_calls_per_order": rounded(count("quickbooks", "calls")),
            "quickbooks_reads_per_order": rounded(count("quickbooks", "reads")),
            "purser_memory_mib": memory_kib / 1024,
        })
    );
    if billed != orders || duplicates != 0 {
        return Err("not every order became exactly one bill".into());
    }
    if memory_kib > MEMORY_KIB_MAX {
        return Err(format!("{memory_kib} KiB is more than purser may use").into());
    }
    Ok(())
}
