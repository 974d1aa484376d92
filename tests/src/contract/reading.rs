//! Reading records: in bulk, by due time, as a list, as counts, as a story.

use std::collections::BTreeMap;

use jiff::Timestamp;
use purser_core::{
    eligibility::Ineligible,
    ids::{OrderId, RealmId},
    notice::{Code, Notice},
    ports::{Change, HistoryEvent, Ledger, RecordFilter},
    record::{State, StateName, SyncRecord, Wait},
};

use super::{
    Arm,
    sample::{
        at, commit_all, entry, in_state, new, north, over, realm, record, record_of, rewritten,
        south,
    },
};

fn ids(numbers: impl IntoIterator<Item = i64>) -> Vec<OrderId> {
    numbers.into_iter().map(OrderId::new).collect()
}

fn due(order: i64, seconds: Option<i64>) -> Change {
    Change {
        due_at: seconds.map(at),
        ..new(record(order, "due"))
    }
}

fn changed(record: SyncRecord, seconds: i64) -> SyncRecord {
    SyncRecord {
        updated_at: at(seconds),
        ..record
    }
}

fn orders_of(records: &[SyncRecord]) -> Vec<i64> {
    records
        .iter()
        .map(|record| record.key.order.get())
        .collect()
}

async fn list(arm: &impl Arm, filter: RecordFilter) -> Vec<SyncRecord> {
    arm.ledger().list(&north(), &filter).await.expect("a list")
}

fn at_most(limit: u32) -> RecordFilter {
    RecordFilter {
        limit,
        ..RecordFilter::default()
    }
}

/// What is there is returned once, what is not is left out.
pub async fn records_are_read_in_bulk_without_the_absent(arm: impl Arm) {
    let ledger = arm.ledger();
    commit_all(ledger, vec![new(record(1, "a")), new(record(3, "a"))]).await;
    let found = ledger.records(&north(), &realm(), &ids([3, 2, 1, 3])).await;
    let mut orders = orders_of(&found.expect("records"));
    orders.sort_unstable();
    assert_eq!(orders, [1, 3]);
    let none = ledger.records(&north(), &realm(), &[]).await;
    assert_eq!(none.expect("records"), []);
}

/// No list of orders is too long.
pub async fn a_thousand_records_are_read_at_once(arm: impl Arm) {
    let ledger = arm.ledger();
    let changes = (1..=1_000).map(|order| new(record(order, "many")));
    commit_all(ledger, changes.collect()).await;
    let found = ledger.records(&north(), &realm(), &ids(1..=2_000)).await;
    assert_eq!(found.expect("records").len(), 1_000);
}

/// The sweeper takes what has waited longest.
pub async fn due_orders_come_earliest_first(arm: impl Arm) {
    let ledger = arm.ledger();
    let times = [(1, 30), (2, 10), (3, 20), (4, 40)];
    let changes = times.map(|(order, seconds)| due(order, Some(seconds)));
    commit_all(ledger, changes.to_vec()).await;
    let found = ledger.due(&north(), &realm(), at(30), 10).await;
    assert_eq!(found.expect("orders"), ids([2, 3, 1]));
    let first_two = ledger.due(&north(), &realm(), at(30), 2).await;
    assert_eq!(first_two.expect("orders"), ids([2, 3]));
}

/// Not a second before, and not a second late.
pub async fn an_order_is_due_at_its_very_moment(arm: impl Arm) {
    let ledger = arm.ledger();
    commit_all(ledger, vec![due(1, Some(10))]).await;
    let before = ledger.due(&north(), &realm(), at(9), 10).await;
    assert_eq!(before.expect("orders"), []);
    let then = ledger.due(&north(), &realm(), at(10), 10).await;
    assert_eq!(then.expect("orders"), ids([1]));
}

/// A settled order leaves the index.
pub async fn an_order_without_a_due_time_is_never_due(arm: impl Arm) {
    let ledger = arm.ledger();
    commit_all(ledger, vec![due(1, None), due(2, Some(5))]).await;
    let before = record(2, "due");
    let settled = over(&before, rewritten(&before, "settled"));
    commit_all(ledger, vec![settled]).await;
    let found = ledger.due(&north(), &realm(), Timestamp::MAX, 10).await;
    assert_eq!(found.expect("orders"), []);
    let next = ledger.next_due(&north(), &realm()).await;
    assert_eq!(next.expect("a time"), None);
}

/// It follows every change.
pub async fn next_due_is_the_earliest_due_time(arm: impl Arm) {
    let ledger = arm.ledger();
    commit_all(ledger, vec![due(1, Some(30)), due(2, Some(10))]).await;
    let next = ledger.next_due(&north(), &realm()).await;
    assert_eq!(next.expect("a time"), Some(at(10)));
    let before = record(2, "due");
    let moved = Change {
        due_at: Some(at(50)),
        ..over(&before, rewritten(&before, "moved"))
    };
    commit_all(ledger, vec![moved]).await;
    let next = ledger.next_due(&north(), &realm()).await;
    assert_eq!(next.expect("a time"), Some(at(30)));
}

/// Every record is on exactly one page, also where many changed in the same moment.
pub async fn the_list_is_newest_first_and_pages_without_gaps(arm: impl Arm) {
    let changes = (1..=50).map(|order| new(changed(record(order, "page"), order % 3)));
    commit_all(arm.ledger(), changes.collect()).await;
    let mut seen = Vec::new();
    let mut filter = at_most(7);
    loop {
        let page = list(&arm, filter.clone()).await;
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 7);
        filter.before = Some((last.updated_at, last.key.order));
        seen.extend(page.iter().map(|it| (it.updated_at, it.key.order.get())));
    }
    let mut expected: Vec<_> = (1..=50).map(|order| (at(order % 3), order)).collect();
    expected.sort_unstable_by(|left, right| right.cmp(left));
    assert_eq!(seen, expected);
}

/// A record that changes while somebody pages moves up; no other is lost or repeated.
pub async fn paging_stays_stable_while_records_change(arm: impl Arm) {
    let changes = (1..=6).map(|order| new(changed(record(order, "page"), order)));
    commit_all(arm.ledger(), changes.collect()).await;
    let first = list(&arm, at_most(2)).await;
    assert_eq!(orders_of(&first), [6, 5]);
    let before = changed(record(5, "page"), 5);
    let touched = changed(rewritten(&before, "touched"), 100);
    commit_all(arm.ledger(), vec![over(&before, touched)]).await;
    let second = RecordFilter {
        before: Some((at(5), OrderId::new(5))),
        ..at_most(10)
    };
    assert_eq!(orders_of(&list(&arm, second).await), [4, 3, 2, 1]);
    assert_eq!(orders_of(&list(&arm, at_most(2)).await), [5, 6]);
}

/// Filters narrow the list and can be combined.
pub async fn the_list_is_filtered_by_state_wait_and_order(arm: impl Arm) {
    let notice = Notice::new(Code::StoreBusy);
    let refused = State::Refused {
        notice: notice.clone(),
    };
    let skipped = State::Skipped {
        reason: Ineligible::Gone,
    };
    let mut waiting = changed(record(1, "a"), 1);
    waiting.wait = Some(Wait {
        notice,
        not_before: at(9),
        attempts: 1,
        since: at(0),
        counted_seconds: 0,
    });
    let records = [
        waiting,
        changed(in_state(&record(2, "a"), refused), 2),
        changed(in_state(&record(3, "a"), skipped), 3),
        changed(record(4, "a"), 4),
    ];
    commit_all(arm.ledger(), records.map(new).to_vec()).await;
    let states = RecordFilter {
        states: vec![StateName::Refused, StateName::Queued],
        ..at_most(10)
    };
    assert_eq!(orders_of(&list(&arm, states.clone()).await), [4, 2, 1]);
    let waits = RecordFilter {
        waiting: true,
        ..at_most(10)
    };
    assert_eq!(orders_of(&list(&arm, waits).await), [1]);
    let orders = RecordFilter {
        orders: ids([3, 1, 77]),
        ..at_most(10)
    };
    assert_eq!(orders_of(&list(&arm, orders).await), [3, 1]);
    let all = RecordFilter {
        orders: ids([4, 2]),
        before: Some((at(4), OrderId::new(4))),
        ..states
    };
    assert_eq!(orders_of(&list(&arm, all).await), [2]);
    assert_eq!(list(&arm, at_most(0)).await, []);
}

/// Each change moves one from one count to another.
pub async fn counts_follow_the_states(arm: impl Arm) {
    let changes = (1..=3).map(|order| new(record(order, "a")));
    commit_all(arm.ledger(), changes.collect()).await;
    assert_eq!(counts(&arm).await, BTreeMap::from([(StateName::Queued, 3)]));
    let before = record(2, "a");
    let skipped = State::Skipped {
        reason: Ineligible::Gone,
    };
    let after = in_state(&rewritten(&before, "b"), skipped);
    commit_all(arm.ledger(), vec![over(&before, after)]).await;
    let expected = BTreeMap::from([(StateName::Queued, 2), (StateName::Skipped, 1)]);
    assert_eq!(counts(&arm).await, expected);
}

async fn counts(arm: &impl Arm) -> BTreeMap<StateName, u64> {
    let counts = arm.ledger().counts(&north()).await.expect("counts");
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// The story grows at its end, over many changes.
pub async fn the_history_of_an_order_is_oldest_first(arm: impl Arm) {
    let ledger = arm.ledger();
    let mut before = record(1, "op-0");
    let mut change = new(before.clone());
    change.history.push(entry(1, 0, HistoryEvent::Found));
    commit_all(ledger, vec![change, new(record(2, "other"))]).await;
    for step in 1..=12 {
        let after = rewritten(&before, &format!("op-{step}"));
        let mut change = over(&before, after.clone());
        change.history = vec![
            entry(1, step * 10, HistoryEvent::Sent),
            entry(1, step * 10, HistoryEvent::Waiting),
        ];
        commit_all(ledger, vec![change]).await;
        before = after;
    }
    let history = ledger.history(&north(), OrderId::new(1)).await;
    let history = history.expect("a history");
    assert_eq!(history.len(), 25);
    assert!(history.is_sorted_by_key(|entry| entry.at));
    let pairs = history[1..]
        .chunks(2)
        .all(|pair| pair[0].event == HistoryEvent::Sent && pair[1].event == HistoryEvent::Waiting);
    assert!(pairs, "entries of one change keep their order");
    let other = ledger.history(&north(), OrderId::new(2)).await;
    assert_eq!(other.expect("a history"), []);
}

/// The same order number of another tenant or realm is another record in every call.
pub async fn tenants_and_realms_never_see_each_others_records(arm: impl Arm) {
    let ledger = arm.ledger();
    let other: RealmId = "77".parse().expect("a realm id");
    let mut first = new(record(1, "north"));
    first.due_at = Some(at(5));
    first.history.push(entry(1, 0, HistoryEvent::Found));
    commit_all(ledger, vec![first]).await;
    assert_eq!(
        ledger
            .records(&south(), &realm(), &ids([1]))
            .await
            .expect("records"),
        []
    );
    assert_eq!(
        ledger
            .records(&north(), &other, &ids([1]))
            .await
            .expect("records"),
        []
    );
    assert_eq!(
        ledger
            .due(&south(), &realm(), at(9), 9)
            .await
            .expect("orders"),
        []
    );
    assert_eq!(
        ledger
            .due(&north(), &other, at(9), 9)
            .await
            .expect("orders"),
        []
    );
    assert_eq!(
        ledger.next_due(&south(), &realm()).await.expect("a time"),
        None
    );
    assert_eq!(
        ledger.next_due(&north(), &other).await.expect("a time"),
        None
    );
    assert_eq!(
        ledger.list(&south(), &at_most(9)).await.expect("a list"),
        []
    );
    let counts = ledger.counts(&south()).await.expect("counts");
    assert!(counts.iter().all(|(_, count)| *count == 0));
    assert_eq!(
        ledger
            .history(&south(), OrderId::new(1))
            .await
            .expect("history"),
        []
    );
    // The same order can be new for each of them.
    let mut elsewhere = record(1, "elsewhere");
    elsewhere.key.realm = other;
    let changes = vec![new(record_of(&south(), 1, "south")), new(elsewhere)];
    commit_all(ledger, changes).await;
    let north_still = ledger.records(&north(), &realm(), &ids([1])).await;
    assert_eq!(north_still.expect("records"), [record(1, "north")]);
}

/// The list is filtered by vendor, by any text of the order, and by when it was changed.
pub async fn the_list_is_filtered_by_vendor_text_and_time(arm: impl Arm) {
    let of = |order: i64, vendor: &str, seconds: i64| SyncRecord {
        vendor_name: Some(vendor.to_owned()),
        ..changed(record(order, "a"), seconds)
    };
    let item = Notice::new(Code::ItemMissing).with("name", "Rack 100% _steel_");
    let refused = State::Refused { notice: item };
    let records = [
        of(1, "Łódź Cables", 1),
        in_state(&of(2, "Cobalt", 2), refused),
        of(3, "Cobalt", 3),
    ];
    commit_all(arm.ledger(), records.map(new).to_vec()).await;
    let with = |change: fn(&mut RecordFilter)| {
        let mut filter = at_most(10);
        change(&mut filter);
        filter
    };
    let vendor = with(|filter| filter.vendor = Some("Cobalt".to_owned()));
    let one = RecordFilter {
        limit: 1,
        ..vendor.clone()
    };
    let count = arm.ledger().count(&north(), &one).await;
    assert_eq!(count.expect("a count"), 2, "whatever the limit");
    assert_eq!(orders_of(&list(&arm, vendor).await), [3, 2]);
    for (text, expected) in [
        ("łódź", vec![1]),
        ("PO-3", vec![3]),
        ("100% _STEEL_", vec![2]),
        ("item.missing", vec![2]),
        ("1__", vec![]),
        ("%", vec![2]),
        ("' OR 1=1 --", vec![]),
    ] {
        let text = RecordFilter {
            text: Some(text.to_owned()),
            ..at_most(10)
        };
        assert_eq!(orders_of(&list(&arm, text).await), expected);
    }
    let code = with(|filter| filter.code = Some("item.missing".to_owned()));
    assert_eq!(orders_of(&list(&arm, code).await), [2]);
    let time = RecordFilter {
        since: Some(at(2)),
        until: Some(at(3)),
        ..at_most(10)
    };
    assert_eq!(orders_of(&list(&arm, time).await), [2]);
}

/// Each record counts in the span of its last change, and in no other.
pub async fn states_are_counted_between_moments(arm: impl Arm) {
    let moments = [(1, 0), (2, 9), (3, 10), (4, 25), (5, 30)];
    let records = moments.map(|(order, seconds)| new(changed(record(order, "a"), seconds)));
    commit_all(arm.ledger(), records.to_vec()).await;
    let bounds = [at(0), at(10), at(20), at(30)];
    let counts = arm.ledger().counts_between(&north(), &bounds).await;
    let queued = |count| BTreeMap::from([(StateName::Queued, count)]);
    let expected = vec![queued(2), queued(1), queued(1)];
    assert_eq!(counts.expect("counts"), expected);
    let none = arm.ledger().counts_between(&south(), &bounds).await;
    assert_eq!(none.expect("counts"), vec![BTreeMap::new(); 3]);
}

/// The oldest order that somebody waits for is told, and a settled one never.
pub async fn the_oldest_open_order_is_told(arm: impl Arm) {
    let ledger = arm.ledger();
    assert_eq!(ledger.oldest_open(&north()).await.expect("none"), None);
    let skipped = State::Skipped {
        reason: Ineligible::Gone,
    };
    let settled = in_state(&changed(record(1, "a"), 1), skipped);
    let records = [
        settled,
        changed(record(2, "a"), 5),
        changed(record(3, "a"), 4),
    ];
    commit_all(ledger, records.map(new).to_vec()).await;
    let found = ledger.oldest_open(&north()).await.expect("one");
    assert_eq!(found, Some((OrderId::new(3), at(4))));
    assert_eq!(ledger.oldest_open(&south()).await.expect("none"), None);
}
