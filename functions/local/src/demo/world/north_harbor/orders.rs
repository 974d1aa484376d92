//! North Harbor's orders that show when an order is eligible and what its bill holds.

use purser_core::{eligibility::Ineligible, notice::Code};
use purser_simulators::autotask::{LineSeed, OrderStatus};

use crate::demo::world::case::{Age, Case, billed, ineligible, refused, unseen};

use super::{
    ACCESS_POINT, CABLE, COBALT, DAYS_BACK, FIREWALL, HOTEL, LAKESIDE, MOUSE_MAT, NORTHGATE, SCREW,
    SWITCH,
};

/// Autotask's terms that every database has.
const NET_30_DAYS: i64 = 1;
const DUE_ON_RECEIPT: i64 = 2;
/// A day that is before the window wherever midnight is.
const LONG_AGO: Age = Age::Days(DAYS_BACK + 15);
/// The longest memo Autotask takes, in characters.
const MEMO_MAX: usize = 4000;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = truth_table();
    cases.extend(window());
    cases.extend(external_number());
    cases.extend(headers());
    cases.extend(lines());
    cases.extend(costs());
    cases
}

/// Fills in what does not matter to the case.
fn usual(case: Case) -> Case {
    case.from(COBALT)
        .buyer(LAKESIDE)
        .line(SWITCH, 1, "189.00")
        .line(CABLE, 24, "2.15")
}

/// Status, window and External PO Number in all eight combinations.
fn truth_table() -> Vec<Case> {
    let number = || Ineligible::HasNumber {
        number: String::new(),
    };
    vec![
        billed(
            4711,
            "submitted, in the window, blank: a bill with everything an order can say",
            &[
                18, 19, 20, 21, 31, 32, 33, 34, 36, 38, 40, 41, 42, 43, 44, 45,
            ],
        )
        .from(COBALT)
        .buyer(LAKESIDE)
        .line(SWITCH, 2, "189.00")
        .line(CABLE, 48, "2.15")
        .add(LineSeed::of(ACCESS_POINT, 3, "129.50").memo("Roof, east and west side"))
        .freight("24.90")
        .term(DUE_ON_RECEIPT)
        .memo("Network for the new treatment rooms"),
        usual(ineligible(
            4712,
            &number(),
            "submitted, in the window, numbered",
            &[21, 30],
        ))
        .external("1042"),
        usual(unseen(4713, "submitted, too old, blank", &[19, 21])).created(LONG_AGO),
        usual(unseen(4714, "submitted, too old, numbered", &[21]))
            .created(LONG_AGO)
            .external("1038"),
        usual(unseen(4715, "new, in the window, blank", &[18, 21])).status(OrderStatus::New),
        usual(unseen(4716, "received, in the window, numbered", &[18, 21]))
            .status(OrderStatus::ReceivedFull)
            .external("1040"),
        usual(unseen(4717, "canceled, too old, blank", &[18, 21]))
            .status(OrderStatus::Canceled)
            .created(LONG_AGO),
        usual(unseen(
            4718,
            "partly received, too old, numbered",
            &[18, 21],
        ))
        .status(OrderStatus::ReceivedPartial)
        .created(LONG_AGO)
        .external("1031"),
        usual(unseen(4719, "canceled, in the window, blank", &[18])).status(OrderStatus::Canceled),
    ]
}

fn window() -> Vec<Case> {
    vec![
        usual(billed(
            4721,
            "created on the first day of the window",
            &[19],
        ))
        .created(Age::MiddayOf(DAYS_BACK)),
        usual(unseen(4722, "created the day before the window", &[19]))
            .created(Age::MiddayOf(DAYS_BACK + 1)),
        usual(billed(
            4723,
            "created long before it was submitted",
            &[19, 43],
        ))
        .created(Age::Days(DAYS_BACK - 5))
        .submitted(Age::Days(1)),
    ]
}

fn external_number() -> Vec<Case> {
    let by_hand = Ineligible::HasNumber {
        number: String::new(),
    };
    let error = Ineligible::MarkedError;
    vec![
        usual(billed(4731, "External PO Number is empty", &[20])).external(""),
        usual(billed(4732, "External PO Number is spaces", &[20])).external("   "),
        usual(ineligible(
            4733,
            &error,
            "External PO Number says ERROR",
            &[29],
        ))
        .external("ERROR"),
        usual(ineligible(
            4734,
            &error,
            "External PO Number says error",
            &[29],
        ))
        .external("error"),
        usual(ineligible(
            4735,
            &by_hand,
            "a person's own number",
            &[20, 30, 32],
        ))
        .external("Cobalt web order 88-1203"),
    ]
}

fn headers() -> Vec<Case> {
    let memo = "Deliver to the rear entrance; ask for the night manager. ";
    let memo: String = memo.chars().cycle().take(MEMO_MAX).collect();
    vec![
        usual(billed(4741, "freight is a line of its own", &[43])).freight("18.755"),
        usual(billed(
            4742,
            "a memo that must be cut to leave room for the marker",
            &[43],
        ))
        .memo(&memo),
        usual(billed(4743, "terms that QuickBooks has", &[43])).term(DUE_ON_RECEIPT),
        usual(billed(
            4744,
            "terms that QuickBooks lacks are left out",
            &[43],
        ))
        .term(NET_30_DAYS),
        usual(billed(
            4745,
            "bought for the company's own use: organisation 0",
            &[45],
        ))
        .buyer(0),
        billed(
            4746,
            "bought for the company's own use: nobody named",
            &[45],
        )
        .from(COBALT)
        .line(SWITCH, 1, "189.00"),
    ]
}

fn lines() -> Vec<Case> {
    let outlets = (1..=300).fold(
        billed(4751, "300 lines", &[28, 41])
            .from(NORTHGATE)
            .buyer(HOTEL),
        |case, room| {
            let product = [CABLE, SCREW, SWITCH][room % 3];
            let line = LineSeed::of(product, 2, "3.1250");
            case.add(line.memo(&format!("Room {room}")))
        },
    );
    let charge = LineSeed {
        quantity: 1,
        unit_cost: Some("35.00".to_owned()),
        memo: Some("Small order charge".to_owned()),
        ..LineSeed::default()
    };
    vec![
        outlets,
        refused(4752, Code::NoLines, "no lines", &[39, 41])
            .from(COBALT)
            .buyer(LAKESIDE),
        usual(billed(4753, "a line without a product", &[41, 50])).add(charge),
        usual(billed(4754, "one product on several lines", &[41]))
            .line(CABLE, 12, "2.10")
            .line(CABLE, 6, "1.95"),
    ]
}

fn costs() -> Vec<Case> {
    let without_cost = |product| LineSeed {
        product: Some(product),
        ..LineSeed::default()
    };
    vec![
        usual(billed(4761, "four decimals that end in half a cent", &[41]))
            .line(SCREW, 3, "0.3350")
            .line(SCREW, 7, "12.3450"),
        usual(billed(4762, "a cost of zero", &[41])).line(MOUSE_MAT, 5, "0"),
        usual(refused(
            4763,
            Code::CostMissing,
            "one cost is missing",
            &[39],
        ))
        .add(without_cost(FIREWALL)),
        refused(4764, Code::CostMissing, "every cost is missing", &[39])
            .from(COBALT)
            .buyer(LAKESIDE)
            .add(without_cost(SWITCH))
            .add(without_cost(CABLE)),
        usual(refused(
            4765,
            Code::LineNegative,
            "a credit on a line",
            &[39],
        ))
        .line(SWITCH, 1, "-15.00"),
    ]
}
