//! What the SDK says, as the ports say it.

use std::fmt::Display;

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use purser_core::ports::StoreError;

/// An answer of a service that is not the one that was hoped for. Names the code, never a content.
pub(crate) fn unavailable<E, R>(error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let code = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code);
    StoreError::Unavailable(match code {
        Some(code) => code.to_owned(),
        None => DisplayErrorContext(error).to_string(),
    })
}

/// An item that is not as this program writes it.
pub(crate) fn unreadable(what: impl Display) -> StoreError {
    StoreError::Unreadable(what.to_string())
}
