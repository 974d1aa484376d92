use http::Method;
use serde_json::{Value, json};

use super::bench::{Bench, error};
use crate::autotask::{Action, ResourceSeed};

fn todo(bench: &Bench) -> Value {
    json!({
        "companyID": 0, "actionType": 3, "assignedToResourceID": bench.person,
        "startDateTime": "2026-01-06T15:00:00Z", "endDateTime": "2026-01-06T15:30:00",
        "activityDescription": "[PO 4711] failed",
    })
}

#[tokio::test(start_paused = true)]
async fn a_todo_is_made_found_completed_and_deleted_under_its_company() {
    let bench = Bench::new();
    let (status, answer) = bench.post("Companies/0/ToDos", todo(&bench)).await;
    assert_eq!(status, 200, "{answer}");
    let id = answer["itemId"].as_i64().unwrap();
    let filter = json!([
        { "op": "eq", "field": "companyID", "value": 0 },
        { "op": "notExist", "field": "completedDate" },
        { "op": "contains", "field": "activityDescription", "value": "[po 4711]" },
    ]);
    assert_eq!(
        bench.ids("CompanyToDos", filter.clone()).await,
        Ok(vec![id])
    );
    let body = json!({ "id": id, "completedDate": "2026-01-07" });
    assert_eq!(bench.patch("Companies/0/ToDos", body).await.0, 200);
    assert_eq!(bench.ids("CompanyToDos", filter).await, Ok(vec![]));
    assert!(bench.database.open_todos().is_empty());
    assert_eq!(bench.database.todos()[0].description, "[PO 4711] failed");
    let (status, answer) = bench
        .call(
            Method::DELETE,
            &format!("Companies/0/ToDos/{id}"),
            Value::Null,
        )
        .await;
    assert_eq!((status, answer), (200, json!({ "itemId": id })));
    assert!(bench.database.todos().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_todo_needs_all_its_fields() {
    let bench = Bench::new();
    for name in [
        "companyID",
        "actionType",
        "assignedToResourceID",
        "startDateTime",
        "endDateTime",
    ] {
        let mut body = todo(&bench);
        body.as_object_mut().unwrap().remove(name);
        let (status, answer) = bench.post("Companies/0/ToDos", body).await;
        assert_eq!(status, 500);
        assert_eq!(error(&answer), format!("Missing Required Field: {name}. "));
        assert_eq!(
            answer["errors"][1],
            "Error creating entity for record number [1]. "
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_todo_needs_a_live_person_and_a_known_action_type() {
    let bench = Bench::new();
    let with = |name: &str, value: Value| {
        let mut body = todo(&bench);
        body[name] = value;
        body
    };
    let away = ResourceSeed {
        is_active: false,
        ..ResourceSeed::person("Bob", "Away")
    };
    let away = bench.database.add_resource(&away);
    let robot = ResourceSeed {
        is_api_only: true,
        ..ResourceSeed::person("Api", "User")
    };
    let robot = bench.database.add_resource(&robot);
    let retired = bench.database.add_action_type("Old", false);
    for body in [
        with("assignedToResourceID", json!(away)),
        with("assignedToResourceID", json!(robot)),
        with("assignedToResourceID", json!(1)),
        with("actionType", json!(retired)),
        with("actionType", json!(999)),
        with("endDateTime", json!("2026-01-06T14:59:59Z")),
        with("contactID", json!(5)),
        with("ticketID", json!(5)),
        with("companyID", json!(bench.vendor)),
        with("activityDescription", json!("x".repeat(32_001))),
    ] {
        assert_eq!(
            bench.post("Companies/0/ToDos", body.clone()).await.0,
            500,
            "{body}"
        );
    }
    let mut nowhere = todo(&bench);
    nowhere["companyID"] = json!(88_888);
    assert_eq!(bench.post("Companies/88888/ToDos", nowhere).await.0, 500);
    assert_eq!(
        bench
            .post("Companies/0/ToDos", with("actionType", json!(0)))
            .await
            .0,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn people_complete_and_delete_todos() {
    let bench = Bench::new();
    let (_, answer) = bench.post("Companies/0/ToDos", todo(&bench)).await;
    let id = answer["itemId"].as_i64().unwrap();
    bench
        .database
        .act(Action::CompleteTodo { todo: id })
        .unwrap();
    assert!(bench.database.todos()[0].completed.is_some());
    bench.database.act(Action::DeleteTodo { todo: id }).unwrap();
    assert!(bench.database.todos().is_empty());
    let body = json!({ "id": id, "completedDate": null });
    assert_eq!(bench.patch("Companies/0/ToDos", body).await.0, 500);
}

#[tokio::test(start_paused = true)]
async fn a_new_todo_may_stay_unseen_for_a_moment() {
    let bench = Bench::new();
    bench
        .database
        .switch(|switches| switches.read_after_write_lag_ms = 5_000);
    let (_, answer) = bench.post("Companies/0/ToDos", todo(&bench)).await;
    let id = answer["itemId"].as_i64().unwrap();
    let path = format!("CompanyToDos/{id}");
    assert_eq!(bench.get(&path).await.1["item"], Value::Null);
    assert_eq!(bench.ids("CompanyToDos", json!([])).await, Ok(vec![]));
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(bench.ids("CompanyToDos", json!([])).await, Ok(vec![id]));
}
