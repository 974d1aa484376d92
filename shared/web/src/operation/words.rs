//! Plans in words: which record, why this one, what would be created.

use std::collections::BTreeMap;

use purser_core::{
    books::{NewItem, NewParty},
    eligibility::Ineligible,
    ids::{AccountId, CustomerId, ItemId, VendorId},
    matching::How,
    plan::{Payable, Plan, PlannedLine, PlannedTarget, Resolve},
    record::{StateName, SyncRecord},
    usecase::{Outcome, Preview},
};
use rust_decimal::Decimal;

use super::rows::bill_link;
use crate::view::{
    BillLineView, BillView, MatchAction, MatchView, NoticeView, PreviewKind, PreviewView,
};

type AccountNames = BTreeMap<AccountId, String>;

/// A preview as people read it.
pub(super) fn preview(
    order: i64,
    preview: &Preview,
    known: Option<&SyncRecord>,
    mail_to: String,
) -> PreviewView {
    let empty = PreviewView {
        order,
        preview: PreviewKind::Ineligible,
        notice: None,
        bill: None,
        mail_to,
    };
    match preview {
        Preview::Bill { plan, accounts } => PreviewView {
            preview: PreviewKind::Bill,
            bill: Some(bill(plan, accounts)),
            ..empty
        },
        Preview::Refused { notice } => PreviewView {
            preview: PreviewKind::Refused,
            notice: Some(NoticeView::of(notice)),
            ..empty
        },
        Preview::Ineligible {
            reason: Ineligible::HasNumber { number },
        } if billed_as(known, number).is_some() => PreviewView {
            notice: billed_as(known, number),
            ..empty
        },
        Preview::Ineligible { reason } => PreviewView {
            notice: Some(NoticeView {
                code: reason.code().to_owned(),
                cause: reason.text(),
                remedy: "Nothing would be written anywhere.".to_owned(),
                link: None,
            }),
            ..empty
        },
    }
}

/// What is said of an order whose number is the one that Purser wrote.
fn billed_as(known: Option<&SyncRecord>, number: &str) -> Option<NoticeView> {
    let record = known?;
    let is_gone = record.state.name() == StateName::Orphaned || Outcome::of(record).bill.is_none();
    let bill = record
        .bill()
        .filter(|bill| !is_gone && bill.written_number() == number)?;
    Some(NoticeView {
        code: Ineligible::HasNumber {
            number: number.to_owned(),
        }
        .code()
        .to_owned(),
        cause: format!("This order is bill {number} already."),
        remedy: "Nothing is left to do.".to_owned(),
        link: Some(bill_link(&record.key.realm, &bill.id)),
    })
}

fn why(how: How, role: &str) -> String {
    match how {
        How::Override => format!("Settings map the organisation to this {role}."),
        How::Name => "It has the same name.".to_owned(),
        How::CompanyName => {
            format!("It is the only {role} with this company name.")
        }
        How::Sku => "It has the same SKU.".to_owned(),
    }
}

trait Named {
    fn sent_name(&self) -> &str;
}

impl Named for NewParty {
    fn sent_name(&self) -> &str {
        &self.display_name
    }
}

impl Named for NewItem {
    fn sent_name(&self) -> &str {
        &self.name
    }
}

fn matched<Id: ToString, New: Named>(resolve: &Resolve<Id, New>, role: &str) -> MatchView {
    match resolve {
        Resolve::Use { id, name, how } => MatchView {
            action: MatchAction::Use,
            name: name.clone(),
            id: Some(id.to_string()),
            why: why(*how, role),
        },
        Resolve::Create { new, from } => {
            let name = new.sent_name().to_owned();
            let altered = (name != *from).then(|| format!(" Autotask calls it {from}."));
            MatchView {
                action: MatchAction::Create,
                name,
                id: None,
                why: format!(
                    "QuickBooks has none of this name, so it will be created.{}",
                    altered.unwrap_or_default()
                ),
            }
        }
    }
}

fn bill(plan: &Plan, accounts: &AccountNames) -> BillView {
    let vendor = matched::<VendorId, NewParty>(&plan.vendor, "vendor");
    let customer = plan
        .customer
        .as_ref()
        .map(|customer| matched::<CustomerId, NewParty>(customer, "customer"));
    let items: Vec<_> = plan
        .items
        .iter()
        .map(|item| matched::<ItemId, _>(item, "Item"))
        .collect();
    let account_name = |id: &AccountId| {
        let known = accounts.get(id);
        known.map_or_else(|| format!("account {id}"), Clone::clone)
    };
    let mut creates = Vec::new();
    let parties = [("vendor", Some(&vendor)), ("customer", customer.as_ref())];
    for (role, party) in parties {
        if let Some(party) = party.filter(|party| party.action == MatchAction::Create) {
            creates.push(format!("{role} {}", party.name));
        }
    }
    let new_items = items
        .iter()
        .filter(|item| item.action == MatchAction::Create);
    creates.extend(new_items.map(|item| format!("Item {}", item.name)));
    BillView {
        vendor,
        customer,
        date: plan.date.to_string(),
        number: plan.number.clone(),
        terms: plan.term.as_ref().map(|(_, name)| name.clone()),
        currency: plan
            .currency
            .as_ref()
            .map(|(currency, rate)| format!("{currency} at rate {}", rate.normalize())),
        payable_account: match &plan.payable {
            Payable::Account(id) => account_name(id),
            Payable::OfCurrency(currency) => {
                format!("the accounts payable account of {currency}")
            }
        },
        memo: plan.memo.clone(),
        lines: plan
            .lines
            .iter()
            .map(|planned| line(planned, &items, &account_name))
            .collect(),
        total: format!("{:.2} {}", plan.total.amount(), plan.total.currency()),
        remarks: plan.remarks.clone(),
        creates,
    }
}

/// An amount with at least two decimals, as people write money; more when it has more.
pub(super) fn with_cents(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
}

fn line(
    planned: &PlannedLine,
    items: &[MatchView],
    account_name: &impl Fn(&AccountId) -> String,
) -> BillLineView {
    let (item, account, quantity, unit_cost) = match &planned.target {
        PlannedTarget::Item {
            index,
            quantity,
            unit_cost,
        } => (
            items.get(*index).cloned(),
            None,
            quantity.normalize().to_string(),
            with_cents(*unit_cost),
        ),
        PlannedTarget::Account { account } => (
            None,
            Some(account_name(account)),
            String::new(),
            String::new(),
        ),
    };
    BillLineView {
        item,
        account,
        description: planned.description.clone().unwrap_or_default(),
        quantity,
        unit_cost,
        amount: format!("{:.2}", planned.amount),
    }
}
