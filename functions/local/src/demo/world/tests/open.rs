//! The company that is left to visitors: it is complete, and comes to what its cases declare once
//! somebody connects it.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use purser_core::{
    ids::{RunNumber, TenantId},
    notice::Code,
    settings::SettingsDocument,
    tenant::AutotaskCredentials,
    usecase::{OutcomeKind, Ports as _},
};
use purser_runtime::{
    configuration::Configuration,
    connect::{self, NewGrant},
    settings,
};
use purser_simulators::autotask::Action;
use secrecy::SecretString;
use serde_json::json;

use super::simulators;
use crate::{
    demo::{
        CLIENT_ID, Stage, StageOptions, on_stage,
        world::{Expected, OpenCompany, Outcome, bayside, expected, seed, seed_open},
    },
    program::{Program, Role},
    runner::Runner,
};

/// The line without a cost, as the demo's documentation names it.
const LINE_WITHOUT_COST: i64 = 61_042;

#[test]
fn it_is_there_but_not_expected_of_the_first_run() {
    let simulators = simulators();
    let now = Timestamp::now();
    let connected = seed(&simulators, now).unwrap();
    let open = seed_open(&simulators, now).unwrap();
    let [bayside] = open.as_slice() else {
        panic!("one open company: {open:?}")
    };
    assert!(connected.iter().all(|one| one.tenant != bayside.tenant));
    assert!(expected().orders.iter().all(|o| o.tenant != bayside.tenant));
    let counts = |expected: Expected| {
        let (billed, refused) = (expected.billed, expected.refused);
        let (seen, eligible) = (expected.seen, expected.eligible);
        (seen, eligible, billed, refused, expected.ineligible)
    };
    assert_eq!(counts(expected()), (91, 87, 54, 33, 4));
    let document: SettingsDocument = serde_json::from_value(bayside.settings.clone()).unwrap();
    assert!(document.days_back.is_some());
    assert_eq!(simulators.intuit.tokens().live_grants(&bayside.realm), 0);
    let database = simulators.autotask.database(&bayside.autotask_user);
    let database = database.unwrap();
    let cases = (bayside::DEFINITION.cases)();
    assert_eq!(database.orders().len(), cases.len());
    let missing = |order| {
        let lines = database.lines(order);
        lines
            .iter()
            .filter(|line| line["unitCost"].is_null())
            .count()
    };
    assert_eq!(missing(6104), 1);
    let repair = json!({ "action": "edit_line", "line": LINE_WITHOUT_COST, "unit_cost": "12.34" });
    database.act(Action::from_json(repair).unwrap()).unwrap();
    assert_eq!(missing(6104), 0);
}

/// A folder of its own that is gone with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_first_run_comes_to_what_its_cases_declare() {
    let name = format!("purser-open-company-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    let data = folder.0.display().to_string();
    let configuration =
        Configuration::read(&|name| (name == "PURSER_DATA").then(|| data.clone())).unwrap();
    let stage = Stage::start(&folder.0, &StageOptions::default()).await;
    let stage = stage.unwrap_or_else(|_| panic!("the simulators start"));
    let program = Program::open(on_stage(configuration, &stage), Role::Engine);
    let program = program.unwrap_or_else(|_| panic!("the program opens"));
    let company = &stage.marker.open[0];
    let tenant: TenantId = company.tenant.parse().unwrap();
    connect(&program, &stage, company, &tenant).await;
    let run = program.engine.start_now(&tenant).await.unwrap();
    let outcomes = outcomes(&program, &tenant, run).await;
    let declared: BTreeMap<i64, (OutcomeKind, Option<Code>)> = (bayside::DEFINITION.cases)()
        .into_iter()
        .filter_map(|case| match case.outcome {
            Outcome::Billed => Some((case.id, (OutcomeKind::Billed, None))),
            Outcome::Refused(code) => Some((case.id, (OutcomeKind::Refused, Some(code)))),
            Outcome::Unseen | Outcome::Ineligible(_) => None,
        })
        .collect();
    assert_eq!(outcomes, declared);
}

async fn connect(program: &Program, stage: &Stage, company: &OpenCompany, tenant: &TenantId) {
    let simulators = stage.simulators.as_ref().unwrap();
    let tokens = simulators.intuit.tokens();
    let granted = tokens.grant(&company.realm, CLIENT_ID, Timestamp::now());
    let grant = NewGrant {
        realm: company.realm.parse().unwrap(),
        refresh_token: SecretString::from(granted.unwrap()),
    };
    let credentials = AutotaskCredentials {
        user: company.autotask_user.clone(),
        secret: SecretString::from(company.autotask_secret.clone()),
        integration_code: SecretString::from(company.integration_code.clone()),
    };
    let outside = program.engine.ports().outside();
    let (autotask, grant) = (Some(credentials), Some(grant));
    let connected = connect::connect(&program.engine, outside, tenant, autotask, grant).await;
    connected.unwrap();
    let document = serde_json::from_value(company.settings.clone()).unwrap();
    let imported = settings::import(&program.engine, tenant, &document).await;
    imported.unwrap();
}

/// What the run makes of each order it touches.
async fn outcomes(
    program: &Program,
    tenant: &TenantId,
    run: RunNumber,
) -> BTreeMap<i64, (OutcomeKind, Option<Code>)> {
    let runner = Runner::new(program).unwrap_or_else(|_| panic!("a runner"));
    let runner = runner.only(&[(tenant.clone(), run)]);
    let has_ended = || async { Ok(runner.seen().ended.get(tenant).is_some_and(|e| *e >= run)) };
    runner.work_until(has_ended).await.unwrap();
    let seen = runner.seen();
    let outcomes = seen.outcomes.values().map(|outcome| {
        let code = outcome
            .code
            .as_deref()
            .map(|code| Code::from_text(code).unwrap());
        (outcome.order.get(), (outcome.outcome, code))
    });
    outcomes.collect()
}
