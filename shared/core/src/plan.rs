//! Facts in, plan or refusal out: a pure function. The preview is the plan; nothing is left to
//! decide when it is executed.

mod draft;
mod lines;
mod parties;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::{
    books::{AccountKind, BillSummary, Books, NewItem, NewParty},
    currency::{CurrencyCase, order_currency},
    ids::{
        AccountId, CustomerId, ItemId, OrderId, OrganisationId, ProductId, RealmId, TaxCodeId,
        TermId, VendorId,
    },
    marker::Marker,
    matching::How,
    money::{Currency, Money},
    notice::{Code, Notice},
    orders::{CurrencyTable, Order, OrderLine, Organisation, PickListValue, Product},
    settings::{BillDate, NumberSource, Settings},
    tenant::KnownNames,
    text::{ITEM_NAME_MAX, match_key},
};

use parties::{check_pair, plan_customer, plan_vendor, remark_names};

/// Longest bill number.
pub const NUMBER_MAX: usize = 21;

/// Everything read about one order before deciding. Never stored as truth.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The order.
    pub order: Order,
    /// Its lines.
    pub lines: Vec<OrderLine>,
    /// The products its lines name, as far as they can be read.
    pub products: BTreeMap<ProductId, Product>,
    /// The organisations it names, as far as they can be read.
    pub organisations: BTreeMap<OrganisationId, Organisation>,
    /// Autotask's currency table.
    pub currencies: CurrencyTable,
    /// Autotask's payment terms.
    pub payment_terms: Vec<PickListValue>,
    /// Live bills that bear the number this order would send, or a person would have typed.
    pub number_holders: Vec<BillSummary>,
    /// Home units for one unit of the order's currency, when it is a foreign one.
    pub exchange_rate: Option<Decimal>,
    /// Which Autotask names the altered names in QuickBooks stand for.
    pub names: KnownNames,
    /// Whether the API user has been seen to read some cost, on any order.
    pub costs_readable: bool,
    /// When the order was read.
    pub read_at: Timestamp,
}

/// A record to use, or one to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Resolve<Id, New> {
    /// It exists.
    Use {
        /// Its id.
        id: Id,
        /// Its name in QuickBooks.
        name: String,
        /// How it was found.
        how: How,
    },
    /// It is missing and will be created.
    Create {
        /// What will be created.
        new: New,
        /// The name as Autotask has it.
        from: String,
    },
}

/// The accounts payable account of the bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Payable {
    /// This one.
    Account(AccountId),
    /// The one that QuickBooks makes when the first vendor in this currency is created.
    OfCurrency(Currency),
}

/// One line of the planned bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedLine {
    /// Its text.
    pub description: Option<String>,
    /// Its amount.
    pub amount: Decimal,
    /// What it is booked on.
    pub target: PlannedTarget,
}

/// What a planned line is booked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "on", rename_all = "snake_case")]
pub enum PlannedTarget {
    /// The Item at this place of [`Plan::items`].
    Item {
        /// The place.
        index: usize,
        /// How many.
        quantity: Decimal,
        /// Cost of one.
        unit_cost: Decimal,
    },
    /// An expense account.
    Account {
        /// The account.
        account: AccountId,
    },
}

/// What will be done for one order, with every value decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The order.
    pub order: OrderId,
    /// The number people know it by.
    pub order_number: String,
    /// Its vendor.
    pub vendor: Resolve<VendorId, NewParty>,
    /// The customer of every line.
    pub customer: Option<Resolve<CustomerId, NewParty>>,
    /// The Items its lines are booked on.
    pub items: Vec<Resolve<ItemId, NewItem>>,
    /// The lines.
    pub lines: Vec<PlannedLine>,
    /// The sum of the lines.
    pub total: Money,
    /// The account it credits.
    pub payable: Payable,
    /// Its date.
    pub date: Date,
    /// The number that is sent; `None` lets QuickBooks have none.
    pub number: Option<String>,
    /// The general memo.
    pub memo: Option<String>,
    /// Its terms.
    pub term: Option<(TermId, String)>,
    /// Its currency and rate; `None` when QuickBooks knows no currencies.
    pub currency: Option<(Currency, Decimal)>,
    /// The tax code of every line; only outside the US.
    pub tax_code: Option<TaxCodeId>,
    /// Whether QuickBooks is told that amounts are without tax.
    pub amounts_exclude_tax: bool,
    /// A bill of ours for this very order that exists although the ledger does not know it.
    pub existing: Option<BillSummary>,
    /// The Autotask names behind the names it matches or creates.
    #[serde(skip)]
    pub names: Vec<NameUse>,
    /// What the preview should point out: things left out, names changed.
    pub remarks: Vec<String>,
}

/// An Autotask name as it is used in QuickBooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameUse {
    /// What it names: `vendor`, `customer` or `item`.
    pub role: &'static str,
    /// The Autotask record.
    pub id: i64,
    /// Its name in Autotask.
    pub from: String,
    /// The name in QuickBooks.
    pub clean: String,
}

impl NameUse {
    /// Whether the two names are more than spaces and capitals apart.
    pub fn is_altered(&self) -> bool {
        match_key(&self.from) != match_key(&self.clean)
    }

    /// Whether cleaning may have made the name out of this one, or may make it out of another one:
    /// by a dash, by a plain quotation mark, or by a cut.
    pub fn may_be_shared(&self) -> bool {
        self.is_altered()
            || self.clean == "-"
            || ["- ", " -", "'", "\""]
                .iter()
                .any(|sign| self.clean.contains(sign))
            || self.clean.chars().count() >= ITEM_NAME_MAX
    }

    /// The key under which it is known.
    pub fn place(&self) -> String {
        format!("{}|{}", self.role, match_key(&self.clean))
    }
}

/// What [`Plan::draft`] fills in once the missing records exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ensured {
    /// The vendor.
    pub vendor: VendorId,
    /// The customer.
    pub customer: Option<CustomerId>,
    /// The Items, in the order of [`Plan::items`].
    pub items: Vec<ItemId>,
    /// The accounts payable account.
    pub payable_account: AccountId,
}

/// Decides what to do for one order: a plan, or the notice of a refusal or tenant trouble.
pub fn plan(
    facts: &Facts,
    books: &Books,
    settings: &Settings,
    realm: &RealmId,
    now: Timestamp,
) -> Result<Plan, Notice> {
    let notice = |code| Notice::new(code).with("order", facts.order.display_number());
    if facts.lines.is_empty() {
        return Err(notice(Code::NoLines));
    }
    let case = CurrencyCase::of(&facts.currencies, books)?;
    let seller = facts
        .vendor()
        .ok_or_else(|| notice(Code::VendorUnreadable))?;
    let currency = order_currency(&facts.currencies, books, seller)?;
    let mut remarks = Vec::new();
    let mut names = Vec::new();
    let vendor = plan_vendor(facts, books, settings, (seller, case, currency), &mut names)?;
    let customer = plan_customer(facts, books, settings, &mut names)?;
    check_pair(&vendor, customer.as_ref(), facts)?;
    let tax_code = tax_code(books, settings)?;
    let planned = lines::plan_lines(facts, books, settings, currency, &mut remarks)?;
    names.extend(planned.names);
    if let Some(collision) = facts.names.collision_of(&names) {
        return Err(collision);
    }
    let date = bill_date(&facts.order, books, settings, now);
    check_close_date(books, date)?;
    let payable = payable(books, settings, currency, &vendor)?;
    let number = number(&facts.order, settings)?;
    let existing = if let Some(number) = &number {
        number_holder(facts, realm, number)?
    } else {
        remarks.extend(not_typed_by_hand(facts, realm, settings, &vendor)?);
        None
    };
    let term = term(facts, books, &mut remarks);
    remark_names(&vendor, customer.as_ref(), &planned.items, &mut remarks);
    Ok(Plan {
        order: facts.order.id,
        order_number: facts.order.display_number(),
        vendor,
        customer,
        items: planned.items,
        lines: planned.lines,
        total: planned.total,
        payable,
        date,
        number,
        memo: facts
            .order
            .memo
            .clone()
            .filter(|memo| !memo.trim().is_empty()),
        term,
        currency: rate(case, currency, facts, books, date)?,
        tax_code,
        amounts_exclude_tax: !books.company().is_us(),
        existing,
        names,
        remarks,
    })
}

impl Facts {
    /// The organisation that sells, when it can be read.
    pub fn vendor(&self) -> Option<&Organisation> {
        self.organisations.get(&self.order.vendor?)
    }
}

/// The number this order would send; `None` when QuickBooks assigns.
pub fn number(order: &Order, settings: &Settings) -> Result<Option<String>, Notice> {
    if settings.number_source == NumberSource::Quickbooks {
        return Ok(None);
    }
    let number = order.display_number();
    if number.chars().count() > NUMBER_MAX {
        return Err(Notice::new(Code::NumberTooLong).with("number", number));
    }
    Ok(Some(number))
}

/// The number under which a bill of this order may stand in QuickBooks already: the one it would
/// send, or, when QuickBooks assigns, the one a person would have typed.
pub fn sought_number(order: &Order, settings: &Settings) -> Option<String> {
    let sent = number(order, settings).ok()?;
    let typed = order.number.as_deref().map(str::trim);
    let typed = typed.filter(|typed| !typed.is_empty() && typed.chars().count() <= NUMBER_MAX);
    sent.or_else(|| typed.map(str::to_owned))
}

/// The day the bill bears.
pub fn bill_date(order: &Order, books: &Books, settings: &Settings, now: Timestamp) -> Date {
    let zone = settings.zone(books.company().time_zone.as_deref());
    let at = match settings.bill_date {
        BillDate::Submitted => order.submitted.or(order.created),
        BillDate::Created => order.created,
        BillDate::Today => None,
    };
    at.unwrap_or(now).to_zoned_datetime(zone).date()
}

fn tax_code(books: &Books, settings: &Settings) -> Result<Option<TaxCodeId>, Notice> {
    if books.company().is_us() {
        return Ok(None);
    }
    let chosen = settings.purchase_tax_code.as_ref().map(|chosen| &chosen.id);
    let active = |id: &&TaxCodeId| books.tax_codes().iter().any(|c| c.id == **id && c.active);
    let chosen = chosen.filter(active);
    chosen
        .cloned()
        .map(Some)
        .ok_or_else(|| Notice::new(Code::TaxCodeMissing))
}

fn check_close_date(books: &Books, date: Date) -> Result<(), Notice> {
    match books.company().book_close_date {
        Some(closed) if date <= closed => {
            Err(Notice::new(Code::BooksClosed).with("date", closed.to_string()))
        }
        _ => Ok(()),
    }
}

fn payable(
    books: &Books,
    settings: &Settings,
    currency: Currency,
    vendor: &Resolve<VendorId, NewParty>,
) -> Result<Payable, Notice> {
    let home = books.company().home_currency;
    let unusable = || Notice::new(Code::AccountUnusable).with("field", "accounts payable account");
    let chosen = books.account(&settings.payable_account.id);
    let chosen = chosen.filter(|a| a.active && a.kind == AccountKind::Payable);
    let chosen = chosen.ok_or_else(unusable)?;
    if chosen.currency.unwrap_or(home) == currency {
        return Ok(Payable::Account(chosen.id.clone()));
    }
    if currency == home {
        return Err(unusable());
    }
    match payable_of(books, currency) {
        Some(id) => Ok(Payable::Account(id)),
        None if matches!(vendor, Resolve::Create { .. }) => Ok(Payable::OfCurrency(currency)),
        None => Err(Notice::new(Code::PayableAccountMissing).with("currency", currency.code())),
    }
}

/// The first active accounts payable account of a currency.
pub fn payable_of(books: &Books, currency: Currency) -> Option<AccountId> {
    let fits = |account: &&&crate::books::Account| {
        account.active && account.kind == AccountKind::Payable && account.currency == Some(currency)
    };
    books
        .accounts()
        .iter()
        .find(fits)
        .map(|account| account.id.clone())
}

fn rate(
    case: CurrencyCase,
    currency: Currency,
    facts: &Facts,
    books: &Books,
    date: Date,
) -> Result<Option<(Currency, Decimal)>, Notice> {
    if case == CurrencyCase::BothOff {
        return Ok(None);
    }
    if currency == books.company().home_currency {
        return Ok(Some((currency, Decimal::ONE)));
    }
    let missing = Notice::new(Code::RateMissing).with("currency", currency.code());
    let rate = facts.exchange_rate.filter(|rate| *rate > Decimal::ZERO);
    let rate = rate.ok_or_else(|| missing.with("date", date.to_string()))?;
    Ok(Some((currency, rate)))
}

/// Refuses a number that another bill bears; a bill of ours for this order is adopted instead.
fn number_holder(
    facts: &Facts,
    realm: &RealmId,
    number: &str,
) -> Result<Option<BillSummary>, Notice> {
    let key = match_key(number);
    let holds = |bill: &&BillSummary| bill.number.as_deref().is_some_and(|n| match_key(n) == key);
    let ours = |bill: &&BillSummary| {
        let marker = bill
            .note
            .as_deref()
            .and_then(|note| Marker::find(note, realm));
        marker.is_some_and(|marker| marker.order == facts.order.id)
    };
    let holders: Vec<_> = facts.number_holders.iter().filter(holds).collect();
    match holders.as_slice() {
        [] => Ok(None),
        [bill] if ours(bill) => Ok(Some((*bill).clone())),
        [bill, ..] => {
            let notice = Notice::new(Code::NumberInUse).with("number", number);
            Err(notice.with("bill", bill.id.as_str()))
        }
    }
}

/// Refuses an order that a person entered by hand already: a bill of the same vendor bears the
/// order's number, and none of ours does so, because QuickBooks numbers those. A bill of another
/// vendor is only remarked on: numbers repeat, but the vendor may stand there twice, too.
fn not_typed_by_hand(
    facts: &Facts,
    realm: &RealmId,
    settings: &Settings,
    vendor: &Resolve<VendorId, NewParty>,
) -> Result<Option<String>, Notice> {
    let Some(number) = sought_number(&facts.order, settings) else {
        return Ok(None);
    };
    let key = match_key(&number);
    let typed: Vec<_> = facts
        .number_holders
        .iter()
        .filter(|bill| bill.number.as_deref().is_some_and(|n| match_key(n) == key))
        .filter(|bill| {
            let note = bill.note.as_deref();
            note.is_none_or(|note| Marker::find(note, realm).is_none())
        })
        .collect();
    if let Resolve::Use { id, .. } = vendor
        && let Some(bill) = typed.iter().find(|bill| bill.vendor.as_ref() == Some(id))
    {
        let notice = Notice::new(Code::NumberInUse).with("number", number);
        return Err(notice.with("bill", bill.id.as_str()));
    }
    Ok(typed.first().map(|bill| {
        let of = bill.vendor_name.as_deref().unwrap_or("another vendor");
        format!("QuickBooks has a bill with the number {number} of {of}: is it this order?")
    }))
}

fn term(facts: &Facts, books: &Books, remarks: &mut Vec<String>) -> Option<(TermId, String)> {
    let id = facts.order.payment_term?;
    let label = facts
        .payment_terms
        .iter()
        .find(|term| term.value == id.get());
    let label = &label?.label;
    let found = books
        .term_named(label)
        .map(|term| (term.id.clone(), term.name.clone()));
    if found.is_none() {
        remarks.push(format!(
            "QuickBooks has no term called {label}, so it is left out."
        ));
    }
    found
}
