//! The log: what became of the orders, and one order's whole story.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use purser_core::{
    ids::OrderId,
    notice::Code,
    ports::{HistoryEntry, Ledger as _, RecordFilter},
    record::{State, SyncRecord},
    tenant::TenantStatus,
};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::{
    home::midnight,
    rows::{links, row, states_of},
    story,
};
use crate::{
    answer::Answer,
    app::{Seat, Web},
    call::Call,
    error::WebError,
    ports::LivePorts,
    view::{FieldProblem, OrderRow, Orders, OrdersFilter, OutcomeName, Story, StoryEntry},
};

/// The rows of one page.
const PAGE: u32 = 50;

/// A filter as it was sent, and what it means.
pub(super) struct Wanted {
    pub(super) filter: OrdersFilter,
    pub(super) records: RecordFilter,
    problems: Vec<FieldProblem>,
}

impl Wanted {
    /// Reads a filter; a field that cannot be used is named and left out.
    pub(super) fn read(call: &Call, zone: &TimeZone) -> Self {
        let text = |name: &str| call.query.get(name).unwrap_or_default().to_owned();
        let mut filter = OrdersFilter {
            outcome: text("outcome"),
            vendor: text("vendor"),
            text: text("text"),
            from: text("from"),
            to: text("to"),
            code: text("code"),
        };
        let mut problems = Vec::new();
        let mut wrong = |field: &str, message: &str| {
            problems.push(FieldProblem {
                field: field.to_owned(),
                message: message.to_owned(),
            });
        };
        let mut records = RecordFilter {
            limit: PAGE + 1,
            ..RecordFilter::default()
        };
        if !filter.outcome.is_empty() {
            match states_of(&filter.outcome) {
                Some(states) => records.states = states.to_vec(),
                None => wrong("outcome", "must be billed, refused, waiting or ineligible"),
            }
        }
        records.vendor = Some(filter.vendor.clone()).filter(|vendor| !vendor.is_empty());
        let is_code = filter.code.is_empty()
            || filter.code.starts_with("ineligible.")
            || Code::from_text(&filter.code).is_some();
        if !is_code {
            wrong("code", "is not a cause that Purser knows");
            filter.code.clear();
        }
        records.code = Some(filter.code.clone()).filter(|code| !code.is_empty());
        records.text = Some(filter.text.clone()).filter(|text| !text.is_empty());
        match day(&filter.from) {
            Ok(first) => records.since = first.map(|first| midnight(first, zone)),
            Err(()) => wrong("from", "must be a day such as 2026-11-01"),
        }
        match day(&filter.to) {
            Ok(last) => {
                records.until = last.map(|last| midnight(last.saturating_add(1.day()), zone));
            }
            Err(()) => wrong("to", "must be a day such as 2026-11-30"),
        }
        if let Some(cursor) = call.query.get("after") {
            match read_cursor(cursor) {
                Some(before) => records.before = Some(before),
                None => wrong("after", "is not a cursor of this list"),
            }
        }
        Self {
            filter,
            records,
            problems,
        }
    }

    fn query(&self) -> String {
        let filter = &self.filter;
        let mut query = Serializer::new(String::new());
        for (name, value) in [
            ("outcome", &filter.outcome),
            ("vendor", &filter.vendor),
            ("text", &filter.text),
            ("from", &filter.from),
            ("to", &filter.to),
            ("code", &filter.code),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

fn day(text: &str) -> Result<Option<Date>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    let is_plain = text.len() == 10;
    let day = text.parse().ok().filter(|_| is_plain);
    day.map(Some).ok_or(())
}

fn cursor(row: &SyncRecord) -> String {
    cursor_of(row.updated_at, row.key.order)
}

pub(super) fn cursor_of(at: Timestamp, order: OrderId) -> String {
    format!("{}-{order}", at.as_microsecond())
}

pub(super) fn read_cursor(text: &str) -> Option<(Timestamp, OrderId)> {
    let (micros, order) = text.split_once('-')?;
    let at = Timestamp::from_microsecond(micros.parse().ok()?).ok()?;
    Some((at, order.parse().ok()?))
}

impl<P: LivePorts> Web<P> {
    pub(crate) async fn orders(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let standing = self.standing(&seat.tenant).await?;
        let mut wanted = Wanted::read(call, &standing.zone());
        if call.is_api && !wanted.problems.is_empty() {
            return Err(WebError::wrong(wanted.problems));
        }
        let mut records = self.store().list(&seat.tenant, &wanted.records).await?;
        let has_more = records.len() > PAGE as usize;
        records.truncate(PAGE as usize);
        let next = records.last().filter(|_| has_more).map(cursor);
        let query = wanted.query();
        let problems = std::mem::take(&mut wanted.problems);
        let next_url = next.as_ref().map(|next| match query.is_empty() {
            true => format!("/logs?after={next}"),
            false => format!("/logs?{query}&after={next}"),
        });
        let rows = records
            .iter()
            .map(|record| row(record, &standing.status, call.now));
        let view = Orders {
            orders: rows.collect(),
            next,
            next_url,
            csv_url: format!("/logs/export?{query}"),
            problems,
            filter: wanted.filter,
        };
        Ok(Answer::show(("Logs", "logs"), view))
    }

    pub(crate) async fn story(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let order: OrderId = call.id("order")?;
        let record = self.record(seat, order).await?;
        let record = record.ok_or_else(WebError::unknown_order)?;
        let status = self.engine.status(&seat.tenant).await?;
        let view = self.story_view(call, seat, (&record, &status)).await?;
        Ok(Answer::show(("Order", "logs"), view))
    }

    pub(super) async fn story_view(
        &self,
        call: &Call,
        seat: &Seat,
        (record, status): (&SyncRecord, &TenantStatus),
    ) -> Result<Story, WebError> {
        let shown = row(record, status, call.now);
        let history = self.store().history(&seat.tenant, record.key.order).await?;
        let intent = match &record.state {
            State::Planned { intent } => Some(intent),
            State::NeedsPerson { intent, .. } => intent.as_ref(),
            _ => None,
        };
        let request_id = intent
            .map(|intent| intent.request_id.to_string())
            .or_else(|| last_request_id(&history));
        let details: Vec<Value> = history.iter().map(|entry| entry.detail.clone()).collect();
        let mut entries: Vec<StoryEntry> = history.into_iter().map(told).collect();
        let left_out = story::shown(&mut entries, &details);
        Ok(Story {
            state: record.state.name().as_str().to_owned(),
            generation: record.generation,
            request_id,
            sent_body: intent.map(|intent| pretty(&intent.body)),
            links: links(record, status),
            history: entries,
            left_out,
            same_cause: self.same_cause(seat, &shown).await?,
            order: shown,
        })
    }

    /// How many other orders need a person for the same cause.
    async fn same_cause(&self, seat: &Seat, shown: &OrderRow) -> Result<u64, WebError> {
        let code = shown.notice.as_ref().filter(|_| shown.can_retry);
        let Some(code) = code.and_then(|notice| Code::from_text(&notice.code)) else {
            return Ok(0);
        };
        let filter = RecordFilter {
            states: states_of("refused").unwrap_or_default().to_vec(),
            code: Some(code.to_string()),
            ..RecordFilter::default()
        };
        let all = self.store().count(&seat.tenant, &filter).await?;
        let is_one_of_them = shown.outcome == OutcomeName::Refused;
        Ok(all.saturating_sub(u64::from(is_one_of_them)))
    }
}

fn last_request_id(history: &[HistoryEntry]) -> Option<String> {
    let mut ids = history.iter().rev();
    ids.find_map(|entry| entry.detail["request_id"].as_str().map(str::to_owned))
}

fn pretty(body: &str) -> String {
    let value: Option<Value> = serde_json::from_str(body).ok();
    value
        .and_then(|value| serde_json::to_string_pretty(&value).ok())
        .unwrap_or_else(|| body.to_owned())
}

/// An entry of the history as people read it.
pub(super) fn told(entry: HistoryEntry) -> StoryEntry {
    let mut details: Vec<_> = match &entry.detail {
        Value::Object(details) => details
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.replace('_', " "), story::flat(value)))
            .collect(),
        _ => Vec::new(),
    };
    let trace = entry.trace.map(String::from);
    details.extend(trace.map(|trace| ("trace".to_owned(), trace)));
    let event = serde_json::to_value(entry.event).unwrap_or_default();
    StoryEntry {
        at: entry.at,
        event: event.as_str().unwrap_or_default().to_owned(),
        text: entry.text,
        details,
        shown: Vec::new(),
    }
}
