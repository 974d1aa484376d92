use std::time::Duration;

use http::header::RETRY_AFTER;
use purser_core::failure::FailureClass;
use purser_transport::TransportErrorKind;

use super::*;

const CREATES: [Operation; 3] = [
    Operation::CreateVendor,
    Operation::CreateCustomer,
    Operation::CreateItem,
];

fn fault(codes: &[&str]) -> Fault {
    let error = |code: &&str| FaultError {
        code: (*code).to_owned(),
        message: "Message".into(),
        detail: format!("why {code}"),
        element: String::new(),
    };
    Fault {
        errors: codes.iter().map(error).collect(),
    }
}

fn judge(operation: Operation, status: u16, codes: &[&str]) -> Failure {
    let status = StatusCode::from_u16(status).unwrap();
    let fault = (!codes.is_empty()).then(|| fault(codes));
    of_answer(
        operation,
        status,
        &HeaderMap::new(),
        fault.as_ref(),
        &Policy::default(),
    )
}

#[test]
fn each_code_of_the_catalogue_has_its_meaning() {
    let read = Operation::Read;
    let vendor = Operation::CreateVendor;
    let bill = Operation::CreateBill;
    for (operation, status, code, expected) in [
        (read, 401, "3200", Code::AccessTokenStale),
        (bill, 401, "3200", Code::AccessTokenStale),
        (read, 403, "3100", Code::QuickBooksForbidden),
        (read, 403, "120", Code::QuickBooksForbidden),
        (bill, 403, "3100", Code::QuickBooksForbidden),
        (read, 429, "3001", Code::QuickBooksThrottled),
        (read, 403, "3001", Code::QuickBooksThrottled),
        (bill, 429, "3001", Code::QuickBooksThrottled),
        (read, 500, "10000", Code::QuickBooksFailing),
        (vendor, 400, "140", Code::QuickBooksFailing),
        (bill, 400, "130", Code::OutcomeUnknown),
        (bill, 500, "10000", Code::OutcomeUnknown),
        (bill, 504, "6002", Code::OutcomeUnknown),
        (bill, 400, "610", Code::ReferenceGone),
        (bill, 400, "2500", Code::ReferenceGone),
        (read, 400, "5010", Code::ReferenceGone),
        (vendor, 400, "6240", Code::NameInUse),
        (bill, 400, "6240", Code::BillRefused),
        (bill, 400, "6140", Code::DocNumberInUse),
        (bill, 400, "600", Code::OutcomeUnknown),
        (vendor, 400, "600", Code::NameInUse),
        (bill, 400, "6200", Code::BooksClosed),
        (bill, 400, "6210", Code::BooksClosed),
        (bill, 400, "5030", Code::PlanTooSmall),
        (bill, 403, "6190", Code::SubscriptionEnded),
        (bill, 403, "5020", Code::QuickBooksPermission),
        (read, 403, "9999", Code::QuickBooksPermission),
        (bill, 400, "2010", Code::QuickBooksBug),
        (bill, 400, "2020", Code::QuickBooksBug),
        (read, 400, "4000", Code::QuickBooksBug),
        (read, 400, "4001", Code::QuickBooksBug),
        (read, 400, "500", Code::QuickBooksBug),
        (bill, 400, "2170", Code::QuickBooksBug),
        (bill, 400, "6070", Code::QuickBooksBug),
        (bill, 400, "6000", Code::BillRefused),
        (bill, 400, "2050", Code::BillRefused),
        (bill, 400, "6430", Code::BillRefused),
        (bill, 400, "77777", Code::BillRefused),
        (vendor, 400, "6080", Code::VendorRefused),
        (
            Operation::CreateCustomer,
            400,
            "2040",
            Code::CustomerRefused,
        ),
        (Operation::CreateItem, 400, "6000", Code::ItemRefused),
        (read, 400, "6000", Code::QuickBooksRefused),
    ] {
        let failure = judge(operation, status, &[code]);
        assert_eq!(failure.code(), expected, "{operation:?} {status} {code}");
        assert_eq!(failure.answer.code.as_deref(), Some(code));
        assert_eq!(failure.answer.status, Some(status));
    }
}

#[test]
fn only_a_recognised_no_proves_that_no_bill_was_written() {
    let bill = Operation::CreateBill;
    for (status, codes) in [
        (200, &["6000"][..]),
        (200, &["3200"]),
        (400, &[]),
        (401, &[]),
        (403, &[]),
        (404, &[]),
        (409, &["6000"]),
        (429, &[]),
        (429, &["6000"]),
        (500, &["6140"]),
        (502, &[]),
        (503, &["3001"]),
        (302, &[]),
    ] {
        let failure = judge(bill, status, codes);
        assert_eq!(failure.class(), FailureClass::InDoubt, "{status} {codes:?}");
    }
    for status in [400, 401, 403, 404] {
        assert_ne!(
            judge(bill, status, &["2050"]).class(),
            FailureClass::InDoubt,
            "{status}"
        );
    }
}

#[test]
fn pages_of_proxies_pass_by_themselves() {
    for operation in [Operation::Read].into_iter().chain(CREATES) {
        for status in [200, 400, 403, 404, 408, 500, 502, 503, 504] {
            assert_eq!(
                judge(operation, status, &[]).code(),
                Code::QuickBooksFailing,
                "{status}"
            );
        }
        assert_eq!(judge(operation, 401, &[]).code(), Code::AccessTokenStale);
        assert_eq!(judge(operation, 429, &[]).code(), Code::QuickBooksThrottled);
        assert_eq!(
            judge(operation, 502, &["6240"]).code(),
            Code::QuickBooksFailing
        );
    }
}

#[test]
fn of_several_errors_the_weightiest_decides_and_all_are_told() {
    let bill = Operation::CreateBill;
    let failure = judge(bill, 400, &["2020", "2050"]);
    assert_eq!(failure.code(), Code::BillRefused);
    assert_eq!(failure.notice.words["detail"], "why 2020; why 2050");
    assert_eq!(
        judge(bill, 400, &["2050", "600"]).code(),
        Code::OutcomeUnknown
    );
    assert_eq!(
        judge(bill, 400, &["6240", "610"]).code(),
        Code::ReferenceGone
    );
}

#[test]
fn the_wait_is_the_one_asked_for_or_the_usual_one() {
    let policy = Policy::default();
    let throttled = judge(Operation::Read, 429, &["3001"]);
    assert_eq!(throttled.retry_after, Some(policy.throttle_wait));
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, "7".parse().unwrap());
    headers.insert("Intuit-Tid", "1-abc".parse().unwrap());
    let status = StatusCode::TOO_MANY_REQUESTS;
    let fault = fault(&["3001"]);
    let asked = of_answer(Operation::Read, status, &headers, Some(&fault), &policy);
    assert_eq!(asked.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(asked.answer.tid.as_deref(), Some("1-abc"));
    assert_eq!(judge(Operation::Read, 500, &["10000"]).retry_after, None);
}

#[test]
fn the_explanation_is_short_and_never_holds_a_token() {
    let mut fault = fault(&["2050"]);
    fault.errors[0].element = "DocNumber".into();
    fault.errors[0].detail = "long ".repeat(200);
    let judge = |fault: &Fault, status| {
        let status = StatusCode::from_u16(status).unwrap();
        let none = HeaderMap::new();
        of_answer(
            Operation::CreateBill,
            status,
            &none,
            Some(fault),
            &Policy::default(),
        )
    };
    let detail = judge(&fault, 400).notice.words["detail"].clone();
    assert!(detail.starts_with("DocNumber: long long") && detail.chars().count() == 300);
    fault.errors[0].code = "3200".into();
    fault.errors[0].detail = "Token expired: AB0160".into();
    let stale = judge(&fault, 401);
    assert!(!format!("{stale:?}").contains("AB0160"));
}

#[test]
fn a_request_that_was_never_sent_is_definite_and_others_are_not() {
    let uri = "https://quickbooks.api.intuit.com/x?query=secret"
        .parse()
        .unwrap();
    for (kind, for_bill) in [
        (TransportErrorKind::NotSent, Code::QuickBooksUnreachable),
        (TransportErrorKind::Timeout, Code::OutcomeUnknown),
        (TransportErrorKind::Broken, Code::OutcomeUnknown),
        (TransportErrorKind::TooLarge, Code::OutcomeUnknown),
    ] {
        let error = TransportError::new(kind, &uri);
        assert_eq!(of_transport(Operation::CreateBill, &error).code(), for_bill);
        assert_eq!(
            of_transport(Operation::Read, &error).code(),
            Code::QuickBooksUnreachable
        );
        assert_eq!(
            of_transport(Operation::CreateItem, &error).code(),
            Code::QuickBooksUnreachable
        );
    }
}
