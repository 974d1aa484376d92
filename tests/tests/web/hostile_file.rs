//! The log as a file for spreadsheets, with texts that are made to be formulas.

use http::StatusCode;
use purser_tests::stage::Stage;

use crate::hostile::{CORPUS, add_orders};

#[tokio::test(start_paused = true)]
async fn no_cell_of_the_csv_is_a_formula_or_breaks_its_row() {
    let mut stage = Stage::new().await;
    for text in CORPUS {
        add_orders(&stage, text);
    }
    for text in [
        "\t=1+mark",
        "\r=1+mark",
        "\n=1+mark",
        " =1+mark",
        "\u{ff1d}1+mark",
    ] {
        add_orders(&stage, text);
    }
    stage.run().await;
    stage.settle().await;
    let (_, mut owner) = stage.with_owner().await;
    let file = owner.get("/logs/export").await.expect(StatusCode::OK);
    assert!(file.header("content-type").starts_with("text/csv"));
    let disposition = file.header("content-disposition");
    assert!(
        disposition.starts_with("attachment; filename=\""),
        "{disposition}"
    );
    let rows = rows(&file.body);
    assert_eq!(rows.len(), 1 + 2 * (CORPUS.len() + 5));
    for row in rows {
        assert_eq!(row.len(), 12, "{row:?}");
        for cell in row {
            let first = cell
                .trim_start_matches([' ', '\u{feff}', '\u{200b}'])
                .chars()
                .next();
            let is_formula = first.is_some_and(|first| "=+-@\t\r\n\u{ff1d}".contains(first));
            assert!(!is_formula, "{cell:?}");
        }
    }
}

/// The rows of a CSV, by the rules of RFC 4180.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut letters = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        let row = rows.last_mut().expect("a row");
        let cell = row.last_mut().expect("a cell");
        match letter {
            '"' if is_quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(String::new()),
            '\n' if !is_quoted => rows.push(vec![String::new()]),
            '\r' if !is_quoted => {}
            other => cell.push(other),
        }
    }
    assert!(!is_quoted, "a quotation mark is open");
    rows.pop();
    rows
}
