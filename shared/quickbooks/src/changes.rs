//! What changed since a moment, by one change-data-capture call.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use purser_core::{
    books::{BillChanges, Changed, Changes},
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
/// What is asked about in one question. A busy day of names must not hide that of bills.
const NAMES: &str = "Vendor,Customer,Item,Account,Term";
const BILLS: &str = "Bill";
const ENTITIES: [&str; 2] = [NAMES, BILLS];

impl<C: Clock, G: GrantStore> QuickBooksClient<C, G> {
    /// Asks what changed of all but bills since `since` (QuickBooks' clock). `None`: read everything
    /// anew.
    ///
    /// The moment returned is that of the answer. A change made while QuickBooks worked on the
    /// answer may be missing from it, so the next question should begin a little earlier.
    pub(crate) async fn read_changes(
        &self,
        since: Timestamp,
    ) -> Result<Option<(Changes, Timestamp)>, Failure> {
        let is_multi = self.multi_currency();
        let mut changes = Changes::default();
        let take = |entity: &str, row: &Value| add(&mut changes, entity, row, is_multi);
        let told = self.read_changed(NAMES, since, take).await?;
        Ok(told.map(|at| (changes, at)))
    }

    /// Asks which bills were made, edited or deleted since `since` (QuickBooks' clock). `None`: too
    /// many, or too long ago.
    pub(crate) async fn read_bill_changes(
        &self,
        since: Timestamp,
    ) -> Result<Option<BillChanges>, Failure> {
        let mut changes = BillChanges::default();
        let take = |entity: &str, row: &Value| entity != BILLS || add_bill(&mut changes, row);
        let told = self.read_changed(BILLS, since, take).await?;
        Ok(told.map(|_| changes))
    }

    /// Hands on each row that changed, and answers with the moment of the answer.
    async fn read_changed(
        &self,
        entities: &str,
        since: Timestamp,
        mut take: impl FnMut(&str, &Value) -> bool,
    ) -> Result<Option<Timestamp>, Failure> {
        let exchange = &self.sender.exchange;
        let started = exchange.clock.now();
        let now = exchange.server_clock.at(started).unwrap_or(started);
        let reach = SignedDuration::try_from(REACH).unwrap_or_default();
        if now.duration_since(since) > reach {
            return Ok(None);
        }
        let call = Call::get(&["cdc"], Expected::Member(&["CDCResponse"]))
            .with("entities", entities)
            .with("changedSince", moment(since));
        let answer = self.sender.call(&call).await?;
        let unreadable = || Failure::new(Code::QuickBooksFailing).answered(answer.told.clone());
        let lists = lists(&answer.body).ok_or_else(unreadable)?;
        let objects: usize = lists.iter().map(|(_, rows)| rows.len()).sum();
        if objects >= OBJECTS_MAX {
            return Ok(None);
        }
        for (entity, rows) in lists {
            if !rows.iter().all(|row| take(entity, row)) {
                return Err(unreadable());
            }
        }
        Ok(Some(answer.server_time.unwrap_or(started)))
    }
}

/// Every (entity, rows) of the answer, wherever QuickBooks put it. `None` when something that is no
/// list stands where one must: it must never pass for "nothing has changed".
fn lists(body: &Value) -> Option<Vec<(&str, &Vec<Value>)>> {
    let mut lists = Vec::new();
    for part in body.get("CDCResponse")?.as_array()? {
        let answers = match part.as_object()?.get("QueryResponse") {
            Some(answers) => answers.as_array()?.as_slice(),
            None => &[],
        };
        for answer in answers {
            for (name, rows) in answer.as_object()? {
                match rows.as_array() {
                    Some(rows) => lists.push((name.as_str(), rows)),
                    None if is_entity(name) => return None,
                    // Counts and places stand beside the lists.
                    None => {}
                }
            }
        }
    }
    Some(lists)
}

fn is_entity(name: &str) -> bool {
    let mut all = ENTITIES.iter().flat_map(|entities| entities.split(','));
    all.any(|entity| entity == name)
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
        _ => true,
    }
}

/// The same for a bill.
fn add_bill(changes: &mut BillChanges, row: &Value) -> bool {
    let Some(bill) = wire::read::<BillWire>(row) else {
        return false;
    };
    if bill.is_deleted() {
        return bill.id().map(|id| changes.gone.push(id)).is_some();
    }
    let standing = bill.into_created().map(|created| created.bill);
    standing.map(|bill| changes.standing.push(bill)).is_some()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_list_of_changes_never_says_that_nothing_has_changed() {
        let count = |body: Value| lists(&body).map(|lists| lists.len());
        let bills = json!([{ "Bill": [], "startPosition": 1 }, {}]);
        let well = json!({ "CDCResponse": [{ "QueryResponse": bills }, {}] });
        assert_eq!(count(well), Some(1));
        for odd in [
            json!({ "CDCResponse": {} }),
            json!({ "CDCResponse": [null] }),
            json!({ "CDCResponse": [{ "QueryResponse": {} }] }),
            json!({ "CDCResponse": [{ "QueryResponse": ["none"] }] }),
            json!({ "CDCResponse": [{ "QueryResponse": [{ "Bill": {} }] }] }),
        ] {
            assert_eq!(count(odd.clone()), None, "{odd}");
        }
    }
}
