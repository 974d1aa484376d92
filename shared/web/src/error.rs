//! Answers that are not what was asked for: a status, one sentence of cause, one of remedy.

use std::ops::Deref;

use http::StatusCode;
use purser_core::{
    failure::{Failure, FailureClass},
    notice::Code,
    ports::StoreError,
};

use crate::view::{ErrorView, FieldProblem, NoticeView};

/// Why a request was not carried out. Nothing was half-done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebError(Box<Refusal>);

/// What a [`WebError`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) cause: String,
    pub(crate) remedy: String,
    pub(crate) fields: Vec<FieldProblem>,
    /// Seconds after which another try makes sense.
    pub(crate) retry_after: Option<u64>,
    /// The methods that this address knows, when the method was wrong.
    pub(crate) allow: Option<String>,
}

impl Deref for WebError {
    type Target = Refusal;

    fn deref(&self) -> &Refusal {
        &self.0
    }
}

impl WebError {
    pub(crate) fn new(
        status: StatusCode,
        code: &str,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self(Box::new(Refusal {
            status,
            code: code.to_owned(),
            cause: cause.into(),
            remedy: remedy.into(),
            fields: Vec::new(),
            retry_after: None,
            allow: None,
        }))
    }

    /// Another try makes sense after so many seconds.
    pub(crate) fn after(mut self, seconds: Option<u64>) -> Self {
        self.0.retry_after = seconds;
        self
    }

    /// The address knows these methods.
    pub(crate) fn allowing(mut self, methods: String) -> Self {
        self.0.allow = Some(methods);
        self
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "request.not_found",
            "There is nothing at this address.",
            "Check the address, or go back to Home.",
        )
    }

    pub(crate) fn unknown_order() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "order.unknown",
            "Nothing is known about this order.",
            "Check the id (it is not the order's number), or transfer it with Sync one PO.",
        )
    }

    pub(crate) fn signed_out() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "session.missing",
            "You are not signed in, or your session has ended.",
            "Sign in again.",
        )
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "role.missing",
            "Only an admin of this company may do this.",
            "Ask an admin; the page People names them.",
        )
    }

    pub(crate) fn no_company() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "company.missing",
            "You are not a member of a company yet.",
            "Connect your QuickBooks company, or ask its admin for an invitation.",
        )
    }

    pub(crate) fn forged() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "request.forged",
            "This request did not come from a page of this session.",
            "Reload the page and try again.",
        )
    }

    /// A company without an admin could not be helped by anybody.
    pub(crate) fn last_admin() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "people.last_admin",
            "This is the only admin of the company.",
            "Make somebody else an admin first.",
        )
    }

    pub(crate) fn other_company() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "company.other",
            "You look at another company now.",
            "Load the page again and check which company it shows.",
        )
    }

    pub(crate) fn wrong(fields: Vec<FieldProblem>) -> Self {
        let mut error = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "request.fields",
            "Some fields cannot be used.",
            "Correct the fields that are named; nothing was changed.",
        );
        error.0.fields = fields;
        error
    }

    /// One wrong field.
    pub(crate) fn field(field: &str, message: impl Into<String>) -> Self {
        Self::wrong(vec![FieldProblem {
            field: field.to_owned(),
            message: message.into(),
        }])
    }

    pub(crate) fn malformed(cause: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "request.malformed",
            cause,
            "Correct the request; nothing was changed.",
        )
    }

    pub(crate) fn bug() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "purser.bug",
            "Something went wrong inside Purser.",
            "Try again; if it stays, tell support the number below.",
        )
    }

    /// The view of it.
    pub(crate) fn view(&self, correlation: &str) -> ErrorView {
        ErrorView {
            status: self.status.as_u16(),
            code: self.code.clone(),
            cause: self.cause.clone(),
            remedy: self.remedy.clone(),
            correlation: correlation.to_owned(),
            fields: self.fields.clone(),
        }
    }

    /// The same words as a notice on a page.
    pub(crate) fn notice(&self) -> NoticeView {
        NoticeView {
            code: self.code.clone(),
            cause: self.cause.clone(),
            remedy: self.remedy.clone(),
            link: None,
        }
    }
}

impl From<Failure> for WebError {
    fn from(failure: Failure) -> Self {
        let status = match failure.class() {
            // Whoever asks is asked to slow down, as we were.
            FailureClass::Retry if is_throttle(failure.code()) => StatusCode::TOO_MANY_REQUESTS,
            FailureClass::Retry | FailureClass::Refresh | FailureClass::InDoubt => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            FailureClass::Refuse | FailureClass::Adopt | FailureClass::Replan => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            FailureClass::TenantTrouble | FailureClass::Reconnect => StatusCode::CONFLICT,
            FailureClass::Bug => StatusCode::BAD_GATEWAY,
        };
        let notice = &failure.notice;
        let remedy = match failure.class() {
            // What a person asked for is not tried again by itself.
            FailureClass::Retry => "Try again in a moment.".to_owned(),
            _ => notice.remedy(),
        };
        let retry_after = failure.retry_after.map(whole_seconds);
        Self::new(status, failure.code().as_str(), notice.cause(), remedy).after(retry_after)
    }
}

const fn is_throttle(code: Code) -> bool {
    matches!(
        code,
        Code::QuickBooksThrottled | Code::AutotaskThrottled | Code::AutotaskQuota
    )
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store did not do what was asked");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "wait.store_busy",
            "Purser's own storage did not answer in time.",
            "Try again in a moment; nothing was changed.",
        )
        .after(Some(2))
    }
}

/// Rounded up: whoever comes back on time must not be too early.
fn whole_seconds(wait: std::time::Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0 || wait.is_zero())
}
