//! The bill itself, from a plan whose missing records exist by now.

use crate::{
    books::{BillDraft, BillLine, Books, LineTarget},
    ids::RealmId,
    marker::Marker,
    text::clean_text,
};

use super::{Ensured, NUMBER_MAX, Plan, PlannedTarget, Resolve};

impl Plan {
    /// The bill itself, once everything it refers to exists.
    pub fn draft(
        &self,
        ensured: &Ensured,
        realm: &RealmId,
        generation: u32,
        books: &Books,
    ) -> BillDraft {
        let alphabet = books.company().alphabet();
        let marker = Marker {
            order: self.order,
            generation,
        };
        let lines = self.lines.iter().map(|line| BillLine {
            description: line.description.clone(),
            amount: line.amount,
            target: match &line.target {
                PlannedTarget::Item {
                    index,
                    quantity,
                    unit_cost,
                } => LineTarget::Item {
                    item: ensured.items[*index].clone(),
                    quantity: *quantity,
                    unit_cost: *unit_cost,
                },
                PlannedTarget::Account { account } => LineTarget::Account(account.clone()),
            },
            customer: ensured.customer.clone(),
            tax_code: self.tax_code.clone(),
        });
        BillDraft {
            vendor: ensured.vendor.clone(),
            payable_account: ensured.payable_account.clone(),
            date: self.date,
            number: self
                .number
                .as_deref()
                .map(|n| clean_text(n, NUMBER_MAX, alphabet)),
            note: marker.note(realm, &self.order_number, self.memo.as_deref(), alphabet),
            term: self.term.as_ref().map(|(id, _)| id.clone()),
            currency: self.currency,
            lines: lines.collect(),
            total: self.total,
            amounts_exclude_tax: self.amounts_exclude_tax,
        }
    }

    /// The vendor's name as QuickBooks has it or will have it.
    pub fn vendor_name(&self) -> &str {
        match &self.vendor {
            Resolve::Use { name, .. } => name,
            Resolve::Create { new, .. } => &new.display_name,
        }
    }
}
