use std::future::Future;

use jiff::Timestamp;

use crate::{
    failure::Failure,
    ids::{ActionTypeId, OrderId, OrganisationId, ProductId, ResourceId, StatusId, TodoId},
    orders::{
        CurrencyTable, Order, OrderLine, Organisation, PickListValue, Product, Resource, Todo,
    },
    tenant::AutotaskDatabase,
};

/// An error to-do to be created under organisation 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTodo {
    /// Its action type.
    pub action_type: ActionTypeId,
    /// Who gets it.
    pub resource: ResourceId,
    /// Its text, which starts with [`todo_key`](crate::orders::todo_key).
    pub text: String,
    /// When it was decided on: it starts then and ends half an hour later, and leaves soon or not at all.
    pub start: Timestamp,
}

/// How much of the hour's calls the whole Autotask database has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Calls allowed in the window.
    pub limit: u32,
    /// Calls made in it, by everybody.
    pub used: u32,
    /// Minutes the window is long.
    pub window_minutes: u32,
}

/// What the preflight found out about the API user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutotaskReport {
    /// The host of the zone.
    pub zone_host: String,
    /// Address at which people open Autotask, ending with a slash.
    pub web_url: String,
    /// Which database it is; `None` when Autotask does not tell.
    pub database: Option<AutotaskDatabase>,
    /// Whether purchase orders may be read.
    pub may_read_orders: bool,
    /// Whether purchase orders may be written.
    pub may_write_orders: bool,
    /// Whether lines may be read.
    pub may_read_lines: bool,
    /// Whether the user is an API-only user; `None` when it cannot be told.
    pub api_only: Option<bool>,
    /// Whether some line shows a cost; `None` when there is no line.
    pub costs_readable: Option<bool>,
    /// The hour's quota.
    pub quota: Option<Quota>,
}

/// Autotask PSA, as one tenant's API user sees it.
///
/// Reads return what there is; ids that do not exist are simply absent. Every answer is complete
/// (all pages) or a failure. Reads retry what may pass by itself; creates never do.
pub trait Autotask: Send + Sync {
    /// Purchase order statuses, from field metadata.
    fn statuses(&self) -> impl Future<Output = Result<Vec<PickListValue>, Failure>> + Send;

    /// Payment terms, from field metadata.
    fn payment_terms(&self) -> impl Future<Output = Result<Vec<PickListValue>, Failure>> + Send;

    /// Active to-do action types.
    fn action_types(&self) -> impl Future<Output = Result<Vec<PickListValue>, Failure>> + Send;

    /// Active people who can be given a to-do; API-only users are left out.
    fn resources(&self) -> impl Future<Output = Result<Vec<Resource>, Failure>> + Send;

    /// All orders with this status created at or after `from`, whatever their number says.
    ///
    /// Unknown conditions are silently dropped by Autotask, so each row must be judged again.
    fn orders_with_status(
        &self,
        status: StatusId,
        from: Timestamp,
    ) -> impl Future<Output = Result<Vec<Order>, Failure>> + Send;

    /// These orders, read in bulk.
    fn orders(&self, ids: &[OrderId]) -> impl Future<Output = Result<Vec<Order>, Failure>> + Send;

    /// All lines of these orders, in the order of their ids.
    fn lines(
        &self,
        orders: &[OrderId],
    ) -> impl Future<Output = Result<Vec<OrderLine>, Failure>> + Send;

    /// These products, read in bulk.
    fn products(
        &self,
        ids: &[ProductId],
    ) -> impl Future<Output = Result<Vec<Product>, Failure>> + Send;

    /// These organisations, read in bulk.
    fn organisations(
        &self,
        ids: &[OrganisationId],
    ) -> impl Future<Output = Result<Vec<Organisation>, Failure>> + Send;

    /// The currency table.
    fn currencies(&self) -> impl Future<Output = Result<CurrencyTable, Failure>> + Send;

    /// Writes External PO Number. Success is only Autotask's word: read it back.
    fn write_external_number(
        &self,
        order: OrderId,
        text: &str,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Open to-dos of organisation 0 whose text holds the key of one of these orders.
    fn open_todos(
        &self,
        orders: &[OrderId],
    ) -> impl Future<Output = Result<Vec<Todo>, Failure>> + Send;

    /// Creates a to-do under organisation 0. Never sent twice by itself: an answer that does not
    /// come is [`Code::TodoOutcomeUnknown`](crate::notice::Code::TodoOutcomeUnknown).
    fn create_todo(&self, todo: &NewTodo) -> impl Future<Output = Result<TodoId, Failure>> + Send;

    /// Replaces the text of an open to-do.
    fn rewrite_todo(
        &self,
        id: TodoId,
        text: &str,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Completes a to-do.
    fn complete_todo(
        &self,
        id: TodoId,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Which database the API user belongs to; `None` when Autotask does not tell.
    fn database(&self) -> impl Future<Output = Result<Option<AutotaskDatabase>, Failure>> + Send;

    /// Finds out what the API user may do.
    fn report(&self) -> impl Future<Output = Result<AutotaskReport, Failure>> + Send;
}
