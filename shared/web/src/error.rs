//! Answers that are not what was asked for: a status, one sentence of cause, one of remedy.

use http::StatusCode;
use purser_core::{
    failure::{Failure, FailureClass},
    ports::StoreError,
};

use crate::view::{ErrorView, FieldProblem, NoticeView};

/// Why a request was not carried out. Nothing was half-done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebError {
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

impl WebError {
    pub(crate) fn new(
        status: StatusCode,
        code: &str,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.to_owned(),
            cause: cause.into(),
            remedy: remedy.into(),
            fields: Vec::new(),
            retry_after: None,
            allow: None,
        }
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

    pub(crate) fn wrong(fields: Vec<FieldProblem>) -> Self {
        Self {
            fields,
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "request.fields",
                "Some fields cannot be used.",
                "Correct the fields that are named; nothing was changed.",
            )
        }
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
        let retry_after = failure.retry_after.map(|wait| wait.as_secs().max(1));
        Self {
            retry_after,
            ..Self::new(status, failure.code().as_str(), notice.cause(), remedy)
        }
    }
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store did not do what was asked");
        Self {
            retry_after: Some(2),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "wait.store_busy",
                "Purser's own storage did not answer in time.",
                "Try again in a moment; nothing was changed.",
            )
        }
    }
}
