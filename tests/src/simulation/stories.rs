//! People who wait until an order is at a certain point and then act: what chance hits too seldom, told
//! on purpose, so that no legal transition of an order is left untried.

use std::{collections::BTreeMap, time::Duration};

use purser_core::record::StateName;
use purser_simulators::FaultKind;

use super::{
    nature::Nature,
    plan::{Hand, Plan, Shape, WireTrouble},
};
use crate::stage::{Stage, StageStore};

/// How often people look at an order.
const LOOKS: Duration = Duration::from_secs(7);

/// What is done as soon as the order is in this state, and has come to rest in it, if it can.
type Step = (StateName, Vec<Hand>);

/// One story of one order.
#[derive(Clone, Debug)]
pub struct Story {
    /// What it is about.
    pub(super) name: &'static str,
    /// What happens to the first create of the bill.
    create: Option<FaultKind>,
    /// What the order needs.
    shape: Shape,
    /// What people do.
    steps: Vec<Step>,
    /// How long the first write of External PO Number is under way, of which nobody hears.
    late: Option<Duration>,
    /// Where the order must end: in one of these.
    pub(super) ends: &'static [StateName],
}

impl Story {
    /// Every story.
    pub fn all() -> Vec<Self> {
        let mut all = Self::of_doubt();
        all.extend(Self::of_linked_orders());
        all.extend(Self::of_strays());
        all
    }

    /// What an order that rests comes to when a bill of ours turns up that nobody expects any more.
    fn of_strays() -> Vec<Self> {
        use Hand::{
            CancelOrder, ClearNumber, DeleteBill, DeleteCopy, EnterBill, EnterMarked, Retry,
            TypeNumber,
        };
        let needs = |hand| (StateName::NeedsPerson, vec![hand, Retry]);
        vec![
            Self {
                name: "a bill is deleted, and another one of ours turns up and is kept",
                create: None,
                shape: Shape::Known,
                steps: vec![
                    (StateName::Linked, vec![DeleteBill, Retry]),
                    (StateName::Orphaned, vec![EnterMarked]),
                    needs(ClearNumber),
                ],
                late: None,
                ends: &[StateName::Linked],
            },
            Self {
                name: "a bill of ours turns up for a refused order and is deleted",
                create: None,
                shape: Shape::Refused,
                steps: vec![(StateName::Refused, vec![EnterMarked]), needs(DeleteCopy)],
                late: None,
                ends: &[StateName::Refused],
            },
            Self {
                name: "a bill of ours turns up for a refused order that is called off, and is deleted",
                create: None,
                shape: Shape::Refused,
                steps: vec![
                    (StateName::Refused, vec![EnterMarked, CancelOrder]),
                    needs(DeleteCopy),
                ],
                late: None,
                ends: &[StateName::Skipped],
            },
            Self {
                name: "a bill of ours turns up for an order with a number of a person and is kept",
                create: Some(FaultKind::DropBefore),
                shape: Shape::Known,
                steps: vec![
                    (StateName::Planned, vec![EnterBill]),
                    needs(TypeNumber),
                    (StateName::Skipped, vec![EnterMarked]),
                    needs(ClearNumber),
                ],
                late: None,
                ends: &[StateName::Linked],
            },
        ]
    }

    fn of_doubt() -> Vec<Self> {
        let lost = Some(FaultKind::DropBefore);
        let entered = (StateName::Planned, vec![Hand::EnterBill]);
        let then = |hand| (StateName::NeedsPerson, vec![hand, Hand::Retry]);
        let refused = FaultKind::Status {
            status: 400,
            body: Some(REFUSAL.to_owned()),
        };
        vec![
            Self {
                name: "QuickBooks finds fault with the bill for once",
                create: Some(refused),
                shape: Shape::Known,
                steps: Vec::new(),
                late: None,
                ends: &[StateName::Linked],
            },
            Self {
                name: "somebody enters the bill while it is in doubt, and deletes their own",
                create: lost.clone(),
                shape: Shape::Known,
                steps: vec![entered.clone(), then(Hand::DeleteEntered)],
                late: None,
                ends: &[StateName::Linked],
            },
            Self {
                name: "somebody enters the bill while it is in doubt, and types its number",
                create: lost,
                shape: Shape::Known,
                steps: vec![entered, then(Hand::TypeNumber)],
                late: None,
                ends: &[StateName::Skipped],
            },
        ]
    }

    fn of_linked_orders() -> Vec<Self> {
        use Hand::{
            ClearNumber, CopyBill, DeleteBill, DeleteCopy, ReceiveGoods, ReplaceBill,
            ReplaceBillByAnother, Retry,
        };
        let tell = |name, hands: &[Hand], then: &[Step]| Self {
            name,
            create: None,
            shape: Shape::Known,
            steps: std::iter::once((StateName::Linked, hands.to_vec()))
                .chain(then.iter().cloned())
                .collect(),
            late: None,
            ends: &[StateName::Linked],
        };
        let needs = |hand| (StateName::NeedsPerson, vec![hand, Retry]);
        let cleared = (StateName::Orphaned, vec![ClearNumber]);
        let neither = vec![DeleteBill, DeleteCopy, Retry];
        vec![
            tell(
                "a bill is deleted, that is noticed, and its number is cleared",
                &[DeleteBill, Retry],
                std::slice::from_ref(&cleared),
            ),
            tell(
                "a bill is copied, that is noticed, and the copy deleted",
                &[CopyBill],
                &[needs(DeleteCopy)],
            ),
            tell(
                "a bill is copied, that is noticed, and neither is left",
                &[CopyBill],
                &[(StateName::NeedsPerson, neither), cleared],
            ),
            tell(
                "somebody puts a copy in place of the bill and clears the number",
                &[ReplaceBill, ClearNumber],
                &[],
            ),
            tell(
                "somebody puts another bill in place of the bill and clears the number",
                &[ReplaceBillByAnother, ClearNumber],
                &[needs(DeleteBill)],
            ),
            tell(
                "a bill is copied, the goods arrive, and the copy is deleted",
                &[CopyBill, ReceiveGoods],
                &[needs(DeleteCopy)],
            ),
        ]
    }

    /// A number that lands at any time after its bill was deleted, or before, and ERROR that does after
    /// its cause was mended, or before.
    pub(super) fn of_late_writes(late: Duration) -> [Self; 2] {
        let late = Some(late);
        [
            Self {
                name: "a bill is deleted while its number is under way",
                create: None,
                shape: Shape::Known,
                steps: vec![(StateName::Created, vec![Hand::DeleteBill, Hand::Retry])],
                late,
                ends: &[StateName::Linked, StateName::Orphaned],
            },
            Self {
                name: "the Item that a product lacks is entered while ERROR is under way",
                create: None,
                shape: Shape::Refused,
                steps: vec![(StateName::Refused, vec![Hand::EnterItem, Hand::Retry])],
                late,
                ends: &[StateName::Linked],
            },
        ]
    }

    /// The history in which nothing but this story happens.
    pub fn plan(&self, seed: u64) -> Plan {
        let create = self.create.clone().map(WireTrouble::Fault);
        let late = self.late.map(|late| FaultKind::LateCommit {
            ms: u64::try_from(late.as_millis()).unwrap_or(u64::MAX),
        });
        let late = late.map(WireTrouble::Fault);
        Plan {
            companies: 1,
            hourly: 10_000,
            is_newer: false,
            orders: vec![self.shape],
            // Nobody can know of a bill that a person has just entered and no query shows.
            query_lag: Duration::ZERO,
            // A second bill has a number of its own where that is what matters.
            numbers_of_orders: self.late.is_none(),
            disturbances: BTreeMap::new(),
            creates: create.into_iter().map(|trouble| (0, trouble)).collect(),
            numbers: late.into_iter().map(|trouble| (0, trouble)).collect(),
            hands: BTreeMap::new(),
            clocks: Vec::new(),
            story: Some(self.clone()),
            ..Plan::by_chance(seed)
        }
    }
}

/// As QuickBooks words a refusal of which nobody knows what it means.
const REFUSAL: &str = r#"{"Fault":{"Error":[{"Message":"Request has invalid or unsupported property",
"Detail":"Property Name:Can not instantiate","code":"2010"}],"type":"ValidationFault"},
"time":"2026-01-15T09:00:00.000-08:00"}"#;

/// Tells the story of a history to its end.
pub(super) async fn tell<S: StageStore>(stage: &Stage<S>, nature: &Nature) {
    let steps = nature.plan.story.iter().flat_map(|story| &story.steps);
    for (place, (state, hands)) in steps.enumerate() {
        if place < nature.seen().told {
            continue;
        }
        while !is_at(stage, nature, *state).await {
            tokio::time::sleep(LOOKS).await;
        }
        for hand in hands {
            nature.act(0, *hand);
        }
        nature.seen().told = place + 1;
    }
    std::future::pending::<()>().await;
}

/// Whether there is nothing left to tell.
pub(super) fn is_told(nature: &Nature) -> bool {
    let story = nature.plan.story.as_ref();
    story.is_none_or(|story| nature.seen().told == story.steps.len())
}

async fn is_at<S: StageStore>(stage: &Stage<S>, nature: &Nature, wanted: StateName) -> bool {
    let ids = nature.orders[0];
    let record = nature.companies[ids.company]
        .find_record(stage, ids.order)
        .await;
    let is_late = nature
        .plan
        .story
        .as_ref()
        .is_some_and(|story| story.late.is_some());
    let is_under_way = wanted == StateName::Planned || is_late;
    record.is_some_and(|record| {
        record.state.name() == wanted && (record.is_settled() || is_under_way)
    })
}
