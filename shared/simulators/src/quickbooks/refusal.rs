//! What the service answers when it refuses: one or more faults with Intuit's codes and texts.
//!
//! The texts are those of the vendor's error page or of published recordings. Nothing here decides
//! whether to refuse.

use http::StatusCode;
use serde_json::{Value, json};

/// A refusal of the business layer (`Fault`, capital letters).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) kind: &'static str,
    pub(super) errors: Vec<FaultEntry>,
}

/// One entry of `Fault.Error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FaultEntry {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) detail: String,
    pub(super) element: Option<String>,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: &str, detail: impl Into<String>) -> Self {
        let entry = FaultEntry {
            code,
            message: message.to_owned(),
            detail: detail.into(),
            element: None,
        };
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "ValidationFault",
            errors: vec![entry],
        }
    }

    /// Several entries in one answer; `None` when there is nothing to refuse.
    pub(super) fn all(refusals: Vec<Self>) -> Option<Self> {
        refusals.into_iter().reduce(|mut first, mut next| {
            first.errors.append(&mut next.errors);
            first
        })
    }

    pub(super) fn element(mut self, element: &str) -> Self {
        if let Some(entry) = self.errors.first_mut() {
            entry.element = Some(element.to_owned());
        }
        self
    }

    fn with(mut self, status: StatusCode, kind: &'static str) -> Self {
        self.status = status;
        self.kind = kind;
        self
    }

    /// The value of the `Fault` member.
    pub(super) fn fault(&self) -> Value {
        let errors: Vec<Value> = self
            .errors
            .iter()
            .map(|entry| {
                let mut error = json!({
                    "Message": entry.message,
                    "Detail": entry.detail,
                    "code": entry.code,
                });
                if let Some(element) = &entry.element {
                    error["element"] = json!(element);
                }
                error
            })
            .collect();
        json!({ "Error": errors, "type": self.kind })
    }

    pub(super) fn unsupported(operation: &str) -> Self {
        Self::new(
            "500",
            "Unsupported Operation",
            format!("Operation {operation} is not supported."),
        )
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            "610",
            "Object Not Found",
            "Object Not Found : Something you're trying to use has been made inactive. Check the \
             fields with accounts, customers, items, vendors or employees.",
        )
        .element("")
    }

    pub(super) fn cannot_link(id: &str) -> Self {
        Self::new(
            "620",
            "Transaction cannot be linked.",
            format!("Transaction cannot be linked. Transaction ID : {id}"),
        )
    }

    pub(super) fn batch_too_large(limit: usize) -> Self {
        Self::new(
            "1040",
            "Batch size exceeds allowed limit",
            format!("Batch size exceeds allowed limit : {limit}"),
        )
    }

    pub(super) fn unknown_property(name: &str, class: &str, known: &[&str]) -> Self {
        let listed: Vec<String> = known.iter().map(|name| format!("\"{name}\"")).collect();
        Self::new(
            "2010",
            "Request has invalid or unsupported property",
            format!(
                "Property Name:Unrecognized field \"{name}\" (class \
                 com.intuit.schema.finance.v3.{class}), not marked as ignorable ({} known \
                 properties: {})",
                known.len(),
                listed.join(", ")
            ),
        )
    }

    pub(super) fn bad_property(detail: &str) -> Self {
        Self::new(
            "2010",
            "Request has invalid or unsupported property",
            format!("Property Name:{detail}"),
        )
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::new(
            "2020",
            "Required param missing, need to supply the required value for the API",
            format!("Required parameter {parameter} is missing in the request"),
        )
        .element(parameter)
    }

    pub(super) fn bad_id(element: &str, supplied: &str) -> Self {
        Self::new(
            "2030",
            "Invalid ID",
            format!("{element} should be a valid number. Supplied value:{supplied}"),
        )
        .element(element)
    }

    pub(super) fn bad_characters(element: &str) -> Self {
        Self::new(
            "2040",
            "Invalid String. Only ISO-8859-1 characters are supported",
            format!("{element} holds characters that are not supported by this company"),
        )
        .element(element)
    }

    pub(super) fn bad_length(element: &str, max: usize, supplied: usize) -> Self {
        Self::new(
            "2050",
            "String length is either shorter or longer than supported by specification",
            format!(
                "String length specified does not match the supported length. Min:0 Max:{} \
                 supported. Supplied length:{}",
                thousands(max),
                thousands(supplied)
            ),
        )
        .element(element)
    }

    pub(super) fn bad_number(element: &str, supplied: &str) -> Self {
        Self::new(
            "2090",
            "Invalid Number",
            format!("{element} should be a valid number. Supplied value:{supplied}"),
        )
        .element(element)
    }

    pub(super) fn bad_date(element: &str, supplied: &str) -> Self {
        Self::new(
            "2110",
            "Invalid Date",
            format!("{element} should be a valid date. Supplied value:{supplied}"),
        )
        .element(element)
    }

    pub(super) fn bad_request_id() -> Self {
        Self::new("2130", "Invalid Request Id Format", "Invalid request id")
    }

    pub(super) fn bad_choice(element: &str, supplied: &str) -> Self {
        Self::new(
            "2170",
            "Invalid Enumeration",
            format!("Invalid Enumeration : {supplied} for {element}"),
        )
        .element(element)
    }

    pub(super) fn bad_url(supplied: &str) -> Self {
        Self::new(
            "2200",
            "Invalid URL",
            format!("Invalid URL. Supplied value:{supplied}"),
        )
        .element("WebAddr.URI")
    }

    pub(super) fn bad_email(supplied: &str) -> Self {
        Self::new(
            "2210",
            "Invalid Email Address format",
            format!("Email Address does not conform to the format. Supplied value:{supplied}"),
        )
        .element("PrimaryEmailAddr")
    }

    pub(super) fn negative() -> Self {
        Self::new(
            "2290",
            "Negative amounts are not supported",
            "Negative amounts aren't supported on transaction lines",
        )
    }

    pub(super) fn rate_missing() -> Self {
        Self::new(
            "2410",
            "Curreny, ExchangeRate is missing.",
            "The currency and exchange rate are required for transaction in foreign currency.",
        )
    }

    pub(super) fn bad_reference(family: &str, id: &str) -> Self {
        Self::new(
            "2500",
            "Invalid Reference Id",
            format!("Invalid Reference Id : {family} element id {id} not found"),
        )
        .element("")
    }

    pub(super) fn query_syntax(detail: &str) -> Self {
        Self::new(
            "4000",
            "Error parsing query",
            format!("QueryParserError: {detail}"),
        )
    }

    pub(super) fn query_invalid(detail: &str) -> Self {
        Self::new(
            "4001",
            "Invalid query",
            format!("QueryValidationError: {detail}"),
        )
    }

    pub(super) fn stale() -> Self {
        Self::new(
            "5010",
            "Stale Object Error",
            "Stale Object Error : You and Another User were working on this at the same time. \
             Another User finished before you did, so your work was not saved.",
        )
        .element("")
    }

    pub(super) fn business(detail: &str) -> Self {
        Self::new(
            "6000",
            "A business validation error has occurred while processing your request",
            format!("Business Validation Error: {detail}"),
        )
        .element("")
    }

    pub(super) fn not_in_plan(detail: &str) -> Self {
        Self::new("5030", "Feature Not Supported Error", detail)
    }

    pub(super) fn amount_mismatch(supplied: &str) -> Self {
        Self::new(
            "6070",
            "Amount calculation incorrect in the request",
            format!("Amount is not equal to UnitPrice * Qty. Supplied value:{supplied}"),
        )
        .element("")
    }

    pub(super) fn no_name() -> Self {
        Self::new(
            "6080",
            "No Name Provided",
            "At least one of Title, GivenName, MiddleName, FamilyName, DisplayName, Suffix is \
             required",
        )
    }

    pub(super) fn bad_tax_code(supplied: &str) -> Self {
        Self::new(
            "6100",
            "Invalid Line TaxCode in the request",
            format!(
                "Invalid tax code in the request. For US, specify TAX or NON. Supplied \
                 value:{supplied}"
            ),
        )
    }

    pub(super) fn duplicate_number(number: &str, txn: &str, id: u64) -> Self {
        Self::new(
            "6140",
            "Duplicate Document Number Error",
            format!(
                "Duplicate Document Number Error : You must specify a different number. This \
                 number has already been used. DocNumber={number} is assigned to TxnType={txn} \
                 with TxnId={id}"
            ),
        )
        .element("")
    }

    pub(super) fn parent_needed() -> Self {
        Self::new(
            "6150",
            "Parent Required",
            "A sub-object needs a valid ParentRef",
        )
    }

    pub(super) fn too_deep() -> Self {
        Self::new(
            "6180",
            "Invalid nesting level",
            "The number of levels exceeds the supported maximum",
        )
    }

    pub(super) fn subscription_ended() -> Self {
        Self::new(
            "6190",
            "Invalid Company Status Error",
            "Subscription period has ended or canceled or there was a billing problem",
        )
    }

    pub(super) fn books_closed() -> Self {
        Self::new(
            "6210",
            "Account Period Closed, Cannot Update Through Services API",
            "The account period has closed and the account books cannot be updated through \
             through the QBO Services API. Please use the QBO website to make these changes.",
        )
    }

    pub(super) fn duplicate_name(message: &str, detail: &str) -> Self {
        Self::new("6240", message, detail)
    }

    pub(super) fn before_inventory_start() -> Self {
        Self::new(
            "6270",
            "InventoryTxnDatedBeforeItemStartDate",
            "Transactions with inventory items cannot be dated earlier than the item's \
             InvStartDate",
        )
    }

    pub(super) fn customer_missing() -> Self {
        Self::new(
            "6310",
            "MissingCustomer",
            "A customer is required if the transaction is billable",
        )
    }

    pub(super) fn bad_billable_status() -> Self {
        Self::new(
            "6320",
            "InvalidBillableStatus",
            "The billable status is not allowed on this transaction",
        )
    }

    pub(super) fn bad_account_type() -> Self {
        Self::new(
            "6430",
            "Invalid account type",
            "Invalid account type: You need to select a different type of account for this \
             transaction.",
        )
    }

    /// A failure of the service itself. `under_200` is how the void of a bill answers.
    pub(super) fn system(status: StatusCode) -> Self {
        Self::new(
            "10000",
            "An application error has occurred while processing your request",
            "System Failure Error: the service could not complete the request",
        )
        .with(status, "SystemFault")
    }

    pub(super) fn unsupported_media_type() -> Self {
        Self::new(
            "500",
            "Unsupported Operation",
            "Operation Unsupported media type",
        )
        .with(StatusCode::UNSUPPORTED_MEDIA_TYPE, "ValidationFault")
    }
}

/// `1016` as `1,016`, the way the service writes lengths.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Refusal, thousands};

    #[test]
    fn lengths_carry_thousands_separators() {
        assert_eq!(thousands(21), "21");
        assert_eq!(thousands(1000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn several_refusals_become_one_fault_with_several_errors() {
        let both = Refusal::all(vec![
            Refusal::bad_length("DocNumber", 21, 45),
            Refusal::missing("VendorRef"),
        ])
        .expect("two refusals");
        let fault = both.fault();
        assert_eq!(fault["Error"][0]["code"], "2050");
        assert_eq!(fault["Error"][1]["element"], "VendorRef");
        assert_eq!(fault["type"], "ValidationFault");
    }
}
