use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use purser_core::{
    failure::Failure,
    ids::{OrderId, OrganisationId, ProductId, StatusId, TodoId},
    notice::Code,
    orders::{
        CurrencyTable, Order, OrderLine, Organisation, PickListValue, Product, Resource, Todo,
    },
    ports::{Autotask, AutotaskReport, Clock, NewTodo},
    tenant::AutotaskDatabase,
};
use serde_json::json;

use crate::{
    client::AutotaskClient,
    errors::Fault,
    query::Query,
    request::{Call, Leaves},
    todos::{read_item_id, renamed},
    wire::{
        currency, line, order, organisation, product,
        row::{Garbled, Row, write_time},
    },
};

/// How long the number of a bill may wait for zone, threshold and threads after it was decided to write
/// it: a person may type one at any moment. Not divided by any scale. (`Policy::landing` counts on it.)
const WRITE_DELAY: Duration = Duration::from_secs(2);

fn failure(fault: Fault) -> Failure {
    fault.failure
}

fn read_all<T>(rows: &[Row], read: fn(&Row) -> Result<T, Garbled>) -> Result<Vec<T>, Failure> {
    let all: Result<Vec<T>, Garbled> = rows.iter().map(read).collect();
    let unreadable = Failure::new(Code::AutotaskRowUnreadable);
    all.map_err(|Garbled(field)| unreadable.with("field", field))
}

impl<C: Clock> Autotask for AutotaskClient<C> {
    async fn statuses(&self) -> Result<Vec<PickListValue>, Failure> {
        let values = self.pick_list(order::ENTITY, "status").await;
        values.map(Option::unwrap_or_default).map_err(failure)
    }

    async fn payment_terms(&self) -> Result<Vec<PickListValue>, Failure> {
        let values = self.pick_list(order::ENTITY, "paymentTerm").await;
        values.map(Option::unwrap_or_default).map_err(failure)
    }

    async fn action_types(&self) -> Result<Vec<PickListValue>, Failure> {
        self.read_action_types().await.map_err(failure)
    }

    async fn resources(&self) -> Result<Vec<Resource>, Failure> {
        self.read_resources().await.map_err(failure)
    }

    async fn orders_with_status(
        &self,
        status: StatusId,
        from: Timestamp,
    ) -> Result<Vec<Order>, Failure> {
        let query = Query {
            entity: order::ENTITY,
            fields: order::FIELDS,
            filter: vec![
                json!({"op": "eq", "field": "status", "value": status.get()}),
                json!({"op": "gte", "field": "createDateTime", "value": write_time(from)}),
            ],
        };
        let rows = self.rows(&query).await.map_err(failure)?;
        let mut orders = read_all(&rows, order::read)?;
        // Milliseconds were asked for, and a condition may have been left out without a word.
        orders.retain(|order| {
            order.status.is_none_or(|found| found == status)
                && order.created.is_none_or(|created| created >= from)
        });
        Ok(orders)
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, Failure> {
        let ids = ids.iter().map(|id| id.get());
        let rows = self.rows_in(order::ENTITY, order::FIELDS, "id", ids).await;
        read_all(&rows.map_err(failure)?, order::read)
    }

    async fn lines(&self, orders: &[OrderId]) -> Result<Vec<OrderLine>, Failure> {
        let ids = orders.iter().map(|id| id.get());
        let rows = self
            .rows_in(line::ENTITY, line::FIELDS, "orderID", ids)
            .await;
        read_all(&rows.map_err(failure)?, line::read)
    }

    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>, Failure> {
        let ids = ids.iter().map(|id| id.get());
        let rows = self
            .rows_in(product::ENTITY, product::FIELDS, "id", ids)
            .await;
        read_all(&rows.map_err(failure)?, product::read)
    }

    async fn organisations(&self, ids: &[OrganisationId]) -> Result<Vec<Organisation>, Failure> {
        let ids = ids.iter().map(|id| id.get());
        let fields = organisation::FIELDS;
        let rows = self.rows_in(organisation::ENTITY, fields, "id", ids).await;
        read_all(&rows.map_err(failure)?, organisation::read)
    }

    async fn currencies(&self) -> Result<CurrencyTable, Failure> {
        let query = Query {
            entity: currency::ENTITY,
            fields: currency::FIELDS,
            filter: vec![json!({"op": "gte", "field": "id", "value": 0})],
        };
        let rows = self.rows(&query).await.map_err(failure)?;
        currency::read(&rows).map_err(|garbled| failure(garbled.into()))
    }

    async fn write_external_number(&self, order: OrderId, text: &str) -> Result<(), Failure> {
        if text.chars().count() > order::EXTERNAL_NUMBER_MAX {
            let failure = Failure::new(Code::WriteBackRefused);
            return Err(failure.with("detail", "External PO Number holds at most 50 characters"));
        }
        let body = json!({"id": order.get(), "externalPONumber": text});
        // The collection's address with the id in the body: an order's own address takes no PATCH.
        let path = order::ENTITY.to_owned();
        let mut call = Call::with_body(Method::PATCH, order::ENTITY, path, body);
        call.leaves = Some(Leaves {
            decided_at: self.now(),
            within: WRITE_DELAY,
        });
        let is_same = |answer: &_| {
            let id = read_item_id(answer)?;
            (id == order.get()).then_some(()).ok_or(Garbled("itemId"))
        };
        // Once: a person may have typed a number since, and only who reads the order again knows.
        self.once(&call, is_same)
            .await
            .map_err(|fault| match fault.code() {
                Code::AutotaskRefused => renamed(fault.failure, Code::WriteBackRefused),
                _ => fault.failure,
            })
    }

    async fn open_todos(&self, orders: &[OrderId]) -> Result<Vec<Todo>, Failure> {
        self.find_open_todos(orders).await.map_err(failure)
    }

    async fn create_todo(&self, todo: &NewTodo) -> Result<TodoId, Failure> {
        self.send_todo(todo).await
    }

    async fn rewrite_todo(&self, id: TodoId, text: &str) -> Result<(), Failure> {
        self.rewrite(id, text).await
    }

    async fn complete_todo(&self, id: TodoId, at: Timestamp) -> Result<(), Failure> {
        self.complete(id, at).await
    }

    async fn database(&self) -> Result<Option<AutotaskDatabase>, Failure> {
        let zone = self.zone().await.map_err(failure)?;
        Ok(zone.database)
    }

    async fn report(&self) -> Result<AutotaskReport, Failure> {
        self.make_report().await
    }
}
