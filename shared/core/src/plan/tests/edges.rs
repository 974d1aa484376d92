//! What lies exactly on a limit, and what two names that are nearly one lead to.

use super::*;

fn name_use(from: &str, clean: &str) -> NameUse {
    NameUse {
        role: "item",
        id: 100,
        from: from.to_owned(),
        clean: clean.to_owned(),
    }
}

#[test]
fn a_name_is_altered_by_more_than_spaces_and_capitals() {
    assert!(!name_use(" ACME  supply", "Acme Supply").is_altered());
    assert!(name_use("Acme: Supply", "Acme - Supply").is_altered());
}

#[test]
fn a_name_that_another_may_be_cleaned_to_is_known_by_its_signs_and_its_length() {
    let shared = |name: &str| name_use(name, name).may_be_shared();
    assert!(!shared("Acme Supply"));
    assert!(!shared("Acme-Supply"));
    for sign in ["-", "Acme- East", "Acme -East", "O'Brien", "24\" rack"] {
        assert!(shared(sign), "{sign}");
    }
    assert!(!shared(&"x".repeat(ITEM_NAME_MAX - 1)));
    assert!(shared(&"x".repeat(ITEM_NAME_MAX)));
    assert!(name_use("Acme: East", "Acme East").may_be_shared());
}

#[test]
fn the_number_sought_when_quickbooks_assigns_is_one_that_a_person_could_have_typed() {
    let sought = |number: Option<&str>| {
        let mut case = Case::new();
        case.facts.order.number = number.map(str::to_owned);
        sought_number(&case.facts.order, &case.settings)
    };
    assert_eq!(sought(Some(" PO-7 ")).as_deref(), Some("PO-7"));
    assert_eq!(sought(Some("  ")), None);
    assert_eq!(sought(None), None);
    let longest = "N".repeat(NUMBER_MAX);
    assert_eq!(sought(Some(&longest)), Some(longest.clone()));
    assert_eq!(sought(Some(&format!("{longest}N"))), None);
}

#[test]
fn a_tax_code_must_be_the_chosen_one_and_active() {
    let mut case = Case::new();
    case.content.company.country = "GB".to_owned();
    case.settings.purchase_tax_code = Some(Chosen {
        id: "20".parse().unwrap(),
        label: "20%".to_owned(),
    });
    for (id, active) in [("20", false), ("21", true)] {
        case.content.tax_codes.push(crate::books::TaxCode {
            id: id.parse().unwrap(),
            name: "20%".to_owned(),
            active,
        });
    }
    assert_eq!(case.refused(), Code::TaxCodeMissing);
}

#[test]
fn books_are_closed_up_to_their_close_date_and_open_after_it() {
    let mut case = Case::new();
    let date = case.made().date;
    case.content.company.book_close_date = Some(date);
    assert_eq!(case.refused(), Code::BooksClosed);
    case.content.company.book_close_date = Some(date.yesterday().unwrap());
    assert_eq!(case.made().date, date);
}

#[test]
fn a_rate_of_nothing_is_no_rate() {
    let mut case = Case::foreign();
    case.facts.exchange_rate = Some(Decimal::ZERO);
    assert_eq!(case.refused(), Code::RateMissing);
}

#[test]
fn a_line_is_named_by_its_place_in_the_order() {
    let mut case = Case::new();
    for id in [2, 3] {
        case.facts.lines.push(line(id, "1", "1"));
    }
    case.facts.lines[2].quantity = None;
    let notice = case.plan().unwrap_err();
    assert_eq!(notice.code, Code::QuantityMissing);
    assert_eq!(notice.words["line"], "3");
}

fn created_item(plan: &Plan) -> NewItem {
    match &plan.items[..] {
        [Resolve::Create { new, .. }] => new.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_created_item_bears_the_name_it_is_matched_by_and_the_products_when_that_is_a_sku() {
    for (field, name) in [
        (ItemMatch::Name, "Firewall"),
        (ItemMatch::ManufacturerPartNumber, "MPN-100"),
        (ItemMatch::Sku, "Firewall"),
    ] {
        let mut case = Case::new();
        case.settings.item_match = field;
        let new = created_item(&case.made());
        assert_eq!(new.name, name, "{field:?}");
        assert_eq!(new.sku.as_deref(), Some("SKU-100"));
        let description = new.purchase_description;
        assert_eq!(description.as_deref(), Some("Firewall, boxed"));
    }
}

#[test]
fn a_product_without_sku_and_description_gives_an_item_without_them() {
    let mut case = Case::new();
    let product = case.facts.products.get_mut(&ProductId::new(100)).unwrap();
    (product.sku, product.description) = (Some("  ".to_owned()), None);
    let new = created_item(&case.made());
    assert_eq!((new.sku, new.purchase_description), (None, None));
}

#[test]
fn two_products_of_one_name_become_one_item() {
    let mut case = Case::new();
    let twin = ProductId::new(101);
    case.facts.products.insert(twin, product(101, "Firewall"));
    case.facts.lines.push(line(2, "1", "5"));
    case.facts.lines[1].product = Some(twin);
    assert_eq!(created_item(&case.made()).name, "Firewall");
}

#[test]
fn a_vendor_and_a_customer_to_be_created_under_one_name_are_told_apart_by_their_own_names() {
    let mut case = Case::new();
    case.content.vendors.clear();
    let rename = |case: &mut Case, id, name: &str| {
        let id = OrganisationId::new(id);
        name.clone_into(&mut case.facts.organisations.get_mut(&id).unwrap().name);
    };
    rename(&mut case, 20, "Acme Supply");
    assert_eq!(case.refused(), Code::NameTaken, "two of the same name");
    rename(&mut case, 10, "Neu: Ost");
    rename(&mut case, 20, "Neu - Ost");
    assert_eq!(case.refused(), Code::NameCollision, "one after cleaning");
    rename(&mut case, 20, "Neu - West");
    assert!(case.plan().is_ok());
}
