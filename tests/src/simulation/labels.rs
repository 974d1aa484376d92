//! What calls of vendors are called, so that the same call of another history can be found.

use bytes::Bytes;
use http::Request;
use purser_simulators::System;
use serde_json::Value;

use super::exhaustive::CREATE;

/// What a call of a vendor is called: where it goes, without the numbers that name one thing.
pub(super) fn of(system: System, request: &Request<Bytes>) -> String {
    let path = request.uri().path();
    let segments: Vec<_> = path.split('/').skip(1).collect();
    let skipped = match system {
        System::QuickBooks => 3,
        System::Autotask => {
            let is_version = |part: &&str| part.eq_ignore_ascii_case("v1.0");
            segments.iter().position(is_version).map_or(0, |at| at + 1)
        }
        System::Intuit => 0,
    };
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = segments.iter().skip(skipped);
    let parts = parts.map(|part| if is_number(part) { "*" } else { part });
    let route = parts.collect::<Vec<_>>().join("/");
    let about = match route.as_str() {
        "query" => format!(" {}", question(request)),
        "PurchaseOrders" if is_error(request) => " ERROR".to_owned(),
        "PurchaseOrders" => " number".to_owned(),
        _ => String::new(),
    };
    let (name, method) = (system.name(), request.method());
    format!("{name} {method} {route}{about}")
}

/// Whether a process looks at the clock right before the call leaves: in between there is no moment to
/// sleep for long.
pub(super) fn leaves_at_once(label: &str) -> bool {
    label == CREATE
        || label == "autotask POST Companies/*/ToDos"
        || label.starts_with("autotask PATCH PurchaseOrders ")
}

/// Whether ERROR is written into an order, and not the number of a bill.
fn is_error(request: &Request<Bytes>) -> bool {
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    body["externalPONumber"] == "ERROR"
}

/// What a question to QuickBooks is about; of bills also by what they are looked for.
fn question(request: &Request<Bytes>) -> String {
    let in_address = request.uri().query().unwrap_or_default().as_bytes();
    let mut pairs = url::form_urlencoded::parse(in_address);
    let asked = pairs.find(|(name, _)| name == "query");
    let asked = asked.map_or_else(
        || String::from_utf8_lossy(request.body()).into_owned(),
        |(_, text)| text.into_owned(),
    );
    let mut words = asked.split_whitespace();
    let _from = words.find(|word| word.eq_ignore_ascii_case("from"));
    let entity = words.next().unwrap_or_default();
    match entity {
        "Bill" if asked.contains("DocNumber") => "Bill by number".to_owned(),
        "Bill" => "Bill by time".to_owned(),
        _ => entity.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(system: System, method: &str, uri: &str, body: &'static str) -> String {
        let request = Request::builder().method(method).uri(uri);
        let request = request.body(Bytes::from_static(body.as_bytes()));
        of(system, &request.expect("a request"))
    }

    #[test]
    fn a_call_is_called_by_where_it_goes_and_what_is_asked() {
        let books = "http://host/v3/company/9130350000000001";
        let asked = format!("{books}/query?query=select%20*%20from%20Bill&minorversion=75");
        assert_eq!(
            label(System::QuickBooks, "GET", &asked, ""),
            "quickbooks GET query Bill by time"
        );
        let asked = format!("{books}/query");
        let body = "Select Id From Vendor Where Active = true";
        assert_eq!(
            label(System::QuickBooks, "POST", &asked, body),
            "quickbooks POST query Vendor"
        );
        let bill = format!("{books}/bill/17");
        assert_eq!(
            label(System::QuickBooks, "GET", &bill, ""),
            "quickbooks GET bill/*"
        );
        let orders = "http://host/atservicesrest/v1.0/PurchaseOrders";
        for (number, name) in [("1042", "number"), ("ERROR", "ERROR")] {
            let body = format!(r#"{{"id":1,"externalPONumber":"{number}"}}"#);
            let expected = format!("autotask PATCH PurchaseOrders {name}");
            assert_eq!(
                label(System::Autotask, "PATCH", orders, body.leak()),
                expected
            );
        }
        let todos = "http://host/atservicesrest/v1.0/Companies/0/ToDos";
        assert_eq!(
            label(System::Autotask, "POST", todos, ""),
            "autotask POST Companies/*/ToDos"
        );
    }
}
