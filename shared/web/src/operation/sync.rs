//! One order by hand: the form, the preview, the attempt and its result; and Retry.

use http::StatusCode;
use purser_core::{
    failure::Failure,
    ids::{AttemptId, OrderId},
    notice::Code,
    ports::{HistoryEntry, HistoryEvent, Ledger as _, RecordFilter},
    record::{Origin, SyncRecord},
    settings::is_mail_address,
    usecase::{Asked, RetryFilter},
};
use url::form_urlencoded::Serializer;

use super::{rows::row, words};
use crate::{
    answer::Answer,
    app::{Seat, Web},
    call::Call,
    error::WebError,
    input,
    ports::LivePorts,
    view::{AttemptStatus, AttemptView, FieldProblem, MailState, Retried, RetriedOrder, SyncForm},
};

const FORM: (&str, &str) = ("Sync one PO", "sync");
/// The most orders one "retry all" takes.
const RETRIED_AT_ONCE: usize = 100;

fn problem(field: &str, message: &str) -> FieldProblem {
    FieldProblem {
        field: field.to_owned(),
        message: message.to_owned(),
    }
}

/// What was typed as an address, or the one used when nothing was typed.
fn address(typed: &str, usual: &str) -> Result<String, FieldProblem> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(usual.to_owned());
    }
    if is_mail_address(typed) {
        return Ok(typed.to_owned());
    }
    Err(problem(
        "mail_to",
        "must be an e-mail address, such as dana@example.com",
    ))
}

fn order_id(typed: &str) -> Result<OrderId, FieldProblem> {
    typed.trim().parse().map_err(|_| {
        problem(
            "order",
            "must be the order's id in Autotask, a whole number such as 4711",
        )
    })
}

fn is_attempt(entry: &HistoryEntry, event: HistoryEvent, attempt: &AttemptId) -> bool {
    entry.event == event && entry.detail["attempt"] == attempt.as_str()
}

/// Whether an entry of the story says that the result went to this address: with the attempt's own
/// mail, or with that of a later one, which keeps the promise of those before it.
fn tells(entry: &HistoryEntry, attempt: &AttemptId, to: &str) -> bool {
    let (addresses, outcome) = (&entry.detail["mail_to"], &entry.detail["outcome"]);
    let is_to = addresses.as_str().is_none_or(|addresses| {
        let mut all = addresses.split(", ");
        all.any(|address| address.eq_ignore_ascii_case(to))
    });
    // That it still waits is no result.
    let is_result = outcome
        .as_str()
        .is_none_or(|outcome| !matches!(outcome, "waiting" | "in_doubt"));
    let is_named = is_attempt(entry, HistoryEvent::Told, attempt);
    let names_addresses = entry.event == HistoryEvent::Told && addresses.is_string();
    is_result && is_to && (is_named || names_addresses)
}

impl<P: LivePorts> Web<P> {
    pub(crate) fn sync_form(call: &Call, seat: &Seat) -> Answer {
        let view = SyncForm {
            order: call.query.get("order").unwrap_or_default().to_owned(),
            mail_to: call.query.get("mail_to").unwrap_or_default().to_owned(),
            mail_default: seat.session.email.clone(),
            ..SyncForm::default()
        };
        Answer::show(FORM, view)
    }

    fn form_again(
        seat: &Seat,
        (order, mail_to): (String, String),
        problems: Vec<FieldProblem>,
        error: Option<&WebError>,
    ) -> Answer {
        let view = SyncForm {
            order,
            mail_to,
            mail_default: seat.session.email.clone(),
            problems,
            problem: error.map(WebError::notice),
        };
        let status = error.map_or(StatusCode::UNPROCESSABLE_ENTITY, |error| error.status);
        Answer::show_as(status, FORM, view)
    }

    /// The form's two buttons: Preview, and Do It Now.
    pub(crate) async fn submit_sync(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let input: input::SyncForm = call.input()?;
        let order = order_id(&input.order);
        let mail_to = address(&input.mail_to, &seat.session.email);
        let (Ok(order), Ok(mail_to)) = (&order, &mail_to) else {
            let problems = order.err().into_iter().chain(mail_to.err()).collect();
            return Ok(Self::form_again(
                seat,
                (input.order, input.mail_to),
                problems,
                None,
            ));
        };
        if input.action == "preview" {
            let query = Serializer::new(String::new())
                .append_pair("order", &order.to_string())
                .append_pair("mail_to", input.mail_to.trim())
                .finish();
            return Ok(Answer::to(format!("/sync/preview?{query}")));
        }
        match self
            .ask(call, seat, *order, (Origin::Person, Some(mail_to.clone())))
            .await
        {
            Ok(asked) => self.accepted(call, seat, &asked).await,
            Err(error) => {
                let typed = (input.order, input.mail_to);
                Ok(Self::form_again(seat, typed, Vec::new(), Some(&error)))
            }
        }
    }

    /// Looks what would happen, and changes nothing.
    pub(crate) async fn preview(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let typed = match call.is_api {
            true => call.parameter("order"),
            false => call.query.get("order").unwrap_or_default(),
        };
        let mail_to = call.query.get("mail_to").unwrap_or_default().to_owned();
        let order = match order_id(typed) {
            Ok(order) => order,
            Err(_) if call.is_api => return Err(WebError::not_found()),
            Err(problem) => {
                let typed = (typed.to_owned(), mail_to);
                return Ok(Self::form_again(seat, typed, vec![problem], None));
            }
        };
        let preview = self.engine.preview(&seat.tenant, order).await;
        self.engine.note_calls(&seat.tenant).await?;
        match preview {
            Ok(preview) => {
                let known = RecordFilter {
                    orders: vec![order],
                    limit: 1,
                    ..RecordFilter::default()
                };
                let known = self.store().list(&seat.tenant, &known).await?;
                let view = words::preview(order.get(), &preview, known.first(), mail_to);
                Ok(Answer::show(("Preview", "sync"), view))
            }
            Err(failure) if call.wants_json => Err(failure.into()),
            Err(failure) => {
                let error = WebError::from(failure);
                let typed = (typed.to_owned(), mail_to);
                Ok(Self::form_again(seat, typed, Vec::new(), Some(&error)))
            }
        }
    }

    pub(crate) async fn sync(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let input: input::Sync = call.input()?;
        let order: OrderId = call.id("order")?;
        let typed = input.mail_to.unwrap_or_default();
        let mail_to = address(&typed, &seat.session.email);
        let mail_to = mail_to.map_err(|problem| WebError::wrong(vec![problem]))?;
        let asked = self
            .ask(call, seat, order, (Origin::Person, Some(mail_to)))
            .await?;
        self.accepted(call, seat, &asked).await
    }

    async fn ask(
        &self,
        call: &Call,
        seat: &Seat,
        order: OrderId,
        (origin, mail_to): (Origin, Option<String>),
    ) -> Result<Asked, WebError> {
        let standing = self.standing(&seat.tenant).await?;
        if !standing.is_connected() {
            return Err(Failure::new(Code::NotConnected).into());
        }
        if standing.settings.is_none() {
            return Err(Failure::new(Code::SettingsMissing).into());
        }
        let trace = call.trace.clone();
        let asked = self.engine.ask(&seat.tenant, order, origin, mail_to, trace);
        let asked = asked.await?;
        let what = match origin {
            Origin::Retry => ("retry_asked", "tried order"),
            _ => ("sync_asked", "asked for order"),
        };
        let text = format!("{} {order}.", what.1);
        let directory = self.directory(call.now);
        directory
            .note(&seat.tenant, &seat.session.email, what.0, text)
            .await?;
        Ok(asked)
    }

    async fn accepted(&self, call: &Call, seat: &Seat, asked: &Asked) -> Result<Answer, WebError> {
        let view = self
            .attempt_view(call, seat, (asked.order, &asked.attempt))
            .await?;
        let view = AttemptView {
            joins_running: asked.joins_running,
            ..view
        };
        let then = format!("/attempts/{}/{}", asked.order, asked.attempt);
        Ok(Answer::done(StatusCode::ACCEPTED, &view, then))
    }

    /// The record of an order of this company; any other does not exist for it.
    pub(super) async fn record(
        &self,
        seat: &Seat,
        order: OrderId,
    ) -> Result<Option<SyncRecord>, WebError> {
        let filter = RecordFilter {
            orders: vec![order],
            limit: 1,
            ..RecordFilter::default()
        };
        Ok(self.store().list(&seat.tenant, &filter).await?.pop())
    }

    async fn attempt_view(
        &self,
        call: &Call,
        seat: &Seat,
        (order, attempt): (OrderId, &AttemptId),
    ) -> Result<AttemptView, WebError> {
        let record = self.record(seat, order).await?;
        let record = record.ok_or_else(WebError::unknown_order)?;
        let request = record.request.as_ref();
        let history = self.store().history(&seat.tenant, order).await?;
        let place = history
            .iter()
            .position(|entry| is_attempt(entry, HistoryEvent::Asked, attempt));
        let place = place.ok_or_else(WebError::unknown_order)?;
        let (asked, since) = (&history[place], &history[place..]);
        let mail_to = asked.detail["mail_to"].as_str();
        let status = self.engine.status(&seat.tenant).await?;
        let shown = row(&record, &status, call.now);
        let is_at_work = record
            .lease
            .as_ref()
            .is_some_and(|lease| call.now < lease.until);
        let is_tried = request.is_none_or(|request| record.updated_at > request.asked_at);
        let waits = record.wait.is_some() && is_tried && !is_at_work;
        Ok(AttemptView {
            attempt: attempt.to_string(),
            status: match (request, waits) {
                (None, _) if !is_at_work => AttemptStatus::Final,
                (_, true) => AttemptStatus::Waiting,
                _ => AttemptStatus::Running,
            },
            order: shown,
            joins_running: false,
            mail_to: mail_to.map(str::to_owned),
            mail: mail_to.map(|to| self.mail_state(since, attempt, to)),
            asked_at: Some(asked.at),
        })
    }

    /// What became of the mail to this address, as the story since the attempt was asked for tells.
    fn mail_state(&self, since: &[HistoryEntry], attempt: &AttemptId, to: &str) -> MailState {
        let is_told = since.iter().any(|entry| tells(entry, attempt, to));
        match (is_told, self.options.sends_mail) {
            (false, _) => MailState::Promised,
            (true, true) => MailState::Sent,
            (true, false) => MailState::Kept,
        }
    }

    pub(crate) async fn attempt(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let order: OrderId = call.id("order")?;
        let attempt: AttemptId = call.id("attempt")?;
        let view = self.attempt_view(call, seat, (order, &attempt)).await?;
        Ok(Answer::show((FORM.0, "sync"), view))
    }

    pub(crate) async fn retry(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let order: OrderId = call.id("order")?;
        let known = self.record(seat, order).await?;
        known.ok_or_else(WebError::unknown_order)?;
        let asked = self.ask(call, seat, order, (Origin::Retry, None)).await?;
        let view = self
            .attempt_view(call, seat, (order, &asked.attempt))
            .await?;
        let then = format!("/logs/{order}?done=retry");
        Ok(Answer::done(StatusCode::ACCEPTED, &view, then))
    }

    /// Tries every order that needs a person and fits, 100 at most in one go.
    pub(crate) async fn retry_all(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let input: input::RetryAll = call.input()?;
        let code = match input.code.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(
                Code::from_text(text)
                    .ok_or_else(|| WebError::field("code", "is not a cause that Purser knows"))?,
            ),
        };
        let filter = RetryFilter { code };
        let mut orders = self.engine.retryable(&seat.tenant, &filter).await?;
        let left = orders.len().saturating_sub(RETRIED_AT_ONCE);
        orders.truncate(RETRIED_AT_ONCE);
        let mut attempts = Vec::new();
        for order in orders {
            let asked = self.ask(call, seat, order, (Origin::Retry, None)).await?;
            attempts.push(RetriedOrder {
                order: order.get(),
                attempt: asked.attempt.to_string(),
            });
        }
        let word = if attempts.is_empty() {
            "none"
        } else {
            "retries"
        };
        let view = Retried {
            attempts,
            left: left as u64,
        };
        let then = format!("/logs?done={word}");
        Ok(Answer::done(StatusCode::ACCEPTED, &view, then))
    }
}
