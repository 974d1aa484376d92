//! Identifiers: each is its own text, and what is none is refused without a sound.

use std::{fmt::Display, str::FromStr};

use proptest::prelude::*;
use purser_cases::{config, text};
use serde::{Serialize, de::DeserializeOwned};

use crate::ids::{
    BillId, OperationId, OrderId, OrganisationId, RealmId, RequestId, StatusId, TenantId, TraceId,
};

/// A text that is an identifier comes out as it is, as text and as JSON; any other one is refused.
fn check_text<Id>(text: &str, is_one: bool) -> Result<(), TestCaseError>
where
    Id: FromStr + Display + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let json = serde_json::to_string(text).unwrap();
    let from_json: Option<Id> = serde_json::from_str(&json).ok();
    let parsed = text.parse::<Id>().ok();
    prop_assert_eq!(parsed.is_some(), is_one, "{:?}", text);
    prop_assert_eq!(&parsed, &from_json);
    if let Some(id) = parsed {
        prop_assert_eq!(id.to_string(), text);
        prop_assert_eq!(serde_json::to_string(&id).unwrap(), json);
    }
    Ok(())
}

fn check_number<Id>(text: &str, min: i64) -> Result<(), TestCaseError>
where
    Id: FromStr + Display + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let digits = text.trim();
    let number = digits.parse::<i64>().ok();
    let number = number.filter(|number| *number >= min && !digits.starts_with(['+', '-']));
    let parsed = text.parse::<Id>().ok();
    prop_assert_eq!(
        parsed.as_ref().map(ToString::to_string),
        number.map(|n| n.to_string())
    );
    if let Some(id) = parsed {
        let json = serde_json::to_string(&id).unwrap();
        prop_assert_eq!(serde_json::from_str::<Id>(&json).unwrap(), id);
    }
    Ok(())
}

/// A text that is nearly an identifier.
fn nearly() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "[a-z0-9-]{0,42}",
        2 => "[A-Za-z0-9]{0,42}",
        2 => "[0-9]{0,22}",
        1 => "[!-~]{0,42}",
        1 => "[0-9a-f]{32}",
        1 => "1-[0-9a-f]{8}-[0-9a-f]{24}",
        2 => text(12),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_text_is_an_identifier_whole_or_not_at_all(text in nearly()) {
        let of = |max: usize, allowed: fn(u8) -> bool| {
            !text.is_empty() && text.len() <= max && text.bytes().all(allowed)
        };
        let is_tenant = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        check_text::<TenantId>(&text, of(40, is_tenant))?;
        check_text::<RealmId>(&text, of(20, |b| b.is_ascii_digit()))?;
        check_text::<BillId>(&text, of(40, |b| (b'!'..=b'~').contains(&b)))?;
        check_text::<OperationId>(&text, of(40, |b| (b'!'..=b'~').contains(&b)))?;
        check_text::<RequestId>(&text, of(36, |b| b.is_ascii_alphanumeric()))?;
    }

    #[test]
    fn a_number_is_an_identifier_when_it_is_a_whole_one_in_range(
        text in prop_oneof![
            any::<i64>().prop_map(|number| number.to_string()),
            (0..10_i64).prop_map(|number| format!(" {number}\t")),
            "[+-]?[0-9]{1,20}",
            "[0-9]{1,5}[.e,_ ]?[0-9]{0,3}",
            text(6),
        ],
    ) {
        check_number::<OrderId>(&text, 1)?;
        check_number::<OrganisationId>(&text, 0)?;
        check_number::<StatusId>(&text, 0)?;
    }

    #[test]
    fn a_trace_is_read_out_of_any_header_that_holds_one(random: u128, text in nearly()) {
        let trace = TraceId::of(random);
        prop_assert_eq!(trace.as_str().parse::<TraceId>(), Ok(trace.clone()));
        let header = format!("00-{trace}-00f067aa0ba902b7-01");
        prop_assert_eq!(TraceId::from_header(&header), Some(trace.clone()));
        let header = format!("Self=1-1-1; Root={trace};Sampled=1");
        prop_assert_eq!(TraceId::from_header(&header), Some(trace));
        // Any other header holds none, or one that is written in it.
        if let Some(found) = TraceId::from_header(&text) {
            prop_assert!(text.contains(found.as_str()));
        }
    }
}
