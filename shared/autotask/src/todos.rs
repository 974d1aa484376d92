//! Error to-dos under organisation 0.

use std::collections::BTreeMap;

use http::Method;
use jiff::Timestamp;
use purser_core::{
    failure::Failure,
    ids::{OrderId, TodoId},
    notice::Code,
    orders::{Todo, todo_key},
    ports::{Clock, NewTodo},
};
use serde_json::{Value, json};

use crate::{
    client::AutotaskClient,
    errors::{Effect, Fault},
    query::Query,
    request::{Call, Leaves},
    wire::{
        row::{Garbled, Row},
        todo,
    },
};

/// Orders whose to-dos are looked for in one query.
const ORDERS_PER_QUERY: usize = 100;

impl<C: Clock> AutotaskClient<C> {
    pub(crate) async fn find_open_todos(&self, orders: &[OrderId]) -> Result<Vec<Todo>, Fault> {
        let mut found = BTreeMap::new();
        for chunk in orders.chunks(ORDERS_PER_QUERY) {
            // Should the vendor take "[...]" for a set of characters, this finds too much, never
            // too little; the exact key is checked below.
            let contains = |order: &OrderId| {
                json!({
                    "op": "contains",
                    "field": "activityDescription",
                    "value": todo_key(*order),
                })
            };
            let keys: Vec<Value> = chunk.iter().map(contains).collect();
            let query = open_query(json!({"op": "or", "items": keys}));
            for row in self.rows(&query).await? {
                if let Some(open) = todo::read_open(&row)?
                    && todo::names_one_of(&open.text, orders)
                {
                    found.insert(open.id, open);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// Creates; sent at most once, and a doubt is said to be one.
    pub(crate) async fn send_todo(&self, new: &NewTodo) -> Result<TodoId, Failure> {
        let body = todo::create_body(new);
        let path = todo::COLLECTION.to_owned();
        let mut call = Call::with_body(Method::POST, todo::ENTITY, path, body);
        let policy = &self.config.policy;
        call.leaves = Some(Leaves {
            decided_at: new.start,
            within: policy.send_delay + policy.send_margin,
        });
        let result = self.once(&call, read_item_id).await;
        result.map(TodoId::new).map_err(|fault| match fault.effect {
            Effect::Possible => renamed(fault.failure, Code::TodoOutcomeUnknown),
            Effect::Nothing => refused(fault.failure),
        })
    }

    /// Changes a to-do. One that is gone or completed by now needs no change: that is success.
    pub(crate) async fn patch_todo(&self, id: TodoId, body: Value) -> Result<(), Failure> {
        let path = todo::COLLECTION.to_owned();
        let call = Call::with_body(Method::PATCH, todo::ENTITY, path, body);
        let failure = match self.call(&call, read_item_id).await {
            Ok(_) => return Ok(()),
            Err(fault) => fault.failure,
        };
        // The vendor has no one word for "does not exist", so the to-do itself is asked for.
        let may_be_gone = failure.code() == Code::AutotaskRefused
            || (failure.code() == Code::AutotaskBug && failure.answer.status == Some(404));
        if may_be_gone && !self.is_open(id).await.map_err(|fault| fault.failure)? {
            return Ok(());
        }
        Err(refused(failure))
    }

    async fn is_open(&self, id: TodoId) -> Result<bool, Fault> {
        let query = open_query(json!({"op": "eq", "field": "id", "value": id.get()}));
        for row in self.rows(&query).await? {
            if todo::read_open(&row)?.is_some_and(|open| open.id == id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(crate) async fn rewrite(&self, id: TodoId, text: &str) -> Result<(), Failure> {
        self.patch_todo(id, todo::rewrite_body(id, text)).await
    }

    pub(crate) async fn complete(&self, id: TodoId, at: Timestamp) -> Result<(), Failure> {
        self.patch_todo(id, todo::complete_body(id, at)).await
    }
}

fn open_query(condition: Value) -> Query {
    Query {
        entity: todo::ENTITY,
        fields: todo::FIELDS,
        filter: vec![
            json!({"op": "eq", "field": "companyID", "value": 0}),
            json!({"op": "notExist", "field": "completedDate"}),
            condition,
        ],
    }
}

/// The id in the answer of a write, which holds nothing else.
pub(crate) fn read_item_id(answer: &Value) -> Result<i64, Garbled> {
    let row = Row::of(answer).ok_or(Garbled("itemId"))?;
    row.integer("itemId")?.ok_or(Garbled("itemId"))
}

fn refused(failure: Failure) -> Failure {
    match failure.code() {
        Code::AutotaskRefused => renamed(failure, Code::TodoRefused),
        _ => failure,
    }
}

/// The same failure as people are told in this place.
pub(crate) fn renamed(mut failure: Failure, code: Code) -> Failure {
    failure.notice.code = code;
    failure
}
