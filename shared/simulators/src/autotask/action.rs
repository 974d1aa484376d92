//! What people do in Autotask's own pages while the interface is in use.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    database::Database,
    profile::OrderStatus,
    rules::{received, settle_received},
    schema::Entity,
    seed::{self, CompanySeed, LineSeed, OrderSeed, ProductSeed, ResourceSeed},
    value::{Row, long, number, time_value},
    world::World,
};
use crate::ControlError;

/// Something a person does.
///
/// As JSON: the variant's name in snake case as `action`, its members beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the members say what they are")]
pub enum Action {
    /// Empties the external P.O. number: it becomes "", not null.
    ClearNumber {
        order: i64,
    },
    /// Types an external P.O. number.
    SetNumber {
        order: i64,
        number: String,
    },
    /// Changes a line while its order is open.
    EditLine {
        line: i64,
        #[serde(default)]
        quantity: Option<i64>,
        #[serde(default)]
        unit_cost: Option<String>,
        #[serde(default)]
        memo: Option<String>,
    },
    /// Adds a line to a new order.
    AddLine {
        order: i64,
        #[serde(default)]
        line: LineSeed,
    },
    /// Removes a line from a new order.
    DeleteLine {
        line: i64,
    },
    /// Submits a new order that has lines.
    SubmitOrder {
        order: i64,
    },
    /// Calls off a new or submitted order.
    CancelOrder {
        order: i64,
    },
    /// Receives so many pieces of each line; all that are open when none.
    ReceiveGoods {
        order: i64,
        #[serde(default)]
        quantity: Option<i64>,
    },
    /// Takes all receipts back.
    UndoReceipts {
        order: i64,
    },
    /// Makes an order; the interface's rules do not apply.
    CreateOrder {
        #[serde(default)]
        order: OrderSeed,
    },
    CreateCompany {
        #[serde(default)]
        company: CompanySeed,
    },
    CreateProduct {
        #[serde(default)]
        product: ProductSeed,
    },
    CreateResource {
        #[serde(default)]
        resource: ResourceSeed,
    },
    /// Adds a foreign currency.
    CreateCurrency {
        name: String,
        rate: String,
    },
    CompleteTodo {
        todo: i64,
    },
    DeleteTodo {
        todo: i64,
    },
    RenameCompany {
        company: i64,
        name: String,
    },
    SetCompanyActive {
        company: i64,
        is_active: bool,
    },
    /// Changes a vendor's currency; none is the internal one.
    SetCompanyCurrency {
        company: i64,
        #[serde(default)]
        currency: Option<i64>,
    },
    RenameProduct {
        product: i64,
        name: String,
    },
    SetProductActive {
        product: i64,
        is_active: bool,
    },
    SetResourceActive {
        resource: i64,
        is_active: bool,
    },
    /// The API user's secret runs out: 401 for the right secret.
    ExpirePassword {},
    /// A new secret, which also ends expiry and lock.
    SetSecret {
        secret: String,
    },
    /// An administrator unlocks the API user.
    Unlock {},
    /// Sets any fields of any row.
    SetFields {
        entity: Entity,
        id: i64,
        fields: Value,
    },
}

impl Action {
    /// Reads the form `{"action":"clear_number","order":4711}`.
    pub fn from_json(mut action: Value) -> Result<Self, ControlError> {
        let name = action
            .as_object_mut()
            .and_then(|members| members.remove("action"));
        let Some(Value::String(name)) = name else {
            return Err(ControlError("an action names itself".into()));
        };
        let mut tagged = Row::new();
        tagged.insert(name, action);
        Ok(serde_json::from_value(Value::Object(tagged))?)
    }
}

type Done = Result<Value, ControlError>;

impl Database {
    /// Does what a person does; answers `{"id":n}` of what was made or changed.
    pub fn act(&self, action: Action) -> Result<Value, ControlError> {
        self.change(|world, now| match action {
            Action::ClearNumber { .. }
            | Action::SetNumber { .. }
            | Action::AddLine { .. }
            | Action::SubmitOrder { .. }
            | Action::CancelOrder { .. }
            | Action::ReceiveGoods { .. }
            | Action::UndoReceipts { .. } => act_on_order(world, action, now),
            Action::EditLine { .. } | Action::DeleteLine { .. } => act_on_line(world, action),
            Action::CreateOrder { order } => Ok(made(seed::order(world, &order, now))),
            Action::CreateCompany { company } => Ok(made(seed::company(world, &company, now))),
            Action::CreateProduct { product } => Ok(made(seed::product(world, &product, now))),
            Action::CreateResource { resource } => Ok(made(seed::resource(world, &resource))),
            Action::CreateCurrency { name, rate } => {
                let fields = seed::currency(&name, &rate, false);
                Ok(made(seed::simple(world, Entity::Currencies, None, fields)))
            }
            other => act_on_rest(world, other, now),
        })
    }
}

fn made(id: i64) -> Value {
    json!({ "id": id })
}

fn refused(text: &str) -> ControlError {
    ControlError(text.to_owned())
}

/// Sets fields of a row that must exist.
fn set(world: &mut World, entity: Entity, id: i64, fields: Value) -> Done {
    let row = world.row(entity, id).cloned();
    let mut row = row.ok_or_else(|| refused("there is no such row"))?;
    if let Value::Object(fields) = fields {
        row.extend(fields);
    }
    world.put(entity, id, row);
    Ok(made(id))
}

fn status(world: &World, order: i64) -> Result<OrderStatus, ControlError> {
    let row = world.row(Entity::PurchaseOrders, order);
    row.and_then(|row| long(row, "status"))
        .and_then(|id| world.profile.status(id))
        .ok_or_else(|| refused("there is no such order"))
}

fn act_on_order(world: &mut World, action: Action, now: Timestamp) -> Done {
    use OrderStatus::{Canceled, New, Submitted};
    let orders = Entity::PurchaseOrders;
    match action {
        Action::ClearNumber { order } => set(world, orders, order, json!({"externalPONumber": ""})),
        Action::SetNumber { order, number } => {
            set(world, orders, order, json!({ "externalPONumber": number }))
        }
        Action::AddLine { order, line } => match status(world, order)? {
            New => Ok(made(seed::line(world, order, &line))),
            _ => Err(refused("lines can be added only to a new order")),
        },
        Action::SubmitOrder { order } => {
            let has_lines = world
                .table(Entity::PurchaseOrderItems)
                .children(order)
                .next()
                .is_some();
            if status(world, order)? != New || !has_lines {
                return Err(refused("only a new order with lines can be submitted"));
            }
            let status = world.profile.status_id(Submitted);
            set(
                world,
                orders,
                order,
                json!({ "status": status, "submitDateTime": time_value(now) }),
            )
        }
        Action::CancelOrder { order } => {
            if !matches!(status(world, order)?, New | Submitted) {
                return Err(refused("only a new or submitted order can be canceled"));
            }
            let status = world.profile.status_id(Canceled);
            set(
                world,
                orders,
                order,
                json!({ "status": status, "cancelDateTime": time_value(now) }),
            )
        }
        Action::ReceiveGoods { order, quantity } => receive(world, order, quantity, now),
        Action::UndoReceipts { order } => {
            let items: Vec<i64> = world
                .table(Entity::PurchaseOrderItems)
                .children(order)
                .collect();
            for item in items {
                let pieces = -received(world, item);
                add_receipt(world, item, pieces, now);
            }
            settle_received(world, order, now);
            Ok(made(order))
        }
        _ => Err(refused("not an action on an order")),
    }
}

fn receive(world: &mut World, order: i64, quantity: Option<i64>, now: Timestamp) -> Done {
    if !matches!(
        status(world, order)?,
        OrderStatus::Submitted | OrderStatus::ReceivedPartial
    ) {
        return Err(refused("only a submitted order can be received"));
    }
    let table = world.table(Entity::PurchaseOrderItems);
    let open = |id: i64| {
        let ordered = table
            .get(id)
            .and_then(|item| long(item, "quantity"))
            .unwrap_or_default();
        (id, ordered - received(world, id))
    };
    let open: Vec<(i64, i64)> = table.children(order).map(open).collect();
    for (item, open) in open {
        let pieces = quantity.unwrap_or(open).min(open);
        add_receipt(world, item, pieces, now);
    }
    settle_received(world, order, now);
    Ok(made(order))
}

fn add_receipt(world: &mut World, item: i64, pieces: i64, now: Timestamp) {
    if pieces == 0 {
        return;
    }
    let fields = json!({
        "purchaseOrderItemID": item, "quantityNowReceiving": pieces,
        "quantityPreviouslyReceived": received(world, item), "receiveDate": time_value(now),
    });
    seed::simple(world, Entity::PurchaseOrderItemReceiving, None, fields);
}

fn act_on_line(world: &mut World, action: Action) -> Done {
    use OrderStatus::{New, ReceivedPartial, Submitted};
    let (Action::EditLine { line, .. } | Action::DeleteLine { line }) = action else {
        return Err(refused("not an action on a line"));
    };
    let item = world.row(Entity::PurchaseOrderItems, line);
    let order = item.and_then(|item| long(item, "orderID"));
    let status = status(
        world,
        order.ok_or_else(|| refused("there is no such line"))?,
    )?;
    match action {
        Action::EditLine {
            quantity,
            unit_cost,
            memo,
            ..
        } if matches!(status, New | Submitted | ReceivedPartial) => {
            let mut fields = Row::new();
            quantity.map(|quantity| fields.insert("quantity".into(), Value::from(quantity)));
            unit_cost.map(|cost| fields.insert("unitCost".into(), number(&cost)));
            memo.map(|memo| fields.insert("memo".into(), Value::String(memo)));
            set(
                world,
                Entity::PurchaseOrderItems,
                line,
                Value::Object(fields),
            )
        }
        Action::DeleteLine { .. } if status == New => {
            world.remove(Entity::PurchaseOrderItems, line);
            Ok(made(line))
        }
        _ => Err(refused("the order's state does not allow it")),
    }
}

fn act_on_rest(world: &mut World, action: Action, now: Timestamp) -> Done {
    let (companies, products) = (Entity::Companies, Entity::Products);
    match action {
        Action::CompleteTodo { todo } => set(
            world,
            Entity::CompanyToDos,
            todo,
            json!({ "completedDate": time_value(now) }),
        ),
        Action::DeleteTodo { todo } => {
            world.remove(Entity::CompanyToDos, todo);
            Ok(made(todo))
        }
        Action::RenameCompany { company, name } => {
            set(world, companies, company, json!({ "companyName": name }))
        }
        Action::SetCompanyActive { company, is_active } => {
            set(world, companies, company, json!({ "isActive": is_active }))
        }
        Action::SetCompanyCurrency { company, currency } => {
            set(world, companies, company, json!({ "currencyID": currency }))
        }
        Action::RenameProduct { product, name } => {
            set(world, products, product, json!({ "name": name }))
        }
        Action::SetProductActive { product, is_active } => {
            set(world, products, product, json!({ "isActive": is_active }))
        }
        Action::SetResourceActive {
            resource,
            is_active,
        } => set(
            world,
            Entity::Resources,
            resource,
            json!({ "isActive": is_active }),
        ),
        Action::SetFields { entity, id, fields } => set(world, entity, id, fields),
        Action::ExpirePassword {} => {
            world.profile_mut().is_password_expired = true;
            Ok(json!({}))
        }
        Action::SetSecret { secret } => {
            world.profile_mut().seed.secret = secret;
            unlock(world);
            Ok(json!({}))
        }
        Action::Unlock {} => {
            unlock(world);
            Ok(json!({}))
        }
        _ => Err(refused("no such action")),
    }
}

fn unlock(world: &mut World) {
    let profile = world.profile_mut();
    profile.is_locked = false;
    profile.is_password_expired = false;
    profile.failures_in_a_row = 0;
}
