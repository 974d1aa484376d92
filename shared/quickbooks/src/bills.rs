//! Bills: looking for them, and sending one.

use jiff::Timestamp;
use purser_core::{
    books::{BillSummary, CreatedBill},
    failure::{Failure, FailureClass},
    ids::{BillId, RequestId},
    notice::Code,
    ports::{Clock, GrantStore, Lookup},
};

use crate::{
    call::{Call, Expected},
    client::QuickBooksClient,
    names::is_unknown,
    pages::Rows,
    query::Statement,
    verdict::Operation,
    wire::{self, BillWire},
};

/// Numbers asked for in one statement, so that it stays far below any limit of length.
const NUMBERS_MAX: usize = 30;

impl<C: Clock, G: GrantStore> QuickBooksClient<C, G> {
    /// Bills with one of these numbers, 30 numbers a query.
    pub(crate) async fn find_bills_numbered(
        &self,
        numbers: &[String],
    ) -> Result<Vec<BillSummary>, Failure> {
        let mut bills: Vec<BillSummary> = Vec::new();
        for chunk in numbers.chunks(NUMBERS_MAX) {
            for bill in summaries(&self.rows(&Statement::bills_numbered(chunk)).await?)? {
                if bills.iter().all(|known| known.id != bill.id) {
                    bills.push(bill);
                }
            }
        }
        Ok(bills)
    }

    /// Bills by the time QuickBooks created them, all pages.
    pub(crate) async fn find_bills_created(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Lookup, Failure> {
        let rows = self.rows(&Statement::bills_created(from, to)).await?;
        Ok(Lookup {
            bills: summaries(&rows)?,
            server_time: rows.server_time,
        })
    }

    /// One bill. Only QuickBooks' own "no such record" counts as gone, never a failure.
    pub(crate) async fn find_bill(&self, id: &BillId) -> Result<Option<BillSummary>, Failure> {
        let call = Call::get(&["bill", id.as_str()], Expected::Record("Bill"));
        let answer = match self.sender.call(&call).await {
            Ok(answer) => answer,
            Err(failure) if is_unknown(&failure) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let unreadable = || Failure::new(Code::QuickBooksFailing).answered(answer.told.clone());
        let bill: BillWire = answer
            .body
            .get("Bill")
            .and_then(wire::read)
            .ok_or_else(unreadable)?;
        if bill.is_deleted() {
            return Ok(None);
        }
        bill.into_created()
            .map(|created| Some(created.bill))
            .ok_or_else(unreadable)
    }

    /// Sends a bill once. Whatever does not prove that nothing was written is in doubt.
    ///
    /// Without a usable access token nothing is sent, and the failure is
    /// [`AccessTokenStale`](Code::AccessTokenStale), as if QuickBooks had said so. Nothing is sent
    /// either when token or pace held it up for so long that its deadline may be over.
    pub(crate) async fn send_bill(
        &self,
        body: &str,
        id: &RequestId,
    ) -> Result<CreatedBill, Failure> {
        let decided_at = self.sender.exchange.clock.now();
        let token = self.sender.tokens.usable_token().await?;
        let call = Call::create(Operation::CreateBill, "bill", "Bill", body.to_owned(), id);
        let answer = match self
            .sender
            .exchange
            .once_promptly(&call, &token, decided_at)
            .await
        {
            Ok(answer) => answer,
            Err(failure) => {
                if failure.class() == FailureClass::Refresh {
                    self.remember_stale(token);
                }
                return Err(self.explained(failure));
            }
        };
        let bill = answer.body.get("Bill").and_then(wire::read::<BillWire>);
        let created = bill
            .filter(|bill| !bill.is_deleted())
            .and_then(BillWire::into_created);
        created.ok_or_else(|| Failure::new(Code::OutcomeUnknown).answered(answer.told))
    }
}

/// Live bills. One that cannot be read fails the search: "not found" leads to another bill.
fn summaries(rows: &Rows) -> Result<Vec<BillSummary>, Failure> {
    let mut bills = Vec::with_capacity(rows.rows.len());
    for row in &rows.rows {
        let unreadable = || Failure::new(Code::QuickBooksFailing);
        let bill: BillWire = wire::read(row).ok_or_else(unreadable)?;
        if !bill.is_deleted() {
            bills.push(bill.into_created().ok_or_else(unreadable)?.bill);
        }
    }
    Ok(bills)
}
