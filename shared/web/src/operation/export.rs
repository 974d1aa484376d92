//! The log as CSV, and what support needs to know about one order.

use bytes::Bytes;
use purser_core::{
    ids::OrderId,
    ports::{DocumentKind, Ledger as _, RecordFilter},
    tenant::Usage,
    usecase::load,
};
use serde_json::json;

use super::{orders::Wanted, rows::row};
use crate::{
    answer::Answer,
    app::{Seat, Web},
    call::Call,
    error::WebError,
    ports::LivePorts,
    view::OrderRow,
};

/// The most rows of one file.
const ROWS_MAX: usize = 10_000;
/// The most bytes of one file: a function on AWS may answer with 6 MB.
const BYTES_MAX: usize = 4_500_000;
const READ_AT_ONCE: u32 = 500;
/// The detail of a story that is somebody's e-mail address.
const ADDRESS: &str = "mail to";

const HEADER: [&str; 12] = [
    "order id",
    "order number",
    "vendor",
    "outcome",
    "bill number",
    "bill total",
    "code",
    "cause",
    "remedy",
    "changed at",
    "next attempt",
    "link",
];

/// A text that a spreadsheet takes for a text and never for a formula: neither at once nor after it
/// has dropped what cannot be seen, nor where wide letters count like narrow ones.
pub(super) fn cell(text: &str) -> String {
    let is_unseen = |letter: char| letter.is_whitespace() || "\u{feff}\u{200b}".contains(letter);
    let seen = text.trim_start_matches(is_unseen);
    let is_formula = text.starts_with(['\t', '\r', '\n'])
        || seen.starts_with([
            '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
        ]);
    if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn cells(row: &OrderRow) -> [String; 12] {
    let notice = row.notice.as_ref();
    let of = |text: Option<&String>| cell(text.map_or("", String::as_str));
    [
        row.order.to_string(),
        cell(&row.number),
        of(row.vendor.as_ref()),
        row.outcome.as_str().to_owned(),
        of(row.bill_number.as_ref()),
        row.total.clone().unwrap_or_default(),
        of(notice.map(|notice| &notice.code)),
        of(notice.map(|notice| &notice.cause)),
        of(notice.map(|notice| &notice.remedy)),
        row.updated_at.to_string(),
        row.next_attempt
            .map(|at| at.to_string())
            .unwrap_or_default(),
        row.bill
            .as_ref()
            .map(|link| link.url.clone())
            .unwrap_or_default(),
    ]
}

impl<P: LivePorts> Web<P> {
    /// Every order that fits the filter, 10,000 at most.
    pub(crate) async fn export_orders(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let standing = self.standing(&seat.tenant).await?;
        let wanted = Wanted::read(call, &standing.zone());
        let mut page = RecordFilter {
            limit: READ_AT_ONCE,
            before: None,
            ..wanted.records
        };
        let mut writer = csv::Writer::from_writer(Vec::new());
        let broken = |_| WebError::bug();
        writer.write_record(HEADER).map_err(broken)?;
        let mut rows = 0;
        let is_full = |rows: usize, writer: &csv::Writer<Vec<u8>>| {
            rows >= ROWS_MAX || writer.get_ref().len() >= BYTES_MAX
        };
        while !is_full(rows, &writer) {
            let records = self.store().list(&seat.tenant, &page).await?;
            let Some(last) = records.last() else { break };
            page.before = Some((last.updated_at, last.key.order));
            for record in &records {
                let shown = row(record, &standing.status, call.now);
                writer.write_record(cells(&shown)).map_err(broken)?;
            }
            rows += records.len();
        }
        if is_full(rows, &writer) {
            let mut told = [""; HEADER.len()];
            told[0] =
                "The file ends here although there may be more; export shorter spans of time.";
            writer.write_record(told).map_err(broken)?;
        }
        let body = writer.into_inner().map_err(|_| WebError::bug())?;
        Ok(Answer::File {
            media_type: "text/csv; charset=utf-8",
            name: Some(format!("purser-orders-{}.csv", seat.tenant)),
            body: Bytes::from(body),
        })
    }

    /// What support needs: the story, the settings, the state; no secret and no address.
    pub(crate) async fn support_bundle(
        &self,
        call: &Call,
        seat: &Seat,
    ) -> Result<Answer, WebError> {
        let order: OrderId = call.id("order")?;
        let record = self.record(seat, order).await?;
        let record = record.ok_or_else(WebError::unknown_order)?;
        let standing = self.standing(&seat.tenant).await?;
        let mut story = self
            .story_view(call, seat, (&record, &standing.status))
            .await?;
        for entry in &mut story.history {
            entry.details.retain(|(name, _)| name != ADDRESS);
        }
        let usage = load::<Usage>(self.store(), &seat.tenant, DocumentKind::Usage).await?;
        let settings = self.stored(seat).await?.map(|document| {
            let mut settings = serde_json::to_value(document).unwrap_or_default();
            settings["digest_to"] = json!("(left out)");
            settings
        });
        let bundle = json!({
            "purser": env!("CARGO_PKG_VERSION"),
            "made_at": call.now,
            "tenant": seat.tenant,
            "realm": record.key.realm,
            "story": story,
            "lease": record.lease,
            "wait": record.wait,
            "late_number": record.late_number,
            "error_mark": record.error_mark,
            "todo": record.todo,
            "fence": record.fence,
            "settings": settings,
            "connections": standing.connections(call.now).iter()
                .map(|connection| json!({ "system": connection.system, "state": connection.state,
                    "notice": connection.notice, "at": connection.at }))
                .collect::<Vec<_>>(),
            "trouble": standing.status.trouble,
            "runs": standing.runs,
            "calls": usage.map(|stored| stored.value),
        });
        let body = serde_json::to_vec_pretty(&bundle).unwrap_or_default();
        Ok(Answer::File {
            media_type: "application/json; charset=utf-8",
            name: Some(format!("purser-support-{order}.json")),
            body: Bytes::from(body),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_a_text_and_a_text_stays_as_it_is() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "\nx",
            " =1",
            "\u{feff}=1",
            "\u{ff1d}1",
        ] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for text in ["", "Ingram Supply", "a=1", "'=1", " x", "3-4", "\u{202e}x"] {
            assert_eq!(cell(text), text);
        }
    }
}
