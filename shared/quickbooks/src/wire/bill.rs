//! A bill as read back, cut to what decisions need.

use purser_core::{
    books::{BillSummary, CreatedBill},
    ids::BillId,
};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{Reference, currency, decimal, text};

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
    #[serde(deserialize_with = "decimal")]
    total_amt: Option<Decimal>,
    #[serde(deserialize_with = "text")]
    private_note: Option<String>,
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

    /// In our words; `None` without id or total, which must never pass for "no bill".
    pub(crate) fn into_created(self) -> Option<CreatedBill> {
        let id = self.id()?;
        let vendor = self.vendor_ref.unwrap_or_default();
        let bill = BillSummary {
            id,
            number: self.doc_number,
            vendor: vendor.id(),
            vendor_name: vendor.name,
            total: self.total_amt?,
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
    fn a_deleted_bill_or_half_a_bill_is_no_bill() {
        let read = |text: &str| serde_json::from_str::<BillWire>(text).unwrap();
        assert!(read(r#"{"Id":"1","status":"Deleted","domain":"QBO"}"#).is_deleted());
        assert!(read(r#"{"Id":"1"}"#).into_created().is_none());
        assert!(read(r#"{"TotalAmt":1.00}"#).into_created().is_none());
    }
}
