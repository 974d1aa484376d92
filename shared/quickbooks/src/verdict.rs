//! What an unsuccessful exchange means: vendor's code, HTTP status and operation → one [`Failure`].
//!
//! Source of the codes: Intuit's error-codes page and recorded answers; the table is closed, so an
//! unknown code with a complete answer is a refusal a person can read. Texts are localised, so
//! nothing here decides by text.

use http::{HeaderMap, StatusCode};
use purser_core::{
    failure::{Failure, VendorAnswer},
    notice::Code,
    policy::Policy,
};
use purser_transport::{TransportError, retry_after};

use crate::fault::{Fault, FaultError};

/// Longest explanation of QuickBooks that is shown to a person, in characters.
const DETAIL_CHARACTERS_MAX: usize = 300;

/// What a call is for; the same answer means different things to different calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    CreateVendor,
    CreateCustomer,
    CreateItem,
    CreateBill,
}

impl Operation {
    /// Its name in logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::CreateVendor => "create_vendor",
            Self::CreateCustomer => "create_customer",
            Self::CreateItem => "create_item",
            Self::CreateBill => "create_bill",
        }
    }

    /// The code when the data of the request was refused.
    const fn refused(self) -> Code {
        match self {
            Self::Read => Code::QuickBooksRefused,
            Self::CreateVendor => Code::VendorRefused,
            Self::CreateCustomer => Code::CustomerRefused,
            Self::CreateItem => Code::ItemRefused,
            Self::CreateBill => Code::BillRefused,
        }
    }

    /// The code when QuickBooks failed: for a bill, its effect may have happened.
    pub(crate) const fn failing(self) -> Code {
        match self {
            Self::CreateBill => Code::OutcomeUnknown,
            _ => Code::QuickBooksFailing,
        }
    }
}

/// The failure of a request without a complete answer.
///
/// Only a request that was never sent is definite for a bill.
pub(crate) fn of_transport(operation: Operation, error: &TransportError) -> Failure {
    if operation == Operation::CreateBill && !error.nothing_sent() {
        return Failure::new(Code::OutcomeUnknown);
    }
    Failure::new(Code::QuickBooksUnreachable)
}

/// The failure that a complete answer stands for.
///
/// `fault` is `None` when the body held none that could be recognised.
pub(crate) fn of_answer(
    operation: Operation,
    status: StatusCode,
    headers: &HeaderMap,
    fault: Option<&Fault>,
    policy: &Policy,
) -> Failure {
    let errors = fault.map_or(&[][..], |fault| &fault.errors);
    let worst = errors
        .iter()
        .map(|error| (code_of(operation, status, &error.code), error))
        .min_by_key(|(code, _)| rank(*code));
    let (code, vendor_code) = match worst {
        Some((code, error)) => (code, Some(error.code.as_str())),
        None => (code_without_fault(operation, status), None),
    };
    let code = if operation == Operation::CreateBill && !proves_nothing_written(status, vendor_code)
    {
        Code::OutcomeUnknown
    } else {
        code
    };
    let mut failure = Failure::new(code).answered(VendorAnswer {
        status: Some(status.as_u16()),
        code: vendor_code.and_then(clean_code),
        tid: tid(headers),
    });
    let detail = explanation(errors).or_else(|| vendor_code.map(|code| format!("code {code}")));
    if let Some(detail) = detail.filter(|_| tells_detail(code)) {
        failure = failure.with("detail", detail);
    }
    failure.after(wait(code, headers, policy))
}

/// The `intuit_tid` of an answer, which Intuit's support asks for. Not a secret.
pub(crate) fn tid(headers: &HeaderMap) -> Option<String> {
    // Documented as `intuit_tid`, recorded as `Intuit-Tid`.
    let value = headers
        .get("intuit_tid")
        .or_else(|| headers.get("intuit-tid"))?;
    let text = value.to_str().ok()?;
    Some(
        text.chars()
            .filter(char::is_ascii_graphic)
            .take(80)
            .collect(),
    )
}

/// Only these complete answers with a recognised fault prove that no bill was written.
fn proves_nothing_written(status: StatusCode, vendor_code: Option<&str>) -> bool {
    match status.as_u16() {
        400 | 401 | 403 | 404 => vendor_code.is_some(),
        429 => vendor_code == Some("3001"),
        _ => false,
    }
}

fn code_of(operation: Operation, status: StatusCode, code: &str) -> Code {
    if status.is_server_error() {
        return operation.failing();
    }
    match code {
        "3200" | "3202" => Code::AccessTokenStale,
        "3100" | "120" => Code::QuickBooksForbidden,
        "3001" => Code::QuickBooksThrottled,
        // Wrong cluster, company locked, maintenance, proxy timeout, system failure.
        "130" | "140" | "150" | "6002" | "10000" => operation.failing(),
        "600" => repeated_request(operation),
        "610" | "2500" | "5010" => Code::ReferenceGone,
        "6240" if operation != Operation::CreateBill => Code::NameInUse,
        "6140" if operation == Operation::CreateBill => Code::DocNumberInUse,
        "6200" | "6210" => Code::BooksClosed,
        "5020" => Code::QuickBooksPermission,
        "5030" => Code::PlanTooSmall,
        "6190" => Code::SubscriptionEnded,
        "500" | "1040" | "2010" | "2020" | "2030" | "2060" | "2070" | "2080" | "2090" | "2100"
        | "2110" | "2130" | "2170" | "4000" | "4001" | "4002" | "6070" | "6310" | "6320"
        | "10100" => Code::QuickBooksBug,
        _ => unknown_code(operation, status),
    }
}

/// Code 600: this request id was used before, so whatever it asked for may exist.
const fn repeated_request(operation: Operation) -> Code {
    match operation {
        Operation::Read => Code::QuickBooksBug,
        Operation::CreateBill => Code::OutcomeUnknown,
        Operation::CreateVendor | Operation::CreateCustomer | Operation::CreateItem => {
            Code::NameInUse
        }
    }
}

fn unknown_code(operation: Operation, status: StatusCode) -> Code {
    match status.as_u16() {
        401 => Code::AccessTokenStale,
        403 => Code::QuickBooksPermission,
        429 => Code::QuickBooksThrottled,
        _ => operation.refused(),
    }
}

fn code_without_fault(operation: Operation, status: StatusCode) -> Code {
    match (operation, status.as_u16()) {
        (Operation::CreateBill, _) => Code::OutcomeUnknown,
        (_, 401) => Code::AccessTokenStale,
        (_, 429) => Code::QuickBooksThrottled,
        // A page of a proxy proves nothing about the connection or the data.
        _ => Code::QuickBooksFailing,
    }
}

/// Of several errors the one that decides: doubt before connection before wait before refusal.
fn rank(code: Code) -> u8 {
    match code {
        Code::OutcomeUnknown => 0,
        Code::AccessTokenStale => 1,
        Code::QuickBooksForbidden => 2,
        Code::QuickBooksThrottled => 3,
        Code::QuickBooksFailing => 4,
        Code::SubscriptionEnded | Code::PlanTooSmall | Code::QuickBooksPermission => 5,
        Code::ReferenceGone => 6,
        Code::NameInUse | Code::DocNumberInUse => 7,
        Code::BooksClosed => 8,
        Code::QuickBooksBug => 10,
        _ => 9,
    }
}

fn tells_detail(code: Code) -> bool {
    // The detail of a refused token holds the token itself.
    !matches!(
        code,
        Code::AccessTokenStale | Code::QuickBooksForbidden | Code::QuickBooksThrottled
    )
}

fn wait(code: Code, headers: &HeaderMap, policy: &Policy) -> Option<std::time::Duration> {
    let asked = retry_after(headers).map(|wait| policy.scale_down(wait));
    match code {
        Code::QuickBooksThrottled => Some(asked.unwrap_or(policy.throttle_wait)),
        Code::QuickBooksFailing => asked,
        _ => None,
    }
}

fn explanation(errors: &[FaultError]) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for error in errors {
        let text = if error.detail.is_empty() {
            &error.message
        } else {
            &error.detail
        };
        let part = match error.element.as_str() {
            "" => text.clone(),
            element => format!("{element}: {text}"),
        };
        if !text.is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    }
    let words: Vec<String> = parts
        .join("; ")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let text = words.join(" ");
    match text.chars().count() {
        0 => None,
        n if n <= DETAIL_CHARACTERS_MAX => Some(text),
        _ => Some(
            text.chars()
                .take(DETAIL_CHARACTERS_MAX - 1)
                .chain(['…'])
                .collect(),
        ),
    }
}

fn clean_code(code: &str) -> Option<String> {
    let clean: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(12)
        .collect();
    (!clean.is_empty()).then_some(clean)
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
