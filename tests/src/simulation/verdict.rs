//! What must be true when a history is over.

use jiff::Timestamp;
use purser_core::{
    ids::BillId,
    record::{State, StateName, SyncRecord},
};
use serde_json::Value;

use super::{
    nature::{Nature, OrderIds},
    plan::{Hand, Shape},
};
use crate::stage::{Stage, StageStore};

/// Judges every order of a history that has come to rest.
pub(super) async fn judge<S: StageStore>(stage: &Stage<S>, nature: &Nature) {
    for (place, ids) in nature.orders.iter().enumerate() {
        if let Err(why) = judge_order(stage, nature, (place, *ids)).await {
            nature.violate(format!("order {}: {why}", ids.order));
        }
    }
    // Beyond the bounds more bills may be made, if each that is too many is told of.
    for place in (0..nature.companies.len()).filter(|_| !nature.plan.is_beyond) {
        judge_bills(stage, nature, place);
    }
}

/// How soon after things stop going wrong all is done. A run that was lost is missed after an hour, and
/// then one more comes; what waits longest in between tries each quarter of an hour.
const SOON: u64 = 100;

/// Nothing is left to do: no order waits for anything, no message is queued, and none is due. Unless a
/// person or a limit made it wait, that is so soon.
pub(super) async fn judge_rest<S: StageStore>(stage: &Stage<S>, nature: &Nature, minutes: u64) {
    if nature.plan.rests_soon() && minutes > SOON {
        nature.violate(format!("it came to rest after {minutes} minutes"));
    }
    if stage.store.message_at().await.is_some() {
        nature.violate("a message is left in the queue".to_owned());
    }
    for company in &nature.companies {
        let (realm, store) = (company.realm_id(), &stage.store);
        let due = store.due(&company.tenant, &realm, Timestamp::MAX, 1_000);
        let due = due.await.unwrap_or_default();
        if !due.is_empty() {
            nature.violate(format!("still to be swept: {due:?}"));
        }
    }
}

/// Whether every order is as it must be in the end.
pub(super) async fn is_well<S: StageStore>(stage: &Stage<S>, nature: &Nature) -> bool {
    for (place, ids) in nature.orders.iter().enumerate() {
        if judge_order(stage, nature, (place, *ids)).await.is_err() {
            return false;
        }
    }
    true
}

/// Bills are made once for each order, and once more for each that a person deleted.
fn judge_bills<S: StageStore>(stage: &Stage<S>, nature: &Nature, company: usize) {
    let realm = &nature.companies[company].realm;
    let ever = stage.simulators.quickbooks.bills_ever(realm);
    let by_hand = {
        let seen = nature.seen();
        let acts = seen.deleted.iter().chain(&seen.entered);
        acts.filter(|whose| **whose == company).count()
    };
    let orders = nature.orders.iter();
    let orders = orders.filter(|ids| ids.company == company).count();
    let most = orders + by_hand;
    if ever > most {
        nature.violate(format!(
            "{ever} bills were made, {most} at most are explained"
        ));
    }
}

async fn judge_order<S: StageStore>(
    stage: &Stage<S>,
    nature: &Nature,
    (place, ids): (usize, OrderIds),
) -> Result<(), String> {
    let company = &nature.companies[ids.company];
    let number = company.number(ids.order);
    let scene = Scene {
        hands: {
            let seen = nature.seen();
            let done = seen.done.iter().filter(|(on, _)| *on == place);
            done.map(|(_, hand)| *hand).collect()
        },
        bills: nature.bills_of(ids),
        number: number.filter(|number| !number.trim().is_empty()),
        todos: company.open_todos(ids.order),
        is_to_be_refused: nature.plan.orders[place] == Shape::Refused,
        is_beyond: nature.plan.is_beyond,
        todos_most: nature.plan.todos_most(),
    };
    let story = nature.plan.story.as_ref().filter(|_| place == 0);
    match company.find_record(stage, ids.order).await {
        Some(record) if story.is_some_and(|story| !story.ends.contains(&record.state.name())) => {
            let end = record.state.name();
            let name = story.map_or("", |story| story.name);
            Err(format!("the story ends at {end:?}: {name}"))
        }
        Some(record) => scene.judge(&record.state),
        None if (scene.has(Hand::TypeNumber) || scene.has_left()) && scene.bills.is_empty() => {
            Ok(())
        }
        None => Err("nobody knows it".to_owned()),
    }
}

/// An order as both systems show it, and what people did with it.
struct Scene {
    hands: Vec<Hand>,
    bills: Vec<Value>,
    number: Option<String>,
    /// Open to-dos.
    todos: usize,
    is_to_be_refused: bool,
    is_beyond: bool,
    todos_most: usize,
}

impl Scene {
    fn has(&self, hand: Hand) -> bool {
        self.hands.contains(&hand)
    }

    /// Whether its status is Submitted no more: nothing is written for it any more.
    fn has_left(&self) -> bool {
        self.has(Hand::ReceiveGoods) || self.has(Hand::CancelOrder)
    }

    /// Whether it stays as it is when a person empties the field, which else takes it up again.
    fn is_cleared_for_good(&self) -> bool {
        self.has_left() && self.has(Hand::ClearNumber) && self.number.is_none()
    }

    fn judge(&self, state: &State) -> Result<(), String> {
        let (has_bill, is_typed) = (!self.bills.is_empty(), self.number_is("by hand"));
        let is_told = (1..=self.todos_most).contains(&self.todos);
        let conditions = match state {
            State::Linked { bill } => vec![
                (self.bills.len() == 1, "linked without one bill"),
                (self.is_bill(&bill.id), "linked to another bill"),
                (
                    self.bears_number() || is_typed || self.is_cleared_for_good(),
                    "another number was written",
                ),
                (self.todos == 0, "billed with a to-do that is open"),
            ],
            State::Refused { .. } => vec![
                (
                    self.is_to_be_refused
                        || self.has(Hand::EnterBill)
                        // QuickBooks may know a bill by its number that it shows in no query yet, and
                        // then a person deletes it.
                        || self.is_beyond && self.has(Hand::DeleteBill)
                        || self.has(Hand::TypeNumber),
                    "refused without a cause",
                ),
                (!has_bill, "refused with a bill"),
                (
                    // An order that was called off takes no ERROR any more.
                    self.number_is("ERROR")
                        || is_typed
                        || self.is_cleared_for_good()
                        || self.has(Hand::CancelOrder),
                    "refused without ERROR",
                ),
                (is_told, "refused without a to-do"),
            ],
            State::NeedsPerson { notice, .. } => vec![
                (
                    self.are_named(&notice.text()),
                    "a second bill that nobody is told of",
                ),
                (
                    self.is_beyond || !self.hands.is_empty(),
                    "a person is asked for nothing",
                ),
                (is_told, "a person must act and is not told"),
            ],
            State::Orphaned { .. } => vec![
                (self.has(Hand::DeleteBill), "a bill vanished"),
                (
                    !has_bill && (self.number.is_some() || self.is_cleared_for_good()),
                    "orphaned by mistake",
                ),
            ],
            State::Skipped { .. } => vec![
                (
                    !has_bill && (self.number.is_some() || self.has_left()),
                    "skipped by mistake",
                ),
                (!self.hands.is_empty(), "skipped without a cause"),
            ],
            State::Queued | State::Planned { .. } | State::Created { .. } => {
                vec![(false, "it is not at its end")]
            }
        };
        let failed = conditions.into_iter().find(|(is_met, _)| !is_met);
        let several =
            (self.todos > self.todos_most).then_some((false, "it has several open to-dos"));
        let Some((_, why)) = failed.or(several) else {
            return Ok(());
        };
        let (name, bills, number) = (state.name(), self.bills.len(), &self.number);
        Err(format!(
            "{why}: {name:?}, {bills} bills, number {number:?}, {} open to-dos",
            self.todos
        ))
    }

    /// Whether these words name every bill, where there are several.
    fn are_named(&self, words: &str) -> bool {
        let ids = self.bills.iter().filter_map(|bill| bill["Id"].as_str());
        let mut ids = ids.filter(|id| !words.split([' ', ',', '.']).any(|word| word == *id));
        self.bills.len() < 2 || ids.next().is_none()
    }

    fn number_is(&self, wanted: &str) -> bool {
        self.number.as_deref() == Some(wanted)
    }

    fn is_bill(&self, id: &BillId) -> bool {
        self.bills.first().and_then(|bill| bill["Id"].as_str()) == Some(id.as_str())
    }

    /// Whether what was written is the bill's number, or its id when it has none.
    fn bears_number(&self) -> bool {
        let bill = self.bills.first();
        bill.is_some_and(|bill| {
            let right = bill["DocNumber"].as_str().or(bill["Id"].as_str());
            self.number.as_deref() == right
        })
    }
}

/// Whether an order is believed to be billed and its bill is gone.
pub(super) fn misses_bill(record: &SyncRecord, nature: &Nature, ids: OrderIds) -> bool {
    let is_linked = matches!(record.state, State::Linked { .. });
    is_linked && !nature.has_bill(ids)
}

/// Whether a state is one at which an order may stay.
pub(super) fn is_final(name: StateName) -> bool {
    !matches!(
        name,
        StateName::Queued | StateName::Planned | StateName::Created
    )
}

/// Whether an order is stored so that nothing is lost when its message is gone: it is at its end, or
/// the sweeper finds it.
pub(super) fn is_stored(record: Option<&SyncRecord>, is_due: bool) -> bool {
    record.is_some_and(|record| is_due || record.is_settled())
}
