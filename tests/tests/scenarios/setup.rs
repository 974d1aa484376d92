//! Settings that cannot be saved, companies that belong to somebody, and the log.

use purser_core::{
    ids::{OrderId, TenantId},
    ports::{Ledger as _, RecordFilter},
    record::{Origin, StateName},
    settings::{Choice, SettingsDocument},
};
use purser_runtime::{
    connect::{ConnectError, NewGrant, connect},
    settings::{ImportError, Offered, import},
};
use purser_simulators::autotask::LineSeed;
use purser_tests::stage::Stage;
use secrecy::SecretString;

/// The fields that are wrong once the settings are changed in this way.
async fn wrong_fields(change: impl FnOnce(&mut SettingsDocument)) -> Vec<&'static str> {
    let stage = Stage::new().await;
    let mut document = stage.settings.clone();
    change(&mut document);
    let before = stage
        .engine
        .settings(&stage.tenant)
        .await
        .expect("the store");
    let imported = import(&stage.engine, &stage.tenant, &document).await;
    let Err(ImportError::Fields(fields)) = imported else {
        panic!("the settings were taken");
    };
    let after = stage
        .engine
        .settings(&stage.tenant)
        .await
        .expect("the store");
    assert_eq!(before, after, "nothing is stored when a field is wrong");
    fields.into_iter().map(|wrong| wrong.field).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_required_must_be_there() {
    assert_eq!(wrong_fields(|s| s.days_back = None).await, ["days_back"]);
    assert_eq!(
        wrong_fields(|s| s.payable_account = None).await,
        ["payable_account"]
    );
    assert_eq!(
        wrong_fields(|s| s.todo_action_type = None).await,
        ["todo_action_type"]
    );
    assert_eq!(
        wrong_fields(|s| s.todo_resource = None).await,
        ["todo_resource"]
    );
    assert_eq!(
        wrong_fields(|s| s.number_source = None).await,
        ["number_source"]
    );
    assert_eq!(
        wrong_fields(|s| s.missing_item = None).await,
        ["missing_item"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_account_for_created_items_belongs_to_creating_them() {
    let field = ["created_item_account"];
    assert_eq!(wrong_fields(|s| s.created_item_account = None).await, field);
    assert_eq!(
        wrong_fields(|s| s.missing_item = Some("refuse".to_owned())).await,
        field
    );
    let mut stage = Stage::new().await;
    let refuse = |settings: &mut SettingsDocument| {
        settings.missing_item = Some("refuse".to_owned());
        settings.created_item_account = None;
    };
    stage.change_settings(refuse).await;
}

#[tokio::test(start_paused = true)]
async fn only_what_is_offered_can_be_chosen() {
    let other = |s: &mut SettingsDocument| s.payable_account = Some(Choice::either("No such one"));
    assert_eq!(wrong_fields(other).await, ["payable_account"]);
    let stage = Stage::new().await;
    let offered = Offered::read(&stage.engine, &stage.tenant)
        .await
        .expect("lists")
        .lists();
    let ids = |list: &[purser_runtime::settings::Entry]| {
        list.iter()
            .map(|entry| entry.id.clone())
            .collect::<Vec<_>>()
    };
    let payable = std::slice::from_ref(&stage.cast.payable);
    assert_eq!(ids(&offered.payable_account), payable);
    assert!(ids(&offered.expense_account).contains(&stage.cast.goods));
    assert!(ids(&offered.todo_resource).contains(&stage.cast.bookkeeper.to_string()));
    assert!(ids(&offered.todo_action_type).contains(&stage.cast.action_type.to_string()));
}

#[tokio::test(start_paused = true)]
async fn a_company_belongs_to_one_tenant() {
    let stage = Stage::new().await;
    let grant = NewGrant {
        realm: stage.realm_id(),
        refresh_token: SecretString::from("any"),
    };
    let other: TenantId = "south-wind".parse().expect("a tenant");
    let calls = stage.simulators.journal.latest();
    let taken = connect(&stage.engine, stage.outside(), &other, None, Some(grant)).await;
    let Err(ConnectError::RealmTaken(owner)) = taken else {
        panic!("the company was taken");
    };
    assert_eq!(owner, stage.tenant);
    assert_eq!(
        stage.simulators.journal.latest(),
        calls,
        "nobody was called"
    );
}

#[tokio::test(start_paused = true)]
async fn the_log_lists_what_failed_newest_first_and_names_the_cause() {
    let mut stage = Stage::new().await;
    stage.add_plain();
    let first = stage.add(&stage.empty_order());
    stage.run().await;
    let negative = LineSeed::of(stage.cast.product, 1, "-5.00");
    let second = stage.add(&stage.empty_order().line(negative));
    stage.run().await;
    let filter = RecordFilter {
        states: vec![StateName::Refused],
        limit: 10,
        ..RecordFilter::default()
    };
    let list = stage
        .store
        .list(&stage.tenant, &filter)
        .await
        .expect("the ledger");
    let orders: Vec<_> = list.iter().map(|record| record.key.order).collect();
    assert_eq!(orders, [OrderId::new(second), OrderId::new(first)]);
    let causes: Vec<_> = list.iter().filter_map(|record| record.notice()).collect();
    assert!(causes[0].cause().contains("negative amount"), "{causes:?}");
    assert!(causes[1].cause().contains("has no lines"), "{causes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_manual_sync_runs_at_once_with_the_settings_of_now() {
    let mut stage = Stage::new().await;
    stage
        .change_settings(|s| s.number_source = Some("autotask".to_owned()))
        .await;
    let order = stage.add_plain();
    let asked = stage.now();
    stage.ask(order, Origin::Person, None).await;
    stage.drain().await;
    let bill = stage.assert_billed(order, "799.98").await;
    assert!(bill["DocNumber"].is_string(), "the settings of now");
    assert!(
        asked.duration_until(stage.now()).as_secs() < 10,
        "no run is waited for"
    );
    assert_eq!(stage.last_run().await.0, 0);
}
