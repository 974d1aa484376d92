use std::time::Duration;

use purser_core::{
    failure::Failure,
    ids::{ActionTypeId, OrderId, ResourceId, TodoId},
    notice::Code,
    ports::{Autotask, NewTodo},
};
use purser_transport::TransportErrorKind;
use serde_json::json;

use super::support::{Answer, Bench, errors, items, none, zone};

fn new_todo() -> NewTodo {
    NewTodo {
        action_type: ActionTypeId::new(3),
        resource: ResourceId::new(29),
        text: "[PO 4711] failed".to_owned(),
        start: "2026-01-05T12:00:00Z".parse().unwrap(),
    }
}

async fn create(answer: Answer) -> (Result<TodoId, Failure>, usize) {
    let bench = Bench::new(move |_, _| answer.clone());
    let result = bench.client().create_todo(&new_todo()).await;
    (result, bench.lines().len())
}

#[tokio::test]
async fn a_to_do_is_made_under_organisation_0() {
    let bench = Bench::new(|_, _| Answer::Json(200, json!({"itemId": "99"})));
    let id = bench.client().create_todo(&new_todo()).await.unwrap();
    assert_eq!(id, TodoId::new(99));
    assert_eq!(bench.lines(), ["POST Companies/0/ToDos"]);
    let expected = json!({
        "companyID": 0, "actionType": 3, "assignedToResourceID": 29,
        "startDateTime": "2026-01-05T12:00:00.000Z", "endDateTime": "2026-01-05T12:30:00.000Z",
        "activityDescription": "[PO 4711] failed",
    });
    assert_eq!(bench.bodies("/ToDos"), [expected]);
}

#[tokio::test]
async fn a_to_do_that_was_decided_on_long_ago_does_not_leave() {
    for (wait, is_sent) in [(25, true), (60, false)] {
        let bench = Bench::new(|_, _| Answer::Json(200, json!({"itemId": "99"})));
        bench.clock.jump(Duration::from_secs(wait));
        let result = bench.client().create_todo(&new_todo()).await;
        assert_eq!(bench.lines().len(), usize::from(is_sent));
        let code = result.err().map(|failure| failure.code());
        assert_eq!(code, (!is_sent).then_some(Code::TimeShort));
    }
}

#[tokio::test]
async fn a_create_is_sent_once_and_a_doubt_is_named() {
    let in_doubt = [
        Answer::Fails(TransportErrorKind::Timeout),
        Answer::Fails(TransportErrorKind::Broken),
        Answer::Text(200, ""),
        Answer::Json(200, json!({"itemId": null})),
        Answer::Text(502, "<html>"),
        Answer::Text(500, ""),
        errors("Execution Timeout Expired"),
    ];
    for answer in in_doubt {
        let (result, sent) = create(answer).await;
        assert_eq!(result.unwrap_err().code(), Code::TodoOutcomeUnknown);
        assert_eq!(sent, 1);
    }
    let definite = [
        (errors("Value is wrong. "), Code::TodoRefused),
        (Answer::Text(400, ""), Code::TodoRefused),
        (Answer::Text(403, ""), Code::AutotaskPermission),
        (Answer::Text(429, ""), Code::AutotaskThrottled),
        (Answer::Text(404, "<html>"), Code::AutotaskBug),
        (Answer::Text(401, ""), Code::AutotaskUnauthorised),
        (
            Answer::Fails(TransportErrorKind::NotSent),
            Code::AutotaskUnreachable,
        ),
    ];
    for (answer, code) in definite {
        let (result, sent) = create(answer).await;
        assert_eq!(result.unwrap_err().code(), code);
        assert_eq!(sent, 1);
    }
}

#[tokio::test]
async fn a_lookup_that_fails_before_a_create_is_no_doubt() {
    let bench = Bench::raw(
        |seen, before| match seen.line.ends_with("/zoneInformation") {
            true if before > 5 => zone("webservices3.autotask.net"),
            true => Answer::Fails(TransportErrorKind::Timeout),
            false => none(),
        },
    );
    let failure = bench.client().create_todo(&new_todo()).await.unwrap_err();
    assert_eq!(failure.code(), Code::AutotaskUnreachable);
    assert_eq!(bench.count("/ToDos"), 0);
}

#[tokio::test]
async fn open_to_dos_are_found_by_their_exact_key() {
    let bench = Bench::new(|_, _| {
        items([
            json!({"id": 1, "companyID": 0, "activityDescription": "[PO 7] a"}),
            json!({"id": 2, "companyID": 0, "activityDescription": "see [PO 8] b"}),
            json!({"id": 3, "companyID": 0, "activityDescription": "[PO 77] c"}),
            json!({"id": 4, "companyID": 5, "activityDescription": "[PO 7] d"}),
            json!({"id": 5, "companyID": 0, "activityDescription": "[PO 7] e",
                "completedDate": "2026-01-01T00:00:00Z"}),
            json!({"id": 6, "companyID": 0, "activityDescription": null}),
        ])
    });
    let orders: Vec<OrderId> = (7..=8).chain(1000..1150).map(OrderId::new).collect();
    let found = bench.client().open_todos(&orders).await.unwrap();
    assert_eq!(found.iter().map(|t| t.id.get()).collect::<Vec<_>>(), [1, 2]);
    let bodies = bench.bodies("/CompanyToDos/query");
    assert_eq!(bodies.len(), 2);
    let filter = bodies[0]["filter"].as_array().unwrap();
    assert_eq!(
        filter[0],
        json!({"op": "eq", "field": "companyID", "value": 0})
    );
    assert_eq!(
        filter[1],
        json!({"op": "notExist", "field": "completedDate"})
    );
    assert_eq!(filter[2]["op"], "or");
    assert_eq!(filter[2]["items"].as_array().unwrap().len(), 100);
    assert_eq!(
        filter[2]["items"][0],
        json!({"op": "contains", "field": "activityDescription", "value": "[PO 7]"})
    );
}

#[tokio::test]
async fn rewriting_and_completing_name_the_id_in_the_body() {
    let bench = Bench::new(|_, _| Answer::Json(200, json!({"itemId": 5})));
    let client = bench.client();
    client
        .rewrite_todo(TodoId::new(5), "[PO 7] new")
        .await
        .unwrap();
    let at = "2026-01-05T12:00:00Z".parse().unwrap();
    client.complete_todo(TodoId::new(5), at).await.unwrap();
    assert_eq!(
        bench.lines(),
        ["PATCH Companies/0/ToDos", "PATCH Companies/0/ToDos"]
    );
    assert_eq!(
        bench.bodies("/ToDos"),
        [
            json!({"id": 5, "activityDescription": "[PO 7] new"}),
            json!({"id": 5, "completedDate": "2026-01-05T12:00:00.000Z"}),
        ]
    );
}

#[tokio::test]
async fn a_to_do_that_is_gone_needs_no_change() {
    for refusal in [errors("Record not found. "), Answer::Text(404, "")] {
        for open in [false, true] {
            let refusal = refusal.clone();
            let bench = Bench::new(move |seen, _| match seen.line.ends_with("/query") {
                true if open => items([json!({"id": 5, "companyID": 0})]),
                true => none(),
                false => refusal.clone(),
            });
            let at = "2026-01-05T12:00:00Z".parse().unwrap();
            let result = bench.client().complete_todo(TodoId::new(5), at).await;
            assert_eq!(result.is_err(), open);
        }
    }
    let bench = Bench::new(|seen, _| match seen.line.ends_with("/query") {
        true => items([json!({"id": 5, "companyID": 0})]),
        false => errors("Text is bad. "),
    });
    let failure = bench
        .client()
        .rewrite_todo(TodoId::new(5), "x")
        .await
        .unwrap_err();
    assert_eq!(failure.code(), Code::TodoRefused);
    assert_eq!(failure.notice.words["detail"], "Text is bad");
}
