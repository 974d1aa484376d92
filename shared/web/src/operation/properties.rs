//! Files for spreadsheets, places in lists, and where a sign-in goes on: see the README of
//! `purser-cases`.

use jiff::Timestamp;
use proptest::{prelude::*, sample::select};
use purser_cases::{config, text};
use purser_core::ids::OrderId;
use url::Url;

use super::{
    export::cell,
    orders::{cursor_of, read_cursor},
    sign_in::safe_path,
};
use crate::call::PATH_MAX;

/// Cells that begin as formulas do, at once or after something that is not seen.
fn cell_text() -> impl Strategy<Value = String> {
    let unseen = select(vec![
        "",
        " ",
        "\t",
        "\r\n",
        "\u{a0}",
        "\u{feff}",
        "\u{200b} ",
        "\u{3000}",
    ]);
    let sign = select(vec!["=", "+", "-", "@", "\u{ff1d}", "'=", "\"=", "|", ""]);
    (unseen, sign, text(20)).prop_map(|(unseen, sign, text)| format!("{unseen}{sign}{text}"))
}

fn path() -> impl Strategy<Value = String> {
    let begin = select(vec![
        "/", "//", "/\\", "\\/", "/%2f", "/.//", "https://", "", "/\t/", "/@",
    ]);
    (begin, text(30)).prop_map(|(begin, rest)| format!("{begin}{rest}"))
}

/// What a spreadsheet does before it decides whether a cell is a formula.
fn is_formula(cell: &str) -> bool {
    let shown = cell.trim_matches(|c: char| c.is_whitespace() || "\u{feff}\u{200b}".contains(c));
    shown.starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ])
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_text_becomes_a_formula_and_every_text_comes_back(
        texts in (cell_text(), text(20)),
    ) {
        let texts = [texts.0, texts.1];
        let mut writer = csv::Writer::from_writer(Vec::new());
        // A mark of the byte order at the very beginning of a file is none of a cell.
        writer.write_record(["one", "other"]).unwrap();
        writer.write_record(texts.each_ref().map(|text| cell(text))).unwrap();
        let file = writer.into_inner().unwrap();
        let mut reader = csv::Reader::from_reader(file.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(rows.len(), 1);
        for (read, text) in rows[0].iter().zip(&texts) {
            prop_assert!(!is_formula(read), "{read:?}");
            prop_assert!(read == text || read.strip_prefix('\'') == Some(text), "{read:?}");
            if !is_formula(text) && !text.starts_with(['\t', '\r', '\n']) {
                prop_assert_eq!(read, text);
            }
        }
    }

    #[test]
    fn a_place_in_a_list_is_found_again(
        microseconds in -100_000_000_000_000_000..100_000_000_000_000_000_i64,
        order in 1..=i64::MAX,
        junk in text(20),
    ) {
        let place = (Timestamp::from_microsecond(microseconds).unwrap(), OrderId::new(order));
        let text = cursor_of(place.0, place.1);
        prop_assert_eq!(read_cursor(&text), Some(place).filter(|_| microseconds >= 0));
        // Any other text is one or none, and is never more than that.
        if let Some((at, order)) = read_cursor(&junk) {
            prop_assert_eq!(read_cursor(&cursor_of(at, order)), Some((at, order)));
        }
    }

    #[test]
    fn a_sign_in_goes_on_within_this_application_whatever_is_asked(text in path()) {
        let ours: Url = "https://purser.example".parse().unwrap();
        let next = safe_path(Some(&text));
        prop_assert!(next == text || next == "/home");
        prop_assert!(next.len() <= PATH_MAX);
        let url = ours.join(&next).unwrap();
        prop_assert_eq!(url.origin(), ours.origin(), "{}", next);
        // It stands in a header of its own.
        prop_assert!(http::HeaderValue::from_str(&next).is_ok());
    }
}
