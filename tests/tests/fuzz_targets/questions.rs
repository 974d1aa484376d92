//! Questions to QuickBooks: whatever text is asked for, the question is understood, and finds what
//! bears exactly this text.

use std::collections::BTreeMap;

use purser_core::ports::{Lane, Outside as _, QuickBooks as _};
use purser_simulators::quickbooks::{BillSeed, ItemSeed, PersonSeed};
use purser_tests::{
    memory::MemoryStore,
    stage::{Scene, Stage},
};
use tokio::runtime::Runtime;

use crate::harness::{Target, World, corpus, run, runtime};

const TARGET: Target = Target {
    name: "questions",
    cases: 3_000,
    words: &[
        "'",
        "\\",
        "\\'",
        "''",
        "' OR Name = '",
        "' AND Active = true",
        "%",
        "_",
        ")",
        "ORDERBY",
        "--",
        "STARTPOSITION 1",
        "\u{2019}",
    ],
};

struct Company {
    runtime: Runtime,
    stage: Stage<MemoryStore>,
    /// What bears a text: Items, vendors and bills, each by its text in small letters.
    items: BTreeMap<String, String>,
    vendors: BTreeMap<String, String>,
    bills: BTreeMap<String, String>,
}

impl World for Company {
    /// Holds whatever of the corpus the company takes as a name or a number.
    fn build() -> Self {
        let runtime = runtime();
        let stage = runtime.block_on(Stage::connected(Scene::default()));
        let (books, realm) = (&stage.simulators.quickbooks, &stage.realm);
        let mut company = [const { BTreeMap::new() }; 3];
        for (_, input) in corpus(TARGET.name) {
            let Ok(text) = String::from_utf8(input) else {
                continue;
            };
            let key = text.to_lowercase();
            let item = ItemSeed::non_inventory(&text, &stage.cast.goods);
            let bill = BillSeed::new(&stage.cast.vendor, &text, &stage.cast.goods, 5.into());
            let seeds = [
                books.add_item(realm, &item),
                books.add_vendor(realm, &PersonSeed::new(&text)),
                books.add_bill(realm, &bill),
            ];
            for (known, id) in company.iter_mut().zip(seeds) {
                if let Ok(id) = id {
                    known.entry(key.clone()).or_insert(id);
                }
            }
        }
        let [items, vendors, bills] = company;
        assert!(
            items.len() > 5 && vendors.len() > 5 && bills.len() > 5,
            "they are there"
        );
        Self {
            runtime,
            stage,
            items,
            vendors,
            bills,
        }
    }

    fn check(&mut self, input: &[u8]) -> String {
        let text = String::from_utf8_lossy(input).into_owned();
        let key = text.to_lowercase();
        let stage = &self.stage;
        let (items, vendors, bills) = self.runtime.block_on(async {
            let quickbooks = stage
                .outside()
                .quickbooks(&stage.tenant, Lane::Background)
                .await;
            let quickbooks = quickbooks.expect("a client");
            let items = quickbooks.items_named(&text).await;
            let holders = quickbooks.name_holders(&text).await;
            let bills = quickbooks
                .bills_numbered(&[text.clone(), "none".to_owned()])
                .await;
            (
                items.unwrap_or_else(|failure| panic!("{text:?}: {failure:?}")),
                holders.unwrap_or_else(|failure| panic!("{text:?}: {failure:?}")),
                bills.unwrap_or_else(|failure| panic!("{text:?}: {failure:?}")),
            )
        });
        let items: Vec<_> = items.iter().map(|item| item.id.to_string()).collect();
        let bills: Vec<_> = bills.iter().map(|bill| bill.id.to_string()).collect();
        let one = |known: &BTreeMap<String, String>| -> Vec<String> {
            known.get(&key).cloned().into_iter().collect()
        };
        // The company has an Item, a vendor and a customer of its own besides.
        let own = [&stage.cast.item, &stage.cast.vendor, &stage.cast.customer];
        if !own.iter().any(|id| items.contains(id)) {
            assert_eq!(items, one(&self.items), "{text:?}");
        }
        assert_eq!(bills, one(&self.bills), "{text:?}");
        assert!(
            vendors.len() <= 1 || key.is_empty(),
            "{text:?} found {vendors:?}"
        );
        assert!(
            vendors.len() == 1 || !self.vendors.contains_key(&key),
            "{text:?}"
        );
        format!("{} {} {}", items.len(), vendors.len(), bills.len())
    }
}

#[test]
fn questions() {
    run::<Company>(&TARGET);
}
