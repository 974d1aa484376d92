//! Reads what QuickBooks says when it says no, in every shape it is known to use.
//!
//! Business layer (`Fault`), gateway (`fault`, all lower case), XML when `Accept` was not honoured,
//! faults inside a query or change answer under HTTP 200, and bodies that are no fault at all.
//! Reading only: what a fault means is decided in [`verdict`](crate::verdict).

use serde_json::Value;

/// One error of a fault. Texts are localised and may hold names: for people, never for logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FaultError {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) detail: String,
    pub(crate) element: String,
}

/// A fault with its errors; none when it named no code, in which case it proves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) errors: Vec<FaultError>,
}

/// What the body of an answer turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// JSON without a fault.
    Json(Value),
    /// A fault, whatever the HTTP status said.
    Fault(Fault),
    /// Neither: HTML of a proxy, nothing at all, or a cut-off answer.
    Unreadable,
}

/// Tells what a body is.
pub(crate) fn read_body(bytes: &[u8]) -> Body {
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        return match find_fault(&value) {
            Some(fault) => Body::Fault(read_json_fault(fault)),
            None if value.is_object() => Body::Json(value),
            None => Body::Unreadable,
        };
    }
    match std::str::from_utf8(bytes).ok().and_then(read_xml_fault) {
        Some(fault) => Body::Fault(fault),
        None => Body::Unreadable,
    }
}

fn fault_of(value: &Value) -> Option<&Value> {
    let fault = value.get("Fault").or_else(|| value.get("fault"));
    fault.filter(|fault| fault.is_object())
}

fn find_fault(value: &Value) -> Option<&Value> {
    let in_query = || value.get("QueryResponse").and_then(fault_of);
    fault_of(value).or_else(in_query).or_else(|| {
        let parts = value.get("CDCResponse")?.as_array()?;
        parts.iter().find_map(|part| {
            let lists = part.get("QueryResponse").and_then(Value::as_array);
            fault_of(part).or_else(|| lists.into_iter().flatten().find_map(fault_of))
        })
    })
}

fn read_json_fault(fault: &Value) -> Fault {
    let errors = fault.get("Error").or_else(|| fault.get("error"));
    let errors: Vec<&Value> = match errors {
        Some(Value::Array(errors)) => errors.iter().collect(),
        Some(single @ Value::Object(_)) => vec![single],
        _ => Vec::new(),
    };
    let errors = errors.into_iter().map(|error| FaultError {
        code: text(error, &["code", "Code"]),
        message: text(error, &["Message", "message"]),
        detail: text(error, &["Detail", "detail"]),
        element: text(error, &["element", "Element"]),
    });
    Fault {
        errors: errors.filter(|error| !error.code.is_empty()).collect(),
    }
}

fn text(value: &Value, names: &[&str]) -> String {
    let found = names.iter().find_map(|name| value.get(name));
    match found {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Finds the errors of an XML fault. Not an XML parser: it knows the one shape Intuit writes.
fn read_xml_fault(text: &str) -> Option<Fault> {
    let text = text.get(text.find("<Fault")?..)?;
    let mut errors = Vec::new();
    for part in text.split("<Error").skip(1) {
        let part = part.split("</Error>").next().unwrap_or(part);
        let (attributes, inside) = part.split_once('>').unwrap_or((part, ""));
        let code = attribute(attributes, "code");
        if !code.is_empty() {
            errors.push(FaultError {
                code,
                message: element(inside, "Message"),
                detail: element(inside, "Detail"),
                element: attribute(attributes, "element"),
            });
        }
    }
    Some(Fault { errors })
}

fn attribute(attributes: &str, name: &str) -> String {
    let value = attributes
        .split_once(&format!("{name}=\""))
        .and_then(|(_, rest)| rest.split_once('"'));
    value.map(|(value, _)| unescape(value)).unwrap_or_default()
}

fn element(inside: &str, name: &str) -> String {
    let rest = inside
        .split_once(&format!("<{name}>"))
        .map(|(_, rest)| rest);
    let value = rest.and_then(|rest| rest.split_once(&format!("</{name}>")));
    value.map(|(value, _)| unescape(value)).unwrap_or_default()
}

fn unescape(text: &str) -> String {
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    text.replace("&apos;", "'")
        .replace("&amp;", "&")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(body: &str) -> Vec<String> {
        match read_body(body.as_bytes()) {
            Body::Fault(fault) => fault.errors.into_iter().map(|error| error.code).collect(),
            other => panic!("no fault but {other:?}"),
        }
    }

    #[test]
    fn every_shape_of_a_fault_is_read() {
        let business = r#"{"Fault":{"Error":[{"Message":"m","Detail":"d","code":"2050",
            "element":"DocNumber"},{"Message":"n","code":"2020"}],"type":"ValidationFault"}}"#;
        assert_eq!(codes(business), ["2050", "2020"]);
        let gateway = r#"{"warnings":null,"fault":{"error":[{"message":"m","detail":null,
            "code":"3200","element":null}],"type":"AUTHENTICATION"},"time":1601391072830}"#;
        assert_eq!(codes(gateway), ["3200"]);
        let query = r#"{"QueryResponse":{"Fault":{"Error":[{"code":4001}]}}}"#;
        assert_eq!(codes(query), ["4001"]);
        let changes =
            r#"{"CDCResponse":[{"QueryResponse":[{},{"Fault":{"Error":[{"code":"10000"}]}}]}]}"#;
        assert_eq!(codes(changes), ["10000"]);
        assert_eq!(codes(r#"{"Fault":{"Error":{"code":"610"}}}"#), ["610"]);
        assert!(codes(r#"{"Fault":{"Error":[{"Message":"no code"}]}}"#).is_empty());
    }

    #[test]
    fn an_xml_fault_is_read_and_its_text_unescaped() {
        let body = r#"<?xml version="1.0"?><IntuitResponse time="x"><Fault type="ValidationFault">
            <Error code="6240" element="DisplayName"><Message>Duplicate</Message>
            <Detail>&quot;A &amp; B&quot; exists</Detail></Error><Error code="2050"/></Fault></IntuitResponse>"#;
        let Body::Fault(fault) = read_body(body.as_bytes()) else {
            panic!("no fault")
        };
        assert_eq!(fault.errors[0].code, "6240");
        assert_eq!(fault.errors[0].element, "DisplayName");
        assert_eq!(fault.errors[0].detail, "\"A & B\" exists");
        assert_eq!(fault.errors[1].code, "2050");
    }

    #[test]
    fn what_is_no_fault_is_told_apart() {
        assert!(matches!(
            read_body(br#"{"QueryResponse":{},"fault":null}"#),
            Body::Json(_)
        ));
        for wrong in [
            "",
            "<html>502</html>",
            "{\"Bill\":{\"Id\":\"1",
            "[]",
            "null",
            "\u{feff}x",
        ] {
            assert_eq!(read_body(wrong.as_bytes()), Body::Unreadable, "{wrong}");
        }
        assert_eq!(read_body(&[0xff, 0xfe]), Body::Unreadable);
    }
}
