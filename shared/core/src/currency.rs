//! The four cases of multi-currency, decided in one place.

use crate::{
    books::{Books, Vendor},
    money::Currency,
    notice::{Code, Notice},
    orders::{CurrencyTable, Organisation},
};

/// What the two sides' multi-currency switches mean together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurrencyCase {
    /// Neither side knows currencies.
    BothOff,
    /// Only QuickBooks does: amounts are its home currency at rate 1.
    QuickBooksOnly,
    /// Both do: a vendor has the same currency on both sides.
    BothOn,
}

impl CurrencyCase {
    /// Tells the case, or that nothing may be transferred: Autotask on, QuickBooks off.
    pub fn of(table: &CurrencyTable, books: &Books) -> Result<Self, Notice> {
        match (table.multi_currency(), books.company().multi_currency) {
            (false, false) => Ok(Self::BothOff),
            (false, true) => Ok(Self::QuickBooksOnly),
            (true, true) => Ok(Self::BothOn),
            (true, false) => Err(Notice::new(Code::QuickBooksCurrencyOff)),
        }
    }
}

/// The currency an order to this organisation is in, as QuickBooks will book it.
pub fn order_currency(
    table: &CurrencyTable,
    books: &Books,
    vendor: &Organisation,
) -> Result<Currency, Notice> {
    match CurrencyCase::of(table, books)? {
        CurrencyCase::BothOff | CurrencyCase::QuickBooksOnly => Ok(books.company().home_currency),
        CurrencyCase::BothOn => {
            if table.internal().is_none() {
                return Err(Notice::new(Code::InternalCurrencyMissing));
            }
            let unknown = || Notice::new(Code::CurrencyUnknown).with("name", vendor.name.as_str());
            table.of(vendor).ok_or_else(unknown)
        }
    }
}

/// Refuses a matched vendor whose currency is not the order's.
pub fn check_vendor(
    case: CurrencyCase,
    currency: Currency,
    vendor: &Vendor,
    home: Currency,
) -> Result<(), Notice> {
    let theirs = vendor.currency.unwrap_or(home);
    let code = match case {
        CurrencyCase::BothOff => return Ok(()),
        CurrencyCase::QuickBooksOnly => Code::CurrencyForeignVendor,
        CurrencyCase::BothOn => Code::CurrencyMismatch,
    };
    if theirs == currency {
        return Ok(());
    }
    let notice = Notice::new(code).with("name", vendor.display_name.as_str());
    Err(notice
        .with("autotask", currency.code())
        .with("quickbooks", theirs.code()))
}
