//! Answers of Autotask: what is read is what stands there, every row of it, or the answer is
//! refused. A cost that cannot be read is never another one, and a line is never lost.

use jiff::Timestamp;
use purser_core::{
    failure::{Failure, FailureClass},
    ids::{ActionTypeId, OrderId, OrganisationId, ProductId, ResourceId, StatusId},
    orders::{Order, OrderLine},
    ports::{Autotask, Lane, NewTodo, Outside as _},
};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::{
    answers::{Script, Scripted, exact},
    harness::{Target, World, run},
};

const TARGET: Target = Target {
    name: "autotask-answers",
    cases: 6_000,
    words: &[
        "lines 200\n",
        "orders 200\n",
        "\"items\":",
        "\"pageDetails\":",
        "\"nextPageUrl\":",
        "\"id\":",
        "\"orderID\":4711",
        "\"unitCost\":",
        "\"quantity\":",
        "\"errors\":[\"",
        "\"itemId\":4711",
        "1.50",
        "\"0.10\"",
        "retry-after: 7\n",
        " 500\n",
        " 401\n",
        " 429\n",
    ],
};

/// The orders that are asked about.
const ASKED: [OrderId; 2] = [OrderId::new(4711), OrderId::new(4712)];

struct Answers(Scripted);

impl World for Answers {
    fn build() -> Self {
        // The zone is asked for as ever; without it nothing is called at all.
        Self(Scripted::new(|path| {
            path.contains("V1.0") && !path.ends_with("ThresholdInformation")
        }))
    }

    fn check(&mut self, input: &[u8]) -> String {
        let Some(script) = Script::read(input) else {
            return "no answer".to_owned();
        };
        self.0.answer(&script);
        let stage = &self.0.stage;
        let autotask = self.0.outside().autotask(&stage.tenant, Lane::Person);
        let autotask = self.0.runtime.block_on(async {
            // Calls are counted by the hour.
            tokio::time::sleep(std::time::Duration::from_secs(20)).await;
            autotask.await
        });
        let autotask = autotask.expect("a client");
        let asked = Box::pin(ask(&*autotask, &script, stage.now()));
        let outcome = self.0.runtime.block_on(asked);
        if outcome.contains(&FailureClass::Reconnect.to_string()) {
            // It calls no more until somebody has entered the credentials again.
            *self = Self::build();
        }
        outcome
    }
}

/// Asks what the script is about and checks what is made of its answer.
async fn ask(autotask: &impl Autotask, script: &Script, now: Timestamp) -> String {
    let ids = ASKED.map(OrderId::get);
    let told = |result: Result<usize, Failure>| match result {
        Ok(count) => format!("{} {count}", script.asked),
        Err(failure) => format!("{} {} {}", script.asked, failure.class(), failure.code()),
    };
    told(match script.asked.as_str() {
        "lines" => autotask
            .lines(&ASKED)
            .await
            .map(|lines| check_lines(script, &lines)),
        "orders" => autotask
            .orders(&ASKED)
            .await
            .map(|orders| check_orders(script, &orders)),
        "scan" => {
            let from = "2026-03-01T00:00:00Z".parse().expect("a moment");
            let found = autotask.orders_with_status(StatusId::new(2), from).await;
            found.map(|orders| {
                for order in &orders {
                    assert!(order.status.is_none_or(|status| status == StatusId::new(2)));
                    assert!(order.created.is_none_or(|created| created >= from));
                }
                check_orders(script, &orders)
            })
        }
        "products" => {
            let found = autotask.products(&ids.map(ProductId::new)).await;
            found.map(|products| products.len())
        }
        "organisations" => {
            let found = autotask.organisations(&ids.map(OrganisationId::new)).await;
            found.map(|organisations| organisations.len())
        }
        "currencies" => autotask.currencies().await.map(|table| table.rows.len()),
        "statuses" => autotask.statuses().await.map(|values| values.len()),
        "resources" => autotask.resources().await.map(|people| people.len()),
        "todos" => autotask.open_todos(&ASKED).await.map(|todos| todos.len()),
        "write" => {
            let written = autotask.write_external_number(ASKED[0], "1042").await;
            written.map(|()| {
                assert!(script.status.is_success());
                assert_eq!(item_id(script), Some(ASKED[0].get().into()));
                1
            })
        }
        "todo" => {
            let new = NewTodo {
                action_type: ActionTypeId::new(5),
                resource: ResourceId::new(7),
                text: "[PO 4711] why".to_owned(),
                start: now,
            };
            let made = autotask.create_todo(&new).await;
            made.map(|id| {
                assert!(script.status.is_success());
                assert_eq!(item_id(script), Some(id.get().into()));
                1
            })
        }
        _ => return "nothing asked".to_owned(),
    })
}

/// A member in any letter case. Of two that differ by that alone either may be meant.
fn members<'v>(row: &'v Value, name: &str) -> Vec<&'v Value> {
    let all = row.as_object().into_iter().flatten();
    all.filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

fn item_id(script: &Script) -> Option<Decimal> {
    let body = script.json()?;
    members(&body, "itemId").into_iter().find_map(exact)
}

/// The rows of the answer, which must be one that holds rows.
fn rows(script: &Script) -> Vec<Value> {
    assert!(
        script.status.is_success(),
        "{} was taken for rows",
        script.status
    );
    let body = script.json().expect("what was read is JSON");
    let lists = members(&body, "items");
    let list = lists.last().and_then(|list| list.as_array());
    list.cloned()
        .unwrap_or_else(|| panic!("there are no rows in {body}"))
}

/// Whether a member of a row says this number, or nothing.
fn says(row: &Value, name: &str, read: Option<Decimal>) -> bool {
    let told = members(row, name);
    let is_nothing = |value: &&Value| {
        value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
    };
    match read {
        Some(read) => told.iter().any(|value| exact(value) == Some(read)),
        None => told.is_empty() || told.iter().any(is_nothing),
    }
}

/// Whether a member of a row says this amount, of which a trace that cannot be kept is nothing.
fn says_amount(row: &Value, name: &str, read: Option<Decimal>) -> bool {
    let is_trace = |value: &Value| {
        let number = value.as_f64().filter(|_| exact(value).is_none());
        number.is_some_and(|number| number.abs() < 1e-9)
    };
    let is_none = read.is_some_and(|read| read.is_zero());
    says(row, name, read) || (is_none && members(row, name).into_iter().any(is_trace))
}

fn check_lines(script: &Script, lines: &[OrderLine]) -> usize {
    let rows = rows(script);
    for line in lines {
        let is_it = |row: &&Value| {
            says(row, "id", Some(line.id.get().into()))
                && says(row, "orderID", Some(line.order.get().into()))
                && says(row, "quantity", line.quantity)
                && says(row, "unitCost", line.unit_cost)
        };
        assert!(
            rows.iter().any(|row| is_it(&row)),
            "{line:?} stands nowhere in {rows:?}"
        );
    }
    for row in &rows {
        let of_ours = ASKED
            .iter()
            .any(|order| says(row, "orderID", Some(order.get().into())));
        let is_read = lines
            .iter()
            .any(|line| says(row, "id", Some(line.id.get().into())));
        let is_twice = members(row, "orderID").len() > 1;
        assert!(!of_ours || is_read || is_twice, "{row} was passed over");
    }
    lines.len()
}

fn check_orders(script: &Script, orders: &[Order]) -> usize {
    let rows = rows(script);
    for order in orders {
        let is_text = |value: &Value, text: &str| match value {
            Value::Number(number) => number.to_string() == text,
            other => other.as_str() == Some(text),
        };
        let says_text = |row: &Value, name: &str, text: Option<&str>| match text {
            Some(text) => members(row, name).iter().any(|value| is_text(value, text)),
            None => members(row, name).iter().all(|value| value.is_null()),
        };
        let status = order.status.map(|status| status.get().into());
        let is_it = |row: &Value| {
            says(row, "id", Some(order.id.get().into()))
                && says(row, "status", status)
                && says_amount(row, "freight", order.freight)
                && (says_text(row, "externalPONumber", order.external_number.as_deref())
                    || members(row, "externalPONumber").len() > 1)
        };
        assert!(
            rows.iter().any(is_it),
            "{order:?} stands nowhere in {rows:?}"
        );
    }
    orders.len()
}

#[test]
fn autotask_answers() {
    run::<Answers>(&TARGET);
}
