//! What people do with an order, in either system.

use purser_core::{ids::OrderId, marker::Marker};
use purser_simulators::{
    autotask::Action,
    quickbooks::{BillSeed, HumanAction, ItemSeed},
};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    companies::unknown_product,
    nature::{Nature, OrderIds},
    plan::Hand,
};
use crate::stage::amount;

/// What a person types into External PO Number.
const TYPED: &str = "by hand";

impl Nature {
    /// A person acts, if they can.
    pub(super) fn act(&self, order: usize, hand: Hand) {
        let ids = self.orders[order];
        let (id, line) = (ids.order, ids.line);
        let database = &self.companies[ids.company].database;
        let is_done = match hand {
            Hand::ClearNumber => database.act(Action::ClearNumber { order: id }).is_ok(),
            Hand::TypeNumber => {
                let number = TYPED.to_owned();
                let action = Action::SetNumber { order: id, number };
                database.act(action).is_ok()
            }
            Hand::EditLine => {
                let edit = Action::EditLine {
                    line,
                    quantity: None,
                    unit_cost: Some("400.01".to_owned()),
                    memo: None,
                };
                let is_done = database.act(edit).is_ok();
                self.note_total(ids);
                self.watch.tell(&self.companies[ids.company]);
                is_done
            }
            Hand::ReceiveGoods => {
                let quantity = None;
                let action = Action::ReceiveGoods {
                    order: id,
                    quantity,
                };
                database.act(action).is_ok()
            }
            Hand::CancelOrder => database.act(Action::CancelOrder { order: id }).is_ok(),
            Hand::DeleteBill => self.delete(ids, &self.bills_of(ids)),
            Hand::DeleteCopy => {
                let mut bills = self.bills_of(ids);
                bills.retain(|bill| self.is_copy(bill));
                self.delete(ids, &bills)
            }
            Hand::DeleteEntered => {
                let mut bills = self.bills_numbered(ids);
                bills.retain(|bill| bill["PrivateNote"].is_null());
                self.delete(ids, &bills)
            }
            Hand::EnterBill => self.enter(ids),
            Hand::EnterItem => {
                let company = &self.companies[ids.company];
                let item = ItemSeed::non_inventory(&unknown_product(order), &company.cast.goods);
                let books = &self.simulators.quickbooks;
                books.add_item(&company.realm, &item).is_ok()
            }
            Hand::CopyBill => {
                let bill = self.bills_of(ids).pop();
                bill.is_some_and(|bill| self.copy(ids, &bill, (None, Decimal::ZERO)))
            }
            Hand::EnterMarked => self.enter_marked(ids),
            Hand::ReplaceBill => self.replace(ids, Decimal::ZERO),
            Hand::ReplaceBillByAnother => self.replace(ids, Decimal::ONE),
            Hand::Retry => {
                self.seen().retries.push(ids);
                true
            }
        };
        if is_done {
            self.seen().done.push((order, hand));
        }
    }

    /// Whether the status of an order is Submitted no more.
    pub(super) fn has_left(&self, order: usize) -> bool {
        let is_end = |hand: &Hand| matches!(hand, Hand::ReceiveGoods | Hand::CancelOrder);
        let seen = self.seen();
        seen.done
            .iter()
            .any(|(on, hand)| *on == order && is_end(hand))
    }

    /// Whether a bill is no bill of ours, but one that a person made look like it.
    pub(super) fn is_copy(&self, bill: &Value) -> bool {
        let id = bill["Id"].as_str().unwrap_or_default();
        self.seen().copies.iter().any(|copy| copy == id)
    }

    /// The live bills that bear the number of an order.
    fn bills_numbered(&self, ids: OrderIds) -> Vec<Value> {
        let company = &self.companies[ids.company];
        let number = company
            .database
            .order(ids.order)
            .and_then(|order| order.number);
        let mut bills = self.simulators.quickbooks.live_bills(&company.realm);
        bills.retain(|bill| bill["DocNumber"].as_str() == number.as_deref());
        bills
    }

    fn delete(&self, ids: OrderIds, bills: &[Value]) -> bool {
        let Some(id) = bills.first().and_then(|bill| bill["Id"].as_str()) else {
            return false;
        };
        let realm = self.companies[ids.company].realm.clone();
        let id = id.to_owned();
        let action = HumanAction::DeleteBill { realm, id };
        let is_done = self.simulators.quickbooks.act_as_person(action).is_ok();
        self.seen().deleted.extend(is_done.then_some(ids.company));
        is_done
    }

    fn enter(&self, ids: OrderIds) -> bool {
        let company = &self.companies[ids.company];
        let order = company.database.order(ids.order);
        let Some(number) = order.and_then(|order| order.number) else {
            return false;
        };
        let total = "799.98".parse().expect("a total");
        let cast = &company.cast;
        self.add_bill(
            ids,
            BillSeed::new(&cast.vendor, &number, &cast.goods, total),
        )
    }

    fn enter_marked(&self, ids: OrderIds) -> bool {
        let company = &self.companies[ids.company];
        let marker = Marker {
            order: OrderId::new(ids.order),
            generation: 1,
        };
        let (cast, total) = (&company.cast, company.total_of(ids.order));
        let bill = BillSeed {
            doc_number: None,
            private_note: Some(marker.text(&company.realm_id())),
            ..BillSeed::new(&cast.vendor, "", &cast.goods, total)
        };
        self.as_copies(ids, || self.add_bill(ids, bill))
    }

    fn add_bill(&self, ids: OrderIds, bill: BillSeed) -> bool {
        let realm = self.companies[ids.company].realm.clone();
        let action = HumanAction::EnterBill { realm, bill };
        let is_done = self.simulators.quickbooks.act_as_person(action).is_ok();
        self.seen().entered.extend(is_done.then_some(ids.company));
        is_done
    }

    /// Deletes the bill and enters it once more with its memo and number, over so much more.
    fn replace(&self, ids: OrderIds, more: Decimal) -> bool {
        let bills = self.bills_of(ids);
        let Some(bill) = bills.first() else {
            return false;
        };
        let number = bill["DocNumber"].as_str().map(str::to_owned);
        self.delete(ids, &bills) && self.copy(ids, bill, (number, more))
    }

    fn copy(&self, ids: OrderIds, bill: &Value, (number, more): (Option<String>, Decimal)) -> bool {
        let cast = &self.companies[ids.company].cast;
        let vendor = bill["VendorRef"]["value"].as_str().unwrap_or_default();
        let total = amount(&bill["TotalAmt"]) + more;
        let seed = BillSeed {
            doc_number: number,
            private_note: bill["PrivateNote"].as_str().map(str::to_owned),
            ..BillSeed::new(vendor, "", &cast.goods, total)
        };
        self.as_copies(ids, || self.add_bill(ids, seed))
    }

    /// What somebody enters bears our mark and is none of ours.
    fn as_copies(&self, ids: OrderIds, enter: impl FnOnce() -> bool) -> bool {
        let before = self.bills_of(ids);
        let is_done = enter();
        let mut copies = self.bills_of(ids);
        copies.retain(|copy| before.iter().all(|known| known["Id"] != copy["Id"]));
        let copies = copies.iter().filter_map(|copy| copy["Id"].as_str());
        self.seen().copies.extend(copies.map(str::to_owned));
        is_done
    }
}
