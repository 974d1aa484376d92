//! Reading records: in bulk, by due time, as lists, counted, and the story of one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use purser_core::{
    ids::{OrderId, RealmId, TenantId},
    ports::{HistoryEntry, RecordFilter, StoreError},
    record::{RecordKey, StateName, SyncRecord},
};

use crate::{
    body,
    error::unreadable,
    item::{Item, get_text, number, text},
    keys::{self, CHANGED, CHANGED_INDEX, DUE, DUE_INDEX, ItemKey, OPEN, OPEN_INDEX},
    records::decode,
    store::{AwsStore, Filter, Question, key_of},
};

/// Sorts before every moment.
const FIRST: &str = "0";
/// Sorts after every moment.
const LAST: &str = "~";

impl AwsStore {
    pub(crate) async fn read_records(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        orders: &[OrderId],
    ) -> Result<Vec<SyncRecord>, StoreError> {
        let mut orders = orders.to_vec();
        orders.sort_unstable();
        orders.dedup();
        let key = |order: &OrderId| {
            keys::record(&RecordKey {
                tenant: tenant.clone(),
                realm: realm.clone(),
                order: *order,
            })
        };
        let keys: Vec<ItemKey> = orders.iter().map(key).collect();
        let mut records = self.decoded(&keys, tenant).await?;
        records.sort_by_key(|record| record.key.order);
        match records.iter().find(|record| record.key.realm != *realm) {
            Some(record) => Err(unreadable(format!(
                "the record of order {} is in another's place",
                record.key.order
            ))),
            None => Ok(records),
        }
    }

    async fn decoded(
        &self,
        keys: &[ItemKey],
        tenant: &TenantId,
    ) -> Result<Vec<SyncRecord>, StoreError> {
        let items = self.items(keys).await?;
        items.iter().map(|item| decode(item, tenant)).collect()
    }

    pub(crate) async fn due_orders(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>, StoreError> {
        let question = due_between(tenant, realm, &format!("{}{LAST}", keys::moment(now)));
        let found = self.query(question, limit as usize).await?;
        found.iter().map(order_of_due).collect()
    }

    pub(crate) async fn first_due(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let question = due_between(tenant, realm, LAST);
        let found = self.query(question, 1).await?;
        let Some(item) = found.first() else {
            return Ok(None);
        };
        let sort = get_text(item, DUE)?;
        sort.rsplit('#').nth(1).map(moment).transpose()
    }

    /// Records of a tenant, newest change first. The index is read until enough fit the filter.
    pub(crate) async fn listed(
        &self,
        tenant: &TenantId,
        filter: &RecordFilter,
    ) -> Result<Vec<SyncRecord>, StoreError> {
        let found = self
            .query(by_change(tenant, filter, true), filter.limit as usize)
            .await?;
        let keys: Result<Vec<ItemKey>, _> = found.iter().map(key_of).collect();
        let mut records = self.decoded(&keys?, tenant).await?;
        records.sort_by_key(|record| {
            std::cmp::Reverse(keys::changed(record.updated_at, record.key.order))
        });
        Ok(records)
    }

    pub(crate) async fn counted(
        &self,
        tenant: &TenantId,
        filter: &RecordFilter,
    ) -> Result<u64, StoreError> {
        let mut count = 0;
        let add = |_| {
            count += 1;
            Ok(())
        };
        self.each(by_change(tenant, filter, false), usize::MAX, add)
            .await?;
        Ok(count)
    }

    pub(crate) async fn state_counts(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<(StateName, u64)>, StoreError> {
        let all = by_change(tenant, &RecordFilter::default(), false);
        let mut counts = BTreeMap::new();
        let add = |item: Item| {
            *counts.entry(state(&item)?).or_insert(0) += 1;
            Ok(())
        };
        self.each(all, usize::MAX, add).await?;
        Ok(counts.into_iter().collect())
    }

    pub(crate) async fn spans(
        &self,
        tenant: &TenantId,
        bounds: &[Timestamp],
    ) -> Result<Vec<BTreeMap<StateName, u64>>, StoreError> {
        let mut spans = vec![BTreeMap::new(); bounds.len().saturating_sub(1)];
        let [Some(first), Some(last)] = [bounds.first(), bounds.last()] else {
            return Ok(spans);
        };
        let filter = RecordFilter {
            since: Some(*first),
            until: Some(*last),
            ..RecordFilter::default()
        };
        let bounds: Vec<String> = bounds.iter().map(|at| keys::moment(*at)).collect();
        let add = |item: Item| {
            let changed = get_text(&item, CHANGED)?;
            // The sort key of a change at a bound is longer, and so greater, than the bound.
            let after = bounds.partition_point(|bound| bound.as_str() <= changed);
            if let Some(span) = after.checked_sub(1).and_then(|index| spans.get_mut(index)) {
                *span.entry(state(&item)?).or_insert(0) += 1;
            }
            Ok(())
        };
        self.each(by_change(tenant, &filter, false), usize::MAX, add)
            .await?;
        Ok(spans)
    }

    pub(crate) async fn longest_open(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<(OrderId, Timestamp)>, StoreError> {
        let question = Question {
            index: Some(OPEN_INDEX),
            ..Question::of(keys::tenant(tenant))
        };
        let found = self.query(question, 1).await?;
        let Some(item) = found.first() else {
            return Ok(None);
        };
        let open = get_text(item, OPEN)?;
        let (since, order) = open.split_once('#').ok_or_else(|| unreadable("a wait"))?;
        Ok(Some((order_id(order)?, moment(since)?)))
    }

    pub(crate) async fn told(
        &self,
        tenant: &TenantId,
        order: OrderId,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let question = Question::of(keys::tenant(tenant)).beginning(&keys::history(order));
        let found = self.query(question, usize::MAX).await?;
        let entry = |item: &Item| {
            serde_json::from_str(&body::read(item)?).map_err(|_| unreadable("an entry of a story"))
        };
        found.iter().map(entry).collect()
    }
}

/// Due orders of a realm, earliest first, until this time in the sort key.
fn due_between<'a>(tenant: &TenantId, realm: &RealmId, until: &str) -> Question<'a> {
    let values = vec![
        (":from", text(format!("{realm}#"))),
        (":until", text(format!("{realm}#{until}"))),
    ];
    Question {
        index: Some(DUE_INDEX),
        sort: Some(("due BETWEEN :from AND :until", values)),
        ..Question::of(keys::tenant(tenant))
    }
}

/// Records by their last change, as a filter wants them.
fn by_change<'a>(tenant: &TenantId, filter: &RecordFilter, is_paged: bool) -> Question<'a> {
    let from = filter.since.map_or_else(|| FIRST.to_owned(), keys::moment);
    let before = filter.before.filter(|_| is_paged);
    let until = [
        filter.until.map(keys::moment),
        before.map(|(at, order)| keys::changed(at, order)),
    ];
    let until = until.into_iter().flatten().min();
    // BETWEEN includes its ends: just before the end is its text with a smaller last letter.
    let until = until.map_or_else(|| LAST.to_owned(), |end| just_before(&end));
    let values = vec![(":from", text(from)), (":until", text(until))];
    Question {
        index: Some(CHANGED_INDEX),
        sort: Some(("changed BETWEEN :from AND :until", values)),
        filter: conditions(filter),
        descending: true,
        ..Question::of(keys::tenant(tenant))
    }
}

/// A text that sorts before `end` and after every key that does.
fn just_before(end: &str) -> String {
    let mut before = end.to_owned();
    match before.pop() {
        // Keys are made of digits and `#`; what follows the smaller letter is as great as can be.
        Some(last) => {
            let smaller = char::from_u32(u32::from(last).saturating_sub(1)).unwrap_or(' ');
            before.push(smaller);
            before.push_str(LAST);
            before
        }
        None => FIRST.to_owned(),
    }
}

fn conditions(filter: &RecordFilter) -> Option<Filter> {
    let mut made = Filter::default();
    let mut parts: Vec<String> = Vec::new();
    let mut one_of = |name: &str, values: Vec<_>, made: &mut Filter| {
        let mut any = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let place = format!(":{name}{index}");
            any.push(format!("#{name} = {place}"));
            made.values.insert(place, value);
        }
        if !any.is_empty() {
            made.names.insert(format!("#{name}"), name.to_owned());
            parts.push(format!("({})", any.join(" OR ")));
        }
    };
    let states = filter.states.iter().map(|state| text(state.as_str()));
    one_of("state", states.collect(), &mut made);
    let orders = filter.orders.iter().map(|order| number(order.get()));
    one_of("order_id", orders.collect(), &mut made);
    one_of(
        "vendor",
        filter.vendor.iter().map(text).collect(),
        &mut made,
    );
    one_of("code", filter.code.iter().map(text).collect(), &mut made);
    if filter.waiting {
        one_of("waiting", vec![number(1)], &mut made);
    }
    if let Some(wanted) = &filter.text {
        made.names.insert("#search".to_owned(), "search".to_owned());
        made.values
            .insert(":search".to_owned(), text(wanted.to_lowercase()));
        parts.push("contains(#search, :search)".to_owned());
    }
    made.expression = parts.join(" AND ");
    (!made.expression.is_empty()).then_some(made)
}

fn order_of_due(item: &Item) -> Result<OrderId, StoreError> {
    let due = get_text(item, DUE)?;
    order_id(due.rsplit('#').next().unwrap_or_default())
}

fn order_id(text: &str) -> Result<OrderId, StoreError> {
    let number = text.parse().map_err(|_| unreadable("an order's place"))?;
    Ok(OrderId::new(number))
}

fn moment(text: &str) -> Result<Timestamp, StoreError> {
    let micros = text.parse().map_err(|_| unreadable("a moment"))?;
    Timestamp::from_microsecond(micros).map_err(|_| unreadable("a moment"))
}

fn state(item: &Item) -> Result<StateName, StoreError> {
    let name = get_text(item, "state")?;
    let known = StateName::ALL
        .into_iter()
        .find(|state| state.as_str() == name);
    known.ok_or_else(|| StoreError::Newer("a record in a state this program lacks".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn just_before_an_end_is_after_all_that_is_before_it() {
        let at = |micros| Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MIN);
        for end in [1, 10, 100, 1_790_000_000_000_000, 1_790_000_000_999_999] {
            let end_key = keys::moment(at(end));
            let before = just_before(&end_key);
            assert!(before < end_key);
            let last_before = keys::changed(at(end - 1), OrderId::new(i64::MAX));
            assert!(last_before < before, "{last_before} {before}");
            let first_at = keys::changed(at(end), OrderId::new(1));
            assert!(first_at > before);
        }
        let paged = keys::changed(at(5), OrderId::new(10));
        assert!(keys::changed(at(5), OrderId::new(9)) < just_before(&paged));
        assert!(just_before(&paged) < paged);
    }
}
