//! A bill as read back, cut to what decisions need.

use purser_core::{
    books::{BillSummary, CreatedBill},
    ids::BillId,
};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{Reference, currency, exact_decimal, text};

/// A bill, or the mark of a deleted one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct BillWire {
    #[serde(deserialize_with = "text")]
    id: Option<String>,
    #[serde(rename = "status", deserialize_with = "text")]
    status: Option<String>,
    #[serde(deserialize_with = "text")]
    doc_number: Option<String>,
    vendor_ref: Option<Reference>,
    currency_ref: Option<Reference>,
    #[serde(deserialize_with = "exact_decimal")]
    total_amt: Option<Decimal>,
    #[serde(deserialize_with = "text")]
    private_note: Option<String>,
    #[serde(deserialize_with = "text")]
    global_tax_calculation: Option<String>,
    txn_tax_detail: Option<TaxWire>,
    line: Vec<LineWire>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct TaxWire {
    #[serde(deserialize_with = "exact_decimal")]
    total_tax: Option<Decimal>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct LineWire {
    #[serde(deserialize_with = "exact_decimal")]
    amount: Option<Decimal>,
    #[serde(deserialize_with = "text")]
    detail_type: Option<String>,
}

impl BillWire {
    /// Its id.
    pub(crate) fn id(&self) -> Option<BillId> {
        self.id.as_deref()?.parse().ok()
    }

    /// Whether it is only the mark that a bill was deleted.
    pub(crate) fn is_deleted(&self) -> bool {
        self.status
            .as_deref()
            .is_some_and(|status| status.eq_ignore_ascii_case("deleted"))
    }

    /// The total without tax: what was sent.
    ///
    /// Outside the US QuickBooks adds its own tax to `TotalAmt`, which is the company's business and
    /// not ours; there the lines are added up, as long as they are shown.
    fn net_total(&self) -> Option<Decimal> {
        let total = self.total_amt?;
        let mut booked = self.line.iter().filter(|line| {
            let kind = line.detail_type.as_deref().unwrap_or_default();
            kind.ends_with("BasedExpenseLineDetail")
        });
        let excludes = self.global_tax_calculation.as_deref() == Some("TaxExcluded");
        if excludes && let Some(first) = booked.next() {
            return booked.try_fold(first.amount?, |sum, line| sum.checked_add(line.amount?));
        }
        let tax = self.txn_tax_detail.and_then(|tax| tax.total_tax);
        total.checked_sub(tax.unwrap_or_default())
    }

    /// In our words; `None` without id or total, which must never pass for "no bill".
    pub(crate) fn into_created(self) -> Option<CreatedBill> {
        let id = self.id()?;
        let total = self.net_total()?;
        let vendor = self.vendor_ref.unwrap_or_default();
        let bill = BillSummary {
            id,
            number: self.doc_number,
            vendor: vendor.id(),
            vendor_name: vendor.name,
            total,
            note: self.private_note,
        };
        Some(CreatedBill {
            bill,
            currency: currency(self.currency_ref.as_ref()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_read_and_its_total_is_exact() {
        let bill: BillWire = serde_json::from_str(
            r#"{"Id":"151","DocNumber":"","VendorRef":{"name":"Bob","value":"56"},
                "TotalAmt":1234567890123.45,"PrivateNote":"x","CurrencyRef":{"value":"usd"}}"#,
        )
        .unwrap();
        let created = bill.into_created().unwrap();
        assert_eq!(created.bill.total.to_string(), "1234567890123.45");
        assert_eq!(created.bill.number, None);
        assert_eq!(created.currency.unwrap().code(), "USD");
        let whole: BillWire = serde_json::from_str(r#"{"Id":"1","TotalAmt":0}"#).unwrap();
        assert_eq!(whole.into_created().unwrap().bill.total, Decimal::ZERO);
    }

    #[test]
    fn tax_that_quickbooks_adds_is_not_part_of_the_total() {
        let total = |text: &str| {
            let bill: BillWire = serde_json::from_str(text).unwrap();
            bill.into_created().unwrap().bill.total.to_string()
        };
        let detail = r#""TxnTaxDetail":{"TotalTax":20.00}"#;
        assert_eq!(
            total(&format!(r#"{{"Id":"1","TotalAmt":120.00,{detail}}}"#)),
            "100.00"
        );
        let line = r#"{"Amount":100.00,"DetailType":"ItemBasedExpenseLineDetail"}"#;
        let taxed = format!(
            r#"{{"Id":"1","TotalAmt":120.00,"GlobalTaxCalculation":"TaxExcluded","Line":[{line}]}}"#
        );
        assert_eq!(total(&taxed), "100.00");
        // In the US a line whose amount QuickBooks ignored must show in the total.
        assert_eq!(
            total(&format!(r#"{{"Id":"1","TotalAmt":0,"Line":[{line}]}}"#)),
            "0"
        );
    }

    #[test]
    fn a_bill_with_a_number_that_cannot_be_read_has_no_total_rather_than_a_wrong_one() {
        let readable = |text: &str| {
            let bill = serde_json::from_str::<BillWire>(text).ok();
            bill.and_then(BillWire::into_created).is_some()
        };
        let line = |amount: &str| {
            format!(r#"{{"Amount":{amount},"DetailType":"AccountBasedExpenseLineDetail"}}"#)
        };
        let excluded = |amount: &str| {
            let lines = [line("1.00"), line(amount)].join(",");
            format!(
                r#"{{"Id":"1","TotalAmt":2,"GlobalTaxCalculation":"TaxExcluded","Line":[{lines}]}}"#
            )
        };
        assert!(readable(&excluded("1.00")));
        for amount in ["\"1,00\"", "true", "1e400", "79228162514264337593543950335"] {
            assert!(!readable(&excluded(amount)), "{amount}");
        }
        let tax = r#"{"Id":"1","TotalAmt":120.00,"TxnTaxDetail":{"TotalTax":"20,00"}}"#;
        assert!(!readable(tax));
    }

    #[test]
    fn a_deleted_bill_or_half_a_bill_is_no_bill() {
        let read = |text: &str| serde_json::from_str::<BillWire>(text).unwrap();
        assert!(read(r#"{"Id":"1","status":"Deleted","domain":"QBO"}"#).is_deleted());
        assert!(read(r#"{"Id":"1"}"#).into_created().is_none());
        assert!(read(r#"{"TotalAmt":1.00}"#).into_created().is_none());
    }
}
