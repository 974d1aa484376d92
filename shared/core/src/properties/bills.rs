//! Planned bills: every cent of the order and no other one.

use std::sync::LazyLock;

use proptest::{prelude::*, sample::select};
use purser_cases::{config, text};
use rust_decimal::Decimal;

use super::{
    money::{quantity, unit_cost},
    paper,
};
use crate::{
    books::{BillDraft, Books},
    ids::{CustomerId, ItemId, LineId, ProductId},
    notice::Code,
    orders::{OrderLine, Product},
    plan::{Ensured, Facts, Plan, PlannedTarget, plan},
    settings::{Chosen, Settings},
    testing::{ORDER, books, facts, noon, product, realm, settings},
};

/// The most decimals of a unit cost in QuickBooks.
const COST_DECIMALS_MAX: u32 = 7;

/// Quantity, cost, and which of three products it is of; with the fourth it is of none.
type Line = (Decimal, Decimal, i64);

fn lines() -> impl Strategy<Value = Vec<Line>> {
    proptest::collection::vec((quantity(), unit_cost(), 0..4_i64), 1..7)
}

/// Facts with short texts, because most of the time of a plan goes into comparing texts.
fn short_facts() -> Facts {
    let mut facts = facts();
    let product = |id, name: &str| Product {
        description: None,
        sku: None,
        ..product(id, name)
    };
    facts.products = [(100, "A"), (101, "B"), (102, "C")]
        .map(|(id, name)| (ProductId::new(id), product(id, name)))
        .into();
    for organisation in facts.organisations.values_mut() {
        organisation.name.truncate(1);
    }
    facts.order.memo = None;
    facts.order.number = None;
    facts
}

fn facts_of(lines: &[Line], freight: Option<Decimal>) -> Facts {
    let mut facts = short_facts();
    let numbered = lines.iter().zip(1..);
    let lines = numbered.map(|((quantity, unit_cost, product), id)| OrderLine {
        id: LineId::new(id),
        order: ORDER,
        product: (*product < 3).then(|| ProductId::new(100 + product)),
        quantity: Some(*quantity),
        unit_cost: Some(*unit_cost),
        memo: None,
    });
    facts.lines = lines.collect();
    facts.order.freight = freight;
    facts
}

fn with_freight_account() -> Settings {
    Settings {
        freight_account: Some(Chosen {
            id: "fr".parse().unwrap(),
            label: "Freight".to_owned(),
        }),
        ..settings()
    }
}

/// Indexed once: that takes longer than a plan.
static BOOKS: LazyLock<Books> = LazyLock::new(books);

fn planned(facts: &Facts) -> Result<Plan, Code> {
    let settings = with_freight_account();
    plan(facts, &BOOKS, &settings, &realm(), noon()).map_err(|notice| notice.code)
}

fn draft(plan: &Plan) -> BillDraft {
    let items: Vec<ItemId> = (0..plan.items.len())
        .map(|place| format!("i{place}").parse().unwrap())
        .collect();
    let ensured = Ensured {
        vendor: "v1".parse().unwrap(),
        customer: Some("c1".parse::<CustomerId>().unwrap()),
        items,
        payable_account: "ap".parse().unwrap(),
    };
    plan.draft(&ensured, &realm(), 1, &BOOKS)
}

fn written(amount: Decimal) -> String {
    assert_eq!(amount.scale(), 2, "{amount}");
    amount.to_string()
}

/// QuickBooks multiplies quantity and unit cost, and refuses a bill where it finds another amount.
fn check_costs(plan: &Plan, lines: &[Line]) -> Result<(), TestCaseError> {
    for (line, (had, cost, _)) in plan.lines.iter().zip(lines) {
        let PlannedTarget::Item {
            quantity,
            unit_cost,
            ..
        } = &line.target
        else {
            continue;
        };
        let product = paper::product(*quantity, *unit_cost);
        prop_assert_eq!(product.text(), written(line.amount));
        prop_assert!(unit_cost.scale() <= COST_DECIMALS_MAX, "{unit_cost}");
        if cost.normalize().scale() <= COST_DECIMALS_MAX {
            prop_assert_eq!((quantity, unit_cost), (had, cost));
        } else {
            let told = line.description.as_deref().unwrap_or_default();
            let wanted = format!("({} x {})", had.normalize(), cost.normalize());
            prop_assert!(told.ends_with(&wanted), "{told}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_total_is_the_sum_of_the_lines_to_the_cent(
        lines in lines(),
        freight in proptest::option::of(unit_cost()),
    ) {
        let mut wanted: Vec<_> = lines.iter().map(|(q, c, _)| paper::product(*q, *c)).collect();
        let is_charged = |freight: &paper::Cents| freight.digits != "0";
        wanted.extend(freight.map(paper::rounded).filter(is_charged));
        let sum: i128 = wanted.iter().map(|cents| cents.number().unwrap()).sum();
        match planned(&facts_of(&lines, freight)) {
            Ok(plan) => {
                let amounts: Vec<_> = plan.lines.iter().map(|l| written(l.amount)).collect();
                let wanted: Vec<_> = wanted.iter().map(paper::Cents::text).collect();
                prop_assert_eq!(amounts, wanted);
                prop_assert_eq!(plan.total.amount().mantissa(), sum);
                check_costs(&plan, &lines)?;
                let sent = draft(&plan);
                prop_assert_eq!(sent.total, plan.total);
                let sent: i128 = sent.lines.iter().map(|line| line.amount.mantissa()).sum();
                prop_assert_eq!(sent, sum);
            }
            Err(code) => {
                prop_assert_eq!(code, Code::AmountTooLarge);
                prop_assert!(sum > 999_999_999_999_900, "{sum}");
            }
        }
    }

    #[test]
    fn what_a_bill_cannot_hold_is_refused_and_never_taken_for_nothing(
        lines in lines(),
        place: prop::sample::Index,
        defect in select(vec![
            Code::LineNegative,
            Code::CostMissing,
            Code::QuantityMissing,
            Code::ProductUnreadable,
        ]),
        is_freight: bool,
    ) {
        let mut facts = facts_of(&lines, None);
        let line = place.get_mut(&mut facts.lines);
        match defect {
            Code::LineNegative if is_freight => facts.order.freight = Some(Decimal::new(-1, 2)),
            Code::LineNegative => {
                line.quantity = Some(Decimal::ONE);
                line.unit_cost = Some(Decimal::new(-1, 2));
            }
            Code::CostMissing => line.unit_cost = None,
            Code::QuantityMissing => line.quantity = None,
            _ => line.product = Some(ProductId::new(999)),
        }
        let refused = planned(&facts).unwrap_err();
        prop_assert!(refused == defect || refused == Code::AmountTooLarge, "{refused:?}");
    }

    #[test]
    fn texts_of_an_order_change_no_amount_and_fit_into_the_bill(
        memo in text(20),
        number in text(20),
        description in text(20),
    ) {
        let mut facts = facts_of(&[(Decimal::TWO, Decimal::new(39_999, 2), 0)], None);
        facts.order.memo = Some(memo);
        facts.order.number = Some(number);
        facts.lines[0].memo = Some(description);
        let plan = planned(&facts).unwrap();
        let sent = draft(&plan);
        prop_assert_eq!(written(sent.total.amount()), "799.98");
        let told = sent.lines[0].description.as_deref().unwrap_or_default();
        for text in [sent.note.as_str(), told] {
            prop_assert!(text.chars().count() <= 4_000);
            // A US company takes these letters only.
            let is_known = |c: char| u32::from(c) < 0x100 && (!c.is_control() || "\n\t".contains(c));
            prop_assert!(text.chars().all(is_known), "{text:?}");
        }
    }
}
