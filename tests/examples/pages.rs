//! How large the pages are and how long the server takes to make them, with many orders in the
//! ledger: the whole way of a request, from its headers to its bytes, without a socket.
//!
//! Usage: `pages ORDERS`. Prints one line of JSON for each page. Fails when a page is larger than
//! 50 kB; times are only printed.

use std::{error::Error, sync::Arc, time::Instant};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use purser_core::{
    eligibility::Ineligible,
    ids::{OrderId, RealmId, RunNumber, TenantId},
    notice::{Code, Notice},
    policy::Policy,
    ports::{Change, DocumentKind, Expected, HistoryEntry, HistoryEvent, Ledger as _},
    record::{BillLink, RecordKey, State, SyncRecord},
    tenant::{RunChain, TenantStatus},
    usecase::{Engine, store},
};
use purser_runtime::{
    adapters::{OneStore, SystemChance, SystemClock},
    configuration::{Endpoints, IntuitApp},
    connections::Connections,
    outside::LiveOutside,
    vault::{MasterKey, MasterKeys, Purpose},
};
use purser_sqlite::{OpenOptions, SqliteStore};
use purser_transport::HttpTransport;
use purser_web::{Web, WebOptions, bench_session};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde_json::json;

/// What a page may weigh.
const BYTES_MAX: usize = 50_000;
type BenchPorts = OneStore<SystemClock, SystemChance, SqliteStore>;

/// How often each page is asked for.
const ROUNDS: usize = 200;
/// Nothing listens there, and no page that is measured asks.
const NOWHERE: &str = "http://127.0.0.1:1/";

fn tenant() -> TenantId {
    match "north-harbor".parse() {
        Ok(tenant) => tenant,
        Err(_) => unreachable!("a tenant's name"),
    }
}

fn realm() -> RealmId {
    match "9130355001000001".parse() {
        Ok(realm) => realm,
        Err(_) => unreachable!("a realm's id"),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let orders: i64 = std::env::args()
        .nth(1)
        .ok_or("usage: pages ORDERS")?
        .parse()?;
    let folder = tempfile::tempdir()?;
    let store = Arc::new(SqliteStore::open(folder.path(), OpenOptions::default())?);
    fill(&store, orders).await?;
    let (cookie, web) = application(&store).await?;
    let newest = format!("/logs/{orders}");
    let pages = [
        "/home",
        "/logs",
        "/logs?outcome=refused",
        "/logs?text=cobalt",
        "/logs?from=2026-01-01&to=2030-01-01",
        newest.as_str(),
        "/connection",
        "/sync",
        "/people",
        "/activity",
        "/settings/history",
        "/help",
    ];
    let mut is_heavy = false;
    for page in pages {
        is_heavy |= measure(&web, &cookie, (page, orders)).await? > BYTES_MAX;
    }
    if is_heavy {
        return Err("a page is larger than 50 kB".into());
    }
    Ok(())
}

async fn application(
    store: &Arc<SqliteStore>,
) -> Result<(String, Web<BenchPorts>), Box<dyn Error>> {
    let key = || {
        MasterKey::new(&MasterKey::generate())
            .expect("a key")
            .into()
    };
    let keys = MasterKeys::new([(Purpose::Intuit, key()), (Purpose::Autotask, key())]);
    let app = IntuitApp {
        client_id: "bench".to_owned(),
        client_secret: SecretString::from("bench"),
    };
    let connections = Arc::new(Connections::new(Arc::clone(store), keys));
    let outside = LiveOutside::new(
        Arc::new(HttpTransport::new()?),
        Arc::new(SystemClock),
        Policy::default(),
        (Endpoints::local(&NOWHERE.parse()?), Some(app)),
        (Arc::clone(store), connections),
    );
    let ports = OneStore {
        clock: SystemClock,
        chance: SystemChance,
        store: Arc::clone(store),
        outside,
    };
    let engine = Engine::new(ports, Policy::default(), "bench".to_owned());
    let options = WebOptions {
        public_url: NOWHERE.parse()?,
        intuit_origins: NOWHERE.to_owned(),
        sends_mail: false,
        demo: None,
    };
    let cookie = bench_session(&**store, &tenant(), Timestamp::now()).await?;
    Ok((cookie, Web::new(Arc::new(engine), options)))
}

/// Orders of the last 30 days, each with a story; two of three are billed.
async fn fill(store: &Arc<SqliteStore>, orders: i64) -> Result<(), Box<dyn Error>> {
    let now = Timestamp::now();
    let status = TenantStatus {
        realm: Some(realm()),
        company_name: Some("North Harbor IT, LLC".to_owned()),
        company_time_zone: Some("America/New_York".to_owned()),
        ..TenantStatus::default()
    };
    self::store(&**store, &tenant(), DocumentKind::Status, &status).await?;
    let runs = RunChain {
        run: RunNumber(7),
        started_at: Some(now),
        ended_at: Some(now),
        next_at: Some(now),
        ..RunChain::default()
    };
    self::store(&**store, &tenant(), DocumentKind::Runs, &runs).await?;
    let all: Vec<i64> = (1..=orders).collect();
    for part in all.chunks(1_000) {
        let mut changes = Vec::new();
        for order in part {
            changes.push(change(*order, orders, now)?);
        }
        store.commit(changes).await?;
    }
    Ok(())
}

fn change(order: i64, orders: i64, now: Timestamp) -> Result<Change, Box<dyn Error>> {
    let month = 30 * 24 * 3_600;
    let age = SignedDuration::from_secs(month * (orders - order) / orders);
    let at = now.checked_sub(age)?;
    let key = RecordKey {
        tenant: tenant(),
        realm: realm(),
        order: OrderId::new(order),
    };
    let operation = format!("operation{order}").parse()?;
    let mut record = SyncRecord::queued(key, format!("PO{order:07}"), operation, at);
    record.vendor_name = Some(format!("Cobalt Distribution {}", order % 97));
    record.state = match order % 9 {
        0 | 1 => State::Refused {
            notice: Notice::new(Code::ItemMissing).with("name", format!("Switch {order}")),
        },
        2 => State::Skipped {
            reason: Ineligible::NotSubmitted,
        },
        _ => State::Linked {
            bill: BillLink {
                id: order.to_string().parse()?,
                number: None,
                total: Decimal::new(123_456 + order, 2),
                generation: 1,
                seen_under: 1,
            },
        },
    };
    let story = |event, text: &str| HistoryEntry {
        at,
        order: OrderId::new(order),
        event,
        detail: json!({ "attempt": "abc", "request_id": "0123456789abcdef0123456789abcdef" }),
        text: text.to_owned(),
        trace: None,
    };
    Ok(Change {
        record,
        expected: Expected::Absent,
        due_at: None,
        history: vec![
            story(HistoryEvent::Found, "The scan found the order."),
            story(HistoryEvent::Sent, "The bill was sent."),
            story(HistoryEvent::Linked, "The number stands in Autotask."),
        ],
        mails: Vec::new(),
    })
}

#[expect(clippy::print_stdout, reason = "the result is printed")]
async fn measure(
    web: &Web<BenchPorts>,
    cookie: &str,
    (page, orders): (&str, i64),
) -> Result<usize, Box<dyn Error>> {
    let mut bytes = 0;
    let mut micros = Vec::new();
    for _ in 0..ROUNDS {
        let request = Request::get(page)
            .header(header::COOKIE, cookie)
            .header(header::ACCEPT, "text/html")
            .body(Bytes::new())?;
        let began = Instant::now();
        let answer = web.handle(request).await;
        micros.push(began.elapsed().as_micros());
        if answer.status() != StatusCode::OK {
            return Err(format!("{page} answered {}", answer.status()).into());
        }
        bytes = answer.body().len();
    }
    micros.sort_unstable();
    let milliseconds = |micros: u128| format!("{}.{:03}", micros / 1_000, micros % 1_000);
    let line = json!({
        "page": page,
        "orders": orders,
        "bytes": bytes,
        "median_ms": milliseconds(micros[ROUNDS / 2]),
        "p99_ms": milliseconds(micros[ROUNDS * 99 / 100]),
    });
    println!("{line}");
    Ok(bytes)
}
