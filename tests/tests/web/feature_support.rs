//! What the modules about features do and ask alike.

use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{DocumentKind, Ledger as _},
};
use purser_simulators::System;
use purser_tests::{
    stage::Stage,
    visitor::{Company, Reply, Site, Visitor},
};

use crate::support::newcomer;

/// The fields of a form.
pub(crate) type Form = Vec<(&'static str, String)>;

/// The settings form as a person fills it in.
pub(crate) fn settings_form(company: &Company) -> Form {
    let cast = &company.cast;
    [
        ("days_back", "30".to_owned()),
        ("number_source", "quickbooks".to_owned()),
        ("item_match", "name".to_owned()),
        ("missing_item", "create".to_owned()),
        ("created_item_account", cast.goods.clone()),
        ("payable_account", cast.payable.clone()),
        ("todo_action_type", cast.action_type.to_string()),
        ("todo_resource", cast.bookkeeper.to_string()),
    ]
    .into()
}

/// The same form with another value in one field.
pub(crate) fn with(mut form: Form, name: &'static str, value: &str) -> Form {
    form.retain(|(known, _)| *known != name);
    form.push((name, value.to_owned()));
    form
}

/// Sends a form.
pub(crate) async fn send(visitor: &mut Visitor, path: &str, form: &Form) -> Reply {
    let fields: Vec<_> = form.iter().map(|(name, value)| (*name, &**value)).collect();
    visitor.submit(path, &fields).await
}

/// The only company that is connected: the stage looks at it from now on.
pub(crate) async fn adopt(stage: &mut Stage) {
    let mut tenants = stage.store.tenants().await.expect("the store");
    assert_eq!(tenants.len(), 1, "{tenants:?}");
    stage.tenant = tenants.remove(0);
}

/// What is stored of one kind, in whatever form.
pub(crate) async fn stored(stage: &Stage, tenant: &TenantId, kind: DocumentKind) -> Option<String> {
    let document = stage.store.document(tenant, kind).await;
    document.expect("the store").map(|document| document.value)
}

/// A company whose QuickBooks is connected, and the browser of its admin.
pub(crate) async fn with_quickbooks() -> (Stage, Company, Visitor) {
    let (mut stage, company, mut visitor) = newcomer().await;
    let connected = visitor.connect(Site::OWNER, &company.realm, false).await;
    let _done = connected.expect_to("/set-up?done=quickbooks");
    adopt(&mut stage).await;
    (stage, company, visitor)
}

/// A company that is connected on both sides and has no settings.
pub(crate) async fn with_both() -> (Stage, Company, Visitor) {
    let (stage, company, mut visitor) = with_quickbooks().await;
    let entered = company.enter_credentials(&mut visitor).await;
    let _done = entered.expect_to("/set-up?done=autotask");
    (stage, company, visitor)
}

/// A company that only needs Connect to be pressed.
pub(crate) async fn with_settings() -> (Stage, Company, Visitor) {
    let (stage, company, mut visitor) = with_both().await;
    let saved = send(&mut visitor, "/settings", &settings_form(&company)).await;
    let _done = saved.expect_to("/set-up?done=saved");
    (stage, company, visitor)
}

/// A company that somebody has set up in the browser and whose first run is over.
pub(crate) async fn at_work() -> (Stage, Company, Visitor) {
    let (mut stage, company, mut visitor) = with_settings().await;
    let started = visitor.submit("/set-up/start", &[]).await;
    let _done = started.expect_to("/set-up?done=started");
    stage.scan_due().await;
    stage.drain().await;
    adopt(&mut stage).await;
    (stage, company, visitor)
}

/// How far set-up is, as the interface tells it.
pub(crate) async fn step(visitor: &mut Visitor) -> String {
    let set_up = visitor.read("/set-up").await;
    set_up["step"].as_str().expect("a step").to_owned()
}

/// When the next run begins, if one is planned.
pub(crate) async fn next_alarm(stage: &Stage) -> Option<Timestamp> {
    stage.store.next_alarm().await.expect("alarms")
}

/// How often both systems were written to.
pub(crate) fn writes(stage: &Stage) -> u64 {
    let counts = stage.simulators.journal.counts();
    [System::Autotask, System::QuickBooks]
        .iter()
        .filter_map(|system| counts.systems.get(system))
        .map(|counts| counts.writes)
        .sum()
}
