//! One database in the hands of a test: filling it, acting in it, looking at it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    AutotaskSimulator, Worlds,
    profile::{DatabaseSeed, OrderStatus},
    schema::Entity,
    seed::{self, CompanySeed, LineSeed, OrderSeed, ProductSeed, ResourceSeed},
    switches::AutotaskSwitches,
    value::{Row, long, text, time},
    world::World,
};

/// One Autotask customer.
#[derive(Clone)]
pub struct Database {
    simulator: AutotaskSimulator,
    key: String,
}

/// A purchase order, as a test looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderView {
    /// Id.
    pub id: i64,
    /// State.
    pub status: Option<OrderStatus>,
    /// `externalPONumber`: null and empty are different.
    pub external_number: Option<String>,
    /// `purchaseOrderNumber`.
    pub number: Option<String>,
    /// Vendor, by id.
    pub vendor: Option<i64>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// A to-do, as a test looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TodoView {
    /// Id.
    pub id: i64,
    /// Company, by id.
    pub company: Option<i64>,
    /// Assignee, by id.
    pub assignee: Option<i64>,
    /// Action type, by id.
    pub action_type: Option<i64>,
    /// `activityDescription`.
    pub description: String,
    /// When it was completed.
    pub completed: Option<Timestamp>,
}

/// The calls of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TrafficView {
    /// Calls that were signed in.
    pub calls: u64,
    /// Calls refused because too many ran at the same time.
    pub refused_threads: u64,
    /// Calls refused because the hour was full.
    pub refused_hour: u64,
    /// The most calls that ran at the same time on one entity.
    pub threads_max: usize,
}

impl Database {
    pub(super) fn new(simulator: AutotaskSimulator, key: String) -> Self {
        Self { simulator, key }
    }

    /// Name of the API user, in lower case; names the database everywhere.
    pub fn api_user(&self) -> &str {
        &self.key
    }

    /// Changes the world and stores the change.
    ///
    /// # Panics
    ///
    /// When the database is gone or the store fails: nothing can be tested any more.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        let now = self.simulator.context.clock.now();
        let mut worlds = self.simulator.lock();
        let world = worlds.get_mut(&self.key).expect("the database exists");
        let result = change(world, now);
        self.simulator
            .commit(world)
            .expect("the simulator store works");
        result
    }

    fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        let worlds: std::sync::MutexGuard<'_, Worlds> = self.simulator.lock();
        look(worlds.get(&self.key).expect("the database exists"))
    }

    pub(super) fn lay_foundation(&self) {
        self.change(seed::foundation);
    }

    /// Adds or replaces a company.
    pub fn add_company(&self, seed: &CompanySeed) -> i64 {
        self.change(|world, now| seed::company(world, seed, now))
    }

    /// Adds or replaces a product.
    pub fn add_product(&self, seed: &ProductSeed) -> i64 {
        self.change(|world, now| seed::product(world, seed, now))
    }

    /// Adds an order with its lines, whatever the interface's rules say.
    pub fn add_order(&self, seed: &OrderSeed) -> i64 {
        self.change(|world, now| seed::order(world, seed, now))
    }

    /// Adds many orders in one step.
    pub fn add_orders(&self, seeds: &[OrderSeed]) -> Vec<i64> {
        self.change(|world, now| {
            seeds
                .iter()
                .map(|seed| seed::order(world, seed, now))
                .collect()
        })
    }

    /// Adds a line to an order, whatever its state.
    pub fn add_line(&self, order: i64, seed: &LineSeed) -> i64 {
        self.change(|world, _| seed::line(world, order, seed))
    }

    /// Adds or replaces a user.
    pub fn add_resource(&self, seed: &ResourceSeed) -> i64 {
        self.change(|world, _| seed::resource(world, seed))
    }

    /// Adds an action type of to-dos.
    pub fn add_action_type(&self, name: &str, is_active: bool) -> i64 {
        self.change(|world, _| seed::action_type(world, None, name, is_active, false))
    }

    /// Adds a payment term.
    pub fn add_payment_term(&self, name: &str, days: i64) -> i64 {
        self.change(|world, _| seed::payment_term(world, None, name, days))
    }

    /// Adds a foreign currency; `rate` is the JSON number's text.
    pub fn add_currency(&self, name: &str, rate: &str) -> i64 {
        let fields = seed::currency(name, rate, false);
        self.change(|world, _| seed::simple(world, Entity::Currencies, None, fields))
    }

    /// Adds or replaces a row of any entity with exactly these fields.
    pub fn add_row(&self, entity: Entity, id: Option<i64>, fields: Value) -> i64 {
        self.change(|world, _| seed::simple(world, entity, id, fields))
    }

    /// Sets fields of a row, whatever the interface's rules say; false when there is no such row.
    pub fn set_fields(&self, entity: Entity, id: i64, fields: Value) -> bool {
        self.change(|world, _| {
            let Some(mut row) = world.row(entity, id).cloned() else {
                return false;
            };
            if let Value::Object(fields) = fields {
                row.extend(fields);
            }
            world.put(entity, id, row);
            true
        })
    }

    /// The present switches.
    pub fn switches(&self) -> AutotaskSwitches {
        self.look(|world| world.profile.switches().clone())
    }

    /// Replaces the switches.
    pub fn set_switches(&self, switches: AutotaskSwitches) {
        self.change(|world, _| world.profile_mut().seed.switches = switches);
    }

    /// Changes some switches.
    pub fn switch(&self, change: impl FnOnce(&mut AutotaskSwitches)) {
        self.change(|world, _| change(&mut world.profile_mut().seed.switches));
    }

    /// What the database was made from, with the present secret and switches.
    pub fn seed(&self) -> DatabaseSeed {
        self.look(|world| world.profile.seed.clone())
    }

    /// A row as it is stored.
    pub fn row(&self, entity: Entity, id: i64) -> Option<Value> {
        self.look(|world| world.row(entity, id).cloned().map(Value::Object))
    }

    /// All rows of an entity as they are stored.
    pub fn rows(&self, entity: Entity) -> Vec<Value> {
        self.look(|world| {
            world
                .table(entity)
                .rows()
                .map(|(_, row)| Value::Object(row.clone()))
                .collect()
        })
    }

    /// An order.
    pub fn order(&self, id: i64) -> Option<OrderView> {
        self.look(|world| {
            world
                .row(Entity::PurchaseOrders, id)
                .map(|row| order_view(world, id, row))
        })
    }

    /// All orders.
    pub fn orders(&self) -> Vec<OrderView> {
        self.look(|world| {
            let rows = world.table(Entity::PurchaseOrders).rows();
            rows.map(|(id, row)| order_view(world, id, row)).collect()
        })
    }

    /// The lines of an order as they are stored.
    pub fn lines(&self, order: i64) -> Vec<Value> {
        self.look(|world| {
            let table = world.table(Entity::PurchaseOrderItems);
            let rows = table.children(order).filter_map(|id| table.get(id));
            rows.map(|row| Value::Object(row.clone())).collect()
        })
    }

    /// All to-dos.
    pub fn todos(&self) -> Vec<TodoView> {
        self.look(|world| {
            world
                .table(Entity::CompanyToDos)
                .rows()
                .map(|(id, row)| todo_view(id, row))
                .collect()
        })
    }

    /// The to-dos that are not completed.
    pub fn open_todos(&self) -> Vec<TodoView> {
        self.todos()
            .into_iter()
            .filter(|todo| todo.completed.is_none())
            .collect()
    }

    /// Wrong secrets so far.
    pub fn failed_logins(&self) -> u64 {
        self.look(|world| world.profile.failed_logins)
    }

    /// True when the user is locked after too many wrong secrets.
    pub fn is_locked(&self) -> bool {
        self.look(|world| world.profile.is_locked)
    }

    /// The calls so far.
    pub fn traffic(&self) -> TrafficView {
        self.look(|world| TrafficView {
            calls: world.traffic.calls,
            refused_threads: world.traffic.refused_threads,
            refused_hour: world.traffic.refused_hour,
            threads_max: world.traffic.threads_max,
        })
    }

    /// The address of the present zone.
    pub fn zone_url(&self) -> String {
        let public_url = &*self.simulator.context.public_url;
        self.look(|world| world.profile.zone_url(public_url))
    }

    /// Everything a test checks at the end.
    pub(super) fn audit(&self) -> Value {
        json!({
            "orders": self.orders(),
            "todos": self.todos(),
            "failed_logins": self.failed_logins(),
            "is_locked": self.is_locked(),
            "traffic": self.traffic(),
            "counts": {
                "orders": self.look(|world| world.table(Entity::PurchaseOrders).len()),
                "companies": self.look(|world| world.table(Entity::Companies).len()),
                "products": self.look(|world| world.table(Entity::Products).len()),
            },
        })
    }
}

fn order_view(world: &World, id: i64, row: &Row) -> OrderView {
    OrderView {
        id,
        status: long(row, "status").and_then(|status| world.profile.status(status)),
        external_number: text(row, "externalPONumber").map(str::to_owned),
        number: text(row, "purchaseOrderNumber").map(str::to_owned),
        vendor: long(row, "vendorID"),
        created: time(row, "createDateTime"),
    }
}

fn todo_view(id: i64, row: &Row) -> TodoView {
    TodoView {
        id,
        company: long(row, "companyID"),
        assignee: long(row, "assignedToResourceID"),
        action_type: long(row, "actionType"),
        description: text(row, "activityDescription")
            .unwrap_or_default()
            .to_owned(),
        completed: time(row, "completedDate"),
    }
}
