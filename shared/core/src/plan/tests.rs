mod edges;

use std::collections::BTreeMap;

use super::*;
use crate::{
    books::BooksContent,
    ids::{CurrencyId, LineId, PaymentTermId},
    settings::{Chosen, ItemMatch, MissingItem},
    testing::{
        books, content, currency, currency_row, customer, decimal, facts, item, line, noon,
        product, realm, settings, vendor,
    },
};

/// What a plan is made from; each test changes what it is about.
struct Case {
    facts: Facts,
    content: BooksContent,
    settings: Settings,
}

impl Case {
    fn new() -> Self {
        Self {
            facts: facts(),
            content: content(),
            settings: settings(),
        }
    }

    fn plan(&self) -> Result<Plan, Notice> {
        let books = Books::new(self.content.clone());
        plan(&self.facts, &books, &self.settings, &realm(), noon())
    }

    fn made(&self) -> Plan {
        self.plan().unwrap()
    }

    fn refused(&self) -> Code {
        self.plan().unwrap_err().code
    }

    /// Multi-currency on both sides, the vendor in euros.
    fn foreign() -> Self {
        let mut case = Self::new();
        case.content.company.multi_currency = true;
        case.content.vendors[0].currency = Some(currency("EUR"));
        case.facts
            .currencies
            .rows
            .push(currency_row(2, "EUR", false));
        case.vendor_organisation().currency = Some(CurrencyId::new(2));
        case.facts.exchange_rate = Some(decimal("1.08"));
        let mut euros = case.content.accounts[0].clone();
        euros.id = "ap-eur".parse().unwrap();
        euros.currency = Some(currency("EUR"));
        case.content.accounts.push(euros);
        case
    }

    fn vendor_organisation(&mut self) -> &mut Organisation {
        let id = OrganisationId::new(10);
        self.facts.organisations.get_mut(&id).unwrap()
    }
}

#[test]
fn the_plain_order_becomes_this_bill() {
    let plan = Case::new().made();
    assert_eq!(plan.total.to_string(), "799.98 USD");
    assert_eq!((plan.number.as_deref(), plan.currency), (None, None));
    assert_eq!(plan.date.to_string(), "2026-03-15");
    let ensured = Ensured {
        vendor: "v1".parse().unwrap(),
        customer: Some("c1".parse().unwrap()),
        items: vec!["i1".parse().unwrap()],
        payable_account: "ap".parse().unwrap(),
    };
    let draft = plan.draft(&ensured, &realm(), 1, &books());
    let note: Vec<_> = draft.note.lines().collect();
    assert_eq!(
        note[..2],
        ["Autotask PO PO-1001", "Deliver to the back door"]
    );
    assert!(note[2].starts_with("AT-PO:4711 g1 "));
    assert!(
        draft
            .lines
            .iter()
            .all(|line| line.tax_code.is_none() && line.customer.is_some())
    );
    assert!(!draft.amounts_exclude_tax);
}

#[test]
fn an_order_for_own_use_names_no_customer() {
    for own in [None, Some(OrganisationId::new(0))] {
        let mut case = Case::new();
        case.facts.order.purchase_for = own;
        assert_eq!(case.made().customer, None);
    }
}

#[test]
fn what_cannot_be_read_is_refused() {
    let mut case = Case::new();
    case.facts.lines.clear();
    assert_eq!(case.refused(), Code::NoLines);
    let mut case = Case::new();
    case.facts.organisations.remove(&OrganisationId::new(10));
    assert_eq!(case.refused(), Code::VendorUnreadable);
    let mut case = Case::new();
    case.facts.organisations.remove(&OrganisationId::new(20));
    assert_eq!(case.refused(), Code::CustomerUnreadable);
    let mut case = Case::new();
    case.facts.products.clear();
    assert_eq!(case.refused(), Code::ProductUnreadable);
}

fn amounts(lines: &[(&str, &str)]) -> Vec<String> {
    let mut case = Case::new();
    let lines = lines.iter().enumerate();
    case.facts.lines = lines
        .map(|(id, (quantity, cost))| line(i64::try_from(id).unwrap(), quantity, cost))
        .collect();
    let plan = case.made();
    let amounts = plan.lines.iter().map(|line| line.amount.to_string());
    amounts.chain([plan.total.amount().to_string()]).collect()
}

#[test]
fn amounts_are_rounded_half_up_line_by_line() {
    assert_eq!(
        amounts(&[("3", "0.335"), ("1", "0.005")]),
        ["1.01", "0.01", "1.02"]
    );
    assert_eq!(amounts(&[("3", "1.2345")]), ["3.70", "3.70"]);
    assert_eq!(amounts(&[("1", "0")]), ["0.00", "0.00"]);
}

#[test]
fn a_cost_with_too_many_decimals_goes_as_one_piece_at_the_lines_amount() {
    let mut case = Case::new();
    case.facts.lines = vec![line(1, "3", "0.12345678")];
    let plan = case.made();
    let PlannedTarget::Item {
        quantity,
        unit_cost,
        ..
    } = &plan.lines[0].target
    else {
        panic!("the line has a product");
    };
    assert_eq!((*quantity, *unit_cost), (Decimal::ONE, decimal("0.37")));
    let text = plan.lines[0].description.as_deref().unwrap();
    assert!(text.ends_with("(3 x 0.12345678)"), "{text}");
}

#[test]
fn a_missing_cost_is_never_zero() {
    let mut case = Case::new();
    case.facts.lines.push(OrderLine {
        unit_cost: None,
        ..line(2, "1", "1")
    });
    assert_eq!(case.refused(), Code::CostMissing);
    case.facts.lines.remove(0);
    assert_eq!(case.refused(), Code::CostMissing, "others show costs");
    case.facts.costs_readable = false;
    assert_eq!(case.refused(), Code::CostsUnreadable);
    let mut case = Case::new();
    case.facts.lines[0].quantity = None;
    assert_eq!(case.refused(), Code::QuantityMissing);
    case.facts.lines = vec![line(1, "1", "-0.01")];
    assert_eq!(case.refused(), Code::LineNegative);
    case.facts.lines = vec![line(1, "10000000", "10000000")];
    assert_eq!(case.refused(), Code::AmountTooLarge);
}

#[test]
fn freight_is_a_line_with_an_account_and_a_remark_without() {
    let mut case = Case::new();
    case.facts.order.freight = Some(decimal("12.5"));
    let plan = case.made();
    assert_eq!(plan.total.amount(), decimal("799.98"));
    assert!(
        plan.remarks
            .iter()
            .any(|remark| remark.starts_with("Freight of 12.5"))
    );
    case.settings.freight_account = Some(Chosen {
        id: "fr".parse().unwrap(),
        label: "Freight".to_owned(),
    });
    let plan = case.made();
    assert_eq!(
        (plan.total.amount(), plan.lines.len()),
        (decimal("812.48"), 2)
    );
    for trace in ["0.0000000000000284", "-0.0000000000000284", "0"] {
        case.facts.order.freight = Some(decimal(trace));
        let plan = case.made();
        assert_eq!(
            (plan.lines.len(), &plan.remarks[..]),
            (1, &[][..]),
            "{trace}"
        );
    }
    case.facts.order.freight = Some(decimal("-1"));
    assert_eq!(case.refused(), Code::LineNegative);
    case.content.accounts[2].active = false;
    assert_eq!(case.refused(), Code::AccountUnusable);
}

#[test]
fn a_line_without_a_product_uses_its_memo_on_the_creation_account() {
    let mut case = Case::new();
    case.facts.lines[0].product = None;
    case.facts.lines[0].memo = Some("Installation".to_owned());
    let plan = case.made();
    assert!(matches!(
        plan.lines[0].target,
        PlannedTarget::Account { .. }
    ));
    assert_eq!(plan.lines[0].description.as_deref(), Some("Installation"));
    case.settings.missing_item = MissingItem::Refuse;
    assert_eq!(case.refused(), Code::LineWithoutProduct);
}

#[test]
fn a_missing_item_is_created_or_refused_as_set() {
    let mut case = Case::new();
    assert!(matches!(&case.made().items[..], [Resolve::Create { .. }]));
    case.settings.missing_item = MissingItem::Refuse;
    assert_eq!(case.refused(), Code::ItemMissing);
    case.content.items.push(item("i1", "firewall"));
    assert!(matches!(&case.made().items[..], [Resolve::Use { .. }]));
}

#[test]
fn items_are_matched_by_the_field_that_is_set() {
    let mut case = Case::new();
    case.settings.item_match = ItemMatch::ManufacturerPartNumber;
    case.content.items.push(item("i1", "MPN-100"));
    assert!(matches!(&case.made().items[..], [Resolve::Use { .. }]));
    case.settings.item_match = ItemMatch::Sku;
    case.content.items[0].sku = Some("SKU-100".to_owned());
    assert!(matches!(&case.made().items[..], [Resolve::Use { .. }]));
    case.facts
        .products
        .get_mut(&ProductId::new(100))
        .unwrap()
        .sku = None;
    assert_eq!(case.refused(), Code::ItemKeyMissing);
}

#[test]
fn a_vendor_may_have_only_one_name_space() {
    let mut case = Case::new();
    case.content.vendors.clear();
    let plan = case.made();
    assert!(matches!(&plan.vendor, Resolve::Create { new, .. } if new.currency.is_none()));
    case.content.customers.push(customer("c9", "acme supply"));
    assert_eq!(case.refused(), Code::NameTaken);
    // Neither exists and both bear one name.
    case.content.customers.clear();
    case.facts.order.purchase_for = case.facts.order.vendor;
    assert_eq!(case.refused(), Code::NameTaken);
}

#[test]
fn two_autotask_names_that_give_one_name_are_refused() {
    let mut case = Case::new();
    let second = ProductId::new(101);
    case.facts.products = BTreeMap::from([
        (ProductId::new(100), product(100, "Cable: red")),
        (second, product(101, "Cable - red")),
    ]);
    let mut other = line(2, "1", "1");
    other.product = Some(second);
    case.facts.lines.push(other);
    assert_eq!(case.refused(), Code::NameCollision);
    // The same across orders: another order has used the name for another product.
    case.facts.lines.truncate(1);
    let names = case.made().names;
    let cable = names.iter().find(|name| name.role == "item").unwrap();
    assert!(cable.is_altered());
    case.facts.names.claim(std::slice::from_ref(cable)).unwrap();
    assert!(case.plan().is_ok(), "the same product again");
    case.facts.lines[0].product = Some(second);
    assert_eq!(case.refused(), Code::NameCollision);
}

#[test]
fn two_autotask_names_for_one_record_are_refused_whichever_comes_first() {
    let mut case = Case::new();
    case.content.items.push(item("i1", "Cable - red"));
    let products = [product(100, "Cable: red"), product(101, "Cable - red")];
    case.facts.products = products.map(|product| (product.id, product)).into();
    for first in [100, 101] {
        case.facts.names = KnownNames::default();
        case.facts.lines = vec![line(1, "1", "1")];
        case.facts.lines[0].product = Some(ProductId::new(first));
        let names = case.made().names;
        case.facts.names.claim(&names).unwrap();
        assert!(case.plan().is_ok(), "the same product again");
        case.facts.lines[0].product = Some(ProductId::new(201 - first));
        assert_eq!(case.refused(), Code::NameCollision);
    }
    // Both in one order.
    case.facts.names = KnownNames::default();
    case.facts.lines.push(line(2, "1", "1"));
    case.facts.lines[1].product = Some(ProductId::new(101));
    case.facts.lines[0].product = Some(ProductId::new(100));
    assert_eq!(case.refused(), Code::NameCollision);
}

#[test]
fn altered_names_are_shown_and_empty_ones_refused() {
    let mut case = Case::new();
    case.vendor_organisation().name = "Neu: Ost".to_owned();
    let remark = "The name Neu: Ost is sent as Neu - Ost.".to_owned();
    assert!(case.made().remarks.contains(&remark));
    case.vendor_organisation().name = "日本".to_owned();
    assert_eq!(case.refused(), Code::NameEmpty);
}

#[test]
fn a_number_of_autotask_must_fit_and_be_free() {
    let mut case = Case::new();
    case.settings.number_source = NumberSource::Autotask;
    case.facts.order.number = Some("N".repeat(21));
    assert_eq!(case.made().number, Some("N".repeat(21)));
    case.facts.order.number = Some("N".repeat(22));
    assert_eq!(case.refused(), Code::NumberTooLong);
    case.facts.order.number = None;
    assert_eq!(case.made().number.as_deref(), Some("4711"));
    let mut holder = BillSummary {
        id: "9".parse().unwrap(),
        number: Some("4711".to_owned()),
        vendor: None,
        vendor_name: None,
        total: decimal("1"),
        note: None,
    };
    case.facts.number_holders = vec![holder.clone()];
    assert_eq!(case.refused(), Code::NumberInUse);
    let marker = Marker {
        order: case.facts.order.id,
        generation: 1,
    };
    holder.note = Some(marker.text(&realm()));
    case.facts.number_holders = vec![holder.clone()];
    assert_eq!(case.made().existing, Some(holder.clone()));
    case.facts.number_holders.push(holder);
    assert_eq!(case.refused(), Code::NumberInUse, "two bills bear it");
}

#[test]
fn a_bill_that_a_person_typed_is_not_made_again() {
    let mut case = Case::new();
    case.facts.order.number = Some("PO-7".to_owned());
    let made = case.made();
    assert_eq!(made.number, None, "QuickBooks assigns");
    let Resolve::Use { id, .. } = made.vendor else {
        panic!("the vendor is known");
    };
    let typed = BillSummary {
        id: "9".parse().unwrap(),
        number: Some(" po-7".to_owned()),
        vendor: Some(id),
        vendor_name: None,
        total: decimal("1"),
        note: None,
    };
    case.facts.number_holders = vec![typed.clone()];
    assert_eq!(case.refused(), Code::NumberInUse);
    let other_vendor = BillSummary {
        vendor: Some("other".parse().unwrap()),
        ..typed.clone()
    };
    let other_number = BillSummary {
        number: Some("PO-70".to_owned()),
        ..typed.clone()
    };
    let marker = Marker {
        order: OrderId::new(8),
        generation: 1,
    };
    let ours = BillSummary {
        note: Some(marker.text(&realm())),
        ..typed.clone()
    };
    case.facts.number_holders = vec![other_number, ours];
    assert_eq!(case.made().remarks, Vec::<String>::new());
    case.facts.number_holders.push(other_vendor);
    let made = case.made();
    assert_eq!(made.existing, None);
    assert!(made.remarks[0].contains("is it this order?"));
    case.facts.order.number = None;
    case.facts.number_holders = vec![typed];
    assert_eq!(
        case.made().existing,
        None,
        "an order id is no number that people type"
    );
}

#[test]
fn the_bill_bears_the_day_that_is_set_in_the_tenants_zone() {
    let mut case = Case::new();
    case.facts.order.submitted = Some("2026-03-16T03:00:00Z".parse().unwrap());
    assert_eq!(
        case.made().date.to_string(),
        "2026-03-15",
        "evening in New York"
    );
    case.settings.time_zone = Some("Europe/Berlin".to_owned());
    assert_eq!(case.made().date.to_string(), "2026-03-16");
    case.facts.order.submitted = None;
    assert_eq!(
        case.made().date.to_string(),
        "2026-03-15",
        "the create date instead"
    );
    case.settings.bill_date = BillDate::Today;
    assert_eq!(case.made().date.to_string(), "2026-03-16");
    case.content.company.book_close_date = Some("2026-03-16".parse().unwrap());
    assert_eq!(case.refused(), Code::BooksClosed);
}

#[test]
fn terms_are_matched_by_name_or_left_out() {
    let mut case = Case::new();
    case.facts.order.payment_term = Some(PaymentTermId::new(3));
    let label = |label: &str| PickListValue {
        value: 3,
        label: label.to_owned(),
        active: true,
    };
    case.facts.payment_terms = vec![label("net  30")];
    assert_eq!(case.made().term.unwrap().0.as_str(), "t30");
    case.facts.payment_terms = vec![label("Net 45")];
    let plan = case.made();
    assert_eq!(plan.term, None);
    assert!(plan.remarks.iter().any(|remark| remark.contains("Net 45")));
}

#[test]
fn companies_outside_the_us_need_a_tax_code_and_others_get_none() {
    let mut case = Case::new();
    case.content.company.country = "GB".to_owned();
    assert_eq!(case.refused(), Code::TaxCodeMissing);
    let id: TaxCodeId = "20".parse().unwrap();
    case.settings.purchase_tax_code = Some(Chosen {
        id: id.clone(),
        label: "20%".to_owned(),
    });
    assert_eq!(
        case.refused(),
        Code::TaxCodeMissing,
        "it is gone in QuickBooks"
    );
    case.content.tax_codes.push(crate::books::TaxCode {
        id: id.clone(),
        name: "20%".to_owned(),
        active: true,
    });
    let plan = case.made();
    assert_eq!((plan.tax_code, plan.amounts_exclude_tax), (Some(id), true));
    case.content.company.country = "US".to_owned();
    assert_eq!(case.made().tax_code, None);
}

#[test]
fn the_four_currency_cases() {
    assert_eq!(Case::new().made().currency, None, "both off");
    let mut case = Case::new();
    case.content.company.multi_currency = true;
    let home = Some((currency("USD"), Decimal::ONE));
    assert_eq!(case.made().currency, home, "QuickBooks only");
    case.content.vendors[0].currency = Some(currency("EUR"));
    assert_eq!(case.refused(), Code::CurrencyForeignVendor);
    let mut case = Case::foreign();
    let plan = case.made();
    assert_eq!(plan.currency, Some((currency("EUR"), decimal("1.08"))));
    assert_eq!(plan.payable, Payable::Account("ap-eur".parse().unwrap()));
    case.content.vendors[0].currency = Some(currency("USD"));
    assert_eq!(case.refused(), Code::CurrencyMismatch);
    case.content.company.multi_currency = false;
    assert_eq!(case.refused(), Code::QuickBooksCurrencyOff);
}

#[test]
fn a_foreign_bill_needs_rate_currency_and_payable_account() {
    let mut case = Case::foreign();
    case.facts.exchange_rate = None;
    assert_eq!(case.refused(), Code::RateMissing);
    let mut case = Case::foreign();
    case.facts.currencies.rows[0].internal = false;
    assert_eq!(case.refused(), Code::InternalCurrencyMissing);
    let mut case = Case::foreign();
    case.vendor_organisation().currency = Some(CurrencyId::new(99));
    assert_eq!(case.refused(), Code::CurrencyUnknown);
    let mut case = Case::foreign();
    case.content.accounts.pop();
    assert_eq!(case.refused(), Code::PayableAccountMissing);
    case.content.vendors.clear();
    let plan = case.made();
    assert_eq!(plan.payable, Payable::OfCurrency(currency("EUR")));
    assert!(matches!(&plan.vendor, Resolve::Create { new, .. } if new.currency.is_some()));
}

#[test]
fn an_account_that_is_unusable_is_the_tenants_trouble() {
    for unusable in ["inactive", "gone", "other kind"] {
        let mut case = Case::new();
        match unusable {
            "inactive" => case.content.accounts[0].active = false,
            "gone" => drop(case.content.accounts.remove(0)),
            _ => case.content.accounts[0].kind = AccountKind::Expense,
        }
        assert_eq!(case.refused(), Code::AccountUnusable, "{unusable}");
    }
}

#[test]
fn an_override_wins_over_every_name() {
    let mut case = Case::new();
    case.content.vendors.push(vendor("v7", "Other name"));
    let organisation = OrganisationId::new(10);
    let mapped = BTreeMap::from([(organisation, "v7".parse().unwrap())]);
    case.settings.vendor_overrides = mapped;
    assert_eq!(case.made().vendor_name(), "Other name");
    case.content.vendors[1].active = false;
    assert_eq!(case.refused(), Code::OverrideMissing);
}

#[test]
fn planning_twice_gives_the_same_plan() {
    let case = Case::new();
    assert_eq!(case.made(), case.made());
    assert_eq!(LineId::new(1), case.facts.lines[0].id);
}
