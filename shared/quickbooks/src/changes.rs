//! What changed since a moment, by one change-data-capture call.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use purser_core::{
    books::{Changed, Changes},
    failure::Failure,
    notice::Code,
    ports::{Clock, GrantStore},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    call::{Call, Expected},
    client::QuickBooksClient,
    query::moment,
    wire::{self, AccountWire, BillWire, CustomerWire, ItemWire, TermWire, VendorWire},
};

/// QuickBooks remembers changes for 30 days; one day is left for clocks that differ.
const REACH: Duration = Duration::from_hours(29 * 24);
/// QuickBooks tells at most so many changes; a full answer may be a cut one.
const OBJECTS_MAX: usize = 1000;
const ENTITIES: &str = "Vendor,Customer,Item,Account,Term,Bill";

impl<C: Clock, G: GrantStore> QuickBooksClient<C, G> {
    /// Asks what changed since `since` (QuickBooks' clock). `None`: read everything anew.
    ///
    /// The moment returned is that of the answer. A change made while QuickBooks worked on the
    /// answer may be missing from it, so the next question should begin a little earlier.
    pub(crate) async fn read_changes(
        &self,
        since: Timestamp,
    ) -> Result<Option<(Changes, Timestamp)>, Failure> {
        let exchange = &self.sender.exchange;
        let started = exchange.clock.now();
        let now = exchange.server_clock.at(started).unwrap_or(started);
        let reach = SignedDuration::try_from(REACH).unwrap_or_default();
        if now.duration_since(since) > reach {
            return Ok(None);
        }
        let call = Call::get(&["cdc"], Expected::Member(&["CDCResponse"]))
            .with("entities", ENTITIES)
            .with("changedSince", moment(since));
        let answer = self.sender.call(&call).await?;
        let lists = lists(&answer.body);
        let objects: usize = lists.iter().map(|(_, rows)| rows.len()).sum();
        if objects >= OBJECTS_MAX {
            return Ok(None);
        }
        let is_multi = self.multi_currency();
        let mut changes = Changes::default();
        for (entity, rows) in lists {
            for row in rows {
                if !add(&mut changes, entity, row, is_multi) {
                    return Err(Failure::new(Code::QuickBooksFailing).answered(answer.told));
                }
            }
        }
        Ok(Some((changes, answer.server_time.unwrap_or(started))))
    }
}

/// Every (entity, rows) of the answer, wherever QuickBooks put it.
fn lists(body: &Value) -> Vec<(&str, &Vec<Value>)> {
    let parts = body.get("CDCResponse").and_then(Value::as_array);
    let answers = parts
        .into_iter()
        .flatten()
        .filter_map(|part| part.get("QueryResponse")?.as_array());
    let members = answers.flatten().filter_map(Value::as_object).flatten();
    members
        .filter_map(|(name, rows)| Some((name.as_str(), rows.as_array()?)))
        .collect()
}

/// Takes one changed record in; false when it cannot be read, and so cannot be left out.
fn add(changes: &mut Changes, entity: &str, row: &Value, is_multi: bool) -> bool {
    match entity {
        "Vendor" => put(&mut changes.vendors, row, |w: VendorWire| {
            w.into_vendor(is_multi)
        }),
        "Customer" => put(&mut changes.customers, row, CustomerWire::into_customer),
        "Item" => put(&mut changes.items, row, ItemWire::into_item),
        "Account" => put(&mut changes.accounts, row, AccountWire::into_account),
        "Term" => put(&mut changes.terms, row, TermWire::into_term),
        "Bill" => match wire::read::<BillWire>(row) {
            Some(bill) if bill.is_deleted() => match bill.id() {
                Some(id) => {
                    changes.bills_gone.push(id);
                    true
                }
                None => false,
            },
            Some(_) => true,
            None => false,
        },
        _ => true,
    }
}

fn put<W: DeserializeOwned, T, I: std::str::FromStr>(
    list: &mut Vec<Changed<T, I>>,
    row: &Value,
    to: impl Fn(W) -> Option<T>,
) -> bool {
    let status = row
        .get("status")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let change = if status.eq_ignore_ascii_case("deleted") {
        row.get("Id")
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok())
            .map(Changed::Gone)
    } else {
        wire::read::<W>(row).and_then(to).map(Changed::Now)
    };
    change.map(|change| list.push(change)).is_some()
}
