//! QuickBooks' query language: no text leaves its quotes.

use std::collections::BTreeMap;

use proptest::{prelude::*, sample::select};
use purser_cases::text;
use purser_core::{
    books::NewItem,
    ids::RequestId,
    plan::NUMBER_MAX,
    ports::{Lane, Outside as _, QuickBooks as _},
    text::{Alphabet, ITEM_NAME_MAX, clean_name, clean_text},
};
use purser_simulators::quickbooks::BillSeed;

use crate::{World, for_all};

/// How many records one company gets, so that each question is answered quickly.
const RECORDS_MAX: usize = 60;

/// What stands behind a name when somebody wants more than the name.
fn ending() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "",
        "",
        "'",
        "\\",
        "\\'",
        "' OR Name = '",
        "' AND Active = true",
        "%",
        "_",
        "''",
        "\\\\",
        "') ORDERBY Id",
        "\u{0}",
        "\n",
        " ",
    ])
}

#[test]
fn an_item_is_found_by_the_name_it_was_created_under_and_by_no_other_text() {
    let mut world = World::new();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut number = 0_u64;
    for_all(&(text(20), ending()), |(name, ending)| {
        if known.len() >= RECORDS_MAX {
            world = World::new();
            known.clear();
        }
        let outside = world.stage.outside();
        let quickbooks = outside.quickbooks(&world.stage.tenant, Lane::Background);
        let quickbooks = world.runtime.block_on(quickbooks).expect("a client");
        let clean = clean_name(&name, ITEM_NAME_MAX, Alphabet::Latin1);
        let key = clean.to_lowercase();
        if !clean.is_empty() && !known.contains_key(&key) {
            number += 1;
            let id: RequestId = format!("r{number}").parse().expect("a request id");
            let new = NewItem {
                name: clean.clone(),
                sku: None,
                purchase_description: None,
                expense_account: world.stage.cast.goods.parse().expect("an account"),
            };
            let created = world.runtime.block_on(quickbooks.create_item(&new, &id));
            let created = created.map_err(|failure| TestCaseError::fail(format!("{failure:?}")))?;
            prop_assert_eq!(&created.name, &clean);
            known.insert(key, created.id.to_string());
        }
        for asked in [clean, format!("{name}{ending}")] {
            let found = world.runtime.block_on(quickbooks.items_named(&asked));
            let found = found.map_err(|failure| TestCaseError::fail(format!("{failure:?}")))?;
            let found: Vec<_> = found.iter().map(|item| item.id.to_string()).collect();
            let wanted = known.get(&asked.to_lowercase()).cloned();
            prop_assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "{:?}", asked);
        }
        Ok(())
    });
}

#[test]
fn bills_are_found_by_exactly_the_numbers_that_are_asked_for() {
    let mut world = World::new();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let numbers = proptest::collection::vec((text(12), ending()), 1..4);
    for_all(&(text(12), numbers), |(new, asked)| {
        if known.len() >= RECORDS_MAX {
            world = World::new();
            known.clear();
        }
        let stage = &world.stage;
        // A company in the US takes these letters only; it is asked for all of them.
        let new = clean_text(&new, NUMBER_MAX, Alphabet::Latin1);
        let key = new.to_lowercase();
        if !new.trim().is_empty() && !known.contains_key(&key) {
            let bill = BillSeed::new(&stage.cast.vendor, &new, &stage.cast.goods, 5.into());
            let id = stage.simulators.quickbooks.add_bill(&stage.realm, &bill);
            known.insert(key, id.expect("a bill"));
        }
        let quickbooks = stage.outside().quickbooks(&stage.tenant, Lane::Background);
        let quickbooks = world.runtime.block_on(quickbooks).expect("a client");
        let mut numbers: Vec<_> = asked
            .iter()
            .map(|(text, end)| format!("{text}{end}"))
            .collect();
        numbers.push(new.to_uppercase());
        let found = world.runtime.block_on(quickbooks.bills_numbered(&numbers));
        let found = found.map_err(|failure| TestCaseError::fail(format!("{failure:?}")))?;
        let mut found: Vec<_> = found.iter().map(|bill| bill.id.to_string()).collect();
        let mut wanted: Vec<_> = numbers
            .iter()
            .filter_map(|number| known.get(&number.to_lowercase()).cloned())
            .collect();
        wanted.sort();
        wanted.dedup();
        found.sort();
        prop_assert_eq!(found, wanted, "{:?}", numbers);
        Ok(())
    });
}
