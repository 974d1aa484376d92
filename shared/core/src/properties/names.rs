//! Names as they are sent and as they are matched: what is sent is accepted and found again, and
//! no record ever stands for two names of Autotask.

use std::{collections::BTreeMap, sync::LazyLock};

use proptest::{prelude::*, sample::select};
use purser_cases::{config, long_text, text};

use crate::{
    books::{Books, TaxCode},
    ids::OrganisationId,
    matching::How,
    notice::Code,
    orders::Product,
    plan::{NameUse, Plan, Resolve, plan},
    settings::Chosen,
    tenant::KnownNames,
    testing::{content, customer, facts, item, noon, product, realm, settings, vendor},
    text::{
        Alphabet, COMPANY_NAME_MAX, DISPLAY_NAME_MAX, ITEM_NAME_MAX, clean_name, clean_text,
        match_key,
    },
};

fn alphabet() -> impl Strategy<Value = Alphabet> {
    prop_oneof![Just(Alphabet::Latin1), Just(Alphabet::Unicode)]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![12 => text(30), 1 => long_text(700)]
}

/// Names that are apart by little more than what cleaning takes away.
fn similar_name() -> impl Strategy<Value = String> {
    let between = select(vec![
        ":",
        ": ",
        " - ",
        "-",
        "\t",
        "\u{b}",
        " ",
        "  ",
        "\u{ff1a}",
        " \u{2013} ",
        "'",
        "\u{2019}",
        "",
    ]);
    (
        select(vec!["Acme", "acme", "Łódź"]),
        between,
        select(vec!["East", "", "EAST"]),
    )
        .prop_map(|(head, between, tail)| format!("{head}{between}{tail}"))
}

/// A company in the US or in the UK that knows nobody.
fn empty(country: &str) -> Books {
    static US: LazyLock<Books> = LazyLock::new(|| nobody("US"));
    static GB: LazyLock<Books> = LazyLock::new(|| nobody("GB"));
    if country == "US" {
        US.clone()
    } else {
        GB.clone()
    }
}

fn nobody(country: &str) -> Books {
    let mut content = content();
    content.vendors.clear();
    content.company.country = country.to_owned();
    content.tax_codes = vec![TaxCode {
        id: "tx".parse().unwrap(),
        name: "No VAT".to_owned(),
        active: true,
    }];
    Books::new(content)
}

/// Plans an order from one organisation for another one with one product, by their names.
fn planned(
    books: &Books,
    [seller, buyer, bought]: [(i64, &str); 3],
    known: &KnownNames,
) -> Result<Plan, Code> {
    let mut facts = facts();
    let organisation = |(id, name): (i64, &str)| {
        let id = OrganisationId::new(id);
        (id, crate::testing::organisation(id.get(), name))
    };
    facts.order.vendor = Some(OrganisationId::new(seller.0));
    facts.order.purchase_for = Some(OrganisationId::new(buyer.0));
    facts.organisations = [seller, buyer].map(organisation).into();
    let product = Product {
        sku: None,
        description: None,
        ..product(bought.0, bought.1)
    };
    facts.lines[0].product = Some(product.id);
    facts.products = BTreeMap::from([(product.id, product)]);
    facts.names = known.clone();
    let mut settings = settings();
    if !books.company().is_us() {
        settings.purchase_tax_code = Some(Chosen {
            id: "tx".parse().unwrap(),
            label: String::new(),
        });
    }
    plan(&facts, books, &settings, &realm(), noon()).map_err(|notice| notice.code)
}

/// QuickBooks as it creates what a plan wants: it gives an id and may store capitals as it likes.
fn create(books: &mut Books, plan: &Plan, shout: bool) {
    let stored = |name: &str| match shout {
        true => name.to_ascii_uppercase(),
        false => name.to_owned(),
    };
    let id = format!("n{}", books.vendors().len() + books.items().len());
    if let Resolve::Create { new, .. } = &plan.vendor {
        books.learn_vendor(vendor(&id, &stored(&new.display_name)));
    }
    if let Some(Resolve::Create { new, .. }) = &plan.customer {
        books.learn_customer(customer(&id, &stored(&new.display_name)));
    }
    for wanted in &plan.items {
        if let Resolve::Create { new, .. } = wanted {
            books.learn_item(item(&id, &stored(&new.name)));
        }
    }
}

fn how_of<Id, New>(record: &Resolve<Id, New>) -> Option<How> {
    match record {
        Resolve::Use { how, .. } => Some(*how),
        Resolve::Create { .. } => None,
    }
}

fn is_sendable(name: &str, limit: usize, alphabet: Alphabet) -> bool {
    let is_allowed = |c: char| {
        c != ':' && !c.is_control() && (alphabet == Alphabet::Unicode || u32::from(c) < 0x100)
    };
    let is_spaced = name
        .split(' ')
        .all(|word| !word.contains(char::is_whitespace));
    name.chars().count() <= limit
        && name.chars().all(is_allowed)
        && name.trim() == name
        && is_spaced
        && !name.contains("  ")
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_name_is_sent_within_the_limit_and_the_letters_of_the_company(
        name in name(),
        limit in select(vec![1, 20, ITEM_NAME_MAX, COMPANY_NAME_MAX, DISPLAY_NAME_MAX]),
        alphabet in alphabet(),
    ) {
        let clean = clean_name(&name, limit, alphabet);
        prop_assert!(is_sendable(&clean, limit, alphabet), "{clean:?}");
        // What needs no change is not changed.
        if is_sendable(&name, limit, alphabet) {
            prop_assert_eq!(match_key(&clean), match_key(&name));
        }
    }

    #[test]
    fn cleaning_a_clean_name_changes_nothing(
        name in name(),
        limit in select(vec![1, 20, ITEM_NAME_MAX, DISPLAY_NAME_MAX]),
        alphabet in alphabet(),
    ) {
        let once = clean_name(&name, limit, alphabet);
        prop_assert_eq!(clean_name(&once, limit, alphabet), once);
    }

    #[test]
    fn a_text_keeps_its_lines_and_loses_what_the_company_does_not_take(
        text in name(),
        limit in 0..200_usize,
        alphabet in alphabet(),
    ) {
        let clean = clean_text(&text, limit, alphabet);
        prop_assert!(clean.chars().count() <= limit);
        let is_allowed = |c: char| {
            (!c.is_control() || "\n\t".contains(c))
                && (alphabet == Alphabet::Unicode || u32::from(c) < 0x100)
        };
        prop_assert!(clean.chars().all(is_allowed), "{clean:?}");
    }

    #[test]
    fn names_that_differ_by_spaces_and_capitals_are_one(
        words in proptest::collection::vec("[a-zA-Z0-9'&.äéß日-]{1,8}", 1..5),
        spaces in proptest::collection::vec(select(vec![" ", "  ", "\t", "\u{a0}", "\u{3000}"]), 6),
    ) {
        let plain = words.join(" ");
        let mut other = spaces[5].to_owned();
        for (word, space) in words.iter().zip(&spaces) {
            other.push_str(&word.to_ascii_uppercase());
            other.push_str(space);
        }
        prop_assert_eq!(match_key(&plain), match_key(&other));
        // And only those.
        prop_assert_ne!(match_key(&plain), match_key(&format!("{plain} x")));
    }

    #[test]
    fn a_key_is_its_own_key(name in name()) {
        let key = match_key(&name);
        prop_assert_eq!(match_key(&key), key);
    }

    #[test]
    fn what_was_created_under_an_altered_name_is_found_again(
        names in [text(10), text(10), text(10)],
        country in select(vec!["US", "GB"]),
        shout: bool,
    ) {
        let mut books = empty(country);
        let named = [(11, names[0].as_str()), (21, names[1].as_str()), (31, names[2].as_str())];
        let first = match planned(&books, named, &KnownNames::default()) {
            Ok(plan) => plan,
            Err(code) => {
                // One without letters and digits, or one name for two.
                let expected = [Code::NameEmpty, Code::ItemKeyMissing, Code::NameTaken,
                    Code::NameCollision];
                prop_assert!(expected.contains(&code), "{code:?}");
                return Ok(());
            }
        };
        create(&mut books, &first, shout);
        let mut known = KnownNames::default();
        prop_assert!(known.claim(&first.names).is_ok());
        let again = planned(&books, named, &known).unwrap();
        let found = (how_of(&again.vendor), again.customer.as_ref().map(how_of));
        prop_assert_eq!(found, (Some(How::Name), Some(Some(How::Name))));
        let items: Vec<_> = again.items.iter().map(how_of).collect();
        prop_assert_eq!(items, [Some(How::Name)]);
    }

    #[test]
    fn no_record_ever_stands_for_two_names_of_autotask(
        orders in proptest::collection::vec((0..4_i64, similar_name()), 2..5),
        before in proptest::option::of(similar_name()),
        country in select(vec!["US", "GB"]),
    ) {
        let mut books = empty(country);
        if let Some(name) = before {
            let name = clean_name(&name, ITEM_NAME_MAX, Alphabet::Latin1);
            books.learn_item(item("i0", &name));
        }
        let mut known = KnownNames::default();
        let mut stands_for: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
        for (id, name) in orders {
            let named = [(11, "Seller"), (21, "Buyer"), (id, name.as_str())];
            let Ok(plan) = planned(&books, named, &known) else {
                continue;
            };
            prop_assert!(known.claim(&plan.names).is_ok(), "a plan is one that can be kept");
            create(&mut books, &plan, false);
            let record = match &plan.items[0] {
                Resolve::Use { name, .. } => name,
                Resolve::Create { new, .. } => &new.name,
            };
            let record = match_key(record);
            // A record may be renamed, and two records of one name share one here, too.
            let now = (id, match_key(&name));
            let uses = stands_for.entry(record.clone()).or_default();
            let is_same = uses.iter().any(|(id, name)| *id == now.0 || *name == now.1);
            prop_assert!(is_same || uses.is_empty(), "{uses:?} and {now:?} share {record}");
            uses.push(now);
        }
    }

    #[test]
    fn names_are_claimed_all_or_none(
        claims in proptest::collection::vec(
            proptest::collection::btree_map(0..3_i64, similar_name(), 1..4),
            1..4,
        ),
    ) {
        let mut known = KnownNames::default();
        for claim in claims {
            let names: Vec<_> = claim
                .into_iter()
                .map(|(id, from)| NameUse {
                    role: "vendor",
                    id,
                    clean: clean_name(&from, ITEM_NAME_MAX, Alphabet::Latin1),
                    from,
                })
                .collect();
            let before = known.clone();
            if known.claim(&names).is_err() {
                prop_assert_eq!(&known, &before);
            } else {
                prop_assert!(known.collision_of(&names).is_none());
            }
            let text = serde_json::to_string(&known).unwrap();
            prop_assert_eq!(serde_json::from_str::<KnownNames>(&text).unwrap(), known.clone());
        }
    }
}
