//! What operators read: a trace from the scan to the write-back, a line for each attempt, metrics,
//! and nothing in any of them that is nobody's business.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use http::StatusCode;
use purser_core::{ports::Delivery, record::Origin};
use purser_runtime::{
    deliveries::{self, Fate},
    handlers::Worked,
    summary, sweeps,
    telemetry::{self, FIELDS},
};
use purser_simulators::{
    FaultKind, FaultRule, System,
    autotask::{LineSeed, OrderSeed},
};
use purser_tests::stage::{Moment, Stage};
use serde_json::Value;

/// What was written, line by line.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(kept.clone()).expect("UTF-8")
    }

    /// Each line is one JSON object.
    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| {
            let value: Value = serde_json::from_str(line).expect("JSON");
            assert!(value.is_object(), "{line}");
            value
        });
        lines.collect()
    }

    fn with(&self, message: &str) -> Vec<Value> {
        let mut lines = self.lines();
        lines.retain(|line| line["message"] == message);
        lines
    }

    /// The lines about attempts at an order.
    fn attempts(&self, order: i64) -> Vec<Value> {
        let mut lines = self.with("an order was attempted");
        let order = order.to_string();
        lines.retain(|line| line["po.id"] == order.as_str());
        lines
    }

    /// The sum of each metric, with its second dimension if there is one.
    fn sums(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for document in self.lines() {
            let detail = document["class"].as_str().or(document["system"].as_str());
            let detail = detail.map(|detail| format!(" {detail}"));
            let metrics = &document["_aws"]["CloudWatchMetrics"][0]["Metrics"];
            for metric in metrics.as_array().expect("metrics") {
                let name = metric["Name"].as_str().expect("a name");
                let key = format!("{name}{}", detail.as_deref().unwrap_or_default());
                let value = &document[name];
                let values = value.as_array().map_or(std::slice::from_ref(value), |v| v);
                let sum: u64 = values.iter().filter_map(Value::as_u64).sum();
                *sums.entry(key).or_default() += sum;
            }
        }
        sums
    }
}

/// Logs and metrics of this thread, until it is dropped.
struct Watch {
    logs: Kept,
    metrics: Kept,
    _other: tracing::Dispatch,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Watch {
    fn begin(levels: &str) -> Self {
        let (logs, metrics) = (Kept::default(), Kept::default());
        let both = || {
            let (logs, metrics) = (logs.clone(), metrics.clone());
            telemetry::both(levels, move || logs.clone(), move || metrics.clone())
        };
        // With a single subscriber alive, tracing asks the thread that comes by a line first
        // whether it is wanted at all, which may be another test's. With two it asks both.
        let other = tracing::Dispatch::new(both());
        let guard = tracing::subscriber::set_default(both());
        Self {
            logs,
            metrics,
            _other: other,
            _guard: guard,
        }
    }
}

/// The traces that the history of an order names, each once, in the order of their first entry.
async fn traces(stage: &Stage, order: i64) -> Vec<String> {
    let mut traces = Vec::new();
    for entry in stage.history(order).await {
        let trace = entry.trace.expect("every entry has a trace").to_string();
        if !traces.contains(&trace) {
            traces.push(trace);
        }
    }
    traces
}

#[tokio::test(start_paused = true)]
async fn the_trace_of_a_scan_is_in_its_orders_attempts_and_in_the_support_bundle() {
    let mut stage = Stage::new().await;
    stage.simulators.journal.keep_bodies(true);
    let watch = Watch::begin("info");
    let (billed, refused) = (stage.add_plain(), stage.add(&stage.empty_order()));
    stage.run().await;
    let [trace] = &traces(&stage, billed).await[..] else {
        panic!("from the scan to the write-back it is one trace");
    };
    assert_eq!(traces(&stage, refused).await, std::slice::from_ref(trace));
    let [scan] = &watch.logs.with("a scan ended")[..] else {
        panic!("one scan");
    };
    assert_eq!((&scan["queued"], &scan["run"]), (&2.into(), &1.into()));
    let tenant = stage.tenant.to_string();
    for (order, outcome, code) in [
        (billed, "billed", None),
        (refused, "refused", Some("order.no_lines")),
    ] {
        let [line] = &watch.logs.attempts(order)[..] else {
            panic!("{}", watch.logs.text());
        };
        assert_eq!(line["outcome"], outcome, "{line}");
        assert_eq!(line["failure.code"].as_str(), code, "{line}");
        assert_eq!(line["attempt"], 1, "{line}");
        assert!(line["duration_ms"].is_u64(), "{line}");
        for line in [line, scan] {
            assert_eq!(line["trace.id"], **trace, "{line}");
            assert_eq!(line["tenant.id"], *tenant, "{line}");
        }
    }
    // A person's wish is another trace, and its one order has its calls to itself.
    stage.retry(refused).await;
    let [first, second] = &traces(&stage, refused).await[..] else {
        panic!("two");
    };
    assert_eq!(first, trace);
    let lines = watch.logs.attempts(refused);
    let last = lines.last().expect("a line");
    assert_eq!(
        (&last["trace.id"], &last["attempt"]),
        (&(**second).into(), &2.into())
    );
    assert!(last["calls.autotask"].as_u64() > Some(0), "{last}");
    let (_, mut visitor) = stage.with_owner().await;
    let bundle = visitor.get(&format!("/logs/{refused}/support")).await;
    let bundle = bundle.expect(StatusCode::OK).body;
    assert!(bundle.contains(&**first) && bundle.contains(&**second));
    let page = visitor.get(&format!("/logs/{refused}")).await;
    let _page = page.expect(StatusCode::OK).hides(first);
    let outside = format!("{:?}", stage.simulators.journal.entries());
    assert!(outside.contains("PurchaseOrders"), "calls are kept");
    assert!(!outside.contains(&**first), "it is sent to nobody");
}

#[tokio::test(start_paused = true)]
async fn what_the_lines_of_every_level_are_about_is_known_at_every_level() {
    let mut stage = Stage::new().await;
    let watch = Watch::begin("warn");
    stage.add_plain();
    let kind = FaultKind::Status {
        status: 500,
        body: None,
    };
    let rule = FaultRule::next(System::QuickBooks, "POST bill", kind);
    stage.simulators.faults.add(rule);
    stage.run().await;
    let lines = watch.logs.with("a step failed");
    let line = lines
        .first()
        .unwrap_or_else(|| panic!("{}", watch.logs.text()));
    assert!(
        line["trace.id"].is_string() && line["tenant.id"].is_string(),
        "{line}"
    );
    assert!(watch.metrics.sums()["ScansStarted"] == 1, "at any level");
}

/// Names, amounts and secrets as only this company has them.
const CANARIES: [&str; 6] = [
    "Kingfisher Wholesale",
    "Goldcrest Router",
    "Nightjar Dental",
    "bullfinch",
    "7731.77",
    "15463.54",
];

/// One company in which everything happens that can be told of.
async fn eventful(stage: &mut Stage) -> i64 {
    let seller = stage.new_seller(CANARIES[0]);
    let product = stage.new_product(CANARIES[1]);
    let buyer = stage.new_buyer(CANARIES[2]);
    let line = LineSeed::of(product, 2, CANARIES[4]).memo("for the bullfinch office");
    let order = || OrderSeed {
        purchase_for: Some(buyer),
        memo: Some("bullfinch".to_owned()),
        ..OrderSeed::submitted(seller).line(line.clone())
    };
    let order = stage.add(&order());
    stage.add(&stage.empty_order());
    // The bill is made, and its answer lost.
    let lost = FaultRule::next(System::QuickBooks, "POST bill", FaultKind::DropAfter);
    stage.simulators.faults.add(lost);
    stage.run().await;
    Box::pin(sweeps::sweep(&stage.engine, None))
        .await
        .expect("a sweep");
    stage.settle().await;
    for (system, status) in [(System::Autotask, 500), (System::QuickBooks, 503)] {
        let body = Some(format!("bullfinch {}", CANARIES[4]));
        let outage = FaultRule::outage(system, FaultKind::Status { status, body });
        stage.simulators.faults.add(outage);
        let to = Some("bullfinch@north-wind.example");
        stage.ask(order, Origin::Retry, to).await;
        stage.drain().await;
        stage.simulators.faults.clear();
    }
    stage.settle().await;
    let poison = Delivery {
        receipt: "receipt".to_owned(),
        body: r#"{"version":1,"kind":"bullfinch","tenant":"Kingfisher Wholesale"}"#.to_owned(),
        receives: 1,
    };
    let fate = deliveries::deliver(&stage.engine, &poison, stage.now());
    match Box::pin(fate).await {
        Fate::SetAside(why) => summary::set_aside(&why),
        other => panic!("{other:?}"),
    }
    order
}

#[tokio::test(start_paused = true)]
async fn logs_and_metrics_hold_known_fields_and_none_of_the_companys_business() {
    let mut stage = Stage::new().await;
    let watch = Watch::begin("trace");
    let order = eventful(&mut stage).await;
    stage.assert_billed(order, CANARIES[5]).await;
    let (logs, metrics) = (watch.logs.text(), watch.metrics.text());
    let secrets = [stage.database.seed().secret, "stage-secret".to_owned()];
    let canaries = CANARIES
        .into_iter()
        .chain(secrets.iter().map(String::as_str));
    for canary in canaries.chain(["Bearer ", "refresh_token"]) {
        for text in [&logs, &metrics] {
            let line = text.lines().find(|line| line.contains(canary));
            assert_eq!(line, None, "{canary} is told");
        }
    }
    for private in [stage.tenant.as_str(), &order.to_string()] {
        assert!(logs.contains(private), "{private}");
        assert!(!metrics.contains(private), "{private} is in a metric");
    }
    let lines = watch.logs.lines();
    let names = lines
        .iter()
        .flat_map(|line| line.as_object().expect("an object").keys());
    let names: BTreeSet<_> = names.map(String::as_str).collect();
    let known: BTreeSet<_> = FIELDS.iter().copied().collect();
    let unknown: Vec<_> = names.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn metrics_count_what_happened_once() {
    let mut stage = Stage::new().await;
    let watch = Watch::begin("info");
    let order = eventful(&mut stage).await;
    let sums = watch.metrics.sums();
    for (name, sum) in [
        ("ScansStarted", 1),
        ("OrdersBilled", 1),
        ("OrdersRefused", 1),
        ("OrdersInDoubt", 1),
        ("DeadLettersSetAside", 1),
        ("TenantsNeedReconnect", 0),
        ("InDoubtTooLong", 0),
        ("SweepsFailed", 0),
        ("Failures refuse", 1),
        ("Failures in_doubt", 1),
    ] {
        assert_eq!(sums.get(name), Some(&sum), "{name}: {sums:?}");
    }
    assert!(sums["Failures retry"] >= 1, "{sums:?}");
    assert!(!sums.contains_key("ScansFailed"), "{sums:?}");
    let attempts = watch.logs.with("an order was attempted").len();
    assert!(attempts >= 4, "{attempts}");
    // A message that is delivered again moves nothing, and so is counted nowhere.
    stage
        .engine
        .queue_due(&stage.tenant, &stage.realm_id(), &stage.engine.trace(None))
        .await
        .expect("the store");
    stage.ask(order, Origin::Person, None).await;
    stage.drain().await;
    assert_eq!(watch.metrics.sums()["OrdersBilled"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_told_as_a_fault_of_ours_and_never_in_its_own_words() {
    let mut stage = Stage::new().await;
    let order = stage.add_plain();
    stage.ask(order, Origin::Person, None).await;
    let watch = Watch::begin("info");
    let panics = |_: &purser_simulators::Simulators| panic!("{}", CANARIES[0]);
    stage.tap.at(("POST", "/bill", 1), Moment::Before, panics);
    let delivery = stage.receive().await.expect("a message");
    let fate = deliveries::deliver(&stage.engine, &delivery, stage.now());
    assert!(matches!(Box::pin(fate).await, Fate::Done(Worked::PutOff)));
    let told = watch.logs.with("the handling of a message panicked");
    assert_eq!(told.len(), 1, "{}", watch.logs.text());
    assert!(!watch.logs.text().contains(CANARIES[0]));
    assert_eq!(watch.metrics.sums()["Failures bug"], 1);
}
