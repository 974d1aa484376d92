//! Autotask's filters: what is asked for in JSON is what is found, page after page.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, sample::select};
use purser_cases::text;
use purser_core::{
    ids::{OrderId, StatusId},
    orders::todo_key,
    ports::{Autotask, Lane, NewTodo, Outside as _},
};
use purser_simulators::autotask::{Entity, OrderSeed, OrderStatus};

use crate::{World, for_all};

/// When the first order of a database was made.
const BEGIN: i64 = 1_770_000_000;
const ORDERS: i64 = 24;

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_second(BEGIN).expect("a moment") + SignedDuration::from_millis(milliseconds)
}

/// Orders a second apart or at the same moment, of several statuses.
fn with_orders(world: &World) -> Vec<(i64, i64, Timestamp)> {
    let statuses = [
        OrderStatus::New,
        OrderStatus::Submitted,
        OrderStatus::Canceled,
    ];
    let database = &world.stage.database;
    let orders = (0..ORDERS).map(|place| {
        let status = statuses[usize::try_from(place % 3).expect("a place")];
        let created = moment(place / 2 * 1_000);
        let id = database.add_order(&OrderSeed {
            status,
            created: Some(created),
            ..OrderSeed::submitted(world.stage.cast.seller)
        });
        let row = database.row(Entity::PurchaseOrders, id).expect("the order");
        let status = row["status"].as_i64().expect("a status");
        (id, status, created)
    });
    orders.collect()
}

/// A client of a moment later, because calls are counted by the hour.
fn client(world: &World) -> Arc<impl Autotask + use<>> {
    world.wait();
    let stage = &world.stage;
    let client = stage.outside().autotask(&stage.tenant, Lane::Person);
    world.runtime.block_on(client).expect("a client")
}

#[test]
fn orders_are_found_by_exactly_their_status_and_the_day_they_were_made() {
    let world = World::new();
    let orders = with_orders(&world);
    let statuses: Vec<_> = orders.iter().map(|(_, status, _)| *status).collect();
    let cases = (select(statuses), -2_000..=ORDERS * 500 + 2_000);
    for_all(&cases, |(status, from)| {
        let autotask = client(&world);
        let from = moment(from);
        let found = autotask.orders_with_status(StatusId::new(status), from);
        let found = world.runtime.block_on(found);
        let found = found.map_err(|failure| TestCaseError::fail(format!("{failure:?}")))?;
        let found: Vec<_> = found.iter().map(|order| order.id.get()).collect();
        let wanted = orders
            .iter()
            .filter(|(_, other, created)| *other == status && *created >= from);
        let wanted: Vec<_> = wanted.map(|(id, ..)| *id).collect();
        prop_assert_eq!(found, wanted);
        Ok(())
    });
}

#[test]
fn orders_are_found_by_their_ids_each_once_and_no_other_ones() {
    let world = World::new();
    let known: BTreeSet<i64> = with_orders(&world).iter().map(|(id, ..)| *id).collect();
    let first = *known.first().expect("an order");
    let near = (first - 5).max(1)..first + ORDERS + 5;
    let id = prop_oneof![9 => near.clone(), 1 => 1..=i64::MAX];
    // Now and then more than one query takes, and more than Autotask takes in one.
    let many = proptest::collection::vec(prop_oneof![1 => near, 9 => 1..=i64::MAX], 500..600);
    let cases = prop_oneof![299 => proptest::collection::vec(id, 0..8), 1 => many];
    for_all(&cases, |ids| {
        let autotask = client(&world);
        let asked: Vec<_> = ids.iter().copied().map(OrderId::new).collect();
        let found = world.runtime.block_on(autotask.orders(&asked));
        let found = found.map_err(|failure| TestCaseError::fail(format!("{failure:?}")))?;
        let found: Vec<_> = found.iter().map(|order| order.id.get()).collect();
        let wanted: BTreeSet<_> = ids.into_iter().filter(|id| known.contains(id)).collect();
        prop_assert_eq!(found, wanted.into_iter().collect::<Vec<_>>());
        Ok(())
    });
}

#[test]
fn what_is_written_into_an_order_stands_there_letter_by_letter() {
    let world = World::new();
    let order = world.stage.add_plain();
    // Some letters count twice there.
    for_all(&text(25), |number| {
        let autotask = client(&world);
        let id = OrderId::new(order);
        let written = world
            .runtime
            .block_on(autotask.write_external_number(id, &number));
        written.map_err(|failure| TestCaseError::fail(format!("{failure:?}")))?;
        let read = world
            .runtime
            .block_on(autotask.orders(&[id]))
            .expect("the order");
        prop_assert_eq!(read[0].external_number.as_deref(), Some(number.as_str()));
        Ok(())
    });
}

#[test]
fn a_todo_is_found_by_the_whole_number_of_its_order() {
    let world = World::new();
    let stage = &world.stage;
    let orders = [4, 47, 471, 4711, 1, 11, 711].map(OrderId::new);
    let autotask = client(&world);
    for order in &orders[..5] {
        let todo = NewTodo {
            text: format!("{} and what to do", todo_key(*order)),
            action_type: purser_core::ids::ActionTypeId::new(stage.cast.action_type),
            resource: purser_core::ids::ResourceId::new(stage.cast.bookkeeper),
            start: stage.now(),
        };
        world
            .runtime
            .block_on(autotask.create_todo(&todo))
            .expect("a to-do");
    }
    let cases = proptest::collection::vec(select(orders.to_vec()), 0..4);
    for_all(&cases, |asked| {
        world.wait();
        let found = world.runtime.block_on(autotask.open_todos(&asked));
        let found = found.map_err(|failure| TestCaseError::fail(format!("{failure:?}")))?;
        let found: BTreeSet<_> = found.iter().map(|todo| todo.text.clone()).collect();
        let has = |order: &&OrderId| orders[..5].contains(order);
        let wanted = asked.iter().filter(has);
        let wanted = wanted.map(|order| format!("{} and what to do", todo_key(*order)));
        prop_assert_eq!(found, wanted.collect());
        Ok(())
    });
}
